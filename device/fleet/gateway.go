package fleet

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/matou-iot/matou/device"
)

// maxSubs is how many sub-devices one gateway of a fleet carries, as many as
// either vendor allows [Aliyun limits] [OneNET limits]. Each message for one of
// them is looked for among all, by its topic or number.
const maxSubs = 1500

// gateways finds which groups carry which.
func (c checker) gateways() {
	for i, g := range c.Groups {
		if g.Gateway == "" {
			continue
		}
		at := fmt.Sprintf("groups[%d].gateway", i)
		k := slices.IndexFunc(c.Groups, func(o *Group) bool { return o.Name == g.Gateway })
		if k < 0 {
			c.tell(at, "there is no group %s%s", g.Gateway, meant(g.Gateway, names(c.Groups, func(o *Group) string { return o.Name })))
			continue
		}
		o := c.Groups[k]
		switch {
		case g.Dialect == "mqtt":
			c.tell(at, "plain MQTT knows no gateways: give each device its connection")
		case o == g || o.Gateway != "":
			c.tell(at, "%s is carried itself: a gateway has its own connection", o.Name)
		case o.Dialect != g.Dialect:
			c.tell(at, "%s speaks %s, not %s", o.Name, o.Dialect, g.Dialect)
		case o.Count > 0 && (g.Count+o.Count-1)/o.Count > maxSubs:
			c.tell(at, "%d sub-devices for %d gateways are more than %d for each", g.Count, o.Count, maxSubs)
		default:
			g.gateway, o.carries = o, true
		}
	}
}

// IsGateway reports whether the devices of the group carry others.
func (g *Group) IsGateway() bool { return g.carries }

// attach gives each sub-device its gateway, as many to one as to the other.
func (r *run) attach() error {
	first := map[*Group]int{}
	n := 0
	for _, g := range r.s.Groups {
		first[g] = n
		n += g.Count
	}
	for i := range r.members {
		m := &r.members[i]
		if m.g.gateway == nil {
			continue
		}
		o := m.g.gateway
		m.via = &r.members[first[o]+int(int64(m.index)*int64(o.Count)/int64(m.g.Count))]
		m.mu, m.window = &m.via.own, maxInflight
		m.via.subs = append(m.via.subs, m)
		speech, err := m.via.speech.(device.Carrier).Sub(m.identity())
		if err != nil {
			return fmt.Errorf("group %s: %w", m.g.Name, err)
		}
		m.speech = speech
	}
	return nil
}

// connections counts the devices that have one.
func (s *Scenario) connections() (n int) {
	for _, g := range s.Groups {
		if g.gateway == nil {
			n += g.Count
		}
	}
	return n
}

func (m *member) identity() device.Identity { return m.g.Identity(m.g.credentialOf(int(m.index))) }

var errNoAdmission = errors.New("the cloud did not answer the login of a sub-device")

// join begins a sub-device's login, if its gateway is there: when it comes, it
// wakes its sub-devices.
func (m *member) join(now time.Duration) {
	if m.via.state != up {
		m.retry = now + time.Hour
		return
	}
	m.state, m.dialled, m.joinStep = joining, now, device.Belong
	m.ask(now)
}

// ask says the step that the login is at.
func (m *member) ask(now time.Duration) {
	id, text := m.nextID()
	m.joinID = id
	msg, err := m.via.speech.(device.Carrier).Join(m.joinStep, text, m.identity(), time.Now())
	var b []byte
	if err == nil {
		b, err = m.publish(nil, msg)
	}
	if err != nil {
		m.refused(now, err)
		return
	}
	m.write(b, now)
}

// admitted takes the reply to a step.
func (m *member) admitted(h *device.Heard, now time.Duration) {
	m.joinID = 0
	switch {
	case h.Code != replyGood:
		m.refused(now, fmt.Errorf("its gateway's cloud said %d %s", h.Code, h.Message))
	case m.joinStep == device.Belong:
		m.joinStep = device.LogIn
		m.ask(now)
	default:
		m.joined(now)
	}
}

// replyGood is the code of both vendors for a request that was done.
const replyGood = 200

// leave takes the end of the gateway's connection.
func (m *member) leave() {
	if m.state < joining {
		return
	}
	if m.state == up {
		m.r.count.up.Add(-1)
	}
	m.state, m.joinID, m.answers = away, 0, nil
	m.unsent()
}

// reply takes an answer to something that this device said; false where the id
// is none of its.
func (m *member) reply(h *device.Heard, now time.Duration) bool {
	id, err := strconv.ParseUint(h.ID, 10, 32)
	if err != nil {
		return false
	}
	if m.state == joining && m.joinID != 0 && m.joinID == uint32(id) {
		m.admitted(h, now)
		return true
	}
	i := slices.IndexFunc(m.posts, func(p post) bool { return p.id == uint32(id) })
	if i < 0 {
		return false
	}
	if err := h.Rejected(); err != nil {
		m.r.cause("post", err.Error(), m, &m.r.count.rejected)
	}
	m.answered(i, now)
	return true
}

// forSub has a sub-device take something, and wakes it where there is more to do.
func (m *member) forSub(now time.Duration, takes func(*member) bool) {
	for _, sub := range m.subs {
		if takes(sub) {
			m.r.schedule.at(sub, sub.next(now))
			return
		}
	}
}
