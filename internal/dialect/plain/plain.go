// Package plain is the dialect of devices that speak plain MQTT: the user name
// is "product/device", the password the device's secret, and a small set of
// topics below product/device/ carries the thing model:
//
//	up    {product}/{device}/properties           {"Power":1} or {"Power":{"value":1,"time":1700000000000}}
//	up    {product}/{device}/events/{event}       the event's output as an object
//	down  {product}/{device}/set                  {"id":"7","values":{"Power":1}}
//	up    {product}/{device}/set/reply            {"id":"7","code":200}
//	down  {product}/{device}/services/{service}   {"id":"8","input":{…}}
//	up    {product}/{device}/services/{service}/reply   {"id":"8","code":200,"output":{…}}
//
// All other topics below {product}/ are the users' own and are routed as by
// any broker.
package plain

import (
	"crypto/subtle"
	"encoding/json"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/thing"
)

// Dialect implements dialect.Dialect; the zero value is ready.
type Dialect struct{}

// Name returns "mqtt".
func (Dialect) Name() string { return "mqtt" }

// Claim reads "product/device" from the user name.
func (Dialect) Claim(l *dialect.Login) []dialect.Claim {
	product, device, ok := strings.Cut(l.Username, "/")
	if !ok || product == "" || device == "" {
		return nil
	}
	return []dialect.Claim{{Product: product, Device: device}}
}

// Verify compares the password with the device's secret.
func (Dialect) Verify(l *dialect.Login, _ dialect.Claim, k dialect.Secrets, _ dialect.Strictness, _ time.Time) dialect.Verdict {
	ok := k.Device != "" && subtle.ConstantTimeCompare(l.Password, []byte(k.Device)) == 1
	return dialect.Verdict{OK: ok}
}

// Session leaves everything to MQTT.
func (Dialect) Session(*dialect.Login, dialect.Strictness) dialect.Session {
	return dialect.Session{MaxQoS: mqtt.ExactlyOnce}
}

// MaySubscribe allows filters below the product; strict products only those
// below the device itself.
func (Dialect) MaySubscribe(c dialect.Claim, filter string, qos mqtt.QoS, mode dialect.Strictness) (mqtt.ReasonCode, *dialect.Diagnosis) {
	if _, rest, shared := mqtt.SplitShared(filter); shared {
		filter = rest
	}
	if own(c, filter, mode) {
		return mqtt.ReasonCode(qos), nil
	}
	return mqtt.NotAuthorized, forbidden(c, filter, mode)
}

// Answer says what a request is told.
func (Dialect) Answer(dialect.Request, any, error) []dialect.Downlink { return nil }

// Unasked is false: plain MQTT clients subscribe.
func (Dialect) Unasked(dialect.Claim, string) bool { return false }

// Set says a property set.
func (Dialect) Set(c dialect.Claim, id string, values []thing.Argument, _ *thing.Model) dialect.Downlink {
	return dialect.Downlink{Topic: c.Session() + "/set", Payload: message(id, "values", values)}
}

// Invoke says a service call.
func (Dialect) Invoke(c dialect.Claim, id string, s *thing.Service, input []thing.Argument, _ *thing.Model) dialect.Downlink {
	return dialect.Downlink{Topic: c.Session() + "/services/" + s.ID, Payload: message(id, "input", input)}
}

// Credentials returns the one way to log in.
func (Dialect) Credentials(c dialect.Claim, k dialect.Secrets, o dialect.CredentialOptions) ([]dialect.Credentials, error) {
	id := o.ClientID
	if id == "" {
		id = c.Product + "." + c.Device
	}
	return []dialect.Credentials{{
		Method: "password", ClientID: id, Username: c.Session(), Password: k.Device, Host: o.Host, Port: o.Port,
	}}, nil
}

// ImportModel reads Matou's own form of a model.
func (Dialect) ImportModel(doc []byte) (*thing.Model, error) {
	var m thing.Model
	if err := json.Unmarshal(doc, &m); err != nil {
		return nil, err
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return m.Index(), nil
}

// ExportModel writes Matou's own form of a model.
func (Dialect) ExportModel(_ string, m *thing.Model) ([]byte, error) {
	return json.MarshalIndent(m, "", "  ")
}

// own reports whether the device may use a topic or filter: below the product,
// or in a strict product below the device.
func own(c dialect.Claim, topic string, mode dialect.Strictness) bool {
	base := c.Product
	if mode == dialect.Strict {
		base = c.Session()
	}
	return topic == base || strings.HasPrefix(topic, base+"/")
}

func message(id, member string, args []thing.Argument) []byte {
	b := append([]byte(`{"id":"`), id...)
	b = append(b, `","`...)
	b = append(b, member...)
	b = append(b, `":{`...)
	for i, a := range args {
		if i > 0 {
			b = append(b, ',')
		}
		b = thing.AppendText(b, a.ID)
		b = append(b, ':')
		b = a.Value.AppendJSON(b)
	}
	return append(b, "}}"...)
}
