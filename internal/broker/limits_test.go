package broker_test

import (
	"testing"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// connackOf connects as 5.0 and returns what the client is told.
func (h *house) connackOf(id string) (*peer, *packet.Properties) {
	h.t.Helper()
	p := h.dial()
	p.put(mqtt.V5, &packet.Connect{ProtocolName: "MQTT", Version: mqtt.V5, CleanStart: true, ClientID: id})
	return p, p.get(mqtt.V5).(*packet.Connack).Properties
}

func TestAClientIsHeldToWhatItWasTold(t *testing.T) { // [MQTT5-3.2.2-15]
	h := serve(t, broker.Options{Limits: broker.Limits{PacketSize: 4_000, ReceiveMaximum: 20, TopicLength: 50}})
	old, told := h.connackOf("old")
	if *told.MaximumPacketSize != 4_000 || *told.ReceiveMaximum != 20 {
		t.Fatalf("told %d bytes, %d in flight", *told.MaximumPacketSize, *told.ReceiveMaximum)
	}
	h.SetLimits(broker.Limits{PacketSize: 2_000, ReceiveMaximum: 10, TopicLength: 50})
	if l := h.Limits(); l.PacketSize != 2_000 || l.TopicLevels != 128 {
		t.Errorf("limits in force: %+v", l)
	}
	fresh, told := h.connackOf("new")
	if *told.MaximumPacketSize != 2_000 || *told.ReceiveMaximum != 10 {
		t.Errorf("after the change: told %d bytes, %d in flight", *told.MaximumPacketSize, *told.ReceiveMaximum)
	}
	large := &packet.Publish{Topic: []byte("t"), Payload: make([]byte, 3_000)}
	old.put(mqtt.V5, large)
	old.wantSilence()
	fresh.put(mqtt.V5, large)
	fresh.want("e001 95") // Packet too large
	fresh.wantEnd()
}

func TestLimitsOfTheHouseChangeAtOnce(t *testing.T) {
	h := serve(t, broker.Options{Limits: broker.Limits{Connections: 1}})
	old := h.connected("old")
	h.dial().wantEnd()
	h.SetLimits(broker.Limits{Connections: 3, Subscriptions: 1, ConnectionsPerAddress: 1})
	old.subscribe("a", 0)
	old.put(mqtt.V311, &packet.Subscribe{ID: 2, Subscriptions: []packet.Subscription{{Filter: "b"}}})
	old.want("9003 0002 80")
	counted := h.connected("counted") // the old one was not: there was no limit of addresses
	h.dial().wantEnd()
	h.SetLimits(broker.Limits{}) // leaving what was counted under another rule does no harm
	counted.send("e000")
	counted.wantEnd()
	h.connected("new")
	old.wantSilence()
	if c := h.Counters(); c.Shed.Load() != 2 || c.ShedConnections.Load() != 1 || c.ShedPerAddress.Load() != 1 {
		t.Errorf("%d shed: %d by all, %d by address", c.Shed.Load(), c.ShedConnections.Load(), c.ShedPerAddress.Load())
	}
}
