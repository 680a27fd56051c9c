package broker_test

import (
	"testing"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// connected31 dials and connects as MQTT 3.1 with a clean session.
func (h *house) connected31(id string) *peer {
	h.t.Helper()
	p := h.dial()
	p.connect(&packet.Connect{Version: mqtt.V31, CleanStart: true, ClientID: id}, "2002 0000")
	return p
}

// TestConnecting31: what a CONNECT of protocol level 3 may say and 3.1.1 may
// not, or the other way round [MQTT3.1 §3.1].
func TestConnecting31(t *testing.T) {
	for _, tt := range []struct {
		name    string
		connect string // flags, keep-alive and payload behind MQIsdp, level 3
		want    string
		end     bool
	}{
		{"a clean session", "02 003c 0004'dev1'", "2002 0000", false},
		{"23 characters are an identifier", "02 003c 0017'0123456789ABCDEFGHIJxyz'", "2002 0000", false},
		{"24 are one here: those of the vendors are longer", "02 003c 0018'0123456789ABCDEFGHIJwxyz'", "2002 0000", false},
		{"an empty one is refused", "00 003c 0000", "2002 0002", true},
		{"also with a clean session, other than in 3.1.1", "02 003c 0000", "2002 0002", true},
		{"the lowest flag is not used and not looked at", "03 003c 0004'dev1'", "2002 0000", false},
		{"will QoS and retain without a will are not looked at", "2a 003c 0004'dev1'", "2002 0000", false},
		{"a user name flag without one: the remaining length counts", "82 003c 0004'dev1'", "2002 0000", false},
		{"a password flag without one: the remaining length counts", "c2 003c 0004'dev1' 0001'u'", "2002 0000", false},
		{"a password without a user name is not valid", "42 003c 0004'dev1' 0001'p'", "", true},
		{"will QoS 3 does not exist", "1e 003c 0004'dev1' 0001'w' 0000", "", true},
		{"a will without its message", "06 003c 0004'dev1' 0001'w'", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := serve(t, broker.Options{}).dial()
			p.send(framed(t, "10 : 0006'MQIsdp' 03 "+tt.connect))
			p.want(tt.want)
			if tt.end {
				p.wantEnd()
				return
			}
			p.wantSilence()
		})
	}
}

// TestNameAndLevelOf31 go together [MQTT3.1 §3.1].
func TestNameAndLevelOf31(t *testing.T) {
	for _, connect := range []string{"0006'MQIsdp' 04", "0006'MQIsdp' 05", "0004'MQTT' 03", "0006'MQISDP' 03", "0006'MQIsdp' 83"} {
		p := serve(t, broker.Options{}).dial()
		p.send(framed(t, "10 : "+connect+" 02 003c 0004'dev1'"))
		want := "2002 0001"
		if connect[len(connect)-1] == '5' {
			want = "2003 0084 00"
		}
		p.want(want)
		p.wantEnd()
	}
}

// TestLoginFlagsOf31: a flag of 3.1 whose field is missing says nothing: Rules
// see no user name and no password [MQTT3.1 §3.1].
func TestLoginFlagsOf31(t *testing.T) {
	w := newWitness()
	var got packet.Connect
	w.connect = func(c *packet.Connect, _ broker.Origin) (*broker.Grant, error) {
		got = *c
		return nil, &broker.Refusal{Reason: mqtt.BadUserNameOrPassword}
	}
	p := serve(t, broker.Options{Rules: w}).dial()
	p.send("1012 0006'MQIsdp' 03 c2 003c 0004'dev1'")
	p.want("2002 0004")
	p.wantEnd()
	if got.HasUsername || got.HasPassword || got.Username != "" || got.Password != nil || got.Version != mqtt.V31 {
		t.Errorf("Rules were asked about %+v", got)
	}
}

// TestSessionPresentIsNotSaidIn31: the byte is reserved in 3.1 [MQTT3.1 §3.2],
// and 0 although the session goes on.
func TestSessionPresentIsNotSaidIn31(t *testing.T) {
	w := newWitness()
	h := serve(t, broker.Options{Rules: w})
	keep := &packet.Connect{Version: mqtt.V31, ClientID: "a"}
	p := h.dial()
	p.connect(keep, "2002 0000")
	w.next(t, "connected")
	p.send("8206 0001 0001't' 01")
	p.want("9003 0001 01")
	p.send("e000")
	p.wantEnd()
	w.next(t, "closed")
	if n := h.Publish(broker.Message{Topic: "t", Payload: []byte("x"), QoS: 1}); n != 1 {
		t.Errorf("Publish reached %d sessions", n)
	}
	p = h.dial()
	p.connect(keep, "2002 0000 3206 0001't' 0001 'x'")
}

// TestRepeatedPacketsOf31: SUBSCRIBE [MQTT3.1 §3.8], UNSUBSCRIBE
// [MQTT3.1 §3.10] and PUBREL [MQTT3.1 §3.6] are of QoS 1 in 3.1: repeated, they
// carry DUP and are answered again.
func TestRepeatedPacketsOf31(t *testing.T) {
	p := serve(t, broker.Options{}).connected31("a")
	p.send("8206 0001 0001't' 01 8a06 0001 0001't' 01")
	p.want("9003 0001 01 9003 0001 01")
	p.send("3406 0001'u' 0007 'x' 6202 0007 6a02 0007")
	p.want("5002 0007 7002 0007 7002 0007")
	p.send("a205 0002 0001't' aa05 0002 0001't'")
	p.want("b002 0002 b002 0002")
	p.wantSilence()
}

// TestReservedBitsOfARequestedQoSIn31 are not used and not looked at
// [MQTT3.1 §3.8].
func TestReservedBitsOfARequestedQoSIn31(t *testing.T) {
	p := serve(t, broker.Options{}).connected31("a")
	p.send("820a 0001 0001't' fd 0001'u' 80")
	p.want("9004 0001 01 00")
}

// TestFailedSubscriptionIn31: 3.1 has no code for it [MQTT3.1 §3.9]. It gets
// 3.1.1's, for any other would be a lie.
func TestFailedSubscriptionIn31(t *testing.T) {
	p := serve(t, broker.Options{}).connected31("a")
	p.send("820b 0001 0002'a#' 00 0001't' 01")
	p.want("9004 0001 80 01")
}
