package broker_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
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
	before := runtime.NumGoroutine() // first's is among them, or its lounge's two are
	resting = func() {
		t.Helper()
		for end := time.Now().Add(patience); runtime.NumGoroutine() > before+4; runtime.Gosched() {
			if time.Now().After(end) {
				t.Fatalf("%d goroutines for %d silent clients, %d before them", runtime.NumGoroutine(), n, before)
			}
		}
	}
	for i := range n {
		p := h.dial()
		p.send(hello(i))
		p.want("20 02 00 00")
		peers = append(peers, p)
	}
	resting()
	return h, peers, resting
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
		for _, p := range peers {
			p.send("c0 00")
			p.want("d0 00")
		}
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
	for end := time.Now().Add(patience); h.Counters().Clients.Load() != clients/2+1; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d clients, want those that are left", h.Counters().Clients.Load())
		}
	}
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
