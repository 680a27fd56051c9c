package broker_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// TestRefusals: a refusal is told in the words of the version, then the
// connection ends [MQTT3-3.2.2-4] [MQTT3-3.2.2-5] [MQTT3-3.2.2-6]
// [MQTT5-3.1.4-2] [MQTT5-3.2.2-6] [MQTT5-3.2.2-7] [MQTT5-3.2.2-8] [MQTT5-4.13.2-1].
func TestRefusals(t *testing.T) {
	const (
		connect311 = "1010 0004'MQTT' 04 02 003c 0004'dev1'"
		connect5   = "1011 0004'MQTT' 05 02 003c 00 0004'dev1'"
	)
	for _, tt := range []struct {
		name    string
		err     error
		connect string
		want    string
	}{
		{"3.1.1: the return code that goes with the reason", &broker.Refusal{Reason: mqtt.NotAuthorized}, connect311, "2002 0005"},
		{"3.1.1: a return code of its own", &broker.Refusal{Reason: mqtt.NotAuthorized, ReturnCode: 4}, connect311, "2002 0004"},
		{"5.0: the reason", &broker.Refusal{Reason: mqtt.BadUserNameOrPassword, ReturnCode: 4}, connect5, "2003 0086 00"},
		{"5.0: a sentence", &broker.Refusal{Reason: mqtt.Banned, ReasonString: "no"}, connect5, "2008 008a 05 1f 0002'no'"},
		{"silent", &broker.Refusal{Reason: mqtt.NotAuthorized, Silent: true}, connect311, ""},
		{"wrapped", fmt.Errorf("gate: %w", &broker.Refusal{Reason: mqtt.Banned, ReturnCode: 2}), connect311, "2002 0002"},
		{"any other error: server unavailable", errors.New("no database"), connect311, "2002 0003"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWitness()
			w.connect = func(*packet.Connect, broker.Origin) (*broker.Grant, error) { return nil, tt.err }
			h := serve(t, broker.Options{Rules: w})
			p := h.dial()
			p.send(tt.connect)
			p.want(tt.want)
			p.wantEnd()
			p.Close()
			if err := h.stop(); err != nil {
				t.Error(err)
			}
			if len(w.events) > 0 {
				t.Errorf("Rules were told %+v of a refusal that was their own", <-w.events)
			}
			if c := h.Counters(); c.Refused.Load() != 1 || c.Sessions.Load() != 0 || c.Connections.Load() != 0 {
				t.Errorf("refused %d, sessions %d, connections %d", c.Refused.Load(), c.Sessions.Load(), c.Connections.Load())
			}
		})
	}
}

func TestConnectSeesTheOrigin(t *testing.T) {
	w := newWitness()
	var from broker.Origin
	w.connect = func(_ *packet.Connect, o broker.Origin) (*broker.Grant, error) {
		from = o
		return &broker.Grant{}, nil
	}
	h := serve(t, broker.Options{Rules: w})
	p := h.connected("dev1")
	w.next(t, "connected")
	if from.Transport != "tcp" || from.Remote.String() != p.LocalAddr().String() || from.Local.String() != h.addr {
		t.Errorf("from %+v, want tcp from %v to %s", from, p.LocalAddr(), h.addr)
	}
}

func TestGrantIsTold(t *testing.T) { // [MQTT5-3.2.2-9]
	w := newWitness()
	w.connect = func(*packet.Connect, broker.Origin) (*broker.Grant, error) {
		return &broker.Grant{MaxQoS: 1, KeepAlive: 30, SessionExpiry: 60e9}, nil
	}
	h := serve(t, broker.Options{Rules: w, Limits: broker.Limits{ReceiveMaximum: 5, PacketSize: 4096, TopicAliases: 3}})
	p := h.dial()
	p.connect(&packet.Connect{ProtocolName: "MQTT", Version: mqtt.V5, KeepAlive: 1200, ClientID: "dev1",
		Properties: &packet.Properties{SessionExpiry: ptr(uint32(1 << 31))}},
		"2018 00 00 15 11 0000003c 13 001e 21 0005 22 0003 24 01 27 00001000")
	p.put(mqtt.V5, &packet.Publish{Topic: []byte("a"), QoS: 2, ID: 1})
	p.want("e001 9b") // [MQTT5-3.2.2-11]
	w.next(t, "connected")
}

func ptr[T any](v T) *T { return &v }

// TestSubscribeIsJudged: any QoS may be asked for, whatever the Maximum QoS
// [MQTT5-3.2.2-10]; each filter has a code of the version
// [MQTT3-3.9.3-2] [MQTT3-3.8.4-5] [MQTT5-3.8.4-6] [MQTT5-3.8.4-7] [MQTT5-3.9.3-2].
func TestSubscribeIsJudged(t *testing.T) {
	w := newWitness()
	w.connect = func(*packet.Connect, broker.Origin) (*broker.Grant, error) { return &broker.Grant{MaxQoS: 1}, nil }
	w.sub = func(_ *broker.Client, s packet.Subscription) mqtt.ReasonCode {
		switch s.Filter {
		case "no":
			return mqtt.NotAuthorized
		case "odd":
			return mqtt.Banned // not one of a SUBACK
		}
		return mqtt.GrantedQoS2 // more than asked for
	}
	h := serve(t, broker.Options{Rules: w, Limits: broker.Limits{Subscriptions: 2, TopicLength: 10, TopicLevels: 3}})
	const filters = "0002'no' 00 0003'odd' 00 0001'a' 00 0001'b' 02 0001'c' 00 000b'aaaaaaaaaaa' 00 0007'a/b/c/d' 00 0004'+a/b' 00"
	p := h.connected("dev1")
	p.send("8238 0001 " + filters)
	p.want("900a 0001 80 80 00 01 80 80 80 80")
	p = h.dial()
	p.connect(&packet.Connect{ProtocolName: "MQTT", Version: mqtt.V5, ClientID: "dev2"}, "2010 00 00 0d 21 0400 22 0010 24 01 27 00100000")
	p.send("8239 0001 00 " + filters)
	p.want("900b 0001 00 87 80 00 01 97 8f 8f 8f")
}

// A promise settles when told to.
type promise struct {
	log    chan<- string
	name   string
	reason mqtt.ReasonCode
}

func (p *promise) Settle() mqtt.ReasonCode {
	p.log <- "settle " + p.name
	return p.reason
}

func (*promise) Notify(broker.Waker) broker.Readiness { return broker.Whenever }

func TestDecisions(t *testing.T) {
	const (
		pub5   = "320a 0003'a/b' 0007 00 'hi'"
		pub311 = "3209 0003'a/b' 0007 'hi'"
	)
	log := make(chan string, 10)
	for _, tt := range []struct {
		name     string
		decision broker.Decision
		version  mqtt.Version
		send     string
		want     string
		routed   bool
		end      bool
	}{
		{"route", broker.Decision{}, mqtt.V311, pub311, "4002 0007", true, false},
		{"consume: acknowledged, not routed", broker.Decision{Action: broker.Consume}, mqtt.V311, pub311, "4002 0007", false, false},
		{"3.1.1: a failure cannot be told [MQTT3-3.3.5-2]", broker.Decision{Action: broker.Consume, Reason: mqtt.NotAuthorized}, mqtt.V311, pub311, "4002 0007", false, false},
		{"5.0: a failure is told", broker.Decision{Action: broker.Consume, Reason: mqtt.NotAuthorized}, mqtt.V5, pub5, "4003 0007 87", false, false},
		{"a failure is never routed", broker.Decision{Reason: mqtt.NotAuthorized}, mqtt.V5, pub5, "4003 0007 87", false, false},
		{"5.0: a reason that PUBACK does not have [MQTT5-3.4.2-1]", broker.Decision{Action: broker.Consume, Reason: mqtt.Banned}, mqtt.V5, pub5, "4003 0007 80", false, false},
		{"close: 3.1.1", broker.Decision{Action: broker.Close}, mqtt.V311, pub311, "", false, true},
		{"close: 5.0 with the reason", broker.Decision{Action: broker.Close, Reason: mqtt.MessageRateTooHigh}, mqtt.V5, pub5, "e001 96", false, true},
		{"5.0: a settled failure is told", broker.Decision{Action: broker.Consume, Pending: &promise{log, "x", mqtt.QuotaExceeded}}, mqtt.V5, pub5, "4003 0007 97", false, false},
		{"3.1.1: not kept, not acknowledged", broker.Decision{Action: broker.Consume, Pending: &promise{log, "x", mqtt.QuotaExceeded}}, mqtt.V311, pub311, "", false, true},
		{"QoS 0 has nobody to tell", broker.Decision{Action: broker.Consume, Pending: &promise{log, "x", mqtt.QuotaExceeded}}, mqtt.V311, "3007 0003'a/b' 'hi' c000", "d000", false, false},
		{"QoS 2, 5.0: a failure ends the exchange", broker.Decision{Action: broker.Consume, Reason: mqtt.QuotaExceeded}, mqtt.V5, "340a 0003'a/b' 0007 00 'hi' 6202 0007", "5003 0007 97 7003 0007 92", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWitness()
			w.publish = func(*broker.Client, *packet.Publish) broker.Decision { return tt.decision }
			h := serve(t, broker.Options{Rules: w})
			other := h.connected("other")
			other.subscribe("#", 0)
			p := h.connected("dev1")
			if tt.version == mqtt.V5 {
				p = h.connected5("dev2")
			}
			p.send(tt.send)
			p.want(tt.want)
			if tt.end {
				p.wantEnd()
			}
			if tt.routed {
				other.want("3007 0003'a/b' 'hi'")
			}
			other.wantSilence()
			if tt.decision.Pending != nil && len(log) != 1 {
				t.Errorf("settled %d times", len(log))
			}
			for len(log) > 0 {
				<-log
			}
		})
	}
}

func TestABatchIsSettledInOrderBeforeItsAcknowledgements(t *testing.T) { // [MQTT3-4.6.0-2]
	log := make(chan string, 20)
	w := newWitness()
	w.publish = func(_ *broker.Client, p *packet.Publish) broker.Decision {
		name := string(p.Payload)
		log <- "publish " + name
		if name == "b" { // settled at once, but in its place
			return broker.Decision{Action: broker.Consume}
		}
		return broker.Decision{Action: broker.Consume, Pending: &promise{log: log, name: name}}
	}
	h := serve(t, broker.Options{Rules: w})
	p := h.connected("dev1")
	p.send("3206 0001't' 0001 'a' 3206 0001't' 0002 'b' 3406 0001't' 0003 'c' 3206 0001't' 0004 'd'")
	p.want("4002 0001 4002 0002 5002 0003 4002 0004")
	var got []string
	for len(log) > 0 {
		got = append(got, <-log)
	}
	if s := strings.Join(got, ", "); s != "publish a, publish b, publish c, publish d, settle a, settle c, settle d" {
		t.Error(s)
	}
}

func TestRefusedQoS2MayComeAgain(t *testing.T) { // [MQTT5-4.3.3-9]
	w := newWitness()
	n := 0
	w.publish = func(*broker.Client, *packet.Publish) broker.Decision {
		if n++; n == 1 {
			return broker.Decision{Action: broker.Consume, Reason: mqtt.QuotaExceeded}
		}
		return broker.Decision{Action: broker.Consume}
	}
	h := serve(t, broker.Options{Rules: w})
	p := h.connected5("dev1")
	p.send("3407 0001't' 0003 00 'c'")
	p.want("5003 0003 97")
	p.send("3407 0001't' 0003 00 'c'")
	p.want("5002 0003")
}

func TestRulesMayCallTheBroker(t *testing.T) {
	w := newWitness()
	var h *house
	w.publish = func(c *broker.Client, p *packet.Publish) broker.Decision {
		o := h.Send(c.Session(), broker.Message{Topic: "reply", Payload: p.Payload}, broker.Unasked)
		return broker.Decision{Action: broker.Consume, Pending: &promise{log: make(chan string, 1), reason: mqtt.ReasonCode(o)}}
	}
	h = serve(t, broker.Options{Rules: w})
	p := h.connected("dev1")
	p.send("3206 0001't' 0001 'a' 3206 0001't' 0002 'b'")
	p.want("3008 0005'reply' 'a' 3008 0005'reply' 'b' 4002 0001 4002 0002")
}

func TestBrokenPacketsAreToldToRules(t *testing.T) {
	w := newWitness()
	h := serve(t, broker.Options{Rules: w})
	t.Run("a first packet without its first byte", func(t *testing.T) {
		p := h.dial()
		p.send("10 0004'MQTT' 04 02 003c 0004'dev1'"[2:]) // [seed 003]
		p.wantEnd()
		e := w.next(t, "rejected")
		if e.raw != string(wire(t, "0004'MQTT' 04 02 003c 0004'dev1'")) {
			t.Errorf("raw %q", e.raw)
		}
		var pe *packet.Error
		if !errors.As(e.err, &pe) {
			t.Errorf("why: %v, want a packet error", e.err)
		}
	})
	t.Run("bytes that are nothing", func(t *testing.T) {
		p := h.dial()
		p.send("ff00")
		p.wantEnd()
		w.next(t, "rejected")
	})
	t.Run("a TLS handshake where there is no TLS", func(t *testing.T) {
		p := h.dial()
		p.send("160301")
		p.wantEnd()
		w.next(t, "rejected")
	})
	t.Run("half a CONNECT", func(t *testing.T) {
		p := h.dial()
		p.send("1010 0004'MQ'")
		p.Close()
		w.next(t, "rejected")
	})
	t.Run("a malformed packet on an open connection", func(t *testing.T) {
		p := h.connected("dev1")
		c := w.next(t, "connected").client
		p.send("c000 8202 0001 c000")
		p.want("d000")
		p.wantEnd()
		e := w.next(t, "faulty")
		if e.client != c || e.raw != string(wire(t, "8202 0001 c000")) {
			t.Errorf("raw % x of %p, want of %p", e.raw, e.client, c)
		}
		if e := w.next(t, "closed"); e.client != c || e.cause != broker.Faulted {
			t.Errorf("closed %+v", e)
		}
	})
	t.Run("others are not disturbed", func(t *testing.T) {
		p := h.connected("dev2")
		bad := h.connected("dev3")
		bad.send("f0ffffffff")
		bad.wantEnd()
		p.wantSilence()
	})
	if c := h.Counters(); c.Rejected.Load() != 4 || c.Faults.Load() != 2 {
		t.Errorf("%d rejected, %d faults", c.Rejected.Load(), c.Faults.Load())
	}
}

func TestPortProbesAreNotReported(t *testing.T) {
	w := newWitness()
	h := serve(t, broker.Options{Rules: w})
	h.dial().Close()
	if err := h.stop(); err != nil {
		t.Error(err)
	}
	if len(w.events) > 0 {
		t.Errorf("Rules were told %+v", <-w.events)
	}
}

func TestLargePackets(t *testing.T) {
	h := serve(t, broker.Options{Limits: broker.Limits{PacketSize: 300_000}})
	p := h.dial()
	p.connect(&packet.Connect{ProtocolName: "MQTT", Version: mqtt.V5, CleanStart: true, ClientID: "dev1"}, "200e 00 00 0b 21 0400 22 0010 27 000493e0")
	p.put(mqtt.V5, &packet.Subscribe{ID: 1, Subscriptions: []packet.Subscription{{Filter: "t"}}})
	p.get(mqtt.V5)
	big := strings.Repeat("x", 299_000)
	p.put(mqtt.V5, &packet.Publish{Topic: []byte("t"), Payload: []byte(big)})
	if got := p.get(mqtt.V5).(*packet.Publish); string(got.Payload) != big {
		t.Errorf("%d bytes came back", len(got.Payload))
	}
	p.put(mqtt.V5, &packet.Publish{Topic: []byte("t"), Payload: []byte(big + big)})
	p.want("e001 95") // although it was still sending
	p.wantEnd()
}
