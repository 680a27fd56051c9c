package at

import "fmt"

// An EventKind says what a Scanner found.
type EventKind byte

// The kinds of events.
const (
	Line     EventKind = iota // Text: a line without its end; empty lines are passed over
	Echo                      // Text: what the host sent, announced with Expect
	Prompt                    // the module waits for data
	Data                      // Text: the header; Data: the bytes that it announced
	Noise                     // Text: a line with control bytes inside
	Overlong                  // Text: the first MaxLine bytes of a longer line; the rest is passed over
	Oversize                  // Text: a header that announces more than MaxData bytes; they are read as lines
	Cut                       // Text, Data: what Flush found half received
)

func (k EventKind) String() string {
	names := [...]string{"line", "echo", "prompt", "data", "noise", "overlong line", "oversize data", "cut off"}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("EventKind(%d)", byte(k))
}

// An Event is one thing that a module said. Data belongs to the receiver.
type Event struct {
	Kind EventKind
	Text string
	Data []byte
}

func (e Event) String() string {
	switch {
	case e.Kind == Prompt:
		return "prompt"
	case e.Data != nil:
		return fmt.Sprintf("%s %q %q", e.Kind, e.Text, e.Data)
	}
	return fmt.Sprintf("%s %q", e.Kind, e.Text)
}
