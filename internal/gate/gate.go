// Package gate decides who may connect and which topics they may use: the
// broker asks, the registry says what exists, the dialect says whether the
// signature holds. Each verdict goes to the timeline with its reason.
package gate

import (
	"bytes"
	"context"
	"hash/maphash"
	"log/slog"
	"net/netip"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// Uplinks takes the messages of devices that are logged in.
type Uplinks interface {
	Publish(c *broker.Client, s *dialect.Subject, p *packet.Publish) broker.Decision
}

// Statuses is told of devices that come and go, the feed for instance. What it
// cannot take is lost: presence itself is in the registry.
type Statuses interface {
	Tell(r record.Record)
}

// Gateways knows the sub-devices that gateways carry on their connections.
type Gateways interface {
	// Direct makes room for a device that comes on a connection of its own, and
	// calls online, which marks it so.
	Direct(who *dialect.Subject, online func())
	// Gone ends what a connection carried that is over.
	Gone(gateway *dialect.Subject)
	// Has reports whether a device is a sub-device of the gateway, and how
	// strict it has to be.
	Has(gateway, sub dialect.Claim) (dialect.Strictness, bool)
}

// Options are what a Gate needs.
type Options struct {
	Registry *registry.Registry
	Dialects dialect.Set
	Uplinks  Uplinks
	Trace    *trace.Recorder
	// Strangers is the timeline of identities that do not exist, apart and
	// small, so that nobody's refused names push out a device's own story.
	Strangers *trace.Recorder
	// Statuses is told when devices come and go; nil: nobody is.
	Statuses Statuses
	// Enrolments hands out secrets to devices that register; nil: to none.
	Enrolments Enrolments
	// Sender tells a device what it is owed right after its login.
	Sender   Sender
	Gateways Gateways // nil: no device has sub-devices
	Topics   Topics   // nil: every custom topic is declared
	// Rulebook is how much devices may hear and subscribe to; nil: as their
	// vendors wrote it down.
	Rulebook *dialect.Rulebook
	// OpenNetworks are where devices of open products may come from without
	// a right signature; loopback is always among them.
	OpenNetworks []netip.Prefix
	// ConnectRate is how often a second one device may log in, and how often
	// at once; 0 is no limit. Further right logins are refused (Connection
	// rate exceeded; server unavailable in 3.x).
	ConnectRate int
	Log         *slog.Logger
	Now         func() time.Time
}

// A Gate implements broker.Rules. Any number of connections may ask at once.
type Gate struct {
	Options
	repeats repeats // of devices
	strange repeats // of strangers, who may invent names without end
	logged  repeats // of strangers by address
	rates   rates
	paces   paces
	budget  budget
}

// New makes a Gate.
func New(o Options) *Gate {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	g := &Gate{Options: o}
	g.rates.seed = maphash.MakeSeed()
	g.SetConnectRate(o.ConnectRate)
	return g
}

var _ broker.Rules = (*Gate)(nil)

// An applicant is a login with all that was found out about it.
type applicant struct {
	login   dialect.Login
	from    broker.Origin
	dialect dialect.Dialect
	claim   dialect.Claim
	product *registry.Product // nil: unknown
	device  *registry.Device  // nil: unknown
	asked   bool              // a person wants to know, whatever it costs
	foreign *registry.Product // it exists, but speaks another dialect than the login
	abroad  bool              // the device exists there

	nameless bool // its certificate alone says who it is
}

// Connect judges a CONNECT.
func (g *Gate) Connect(ctx context.Context, c *packet.Connect, from broker.Origin) (*broker.Grant, error) {
	a, err := g.identify(ctx, LoginOf(c, from), from)
	if err != nil {
		g.Log.Error("login could not be judged", "error", err)
		return nil, &broker.Refusal{Reason: mqtt.ServerUnavailable}
	}
	if r := a.registration(); r != nil {
		return g.receive(ctx, a, r)
	}
	notes, mistake := g.judge(ctx, a)
	if mistake != nil {
		return nil, g.refuse(ctx, a, mistake)
	}
	if !g.rates.admit(a.claim.Session(), g.Now()) {
		return nil, g.refuse(ctx, a, g.tooOften(a))
	}
	mode := Mode(a.product.Strictness)
	m := g.meterOf(a, mode)
	if m != nil {
		if why := m.arrive(); why != nil {
			return nil, g.refuse(ctx, a, why)
		}
	}
	if err := g.Registry.Activate(ctx, g.Now(), a.device.ID()); err != nil {
		g.Log.Error("first login could not be kept", "device", a.device.ID().String(), "error", err)
		return nil, &broker.Refusal{Reason: mqtt.ServerUnavailable}
	}
	grant := g.admit(a, mode, notes)
	if m != nil {
		grant.Identity.(*dialect.Subject).Meter, grant.Conduct = m, m.conduct
	}
	return grant, nil
}

// An Opinion is what the gate thinks of a login.
type Opinion struct {
	Dialect   string             // "" where no dialect could read the login
	Claim     dialect.Claim      // whom it claims to be
	Notes     []dialect.Note     // of one that is let in
	Diagnosis *dialect.Diagnosis // why it is not; nil where it is
}

// Judge says what Connect would, and does nothing else.
func (g *Gate) Judge(ctx context.Context, c *packet.Connect, from broker.Origin) (Opinion, error) {
	a, err := g.identify(ctx, LoginOf(c, from), from)
	if err != nil {
		return Opinion{}, err
	}
	a.asked = true
	o := Opinion{Claim: a.claim}
	if a.dialect != nil {
		o.Dialect = a.dialect.Name()
	}
	if r := a.registration(); r != nil {
		o.Diagnosis = g.would(ctx, a, r)
		return o, nil
	}
	o.Notes, o.Diagnosis = g.judge(ctx, a)
	return o, nil
}

// judge returns why an applicant is not let in, or what is to be noted of him.
func (g *Gate) judge(ctx context.Context, a *applicant) ([]dialect.Note, *dialect.Diagnosis) {
	if a.device == nil {
		if peer := a.from.PeerFingerprint(); peer != "" && nameless(a.login.Username) {
			return nil, certificateUnbound("", peer)
		}
		return nil, g.diagnose(ctx, a)
	}
	if !a.device.Enabled {
		return nil, disabled(a.claim)
	}
	mode := Mode(a.product.Strictness)
	verdict := g.verdict(a, mode)
	if verdict.OK {
		return verdict.Notes, nil
	}
	mistake := verdict.Diagnosis
	if mistake == nil {
		mistake = g.diagnose(ctx, a)
	}
	if mode == dialect.Open && g.openTo(a.from.Remote.Addr()) {
		return append(verdict.Notes, openNote(mistake)), nil
	}
	return nil, mistake
}

// identify finds the device that a login claims to be: the first reading of it
// that names a device that exists, else the first that names a product.
func (g *Gate) identify(ctx context.Context, l dialect.Login, from broker.Origin) (*applicant, error) {
	best := &applicant{login: l, from: from}
	if nameless(l.Username) && from.Peer != nil {
		return best, g.identifyByCertificate(ctx, best)
	}
	for _, d := range g.Dialects {
		for _, claim := range d.Claim(&best.login) {
			product, err := g.Registry.Product(ctx, claim.Product)
			switch {
			case fault.KindOf(err) == fault.KindNotFound:
				if best.dialect == nil {
					best.dialect, best.claim = d, claim
				}
				continue
			case err != nil:
				return nil, err
			case product.Dialect != d.Name():
				if err := g.lookAbroad(ctx, best, d, claim, product); err != nil {
					return nil, err
				}
				continue
			}
			device, err := g.Registry.Device(ctx, registry.ID{Product: claim.Product, Device: claim.Device})
			if err != nil && fault.KindOf(err) != fault.KindNotFound {
				return nil, err
			}
			if err == nil || best.product == nil {
				best.dialect, best.claim, best.product = d, claim, product
				best.foreign, best.abroad = nil, false
			}
			if err == nil {
				best.device = device
				return best, nil
			}
		}
	}
	return best, nil
}

// LoginOf is what a CONNECT says about who is there.
func LoginOf(c *packet.Connect, from broker.Origin) dialect.Login {
	return dialect.Login{
		ClientID: c.ClientID, Username: c.Username, Password: c.Password,
		KeepAlive: c.KeepAlive, Version: c.Version, CleanSession: c.CleanStart, Will: c.Will != nil,
		TLS: from.Transport == "tls" || from.Transport == "wss",
	}
}

func secrets(a *applicant) dialect.Secrets {
	var k dialect.Secrets
	if a.product != nil {
		k.Product, k.PreviousProduct = a.product.Secret, a.product.PreviousSecret
	}
	if a.device != nil {
		k.Device, k.PreviousDevice = a.device.Secret, a.device.PreviousSecret
	}
	return k
}

// Mode is the dialects' word for a product's strictness.
func Mode(s registry.Strictness) dialect.Strictness {
	switch s {
	case registry.Strict:
		return dialect.Strict
	case registry.Open:
		return dialect.Open
	}
	return dialect.Lenient
}

func (g *Gate) openTo(addr netip.Addr) bool {
	addr = addr.Unmap()
	if addr.IsLoopback() || !addr.IsValid() {
		return true
	}
	for _, p := range g.OpenNetworks {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// admit writes the login down and grants a session.
func (g *Gate) admit(a *applicant, mode dialect.Strictness, notes []dialect.Note) *broker.Grant {
	s := a.dialect.Session(&a.login, mode)
	id := g.Trace.Record(trace.Entry{
		Product: a.claim.Product, Device: a.claim.Device, Kind: trace.Connect, Direction: "up",
		Sentence:   "connected from " + a.from.Remote.String() + " with MQTT " + a.login.Version.String(),
		SentenceZH: "从 " + a.from.Remote.String() + " 以 MQTT " + a.login.Version.String() + " 接入",
		Detail:     connectDetail(a),
	})
	for _, n := range notes {
		g.Trace.Record(trace.Entry{
			Parent: id, Product: a.claim.Product, Device: a.claim.Device, Kind: trace.Note,
			Code: n.Code, Sentence: n.Sentence, SentenceZH: n.SentenceZH,
		})
	}
	who := subjectOf(a, mode)
	return &broker.Grant{
		Session:           a.claim.Session(),
		Identity:          who,
		Downlink:          g.downlinksOf(who),
		KeepAlive:         s.KeepAlive,
		KeepSubscriptions: s.KeepSubscriptions,
		MaxQoS:            s.MaxQoS,
		IgnoreRetain:      s.IgnoreRetain,
		IgnoreWill:        s.IgnoreWill,
		SessionExpiry:     s.Expiry,
	}
}

// Subscribe judges one filter of a SUBSCRIBE.
func (g *Gate) Subscribe(c *broker.Client, s packet.Subscription) mqtt.ReasonCode {
	subject, ok := c.Identity().(*dialect.Subject)
	if !ok {
		return subscribeRegistrant(c, s)
	}
	code, why := subject.Dialect.MaySubscribe(subject.Claim, s.Filter, s.QoS, subject.Mode)
	who := subject
	if why != nil {
		who, code, why = g.subscribeSub(subject, s, code, why)
	}
	note := (*dialect.Note)(nil)
	if why == nil {
		code, why, note = g.customFilter(who, s, code)
	}
	if why == nil && note == nil {
		code, why, note = g.numbered(c, who, s, code)
	}
	e := trace.Entry{
		Product: subject.Product, Device: subject.Device, Kind: trace.Subscribe, Direction: "up", Topic: s.Filter, QoS: int(s.QoS),
	}
	if !g.Trace.Observed(subject.Product, subject.Device).IsZero() {
		e.Packet = c.Raw()
	}
	if why != nil {
		e.Code, e.Sentence, e.SentenceZH, e.Detail = why.Code, why.Sentence, why.SentenceZH, why
	}
	if note != nil {
		e.Code, e.Sentence, e.SentenceZH = note.Code, note.Sentence, note.SentenceZH
	}
	g.Trace.Record(e)
	return code
}

// subscribeSub judges a filter that is not the device's own: it may be one of a
// sub-device of it, which comes back then.
func (g *Gate) subscribeSub(by *dialect.Subject, s packet.Subscription, code mqtt.ReasonCode, why *dialect.Diagnosis) (*dialect.Subject, mqtt.ReasonCode, *dialect.Diagnosis) {
	d, ok := by.Dialect.(dialect.Gateways)
	if !ok || g.Gateways == nil {
		return by, code, why
	}
	product, device, named := bytes.Cut(d.Owner([]byte(s.Filter)), []byte("/"))
	sub := &dialect.Subject{Claim: dialect.Claim{Product: string(product), Device: string(device)}, Dialect: by.Dialect}
	if !named || sub.Claim == by.Claim {
		return by, code, why
	}
	var has bool
	if sub.Mode, has = g.Gateways.Has(by.Claim, sub.Claim); !has {
		return by, code, why
	}
	code, why = by.Dialect.MaySubscribe(sub.Claim, s.Filter, s.QoS, sub.Mode)
	return sub, code, why
}

// Publish hands a message to the uplinks.
func (g *Gate) Publish(c *broker.Client, p *packet.Publish) broker.Decision {
	subject, ok := c.Identity().(*dialect.Subject)
	if !ok { // who registers is nobody yet: it is heard and not listened to
		return broker.Decision{Action: broker.Consume, Reason: mqtt.NotAuthorized}
	}
	if subject.Meter != nil && !subject.Meter.Published(p.QoS) {
		return broker.Decision{Action: broker.Close, Reason: mqtt.MessageRateTooHigh}
	}
	return g.Uplinks.Publish(c, subject, p)
}

// Connected marks the device online, and says what it is owed.
func (g *Gate) Connected(c *broker.Client) {
	defer g.greet(c)
	s, ok := c.Identity().(*dialect.Subject)
	if !ok {
		return
	}
	online := func() {
		w := way(c)
		g.Registry.WentOnline(identity(s), c.Since(), w.Addr, w.ClientID, w.Protocol)
		g.Registry.KeepsAlive(identity(s), c.KeepAlive())
		g.tell(s, c.Since(), registry.Online)
	}
	if g.Gateways != nil {
		g.Gateways.Direct(s, online)
	} else {
		online()
	}
	g.Log.Info("device connected", "product", s.Product, "device", s.Device, "client", c.ID(), "from", c.Origin().Remote)
}

// way is how a client's device is online.
func way(c *broker.Client) registry.Way {
	o := c.Origin()
	return registry.Way{Addr: o.Remote.String(), ClientID: c.ID(), Protocol: "MQTT " + c.Version().String() + " over " + o.Transport}
}

// Closed marks the device offline, unless it has come in another way since, and
// the sub-devices that it carried.
func (g *Gate) Closed(c *broker.Client, why broker.Cause) {
	s, ok := c.Identity().(*dialect.Subject)
	if !ok {
		return
	}
	if g.Gateways != nil {
		g.Gateways.Gone(s)
	}
	if g.Registry.Ended(identity(s), way(c), g.Now(), why.String()) {
		g.tell(s, g.Now(), registry.Offline)
	}
	g.Trace.Record(ending(s, c, why))
	g.Log.Info("device disconnected", "product", s.Product, "device", s.Device, "client", c.ID(), "why", why.String())
}

func (g *Gate) tell(s *dialect.Subject, at time.Time, state registry.State) {
	if g.Statuses != nil {
		g.Statuses.Tell(record.Record{
			Kind: record.StatusChange, Product: s.Product, Device: s.Device, Time: at, Body: []byte(state.String()),
		})
	}
}

// Rejected is told of bytes that never became a connection.
func (g *Gate) Rejected(from broker.Origin, raw []byte, why error) {
	g.Log.Debug("connection rejected", "from", from.Remote, "why", why)
	e := trace.Entry{Kind: trace.Fault, Direction: "up", Size: len(raw), Sentence: from.Remote.String() + ": " + why.Error()}
	explain(&e, raw, 0, why, true)
	g.Strangers.Record(e)
}

// Faulty is told of a broken packet on an open connection.
func (g *Gate) Faulty(c *broker.Client, raw []byte, why error) {
	s, ok := c.Identity().(*dialect.Subject)
	if !ok {
		return
	}
	e := trace.Entry{
		Product: s.Product, Device: s.Device, Kind: trace.Fault, Direction: "up", Size: len(raw), Sentence: why.Error(),
	}
	explain(&e, raw, c.Version(), why, len(raw) > 0 && holdsLogin(raw))
	g.Trace.Record(e)
}

func identity(s *dialect.Subject) registry.ID {
	return registry.ID{Product: s.Product, Device: s.Device}
}
