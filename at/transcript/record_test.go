package transcript

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// port is a port that says what it is told.
type port struct {
	io.Reader
	written strings.Builder
}

func (p *port) Write(b []byte) (int, error) { return p.written.Write(b) }

func TestRecorderOrdersLines(t *testing.T) {
	for _, tt := range []struct {
		name  string
		steps []string // mark and bytes
		want  string
	}{
		{"typed by hand with echo", []string{">A", "<A", ">T", "<T", ">\r", "<\r", ">\n", "<\n", "<\r\nOK\r\n"},
			"> AT\\r\\n\n< AT\\r\\n\n< \\r\\nOK\\r\\n\n"},
		{"prompt and payload", []string{">AT+CIPSEND=5\r\n", "<\r\nOK\r\n> ", ">hello", "<\r\nRecv 5 bytes\r\n\r\nSEND OK\r\n"},
			"> AT+CIPSEND=5\\r\\n\n< \\r\\nOK\\r\\n\n< >\\x20\n> hello\n< \\r\\nRecv 5 bytes\\r\\n\n< \\r\\nSEND OK\\r\\n\n"},
		{"CR alone ends a command", []string{">AT\r", "<AT\r\r\nOK\r\n"},
			"> AT\\r\n< AT\\r\\r\\n\n< OK\\r\\n\n"},
		{"what has no end is flushed in order", []string{"<> ", ">{"}, "< >\\x20\n> {\n"},
		{"long data is cut", []string{">" + strings.Repeat("x", maxPiece+1)},
			"> " + strings.Repeat("x", maxPiece) + "\n> x\n"},
	} {
		var out strings.Builder
		r := Record(&port{}, Host, &out, nil)
		for _, step := range tt.steps {
			r.Add(Mark(step[0]), []byte(step[1:]))
		}
		if err := r.Flush(); err != nil || out.String() != tt.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", tt.name, err, out.String(), tt.want)
		}
	}
}

func TestRecorderPassesThrough(t *testing.T) {
	for as, want := range map[Mark]string{
		Host:   "@0.001s > AT\\r\\n\n@0.002s < \\r\\nOK\\r\\n\n",
		Module: "@0.001s < AT\\r\\n\n@0.002s > \\r\\nOK\\r\\n\n",
	} {
		now := time.Unix(0, 0)
		tick := func() time.Time { now = now.Add(time.Millisecond); return now }
		p := &port{Reader: strings.NewReader("\r\nOK\r\n")}
		var out strings.Builder
		r := Record(p, as, &out, tick)
		if n, err := r.Write([]byte("AT\r\n")); n != 4 || err != nil || p.written.String() != "AT\r\n" {
			t.Errorf("wrote %d, %v, %q", n, err, p.written.String())
		}
		b, err := io.ReadAll(r)
		if string(b) != "\r\nOK\r\n" || err != nil {
			t.Errorf("read %q, %v", b, err)
		}
		if err := r.Flush(); err != nil || out.String() != want {
			t.Errorf("as %c: %v\n%s", as, err, out.String())
		}
		if _, err := Parse(out.String()); err != nil {
			t.Error(err)
		}
	}
}

type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestRecorderSurvivesItsFile(t *testing.T) {
	p := &port{}
	r := Record(p, Host, full{}, nil)
	for range 3 {
		if _, err := r.Write([]byte("AT\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	if p.written.String() != "AT\r\nAT\r\nAT\r\n" {
		t.Errorf("passed through %q", p.written.String())
	}
	if err := r.Flush(); !errors.Is(err, errFull) {
		t.Errorf("flush: %v", err)
	}
}
