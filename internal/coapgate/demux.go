package coapgate

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// A demux gives each address that says ClientHello a link of its own.
//
// A device that was switched off says ClientHello again, often from the port it
// had before: the new link stands beside the old one until its handshake is
// over, so that nobody can end another's connection by writing his address on
// a datagram [RFC 6347 §4.2.8].
type demux struct {
	conn     *net.UDPConn
	most     *atomic.Int64
	counters *Counters
	begin    func(*link)

	mu     sync.Mutex
	places map[netip.AddrPort]*place
	links  int
	shakes map[netip.Addr]int // handshakes under way, by address
	shaken int                // all of them
}

// A place is the links of one address.
type place struct {
	current *link // its handshake is over, nil for none
	next    *link // in its handshake, nil for none
}

func newDemux(conn *net.UDPConn, most *atomic.Int64, counters *Counters, begin func(*link)) *demux {
	return &demux{conn: conn, most: most, counters: counters, begin: begin, places: make(map[netip.AddrPort]*place), shakes: make(map[netip.Addr]int)}
}

// clientHello reports whether a datagram begins a handshake: a record of type
// handshake in epoch 0 whose message is a ClientHello [RFC 6347 §4.1, §4.2.2].
func clientHello(b []byte) bool {
	return len(b) > 13 && b[0] == 22 && b[1] == 0xfe && b[3] == 0 && b[4] == 0 && b[13] == 1
}

// route hands a datagram to the links of its address.
func (d *demux) route(from netip.AddrPort, b []byte) {
	d.counters.Received.Add(1)
	d.mu.Lock()
	p := d.places[from]
	hello := clientHello(b)
	if hello && (p == nil || p.next == nil) {
		p = d.admit(from, p)
	}
	var to [2]*link
	if p != nil {
		to[0] = p.next
		if !hello {
			to[1] = p.current // whose it is, the keys tell
		}
	}
	d.mu.Unlock()
	for _, l := range to {
		if l != nil {
			l.deliver(b)
		}
	}
}

// admit makes a link for a new handshake, where there is room for one; mu is
// held.
func (d *demux) admit(from netip.AddrPort, p *place) *place {
	share := max(1, maxHandshakes/addressShare)
	if int64(d.links) >= d.most.Load() || d.shaken >= maxHandshakes || d.shakes[from.Addr()] >= share {
		d.counters.ConnectionsShed.Add(1)
		return p
	}
	l := &link{demux: d, from: from, arrived: make(chan []byte, linkQueue), done: make(chan struct{})}
	l.read.init()
	if p == nil {
		p = new(place)
		d.places[from] = p
	}
	p.next = l
	d.links++
	d.shaken++
	d.shakes[from.Addr()]++
	d.counters.Connections.Store(int64(d.links))
	d.counters.Handshakes.Store(int64(d.shaken))
	d.begin(l)
	return p
}

// finished notes the end of a link's handshake; mu is held.
func (d *demux) finished(l *link) {
	if l.over {
		return
	}
	l.over = true
	d.shaken--
	if d.shakes[l.from.Addr()]--; d.shakes[l.from.Addr()] <= 0 {
		delete(d.shakes, l.from.Addr())
	}
	d.counters.Handshakes.Store(int64(d.shaken))
}

// linkQueue is how many datagrams may wait to be read. One more is dropped, as
// the network would.
const linkQueue = 16

// A link is one address's part of a socket, a net.PacketConn.
type link struct {
	demux   *demux
	from    netip.AddrPort
	arrived chan []byte
	done    chan struct{}
	once    sync.Once
	read    deadline
	over    bool // its handshake; guarded by demux.mu
}

func (l *link) deliver(b []byte) {
	select {
	case <-l.done:
	case l.arrived <- append([]byte(nil), b...):
	default:
		l.demux.counters.Dropped.Add(1)
	}
}

// shaken says that the handshake is over. A link that has proved itself takes
// the place of the one before.
func (l *link) shaken(well bool) {
	d := l.demux
	d.mu.Lock()
	d.finished(l)
	var before *link
	if p := d.places[l.from]; well && p != nil && p.next == l {
		before, p.current, p.next = p.current, l, nil
	}
	d.mu.Unlock()
	if before != nil {
		before.Close()
	}
}

// Close takes the link out of the demux.
func (l *link) Close() error {
	l.once.Do(func() {
		close(l.done)
		d := l.demux
		d.mu.Lock()
		defer d.mu.Unlock()
		d.finished(l)
		d.links--
		d.counters.Connections.Store(int64(d.links))
		if p := d.places[l.from]; p != nil {
			if p.current == l {
				p.current = nil
			}
			if p.next == l {
				p.next = nil
			}
			if p.current == nil && p.next == nil {
				delete(d.places, l.from)
			}
		}
	})
	return nil
}

// ReadFrom reads one datagram.
func (l *link) ReadFrom(b []byte) (int, net.Addr, error) {
	late := l.read.wait()
	select {
	case <-late:
		return 0, nil, os.ErrDeadlineExceeded
	default:
	}
	select {
	case got := <-l.arrived:
		return copy(b, got), net.UDPAddrFromAddrPort(l.from), nil
	case <-late:
		return 0, nil, os.ErrDeadlineExceeded
	case <-l.done:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo writes to the address of the link.
func (l *link) WriteTo(b []byte, _ net.Addr) (int, error) {
	select {
	case <-l.done:
		return 0, net.ErrClosed
	default:
	}
	return l.demux.conn.WriteToUDPAddrPort(b, l.from)
}

// LocalAddr is the socket's.
func (l *link) LocalAddr() net.Addr { return l.demux.conn.LocalAddr() }

// SetDeadline sets the deadline of reads: writes do not wait.
func (l *link) SetDeadline(t time.Time) error { return l.SetReadDeadline(t) }

// SetReadDeadline sets the deadline of reads.
func (l *link) SetReadDeadline(t time.Time) error {
	l.read.set(t)
	return nil
}

// SetWriteDeadline does nothing: writes do not wait.
func (l *link) SetWriteDeadline(time.Time) error { return nil }

// A deadline is a channel that is closed when it is over, as net.Pipe has it.
type deadline struct {
	mu     sync.Mutex
	timer  *time.Timer
	cancel chan struct{}
}

func (d *deadline) init() { d.cancel = make(chan struct{}) }

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil && !d.timer.Stop() {
		<-d.cancel // the timer has run: wait until it is done
	}
	d.timer = nil
	closed := false
	select {
	case <-d.cancel:
		closed = true
	default:
	}
	if t.IsZero() {
		if closed {
			d.cancel = make(chan struct{})
		}
		return
	}
	if wait := time.Until(t); wait > 0 {
		if closed {
			d.cancel = make(chan struct{})
		}
		cancel := d.cancel
		d.timer = time.AfterFunc(wait, func() { close(cancel) })
		return
	}
	if !closed {
		close(d.cancel)
	}
}

func (d *deadline) wait() chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cancel
}
