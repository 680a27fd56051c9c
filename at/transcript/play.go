package transcript

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"
)

// A Port is what a conversation is played on: a net.Conn, an *os.File of a
// pseudo-terminal.
type Port interface {
	io.ReadWriter
	// SetDeadline interrupts Read and Write.
	SetDeadline(time.Time) error
}

// A Player says one side of a transcript and checks the other.
type Player struct {
	// As is the side that the player takes: Host to test a module, Module to
	// test a driver.
	As Mark
	// Values are what placeholders stand for from the start.
	Values map[string]string
	// Pace scales the times of the lines that the player says: 1 waits as
	// long as the recording did, 2 half as long, 0 not at all.
	Pace float64
}

// A Mismatch says where a conversation left the transcript.
type Mismatch struct {
	Line    Line   // the line that was expected
	Want    string // what was expected, escaped, placeholders filled in as far as known
	Got     string // what came instead, escaped
	Differs int    // in characters of Got: where it differs
	Err     error  // why no more came; nil if what came differs
}

func (e *Mismatch) Error() string {
	var b strings.Builder
	if e.Err != nil {
		fmt.Fprintf(&b, "line %d: %v before all of it came\n", e.Line.Number, e.Err)
	} else {
		fmt.Fprintf(&b, "line %d: not what was expected\n", e.Line.Number)
	}
	fmt.Fprintf(&b, "  want %c %s\n", e.Line.Mark, e.Want)
	fmt.Fprintf(&b, "  got  %c %s\n", e.Line.Mark, e.Got)
	b.WriteString("         " + strings.Repeat(" ", e.Differs) + "^")
	return b.String()
}

func (e *Mismatch) Unwrap() error { return e.Err }

// ErrTooMuch says that the other side said more than the transcript holds.
var ErrTooMuch = errors.New("more was said than the transcript holds")

// Play plays t on port until its last line is said or heard, the other side
// says something else (a *Mismatch), or ctx ends. It returns what placeholders
// stood for. The port stays open; nothing reads from it any more.
func (p Player) Play(ctx context.Context, t *Transcript, port Port) (map[string]string, error) {
	s := stage{port: port, got: make(chan []byte), ended: make(chan error, 1), values: values{}}
	for name, value := range p.Values {
		s.values[name] = []byte(value)
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.listen(ctx)
	}()
	interrupted := make(chan struct{})
	context.AfterFunc(ctx, func() {
		port.SetDeadline(time.Unix(1, 0))
		close(interrupted)
	})
	err := s.play(ctx, p, t)
	cancel()
	<-interrupted
	<-done
	port.SetDeadline(time.Time{})
	found := make(map[string]string, len(s.values))
	for name, value := range maps.All(s.values) {
		found[name] = string(value)
	}
	return found, err
}

// A stage is one performance.
type stage struct {
	port   Port
	got    chan []byte // from listen
	ended  chan error  // why listen ended
	buffer []byte      // received, not yet expected
	values values
}

// listen reads while play may be writing: a module that echoes each byte waits
// for its reader.
func (s *stage) listen(ctx context.Context) {
	for {
		b := make([]byte, 4096)
		n, err := s.port.Read(b)
		if n > 0 {
			select {
			case s.got <- b[:n]:
			case <-ctx.Done():
				return
			}
		}
		if err != nil {
			s.ended <- err
			return
		}
	}
}

func (s *stage) play(ctx context.Context, p Player, t *Transcript) error {
	begun := time.Now()
	for rest := t.Lines; len(rest) > 0; {
		l := rest[0]
		if l.Mark.from() != p.As.from() {
			// What is heard may come in pieces of any size: a placeholder at
			// the end of a line ends where the next line begins.
			n := 1
			for n < len(rest) && rest[n].Mark.from() == l.Mark.from() {
				n++
			}
			if err := s.hear(ctx, rest[:n]); err != nil {
				return err
			}
			rest = rest[n:]
			continue
		}
		if err := wait(ctx, begun, l.Time, p.Pace); err != nil {
			return err
		}
		if err := s.say(ctx, l); err != nil {
			return err
		}
		rest = rest[1:]
	}
	if len(s.buffer) > 0 {
		return fmt.Errorf("%w: %s", ErrTooMuch, escape(s.buffer, true))
	}
	return nil
}

// say writes a line.
func (s *stage) say(ctx context.Context, l Line) error {
	b, missing := s.values.fill(l.Parts)
	if missing != "" {
		return &Error{Line: l.Number, Err: fmt.Errorf("nothing says what {{%s}} stands for: give it in Values", missing)}
	}
	if _, err := s.port.Write(b); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return &Error{Line: l.Number, Err: err}
	}
	return nil
}

// hear reads until lines have come.
func (s *stage) hear(ctx context.Context, lines []Line) error {
	var parts []Part
	for _, l := range lines {
		parts = append(parts, l.Parts...)
	}
	for {
		result, n := s.values.match(parts, s.buffer)
		switch result {
		case matches:
			s.buffer = s.buffer[n:]
			return nil
		case differs:
			return s.mismatch(lines, n, nil)
		}
		select {
		case b := <-s.got:
			s.buffer = append(s.buffer, b...)
			continue
		default:
		}
		select {
		case b := <-s.got:
			s.buffer = append(s.buffer, b...)
		case err := <-s.ended:
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return s.mismatch(lines, n, err)
		case <-ctx.Done():
			return s.mismatch(lines, n, context.Cause(ctx))
		}
	}
}

// mismatch tells which of the lines the byte at place n of the buffer belongs
// to.
func (s *stage) mismatch(lines []Line, n int, err error) error {
	rest := s.buffer
	for i, l := range lines {
		result, covered := s.values.match(l.Parts, rest)
		if result == matches && i+1 < len(lines) && covered <= n {
			rest, n = rest[covered:], n-covered
			continue
		}
		want := l
		want.Time, want.Parts = -1, s.values.known(l.Parts)
		const most = 512 // of what came
		got := rest[:min(len(rest), n+most)]
		return &Mismatch{
			Line: l, Want: want.String()[2:], Got: escape(got, false), Err: err,
			Differs: len([]rune(escape(got[:min(n, len(got))], false))),
		}
	}
	return err
}

// known fills in the values that are known.
func (v values) known(parts []Part) (filled []Part) {
	for _, p := range parts {
		if value, known := v[p.Name]; known {
			filled = join(filled, value)
		} else if p.Name == "" {
			filled = join(filled, p.Bytes)
		} else {
			filled = append(filled, p)
		}
	}
	return filled
}

// wait sleeps until it is time for a line.
func wait(ctx context.Context, begun time.Time, at time.Duration, pace float64) error {
	if at < 0 || pace <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(time.Until(begun.Add(time.Duration(float64(at) / pace))))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
