package gate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/dialect/plain"
	"github.com/matou-iot/matou/internal/gate"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt/packet"
)

// refusals is how many logins are refused; MATOU_REFUSED asks for more.
func refusals() int {
	if n, err := strconv.Atoi(os.Getenv("MATOU_REFUSED")); err == nil && n > 0 {
		return n
	}
	if raceEnabled || testing.Short() {
		return 6_000
	}
	return 100_000
}

// A pipes is a net.Listener without a network.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

// A calm connection stops the timers of its deadlines when it is closed, as a
// socket does and a pipe does not.
type calm struct{ net.Conn }

func (c calm) Close() error {
	c.SetDeadline(time.Time{})
	return c.Conn.Close()
}

// login sends a CONNECT over a new connection and returns the return code and
// whether the broker closed behind it.
func (p *pipes) login(c *packet.Connect) (code byte, closed bool, err error) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	b, err := c.Append(nil, c.Version)
	if err != nil {
		return 0, false, err
	}
	p.conns <- calm{theirs}
	if _, err := ours.Write(b); err != nil {
		return 0, false, err
	}
	var ack [4]byte
	if _, err := io.ReadFull(ours, ack[:]); err != nil {
		return 0, false, err
	}
	if ack[3] == 0 {
		return 0, false, nil
	}
	_, err = ours.Read(make([]byte, 1))
	return ack[3], err == io.EOF, nil
}

// lines count what is logged.
type lines struct{ n, bytes atomic.Int64 }

func (l *lines) Write(b []byte) (int, error) {
	l.n.Add(int64(bytes.Count(b, []byte("\n"))))
	l.bytes.Add(int64(len(b)))
	return len(b), nil
}

// TestRefusedLoginsLeaveNothing: neither goroutine nor session nor memory nor a
// long log, however many they are, whatever they invent and however long.
func TestRefusedLoginsLeaveNothing(t *testing.T) {
	h := open(t, nil)
	var log lines
	g := gate.New(gate.Options{
		Registry: registry.New(registry.Options{Store: h.store, CacheSize: 5000}),
		Dialects: dialect.Set{aliyun.Dialect{}, plain.Dialect{}}, Uplinks: h.uplinks,
		Trace: trace.New(1 << 20), Strangers: trace.New(1 << 20), Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	b, err := broker.New(broker.Options{Rules: g, Limits: broker.Limits{ConnectSize: 256 << 10}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	door := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	var served sync.WaitGroup
	served.Go(func() { b.Serve(ctx, door) })
	defer served.Wait()
	defer cancel()

	lampLogin := h.alink("another secret")
	long := strings.Repeat("x", 60_000)
	mistakes := []func(i int) *packet.Connect{
		func(i int) *packet.Connect { return connect(fmt.Sprintf("nowhere%d/dev", i), guess) },
		func(i int) *packet.Connect { return connect(fmt.Sprintf("farm/pump%d", i+2), guess) },
		func(int) *packet.Connect { return connect("farm/pump1", guess) },
		func(int) *packet.Connect { c := *lampLogin; return &c },
		func(i int) *packet.Connect { return connect(fmt.Sprint("no slash ", i), guess) },
		func(i int) *packet.Connect {
			c := connect("farm/pump1", fmt.Sprint(guess, i))
			c.ClientID = fmt.Sprint("client", i)
			return c
		},
	}
	huge := []func(i int) *packet.Connect{ // now and then: they cost time, too
		func(i int) *packet.Connect { return connect(fmt.Sprint("farm/", i, long), guess) },
		func(i int) *packet.Connect { return connect(fmt.Sprint(i, long, "/dev"), guess) },
		func(i int) *packet.Connect {
			c := connect("farm/pump1", long)
			c.ClientID = fmt.Sprint(i, long)
			return c
		},
		func(i int) *packet.Connect {
			c := *lampLogin
			c.ClientID = fmt.Sprint(i, long) + lampLogin.ClientID
			return &c
		},
	}
	refuse := func(from, to int) {
		var workers sync.WaitGroup
		for w := range 4 {
			workers.Go(func() {
				for i := from + w; i < to; i += 4 {
					c := mistakes[i/4%len(mistakes)](i)
					if i/4%20 == 0 {
						c = huge[i/80%len(huge)](i)
					}
					code, closed, err := door.login(c)
					if code != 4 || !closed || err != nil {
						t.Errorf("login %d: code %d, closed %v, %v", i, code, closed, err)
						return
					}
				}
			})
		}
		workers.Wait()
		for b.Counters().Connections.Load() > 0 {
			runtime.Gosched()
		}
	}
	measure := func() (goroutines int, heap int64) {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return runtime.NumGoroutine(), int64(m.HeapAlloc)
	}
	refuse(0, 2000) // fills the caches, whose bounds are others' rules
	goroutines, heap := measure()
	n := refusals()
	start := time.Now()
	refuse(2000, 2000+n)
	took := time.Since(start)
	goroutinesAfter, heapAfter := measure()
	t.Logf("%d refusals in %v: goroutines %d, then %d; heap %+d KiB; %d lines of log", n, took, goroutines, goroutinesAfter, (heapAfter-heap)>>10, log.n.Load())
	if goroutinesAfter > goroutines+2 {
		t.Errorf("%d goroutines became %d", goroutines, goroutinesAfter)
	}
	// Names of strangers are remembered up to a number: 10,000 products, 4,096 mistakes.
	if grown := heapAfter - heap; grown > 12<<20 {
		t.Errorf("the heap has grown by %d KiB", grown>>10)
	}
	c := b.Counters()
	if c.Refused.Load() != int64(n+2000) || c.Sessions.Load() != 0 || c.Clients.Load() != 0 || c.Connects.Load() != 0 {
		t.Errorf("%d refused; %d sessions, %d clients, %d connects", c.Refused.Load(), c.Sessions.Load(), c.Clients.Load(), c.Connects.Load())
	}
	if most := int64(300); log.n.Load() > most || log.bytes.Load() > most*2000 {
		t.Errorf("%d lines of log with %d bytes, want at most %d", log.n.Load(), log.bytes.Load(), most)
	}
	if code, _, err := door.login(connect("farm/pump1", pumpSecret)); code != 0 || err != nil {
		t.Errorf("the right login after all that: code %d, %v", code, err)
	}
}

// TestWhatAStrangerSaysIsClipped in timeline and answer: the rest of 60,000
// bytes would tell nobody more.
func TestWhatAStrangerSaysIsClipped(t *testing.T) {
	h := open(t, nil)
	long := strings.Repeat("长", 20_000)
	for _, c := range []*packet.Connect{connect(long+"/dev", guess), connect("farm/"+long, guess), connect(long, guess)} {
		c.ClientID = long
		_, err := h.Connect(t.Context(), c, fromAfar)
		if r, ok := err.(*broker.Refusal); !ok || len(r.ReasonString) > 1000 || len(r.ReasonString) == 0 {
			t.Errorf("refused with %.2000v", err)
		}
	}
	clipped := strings.Repeat("长", 170) + "…"
	found := 0
	for _, id := range []registry.ID{{Product: clipped, Device: "dev"}, {Product: "farm", Device: clipped}, {}} {
		for _, e := range story(h.strangers, id) {
			found++
			if doc, _ := json.Marshal(e); e.Code != "login-too-long" || len(doc) > 6000 || !bytes.Contains(doc, []byte(`"clientId":"`+clipped+`"`)) {
				t.Errorf("%.6000s", doc)
			}
		}
	}
	if found != 3 {
		t.Errorf("%d of 3 refusals in the timeline", found)
	}
}

// TestDiagnosingHasABudget: what is looked for in refused logins does not grow
// with their number; who asks as an operator is always told.
func TestDiagnosingHasABudget(t *testing.T) {
	h := open(t, nil)
	wrong := h.alink("another secret")
	code := func() string {
		t.Helper()
		_, err := h.Connect(t.Context(), wrong, fromAfar)
		r, ok := err.(*broker.Refusal)
		if !ok {
			t.Fatalf("%v", err)
		}
		return r.ReasonString
	}
	first := code()
	const enough = 1_000_000 // half a second of a processor each thousand
	n, later := 0, first     // kept: a moment afterwards there may be time left again
	for start := time.Now(); n < enough && later == first && time.Since(start) < patience; n++ {
		later = code()
	}
	if !strings.Contains(later, "not looked into") {
		t.Errorf("after %d refusals: %q, then %q", n, first, later)
	}
	opinion, err := h.Judge(t.Context(), wrong, fromAfar)
	if err != nil || opinion.Diagnosis == nil || opinion.Diagnosis.Sentence != first {
		t.Errorf("asked: %+v, %v", opinion, err)
	}
	if _, err := h.Connect(t.Context(), h.alink(lampSecret), fromAfar); err != nil {
		t.Errorf("the right login: %v", err)
	}
}
