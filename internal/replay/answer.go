package replay

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// await waits for the answer that a packet of the device must get.
func (p *player) await(ctx context.Context, h packet.Header, body []byte) error {
	want := answerOf(h, body)
	if want == nil {
		return nil
	}
	got := false
	p.awaited = func(h packet.Header, body []byte) bool {
		if want(h, body) {
			got = true
		}
		return got
	}
	p.until(ctx, time.Now().Add(p.Wait), func() bool { return got })
	p.awaited = nil
	if got || p.closed || ctx.Err() != nil {
		return ctx.Err()
	}
	p.step(noted(Step{Kind: Silent}, words{fmt.Sprintf("no answer to %s within %v", h.Type, p.Wait), fmt.Sprintf("%s 在 %v 内没有应答", h.Type, p.Wait)}))
	if h.Type == packet.TypeConnect {
		return fmt.Errorf("no CONNACK within %v: is there an MQTT broker at this address?", p.Wait)
	}
	return nil
}

// answerOf recognizes the answer to a packet, nil if there is none.
func answerOf(h packet.Header, body []byte) func(packet.Header, []byte) bool {
	of := func(t packet.Type, id uint16) func(packet.Header, []byte) bool {
		return func(h packet.Header, body []byte) bool { return h.Type == t && idOf(body) == id }
	}
	switch h.Type {
	case packet.TypeConnect:
		return func(h packet.Header, _ []byte) bool { return h.Type == packet.TypeConnack }
	case packet.TypePingreq:
		return func(h packet.Header, _ []byte) bool { return h.Type == packet.TypePingresp }
	case packet.TypeSubscribe:
		return of(packet.TypeSuback, idOf(body))
	case packet.TypeUnsubscribe:
		return of(packet.TypeUnsuback, idOf(body))
	case packet.TypePubrel:
		return of(packet.TypePubcomp, idOf(body))
	case packet.TypePublish:
		id, _ := publishID(h, body)
		switch h.Flags >> 1 & 3 {
		case 1:
			return of(packet.TypePuback, id)
		case 2:
			return of(packet.TypePubrec, id)
		}
	}
	return nil
}

// idOf is the packet identifier that a body begins with, 0 for none.
func idOf(body []byte) uint16 {
	if len(body) < 2 {
		return 0
	}
	return binary.BigEndian.Uint16(body)
}

// publishID is the identifier behind the topic.
func publishID(h packet.Header, body []byte) (id uint16, ok bool) {
	if len(body) < 2 {
		return 0, false
	}
	n := 2 + int(binary.BigEndian.Uint16(body))
	if h.Flags>>1&3 == 0 || len(body) < n+2 {
		return 0, false
	}
	return binary.BigEndian.Uint16(body[n:]), true
}

// take looks at what the broker sent, and answers what needs an answer.
func (p *player) take(a arrival) {
	if a.ended {
		p.lost()
		return
	}
	p.result.Received++
	s := Step{Kind: Received, Bytes: a.Bytes}
	h, body, ok := take(a.Packet)
	if !ok {
		s.note(sayNotWhole)
		p.compare(&s, h, nil)
		p.step(s)
		return
	}
	pk, err := packet.Decode(h, body, p.result.Version)
	if err != nil {
		s.note(same(err.Error()))
	}
	p.compare(&s, h, body)
	p.step(s)
	if p.awaited != nil {
		p.awaited(h, body)
	}
	switch pk := pk.(type) {
	case *packet.Connack:
		if pk.Reason.Failed() {
			p.result.Refused = packet.Clone(pk).(*packet.Connack)
			p.result.Refusal = pk.Reason.Error()
		}
	case *packet.Publish:
		switch pk.QoS {
		case mqtt.AtLeastOnce:
			p.acknowledge(&packet.Puback{ID: pk.ID})
		case mqtt.ExactlyOnce:
			p.acknowledge(&packet.Pubrec{ID: pk.ID})
		}
	case *packet.Pubrel:
		p.acknowledge(&packet.Pubcomp{ID: pk.ID})
	}
}

// acknowledge answers the broker as the device would.
func (p *player) acknowledge(a packet.Packet) {
	b, err := a.Append(nil, p.result.Version)
	if err != nil {
		return // an identifier of 0, which Decode has refused already
	}
	p.conn.SetWriteDeadline(time.Now().Add(p.Wait))
	if _, err := p.conn.Write(b); err != nil {
		p.lost()
		return
	}
	p.step(Step{Kind: Answered, Bytes: b})
}
