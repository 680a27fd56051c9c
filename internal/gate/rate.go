package gate

import (
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
)

// rates bounds how often one device is let in. It counts admissions and not
// attempts: who does not know a device's secret cannot use up its turns.
//
// It is bounded itself: a part that holds maxRated devices starts anew, with
// all turns for each of them. What is left to stop then is a fleet, not one
// device that runs in circles.
type rates struct {
	limit  atomic.Int64 // a second, and at once; 0 for none
	seed   maphash.Seed
	shards [rateShards]rateShard
}

type rateShard struct {
	mu sync.Mutex
	m  map[uint64]turns // by hash of the session's name
}

// turns are how often a device may come now.
type turns struct {
	left  float64
	since time.Time
}

const (
	rateShards = 16
	maxRated   = 4096 // devices in each
)

// admit reports whether the owner of session may come in now.
func (r *rates) admit(session string, now time.Time) bool {
	limit := float64(r.limit.Load())
	if limit <= 0 {
		return true
	}
	key := maphash.String(r.seed, session)
	sh := &r.shards[key%rateShards]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	t, known := sh.m[key]
	if !known {
		if sh.m == nil || len(sh.m) >= maxRated {
			sh.m = make(map[uint64]turns)
		}
		t = turns{limit, now}
	}
	t.left = min(limit, t.left+limit*now.Sub(t.since).Seconds())
	t.since = now
	ok := t.left >= 1
	if ok {
		t.left--
	}
	sh.m[key] = t
	return ok
}

// SetConnectRate changes Options.ConnectRate, from the next login on.
func (g *Gate) SetConnectRate(perSecond int) { g.rates.limit.Store(int64(perSecond)) }

// tooOften is the code of a login that is right and comes too often.
const tooOften = "connect-rate"

func (g *Gate) tooOften(a *applicant) *dialect.Diagnosis {
	limit := g.rates.limit.Load()
	return &dialect.Diagnosis{
		Code: tooOften, Field: "device", Received: a.claim.Session(), Expected: fmt.Sprintf("at most %d logins a second", limit),
		Sentence:   fmt.Sprintf("device %s logs in more than %d times a second", a.claim.Session(), limit),
		SentenceZH: fmt.Sprintf("设备 %s 每秒登录超过 %d 次", a.claim.Session(), limit),
		Advice:     "wait between attempts; and look whether two devices have the same credentials: each login ends the connection of the other",
		AdviceZH:   "请在重连之间加入等待；并检查是否有两台设备使用同一份凭据：后登录的会使先登录的断开",
	}
}
