package packet

import (
	"encoding/binary"

	"github.com/matou-iot/matou/mqtt"
)

// Properties are the properties of a 5.0 packet [MQTT5 §2.2.2.2]. Nil
// pointers, nil slices and empty strings say "absent". One struct serves all
// packets; decoding refuses a property that its packet must not carry
// [MQTT5 table 2-4], appending leaves it out.
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

// A propertyID is the identifier of a property [MQTT5 table 2-4]. All are
// below 128, so that the variable byte integer they are is one byte.
type propertyID byte

const (
	propPayloadFormat           propertyID = 0x01
	propMessageExpiry           propertyID = 0x02
	propContentType             propertyID = 0x03
	propResponseTopic           propertyID = 0x08
	propCorrelationData         propertyID = 0x09
	propSubscriptionID          propertyID = 0x0B
	propSessionExpiry           propertyID = 0x11
	propAssignedClientID        propertyID = 0x12
	propServerKeepAlive         propertyID = 0x13
	propAuthMethod              propertyID = 0x15
	propAuthData                propertyID = 0x16
	propRequestProblemInfo      propertyID = 0x17
	propWillDelay               propertyID = 0x18
	propRequestResponseInfo     propertyID = 0x19
	propResponseInfo            propertyID = 0x1A
	propServerReference         propertyID = 0x1C
	propReasonString            propertyID = 0x1F
	propReceiveMaximum          propertyID = 0x21
	propTopicAliasMaximum       propertyID = 0x22
	propTopicAlias              propertyID = 0x23
	propMaximumQoS              propertyID = 0x24
	propRetainAvailable         propertyID = 0x25
	propUserProperty            propertyID = 0x26
	propMaximumPacketSize       propertyID = 0x27
	propWildcardAvailable       propertyID = 0x28
	propSubscriptionIDAvailable propertyID = 0x29
	propSharedAvailable         propertyID = 0x2A

	lastProperty = propSharedAvailable
)

// typeWill stands for the will inside a CONNECT, which has properties of its
// own [MQTT5 §3.1.3.2].
const typeWill Type = 0

// carriers says which packets may carry a property: a bit a Type.
type carriers uint16

func in(types ...Type) (c carriers) {
	for _, t := range types {
		c |= 1 << t
	}
	return c
}

func (c carriers) include(t Type) bool { return c>>t&1 == 1 }

// propertyForms is [MQTT5 table 2-4]: the name of each property, the section
// that says what values it has and how often it comes, and who may carry it. An
// identifier without a name does not exist.
var propertyForms = [lastProperty + 1]struct {
	name    string
	section string
	in      carriers
}{
	propPayloadFormat:       {"payload format indicator", "3.3.2.3.2", in(TypePublish, typeWill)},
	propMessageExpiry:       {"message expiry interval", "3.3.2.3.3", in(TypePublish, typeWill)},
	propContentType:         {"content type", "3.3.2.3.9", in(TypePublish, typeWill)},
	propResponseTopic:       {"response topic", "3.3.2.3.5", in(TypePublish, typeWill)},
	propCorrelationData:     {"correlation data", "3.3.2.3.6", in(TypePublish, typeWill)},
	propSubscriptionID:      {"subscription identifier", "3.3.2.3.8", in(TypePublish, TypeSubscribe)},
	propSessionExpiry:       {"session expiry interval", "3.1.2.11.2", in(TypeConnect, TypeConnack, TypeDisconnect)},
	propAssignedClientID:    {"assigned client identifier", "3.2.2.3.7", in(TypeConnack)},
	propServerKeepAlive:     {"server keep alive", "3.2.2.3.14", in(TypeConnack)},
	propAuthMethod:          {"authentication method", "3.1.2.11.9", in(TypeConnect, TypeConnack, TypeAuth)},
	propAuthData:            {"authentication data", "3.1.2.11.10", in(TypeConnect, TypeConnack, TypeAuth)},
	propRequestProblemInfo:  {"request problem information", "3.1.2.11.7", in(TypeConnect)},
	propWillDelay:           {"will delay interval", "3.1.3.2.2", in(typeWill)},
	propRequestResponseInfo: {"request response information", "3.1.2.11.6", in(TypeConnect)},
	propResponseInfo:        {"response information", "3.2.2.3.15", in(TypeConnack)},
	propServerReference:     {"server reference", "3.2.2.3.16", in(TypeConnack, TypeDisconnect)},
	propReasonString: {"reason string", "3.2.2.3.9", in(TypeConnack, TypePuback, TypePubrec, TypePubrel, TypePubcomp,
		TypeSuback, TypeUnsuback, TypeDisconnect, TypeAuth)},
	propReceiveMaximum:    {"receive maximum", "3.1.2.11.3", in(TypeConnect, TypeConnack)},
	propTopicAliasMaximum: {"topic alias maximum", "3.1.2.11.5", in(TypeConnect, TypeConnack)},
	propTopicAlias:        {"topic alias", "3.3.2.3.4", in(TypePublish)},
	propMaximumQoS:        {"maximum QoS", "3.2.2.3.4", in(TypeConnack)},
	propRetainAvailable:   {"retain available", "3.2.2.3.5", in(TypeConnack)},
	propUserProperty: {"user property", "3.3.2.3.7", in(typeWill, TypeConnect, TypeConnack, TypePublish, TypePuback, TypePubrec,
		TypePubrel, TypePubcomp, TypeSubscribe, TypeSuback, TypeUnsubscribe, TypeUnsuback, TypeDisconnect, TypeAuth)},
	propMaximumPacketSize:       {"maximum packet size", "3.1.2.11.4", in(TypeConnect, TypeConnack)},
	propWildcardAvailable:       {"wildcard subscription available", "3.2.2.3.11", in(TypeConnack)},
	propSubscriptionIDAvailable: {"subscription identifier available", "3.2.2.3.12", in(TypeConnack)},
	propSharedAvailable:         {"shared subscription available", "3.2.2.3.13", in(TypeConnack)},
}

// properties reads a property length and as many bytes of properties of
// packet t. It is nil where the length is 0, and in 3.x, which has none.
func (c *cursor) properties(t Type) *Properties {
	if c.v < mqtt.V5 {
		return nil
	}
	n := int(c.varint())
	if n == 0 {
		return nil
	}
	inner := cursor{b: c.take(n), packet: c.packet, v: c.v, err: c.err}
	p := new(Properties)
	var seen uint64
	for inner.left() > 0 {
		inner.property(p, t, &seen)
	}
	if p.AuthData != nil && seen>>propAuthMethod&1 == 0 {
		inner.fail(mqtt.ProtocolError, "", "MQTT5 §3.1.2.11.10", "authentication data without an authentication method")
	}
	c.err = inner.err
	return p
}

// property reads one property. seen has a bit for each that came before.
func (c *cursor) property(p *Properties, t Type, seen *uint64) {
	n := c.varint()
	if n > uint32(lastProperty) || propertyForms[n].name == "" {
		c.malformed("", "MQTT5 §2.2.2.2", "a property identifier does not exist")
		return
	}
	id := propertyID(n)
	if !propertyForms[id].in.include(t) {
		c.malformed("", "MQTT5 §2.2.2.2", "this packet does not carry the property: "+propertyForms[id].name)
		return
	}
	if *seen>>id&1 == 1 && !(id == propUserProperty || id == propSubscriptionID && t == TypePublish) {
		c.fail(mqtt.ProtocolError, "", c.sectionOf(id), "a property comes twice: "+propertyForms[id].name)
		return
	}
	*seen |= 1 << id
	c.value(p, id)
}

func (c *cursor) value(p *Properties, id propertyID) {
	switch id {
	case propPayloadFormat:
		p.PayloadFormat = c.flag(id)
	case propMessageExpiry:
		p.MessageExpiry = new(c.uint32())
	case propContentType:
		p.ContentType = c.string()
	case propResponseTopic:
		p.ResponseTopic = c.responseTopic()
	case propCorrelationData:
		p.CorrelationData = c.binary()
	case propSubscriptionID:
		p.SubscriptionIDs = append(p.SubscriptionIDs, c.subscriptionID(len(p.SubscriptionIDs)))
	case propSessionExpiry:
		p.SessionExpiry = new(c.uint32())
	case propAssignedClientID:
		p.AssignedClientID = c.string()
	case propServerKeepAlive:
		p.ServerKeepAlive = new(c.uint16())
	case propAuthMethod:
		p.AuthMethod = c.string()
	case propAuthData:
		p.AuthData = c.binary()
	case propRequestProblemInfo:
		p.RequestProblemInfo = c.flag(id)
	case propWillDelay:
		p.WillDelay = new(c.uint32())
	case propRequestResponseInfo:
		p.RequestResponseInfo = c.flag(id)
	case propResponseInfo:
		p.ResponseInfo = c.string()
	case propServerReference:
		p.ServerReference = c.string()
	case propReasonString:
		p.ReasonString = c.string()
	case propReceiveMaximum:
		p.ReceiveMaximum = new(c.positive16(id, mqtt.ProtocolError))
	case propTopicAliasMaximum:
		p.TopicAliasMaximum = new(c.uint16())
	case propTopicAlias:
		p.TopicAlias = new(c.positive16(id, mqtt.TopicAliasInvalid))
	case propMaximumQoS:
		p.MaximumQoS = c.flag(id)
	case propRetainAvailable:
		p.RetainAvailable = c.flag(id)
	case propUserProperty:
		p.UserProperties = append(p.UserProperties, c.userProperty(len(p.UserProperties)))
	case propMaximumPacketSize:
		p.MaximumPacketSize = new(c.uint32())
		if *p.MaximumPacketSize == 0 {
			c.outOfRange(id, mqtt.ProtocolError)
		}
	case propWildcardAvailable:
		p.WildcardAvailable = c.flag(id)
	case propSubscriptionIDAvailable:
		p.SubscriptionIDAvailable = c.flag(id)
	case propSharedAvailable:
		p.SharedAvailable = c.flag(id)
	}
}

func (c *cursor) outOfRange(id propertyID, reason mqtt.ReasonCode) {
	clause := c.sectionOf(id)
	if id == propTopicAlias {
		clause = "MQTT5-3.3.2-8"
	}
	c.fail(reason, "", clause, "a property has a value that it cannot have: "+propertyForms[id].name)
}

// sectionOf says where the specification bounds a property of this packet.
func (c *cursor) sectionOf(id propertyID) string {
	if id == propSubscriptionID && c.packet == TypeSubscribe {
		return "MQTT5 §3.8.2.1.2"
	}
	return "MQTT5 §" + propertyForms[id].section
}

// flag reads a byte that is 0 or 1.
func (c *cursor) flag(id propertyID) *byte {
	b := c.byte()
	if b > 1 {
		c.outOfRange(id, mqtt.ProtocolError)
	}
	return &b
}

func (c *cursor) positive16(id propertyID, reason mqtt.ReasonCode) uint16 {
	n := c.uint16()
	if n == 0 {
		c.outOfRange(id, reason)
	}
	return n
}

// responseTopic reads a topic name [MQTT5-3.3.2-14].
func (c *cursor) responseTopic() string {
	s := c.string()
	if mqtt.HasWildcard(s) {
		c.fail(mqtt.ProtocolError, "", "MQTT5-3.3.2-14", "the response topic holds a wildcard")
	}
	return s
}

func (c *cursor) subscriptionID(before int) uint32 {
	if before == maxSubscriptionIDs {
		c.fail(mqtt.QuotaExceeded, "", "MQTT5 §3.3.2.3.8", "more than 1024 subscription identifiers")
		return 0
	}
	n := c.varint()
	if n == 0 {
		c.outOfRange(propSubscriptionID, mqtt.ProtocolError)
	}
	return n
}

func (c *cursor) userProperty(before int) UserProperty {
	if before == maxUserProperties {
		c.fail(mqtt.QuotaExceeded, "", "MQTT5 §3.3.2.3.7", "more than 1024 user properties")
		return UserProperty{}
	}
	return UserProperty{Name: c.string(), Value: c.string()}
}

// A propertyWriter says the properties that packet t may carry, twice: into
// size first, to learn the property length, which is written before them, and
// then onto dst.
type propertyWriter struct {
	t    Type
	size *sizer // nil when writing
	dst  []byte
}

// properties adds what appendProperties writes, the property length included.
func (z *sizer) properties(p *Properties, t Type, v mqtt.Version) {
	if v < mqtt.V5 {
		return
	}
	before := z.n
	z.n += propertiesLength(z, p, t)
	z.n += varintSize(z.n - before)
}

func propertiesLength(z *sizer, p *Properties, t Type) int {
	if p == nil {
		return 0
	}
	var own sizer
	w := propertyWriter{t: t, size: &own}
	w.all(p)
	z.longText = z.longText || own.longText
	z.bigNumber = z.bigNumber || own.bigNumber
	return own.n
}

// appendProperties writes the property length and the properties of packet t,
// nothing in 3.x.
func appendProperties(dst []byte, p *Properties, t Type, v mqtt.Version) []byte {
	if v < mqtt.V5 {
		return dst
	}
	if p == nil {
		return append(dst, 0) // [MQTT5-2.2.2-1]
	}
	dst = appendVarint(dst, propertiesLength(new(sizer), p, t))
	w := propertyWriter{t: t, dst: dst}
	w.all(p)
	return w.dst
}

// all says the properties in the order of their identifiers.
func (w *propertyWriter) all(p *Properties) {
	w.byte(propPayloadFormat, p.PayloadFormat)
	w.uint32(propMessageExpiry, p.MessageExpiry)
	w.string(propContentType, p.ContentType)
	w.string(propResponseTopic, p.ResponseTopic)
	w.binary(propCorrelationData, p.CorrelationData)
	w.subscriptionIDs(p.SubscriptionIDs)
	w.uint32(propSessionExpiry, p.SessionExpiry)
	w.string(propAssignedClientID, p.AssignedClientID)
	w.uint16(propServerKeepAlive, p.ServerKeepAlive)
	if p.AuthMethod != "" || p.AuthData != nil { // never the data without a method
		w.text(propAuthMethod, p.AuthMethod)
	}
	w.binary(propAuthData, p.AuthData)
	w.byte(propRequestProblemInfo, p.RequestProblemInfo)
	w.uint32(propWillDelay, p.WillDelay)
	w.byte(propRequestResponseInfo, p.RequestResponseInfo)
	w.string(propResponseInfo, p.ResponseInfo)
	w.string(propServerReference, p.ServerReference)
	w.string(propReasonString, p.ReasonString)
	w.uint16(propReceiveMaximum, p.ReceiveMaximum)
	w.uint16(propTopicAliasMaximum, p.TopicAliasMaximum)
	w.uint16(propTopicAlias, p.TopicAlias)
	w.byte(propMaximumQoS, p.MaximumQoS)
	w.byte(propRetainAvailable, p.RetainAvailable)
	for _, u := range p.UserProperties {
		w.userProperty(u)
	}
	w.uint32(propMaximumPacketSize, p.MaximumPacketSize)
	w.byte(propWildcardAvailable, p.WildcardAvailable)
	w.byte(propSubscriptionIDAvailable, p.SubscriptionIDAvailable)
	w.byte(propSharedAvailable, p.SharedAvailable)
}

// begin says the identifier of a property whose value has n bytes. It reports
// whether the value is to be written.
func (w *propertyWriter) begin(id propertyID, n int) bool {
	if !propertyForms[id].in.include(w.t) {
		return false
	}
	if w.size != nil {
		w.size.add(1 + n)
		return false
	}
	w.dst = append(w.dst, byte(id))
	return true
}

func (w *propertyWriter) byte(id propertyID, b *byte) {
	if b != nil && w.begin(id, 1) {
		w.dst = append(w.dst, *b)
	}
}

func (w *propertyWriter) uint16(id propertyID, n *uint16) {
	if n != nil && w.begin(id, 2) {
		w.dst = binary.BigEndian.AppendUint16(w.dst, *n)
	}
}

func (w *propertyWriter) uint32(id propertyID, n *uint32) {
	if n != nil && w.begin(id, 4) {
		w.dst = binary.BigEndian.AppendUint32(w.dst, *n)
	}
}

func (w *propertyWriter) string(id propertyID, s string) {
	if s != "" {
		w.text(id, s)
	}
}

func (w *propertyWriter) text(id propertyID, s string) {
	if w.begin(id, 2+len(s)) {
		w.dst = appendString(w.dst, s)
	}
	w.checkLength(len(s))
}

func (w *propertyWriter) binary(id propertyID, b []byte) {
	if b == nil {
		return
	}
	if w.begin(id, 2+len(b)) {
		w.dst = appendString(w.dst, b)
	}
	w.checkLength(len(b))
}

func (w *propertyWriter) userProperty(u UserProperty) {
	if w.begin(propUserProperty, 4+len(u.Name)+len(u.Value)) {
		w.dst = appendString(appendString(w.dst, u.Name), u.Value)
	}
	w.checkLength(max(len(u.Name), len(u.Value)))
}

func (w *propertyWriter) checkLength(n int) {
	if w.size != nil && n > maxString {
		w.size.longText = true
	}
}

// subscriptionIDs says all of them in a PUBLISH, the first in a SUBSCRIBE
// [MQTT5 §3.8.2.1.2].
func (w *propertyWriter) subscriptionIDs(ids []uint32) {
	if w.t == TypeSubscribe && len(ids) > 1 {
		ids = ids[:1]
	}
	for _, id := range ids {
		if w.begin(propSubscriptionID, varintSize(int(id))) {
			w.dst = appendVarint(w.dst, int(id))
		}
		if w.size != nil && id > MaxRemainingLength {
			w.size.bigNumber = true
		}
	}
}
