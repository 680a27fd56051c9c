// Package tap stands between devices and their broker, passes on every byte
// as it comes, and tells what packets go by. It changes nothing and judges
// nothing: a device that is refused is refused by its broker.
package tap

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/recording"
)

// What is used where Options say nothing.
const (
	DefaultConnections = 64
	DefaultPacket      = 1 << 20
)

// Options say where to and who listens.
type Options struct {
	// Dial connects to the broker, once for each device.
	Dial func(context.Context) (net.Conn, error)
	// Connections is how many devices may be connected at once; a further one
	// is turned away. 0 is DefaultConnections.
	Connections int
	// Packet is how many bytes of one packet are kept to be told; all are
	// passed on. 0 is DefaultPacket.
	Packet int
	// On is told what happens, one event after another. While it works, the
	// connection that it is told of waits, and others that have something to
	// tell: nothing is dropped and nothing piles up.
	On func(Event)
}

// A Kind says what happened.
type Kind string

// The kinds of events.
const (
	Opened     Kind = "opened"
	Packet     Kind = "packet"
	Closed     Kind = "closed"
	TurnedAway Kind = "turned away" // too many at once
	Unreached  Kind = "unreached"   // the broker could not be reached
)

// An Event is one thing that happened. Its bytes are the receiver's to keep.
type Event struct {
	Kind       Kind
	Time       time.Time
	Connection int              // counts from 1
	Device     netip.AddrPort   // the device's address
	Broker     netip.AddrPort   // the broker's, as far as the transport says
	Packet     recording.Packet // of kind Packet; At is since the connection was opened
	From       recording.Side   // of kind Closed: who ended it
	Err        error            // of kind Unreached
}

// Serve takes devices on ln until ctx is done, then returns nil. When it
// returns, ln and all connections are closed and their goroutines gone.
func Serve(ctx context.Context, ln net.Listener, o Options) error {
	if o.Connections <= 0 {
		o.Connections = DefaultConnections
	}
	if o.Packet <= 0 {
		o.Packet = DefaultPacket
	}
	t := &tap{Options: o}
	var conns sync.WaitGroup
	defer conns.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	free := make(chan struct{}, o.Connections)
	for n := 1; ; n++ {
		conn, err := ln.Accept()
		if err != nil {
			ln.Close()
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("wait for devices: %w", err)
		}
		select {
		case free <- struct{}{}:
		default:
			t.tell(Event{Kind: TurnedAway, Connection: n, Device: addrOf(conn.RemoteAddr())})
			conn.Close()
			continue
		}
		conns.Go(func() {
			last := t.serve(ctx, conn, n)
			<-free // before it is told that there is room
			if last.Kind != "" {
				t.tell(last)
			}
		})
	}
}

type tap struct {
	Options
	mu sync.Mutex // one event at a time
}

func (t *tap) tell(e Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e.Time = time.Now()
	t.On(e)
}

// serve is one device; it returns the event of its end.
func (t *tap) serve(ctx context.Context, device net.Conn, n int) (e Event) {
	defer device.Close()
	e = Event{Connection: n, Device: addrOf(device.RemoteAddr())}
	broker, err := t.Dial(ctx)
	if err != nil {
		if ctx.Err() == nil {
			e.Kind, e.Err = Unreached, err
		}
		return e
	}
	defer broker.Close()
	stop := context.AfterFunc(ctx, func() { device.Close(); broker.Close() })
	defer stop()
	e.Kind, e.Broker = Opened, addrOf(broker.RemoteAddr())
	t.tell(e)
	began := time.Now()
	ended := make(chan recording.Side, 2)
	var ways sync.WaitGroup
	for _, way := range []struct {
		from     recording.Side
		src, dst net.Conn
	}{{recording.Device, device, broker}, {recording.Broker, broker, device}} {
		ways.Go(func() {
			t.pass(e, way.from, way.src, way.dst, began)
			ended <- way.from
			device.Close()
			broker.Close()
		})
	}
	ways.Wait()
	e.Kind, e.From = Closed, <-ended
	return e
}

// pass tells what one side says and passes it on, in this order: so no answer
// is told before its question.
func (t *tap) pass(e Event, from recording.Side, src, dst net.Conn, began time.Time) {
	cutter := recording.Cutter{Limit: t.Packet}
	tell := func(p recording.Packet) {
		p.At, p.From = time.Since(began), from
		e.Kind, e.Packet = Packet, p
		t.tell(e)
	}
	buf := make([]byte, 16<<10)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			cutter.Push(buf[:n], tell)
			if _, failed := dst.Write(buf[:n]); failed != nil {
				err = failed
			}
		}
		if err != nil {
			if p, ok := cutter.Rest(); ok {
				tell(p)
			}
			return
		}
	}
}

// addrOf is an address where there is one; in-memory connections have none.
func addrOf(a net.Addr) netip.AddrPort {
	if a == nil {
		return netip.AddrPort{}
	}
	addr, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}
	}
	return addr
}
