package device

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/thing"
)

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
	return e, textOf(e.ID), true
}

// textOf is an id as text, whether it was a string or a number.
func textOf(raw json.RawMessage) (id string) {
	if json.Unmarshal(raw, &id) != nil {
		id = string(raw)
	}
	return id
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
func quote(s string) string { return string(thing.AppendText(nil, s)) }

// message is a PUBLISH of the device: QoS 1, so that it arrives.
func message(topic string, payload []byte) client.Message {
	return client.Message{Topic: topic, Payload: payload, QoS: mqtt.AtLeastOnce}
}

// list writes identifiers as a JSON array.
func list(ids []string) []byte {
	b := []byte{'['}
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, quote(id)...)
	}
	return append(b, ']')
}

// versions writes {"a":{"version":2}} in the order of the identifiers.
func versions(of map[string]int64) []byte {
	b := []byte{'{'}
	for i, id := range slices.Sorted(maps.Keys(of)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `%s:{"version":%d}`, quote(id), of[id])
	}
	return append(b, '}')
}
