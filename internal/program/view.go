package program

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/onenet"
	"github.com/matou-iot/matou/thing"
)

// keepAlive fits every dialect: Aliyun takes 30 to 1200 seconds, OneNET 10 to
// 1800 [aliyun-device §2.7] [onenet §1.3].
const keepAlive = 60

// maxProperties is how many properties a program reports: more do not fit the
// buffers of small devices. The rest is named in a comment.
const maxProperties = 8

// A view is what templates see.
type view struct {
	Plan
	KeepAlive  int
	Local      bool     // Host is the machine itself
	Properties []member // that the program reports
	Settable   []member // that the cloud may set
	Others     []string // identifiers that are left to the person: complex types, and what is too much
	PostTopic  string
	ReplyTopic string // where a post is answered, "" for nowhere
	SetTopic   string
	SetReply   string
	Sample     string // payload of a post with sample values
	Packets    []shownPacket
}

// A member is a property as programs need it.
type member struct {
	ID       string
	Name     string // for people, one line
	C        string // an identifier of C and its relatives
	Kind     string // "number", "integer", "switch", "text"
	Sample   string // JSON of a value within bounds, as the dialect writes it
	Decimals int    // of a number
	Unit     string
	Writable bool
}

func newView(p Plan) (*view, error) {
	for _, need := range []struct{ what, value string }{
		{"product", p.Product}, {"device", p.Device}, {"client id", p.ClientID}, {"host", p.Host},
	} {
		if need.value == "" {
			return nil, wording.Errorf("there is no %s to write a program with", wording.Term(need.what))
		}
	}
	if p.Password == "" {
		return nil, errors.New("the device has no secret, so it cannot log in: give it one first")
	}
	if p.Port <= 0 || p.Port > 65535 {
		return nil, wording.Errorf("port %d is no port", p.Port)
	}
	for _, text := range []string{p.Host, p.ClientID, p.Username, p.Password, p.Secret} {
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return nil, errors.New("host, client id, user name, password or secret holds a control character, which no source text can say in every language")
		}
	}
	p.Authority = strings.TrimSpace(p.Authority)
	v := &view{Plan: p, KeepAlive: keepAlive, Local: local(p.Host)}
	v.members()
	v.topics()
	if err := v.packets(); err != nil {
		return nil, err
	}
	return v, nil
}

// fits reports why a target cannot say the plan.
func (v *view) fits(target string) error {
	if v.TLS && target == "at-nt35e" {
		return wording.Errorf("the program %s connects without TLS: leave tls out", target)
	}
	if !strings.HasPrefix(target, "at") {
		return nil
	}
	limits := map[string]int{"at": 64, "at-mqtt": 128, "at-ec20": 100, "at-nt35e": 100}
	if max := limits[target]; len(v.Host) > max {
		return wording.Errorf("the host has %d bytes, and the module takes %d at most", len(v.Host), max)
	}
	for _, text := range []string{v.Host, v.ClientID, v.Username, v.Password} {
		if target != "at" && target != "at-mqtt" && strings.Contains(text, `"`) {
			return errors.New("client id, user name or password holds a quotation mark, for which this module has no way to write it")
		}
	}
	return nil
}

// topics are the ones of the dialect.
func (v *view) topics() {
	switch v.Dialect {
	case "aliyun":
		v.PostTopic, v.SetTopic = aliyun.PropertyPostTopic(v.Product, v.Device), aliyun.PropertySetTopic(v.Product, v.Device)
		v.ReplyTopic, v.SetReply = v.PostTopic+"_reply", v.SetTopic+"_reply"
	case "onenet":
		v.PostTopic, v.SetTopic = onenet.PropertyPostTopic(v.Product, v.Device), onenet.PropertySetTopic(v.Product, v.Device)
		v.ReplyTopic, v.SetReply = v.PostTopic+"/reply", v.SetTopic+"_reply"
	default:
		base := v.Product + "/" + v.Device
		v.PostTopic, v.SetTopic, v.SetReply = base+"/properties", base+"/set", base+"/set/reply"
	}
	v.Sample = v.post()
}

// post is a report with sample values.
func (v *view) post() string {
	var members []string
	for _, m := range v.Properties {
		value := m.Sample
		if v.Dialect == "onenet" {
			value = `{"value":` + value + `}`
		}
		members = append(members, jsonString(m.ID)+":"+value)
	}
	return v.PostHead() + strings.Join(members, ",") + v.PostTail()
}

// PostHead is a report up to its first property.
func (v *view) PostHead() string {
	if v.Dialect == "aliyun" || v.Dialect == "onenet" {
		return `{"id":"1","version":"1.0","params":{`
	}
	return "{"
}

// PostTail is what follows its last one.
func (v *view) PostTail() string {
	switch v.Dialect {
	case "aliyun":
		return `},"method":"thing.event.property.post"}`
	case "onenet":
		return "}}"
	}
	return "}"
}

// AnswerTail is what follows the id in the answer to a set.
func (v *view) AnswerTail() string {
	switch v.Dialect {
	case "aliyun":
		return `","code":200,"data":{}}`
	case "onenet":
		return `","code":200,"msg":"success"}`
	}
	return `","code":200}`
}

// SetMember is the member of a set that holds the values.
func (v *view) SetMember() string {
	if v.Dialect == "mqtt" {
		return "values"
	}
	return "params"
}

// Wrapped reports whether a value stands in an object of its own.
func (v *view) Wrapped() bool { return v.Dialect == "onenet" }

// Vendor is whose protocol it is, for people.
func (v *view) Vendor() string {
	switch v.Dialect {
	case "aliyun":
		return "Aliyun"
	case "onenet":
		return "OneNET"
	}
	return "plain MQTT"
}

// Until is the day on which the password ends, "" for never: OneNET's tokens
// do [onenet §2.1].
func (v *view) Until() string {
	t, err := onenet.ParseToken([]byte(v.Password))
	if err != nil || v.Dialect != "onenet" {
		return ""
	}
	et, _ := t.Expiry()
	return time.Unix(et, 0).UTC().Format(time.DateOnly)
}

// members sorts the properties of the model.
func (v *view) members() {
	if v.Model == nil {
		return
	}
	for i := range v.Model.Properties {
		p := &v.Model.Properties[i]
		m, ok := v.member(p)
		switch {
		case !ok:
			v.Others = append(v.Others, p.ID)
			continue
		case p.Access != thing.WriteOnly && len(v.Properties) < maxProperties:
			v.Properties = append(v.Properties, m)
		case p.Access != thing.WriteOnly:
			v.Others = append(v.Others, p.ID)
		}
		if p.Access != thing.ReadOnly {
			v.Settable = append(v.Settable, m)
		}
	}
	seen := map[string]bool{}
	for i := range v.Properties {
		name := v.Properties[i].C
		for n := 2; seen[name]; n++ {
			name = v.Properties[i].C + "_" + strconv.Itoa(n)
		}
		seen[name] = true
		v.Properties[i].C = name
	}
}

// member makes one of a property; it reports false for types that small
// programs do not report.
func (v *view) member(p *thing.Property) (member, bool) {
	m := member{ID: p.ID, Name: oneLine(p.Name), C: identifier(p.ID), Unit: oneLine(p.Type.Unit), Writable: p.Access != thing.ReadOnly}
	switch t := &p.Type; t.Kind {
	case thing.Float, thing.Double:
		m.Kind, m.Decimals = "number", 1
		if t.Step != nil && *t.Step > 0 && *t.Step < 0.1 {
			m.Decimals = min(6, int(math.Ceil(-math.Log10(*t.Step))))
		}
		m.Sample = strconv.FormatFloat(within(t, 21.5), 'f', m.Decimals, 64)
	case thing.Int32, thing.Int64:
		m.Kind = "integer"
		m.Sample = strconv.FormatInt(int64(within(t, 21)), 10)
	case thing.Bool:
		m.Kind, m.Sample = "switch", "true"
		if v.Dialect == "aliyun" {
			m.Sample = "1"
		}
	case thing.Enum:
		m.Kind, m.Sample = "integer", "0"
		if len(t.Labels) > 0 {
			m.Sample = strconv.FormatInt(t.Labels[0].Value, 10)
		}
	case thing.Text:
		m.Kind, m.Sample = "text", `"ok"`
		if t.Length == 1 {
			m.Sample = `"k"`
		}
	default:
		return m, false
	}
	return m, true
}

// within is a value that a type allows: near, or in the middle of its range,
// and on one of its steps.
func within(t *thing.DataType, near float64) float64 {
	low, high := math.Inf(-1), math.Inf(1)
	if t.Min != nil {
		low = *t.Min
	}
	if t.Max != nil {
		high = *t.Max
	}
	x := near
	if x < low || x > high {
		switch {
		case math.IsInf(low, 0):
			x = high
		case math.IsInf(high, 0):
			x = low
		default:
			x = low + (high-low)/2
		}
	}
	if t.Step != nil && *t.Step > 0 && !math.IsInf(low, 0) {
		x = low + math.Floor((x-low)/(*t.Step)+1e-9)*(*t.Step)
	}
	if t.Kind == thing.Int32 || t.Kind == thing.Int64 {
		x = math.Trunc(x)
		if x < low {
			x++
		}
		x = min(max(x, -1<<53), 1<<53)
	}
	return x
}

// A shownPacket is one packet of the device with its explanation.
type shownPacket struct {
	Name    string // "connect"
	Title   string // "CONNECT MQTT 3.1.1 as …"
	TitleZH string
	Bytes   []byte
	Fields  []packet.Field
}

// packets are those that the program sends.
func (v *view) packets() error {
	for _, x := range []struct {
		name, zh string
		p        packet.Packet
	}{
		{"connect", "登录", &packet.Connect{Version: mqtt.V311, CleanStart: true, KeepAlive: keepAlive, ClientID: v.ClientID,
			HasUsername: true, Username: v.Username, HasPassword: true, Password: []byte(v.Password)}},
		{"subscribe", "订阅下发的属性设置", &packet.Subscribe{ID: 1, Subscriptions: []packet.Subscription{{Filter: v.SetTopic}}}},
		{"publish", "上报属性", &packet.Publish{Topic: []byte(v.PostTopic), Payload: []byte(v.Sample)}},
		{"pingreq", "心跳", &packet.Pingreq{}},
		{"disconnect", "断开", &packet.Disconnect{}},
	} {
		b, err := x.p.Append(nil, mqtt.V311)
		if err != nil {
			return wording.Errorf("the %s of this device cannot be written: %w", x.p.Type(), err)
		}
		a := packet.Explain(b, mqtt.V311).Packets[0]
		v.Packets = append(v.Packets, shownPacket{x.name, oneLine(a.Summary), x.zh, b, a.Fields})
	}
	return nil
}

// Packet finds one by its name.
func (v *view) Packet(name string) shownPacket {
	for _, p := range v.Packets {
		if p.Name == name {
			return p
		}
	}
	panic("program: a template asks for the packet " + name)
}
