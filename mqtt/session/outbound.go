// Package session is one side's half of the acknowledged exchanges of MQTT:
// which packet identifiers are in use, what may be sent now, what an
// acknowledgement means, and what is sent again after a reconnect.
//
// It has no sockets, goroutines or clocks: packets go in, packets come out.
// It needs no clock because neither 3.1.1 nor 5.0 knows a retransmission
// timer: packets are sent again when a connection is resumed and at no other
// time [MQTT3-4.4.0-1] [MQTT5-4.4.0-1].
//
// Outbound is the sending half and Inbound the receiving half, for a caller
// that keeps its own messages and encodes them itself; State joins both for a
// caller that thinks in packets. None of them may be used by two goroutines
// at once.
package session

import (
	"github.com/matou-iot/matou/mqtt"
)

// MaxWindow is the largest Receive Maximum, and with it the largest number of
// exchanges that can be open [MQTT5 §3.1.2.11.3].
const MaxWindow = 65535

// A Stage is how far an outbound exchange has come.
type Stage byte

// The stages of an outbound exchange.
const (
	Published Stage = iota // PUBLISH sent, PUBACK or PUBREC awaited
	Released               // QoS 2: PUBREC received, PUBCOMP awaited
)

// An Exchange is one acknowledged message on its way to the peer.
type Exchange[M any] struct {
	ID      uint16
	QoS     mqtt.QoS // 1 or 2
	Stage   Stage
	Message M // the caller's; the zero M may take its place once released

	sent    bool // on this connection, as PUBLISH or PUBREL
	counted bool // its PUBLISH took one of the peer's Receive Maximum
}

// Outbound is the sending half of a session: the exchanges that are open, in
// the order of their first sending, and the peer's window. The zero value has
// a window of MaxWindow.
type Outbound[M any] struct {
	open   []Exchange[M] // open[head:] are the exchanges
	head   int
	window int // 0 is MaxWindow
	used   int // exchanges that are counted
	unsent int // exchanges to be sent again on this connection
	last   uint16
}

// Len returns the number of open exchanges.
func (o *Outbound[M]) Len() int { return len(o.open) - o.head }

// Ready reports whether a new message may be sent now: the peer's window has
// room and everything older has been sent again.
func (o *Outbound[M]) Ready() bool {
	return o.unsent == 0 && o.used < o.limit() && o.Len() < MaxWindow
}

func (o *Outbound[M]) limit() int {
	if o.window == 0 {
		return MaxWindow
	}
	return o.window
}

// Open begins an exchange for m and returns its packet identifier, one that
// no open exchange has [MQTT3-2.3.1-2] [MQTT5-2.2.1-3]. ok is false when
// Ready is.
func (o *Outbound[M]) Open(m M, qos mqtt.QoS) (id uint16, ok bool) {
	if !o.Ready() {
		return 0, false
	}
	id = o.free()
	o.push(Exchange[M]{ID: id, QoS: qos, Message: m, sent: true, counted: true})
	o.used++
	return id, true
}

// free finds an identifier that is not in use. There is one: Open lets no
// more than MaxWindow exchanges be open.
func (o *Outbound[M]) free() uint16 {
	for {
		o.last++
		if o.last == 0 { // zero is no identifier [MQTT3-2.3.1-1] [MQTT5-2.2.1-3]
			o.last = 1
		}
		if o.Len() == 0 || o.find(o.last) < 0 {
			return o.last
		}
	}
}

func (o *Outbound[M]) push(e Exchange[M]) {
	if o.head > 0 && len(o.open) == cap(o.open) {
		n := copy(o.open, o.open[o.head:])
		clear(o.open[n:])
		o.open, o.head = o.open[:n], 0
	}
	o.open = append(o.open, e)
}

// find returns the place of an identifier, -1 for none. Peers acknowledge in
// the order of receipt [MQTT3-4.6.0-2] [MQTT5-4.6.0-2], so it is near the
// beginning.
func (o *Outbound[M]) find(id uint16) int {
	for i := o.head; i < len(o.open); i++ {
		if o.open[i].ID == id {
			return i
		}
	}
	return -1
}

func (o *Outbound[M]) remove(i int) Exchange[M] {
	e := o.open[i]
	if e.counted {
		o.used--
	}
	if !e.sent {
		o.unsent--
	}
	var none Exchange[M]
	if i == o.head {
		o.open[i] = none
		o.head++
	} else {
		copy(o.open[i:], o.open[i+1:])
		o.open[len(o.open)-1] = none
		o.open = o.open[:len(o.open)-1]
	}
	if o.Len() == 0 {
		o.head = 0
		o.open = o.open[:0]
		if cap(o.open) > 32 { // an idle session keeps no memory of a busy past
			o.open = nil
		}
	}
	return e
}

// Puback ends a QoS 1 exchange [MQTT3 §4.3.2] [MQTT5 §4.3.2] and returns it.
// ok is false for an identifier that awaits no PUBACK.
func (o *Outbound[M]) Puback(id uint16) (e Exchange[M], ok bool) {
	i := o.find(id)
	if i < 0 || o.open[i].QoS != mqtt.AtLeastOnce {
		return e, false
	}
	return o.remove(i), true
}

// A Step is what a PUBREC leads to.
type Step byte

// What a PUBREC leads to.
const (
	Unknown Step = iota // no such exchange: PUBREL with Packet Identifier not found in 5.0
	Release             // answer with PUBREL
	Ended               // the peer refused the message: the exchange is over, no answer
)

// Pubrec takes the first answer to a QoS 2 PUBLISH [MQTT3 §4.3.3]
// [MQTT5 §4.3.3]. A failed reason ends the exchange [MQTT5-4.3.3-4]. A second
// PUBREC is answered like the first. The exchange comes back as it is now.
func (o *Outbound[M]) Pubrec(id uint16, reason mqtt.ReasonCode) (e Exchange[M], s Step) {
	i := o.find(id)
	if i < 0 || o.open[i].QoS != mqtt.ExactlyOnce {
		return e, Unknown
	}
	if reason.Failed() {
		return o.remove(i), Ended
	}
	e = o.open[i]
	if !e.sent { // the peer had it all along: the PUBREL counts as sending it again
		o.open[i].sent = true
		o.unsent--
	}
	o.open[i].Stage = Released
	e.Stage = Released
	return e, Release
}

// Pubcomp ends a QoS 2 exchange and returns it. ok is false for an identifier
// that awaits no PUBCOMP.
func (o *Outbound[M]) Pubcomp(id uint16) (e Exchange[M], ok bool) {
	i := o.find(id)
	if i < 0 || o.open[i].Stage != Released {
		return e, false
	}
	return o.remove(i), true
}

// Drop ends the exchange without an answer of the peer: its message has
// expired or is too large for the peer. ok is false for an unknown identifier.
func (o *Outbound[M]) Drop(id uint16) (e Exchange[M], ok bool) {
	i := o.find(id)
	if i < 0 {
		return e, false
	}
	return o.remove(i), true
}

// Connect begins a connection: window is the peer's Receive Maximum, 1 to
// MaxWindow, and every open exchange has to be sent again: see Again.
func (o *Outbound[M]) Connect(window int) {
	o.window = min(max(window, 1), MaxWindow)
	o.used = 0
	o.unsent = o.Len()
	for i := o.head; i < len(o.open); i++ {
		o.open[i].sent, o.open[i].counted = false, false
	}
}

// Again returns the next exchange to be sent again on this connection, in the
// order of first sending [MQTT3-4.6.0-1] [MQTT5-4.6.0-1]: as PUBLISH with DUP
// [MQTT3-3.3.1-1] [MQTT5-3.3.1-1] while Published, as PUBREL once Released
// [MQTT3-4.4.0-1] [MQTT5-4.4.0-1]. ok is false when there is none, or when a
// PUBLISH has to wait because the peer's window is smaller than it was.
func (o *Outbound[M]) Again() (e Exchange[M], ok bool) {
	if o.unsent == 0 {
		return e, false
	}
	for i := o.head; i < len(o.open); i++ {
		x := &o.open[i]
		if x.sent {
			continue
		}
		if x.Stage == Published {
			if o.used >= o.limit() {
				return e, false
			}
			x.counted = true
			o.used++
		}
		x.sent = true
		o.unsent--
		return *x, true
	}
	return e, false
}

// Restore puts back an exchange that a store remembered, after those that are
// open already. It is sent again by the next connection.
func (o *Outbound[M]) Restore(e Exchange[M]) {
	if e.ID == 0 || o.find(e.ID) >= 0 || o.Len() >= MaxWindow {
		return
	}
	e.sent, e.counted = false, false
	o.push(e)
	o.unsent++
	o.last = max(o.last, e.ID)
}

// All returns the open exchanges in their order. The slice is the caller's to
// read until the next call of a method.
func (o *Outbound[M]) All() []Exchange[M] { return o.open[o.head:] }

// Reset forgets all exchanges: the session has ended.
func (o *Outbound[M]) Reset() { *o = Outbound[M]{} }
