// Package onenet is the dialect of China Mobile OneNET: package onenet, which
// knows the wire, joined to what the house asks of a vendor.
package onenet

import (
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/mqtt"
	vendor "github.com/matou-iot/matou/onenet"
	"github.com/matou-iot/matou/thing"
)

// Dialect implements dialect.Dialect; the zero value is ready, for products with
// a thing model.
type Dialect struct {
	streams bool // for products of data streams
}

// Streams is the word for the data model of products of data streams.
const Streams = "streams"

// Of returns the dialect of products of a data model.
func (Dialect) Of(dataModel string) dialect.Dialect { return Dialect{streams: dataModel == Streams} }

// foreign reports whether topics of a kind belong to products of the other data
// model. Updates and raw bytes belong to both.
func (d Dialect) foreign(k vendor.Kind) bool {
	if d.streams {
		return k.Thing()
	}
	return k.Streams()
}

// Name returns "onenet".
func (Dialect) Name() string { return "onenet" }

// Claim reads the product id from the user name and the device's name from the
// client id. Where the token's resource names others, they come next: a wrong
// client id is then told on the timeline of the device that was meant.
func (Dialect) Claim(l *dialect.Login) []dialect.Claim {
	var all []dialect.Claim
	add := func(product, device string) {
		c := dialect.Claim{Product: product, Device: device}
		if product == "" || device == "" {
			return
		}
		for _, known := range all {
			if known == c {
				return
			}
		}
		all = append(all, c)
	}
	add(l.Username, l.ClientID)
	t, _ := vendor.ParseToken(l.Password) // of a broken token, what could be read
	if product, device, ok := vendor.ParseRes(t.Res); ok {
		add(product, device)
		add(l.Username, device)
		add(product, l.ClientID)
	}
	add(l.ClientID, l.Username) // swapped
	return all
}

func sent(l *dialect.Login) vendor.Sent {
	return vendor.Sent{
		ClientID: l.ClientID, Username: l.Username, Password: l.Password, KeepAlive: l.KeepAlive,
		CleanSession: l.CleanSession, Will: l.Will, TLS: l.TLS, Version: l.Version,
	}
}

func keys(k dialect.Secrets) vendor.Keys {
	return vendor.Keys{Device: k.Device, Product: k.Product, PreviousDevice: k.PreviousDevice, PreviousProduct: k.PreviousProduct}
}

// Verify checks the token. Names have to be those of the claim: a device that
// was only meant is not let in.
func (Dialect) Verify(l *dialect.Login, c dialect.Claim, k dialect.Secrets, mode dialect.Strictness, now time.Time) dialect.Verdict {
	s := sent(l)
	judgedAt := now
	if mode == dialect.Open {
		judgedAt = time.Time{}
	}
	if _, ok := vendor.Verify(s, keys(k), judgedAt); !ok || c.Product != l.Username || c.Device != l.ClientID {
		return dialect.Verdict{}
	}
	if mode == dialect.Strict {
		if d := vendor.Diagnose(s, vendor.Known{Keys: keys(k), Strict: true}, now); d != nil {
			return dialect.Verdict{Diagnosis: diagnosis(d)}
		}
	}
	v := dialect.Verdict{OK: true}
	for _, h := range vendor.Hints(s, now) {
		v.Notes = append(v.Notes, dialect.Note{Code: h.Code, Sentence: h.Sentence, SentenceZH: h.SentenceZH})
	}
	return v
}

// Diagnose names the mistake in a login.
func (Dialect) Diagnose(l *dialect.Login, k dialect.Secrets, known dialect.Known, mode dialect.Strictness, now time.Time) *dialect.Diagnosis {
	what := vendor.Known{Keys: keys(k), Strict: mode == dialect.Strict, IgnoreExpiry: mode == dialect.Open}
	if known != nil {
		what.KnowsProduct, what.KnowsDevice = known.KnowsProduct, known.KnowsDevice
	}
	return diagnosis(vendor.Diagnose(sent(l), what, now))
}

func diagnosis(d *vendor.Diagnosis) *dialect.Diagnosis {
	if d == nil {
		return nil
	}
	out := &dialect.Diagnosis{
		Code: d.Code, Field: d.Field, Received: d.Received, Expected: d.Expected, Sentence: d.Sentence, SentenceZH: d.SentenceZH,
		Advice: d.Advice, AdviceZH: d.AdviceZH, StringToSign: d.StringToSign,
	}
	out.Connack, out.Silent = d.ReturnCode()
	if r := d.RightLogin; r != nil {
		out.RightLogin = &dialect.Credentials{ClientID: r.ClientID, Username: r.Username, Password: r.Password, Host: r.Host, Port: r.Port}
	}
	return out
}

// Session: devices publish with QoS 0 or 1, nothing outlives a connection
// unless the device asked for it, will and retain are not OneNET's whatever the
// version [onenet §1.3, §1.5]. A 5.0 client is told so; that of 3.x Manners
// judges. That SUBSCRIBE gets QoS 0 is MaySubscribe's.
func (Dialect) Session(l *dialect.Login, _ dialect.Strictness) dialect.Session {
	return dialect.Session{MaxQoS: mqtt.AtLeastOnce, IgnoreRetain: l.Version == mqtt.V5, IgnoreWill: true}
}

// MaySubscribe refuses filters that are not below the device's own names, in
// strict products also those of the other data model; a lenient one is granted
// them with a word about it. QoS 0 is all that is granted [onenet §1.5].
func (d Dialect) MaySubscribe(c dialect.Claim, filter string, _ mqtt.QoS, mode dialect.Strictness) (mqtt.ReasonCode, *dialect.Diagnosis) {
	if mode == dialect.Strict {
		if err := vendor.CheckTopic(filter, true); err != nil {
			return mqtt.NotAuthorized, badTopic(filter, err)
		}
	}
	if !vendor.MayUse(filter, c.Product, c.Device) {
		return mqtt.NotAuthorized, foreignTopic(c, filter)
	}
	if d.foreign(vendor.FamilyOf(filter)) {
		if mode == dialect.Strict {
			return mqtt.NotAuthorized, d.otherModel(filter)
		}
		return mqtt.ReasonCode(mqtt.AtMostOnce), d.otherModel(filter)
	}
	return mqtt.ReasonCode(mqtt.AtMostOnce), nil
}

// Unasked: the platform sends nothing that was not subscribed to [onenet §3.1].
func (Dialect) Unasked(dialect.Claim, string) bool { return false }

// Set says a property set: bare values.
func (Dialect) Set(c dialect.Claim, id string, values []thing.Argument, _ *thing.Model) dialect.Downlink {
	return dialect.Downlink{Topic: vendor.PropertySetTopic(c.Product, c.Device), Payload: vendor.AppendRequest(nil, id, values)}
}

// Invoke says a service call.
func (Dialect) Invoke(c dialect.Claim, id string, s *thing.Service, input []thing.Argument, _ *thing.Model) dialect.Downlink {
	return dialect.Downlink{Topic: vendor.ServiceTopic(c.Product, c.Device, s.ID), Payload: vendor.AppendRequest(nil, id, input)}
}

// Get asks a device for properties.
func (Dialect) Get(c dialect.Claim, id string, properties []string) dialect.Downlink {
	return dialect.Downlink{Topic: vendor.PropertyGetTopic(c.Product, c.Device), Payload: vendor.AppendPropertyGet(nil, id, properties)}
}

// Command sends a command of data streams: bytes.
func (Dialect) Command(c dialect.Claim, id string, payload []byte) dialect.Downlink {
	return dialect.Downlink{Topic: vendor.CommandTopic(c.Product, c.Device, id), Payload: payload}
}

// MaxCommand is how many bytes a command may have.
func (Dialect) MaxCommand() int { return vendor.MaxCommandBytes }

// Raw passes bytes to a device.
func (Dialect) Raw(c dialect.Claim, id string, payload []byte) dialect.Downlink {
	return dialect.Downlink{Topic: vendor.RawDownTopic(c.Product, c.Device, id), Payload: payload}
}

// tokenLife is how long credentials work where nobody says otherwise.
const tokenLife = 365 * 24 * time.Hour

// Credentials signs a login with each method, by the product's key where the
// device has none [onenet §2.1].
func (Dialect) Credentials(c dialect.Claim, k dialect.Secrets, o dialect.CredentialOptions) ([]dialect.Credentials, error) {
	expiry := o.Expiry
	if expiry.IsZero() {
		expiry = o.Now.Add(tokenLife)
	}
	key := k.Device
	if key == "" {
		key = k.Product
	}
	var all []dialect.Credentials
	for _, m := range vendor.Methods() {
		l, err := vendor.Credentials(vendor.Options{
			ProductID: c.Product, DeviceName: c.Device, Key: key, Expiry: expiry.Unix(), Method: m, Host: o.Host, Port: o.Port,
		})
		if err != nil {
			return nil, err
		}
		all = append(all, dialect.Credentials{Method: string(m), ClientID: l.ClientID, Username: l.Username, Password: l.Password, Host: l.Host, Port: l.Port})
	}
	return all, nil
}

// ImportModel reads a model file of either generation.
func (Dialect) ImportModel(doc []byte) (*thing.Model, error) { return vendor.ImportModel(doc) }

// ExportModel writes a model file of today's platform.
func (Dialect) ExportModel(product string, m *thing.Model) ([]byte, error) {
	return vendor.ExportModel(product, m)
}
