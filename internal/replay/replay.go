// Package replay says to a broker what a recording says that a device said,
// and compares what the broker answers with what it answered then.
//
// It is given a connection and a recording: it opens neither. Packets are sent
// byte for byte as they were recorded, broken ones too; only a CONNECT that is
// to be signed again, packets that Options.Rewrite changes, and the
// acknowledgements of messages that this time come with other identifiers are
// made anew.
package replay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/matou-iot/matou/internal/recording"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// What is used where Options say nothing.
const (
	DefaultWait   = 5 * time.Second
	DefaultLinger = time.Second
)

// Options say how a recording is played.
type Options struct {
	// Speed 1 keeps the pauses of the recording, 10 makes them ten times as
	// short; at 0 there are none. Packets that are answered are waited for in
	// any case.
	Speed float64
	// Wait is how long an answer may take; 0 is DefaultWait.
	Wait time.Duration
	// Linger is how long to listen behind the last packet for messages that
	// the recording has and that have not come; 0 is DefaultLinger.
	Linger time.Duration
	// Rewrite changes packets of the device before they are sent, nil changes
	// none. It returns false for those that are to go out as recorded.
	Rewrite func(packet.Packet) (bool, error)
	// On is told of each step as it happens, nil is nobody.
	On func(Step)
}

// A Kind says what happened in a step.
type Kind string

// The kinds of steps.
const (
	Sent     Kind = "sent"
	Received Kind = "received"
	Answered Kind = "answered" // we acknowledged a message of the broker
	Skipped  Kind = "skipped"  // a packet of the recording that was not sent
	Missing  Kind = "missing"  // the recording has an answer that has not come
	Silent   Kind = "silent"   // a packet that needs an answer got none
	Closed   Kind = "closed"   // the broker closed the connection
)

// A Step is one thing that happened.
type Step struct {
	Kind     Kind          `json:"kind"`
	At       time.Duration `json:"at"` // since the beginning, in nanoseconds
	Bytes    packet.Hex    `json:"bytes,omitempty"`
	Recorded packet.Hex    `json:"recorded,omitempty"` // what the recording has in its place, where that differs
	Notes    []string      `json:"notes,omitempty"`    // why skipped, what was changed
	Differs  []string      `json:"differs,omitempty"`  // from the recorded answer, in words

	NotesZH   []string `json:"notesZh,omitempty"` // both in Chinese
	DiffersZH []string `json:"differsZh,omitempty"`
}

// A Result is how it went.
type Result struct {
	Sent        int             `json:"sent"`
	Received    int             `json:"received"`
	Differences int             `json:"differences"` // answers that differ or are missing
	Refused     *packet.Connack `json:"-"`           // the broker's refusal of the CONNECT
	Refusal     string          `json:"refusal,omitempty"`
	Connect     *packet.Connect `json:"-"`                 // as it was sent
	Dropped     bool            `json:"dropped,omitempty"` // the broker closed the connection before we said DISCONNECT
	Left        int             `json:"left,omitempty"`    // packets that were not sent because the connection had ended
	Version     mqtt.Version    `json:"version"`
}

// ErrNothing says that a recording has no packet of a device.
var ErrNothing = errors.New("the recording holds nothing that a device said")

// Play plays a recording on a connection, which it closes. The error is of
// the recording or of ctx; how the broker took it is the Result.
func Play(ctx context.Context, conn net.Conn, r *recording.Recording, o Options) (*Result, error) {
	if o.Wait <= 0 {
		o.Wait = DefaultWait
	}
	if o.Linger <= 0 {
		o.Linger = DefaultLinger
	}
	p := player{Options: o, conn: conn, began: time.Now(), came: make(chan arrival, maxArrivals), result: &Result{Version: mqtt.V311}}
	for _, x := range r.Packets() {
		if x.From == recording.Device {
			p.device = append(p.device, x)
		} else {
			p.expected = append(p.expected, expected{bytes: x.Bytes})
		}
	}
	if len(p.device) == 0 {
		conn.Close()
		return nil, ErrNothing
	}
	p.compares = len(p.expected) > 0
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	done := make(chan struct{})
	go func() { defer close(done); p.listen(ctx) }()
	err := p.play(ctx)
	conn.Close()
	cancel()
	<-done
	return p.result, err
}

const (
	maxArrivals = 64      // packets of the broker that wait to be looked at; then its socket waits
	maxAnswer   = 1 << 20 // bytes of one that are kept
)

// An arrival is what the broker sent, or its end.
type arrival struct {
	recording.Packet
	ended bool
}

type expected struct {
	bytes []byte
	came  bool
}

// A player plays one recording. All fields but came are the playing
// goroutine's.
type player struct {
	Options
	conn     net.Conn
	began    time.Time
	came     chan arrival
	device   []recording.Packet
	expected []expected
	compares bool // the recording has answers
	awaited  func(packet.Header, []byte) bool
	closed   bool
	parted   bool // we said DISCONNECT
	result   *Result
}

// listen cuts what the broker sends into packets.
func (p *player) listen(ctx context.Context) {
	c := recording.Cutter{Limit: maxAnswer}
	pass := func(a arrival) {
		select {
		case p.came <- a:
		case <-ctx.Done():
		}
	}
	buf := make([]byte, 16<<10)
	for {
		n, err := p.conn.Read(buf)
		c.Push(buf[:n], func(x recording.Packet) { pass(arrival{Packet: x}) })
		if err != nil {
			if rest, ok := c.Rest(); ok {
				pass(arrival{Packet: rest})
			}
			pass(arrival{ended: true})
			return
		}
	}
}

func (p *player) step(s Step) {
	s.At = time.Since(p.began)
	if p.On != nil {
		p.On(s)
	}
}

// play sends all packets of the device.
func (p *player) play(ctx context.Context) error {
	for i, x := range p.device {
		if p.Speed > 0 {
			due := time.Duration(float64(x.At-p.device[0].At) / p.Speed)
			p.until(ctx, p.began.Add(due), nil)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if p.closed || p.result.Refused != nil {
			p.result.Left = len(p.device) - i
			break
		}
		h, body, ok := take(x)
		if reason := p.skips(i, h, body, ok); reason != (words{}) {
			p.step(noted(Step{Kind: Skipped, Bytes: x.Bytes}, reason))
			continue
		}
		if err := p.send(x, h, body, ok); err != nil {
			return err
		}
		if p.closed {
			p.result.Left = len(p.device) - i
			break
		}
		p.parted = ok && h.Type == packet.TypeDisconnect
		if ok {
			if err := p.await(ctx, h, body); err != nil {
				return err
			}
		}
	}
	return p.end(ctx)
}

// take reads the header of a whole packet.
func take(x recording.Packet) (h packet.Header, body []byte, ok bool) {
	if x.Foreign || x.Short || x.Over > 0 {
		return h, nil, false
	}
	h, err := packet.ParseHeader(x.Bytes)
	if err != nil {
		return h, nil, false
	}
	return h, x.Bytes[h.Size:], true
}

// skips says why a packet is not sent, nothing if it is.
func (p *player) skips(i int, h packet.Header, body []byte, ok bool) (why words) {
	if !ok {
		return why
	}
	switch h.Type {
	case packet.TypePuback, packet.TypePubrec, packet.TypePubcomp:
		return saySkipAck
	case packet.TypeConnect:
		if i > 0 {
			return saySkipConnect
		}
	case packet.TypeDisconnect:
		if i < len(p.device)-1 {
			return saySkipBye
		}
	case packet.TypeConnack, packet.TypeSuback, packet.TypeUnsuback, packet.TypePingresp:
		return saySkipServer
	}
	return why
}

// send sends one packet, rewritten where that is wanted.
func (p *player) send(x recording.Packet, h packet.Header, body []byte, ok bool) error {
	out := Step{Kind: Sent, Bytes: x.Bytes}
	var pk packet.Packet
	if ok {
		pk, _ = packet.Decode(h, body, p.result.Version) // what does not decode is sent as it is
	}
	if pk != nil && p.Rewrite != nil {
		rewritten, err := p.Rewrite(pk)
		if err != nil {
			return err
		}
		if rewritten {
			b, err := pk.Append(nil, p.result.Version)
			if err != nil {
				return fmt.Errorf("write the %s anew: %w", h.Type, err)
			}
			out.Recorded, out.Bytes = x.Bytes, b
			out.note(words{
				fmt.Sprintf("written anew: %d bytes, recorded were %d", len(b), len(x.Bytes)),
				fmt.Sprintf("已重写：%d 字节，录制时为 %d 字节", len(b), len(x.Bytes)),
			})
		}
	}
	if c, is := pk.(*packet.Connect); is {
		p.result.Connect, p.result.Version = packet.Clone(c).(*packet.Connect), c.Version
	}
	if x.Short {
		out.note(sayEndsInside)
	}
	p.conn.SetWriteDeadline(time.Now().Add(p.Wait))
	if _, err := p.conn.Write(out.Bytes); err != nil {
		p.lost()
		return nil
	}
	p.result.Sent++
	p.step(out)
	return nil
}

func (p *player) lost() {
	if !p.closed {
		p.closed = true
		p.result.Dropped = !p.parted
		p.step(Step{Kind: Closed})
	}
}

// end listens for what is still to come and tells what has not.
func (p *player) end(ctx context.Context) error {
	p.until(ctx, time.Now().Add(p.Linger), func() bool { return p.complete() })
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, e := range p.expected {
		if !e.came {
			p.result.Differences++
			p.step(Step{Kind: Missing, Recorded: e.bytes})
		}
	}
	return nil
}

// complete reports whether nothing is left to wait for: all recorded answers
// have come. A recording without answers says nothing of the kind.
func (p *player) complete() bool {
	if !p.compares {
		return false
	}
	for _, e := range p.expected {
		if !e.came {
			return false
		}
	}
	return true
}

// until takes what comes until a moment, or until enough says so.
func (p *player) until(ctx context.Context, t time.Time, enough func() bool) {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	for !p.closed && (enough == nil || !enough()) {
		select {
		case a := <-p.came:
			p.take(a)
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}
