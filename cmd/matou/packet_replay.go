package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/recording"
	"github.com/matou-iot/matou/internal/replay"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/mqtt/packet"
)

type packetReplayCmd struct {
	Recording string  `arg:"" help:"Hex, or a file: pcap or pcapng, what packet capture wrote, a recorded serial line, a log or an article with hex in it, bytes; - is standard input." placeholder:"FILE|HEX|-"`
	List      bool    `help:"Only list the conversations that are in it."`
	Stream    int     `help:"Which of several conversations, by its number in the list." placeholder:"N"`
	Speed     float64 `help:"1 keeps the pauses of the recording, 10 makes them ten times as short; left out, there are none." placeholder:"FACTOR"`
	Wait      span    `help:"How long an answer may take." default:"5s"`
	Linger    span    `help:"How long to listen behind the last packet." default:"1s"`
	Fields    bool    `short:"v" help:"Show every field of every packet."`
	Secrets   bool    `help:"Show passwords and secrets in fields."`

	Resign bool      `group:"Signing" help:"Sign the CONNECT again: a fresh timestamp or token, lengths computed anew."`
	Secret string    `group:"Signing" help:"DeviceSecret, key or password to sign with; left out, the server is asked for it." env:"MATOU_REPLAY_SECRET" placeholder:"SECRET"`
	As     deviceRef `group:"Signing" help:"Speak for another device of the same vendor, in the CONNECT and in topics; implies --resign." placeholder:"PRODUCT/DEVICE"`

	serverFlags
	apiFlags
}

func (*packetReplayCmd) Help() string {
	return `Sends what the device sent, in order and byte for byte, and shows each answer
with its meaning and how it differs from the one in the recording. Old logins
are refused: --resign makes them new, with --secret or with what a Matou knows.
Messages that the broker sends are acknowledged with their own identifiers.
Exit code 1 means that the broker refused something or answered otherwise.

Examples:
  matou packet replay factory.pcapng --list
  matou packet replay factory.pcapng --stream 2 --resign --speed 1
  matou packet replay seed002.txt --resign --as VRqhDHF2wL/my_tv
  matou packet replay serial.log --host 192.168.1.10 --secret SECRET -v
  matou packet build ping | matou packet replay -`
}

func (c *packetReplayCmd) Run(g *globals) error {
	all, err := c.read(g.Stdin)
	if err != nil {
		return err
	}
	if c.List {
		return c.list(g, all)
	}
	r, err := c.choose(all)
	if err != nil {
		return err
	}
	if c.Speed < 0 {
		return usagef("--speed %v: time does not run backwards", c.Speed)
	}
	return c.play(g, r)
}

// read reads the argument: hex itself, or a file.
func (c *packetReplayCmd) read(stdin io.Reader) ([]recording.Recording, error) {
	if b, err := packet.ParseHex(c.Recording); err == nil {
		if _, no := os.Stat(c.Recording); no != nil {
			return []recording.Recording{{Name: "hex", Events: []recording.Event{{Data: b}}}}, nil
		}
	}
	content, err := readAll(c.Recording, stdin)
	if errors.Is(err, os.ErrNotExist) {
		return nil, usage("%q is neither hex nor a file", c.Recording)
	}
	if err != nil {
		return nil, err
	}
	all, err := recording.Read(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Recording, err)
	}
	return all, nil
}

// A talk is a conversation as the list shows it.
type talk struct {
	Number  int      `json:"number"`
	Name    string   `json:"name"`
	Client  string   `json:"client,omitempty"` // client id of its CONNECT
	Sent    int      `json:"sent"`             // packets of the device
	Answers int      `json:"answers"`
	Seconds float64  `json:"seconds"`
	Notes   []string `json:"notes,omitempty"`
}

func (c *packetReplayCmd) list(g *globals, all []recording.Recording) error {
	talks := make([]talk, 0, len(all))
	for i := range all {
		t := talk{Number: i + 1, Name: all[i].Name, Notes: all[i].Notes}
		for _, p := range all[i].Packets() {
			if p.From == recording.Broker {
				t.Answers++
				continue
			}
			t.Sent++
			if hello := connectOf(p.Bytes); hello != nil && t.Client == "" {
				t.Client = hello.ClientID
			}
			t.Seconds = p.At.Seconds()
		}
		talks = append(talks, t)
	}
	return g.emit(talks, func(w io.Writer) {
		t := table{{"N", "CONVERSATION", "CLIENT ID", "SENT", "ANSWERS", "SECONDS", "NOTES"}}
		for _, x := range talks {
			t.add(fmt.Sprint(x.Number), x.Name, x.Client, fmt.Sprint(x.Sent), fmt.Sprint(x.Answers), fmt.Sprintf("%.3f", x.Seconds), strings.Join(x.Notes, "; "))
		}
		t.print(w)
	})
}

// connectOf reads one whole CONNECT, nil for anything else.
func connectOf(b []byte) *packet.Connect {
	h, err := packet.ParseHeader(b)
	if err != nil || h.Type != packet.TypeConnect || h.Size+h.Remaining != len(b) {
		return nil
	}
	var c packet.Connect
	if c.Decode(h, b[h.Size:], 0) != nil {
		return nil
	}
	return &c
}

// choose finds the conversation to play.
func (c *packetReplayCmd) choose(all []recording.Recording) (*recording.Recording, error) {
	switch {
	case c.Stream < 0 || c.Stream > len(all):
		return nil, usagef("--stream %d: there are %d, numbered from 1", c.Stream, len(all))
	case c.Stream > 0:
		return &all[c.Stream-1], nil
	case len(all) > 1:
		return nil, usagef("there are %d conversations in it: choose one with --stream; --list shows them", len(all))
	}
	return &all[0], nil
}

func (c *packetReplayCmd) play(g *globals, r *recording.Recording) error {
	address, err := c.address()
	if err != nil {
		return err
	}
	dial, err := c.dialer(address)
	if err != nil {
		return err
	}
	o := replay.Options{Speed: c.Speed, Wait: time.Duration(c.Wait), Linger: time.Duration(c.Linger)}
	if c.Resign || c.Secret != "" || c.As.Device != "" {
		s, err := c.signer(g, client.Secure(address))
		if err != nil {
			return err
		}
		o.Rewrite = s.Rewrite
	}
	conn, err := dial(g.Ctx)
	if err != nil {
		return unreachable(err, address)
	}
	show := &screen{w: g.Stdout, fields: c.Fields, secrets: c.Secrets, chinese: g.chinese(), version: mqtt.V311}
	report := replayReport{Notes: r.Notes, Steps: []replay.Step{}}
	for _, n := range r.Notes {
		fmt.Fprintf(g.Stderr, "matou: %s\n", n)
	}
	o.On = func(s replay.Step) {
		if !g.JSON {
			show.step(s)
		} else if len(report.Steps) < maxReported {
			report.Steps = append(report.Steps, show.redacted(s))
		} else {
			report.More++
		}
	}
	report.Result, err = replay.Play(g.Ctx, conn, r, o)
	if err != nil {
		return err
	}
	if report.Refused != nil && report.Connect != nil {
		report.Why = c.why(g, report.Result, client.Secure(address))
	}
	if err := g.emit(report, func(w io.Writer) { report.print(w, r.Answers(), g.chinese()) }); err != nil {
		return err
	}
	if report.Refused != nil || report.Differences > 0 || report.Left > 0 || report.Dropped {
		return exitCode(exitFailed)
	}
	return nil
}

// maxReported bounds the steps of the JSON report.
const maxReported = 100_000

// A replayReport is how a replay went.
type replayReport struct {
	*replay.Result
	Why   *verdict      `json:"why,omitempty"`
	Notes []string      `json:"notes,omitempty"`
	Steps []replay.Step `json:"steps"`
	More  int           `json:"moreSteps,omitempty"`
}

func (r *replayReport) print(w io.Writer, compared, chinese bool) {
	if chinese {
		r.printZH(w, compared)
		return
	}
	fmt.Fprintf(w, "\n%s sent, %s received", count(r.Sent, "packet", "packets"), count(r.Received, "packet", "packets"))
	switch {
	case r.Differences > 0:
		fmt.Fprintf(w, ", %s from the recording", count(r.Differences, "difference", "differences"))
	case compared:
		fmt.Fprint(w, ", as recorded")
	}
	if r.Left > 0 {
		fmt.Fprintf(w, "; %s of the recording not sent: the connection had ended", count(r.Left, "packet", "packets"))
	}
	if r.Dropped && r.Refused == nil {
		fmt.Fprint(w, "; the broker closed the connection by itself")
	}
	fmt.Fprintln(w)
	if r.Why != nil {
		r.Why.tell(w, "", false)
	}
}

func (r *replayReport) printZH(w io.Writer, compared bool) {
	fmt.Fprintf(w, "\n发送 %d 个报文，收到 %d 个", r.Sent, r.Received)
	switch {
	case r.Differences > 0:
		fmt.Fprintf(w, "，与录制有 %d 处不同", r.Differences)
	case compared:
		fmt.Fprint(w, "，与录制一致")
	}
	if r.Left > 0 {
		fmt.Fprintf(w, "；录制中还有 %d 个报文未发送：连接已结束", r.Left)
	}
	if r.Dropped && r.Refused == nil {
		fmt.Fprint(w, "；服务器主动关闭了连接")
	}
	fmt.Fprintln(w)
	if r.Why != nil {
		r.Why.tell(w, "", true)
	}
}

// why explains a refusal: through the server where it is on this machine or
// was named, else from the bytes.
func (c *packetReplayCmd) why(g *globals, r *replay.Result, secure bool) *verdict {
	sent, err := r.Connect.Append(nil, 0)
	if err != nil {
		return nil
	}
	server, err := c.open(g)
	if err != nil || server.token == "" || !isLoopback(hostOf(&c.serverFlags)) && c.Token == "" {
		server = nil
	}
	return judge(g.Ctx, server, sent, r.Connect, secure)
}

// hostOf is the host of the broker.
func hostOf(f *serverFlags) string {
	address, err := f.address()
	if err != nil {
		return ""
	}
	_, host, _ := strings.Cut(address, "://")
	host, _, _ = strings.Cut(host, "/")
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return strings.Trim(host, "[]")
}

// signer signs with the secret that was given, or with that of the server.
func (c *packetReplayCmd) signer(g *globals, secure bool) (*replay.Signer, error) {
	s := &replay.Signer{As: replay.Identity{Product: c.As.Product, Device: c.As.Device}, TLS: secure, Now: time.Now()}
	if c.Secret != "" {
		s.Key = func(replay.Identity) (string, error) { return c.Secret, nil }
		return s, nil
	}
	r, err := c.open(g)
	if err != nil {
		return nil, err
	}
	s.Key = func(id replay.Identity) (string, error) {
		var d gadget
		if err := r.call("GET", deviceRef{id.Product, id.Device}.at(), query("secrets", "true"), nil, &d); err != nil {
			return "", fmt.Errorf("ask %s for the secret of %s/%s: %w\nGive it with --secret", r.base, id.Product, id.Device, err)
		}
		if d.Secret == "" {
			return "", fmt.Errorf("%s/%s has no secret at %s: give one with --secret", id.Product, id.Device, r.base)
		}
		return d.Secret, nil
	}
	return s, nil
}

// unreachable says what somebody can do whom no broker answers.
func unreachable(err error, address string) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("no connection to %s: %w\nName the broker with --url, or with --host and --port", address, err)
}

// A screen writes packets for people as they go by.
type screen struct {
	w       io.Writer
	fields  bool
	secrets bool
	chinese bool
	version mqtt.Version
}

const (
	margin = "             " // under a line's summary
)

// step writes one step of a replay.
func (v *screen) step(s replay.Step) {
	arrow := map[replay.Kind]string{replay.Sent: "→", replay.Answered: "→", replay.Received: "←", replay.Missing: "✗", replay.Skipped: "-", replay.Silent: "!", replay.Closed: "×"}[s.Kind]
	line := ""
	x := v.explain(s.Bytes)
	switch s.Kind {
	case replay.Missing:
		line = v.say("missing: ", "缺少：") + v.summary(v.explain(s.Recorded))
	case replay.Closed:
		line = v.say("the broker closed the connection", "服务器关闭了连接")
	case replay.Skipped:
		line = v.say("not sent: ", "未发送：") + v.summary(x)
	case replay.Silent:
	default:
		line = v.summary(x)
	}
	notes, differs := s.Notes, s.Differs
	if v.chinese {
		notes, differs = s.NotesZH, s.DiffersZH
	}
	if line == "" && len(notes) > 0 {
		line, notes = notes[0], notes[1:]
	}
	fmt.Fprintf(v.w, "%9.3f  %s  %s\n", s.At.Seconds(), arrow, line)
	v.detail(x, s.Bytes)
	for _, n := range notes {
		fmt.Fprintf(v.w, "%s%s\n", margin, visible(n))
	}
	for _, d := range differs {
		fmt.Fprintf(v.w, "%s≠ %s\n", margin, visible(d))
	}
}

// say chooses the words of the language.
func (v *screen) say(en, zh string) string { return choose(v.chinese, en, zh) }

// explain annotates bytes of the conversation, without its secrets, and learns
// its version.
func (v *screen) explain(b []byte) *packet.Explanation {
	if !v.secrets {
		b, _ = recording.Redact(b, v.version)
	}
	x := packet.Explain(b, v.version)
	if !x.Guessed {
		v.version = x.Version
	}
	return x
}

func (v *screen) summary(x *packet.Explanation) string {
	var all []string
	for _, p := range x.Packets {
		all = append(all, visible(v.say(p.Summary, p.SummaryZH)))
	}
	return strings.Join(all, v.say("; ", "；"))
}

// detail writes all fields, or at least what is wrong and what a message says.
func (v *screen) detail(x *packet.Explanation, b []byte) {
	if len(b) == 0 {
		return
	}
	if v.fields {
		for line := range strings.Lines(explained(x, v.chinese)) {
			if strings.HasPrefix(line, " ") {
				fmt.Fprint(v.w, "      ", visible(strings.TrimRight(line, "\n")), "\n")
			}
		}
		return
	}
	for _, p := range x.Packets {
		for _, f := range p.Fields {
			if f.Name == "payload" && len(f.Bytes) > 0 {
				fmt.Fprintf(v.w, "%s%s\n", margin, visible(v.say(f.Meaning, f.MeaningZH)))
			}
		}
		for _, f := range p.Faults {
			fmt.Fprintf(v.w, "%s! %s\n", margin, v.say(f.What+": "+f.Fix, f.WhatZH+"："+f.FixZH))
		}
	}
}

// redacted is a step for a report.
func (v *screen) redacted(s replay.Step) replay.Step {
	if v.secrets {
		return s
	}
	b, _ := recording.Redact(s.Bytes, v.version)
	r, _ := recording.Redact(s.Recorded, v.version)
	s.Bytes, s.Recorded = bytes.Clone(b), bytes.Clone(r)
	if len(s.Bytes) == 0 {
		s.Bytes = nil
	}
	if len(s.Recorded) == 0 {
		s.Recorded = nil
	}
	return s
}
