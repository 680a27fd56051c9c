package session

import (
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// State is both halves of a session for a caller that thinks in packets: a
// client above all. The zero value is a new session.
type State struct {
	Out Outbound[*packet.Publish]
	In  Inbound

	version mqtt.Version
}

// A Result is what a received packet means.
type Result struct {
	Deliver *packet.Publish // a message for the application, each once at QoS 2
	Done    *packet.Publish // a message of ours whose exchange is over
	Reason  mqtt.ReasonCode // why Done ended: a failure in 5.0 where the peer refused it
	Reply   packet.Packet   // what to send, nil for nothing
}

// Connect begins a connection that goes on with the session: version as
// negotiated, theirs the Receive Maximum of the peer and ours the one we
// announced (0 for 3.x). It returns what has to be sent first: the messages
// without an answer, in order and with DUP, and the PUBRELs
// [MQTT3-4.4.0-1] [MQTT5-4.4.0-1]. Call Again when acknowledgements arrive.
func (s *State) Connect(version mqtt.Version, theirs, ours int) []packet.Packet {
	s.version = version
	s.Out.Connect(theirs)
	s.In.Connect(ours)
	return s.Again()
}

// Again returns what remains to be sent again and now may be, because the
// peer's window has room.
func (s *State) Again() (out []packet.Packet) {
	for {
		e, ok := s.Out.Again()
		if !ok {
			return out
		}
		if e.Stage == Released {
			out = append(out, &packet.Pubrel{ID: e.ID})
			continue
		}
		p := *e.Message
		p.ID, p.Dup = e.ID, true
		out = append(out, &p)
	}
}

// Publish gives p its identifier and returns what to send. At QoS 0 that is p
// itself. ok is false while the peer's window is full: wait for a Done.
// p is kept until its exchange is over and must not be changed.
func (s *State) Publish(p *packet.Publish) (out *packet.Publish, ok bool) {
	if p.QoS == mqtt.AtMostOnce {
		return p, true
	}
	id, ok := s.Out.Open(p, p.QoS)
	if !ok {
		return nil, false
	}
	q := *p
	q.ID, q.Dup = id, false
	return &q, true
}

// Receive takes one of PUBLISH, PUBACK, PUBREC, PUBREL and PUBCOMP; other
// packets mean nothing to a session. A delivered message aliases p. The error
// is mqtt.ReceiveMaximumExceeded when the peer sends more than we announced.
// An acknowledgement for an unknown identifier is ignored, as both versions
// allow, except where 5.0 has an answer for it.
func (s *State) Receive(p packet.Packet) (r Result, err error) {
	switch p := p.(type) {
	case *packet.Publish:
		return s.publish(p)
	case *packet.Puback:
		if e, ok := s.Out.Puback(p.ID); ok {
			r.Done, r.Reason = e.Message, p.Reason
		}
	case *packet.Pubrec:
		return s.pubrec(p), nil
	case *packet.Pubrel:
		reply := &packet.Pubcomp{ID: p.ID}
		if !s.In.Release(p.ID) && s.version == mqtt.V5 {
			reply.Reason = mqtt.PacketIdentifierNotFound
		}
		r.Reply = reply
	case *packet.Pubcomp:
		if e, ok := s.Out.Pubcomp(p.ID); ok {
			r.Done, r.Reason = e.Message, p.Reason
		}
	}
	return r, nil
}

func (s *State) publish(p *packet.Publish) (r Result, err error) {
	if p.QoS == mqtt.AtMostOnce {
		return Result{Deliver: p}, nil
	}
	duplicate, err := s.In.Publish(p.ID, p.QoS)
	if err != nil {
		return r, err
	}
	if !duplicate {
		r.Deliver = p
	}
	if p.QoS == mqtt.AtLeastOnce {
		s.In.Acknowledged()
		r.Reply = &packet.Puback{ID: p.ID}
		return r, nil
	}
	r.Reply = &packet.Pubrec{ID: p.ID}
	return r, nil
}

func (s *State) pubrec(p *packet.Pubrec) (r Result) {
	e, step := s.Out.Pubrec(p.ID, p.Reason)
	switch step {
	case Ended:
		r.Done, r.Reason = e.Message, p.Reason
	case Release:
		r.Reply = &packet.Pubrel{ID: p.ID}
	case Unknown:
		reply := &packet.Pubrel{ID: p.ID}
		if s.version == mqtt.V5 {
			reply.Reason = mqtt.PacketIdentifierNotFound
		}
		r.Reply = reply
	}
	return r
}
