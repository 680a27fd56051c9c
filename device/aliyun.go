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
}

func (a Aliyun) speech(secure bool) (speech, error) {
	if a.ProductKey == "" || a.DeviceName == "" || a.DeviceSecret == "" {
		return nil, errors.New("an Aliyun identity needs ProductKey, DeviceName and DeviceSecret")
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
	alinkReply   = "_reply"
)

func (a *alink) filters() []string {
	return []string{
		a.root + "thing/event/+/post" + alinkReply,
		a.root + alinkService + "+",
		a.root + alinkSet,
		a.root + alinkRRPC + "+",
	}
}

func (a *alink) report(id string, r []Reading) (client.Message, error) {
	params, err := object(r, func(b *bytes.Buffer, r Reading) error {
		if on, ok := r.Value.(bool); ok { // a switch is 0 or 1 [Aliyun TSL bool]
			r.Value = 0
			if on {
				r.Value = 1
			}
		}
		if r.Time.IsZero() {
			return plain(b, r)
		}
		return wrapped(b, r)
	})
	return a.request(alinkPost, id, params), err
}

func (a *alink) event(id, event string, output []Reading, at time.Time) (client.Message, error) {
	params, err := object(output, plain)
	value := `{"value":` + string(params)
	if !at.IsZero() {
		value += `,"time":` + strconv.FormatInt(at.UnixMilli(), 10)
	}
	return a.request("thing/event/"+event+"/post", id, []byte(value+"}")), err
}

// request is an Alink request: the method is the topic with dots.
func (a *alink) request(topic, id string, params []byte) client.Message {
	return message(a.root+topic, fmt.Appendf(nil, `{"id":%s,"version":"1.0","params":%s,"method":%s}`,
		quote(id), params, quote(strings.ReplaceAll(topic, "/", "."))))
}

func (a *alink) hear(topic string, payload []byte) (h heard, ok bool) {
	rest, ok := strings.CutPrefix(topic, a.root)
	if !ok {
		return h, false
	}
	e, id, ok := open(payload)
	if !ok {
		return h, false
	}
	h = heard{topic: topic, id: id, code: e.Code, message: e.Message, data: e.data()}
	switch {
	case strings.HasPrefix(rest, "thing/event/") && strings.HasSuffix(rest, alinkReply):
		h.kind = aReply
		return h, true
	case rest == alinkSet:
		h.kind = aSet
	case strings.HasPrefix(rest, alinkRRPC): // a service called synchronously [Aliyun RRPC]
		h.kind, h.service = anInvoke, strings.TrimPrefix(e.Method, "thing.service.")
	case strings.HasPrefix(rest, alinkService) && !strings.HasSuffix(rest, alinkReply):
		h.kind, h.service = anInvoke, strings.TrimPrefix(rest, alinkService)
		if strings.Contains(h.service, "/") {
			return h, false // property/get and others
		}
	default:
		return h, false
	}
	h.params, ok = e.values()
	return h, ok
}

func (a *alink) answer(h heard, out Values, failed error) (client.Message, error) {
	topic := h.topic + alinkReply
	if rest, ok := strings.CutPrefix(h.topic, a.root+alinkRRPC); ok {
		topic = a.root + "rrpc/response/" + rest
	}
	if failed != nil {
		return message(topic, fmt.Appendf(nil, `{"id":%s,"code":%d,"message":%s,"data":{}}`,
			quote(h.id), codeFailed, quote(failed.Error()))), nil
	}
	data, err := object(readings(out), plain)
	return message(topic, fmt.Appendf(nil, `{"id":%s,"code":%d,"data":%s}`, quote(h.id), codeSuccess, data)), err
}

// login signs with the time, as the vendor's own SDKs do.
func (a *alink) login(c *packet.Connect, now time.Time) error {
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
	c.HasUsername, c.HasPassword = true, true
	return nil
}

// The securemode of a login [Aliyun CONNECT].
const (
	secureTLS   = 2
	securePlain = 3
)
