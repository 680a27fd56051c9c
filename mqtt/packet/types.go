package packet

import "github.com/matou-iot/matou/mqtt"

// A Connect opens a session [MQTT3 §3.1] [MQTT5 §3.1].
type Connect struct {
	ProtocolName string // "MQTT" or "MQIsdp"
	Version      mqtt.Version
	CleanStart   bool   // clean session in 3.x
	KeepAlive    uint16 // seconds, 0 means off
	ClientID     string
	Will         *Will // nil without a will
	HasUsername  bool
	HasPassword  bool
	Username     string
	Password     []byte
	Properties   *Properties // nil in 3.x
}

// A Will is the message published when a connection ends without DISCONNECT.
type Will struct {
	Topic      string
	Payload    []byte
	QoS        mqtt.QoS
	Retain     bool
	Properties *Properties
}

// A Connack answers a CONNECT [MQTT3 §3.2] [MQTT5 §3.2]. Reason is written as
// the return code of 3.x where that is the version: see ReturnCode.
type Connack struct {
	SessionPresent bool
	Reason         mqtt.ReasonCode
	Properties     *Properties
}

// A Publish carries a message [MQTT3 §3.3] [MQTT5 §3.3].
type Publish struct {
	Dup        bool
	QoS        mqtt.QoS
	Retain     bool
	Topic      []byte // empty only in 5.0 with a topic alias
	ID         uint16 // 0 at QoS 0
	Properties *Properties
	Payload    []byte
}

// A Puback acknowledges a QoS 1 PUBLISH [MQTT3 §3.4] [MQTT5 §3.4].
type Puback struct {
	ID         uint16
	Reason     mqtt.ReasonCode
	Properties *Properties
}

// A Pubrec is the first answer to a QoS 2 PUBLISH [MQTT3 §3.5] [MQTT5 §3.5].
type Pubrec struct {
	ID         uint16
	Reason     mqtt.ReasonCode
	Properties *Properties
}

// A Pubrel answers a PUBREC [MQTT3 §3.6] [MQTT5 §3.6].
type Pubrel struct {
	ID         uint16
	Reason     mqtt.ReasonCode
	Properties *Properties
}

// A Pubcomp ends a QoS 2 exchange [MQTT3 §3.7] [MQTT5 §3.7].
type Pubcomp struct {
	ID         uint16
	Reason     mqtt.ReasonCode
	Properties *Properties
}

// A Subscribe asks for messages [MQTT3 §3.8] [MQTT5 §3.8].
type Subscribe struct {
	ID            uint16
	Subscriptions []Subscription
	Properties    *Properties
}

// A Subscription is one filter of a SUBSCRIBE with its options.
type Subscription struct {
	Filter            string
	QoS               mqtt.QoS
	NoLocal           bool
	RetainAsPublished bool
	RetainHandling    byte // 0 send retained, 1 only if new, 2 never
}

// A Suback answers a SUBSCRIBE, one code a filter [MQTT3 §3.9] [MQTT5 §3.9].
type Suback struct {
	ID         uint16
	Reasons    []mqtt.ReasonCode
	Properties *Properties
}

// An Unsubscribe ends subscriptions [MQTT3 §3.10] [MQTT5 §3.10].
type Unsubscribe struct {
	ID         uint16
	Filters    []string
	Properties *Properties
}

// An Unsuback answers an UNSUBSCRIBE; Reasons is empty in 3.x
// [MQTT3 §3.11] [MQTT5 §3.11].
type Unsuback struct {
	ID         uint16
	Reasons    []mqtt.ReasonCode
	Properties *Properties
}

// A Pingreq asks whether the server is there [MQTT3 §3.12] [MQTT5 §3.12].
type Pingreq struct{}

// A Pingresp answers a PINGREQ [MQTT3 §3.13] [MQTT5 §3.13].
type Pingresp struct{}

// A Disconnect ends a connection [MQTT3 §3.14] [MQTT5 §3.14].
type Disconnect struct {
	Reason     mqtt.ReasonCode
	Properties *Properties
}

// An Auth carries enhanced authentication, 5.0 only [MQTT5 §3.15].
type Auth struct {
	Reason     mqtt.ReasonCode
	Properties *Properties
}

// Properties are the properties of a 5.0 packet [MQTT5 §2.2.2.2]. Pointers
// and nil slices say "absent". One struct serves all packets; decoding
// refuses a property that its packet must not carry [MQTT5 table 2-4].
type Properties struct {
	PayloadFormat           *byte
	MessageExpiry           *uint32 // seconds
	ContentType             string
	ResponseTopic           string
	CorrelationData         []byte
	SubscriptionIDs         []uint32 // several in a PUBLISH, at most one in a SUBSCRIBE
	SessionExpiry           *uint32  // seconds
	AssignedClientID        string
	ServerKeepAlive         *uint16 // seconds
	AuthMethod              string
	AuthData                []byte
	RequestProblemInfo      *byte
	WillDelay               *uint32 // seconds
	RequestResponseInfo     *byte
	ResponseInfo            string
	ServerReference         string
	ReasonString            string
	ReceiveMaximum          *uint16
	TopicAliasMaximum       *uint16
	TopicAlias              *uint16
	MaximumQoS              *byte
	RetainAvailable         *byte
	UserProperties          []UserProperty
	MaximumPacketSize       *uint32
	WildcardAvailable       *byte
	SubscriptionIDAvailable *byte
	SharedAvailable         *byte
}

// A UserProperty is a pair of strings; names may repeat, order is kept
// [MQTT5 §3.3.2.3.7].
type UserProperty struct{ Name, Value string }
