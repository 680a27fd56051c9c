package registry_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
)

// A topology is a registry with gateways gate1 and gate2 of product gw and devices
// s0 to s4 of product sub, and what was told of its changes.
type topology struct {
	*registry.Registry
	g1, g2 registry.ID
	subs   []registry.ID
	told   []registry.Change
}

func newTopology(t *testing.T, gateways registry.Product) *topology {
	t.Helper()
	w := &topology{Registry: registry.New(registry.Options{Store: newMemory()})}
	gateways.Key, gateways.Dialect = "gw", "aliyun"
	for _, p := range []registry.Product{
		gateways, {Key: "sub", Dialect: "aliyun"}, {Key: "other", Dialect: "onenet"}, {Key: "plain", Dialect: "mqtt"},
		{Key: "box", Dialect: "aliyun", NodeType: registry.GatewayNode},
	} {
		if _, err := w.CreateProduct(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	names := []registry.ID{{"gw", "gate1"}, {"gw", "gate2"}, {"other", "o"}, {"plain", "p"}, {"box", "b"}}
	for i := range 5 {
		id := registry.ID{Product: "sub", Device: fmt.Sprint("s", i)}
		names, w.subs = append(names, id), append(w.subs, id)
	}
	for _, id := range names {
		if _, err := w.CreateDevice(t.Context(), registry.Device{Product: id.Product, Name: id.Device}); err != nil {
			t.Fatal(err)
		}
	}
	w.g1, w.g2 = names[0], names[1]
	w.OnChange(func(c registry.Change) { w.told = append(w.told, c) })
	return w
}

func TestBindRules(t *testing.T) {
	gateway := registry.Product{NodeType: registry.GatewayNode}
	id := func(product, device string) registry.ID { return registry.ID{Product: product, Device: device} }
	for _, tt := range []struct {
		name    string
		product registry.Product
		gateway registry.ID
		sub     registry.ID
		rule    registry.TopologyRule
		kind    fault.Kind
	}{
		{"right", gateway, id("gw", "gate1"), id("sub", "s0"), 0, ""},
		{"a lenient product may be any node", registry.Product{}, id("gw", "gate1"), id("sub", "s0"), 0, ""},
		{"a strict one may not", registry.Product{Strictness: registry.Strict}, id("gw", "gate1"), id("sub", "s0"), registry.NoGateway, fault.KindConflict},
		{"a strict gateway may", registry.Product{Strictness: registry.Strict, NodeType: registry.GatewayNode}, id("gw", "gate1"), id("sub", "s0"), 0, ""},
		{"itself", registry.Product{}, id("gw", "gate1"), id("gw", "gate1"), registry.AddsItself, fault.KindConflict},
		{"another dialect", gateway, id("gw", "gate1"), id("other", "o"), registry.OtherDialect, fault.KindInvalid},
		{"plain MQTT", gateway, id("plain", "p"), id("sub", "s0"), registry.NoGateway, fault.KindInvalid},
		{"a gateway is no sub-device", gateway, id("gw", "gate1"), id("box", "b"), registry.NoSubDevice, fault.KindConflict},
		{"who has sub-devices is none", registry.Product{}, id("sub", "s0"), id("gw", "gate2"), registry.NoSubDevice, fault.KindConflict},
		{"who is a sub-device has none", registry.Product{}, id("sub", "s4"), id("sub", "s0"), registry.NoSubDevice, fault.KindConflict},
		{"no such sub-device", gateway, id("gw", "gate1"), id("sub", "none"), 0, fault.KindNotFound},
		{"no such gateway", gateway, id("gw", "none"), id("sub", "s0"), 0, fault.KindNotFound},
		{"no such product", gateway, id("gw", "gate1"), id("none", "s0"), 0, fault.KindNotFound},
		{"another gateway's", gateway, id("gw", "gate1"), id("sub", "s4"), registry.BoundElsewhere, fault.KindConflict},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newTopology(t, tt.product)
			if tt.product.Strictness != registry.Strict || tt.product.NodeType == registry.GatewayNode {
				if err := w.Bind(t.Context(), w.g2, []registry.ID{w.subs[4]}, false); err != nil {
					t.Fatal(err)
				}
			}
			w.told = nil
			err := w.Bind(t.Context(), tt.gateway, []registry.ID{tt.sub}, false)
			rule := registry.TopologyRule(0)
			if e, ok := errors.AsType[*registry.TopologyError](err); ok {
				rule = e.Rule
				if e.SentenceZH == "" || e.Error() == "" {
					t.Errorf("it says nothing: %+v", e)
				}
			}
			if rule != tt.rule || fault.KindOf(err) != tt.kind {
				t.Fatalf("rule %d, %v", rule, err)
			}
			is, _ := w.Gateway(t.Context(), tt.sub)
			if bound := err == nil; (is == tt.gateway) != bound || (len(w.told) == 1) != bound {
				t.Errorf("its gateway is %q, told %v", is, w.told)
			}
		})
	}
}

func TestBindIsAllOrNone(t *testing.T) {
	w := newTopology(t, registry.Product{})
	if err := w.Bind(t.Context(), w.g1, []registry.ID{w.subs[0], {"sub", "none"}}, false); fault.KindOf(err) != fault.KindNotFound {
		t.Fatal(err)
	}
	if n, err := w.CountSubs(t.Context(), w.g1); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func TestSubDeviceComesOver(t *testing.T) {
	w := newTopology(t, registry.Product{})
	for _, step := range []struct {
		gateway registry.ID
		move    bool
	}{{w.g1, false}, {w.g1, false}, {w.g2, true}} {
		if err := w.Bind(t.Context(), step.gateway, w.subs[:1], step.move); err != nil {
			t.Fatal(err)
		}
	}
	s := w.subs[0]
	want := []registry.Change{{registry.SubBound, s, w.g1}, {registry.SubUnbound, s, w.g1}, {registry.SubBound, s, w.g2}}
	if !slices.Equal(w.told, want) {
		t.Errorf("told %v", w.told)
	}
	if err := w.Bound(t.Context(), w.g1, s); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("the first gateway still has it: %v", err)
	}
}

func TestUnbindIsAllOrNone(t *testing.T) {
	w := newTopology(t, registry.Product{})
	if err := w.Bind(t.Context(), w.g1, w.subs[:2], false); err != nil {
		t.Fatal(err)
	}
	err := w.Unbind(t.Context(), w.g1, w.subs[:3])
	if e, ok := errors.AsType[*registry.TopologyError](err); !ok || e.Rule != registry.NotBound || e.Sub != w.subs[2] {
		t.Errorf("%v", err)
	}
	if all, err := w.AllSubs(t.Context(), w.g1); len(all) != 2 || err != nil {
		t.Errorf("%v, %v", all, err)
	}
	w.told = nil
	if err := w.Unbind(t.Context(), w.g1, w.subs[:2]); err != nil || len(w.told) != 2 {
		t.Errorf("%v, told %v", err, w.told)
	}
}

func TestGatewayIsFull(t *testing.T) {
	w := newTopology(t, registry.Product{})
	many := make([]registry.Device, registry.MaxSubs)
	ids := make([]registry.ID, len(many))
	for i := range many {
		many[i].Name = fmt.Sprint("m", i)
		ids[i] = registry.ID{Product: "sub", Device: many[i].Name}
	}
	if _, bad, err := w.CreateDevices(t.Context(), "sub", many); err != nil || len(bad) > 0 {
		t.Fatal(err, bad)
	}
	if err := w.Bind(t.Context(), w.g1, ids, false); err != nil {
		t.Fatal(err)
	}
	err := w.Bind(t.Context(), w.g1, w.subs[:1], false)
	if e, ok := errors.AsType[*registry.TopologyError](err); !ok || e.Rule != registry.TooManySubs || fault.KindOf(err) != fault.KindExhausted {
		t.Errorf("%v", err)
	}
	if err := w.Bind(t.Context(), w.g1, ids[:10], false); err != nil {
		t.Errorf("what it has already: %v", err)
	}
	page, next, err := w.Subs(t.Context(), w.g1, "", 0)
	if len(page) != registry.DefaultLimit || next != page[len(page)-1].Sub.String() || err != nil {
		t.Errorf("%d, next %q, %v", len(page), next, err)
	}
	if _, _, err := w.Subs(t.Context(), w.g1, "no cursor", 1); fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("a wrong cursor: %v", err)
	}
}

func TestChangesNameTheGateway(t *testing.T) {
	w := newTopology(t, registry.Product{})
	s := w.subs[0]
	if err := w.Bind(t.Context(), w.g1, w.subs[:1], false); err != nil {
		t.Fatal(err)
	}
	w.told = nil
	for _, enabled := range []bool{false, true} {
		if _, err := w.UpdateDevice(t.Context(), s, func(d *registry.Device) error { d.Enabled = enabled; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.DeleteDevice(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	want := []registry.Change{{registry.DeviceDisabled, s, w.g1}, {registry.DeviceEnabled, s, w.g1}, {registry.DeviceDeleted, s, w.g1}}
	if !slices.Equal(w.told, want) {
		t.Errorf("told %v", w.told)
	}
}

func TestNodeTypeWords(t *testing.T) {
	for word, want := range map[string]registry.NodeType{"": registry.DeviceNode, "device": registry.DeviceNode, "gateway": registry.GatewayNode} {
		var n registry.NodeType
		if err := n.UnmarshalText([]byte(word)); err != nil || n != want {
			t.Errorf("%q: %v, %v", word, n, err)
		}
	}
	var n registry.NodeType
	if n.UnmarshalText([]byte("hub")) == nil {
		t.Error("hub is a node type")
	}
	w := newTopology(t, registry.Product{})
	if _, err := w.CreateProduct(t.Context(), registry.Product{Key: "x", Dialect: "aliyun", NodeType: 9}); fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("node type 9: %v", err)
	}
}
