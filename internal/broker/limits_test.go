package broker_test

import (
	"sync/atomic"
	"testing"
	"time"

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

func TestWhatWasLimitedIsCounted(t *testing.T) {
	w := newWitness()
	w.sub = func(_ *broker.Client, s packet.Subscription) mqtt.ReasonCode {
		if s.Filter == "forbidden" {
			return mqtt.NotAuthorized
		}
		return mqtt.ReasonCode(s.QoS)
	}
	w.connect = func(c *packet.Connect, _ broker.Origin) (*broker.Grant, error) {
		if c.ClientID == "often" {
			return nil, &broker.Refusal{Reason: mqtt.ConnectionRateExceeded}
		}
		return &broker.Grant{MaxQoS: mqtt.ExactlyOnce}, nil
	}
	h := serve(t, broker.Options{Rules: w, Limits: broker.Limits{
		PacketSize: 2_000, ConnectSize: 2_000, TopicLength: 10, TopicLevels: 3, ReceiveMaximum: 1, TopicAliases: 2, Subscriptions: 1,
	}})
	c := h.Counters()
	for _, tt := range []struct {
		name    string
		send    packet.Packet
		counter *atomic.Int64
	}{
		{"a packet", &packet.Publish{Topic: []byte("t"), Payload: make([]byte, 2_000)}, &c.FaultsPacketSize},
		{"the length of a topic", &packet.Publish{Topic: []byte("01234567890")}, &c.FaultsTopic},
		{"the levels of a topic", &packet.Publish{Topic: []byte("a/b/c/d")}, &c.FaultsTopic},
		{"a topic alias", &packet.Publish{Topic: []byte("t"), Properties: &packet.Properties{TopicAlias: new(uint16(3))}}, &c.FaultsTopicAlias},
		{"anything else", &packet.Auth{}, &c.FaultsOther},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, _ := h.connackOf("dev")
			faults, before, ended := c.Faults.Load(), tt.counter.Load(), c.Ended[broker.Faulted].Load()
			p.put(mqtt.V5, tt.send)
			p.get(mqtt.V5)
			p.wantEnd()
			w.next(t, "connected")
			w.next(t, "faulty")
			w.next(t, "closed")
			if c.Faults.Load() != faults+1 || tt.counter.Load() != before+1 || c.Ended[broker.Faulted].Load() != ended+1 {
				t.Errorf("%d faults, %d of this kind, %d connections ended by one", c.Faults.Load()-faults, tt.counter.Load()-before, c.Ended[broker.Faulted].Load()-ended)
			}
		})
	}
	t.Run("messages in flight", func(t *testing.T) {
		p, _ := h.connackOf("dev")
		w.next(t, "connected")
		for id := range uint16(2) {
			p.put(mqtt.V5, &packet.Publish{Topic: []byte("t"), QoS: 2, ID: id + 1})
		}
		p.want("5002 0001" + "e001 93")
		p.wantEnd()
		w.next(t, "publish")
		w.next(t, "faulty")
		w.next(t, "closed")
		if n := c.FaultsReceiveMaximum.Load(); n != 1 {
			t.Errorf("%d counted", n)
		}
	})
	t.Run("subscriptions", func(t *testing.T) {
		p, _ := h.connackOf("dev")
		p.put(mqtt.V5, &packet.Subscribe{ID: 1, Subscriptions: []packet.Subscription{
			{Filter: "a"}, {Filter: "b"}, {Filter: "a/b/c/d"}, {Filter: "01234567890"}, {Filter: "forbidden"},
		}})
		p.want("9008 0001 00 00 97 8f 8f 87")
		if a, b, o := c.UnsubscribedLimit.Load(), c.UnsubscribedFilter.Load(), c.UnsubscribedOther.Load(); a != 1 || b != 2 || o != 1 {
			t.Errorf("%d by the limit, %d by the filter, %d others", a, b, o)
		}
		p.put(mqtt.V5, &packet.Disconnect{})
		p.wantEnd()
		w.next(t, "connected")
		w.next(t, "closed")
		if n := c.Ended[broker.Disconnected].Load(); n != 1 {
			t.Errorf("%d disconnected", n)
		}
	})
	t.Run("logins", func(t *testing.T) {
		p := h.dial()
		p.put(mqtt.V5, &packet.Connect{ProtocolName: "MQTT", Version: mqtt.V5, CleanStart: true, ClientID: "often"})
		p.want("2003 00 9f 00")
		p.wantEnd()
		if c.Throttled.Load() != 1 || c.Refused.Load() != 1 {
			t.Errorf("%d throttled of %d refused", c.Throttled.Load(), c.Refused.Load())
		}
	})
}

func TestWhatIsNoConnectIsCounted(t *testing.T) {
	w := newWitness()
	h := serve(t, broker.Options{Rules: w, Limits: broker.Limits{ConnectTimeout: 200 * time.Millisecond}})
	for _, bytes := range []string{"10", "c000"} { // half of one, and something else
		p := h.dial()
		p.send(bytes)
		p.wantEnd()
		w.next(t, "rejected")
	}
	c := h.Counters()
	if late, other, all := c.RejectedLate.Load(), c.RejectedPacket.Load(), c.Rejected.Load(); late != 1 || other != 1 || all != 2 {
		t.Errorf("%d late, %d of another form, %d in all", late, other, all)
	}
}
