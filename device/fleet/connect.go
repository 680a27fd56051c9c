package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/matou-iot/matou/device"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/mqtt/packet"
)

// connectTime bounds one attempt, from dialling to CONNACK.
const connectTime = 15 * time.Second

// dial opens a connection and signs in.
func (m *member) dial() {
	r := m.r
	defer r.opened()
	began := r.now()
	ctx, cancel := context.WithTimeout(r.ctx, connectTime)
	defer cancel()
	conn, ack, err := m.signIn(ctx, began)
	m.mu.Lock()
	defer m.mu.Unlock()
	now := r.now()
	switch {
	case m.ended || r.ctx.Err() != nil: // an attempt that the end interrupted is no failure
		if conn != nil {
			conn.Close()
		}
		return
	case err != nil:
		m.refused(now, err)
	default:
		m.conn, m.state, m.heard, m.said, m.asked = conn, joining, now, now, false
		m.dialled = began
		m.in, m.inputErr = nil, nil
		m.agree(ack.Properties)
		r.count.connected.Add(1)
		m.subscribe(now)
		if m.state == joining {
			r.listen(m, conn)
		}
	}
	r.schedule.at(m, m.next(now))
}

// signIn dials, sends CONNECT and reads CONNACK.
func (m *member) signIn(ctx context.Context, began time.Duration) (net.Conn, *packet.Connack, error) {
	if m.r.slow { // the handshake of TCP and CONNECT go there and back
		t := time.NewTimer(m.r.lag(m, began, 2) + m.r.lag(m, began, 3))
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
	conn, err := m.r.dialer(ctx)
	if err != nil {
		return nil, nil, err
	}
	v := m.g.version
	hello := &packet.Connect{Version: v, CleanStart: true, KeepAlive: uint16(min(m.r.s.Server.KeepAlive/time.Second, 65535))}
	if v == mqtt.V5 {
		most := uint32(maxPacket)
		hello.Properties = &packet.Properties{MaximumPacketSize: &most}
	}
	err = m.speech.Login(hello, time.Now())
	var b []byte
	if err == nil {
		b, err = hello.Append(nil, v)
	}
	if err == nil {
		deadline, _ := ctx.Deadline()
		conn.SetDeadline(deadline)
		_, err = conn.Write(b)
	}
	var ack *packet.Connack
	if err == nil {
		ack, err = welcome(conn, v)
	}
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	conn.SetDeadline(time.Time{})
	return conn, ack, nil
}

var errNoConnack = errors.New("the server closed the connection without a CONNACK")

// welcome reads a CONNACK [MQTT3 §3.2] [MQTT5 §3.2], and no byte beyond it; a
// refusal is a *client.Refused.
func welcome(r io.Reader, v mqtt.Version) (*packet.Connack, error) {
	b := make([]byte, 2, 5) // a packet has no less; the length takes three bytes more at most
	_, err := io.ReadFull(r, b)
	h, wrong := packet.ParseHeader(b)
	for err == nil && packet.Type(b[0]>>4) == packet.TypeConnack && errors.Is(wrong, packet.ErrIncomplete) && len(b) < cap(b) {
		b = b[:len(b)+1]
		_, err = io.ReadFull(r, b[len(b)-1:])
		h, wrong = packet.ParseHeader(b)
	}
	if other := client.NotMQTT(b[0]); err == nil && other != nil {
		return nil, other
	}
	if err == nil && (wrong != nil || h.Type != packet.TypeConnack || h.Remaining > maxPacket) {
		return nil, fmt.Errorf("the server answered CONNECT with % x: is this an MQTT port?", b)
	}
	var body []byte
	if err == nil {
		body = make([]byte, h.Remaining)
		_, err = io.ReadFull(r, body)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errNoConnack
	}
	if err != nil {
		return nil, err
	}
	p, err := packet.Decode(h, body, v)
	if err != nil {
		return nil, err
	}
	ack := p.(*packet.Connack)
	return ack, client.RefusalOf(ack, v)
}

// agree takes what the server asks for in a CONNACK of MQTT 5: fewer messages
// under way, another keep-alive [MQTT5 §3.2.2.3].
func (m *member) agree(p *packet.Properties) {
	m.window, m.pings = maxInflight, 0
	if p == nil {
		return
	}
	if p.ReceiveMaximum != nil {
		m.window = uint8(min(maxInflight, *p.ReceiveMaximum))
	}
	if p.ServerKeepAlive != nil {
		m.pings = *p.ServerKeepAlive
	}
}

func (m *member) subscribe(now time.Duration) {
	m.subPid = m.nextPid()
	s := &packet.Subscribe{ID: m.subPid}
	filters := m.speech.Filters
	if len(m.subs) > 0 {
		filters = m.speech.(device.Carrier).Carries
	}
	for _, f := range filters() {
		s.Subscriptions = append(s.Subscriptions, packet.Subscription{Filter: f, QoS: mqtt.AtLeastOnce})
	}
	b, err := s.Append(nil, m.g.version)
	if err != nil {
		m.lose(now, err)
		return
	}
	m.write(b, now)
}

// joined is called with the SUBACK: from now on the device can report.
func (m *member) joined(now time.Duration) {
	r := m.r
	m.state, m.attempt = up, 0
	m.fresh++
	if m.fresh == 1 {
		r.count.came.Add(1)
	} else {
		r.count.returns.Add(1)
	}
	r.count.up.Add(1)
	r.connects.Add(now - m.dialled)
	if m.cutFrom > 0 {
		r.returns.Add(now - m.cutFrom)
		m.cutFrom = 0
	}
	if every := r.s.Network.CutEvery; every > 0 && m.via == nil {
		m.cutAt = now + m.mean(every)
	}
	if m.cutAt >= r.s.Duration {
		m.cutAt = 0 // the end is calm: what is on its way may arrive
	}
	for _, sub := range m.subs {
		sub.retry = now
		r.schedule.at(sub, now)
	}
}

// refused takes an attempt that failed.
func (m *member) refused(now time.Duration, err error) {
	if no, ok := errors.AsType[*client.Refused](err); ok {
		m.r.refusal(no, m)
	} else {
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("no CONNACK within %v", connectTime)
		}
		m.r.cause("connect", causeOf(err), m, &m.r.count.failed)
	}
	m.state = away
	m.retry = now + m.backoff()
	if m.attempt < 200 {
		m.attempt++
	}
}

// lose takes the end of a connection that nobody wanted.
func (m *member) lose(now time.Duration, err error) {
	if m.state < joining {
		return
	}
	m.r.cause("connection", causeOf(err), m, &m.r.count.broken)
	m.hangUp()
	m.retry = now + m.backoff()
}

// cut ends a connection as the network does: without a word.
func (m *member) cut(now, back time.Duration) {
	if m.state >= joining {
		m.r.count.cut.Add(1)
		if tcp, ok := m.conn.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
		m.hangUp()
		m.cutFrom = max(now, back)
		m.retry = m.cutFrom + m.backoff()
		return
	}
	m.retry = max(m.retry, back)
}

// hangUp closes the connection and forgets what belonged to it.
func (m *member) hangUp() {
	if m.state == up {
		m.r.count.up.Add(-1)
	}
	m.r.count.connected.Add(-1)
	for _, sub := range m.subs {
		sub.leave()
	}
	m.conn.Close()
	m.conn, m.state, m.in, m.out, m.answers, m.cutAt, m.inputErr = nil, away, nil, nil, nil, 0, nil
	if m.input != nil {
		giveBack(m.input)
		m.input = nil
	}
	m.unsent()
}

// unsent has all posts wait for another connection.
func (m *member) unsent() {
	for i := range m.posts {
		m.posts[i].pid, m.posts[i].sends = 0, 0
	}
}

// end says goodbye for good.
func (m *member) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ended {
		return
	}
	if m.state >= joining && m.via == nil {
		m.conn.SetWriteDeadline(time.Now().Add(time.Second))
		m.conn.Write([]byte{0xE0, 0}) // DISCONNECT
		m.hangUp()
	}
	m.ended = true
}

// nextStorm is when the next storm breaks, and whether it hits this device.
func (m *member) nextStorm() (at time.Duration, hit, ok bool) {
	if int(m.storm) >= len(m.r.s.Storms) {
		return 0, false, false
	}
	w := m.r.s.Storms[m.storm]
	at = w.At + time.Duration(m.random("storm", uint64(m.storm)<<1|1)*float64(w.Within))
	return at, m.random("storm", uint64(m.storm)<<1) < float64(w.Share), true
}

// weather breaks the connection when the scenario says so.
func (m *member) weather(now time.Duration) {
	for {
		at, hit, ok := m.nextStorm()
		if !ok || hit && at > now {
			break
		}
		if hit && m.state != off {
			m.cut(now, at+m.r.s.Storms[m.storm].Away)
		}
		m.storm++
	}
	if m.cutAt > 0 && now >= m.cutAt {
		m.cut(now, now)
	}
}
