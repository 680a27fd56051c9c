package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/matou-iot/matou/at/transcript"
	"github.com/matou-iot/matou/modem/virtual"
)

type modemRunCmd struct {
	Module string `arg:"" help:"Module: see 'matou modem list'."`

	PTY   string `name:"pty" xor:"port" help:"Make a pseudo-terminal, and this link to it." placeholder:"LINK"`
	TCP   string `name:"tcp" xor:"port" help:"Listen on a TCP port: one terminal at a time." placeholder:"ADDR"`
	Stdio bool   `xor:"port" help:"Use this terminal, or standard input and output; so it is if no port is named."`

	Wifi     []string `name:"wifi" sep:"none" help:"Wi-Fi in reach; may be given more than once. Without one, any name with any password is." placeholder:"SSID=PASSWORD"`
	Map      []string `sep:"none" help:"Where a host really is, as host or host:port; * and ? stand for any characters; may be given more than once." placeholder:"HOST=ADDR"`
	CAFile   string   `name:"cafile" help:"PEM file of the authorities in the module's flash, for commands that look at certificates; without it those of this machine." placeholder:"FILE"`
	Baud     int      `default:"115200" help:"Speed of the line; 0: as fast as possible." placeholder:"N"`
	Speed    float64  `default:"1" help:"How many times as fast as the real module it takes its time." placeholder:"X"`
	Firmware string   `help:"Version, or the beginning of one." placeholder:"V"`
	Quirk    []string `help:"Way in which units differ; may be given more than once." placeholder:"NAME"`
	Fault    []string `sep:"none" help:"What goes wrong: NAME[=VALUE][*TIMES][@AFTER]; may be given more than once." placeholder:"FAULT"`
	Seed     uint64   `default:"1" help:"Of chance: the same seed loses the same bytes." placeholder:"N"`
	State    string   `help:"File for what the module keeps without power: saved Wi-Fi, speed, contexts, files. Made if it is not there." placeholder:"FILE"`
	Record   string   `help:"Write the conversation to this file, as a transcript." placeholder:"FILE"`
	Verbose  bool     `short:"v" help:"Tell each command line and what goes over its connections."`
}

func (*modemRunCmd) Help() string {
	return `The module's line is a pseudo-terminal, a TCP port, or this terminal. Its packets
are real: they go where the AT commands say, or where --map sends them. Where it
says ERROR as the real one does, and no more, a note on standard error says why.

What goes wrong can be changed while it runs: type 'fault NAME', 'clear NAME',
'faults', 'reset' or 'help' here. With --stdio, press Ctrl-] first; there 'send
C0 00' types bytes that no key has.

Examples:
  matou modem run esp8266
  matou modem run esp8266 --pty /tmp/esp
    and in another terminal: picocom -b 115200 --omap crcrlf /tmp/esp
  matou modem run esp8266 --tcp 127.0.0.1:7000 --wifi 'home=12345678'
  matou modem run esp8266 --pty /tmp/esp --firmware 2 \
    --map '*.iot-as-mqtt.cn-shanghai.aliyuncs.com=127.0.0.1:1883'
  matou modem run esp8266 --tcp :7000 --fault dns-failure*1 --fault reset@30s
  matou modem run ec20 --pty /tmp/ec20 --map '*.aliyuncs.com=127.0.0.1:1883'
  matou modem run nt35e --tcp :7000 --quirk urc-before-ok --fault no-signal@60s
  matou modem run esp8266 --pty /tmp/esp --record session.at
  matou modem run esp8266 --pty /tmp/esp --state esp01.json`
}

func (c *modemRunCmd) Run(g *globals) error {
	o, err := c.options()
	if err != nil {
		return err
	}
	log := newModemLog(g, c)
	o.Observer = log.event
	state, err := openModemState(c.State, &o)
	if err != nil {
		return err
	}
	m, err := virtual.New(o)
	if err != nil {
		return state.explain(err)
	}
	state.of(m)
	rec, err := openRecording(c.Record)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(g.Ctx)
	defer cancel()
	port, err := c.open(g, m, rec, cancel)
	if err != nil {
		return err
	}
	var ended sync.WaitGroup
	ended.Go(func() { m.Run(ctx) }) // returns nil
	err = port.serve(ctx)
	cancel()
	ended.Wait()
	return errors.Join(err, state.close(), rec.close())
}

// options are what the flags say.
func (c *modemRunCmd) options() (virtual.Options, error) {
	o := virtual.Options{Model: c.Module, Firmware: c.Firmware, Quirks: c.Quirk, Baud: c.Baud, Speed: c.Speed, Seed: c.Seed}
	if c.Speed <= 0 {
		return o, usagef("--speed %v is not above 0", c.Speed)
	}
	if c.Baud != 0 && (c.Baud < 50 || c.Baud > 5_000_000) {
		return o, usagef("--baud %d is not from 50 to 5000000, nor 0", c.Baud)
	}
	if c.CAFile != "" {
		roots, err := readRoots(c.CAFile)
		if err != nil {
			return o, err
		}
		o.Roots = roots
	}
	for _, text := range c.Wifi {
		ap, err := virtual.ParseAccessPoint(text)
		if err != nil {
			return o, usagef("--wifi: %w", err)
		}
		o.AccessPoints = append(o.AccessPoints, ap)
	}
	for _, text := range c.Map {
		to, err := virtual.ParseMapping(text)
		if err != nil {
			return o, usagef("--map: %w", err)
		}
		o.Map = append(o.Map, to)
	}
	for _, text := range c.Fault {
		f, err := virtual.ParseFault(text)
		if err != nil {
			return o, usagef("--fault: %w", err)
		}
		o.Faults = append(o.Faults, f)
	}
	return o, nil
}

// readRoots reads the authorities of a PEM file.
func readRoots(name string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(name)
	if err != nil {
		return nil, usagef("--cafile: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, usagef("--cafile %s holds no PEM certificate", name)
	}
	return roots, nil
}

// A modemPort is where terminals come from. serve returns when they have ended
// for good.
type modemPort interface {
	serve(ctx context.Context) error
}

func (c *modemRunCmd) open(g *globals, m *virtual.Module, rec *modemRecord, quit func()) (modemPort, error) {
	console := &modemConsole{m: m, out: g.Stderr, quit: quit, chinese: g.chinese()}
	switch {
	case c.PTY != "":
		return openModemPTY(g, m, c.PTY, rec, console)
	case c.TCP != "":
		return openModemTCP(g, m, c.TCP, rec, console)
	}
	return &modemStdio{g: g, m: m, rec: rec, console: console}, nil
}

// modemPTY is one pseudo-terminal for the whole time: hosts come and go
// unnoticed.
type modemPTY struct {
	m   *virtual.Module
	pty *virtual.PTY
	rec *modemRecord
}

func openModemPTY(g *globals, m *virtual.Module, link string, rec *modemRecord, console *modemConsole) (*modemPTY, error) {
	p, err := virtual.OpenPTY(link)
	if err != nil {
		if errors.Is(err, os.ErrExist) {
			return nil, usagef("--pty: %w", err)
		}
		return nil, err
	}
	fmt.Fprintf(g.Stderr, "%s at %s, which is %s\n", m.Model().Title, link, p.Name)
	console.listen(g.Ctx, g.Stdin)
	return &modemPTY{m, p, rec}, nil
}

func (p *modemPTY) serve(ctx context.Context) error { return p.m.Attach(ctx, p.rec.on(p.pty)) }

// modemTCP is a port that takes one terminal after another. Who comes while
// somebody is there is told so, and sent away.
type modemTCP struct {
	g   *globals
	m   *virtual.Module
	ln  net.Listener
	rec *modemRecord
}

func openModemTCP(g *globals, m *virtual.Module, addr string, rec *modemRecord, console *modemConsole) (*modemTCP, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("--tcp %s: %w", addr, err)
	}
	fmt.Fprintf(g.Stderr, "%s at tcp %s\n", m.Model().Title, ln.Addr())
	console.listen(g.Ctx, g.Stdin)
	return &modemTCP{g, m, ln, rec}, nil
}

func (p *modemTCP) serve(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { p.ln.Close() })()
	var terminals sync.WaitGroup
	defer terminals.Wait()
	for {
		conn, err := p.ln.Accept()
		if err != nil {
			p.ln.Close()
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		terminals.Go(func() { p.attach(ctx, conn) })
	}
}

func (p *modemTCP) attach(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	from := conn.RemoteAddr()
	fmt.Fprintf(p.g.Stderr, "terminal from %s\n", from)
	err := p.m.Attach(ctx, p.rec.on(conn))
	switch {
	case errors.Is(err, virtual.ErrAttached):
		conn.SetWriteDeadline(time.Now().Add(time.Second))
		fmt.Fprintf(conn, "matou: %v\r\n", err)
		fmt.Fprintf(p.g.Stderr, "terminal from %s sent away: %v\n", from, err)
	case err != nil:
		fmt.Fprintf(p.g.Stderr, "terminal from %s: %v\n", from, err)
	default:
		fmt.Fprintf(p.g.Stderr, "terminal from %s has gone\n", from)
	}
}

// A modemRecord is the file of --record; nil without one.
type modemRecord struct {
	file *os.File

	mu  sync.Mutex
	all []*transcript.Recorder // of which the last writes
}

func openRecording(name string) (*modemRecord, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("--record: %w", err)
	}
	return &modemRecord{file: f}, nil
}

// A modemLine is the line to a host, recorded.
type modemLine struct {
	io.ReadWriter
	port io.ReadWriteCloser
}

func (l modemLine) Close() error { return l.port.Close() }

// Baud is the speed that the host has set, 0 if not known.
func (l modemLine) Baud() int {
	if p, ok := l.port.(interface{ Baud() int }); ok {
		return p.Baud()
	}
	return 0
}

// on records what goes over port.
func (r *modemRecord) on(port io.ReadWriteCloser) io.ReadWriter {
	if r == nil {
		return port
	}
	rec := transcript.Record(port, transcript.Module, r.file, time.Now)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, rec)
	return modemLine{rec, port}
}

func (r *modemRecord) close() error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, rec := range r.all {
		errs = append(errs, rec.Flush())
	}
	return errors.Join(append(errs, r.file.Close())...)
}
