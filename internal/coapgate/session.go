package coapgate

import (
	"container/list"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
)

// tokenLife is how long a token is good: the vendor's 48 hours.
const tokenLife = 48 * time.Hour

// perDevice is how many sessions a device has at once. A login proves nothing
// to who has overheard it, and may be sent again by him: what falls out first is
// what never proved that it knows the key.
const perDevice = 4

// maxGaps is how many sequence numbers above the gapless ones a session
// remembers, so that devices may pick them as they like [aliyun-device §7.2].
const maxGaps = 1024

// A session is what a login has led to.
type session struct {
	who      dialect.Claim
	token    string
	secret   string // of the device, at its login
	random   string
	key      vendor.CoAPKey
	secure   bool          // by DTLS: nothing is encrypted again
	apart    bool          // answers come apart from acknowledgements
	onenet   bool          // nothing is encrypted or numbered
	lasts    time.Duration // of OneNET: what was asked for
	expires  time.Time
	position *list.Element // in sessions.order

	mu     sync.Mutex
	proved bool // a message has come with a sequence number
	below  uint64
	gaps   []uint64 // numbers above below that were used, in order
}

// sessions are the logins that are remembered. At most of them the one that was
// silent longest is forgotten: the device is told 4.01 and logs in again.
type sessions struct {
	mu      sync.Mutex
	most    atomic.Int64
	byToken map[string]*session
	byWho   map[dialect.Claim][]*session // the oldest first
	order   *list.List                   // of *session, the one silent longest first
}

func (t *sessions) init() {
	t.order = list.New()
	t.byToken, t.byWho = make(map[string]*session), make(map[dialect.Claim][]*session)
}

// add begins a session. It returns how many others had to end for it.
func (t *sessions) add(s *session) (ended int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if of := t.byWho[s.who]; len(of) >= perDevice {
		t.remove(leastWorth(of))
		ended++
	}
	for int64(len(t.byToken)) >= t.most.Load() {
		t.remove(t.order.Front().Value.(*session))
		ended++
	}
	t.byToken[s.token] = s
	t.byWho[s.who] = append(t.byWho[s.who], s)
	s.position = t.order.PushBack(s)
	return ended
}

// leastWorth is the oldest that has proved nothing, else the oldest.
func leastWorth(of []*session) *session {
	for _, s := range of {
		s.mu.Lock()
		proved := s.proved
		s.mu.Unlock()
		if !proved {
			return s
		}
	}
	return of[0]
}

func (t *sessions) remove(s *session) {
	if t.byToken[s.token] != s {
		return
	}
	delete(t.byToken, s.token)
	t.order.Remove(s.position)
	of := slices.DeleteFunc(t.byWho[s.who], func(o *session) bool { return o == s })
	if len(of) == 0 {
		delete(t.byWho, s.who)
	} else {
		t.byWho[s.who] = of
	}
}

// find returns the session of a token; nil where it has none that lasts.
func (t *sessions) find(token string, now time.Time) *session {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.byToken[token]
	if s == nil {
		return nil
	}
	if now.After(s.expires) {
		t.remove(s)
		return nil
	}
	return s
}

// used notes that a session is in use, by who knows its key.
func (t *sessions) used(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byToken[s.token] == s {
		t.order.MoveToBack(s.position)
	}
}

// forget ends the sessions of a device.
func (t *sessions) forget(c dialect.Claim) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range slices.Clone(t.byWho[c]) {
		t.remove(s)
	}
}

func (t *sessions) end(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(s)
}

// count drops what has expired, and returns how many there are.
func (t *sessions) count(now time.Time) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.byToken {
		if now.After(s.expires) {
			t.remove(s)
		}
	}
	return len(t.byToken)
}

// A sequenceState is what a sequence number is worth.
type sequenceState byte

const (
	sequenceNew sequenceState = iota
	sequenceRepeated
	sequenceLow
	sequenceFull
)

// firstSequence is the seqOffset of every session: as the vendor's example has
// it. C3 begins with it, the documentation above it.
const firstSequence = 1

// use takes a sequence number, once.
func (s *session) use(n uint64) sequenceState {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.below == 0 {
		s.below = firstSequence
	}
	at, found := slices.BinarySearch(s.gaps, n)
	switch {
	case n < firstSequence:
		return sequenceLow
	case n < s.below || found:
		return sequenceRepeated
	case n == s.below:
		s.below++
		joined := 0
		for joined < len(s.gaps) && s.gaps[joined] == s.below {
			s.below++
			joined++
		}
		s.gaps = slices.Delete(s.gaps, 0, joined)
	case len(s.gaps) >= maxGaps:
		return sequenceFull
	default:
		s.gaps = slices.Insert(s.gaps, at, n)
	}
	s.proved = true
	return sequenceNew
}

// secretText is n bytes that nobody can guess, as hex digits.
func secretText(n int) string {
	b := make([]byte, n)
	rand.Read(b) // it does not fail
	return hex.EncodeToString(b)
}
