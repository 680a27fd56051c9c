package broker_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

func TestConnecting(t *testing.T) {
	for _, tt := range []struct {
		name    string
		connect string
		want    string
		end     bool
	}{
		{"3.1.1: another protocol name [MQTT3-3.1.2-1]", "1010 0004'HTTP' 04 02 003c 0004'dev1'", "2002 0001", true},
		{"5.0: another protocol name [MQTT5-3.1.2-1]", "1011 0004'HTTP' 05 02 003c 00 0004'dev1'", "2003 0084 00", true},
		{"another protocol version [MQTT3-3.1.2-2] [MQTT5-3.1.2-2]", "1011 0004'MQTT' 06 02 003c 00 0004'dev1'", "2002 0001", true},
		{"3.1.1: a malformed one is not answered [MQTT3-3.1.4-1] [MQTT3-3.1.2-3]", "1010 0004'MQTT' 04 03 003c 0004'dev1'", "", true},
		{"5.0: a malformed one is told so [MQTT5-3.1.4-1] [MQTT5-3.1.2-3] [MQTT5-3.2.2-7] [MQTT5-3.14.0-1]", "1011 0004'MQTT' 05 03 003c 00 0004'dev1'", "2003 0081 00", true},
		{"3.1.1: 23 letters and digits are an identifier [MQTT3-3.1.3-5]", "1023 0004'MQTT' 04 02 003c 0017'0123456789ABCDEFGHIJxyz'", "2002 0000", false},
		{"5.0: 23 letters and digits are an identifier [MQTT5-3.1.3-5]", "1024 0004'MQTT' 05 02 003c 00 0017'0123456789ABCDEFGHIJxyz'", "200e 00 00 0b 21 0400 22 0010 27 00100000", false},
		{"5.0: no Response Information where none is asked for, nor elsewhere [MQTT5-3.1.2-28]", "1013 0004'MQTT' 05 02 003c 02 1900 0004'dev1'", "200e 00 00 0b 21 0400 22 0010 27 00100000", false},
		{"5.0: an Authentication Method that is not known [MQTT5-4.12.0-1] [MQTT5-4.12.0-4] [MQTT5-4.13.2-1]", "1017 0004'MQTT' 05 02 003c 06 15 0003'KEY' 0004'dev1'", "2003 008c 00", true},
		{"5.0: no Authentication Method, no AUTH, none in CONNACK [MQTT5-4.12.0-6]", "1011 0004'MQTT' 05 02 003c 00 0004'dev1'", "200e 00 00 0b 21 0400 22 0010 27 00100000", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := serve(t, broker.Options{}).dial()
			p.send(tt.connect)
			p.want(tt.want)
			if tt.end {
				p.wantEnd()
				return
			}
			p.wantSilence()
		})
	}
}

// TestNothingAfterARefusalIsHandled, although it came with the CONNECT
// [MQTT3-3.1.4-5] [MQTT5-3.1.4-6] [MQTT5-3.1.4-2] [MQTT3-3.2.2-5] [MQTT5-3.2.2-7].
func TestNothingAfterARefusalIsHandled(t *testing.T) {
	for _, tt := range []struct{ connect, want string }{
		{connect311, "2002 0005"},
		{"1011 0004'MQTT' 05 02 003c 00 0004'dev1'", "2003 0087 00"},
	} {
		w := newWitness()
		w.connect = func(*packet.Connect, broker.Origin) (*broker.Grant, error) {
			return nil, &broker.Refusal{Reason: mqtt.NotAuthorized}
		}
		h := serve(t, broker.Options{Rules: w})
		p := h.dial()
		p.send(tt.connect + " 3105 0001'r' 'hi' c000")
		p.want(tt.want)
		p.wantEnd()
		if len(w.events) > 0 || h.Counters().Retained.Load() > 0 {
			t.Errorf("after a refusal: %d events, %d retained", len(w.events), h.Counters().Retained.Load())
		}
	}
}

// TestAssignedIdentifiers are new ones, told, and stand for their session as if
// the client had sent them [MQTT5-3.1.3-6] [MQTT5-3.1.3-7] [MQTT5-3.2.2-16].
func TestAssignedIdentifiers(t *testing.T) {
	h := serve(t, broker.Options{})
	dial := func(id string) (string, bool) {
		p := h.dial()
		p.put(mqtt.V5, &packet.Connect{ProtocolName: "MQTT", Version: mqtt.V5, ClientID: id,
			Properties: &packet.Properties{SessionExpiry: ptr(uint32(100))}})
		ack := p.get(mqtt.V5).(*packet.Connack)
		return ack.Properties.AssignedClientID, ack.SessionPresent
	}
	first, present := dial("")
	second, _ := dial("")
	if first == "" || first == second || present {
		t.Errorf("assigned %q, then %q; session present %v", first, second, present)
	}
	if again, present := dial(first); again != "" || !present {
		t.Errorf("with the assigned one: assigned %q, session present %v", again, present)
	}
}

// TestGrantBoundsTheWill: a will above the Maximum QoS is refused
// [MQTT5-3.2.2-12]; 3.1.1 has no word for it.
func TestGrantBoundsTheWill(t *testing.T) {
	w := newWitness()
	w.connect = func(*packet.Connect, broker.Origin) (*broker.Grant, error) { return &broker.Grant{MaxQoS: 1}, nil }
	h := serve(t, broker.Options{Rules: w})
	will := &packet.Will{Topic: "w", Payload: []byte("x"), QoS: 2}
	p := h.dial()
	p.connect(&packet.Connect{ProtocolName: "MQTT", Version: mqtt.V5, CleanStart: true, ClientID: "a", Will: will}, "2003 009b 00")
	p.wantEnd()
	p = h.dial()
	p.connect(&packet.Connect{ProtocolName: "MQTT", Version: mqtt.V311, CleanStart: true, ClientID: "a", Will: will}, "2002 0000")
}

// TestRejectedIdentifiers are told in the words of the version, and the
// connection ends [MQTT3-3.1.3-9] [MQTT5-3.1.3-8].
func TestRejectedIdentifiers(t *testing.T) {
	w := newWitness()
	w.connect = func(*packet.Connect, broker.Origin) (*broker.Grant, error) {
		return nil, &broker.Refusal{Reason: mqtt.ClientIdentifierNotValid}
	}
	h := serve(t, broker.Options{Rules: w})
	for v, want := range map[mqtt.Version]string{mqtt.V31: "2002 0002", mqtt.V311: "2002 0002", mqtt.V5: "2003 0085 00"} {
		p := h.dial()
		p.connect(&packet.Connect{Version: v, CleanStart: true, ClientID: "odd id"}, want)
		p.wantEnd()
	}
}

// TestGrantWithoutRetain: a 5.0 client is told Retain Available 0; a will that
// is retained is refused [MQTT5-3.2.2-13], and so is such a message
// [MQTT5-3.2.2-14]. 3.x has no word for it: there RETAIN is passed over.
func TestGrantWithoutRetain(t *testing.T) {
	w := newWitness()
	w.connect = func(*packet.Connect, broker.Origin) (*broker.Grant, error) {
		return &broker.Grant{MaxQoS: 2, IgnoreRetain: true}, nil
	}
	h := serve(t, broker.Options{Rules: w})
	will := &packet.Will{Topic: "w", Retain: true}
	p := h.dial()
	p.connect(&packet.Connect{Version: mqtt.V5, CleanStart: true, ClientID: "a", Will: will}, "2003 009a 00")
	p.wantEnd()
	p = h.dial()
	p.connect(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "a", Will: will}, "2002 0000")
	p.send("3104 0001't' 'x'")
	p.wantSilence()
	p = h.dial()
	p.connect(&packet.Connect{Version: mqtt.V5, CleanStart: true, ClientID: "b"}, "2010 00 00 0d 21 0400 22 0010 25 00 27 00100000")
	p.send("3105 0001't' 00 'x'")
	p.want("e001 9a")
	p.wantEnd()
	if n := h.Counters().Retained.Load(); n != 0 {
		t.Errorf("%d retained", n)
	}
}

// TestConnackFitsTheClient: nothing larger than its Maximum Packet Size is sent
// to a client [MQTT5-3.1.2-24], a reason string only where it fits
// [MQTT5-3.2.2-19], a user property never [MQTT5-3.2.2-20].
func TestConnackFitsTheClient(t *testing.T) {
	for _, tt := range []struct {
		name string
		max  uint32
		err  error
		want string
		end  bool
	}{
		{"CONNACK just fits", 16, nil, "200e 00 00 0b 21 0400 22 0010 27 00100000", false},
		{"CONNACK does not fit: refused", 15, nil, "2003 0095 00", true},
		{"nothing fits: not a word", 4, nil, "", true},
		{"the reason string just fits", 10, &broker.Refusal{Reason: mqtt.Banned, ReasonString: "no"}, "2008 008a 05 1f 0002'no'", true},
		{"the reason string does not fit", 9, &broker.Refusal{Reason: mqtt.Banned, ReasonString: "no"}, "2003 008a 00", true},
		{"the reason does not fit", 4, &broker.Refusal{Reason: mqtt.Banned}, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWitness()
			w.connect = func(*packet.Connect, broker.Origin) (*broker.Grant, error) {
				return &broker.Grant{MaxQoS: 2}, tt.err
			}
			h := serve(t, broker.Options{Rules: w})
			p := h.dial()
			p.connect(&packet.Connect{ProtocolName: "MQTT", Version: mqtt.V5, CleanStart: true, ClientID: "a",
				Properties: &packet.Properties{MaximumPacketSize: &tt.max}}, tt.want)
			if !tt.end {
				p.wantSilence()
				return
			}
			p.wantEnd()
			p.Close()
			if err := h.stop(); err != nil {
				t.Error(err)
			}
			if len(w.events) > 0 || h.Counters().Sessions.Load() > 0 {
				t.Errorf("refused, but Rules were told %d things and %d sessions began", len(w.events), h.Counters().Sessions.Load())
			}
		})
	}
}

// TestAnswersFitTheClient: an answer above the Maximum Packet Size cannot be
// left out and must not be sent, so it ends the connection [MQTT5-3.1.2-24].
func TestAnswersFitTheClient(t *testing.T) {
	w := newWitness()
	h := serve(t, broker.Options{Rules: w})
	p := h.dial()
	p.connect(&packet.Connect{ProtocolName: "MQTT", Version: mqtt.V5, CleanStart: true, ClientID: "a",
		Properties: &packet.Properties{MaximumPacketSize: ptr(uint32(16))}}, "200e 00 00 0b 21 0400 22 0010 27 00100000")
	w.next(t, "connected")
	subscribe := &packet.Subscribe{ID: 1}
	for i := range 11 {
		subscribe.Subscriptions = append(subscribe.Subscriptions, packet.Subscription{Filter: fmt.Sprint(i)})
	}
	p.put(mqtt.V5, subscribe)
	p.want("900e 0001 00 0000000000000000000000")
	subscribe.Subscriptions = append(subscribe.Subscriptions, packet.Subscription{Filter: "x"})
	p.put(mqtt.V5, subscribe)
	p.want("e001 95")
	p.wantEnd()
	if e := w.next(t, "closed"); e.cause != broker.Faulted {
		t.Errorf("closed because %v", e.cause)
	}
}

// TestProblemInformationIsNotSent to who asked for none, to who takes only small
// packets, nor to others: there are only reason codes [MQTT5-3.1.2-29]
// [MQTT5-3.4.2-2] [MQTT5-3.4.2-3] [MQTT5-3.5.2-2] [MQTT5-3.5.2-3] [MQTT5-3.6.2-2]
// [MQTT5-3.6.2-3] [MQTT5-3.7.2-2] [MQTT5-3.7.2-3] [MQTT5-3.9.2-1] [MQTT5-3.9.2-2]
// [MQTT5-3.11.2-1] [MQTT5-3.11.2-2].
func TestProblemInformationIsNotSent(t *testing.T) {
	for _, props := range []*packet.Properties{
		{RequestProblemInfo: ptr(byte(0))}, {RequestProblemInfo: ptr(byte(1))}, {MaximumPacketSize: ptr(uint32(16))}, nil,
	} {
		w := newWitness()
		w.publish = func(*broker.Client, *packet.Publish) broker.Decision {
			return broker.Decision{Action: broker.Consume, Reason: mqtt.NotAuthorized}
		}
		h := serve(t, broker.Options{Rules: w})
		p := h.dial()
		p.connect(&packet.Connect{Version: mqtt.V5, CleanStart: true, ClientID: "a", Properties: props}, "200e 00 00 0b 21 0400 22 0010 27 00100000")
		p.send("3207 0001't' 0001 00 'x' 3407 0001't' 0002 00 'x' 6202 0002 8208 0003 00 0002'a#' 00 a206 0004 00 0001'a' 5002 0009")
		p.want("4003 0001 87 5003 0002 87 7003 0002 92 9004 0003 00 8f b004 0004 00 11 6203 0009 92")
	}
}

// TestTakeOverSaysNoExpiry: the server's DISCONNECT has a reason and nothing
// else [MQTT5-3.14.2-2] [MQTT5-3.14.2-3] [MQTT5-3.14.2-4] [MQTT5-3.14.4-1] [MQTT5-3.14.4-2].
func TestTakeOverSaysNoExpiry(t *testing.T) {
	h := serve(t, broker.Options{})
	c := &packet.Connect{ProtocolName: "MQTT", Version: mqtt.V5, ClientID: "a", Properties: &packet.Properties{SessionExpiry: ptr(uint32(100))}}
	old, young := h.dial(), h.dial()
	old.connect(c, "200e 00 00 0b 21 0400 22 0010 27 00100000")
	young.connect(c, "200e 01 00 0b 21 0400 22 0010 27 00100000")
	old.want("e001 8e")
	old.wantEnd()
}

// TestPropertiesOfAMessageArePassedOn as they came, in their order
// [MQTT5-3.3.2-4] [MQTT5-3.3.2-15] [MQTT5-3.3.2-16] [MQTT5-3.3.2-17]
// [MQTT5-3.3.2-18] [MQTT5-3.3.2-20]; the publisher's alias is its own.
func TestPropertiesOfAMessageArePassedOn(t *testing.T) {
	h := serve(t, broker.Options{})
	sub, pub, old := h.connected5("sub"), h.connected5("pub"), h.connected("old")
	sub.send("8207 0001 00 0001't' 02")
	sub.want("9004 0001 00 02")
	old.subscribe("t", 0)
	const props = "0101 03 0001'j' 08 0001'r' 09 0002 00ff 26 0001'k' 0001'2' 26 0001'a' 0001'1' 26 0001'k' 0001'1'"
	pub.send("302c 0001't' 27 " + props + " 23 0001 'x'")
	sub.want("3029 0001't' 24 " + props + " 'x'")
	pub.send("322e 0001't' 0007 27 " + props + " 23 0001 'y'")
	sub.want("322b 0001't' 0001 24 " + props + " 'y'")
	pub.send("342e 0001't' 0008 27 " + props + " 23 0001 'z'")
	sub.want("342b 0001't' 0002 24 " + props + " 'z'")
	old.want("3004 0001't' 'x' 3004 0001't' 'y' 3004 0001't' 'z'")
}

// TestEveryAliasThatWasOfferedIsTaken [MQTT5-3.3.2-12]; the one above is not
// [MQTT5-3.2.2-17] [MQTT5-3.3.2-9], nor is 0 [MQTT5-3.3.2-8].
func TestEveryAliasThatWasOfferedIsTaken(t *testing.T) {
	h := serve(t, broker.Options{Limits: broker.Limits{TopicAliases: 3}})
	for _, wrong := range []string{"0000", "0004"} {
		p := h.dial()
		p.connect(&packet.Connect{ProtocolName: "MQTT", Version: mqtt.V5, CleanStart: true, ClientID: "a"}, "200e 00 00 0b 21 0400 22 0003 27 00100000")
		p.send("8207 0001 00 0001'#' 00")
		p.want("9004 0001 00 00")
		for alias := 1; alias <= 3; alias++ {
			p.send(fmt.Sprintf("3008 0001'%d' 03 23%04x 'x'", alias, alias))
			p.want(fmt.Sprintf("3005 0001'%d' 00 'x'", alias))
		}
		for alias := 3; alias >= 1; alias-- {
			p.send(fmt.Sprintf("3007 0000 03 23%04x 'y'", alias))
			p.want(fmt.Sprintf("3005 0001'%d' 00 'y'", alias))
		}
		p.send("3008 0001'z' 03 23" + wrong + " 'x'")
		p.want("e001 94")
		p.wantEnd()
	}
}

// TestAPublisherNamesNoSubscription [MQTT5-3.3.4-6], asks for no more than the
// Maximum QoS [MQTT5-3.2.2-11] and sends no AUTH out of nowhere [MQTT5-4.12.0-7].
// Such an error closes the connection [MQTT5-4.13.1-1] [MQTT5-4.13.2-1].
func TestAPublisherNamesNoSubscription(t *testing.T) {
	w := newWitness()
	w.connect = func(*packet.Connect, broker.Origin) (*broker.Grant, error) { return &broker.Grant{MaxQoS: 1}, nil }
	h := serve(t, broker.Options{Rules: w})
	for _, tt := range []struct{ send, want string }{
		{"3007 0001't' 02 0b01 'x'", "e001 82"},
		{"3407 0001't' 0001 00 'x'", "e001 9b"},
		{"f000", "e001 82"},
	} {
		p := h.connected1("a")
		p.send(tt.send)
		p.want(tt.want)
		p.wantEnd()
	}
}

// connected1 connects as MQTT 5.0 where the Maximum QoS is 1 [MQTT5-3.2.2-9].
func (h *house) connected1(id string) *peer {
	p := h.dial()
	p.connect(&packet.Connect{ProtocolName: "MQTT", Version: mqtt.V5, CleanStart: true, ClientID: id}, "2010 00 00 0d 21 0400 22 0010 24 01 27 00100000")
	return p
}

// TestSubscriptionIdentifiers: one message with those of all subscriptions that
// match and have one [MQTT5-3.3.4-3] [MQTT5-3.3.4-4], at the highest QoS [MQTT5-3.3.4-2].
func TestSubscriptionIdentifiers(t *testing.T) {
	h := serve(t, broker.Options{})
	p := h.connected5("a")
	p.send("8209 0001 02 0b07 0001't' 00")
	p.want("9004 0001 00 00")
	p.send("8209 0002 02 0b08 0001'#' 01 8207 0003 00 0001'+' 00")
	p.want("9004 0002 00 01 9004 0003 00 00")
	p.send("3207 0001't' 0001 00 'x'")
	got := p.get(mqtt.V5).(*packet.Publish)
	ids := map[uint32]bool{}
	for _, id := range got.Properties.SubscriptionIDs {
		ids[id] = true
	}
	if got.QoS != 1 || len(got.Properties.SubscriptionIDs) != 2 || !ids[7] || !ids[8] {
		t.Errorf("QoS %d with %v", got.QoS, got.Properties.SubscriptionIDs)
	}
	p.want("4002 0001")
	p.wantSilence()
}

// TestNothingIsSentAgainOnAnOpenConnection [MQTT3-4.4.0-1] [MQTT5-4.4.0-1]
// [MQTT3.1 §4.2], nor
// is the session let go of while it is open, its expiry notwithstanding
// [MQTT3-4.1.0-2] [MQTT5-4.1.0-1].
func TestNothingIsSentAgainOnAnOpenConnection(t *testing.T) {
	for _, v := range every {
		t.Run(v.String(), func(t *testing.T) {
			inLab(t, broker.Options{}, func(l *lab) {
				p := l.dial(&packet.Connect{Version: v, CleanStart: true, ClientID: "a", Properties: &packet.Properties{SessionExpiry: ptr(uint32(1))}})
				p.put(v, &packet.Subscribe{ID: 1, Subscriptions: []packet.Subscription{{Filter: "t", QoS: 2}}})
				p.get(v)
				l.Publish(broker.Message{Topic: "t", Payload: []byte("x"), QoS: 1})
				p.wantPacket(v, &packet.Publish{Topic: []byte("t"), Payload: []byte("x"), QoS: 1, ID: 1})
				time.Sleep(10 * time.Hour)
				p.wantSilence()
				l.Publish(broker.Message{Topic: "t", Payload: []byte("y"), QoS: 2})
				p.wantPacket(v, &packet.Publish{Topic: []byte("t"), Payload: []byte("y"), QoS: 2, ID: 2})
				p.Close()
			})
		})
	}
}

// TestExpiryDoesNotBreakAnExchange: a message once sent is sent again although
// it has expired [MQTT5-4.3.3-7], and one that was taken is released
// [MQTT5-4.3.3-13].
func TestExpiryDoesNotBreakAnExchange(t *testing.T) {
	inLab(t, broker.Options{}, func(l *lab) {
		session := &packet.Connect{Version: mqtt.V5, ClientID: "a", Properties: &packet.Properties{SessionExpiry: ptr(uint32(1000))}}
		p := l.dial(session)
		l.next("connected")
		p.send("8207 0001 00 0001't' 02")
		p.want("9004 0001 00 02")
		l.Publish(broker.Message{Topic: "t", Payload: []byte("x"), QoS: 2, Expiry: time.Now().Add(10 * time.Second)})
		p.want("340c 0001't' 0001 05 02 0000000a 'x'")
		p.Close()
		l.next("closed")
		time.Sleep(time.Minute)
		p = l.dial(session)
		l.next("connected")
		p.want("3c0c 0001't' 0001 05 02 00000000 'x'")
		p.send("5002 0001")
		p.want("6202 0001")
		p.send("7002 0001 340c 0001'u' 0007 05 02 00000001 'y'")
		p.want("5002 0007")
		l.next("publish")
		time.Sleep(time.Minute)
		p.send("6202 0007")
		p.want("7002 0007")
		p.Close()
		synctest.Wait()
	})
}

// TestGrantedKeepAlive: the server's is enforced where it says one
// [MQTT5-3.2.2-21], else the client's [MQTT5-3.2.2-22].
func TestGrantedKeepAlive(t *testing.T) {
	for _, tt := range []struct {
		name    string
		granted uint16
		want    time.Duration
	}{{"the server's", 30, 45 * time.Second}, {"the client's", 0, 90 * time.Second}} {
		t.Run(tt.name, func(t *testing.T) {
			inLab(t, broker.Options{}, func(l *lab) {
				l.w.connect = func(*packet.Connect, broker.Origin) (*broker.Grant, error) {
					return &broker.Grant{MaxQoS: 2, KeepAlive: tt.granted}, nil
				}
				p := l.dial(&packet.Connect{Version: mqtt.V5, CleanStart: true, ClientID: "a", KeepAlive: 60})
				start := time.Now()
				p.want("e001 8d")
				p.wantEnd()
				l.within(time.Since(start), tt.want, tt.want+time.Second)
			})
		})
	}
}

// TestWillIsPublishedOnce, as a retained message or not, as it says, and not
// at all without a Will Flag [MQTT3-3.1.2-12] [MQTT3-3.1.2-16] [MQTT3-3.1.2-17]
// [MQTT5-3.1.2-14] [MQTT5-3.1.2-15] [MQTT5-3.1.2-7] [MQTT5-3.1.2-10] [MQTT3-3.1.2-10].
func TestWillIsPublishedOnce(t *testing.T) {
	for _, v := range every {
		for _, retain := range []bool{false, true} {
			t.Run(fmt.Sprint(v, " retained ", retain), func(t *testing.T) {
				inLab(t, broker.Options{}, func(l *lab) {
					sub := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "sub"})
					sub.subscribe("#", 1)
					connect := &packet.Connect{Version: v, CleanStart: true, ClientID: "a", Will: &packet.Will{Topic: "w", Payload: []byte("x"), QoS: 1, Retain: retain}}
					l.dial(connect).Close()
					sub.want("3206 0001'w' 0001 'x'")
					sub.send("4002 0001 8206 0002 0001'w' 01")
					sub.want("9003 0002 01")
					if retain {
						sub.want("3306 0001'w' 0002 'x'")
						sub.send("4002 0002")
					}
					connect.Will = nil // it is gone with its connection
					l.dial(connect).Close()
					synctest.Wait()
					sub.wantSilence()
					sub.Close()
				})
			})
		}
	}
}
