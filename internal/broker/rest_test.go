package broker_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
)

// A silent client costs the smallest stack there is, and is answered as if its
// goroutine had stayed.
func TestSilentClientsKeepNoStack(t *testing.T) {
	if broker.RaceEnabled {
		t.Skip("the race detector's frames are larger")
	}
	h := serve(t, broker.Options{})
	const clients = 2000 // enough that what stands between their stacks does not count
	before := stacks()
	peers := make([]*peer, clients)
	for i := range peers {
		peers[i] = h.dial()
		peers[i].send("10 10 0004'MQTT'04 02 003c 0004" + "'" + string([]byte{byte('a' + i%26), byte('a' + i/26%26), byte('a' + i/676), 'x'}) + "'")
		peers[i].want("20 02 00 00")
	}
	awaitResting(t, clients)
	// What goroutines leave behind, the collector gives back in a later round.
	for end := time.Now().Add(patience); (stacks()-before)/clients > 3<<10; {
		if time.Now().After(end) {
			t.Fatalf("a silent client keeps %d bytes of stack, want 2 KiB", (stacks()-before)/clients)
		}
	}
	for range 2 {
		for _, p := range peers {
			p.send("c0 00")
			p.want("d0 00")
		}
		awaitResting(t, clients)
	}
	for _, p := range peers {
		p.send("e0 00")
		p.wantEnd()
	}
}

func stacks() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.StackInuse
}

// awaitResting waits until n clients have no goroutine but one that waits.
func awaitResting(t *testing.T, n int) {
	t.Helper()
	buf := make([]byte, 8<<20)
	for end := time.Now().Add(patience); ; runtime.Gosched() {
		all := string(buf[:runtime.Stack(buf, true)])
		if strings.Count(all, "broker.(*socket).await(") >= n {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d of %d clients rest", strings.Count(all, "broker.(*socket).await("), n)
		}
	}
}
