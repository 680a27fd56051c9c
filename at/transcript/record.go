package transcript

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// maxPiece ends a recorded line that has no line end, in bytes.
const maxPiece = 1024

// A Recorder passes bytes through and writes them down as a transcript, line
// by line as they come: it keeps no more than one line of each side. Two
// goroutines may use it, one reading and one writing. The port is not closed
// by it; Flush writes down what has no line end yet.
type Recorder struct {
	port   io.ReadWriter
	writes Mark // who writes to port
	now    func() time.Time

	mu     sync.Mutex
	begun  time.Time
	out    io.Writer
	err    error // of out
	pieces [2]piece
	order  int // pieces begun
}

// A piece is a line that one side has begun.
type piece struct {
	mark  Mark
	bytes []byte
	at    time.Time // of its first byte
	order int       // of its first byte, among all
}

// Record makes a Recorder on port. as is the side of whoever uses it: Host
// when port leads to a module, Module when it leads to a host. Times come from
// now; nil writes none. An error of out ends the recording and is returned by
// Flush; the bytes pass through all the same.
func Record(port io.ReadWriter, as Mark, out io.Writer, now func() time.Time) *Recorder {
	r := &Recorder{port: port, writes: as.from(), now: now, out: out}
	if now != nil {
		r.begun = now()
	}
	r.pieces = [2]piece{{mark: Host}, {mark: Module}}
	return r
}

// Read reads from the port and writes down what the other side said.
func (r *Recorder) Read(p []byte) (int, error) {
	n, err := r.port.Read(p)
	if r.writes == Host {
		r.Add(Module, p[:n])
	} else {
		r.Add(Host, p[:n])
	}
	return n, err
}

// Write writes to the port and writes it down, before the other side can
// answer.
func (r *Recorder) Write(p []byte) (int, error) {
	r.Add(r.writes, p)
	return r.port.Write(p)
}

// Add writes down what a side said.
func (r *Recorder) Add(m Mark, p []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range p {
		r.add(m.from(), c)
	}
}

func (r *Recorder) add(m Mark, c byte) {
	mine, other := &r.pieces[0], &r.pieces[1]
	if m == Module {
		mine, other = other, mine
	}
	if len(mine.bytes) == 0 {
		r.order++
		mine.order = r.order
		if r.now != nil {
			mine.at = r.now()
		}
	}
	if len(mine.bytes) == 0 && len(other.bytes) > 0 && !bytes.HasPrefix(other.bytes, []byte{c}) {
		// Not the echo of what is being typed: the other side has finished.
		r.end(other)
	}
	mine.bytes = append(mine.bytes, c)
	full := c == '\n' && len(bytes.Trim(mine.bytes, "\r\n")) > 0
	if full || len(mine.bytes) == maxPiece {
		if other.order < mine.order {
			r.end(other)
		}
		r.end(mine)
	}
}

// end writes a piece down.
func (r *Recorder) end(p *piece) {
	if len(p.bytes) == 0 {
		return
	}
	l := Line{Time: -1, Mark: p.mark, Parts: join(nil, p.bytes)}
	if r.now != nil {
		l.Time = max(p.at.Sub(r.begun), 0).Round(time.Millisecond)
	}
	p.bytes = p.bytes[:0]
	if r.err == nil {
		_, r.err = io.WriteString(r.out, l.String()+"\n")
	}
}

// Flush writes down what has no line end yet and returns the first error of
// the writer.
func (r *Recorder) Flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	first, second := &r.pieces[0], &r.pieces[1]
	if second.order < first.order {
		first, second = second, first
	}
	r.end(first)
	r.end(second)
	return r.err
}
