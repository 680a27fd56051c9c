package virtual

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/matou-iot/matou/modem/modemtest"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A world is a Network of peers that behave as told, and of clients of the
// module's own servers.
type world struct {
	modemtest.World
	serve chan net.Conn // connections to the module's own port
}

func newWorld() *world { return &world{serve: make(chan net.Conn)} }

// behave places a peer that behaves as a text says.
func (w *world) behave(address, text string) error {
	serve, err := behaviour(text)
	if err != nil {
		return err
	}
	w.Put(address, serve)
	return nil
}

func (w *world) Listen(context.Context, int) (net.Listener, error) {
	return &doorway{conns: w.serve, closed: make(chan struct{})}, nil
}

func (w *world) ListenPacket(context.Context, int) (net.PacketConn, error) {
	return newDatagrams(), nil
}

// A doorway is the module's server as its clients see it.
type doorway struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (d *doorway) Accept() (net.Conn, error) {
	select {
	case c := <-d.conns:
		return c, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}
func (d *doorway) Close() error   { d.once.Do(func() { close(d.closed) }); return nil }
func (d *doorway) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 333} }

// enter connects a client from outside to the module's server.
func (w *world) enter() net.Conn {
	ours, theirs := net.Pipe()
	w.serve <- theirs
	return ours
}

// datagrams echoes every datagram.
type datagrams struct {
	net.PacketConn
	back   chan datagram
	once   sync.Once
	closed chan struct{}
}

type datagram struct {
	data []byte
	from net.Addr
}

func newDatagrams() *datagrams {
	return &datagrams{back: make(chan datagram, 8), closed: make(chan struct{})}
}

func (d *datagrams) WriteTo(b []byte, to net.Addr) (int, error) {
	d.back <- datagram{append([]byte(nil), b...), to}
	return len(b), nil
}

func (d *datagrams) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case g := <-d.back:
		return copy(b, g.data), g.from, nil
	case <-d.closed:
		return 0, nil, net.ErrClosed
	}
}
func (d *datagrams) Close() error        { d.once.Do(func() { close(d.closed) }); return nil }
func (d *datagrams) LocalAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1112} }

// behaviour makes a peer from a word and what follows it.
func behaviour(text string) (func(net.Conn), error) {
	word, rest, _ := strings.Cut(text, " ")
	switch word {
	case "silent":
		return func(c net.Conn) { io.Copy(io.Discard, c) }, nil
	case "echo":
		return func(c net.Conn) { io.Copy(c, c) }, nil
	case "say": // what follows, at once
		return func(c net.Conn) { io.WriteString(c, rest); io.Copy(io.Discard, c) }, nil
	case "close": // after the first bytes
		return func(c net.Conn) { c.Read(make([]byte, 4096)) }, nil
	case "mqtt":
		return broker, nil
	}
	return nil, fmt.Errorf("no behaviour %q", word)
}

// broker is as much of an MQTT server as one conversation needs.
func broker(c net.Conn) {
	for {
		p, err := modemtest.ReadPacket(c)
		if err != nil || !brokerAnswer(c, p) {
			return
		}
	}
}

func brokerAnswer(c net.Conn, p packet.Packet) bool {
	var answer packet.Packet
	switch p := p.(type) {
	case *packet.Connect:
		answer = &packet.Connack{}
		if p.Username == "wrong" {
			answer = &packet.Connack{Reason: mqtt.BadUserNameOrPassword}
		}
	case *packet.Subscribe:
		s := &packet.Suback{ID: p.ID}
		for _, f := range p.Subscriptions {
			s.Reasons = append(s.Reasons, mqtt.ReasonCode(f.QoS))
		}
		answer = s
	case *packet.Unsubscribe:
		answer = &packet.Unsuback{ID: p.ID}
	case *packet.Pingreq:
		answer = &packet.Pingresp{}
	case *packet.Publish:
		if p.QoS == 1 {
			answer = &packet.Puback{ID: p.ID}
		}
		if string(p.Topic) == "back" { // the same comes down, a while later
			time.Sleep(100 * time.Millisecond)
			b, _ := (&packet.Publish{Topic: p.Topic, Payload: p.Payload}).Append(nil, mqtt.V311)
			c.Write(b)
		}
	case *packet.Disconnect:
		return false
	}
	if answer != nil {
		b, err := answer.Append(nil, mqtt.V311)
		if err != nil {
			return false
		}
		if _, err := c.Write(b); err != nil {
			return false
		}
	}
	return true
}
