package fleet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/device/curve"
	"github.com/matou-iot/matou/mqtt/client"
)

// Options say what a run may use beyond its scenario.
type Options struct {
	// Progress is called about once a second, and with the last state.
	Progress func(Progress)
	// Explain says why a device was refused, "" where nobody knows. It is
	// called once a cause, beside the run.
	Explain func(ctx context.Context, product, device string) string
	// Command asks the cloud to have a device do something, and waits for the
	// outcome; nil where there is nobody to ask.
	Command func(ctx context.Context, c Command) error
	Dial    client.Dialer // in place of the scenario's server
	Log     *slog.Logger  // nil: discard
}

// The workers do what is due; a few stand still when the server does not read.
const workers = 32

// A run is a scenario at work.
type run struct {
	s        *Scenario
	o        Options
	ctx      context.Context
	start    time.Time
	slow     bool // the network delays or loses
	dialer   client.Dialer
	before   int64 // memory without devices
	members  []member
	work     chan *member // as many places as members: each is in it once at most
	schedule *schedule
	waits    sync.WaitGroup // goroutines that dial or read

	openMu  sync.Mutex
	opening int       // goroutines that dial
	queue   []*member // that want to dial

	count    counters
	delays   Delays // from a post to its answer
	window   window // of those, since the last Progress
	connects Delays // from dialling to SUBACK
	returns  Delays // from a break, or when coming back was allowed, to SUBACK
	commands Delays

	causeMu  sync.Mutex
	causes   map[causeKey]*Cause
	explains sync.WaitGroup
}

// counters are what happened so far.
type counters struct {
	connected, up                                          atomic.Int64 // now
	came, returns, refused, failed, broken, cut            atomic.Int64 // connections
	made, sent, resent, acked, answered, rejected, dropped atomic.Int64 // posts, events included
	events                                                 atomic.Int64 // among the posts made
	waiting                                                atomic.Int64 // posts that are not answered now
	commands, obeyed                                       atomic.Int64 // that devices took, and answered
	ordered, outcomes, acknowledged                        atomic.Int64 // commands that the cloud was asked for, good outcomes last
	reporting                                              atomic.Int64 // devices that have not made all their reports
	digest                                                 atomic.Uint64
}

// Run runs a scenario to its end, or until ctx ends, and reports. The error
// says why it could not begin.
func (s *Scenario) Run(ctx context.Context, o Options) (*Result, error) {
	r, err := s.prepare(o)
	if err != nil {
		return nil, err
	}
	return r.run(ctx)
}

// prepare makes the devices.
func (s *Scenario) prepare(o Options) (*run, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r := &run{s: s, o: o, causes: map[causeKey]*Cause{},
		slow: s.Network.Delay > 0 || s.Network.Jitter > 0 || s.Network.Loss > 0,
	}
	if err := enoughFiles(s.connections()); err != nil {
		return nil, err
	}
	var err error
	if r.dialer = o.Dial; r.dialer == nil {
		if r.dialer, err = s.dialer(); err != nil {
			return nil, err
		}
	}
	n := s.Devices()
	r.before = memory()
	r.members = make([]member, n)
	r.work = make(chan *member, n)
	r.schedule = newSchedule(r.now, r.kick)
	r.count.reporting.Store(int64(n))
	i := 0
	for _, g := range s.Groups {
		if !g.HasCredentials() && g.Dialect != "mqtt" {
			return nil, fmt.Errorf("group %s has no secrets: give credentials or secret, or let a Matou make its devices (--api)", g.Name)
		}
		curves := curvesOf(g.sources)
		for j := range g.happens {
			g.happens[j].curves = curves
			curves += curvesOf(g.happens[j].output)
		}
		for k := range g.Count {
			m := &r.members[i]
			c := g.credentialOf(k)
			m.r, m.g, m.index, m.place, m.mu = r, g, int32(k), -1, &m.own
			m.seed = curve.Seed(s.Seed, g.Product, c.Name)
			if m.speech, err = g.Identity(c).Speech(s.secure()); err != nil {
				return nil, fmt.Errorf("group %s, device %s: %w", g.Name, c.Name, err)
			}
			m.curves = begin(g.sources, m.seed, make([]curve.Curve, 0, curves))
			for j := range g.happens {
				m.curves = begin(g.happens[j].output, curve.Seed(m.seed, g.happens[j].id), m.curves)
			}
			m.on = time.Duration(m.random("on", 0) * float64(s.Ramp))
			m.await()
			i++
		}
	}
	return r, r.attach()
}

func (s *Scenario) secure() bool {
	for _, p := range []string{"mqtts:", "ssl:", "tls:", "wss:"} {
		if len(s.Server.URL) > len(p) && s.Server.URL[:len(p)] == p {
			return true
		}
	}
	return false
}

func (s *Scenario) dialer() (client.Dialer, error) {
	config := &tls.Config{InsecureSkipVerify: s.Server.Insecure, ClientSessionCache: tls.NewLRUClientSessionCache(64)}
	if s.Server.CAFile != "" {
		pem, err := s.open(s.Server.CAFile)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("server.caFile holds no PEM certificate")
		}
	}
	return client.DialURL(s.Server.URL, config)
}

// now is the time since the start.
func (r *run) now() time.Duration { return time.Since(r.start) }

// kick puts a member before the workers, once.
func (r *run) kick(m *member) {
	if m.queued.CompareAndSwap(false, true) {
		r.work <- m
	}
}

// listen waits for what comes over conn, in a goroutine of its own that ends
// with it: so its stack stays small.
func (r *run) listen(m *member, conn net.Conn) {
	r.waits.Go(func() {
		b, n, err := read(conn)
		m.came(conn, b, n, err)
	})
}

// open dials for m, now or when there are fewer that do.
func (r *run) open(m *member) {
	r.openMu.Lock()
	defer r.openMu.Unlock()
	if r.opening >= r.s.Backoff.AtOnce {
		r.queue = append(r.queue, m)
		return
	}
	r.opening++
	r.waits.Go(m.dial)
}

// opened lets the next one dial.
func (r *run) opened() {
	r.openMu.Lock()
	defer r.openMu.Unlock()
	if len(r.queue) == 0 || r.ctx.Err() != nil {
		r.opening--
		return
	}
	m := r.queue[0]
	if r.queue = r.queue[1:]; len(r.queue) == 0 {
		r.queue = nil
	}
	r.waits.Go(m.dial)
}

// lag is how long the network takes, one way. A lost segment is sent again
// after 200 ms, then after twice that and so on [RFC 6298].
func (r *run) lag(m *member, now time.Duration, purpose uint64) time.Duration {
	n := r.s.Network
	x := uint64(now)<<3 | purpose
	d := n.Delay + time.Duration(m.random("lag", x)*float64(n.Jitter))
	for again, wait := uint64(0), 200*time.Millisecond; again < 8 && m.random("loss", x^again<<60) < float64(n.Loss); again++ {
		d += wait
		wait *= 2
	}
	return d
}

func (r *run) run(ctx context.Context) (*Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.ctx, r.start = ctx, time.Now()
	var others sync.WaitGroup
	for range workers {
		others.Go(func() { r.serve(ctx) })
	}
	lateness := make(chan time.Duration, 1)
	others.Go(func() { lateness <- r.schedule.run(ctx) })
	for i := range r.members {
		m := &r.members[i]
		r.schedule.at(m, m.on)
	}
	if r.s.Commands.Every > 0 && r.o.Command != nil {
		others.Go(func() { r.order(ctx) })
	}
	r.watch(ctx)
	interrupted := ctx.Err() != nil
	report := r.report(interrupted)
	report.BytesADevice = (memory() - r.before) / int64(max(1, len(r.members)))
	cancel()
	others.Wait()
	r.farewell()
	r.waits.Wait()
	r.explains.Wait()
	r.advise(report.Causes)
	report.Late = seconds(<-lateness)
	return report, nil
}

// serve does what is due, until ctx ends.
func (r *run) serve(ctx context.Context) {
	for {
		select {
		case m := <-r.work:
			m.queued.Store(false)
			m.step(r.now())
		case <-ctx.Done():
			return
		}
	}
}

// farewell disconnects everybody, some at a time.
func (r *run) farewell() {
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := w; i < len(r.members); i += workers {
				r.members[i].end()
			}
		})
	}
	all.Wait()
}

// watch tells of the progress until the run is over: its time is up and all
// posts are answered, or the drain's time is up, or ctx has ended.
func (r *run) watch(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	told := time.Duration(0)
	for {
		now := r.now()
		if over := now >= r.s.Duration && (r.settled() && r.count.waiting.Load() == 0 || now >= r.s.Duration+r.s.Drain); over || ctx.Err() != nil {
			r.tell(now)
			return
		}
		if now-told >= time.Second {
			told = now
			r.tell(now)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// settled reports whether all reports were made, all devices are back and all
// commands came to their end.
func (r *run) settled() bool {
	return r.count.reporting.Load() == 0 && r.count.ordered.Load() == r.count.outcomes.Load() && r.count.up.Load() == int64(len(r.members))
}

func (r *run) tell(now time.Duration) {
	if r.o.Progress != nil {
		r.o.Progress(r.progress(now))
	}
}

// memory is what this process holds for its devices: live objects after a
// collection, stacks, and what the runtime needs for them.
func memory() int64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc + s.StackInuse + s.MSpanInuse + s.GCSys + s.OtherSys)
}
