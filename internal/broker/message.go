package broker

import (
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A Message is what the house sends through the broker. The broker keeps
// Payload and Properties as long as it holds the message: do not change them.
type Message struct {
	Topic      string
	Payload    []byte
	QoS        mqtt.QoS
	Retain     bool
	Properties *packet.Properties // for 5.0 clients; TopicAlias and SubscriptionIDs are ignored
	Expiry     time.Time          // not delivered after it; zero: never expires
}

// A Delivery is whom Send may reach.
type Delivery byte

// The deliveries.
const (
	Unasked      Delivery = iota // the session's client, even if it never subscribed
	IfSubscribed                 // only if a subscription matches
)

// An Outcome is what became of a Send.
type Outcome byte

// The outcomes.
const (
	Delivered     Outcome = iota // handed to the client's connection
	Queued                       // kept durably until the client comes back or reads on
	Offline                      // the client is away, and the message is not one to keep
	NotSubscribed                // IfSubscribed, and no subscription matches
	QueueFull                    // dropped: see Limits
	NoSession                    // nobody of this name has connected, or his session has ended
	TooLarge                     // the client takes no packet as large [MQTT5-3.1.2-24]
	Throttled                    // dropped: see Grant.Downlink
)

var outcomeNames = [...]string{"delivered", "queued", "offline", "not subscribed", "queue full", "no session", "too large for the client", "dropped: more than the device may be told in a second"}

// String names the outcome in a word or two.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "unknown"
}

var outcomeNamesZH = [...]string{"已送达", "已排队，待设备上线后下发", "设备离线", "设备未订阅该主题", "队列已满", "没有会话", "超过设备可接收的报文大小", "已丢弃：超过设备每秒下行消息的限制"}

// StringZH names the outcome in Chinese.
func (o Outcome) StringZH() string {
	if int(o) < len(outcomeNamesZH) {
		return outcomeNamesZH[o]
	}
	return "未知"
}

// A message is what waits for acknowledgement, in queues or among the retained
// ones. It is shared by sessions and never changes.
type message struct {
	topic   []byte
	payload []byte
	props   *packet.Properties // nil or cleaned by forwarded
	qos     mqtt.QoS           // the publisher's
	expires time.Time          // zero: never
}

// What a waiting message and its properties cost beside their bytes, about.
const (
	messageOverhead    = 160
	propertiesOverhead = 256
	propertyOverhead   = 32 // of a user property
)

// size is what m costs in memory.
func (m *message) size() int {
	return len(m.topic) + len(m.payload) + costOf(m.props) + messageOverhead
}

func costOf(p *packet.Properties) int {
	if p == nil {
		return 0
	}
	n := propertiesOverhead + len(p.ContentType) + len(p.ResponseTopic) + len(p.CorrelationData)
	for _, u := range p.UserProperties {
		n += propertyOverhead + len(u.Name) + len(u.Value)
	}
	return n
}

func (m *message) expired(now time.Time) bool { return !m.expires.IsZero() && !now.Before(m.expires) }

func (m *message) public() Message {
	return Message{Topic: string(m.topic), Payload: m.payload, QoS: m.qos, Properties: m.props, Expiry: m.expires}
}

// newMessage copies what p aliases, of the properties those that are passed on.
func newMessage(p *packet.Publish, expires time.Time) *message {
	var kept packet.Properties
	b := make([]byte, 0, len(p.Topic)+len(p.Payload))
	b = append(append(b, p.Topic...), p.Payload...)
	n := len(p.Topic)
	return &message{topic: b[:n:n], payload: b[n:], props: cloneProperties(forwarded(&kept, p.Properties)), qos: p.QoS, expires: expires}
}

// messageOf takes over m without copying its payload.
func messageOf(m Message) *message {
	return &message{topic: []byte(m.Topic), payload: m.Payload, props: propertiesOf(&m), qos: m.QoS, expires: m.Expiry}
}

func propertiesOf(m *Message) *packet.Properties {
	if m.Properties == nil {
		return nil
	}
	var kept packet.Properties
	return cloneProperties(forwarded(&kept, m.Properties))
}

// forwarded fills dst with what the server passes on of a PUBLISH's properties
// [MQTT5 §3.3.2.3], nil if that is nothing: the topic alias is the sender's
// own, subscription identifiers are set for each receiver.
func forwarded(dst, from *packet.Properties) *packet.Properties {
	if from == nil {
		return nil
	}
	*dst = packet.Properties{
		PayloadFormat:   from.PayloadFormat,
		MessageExpiry:   from.MessageExpiry,
		ContentType:     from.ContentType,
		ResponseTopic:   from.ResponseTopic,
		CorrelationData: from.CorrelationData,
		UserProperties:  from.UserProperties,
	}
	if dst.PayloadFormat == nil && dst.MessageExpiry == nil && dst.ContentType == "" &&
		dst.ResponseTopic == "" && dst.CorrelationData == nil && len(dst.UserProperties) == 0 {
		return nil
	}
	return dst
}

func cloneProperties(p *packet.Properties) *packet.Properties {
	if p == nil {
		return nil
	}
	q := *p
	if p.CorrelationData != nil {
		q.CorrelationData = append([]byte{}, p.CorrelationData...)
	}
	return &q
}

// expiryOf is when a message published now expires [MQTT5 §3.3.2.3.3].
func expiryOf(p *packet.Properties, now time.Time) time.Time {
	if p == nil || p.MessageExpiry == nil {
		return time.Time{}
	}
	return now.Add(time.Duration(*p.MessageExpiry) * time.Second)
}

// A delivery is one message on its way to one session.
type delivery struct {
	m      *message
	seq    uint64   // its place in the store, 0 if it is not there
	ids    []uint32 // subscription identifiers, 5.0 only
	qos    mqtt.QoS
	retain bool
}

// publish fills p with what is sent to a client of version v now; its properties
// are w's.
func (d *delivery) publish(p *packet.Publish, w *work, v mqtt.Version) {
	*p = packet.Publish{QoS: d.qos, Retain: d.retain, Topic: d.m.topic, Payload: d.m.payload}
	if v != mqtt.V5 {
		return
	}
	if d.m.props == nil && d.ids == nil && d.m.expires.IsZero() {
		return
	}
	props := w.room()
	if d.m.props != nil {
		*props = *d.m.props
	}
	props.SubscriptionIDs = d.ids
	props.MessageExpiry = nil
	if !d.m.expires.IsZero() { // less the time it has waited [MQTT5-3.3.2-6]
		left := uint32(max(time.Until(d.m.expires)/time.Second, 0))
		props.MessageExpiry = &left
	}
	p.Properties = props
}
