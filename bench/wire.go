package main

import (
	"encoding/binary"
	"errors"
)

// The packets that the generator reads and writes, as the first half of a
// fixed header's first byte [MQTT3 §2.2.1].
const (
	connack  = 2
	publish  = 3
	puback   = 4
	suback   = 9
	pingresp = 13
)

var (
	pingreqFrame    = []byte{0xC0, 0}
	disconnectFrame = []byte{0xE0, 0}
)

// maxFrame bounds a packet that a server sends us; a longer one is a mistake
// of either side.
const maxFrame = 1 << 20

var errFrame = errors.New("the server sent a packet that cannot be")

// A login is what a client says in CONNECT; without a user name it is
// anonymous.
type login struct {
	clientID string
	username string
	password string
}

// appendConnect appends a CONNECT of MQTT 3.1.1 [MQTT3 §3.1].
func appendConnect(dst []byte, l login, clean bool, keepAlive uint16) []byte {
	var flags byte
	n := 10 + 2 + len(l.clientID)
	if clean {
		flags |= 0x02
	}
	if l.username != "" {
		flags |= 0xC0
		n += 4 + len(l.username) + len(l.password)
	}
	dst = appendLength(append(dst, 0x10), n)
	dst = append(dst, 0, 4, 'M', 'Q', 'T', 'T', 4, flags)
	dst = binary.BigEndian.AppendUint16(dst, keepAlive)
	dst = appendText(dst, l.clientID)
	if l.username != "" {
		dst = appendText(dst, l.username)
		dst = appendText(dst, l.password)
	}
	return dst
}

// appendSubscribe appends a SUBSCRIBE with one filter [MQTT3 §3.8].
func appendSubscribe(dst []byte, id uint16, filter string, qos byte) []byte {
	dst = appendLength(append(dst, 0x82), 2+2+len(filter)+1)
	dst = binary.BigEndian.AppendUint16(dst, id)
	return append(appendText(dst, filter), qos)
}

// appendPuback appends a PUBACK [MQTT3 §3.4].
func appendPuback(dst []byte, id uint16) []byte {
	return append(dst, 0x40, 2, byte(id>>8), byte(id))
}

// A template is a PUBLISH whose changing parts are overwritten in place before
// each sending.
type template struct {
	frame   []byte
	id      int // where the packet identifier is, 0 in QoS 0
	payload int // where the payload begins
}

// newTemplate encodes a PUBLISH [MQTT3 §3.3].
func newTemplate(topic string, qos byte, payload []byte) template {
	n := 2 + len(topic) + len(payload)
	if qos > 0 {
		n += 2
	}
	t := template{frame: appendText(appendLength([]byte{0x30 | qos<<1}, n), topic)}
	if qos > 0 {
		t.id = len(t.frame)
		t.frame = append(t.frame, 0, 0)
	}
	t.payload = len(t.frame)
	t.frame = append(t.frame, payload...)
	return t
}

func appendText(dst []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(s))), s...)
}

// appendLength appends a remaining length [MQTT3 §2.2.3].
func appendLength(dst []byte, n int) []byte {
	for n >= 0x80 {
		dst = append(dst, byte(n)|0x80)
		n >>= 7
	}
	return append(dst, byte(n))
}

// cut takes the first packet off b: its first byte, its body and the bytes it
// takes up, 0 while it is not all there.
func cut(b []byte) (first byte, body []byte, size int, err error) {
	n, shift := 0, 0
	for i := 1; i < len(b); i++ {
		n |= int(b[i]&0x7F) << shift
		if n > maxFrame {
			return 0, nil, 0, errFrame
		}
		if b[i] < 0x80 {
			if size = i + 1 + n; size > len(b) {
				return 0, nil, 0, nil
			}
			return b[0], b[i+1 : size], size, nil
		}
		if shift += 7; shift > 21 {
			return 0, nil, 0, errFrame
		}
	}
	return 0, nil, 0, nil
}

// cutPublish takes the body of a PUBLISH apart; id is 0 in QoS 0.
func cutPublish(first byte, body []byte) (id uint16, payload []byte, err error) {
	if len(body) < 2 {
		return 0, nil, errFrame
	}
	at := 2 + int(binary.BigEndian.Uint16(body))
	if first&0x06 != 0 {
		if len(body) < at+2 {
			return 0, nil, errFrame
		}
		id = binary.BigEndian.Uint16(body[at:])
		at += 2
	}
	if len(body) < at {
		return 0, nil, errFrame
	}
	return id, body[at:], nil
}
