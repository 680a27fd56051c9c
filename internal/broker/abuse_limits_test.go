package broker_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// bystander connects somebody who has nothing to do with it, and returns what
// shows that he was not disturbed.
func (h *house) bystander() (undisturbed func()) {
	h.t.Helper()
	p := h.connected("bystander")
	p.subscribe("bystander/#", 1)
	id := 0
	return func() {
		h.t.Helper()
		id++
		p.put(mqtt.V311, &packet.Publish{Topic: []byte("bystander/1"), Payload: []byte("x"), QoS: 1, ID: 7})
		p.want(fmt.Sprintf("3210 000b'bystander/1' %04x 'x' 4002 0007", id))
		p.send(fmt.Sprintf("4002 %04x", id))
		p.wantSilence()
	}
}

// TestAtTheBoundAndBeyond: the last that fits is taken, the first that does not
// has the answer that Limits promise, nobody else is disturbed.
func TestAtTheBoundAndBeyond(t *testing.T) {
	limits := broker.Limits{PacketSize: 2000, ConnectSize: 1000, TopicLength: 100, TopicLevels: 10}
	topic := func(n int) string { return strings.Repeat("t", n) }
	levels := func(n int) string { return strings.Repeat("a/", n-1) + "a" }
	publish := func(size int) *packet.Publish { // of size bytes in 5.0
		return &packet.Publish{Topic: []byte("t"), Payload: make([]byte, size-3-3-1)}
	}
	connect := func(size int) *packet.Connect { // likewise
		return &packet.Connect{ProtocolName: "MQTT", Version: mqtt.V5, CleanStart: true, ClientID: topic(size - 3 - 10 - 1 - 2)}
	}
	will := func(topic string) *packet.Connect {
		return &packet.Connect{ProtocolName: "MQTT", Version: mqtt.V5, CleanStart: true, ClientID: "c", Will: &packet.Will{Topic: topic, Payload: []byte("x")}}
	}
	subscribe := func(filter string) *packet.Subscribe {
		return &packet.Subscribe{ID: 1, Subscriptions: []packet.Subscription{{Filter: filter}}}
	}
	for _, tt := range []struct {
		name      string
		last      packet.Packet
		beyond    packet.Packet
		reason    mqtt.ReasonCode
		ends      bool
		faults    int64 // counted
		rejected  int64
		isConnect bool
	}{
		{"packet size", publish(2000), publish(2001), mqtt.PacketTooLarge, true, 1, 0, false},
		{"length of a topic name", &packet.Publish{Topic: []byte(topic(100))}, &packet.Publish{Topic: []byte(topic(101))}, mqtt.TopicNameInvalid, true, 1, 0, false},
		{"levels of a topic name", &packet.Publish{Topic: []byte(levels(10))}, &packet.Publish{Topic: []byte(levels(11))}, mqtt.TopicNameInvalid, true, 1, 0, false},
		{"length of a filter", subscribe(topic(100)), subscribe(topic(101)), mqtt.TopicFilterInvalid, false, 0, 0, false},
		{"levels of a filter", subscribe(levels(10)), subscribe(levels(11)), mqtt.TopicFilterInvalid, false, 0, 0, false},
		{"levels of a filter with wildcards", subscribe(levels(9) + "/#"), subscribe(levels(10) + "/#"), mqtt.TopicFilterInvalid, false, 0, 0, false},
		{"length of a will's topic", will(topic(100)), will(topic(101)), mqtt.TopicNameInvalid, true, 0, 1, true},
		{"levels of a will's topic", will(levels(10)), will(levels(11)), mqtt.TopicNameInvalid, true, 0, 1, true},
		{"size of a CONNECT", connect(1000), connect(1001), 0, true, 0, 1, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := serve(t, broker.Options{Limits: limits})
			undisturbed := h.bystander()
			for _, last := range []bool{true, false} {
				p, beyond := h.dial(), tt.beyond
				if last {
					beyond = tt.last
				}
				if !tt.isConnect {
					p.put(mqtt.V5, &packet.Connect{ProtocolName: "MQTT", Version: mqtt.V5, CleanStart: true, ClientID: "a"})
					p.get(mqtt.V5)
				}
				p.put(mqtt.V5, beyond)
				switch {
				case last && tt.isConnect:
					if a := p.get(mqtt.V5).(*packet.Connack); a.Reason != 0 {
						t.Errorf("CONNACK %v at the bound", a.Reason)
					}
				case last && beyond.Type() == packet.TypeSubscribe:
					if a := p.get(mqtt.V5).(*packet.Suback); a.Reasons[0] != 0 {
						t.Errorf("SUBACK %v at the bound", a.Reasons)
					}
				case last: // QoS 0 has no answer
				case tt.isConnect && tt.reason == 0: // not even a version is known
				case tt.isConnect:
					if a := p.get(mqtt.V5).(*packet.Connack); a.Reason != tt.reason {
						t.Errorf("CONNACK %v", a.Reason)
					}
				case tt.ends:
					if d, ok := p.get(mqtt.V5).(*packet.Disconnect); !ok || d.Reason != tt.reason {
						t.Errorf("%+v", d)
					}
				default:
					if a := p.get(mqtt.V5).(*packet.Suback); a.Reasons[0] != tt.reason {
						t.Errorf("SUBACK %v", a.Reasons)
					}
				}
				if last || !tt.ends {
					p.wantSilence()
				} else {
					p.wantEnd()
				}
			}
			if c := h.Counters(); c.Faults.Load() != tt.faults || c.Rejected.Load() != tt.rejected {
				t.Errorf("%d faults and %d rejected are counted", c.Faults.Load(), c.Rejected.Load())
			}
			undisturbed()
		})
	}
}

func TestSubscriptionsOfASessionAreBounded(t *testing.T) {
	h := serve(t, broker.Options{Limits: broker.Limits{Subscriptions: 3}})
	undisturbed := h.bystander()
	p, old := h.connected5("a"), h.connected("b")
	p.send("820f 0001 00 0001'1' 00 0001'2' 00 0001'3' 00")
	p.want("9006 0001 00 00 00 00")
	old.send("820e 0001 0001'1' 00 0001'2' 00 0001'3' 00")
	old.want("9005 0001 00 00 00")
	p.send("820f 0002 00 0001'4' 00 0001'3' 01 0001'5' 00") // one again is not one more
	p.want("9006 0002 00 97 01 97")
	old.send("8206 0002 0001'4' 00")
	old.want("9003 0002 80") // 3.1.1 has one word for all failures
	p.send("a206 0003 00 0001'1' 8207 0004 00 0001'4' 00")
	p.want("b004 0003 00 00 9004 0004 00 00")
	if n := h.Counters().Subscriptions.Load(); n != 7 {
		t.Errorf("%d subscriptions are counted", n)
	}
	undisturbed()
}

// TestInflightHoldsBack a 3.1.1 client, who has no Receive Maximum.
func TestInflightHoldsBack(t *testing.T) {
	h := serve(t, broker.Options{Limits: broker.Limits{Inflight: 2}})
	p := h.connected("a")
	for i, want := range []broker.Outcome{broker.Delivered, broker.Delivered, broker.Queued, broker.Queued} {
		if o := h.Send("a", broker.Message{Topic: "t", Payload: fmt.Append(nil, i), QoS: 2}, broker.Unasked); o != want {
			t.Errorf("message %d: %v", i, o)
		}
	}
	p.want("3406 0001't' 0001 '0' 3406 0001't' 0002 '1'")
	p.send("5002 0001")
	p.want("6202 0001")
	p.wantSilence() // it is not over before PUBCOMP
	p.send("7002 0001")
	p.want("3406 0001't' 0003 '2'")
	p.wantSilence()
}

// TestReceiveMaximumEndsWhoOverrunsIt, and no sooner [MQTT5-3.3.4-7].
func TestReceiveMaximumEndsWhoOverrunsIt(t *testing.T) {
	h := serve(t, broker.Options{Limits: broker.Limits{ReceiveMaximum: 2}})
	undisturbed := h.bystander()
	p := h.dial()
	p.connect(&packet.Connect{ProtocolName: "MQTT", Version: mqtt.V5, CleanStart: true, ClientID: "a"}, "200e 00 00 0b 21 0002 22 0010 27 00100000")
	p.send("3407 0001't' 0001 00 'x' 3407 0001't' 0002 00 'x'")
	p.want("5002 0001 5002 0002")
	p.send("3407 0001't' 0002 00 'x'") // again is not one more
	p.want("5002 0002")
	p.send("6202 0001 3407 0001't' 0003 00 'x'") // one is over
	p.want("7002 0001 5002 0003")
	p.send("3407 0001't' 0004 00 'x'")
	p.want("e001 93")
	p.wantEnd()
	if n := h.Counters().Faults.Load(); n != 1 {
		t.Errorf("%d faults are counted", n)
	}
	undisturbed()
}

// TestTheSumOfQueuesIsShared: who fills it keeps nothing from others once it
// has what waited for it.
func TestTheSumOfQueuesIsShared(t *testing.T) {
	const size = 1000 + 1 + 160
	w := newWitness()
	h := serve(t, broker.Options{Rules: w, Limits: broker.Limits{QueueTotal: 10 * size}})
	h.away(w, "greedy")
	h.away(w, "modest")
	send := func(to string) broker.Outcome {
		return h.Send(to, broker.Message{Topic: "t", Payload: make([]byte, 1000), QoS: 1}, broker.Unasked)
	}
	for i := range 12 {
		if want := [2]broker.Outcome{broker.Queued, broker.QueueFull}[min(i/10, 1)]; send("greedy") != want {
			t.Errorf("message %d: not %v", i, want)
		}
	}
	if o := send("modest"); o != broker.QueueFull {
		t.Errorf("beyond the sum: %v", o)
	}
	c := h.Counters()
	if c.Queued.Load() != 10 || c.QueuedBytes.Load() != 10*size || c.DroppedQueueFull.Load() != 3 {
		t.Errorf("%d messages and %d bytes wait, %d were dropped", c.Queued.Load(), c.QueuedBytes.Load(), c.DroppedQueueFull.Load())
	}
	live := h.connected("live") // those who are there need no queue
	if o := send("live"); o != broker.Delivered {
		t.Errorf("to one who is there: %v", o)
	}
	live.get(mqtt.V311)
	p := h.durable("greedy", true)
	for range 10 {
		p.put(mqtt.V311, &packet.Puback{ID: p.get(mqtt.V311).(*packet.Publish).ID})
	}
	if o := send("modest"); o != broker.Queued {
		t.Errorf("with room again: %v", o)
	}
	h.Forget("modest")
	if c.Queued.Load() != 0 || c.QueuedBytes.Load() != 0 {
		t.Errorf("%d messages and %d bytes wait for nobody", c.Queued.Load(), c.QueuedBytes.Load())
	}
}

// TestRetainedBytesAreBounded: what has no room is delivered, not kept; what is
// kept already stays.
func TestRetainedBytesAreBounded(t *testing.T) {
	h := serve(t, broker.Options{Limits: broker.Limits{RetainedBytes: 3000}})
	p := h.connected("a")
	p.subscribe("#", 0)
	keep := func(topic string, size int) {
		h.Publish(broker.Message{Topic: topic, Payload: make([]byte, size), Retain: true})
		if got := p.get(mqtt.V311).(*packet.Publish); len(got.Payload) != size {
			t.Errorf("%s: %d bytes came", topic, len(got.Payload))
		}
	}
	c := h.Counters()
	keep("a", 1000)
	keep("b", 1000)
	before := c.RetainedBytes.Load()
	keep("c", 100)  // a third topic
	keep("a", 1500) // larger than the one it would replace
	if c.Retained.Load() != 2 || c.RetainedBytes.Load() != before || before > 3000 || c.DroppedRetained.Load() != 2 {
		t.Errorf("%d retained with %d bytes, %d were not", c.Retained.Load(), c.RetainedBytes.Load(), c.DroppedRetained.Load())
	}
	keep("b", 10) // smaller
	keep("c", 100)
	if c.Retained.Load() != 3 || c.DroppedRetained.Load() != 2 {
		t.Errorf("with room again: %d retained", c.Retained.Load())
	}
}

// TestNobodyKeepsASessionLongerThanAllowed, and is told [MQTT5 §3.2.2.3.2].
func TestNobodyKeepsASessionLongerThanAllowed(t *testing.T) {
	inLab(t, broker.Options{Limits: broker.Limits{SessionExpiry: 100 * time.Second}}, func(l *lab) {
		c := &packet.Connect{Version: mqtt.V5, ClientID: "a", ProtocolName: "MQTT", Properties: &packet.Properties{SessionExpiry: ptr(uint32(0xffffffff))}}
		p := l.dial(nil)
		p.put(mqtt.V5, c)
		if a := p.get(mqtt.V5).(*packet.Connack); a.Properties.SessionExpiry == nil || *a.Properties.SessionExpiry != 100 {
			t.Errorf("%+v", a.Properties)
		}
		p.send("e007 00 05 11 ffffffff")
		p.wantEnd()
		q := l.dial(&packet.Connect{Version: mqtt.V311, ClientID: "b"})
		q.Close()
		time.Sleep(99 * time.Second)
		if n := l.Counters().Sessions.Load(); n != 2 {
			t.Errorf("%d sessions after 99 s", n)
		}
		time.Sleep(3 * time.Second)
		if n := l.Counters().Sessions.Load(); n != 0 {
			t.Errorf("%d sessions after 102 s", n)
		}
	})
}

// TestOfflineSessionsGiveTheirPlaceBack when their clients do.
func TestOfflineSessionsGiveTheirPlaceBack(t *testing.T) {
	w := newWitness()
	h := serve(t, broker.Options{Rules: w, Limits: broker.Limits{OfflineSessions: 2}})
	h.away(w, "dev1")
	h.away(w, "dev2")
	h.away(w, "dev3") // one too many
	c := h.Counters()
	if c.Sessions.Load() != 2 || c.Offline.Load() != 2 || c.DroppedSessions.Load() != 1 || c.Subscriptions.Load() != 2 {
		t.Errorf("%d sessions, %d away, %d not kept, %d subscriptions", c.Sessions.Load(), c.Offline.Load(), c.DroppedSessions.Load(), c.Subscriptions.Load())
	}
	p := h.durable("dev1", true) // who comes back makes room
	w.next(t, "connected")
	h.away(w, "dev3")
	if c.Offline.Load() != 2 || c.DroppedSessions.Load() != 1 {
		t.Errorf("%d away, %d not kept", c.Offline.Load(), c.DroppedSessions.Load())
	}
	p.send("e000") // and is now the one too many
	p.wantEnd()
	w.next(t, "closed")
	h.durable("dev1", false)
	if n := c.DroppedSessions.Load(); n != 2 {
		t.Errorf("%d not kept", n)
	}
}

// A located connection says where it comes from.
type located struct {
	net.Conn
	from net.Addr
}

func (c located) RemoteAddr() net.Addr { return c.from }

// dialFrom connects from an address; nothing is sent.
func (l *lab) dialFrom(ip string) *peer {
	ours, theirs := net.Pipe()
	l.pipes.conns <- located{theirs, &net.TCPAddr{IP: net.ParseIP(ip), Port: 5000}}
	return &peer{Conn: ours, t: l.t}
}

// TestAFloodFromOneAddressIsShed and costs others nothing: by rate and by
// number, by those who speak and by those who do not.
func TestAFloodFromOneAddressIsShed(t *testing.T) {
	inLab(t, broker.Options{Limits: broker.Limits{ConnectRatePerAddress: 10, ConnectionsPerAddress: 25}}, func(l *lab) {
		connect := func(p *peer, id string) bool {
			b, _ := (&packet.Connect{ProtocolName: "MQTT", Version: mqtt.V311, CleanStart: true, ClientID: id}).Append(nil, mqtt.V311)
			if _, err := p.Write(b); err != nil {
				return false // closed unread
			}
			p.want("2002 0000")
			l.next("connected")
			return true
		}
		var open []*peer
		flood := func(n int) (admitted int) {
			for i := range n {
				p := l.dialFrom("192.0.2.66")
				if connect(p, fmt.Sprint("flood", len(open), "-", i)) {
					admitted++
					open = append(open, p)
				}
			}
			return admitted
		}
		if n := flood(1000); n != 10 {
			t.Errorf("%d of 1,000 at once were admitted, want 10", n)
		}
		if p := l.dialFrom("192.0.2.1"); !connect(p, "neighbour") {
			t.Error("the neighbour was not admitted")
		} else {
			defer p.Close()
		}
		time.Sleep(time.Second)
		if n := flood(1000); n != 10 {
			t.Errorf("%d more after a second, want 10", n)
		}
		time.Sleep(time.Hour) // the rate allows more, the number does not
		if n := flood(1000); n != 5 {
			t.Errorf("%d more after an hour, want 5", n)
		}
		if c := l.Counters(); c.Shed.Load() != 3000-25 || c.Clients.Load() != 26 || c.Connections.Load() != 26 {
			t.Errorf("%d shed, %d clients, %d connections", c.Shed.Load(), c.Clients.Load(), c.Connections.Load())
		}
		for _, p := range open {
			p.Close()
			l.next("closed")
		}
		synctest.Wait()
		open = nil
		time.Sleep(time.Hour)
		for range 10 { // silent ones are counted as well, until ConnectTimeout
			open = append(open, l.dialFrom("192.0.2.66"))
		}
		synctest.Wait()
		if l.dialFrom("192.0.2.66").wantEnd(); l.Counters().Connections.Load() != 11 {
			t.Errorf("%d connections", l.Counters().Connections.Load())
		}
		for _, p := range open {
			p.wantEnd()
			l.next("rejected")
		}
	})
}

// TestConnectAndCloseManyTimes leaves nothing behind, whether the session is to
// be kept or not, whether the CONNACK is awaited or not.
func TestConnectAndCloseManyTimes(t *testing.T) {
	h := serve(t, broker.Options{Limits: broker.Limits{StallTimeout: time.Second}})
	undisturbed := h.bystander()
	var all sync.WaitGroup
	for i := range 4 {
		clean, wait := i&1 == 0, i&2 == 0
		all.Go(func() {
			b, _ := (&packet.Connect{ProtocolName: "MQTT", Version: mqtt.V311, CleanStart: clean, ClientID: fmt.Sprint("dev", i),
				Will: &packet.Will{Topic: "w", Payload: []byte("gone")}}).Append(nil, mqtt.V311)
			for range 300 {
				nc, err := net.Dial("tcp", h.addr)
				if err != nil {
					t.Error(err)
					return
				}
				nc.SetDeadline(time.Now().Add(patience))
				nc.Write(b)
				if wait {
					nc.Read(make([]byte, 4))
				}
				nc.Close()
			}
		})
	}
	all.Wait()
	undisturbed()
	c := h.Counters()
	for deadline := time.Now().Add(patience); c.Connections.Load() > 1 && time.Now().Before(deadline); {
		undisturbed()
	}
	if c.Connections.Load() != 1 || c.Clients.Load() != 1 || c.Sessions.Load() != 3 || c.Offline.Load() != 2 {
		t.Errorf("left: %d connections, %d clients, %d sessions, %d away", c.Connections.Load(), c.Clients.Load(), c.Sessions.Load(), c.Offline.Load())
	}
}
