//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
)

// engine serves the MQTT engine in this process and returns its address.
func engine(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b, err := broker.New(broker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return ln.Addr().String()
}

func enter(t *testing.T, addr string, members []member) *fleet {
	t.Helper()
	f, err := newFleet(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.close)
	if err := f.enter(t.Context(), members); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestALoadCountsEveryMessage(t *testing.T) {
	const n = 5
	for _, tt := range []struct {
		name   string
		qos    byte
		window uint32
		copies int
	}{
		{"QoS 0, one unfinished", 0, 1, 1},
		{"QoS 1, one unfinished", 1, 1, 1},
		{"QoS 1, many in flight", 1, 16, 1},
		{"QoS 1, at a rate", 1, 0, 1},
		{"one to many", 0, 4, n},
	} {
		t.Run(tt.name, func(t *testing.T) {
			members := crowd(anonymousLogins(2 * n))
			for i := range n {
				members[n+i].filter, members[n+i].qos = topic(i), tt.qos
				if tt.copies > 1 {
					members[n+i].filter = topic(0)
				}
			}
			f := enter(t, engine(t), members)
			l := &load{f: f, pubs: f.conns[:n], qos: tt.qos, window: tt.window, every: 100 * time.Microsecond}
			if tt.copies > 1 {
				l.pubs = l.pubs[:1]
			}
			for i, c := range l.pubs {
				c.t = newTemplate(topic(i), tt.qos, make([]byte, payloadBytes))
			}
			l.start(tt.copies)
			if err := l.run(t.Context(), 20*time.Millisecond); err != nil {
				t.Fatal(err)
			}
			if err := l.drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if l.sent() == 0 || l.delivered != l.sent()*int64(tt.copies) {
				t.Errorf("%d delivered of %d sent, %d copies each", l.delivered, l.sent(), tt.copies)
			}
			if l.lost() != 0 || l.unfinished() != 0 || l.disordered != 0 {
				t.Errorf("lost %d, unfinished %d, disordered %d", l.lost(), l.unfinished(), l.disordered)
			}
			if l.delays.count != l.delivered {
				t.Errorf("%d delays of %d deliveries", l.delays.count, l.delivered)
			}
		})
	}
}

// offline is a load whose clients have no sockets: what arrives is told by hand.
func offline(copies uint32) *load {
	f := &fleet{}
	for i := range 3 {
		f.conns = append(f.conns, &conn{f: f, fd: -1, index: i, copies: copies})
	}
	return &load{f: f, pubs: f.conns[:1], qos: 1, epoch: time.Now()}
}

func message(seq uint32) []byte {
	b := make([]byte, stampBytes)
	stamp(b, 0, 0, seq)
	return b
}

func TestALoadSeesWhatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		name                   string
		copies                 uint32
		arrive                 []uint32 // at client 1
		lost, disordered, open int64    // of 3 messages sent
	}{
		{"all well", 1, []uint32{0, 1, 2}, 0, 0, 0},
		{"the last is missing", 1, []uint32{0, 1}, 1, 0, 1},
		{"one in the middle is missing", 1, []uint32{0, 2}, 1, 1, 1},
		{"two changed places", 1, []uint32{1, 0, 2}, 0, 2, 0},
		{"one of two receivers got nothing", 2, []uint32{0, 1, 2}, 3, 0, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := offline(tt.copies)
			l.pubs[0].seq, l.pubs[0].acked = 3, 3
			for _, seq := range tt.arrive {
				if err := l.arrived(l.f.conns[1], message(seq)); err != nil {
					t.Fatal(err)
				}
			}
			if l.lost() != tt.lost || l.disordered != tt.disordered || l.unfinished() != tt.open {
				t.Errorf("lost %d, disordered %d, unfinished %d; want %d, %d, %d",
					l.lost(), l.disordered, l.unfinished(), tt.lost, tt.disordered, tt.open)
			}
		})
	}
}

func TestDeliveredIsNotAcknowledged(t *testing.T) {
	l := offline(1)
	c := l.pubs[0]
	c.seq, c.got, c.acked = 3, 3, 1
	if l.unfinished() != 2 || l.lost() != 0 {
		t.Errorf("unfinished %d, lost %d; want 2, 0", l.unfinished(), l.lost())
	}
}

func TestAStrangersMessageEndsTheLoad(t *testing.T) {
	l := offline(1)
	foreign := make([]byte, stampBytes)
	stamp(foreign, 0, 99, 0)
	for name, payload := range map[string][]byte{"an unknown sender": foreign, "too short": []byte("hi")} {
		if l.arrived(l.f.conns[1], payload) == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestOnlyASuccessfulAnswerCounts(t *testing.T) {
	for _, tt := range []struct {
		name, payload     string
		fails, disordered bool
	}{
		{"the next one", `{"code":200,"data":{},"id":"000000005","message":"success","method":"m","version":"1.0"}`, false, false},
		{"another one", `{"code":200,"data":{},"id":"000000006","message":"success","method":"m","version":"1.0"}`, false, true},
		{"OneNET's", `{"id":"000000005","code":200,"msg":"success"}`, false, false},
		{"OneNET's, refused", `{"id":"000000005","code":2410,"msg":"no"}`, true, false},
		{"refused", `{"code":460,"data":{},"id":"000000005","message":"no","method":"m","version":"1.0"}`, true, false},
		{"without an id", `{"code":200,"data":{}}`, true, false},
		{"cut off", `{"code":200,"data":{},"id":"0000`, true, false},
		{"an id that is not ours", `{"code":200,"data":{},"id":"abcdefghi"}`, true, false},
	} {
		l := offline(1)
		l.vendor, l.stopped = alibaba, true
		l.pubs[0].seq, l.pubs[0].got = 9, 5
		err := l.answered(l.pubs[0], []byte(tt.payload))
		if (err != nil) != tt.fails || (l.disordered > 0) != tt.disordered {
			t.Errorf("%s: %v, %d disordered", tt.name, err, l.disordered)
		}
	}
}

func TestARefusedClientIsAnError(t *testing.T) {
	addr := engine(t)
	f, err := newFleet(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	m := member{login: login{clientID: ""}, clean: false} // nobody may keep a session without a name [MQTT3-3.1.3-8]
	if err := f.enter(t.Context(), []member{m}); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("enter: %v, want a refusal", err)
	}
}

func TestComeAndGo(t *testing.T) {
	s := &server{addr: engine(t)}
	if err := comeAndGo(t.Context(), s, anonymousLogins(7), 200); err != nil {
		t.Fatal(err)
	}
}

func TestKnock(t *testing.T) {
	addr := engine(t)
	for i, want := range []bool{false, true} {
		got, err := knock(addr, login{clientID: "stays"}, false)
		if err != nil || got != want {
			t.Errorf("knock %d: session present %v, %v, want %v", i, got, err, want)
		}
	}
}

func TestHold(t *testing.T) {
	var out bytes.Buffer
	if err := hold(300, &out); err != nil {
		t.Fatal(err)
	}
	var h held
	if err := json.Unmarshal(out.Bytes(), &h); err != nil || h.Before.PSS <= 0 || h.After.PSS <= 0 || h.Seconds <= 0 {
		t.Errorf("%s: %v", &out, err)
	}
}

func TestPlansFitTheirClients(t *testing.T) {
	for name, p := range map[string]plan{"full": fullPlan, "quick": quickPlan} {
		if p.rounds < 2 || p.connects < connectDevices || p.sessions < p.idle/10 {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if fullPlan.rounds < 5 {
		t.Errorf("%d rounds are too few to judge by", fullPlan.rounds)
	}
	if connectDevices <= opening {
		t.Error("devices would take over their own connections")
	}
}

func TestEachRowHasItsScenario(t *testing.T) {
	names := map[string]bool{}
	for _, sc := range scenarios {
		names[sc.name] = true
	}
	for _, r := range rows {
		if !names[r.Scenario] {
			t.Errorf("row %q: no scenario %q", r.Title, r.Scenario)
		}
	}
}

func TestCommandLine(t *testing.T) {
	got := commandLine([]string{"--quick", "--only", "a|b's", "--out", "docs/bench"})
	if want := `go run ./bench --quick --only 'a|b'\''s' --out docs/bench`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var said tail
	for i := range 5000 {
		fmt.Fprintln(&said, i)
	}
	if s := said.String(); len(s) > sayBytes || !strings.HasSuffix(s, "\n4999") {
		t.Errorf("%d bytes, ends with %q", len(s), s[max(0, len(s)-10):])
	}
}
