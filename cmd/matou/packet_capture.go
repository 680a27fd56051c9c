package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/recording"
	"github.com/matou-iot/matou/internal/tap"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/mqtt/packet"
)

type packetCaptureCmd struct {
	Listen      string `help:"Address that devices connect to, without TLS." default:"127.0.0.1:1884" placeholder:"ADDRESS"`
	To          string `required:"" help:"Broker: host, host:port, mqtt://host, mqtts://host, ws://host/mqtt or wss://host/mqtt." placeholder:"BROKER"`
	CAFile      string `name:"cafile" help:"PEM file of the authorities to trust." placeholder:"FILE"`
	Insecure    bool   `help:"Accept any certificate of the broker."`
	Out         string `short:"o" help:"File to record to: .pcap for Wireshark, .at for a transcript a connection, .jsonl for lines of JSON." placeholder:"FILE"`
	MaxSize     int64  `help:"Bytes that are recorded at most; the rest is only shown." default:"268435456" placeholder:"BYTES"`
	Connections int    `help:"Devices that may be connected at once." default:"64" placeholder:"N"`
	For         span   `help:"How long; left out, until it is interrupted." placeholder:"TIME"`
	Fields      bool   `short:"v" help:"Show every field of every packet."`
	Secrets     bool   `help:"Show and record passwords and secrets; left out, they are overwritten with *."`

	apiFlags
}

func (*packetCaptureCmd) Help() string {
	return `Point the device at this machine in place of its broker. Every byte is passed on
as it comes, and shown with its meaning. A refused login is explained: by the
doctor where Matou is the broker, else from the bytes. With --json each packet
is a line. What was recorded is played again by matou packet replay.

Examples:
  matou packet capture --to 127.0.0.1:1883
  matou packet capture --listen :1884 --to mqtts://broker.example.com -o lamp.pcap
  matou packet capture --listen :1884 --to 192.168.1.10 -o lamp.jsonl --for 10m -v`
}

func (c *packetCaptureCmd) Run(g *globals) error {
	to := serverFlags{URL: c.To, CAFile: c.CAFile, Insecure: c.Insecure}
	if !strings.Contains(to.URL, "://") {
		to.URL = "mqtt://" + to.URL
	}
	dial, err := to.dialer(to.URL)
	if err != nil {
		return usagef("--to %q: %s", c.To, strings.TrimPrefix(err.Error(), "--url: "))
	}
	if c.Connections < 1 {
		return usagef("--connections %d: at least 1", c.Connections)
	}
	out, err := c.recorder(g)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("%w; choose another address with --listen", err)
	}
	ctx := g.Ctx
	if c.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(c.For))
		defer cancel()
	}
	v := &captureView{c: c, g: g, ctx: ctx, to: &to, out: out, open: map[int]*tapped{}}
	if server, err := c.open(g); err == nil && server.token != "" && (isLoopback(hostOf(&to)) || c.Token != "") {
		v.matou = server
	}
	fmt.Fprintf(g.Stderr, "matou: devices connect to %s, and are passed on to %s; Ctrl+C ends it\n", ln.Addr(), to.URL)
	err = tap.Serve(ctx, ln, tap.Options{Dial: dial, Connections: c.Connections, On: v.on})
	return errors.Join(err, v.end())
}

// A captureView shows and records what goes by.
type captureView struct {
	c     *packetCaptureCmd
	g     *globals
	ctx   context.Context
	to    *serverFlags
	matou *rest // the broker's API, nil where it is no Matou
	out   *recorder
	open  map[int]*tapped

	connections, packets int
}

// tapped is one connection.
type tapped struct {
	screen
	hello []byte // its CONNECT
}

// on takes one event after another.
func (v *captureView) on(e tap.Event) {
	at := e.Time.Local().Format("15:04:05.000")
	switch e.Kind {
	case tap.Opened:
		v.connections++
		v.open[e.Connection] = &tapped{screen: screen{w: v.g.Stdout, fields: v.c.Fields, secrets: v.c.Secrets, chinese: v.g.chinese(), version: mqtt.V311}}
		v.out.do(func(w recording.Writer) error { return w.Open(e.Connection, e.Device, e.Broker, e.Time) })
		v.say("%s  #%d  %s connected", "%s  #%d  %s 已连接", at, e.Connection, e.Device)
	case tap.Packet:
		v.packets++
		v.packet(at, e)
	case tap.Closed:
		delete(v.open, e.Connection)
		v.out.do(func(w recording.Writer) error { return w.Close(e.Connection, e.From, e.Time) })
		v.say("%s  #%d  closed by the %s", "%s  #%d  连接由%s关闭", at, e.Connection, v.party(e.From))
	case tap.TurnedAway:
		v.say("%s  #%d  %s turned away: %d are connected already (--connections)", "%s  #%d  %s 被拒绝：已有 %d 个连接（--connections）", at, e.Connection, e.Device, v.c.Connections)
	case tap.Unreached:
		v.say("%s  #%d  %s: the broker cannot be reached: %v", "%s  #%d  %s：无法连接服务器：%v", at, e.Connection, e.Device, e.Err)
	}
}

// party is a side of the conversation, as people are told.
func (v *captureView) party(s recording.Side) string {
	if !v.g.chinese() {
		return s.String()
	}
	return map[recording.Side]string{recording.Device: "设备", recording.Broker: "服务器"}[s]
}

// say tells people what is no packet.
func (v *captureView) say(format, formatZH string, args ...any) {
	if v.g.chinese() {
		format = formatZH
	}
	w := v.g.Stdout
	if v.g.JSON {
		w = v.g.Stderr
	}
	fmt.Fprintf(w, format+"\n", args...)
}

// A capturedLine is a packet in JSON, with the reason of a refusal.
type capturedLine struct {
	recording.Line
	Why *verdict `json:"why,omitempty"`
}

func (v *captureView) packet(at string, e tap.Event) {
	s := v.open[e.Connection]
	p := e.Packet
	if p.From == recording.Device && connectOf(p.Bytes) != nil {
		s.hello = p.Bytes
	}
	why := v.why(s, p)
	redacted := false
	if !v.c.Secrets {
		p.Bytes, redacted = recording.Redact(p.Bytes, s.version)
	}
	x := s.explain(p.Bytes)
	v.out.do(func(w recording.Writer) error { return w.Write(e.Connection, p, redacted, e.Time) })
	if v.g.JSON {
		l := capturedLine{Line: recording.Describe(p, s.version), Why: why}
		l.Time, l.Connection, l.Redacted = e.Time, e.Connection, redacted
		recording.WriteLine(v.g.Stdout, l)
		return
	}
	arrow := "→"
	if p.From == recording.Broker {
		arrow = "←"
	}
	line := s.summary(x)
	switch {
	case p.Short:
		line = s.say("cut off: ", "不完整：") + line
	case p.Over > 0:
		line += fmt.Sprintf(s.say(" and %d bytes more", "，另有 %d 字节"), p.Over)
	}
	fmt.Fprintf(v.g.Stdout, "%s  #%d  %s  %s\n", at, e.Connection, arrow, line)
	s.detail(x, p.Bytes)
	if why != nil {
		why.tell(v.g.Stdout, margin, v.g.chinese())
	}
}

// why explains a CONNACK that refuses, nil for anything else.
func (v *captureView) why(s *tapped, p recording.Packet) *verdict {
	if p.From != recording.Broker || len(p.Bytes) == 0 || packet.Type(p.Bytes[0]>>4) != packet.TypeConnack || s.hello == nil {
		return nil
	}
	h, err := packet.ParseHeader(p.Bytes)
	var ack packet.Connack
	if err != nil || h.Size+h.Remaining != len(p.Bytes) || ack.Decode(h, p.Bytes[h.Size:], s.version) != nil || !ack.Reason.Failed() {
		return nil
	}
	return judge(v.ctx, v.matou, s.hello, connectOf(s.hello), client.Secure(v.to.URL))
}

func (v *captureView) end() error {
	fmt.Fprintf(v.g.Stderr, "matou: %s, %s\n", count(v.connections, "connection", "connections"), count(v.packets, "packet", "packets"))
	return v.out.close()
}

// A recorder writes the file of a capture, up to its greatest size.
type recorder struct {
	g     *globals
	name  string
	left  int64
	w     recording.Writer // nil: nothing is recorded, or no more
	files []*os.File
	err   error
}

// recorder opens the file that --out names; without one it records nothing.
func (c *packetCaptureCmd) recorder(g *globals) (*recorder, error) {
	r := &recorder{g: g, name: c.Out, left: c.MaxSize}
	if c.Out == "" {
		return r, nil
	}
	ext := filepath.Ext(c.Out)
	kind := strings.ToLower(ext)
	switch kind {
	case ".at", ".txt":
		r.w = recording.NewTranscript(func(n int) (io.Writer, error) {
			if n > 1 {
				return r.create(fmt.Sprintf("%s-%d%s", strings.TrimSuffix(c.Out, ext), n, ext))
			}
			return r.create(c.Out)
		})
		return r, nil
	case ".pcap", ".jsonl":
	default:
		return nil, usagef("--out %s: name it .pcap, .at or .jsonl", c.Out)
	}
	f, err := r.create(c.Out)
	if err != nil {
		return nil, err
	}
	if kind == ".jsonl" {
		r.w = recording.NewJSONLines(f)
		return r, nil
	}
	r.w, err = recording.NewPCAP(f)
	return r, err
}

// errFull says that a recording has its greatest size.
var errFull = errors.New("the recording has its greatest size (--max-size)")

// create makes a file that counts into the greatest size. It may hold
// payloads that are nobody else's business.
func (r *recorder) create(name string) (io.Writer, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	r.files = append(r.files, f)
	return counted{r, f}, nil
}

type counted struct {
	r *recorder
	w io.Writer
}

func (c counted) Write(b []byte) (int, error) {
	if int64(len(b)) > c.r.left {
		return 0, errFull
	}
	c.r.left -= int64(len(b))
	return c.w.Write(b)
}

// do records something; the first error ends the recording, not the capture.
func (r *recorder) do(f func(recording.Writer) error) {
	if r.w == nil {
		return
	}
	if err := f(r.w); err != nil {
		r.w, r.err = nil, fmt.Errorf("record to %s: %w", r.name, err)
		fmt.Fprintf(r.g.Stderr, "matou: %v; nothing more is recorded\n", r.err)
	}
}

func (r *recorder) close() error {
	for _, f := range r.files {
		if err := f.Close(); err != nil && r.err == nil {
			r.err = err
		}
	}
	if errors.Is(r.err, errFull) { // that was asked for
		return nil
	}
	return r.err
}
