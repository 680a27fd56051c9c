package aliyun

import (
	"strings"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
)

// Get asks a device for properties.
func (Dialect) Get(c dialect.Claim, id string, properties []string) dialect.Downlink {
	return dialect.Downlink{Topic: vendor.PropertyGetTopic(c.Product, c.Device), Payload: vendor.AppendPropertyGet(nil, id, properties)}
}

// Question asks on the system topic, or on a custom one if the device said that
// it understands that [aliyun-device §4.6].
func (Dialect) Question(c dialect.Claim, clientID, id, topic string, payload []byte) (dialect.Downlink, error) {
	if topic != "" {
		own := "/" + c.Session() + "/"
		switch path, ok := strings.CutPrefix(topic, own); {
		case !ok || path == "" || strings.ContainsAny(topic, "+#?"):
			return dialect.Downlink{}, fault.In("topic", fault.Invalid("%q is no custom topic of the device: it begins with %suser/", topic, own))
		case !takesRRPC(clientID):
			return dialect.Downlink{}, fault.In("topic", fault.Conflict("device %s did not say that it can be asked on custom topics: it has to log in with ext=1 in its client id; without a topic it can be asked", c.Session()))
		}
	}
	return dialect.Downlink{Topic: vendor.RRPCTopic(c.Product, c.Device, id, topic), Payload: payload}, nil
}

func takesRRPC(clientID string) bool {
	id, err := vendor.ParseClientID(clientID)
	return err == nil && id.TakesRRPC()
}

// CallNow makes a question of a service call: on its own topic for a device
// that understands that, else on the system topic [aliyun-device §4.6].
func (d Dialect) CallNow(c dialect.Claim, clientID, id string, call dialect.Downlink) dialect.Downlink {
	if takesRRPC(clientID) {
		call.Topic = vendor.RRPCTopic(c.Product, c.Device, id, call.Topic)
	} else {
		call.Topic = vendor.RRPCTopic(c.Product, c.Device, id, "")
	}
	return call
}

// ReplyOf reads the Alink answer to a call.
func (Dialect) ReplyOf(payload []byte) (dialect.Reply, *dialect.Diagnosis) {
	d := decoders.Get().(*vendor.Decoder)
	defer decoders.Put(d)
	data, err := d.Reply(payload)
	if err != nil {
		return dialect.Reply{}, badMessage(err)
	}
	return dialect.Reply{ID: string(d.ID), Code: d.Code, OK: d.Code == codeDone, Message: string(d.Message), Data: data}, nil
}

// BroadcastTopic is that of the subscribers.
func (Dialect) BroadcastTopic(product, path string) string {
	return vendor.BroadcastTopic(product, path)
}

// BroadcastTo is the message for one device that is online.
func (Dialect) BroadcastTo(c dialect.Claim, id string, payload []byte) dialect.Downlink {
	return dialect.Downlink{Topic: vendor.BroadcastRequestTopic(c.Product, c.Device, id), Payload: payload}
}

// CustomPath is what stands behind product and device in a custom topic.
func (Dialect) CustomPath(c dialect.Claim, topic string) (path, query string, ok bool) {
	path, ok = strings.CutPrefix(topic, "/"+c.Session()+"/")
	if !ok {
		return "", "", false
	}
	path, query, _ = strings.Cut(path, "?")
	return path, query, path != ""
}

// Limits are those of one device [aliyun-device §2.8, §4.7].
func (Dialect) Limits() dialect.Limits {
	return dialect.Limits{
		QoS0: 30, QoS1: 10, Bytes: 1024 << 10, Downlinks: 50, Subscriptions: 100, Listeners: 1000, TopicBytes: vendor.MaxTopicBytes, Slashes: vendor.MaxSlashes,
	}
}
