package broker_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// away makes a session that is not clean, subscribed to "q/#" with QoS 2,
// whose client is gone.
func (h *house) away(w *witness, id string) {
	h.t.Helper()
	p := h.durable(id, false)
	p.subscribe("q/#", 2)
	p.send("e000")
	p.wantEnd()
	w.next(h.t, "connected")
	w.next(h.t, "closed")
}

func TestMessagesWaitForTheAbsent(t *testing.T) { // [MQTT3-3.1.2-5] [MQTT3-4.1.0-1] [MQTT3-4.5.0-1]
	w := newWitness()
	h := serve(t, broker.Options{Rules: w})
	h.away(w, "dev1")
	pub := h.connected("pub")
	pub.send("3008 0003'q/a' '000' 3209 0003'q/a' 0001 'b1' 3409 0003'q/a' 0002 'c2' 3209 0003'q/a' 0003 'd1'")
	pub.want("4002 0001 5002 0002 4002 0003")
	if n := h.Counters().Queued.Load(); n != 3 {
		t.Errorf("%d messages wait, want 3: QoS 0 is not kept", n)
	}
	p := h.durable("dev1", true)
	p.want("3209 0003'q/a' 0001 'b1' 3409 0003'q/a' 0002 'c2' 3209 0003'q/a' 0003 'd1'")
	p.wantSilence()
	if n := h.Counters().Queued.Load(); n != 0 {
		t.Errorf("%d messages wait after they were sent", n)
	}
}

func TestUnacknowledgedMessagesComeAgain(t *testing.T) { // [MQTT3-4.4.0-1]
	w := newWitness()
	h := serve(t, broker.Options{Rules: w})
	h.away(w, "dev1")
	for _, m := range []broker.Message{{Topic: "q/a", Payload: []byte("1"), QoS: 1}, {Topic: "q/b", Payload: []byte("2"), QoS: 2}, {Topic: "q/c", Payload: []byte("3"), QoS: 2}} {
		h.Publish(m)
	}
	p := h.durable("dev1", true)
	p.want("3208 0003'q/a' 0001 '1' 3408 0003'q/b' 0002 '2' 3408 0003'q/c' 0003 '3'")
	p.send("5002 0003")
	p.want("6202 0003")
	p.Close()
	w.next(t, "connected")
	w.next(t, "closed")
	p = h.durable("dev1", true)
	p.want("3a08 0003'q/a' 0001 '1' 3c08 0003'q/b' 0002 '2' 6202 0003")
	p.send("4002 0001 5002 0002 7002 0003")
	p.want("6202 0002")
	p.send("7002 0002")
	p.wantSilence()
}

// TestReceiveMaximumHoldsBack: no more than it are under way, and PINGREQ is
// answered meanwhile [MQTT5-3.3.4-9] [MQTT5-3.3.4-10] [MQTT5-4.9.0-1]
// [MQTT5-4.9.0-2] [MQTT5-4.9.0-3].
func TestReceiveMaximumHoldsBack(t *testing.T) {
	h := serve(t, broker.Options{})
	p := h.dial()
	p.put(mqtt.V5, &packet.Connect{ProtocolName: "MQTT", Version: mqtt.V5, CleanStart: true, ClientID: "dev1", Properties: &packet.Properties{ReceiveMaximum: ptr(uint16(2))}})
	p.get(mqtt.V5)
	p.send("8207 0001 00 0001't' 01")
	p.get(mqtt.V5)
	for i := range 4 {
		want := broker.Delivered
		if i >= 2 {
			want = broker.Queued
		}
		if o := h.Send("dev1", broker.Message{Topic: "t", Payload: fmt.Append(nil, i), QoS: 1}, broker.Unasked); o != want {
			t.Errorf("message %d: %v, want %v", i, o, want)
		}
	}
	p.want("3207 0001't' 0001 00 '0' 3207 0001't' 0002 00 '1'")
	p.wantSilence()
	p.send("4002 0001")
	p.want("3207 0001't' 0003 00 '2'")
	p.wantSilence()
	p.send("4002 0002 4002 0003")
	p.want("3207 0001't' 0004 00 '3'")
}

func TestQueueIsBounded(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits broker.Limits
		want   int64
	}{
		{"by count", broker.Limits{QueueCount: 3}, 3},
		{"by bytes", broker.Limits{QueueBytes: 2_500}, 2},
		{"by the sum of all", broker.Limits{QueueTotal: 2_500}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWitness()
			h := serve(t, broker.Options{Rules: w, Limits: tt.limits})
			h.away(w, "dev1")
			for i := range 5 {
				want := broker.Queued
				if int64(i) >= tt.want {
					want = broker.QueueFull
				}
				if o := h.Send("dev1", broker.Message{Topic: "q/a", Payload: make([]byte, 1000), QoS: 1}, broker.Unasked); o != want {
					t.Errorf("message %d: %v, want %v", i, o, want)
				}
			}
			if c := h.Counters(); c.Queued.Load() != tt.want || c.DroppedQueueFull.Load() != 5-tt.want {
				t.Errorf("%d wait, %d were dropped", c.Queued.Load(), c.DroppedQueueFull.Load())
			}
		})
	}
}

func TestExpiredMessagesAreNotDelivered(t *testing.T) { // [MQTT5-3.3.2-5] [MQTT5-3.3.2-6]
	w := newWitness()
	h := serve(t, broker.Options{Rules: w})
	p := h.dial()
	session := &packet.Connect{ProtocolName: "MQTT", Version: mqtt.V5, ClientID: "dev1", Properties: &packet.Properties{SessionExpiry: ptr(uint32(100))}}
	p.put(mqtt.V5, session)
	p.get(mqtt.V5)
	p.send("e000")
	p.wantEnd()
	w.next(t, "connected")
	w.next(t, "closed")
	past, future := time.Now().Add(-time.Second), time.Now().Add(1000*time.Second)
	h.Send("dev1", broker.Message{Topic: "a", QoS: 1, Expiry: past}, broker.Unasked)
	h.Send("dev1", broker.Message{Topic: "b", QoS: 1, Expiry: future}, broker.Unasked)
	p = h.dial()
	p.put(mqtt.V5, session)
	p.get(mqtt.V5)
	got := p.get(mqtt.V5).(*packet.Publish)
	if string(got.Topic) != "b" || got.Properties == nil || *got.Properties.MessageExpiry > 1000 || *got.Properties.MessageExpiry < 900 {
		t.Errorf("got %s with %+v", got.Topic, got.Properties)
	}
	if n := h.Counters().DroppedExpired.Load(); n != 1 {
		t.Errorf("%d expired", n)
	}
}

func TestMaximumPacketSizeOfTheClient(t *testing.T) { // [MQTT5-3.1.2-24] [MQTT5-3.1.2-25]
	h := serve(t, broker.Options{})
	p := h.dial()
	p.put(mqtt.V5, &packet.Connect{ProtocolName: "MQTT", Version: mqtt.V5, CleanStart: true, ClientID: "dev1", Properties: &packet.Properties{MaximumPacketSize: ptr(uint32(20))}})
	p.get(mqtt.V5)
	big := []byte(strings.Repeat("x", 30))
	for qos := range mqtt.QoS(3) {
		if o := h.Send("dev1", broker.Message{Topic: "t", Payload: big, QoS: qos}, broker.Unasked); o != broker.TooLarge {
			t.Errorf("QoS %d: %v", qos, o)
		}
	}
	h.Send("dev1", broker.Message{Topic: "t", Payload: []byte("ok"), QoS: 1}, broker.Unasked)
	if got := p.get(mqtt.V5).(*packet.Publish); string(got.Payload) != "ok" {
		t.Errorf("got %d bytes", len(got.Payload))
	}
	if n := h.Counters().DroppedTooLarge.Load(); n != 3 {
		t.Errorf("%d too large", n)
	}
}

func TestSend(t *testing.T) {
	m := func(qos mqtt.QoS) broker.Message {
		return broker.Message{Topic: "q/a", Payload: []byte("hi"), QoS: qos}
	}
	for _, tt := range []struct {
		name   string
		filter string // what the client subscribes to, "" for nothing
		qos    mqtt.QoS
		gone   bool
		clean  bool
		how    broker.Delivery
		m      broker.Message
		want   broker.Outcome
		wire   string
	}{
		{"unasked, never subscribed", "", 0, false, true, broker.Unasked, m(1), broker.Delivered, "3209 0003'q/a' 0001 'hi'"},
		{"unasked and subscribed: once", "q/+", 0, false, true, broker.Unasked, m(0), broker.Delivered, "3007 0003'q/a' 'hi'"},
		{"unasked: the QoS it was published with", "q/+", 0, false, true, broker.Unasked, m(1), broker.Delivered, "3209 0003'q/a' 0001 'hi'"},
		{"if subscribed: it is", "q/#", 1, false, true, broker.IfSubscribed, m(2), broker.Delivered, "3209 0003'q/a' 0001 'hi'"},
		{"if subscribed: it is not", "q/b", 1, false, true, broker.IfSubscribed, m(1), broker.NotSubscribed, ""},
		{"away: QoS 0 is not kept", "q/#", 1, true, false, broker.Unasked, m(0), broker.Offline, ""},
		{"away: QoS 1 is kept", "", 1, true, false, broker.Unasked, m(1), broker.Queued, "3209 0003'q/a' 0001 'hi'"},
		{"away with a clean session", "", 1, true, true, broker.Unasked, m(1), broker.NoSession, ""},
		{"away: not subscribed", "", 1, true, false, broker.IfSubscribed, m(1), broker.NotSubscribed, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWitness()
			h := serve(t, broker.Options{Rules: w})
			dial := func(present bool) *peer {
				if tt.clean {
					return h.connected("dev1")
				}
				return h.durable("dev1", present)
			}
			p := dial(false)
			if tt.filter != "" {
				p.subscribe(tt.filter, tt.qos)
			}
			w.next(t, "connected")
			if tt.gone {
				p.send("e000")
				p.wantEnd()
				w.next(t, "closed")
				if tt.clean { // the session ends right after Closed
					for h.Counters().Sessions.Load() > 0 {
					}
				}
			}
			if o := h.Send("dev1", tt.m, tt.how); o != tt.want {
				t.Errorf("%v, want %v", o, tt.want)
			}
			if tt.gone {
				p = dial(true)
			}
			p.want(tt.wire)
			p.wantSilence()
		})
	}
}

func TestSlowReaderDelaysNobody(t *testing.T) {
	h := serve(t, broker.Options{Limits: broker.Limits{OutBuffer: 64 << 10, QueueCount: 100_000, QueueBytes: 1 << 30}})
	slow := h.connected("slow")
	slow.subscribe("t/#", 1)
	quick := h.connected("quick")
	quick.subscribe("t/0", 0)
	pub := h.connected("pub")
	big := []byte(strings.Repeat("x", 10_000))
	c := h.Counters()
	for i := 0; c.DroppedSlow.Load() == 0; i++ {
		pub.put(mqtt.V311, &packet.Publish{Topic: []byte("t/0"), Payload: big})
		if got := quick.get(mqtt.V311).(*packet.Publish); len(got.Payload) != len(big) {
			t.Fatalf("message %d: %d bytes", i, len(got.Payload))
		}
		if i > 100_000 {
			t.Fatal("1 GB for somebody who does not read")
		}
	}
	// QoS 1 is not dropped: it waits.
	for i := range 10 {
		if o := h.Send("slow", broker.Message{Topic: "t/1", Payload: []byte{byte('0' + i)}, QoS: 1}, broker.Unasked); o != broker.Queued {
			t.Errorf("message %d: %v, want queued", i, o)
		}
	}
	for next := 0; next < 10; {
		p := slow.get(mqtt.V311).(*packet.Publish)
		if p.QoS == 0 {
			continue
		}
		if string(p.Payload) != fmt.Sprint(next) {
			t.Fatalf("got %s, want %d", p.Payload, next)
		}
		next++
		slow.put(mqtt.V311, &packet.Puback{ID: p.ID})
	}
}

func TestWhoTakesNothingIsDisconnected(t *testing.T) {
	w := newWitness()
	h := serve(t, broker.Options{Rules: w, Limits: broker.Limits{StallTimeout: 50 * time.Millisecond}})
	h.connected("slow")
	w.next(t, "connected")
	for h.Online("slow") {
		h.Send("slow", broker.Message{Topic: "t", Payload: make([]byte, 100_000)}, broker.Unasked)
	}
	if e := w.next(t, "closed"); e.cause != broker.TooSlow {
		t.Errorf("closed because %v", e.cause)
	}
}

func TestLimitsOfConnections(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits broker.Limits
	}{
		{"of all", broker.Limits{Connections: 2}},
		{"of one address", broker.Limits{ConnectionsPerAddress: 2}},
		{"of one address by rate", broker.Limits{ConnectRatePerAddress: 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := serve(t, broker.Options{Limits: tt.limits})
			a, b := h.connected("a"), h.connected("b")
			h.dial().wantEnd()
			a.wantSilence()
			b.wantSilence()
			if n := h.Counters().Shed.Load(); n != 1 {
				t.Errorf("%d shed", n)
			}
		})
	}
	t.Run("a place becomes free", func(t *testing.T) {
		h := serve(t, broker.Options{Limits: broker.Limits{ConnectionsPerAddress: 1}})
		p := h.connected("a")
		p.send("e000")
		p.wantEnd()
		for h.Counters().Connections.Load() > 0 {
		}
		h.connected("a")
	})
}

func TestRetainedLimits(t *testing.T) {
	h := serve(t, broker.Options{Limits: broker.Limits{RetainedCount: 2}})
	for _, topic := range []string{"a", "b", "c", "a"} {
		h.Publish(broker.Message{Topic: topic, Payload: []byte("x"), Retain: true})
	}
	if c := h.Counters(); c.Retained.Load() != 2 || c.DroppedRetained.Load() != 1 {
		t.Errorf("%d retained, %d not", c.Retained.Load(), c.DroppedRetained.Load())
	}
	h.Publish(broker.Message{Topic: "a", Retain: true})
	if c := h.Counters(); c.Retained.Load() != 1 {
		t.Errorf("%d retained after one was removed", c.Retained.Load())
	}
}

func TestRetainedAreMoreThanTheOutBufferTakes(t *testing.T) {
	h := serve(t, broker.Options{Limits: broker.Limits{OutBuffer: 2_000}})
	for i := range 200 {
		h.Publish(broker.Message{Topic: fmt.Sprint("r/", i), Payload: make([]byte, 1000), Retain: true})
	}
	p := h.connected("dev1")
	p.subscribe("r/#", 0)
	seen := map[string]bool{}
	for range 200 {
		seen[string(p.get(mqtt.V311).(*packet.Publish).Topic)] = true
	}
	if len(seen) != 200 {
		t.Errorf("%d of 200 topics", len(seen))
	}
}
