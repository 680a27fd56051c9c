package broker

import (
	"os"
	"sync"
	"syscall"
	"time"
)

// A lounge is where the silent clients of a listener are, without a goroutine
// each: an epoll of our own watches their sockets. A goroutine that waits costs
// 2.5 KiB and one that has handled packets 4.5; a seat here costs 24 bytes.
//
// Who sits here counts in listener.conns as if it had a goroutine.
type lounge struct {
	l    *listener
	ep   *os.File // of the epoll: we wait for it as for any socket
	fd   int      // the same
	done sync.WaitGroup

	mu    sync.Mutex
	seats []seat
	free  []int32 // seats that nobody has
}

// A seat is what epoll knows a client by, with the count of those who had it
// before: an event may be on its way when its client has gone.
type seat struct {
	c     *Client // nil for nobody
	until int64   // Unix time by which something has to come, 0 for no limit
	taken int32
}

// newLounge starts a lounge; nil where the system gives none.
func newLounge(l *listener) *lounge {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		l.b.log.Warn("silent clients keep their goroutines", "error", os.NewSyscallError("epoll_create1", err))
		return nil
	}
	syscall.SetNonblock(fd, true) // os.NewFile waits through the runtime only then
	g := &lounge{l: l, ep: os.NewFile(uintptr(fd), "epoll"), fd: fd}
	end := make(chan struct{})
	g.done.Go(func() {
		defer close(end)
		g.listen()
	})
	g.done.Go(func() { g.watchClock(end) })
	return g
}

// close ends the lounge; nobody sits in it any more.
func (g *lounge) close() {
	g.ep.Close()
	g.done.Wait()
}

// sit takes c until it says something or its time is over. It is false where c
// cannot sit; else the calling goroutine has to end, and has nothing to do with
// c any more.
func (g *lounge) sit(c *Client) bool {
	t, ok := c.t.(*socket)
	if !ok || t.b != nil { // in the middle of a packet
		return false
	}
	by := c.deadline()
	t.nc.SetReadDeadline(time.Time{})
	g.l.conns.Add(1)
	at, taken := g.take(c, by)
	var err error
	if cerr := t.raw.Control(func(fd uintptr) { err = g.arm(int(fd), at, taken) }); cerr != nil {
		err = cerr // closed
	}
	// Who ended it may have looked here before it sat.
	if (err != nil || c.stopped()) && g.leave(c) {
		g.l.conns.Done()
		return false
	}
	return true
}

// take gives c a seat.
func (g *lounge) take(c *Client, by time.Time) (at, taken int32) {
	var until int64
	if !by.IsZero() {
		until = by.Unix() + 1
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := len(g.free); n > 0 {
		at = g.free[n-1]
		g.free = g.free[:n-1]
	} else {
		at = int32(len(g.seats))
		g.seats = append(g.seats, seat{})
	}
	s := &g.seats[at]
	s.c, s.until = c, until
	c.seat = at + 1
	return at, s.taken
}

// arm asks for one event of fd. What came before it counts too.
func (g *lounge) arm(fd int, at, taken int32) error {
	e := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT, Fd: at, Pad: taken}
	err := syscall.EpollCtl(g.fd, syscall.EPOLL_CTL_MOD, fd, &e)
	if err == syscall.ENOENT {
		err = syscall.EpollCtl(g.fd, syscall.EPOLL_CTL_ADD, fd, &e)
	}
	return err
}

// leave takes the seat of c, and reports whether it had one.
func (g *lounge) leave(c *Client) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.seat == 0 {
		return false
	}
	g.vacate(c.seat - 1)
	return true
}

func (g *lounge) vacate(at int32) {
	s := &g.seats[at]
	s.c.seat = 0
	s.c = nil
	s.taken++
	g.free = append(g.free, at)
}

// wake gives c a goroutine again if it sits here.
func (g *lounge) wake(c *Client) {
	if g.leave(c) {
		g.resume(c)
	}
}

// wakeAll wakes everybody.
func (g *lounge) wakeAll() { g.wakeWhere(func(*seat) bool { return true }) }

// wakeWhere wakes those whose seats are picked. It looks at them a part at a
// time, so that nobody waits long to sit down.
func (g *lounge) wakeWhere(pick func(*seat) bool) {
	const part = 4096
	for from := 0; ; from += part {
		var woken []*Client
		g.mu.Lock()
		to := min(from+part, len(g.seats))
		for at := from; at < to; at++ {
			if s := &g.seats[at]; s.c != nil && pick(s) {
				woken = append(woken, s.c)
				g.vacate(int32(at))
			}
		}
		g.mu.Unlock()
		for _, c := range woken {
			g.resume(c)
		}
		if to < from+part {
			return
		}
	}
}

func (g *lounge) resume(c *Client) {
	go func() {
		defer g.l.conns.Done()
		g.l.resume(c.t.(*socket).nc, c)
	}()
}

// watchClock wakes those whose time is over, to a second.
func (g *lounge) watchClock(end <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-end:
			return
		case now := <-tick.C:
			unix := now.Unix()
			g.wakeWhere(func(s *seat) bool { return s.until != 0 && s.until <= unix })
		}
	}
}

// listen wakes those who say something.
func (g *lounge) listen() {
	raw, err := g.ep.SyscallConn()
	if err != nil {
		return
	}
	events := make([]syscall.EpollEvent, 128)
	raw.Read(func(fd uintptr) bool {
		for {
			n, err := syscall.EpollWait(int(fd), events, 0)
			if err == syscall.EINTR {
				continue
			}
			if err != nil {
				g.l.b.log.Error("silent clients cannot be heard", "error", os.NewSyscallError("epoll_wait", err))
				return true
			}
			for _, e := range events[:n] {
				g.heard(e.Fd, e.Pad)
			}
			if n < len(events) {
				return false
			}
		}
	})
}

func (g *lounge) heard(at, taken int32) {
	g.mu.Lock()
	s := &g.seats[at]
	c := s.c
	if c == nil || s.taken != taken {
		g.mu.Unlock()
		return
	}
	g.vacate(at)
	g.mu.Unlock()
	g.resume(c)
}
