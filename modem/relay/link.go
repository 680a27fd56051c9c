package relay

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

const (
	maxPacket = 64 << 10 // bytes; no module takes a message half as long
	// maxWaiting bounds the packets that were read and wait for the module;
	// while so many wait, no more are read, as on a connection that is full.
	maxWaiting = 64
	probes     = 2 // unanswered, until a module is taken for dead
)

var (
	errLeft    = errors.New("the client left")
	errVersion = errors.New("a module's own MQTT client speaks MQTT 3.1.1 only: connect with that version")
	errNobody  = errors.New("a module logs in under a client identifier: give one")
	errOrder   = errors.New("a connection begins with CONNECT, once")
)

// A link is one connection: two goroutines, one that reads what the client
// says and one that has the module say it, and while the session lasts two
// more, which watch it.
type link struct {
	relay  *Relay
	module modem.Messenger
	pipe   net.Conn // to the client

	ctx  context.Context // ends with the link, its cause says why
	end  context.CancelCauseFunc
	over sync.WaitGroup

	packets chan packet.Packet // read, in order; closed by the reader
	welcome chan struct{}      // closed when CONNACK was said
	pinged  chan struct{}      // there was a PINGREQ
	saying  sync.Mutex         // held while something is written to the client

	session modem.Session // touched by the worker only
}

func newLink(r *Relay, m modem.Messenger, pipe net.Conn) *link {
	l := &link{
		relay: r, module: m, pipe: pipe,
		packets: make(chan packet.Packet, maxWaiting), welcome: make(chan struct{}), pinged: make(chan struct{}, 1),
	}
	l.ctx, l.end = context.WithCancelCause(context.Background())
	return l
}

// fail ends the link; the first reason counts.
func (l *link) fail(err error) {
	l.end(err)
	l.pipe.Close()
}

// failure is why the link ended; nil while it has not.
func (l *link) failure() error { return context.Cause(l.ctx) }

// say writes a packet to the client, which has gone where that fails.
func (l *link) say(p packet.Packet) error {
	l.saying.Lock()
	defer l.saying.Unlock()
	return l.write(p)
}

// greet says CONNACK, which nothing overtakes.
func (l *link) greet() error {
	l.saying.Lock()
	defer l.saying.Unlock()
	defer close(l.welcome)
	return l.write(&packet.Connack{})
}

// greeted reports whether CONNACK was said.
func (l *link) greeted() bool {
	l.saying.Lock()
	defer l.saying.Unlock()
	select {
	case <-l.welcome:
		return true
	default:
		return false
	}
}

// write is say for the one who holds saying.
func (l *link) write(p packet.Packet) error {
	b, err := p.Append(nil, mqtt.V311)
	if err != nil {
		return err
	}
	if _, err := l.pipe.Write(b); err != nil {
		l.fail(errLeft)
		return errLeft
	}
	return nil
}

// read reads what the client says, until it ends or says DISCONNECT.
func (l *link) read() {
	defer close(l.packets)
	r := bufio.NewReader(l.pipe)
	for first := true; ; first = false {
		p, err := packet.Read(r, mqtt.V311, maxPacket)
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) {
				err = errLeft
			}
			l.fail(err)
			return
		}
		if _, hello := p.(*packet.Connect); hello != first {
			l.fail(errOrder)
			return
		}
		if !l.take(p) {
			return
		}
	}
}

// take queues a packet; false ends the reading.
func (l *link) take(p packet.Packet) bool {
	if _, ping := p.(*packet.Pingreq); ping {
		return l.pong()
	}
	select {
	case l.packets <- p:
	case <-l.ctx.Done():
		return false
	}
	_, bye := p.(*packet.Disconnect)
	return !bye
}

// pong answers PINGREQ, but not before CONNACK, which is an answer as well.
func (l *link) pong() bool {
	if !l.greeted() {
		return true
	}
	if l.say(&packet.Pingresp{}) != nil {
		return false
	}
	select {
	case l.pinged <- struct{}{}:
	default: // it is being asked
	}
	return true
}

// work has the module say what was read, one packet after another.
func (l *link) work() {
	for p := range l.packets {
		if l.failure() != nil {
			break
		}
		if err := l.carry(p); err != nil {
			l.fail(err)
			break
		}
	}
	l.fail(errLeft) // unless there was another reason
	if l.session != nil {
		if err := l.session.Close(); err != nil {
			l.relay.o.Log.Debug("the module did not log out", "err", err)
		}
	}
}

// watch ends the link with its session.
func (l *link) watch(s modem.Session) {
	select {
	case <-s.Done():
		l.fail(s.Err())
	case <-l.ctx.Done():
	}
}

// probe asks the module something at each PINGREQ: it pings the broker itself,
// but nobody else would notice that it fell silent, or that it restarted when
// nobody heard.
func (l *link) probe() {
	silent := 0
	for {
		select {
		case <-l.pinged:
		case <-l.ctx.Done():
			return
		}
		for silent < probes {
			_, err := l.module.Signal(l.ctx)
			if !errors.Is(err, modem.ErrSilent) {
				silent = 0
				break
			}
			if silent++; silent == probes {
				l.fail(err)
				return
			}
		}
	}
}

// pause waits; false if the link ended.
func (l *link) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-l.ctx.Done():
		return false
	}
}
