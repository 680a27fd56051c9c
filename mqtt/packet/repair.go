package packet

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/matou-iot/matou/mqtt"
)

// repair mends the body until it decodes, or until nothing that we know helps;
// then the decoder's own complaint is the fault.
func (w *work) repair() {
	for range maxRepairs {
		err := decodeError(w.packet(), w.v)
		if err == nil {
			return
		}
		if !w.repairOnce(walk(w.packet(), w.headerSize(), w.v)) {
			if !w.has(FaultStringTooLong) {
				w.fault(FaultMalformed, w.headerSize(), sayMalformed(err))
			}
			return
		}
	}
}

// repairOnce makes the first repair that applies.
func (w *work) repairOnce(k *walker) bool {
	switch Type(w.b[0] >> 4) {
	case TypeConnect:
		return w.repairProtocol(k) || w.repairConnectFlags(k) || w.repairLogin(k) ||
			w.repairLineEnd(k) || w.repairLastString(k) || w.repairString(k)
	case TypePublish:
		return w.repairPublishFlags(k) || w.repairIdentifier(k) || w.repairString(k)
	case TypeSubscribe:
		return w.repairIdentifier(k) || w.repairLineEnd(k) || w.repairOptions(k) || w.repairString(k)
	default:
		return w.repairIdentifier(k) || w.repairLineEnd(k) || w.repairString(k)
	}
}

// repairProtocol makes name and level one that exists.
func (w *work) repairProtocol(k *walker) bool {
	name, level := k.find("protocol name"), k.find("protocol level")
	if name == nil || level == nil {
		return false
	}
	old, right := w.b[level.from], byte(0)
	switch said := name.meaning.en; {
	case said == protocolName31 && old != byte(mqtt.V31):
		right = byte(mqtt.V31)
	case said == protocolName && old != byte(mqtt.V311) && old != byte(mqtt.V5):
		right = byte(mqtt.V311)
	case said != protocolName && strings.EqualFold(said, protocolName):
		copy(w.b[name.from:], protocolName)
		w.fault(FaultProtocolName, name.from, sayName)
		return true
	default:
		return false
	}
	w.b[level.from] = right
	w.fault(FaultProtocolLevel, level.from, sayLevel(name.meaning.en, old, right))
	return true
}

// repairConnectFlags clears what must not be set.
func (w *work) repairConnectFlags(k *walker) bool {
	s := k.find("connect flags")
	if s == nil || k.v == mqtt.V31 && w.b[s.from]&connectWillQoS != connectWillQoS {
		return false
	}
	flags := &w.b[s.from]
	switch {
	case *flags&connectReserved != 0:
		*flags &^= connectReserved
		w.fault(FaultReservedFlag, s.from, sayReservedFlag)
	case *flags&connectWill == 0 && *flags&(connectWillQoS|connectWillRetain) != 0:
		*flags &^= connectWillQoS | connectWillRetain
		w.fault(FaultConnectFlags, s.from, sayWillFlags)
	case *flags&connectWillQoS == connectWillQoS:
		*flags = *flags&^connectWillQoS | 1<<connectWillShift
		w.fault(FaultConnectFlags, s.from, sayWillFlags)
	default:
		return false
	}
	return true
}

// repairLogin sets the flags of user name and password to what is there.
func (w *work) repairLogin(k *walker) bool {
	s := k.find("connect flags")
	if s == nil || k.fits() {
		return false
	}
	old := w.b[s.from]
	for _, login := range []byte{connectUsername | connectPassword, connectUsername, 0} {
		right := old&^(connectUsername|connectPassword) | login
		w.b[s.from] = right
		if right != old && walk(w.packet(), w.headerSize(), w.v).fits() {
			w.fault(FaultConnectFlags, s.from, sayConnectFlags(old, right))
			return true
		}
	}
	w.b[s.from] = old
	return false
}

// repairLineEnd takes out line ends that the remaining length counts.
func (w *work) repairLineEnd(k *walker) bool {
	if k.fits() {
		return false
	}
	for n := range lineEnds(w.packet()) {
		at := w.size - n - 1
		if walk(w.b[:at], w.headerSize(), w.v).fits() {
			w.fault(FaultLineEnd, at, sayLineEnd)
			w.remove(at, n+1, meansLineEnd)
			w.resize()
			return true
		}
	}
	return false
}

// repairLastString lets the last string of a CONNECT reach the end.
func (w *work) repairLastString(k *walker) bool {
	if k.cut != nil || k.left() == 0 || len(k.texts) == 0 {
		return false
	}
	at := k.texts[len(k.texts)-1]
	said := int(binary.BigEndian.Uint16(w.b[at:]))
	right := said + k.left()
	if at+2+right != w.size || right > maxString {
		return false
	}
	binary.BigEndian.PutUint16(w.b[at:], uint16(right))
	w.fault(FaultStringTooShort, at, sayStringFixed(k.textName(at), said, right))
	return true
}

// textName is the name of the string whose length is at an offset.
func (k *walker) textName(at int) string {
	for _, s := range k.spans {
		if s.from == at {
			return strings.TrimSuffix(s.name, " length")
		}
	}
	return "string"
}

// repairString shortens a string that runs past the end. Where it should end
// is known only if nothing follows it, or JSON does.
func (w *work) repairString(k *walker) bool {
	if k.cut == nil || !k.cut.isString || w.has(FaultStringTooLong) {
		return false
	}
	c := *k.cut
	right := c.have
	switch Type(w.b[0] >> 4) {
	case TypeSubscribe:
		right-- // for the options
	case TypePublish:
		right = w.topicEnd(c)
	}
	said := binary.BigEndian.Uint16(w.b[c.at:])
	if right > 0 {
		binary.BigEndian.PutUint16(w.b[c.at:], uint16(right))
		if walk(w.packet(), w.headerSize(), w.v).fits() {
			w.fault(FaultStringTooLong, c.at, sayStringFixed(c.name, c.want, right))
			return true
		}
	}
	binary.BigEndian.PutUint16(w.b[c.at:], said)
	w.fault(FaultStringTooLong, c.at, sayString(c.name, c.want, c.have))
	return false
}

// topicEnd is the length of a topic name that JSON follows, not positive
// without any. Two bytes before the JSON are the identifier, also where a QoS 0
// PUBLISH should have none.
func (w *work) topicEnd(c cut) int {
	rest := w.b[c.at+2 : w.size]
	end := bytes.IndexAny(rest, "{[")
	if w.b[0]>>shiftQoS&3 > 0 || end >= 2 && !isText(rest[end-2:end]) {
		end -= 2
	}
	if w.v >= mqtt.V5 {
		end--
	}
	return end
}

// repairPublishFlags clears a DUP or a QoS that does not exist.
func (w *work) repairPublishFlags(k *walker) bool {
	switch first := w.b[0]; {
	case first>>shiftQoS&3 == 3:
		w.b[0] = first&^(3<<shiftQoS) | 1<<shiftQoS
		w.fault(FaultQoS3, 0, sayQoS3)
	case first>>shiftQoS&3 == 0 && first&flagDup != 0:
		w.b[0] = first &^ flagDup
		w.fault(FaultDupAtQoS0, 0, sayDupAtQoS0)
	default:
		return false
	}
	return true
}

// repairOptions makes the QoS of every topic filter one that exists, and puts
// one behind the last filter.
func (w *work) repairOptions(k *walker) bool {
	if k.cut != nil && k.cut.name == "subscription options" {
		at := w.size
		w.fault(FaultOptionsMissing, at, sayOptionsMissing)
		w.insert(at, 0)
		w.resize()
		return true
	}
	found := false
	for _, s := range k.spans {
		if s.name != "subscription options" || w.b[s.from]&optionQoS != 3 {
			continue
		}
		w.b[s.from] = w.b[s.from]&^optionQoS | byte(mqtt.AtLeastOnce)
		if !found {
			w.fault(FaultQoS3, s.from, sayQoS3)
		}
		found = true
	}
	return found
}

// repairIdentifier makes the identifier 0 a 1.
func (w *work) repairIdentifier(k *walker) bool {
	s := k.find("packet identifier")
	if s == nil || s.to-s.from != 2 || w.b[s.from] != 0 || w.b[s.from+1] != 0 {
		return false
	}
	w.b[s.from+1] = 1
	w.fault(FaultIdentifierZero, s.from, sayIdentifierZero)
	return true
}
