package device

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A Carrier is the speech of a gateway, which speaks for sub-devices on its own
// connection: those of Aliyun and OneNET are Carriers.
type Carrier interface {
	Speech
	// Carries lists what a gateway subscribes to, in place of Filters.
	Carries() []string
	// Join is a step of bringing a sub-device to the cloud. Each is replied to,
	// as Hear tells by id; the next is said after that.
	Join(step Step, id string, sub Identity, now time.Time) (client.Message, error)
	// Sub is how the sub-device itself talks on the gateway's connection. Replies
	// to what it says come to the gateway where they name nobody.
	Sub(sub Identity) (Speech, error)
}

// A Step is one of those by which a sub-device comes to the cloud.
type Step byte

// The steps, in their order.
const (
	Belong Step = iota + 1 // it is this gateway's [Aliyun thing.topo.add] [OneNET sub/topo/add]
	LogIn                  // it is there
)

// Carries is what any device of Aliyun listens to: a gateway hears what is for
// its sub-devices without subscribing.
func (a *alink) Carries() []string { return a.Filters() }

// The topics of gateways; that of logins stands outside of root.
const (
	alinkTopo    = "thing/topo/"
	alinkSession = "/ext/session/"
	alinkLogin   = "/combine/login"
)

// session is the topic of the gateway's logins.
func (a *alink) session() string {
	return alinkSession + a.id.ProductKey + "/" + a.id.DeviceName + alinkLogin
}

// alinkMethods are the methods of signing as topo/add and login spell them.
var alinkMethods = map[aliyun.Method]string{aliyun.HMACMD5: "hmacMd5", aliyun.HMACSHA1: "hmacSha1", aliyun.HMACSHA256: "hmacSha256"}

func (a *alink) Join(step Step, id string, sub Identity, now time.Time) (client.Message, error) {
	s, ok := sub.(Aliyun)
	if !ok {
		return client.Message{}, errors.New("a gateway of Aliyun carries devices of Aliyun")
	}
	speech, err := s.Speech(a.secure)
	if err != nil {
		return client.Message{}, err
	}
	clientID, at := s.ClientID, strconv.FormatInt(now.UnixMilli(), 10)
	if clientID == "" {
		clientID = s.ProductKey + "." + s.DeviceName
	}
	method := speech.(*alink).method
	signed := fmt.Sprintf(`{"productKey":%s,"deviceName":%s,"clientId":%s,"timestamp":"%s","signMethod":"%s","sign":"%s"`,
		quote(s.ProductKey), quote(s.DeviceName), quote(clientID), at, alinkMethods[method],
		aliyun.Sign(method, s.DeviceSecret, aliyun.Content(clientID, s.ProductKey, s.DeviceName, at)))
	if step == Belong {
		return a.request(alinkTopo+"add", id, []byte("["+signed+"}]")), nil
	}
	return message(a.session(), fmt.Appendf(nil, `{"id":%s,"params":%s,"cleanSession":"true"}}`, quote(id), signed)), nil
}

func (a *alink) Sub(sub Identity) (Speech, error) {
	if _, ok := sub.(Aliyun); !ok {
		return nil, errors.New("a gateway of Aliyun carries devices of Aliyun")
	}
	return sub.Speech(a.secure)
}

// The topics of OneNET's gateways, below root.
const (
	oneJSONSub       = "sub/"
	oneJSONSubSet    = oneJSONSub + "property/set"
	oneJSONSubInvoke = oneJSONSub + "service/invoke"
	oneJSONPack      = "pack/post"
)

// Carries is one filter for all: OneNET takes eight at a time.
func (o *oneJSON) Carries() []string { return []string{o.root + "#"} }

func (o *oneJSON) Join(step Step, id string, sub Identity, now time.Time) (client.Message, error) {
	s, ok := sub.(OneNET)
	if !ok {
		return client.Message{}, errOnlyOneNET
	}
	if step == LogIn {
		return o.request(oneJSONSub+"login", id, []byte("{"+s.names()+"}")), nil
	}
	if s.Method == "" {
		s.Method = o.id.Method
	}
	if s.Lifetime <= 0 {
		s.Lifetime = o.id.Lifetime
	}
	l, err := s.credentials(now)
	if err != nil {
		return client.Message{}, err
	}
	return o.request(oneJSONSub+"topo/add", id, []byte("{"+s.names()+`,"sasToken":`+quote(l.Password)+"}")), nil
}

var errOnlyOneNET = errors.New("a gateway of OneNET carries devices of OneNET")

// names are the members by which a gateway names a sub-device.
func (o OneNET) names() string {
	return `"productID":` + quote(o.ProductID) + `,"deviceName":` + quote(o.DeviceName)
}

func (o *oneJSON) Sub(sub Identity) (Speech, error) {
	s, ok := sub.(OneNET)
	if !ok {
		return nil, errOnlyOneNET
	}
	if _, err := s.Speech(false); err != nil {
		return nil, err
	}
	return &subJSON{gateway: o, id: s}, nil
}

// subJSON is how a sub-device of OneNET speaks: on its gateway's topics, by name
// [OneJSON pack post].
type subJSON struct {
	gateway *oneJSON
	id      OneNET
}

var errSubHasNoLogin = errors.New("a sub-device has no connection of its own")

func (s *subJSON) Login(*packet.Connect, time.Time) error { return errSubHasNoLogin }
func (s *subJSON) Filters() []string                      { return nil }
func (s *subJSON) Replies() bool                          { return true }

func (s *subJSON) Report(id string, r []Reading) (client.Message, error) {
	values, err := object(r, wrapped)
	return s.pack(id, "properties", values), err
}

func (s *subJSON) Event(id, event string, output []Reading, at time.Time) (client.Message, error) {
	told, err := happened(event, output, at)
	return s.pack(id, "events", told), err
}

// pack says something of this device alone.
func (s *subJSON) pack(id, what string, said []byte) client.Message {
	return s.gateway.request(oneJSONPack, id, fmt.Appendf(nil, `[{"identity":{%s},"%s":%s}]`, s.id.names(), what, said))
}

func (s *subJSON) AskDesired(string, []string) (client.Message, error) {
	return client.Message{}, ErrNoDesired
}

func (s *subJSON) ForgetDesired(string, map[string]int64) (client.Message, error) {
	return client.Message{}, ErrNoDesired
}

// Hear takes what names this device; replies name nobody.
func (s *subJSON) Hear(topic string, payload []byte) (h Heard, ok bool) {
	rest, ok := strings.CutPrefix(topic, s.gateway.root)
	if !ok || rest != oneJSONSubSet && rest != oneJSONSubInvoke {
		return h, false
	}
	e, id, ok := open(payload)
	if !ok || textOf(e.Params["productID"]) != s.id.ProductID || textOf(e.Params["deviceName"]) != s.id.DeviceName {
		return h, false
	}
	h = Heard{Kind: Set, Topic: topic, ID: id}
	said := e.Params["params"]
	if rest == oneJSONSubInvoke {
		h.Kind, h.Service, said = Invoke, textOf(e.Params["identifier"]), e.Params["input"]
	}
	inner := envelope{}
	if len(said) > 0 && json.Unmarshal(said, &inner.Params) != nil {
		return h, false
	}
	h.Params, ok = inner.values()
	return h, ok
}

func (s *subJSON) Answer(h Heard, out Values, failed error) (client.Message, error) {
	if failed != nil || h.Kind == Set {
		return oneJSONReply(h, nil, failed), nil
	}
	output, err := object(readings(out), plain)
	return oneJSONReply(h, fmt.Appendf(nil, `{%s,"identifier":%s,"output":%s}`, s.id.names(), quote(h.Service), output), nil), err
}

// happened is an event in OneJSON, as the params of a post.
func happened(event string, output []Reading, at time.Time) ([]byte, error) {
	value, err := object(output, plain)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `{%s:{"value":%s`, quote(event), value)
	if !at.IsZero() {
		fmt.Fprintf(&b, `,"time":%d`, at.UnixMilli())
	}
	b.WriteString("}}")
	return b.Bytes(), nil
}
