package broker_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A script is a story with several clients, told in lines of a client's name
// and what happens to it:
//
//	a connect            with a clean start, its session ends with its connection
//	a keep               for a session that outlives the connection by 100 s
//	a clean keep         the same, with a clean start
//	a back               as keep, and the session was present, as 3.1.1 and 5.0 say
//	a > publish t hi q1 #7 dup retain     it sends a packet; - is no payload
//	a < puback #7                         it gets exactly this packet
//	a >> c000            it sends bytes
//	a << d000            it gets exactly these bytes
//	a silence            it got nothing else
//	a gone               its connection breaks, and the broker has seen it
//	a bye                it disconnects, and the broker has seen it
//	a end                its connection is ended by the broker
type script struct {
	t     *testing.T
	h     *house
	v     mqtt.Version
	rules *leaving
	peers map[string]*peer
}

// leaving are Rules that say when a client has left.
type leaving struct {
	broker.OpenRules
	left chan struct{}
}

func (l *leaving) Closed(*broker.Client, broker.Cause) { l.left <- struct{}{} }

// tell plays the lines as MQTT version v.
func tell(t *testing.T, v mqtt.Version, o broker.Options, lines []string) {
	t.Helper()
	s := &script{t: t, v: v, rules: &leaving{left: make(chan struct{}, 100)}, peers: make(map[string]*peer)}
	o.Rules = s.rules
	s.h = serve(t, o)
	for _, line := range lines {
		name, rest, _ := strings.Cut(line, " ")
		if !t.Run(line, func(t *testing.T) { s.step(t, name, rest) }) {
			return
		}
	}
}

func (s *script) step(t *testing.T, name, what string) {
	p := s.peers[name]
	if p != nil {
		p.t = t
	}
	verb, rest, _ := strings.Cut(what, " ")
	switch verb {
	case "connect", "keep", "back", "clean":
		s.peers[name] = s.connect(t, name, what)
	case ">":
		p.put(s.v, s.packet(t, rest))
	case "<":
		p.wantPacket(s.v, s.packet(t, rest))
	case ">>":
		p.send(rest)
	case "<<":
		p.want(rest)
	case "silence":
		p.wantSilence()
	case "gone":
		p.Close()
		s.wait(t)
	case "bye":
		p.put(s.v, &packet.Disconnect{})
		p.wantEnd()
		s.wait(t)
	case "end":
		p.wantEnd()
		s.wait(t)
	default:
		t.Fatalf("no such step")
	}
}

func (s *script) wait(t *testing.T) {
	select {
	case <-s.rules.left:
	case <-time.After(patience):
		t.Fatal("nobody left")
	}
}

func (s *script) connect(t *testing.T, name, how string) *peer {
	p := s.h.dial()
	p.t = t
	c := &packet.Connect{ProtocolName: "MQTT", Version: s.v, ClientID: name, CleanStart: how == "connect" || how == "clean keep"}
	if s.v == mqtt.V5 && how != "connect" {
		c.Properties = &packet.Properties{SessionExpiry: ptr(uint32(100))}
	}
	present := "00"
	if how == "back" && s.v != mqtt.V31 { // which has no word for it
		present = "01"
	}
	if s.v == mqtt.V5 {
		p.connect(c, "200e "+present+" 00 0b 21 0400 22 0010 27 00100000")
		return p
	}
	p.connect(c, "2002 "+present+" 00")
	return p
}

// wantPacket reads exactly the bytes of pk.
func (p *peer) wantPacket(v mqtt.Version, pk packet.Packet) {
	p.t.Helper()
	b, err := pk.Append(nil, v)
	if err != nil {
		p.t.Fatal(err)
	}
	p.want(fmt.Sprintf("%x", b))
}

// packet makes a packet of its words.
func (s *script) packet(t *testing.T, text string) packet.Packet {
	t.Helper()
	words := strings.Fields(text)
	kind, words := words[0], words[1:]
	var id uint16
	var plain []string
	for _, w := range words {
		if n, ok := strings.CutPrefix(w, "#"); ok && n != "" {
			i, err := strconv.ParseUint(n, 10, 16)
			if err == nil {
				id = uint16(i)
				continue
			}
		}
		plain = append(plain, w)
	}
	switch kind {
	case "ping":
		return &packet.Pingreq{}
	case "pong":
		return &packet.Pingresp{}
	case "publish":
		return publishOf(t, id, plain)
	case "subscribe":
		return subscribeOf(t, id, plain)
	case "unsubscribe":
		return &packet.Unsubscribe{ID: id, Filters: plain}
	}
	reasons := reasonsOf(t, plain)
	first := mqtt.Success
	if len(reasons) > 0 {
		first = reasons[0]
	}
	switch kind {
	case "puback":
		return &packet.Puback{ID: id, Reason: first}
	case "pubrec":
		return &packet.Pubrec{ID: id, Reason: first}
	case "pubrel":
		return &packet.Pubrel{ID: id, Reason: first}
	case "pubcomp":
		return &packet.Pubcomp{ID: id, Reason: first}
	case "disconnect":
		return &packet.Disconnect{Reason: first}
	case "suback":
		return &packet.Suback{ID: id, Reasons: reasons}
	case "unsuback":
		if s.v != mqtt.V5 {
			reasons = nil
		}
		return &packet.Unsuback{ID: id, Reasons: reasons}
	}
	t.Fatalf("no such packet")
	return nil
}

func publishOf(t *testing.T, id uint16, words []string) *packet.Publish {
	t.Helper()
	p := &packet.Publish{ID: id, Topic: []byte(words[0]), Payload: []byte(words[1])}
	if words[1] == "-" {
		p.Payload = nil
	}
	for _, w := range words[2:] {
		switch w {
		case "q0", "q1", "q2":
			p.QoS = mqtt.QoS(w[1] - '0')
		case "dup":
			p.Dup = true
		case "retain":
			p.Retain = true
		default:
			t.Fatalf("publish with %q", w)
		}
	}
	return p
}

// subscribeOf reads filters as a/b=1,nl,rap,rh2.
func subscribeOf(t *testing.T, id uint16, words []string) *packet.Subscribe {
	t.Helper()
	p := &packet.Subscribe{ID: id}
	for _, w := range words {
		filter, options, _ := strings.Cut(w, "=")
		sub := packet.Subscription{Filter: filter}
		for _, o := range strings.Split(options, ",") {
			switch o {
			case "0", "1", "2":
				sub.QoS = mqtt.QoS(o[0] - '0')
			case "nl":
				sub.NoLocal = true
			case "rap":
				sub.RetainAsPublished = true
			case "rh1", "rh2":
				sub.RetainHandling = o[2] - '0'
			default:
				t.Fatalf("subscribe with %q", o)
			}
		}
		p.Subscriptions = append(p.Subscriptions, sub)
	}
	return p
}

func reasonsOf(t *testing.T, words []string) (reasons []mqtt.ReasonCode) {
	t.Helper()
	for _, w := range words {
		r, err := strconv.ParseUint(w, 16, 8)
		if err != nil {
			t.Fatalf("reason %q", w)
		}
		reasons = append(reasons, mqtt.ReasonCode(r))
	}
	return reasons
}
