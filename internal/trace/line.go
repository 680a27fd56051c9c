package trace

import (
	"container/list"
	"encoding/binary"
	"encoding/json"
	"slices"
	"time"
)

// A line is the timeline of one device: its entries in the order in which they
// came, written into one buffer without a pointer in it. So a message costs a
// copy and no allocation, and the garbage collector has nothing to look
// through.
type line struct {
	key   key
	buf   []byte // buf[head:] are the entries, each behind its length
	head  int
	count int
	at    *list.Element
	moved time.Time // to the front of the list
}

// lineCost is about what a line costs besides its buffer: itself, its place in
// the map and in the list, the names.
const lineCost = 320

// bytes is what the line costs.
func (l *line) bytes() int { return lineCost + cap(l.buf) }

// add writes e behind the others.
func (l *line) add(e *Entry, detail []byte) {
	need := binary.MaxVarintLen64 + encodedMax(e, detail)
	if len(l.buf)+need > cap(l.buf) {
		l.makeRoom(need)
	}
	// The length goes before what it measures: its place is kept free first.
	start := len(l.buf)
	b := append(l.buf, 0, 0, 0)
	b = appendEntry(b, e, detail)
	n := len(b) - start - lengthSize
	b[start], b[start+1], b[start+2] = byte(n>>16), byte(n>>8), byte(n)
	l.buf = b
	l.count++
}

// lengthSize is the room of an entry's length: eight texts of MaxText and less
// stay far below 16 MiB.
const lengthSize = 3

// makeRoom moves the entries to the front where at least half of the buffer is
// free there, else into a buffer of more room.
func (l *line) makeRoom(need int) {
	live := l.buf[l.head:]
	if l.head > 0 && len(live) <= cap(l.buf)/2 && len(live)+need <= cap(l.buf) {
		l.buf = l.buf[:copy(l.buf[:cap(l.buf)], live)]
	} else {
		grown := make([]byte, len(live), len(live)+max(need, len(live)))
		copy(grown, live)
		l.buf = grown
	}
	l.head = 0
}

// drop forgets the oldest n entries.
func (l *line) drop(n int) {
	for range n {
		l.head += lengthSize + entryLength(l.buf[l.head:])
		l.count--
	}
}

// fit gives back the room that is not used.
func (l *line) fit() {
	l.buf, l.head = slices.Clone(l.buf[l.head:]), 0
	l.buf = slices.Clip(l.buf)
}

func entryLength(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }

// all returns the encoded entries, oldest first. They are good until the line
// is changed.
func (l *line) all() [][]byte {
	es := make([][]byte, 0, l.count)
	for b := l.buf[l.head:]; len(b) > 0; {
		n := entryLength(b)
		es = append(es, b[lengthSize:lengthSize+n])
		b = b[lengthSize+n:]
	}
	return es
}

// The kinds stand first in an entry, then its ID.
func kindOf(b []byte) Kind { return Kind(b[0]) }

func idOf(b []byte) uint64 {
	id, _ := binary.Uvarint(b[1:])
	return id
}

// encodedMax is not less than what appendEntry appends.
func encodedMax(e *Entry, detail []byte) int {
	const numbers = 6*binary.MaxVarintLen64 + 2 + 7*binary.MaxVarintLen32
	return numbers + len(e.Topic) + len(e.Payload) + len(e.Packet) + len(e.Code) + len(e.Sentence) + len(e.SentenceZH) + len(detail)
}

// appendEntry writes all of e but its product and device; detail is e.Detail
// as JSON.
func appendEntry(b []byte, e *Entry, detail []byte) []byte {
	b = append(b, byte(e.Kind))
	b = binary.AppendUvarint(b, e.ID)
	b = append(b, direction(e.Direction))
	b = binary.AppendUvarint(b, e.Parent)
	b = binary.AppendVarint(b, e.At.UnixNano())
	b = binary.AppendUvarint(b, uint64(e.QoS))
	b = binary.AppendUvarint(b, uint64(e.Size))
	b = appendText(b, e.Topic)
	b = appendText(b, e.Payload)
	b = appendText(b, e.Packet)
	b = appendText(b, e.Code)
	b = appendText(b, e.Sentence)
	b = appendText(b, e.SentenceZH)
	return appendText(b, detail)
}

func appendText[T string | []byte](b []byte, text T) []byte {
	b = binary.AppendUvarint(b, uint64(len(text)))
	return append(b, text...)
}

// decode reads what appendEntry wrote, into memory of its own.
func decode(k key, b []byte) Entry {
	r := reader(b)
	e := Entry{Product: k.product, Device: k.device, Kind: Kind(r.byte())}
	e.ID = r.uvarint()
	e.Direction = directions[r.byte()]
	e.Parent = r.uvarint()
	e.At = time.Unix(0, r.varint())
	e.QoS, e.Size = int(r.uvarint()), int(r.uvarint())
	e.Topic = string(r.text())
	e.Payload = slices.Clone(r.text())
	e.Packet = slices.Clone(r.text())
	e.Code, e.Sentence, e.SentenceZH = string(r.text()), string(r.text()), string(r.text())
	if detail := r.text(); detail != nil {
		e.Detail = json.RawMessage(slices.Clone(detail))
	}
	return e
}

// A reader reads what this process has written: nothing in it can be wrong.
type reader []byte

func (r *reader) byte() byte {
	b := (*r)[0]
	*r = (*r)[1:]
	return b
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(*r)
	*r = (*r)[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(*r)
	*r = (*r)[n:]
	return v
}

// text returns nil for an empty one.
func (r *reader) text() []byte {
	n := r.uvarint()
	if n == 0 {
		return nil
	}
	text := (*r)[:n]
	*r = (*r)[n:]
	return text
}

var directions = [...]string{"", "up", "down"}

func direction(s string) byte { return byte(max(0, slices.Index(directions[:], s))) }
