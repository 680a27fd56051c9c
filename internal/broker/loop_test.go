package broker_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt/packet"
)

// silentHouse is a house of clients of which none has a goroutine any more.
func silentHouse(t *testing.T, n int, hello func(i int) string) (h *house, peers []*peer, resting func()) {
	if runtime.GOOS != "linux" {
		t.Skip("clients keep their goroutines here")
	}
	h = serve(t, broker.Options{})
	first := h.dial()
	first.send(hello(n))
	first.want("20 02 00 00")
	before := runtime.NumGoroutine() // first's loops are among them
	resting = func() {
		t.Helper()
		for end := time.Now().Add(patience); runtime.NumGoroutine() > before+4; runtime.Gosched() {
			if time.Now().After(end) {
				t.Fatalf("%d goroutines for %d silent clients, %d before them", runtime.NumGoroutine(), n, before)
			}
		}
	}
	peers = h.guests(n, hello)
	resting()
	return h, peers, resting
}

// guests are clients that are connected, each by its own CONNECT.
func (h *house) guests(n int, hello func(i int) string) (all []*peer) {
	h.t.Helper()
	for i := range n {
		p := h.dial()
		p.send(hello(i))
		p.want("20 02 00 00")
		all = append(all, p)
	}
	return all
}

// allHeard shows that each of some clients is served, one after the other.
func allHeard(peers []*peer) {
	for _, p := range peers {
		p.t.Helper()
		p.wantSilence()
	}
}

// wantClients waits until as many clients are left.
func (h *house) wantClients(n int64) {
	h.t.Helper()
	for end := time.Now().Add(patience); h.Counters().Clients.Load() != n; runtime.Gosched() {
		if time.Now().After(end) {
			h.t.Fatalf("%d clients, want the %d that are left", h.Counters().Clients.Load(), n)
		}
	}
}

func hello(keepAlive string) func(int) string {
	return func(i int) string {
		return "10 10 0004'MQTT'04 02 " + keepAlive + " 0004'" + string([]byte{byte('a' + i%26), byte('a' + i/26%26), byte('a' + i/676), 'x'}) + "'"
	}
}

// TestSilentClients: who is silent has no goroutine and no stack, and is
// answered as if it had.
func TestSilentClients(t *testing.T) {
	const clients = 600
	before := stacks()
	h, peers, resting := silentHouse(t, clients, hello("003c"))
	if !broker.RaceEnabled {
		// What goroutines leave behind, the collector gives back in a later round.
		for end := time.Now().Add(patience); (stacks()-before)/clients > 1<<10; {
			if time.Now().After(end) {
				t.Fatalf("a silent client keeps %d bytes of stack", (stacks()-before)/clients)
			}
		}
	}
	for range 2 {
		allHeard(peers)
		resting()
	}
	const talkers = 20
	for _, p := range peers[:talkers] { // half of a packet, the rest after a silence
		p.send("30 05 0003")
	}
	for _, p := range peers[clients/2:] {
		p.send("82 08 0001 0003'a/b'00")
		p.want("90 03 0001 00")
	}
	for _, p := range peers[:talkers] {
		p.send("'a/b'")
	}
	resting()
	for i, p := range peers[clients/2:] { // sent to while they rest, and closed by their peers
		for range talkers {
			p.want("30 05 0003'a/b'")
		}
		if i%2 == 0 {
			p.Close()
		}
	}
	for i, p := range peers[clients/2:] {
		if i%2 == 1 {
			p.send("e0 00")
			p.wantEnd()
		}
	}
	h.wantClients(clients/2 + 1)
}

// TestEndsOfSilentClients: the keep-alive, a take-over, a kick and the end of
// the server find a client that has no goroutine.
func TestEndsOfSilentClients(t *testing.T) {
	h, peers, resting := silentHouse(t, 40, hello("0001"))
	for i, p := range peers[:10] {
		other := h.dial()
		other.send(hello("0000")(i))
		other.want("20 02 00 00")
		p.wantEnd()
		peers[i] = other
	}
	for _, p := range peers[20:] {
		p.wantEnd() // 1.5 s
	}
	resting()
	if !h.Disconnect("aaax", 0) {
		t.Error("nobody to disconnect")
	}
	peers[0].wantEnd()
	if err := h.stop(); err != nil {
		t.Error(err)
	}
	for _, p := range peers[1:10] {
		p.wantEnd()
	}
}

func stacks() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.StackInuse)
}

// waitingRules wait with what is published to "wait".
type waitingRules struct {
	broker.OpenRules
	says bool // that it will wait
	came chan struct{}
	end  chan struct{}
}

func (r *waitingRules) Publish(c *broker.Client, p *packet.Publish) broker.Decision {
	if string(p.Topic) == "wait" {
		if r.says {
			c.HandOver()
		}
		r.came <- struct{}{}
		<-r.end
	}
	return r.OpenRules.Publish(c, p)
}

// TestNobodyWaitsForAnother: while Rules think about what some clients say,
// whether they have said that it takes long or not, all others are served, and
// those after them, in their order.
func TestNobodyWaitsForAnother(t *testing.T) {
	for _, says := range []bool{true, false} {
		r := &waitingRules{says: says, came: make(chan struct{}), end: make(chan struct{})}
		h := serve(t, broker.Options{Rules: r})
		all := h.guests(12*runtime.GOMAXPROCS(0), hello("003c"))
		waiting, others := all[:len(all)/3], all[len(all)/3:]
		for _, p := range waiting {
			p.send("32 08 0004'wait' 0001")
			<-r.came
			allHeard(others)
		}
		close(r.end)
		for _, p := range waiting {
			p.want("40 02 0001")
		}
	}
}

// TestAFloodLeavesOthersTheirTurn: who sends without a pause keeps nobody from
// being heard.
func TestAFloodLeavesOthersTheirTurn(t *testing.T) {
	h := serve(t, broker.Options{})
	all := h.guests(8*runtime.GOMAXPROCS(0), hello("003c"))
	floods, others := all[:2], all[2:]
	packets := bytes.Repeat(wire(t, "30 07 0001'f' 00000000"), 8000)
	end := make(chan struct{})
	var done sync.WaitGroup
	for _, p := range floods {
		done.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				if _, err := p.Write(packets); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 4 {
		allHeard(others)
	}
	close(end)
	done.Wait()
}

// TestWorkersOfLongEndsAreLetGo: connections whose ends take their time, since
// the client may read its last packet, leave no goroutine behind, though
// nobody says anything any more when the last of them is over.
func TestWorkersOfLongEndsAreLetGo(t *testing.T) {
	_, peers, resting := silentHouse(t, 100, hello("003c"))
	for _, p := range peers {
		p.send("c0 01 00") // no PINGREQ has a body
	}
	for _, p := range peers {
		p.wantEnd()
	}
	resting()
}

// TestNumbersOfSocketsAreUsedAgain: sockets get other numbers when their
// clients stay, and the numbers go to clients who come: each is heard.
func TestNumbersOfSocketsAreUsedAgain(t *testing.T) {
	h := serve(t, broker.Options{})
	var done sync.WaitGroup
	for g := range 8 {
		done.Go(func() {
			var stay []*peer
			for i := range 60 {
				nc, err := net.Dial("tcp", h.addr)
				if err != nil {
					t.Error(err)
					return
				}
				p := newPeer(t, nc)
				id := fmt.Sprintf("%02d%02d", g, i)
				p.Write(wire(t, "10 10 0004'MQTT'04 02 003c 0004'"+id+"'"))
				stay = append(stay, p)
				if i%3 == 0 {
					stay[i/2].Close()
				}
				for _, p := range stay[i/2+1:] {
					p.Write(wire(t, "c0 00"))
				}
			}
			for i, p := range stay[len(stay)/2+1:] {
				heard := make([]byte, 4)
				if _, err := io.ReadFull(p, heard); err != nil || heard[0] != 0x20 {
					t.Errorf("client %d of %d was not heard: % x, %v", i, g, heard, err)
				}
			}
		})
	}
	done.Wait()
}
