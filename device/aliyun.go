package device

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/mqtt/packet"
)

// Aliyun is a device of Alibaba Cloud IoT Platform, signing with its
// DeviceSecret [Aliyun one device one secret].
type Aliyun struct {
	ProductKey   string
	DeviceName   string
	DeviceSecret string
	ClientID     string // empty: ProductKey.DeviceName
	Method       string // hmacmd5, hmacsha1 or hmacsha256; empty: hmacsha256
	// Password, if not empty, is sent as it is in place of a signature, with
	// ClientID as it is: the ready-made login that the console shows.
	Password string
}

// Speech checks the identity.
func (a Aliyun) Speech(secure bool) (Speech, error) {
	switch {
	case a.ProductKey == "" || a.DeviceName == "":
		return nil, errors.New("an Aliyun identity needs ProductKey, DeviceName and DeviceSecret")
	case a.Password != "" && a.ClientID == "":
		return nil, errors.New("an Aliyun identity with a ready-made Password needs the ClientID that was signed, with all its parameters")
	case a.Password == "" && a.DeviceSecret == "":
		return nil, errors.New("an Aliyun identity needs a DeviceSecret, or a ready-made Password with its ClientID")
	}
	if a.Method == "" {
		a.Method = string(aliyun.HMACSHA256)
	}
	method, err := aliyun.ParseMethod(a.Method)
	if err != nil {
		return nil, err
	}
	return &alink{id: a, method: method, secure: secure, root: "/sys/" + a.ProductKey + "/" + a.DeviceName + "/"}, nil
}

// alink speaks Alink JSON [Alink property post].
type alink struct {
	id     Aliyun
	method aliyun.Method
	secure bool
	root   string // "/sys/pk/dn/"
}

// The topics below root.
const (
	alinkPost    = "thing/event/property/post"
	alinkSet     = "thing/service/property/set"
	alinkService = "thing/service/"
	alinkRRPC    = "rrpc/request/"
	alinkDesired = "thing/property/desired/"
	alinkReply   = "_reply"
)

func (a *alink) Filters() []string {
	return []string{
		a.root + "thing/event/+/post" + alinkReply,
		a.root + alinkService + "+",
		a.root + alinkSet,
		a.root + alinkRRPC + "+",
		a.root + alinkDesired + "+",
	}
}

func (a *alink) Report(id string, r []Reading) (client.Message, error) {
	params, err := object(r, func(b *bytes.Buffer, r Reading) error {
		if r.Time.IsZero() {
			return numeric(b, r)
		}
		r.Value = zeroOne(r.Value)
		return wrapped(b, r)
	})
	return a.request(alinkPost, id, params), err
}

// numeric writes a value alone, a switch as 0 or 1.
func numeric(b *bytes.Buffer, r Reading) error {
	r.Value = zeroOne(r.Value)
	return plain(b, r)
}

// zeroOne is a switch as Aliyun writes it [Aliyun TSL bool].
func zeroOne(v any) any {
	switch v {
	case true:
		return 1
	case false:
		return 0
	}
	return v
}

func (a *alink) Event(id, event string, output []Reading, at time.Time) (client.Message, error) {
	params, err := object(output, numeric)
	value := `{"value":` + string(params)
	if !at.IsZero() {
		value += `,"time":` + strconv.FormatInt(at.UnixMilli(), 10)
	}
	return a.request("thing/event/"+event+"/post", id, []byte(value+"}")), err
}

// Replies is true: post_reply says what became of each value.
func (a *alink) Replies() bool { return true }

func (a *alink) AskDesired(id string, properties []string) (client.Message, error) {
	return a.request(alinkDesired+"get", id, list(properties)), nil
}

func (a *alink) ForgetDesired(id string, of map[string]int64) (client.Message, error) {
	return a.request(alinkDesired+"delete", id, versions(of)), nil
}

// request is an Alink request: the method is the topic with dots.
func (a *alink) request(topic, id string, params []byte) client.Message {
	return message(a.root+topic, fmt.Appendf(nil, `{"id":%s,"version":"1.0","params":%s,"method":%s}`,
		quote(id), params, quote(strings.ReplaceAll(topic, "/", "."))))
}

func (a *alink) Hear(topic string, payload []byte) (h Heard, ok bool) {
	rest, ok := strings.CutPrefix(topic, a.root)
	login := !ok && strings.HasPrefix(topic, alinkSession) && topic == a.session()+alinkReply
	if !ok && !login {
		return h, false
	}
	e, id, ok := open(payload)
	if !ok {
		return h, false
	}
	h = Heard{Topic: topic, ID: id, Code: e.Code, Message: e.Message, Data: e.data()}
	switch {
	case login, strings.HasSuffix(rest, alinkReply) && (strings.HasPrefix(rest, "thing/event/") || strings.HasPrefix(rest, alinkDesired) || strings.HasPrefix(rest, alinkTopo)):
		h.Kind = Reply
		return h, true
	case rest == alinkSet:
		h.Kind = Set
	case strings.HasPrefix(rest, alinkRRPC): // a service called synchronously [Aliyun RRPC]
		h.Kind, h.Service = Invoke, strings.TrimPrefix(e.Method, "thing.service.")
	case strings.HasPrefix(rest, alinkService) && !strings.HasSuffix(rest, alinkReply):
		h.Kind, h.Service = Invoke, strings.TrimPrefix(rest, alinkService)
		if strings.Contains(h.Service, "/") {
			return h, false // property/get and others
		}
	default:
		return h, false
	}
	h.Params, ok = e.values()
	return h, ok
}

func (a *alink) Answer(h Heard, out Values, failed error) (client.Message, error) {
	topic := h.Topic + alinkReply
	if rest, ok := strings.CutPrefix(h.Topic, a.root+alinkRRPC); ok {
		topic = a.root + "rrpc/response/" + rest
	}
	if failed != nil {
		return message(topic, fmt.Appendf(nil, `{"id":%s,"code":%d,"message":%s,"data":{}}`,
			quote(h.ID), codeFailed, quote(failed.Error()))), nil
	}
	data, err := object(readings(out), numeric)
	return message(topic, fmt.Appendf(nil, `{"id":%s,"code":%d,"data":%s}`, quote(h.ID), codeSuccess, data)), err
}

// login signs with the time, as the vendor's own SDKs do.
func (a *alink) Login(c *packet.Connect, now time.Time) error {
	c.HasUsername, c.HasPassword = true, true
	if a.id.Password != "" {
		c.ClientID, c.Username, c.Password = a.id.ClientID, a.id.DeviceName+"&"+a.id.ProductKey, []byte(a.id.Password)
		return nil
	}
	o := aliyun.Options{
		ClientID:   a.id.ClientID,
		Timestamp:  strconv.FormatInt(now.UnixMilli(), 10),
		Method:     a.method,
		SecureMode: securePlain,
	}
	if a.secure {
		o.SecureMode = secureTLS
	}
	l := aliyun.Credentials(aliyun.Triple{
		ProductKey: a.id.ProductKey, DeviceName: a.id.DeviceName, DeviceSecret: a.id.DeviceSecret,
	}, o)
	c.ClientID, c.Username, c.Password = l.ClientID, l.Username, []byte(l.Password)
	return nil
}

// The securemode of a login [Aliyun CONNECT].
const (
	secureTLS   = 2
	securePlain = 3
)
