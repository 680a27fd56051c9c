package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/matou-iot/matou/internal/fault"
)

// A NodeType is what the devices of a product are to others.
type NodeType byte

// The node types.
const (
	DeviceNode  NodeType = iota // connects by itself, or through a gateway
	GatewayNode                 // carries sub-devices on its own connection
)

var nodeTypeWords = []string{DeviceNode: "device", GatewayNode: "gateway"}

// String is the word for the node type.
func (n NodeType) String() string { return word(nodeTypeWords, byte(n)) }

// MarshalText writes the word.
func (n NodeType) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText reads the word; "" means device.
func (n *NodeType) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*n = DeviceNode
		return nil
	}
	i, err := unword("node type", nodeTypeWords, string(text))
	*n = NodeType(i)
	return err
}

// MaxSubs is how many sub-devices a gateway may have, with either vendor
// [aliyun-device §4.16] [onenet §3.3].
const MaxSubs = 1500

// A Binding says which gateway a sub-device belongs to. A device has one
// gateway at the most.
type Binding struct {
	Sub     ID        `json:"sub"`
	Gateway ID        `json:"gateway"`
	At      time.Time `json:"at"` // since when
}

// A TopologyStore remembers which sub-devices belong to which gateway, and
// which ones gateways have found. What it keeps goes with the devices.
type TopologyStore interface {
	Bind(ctx context.Context, gateway ID, subs []ID, at time.Time) error // in place of older bindings; ErrNotFound where a device is gone
	Unbind(ctx context.Context, gateway ID, subs []ID) error             // those that are bound to it
	Binding(ctx context.Context, sub ID) (*Binding, error)
	Bindings(ctx context.Context, gateway ID, after string, limit int) ([]Binding, error) // by product and name
	CountBindings(ctx context.Context, gateway ID) (int, error)

	SaveFound(ctx context.Context, gateway ID, subs []ID, at time.Time, most int) error // the newest most are kept
	Found(ctx context.Context, gateway ID) ([]Found, error)                             // by product and name, without those that are bound to it
}

// A Found is a device that a gateway has seen and would like to have.
type Found struct {
	Sub ID        `json:"sub"`
	At  time.Time `json:"at"`
}

// A TopologyRule is what forbids a relation.
type TopologyRule byte

// The rules.
const (
	AddsItself     TopologyRule = iota + 1 // a gateway is no sub-device of itself
	NoGateway                              // the product is no gateway and holds its devices to that
	NoSubDevice                            // a gateway, or whose sub-devices it would be is one itself
	OtherDialect                           // gateway and sub-device speak different dialects
	BoundElsewhere                         // another gateway has it
	TooManySubs                            // the gateway has MaxSubs
	NotBound                               // it is no sub-device of this gateway
)

// A TopologyError says which rule forbids a relation. It wraps a fault.
type TopologyError struct {
	Rule       TopologyRule
	Sub        ID
	SentenceZH string
	fault      error
}

// Error is the fault's sentence.
func (e *TopologyError) Error() string { return e.fault.Error() }

// Unwrap returns the fault.
func (e *TopologyError) Unwrap() error { return e.fault }

// Bind makes devices sub-devices of a gateway, all of them or none. One that
// another gateway has comes over where move says so. What was bound already
// stays as it is. The errors are faults, or a *TopologyError.
func (r *Registry) Bind(ctx context.Context, gateway ID, subs []ID, move bool) error {
	r.binding.Lock()
	defer r.binding.Unlock()
	p, err := r.gateway(ctx, gateway)
	if err != nil {
		return err
	}
	var fresh []ID
	was := make(map[ID]ID) // the gateway of those that come over
	for _, sub := range subs {
		old, err := r.mayBind(ctx, p, gateway, sub)
		switch {
		case err != nil:
			return err
		case old == gateway:
			continue
		case old != ID{} && !move:
			return &TopologyError{BoundElsewhere, sub, fmt.Sprintf("设备 %s 已属于网关 %s", sub, old),
				fault.Conflict("device %s is a sub-device of gateway %s already", sub, old)}
		case old != ID{}:
			was[sub] = old
		}
		fresh = append(fresh, sub)
	}
	if len(fresh) == 0 {
		return nil
	}
	n, err := r.store.CountBindings(ctx, gateway)
	if err != nil {
		return err
	}
	if n+len(fresh) > MaxSubs {
		return &TopologyError{TooManySubs, fresh[len(fresh)-1], fmt.Sprintf("网关 %s 已有 %d 个子设备，上限为 %d", gateway, n, MaxSubs),
			fault.Exhausted("gateway %s has %d sub-devices; %d are the most", gateway, n, MaxSubs)}
	}
	if err := r.store.Bind(ctx, gateway, fresh, r.stamp()); err != nil {
		if errors.Is(err, ErrNotFound) {
			return fault.NotFound("the gateway or one of the sub-devices was deleted meanwhile")
		}
		return err
	}
	for _, sub := range fresh {
		if old, moved := was[sub]; moved {
			r.tell(Change{Kind: SubUnbound, ID: sub, Gateway: old})
		}
		r.tell(Change{Kind: SubBound, ID: sub, Gateway: gateway})
	}
	return nil
}

// gateway returns the product of a device that is to have sub-devices.
func (r *Registry) gateway(ctx context.Context, id ID) (*Product, error) {
	p, err := r.Product(ctx, id.Product)
	if err != nil {
		return nil, err
	}
	if _, err := r.Device(ctx, id); err != nil {
		return nil, err
	}
	above, err := r.Gateway(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case p.Dialect == "mqtt":
		return nil, &TopologyError{NoGateway, ID{}, "普通 MQTT 产品没有网关", fault.Invalid("product %q speaks plain MQTT, which knows no gateways", p.Key)}
	case p.NodeType != GatewayNode && p.Strictness == Strict:
		return nil, &TopologyError{NoGateway, ID{}, fmt.Sprintf("产品 %s 不是网关，且为严格模式", p.Key),
			fault.Conflict("product %q is no gateway and is strict: set its node type to gateway", p.Key)}
	case above != ID{}:
		return nil, &TopologyError{NoSubDevice, id, fmt.Sprintf("设备 %s 自己是网关 %s 的子设备，不能再带子设备", id, above),
			fault.Conflict("device %s is itself a sub-device of gateway %s: it can have none", id, above)}
	}
	return p, nil
}

// mayBind returns the gateway that a device has, none or another.
func (r *Registry) mayBind(ctx context.Context, gatewayProduct *Product, gateway, sub ID) (old ID, err error) {
	p, err := r.Product(ctx, sub.Product)
	if err != nil {
		return ID{}, err
	}
	if _, err := r.Device(ctx, sub); err != nil {
		return ID{}, err
	}
	below, err := r.store.CountBindings(ctx, sub)
	switch {
	case err != nil:
		return ID{}, err
	case sub == gateway:
		return ID{}, &TopologyError{AddsItself, sub, "网关不能把自己添加为子设备", fault.Conflict("gateway %s cannot be its own sub-device", gateway)}
	case p.Dialect != gatewayProduct.Dialect:
		return ID{}, &TopologyError{OtherDialect, sub, fmt.Sprintf("子设备 %s 使用 %s 协议，网关使用 %s", sub, p.Dialect, gatewayProduct.Dialect),
			fault.Invalid("device %s speaks %s, its gateway %s", sub, p.Dialect, gatewayProduct.Dialect)}
	case p.NodeType == GatewayNode || below > 0:
		return ID{}, &TopologyError{NoSubDevice, sub, fmt.Sprintf("设备 %s 是网关，不能作为子设备", sub),
			fault.Conflict("device %s is a gateway: it can be no sub-device", sub)}
	}
	return r.Gateway(ctx, sub)
}

// Unbind ends the relation of a gateway with sub-devices of its own, all of
// them or none.
func (r *Registry) Unbind(ctx context.Context, gateway ID, subs []ID) error {
	r.binding.Lock()
	defer r.binding.Unlock()
	for _, sub := range subs {
		if err := r.bound(ctx, gateway, sub); err != nil {
			return err
		}
	}
	if err := r.store.Unbind(ctx, gateway, subs); err != nil {
		return err
	}
	for _, sub := range subs {
		r.tell(Change{Kind: SubUnbound, ID: sub, Gateway: gateway})
	}
	return nil
}

// bound refuses a device that is no sub-device of the gateway.
func (r *Registry) bound(ctx context.Context, gateway, sub ID) error {
	is, err := r.Gateway(ctx, sub)
	if err != nil {
		return err
	}
	if is != gateway {
		return &TopologyError{NotBound, sub, fmt.Sprintf("设备 %s 不是网关 %s 的子设备", sub, gateway),
			fault.NotFound("device %s is no sub-device of gateway %s", sub, gateway)}
	}
	return nil
}

// Bound returns nil where a device is a sub-device of the gateway, else a
// *TopologyError with the rule NotBound.
func (r *Registry) Bound(ctx context.Context, gateway, sub ID) error {
	return r.bound(ctx, gateway, sub)
}

// Gateway returns the gateway of a device, the zero ID where it has none.
func (r *Registry) Gateway(ctx context.Context, sub ID) (ID, error) {
	b, err := r.store.Binding(ctx, sub)
	switch {
	case errors.Is(err, ErrNotFound):
		return ID{}, nil
	case err != nil:
		return ID{}, err
	}
	return b.Gateway, nil
}

// Subs returns sub-devices of a gateway in order of product and name, and a
// cursor for the next page, "" where there is none.
func (r *Registry) Subs(ctx context.Context, gateway ID, after string, most int) ([]Binding, string, error) {
	if _, err := r.Device(ctx, gateway); err != nil {
		return nil, "", err
	}
	most, err := PageSize(most)
	if err != nil {
		return nil, "", err
	}
	if after != "" {
		if _, err := ParseID(after); err != nil {
			return nil, "", fault.In("after", fault.Invalid("%q is no cursor: take it from the page before", after))
		}
	}
	found, err := r.store.Bindings(ctx, gateway, after, most+1)
	if err != nil || len(found) <= most {
		return found, "", err
	}
	return found[:most], found[most-1].Sub.String(), nil
}

// AllSubs returns all sub-devices of a gateway, MaxSubs at the most.
func (r *Registry) AllSubs(ctx context.Context, gateway ID) ([]Binding, error) {
	return r.store.Bindings(ctx, gateway, "", MaxSubs)
}

// CountSubs counts the sub-devices of a gateway.
func (r *Registry) CountSubs(ctx context.Context, gateway ID) (int, error) {
	return r.store.CountBindings(ctx, gateway)
}

// FoundSubs remembers what a gateway has seen around it, the newest MaxSubs.
func (r *Registry) FoundSubs(ctx context.Context, gateway ID, subs []ID) error {
	return r.store.SaveFound(ctx, gateway, subs, r.stamp(), MaxSubs)
}

// Found returns what a gateway has seen and does not have.
func (r *Registry) Found(ctx context.Context, gateway ID) ([]Found, error) {
	return r.store.Found(ctx, gateway)
}

// CheckName says whether a device of the product may be called so.
func CheckName(p *Product, name string) error { return checkDevice(p, &Device{Name: name}) }
