package gate

import (
	"fmt"
	"hash/maphash"
	"testing"
	"time"
)

func TestRatesAreBounded(t *testing.T) {
	r := &rates{seed: maphash.MakeSeed()}
	r.limit.Store(1)
	now := time.Now()
	const fleet = 3 * rateShards * maxRated
	for i := range fleet {
		if !r.admit(fmt.Sprint("farm/pump", i), now) {
			t.Fatalf("device %d was never here before", i)
		}
	}
	held := 0
	for i := range r.shards {
		held += len(r.shards[i].m)
	}
	if held > rateShards*maxRated {
		t.Errorf("%d devices are held", held)
	}
	if r.admit(fmt.Sprint("farm/pump", fleet-1), now) {
		t.Error("the last one may come again at once")
	}
}
