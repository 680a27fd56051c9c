package broker_test

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// TestWillByEnd: what ends a connection decides about its will
// [MQTT3-3.1.2-8] [MQTT5-3.1.2-8]: anything but a DISCONNECT publishes it.
func TestWillByEnd(t *testing.T) {
	for _, tt := range []struct {
		name string
		v    []mqtt.Version
		keep uint16 // the keep-alive
		end  func(l *lab, p *peer, c *packet.Connect)
		want bool
	}{
		{"the network breaks", every, 0, func(_ *lab, p *peer, _ *packet.Connect) { p.Close() }, true},
		{"DISCONNECT", every, 0, func(_ *lab, p *peer, _ *packet.Connect) { p.send("e000") }, false},
		{"nothing within 1.5 times the keep-alive", every, 10, func(*lab, *peer, *packet.Connect) { time.Sleep(16 * time.Second) }, true},
		{"a malformed packet", every, 0, func(_ *lab, p *peer, _ *packet.Connect) { p.send("0000") }, true},
		{"a DISCONNECT with flags is malformed", every, 0, func(_ *lab, p *peer, _ *packet.Connect) { p.send("e100") }, true},
		{"a newer connection", every, 0, func(l *lab, p *peer, c *packet.Connect) {
			again := *c
			again.Will = nil
			l.dial(&again)
		}, true},
		{"the administrator", every, 0, func(l *lab, p *peer, _ *packet.Connect) { l.Disconnect("a", mqtt.AdministrativeAction) }, true},
		{"5.0: DISCONNECT with a failure", v5, 0, func(_ *lab, p *peer, _ *packet.Connect) { p.send("e001 81") }, true},
	} {
		for _, v := range tt.v {
			t.Run(v.String()+" "+tt.name, func(t *testing.T) {
				inLab(t, broker.Options{}, func(l *lab) {
					sub := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "sub"})
					sub.subscribe("w", 0)
					c := &packet.Connect{Version: v, CleanStart: true, ClientID: "a", KeepAlive: tt.keep, Will: &packet.Will{Topic: "w", Payload: []byte("gone")}}
					p := l.dial(c)
					go io.Copy(io.Discard, p) // what the server still says to it
					tt.end(l, p, c)
					synctest.Wait()
					if tt.want {
						sub.want("3007 0001'w' 'gone'")
					}
					sub.wantSilence()
					sub.Close()
					p.Close()
				})
			})
		}
	}
}

// TestWillOfATakenOverSession: in 5.0 the newer connection goes on with the
// session, and a will that is delayed is not published [MQTT5-3.1.3-9]; one
// that is not delayed is, and so is every one of a session that a clean start
// ends [MQTT5-3.1.2-8].
func TestWillOfATakenOverSession(t *testing.T) {
	for _, tt := range []struct {
		name  string
		delay uint32
		clean bool
		want  bool
	}{
		{"delayed, the session goes on", 30, false, false},
		{"not delayed", 0, false, true},
		{"delayed, a clean start", 30, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inLab(t, broker.Options{}, func(l *lab) {
				sub := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "sub"})
				sub.subscribe("w", 0)
				c := &packet.Connect{Version: mqtt.V5, ClientID: "a", Properties: &packet.Properties{SessionExpiry: ptr(uint32(100))},
					Will: &packet.Will{Topic: "w", Payload: []byte("gone"), Properties: &packet.Properties{WillDelay: &tt.delay}}}
				old := l.dial(c)
				go io.Copy(io.Discard, old)
				again := *c
				again.Will, again.CleanStart = nil, tt.clean
				young := l.dial(&again)
				if tt.want {
					sub.want("3007 0001'w' 'gone'")
				}
				time.Sleep(time.Minute)
				sub.wantSilence()
				sub.Close()
				young.Close()
				old.Close()
			})
		})
	}
}

// TestTheLastWillCounts: one delayed by a broken connection is gone when the
// client comes back with another [MQTT5-3.1.3-9].
func TestTheLastWillCounts(t *testing.T) {
	inLab(t, broker.Options{}, func(l *lab) {
		sub := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "sub"})
		sub.subscribe("w", 0)
		for _, payload := range []string{"1", "2"} {
			l.dial(&packet.Connect{Version: mqtt.V5, ClientID: "a", Properties: &packet.Properties{SessionExpiry: ptr(uint32(100))},
				Will: &packet.Will{Topic: "w", Payload: []byte(payload), Properties: &packet.Properties{WillDelay: ptr(uint32(30))}}}).Close()
			time.Sleep(20 * time.Second)
		}
		time.Sleep(20 * time.Second)
		sub.want("3004 0001'w' '2'")
		time.Sleep(time.Hour)
		sub.wantSilence()
		sub.Close()
	})
}

// TestACancelledWillStaysCancelled: who comes back without a will has none left
// when it goes, however it goes [MQTT5-3.1.3-9] [MQTT5-3.1.2-10].
func TestACancelledWillStaysCancelled(t *testing.T) {
	for _, bye := range []string{"e000", ""} {
		inLab(t, broker.Options{}, func(l *lab) {
			sub := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "sub"})
			sub.subscribe("w", 0)
			c := &packet.Connect{Version: mqtt.V5, ClientID: "a", Properties: &packet.Properties{SessionExpiry: ptr(uint32(100))},
				Will: &packet.Will{Topic: "w", Properties: &packet.Properties{WillDelay: ptr(uint32(30))}}}
			l.dial(c).Close()
			time.Sleep(20 * time.Second)
			again := *c
			again.Will = nil
			p := l.dial(&again)
			p.send(bye)
			p.Close()
			time.Sleep(time.Hour)
			sub.wantSilence()
			sub.Close()
		})
	}
}

// TestWillIsAMessageLikeAnyOther: QoS, retain and all properties of the will are
// those of its message, user properties in their order [MQTT5-3.1.3-10]; the
// delay is not among them.
func TestWillIsAMessageLikeAnyOther(t *testing.T) {
	inLab(t, broker.Options{}, func(l *lab) {
		sub := l.dial(&packet.Connect{Version: mqtt.V5, CleanStart: true, ClientID: "sub"})
		sub.send("8207 0001 00 0001'w' 0a") // Retain As Published
		sub.want("9004 0001 00 02")
		p := l.dial(nil)
		const props = "0101 02 0000003c 03 0001'j' 08 0001'r' 09 0002 00ff 26 0001'k' 0001'2' 26 0001'a' 0001'1' 26 0001'k' 0001'1'"
		p.send(framed(t, "10 : 0004'MQTT' 05 36 0000 00 0001'a' 2e 1800000000 "+props+" 0001'w' 0004'gone'"))
		p.want("200e 00 00 0b 21 0400 22 0010 27 00100000")
		p.Close()
		sub.want(framed(t, "35 : 0001'w' 0001 29 "+props+" 'gone'"))
		sub.Close()
	})
}

// TestNoWillOfARefusedClient: a CONNECT that is not accepted leaves no will
// [MQTT3-3.1.2-8].
func TestNoWillOfARefusedClient(t *testing.T) {
	w := newWitness()
	w.connect = func(c *packet.Connect, _ broker.Origin) (*broker.Grant, error) {
		if c.Will != nil {
			return nil, &broker.Refusal{Reason: mqtt.NotAuthorized}
		}
		return &broker.Grant{MaxQoS: 2}, nil
	}
	h := serve(t, broker.Options{Rules: w})
	sub := h.connected("sub")
	sub.subscribe("#", 0)
	p := h.dial()
	p.connect(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "a", Will: &packet.Will{Topic: "w"}}, "2002 0005")
	p.wantEnd()
	for h.Counters().Connections.Load() > 1 {
	}
	sub.wantSilence()
}
