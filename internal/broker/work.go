package broker

import (
	"sync"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A work is the room in which messages are routed, and the clients that got
// something and have to be flushed. Whoever holds it is alone with it.
type work struct {
	dirty []*Client // have something in their out-buffer since this work began
	sync  bool      // something was written to the store that an acknowledgement has to wait for
	out   int64     // PUBLISH written

	pub     packet.Publish // the PUBLISH being handled
	passing message        // what Send hands on at QoS 0
	bytes   []byte         // its topic, or what encoded points into
	scratch []byte         // one packet that is not shared

	own   bool              // props was used
	props packet.Properties // of one delivery

	routed   bool           // what follows was used
	fwd      packet.Publish // what goes out of pub
	fwdProps packet.Properties

	found   []target // matching subscriptions, then one target a session
	lists   int      // filters they come from
	noLocal bool     // one of them has No Local
	seen    map[*session]int

	encoded [2][3][2]encoding // by 5.0 or not, QoS, RETAIN
	m       *message          // the PUBLISH as a message, made when the first session needs one
}

// A target is one session that a message goes to.
type target struct {
	sub    *subscription
	qos    mqtt.QoS
	retain bool     // as published
	ids    []uint32 // subscription identifiers of several subscriptions
}

// An encoding is a packet in work.bytes.
type encoding struct {
	from, to int // equal: not encoded yet
	id       int // where the packet identifier is, from the packet's beginning
}

var works = sync.Pool{New: func() any { return new(work) }}

// Room that is not kept for the next use.
const (
	maxKeptTargets = 4096
	maxKeptBytes   = 64 << 10
)

// begin prepares w for the next message that is routed.
func (w *work) begin() {
	w.routed = true
	w.encoded = [2][3][2]encoding{}
	w.bytes = w.bytes[:0]
	w.m = nil
	w.lists, w.noLocal = 0, false
	clear(w.found)
	w.found = w.found[:0]
}

// reset lets go of everything that w points to. What routing alone uses is
// most of it, and seldom in the cache where nothing was routed: then it is not
// touched.
func (w *work) reset() {
	w.pub, w.passing = packet.Publish{}, message{}
	if w.own {
		w.props, w.own = packet.Properties{}, false
	}
	if w.routed {
		w.begin()
		w.fwd, w.fwdProps = packet.Publish{}, packet.Properties{}
		if cap(w.found) > maxKeptTargets {
			w.found, w.seen = nil, nil
		}
		w.routed = false
	}
	w.bytes = w.bytes[:0]
	if cap(w.bytes) > maxKeptBytes {
		w.bytes = nil
	}
	if cap(w.scratch) > maxKeptBytes {
		w.scratch = nil
	}
	clear(w.dirty)
	w.dirty = w.dirty[:0]
	w.sync, w.out = false, 0
}

// room are empty properties for one delivery.
func (w *work) room() *packet.Properties {
	w.props, w.own = packet.Properties{}, true
	return &w.props
}

// shared returns p as a message that outlives the read buffer, the same one
// for all sessions.
func (w *work) shared(p *packet.Publish, expires time.Time) *message {
	if w.m == nil {
		w.m = newMessage(p, expires)
	}
	return w.m
}

// merge leaves one target for each session: a message that several of its
// subscriptions match is delivered once, with the highest QoS and all
// subscription identifiers [MQTT3-3.3.5-1] [MQTT5-3.3.4-2] [MQTT5-3.3.4-3].
// from's subscriptions with No Local drop out [MQTT5-3.8.3-3].
func (w *work) merge(from *session) {
	if w.noLocal && from != nil {
		kept := w.found[:0]
		for _, t := range w.found {
			if !t.sub.noLocal || t.sub.s != from {
				kept = append(kept, t)
			}
		}
		clear(w.found[len(kept):])
		w.found = kept
	}
	if w.lists < 2 || len(w.found) < 2 {
		return
	}
	if w.seen == nil {
		w.seen = make(map[*session]int)
	}
	kept := w.found[:0]
	for _, t := range w.found {
		i, ok := w.seen[t.sub.s]
		if !ok {
			w.seen[t.sub.s] = len(kept)
			kept = append(kept, t)
			continue
		}
		kept[i].join(t)
	}
	clear(w.found[len(kept):])
	w.found = kept
	clear(w.seen)
}

func (t *target) join(other target) {
	t.qos = max(t.qos, other.qos)
	t.retain = t.retain || other.retain
	if other.sub.id == 0 {
		return
	}
	if t.ids == nil && t.sub.id != 0 {
		t.ids = append(t.ids, t.sub.id)
	}
	t.ids = append(t.ids, other.sub.id)
}

// subscriptionIDs are those that go with the message, nil for none.
func (t *target) subscriptionIDs() []uint32 {
	if t.ids == nil && t.sub.id != 0 {
		return []uint32{t.sub.id}
	}
	return t.ids
}

// encode returns w.fwd as version v sees it, encoded once for all.
func (w *work) encode(v mqtt.Version, qos mqtt.QoS, retain bool) (frame []byte, id int, err error) {
	five, r := 0, 0
	if v == mqtt.V5 {
		five = 1
	}
	if retain {
		r = 1
	}
	e := &w.encoded[five][qos][r]
	if e.from == e.to {
		p := &w.fwd
		p.QoS, p.Retain, p.ID = qos, retain, 0
		if qos > 0 {
			p.ID = 1 // patched for each receiver
		}
		from := len(w.bytes)
		out, offset, err := p.AppendShared(w.bytes, v)
		if err != nil {
			return nil, 0, err
		}
		w.bytes = out
		*e = encoding{from: from, to: len(out), id: offset - from}
	}
	return w.bytes[e.from:e.to:e.to], e.id, nil
}
