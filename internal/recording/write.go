package recording

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/matou-iot/matou/at/transcript"
	"github.com/matou-iot/matou/internal/recording/pcap"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A Writer keeps conversations as they happen. It is for one goroutine.
type Writer interface {
	// Open begins a connection; numbers are never used again.
	Open(connection int, device, broker netip.AddrPort, t time.Time) error
	// Write keeps a packet of a connection that was opened, or bytes that are
	// none. redacted says that secrets in it were overwritten.
	Write(connection int, p Packet, redacted bool, t time.Time) error
	// Close ends a connection, by whose wish.
	Close(connection int, by Side, t time.Time) error
}

// NewPCAP writes a capture that Wireshark and its like can read: the packets
// dressed up as TCP. Bytes of a packet that were not kept become zeros, so
// that lengths stay right.
func NewPCAP(w io.Writer) (Writer, error) {
	p, err := pcap.NewWriter(w)
	return &pcapWriter{p, map[int]*pcap.Connection{}}, err
}

type pcapWriter struct {
	w    *pcap.Writer
	open map[int]*pcap.Connection
}

func (w *pcapWriter) Open(n int, device, broker netip.AddrPort, t time.Time) (err error) {
	// A transport without addresses gets some from the documentation's range,
	// with the number in the port.
	if !device.IsValid() {
		device = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 2}), uint16(1024+n%60000))
	}
	if !broker.IsValid() {
		broker = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), mqtt.Port)
	}
	w.open[n], err = w.w.Open(device, broker, t)
	return err
}

func (w *pcapWriter) Write(n int, p Packet, _ bool, t time.Time) error {
	c := w.open[n]
	if c == nil {
		return fmt.Errorf("write a packet of connection %d, which was not opened", n)
	}
	if err := c.Write(p.From == Broker, p.Bytes, t); err != nil {
		return err
	}
	zeros := make([]byte, min(p.Over, 64<<10))
	for left := p.Over; left > 0; left -= len(zeros) {
		if err := c.Write(p.From == Broker, zeros[:min(left, len(zeros))], t); err != nil {
			return err
		}
	}
	return nil
}

func (w *pcapWriter) Close(n int, by Side, t time.Time) error {
	c := w.open[n]
	delete(w.open, n)
	if c == nil {
		return nil
	}
	return c.Close(by == Broker, t)
}

// NewJSONLines writes a Line for each packet.
func NewJSONLines(w io.Writer) Writer { return &lineWriter{w, map[int]mqtt.Version{}} }

type lineWriter struct {
	w       io.Writer
	version map[int]mqtt.Version
}

func (w *lineWriter) Open(n int, _, _ netip.AddrPort, _ time.Time) error {
	w.version[n] = mqtt.V311
	return nil
}

func (w *lineWriter) Write(n int, p Packet, redacted bool, t time.Time) error {
	l := Describe(p, w.version[n])
	if c := l.speaks; c != 0 {
		w.version[n] = c
	}
	l.Time, l.Connection, l.Redacted = t, n, redacted
	return WriteLine(w.w, l)
}

func (w *lineWriter) Close(n int, _ Side, _ time.Time) error {
	delete(w.version, n)
	return nil
}

// WriteLine writes one line of JSON.
func WriteLine(w io.Writer, l any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(l); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// Describe makes a Line of a packet, read as version v.
func Describe(p Packet, v mqtt.Version) Line {
	l := Line{From: p.From, Bytes: p.Bytes, Over: p.Over}
	x := packet.Explain(p.Bytes, v)
	if len(x.Packets) > 0 {
		l.Summary = x.Packets[0].Summary
		if !p.Foreign {
			l.Type = x.Packets[0].Type
		}
		if !x.Guessed {
			l.speaks = x.Version
		}
	}
	return l
}

// NewTranscript writes a transcript for each connection, as it holds one
// conversation: file opens the one of a connection.
func NewTranscript(file func(connection int) (io.Writer, error)) Writer {
	return &transcriptWriter{file, map[int]*script{}}
}

type transcriptWriter struct {
	file func(int) (io.Writer, error)
	open map[int]*script
}

// A script is one transcript.
type script struct {
	w     io.Writer
	began time.Time
}

func (w *transcriptWriter) Open(n int, device, broker netip.AddrPort, t time.Time) error {
	f, err := w.file(n)
	if err != nil {
		return err
	}
	w.open[n] = &script{f, t}
	_, err = fmt.Fprintf(f, "# %s → %s, %s\n", device, broker, t.UTC().Format(time.RFC3339Nano))
	return err
}

func (w *transcriptWriter) Write(n int, p Packet, redacted bool, t time.Time) error {
	s := w.open[n]
	if s == nil {
		return fmt.Errorf("write a packet of connection %d, which was not opened", n)
	}
	l := transcript.Line{Time: max(0, t.Sub(s.began)).Truncate(time.Millisecond), Mark: transcript.Host, Parts: []transcript.Part{{Bytes: p.Bytes}}}
	if p.From == Broker {
		l.Mark = transcript.Module
	}
	note := ""
	if redacted {
		note = "# " + redactedNote + "\n"
	}
	if p.Over > 0 {
		note += fmt.Sprintf("# %d more bytes of this packet were not kept\n", p.Over)
	}
	_, err := io.WriteString(s.w, note+l.String()+"\n")
	return err
}

func (w *transcriptWriter) Close(n int, by Side, t time.Time) error {
	s := w.open[n]
	delete(w.open, n)
	if s == nil {
		return nil
	}
	_, err := fmt.Fprintf(s.w, "# closed by the %s after %v\n", by, t.Sub(s.began).Round(time.Millisecond))
	return err
}
