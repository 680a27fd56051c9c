package broker_test

import (
	"testing"

	"github.com/matou-iot/matou/internal/broker"
)

// TestTopicAliasesTowardsTheClient: the first topics have aliases, as many as
// the client takes [MQTT5-3.1.2-26] [MQTT5-3.3.2-11]; named once, then by number alone
// [MQTT5 §3.3.2.3.4].
func TestTopicAliasesTowardsTheClient(t *testing.T) {
	h := serve(t, broker.Options{})
	p := h.dial()
	p.send("1013 0004'MQTT' 05 02 0000 03 220001 0003'sub'") // Topic Alias Maximum 1
	p.want("200e 00 00 0b 21 0400 22 0010 27 00100000")
	p.send("820b 0001 00 0001'a' 00 0001'b' 01")
	p.want("9005 0001 00 00 01")
	for range 2 {
		h.Publish(broker.Message{Topic: "a", Payload: []byte("x"), QoS: 0})
	}
	p.want("3008 0001'a' 03 230001 'x' 3007 0000 03 230001 'x'")
	h.Publish(broker.Message{Topic: "b", Payload: []byte("y"), QoS: 1})
	p.want("3207 0001'b' 0001 00 'y'") // there is no second alias

	plain := h.connected5("other")
	plain.send("8207 0001 00 0001'a' 00")
	plain.want("9004 0001 00 00")
	h.Publish(broker.Message{Topic: "a", Payload: []byte("x"), QoS: 0})
	plain.want("3005 0001'a' 00 'x'") // it takes none [MQTT5-3.1.2-27]
	p.want("3007 0000 03 230001 'x'")
}

// TestAliasesEndWithTheConnection: a message sent again on the next one names
// its topic anew [MQTT5-3.3.2-7].
func TestAliasesEndWithTheConnection(t *testing.T) {
	h := serve(t, broker.Options{})
	hello := "1018 0004'MQTT' 05 00 0000 08 1100000064 22000a 0003'sub'"
	p := h.dial()
	p.send(hello)
	p.want("200e 00 00 0b 21 0400 22 0010 27 00100000")
	p.send("8207 0001 00 0001'a' 01")
	p.want("9004 0001 00 01")
	h.Publish(broker.Message{Topic: "a", Payload: []byte("x"), QoS: 1})
	p.want("320a 0001'a' 0001 03 230001 'x'")
	p.Close()
	p = h.dial()
	p.send(hello)
	p.want("200e 01 00 0b 21 0400 22 0010 27 00100000")
	p.want("3a0a 0001'a' 0001 03 230001 'x'")
}

// TestThePublishersAliasIsItsOwn: a message that waits does not carry it to
// its receivers [MQTT5-3.3.2-7].
func TestThePublishersAliasIsItsOwn(t *testing.T) {
	h := serve(t, broker.Options{})
	hello := "1018 0004'MQTT' 05 00 0000 08 1100000064 22000a 0003'sub'"
	sub := h.dial()
	sub.send(hello)
	sub.want("200e 00 00 0b 21 0400 22 0010 27 00100000")
	sub.send("8209 0001 02 0b05 0001'a' 01 e000") // with an identifier: no two receivers share its packets
	sub.want("9004 0001 00 01")
	sub.wantEnd()
	pub := h.connected5("pub")
	pub.send("320a 0001'a' 0007 03 230001 'x'")
	pub.want("4002 0007")
	plain := h.dial()
	plain.send("1015 0004'MQTT' 05 00 0000 05 1100000064 0003'sub'")
	plain.want("200e 01 00 0b 21 0400 22 0010 27 00100000")
	plain.want("3209 0001'a' 0001 02 0b05 'x'")
}
