package device

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/thing"
)

// An Identity is who a device is: Aliyun or OneNET.
type Identity interface {
	// speech checks the identity and returns how it talks.
	speech(secure bool) (speech, error)
}

// A speech is the device's side of a vendor's protocol, without a connection.
// The cloud's side is written elsewhere and shares nothing with it.
type speech interface {
	login(c *packet.Connect, now time.Time) error
	filters() []string // what to subscribe to
	report(id string, r []Reading) (client.Message, error)
	event(id, event string, output []Reading, at time.Time) (client.Message, error)
	hear(topic string, payload []byte) (heard, bool)
	// answer says the outcome of a set or an invoke.
	answer(h heard, out Values, failed error) (client.Message, error)
}

// The kinds of what a device hears.
type kind byte

const (
	aReply kind = iota + 1
	aSet
	anInvoke
)

// heard is what the cloud said.
type heard struct {
	kind    kind
	topic   string
	id      string
	service string // of an invoke
	params  Params // of a set or an invoke

	code    int // of a reply
	message string
	data    string // compact JSON, "" for nothing in particular
}

// codeSuccess is the good code of both vendors, in both directions;
// codeFailed is what a device says when a handler failed.
const (
	codeSuccess = 200
	codeFailed  = 400
)

// rejected is the error that a reply stands for.
func (h *heard) rejected() error {
	if h.code == codeSuccess && h.data == "" {
		return nil
	}
	return &Rejected{Code: h.code, Message: h.message, Data: h.data}
}

// Params are the values of a set or the input of a service, by identifier.
type Params map[string]thing.Value

// Bool is a switch, however it was written: true, 1 or "1". ok is false if
// there is none or it is no switch.
func (p Params) Bool(id string) (on, ok bool) {
	v, there := p[id]
	if !there {
		return false, false
	}
	switch v.Shape {
	case thing.Boolean:
		return v.Bool, true
	case thing.Integer:
		return v.Int == 1, v.Int == 0 || v.Int == 1
	case thing.String:
		return v.Text == "1" || v.Text == "true", v.Text == "0" || v.Text == "1" || v.Text == "true" || v.Text == "false"
	}
	return false, false
}

// Float is a number. ok is false if there is none or it is no number.
func (p Params) Float(id string) (f float64, ok bool) {
	switch v := p[id]; v.Shape {
	case thing.Integer:
		return float64(v.Int), true
	case thing.Real:
		return v.Float, true
	}
	return 0, false
}

// Int is a whole number, 3.0 too. ok is false if there is none or it is no
// whole number.
func (p Params) Int(id string) (n int64, ok bool) {
	switch v := p[id]; {
	case v.Shape == thing.Integer:
		return v.Int, true
	case v.Shape == thing.Real && v.Float == math.Trunc(v.Float) && math.Abs(v.Float) < 1<<53:
		return int64(v.Float), true
	}
	return 0, false
}

// Text is a string. ok is false if there is none or it is no string.
func (p Params) Text(id string) (s string, ok bool) {
	v := p[id]
	return v.Text, v.Shape == thing.String
}

// An envelope is what both vendors put around everything.
type envelope struct {
	ID      json.RawMessage            `json:"id"`
	Method  string                     `json:"method"`
	Params  map[string]json.RawMessage `json:"params"`
	Code    int                        `json:"code"`
	Data    json.RawMessage            `json:"data"`
	Message string                     `json:"message"` // Aliyun
	Msg     string                     `json:"msg"`     // OneNET
}

// open reads an envelope. The id comes back as text, whether it was a string
// or a number.
func open(payload []byte) (e envelope, id string, ok bool) {
	if json.Unmarshal(payload, &e) != nil {
		return e, "", false
	}
	if json.Unmarshal(e.ID, &id) != nil {
		id = string(e.ID)
	}
	return e, id, true
}

// values reads params.
func (e *envelope) values() (Params, bool) {
	p := make(Params, len(e.Params))
	for id, raw := range e.Params {
		v, err := thing.ParseValue(raw)
		if err != nil {
			return nil, false
		}
		p[id] = v
	}
	return p, true
}

// data is what a reply says beyond its code: "" for nothing and for {}.
func (e *envelope) data() string {
	var b bytes.Buffer
	if len(e.Data) == 0 || json.Compact(&b, e.Data) != nil {
		return ""
	}
	if s := b.String(); s != "{}" && s != "null" {
		return s
	}
	return ""
}

// object writes readings as a JSON object in their order; value writes one.
func object(r []Reading, value func(*bytes.Buffer, Reading) error) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, x := range r {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(x.ID))
		b.WriteByte(':')
		if err := value(&b, x); err != nil {
			return nil, fmt.Errorf("device: %s: %w", x.ID, err)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// plain writes a value alone.
func plain(b *bytes.Buffer, r Reading) error {
	v, err := marshal(r.Value)
	b.Write(v)
	return err
}

// wrapped writes {"value":v} or {"value":v,"time":t}, t in milliseconds.
func wrapped(b *bytes.Buffer, r Reading) error {
	b.WriteString(`{"value":`)
	if err := plain(b, r); err != nil {
		return err
	}
	if !r.Time.IsZero() {
		fmt.Fprintf(b, `,"time":%d`, r.Time.UnixMilli())
	}
	b.WriteByte('}')
	return nil
}

// marshal is json.Marshal without its care for web pages.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// quote writes a string as JSON.
func quote(s string) string { return string(thing.TextValue(s).AppendJSON(nil)) }

// message is a PUBLISH of the device: QoS 1, so that it arrives.
func message(topic string, payload []byte) client.Message {
	return client.Message{Topic: topic, Payload: payload, QoS: mqtt.AtLeastOnce}
}
