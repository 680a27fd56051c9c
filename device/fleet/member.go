package fleet

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/device"
	"github.com/matou-iot/matou/device/curve"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/thing"
)

// The bounds of one device.
const (
	maxPosts    = 100              // made and not answered; then the oldest is dropped
	maxInflight = 20               // of them sent
	maxPacket   = 1 << 20          // bytes that a server may send at once
	maxOut      = 1 << 20          // bytes that a slow network holds back
	resendAfter = 10 * time.Second // without an answer
	maxSends    = 4                // of one post on one connection
	writeTime   = 5 * time.Second  // of one write; longer, and the server is not reading
)

// A state is how far a member's connection is.
type state byte

const (
	off     state = iota // not switched on yet
	away                 // waits before it connects
	dialing              // a goroutine opens a connection
	joining              // connected, SUBACK awaited
	up
)

// A member is one device of the fleet. Its fields are guarded by mu, those of
// the schedule by the schedule's. A sub-device has the lock of its gateway.
type member struct {
	r      *run
	g      *Group
	speech device.Speech
	via    *member   // the gateway whose connection it uses; nil: it has its own
	subs   []*member // those that use this one's
	index  int32     // in its group
	seed   uint64

	due   time.Duration // schedule's
	place int           // schedule's; -1: not in it

	queued atomic.Bool // in the workers' queue

	own      sync.Mutex
	mu       *sync.Mutex
	state    state
	attempt  uint8
	storm    uint8         // the next one that may hit it
	fresh    uint32        // connections so far, the seed of what happens to each
	on       time.Duration // when it is switched on
	retry    time.Duration // away: when to connect
	dialled  time.Duration // when this connection, or a sub-device's login, was begun
	joinStep device.Step   // of a sub-device that is joining
	joinID   uint32        // of its message
	cutAt    time.Duration // when the network breaks it, 0: never
	cutFrom  time.Duration // since when it could have been back, 0: it is no comeback
	conn     net.Conn
	pid      uint16
	subPid   uint16
	posted   uint32 // reports made
	ids      uint32 // the last message's id, those of sub-devices included
	said     time.Duration
	heard    time.Duration
	asked    bool          // a PINGREQ is out
	window   uint8         // posts that may be under way
	pings    uint16        // seconds of the keep-alive that the server wants, 0: as the scenario says
	curves   []curve.Curve // of the reports, then of the events
	occurs   []occurrence  // by event of the group
	posts    []post        // not answered, the oldest first
	adopted  map[string]thing.Value
	answers  []answer
	out      []byte // held back by a slow network
	outAt    time.Duration
	in       []byte // the beginning of a packet
	input    *[]byte
	inputLen int
	inputAt  time.Duration
	inputErr error
	finished bool // made all its reports
	ended    bool
}

// A post is a report on its way.
type post struct {
	id    uint32
	pid   uint16 // 0: not sent on this connection
	sends uint8  // on this connection
	acked bool
	frame []byte        // the PUBLISH
	first time.Duration // when it was first sent, 0: never
	sent  time.Duration // when it was last sent
}

// An answer waits for its time.
type answer struct {
	at    time.Duration
	heard device.Heard
	fails bool
}

// step does all that is due, and asks for the next wake-up.
func (m *member) step(now time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ended {
		return
	}
	m.arrived(now)
	if m.state == off && now >= m.on {
		m.state, m.retry = away, m.on
	}
	if m.via == nil {
		m.weather(now)
	}
	m.report(now)
	if m.state == away && now >= m.retry {
		m.connect(now)
	}
	if m.state >= joining {
		m.talk(now)
	}
	m.r.schedule.at(m, m.next(now))
}

// connect begins to connect.
func (m *member) connect(now time.Duration) {
	if m.via != nil {
		m.join(now)
		return
	}
	m.state = dialing
	m.r.open(m)
}

// next is when something is due again.
func (m *member) next(now time.Duration) time.Duration {
	t := now + time.Minute
	earlier := func(x time.Duration, ok bool) {
		if ok && x < t {
			t = max(x, now+time.Millisecond)
		}
	}
	earlier(m.on, m.state == off)
	earlier(m.retry, m.state == away)
	_, due, more := m.planned()
	earlier(due, more)
	if at, hit, ok := m.nextStorm(); ok && hit && m.via == nil {
		earlier(at, true)
	}
	earlier(m.cutAt, m.cutAt > 0 && m.state >= joining)
	earlier(m.inputAt, m.input != nil)
	earlier(m.outAt, len(m.out) > 0)
	switch {
	case m.state < joining:
	case m.via == nil:
		earlier(m.said+m.beat(), true)
		earlier(m.heard+m.patience(), true)
	case m.state == joining:
		earlier(m.dialled+connectTime, true)
	}
	if m.state == up {
		for i := range m.answers {
			earlier(m.answers[i].at, true)
		}
		for i := range min(len(m.posts), int(m.window)) {
			earlier(m.posts[i].sent+resendAfter, true)
		}
	}
	return t
}

// keepAlive is the time after which the server misses a sign of life.
func (m *member) keepAlive() time.Duration {
	if m.pings > 0 {
		return time.Duration(m.pings) * time.Second
	}
	return m.r.s.Server.KeepAlive
}

// beat is the time between signs of life, patience how long the server may be
// silent, a PINGREQ included.
func (m *member) beat() time.Duration     { return m.keepAlive() * 9 / 10 }
func (m *member) patience() time.Duration { return m.keepAlive() * 3 / 2 }

// random is a number in [0, 1) that belongs to this member, a purpose and n.
func (m *member) random(purpose string, n uint64) float64 {
	return curve.Uniform(curve.Seed(m.seed, purpose) + n)
}

// nextReport is when the next report is due by plan; false after the end. The
// plan follows from the seed alone.
func (m *member) nextReport() (time.Duration, bool) {
	every := m.g.Report.Every
	at := m.on + time.Duration((m.random("phase", 0)+float64(m.posted))*float64(every))
	if j := float64(m.g.Report.Jitter); j > 0 {
		at += time.Duration((m.random("jitter", uint64(m.posted)) - 0.5) * j * float64(every))
	}
	at = max(at, m.on)
	return at, at < m.r.s.Duration
}

// planned is what the device says next of itself: an event, or with -1 a
// report; false after the end.
func (m *member) planned() (event int, at time.Duration, more bool) {
	at, more = m.nextReport()
	if event, happens := m.nextEvent(); event >= 0 && (!more || happens < at) {
		return event, happens, true
	}
	return -1, at, more
}

// report makes the reports and events that are due. Also a device that is away
// measures.
func (m *member) report(now time.Duration) {
	if m.state == off {
		return
	}
	for {
		event, at, more := m.planned()
		if !more && !m.finished {
			m.finished = true
			m.r.count.reporting.Add(-1)
		}
		switch {
		case !more || at > now:
			return
		case event >= 0:
			m.occur(event, at)
		default:
			m.measure(at)
		}
	}
}

// measure makes the report that was planned for at.
func (m *member) measure(at time.Duration) {
	m.posted++
	readings := m.draw(fmt.Sprintf("%s/%d/%d:", m.g.Product, m.index, m.posted), m.g.sources, m.curves, at, m.adopted)
	if len(readings) == 0 {
		m.r.count.made.Add(1)
		m.r.count.answered.Add(1) // nothing to say, nothing to wait for
		return
	}
	id, text := m.nextID()
	msg, err := m.speech.Report(text, readings)
	m.keep(id, msg, err)
}

// nextID is the id of the next message that wants a reply: no other on the same
// connection has it.
func (m *member) nextID() (id uint32, text string) {
	c := m.carrier()
	c.ids++
	return c.ids, strconv.FormatUint(uint64(c.ids), 10)
}

// carrier is whose connection the device uses.
func (m *member) carrier() *member {
	if m.via != nil {
		return m.via
	}
	return m
}

// draw makes the values of sources at a time, and counts them in the digest
// under a name that no others have. Those in set stay what they were set to.
func (m *member) draw(name string, sources []source, curves []curve.Curve, at time.Duration, set map[string]thing.Value) []device.Reading {
	moment := curve.Moment{Since: at - m.on, Clock: (time.Duration(m.r.s.Clock) + at) % (24 * time.Hour)}
	date := m.r.start.Add(at).UnixMilli()
	readings := make([]device.Reading, 0, len(sources))
	digest := fnv.New64a()
	digest.Write([]byte(name))
	for i := range sources {
		src := &sources[i]
		v, ok := src.shape.value(moment, date, &curves)
		if !ok {
			continue
		}
		if src.shape.kind != thing.Date {
			digest.Write(v.AppendJSON([]byte(src.id)))
		}
		if to, ok := set[src.id]; ok {
			v = to
		}
		readings = append(readings, device.Reading{ID: src.id, Value: src.spoken(m.g.Dialect, v)})
	}
	m.r.count.digest.Add(digest.Sum64()) // a sum: the order of devices does not matter
	return readings
}

// keep puts a message among those that want an answer. When there are too many
// the oldest goes.
func (m *member) keep(id uint32, msg client.Message, err error) {
	c := &m.r.count
	c.made.Add(1)
	var frame []byte
	if err == nil {
		frame, err = (&packet.Publish{QoS: mqtt.AtLeastOnce, Topic: []byte(msg.Topic), Payload: msg.Payload, ID: 1}).Append(nil, m.carrier().g.version)
	}
	if err != nil {
		m.r.cause("report", err.Error(), m)
		return
	}
	if len(m.posts) >= maxPosts {
		copy(m.posts, m.posts[1:])
		m.posts = m.posts[:len(m.posts)-1]
		c.dropped.Add(1)
		c.waiting.Add(-1)
	}
	m.posts = append(m.posts, post{id: id, frame: frame})
	c.waiting.Add(1)
}

// spoken is a value as its dialect writes it: Aliyun's switches are 0 and 1
// also inside a struct, and its dates are texts [aliyun-device §6.2].
func (s *source) spoken(dialect string, v thing.Value) any {
	if dialect == "aliyun" {
		return json.RawMessage(aliyun.AppendValue(nil, v, s.of))
	}
	return v
}

// talk says what is due on a connection.
func (m *member) talk(now time.Duration) {
	b := borrow()
	defer giveBack(b)
	out := (*b)[:0]
	if m.state == up {
		out = m.sendPosts(out, now)
		out = m.sendAnswers(out, now)
	}
	switch {
	case m.via != nil:
		if m.state == joining && now >= m.dialled+connectTime {
			m.refused(now, errNoAdmission)
			return
		}
	case now-m.heard >= m.patience():
		m.lose(now, errSilent)
		return
	case now-m.said >= m.beat() && !m.asked:
		m.asked = true
		out = append(out, 0xC0, 0) // PINGREQ
	}
	m.write(out, now)
}

var errSilent = errors.New("the server did not answer within the keep-alive time")

// sendPosts sends what is not sent yet, and again what was not answered.
func (m *member) sendPosts(out []byte, now time.Duration) []byte {
	for i := range min(len(m.posts), int(m.window)) {
		p := &m.posts[i]
		switch {
		case p.pid == 0:
		case now-p.sent < resendAfter:
			continue
		case p.sends >= maxSends:
			p.sent = now // it is waited for no longer than the end
			continue
		}
		again := p.pid != 0
		if p.pid == 0 {
			p.pid = m.nextPid()
		}
		p.sends++
		if p.first == 0 {
			p.first = now
			m.r.count.sent.Add(1)
		} else {
			m.r.count.resent.Add(1)
		}
		p.sent = now
		out = appendPost(out, p, again)
	}
	return out
}

// appendPost writes a post with its identifier, which stands behind the topic.
func appendPost(out []byte, p *post, again bool) []byte {
	at := len(out)
	out = append(out, p.frame...)
	if again {
		out[at] |= 0x08 // DUP [MQTT3-3.3.1-1]
	}
	head := at + 1
	for out[head]&0x80 != 0 {
		head++
	}
	head++
	topic := int(binary.BigEndian.Uint16(out[head:]))
	binary.BigEndian.PutUint16(out[head+2+topic:], p.pid)
	return out
}

func (m *member) nextPid() uint16 {
	if m.via != nil {
		return m.via.nextPid()
	}
	if m.pid++; m.pid == 0 {
		m.pid = 1
	}
	return m.pid
}

// sendAnswers answers the commands whose time has come.
func (m *member) sendAnswers(out []byte, now time.Duration) []byte {
	left := m.answers[:0]
	for i := range m.answers {
		a := &m.answers[i]
		if a.at > now {
			left = append(left, *a)
			continue
		}
		said, failed := m.outcome(&a.heard)
		if a.fails {
			failed = errors.New("this virtual device fails now and then")
		}
		msg, err := m.speech.Answer(a.heard, said, failed)
		if err == nil {
			out, err = m.publish(out, msg)
		}
		if err != nil {
			m.r.cause("answer", err.Error(), m)
			continue
		}
		m.r.count.obeyed.Add(1)
	}
	if m.answers = left; len(left) == 0 {
		m.answers = nil
	}
	return out
}

func (m *member) publish(out []byte, msg client.Message) ([]byte, error) {
	return (&packet.Publish{QoS: mqtt.AtLeastOnce, ID: m.nextPid(), Topic: []byte(msg.Topic), Payload: msg.Payload}).Append(out, m.carrier().g.version)
}

// write sends bytes now, or when the network lets them through.
func (m *member) write(b []byte, now time.Duration) {
	if m.state < joining {
		return
	}
	if m.via != nil {
		if len(b) == 0 {
			return
		}
		m.via.write(b, now)
		m.r.schedule.at(m.via, m.via.next(now))
		return
	}
	if len(b) > 0 && (len(m.out) > 0 || m.r.slow) {
		if len(m.out) == 0 {
			m.outAt = now + m.r.lag(m, now, 0)
		}
		if m.out = append(m.out, b...); len(m.out) > maxOut {
			m.lose(now, errors.New("the network holds back more than a device can keep"))
			return
		}
		b = nil
	}
	if len(m.out) > 0 && now >= m.outAt {
		b, m.out = m.out, nil
	}
	if len(b) == 0 {
		return
	}
	m.said = now
	m.conn.SetWriteDeadline(time.Now().Add(writeTime))
	if _, err := m.conn.Write(b); err != nil {
		m.lose(now, err)
	}
}

// came takes what a goroutine read from conn; the workers do the rest. Over a
// slow network they see it later.
func (m *member) came(conn net.Conn, b *[]byte, n int, err error) {
	m.mu.Lock()
	if m.conn != conn {
		m.mu.Unlock()
		if b != nil {
			giveBack(b)
		}
		return
	}
	now := m.r.now()
	m.input, m.inputLen, m.inputErr, m.inputAt = b, n, err, now
	if m.r.slow && err == nil {
		m.inputAt += m.r.lag(m, now, 1)
	}
	late := m.inputAt > now
	m.mu.Unlock()
	if late {
		m.r.schedule.at(m, m.inputAt)
		return
	}
	m.r.kick(m)
}

// backoff is a random wait below a bound that doubles with each attempt.
func (m *member) backoff() time.Duration {
	bound := m.r.s.Backoff.Max
	if m.attempt < 20 {
		bound = min(bound, m.r.s.Backoff.Min<<m.attempt)
	}
	return time.Duration(m.random("backoff", uint64(m.fresh)<<8|uint64(m.attempt)) * float64(bound))
}

// mean is a random time with this mean, as between breaks that have no memory.
func (m *member) mean(of time.Duration) time.Duration {
	return max(time.Millisecond, time.Duration(-math.Log(1-m.random("cut", uint64(m.fresh)))*float64(of)))
}
