package gate

import (
	"fmt"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// paces counts what devices do whose vendors bound it. What one device did is
// kept when it goes, so that a ban outlives the connection; it is bounded: with
// maxPaced devices it starts anew, and all bans end.
type paces struct {
	mu sync.Mutex
	m  map[string]*meter // by session
}

const maxPaced = 1 << 16

// An act is what is counted.
type act byte

const (
	connecting act = iota
	publishing0
	publishing1
	unsubscribing
	pinging
	filtering
	subscribed // how many filters there are, whenever they came
	acts
)

// deeds name the acts to people.
var deeds = [acts]struct{ field, en, zh string }{
	{"CONNECT", "logs in", "登录"}, {"PUBLISH", "publishes with QoS 0", "以 QoS 0 发布消息"}, {"PUBLISH", "publishes with QoS 1", "以 QoS 1 发布消息"},
	{"UNSUBSCRIBE", "unsubscribes", "取消订阅"}, {"PINGREQ", "sends PINGREQ", "发送 PINGREQ"}, {"SUBSCRIBE", "subscribes to filters", "订阅主题过滤器"},
	{"SUBSCRIBE", "has subscriptions", "的订阅数"},
}

func most(p *dialect.Pace, a act) int {
	return [acts]int{p.Connects, p.AtMostOnce, p.AtLeastOnce, p.Unsubscribes, p.Pings, p.Filters, p.Subscriptions}[a]
}

// A meter counts what one device does. It is used by the connection's goroutine
// and, at a take-over, by the next one's.
type meter struct {
	g      *Gate
	claim  dialect.Claim
	vendor string // name of the dialect
	pace   *dialect.Pace

	mu       sync.Mutex
	mannered dialect.Mannered
	mode     dialect.Strictness
	counts   [acts]struct {
		since time.Time
		n     int
	}
	filters map[string]bool
	words   []word    // to be written down once mu is free
	banned  time.Time // until then
	deed    string    // for which
	deedZH  string
	said    time.Time // when it was last told that a lenient product tolerates this
}

// meterOf finds or makes the meter of an applicant, nil where its vendor bounds
// nothing.
func (g *Gate) meterOf(a *applicant, mode dialect.Strictness) *meter {
	d, ok := a.dialect.(dialect.Mannered)
	if !ok || d.Pace() == nil {
		return nil
	}
	session := a.claim.Session()
	g.paces.mu.Lock()
	m := g.paces.m[session]
	if m == nil {
		if g.paces.m == nil || len(g.paces.m) >= maxPaced {
			g.paces.m = make(map[string]*meter)
		}
		m = &meter{g: g, claim: a.claim, vendor: a.dialect.Name(), pace: d.Pace()}
		g.paces.m[session] = m
	}
	g.paces.mu.Unlock()
	m.mu.Lock()
	m.mannered, m.mode = d, mode
	m.mu.Unlock()
	return m
}

// A word is something to be said of a device.
type word struct {
	why    *dialect.Diagnosis
	closes bool
}

// during holds m.mu while f counts, then writes down what there is to say.
func (m *meter) during(f func(now time.Time) bool) bool {
	m.mu.Lock()
	ok := f(m.g.Now())
	words := m.words
	m.words = nil
	m.mu.Unlock()
	for _, w := range words {
		m.tell(w)
	}
	return ok
}

// arrive counts a right login. It returns why the device may not come in.
func (m *meter) arrive() (why *dialect.Diagnosis) {
	m.during(func(now time.Time) bool {
		m.filters = nil
		if m.mode == dialect.Strict && now.Before(m.banned) || !m.take(connecting, 1, now) {
			why = m.bannedUntil()
		}
		return why == nil
	})
	return why
}

// Published is of dialect.Meter.
func (m *meter) Published(qos mqtt.QoS) bool {
	a := publishing0
	if qos > mqtt.AtMostOnce {
		a = publishing1
	}
	return m.during(func(now time.Time) bool { return m.take(a, 1, now) })
}

// conduct counts packets that carry no message; it is a broker.Grant's.
func (m *meter) conduct(t packet.Type, filters []string) bool {
	return m.during(func(now time.Time) bool { return m.behave(t, filters, now) })
}

func (m *meter) behave(t packet.Type, filters []string, now time.Time) bool {
	switch t {
	case packet.TypePingreq:
		return m.take(pinging, 1, now)
	case packet.TypeUnsubscribe:
		for _, f := range filters {
			delete(m.filters, f)
		}
		return m.take(unsubscribing, 1, now)
	case packet.TypeSubscribe:
		if why, closes := m.mannered.MaySubscribeAll(filters, m.mode); why != nil {
			m.words = append(m.words, word{why, closes})
			if closes {
				return false
			}
		}
		return m.take(filtering, len(filters), now) && m.hold(filters, now)
	case packet.TypePuback, packet.TypePubrec, packet.TypePubrel, packet.TypePubcomp:
		d, ok := m.mannered.(dialect.Unacknowledged)
		if !ok || m.mode != dialect.Strict { // Manners has said what there is to say of QoS 2
			return true
		}
		m.words = append(m.words, word{d.Unwanted(t), true})
		return false
	}
	return true
}

// hold counts the filters that a device has.
func (m *meter) hold(filters []string, now time.Time) bool {
	if m.filters == nil {
		m.filters = make(map[string]bool)
	}
	for _, f := range filters {
		if len(m.filters) <= m.pace.Subscriptions { // one more than allowed says enough
			m.filters[f] = true
		}
	}
	m.counts[subscribed].n = 0
	return m.take(subscribed, len(m.filters), now)
}

// take counts n acts; false ends the connection. m.mu is held.
func (m *meter) take(a act, n int, now time.Time) bool {
	c := &m.counts[a]
	if now.Sub(c.since) >= m.pace.Window {
		c.since, c.n = now, 0
	}
	c.n += n
	limit := most(m.pace, a)
	if c.n <= limit {
		return true
	}
	if m.mode != dialect.Strict {
		if now.Sub(m.said) >= m.pace.Ban {
			m.said = now
			m.words = append(m.words, word{m.tooMuch(a, limit), false})
		}
		return true
	}
	why := m.tooMuch(a, limit)
	m.banned = now.Add(m.pace.Ban)
	m.deed, m.deedZH = deeds[a].en+" "+why.Received, deeds[a].zh+within(a, limit, m.pace).zh
	c.n = 0
	m.words = append(m.words, word{why, true})
	return false
}

// tell writes into the timeline what the vendor minds.
func (m *meter) tell(w word) {
	why := w.why
	e := trace.Entry{Product: m.claim.Product, Device: m.claim.Device, Kind: trace.Note, Direction: "up", Code: why.Code, Sentence: why.Sentence, SentenceZH: why.SentenceZH, Detail: why}
	if w.closes {
		e.Kind = trace.Fault
	}
	m.g.Trace.Record(e)
}

func (m *meter) tooMuch(a act, limit int) *dialect.Diagnosis {
	d, most := deeds[a], within(a, limit, m.pace)
	return &dialect.Diagnosis{
		Code: m.vendor + "-" + rateExceeded, Field: d.field, Received: "more than " + most.en, Expected: "at most " + most.en,
		Sentence:   fmt.Sprintf("device %s %s more than %s; the vendor's cloud ends the connection and lets it in no more for %g minutes", m.claim.Session(), d.en, most.en, m.pace.Ban.Minutes()),
		SentenceZH: fmt.Sprintf("设备 %s %s%s；云平台会断开连接，并在 %g 分钟内拒绝其接入", m.claim.Session(), d.zh, most.zh, m.pace.Ban.Minutes()),
		Advice:     "send less often: collect values and report them together; wait between attempts to connect", AdviceZH: "请降低频率：合并上报；重连之间加入等待",
	}
}

// within says a limit: how much it is, and in Chinese that it was exceeded.
func within(a act, limit int, p *dialect.Pace) (text struct{ en, zh string }) {
	text.en, text.zh = fmt.Sprintf("%d times within %v", limit, p.Window), fmt.Sprintf("在 %g 秒内超过 %d 次", p.Window.Seconds(), limit)
	if a == subscribed {
		text.en, text.zh = fmt.Sprintf("%d at a time", limit), fmt.Sprintf("超过 %d 个", limit)
	}
	return text
}

func (m *meter) bannedUntil() *dialect.Diagnosis {
	until := m.banned.UTC().Format(time.TimeOnly) + " UTC"
	return &dialect.Diagnosis{
		Code: m.vendor + "-" + deviceBanned, Field: "device", Received: m.claim.Session(), Expected: "a login after " + until, Connack: bannedReturnCode,
		Sentence:   fmt.Sprintf("device %s %s, and is let in no more until %s", m.claim.Session(), m.deed, until),
		SentenceZH: fmt.Sprintf("设备 %s 因%s，在 %s 之前被拒绝接入", m.claim.Session(), m.deedZH, until),
		Advice:     "wait, and do that less often: attempts in the meantime do not make it longer; lenient products do not ban", AdviceZH: "请等待并降低该操作的频率；等待期间的重试不会延长封禁；宽松模式的产品不会封禁设备",
	}
}

// bannedReturnCode is that of a CONNACK to a device that may not come back yet:
// server unavailable. What the vendor's says is not known.
const bannedReturnCode = 3

// The codes, behind the name of the dialect.
const (
	rateExceeded = "rate-exceeded"
	deviceBanned = "device-banned"
)
