package session

import "github.com/matou-iot/matou/mqtt"

// Inbound is the receiving half of a session: the QoS 2 messages whose
// PUBREL is awaited, and how much of our own Receive Maximum the peer uses.
// The zero value has no limit.
type Inbound struct {
	received map[uint16]struct{} // QoS 2, taken and not released; nil while empty
	unacked  int                 // QoS 1 and QoS 2 without an answer on this connection
	limit    int                 // our Receive Maximum; 0: the peer does not know one (3.x)
}

// Connect begins a connection. limit is the Receive Maximum we announced, 0
// for a 3.x peer, which knows none.
func (in *Inbound) Connect(limit int) { in.limit, in.unacked = limit, len(in.received) }

// Publish takes the arrival of a PUBLISH with QoS above 0. duplicate means
// that the message was taken before and must not be delivered again
// [MQTT3-4.3.3-2] [MQTT5-4.3.3-10]; it is still answered. The error is
// mqtt.ReceiveMaximumExceeded when the peer overruns us [MQTT5-3.3.4-7].
func (in *Inbound) Publish(id uint16, qos mqtt.QoS) (duplicate bool, err error) {
	if qos == mqtt.ExactlyOnce {
		if _, ok := in.received[id]; ok {
			return true, nil
		}
	}
	if in.limit > 0 && in.unacked >= in.limit {
		return false, mqtt.ReceiveMaximumExceeded
	}
	in.unacked++
	if qos == mqtt.ExactlyOnce {
		in.take(id)
	}
	return false, nil
}

func (in *Inbound) take(id uint16) {
	if in.received == nil {
		in.received = make(map[uint16]struct{}, 4)
	}
	in.received[id] = struct{}{}
}

// Acknowledged says that a QoS 1 message was answered.
func (in *Inbound) Acknowledged() { in.unacked = max(in.unacked-1, 0) }

// Refused says that a QoS 2 message was answered with a failure: the exchange
// is over and the identifier free [MQTT5 §4.3.3].
func (in *Inbound) Refused(id uint16) { in.Release(id) }

// Release takes the arrival of a PUBREL. known is false for an identifier
// that was not awaited: Packet Identifier not found in 5.0, PUBCOMP all the same.
func (in *Inbound) Release(id uint16) (known bool) {
	if _, known = in.received[id]; !known {
		return false
	}
	delete(in.received, id)
	if len(in.received) == 0 {
		in.received = nil
	}
	in.unacked = max(in.unacked-1, 0)
	return true
}

// Restore puts back an identifier that a store remembered.
func (in *Inbound) Restore(id uint16) {
	if id != 0 {
		in.take(id)
	}
}

// Len returns how many QoS 2 messages await their PUBREL.
func (in *Inbound) Len() int { return len(in.received) }

// Each calls fn for the identifiers that await their PUBREL, in no order.
func (in *Inbound) Each(fn func(id uint16)) {
	for id := range in.received {
		fn(id)
	}
}

// Reset forgets all: the session has ended.
func (in *Inbound) Reset() { *in = Inbound{} }
