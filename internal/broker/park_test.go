package broker_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A commit is what the messages of a test wait for.
type commit struct {
	mu      sync.Mutex
	over    bool
	waiting []broker.Waker
	asked   chan struct{} // has one for each Pending that was asked
	done    chan struct{}
}

func newCommit() *commit {
	return &commit{asked: make(chan struct{}, 1<<16), done: make(chan struct{})}
}

// end is what a disk does.
func (c *commit) end() {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	close(c.done)
	for _, w := range c.waiting {
		w.Wake()
	}
}

// A kept is a message that waits for a commit. One that is shy does not say so.
type kept struct {
	*commit
	shy    bool
	reason mqtt.ReasonCode
}

func (k *kept) Settle() mqtt.ReasonCode {
	if k.shy {
		k.asked <- struct{}{}
	}
	<-k.done
	return k.reason
}

func (k *kept) Notify(w broker.Waker) broker.Readiness {
	if k.shy {
		return broker.Whenever
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over {
		return broker.Ready
	}
	k.waiting = append(k.waiting, w)
	k.asked <- struct{}{}
	return broker.Later
}

// keepingRules keep what is published: "a" waits for the first commit, "b" for
// the second, "s" for the second without saying so, "x" for the first and fails;
// "n" needs no commit.
type keepingRules struct {
	broker.OpenRules
	first, second *commit
}

func newKeepingRules() *keepingRules { return &keepingRules{first: newCommit(), second: newCommit()} }

func (r *keepingRules) Publish(_ *broker.Client, p *packet.Publish) broker.Decision {
	d := broker.Decision{Action: broker.Consume}
	switch string(p.Topic) {
	case "a":
		d.Pending = &kept{commit: r.first}
	case "b":
		d.Pending = &kept{commit: r.second}
	case "s":
		d.Pending = &kept{commit: r.second, shy: true}
	case "x":
		d.Pending = &kept{commit: r.first, reason: mqtt.ImplementationSpecificError}
	}
	return d
}

// endBoth ends the first commit, and the second when n wait for it; others are
// heard meanwhile.
func (r *keepingRules) endBoth(n int, others []*peer) {
	r.first.end()
	for range n {
		<-r.second.asked
	}
	allHeard(others)
	r.second.end()
}

// TestManyWaitForOneCommit: who waits for the disk needs no goroutine for it,
// keeps nobody waiting, and is answered in the order of what it sent; what it
// sends meanwhile is heard afterwards.
func TestManyWaitForOneCommit(t *testing.T) {
	r := newKeepingRules()
	h := serve(t, broker.Options{Rules: r})
	all := h.guests(200, hello("003c"))
	waiting, others := all[:150], all[150:]
	before := runtime.NumGoroutine()
	for _, p := range waiting {
		p.send("32 05 0001'n' 0001 32 05 0001'a' 0002 32 05 0001'b' 0003 c0 00")
		<-r.first.asked
		p.send("32 05 0001'n' 0004")
	}
	allHeard(others)
	if n := runtime.NumGoroutine(); runtime.GOOS == "linux" && n > before+4 {
		t.Errorf("%d goroutines, %d before %d messages waited", n, before, len(waiting))
	}
	r.endBoth(len(waiting), others)
	for _, p := range waiting {
		p.want("d0 00 40 02 0001 40 02 0002 40 02 0003 40 02 0004") // nothing orders a PINGRESP
		p.wantSilence()
	}
}

// TestAWaitThatTurnsIntoAnother: a message whose Settle may take long comes
// behind one that says when it is ready.
func TestAWaitThatTurnsIntoAnother(t *testing.T) {
	r := newKeepingRules()
	h := serve(t, broker.Options{Rules: r})
	all := h.guests(8*runtime.GOMAXPROCS(0), hello("003c"))
	waiting, others := all[:len(all)/2], all[len(all)/2:]
	for _, p := range waiting {
		p.send("32 05 0001'a' 0001 32 05 0001's' 0002")
		<-r.first.asked
	}
	r.endBoth(len(waiting), others)
	for _, p := range waiting {
		p.want("40 02 0001 40 02 0002")
		p.wantSilence()
	}
}

// TestAMessageThatWasNotKept ends the connection of a 3.1.1 client, which has
// waited for it, without an acknowledgement of it and what follows.
func TestAMessageThatWasNotKept(t *testing.T) {
	r := newKeepingRules()
	h := serve(t, broker.Options{Rules: r})
	p := h.connected("dev1")
	p.wantSilence() // it sits
	p.send("32 05 0001'a' 0001 32 05 0001'x' 0002 32 05 0001'n' 0003")
	<-r.first.asked
	r.first.end()
	p.want("40 02 0001")
	p.wantEnd()
}

// TestTheEndOfWhoWaits: clients that go or are ended while they wait for a
// commit are gone once that is over; the others are answered.
func TestTheEndOfWhoWaits(t *testing.T) {
	r := newKeepingRules()
	h := serve(t, broker.Options{Rules: r})
	all := h.guests(30, hello("003c"))
	for _, p := range all {
		p.send("32 05 0001'a' 0001")
		<-r.first.asked
	}
	gone, kicked := all[:10], all[10:20]
	for _, p := range gone {
		p.Close()
	}
	for i := range kicked {
		if id := string(rune('k'+i)) + "aax"; !h.Disconnect(id, 0) {
			t.Fatalf("no client %s", id)
		}
	}
	r.first.end()
	for _, p := range kicked {
		p.wantEnd()
	}
	for _, p := range all[20:] {
		p.want("40 02 0001")
		p.wantSilence()
	}
	h.wantClients(10)
}

// TestWakingComesFromManySides: commits end while clients park for them, on all
// loops at once, and no one is forgotten.
func TestWakingComesFromManySides(t *testing.T) {
	r := &racingRules{}
	h := serve(t, broker.Options{Rules: r})
	var done sync.WaitGroup
	for _, p := range h.guests(60, hello("003c")) {
		done.Go(func() {
			for range 100 {
				p.Write(wire(t, "32 05 0001'a' 0001 32 05 0001'b' 0002"))
				p.want("40 02 0001 40 02 0002")
			}
		})
	}
	done.Wait()
}

// racingRules end the commit of each message at once, in a goroutine of its own.
type racingRules struct{ broker.OpenRules }

func (*racingRules) Publish(*broker.Client, *packet.Publish) broker.Decision {
	c := newCommit()
	go c.end()
	return broker.Decision{Action: broker.Consume, Pending: &kept{commit: c}}
}
