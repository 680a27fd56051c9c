package onenet

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/matou-iot/matou/thing"
	"github.com/matou-iot/matou/thing/loose"
)

// The bounds of the platform [onenet §3.2, §3.3].
const (
	MaxSubDevices     = 1500 // of one gateway
	MaxSubProperties  = 50   // of one set or get of a sub-device
	MaxPackDevices    = 10   // sub-devices of one pack or history report
	MaxPackPoints     = 100  // points of one device in it, and of one identifier in a history report
	subPath           = "thing/sub/"
	SubTopoAdd        = subPath + "topo/add"
	SubTopoDelete     = subPath + "topo/delete"
	SubTopoGet        = subPath + "topo/get"
	SubTopoResult     = subPath + "topo/get/result"
	SubTopoChange     = subPath + "topo/change"
	SubTopoChanged    = subPath + "topo/change_reply"
	SubLogin          = subPath + "login"
	SubLogout         = subPath + "logout"
	SubPropertyGet    = subPath + "property/get"
	SubPropertySet    = subPath + "property/set"
	SubServiceInvoke  = subPath + "service/invoke"
	SubPropertyGetAck = SubPropertyGet + "_reply"
	SubPropertySetAck = SubPropertySet + "_reply"
	SubServiceAck     = SubServiceInvoke + "_reply"
)

// A Sub is a sub-device as its gateway names it, with the token that
// proves it where there is one [onenet §3.3].
type Sub struct {
	ProductID  string
	DeviceName string
	Token      string // sasToken: a token of the sub-device's own
}

// Sub reads the sub-device that a request of a gateway is about. The members
// are productID and deviceName; another letter case is taken, for the SDKs of
// applications write it so.
func (d *Decoder) Sub(doc []byte) (Sub, error) {
	params, found, err := d.envelope(doc, nil)
	if err != nil {
		return Sub{}, err
	}
	if !found {
		return Sub{}, ErrNoParams
	}
	l := d.Loose
	args, err := arguments(params)
	d.Loose |= l
	if err != nil {
		return Sub{}, err
	}
	var s Sub
	for _, a := range args {
		switch strings.ToLower(a.ID) {
		case "productid":
			s.ProductID = plainText(a.Value)
		case "devicename":
			s.DeviceName = plainText(a.Value)
		case "sastoken":
			s.Token = plainText(a.Value)
		}
	}
	return s, nil
}

// plainText is a scalar as text: product ids of digits come as numbers, too.
func plainText(v thing.Value) string {
	switch v.Shape {
	case thing.String:
		return v.Text
	case thing.Integer, thing.Real:
		return v.String()
	}
	return ""
}

// Ask reads a request that may have no params, such as topo/get.
func (d *Decoder) Ask(doc []byte) error {
	_, _, err := d.envelope(doc, nil)
	return err
}

// SubReply reads a gateway's answer for a sub-device. An invoke's names the
// sub-device and the service beside the output, which is what comes back.
func (d *Decoder) SubReply(doc []byte) (data, service string, who Sub, err error) {
	if data, err = d.Reply(doc); err != nil || data == "" {
		return data, "", who, err
	}
	var inner struct {
		ProductID  string          `json:"productID"`
		DeviceName string          `json:"deviceName"`
		Identifier string          `json:"identifier"`
		Output     json.RawMessage `json:"output"`
	}
	if json.Unmarshal([]byte(data), &inner) != nil || inner.Identifier == "" && inner.DeviceName == "" {
		return data, "", who, nil
	}
	return string(inner.Output), inner.Identifier, Sub{ProductID: inner.ProductID, DeviceName: inner.DeviceName}, nil
}

// VerifySub reports whether a sub-device's token is right: it names the
// sub-device, has not expired, and is signed with its key or its product's. A
// zero now waives the expiry.
func VerifySub(s Sub, k Keys, now time.Time) bool {
	_, ok := Verify(s.sent(), k, now)
	return ok
}

func (s *Sub) sent() Sent {
	return Sent{ClientID: s.DeviceName, Username: s.ProductID, Password: []byte(s.Token)}
}

// DiagnoseSub names the mistake in a sub-device's token, nil for a right one.
// gateway are the keys of the gateway: signing with them is the usual mistake
// [onenet §10 row 30].
func DiagnoseSub(s Sub, k, gateway Keys, now time.Time) *Diagnosis {
	if VerifySub(s, k, now) {
		return nil
	}
	known := Known{Keys: k, ProductID: s.ProductID, DeviceName: s.DeviceName}
	a := newAttempt(s.sent(), known, now)
	d := Diagnose(s.sent(), known, now)
	switch {
	case s.Token == "":
		d = a.say("onenet-sub-no-token", "sasToken", "", "")
	case gateway.Device != k.Device && signedWith(a.token, gateway.Device), gateway.Product != k.Product && signedWith(a.token, gateway.Product):
		d = a.say("onenet-sub-gateway-key", "sign", a.token.Sign, "")
	case d == nil:
		d = a.say("onenet-wrong-key", "sign", "", "")
	}
	d.Field = subField(d.Field)
	d.RightLogin = nil // a sub-device does not log in by itself
	return d
}

// subField is where a part of a login stands in a gateway's request.
func subField(field string) string {
	switch field {
	case "password":
		return "sasToken"
	case "clientId":
		return "deviceName"
	case "username":
		return "productID"
	}
	return field
}

// AppendSubs appends sub-devices as a list of names.
func AppendSubs(dst []byte, subs []Sub) []byte {
	dst = append(dst, '[')
	for i := range subs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"deviceName":`...)
		dst = thing.AppendText(dst, subs[i].DeviceName)
		dst = append(dst, `,"productID":`...)
		dst = thing.AppendText(dst, subs[i].ProductID)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// AppendReplyData appends the platform's answer with its data, which is JSON.
func AppendReplyData(dst, id []byte, code int, msg string, data []byte) []byte {
	dst = AppendReply(dst, id, code, msg)
	dst = append(dst[:len(dst)-1], `,"data":`...)
	return append(append(dst, data...), '}')
}

// AppendTopoChange appends what a gateway is told when its topology changed:
// all of its sub-devices [onenet §3.3].
func AppendTopoChange(dst []byte, id string, subs []Sub) []byte {
	dst = append(dst, `{"id":"`...)
	dst = append(dst, id...)
	dst = append(dst, `","version":"1.0","params":{"subList":`...)
	return append(AppendSubs(dst, subs), "}}"...)
}

// SubTopic is a topic of a gateway, such as that of SubTopoChange.
func SubTopic(pid, dev, path string) string { return sys(pid, dev, path) }

// ThroughGateway turns what a device of its own would be told on topic into
// what its gateway is told: on the gateway's topic, with the names inside; a
// command on the sub-device's own. It reports false for what a gateway cannot
// pass on.
func ThroughGateway(pid, dev, topic string, payload []byte) (string, []byte, bool) {
	t := ParseTopicName(topic)
	path := ""
	switch t.Kind {
	case Command:
		return SubdevTopic(t.ProductID, t.Device, t.Path), payload, true
	case PropertySet:
		path = SubPropertySet
	case PropertyGet:
		path = SubPropertyGet
	case ServiceInvoke:
		path = SubServiceInvoke
	default:
		return "", nil, false
	}
	var message struct {
		ID     string          `json:"id"`
		Params json.RawMessage `json:"params"`
	}
	if json.Unmarshal(payload, &message) != nil || len(message.Params) == 0 {
		return "", nil, false
	}
	out := append([]byte(`{"id":`), thing.AppendText(nil, message.ID)...)
	out = append(out, `,"version":"1.0","params":{"productID":`...)
	out = thing.AppendText(out, t.ProductID)
	out = append(out, `,"deviceName":`...)
	out = thing.AppendText(out, t.Device)
	if t.Kind == ServiceInvoke {
		out = append(out, `,"identifier":`...)
		out = thing.AppendText(out, t.Name)
		out = append(out, `,"input":`...)
	} else {
		out = append(out, `,"params":`...)
	}
	out = append(append(out, message.Params...), "}}"...)
	return SubTopic(pid, dev, path), out, true
}

// A Part is what a pack or history report says of one device.
type Part struct {
	Names bool // it names a device; otherwise it is about the one in the topic
	Sub
	Properties []Point
	Events     []Event
}

// A Point is one value of a property.
type Point struct {
	ID    string
	Value thing.Value
	At    int64 // UTC milliseconds, 0 where the device named no time
}

// Pack reads a pack report; a history report has lists of values where a pack
// has one, and both are read wherever they stand [onenet §3.2]. Properties and
// events may be null or missing.
func (d *Decoder) Pack(doc []byte) ([]Part, error) {
	params, found, err := d.envelope(doc, nil)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, ErrNoParams
	}
	l := d.Loose
	strict, more, err := loose.Strictify(params)
	d.Loose = l | more
	if err != nil {
		return nil, err
	}
	var raw []struct {
		Identity *struct {
			ProductID  string `json:"productID"`
			DeviceName string `json:"deviceName"`
		} `json:"identity"`
		Properties json.RawMessage `json:"properties"`
		Events     json.RawMessage `json:"events"`
	}
	if json.Unmarshal(strict, &raw) != nil {
		return nil, ErrNoParams
	}
	parts := make([]Part, len(raw))
	for i := range raw {
		p := &parts[i]
		if id := raw[i].Identity; id != nil {
			p.Names, p.ProductID, p.DeviceName = true, id.ProductID, id.DeviceName
		}
		if err := d.points(raw[i].Properties, p); err != nil {
			return nil, err
		}
		if err := d.happened(raw[i].Events, p); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// null reports whether a member is missing or null.
func null(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

func (d *Decoder) points(raw json.RawMessage, p *Part) error {
	if null(raw) {
		return nil
	}
	args, err := thing.ParseArguments(raw)
	if err != nil {
		return ErrNoParams
	}
	for _, a := range args {
		wrapped, list := listed(a.Value)
		if !list {
			p.Properties = append(p.Properties, d.point(a.ID, a.Value))
			continue
		}
		for _, v := range wrapped {
			p.Properties = append(p.Properties, d.point(a.ID, v))
		}
	}
	return nil
}

// listed opens a list of {"value":…} objects; another list is a value itself.
func listed(v thing.Value) ([]thing.Value, bool) {
	if v.Shape != thing.List {
		return nil, false
	}
	var all []thing.Value
	if json.Unmarshal([]byte(v.Text), &all) != nil {
		return nil, false
	}
	for _, e := range all {
		if e.Shape != thing.Object {
			return nil, false
		}
	}
	return all, len(all) > 0
}

// point opens {"value":v,"time":t}; a bare value is taken and marked.
func (d *Decoder) point(id string, v thing.Value) Point {
	p := Point{ID: id, Value: v}
	if v.Shape == thing.Object {
		members, err := thing.ParseArguments([]byte(v.Text))
		found := false
		for _, m := range members {
			switch m.ID {
			case "value":
				p.Value, found = m.Value, true
			case "time":
				p.At = millis(m.Value)
			}
		}
		if err == nil && found {
			return p
		}
		p = Point{ID: id, Value: v}
	}
	d.Bare = true
	return p
}

func (d *Decoder) happened(raw json.RawMessage, p *Part) error {
	if null(raw) {
		return nil
	}
	args, err := thing.ParseArguments(raw)
	if err != nil {
		return ErrNoParams
	}
	for _, a := range args {
		values, list := listed(a.Value)
		if !list {
			values = []thing.Value{a.Value}
		}
		for _, v := range values {
			e, err := d.event(thing.Argument{ID: a.ID, Value: v})
			if err != nil {
				return err
			}
			p.Events = append(p.Events, e)
		}
	}
	return nil
}
