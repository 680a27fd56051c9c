package ingest

import (
	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A Taken is what became of a message that came without a connection.
type Taken struct {
	// Route says that it is none of the platform's: the caller hands Payload to
	// the subscribers of Topic. They are the message's own, but for what a query
	// of the topic asked for.
	Route   bool
	Topic   string
	Payload []byte
	// Reason is a failure where it was not taken, and Fault why, where that is
	// the device's mistake.
	Reason mqtt.ReasonCode
	Fault  *dialect.Diagnosis
	// Answers are what the device would be told if it were connected.
	Answers []dialect.Downlink
	Entry   uint64 // in the timeline
}

// Take takes a message of a device that is not connected, by HTTP for instance,
// as Publish takes one of a connection. What it says is durable when it
// returns. The caller gets the answers; they are not sent to the device's
// connection, which it may have as well.
func (in *Ingest) Take(who *dialect.Subject, topic string, payload []byte) Taken {
	p := packet.Publish{Topic: []byte(topic), Payload: payload, QoS: mqtt.AtLeastOnce}
	var t Taken
	d := in.publish(nil, who, &p, &t)
	t.Reason = d.Reason
	if t.Route = d.Action == broker.Route && !d.Reason.Failed(); t.Route {
		t.Topic, t.Payload = string(p.Topic), p.Payload
	}
	if d.Pending != nil {
		if reason := d.Pending.Settle(); reason.Failed() {
			t.Reason = reason
		}
	}
	return t
}

// tell remembers for the caller of Take what was found out about the message.
func (j *job) tell(t *Taken) {
	j.direct = t
	if t == nil {
		return
	}
	t.Entry = j.entry
	if j.up.Fault != nil {
		f := *j.up.Fault
		t.Fault = &f
	}
}
