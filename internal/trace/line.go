package trace

import (
	"container/list"
	"encoding/binary"
	"encoding/json"
	"slices"
	"time"
)

// A line is the timeline of one device: its entries in the order in which they
// came, written into chunks of bytes without a pointer in them. So a message
// costs a copy and seldom an allocation, and the garbage collector has nothing
// to look through.
type line struct {
	key    key
	spare  *spare
	chunks [][]byte // of whole entries, each behind its length, oldest first
	head   int      // where the oldest entry is in the first chunk
	size   int      // of the chunks' memory
	count  int
	at     *list.Element
	moved  time.Time // to the front of the list

	second  int64 // in which plain messages are counted, Unix
	plain   int   // in that second
	skipped int   // since the last entry
}

// paces counts a message in which there is nothing to tell, and reports
// whether it is one too many. A device that sends a hundred a second would
// push its own story out of the timeline in two, at some cost each.
func (l *line) paces(e *Entry) bool {
	if e.Kind != Uplink && e.Kind != Downlink || e.Code != "" || e.Detail != nil {
		return false
	}
	if second := e.At.Unix(); second != l.second {
		l.second, l.plain = second, 0
	}
	if l.plain++; l.plain <= PlainRate {
		return false
	}
	l.skipped++
	return true
}

const (
	// lineCost is about what a line costs besides its chunks: itself, its
	// place in the map and in the list, the names.
	lineCost = 320
	// Chunks begin small, for the many devices that say little, and grow.
	firstChunk = 512
	lastChunk  = 8 << 10
)

// bytes is what the line costs.
func (l *line) bytes() int { return lineCost + l.size }

// add writes e behind the others.
func (l *line) add(e *Entry, detail []byte) {
	last := l.room(lengthSize + encodedMax(e, detail))
	// The length goes before what it measures: its place is kept free first.
	start := len(*last)
	b := append(*last, 0, 0, 0)
	b = appendEntry(b, e, detail)
	n := len(b) - start - lengthSize
	b[start], b[start+1], b[start+2] = byte(n>>16), byte(n>>8), byte(n)
	*last = b
	l.count++
}

// lengthSize is the room of an entry's length: the texts of an entry, MaxText
// and less each, stay far below 16 MiB.
const lengthSize = 3

// room returns the last chunk, with room for need bytes.
func (l *line) room(need int) *[]byte {
	n := len(l.chunks)
	if n == 0 || cap(l.chunks[n-1])-len(l.chunks[n-1]) < need {
		size := firstChunk
		if n > 0 {
			size = min(2*cap(l.chunks[n-1]), lastChunk)
		}
		chunk := l.spare.take(max(size, need))
		l.chunks = append(l.chunks, chunk)
		l.size += cap(chunk)
		n++
	}
	return &l.chunks[n-1]
}

// drop forgets the oldest n entries, and the chunks that held nothing else.
func (l *line) drop(n int) {
	for range n {
		first := l.chunks[0]
		l.head += lengthSize + entryLength(first[l.head:])
		l.count--
		if l.head == len(first) {
			l.size -= cap(first)
			l.spare.keep(first)
			l.chunks = slices.Delete(l.chunks, 0, 1)
			l.head = 0
		}
	}
}

// spare are chunks that a line gave up and another, or the same, will want: a
// device that goes on talking gives one up for each that it takes.
type spare struct{ chunks [][]byte }

// maxSpare is how many chunks are kept.
const maxSpare = 16

func (s *spare) take(size int) []byte {
	if n := len(s.chunks); n > 0 && size == lastChunk {
		chunk := s.chunks[n-1]
		s.chunks = s.chunks[:n-1]
		return chunk[:0]
	}
	return make([]byte, 0, size)
}

func (s *spare) keep(chunk []byte) {
	if cap(chunk) == lastChunk && len(s.chunks) < maxSpare {
		s.chunks = append(s.chunks, chunk)
	}
}

func entryLength(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }

// all returns the encoded entries, oldest first. They are good until the line
// is changed.
func (l *line) all() [][]byte {
	es := make([][]byte, 0, l.count)
	for i, b := range l.chunks {
		if i == 0 {
			b = b[l.head:]
		}
		for len(b) > 0 {
			n := entryLength(b)
			es = append(es, b[lengthSize:lengthSize+n])
			b = b[lengthSize+n:]
		}
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
	const numbers = 7*binary.MaxVarintLen64 + 2 + 7*binary.MaxVarintLen32
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
	b = binary.AppendUvarint(b, uint64(e.Skipped))
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
	e.QoS, e.Size, e.Skipped = int(r.uvarint()), int(r.uvarint()), int(r.uvarint())
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
