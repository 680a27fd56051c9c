package broker

import (
	"encoding/binary"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// loops are the event loops of a listener: as many as processors, each with an
// epoll of its own. A client that is connected over a bare socket belongs to
// one of them and has no goroutine: a seat costs 24 bytes, a goroutine that has
// handled packets 4.5 KiB, all of it cold when its client speaks again.
//
// Who sits here counts in listener.conns as if it had a goroutine.
type loops struct {
	l        *listener
	all      []*loop
	last     atomic.Uint32 // who sat down last, to spread them
	workers  sync.WaitGroup
	others   sync.WaitGroup // clock and watch
	end      chan struct{}
	stirred  chan struct{}
	watching atomic.Bool
	direct   atomic.Int32 // loops whose leaders wait without the runtime
}

// A loop waits for its clients and serves one after the other. The worker that
// does so leads it. Before it waits for something else, a disk above all, it
// hands the lead over to a follower, with the events that are left, and comes
// back as a follower later. So nobody waits for another client's disk, and
// where nothing has to be waited for a single warm stack serves everybody.
type loop struct {
	of   *loops
	fd   int                // of the epoll
	ep   *os.File           // the same, for the runtime to watch
	poll func(uintptr) bool // fetch, made once
	raw  syscall.RawConn    // of ep
	bell int                // an eventfd that epoll watches: see ring

	// The leader's, handed over with the lead.
	events  [roundSize]syscall.EpollEvent
	clients [roundSize]*Client // whose the events are, nil for who has gone
	next, n int                // events that are left
	awake   []*Client          // woken before this round, with their turns
	since   int                // clients since others had their turn
	swapped bool               // the lead was handed over since the last wait

	serving atomic.Pointer[worker] // the leader while it serves a client: who takes it away has the lead
	turns   atomic.Uint32          // grows with each client served

	mu     sync.Mutex
	seats  []seat
	spare  []int32   // seats that nobody has
	woken  []*Client // with their turns: what they were parked for is there
	idle   []*worker // followers without work, warmest last
	closed bool
}

const (
	// roundSize is how many events are fetched at once. Between two rounds
	// other goroutines have their turn.
	roundSize = 64
	// lingerMillis is how long a loop waits in the kernel itself: see linger.
	lingerMillis = 1
	// maxIdle is how many followers are kept, restIdle how many of them when
	// there is little to do.
	maxIdle, restIdle = 256, 1
	// watchEvery is how long a client may keep its loop waiting without having
	// said so. Others wait for no more than twice that.
	watchEvery = 5 * time.Millisecond
	// calmLooks is how many looks without work end the watch.
	calmLooks = 20
)

// nobody is the seat of the bell.
const nobody = -1

// A seat is what epoll knows a client by, with the count of those who had it
// before: an event may be on its way when its client has gone.
type seat struct {
	c     *Client // nil for nobody
	look  int64   // Unix time at which the clock looks at it, 0 for never
	taken int32
}

// newLoops starts loops; nil where the system gives none.
func newLoops(l *listener) *loops {
	g := &loops{l: l, end: make(chan struct{}), stirred: make(chan struct{}, 1)}
	for range runtime.GOMAXPROCS(0) {
		p, err := newLoop(g)
		if err != nil {
			l.b.log.Warn("clients keep their goroutines", "error", err)
			g.close()
			return nil
		}
		g.all = append(g.all, p)
	}
	for _, p := range g.all {
		p.follow()
	}
	g.others.Go(g.watchClock)
	g.others.Go(g.watch)
	return g
}

func newLoop(g *loops) (*loop, error) {
	p := &loop{of: g}
	bell, _, errno := syscall.Syscall(syscall.SYS_EVENTFD2, 0, syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if errno != 0 {
		return nil, os.NewSyscallError("eventfd2", errno)
	}
	p.bell = int(bell)
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		syscall.Close(p.bell)
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	syscall.SetNonblock(fd, true) // os.NewFile waits through the runtime only then
	p.fd, p.ep = fd, os.NewFile(uintptr(fd), "epoll")
	p.poll = func(uintptr) bool { return p.fetch() }
	if p.raw, err = p.ep.SyscallConn(); err == nil {
		err = p.watch(p.bell, nobody, 0)
	}
	if err != nil {
		p.shut()
		return nil, err
	}
	return p, nil
}

// shut closes what the loop consists of.
func (p *loop) shut() {
	syscall.Close(p.bell)
	p.ep.Close()
}

// ring wakes the leader if it waits for events. Each ring is an edge, so nobody
// has to read the bell: its counter is full after 2^64 of them.
func (p *loop) ring() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	syscall.Write(p.bell, one[:])
}

// wake lets the loop go on with c, which was parked.
func (p *loop) wake(c *Client) {
	p.mu.Lock()
	p.woken = append(p.woken, c)
	first := len(p.woken) == 1
	p.mu.Unlock()
	if first {
		p.ring()
	}
}

// close ends the loops; nobody sits in them any more.
func (g *loops) close() {
	close(g.end)
	g.others.Wait()
	for _, p := range g.all {
		p.mu.Lock()
		p.closed = true
		p.mu.Unlock()
		p.ring()
		p.dismiss(0)
	}
	g.workers.Wait()
	for _, p := range g.all {
		p.shut()
	}
}

// sit gives c, of which the calling goroutine has the turn, to an event loop,
// and reports whether that worked: then the goroutine has nothing to do with c
// any more.
func (l *listener) sit(c *Client) bool {
	t, bare := c.t.(*socket)
	if !bare {
		return false
	}
	g := l.enterLoops()
	if g == nil {
		return false
	}
	p := g.all[int(g.last.Add(1))%len(g.all)]
	l.conns.Add(1)
	t.r = c
	p.take(c)
	if err := p.arm(c, t.fd); err != nil {
		l.b.log.Warn("a client has a goroutine of its own", "error", err)
		p.vacate(c)
		l.conns.Done()
		return false
	}
	if !c.letGo() { // what came or ended it meanwhile was told to us
		p.serve(c, nil, true)
	}
	return true
}

// enterLoops returns the event loops, nil where there are none.
func (l *listener) enterLoops() *loops {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.loops == nil && !l.closed {
		l.loops = newLoops(l)
	}
	return l.loops
}

// settleIn takes the socket of c, of which the caller has the turn, from the
// runtime's own watch, which costs memory and is woken for each packet. Who is
// not connected may turn out to speak TLS, and then needs it. Where it cannot
// be done now, somebody comes again.
func (p *loop) settleIn(c *Client, t *socket) {
	if t.nc == nil || c.phase != open {
		return
	}
	nc, old := t.nc, t.fd
	fd, err := dup(old)
	if err != nil {
		return
	}
	if p.arm(c, fd) != nil {
		syscall.Close(fd)
		return
	}
	c.out.mu.Lock()
	busy := c.out.flushing
	if !busy {
		t.detach(fd)
	}
	c.out.mu.Unlock()
	if busy {
		p.disarm(fd)
		syscall.Close(fd)
		return
	}
	p.disarm(old)
	p.of.l.holdAs(nc, t)
	nc.Close()
}

// firstLook is after how many seconds the clock looks at a client that is new.
const firstLook = 1

// take gives c a seat.
func (p *loop) take(c *Client) {
	first := time.Now().Unix() + firstLook
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.spare); n > 0 {
		c.seat = p.spare[n-1]
		p.spare = p.spare[:n-1]
	} else {
		c.seat = int32(len(p.seats))
		p.seats = append(p.seats, seat{})
	}
	c.loop = p
	s := &p.seats[c.seat]
	s.c, s.look = c, first
}

// vacate takes the seat of c, of which the caller has the turn.
func (p *loop) vacate(c *Client) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.seats[c.seat]
	s.c = nil
	s.taken++
	p.spare = append(p.spare, c.seat)
	c.loop = nil
}

// arm asks for the events of fd, which is c's, from now on: each time it becomes
// readable. What came before counts too.
func (p *loop) arm(c *Client, fd int) error {
	p.mu.Lock()
	taken := p.seats[c.seat].taken
	p.mu.Unlock()
	return p.watch(fd, c.seat, taken)
}

func (p *loop) watch(fd int, at, taken int32) error {
	const edges = 1 << 31 // EPOLLET, which syscall has as a negative number
	e := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | edges, Fd: at, Pad: taken}
	return os.NewSyscallError("epoll_ctl", syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_ADD, fd, &e))
}

// disarm takes fd back: epoll would remember it as long as a copy is open.
func (p *loop) disarm(fd int) { syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_DEL, fd, nil) }

// serve handles what c has sent, of which the caller has the turn, until its
// socket is empty. w is nil for a goroutine that was made for c. With look it
// asks first whether something has ended c.
func (p *loop) serve(c *Client, w *worker, look bool) {
	t := c.t.(*socket)
	t.by = w
	stays := c.phase == open // many only come to go again
	for {
		switch err := p.hear(c, t, look); {
		case err == errParked:
			return
		case err != nil:
			p.finish(c, w, err)
			return
		}
		if stays {
			p.settleIn(c, t)
		}
		if c.letGo() {
			return
		}
		look = true
	}
}

// hear returns why the connection is over, nil if it is not, and errParked
// where somebody else has the turn now.
func (p *loop) hear(c *Client, t *socket, look bool) error {
	if look {
		if err := c.verdict(); err != nil {
			return err
		}
	}
	switch t.readable(uintptr(t.fd)) {
	case over:
		return t.readErr
	case parked:
		return errParked
	}
	return nil
}

// finish ends the connection of c, which may take as long as its last bytes do.
func (p *loop) finish(c *Client, w *worker, err error) {
	w.handOver()
	t := c.t.(*socket)
	if t.b != nil {
		t.release()
	}
	p.vacate(c)
	c.turn.Store(turnOver)
	l := p.of.l
	defer l.conns.Done()
	nc := t.nc
	if nc == nil {
		c.finish(err)
		l.release(t, c.at)
		return
	}
	p.disarm(t.fd) // it may go on as something besides MQTT
	l.after(nc, c, err)
	l.release(nc, c.at)
}

// A worker leads a loop or waits until it is to.
type worker struct {
	p    *loop
	lead chan struct{} // has one when it is to lead; closed: end
	late []*Client     // to be flushed when the round is over: see flushLate
}

// hire makes a follower.
func (p *loop) hire() *worker {
	w := &worker{p: p, lead: make(chan struct{}, 1)}
	p.of.workers.Go(func() {
		for range w.lead {
			if !w.run() || !p.keep(w) {
				return
			}
		}
	})
	return w
}

// keep makes a follower of w, unless there are enough of them.
func (p *loop) keep(w *worker) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	most := maxIdle
	if !p.of.watching.Load() {
		most = restIdle // nobody comes to dismiss it
	}
	if p.closed || len(p.idle) >= most {
		return false
	}
	p.idle = append(p.idle, w)
	return true
}

// dismiss ends all idle followers but some.
func (p *loop) dismiss(but int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > but {
		close(p.idle[0].lead)
		p.idle[0] = nil
		p.idle = p.idle[1:]
	}
}

// follow lets a follower lead.
func (p *loop) follow() {
	var w *worker
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		w = p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
	}
	p.mu.Unlock()
	if w == nil {
		w = p.hire()
	}
	w.lead <- struct{}{}
}

// run leads until somebody else does; it is false when the loop is closed.
func (w *worker) run() bool {
	p := w.p
	for {
		c := p.pick()
		if c == nil {
			w.endRound()
			if !p.refill() {
				return false
			}
			continue
		}
		p.turns.Store(p.turns.Load() + 1)
		p.serving.Store(w)
		p.serve(c, w, false)
		if !p.serving.CompareAndSwap(w, nil) {
			w.flushLate()
			return true
		}
	}
}

// pick returns the next client of the round, with its turn; nil for none. Of
// those who were woken the last to be parked is first: it is the warmest.
func (p *loop) pick() *Client {
	if n := len(p.awake); n > 0 {
		c := p.awake[n-1]
		p.awake[n-1] = nil
		p.awake = p.awake[:n-1]
		p.since++
		return c
	}
	for p.next < p.n {
		c := p.clients[p.next]
		p.clients[p.next] = nil
		p.next++
		if c != nil && c.claim() {
			p.since++
			return c
		}
	}
	return nil
}

// leads reports whether w leads its loop; nil does not.
func (w *worker) leads() bool { return w != nil && w.p.serving.Load() == w }

// endRound lets other goroutines have their turn now and then.
func (w *worker) endRound() {
	w.flushLate()
	if w.p.since >= roundSize/2 {
		w.p.since = 0
		runtime.Gosched()
	}
}

// handOver lets a follower lead, since the caller, who is serving a client, is
// about to wait. Where w leads no more, or is nil, it does nothing.
func (w *worker) handOver() {
	if w != nil && w.p.serving.CompareAndSwap(w, nil) {
		w.p.swapped = true
		w.p.follow()
		w.flushLate()
	}
}

// later takes over what flushEarly has left in v, for the end of the round. It
// is false where there is no round.
func (w *worker) later(v *work) bool {
	if !w.leads() {
		return false
	}
	w.late = append(w.late, v.dirty...)
	clear(v.dirty)
	v.dirty = v.dirty[:0]
	return true
}

// flushLate flushes what others rely on, without waiting.
func (w *worker) flushLate() {
	for i, c := range w.late {
		if c.waitsForStore() {
			go c.flush()
		} else {
			c.flush()
		}
		w.late[i] = nil
	}
	w.late = w.late[:0]
}

// refill waits for events, where nobody was woken, and finds whose they are; it
// is false when the loop is closed.
func (p *loop) refill() bool {
	p.next, p.n = 0, 0
	if p.hasWoken() {
		p.fetch()
	} else if !p.linger() && p.raw.Read(p.poll) != nil {
		return false
	}
	p.swapped = false
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	for i := range p.events[:p.n] {
		e := &p.events[i]
		if e.Fd == nobody {
			continue
		}
		if s := &p.seats[e.Fd]; s.taken == e.Pad {
			p.clients[i] = s.c
		}
	}
	p.awake, p.woken = p.woken, p.awake
	p.of.stir()
	return true
}

func (p *loop) hasWoken() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.woken) > 0
}

// linger waits a moment for events in the kernel itself, with the processor
// kept: where the next one comes soon, that saves the way through the runtime's
// own epoll, its scheduler and back, a quarter of the CPU seconds of a steady
// stream. At least one processor is left to the others meanwhile, and none is
// kept from a goroutine that the leader has made ready for longer than that
// moment. It is false where nothing came.
func (p *loop) linger() bool {
	g := p.of
	if p.swapped {
		return false
	}
	defer g.direct.Add(-1)
	if int(g.direct.Add(1)) >= len(g.all) {
		return false
	}
	n, err := syscall.EpollWait(p.fd, p.events[:], lingerMillis)
	p.n = max(n, 0)
	return err == nil && n > 0
}

// fetch asks for events without waiting, and without telling the scheduler: see
// readNow. It is false where there are none.
func (p *loop) fetch() bool {
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])), roundSize, 0, 0, 0)
		switch errno {
		case 0:
			p.n = int(n)
			return n > 0
		case syscall.EINTR:
		default:
			p.of.l.b.log.Error("clients cannot be heard", "error", os.NewSyscallError("epoll_pwait", errno))
			return true
		}
	}
}

// tellAll makes whoever serves the clients look whether something has ended
// them.
func (g *loops) tellAll() {
	g.each(func(s *seat) bool { return true }, (*Client).tell)
}

// each picks clients by their seats, a part of them at a time, so that nobody
// waits long to sit down, and calls fn for them.
func (g *loops) each(pick func(*seat) bool, fn func(*Client)) {
	const part = 4096
	var picked []*Client
	for _, p := range g.all {
		for from, more := 0, true; more; from += part {
			p.mu.Lock()
			to := min(from+part, len(p.seats))
			for at := from; at < to; at++ {
				if s := &p.seats[at]; s.c != nil && pick(s) {
					picked = append(picked, s.c)
				}
			}
			more = to < len(p.seats)
			p.mu.Unlock()
			for _, c := range picked {
				fn(c)
			}
			clear(picked)
			picked = picked[:0]
		}
	}
}

// watchClock looks at the clients whose time may be over, to a second. That
// changes with each packet: a seat says when it is earliest.
func (g *loops) watchClock() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-g.end:
			return
		case now := <-tick.C:
			unix := now.Unix()
			g.each(func(s *seat) bool {
				due := s.look != 0 && s.look <= unix
				if due {
					s.look = unix + 1 // if it is talking now
				}
				return due
			}, (*Client).checkTime)
		}
	}
}

// checkTime ends c if its time is over, and detaches its socket if that has not
// been done.
func (c *Client) checkTime() {
	if !c.claim() {
		return
	}
	p := c.loop
	if c.verdict() != nil {
		go p.serve(c, nil, true)
		return
	}
	p.settleIn(c, c.t.(*socket))
	next := unixAfter(c.deadline())
	if c.phase != open {
		next = min(next, time.Now().Unix()+firstLook)
	}
	p.mu.Lock()
	p.seats[c.seat].look = next
	p.mu.Unlock()
	if !c.letGo() {
		go p.serve(c, nil, true)
	}
}

// unixAfter is when a clock of whole seconds has passed t, 0 for never.
func unixAfter(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix() + 1
}

// stir starts the watch.
func (g *loops) stir() {
	if !g.watching.Load() && g.watching.CompareAndSwap(false, true) {
		g.stirred <- struct{}{}
	}
}

// watch takes the lead from workers who wait without having said so, as long
// as there is work. Then it lets the followers go that the work has left.
func (g *loops) watch() {
	for {
		select {
		case <-g.end:
			return
		case <-g.stirred:
		}
		tick := time.NewTicker(watchEvery)
		seen := make([]uint32, len(g.all))
		for calm := 0; calm < calmLooks; {
			select {
			case <-g.end:
				tick.Stop()
				return
			case <-tick.C:
			}
			calm++
			for i, p := range g.all {
				turn, w := p.turns.Load(), p.serving.Load()
				if w != nil && turn == seen[i] && p.serving.CompareAndSwap(w, nil) {
					p.swapped = true
					p.follow()
				}
				if w != nil || turn != seen[i] {
					calm = 0
				}
				seen[i] = turn
			}
		}
		tick.Stop()
		g.watching.Store(false) // first, so that keep makes no more of them
		for _, p := range g.all {
			p.dismiss(restIdle)
		}
	}
}
