package device

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/mqtt/packet"
)

// MQTT is a device that speaks plain MQTT, with a user name, a password and
// topics below one root:
//
//	out  {root}/properties                 {"Power":1}
//	out  {root}/events/{event}             {"Code":3}
//	in   {root}/set                        {"id":"7","values":{"Power":1}}
//	out  {root}/set/reply                  {"id":"7","code":200}
//	in   {root}/services/{service}         {"id":"8","input":{}}
//	out  {root}/services/{service}/reply   {"id":"8","code":200,"output":{}}
//
// With a Matou, Product, DeviceName and Secret are all; any other broker takes
// reports as well, with whatever user name, password and root it wants.
type MQTT struct {
	Product    string
	DeviceName string
	Secret     string // the password
	ClientID   string // empty: Product.DeviceName
	Username   string // empty: Product/DeviceName
	Root       string // of all topics; empty: Product/DeviceName
}

// Speech checks the identity. A broker that lets everybody in needs no Secret.
func (m MQTT) Speech(bool) (Speech, error) {
	if m.Product == "" || m.DeviceName == "" {
		return nil, errors.New("an MQTT identity needs Product and DeviceName")
	}
	or := func(s *string, otherwise string) {
		if *s == "" {
			*s = otherwise
		}
	}
	or(&m.ClientID, m.Product+"."+m.DeviceName)
	or(&m.Username, m.Product+"/"+m.DeviceName)
	or(&m.Root, m.Product+"/"+m.DeviceName)
	m.Root = strings.TrimSuffix(m.Root, "/")
	if err := mqtt.ValidTopicName(m.Root); err != nil {
		return nil, fmt.Errorf("an MQTT identity with Root %q: %w", m.Root, err)
	}
	return &plainJSON{id: m, root: m.Root + "/"}, nil
}

// plainJSON speaks JSON on topics of its own.
type plainJSON struct {
	id   MQTT
	root string // "product/device/"
}

// The topics below root.
const (
	plainProperties = "properties"
	plainEvents     = "events/"
	plainSet        = "set"
	plainServices   = "services/"
	plainReply      = "/reply"
)

func (p *plainJSON) Login(c *packet.Connect, _ time.Time) error {
	c.ClientID, c.Username, c.HasUsername = p.id.ClientID, p.id.Username, true
	if p.id.Secret != "" {
		c.Password, c.HasPassword = []byte(p.id.Secret), true
	}
	return nil
}

func (p *plainJSON) Filters() []string {
	return []string{p.root + plainSet, p.root + plainServices + "+"}
}

func (p *plainJSON) Report(_ string, r []Reading) (client.Message, error) {
	payload, err := object(r, func(b *bytes.Buffer, r Reading) error {
		if r.Time.IsZero() {
			return plain(b, r)
		}
		return wrapped(b, r)
	})
	return message(p.root+plainProperties, payload), err
}

// Replies is false: nobody answers a report but with a PUBACK.
func (p *plainJSON) Replies() bool { return false }

func (p *plainJSON) Event(_, event string, output []Reading, _ time.Time) (client.Message, error) {
	payload, err := object(output, plain)
	return message(p.root+plainEvents+event, payload), err
}

func (p *plainJSON) AskDesired(string, []string) (client.Message, error) {
	return client.Message{}, ErrNoDesired
}

func (p *plainJSON) ForgetDesired(string, map[string]int64) (client.Message, error) {
	return client.Message{}, ErrNoDesired
}

func (p *plainJSON) Hear(topic string, payload []byte) (h Heard, ok bool) {
	rest, ok := strings.CutPrefix(topic, p.root)
	if !ok {
		return h, false
	}
	var call struct {
		ID     json.RawMessage            `json:"id"`
		Values map[string]json.RawMessage `json:"values"`
		Input  map[string]json.RawMessage `json:"input"`
	}
	if json.Unmarshal(payload, &call) != nil {
		return h, false
	}
	h = Heard{Topic: topic, ID: textOf(call.ID)}
	e := envelope{}
	service, isService := strings.CutPrefix(rest, plainServices)
	switch {
	case rest == plainSet:
		h.Kind, e.Params = Set, call.Values
	case isService && service != "" && !strings.Contains(service, "/"):
		h.Kind, h.Service, e.Params = Invoke, service, call.Input
	default:
		return h, false
	}
	h.Params, ok = e.values()
	return h, ok
}

func (p *plainJSON) Answer(h Heard, out Values, failed error) (client.Message, error) {
	topic := h.Topic + plainReply
	if failed != nil {
		return message(topic, fmt.Appendf(nil, `{"id":%s,"code":%d,"message":%s}`, quote(h.ID), codeFailed, quote(failed.Error()))), nil
	}
	if h.Kind == Set {
		return message(topic, fmt.Appendf(nil, `{"id":%s,"code":%d}`, quote(h.ID), codeSuccess)), nil
	}
	data, err := object(readings(out), plain)
	return message(topic, fmt.Appendf(nil, `{"id":%s,"code":%d,"output":%s}`, quote(h.ID), codeSuccess, data)), err
}
