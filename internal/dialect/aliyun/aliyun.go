// Package aliyun is the dialect of Alibaba Cloud IoT Platform: package aliyun,
// which knows the wire, joined to what the house asks of a vendor.
package aliyun

import (
	"reflect"
	"strings"
	"sync"
	"time"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/thing"
)

// Dialect implements dialect.Dialect; the zero value is ready.
type Dialect struct{}

// Name returns "aliyun".
func (Dialect) Name() string { return "aliyun" }

// Claim reads deviceName&productKey, or the iotId of a pre-authentication.
func (Dialect) Claim(l *dialect.Login) []dialect.Claim {
	pk, dn, err := vendor.ParseUsername(l.Username)
	if err != nil {
		if c, ok := parseIoTID(l.Username); ok {
			return []dialect.Claim{c}
		}
		return nil
	}
	return []dialect.Claim{{Product: pk, Device: dn}}
}

func sent(l *dialect.Login) vendor.Sent {
	s := vendor.Sent{
		ClientID: l.ClientID, Username: l.Username, Password: l.Password, KeepAlive: l.KeepAlive, TLS: l.TLS, Version: l.Version,
	}
	if f := l.Form; f != nil {
		id := (&vendor.Auth{ClientID: f.ClientID, SignMethod: f.Method, Timestamp: f.Timestamp}).TakenApart()
		s.TakenApart, s.Texts = &id, f.Texts
	}
	return s
}

// Verify checks the signature.
func (Dialect) Verify(l *dialect.Login, c dialect.Claim, k dialect.Secrets, mode dialect.Strictness, now time.Time) dialect.Verdict {
	s := sent(l)
	_, ok := vendor.Verify(s, k.Device)
	if l.Form != nil { // no keep-alive, no securemode
		return dialect.Verdict{OK: ok || l.Form.Proved}
	}
	v := dialect.Verdict{OK: ok || vendor.VerifyToken(s, k.Device) || verifyIoTLogin(l, c, k, now), Notes: notes(l)}
	if v.OK && mode == dialect.Strict && badKeepAlive(l.KeepAlive) {
		v.OK = false
		v.Diagnosis = &dialect.Diagnosis{
			Code: "aliyun-keep-alive", Field: "keepAlive", Received: seconds(l.KeepAlive), Expected: "30 to 1200",
			Sentence:   "a keep-alive of " + seconds(l.KeepAlive) + " s is outside 30 to 1200",
			SentenceZH: "keepAlive 为 " + seconds(l.KeepAlive) + " 秒，超出 30 到 1200 的范围",
			Advice:     "use 60 to 300", AdviceZH: "建议 60 到 300", Connack: vendor.ReturnIdentifierRejected,
		}
	}
	return v
}

func badKeepAlive(k uint16) bool { return k < 30 || k > 1200 }

// notes are what the vendor's cloud would have minded [aliyun-device §2.4, §2.7].
func notes(l *dialect.Login) (n []dialect.Note) {
	if badKeepAlive(l.KeepAlive) {
		n = append(n, dialect.Note{
			Code:       "aliyun-keep-alive",
			Sentence:   "keep-alive " + seconds(l.KeepAlive) + " s: Alibaba Cloud refuses what is outside 30 to 1200",
			SentenceZH: "keepAlive 为 " + seconds(l.KeepAlive) + " 秒：阿里云会拒绝 30 到 1200 之外的值",
		})
	}
	id, err := vendor.ParseClientID(l.ClientID)
	if err != nil {
		return n
	}
	if mode := id.SecureMode(); mode == "2" && !l.TLS || mode == "3" && l.TLS {
		n = append(n, dialect.Note{
			Code:       "aliyun-securemode",
			Sentence:   "securemode=" + mode + " does not fit the transport: 2 means TLS, 3 means plain TCP",
			SentenceZH: "securemode=" + mode + " 与传输方式不符：2 表示 TLS，3 表示明文 TCP",
		})
	}
	return n
}

// Diagnose names the mistake in a login.
func (Dialect) Diagnose(l *dialect.Login, k dialect.Secrets, known dialect.Known, _ dialect.Strictness, now time.Time) *dialect.Diagnosis {
	what := vendor.Known{DeviceSecret: k.Device, PreviousSecret: k.PreviousDevice, ProductSecret: k.Product}
	if known != nil {
		what.KnowsProduct, what.KnowsDevice = known.KnowsProduct, known.KnowsDevice
	}
	if l.Form == nil && isIoTID(l.Username) {
		return diagnoseIoTLogin(l, k, now, known)
	}
	out := Diagnosis(vendor.Diagnose(sent(l), what))
	if out != nil && l.Form != nil {
		forForm(out)
	}
	return out
}

// forForm says a diagnosis of a login that is no CONNECT: its fields have other
// names, and a CONNECT would not be right.
func forForm(d *dialect.Diagnosis) {
	d.RightLogin = nil
	switch d.Field {
	case "password":
		d.Field = "sign"
	case "username":
		d.Field = "deviceName"
	}
}

// The enforced bounds of keep-alive [aliyun-device §2.7].
const (
	leastKeepAlive = 30
	mostKeepAlive  = 1200
)

// offlineDays is how long an offline session keeps its messages
// [aliyun-device §2.5].
const offlineDays = 7

// Session: subscriptions are for ever, retain and will are ignored in 3.x, QoS
// 2 is granted as 1 [aliyun-device §2.5, §4.2].
func (Dialect) Session(l *dialect.Login, _ dialect.Strictness) dialect.Session {
	s := dialect.Session{
		KeepSubscriptions: true, MaxQoS: mqtt.AtLeastOnce, Expiry: offlineDays * 24 * time.Hour,
		IgnoreRetain: l.Version != mqtt.V5, IgnoreWill: l.Version != mqtt.V5,
	}
	switch {
	case l.KeepAlive == 0 || l.KeepAlive > mostKeepAlive:
		s.KeepAlive = mostKeepAlive
	case l.KeepAlive < leastKeepAlive:
		s.KeepAlive = leastKeepAlive
	}
	return s
}

// MaySubscribe refuses filters that are not the device's own [aliyun-device §4.2].
func (Dialect) MaySubscribe(c dialect.Claim, filter string, qos mqtt.QoS, _ dialect.Strictness) (mqtt.ReasonCode, *dialect.Diagnosis) {
	if vendor.MayUse(filter, c.Product, c.Device) {
		return mqtt.ReasonCode(min(qos, mqtt.AtLeastOnce)), nil
	}
	return mqtt.NotAuthorized, foreignTopic(c, filter)
}

// Answer says what a request is told.
func (Dialect) Answer(r dialect.Request, result any, err error) []dialect.Downlink {
	say, ok := answers[reflect.TypeOf(r)]
	if !ok || r.Asked().NoAnswer {
		return nil
	}
	return say(r, result, err)
}

// Unasked: the platform subscribes every device to its system topics itself
// [aliyun-device §4.3].
func (Dialect) Unasked(_ dialect.Claim, topic string) bool {
	for _, prefix := range []string{"/sys/", "/ext/", "/ota/", "/shadow/"} {
		if strings.HasPrefix(topic, prefix) {
			return true
		}
	}
	return false
}

// Set says a property set.
func (Dialect) Set(c dialect.Claim, id string, values []thing.Argument, m *thing.Model) dialect.Downlink {
	return dialect.Downlink{
		Topic: vendor.PropertySetTopic(c.Product, c.Device), Payload: vendor.AppendPropertySet(nil, id, values, m),
	}
}

// Invoke says a service call.
func (Dialect) Invoke(c dialect.Claim, id string, s *thing.Service, input []thing.Argument, _ *thing.Model) dialect.Downlink {
	return dialect.Downlink{
		Topic: vendor.ServiceTopic(c.Product, c.Device, s.ID), Payload: vendor.AppendServiceInvoke(nil, id, s, input),
	}
}

// Credentials signs a login with each method.
func (Dialect) Credentials(c dialect.Claim, k dialect.Secrets, o dialect.CredentialOptions) ([]dialect.Credentials, error) {
	mode := 3
	if o.TLS {
		mode = 2
	}
	var all []dialect.Credentials
	for _, m := range vendor.Methods() {
		l := vendor.Credentials(vendor.Triple{ProductKey: c.Product, DeviceName: c.Device, DeviceSecret: k.Device}, vendor.Options{
			ClientID: o.ClientID, Timestamp: o.Timestamp, Method: m, SecureMode: mode, Host: o.Host, Port: o.Port,
		})
		all = append(all, dialect.Credentials{Method: string(m), ClientID: l.ClientID, Username: l.Username, Password: l.Password, Host: l.Host, Port: l.Port})
	}
	return all, nil
}

// ImportModel reads a TSL.
func (Dialect) ImportModel(doc []byte) (*thing.Model, error) { return vendor.ImportTSL(doc) }

// ExportModel writes a TSL.
func (Dialect) ExportModel(product string, m *thing.Model) ([]byte, error) {
	return vendor.ExportTSL(product, m)
}

// decoders are reused: a message on the hot path allocates none.
var decoders = sync.Pool{New: func() any { return new(vendor.Decoder) }}
