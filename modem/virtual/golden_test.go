package virtual

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/at/transcript"
)

// TestGolden plays the host of every recorded conversation against the virtual
// module, and wants every byte. What the module must be for it stands in the
// file's comments that begin with "#!".
func TestGolden(t *testing.T) {
	for _, model := range []*Model{esp8266} { // the others: TestGoldenCellular
		files, err := filepath.Glob("../testdata/" + model.Name + "/*.at")
		if err != nil {
			t.Fatal(err)
		}
		if len(files) < 1 {
			t.Errorf("no conversations with %s", model.Name)
		}
		for _, file := range files {
			t.Run(model.Name+"/"+strings.TrimSuffix(filepath.Base(file), ".at"), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { playGolden(t, model.Name, file) })
			})
		}
	}
}

func playGolden(t *testing.T, model, file string) {
	o, prepare := given(t, file)
	o.Model = model
	b := power(t, o)
	for _, line := range prepare {
		b.command(line)
	}
	b.play(file, transcript.Player{As: transcript.Host, Pace: 1})
}

// given reads what a conversation assumes: model options, peers in the world,
// and the commands that came before.
func given(t *testing.T, file string) (o Options, prepare []string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld()
	o.Network = w
	o.Now = func() time.Time { return time.Date(2025, 1, 15, 6, 15, 27, 0, time.UTC) }
	for line := range strings.Lines(string(text)) {
		directive, ok := strings.CutPrefix(strings.TrimSpace(line), "#!")
		if !ok {
			continue
		}
		word, rest, _ := strings.Cut(strings.TrimSpace(directive), " ")
		var err error
		switch word {
		case "firmware":
			o.Firmware = rest
		case "quirk":
			o.Quirks = append(o.Quirks, rest)
		case "before":
			prepare = append(prepare, rest)
		case "wifi":
			var ap AccessPoint
			ap, err = ParseAccessPoint(rest)
			o.AccessPoints = append(o.AccessPoints, ap)
		case "fault":
			var f Fault
			f, err = ParseFault(rest)
			o.Faults = append(o.Faults, f)
		case "peer":
			address, what, _ := strings.Cut(rest, " ")
			err = w.behave(address, what)
		default:
			t.Fatalf("%s: %q is no directive", file, directive)
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	return o, prepare
}

// A bench is a module under power with a host at its UART.
type bench struct {
	*testing.T
	*Module
	host  net.Conn
	world *world
}

// power starts a module inside a synctest bubble and waits until it is ready.
func power(t *testing.T, o Options) *bench {
	t.Helper()
	b := start(t, o)
	b.until("\r\nready\r\n")
	return b
}

// start gives a module power inside a synctest bubble.
func start(t *testing.T, o Options) *bench {
	t.Helper()
	if o.Network == nil {
		o.Network = newWorld()
	}
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	host, uart := net.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- m.Attach(ctx, uart) }()
	synctest.Wait()
	go func() { done <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
	w, _ := o.Network.(*world)
	return &bench{t, m, host, w}
}

// play plays the host of a conversation.
func (b *bench) play(file string, p transcript.Player) {
	b.Helper()
	script, err := transcript.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.Context(), 10*time.Minute)
	defer cancel()
	if _, err := p.Play(ctx, script, b.host); err != nil {
		b.Fatalf("%s: %v", file, err)
	}
	b.silent()
}

// until reads up to and including text, which must come within ten minutes.
func (b *bench) until(text string) string {
	b.Helper()
	b.host.SetReadDeadline(time.Now().Add(10 * time.Minute))
	var got []byte
	one := make([]byte, 1)
	for !strings.HasSuffix(string(got), text) {
		if _, err := b.host.Read(one); err != nil {
			b.Fatalf("%v: wanted %q, got %q", err, text, got)
		}
		got = append(got, one[0])
	}
	return string(got)
}

// say writes to the module.
func (b *bench) say(text string) {
	b.Helper()
	if _, err := b.host.Write([]byte(text)); err != nil {
		b.Fatal(err)
	}
}

// want says a line and wants exactly this answer.
func (b *bench) want(line string, answer string) {
	b.Helper()
	b.say(line + "\r\n")
	b.hear(answer)
}

// hear wants exactly this next.
func (b *bench) hear(text string) {
	b.Helper()
	b.host.SetReadDeadline(time.Now().Add(10 * time.Minute))
	got := make([]byte, len(text))
	n, err := io.ReadFull(b.host, got)
	if string(got[:n]) != text {
		b.Fatalf("heard %q, %v, want %q", got[:n], err, text)
	}
}

// command runs a command that has to work.
func (b *bench) command(line string) string {
	b.Helper()
	b.say(line + "\r\n")
	return b.until("OK\r\n")
}

// silent checks that the module has nothing more to say for a moment.
func (b *bench) silent() {
	b.Helper()
	b.host.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	buf := make([]byte, 4096)
	n, err := b.host.Read(buf)
	if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		b.Errorf("said %q as well (%v)", buf[:n], err)
	}
}
