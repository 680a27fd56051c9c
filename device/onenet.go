package device

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/onenet"
)

// OneNET is a device of China Mobile OneNET with a thing model, signing with
// its own key or its product's.
type OneNET struct {
	ProductID  string
	DeviceName string
	Key        string        // the device's or the product's, base64 as the console shows it
	Method     string        // md5, sha1 or sha256; empty: sha256
	Lifetime   time.Duration // of each token; 0: an hour
	// Token, if not empty, is sent as it is in place of one made from Key.
	Token string
}

// Speech checks the identity.
func (o OneNET) Speech(bool) (Speech, error) {
	switch {
	case o.ProductID == "" || o.DeviceName == "":
		return nil, errors.New("a OneNET identity needs ProductID, DeviceName and Key")
	case o.Token == "" && o.Key == "":
		return nil, errors.New("a OneNET identity needs a Key, or a ready-made Token")
	}
	if o.Lifetime <= 0 {
		o.Lifetime = time.Hour
	}
	if o.Method == "" {
		o.Method = string(onenet.SHA256)
	}
	if _, err := o.credentials(time.Now()); err != nil { // a bad key or method shows now, not in the field
		return nil, err
	}
	return &oneJSON{id: o, root: "$sys/" + o.ProductID + "/" + o.DeviceName + "/thing/"}, nil
}

// oneJSON speaks OneJSON [OneJSON property post].
type oneJSON struct {
	id   OneNET
	root string // "$sys/pid/dev/thing/"
}

// The topics below root. The cloud replies on …/reply, a device on …_reply.
const (
	oneJSONPost   = "property/post"
	oneJSONEvent  = "event/post"
	oneJSONSet    = "property/set"
	oneJSONInvoke = "/invoke"

	oneJSONDesired = "property/desired/"
)

// filters asks for replies too: OneNET sends none unasked.
func (o *oneJSON) Filters() []string {
	return []string{
		o.root + oneJSONPost + "/reply",
		o.root + oneJSONSet,
		o.root + oneJSONEvent + "/reply",
		o.root + "service/+" + oneJSONInvoke,
		o.root + oneJSONDesired + "+/reply",
	}
}

func (o *oneJSON) Report(id string, r []Reading) (client.Message, error) {
	params, err := object(r, wrapped)
	return o.request(oneJSONPost, id, params), err
}

func (o *oneJSON) Event(id, event string, output []Reading, at time.Time) (client.Message, error) {
	params, err := happened(event, output, at)
	return o.request(oneJSONEvent, id, params), err
}

// Replies is true: property/post/reply has a code.
func (o *oneJSON) Replies() bool { return true }

func (o *oneJSON) AskDesired(id string, properties []string) (client.Message, error) {
	return o.request(oneJSONDesired+"get", id, list(properties)), nil
}

func (o *oneJSON) ForgetDesired(id string, of map[string]int64) (client.Message, error) {
	return o.request(oneJSONDesired+"delete", id, versions(of)), nil
}

func (o *oneJSON) request(topic, id string, params []byte) client.Message {
	return message(o.root+topic, fmt.Appendf(nil, `{"id":%s,"version":"1.0","params":%s}`, quote(id), params))
}

func (o *oneJSON) Hear(topic string, payload []byte) (h Heard, ok bool) {
	rest, ok := strings.CutPrefix(topic, o.root)
	if !ok {
		return h, false
	}
	e, id, ok := open(payload)
	if !ok {
		return h, false
	}
	h = Heard{Topic: topic, ID: id, Code: e.Code, Message: e.Msg, Data: e.data()}
	service, isService := strings.CutPrefix(rest, "service/")
	service, isInvoke := strings.CutSuffix(service, oneJSONInvoke)
	switch {
	case rest == oneJSONPost+"/reply", rest == oneJSONEvent+"/reply", rest == oneJSONPack+"/reply",
		strings.HasPrefix(rest, oneJSONSub) && strings.HasSuffix(rest, "/reply"),
		strings.HasPrefix(rest, oneJSONDesired) && strings.HasSuffix(rest, "/reply"):
		h.Kind = Reply
		return h, true
	case rest == oneJSONSet:
		h.Kind = Set
	case isService && isInvoke:
		h.Kind, h.Service = Invoke, service
	default:
		return h, false
	}
	h.Params, ok = e.values()
	return h, ok
}

func (o *oneJSON) Answer(h Heard, out Values, failed error) (client.Message, error) {
	if failed != nil || len(out) == 0 {
		return oneJSONReply(h, nil, failed), nil
	}
	data, err := object(readings(out), plain)
	return oneJSONReply(h, data, nil), err
}

// oneJSONReply says how a set or a call came out; data, where there is some, is
// what a call gave.
func oneJSONReply(h Heard, data []byte, failed error) client.Message {
	code, msg := codeSuccess, "success"
	if failed != nil {
		code, msg = codeFailed, failed.Error()
	}
	payload := fmt.Appendf(nil, `{"id":%s,"code":%d,"msg":%s`, quote(h.ID), code, quote(msg))
	if len(data) > 0 {
		payload = append(append(payload, `,"data":`...), data...)
	}
	return message(h.Topic+"_reply", append(payload, '}'))
}

// login makes a token that ends soon: each connection gets its own.
func (o *oneJSON) Login(c *packet.Connect, now time.Time) error {
	l, err := o.id.credentials(now)
	if err != nil {
		return err
	}
	c.ClientID, c.Username, c.Password = l.ClientID, l.Username, []byte(l.Password)
	c.HasUsername, c.HasPassword = true, true
	return nil
}

func (o OneNET) credentials(now time.Time) (onenet.Login, error) {
	if o.Token != "" {
		return onenet.Login{ClientID: o.DeviceName, Username: o.ProductID, Password: o.Token}, nil
	}
	return onenet.Credentials(onenet.Options{
		ProductID:  o.ProductID,
		DeviceName: o.DeviceName,
		Key:        o.Key,
		Method:     onenet.Method(o.Method),
		Expiry:     now.Add(o.Lifetime).Unix(),
	})
}
