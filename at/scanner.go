package at

import "bytes"

// The bounds of a Scanner where Limits leave them out.
const (
	DefaultMaxLine = 4 << 10  // longest line, longest header of counted data
	DefaultMaxData = 16 << 10 // most counted bytes
)

// Limits bound what a Scanner keeps.
type Limits struct {
	MaxLine int // 0: DefaultMaxLine
	MaxData int // 0: DefaultMaxData
}

// A Scanner cuts what a module says into events. It is a state machine
// without port or clock: hand it the bytes as they come, in pieces of any size.
//
// A line ends at CR, LF or both, so that a lost LF glues nothing together. A
// ">" at the beginning of a line is a Prompt as soon as it is there, with one
// space after it or without: nothing else may come before the host has sent
// its data, so there is nothing to wait for.
//
// What is announced and never comes does not end by itself: a host whose
// patience is over calls Flush.
type Scanner struct {
	max     Limits
	headers []Header

	state   state
	line    []byte
	matched *Header // the header with whose prefix line begins

	head   string // of the counted data
	data   []byte
	wanted int  // counted bytes still to come
	wraps  bool // the data may stand between quotes

	echo   []byte // what is expected back
	echoed int    // how much of it has come since the line began
	muted  bool   // this line is not the echo
}

type state byte

const (
	inLine    state = iota // a line, or the beginning of one
	inPrompt               // the space behind a prompt
	inSkip                 // the rest of an overlong line
	inFeed                 // the LF behind a header that is a line
	inOpening              // the quote before counted data
	inData                 // counted data
	inClosing              // the quote behind counted data
	inRaw                  // no lines at all
)

// NewScanner makes a Scanner that knows the given headers of counted data. See
// EspressifHeaders and CellularHeaders.
func NewScanner(max Limits, headers ...Header) *Scanner {
	if max.MaxLine <= 0 {
		max.MaxLine = DefaultMaxLine
	}
	if max.MaxData <= 0 {
		max.MaxData = DefaultMaxData
	}
	return &Scanner{max: max, headers: headers}
}

// Expect tells which bytes the host is about to send, so that they become an
// Echo when the module sends them back. Only the latest are expected, until
// they came or Expect is called again; nil expects nothing. Line ends behind
// them do not count. More than MaxData bytes are not expected at all.
func (s *Scanner) Expect(sent []byte) {
	s.line = append(s.line, s.echo[:s.echoed]...)
	s.echoed = 0
	sent = bytes.TrimRight(sent, "\r\n")
	if len(sent) > s.max.MaxData {
		sent = nil
	}
	s.echo = append(s.echo[:0], sent...)
	s.muted = len(s.line) > 0
}

// Raw turns the reading of lines off or on. While it is off every byte is Data
// without a Text: transparent mode. Called from within emit it holds from the
// next byte on.
func (s *Scanner) Raw(on bool) {
	s.reset()
	if on {
		s.state = inRaw
	}
}

// Idle reports whether nothing is half received.
func (s *Scanner) Idle() bool {
	switch s.state {
	case inFeed, inOpening, inData, inSkip:
		return false
	}
	return len(s.line) == 0 && s.echoed == 0
}

// Flush ends what is half received and returns it as a Cut: a line without its
// end, or a header with fewer bytes than it announced. ok is false if there is
// nothing to tell. The next byte begins a line.
func (s *Scanner) Flush() (e Event, ok bool) {
	if s.state == inRaw {
		return Event{}, false
	}
	e = Event{Kind: Cut, Text: string(s.line) + string(s.echo[:s.echoed])}
	if s.state == inFeed || s.state == inOpening || s.state == inData {
		e.Text, e.Data = s.head, s.data
	}
	s.reset()
	return e, e.Text != ""
}

func (s *Scanner) reset() {
	s.state, s.line, s.matched = inLine, s.line[:0], nil
	s.head, s.data = "", nil
	s.echo, s.echoed, s.muted = s.echo[:0], 0, false
}

// Scan takes bytes from the module and calls emit for each event that they
// complete, in order. emit may call Expect and Raw, not Scan.
func (s *Scanner) Scan(p []byte, emit func(Event)) {
	for len(p) > 0 {
		switch s.state {
		case inRaw:
			emit(Event{Kind: Data, Data: bytes.Clone(p)})
			return
		case inData:
			p = s.collect(p, emit)
		case inSkip:
			end := bytes.IndexAny(p, "\r\n")
			if end < 0 {
				return
			}
			p = p[end+1:]
			s.state = inLine
		case inLine:
			if s.echoing(p[0]) {
				p = s.matchEcho(p, emit)
				continue
			}
			s.take(p[0], emit)
			p = p[1:]
		default:
			p = s.passOver(p)
		}
	}
}

// passOver drops the one byte that a state allows for, if it is there.
func (s *Scanner) passOver(p []byte) []byte {
	c := p[0]
	switch s.state {
	case inPrompt:
		s.state = inLine
		if c == ' ' {
			return p[1:]
		}
	case inFeed:
		s.state = inOpening
		if c == '\n' {
			return p[1:]
		}
	case inOpening:
		// Some firmware breaks the line between length and payload.
		if s.wraps && (c == '\r' || c == '\n') {
			return p[1:]
		}
		s.wraps = s.wraps && c == '"'
		s.state = inData
		if s.wraps {
			return p[1:]
		}
	case inClosing:
		s.state = inLine
		if c == '"' {
			return p[1:]
		}
	}
	return p
}

// take takes one byte of a line.
func (s *Scanner) take(c byte, emit func(Event)) {
	switch {
	case c == '\r' || c == '\n':
		if s.measure(true, emit) {
			if c == '\r' && s.state == inOpening {
				s.state = inFeed
			}
			return
		}
		s.endLine(emit)
	case c == '>' && len(s.line) == 0:
		s.state = inPrompt
		emit(Event{Kind: Prompt})
	case len(s.line) >= s.max.MaxLine:
		e := Event{Kind: Overlong, Text: string(s.line)}
		s.newLine()
		s.state = inSkip
		emit(e)
	default:
		s.line = append(s.line, c)
		s.match()
		if c == ':' || c == ',' {
			s.measure(false, emit)
		}
	}
}

// match looks whether the line now begins as a header does.
func (s *Scanner) match() {
	for i := range s.headers {
		if string(s.line) == s.headers[i].Prefix {
			s.matched = &s.headers[i]
		}
	}
}

// measure asks whether the line so far is a header, and if it is begins to
// collect what it announces.
func (s *Scanner) measure(ended bool, emit func(Event)) bool {
	if s.matched == nil {
		return false
	}
	n, ok := s.matched.Measure(string(s.line), ended)
	if !ok {
		return false
	}
	s.head, s.wanted, s.wraps = string(s.line), n, s.matched.Wraps
	s.newLine()
	if n > s.max.MaxData {
		emit(Event{Kind: Oversize, Text: s.head})
		s.head = ""
		return true
	}
	s.data = make([]byte, 0, n)
	s.state = inOpening
	if n == 0 && !s.wraps {
		s.finish(emit)
	}
	return true
}

// collect takes counted bytes and returns what is left of p.
func (s *Scanner) collect(p []byte, emit func(Event)) []byte {
	n := min(len(p), s.wanted)
	s.data = append(s.data, p[:n]...)
	s.wanted -= n
	if s.wanted == 0 {
		s.finish(emit)
	}
	return p[n:]
}

func (s *Scanner) finish(emit func(Event)) {
	e := Event{Kind: Data, Text: s.head, Data: s.data}
	s.head, s.data, s.state = "", nil, inLine
	if s.wraps {
		s.state = inClosing
	}
	emit(e)
}

// endLine reports the line, unless it is empty. Control bytes around it are
// line noise of a module that starts, and dropped.
func (s *Scanner) endLine(emit func(Event)) {
	text := string(bytes.TrimFunc(s.line, control))
	s.newLine()
	switch {
	case text == "":
	case bytes.ContainsFunc([]byte(text), control):
		emit(Event{Kind: Noise, Text: text})
	default:
		emit(Event{Kind: Line, Text: text})
	}
}

func (s *Scanner) newLine() { s.line, s.matched, s.muted = s.line[:0], nil, false }

// control reports whether r is a control byte that no line of a module holds.
func control(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// echoing reports whether c may belong to the echo that is expected.
func (s *Scanner) echoing(c byte) bool {
	if len(s.echo) == 0 || s.muted || len(s.line) > 0 {
		return false
	}
	return s.echoed > 0 || c == s.echo[0]
}

// matchEcho compares p with the echo, which counts only if a line end is
// behind it, and returns what is left. If it is another line after all, what
// had matched is given back and read again.
func (s *Scanner) matchEcho(p []byte, emit func(Event)) []byte {
	for i, c := range p {
		if s.echoed < len(s.echo) && c == s.echo[s.echoed] {
			s.echoed++
			continue
		}
		half := bytes.Clone(s.echo[:s.echoed])
		whole := s.echoed == len(s.echo) && (c == '\r' || c == '\n')
		s.echoed = 0
		if whole {
			s.echo = s.echo[:0]
			emit(Event{Kind: Echo, Text: string(half)})
			return p[i:]
		}
		if bytes.ContainsAny(half, "\r\n") {
			s.echo = s.echo[:0] // a payload is echoed at once or not at all
		}
		s.muted = true
		return append(half, p[i:]...)
	}
	return nil
}
