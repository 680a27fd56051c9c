package sessions

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A value is one byte of format, the fields, and the CRC-32C of all before it.
// Numbers are varints, texts have their length in front, times are Unix
// milliseconds with 0 for none, and a message is a 5.0 PUBLISH as on the wire.
const format = 1

// maxExpiry is the longest that a session may outlive its connection, in
// milliseconds: the most that a Duration can say.
const maxExpiry = uint64(math.MaxInt64 / time.Millisecond)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// The letters that keys begin with after the prefix.
const (
	sessionKey  = 's'
	retainedKey = 'r'
)

// appendKey appends the key of r. That of a ContentRecord is where a session's
// messages begin.
func appendKey(dst []byte, r *broker.Record) []byte {
	if r.Kind == broker.RetainedRecord {
		return append(append(dst, retainedKey), r.Message.Topic...)
	}
	dst = append(dst, sessionKey)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(r.Session)))
	dst = append(dst, r.Session...)
	if r.Kind == broker.ContentRecord {
		return append(dst, byte(broker.MessageRecord))
	}
	dst = append(dst, byte(r.Kind))
	switch r.Kind {
	case broker.SubscriptionRecord:
		dst = append(dst, r.Subscription.Filter...)
	case broker.MessageRecord, broker.ProgressRecord:
		dst = binary.BigEndian.AppendUint64(dst, r.Seq)
	case broker.ReceivedRecord:
		dst = binary.BigEndian.AppendUint16(dst, r.ID)
	}
	return dst
}

// Bits of the flags of a record.
const (
	flagPresent = 1 << iota
	flagKeep
	flagRetain
	flagNoLocal
	flagAsPublished
)

// appendValue appends what is not in the key.
func appendValue(dst []byte, r *broker.Record) ([]byte, error) {
	from := len(dst)
	dst = append(dst, format)
	switch r.Kind {
	case broker.SessionRecord:
		dst = append(dst, flag(r.Present, flagPresent)|flag(r.Keep, flagKeep))
		dst = binary.AppendUvarint(dst, uint64(max(r.Expiry, 0)/time.Millisecond))
		dst = binary.AppendVarint(dst, millis(r.Offline))
		dst = append(dst, r.ClientID...)
	case broker.SubscriptionRecord:
		s := r.Subscription
		dst = append(dst, flag(s.NoLocal, flagNoLocal)|flag(s.RetainAsPublished, flagAsPublished), byte(s.QoS), s.RetainHandling)
		dst = binary.AppendUvarint(dst, uint64(r.SubscriptionID))
	case broker.MessageRecord:
		dst = append(dst, flag(r.Retain, flagRetain), byte(r.QoS))
		dst = binary.AppendUvarint(dst, uint64(len(r.SubIDs)))
		for _, id := range r.SubIDs {
			dst = binary.AppendUvarint(dst, uint64(id))
		}
		return appendMessage(dst, from, &r.Message)
	case broker.ProgressRecord:
		dst = append(dst, r.Stage)
		dst = binary.BigEndian.AppendUint16(dst, r.ID)
	case broker.RetainedRecord:
		return appendMessage(dst, from, &r.Message)
	}
	return seal(dst, from), nil
}

func appendMessage(dst []byte, from int, m *broker.Message) ([]byte, error) {
	dst = binary.AppendVarint(dst, millis(m.Expiry))
	p := packet.Publish{Topic: []byte(m.Topic), Payload: m.Payload, QoS: m.QoS, Retain: m.Retain, Properties: m.Properties}
	if p.QoS > mqtt.AtMostOnce {
		p.ID = 1 // no PUBLISH without one; it means nothing here
	}
	dst, err := p.Append(dst, mqtt.V5)
	if err != nil {
		return dst, err
	}
	return seal(dst, from), nil
}

func seal(dst []byte, from int) []byte {
	return binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst[from:], castagnoli))
}

func flag(set bool, f byte) byte {
	if set {
		return f
	}
	return 0
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n)
}

// Errors of a record that cannot be read.
var (
	errKey      = errors.New("the key is none of ours")
	errChecksum = errors.New("the checksum does not hold")
	errFormat   = errors.New("the format is unknown or broken")
)

// A cursor reads fields. It fails once and stays failed.
type cursor struct {
	b      []byte
	failed bool
}

func (c *cursor) take(n int) []byte {
	if c.failed || n < 0 || n > len(c.b) {
		c.failed = true
		return nil
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}

func (c *cursor) byte() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uint16() uint16 {
	if b := c.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) uint64() uint64 {
	if b := c.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (c *cursor) varint() int64 {
	v, n := binary.Varint(c.b)
	if n <= 0 {
		c.failed = true
		return 0
	}
	c.take(n)
	return v
}

func (c *cursor) uvarint(most uint64) uint64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 || v > most {
		c.failed = true
		return 0
	}
	c.take(n)
	return v
}

func (c *cursor) rest() []byte { return c.take(len(c.b)) }

// decode reads a record from its key without prefix, and its value. It keeps
// nothing of either.
func decode(key, value []byte) (r broker.Record, err error) {
	if !decodeKey(&cursor{b: key}, &r) {
		return r, errKey
	}
	if len(value) < 5 {
		return r, errFormat
	}
	body, sum := value[:len(value)-4], value[len(value)-4:]
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(sum) {
		return r, errChecksum
	}
	c := &cursor{b: body}
	if c.byte() != format || !decodeValue(c, &r) || c.failed || len(c.b) > 0 {
		return r, errFormat
	}
	return r, nil
}

func decodeKey(c *cursor, r *broker.Record) bool {
	switch c.byte() {
	case retainedKey:
		r.Kind = broker.RetainedRecord
		r.Message.Topic = string(c.rest())
		return !c.failed && r.Message.Topic != ""
	case sessionKey:
		r.Session = string(c.take(int(c.uint16())))
		r.Kind = broker.RecordKind(c.byte())
	default:
		return false
	}
	switch r.Kind {
	case broker.SessionRecord:
	case broker.SubscriptionRecord:
		r.Subscription.Filter = string(c.rest())
	case broker.MessageRecord, broker.ProgressRecord:
		r.Seq = c.uint64()
	case broker.ReceivedRecord:
		r.ID = c.uint16()
	default:
		return false
	}
	return !c.failed && len(c.b) == 0
}

// decodeValue reads the fields of r.Kind.
func decodeValue(c *cursor, r *broker.Record) bool {
	switch r.Kind {
	case broker.SessionRecord:
		f := c.byte()
		r.Present, r.Keep = f&flagPresent != 0, f&flagKeep != 0
		r.Expiry = time.Duration(c.uvarint(maxExpiry)) * time.Millisecond
		r.Offline = fromMillis(c.varint())
		r.ClientID = string(c.rest())
		return true
	case broker.SubscriptionRecord:
		f := c.byte()
		r.Subscription.NoLocal, r.Subscription.RetainAsPublished = f&flagNoLocal != 0, f&flagAsPublished != 0
		r.Subscription.QoS, r.Subscription.RetainHandling = mqtt.QoS(c.byte()), c.byte()
		r.SubscriptionID = uint32(c.uvarint(1<<28 - 1))
		return r.Subscription.QoS.Valid() && mqtt.ValidFilter(r.Subscription.Filter) == nil
	case broker.MessageRecord:
		r.Retain, r.QoS = c.byte()&flagRetain != 0, mqtt.QoS(c.byte())
		for range c.uvarint(uint64(len(c.b))) { // each has a byte at least
			r.SubIDs = append(r.SubIDs, uint32(c.uvarint(1<<28-1)))
		}
		return r.QoS.Valid() && r.QoS > 0 && decodeMessage(c, &r.Message)
	case broker.ProgressRecord:
		r.Stage, r.ID = c.byte(), c.uint16()
		return r.Stage <= 1
	case broker.ReceivedRecord:
		return true
	case broker.RetainedRecord:
		topic := r.Message.Topic
		return decodeMessage(c, &r.Message) && r.Message.Topic == topic
	}
	return false
}

// decodeMessage reads a message and copies it.
func decodeMessage(c *cursor, m *broker.Message) bool {
	m.Expiry = fromMillis(c.varint())
	b := append([]byte(nil), c.rest()...)
	h, err := packet.ParseHeader(b)
	if err != nil || h.Type != packet.TypePublish || h.Size+h.Remaining != len(b) {
		return false
	}
	var p packet.Publish
	if p.Decode(h, b[h.Size:], mqtt.V5) != nil || len(p.Topic) == 0 {
		return false
	}
	m.Topic, m.Payload, m.QoS, m.Retain, m.Properties = string(p.Topic), p.Payload, p.QoS, p.Retain, p.Properties
	return true
}
