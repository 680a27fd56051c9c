package broker_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// patience is how long a test waits for something that has to come.
const patience = time.Minute

// A house is a broker that serves on loopback, for one test.
type house struct {
	*broker.Broker
	t    *testing.T
	addr string
	stop func() error // ends Serve and Run and returns what Serve returned
}

// serve starts a broker. It is shut down, and has to end in good order, when
// the test ends.
func serve(t *testing.T, o broker.Options) *house {
	t.Helper()
	b, err := broker.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served, ran := make(chan error, 1), make(chan error, 1)
	go func() { served <- b.Serve(ctx, ln) }()
	go func() { ran <- b.Run(ctx) }()
	h := &house{Broker: b, t: t, addr: ln.Addr().String()}
	h.stop = sync.OnceValue(func() error {
		down, done := context.WithTimeout(context.Background(), patience)
		defer done()
		err := b.Shutdown(down)
		cancel()
		return errors.Join(err, <-served, <-ran)
	})
	t.Cleanup(func() {
		if err := h.stop(); err != nil {
			t.Errorf("the broker ended with %v", err)
		}
	})
	return h
}

// A peer is the other end of a connection, seen as bytes.
type peer struct {
	net.Conn
	t *testing.T
}

func (h *house) dial() *peer {
	h.t.Helper()
	nc, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	return newPeer(h.t, nc)
}

func newPeer(t *testing.T, nc net.Conn) *peer {
	nc.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { nc.Close() })
	return &peer{Conn: nc, t: t}
}

// wire reads bytes as tests write them: hex, with blanks, and 'text' in quotes.
func wire(t *testing.T, s string) (b []byte) {
	t.Helper()
	for i, part := range strings.Split(s, "'") {
		if i%2 == 1 {
			b = append(b, part...)
			continue
		}
		raw, err := hex.DecodeString(strings.Join(strings.Fields(part), ""))
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		b = append(b, raw...)
	}
	return b
}

func (p *peer) send(s string) {
	p.t.Helper()
	if _, err := p.Write(wire(p.t, s)); err != nil {
		p.t.Fatalf("send %s: %v", s, err)
	}
}

// want reads exactly the bytes of s.
func (p *peer) want(s string) {
	p.t.Helper()
	want := wire(p.t, s)
	got := make([]byte, len(want))
	n, err := io.ReadFull(p, got)
	if !bytes.Equal(got[:n], want) {
		p.t.Fatalf("got  % x (%q, %v)\nwant % x (%q)", got[:n], got[:n], err, want, want)
	}
}

// wantEnd reads the end of the connection.
func (p *peer) wantEnd() {
	p.t.Helper()
	rest, err := io.ReadAll(p)
	if len(rest) > 0 {
		p.t.Fatalf("got % x (%q) before the end of the connection", rest, rest)
	}
	if ne, ok := err.(net.Error); ok && ne.Timeout() {
		p.t.Fatalf("the connection is still open: %v", err)
	}
}

// wantSilence shows that nothing came before the answer to a PINGREQ.
func (p *peer) wantSilence() {
	p.t.Helper()
	p.send("c000")
	p.want("d000")
}

// connected dials and connects as MQTT 3.1.1 with a clean session.
func (h *house) connected(id string) *peer {
	h.t.Helper()
	p := h.dial()
	p.connect(&packet.Connect{ProtocolName: "MQTT", Version: mqtt.V311, CleanStart: true, ClientID: id}, "20020000")
	return p
}

// durable dials and connects as MQTT 3.1.1 with CleanSession 0.
func (h *house) durable(id string, present bool) *peer {
	h.t.Helper()
	p := h.dial()
	ack := "20020000"
	if present {
		ack = "20020100"
	}
	p.connect(&packet.Connect{ProtocolName: "MQTT", Version: mqtt.V311, ClientID: id}, ack)
	return p
}

// connected5 dials and connects as MQTT 5.0 with a clean start.
func (h *house) connected5(id string) *peer {
	h.t.Helper()
	p := h.dial()
	p.connect(&packet.Connect{ProtocolName: "MQTT", Version: mqtt.V5, CleanStart: true, ClientID: id}, "200e 00 00 0b 21 0400 22 0010 27 00100000")
	return p
}

func (p *peer) connect(c *packet.Connect, connack string) {
	p.t.Helper()
	b, err := c.Append(nil, c.Version)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.Write(b); err != nil {
		p.t.Fatal(err)
	}
	p.want(connack)
}

// put sends a packet as version v.
func (p *peer) put(v mqtt.Version, pk packet.Packet) {
	p.t.Helper()
	b, err := pk.Append(nil, v)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

// get reads the next packet as version v.
func (p *peer) get(v mqtt.Version) packet.Packet {
	p.t.Helper()
	var b []byte
	for {
		one := make([]byte, 1)
		if _, err := io.ReadFull(p, one); err != nil {
			p.t.Fatalf("after % x: %v", b, err)
		}
		b = append(b, one...)
		h, err := packet.ParseHeader(b)
		if err == packet.ErrIncomplete {
			continue
		}
		if err != nil {
			p.t.Fatalf("% x: %v", b, err)
		}
		body := make([]byte, h.Remaining)
		if _, err := io.ReadFull(p, body); err != nil {
			p.t.Fatal(err)
		}
		pk, err := packet.Decode(h, body, v)
		if err != nil {
			p.t.Fatalf("% x % x: %v", b, body, err)
		}
		return pk
	}
}

// subscribe subscribes as MQTT 3.1.1 and reads the SUBACK.
func (p *peer) subscribe(filter string, qos mqtt.QoS) {
	p.t.Helper()
	p.put(mqtt.V311, &packet.Subscribe{ID: 1, Subscriptions: []packet.Subscription{{Filter: filter, QoS: qos}}})
	p.want("9003 0001 0" + string('0'+byte(qos)))
}

// An event is a call of Rules.
type event struct {
	what   string // "connected", "closed", "rejected", "faulty", "publish"
	client *broker.Client
	cause  broker.Cause
	err    error
	raw    string
	topic  string
	body   string
}

// witness is Rules that admit everybody and write down what they are told.
type witness struct {
	broker.OpenRules
	events  chan event
	connect func(*packet.Connect, broker.Origin) (*broker.Grant, error)
	publish func(*broker.Client, *packet.Publish) broker.Decision
	sub     func(*broker.Client, packet.Subscription) mqtt.ReasonCode
}

func newWitness() *witness { return &witness{events: make(chan event, 1000)} }

func (w *witness) Connect(ctx context.Context, c *packet.Connect, from broker.Origin) (*broker.Grant, error) {
	if w.connect != nil {
		return w.connect(c, from)
	}
	return w.OpenRules.Connect(ctx, c, from)
}

func (w *witness) Subscribe(c *broker.Client, s packet.Subscription) mqtt.ReasonCode {
	if w.sub != nil {
		return w.sub(c, s)
	}
	return w.OpenRules.Subscribe(c, s)
}

func (w *witness) Publish(c *broker.Client, p *packet.Publish) broker.Decision {
	w.events <- event{what: "publish", client: c, topic: string(p.Topic), body: string(p.Payload)}
	if w.publish != nil {
		return w.publish(c, p)
	}
	return broker.Decision{}
}

func (w *witness) Connected(c *broker.Client) { w.events <- event{what: "connected", client: c} }

func (w *witness) Closed(c *broker.Client, why broker.Cause) {
	w.events <- event{what: "closed", client: c, cause: why}
}

func (w *witness) Rejected(_ broker.Origin, raw []byte, why error) {
	w.events <- event{what: "rejected", err: why, raw: string(raw)}
}

func (w *witness) Faulty(c *broker.Client, raw []byte, why error) {
	w.events <- event{what: "faulty", client: c, err: why, raw: string(raw)}
}

// next returns the next event, which has to be what.
func (w *witness) next(t *testing.T, what string) event {
	t.Helper()
	select {
	case e := <-w.events:
		if e.what != what {
			t.Fatalf("Rules were told %+v, want %s", e, what)
		}
		return e
	case <-time.After(patience):
		t.Fatalf("Rules were never told %s", what)
		return event{}
	}
}
