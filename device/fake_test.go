package device

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A cloud is the other side of a device's connection: a script of packets.
type cloud struct {
	t     *testing.T
	conns chan net.Conn
	conn  net.Conn
	r     *bufio.Reader
}

func newCloud(t *testing.T) *cloud { return &cloud{t: t, conns: make(chan net.Conn)} }

func (c *cloud) dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case c.conns <- ours:
		return theirs, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// start runs a device with the options until the test ends.
func (c *cloud) start(o Options, set func(*Device)) *Device {
	c.t.Helper()
	o.Dial = c.dial
	d, err := New(o)
	if err != nil {
		c.t.Fatal(err)
	}
	if set != nil {
		set(d)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	c.t.Cleanup(func() {
		if c.conn != nil {
			c.conn.Close()
		}
		cancel()
		if err := <-ended; err != nil {
			c.t.Errorf("Run = %v, want nil", err)
		}
	})
	return d
}

// accept takes a connection, lets it in and returns its CONNECT.
func (c *cloud) accept() *packet.Connect {
	c.t.Helper()
	c.conn = <-c.conns
	c.r = bufio.NewReader(c.conn)
	hello := c.read().(*packet.Connect)
	c.send(&packet.Connack{})
	return hello
}

// subscribed answers the SUBSCRIBE that must come now and returns its filters.
func (c *cloud) subscribed() (filters []string) {
	c.t.Helper()
	s, ok := c.read().(*packet.Subscribe)
	if !ok {
		c.t.Fatal("no SUBSCRIBE came")
	}
	for _, x := range s.Subscriptions {
		filters = append(filters, x.Filter)
	}
	c.send(&packet.Suback{ID: s.ID, Reasons: make([]mqtt.ReasonCode, len(filters))})
	return filters
}

// want takes the PUBLISH that must come now and acknowledges it.
func (c *cloud) want(topic, payload string) {
	c.t.Helper()
	p, ok := c.read().(*packet.Publish)
	if !ok || string(p.Topic) != topic || string(p.Payload) != payload {
		c.t.Fatalf("device sent %s\n%s, want %s\n%s", p.Topic, p.Payload, topic, payload)
	}
	c.send(&packet.Puback{ID: p.ID})
}

func (c *cloud) say(topic, payload string) {
	c.t.Helper()
	c.send(&packet.Publish{Topic: []byte(topic), Payload: []byte(payload)})
}

func (c *cloud) send(p packet.Packet) {
	c.t.Helper()
	b, err := p.Append(nil, mqtt.V311)
	if err == nil {
		_, err = c.conn.Write(b)
	}
	if err != nil {
		c.t.Fatalf("cloud: %v", err)
	}
}

// read takes the next packet; a device that says nothing for a minute has
// nothing to say.
func (c *cloud) read() packet.Packet {
	c.t.Helper()
	c.conn.SetReadDeadline(time.Now().Add(time.Minute))
	var b []byte
	h, err := packet.Header{}, packet.ErrIncomplete
	for errors.Is(err, packet.ErrIncomplete) {
		x, readErr := c.r.ReadByte()
		if readErr != nil {
			c.t.Fatalf("cloud: %v", readErr)
		}
		b = append(b, x)
		h, err = packet.ParseHeader(b)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	body := make([]byte, h.Remaining)
	if _, err := io.ReadFull(c.r, body); err != nil {
		c.t.Fatalf("cloud: %v", err)
	}
	p, err := packet.Decode(h, body, mqtt.V311)
	if err != nil {
		c.t.Fatalf("cloud: %v", err)
	}
	return p
}

// publish takes the PUBLISH that must come now and acknowledges it.
func (c *cloud) publish() *packet.Publish {
	c.t.Helper()
	p, ok := c.read().(*packet.Publish)
	if !ok {
		c.t.Fatal("no PUBLISH came")
	}
	c.send(&packet.Puback{ID: p.ID})
	return p
}

// flaky is a network on which nothing is reached.
type flaky struct{ err error }

func (f *flaky) dial(context.Context) (net.Conn, error) { return nil, f.err }
