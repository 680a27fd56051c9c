//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// A plan is how much is done.
type plan struct {
	rounds   int
	warm     time.Duration // before a measurement
	measure  time.Duration // of messages as fast as they go
	steady   time.Duration // of messages at a fixed rate
	connects int
	idle     int
	sessions int // that a server starts with
	held     int // devices in memory, the fewer
	heldMost int // and the more
}

var (
	fullPlan  = plan{rounds: 5, warm: 500 * time.Millisecond, measure: 1500 * time.Millisecond, steady: 3 * time.Second, connects: 16_000, idle: 19_000, sessions: 100_000, held: 100_000, heldMost: 1_000_000}
	quickPlan = plan{rounds: 2, warm: 300 * time.Millisecond, measure: 700 * time.Millisecond, steady: 1500 * time.Millisecond, connects: 5000, idle: 2000, sessions: 5000, held: 10_000, heldMost: 50_000}
)

// spareFiles are the open files that a process needs for other things than
// devices' connections.
const spareFiles = 900

// steadyRate is how many messages a second the steady scenarios send.
const steadyRate = 10_000

// A scenario is one kind of work.
type scenario struct {
	name  string
	run   func(ctx context.Context, b *bench, p *peer, s *sample) error
	peers []string // only these; nil: all
	most  int      // rounds that are enough, after all others; 0: as many as there are
	close bool     // to its budget: twice the rounds, lest the machine's mood decides
}

// times is how often it is measured in one round of all.
func (sc scenario) times() int {
	switch {
	case sc.most > 0:
		return 0
	case sc.close:
		return 2
	}
	return 1
}

var scenarios = []scenario{
	{name: "fanin-qos1", run: fanIn(1, 1)},
	{name: "fanin-qos1-16", run: fanIn(1, 16)},
	{name: "pair-qos0", run: pairs(500, 0, 1), close: true},
	{name: "pair-qos1", run: pairs(500, 1, 1), close: true},
	{name: "fanout-qos0", run: fanOut(100, 16)},
	{name: "steady-qos0", run: pairs(100, 0, 0)},
	{name: "steady-qos1", run: pairs(100, 1, 0)},
	{name: "connect", run: connects},
	{name: "job", run: job(alibaba), peers: []string{subject, yardstick}, close: true},
	{name: "job-onenet", run: job(mobile), peers: []string{subject, yardstick}, close: true},
	{name: "start", run: restart, peers: []string{subject, yardstick}},
	{name: "idle", run: idle, most: 2},
	// Last, for what a process of gigabytes leaves behind: a virtual machine has
	// given its memory back to the host, and whoever wants new pages then pays
	// several times for each until it has them again.
	{name: "held", run: inMemory(func(p *plan) int { return p.held }), peers: []string{"engine"}, most: 1},
	{name: "held-most", run: inMemory(func(p *plan) int { return p.heldMost }), peers: []string{"engine"}, most: 1},
}

// with runs a server in a directory of its own for the time of fn.
func (b *bench) with(ctx context.Context, p *peer, fn func(s *server) error) error {
	dir, err := os.MkdirTemp(b.scratch, p.name+"-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return b.within(ctx, p, dir, false, fn)
}

// within does the same in a directory that stays.
func (b *bench) within(ctx context.Context, p *peer, dir string, keeps bool, fn func(s *server) error) error {
	s, err := p.start(ctx, dir, keeps)
	if err != nil {
		return err
	}
	err = fn(s)
	if err != nil {
		err = s.fault(err)
	}
	return errors.Join(err, s.stop())
}

func topic(i int) string { return plainProduct + "/" + deviceName(i) + "/up" }

// everyTopic matches all of them.
const everyTopic = plainProduct + "/+/up"

// fanIn is 100 publishers and one subscriber.
func fanIn(qos byte, window uint32) func(context.Context, *bench, *peer, *sample) error {
	const publishers = 100
	return func(ctx context.Context, b *bench, p *peer, out *sample) error {
		return b.with(ctx, p, func(s *server) error {
			return b.gather(ctx, s, publishers, qos, window, payloadBytes, out)
		})
	}
}

// gather runs a fan-in on a server.
func (b *bench) gather(ctx context.Context, s *server, publishers int, qos byte, window uint32, size int, out *sample) error {
	logins, err := s.plain(ctx, publishers+1)
	if err != nil {
		return err
	}
	members := crowd(logins)
	members[publishers].filter, members[publishers].qos = everyTopic, qos
	return b.load(ctx, s, members, out, func(f *fleet) *load {
		l := &load{f: f, pubs: f.conns[:publishers], qos: qos, window: window}
		for i, c := range l.pubs {
			c.t = newTemplate(topic(i), qos, make([]byte, size))
		}
		l.start(1)
		return l
	})
}

// pairs is n publishers, each with a subscriber of its own; window 0 means a
// steady rate.
func pairs(n int, qos byte, window uint32) func(context.Context, *bench, *peer, *sample) error {
	return func(ctx context.Context, b *bench, p *peer, out *sample) error {
		return b.with(ctx, p, func(s *server) error {
			logins, err := s.plain(ctx, 2*n)
			if err != nil {
				return err
			}
			members := crowd(logins)
			for i := range n {
				members[n+i].filter, members[n+i].qos = topic(i), qos
			}
			return b.load(ctx, s, members, out, func(f *fleet) *load {
				l := &load{f: f, pubs: f.conns[:n], qos: qos, window: window, every: time.Second / steadyRate}
				for i, c := range l.pubs {
					c.t = newTemplate(topic(i), qos, make([]byte, payloadBytes))
				}
				l.start(1)
				return l
			})
		})
	}
}

// fanOut is one publisher whose messages n subscribers get, in QoS 0.
func fanOut(n int, window uint32) func(context.Context, *bench, *peer, *sample) error {
	return func(ctx context.Context, b *bench, p *peer, out *sample) error {
		return b.with(ctx, p, func(s *server) error {
			logins, err := s.plain(ctx, n+1)
			if err != nil {
				return err
			}
			members := crowd(logins)
			for i := range n {
				members[1+i].filter = topic(0)
			}
			return b.load(ctx, s, members, out, func(f *fleet) *load {
				l := &load{f: f, pubs: f.conns[:1], window: window}
				l.pubs[0].t = newTemplate(topic(0), 0, make([]byte, payloadBytes))
				l.start(n)
				return l
			})
		})
	}
}

// jobDevices is how many devices post at once.
const jobDevices = 500

// job is the whole job: at Matou devices of a vendor that post three properties,
// at a peer a bare fan-in of as many messages of the same length.
func job(v *vendor) func(context.Context, *bench, *peer, *sample) error {
	return func(ctx context.Context, b *bench, p *peer, out *sample) error {
		return b.with(ctx, p, func(s *server) error {
			if s.matou == nil {
				return b.gather(ctx, s, jobDevices, 1, 1, len(v.body), out)
			}
			logins, err := s.signed(ctx, v, jobDevices)
			if err != nil {
				return err
			}
			members := crowd(logins)
			for i := range members {
				members[i].filter = v.of(v.down, i)
			}
			return b.load(ctx, s, members, out, func(f *fleet) *load {
				l := &load{f: f, pubs: f.conns, qos: 1, window: 1, vendor: v}
				for i, c := range l.pubs {
					c.t = newTemplate(v.of(v.up, i), 1, []byte(v.body))
				}
				l.start(1)
				return l
			})
		})
	}
}

// crowd makes members with clean sessions of logins.
func crowd(logins []login) []member {
	members := make([]member, len(logins))
	for i, l := range logins {
		members[i] = member{login: l, clean: true}
	}
	return members
}

// load connects members, sends what make prepares and measures it.
func (b *bench) load(ctx context.Context, s *server, members []member, out *sample, make func(*fleet) *load) error {
	f, err := newFleet(s.addr)
	if err != nil {
		return err
	}
	defer f.close()
	if err := f.enter(ctx, members); err != nil {
		return err
	}
	l := make(f)
	if err := l.run(ctx, b.plan.warm); err != nil {
		return err
	}
	d := b.plan.measure
	if l.window == 0 {
		d = b.plan.steady
	}
	if err := b.meter(ctx, s, l, d, out); err != nil {
		return err
	}
	if err := l.drain(ctx); err != nil {
		return err
	}
	out.Lost, out.Disordered = l.lost(), l.disordered
	if l.qos > 0 && (out.Lost != 0 || out.Disordered != 0 || l.unfinished() != 0) {
		return fmt.Errorf("of %d messages in QoS 1 %d were lost, %d not finished, %d out of order", l.sent(), out.Lost, l.unfinished(), out.Disordered)
	}
	if l.vendor != nil {
		return l.kept(ctx, s.matou)
	}
	return nil
}

// sampleDevices are how many devices of a job are looked at afterwards.
const sampleDevices = 5

// watched are the devices that are looked at, with what they have posted.
func (l *load) watched() map[int]uint32 {
	posts := map[int]uint32{}
	for i := range sampleDevices {
		c := l.pubs[i*(len(l.pubs)-1)/(sampleDevices-1)]
		posts[c.index] = c.seq
	}
	return posts
}

// kept checks that history holds each post of some devices.
func (l *load) kept(ctx context.Context, a *matouAPI) error {
	for device, posts := range l.watched() {
		if err := a.complete(ctx, l.vendor.product, device, posts); err != nil {
			return err
		}
	}
	return nil
}

// meter measures d of a load. The job is measured to its end: until history
// holds what was posted.
func (b *bench) meter(ctx context.Context, s *server, l *load, d time.Duration, out *sample) error {
	settle := func() error {
		if l.vendor == nil {
			return nil
		}
		if err := l.drain(ctx); err != nil {
			return err
		}
		return s.matou.settled(ctx, l.vendor.product, l.watched())
	}
	if err := settle(); err != nil {
		return err
	}
	l.delays.reset()
	server, own, before, begun := cpuOf(s), ownCPU(), l.delivered, time.Now()
	if err := l.run(ctx, d); err != nil {
		return err
	}
	out.Seconds = time.Since(begun).Seconds()
	perSecond := float64(l.delivered-before) / out.Seconds
	if err := settle(); err != nil {
		return err
	}
	out.Messages = l.delivered - before
	out.ServerCPU, out.GeneratorCPU = cpuOf(s)-server, ownCPU()-own
	if out.Messages == 0 {
		return errors.New("no message was delivered")
	}
	out.Memory, _ = memoryOf(s.pid())
	out.Values[perMessage] = out.ServerCPU / float64(out.Messages) * 1e6
	out.Values[rate] = perSecond
	if l.vendor == nil {
		out.Values[p50], out.Values[p99] = l.delays.quantile(0.5), l.delays.quantile(0.99)
	}
	return nil
}

// cpuOf is the server's CPU time, 0 when it is gone: the connections tell why.
func cpuOf(s *server) float64 {
	t, _ := cpuSeconds(s.pid())
	return t
}

// ownCPU is this process's CPU time.
func ownCPU() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// connectDevices are the devices that connect in turn, more than connect at once.
const connectDevices = 1000

// connects is clients that connect and leave, signed at Matou.
func connects(ctx context.Context, b *bench, p *peer, out *sample) error {
	return b.with(ctx, p, func(s *server) error {
		logins, err := s.signed(ctx, alibaba, connectDevices)
		if err != nil {
			return err
		}
		if err := comeAndGo(ctx, s, logins, len(logins)); err != nil { // every device once, as a warm-up
			return err
		}
		server, own, begun := cpuOf(s), ownCPU(), time.Now()
		if err := comeAndGo(ctx, s, logins, b.plan.connects); err != nil {
			return err
		}
		out.Seconds = time.Since(begun).Seconds()
		out.Messages = int64(b.plan.connects)
		out.ServerCPU, out.GeneratorCPU = cpuOf(s)-server, ownCPU()-own
		out.Memory, _ = memoryOf(s.pid())
		out.Values[perConnect] = out.ServerCPU / float64(b.plan.connects) * 1e6
		out.Values[rate] = float64(b.plan.connects) / out.Seconds
		return nil
	})
}

// comeAndGo makes n connections, some at a time: CONNECT, CONNACK, DISCONNECT,
// and the server closes.
func comeAndGo(ctx context.Context, s *server, logins []login, n int) error {
	f, err := newFleet(s.addr)
	if err != nil {
		return err
	}
	defer f.close()
	done := 0
	f.handle = func(c *conn, first byte, body []byte) error {
		if first>>4 != connack || len(body) != 2 || body[1] != 0 {
			return fmt.Errorf("client %q was refused: %x %x", logins[c.index%len(logins)].clientID, first, body)
		}
		c.open = true
		c.write(disconnectFrame)
		return nil
	}
	f.hangup = func(c *conn) error {
		if !c.open {
			return fmt.Errorf("client %q: %w before CONNACK", logins[c.index%len(logins)].clientID, errClosed)
		}
		c.close()
		done++
		return nil
	}
	for deadline := time.Now().Add(openPatience); done < n; {
		for len(f.conns) < n && len(f.conns)-done < opening {
			c, err := f.dial()
			if err != nil {
				return err
			}
			if err := f.enlist(c); err != nil {
				return err
			}
			c.write(appendConnect(nil, logins[c.index%len(logins)], true, keepAlive))
		}
		if err := f.turn(100 * time.Millisecond); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d connections came and went within %v", done, n, openPatience)
		}
	}
	return nil
}

// devices are members as devices are: they stay, with a session and a
// subscription of their own.
func devices(logins []login) []member {
	members := make([]member, len(logins))
	for i, l := range logins {
		members[i] = member{
			login: l, ping: true, filter: "/sys/" + aliyunProduct + "/" + deviceName(i) + "/thing/service/property/set",
		}
	}
	return members
}

// idle is devices that connect, subscribe, say PINGREQ once and stay.
func idle(ctx context.Context, b *bench, p *peer, out *sample) error {
	dir, err := os.MkdirTemp(b.scratch, p.name+"-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	logins := signedLogins(p.cloud, alibaba, b.plan.idle)
	if p.cloud { // made by an earlier process, so that its garbage is not counted
		err := b.within(ctx, p, dir, false, func(s *server) error {
			_, err := s.signed(ctx, alibaba, b.plan.idle)
			return err
		})
		if err != nil {
			return err
		}
	}
	return b.within(ctx, p, dir, false, func(s *server) error {
		if _, err := s.await(ctx, logins[0], true); err != nil {
			return err
		}
		before, err := settledMemory(ctx, s.pid())
		if err != nil {
			return err
		}
		f, err := newFleet(s.addr)
		if err != nil {
			return err
		}
		defer f.close()
		begun := time.Now()
		if err := f.enter(ctx, devices(logins)); err != nil {
			return err
		}
		out.Seconds = time.Since(begun).Seconds()
		if out.Memory, err = settledMemory(ctx, s.pid()); err != nil {
			return err
		}
		if err := f.turn(0); err != nil { // all are still there
			return err
		}
		out.Messages = int64(len(logins))
		out.Values[perDevice] = float64(out.Memory.PSS-before.PSS) / float64(len(logins))
		return nil
	})
}

// Memory has settled when it changes by less than one part in settledPart from
// one look to the next; after memoryPatience it is taken as it is.
const (
	lookEvery      = 500 * time.Millisecond
	settledPart    = 500
	memoryRest     = 5 * time.Second // before the first look: garbage of the arrival is given back in it
	memoryPatience = 6 * time.Second
)

func settledMemory(ctx context.Context, pid int) (memory, error) {
	select {
	case <-ctx.Done():
		return memory{}, ctx.Err()
	case <-time.After(memoryRest):
	}
	last := memory{PSS: -1}
	for deadline := time.Now().Add(memoryPatience); ; {
		m, err := memoryOf(pid)
		if err != nil {
			return memory{}, err
		}
		if change := m.PSS - last.PSS; last.PSS >= 0 && max(change, -change) <= m.PSS/settledPart || time.Now().After(deadline) {
			return m, nil
		}
		last = m
		select {
		case <-ctx.Done():
			return memory{}, ctx.Err()
		case <-time.After(lookEvery):
		}
	}
}

// sessionsAtOnce is how many devices are connected at once while sessions are
// made.
const sessionsAtOnce = 2000

// restart is a start with many sessions on the disk. They are made once and
// serve all rounds.
func restart(ctx context.Context, b *bench, p *peer, out *sample) error {
	if !p.keeps {
		return errors.New("it keeps no sessions")
	}
	dir := filepath.Join(b.scratch, p.name+"-sessions")
	logins := signedLogins(p.cloud, alibaba, b.plan.sessions)
	if !slices.Contains(b.filled, p.name) {
		if err := b.fill(ctx, p, dir, logins); err != nil {
			return fmt.Errorf("make %d sessions: %w", len(logins), err)
		}
		b.filled = append(b.filled, p.name)
	}
	return b.within(ctx, p, dir, true, func(s *server) error {
		present, err := s.await(ctx, logins[len(logins)/2], false)
		if err != nil {
			return err
		}
		out.Seconds = time.Since(s.begun).Seconds()
		if !present {
			return errors.New("the session of a device is not there after the restart")
		}
		out.Messages = int64(len(logins))
		out.Values[startUp] = out.Seconds
		out.ServerCPU = cpuOf(s)
		out.Memory, err = memoryOf(s.pid())
		return err
	})
}

// fill makes a data directory with devices and their sessions.
func (b *bench) fill(ctx context.Context, p *peer, dir string, logins []login) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return b.within(ctx, p, dir, true, func(s *server) error {
		if _, err := s.signed(ctx, alibaba, len(logins)); err != nil {
			return err
		}
		members := devices(logins)
		for part := range slices.Chunk(members, sessionsAtOnce) {
			f, err := newFleet(s.addr)
			if err != nil {
				return err
			}
			err = f.enter(ctx, part)
			f.close()
			if err != nil {
				return err
			}
		}
		return nil
	})
}
