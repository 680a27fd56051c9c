package pcap

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"github.com/matou-iot/matou/mqtt"
)

// Bounds of what is kept of a capture.
const (
	MaxStreams = 4096      // connections; frames of further ones are counted in Capture.Ignored
	MaxBytes   = 256 << 20 // of all connections together, likewise
	maxWaiting = 4 << 20   // bytes of one direction that wait for what should come before them
	maxAhead   = 4096      // segments likewise
)

// A Chunk is bytes that one end sent.
type Chunk struct {
	Time       time.Time
	FromServer bool
	Gap        bool // bytes are missing before these
	Data       []byte
}

// A Stream is one TCP connection.
type Stream struct {
	Client, Server netip.AddrPort
	Chunks         []Chunk // in the order they were complete
	Lost           int64   // bytes that the capture lacks
	Whole          bool    // the capture saw its beginning
}

// A Capture is what a file holds.
type Capture struct {
	Streams []Stream
	Frames  int   // all
	Ignored int   // those without TCP, and those beyond the bounds
	Broken  error // where the file stopped making sense; what came before is here
}

// Read takes a whole capture apart. It fails only for a file that is none;
// one that breaks off is read as far as it goes, with Capture.Broken set.
func Read(r io.Reader) (*Capture, error) {
	p, err := NewReader(r)
	if err != nil {
		return nil, err
	}
	c := &Capture{}
	a := assembler{open: map[pair]*connection{}}
	for {
		f, err := p.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			if errors.Is(err, ErrForeign) && c.Frames == 0 {
				return nil, err
			}
			c.Broken = err
			break
		}
		c.Frames++
		s, ok := f.TCP()
		if !ok || !a.add(s, f.Time) {
			c.Ignored++
		}
	}
	c.Streams = a.finish()
	return c, nil
}

// A pair names a connection, the lesser end first.
type pair [2]netip.AddrPort

func pairOf(a, b netip.AddrPort) pair {
	if a.Compare(b) > 0 {
		a, b = b, a
	}
	return pair{a, b}
}

// An assembler puts segments in order. It is one file's, and of one goroutine.
type assembler struct {
	open  map[pair]*connection
	all   []*connection
	bytes int
}

type connection struct {
	Stream
	halves [2]half // what client and server sent
}

// A half is one direction.
type half struct {
	started bool
	next    uint32 // sequence number that is due
	ended   bool
	waiting []waiting // ahead of next, ordered
	size    int       // bytes of waiting
	last    time.Time // of what was passed on
}

type waiting struct {
	seq  uint32
	data []byte
	time time.Time
}

// add takes a segment; it reports whether it was of use.
func (a *assembler) add(s Segment, t time.Time) bool {
	key := pairOf(s.Src, s.Dst)
	c := a.open[key]
	if c != nil && s.SYN && !s.ACK && c.over(s) {
		delete(a.open, key)
		c = nil
	}
	if c == nil {
		if len(a.all) == MaxStreams || s.RST || s.FIN && len(s.Payload) == 0 {
			return false
		}
		c = begin(s)
		a.open[key] = c
		a.all = append(a.all, c)
	}
	if a.bytes+len(s.Payload) > MaxBytes {
		return false
	}
	a.bytes += len(s.Payload)
	fromServer := s.Src == c.Server
	h := &c.halves[0]
	if fromServer {
		h = &c.halves[1]
	}
	c.take(h, s, t, fromServer)
	return true
}

// begin makes a connection of its first segment and says who is the server.
func begin(s Segment) *connection {
	client := s.Src
	switch {
	case s.SYN:
		if s.ACK {
			client = s.Dst
		}
	case usualPort(s.Src.Port()) != usualPort(s.Dst.Port()):
		if usualPort(s.Src.Port()) {
			client = s.Dst
		}
	case s.Src.Port() < s.Dst.Port():
		client = s.Dst
	}
	c := &connection{}
	c.Client, c.Server, c.Whole = client, s.Dst, s.SYN && !s.ACK
	if client == s.Dst {
		c.Server = s.Src
	}
	return c
}

// usualPort reports whether brokers listen there.
func usualPort(p uint16) bool { return p == mqtt.Port || p == mqtt.TLSPort || p == 1884 || p == 6002 }

// over reports whether a SYN begins another connection between the same ends.
func (c *connection) over(s Segment) bool {
	h := &c.halves[0]
	return h.started && (h.ended || c.halves[1].ended || h.next != s.Seq+1)
}

// take puts a segment where it belongs.
func (c *connection) take(h *half, s Segment, t time.Time, fromServer bool) {
	if s.SYN {
		if !h.started {
			h.started, h.next = true, s.Seq+1
		}
		s.Seq++ // data in a SYN comes behind it
	}
	if !h.started {
		h.started, h.next = true, s.Seq
	}
	if len(s.Payload) > 0 {
		h.insert(waiting{s.Seq, s.Payload, t})
		c.drain(h, t, fromServer)
		for h.size > maxWaiting || len(h.waiting) > maxAhead {
			c.jump(h, fromServer)
		}
	}
	if s.FIN || s.RST {
		h.ended = true
	}
}

// ahead is how far seq lies behind what is due: negative for what was there.
func (h *half) ahead(seq uint32) int32 { return int32(seq - h.next) }

// insert keeps a copy of what is not yet there.
func (h *half) insert(w waiting) {
	if n := h.ahead(w.seq); n < 0 {
		if int64(-int64(n)) >= int64(len(w.data)) {
			return // sent again
		}
		w.data, w.seq = w.data[-int64(n):], h.next
	}
	w.data = bytes.Clone(w.data)
	i, _ := slices.BinarySearchFunc(h.waiting, w, func(a, b waiting) int {
		return int(h.ahead(a.seq)) - int(h.ahead(b.seq))
	})
	h.waiting = slices.Insert(h.waiting, i, w)
	h.size += len(w.data)
}

// drain passes on what is due at t.
func (c *connection) drain(h *half, t time.Time, fromServer bool) {
	n := 0
	for ; n < len(h.waiting); n++ {
		w := h.waiting[n]
		off := h.ahead(w.seq)
		if off > 0 {
			break
		}
		h.size -= len(w.data)
		if int64(-int64(off)) >= int64(len(w.data)) {
			continue
		}
		c.pass(h, w.data[-int64(off):], t, fromServer, false)
	}
	h.waiting = slices.Delete(h.waiting, 0, n)
}

func (c *connection) pass(h *half, data []byte, t time.Time, fromServer, gap bool) {
	if t.Before(h.last) {
		t = h.last // clocks are set back; a stream is in order
	}
	h.last = t
	c.Chunks = append(c.Chunks, Chunk{t, fromServer, gap, data})
	h.next += uint32(len(data))
}

// jump gives up on the bytes that are due: the capture lacks them.
func (c *connection) jump(h *half, fromServer bool) {
	w := h.waiting[0]
	c.Lost += int64(h.ahead(w.seq))
	h.next = w.seq
	h.size -= len(w.data)
	h.waiting = slices.Delete(h.waiting, 0, 1)
	c.pass(h, w.data, w.time, fromServer, true)
	c.drain(h, w.time, fromServer)
}

// finish passes on what still waits and returns the connections that carried
// anything.
func (a *assembler) finish() []Stream {
	var all []Stream
	for _, c := range a.all {
		for i := range c.halves {
			for len(c.halves[i].waiting) > 0 {
				c.jump(&c.halves[i], i == 1)
			}
		}
		if len(c.Chunks) > 0 {
			slices.SortStableFunc(c.Chunks, func(x, y Chunk) int { return x.Time.Compare(y.Time) })
			all = append(all, c.Stream)
		}
	}
	return all
}

// String names the connection.
func (s *Stream) String() string { return fmt.Sprintf("%s → %s", s.Client, s.Server) }
