package gate

import (
	"context"
	"errors"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// Enrolments decides who of those that know their product's secret is told one
// of his own. What it hands out is durable. An error is a
// *dialect.RegistrationError.
type Enrolments interface {
	Enroll(ctx context.Context, r *dialect.Registration) (*dialect.Registered, error)
	// Would returns the error that Enroll would, and does nothing else.
	Would(ctx context.Context, r *dialect.Registration) error
}

// A Sender delivers downlinks: the broker.
type Sender interface {
	Send(session string, m broker.Message, how broker.Delivery) broker.Outcome
}

// A registrant is who is connected to be told a secret, and is nobody yet.
type registrant struct {
	dialect.Claim
	greeting dialect.Downlink
}

// registrantLife is how long a connection lasts that was made to register, and
// the keep-alive of it, in seconds [aliyun-device §3.3].
const registrantLife = 15

// registration is what an applicant asks for who wants to be told a secret; nil
// of one who logs in.
func (a *applicant) registration() *dialect.Registration {
	if d, ok := a.dialect.(dialect.Registrar); ok {
		if r := d.Registration(&a.login); r != nil {
			r.Addr = a.from.Remote.String()
			return r
		}
	}
	return nil
}

// unsigned says why a registration is not signed as it has to be; nil where it
// is.
func (g *Gate) unsigned(ctx context.Context, a *applicant, r *dialect.Registration) *dialect.Diagnosis {
	d := a.dialect.(dialect.Registrar)
	if a.product != nil && d.Signed(r, secrets(a)) {
		return nil
	}
	switch {
	case a.asked:
	case tooLong(a):
		return &loginTooLong
	case !g.budget.left():
		return &loginNotExamined
	default:
		defer g.budget.spend(time.Now())
	}
	if found := d.DiagnoseRegistration(r, secrets(a), known{ctx, g.Registry}, nil); found != nil {
		return found
	}
	return unexplained() // the product speaks another dialect
}

// enroll judges a registration.
func (g *Gate) enroll(ctx context.Context, a *applicant, r *dialect.Registration) (*dialect.Registered, *dialect.Diagnosis) {
	if mistake := g.unsigned(ctx, a, r); mistake != nil {
		return nil, mistake
	}
	if g.Enrolments == nil {
		return nil, a.unwelcome(r, &dialect.RegistrationError{Why: dialect.ErrRegistrationOff})
	}
	told, err := g.Enrolments.Enroll(ctx, r)
	if err != nil {
		return nil, a.unwelcome(r, err)
	}
	g.enrolled(a, r, told)
	return told, nil
}

// would says why a registration would be refused; nil where it would not.
func (g *Gate) would(ctx context.Context, a *applicant, r *dialect.Registration) *dialect.Diagnosis {
	if mistake := g.unsigned(ctx, a, r); mistake != nil {
		return mistake
	}
	if g.Enrolments == nil {
		return a.unwelcome(r, &dialect.RegistrationError{Why: dialect.ErrRegistrationOff})
	}
	if err := g.Enrolments.Would(ctx, r); err != nil {
		return a.unwelcome(r, err)
	}
	return nil
}

// unwelcome says why a registration is refused that is signed rightly.
func (a *applicant) unwelcome(r *dialect.Registration, err error) *dialect.Diagnosis {
	why, ok := errors.AsType[*dialect.RegistrationError](err)
	if !ok {
		why = &dialect.RegistrationError{Why: dialect.ErrRegistrationUnavailable}
	}
	return a.dialect.(dialect.Registrar).DiagnoseRegistration(r, secrets(a), nil, why)
}

// enrolled writes a registration down.
func (g *Gate) enrolled(a *applicant, r *dialect.Registration, told *dialect.Registered) {
	what, whatZH := "its secret", "设备密钥"
	if told.Free {
		what, whatZH = "a token", "设备令牌"
	}
	id := g.Trace.Record(trace.Entry{
		Product: r.Product, Device: r.Device, Kind: trace.Note, Direction: "down", Code: "registered",
		Sentence:   "registered from " + r.Addr + " by " + r.Road + " and was told " + what,
		SentenceZH: "从 " + r.Addr + " 通过 " + r.Road + " 注册，已下发" + whatZH,
		Detail: struct {
			Road  string `json:"road"`
			Free  bool   `json:"free"`
			Times int    `json:"times"`
		}{r.Road, told.Free, told.Times},
	})
	if told.Again {
		n := a.dialect.(dialect.Registrar).StillRegisters(told)
		g.Trace.Record(trace.Entry{Parent: id, Product: r.Product, Device: r.Device, Kind: trace.Note, Code: n.Code, Sentence: n.Sentence, SentenceZH: n.SentenceZH})
	}
	g.Log.Info("device registered", "product", r.Product, "device", r.Device, "from", r.Addr, "road", r.Road, "free", told.Free, "times", told.Times)
}

// receive lets somebody in who registers over MQTT: for long enough to be told.
func (g *Gate) receive(ctx context.Context, a *applicant, r *dialect.Registration) (*broker.Grant, error) {
	told, mistake := g.enroll(ctx, a, r)
	if mistake != nil {
		return nil, g.refuse(ctx, a, mistake)
	}
	return &broker.Grant{
		Session:   "?register/" + r.Session(), // no product has such a key
		Identity:  &registrant{r.Claim, a.dialect.(dialect.Registrar).Welcome(told)},
		KeepAlive: registrantLife, Lifetime: registrantLife,
		MaxQoS: mqtt.AtLeastOnce, IgnoreRetain: true, IgnoreWill: true,
	}, nil
}

// subscribeRegistrant lets one who registers subscribe to what it is told, if
// it thinks that it must.
func subscribeRegistrant(c *broker.Client, s packet.Subscription) mqtt.ReasonCode {
	if r, ok := c.Identity().(*registrant); ok && mqtt.Match(s.Filter, r.greeting.Topic) {
		return mqtt.ReasonCode(min(s.QoS, mqtt.AtLeastOnce))
	}
	return mqtt.NotAuthorized
}

// greet says what a client is owed right after its login.
func (g *Gate) greet(c *broker.Client) {
	var d *dialect.Downlink
	var who dialect.Claim
	switch s := c.Identity().(type) {
	case *registrant:
		d, who = &s.greeting, s.Claim
	case *dialect.Subject:
		d, who = s.Greeting, s.Claim
	}
	if d == nil || g.Sender == nil {
		return
	}
	outcome := g.Sender.Send(c.Session(), broker.Message{Topic: d.Topic, Payload: d.Payload}, broker.Unasked)
	g.Trace.Record(trace.Entry{
		Product: who.Product, Device: who.Device, Kind: trace.Downlink, Direction: "down", Topic: d.Topic,
		Payload: d.Visible(), Sentence: outcome.String(), SentenceZH: outcome.StringZH(),
	})
}

// Register judges a registration that did not come as a CONNECT: nil and a
// diagnosis where it is refused.
func (g *Gate) Register(ctx context.Context, d dialect.Registrar, r *dialect.Registration, from broker.Origin) (*dialect.Registered, *dialect.Diagnosis, error) {
	a := &applicant{from: from, dialect: d, claim: r.Claim}
	a.login = dialect.Login{Username: r.Device + "&" + r.Product, TLS: from.TLSVersion != 0}
	r.Addr = from.Remote.String()
	if err := g.look(ctx, a); err != nil {
		return nil, nil, err
	}
	told, mistake := g.enroll(ctx, a, r)
	if mistake != nil {
		g.refuse(ctx, a, mistake)
	}
	return told, mistake, nil
}

// look finds product and device of an applicant's claim, as far as they exist.
func (g *Gate) look(ctx context.Context, a *applicant) error {
	product, err := g.Registry.Product(ctx, a.claim.Product)
	if err != nil {
		return notThere(err)
	}
	if product.Dialect != a.dialect.Name() {
		return nil
	}
	a.product = product
	device, err := g.Registry.Device(ctx, registry.ID{Product: a.claim.Product, Device: a.claim.Device})
	if err != nil {
		return notThere(err)
	}
	a.device = device
	return nil
}

// notThere is err, nil where it says that something does not exist.
func notThere(err error) error {
	if fault.KindOf(err) == fault.KindNotFound {
		return nil
	}
	return err
}

// Login judges a login that is no CONNECT and lets the device in, without a
// connection: road is how it came, for people. nil and a diagnosis where it is
// refused.
func (g *Gate) Login(ctx context.Context, l dialect.Login, from broker.Origin, road string) (*dialect.Subject, *registry.Device, *dialect.Diagnosis, error) {
	a, err := g.identify(ctx, l, from)
	if err != nil {
		return nil, nil, nil, err
	}
	notes, mistake := g.judge(ctx, a)
	if mistake == nil && !g.rates.admit(a.claim.Session(), g.Now()) {
		mistake = g.tooOften(a)
	}
	if mistake != nil {
		g.refuse(ctx, a, mistake)
		return nil, nil, mistake, nil
	}
	if err := g.Registry.Activate(ctx, g.Now(), a.device.ID()); err != nil {
		return nil, nil, nil, err
	}
	g.Registry.Contacted(a.device.ID(), g.Now(), from.Remote.String(), road)
	id := g.Trace.Record(trace.Entry{
		Product: a.claim.Product, Device: a.claim.Device, Kind: trace.Connect, Direction: "up",
		Sentence: "logged in from " + from.Remote.String() + " by " + road, SentenceZH: "从 " + from.Remote.String() + " 通过 " + road + " 登录",
		Detail: connectDetail(a),
	})
	for _, n := range notes {
		g.Trace.Record(trace.Entry{Parent: id, Product: a.claim.Product, Device: a.claim.Device, Kind: trace.Note, Code: n.Code, Sentence: n.Sentence, SentenceZH: n.SentenceZH})
	}
	return subjectOf(a, Mode(a.product.Strictness)), a.device, nil, nil
}

// Verify judges the login that comes with each message of a road that knows no
// sessions. Unlike Login it writes down refusals only.
func (g *Gate) Verify(ctx context.Context, l dialect.Login, from broker.Origin, road string) (*dialect.Subject, *dialect.Diagnosis, error) {
	a, err := g.identify(ctx, l, from)
	if err != nil {
		return nil, nil, err
	}
	if _, mistake := g.judge(ctx, a); mistake != nil {
		g.refuse(ctx, a, mistake)
		return nil, mistake, nil
	}
	if err := g.Registry.Activate(ctx, g.Now(), a.device.ID()); err != nil {
		return nil, nil, err
	}
	g.Registry.Contacted(a.device.ID(), g.Now(), from.Remote.String(), road)
	return subjectOf(a, Mode(a.product.Strictness)), nil, nil
}

// TooOften is the code of a login that is right and comes too often.
const TooOften = tooOften

// Known returns a device that has logged in before as who it is now: nil with a
// diagnosis where it may not come in any more.
func (g *Gate) Known(ctx context.Context, d dialect.Dialect, c dialect.Claim) (*dialect.Subject, *registry.Device, *dialect.Diagnosis, error) {
	a := &applicant{dialect: d, claim: c}
	if err := g.look(ctx, a); err != nil || a.device == nil {
		return nil, nil, unknownDevice(c), err
	}
	if !a.device.Enabled {
		return nil, a.device, disabled(c), nil
	}
	return subjectOf(a, Mode(a.product.Strictness)), a.device, nil, nil
}

func unknownDevice(c dialect.Claim) *dialect.Diagnosis {
	return &dialect.Diagnosis{
		Code: "device-unknown", Field: "device", Received: c.Session(), Expected: "a device that exists",
		Sentence: "there is no device " + c.Session(), SentenceZH: "没有设备 " + c.Session(),
		Advice: "make it: matou device add", AdviceZH: "请创建设备：matou device add",
	}
}

// Refuse writes down that a device that had logged in was refused something,
// for a reason that only who refused it knows.
func (g *Gate) Refuse(ctx context.Context, d dialect.Dialect, c dialect.Claim, from broker.Origin, why *dialect.Diagnosis) {
	a := &applicant{dialect: d, claim: c, from: from}
	if err := g.look(ctx, a); err != nil {
		g.Log.Error("refused device", "product", c.Product, "device", c.Device, "error", err)
	}
	g.refuse(ctx, a, why)
}

func subjectOf(a *applicant, mode dialect.Strictness) *dialect.Subject {
	s := &dialect.Subject{Claim: a.claim, Dialect: dialect.Choose(a.dialect, a.product.DataModel.String()), Mode: mode}
	if d, ok := a.dialect.(interface {
		Identity(dialect.Claim) dialect.Downlink
	}); ok && a.nameless {
		said := d.Identity(a.claim)
		s.Greeting = &said
	}
	return s
}
