// Package topology is gateways and their sub-devices at work: which sub-devices
// are logged in on which connection, what gateways ask about them and what they
// are told. Which sub-device belongs to which gateway is the registry's.
//
// A sub-device is in one place: a login through another gateway, or on a
// connection of its own, ends the one before. When a gateway's connection ends,
// its sub-devices are offline with it.
package topology

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
)

// The bounds.
const (
	// MaxOnline is how many sub-devices may be logged in on one connection.
	MaxOnline = registry.MaxSubs
	// LoginRate is how often a minute a sub-device may log in: ten times what
	// the platform documents, five of strict products [aliyun-device §4.16].
	LoginRate       = 50
	strictLoginRate = 5
	maxRated        = 8192 // sub-devices whose logins are counted; with more, all counts start anew
	// MaxPermit is for how long a gateway may be told to let new ones in.
	MaxPermit = time.Hour
)

// Broker is what sub-devices need of the broker.
type Broker interface {
	Disconnect(session string, reason mqtt.ReasonCode) bool
	Online(session string) bool
	Unsubscribe(session string, drop func(filter string) bool) int
	Send(session string, m broker.Message, how broker.Delivery) broker.Outcome
}

// Pusher tells a device something: the command service.
type Pusher interface {
	Push(ctx context.Context, id registry.ID, say func(dialect.Dialect, dialect.Claim) []dialect.Downlink) (broker.Outcome, error)
}

// Statuses is told of sub-devices that come and go, as of other devices.
type Statuses interface {
	Tell(r record.Record)
}

// Enrolments hands out secrets to devices that register: package enroll. Its
// errors are *dialect.RegistrationError.
type Enrolments interface {
	Enroll(ctx context.Context, r *dialect.Registration) (*dialect.Registered, error)
}

// Options are what a Service needs.
type Options struct {
	Registry *registry.Registry
	Dialects dialect.Set
	Broker   Broker
	Push     Pusher
	Statuses Statuses // nil: nobody is told
	Enroll   Enrolments
	Store    Store        // nil: nothing waits for a sub-device that is away
	Room     func() error // says why nothing may be kept now; nil: there always is room
	Trace    *trace.Recorder
	Log      *slog.Logger
	Now      func() time.Time
}

// A Service knows who is where. Any number of goroutines may use it at once.
type Service struct {
	Options
	last atomic.Int64 // id of a notice

	// A device's coming and going, presence included, is one at a time: of two
	// that overlap, the one that ends last would otherwise not be the one that
	// is true. Striped by device.
	turns [64]sync.Mutex

	mu    sync.Mutex
	stays map[dialect.Claim]stay
	rated map[dialect.Claim]rating
}

// A stay is a sub-device on its gateway's connection.
type stay struct {
	sub     *dialect.Subject
	gateway *dialect.Subject
	way     registry.Way
}

type rating struct {
	since time.Time
	n     int
}

// New makes a Service.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Service{Options: o, stays: make(map[dialect.Claim]stay), rated: make(map[dialect.Claim]rating)}
	s.last.Store(o.Now().UnixMilli())
	return s
}

func id(c dialect.Claim) registry.ID    { return registry.ID{Product: c.Product, Device: c.Device} }
func claim(d registry.ID) dialect.Claim { return dialect.Claim{Product: d.Product, Device: d.Device} }

// turn is held while a device comes or goes.
func (s *Service) turn(c dialect.Claim) *sync.Mutex {
	var h uint32 = 2166136261 // FNV-1a
	for _, text := range [...]string{c.Product, "/", c.Device} {
		for i := range len(text) {
			h = (h ^ uint32(text[i])) * 16777619
		}
	}
	return &s.turns[h%uint32(len(s.turns))]
}

// Carrier returns the gateway by whose connection a device is reached: the one
// on which it is logged in or, with a dialect that asks for no login, the one
// that has it and is there.
func (s *Service) Carrier(ctx context.Context, c dialect.Claim) (dialect.Claim, bool) {
	s.mu.Lock()
	st, there := s.stays[c]
	s.mu.Unlock()
	if there {
		return st.gateway.Claim, true
	}
	p, err := s.Registry.Product(ctx, c.Product)
	if err != nil {
		return dialect.Claim{}, false
	}
	g, ok := s.gateways(p)
	if !ok || g.MustLogin() || s.Broker.Online(c.Session()) {
		return dialect.Claim{}, false
	}
	gateway, err := s.Registry.Gateway(ctx, id(c))
	if err != nil || gateway == (registry.ID{}) || !s.Broker.Online(gateway.String()) {
		return dialect.Claim{}, false
	}
	return claim(gateway), true
}

func (s *Service) gateways(p *registry.Product) (dialect.Gateways, bool) {
	d, ok := s.Dialects.ByName(p.Dialect)
	if !ok {
		return nil, false
	}
	g, ok := dialect.Choose(d, p.DataModel.String()).(dialect.Gateways)
	return g, ok
}

// begin lets a sub-device in on its gateway's connection.
func (s *Service) begin(by, sub *dialect.Subject, clientID, addr string) {
	turn := s.turn(sub.Claim)
	turn.Lock()
	defer turn.Unlock()
	now := s.Now()
	st := stay{sub, by, registry.Way{Addr: addr, ClientID: clientID, Protocol: "through gateway " + by.Session()}}
	s.mu.Lock()
	old, was := s.stays[sub.Claim]
	s.stays[sub.Claim] = st
	s.mu.Unlock()
	if was && old.gateway != by {
		s.leave(old, now, throughGateway+by.Session(), dialect.SubTakenOver)
	}
	by.Subs.Put(sub)
	s.Broker.Disconnect(sub.Session(), mqtt.SessionTakenOver)
	s.Registry.WentOnline(id(sub.Claim), now, st.way.Addr, st.way.ClientID, st.way.Protocol)
	s.tell(sub.Claim, now, registry.Online)
	s.Trace.Record(trace.Entry{
		Product: sub.Product, Device: sub.Device, Kind: trace.Connect, Direction: "up",
		Sentence: "logged in through gateway " + by.Session(), SentenceZH: "通过网关 " + by.Session() + " 上线",
	})
	s.Log.Info("sub-device connected", "product", sub.Product, "device", sub.Device, "gateway", by.Session())
}

// leave takes a stay out of its gateway's connection and says why: in the
// timeline, and to the gateway where it has to know. The turn is held.
func (s *Service) leave(st stay, now time.Time, reason string, tell dialect.SubFault) {
	st.gateway.Subs.Drop(st.sub.Claim)
	s.Trace.Record(trace.Entry{
		Product: st.sub.Product, Device: st.sub.Device, Kind: trace.Disconnect, At: now,
		Sentence: reason, SentenceZH: "子设备下线：" + ReasonZH(reason),
	})
	if tell != 0 {
		s.push(st.gateway.Claim, &dialect.Notice{Kind: dialect.SessionOver, Subs: []dialect.Claim{st.sub.Claim}, Why: tell})
	}
}

// reasonsZH are in Chinese what ends stays.
var reasonsZH = map[string]string{
	"logged out": "已登出", "gateway offline": "网关离线", "connected by itself": "设备自行连接",
	"removed by its gateway": "网关解除了拓扑关系", "removed from its gateway": "已从网关移除", "unregistered by its gateway": "网关注销了该设备",
	"disabled": "设备被禁用", "deleted": "设备被删除", "its secret was reset": "设备密钥已重置",
}

// ReasonZH is in Chinese why a stay ended, and what is none of its reasons as it
// is.
func ReasonZH(reason string) string {
	if gateway, ok := strings.CutPrefix(reason, throughGateway); ok {
		return "已通过网关 " + gateway + " 上线"
	}
	if rest, ok := strings.CutPrefix(reason, "gateway "); ok {
		if gateway, ok := strings.CutSuffix(rest, hasItNow); ok {
			return "现属于网关 " + gateway
		}
	}
	if zh := reasonsZH[reason]; zh != "" {
		return zh
	}
	return reason
}

const (
	throughGateway = "connected through gateway "
	hasItNow       = " has it now"
)

// end ends the stay of a sub-device, with the gateway given or with any. It
// reports whether there was one.
func (s *Service) end(c dialect.Claim, with *dialect.Subject, reason string, tell dialect.SubFault) bool {
	turn := s.turn(c)
	turn.Lock()
	defer turn.Unlock()
	s.mu.Lock()
	st, there := s.stays[c]
	there = there && (with == nil || st.gateway == with)
	if there {
		delete(s.stays, c)
	}
	s.mu.Unlock()
	if !there {
		return false
	}
	now := s.Now()
	s.leave(st, now, reason, tell)
	if s.Registry.Ended(id(c), st.way, now, reason) {
		s.tell(c, now, registry.Offline)
	}
	s.Log.Info("sub-device disconnected", "product", c.Product, "device", c.Device, "gateway", st.gateway.Session(), "why", reason)
	return true
}

func (s *Service) tell(c dialect.Claim, at time.Time, state registry.State) {
	if s.Statuses != nil {
		s.Statuses.Tell(record.Record{
			Kind: record.StatusChange, Product: c.Product, Device: c.Device, Time: at, Body: []byte(state.String()),
		})
	}
}

// push tells a gateway. What it cannot be told now is in its timeline.
func (s *Service) push(gateway dialect.Claim, n *dialect.Notice) (broker.Outcome, error) {
	n.ID, n.Gateway = s.nextID(), gateway
	ctx := context.Background()
	if n.Kind == dialect.SubsAdded || n.Kind == dialect.SubsRemoved || n.Kind == dialect.SubsDeleted {
		all, err := s.Registry.AllSubs(ctx, id(gateway))
		if err != nil {
			return broker.Offline, err
		}
		for _, b := range all {
			n.All = append(n.All, claim(b.Sub))
		}
	}
	return s.Push.Push(ctx, id(gateway), func(d dialect.Dialect, _ dialect.Claim) []dialect.Downlink {
		if g, ok := d.(dialect.Gateways); ok {
			return g.Notify(n)
		}
		return nil
	})
}

// Direct makes room for a device that comes on a connection of its own: what a
// gateway carries of it ends, then online is called.
func (s *Service) Direct(who *dialect.Subject, online func()) {
	turn := s.turn(who.Claim)
	turn.Lock()
	defer turn.Unlock()
	s.mu.Lock()
	st, there := s.stays[who.Claim]
	delete(s.stays, who.Claim)
	s.mu.Unlock()
	if there {
		s.leave(st, s.Now(), "connected by itself", dialect.SubTakenOver)
	}
	online()
}

// Gone ends the stays on a connection that is over.
func (s *Service) Gone(gateway *dialect.Subject) {
	if !gateway.Subs.Any() {
		return
	}
	for _, sub := range gateway.Subs.All() {
		s.end(sub.Claim, gateway, "gateway offline", 0)
	}
}

// Changed ends what may no longer be when a device changes, and tells its
// gateway.
func (s *Service) Changed(c registry.Change) {
	sub, gateway := claim(c.ID), c.Gateway
	var why dialect.SubFault
	var kind dialect.NoticeKind
	reason := ""
	switch c.Kind {
	case registry.DeviceDisabled:
		kind, reason = dialect.SubsDisabled, "disabled"
	case registry.DeviceEnabled:
		kind = dialect.SubsEnabled
	case registry.DeviceDeleted:
		kind, reason = dialect.SubsDeleted, "deleted"
	case registry.DeviceSecretReset:
		why, reason = dialect.SubNoSession, "its secret was reset"
	default:
		return
	}
	if reason != "" {
		s.end(sub, nil, reason, why)
	}
	if gateway == (registry.ID{}) || kind == 0 {
		return
	}
	if c.Kind == registry.DeviceDeleted {
		s.forget(claim(gateway), sub)
	}
	if _, err := s.push(claim(gateway), &dialect.Notice{Kind: kind, Subs: []dialect.Claim{sub}}); err != nil {
		s.Log.Debug("gateway not told", "gateway", gateway.String(), "sub", c.ID.String(), "error", err)
	}
}

// forget ends a gateway's subscriptions to topics of a device that is no longer
// its own.
func (s *Service) forget(gateway, sub dialect.Claim) {
	p, err := s.Registry.Product(context.Background(), gateway.Product)
	if err != nil {
		return
	}
	g, ok := s.gateways(p)
	if !ok {
		return
	}
	name := sub.Session()
	s.Broker.Unsubscribe(gateway.Session(), func(filter string) bool { return string(g.Owner([]byte(filter))) == name })
}
