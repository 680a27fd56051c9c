package client

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A link is one connection after its CONNACK. Two goroutines serve it: Run's
// reads, another writes and keeps it alive.
type link struct {
	conn      net.Conn
	r         *bufio.Reader
	version   mqtt.Version
	keepAlive time.Duration // 0: off
	maxPacket int           // largest packet the server takes, 0: no limit
	maxQoS    mqtt.QoS
	noRetain  bool
	check     func(packet.Packet) error // of the connection, which cannot carry everything; nil: it can

	control []packet.Packet // answers to be written; guarded by Client.mu

	mu    sync.Mutex
	heard time.Time // when bytes last came
	asked bool      // a PINGREQ is out and nothing came since
	err   error     // why the link ended: the first reason
	bye   *packet.Disconnect
	dead  chan struct{}
}

func newLink(conn net.Conn) *link {
	l := &link{conn: conn, maxQoS: mqtt.ExactlyOnce, heard: time.Now(), dead: make(chan struct{})}
	l.r = bufio.NewReader(l)
	if c, ok := conn.(Checker); ok {
		l.check = c.Check
	}
	return l
}

// agree settles what CONNECT and CONNACK agreed on.
func (l *link) agree(sent *packet.Connect, ack *packet.Connack) {
	l.version = sent.Version
	l.keepAlive = time.Duration(sent.KeepAlive) * time.Second
	p := ack.Properties
	if p == nil {
		return
	}
	if p.ServerKeepAlive != nil {
		l.keepAlive = time.Duration(*p.ServerKeepAlive) * time.Second
	}
	if p.MaximumPacketSize != nil {
		l.maxPacket = int(*p.MaximumPacketSize)
	}
	if p.MaximumQoS != nil {
		l.maxQoS = mqtt.QoS(*p.MaximumQoS)
	}
	l.noRetain = p.RetainAvailable != nil && *p.RetainAvailable == 0
}

// end ends the link; the first reason counts. A write that is stuck gets a
// second more.
func (l *link) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == io.EOF {
		err = hungUp{}
	}
	if l.err == nil {
		l.err = err
		l.conn.SetWriteDeadline(time.Now().Add(farewell))
		close(l.dead)
	}
}

// hungUp is io.EOF in words, as the end of a connection.
type hungUp struct{}

func (hungUp) Error() string { return "the server closed the connection" }
func (hungUp) Unwrap() error { return io.EOF }

// arm gives the next write its time, unless the link has ended.
func (l *link) arm(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.conn.SetWriteDeadline(time.Now().Add(d))
	}
}

// grace is how long the server may take to answer a PINGREQ.
func (l *link) grace() time.Duration { return max(l.keepAlive/2, minPingGrace) }

// Read makes link the reader below its bufio.Reader: bytes are a sign of
// life, and silence beyond keep-alive and grace is a dead connection.
func (l *link) Read(p []byte) (int, error) {
	if l.keepAlive > 0 {
		l.conn.SetReadDeadline(time.Now().Add(l.keepAlive + l.grace()))
	}
	n, err := l.conn.Read(p)
	if n > 0 {
		l.mu.Lock()
		l.heard, l.asked = time.Now(), false
		l.mu.Unlock()
	}
	return n, err
}

// append encodes a packet after checking what the server told us it takes
// [MQTT5 §3.2.2.3], and what the connection can carry.
func (l *link) append(dst []byte, p packet.Packet) ([]byte, error) {
	if l.check != nil {
		if err := l.check(p); err != nil {
			return dst, err
		}
	}
	if pub, ok := p.(*packet.Publish); ok {
		switch {
		case pub.QoS > l.maxQoS:
			return dst, mqtt.QoSNotSupported
		case pub.Retain && l.noRetain:
			return dst, mqtt.RetainNotSupported
		}
	}
	out, err := p.Append(dst, l.version)
	if err != nil {
		return dst, err
	}
	if l.maxPacket > 0 && len(out)-len(dst) > l.maxPacket {
		return dst, mqtt.PacketTooLarge
	}
	return out, nil
}

// errKeepAlive says that the server has fallen silent.
var errKeepAlive = errors.New("the server did not answer within the keep-alive time")

// read reads packets until the link ends.
func (c *Client) read(ctx context.Context, l *link) {
	for {
		p, err := packet.Read(l.r, l.version, c.o.MaxPacketSize)
		if err == nil {
			err = c.receive(ctx, l, p)
		}
		if err == nil {
			continue
		}
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			err = errKeepAlive
		}
		l.blame(err)
		return
	}
}

// blame ends the link, telling a 5.0 server what it did wrong [MQTT5 §4.13].
func (l *link) blame(err error) {
	var theirs *Disconnected
	var reason mqtt.ReasonCode
	if l.version == mqtt.V5 && !errors.As(err, &theirs) && errors.As(err, &reason) {
		l.mu.Lock()
		l.bye = &packet.Disconnect{Reason: reason}
		l.mu.Unlock()
	}
	l.end(err)
}

// write writes what is to be written and keeps the link alive, until the link
// is dead or quit is closed: then it says DISCONNECT. It closes the
// connection, which ends the reader.
func (c *Client) write(l *link, quit <-chan struct{}) {
	defer l.conn.Close()
	alarm := time.NewTimer(time.Hour)
	defer alarm.Stop()
	last := time.Now()
	var buf []byte
	for {
		var err error
		if buf, err = c.flush(l, buf[:0], &last); err != nil {
			l.end(err)
			return
		}
		if l.keepAlive > 0 {
			alarm.Reset(time.Until(l.ping(last)))
		}
		select {
		case <-c.wake:
		case <-alarm.C:
			if l.keepAlive > 0 {
				c.beat(l, last)
			}
		case <-l.dead:
			l.mu.Lock()
			bye := l.bye
			l.mu.Unlock()
			l.part(nil, bye)
			return
		case <-quit:
			l.part(c.rest(l, buf[:0]), &packet.Disconnect{})
			l.end(ErrStopped)
			return
		}
	}
}

// flush writes until nothing is left to be written now.
func (c *Client) flush(l *link, buf []byte, last *time.Time) ([]byte, error) {
	for {
		c.mu.Lock()
		out, written := c.batch(l, buf[:0])
		c.mu.Unlock()
		if len(out) == 0 {
			return buf, nil
		}
		l.arm(c.o.ConnectTimeout)
		_, err := l.conn.Write(out)
		c.mu.Lock()
		for _, e := range written {
			c.settle(e, result{err: err})
		}
		c.mu.Unlock()
		if err != nil {
			return buf, err
		}
		*last = time.Now()
		if cap(out) <= 2*maxBatch {
			buf = out // a big one is not kept
		}
	}
}

// rest collects what is still to be written at the end.
func (c *Client) rest(l *link, buf []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	buf, written := c.batch(l, buf)
	for _, e := range written {
		c.settle(e, result{})
	}
	return buf
}

// part writes what is left and says goodbye, if it can be done in a second.
func (l *link) part(buf []byte, bye *packet.Disconnect) {
	if bye != nil {
		buf, _ = bye.Append(buf, l.version)
	}
	if len(buf) > 0 {
		l.arm(farewell)
		l.conn.Write(buf)
	}
}

// ping says when the next PINGREQ is due: when we were silent for the
// keep-alive time, or the server was and has not been asked yet.
func (l *link) ping(last time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.asked && l.heard.Before(last) {
		last = l.heard
	}
	return last.Add(l.keepAlive)
}

// beat queues a PINGREQ if one is due [MQTT3 §3.1.2.10] [MQTT5 §3.1.2.10].
func (c *Client) beat(l *link, last time.Time) {
	if time.Now().Before(l.ping(last)) {
		return
	}
	l.mu.Lock()
	l.asked = true
	l.mu.Unlock()
	c.reply(l, &packet.Pingreq{})
}

// reply queues a packet of ours on the link.
func (c *Client) reply(l *link, p packet.Packet) {
	c.mu.Lock()
	l.control = append(l.control, p)
	c.mu.Unlock()
	c.nudge()
}
