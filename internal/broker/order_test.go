package broker_test

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// TestReceiveMaximumOfTheServer: a client that has more under way than it was
// told is disconnected [MQTT5-3.3.4-7]. What counts is what has no PUBACK,
// PUBCOMP or failed PUBREC yet, and a session that goes on brings its own.
func TestReceiveMaximumOfTheServer(t *testing.T) {
	const one, two, three = "3407 0001't' 0001 00 'x'", "3407 0001't' 0002 00 'x'", "3407 0001't' 0003 00 'x'"
	for _, tt := range []struct {
		name  string
		steps []string
		over  bool
	}{
		{"one too many at QoS 2", []string{"> " + one, "< 5002 0001", "> " + two, "< 5002 0002", "> " + three}, true},
		{"at once, QoS 1 and 2", []string{"> 3207 0001't' 0001 00 'x' " + two + three, "< 4002 0001 5002 0002"}, true},
		{"QoS 1 is answered and makes room", []string{"> " + one, "< 5002 0001",
			"> 3207 0001't' 0005 00 'x'", "< 4002 0005", "> 3207 0001't' 0006 00 'x'", "< 4002 0006", "> " + two, "< 5002 0002"}, false},
		{"PUBCOMP makes room", []string{"> " + one, "< 5002 0001", "> " + two, "< 5002 0002",
			"> 6202 0001", "< 7002 0001", "> " + three, "< 5002 0003"}, false},
		{"PUBREC does not", []string{"> " + one, "< 5002 0001", "> " + two, "< 5002 0002", "> 3007 0001't' 00 'xyz'", "> " + three}, true},
		{"a failed PUBREC makes room", []string{"> 3407 0001'f' 0001 00 'x'", "< 5003 0001 97", "> 3407 0001'f' 0002 00 'x'", "< 5003 0002 97",
			"> " + one, "< 5002 0001", "> " + two, "< 5002 0002"}, false},
		{"a repetition is not another", []string{"> " + one, "< 5002 0001", "> " + two, "< 5002 0002", "> 3c07 0001't' 0002 00 'x'", "< 5002 0002"}, false},
		{"QoS 0 does not count", []string{"> " + one, "< 5002 0001", "> " + two, "< 5002 0002", "> 3005 0001't' 00 'x' c000", "< d000"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWitness()
			w.publish = func(_ *broker.Client, p *packet.Publish) broker.Decision {
				if string(p.Topic) == "f" {
					return broker.Decision{Action: broker.Consume, Reason: mqtt.QuotaExceeded}
				}
				return broker.Decision{}
			}
			h := serve(t, broker.Options{Rules: w, Limits: broker.Limits{ReceiveMaximum: 2}})
			p := h.dial()
			p.connect(&packet.Connect{Version: mqtt.V5, CleanStart: true, ClientID: "a"}, "200e 00 00 0b 21 0002 22 0010 27 00100000")
			for _, s := range tt.steps {
				if s[0] == '>' {
					p.send(s[1:])
					continue
				}
				p.want(s[1:])
			}
			if !tt.over {
				p.wantSilence()
				return
			}
			p.want("e001 93")
			p.wantEnd()
			for e := range w.events {
				if e.what == "faulty" {
					wantClause(t, e.err, "MQTT5-3.3.4-7")
					break
				}
			}
		})
	}
}

// TestNoReceiveMaximumBefore5: 3.x knows none.
func TestNoReceiveMaximumBefore5(t *testing.T) {
	p := serve(t, broker.Options{Limits: broker.Limits{ReceiveMaximum: 2}}).connected("a")
	for id := 1; id <= 5; id++ {
		p.send(fmt.Sprintf("3406 0001't' %04x 'x'", id))
		p.want(fmt.Sprintf("5002 %04x", id))
	}
}

// TestReceiveMaximumOfTheClientAtQoS2: an exchange has its place until PUBCOMP
// or a failed PUBREC [MQTT5-3.3.4-9] [MQTT5-4.9.0-2]; QoS 0 and acknowledgements
// go on meanwhile [MQTT5-3.3.4-10] [MQTT5-4.9.0-3].
func TestReceiveMaximumOfTheClientAtQoS2(t *testing.T) {
	h := serve(t, broker.Options{})
	p := h.dial()
	p.connect(&packet.Connect{Version: mqtt.V5, CleanStart: true, ClientID: "a", Properties: &packet.Properties{ReceiveMaximum: ptr(uint16(1))}},
		"200e 00 00 0b 21 0400 22 0010 27 00100000")
	p.send("820b 0001 00 0001't' 02 0001'z' 00")
	p.want("9005 0001 00 02 00")
	for _, payload := range []string{"1", "2", "3"} {
		h.Publish(broker.Message{Topic: "t", Payload: []byte(payload), QoS: 2})
	}
	h.Publish(broker.Message{Topic: "z", Payload: []byte("0")})
	p.want("3407 0001't' 0001 00 '1' 3005 0001'z' 00 '0'")
	p.send("3207 0001'x' 0009 00 'x'")
	p.want("4002 0009")
	p.send("5002 0001")
	p.want("6202 0001")
	p.wantSilence()
	p.send("7002 0001")
	p.want("3407 0001't' 0002 00 '2'")
	p.wantSilence()
	p.send("5003 0002 97")
	p.want("3407 0001't' 0003 00 '3'")
	p.wantSilence()
}

// TestOrderWhileAQueueDrains: what waited comes before what is published while
// it is sent, in one order per topic and QoS [MQTT3-4.6.0-6] [MQTT5-4.6.0-5].
func TestOrderWhileAQueueDrains(t *testing.T) {
	const waiting, more = 300, 300
	w := newWitness()
	h := serve(t, broker.Options{Rules: w})
	h.away(w, "dev1")
	send := func(n int) {
		if o := h.Send("dev1", broker.Message{Topic: "q/a", Payload: fmt.Append(nil, n), QoS: 1}, broker.Unasked); o != broker.Queued && o != broker.Delivered {
			t.Errorf("message %d: %v", n, o)
		}
	}
	for n := range waiting {
		send(n)
	}
	p := h.durable("dev1", true)
	var all sync.WaitGroup
	all.Go(func() {
		for n := waiting; n < waiting+more; n++ {
			send(n)
		}
	})
	for n := range waiting + more {
		got, ok := p.get(mqtt.V311).(*packet.Publish)
		if !ok || string(got.Payload) != fmt.Sprint(n) {
			t.Fatalf("got %+v, want message %d", got, n)
		}
		p.put(mqtt.V311, &packet.Puback{ID: got.ID})
	}
	all.Wait()
}

// TestTakeOverUnderLoad: while one publishes, the receiver connects anew again
// and again. Every message arrives, a first delivery never overtakes another,
// and what comes again has DUP [MQTT3-4.4.0-1] [MQTT3-4.6.0-6] [MQTT5-4.4.0-1].
func TestTakeOverUnderLoad(t *testing.T) {
	const messages, takeOvers = 2000, 20
	for _, v := range both {
		t.Run(v.String(), func(t *testing.T) {
			h := serve(t, broker.Options{Limits: broker.Limits{QueueCount: messages + 1}})
			dial := func() *peer {
				p := h.dial()
				p.put(v, &packet.Connect{Version: v, ClientID: "dev1", Properties: &packet.Properties{SessionExpiry: ptr(uint32(100))}})
				p.get(v)
				return p
			}
			p := dial()
			p.put(v, &packet.Subscribe{ID: 1, Subscriptions: []packet.Subscription{{Filter: "t", QoS: 1}}})
			p.get(v)
			var all sync.WaitGroup
			all.Go(func() {
				for n := range messages {
					h.Publish(broker.Message{Topic: "t", Payload: fmt.Append(nil, n), QoS: 1})
				}
			})
			seen, newest, over := make([]bool, messages), -1, 0
			for left := messages; left > 0; {
				got := p.get(v).(*packet.Publish)
				n := 0
				fmt.Sscan(string(got.Payload), &n)
				if !got.Dup && n < newest {
					t.Fatalf("message %d for the first time after %d", n, newest)
				}
				if !got.Dup && seen[n] {
					t.Fatalf("message %d again without DUP", n)
				}
				newest = max(newest, n)
				if !seen[n] {
					seen[n] = true
					left--
				}
				if over < takeOvers && left%(messages/takeOvers) == 0 {
					over++
					p = dial() // leaves the PUBACK out
					continue
				}
				p.put(v, &packet.Puback{ID: got.ID})
			}
			all.Wait()
			if over < takeOvers/2 {
				t.Errorf("only %d take-overs", over)
			}
		})
	}
}

// TestReplacingASubscriptionLosesNothing: messages that are published while it
// is replaced arrive [MQTT3-3.8.4-3] [MQTT5-3.8.4-4].
func TestReplacingASubscriptionLosesNothing(t *testing.T) {
	const messages = 500
	h := serve(t, broker.Options{})
	sub := h.connected("sub")
	sub.subscribe("t", 1)
	var all sync.WaitGroup
	pub := h.connected("pub")
	all.Go(func() {
		for n := range messages {
			pub.put(mqtt.V311, &packet.Publish{Topic: []byte("t"), Payload: fmt.Append(nil, n), QoS: 1, ID: uint16(n + 1)})
			pub.get(mqtt.V311)
		}
	})
	next, subscribed := 0, 0
	for next < messages {
		sub.put(mqtt.V311, &packet.Subscribe{ID: 9, Subscriptions: []packet.Subscription{{Filter: "t", QoS: mqtt.QoS(1 + subscribed%2)}}})
		for answered := false; !answered; {
			switch got := sub.get(mqtt.V311).(type) {
			case *packet.Suback:
				answered = true
				subscribed++
			case *packet.Publish:
				if string(got.Payload) != fmt.Sprint(next) {
					t.Fatalf("message %s, want %d", got.Payload, next)
				}
				next++
				sub.put(mqtt.V311, &packet.Puback{ID: got.ID})
			}
		}
	}
	all.Wait()
	sub.wantSilence()
}

// TestWildcardEdges: empty levels, parents, $ and blanks, for messages as they
// come and for retained ones [MQTT3-4.7.2-1] [MQTT5-4.7.2-1] [MQTT3-3.3.2-3]
// [MQTT5-3.3.2-3].
func TestWildcardEdges(t *testing.T) {
	topics := []string{"/", "//", "a", "a/", "/a", "a/b", "a//b", "a/b/c", " ", "$t", "$t/", "$t/a", "a/$t"}
	for _, tt := range []struct {
		filter string
		want   []string
	}{
		{"#", []string{"/", "//", "a", "a/", "/a", "a/b", "a//b", "a/b/c", " ", "a/$t"}},
		{"+/#", []string{"/", "//", "a", "a/", "/a", "a/b", "a//b", "a/b/c", " ", "a/$t"}},
		{"/#", []string{"/", "//", "/a"}},
		{"+", []string{"a", " "}},
		{"+/+", []string{"/", "a/", "/a", "a/b", "a/$t"}},
		{"/+", []string{"/", "/a"}},
		{"+/", []string{"/", "a/"}},
		{"/", []string{"/"}},
		{"//", []string{"//"}},
		{"+/+/+", []string{"//", "a//b", "a/b/c"}},
		{"a/#", []string{"a", "a/", "a/b", "a//b", "a/b/c", "a/$t"}},
		{"a/+", []string{"a/", "a/b", "a/$t"}},
		{"a/+/b", []string{"a//b"}},
		{"a/b/#", []string{"a/b", "a/b/c"}},
		{"+/b/#", []string{"a/b", "a/b/c"}},
		{"+/$t", []string{"a/$t"}},
		{"$t", []string{"$t"}},
		{"$t/#", []string{"$t", "$t/", "$t/a"}},
		{"$t/+", []string{"$t/", "$t/a"}},
		{"+/a", []string{"/a"}},
		{" ", []string{" "}},
		{"A", nil},
	} {
		t.Run(tt.filter, func(t *testing.T) {
			h := serve(t, broker.Options{})
			live, late := h.connected("live"), h.connected("late")
			live.subscribe(tt.filter, 0)
			for _, topic := range topics {
				h.Publish(broker.Message{Topic: topic, Retain: true, Payload: []byte("x")})
			}
			late.subscribe(tt.filter, 0)
			read := func(p *peer) (got []string) {
				for range tt.want {
					got = append(got, string(p.get(mqtt.V311).(*packet.Publish).Topic))
				}
				p.wantSilence()
				return got
			}
			if got := read(live); !slices.Equal(got, tt.want) {
				t.Errorf("live: %q, want %q", got, tt.want)
			}
			kept, want := read(late), slices.Sorted(slices.Values(tt.want))
			if slices.Sort(kept); !slices.Equal(kept, want) {
				t.Errorf("retained: %q, want %q", kept, want)
			}
		})
	}
}

// TestMessageExpiryGoesDown by the time that a message waits, in a queue or
// retained [MQTT5-3.3.2-6]; with it over, the message is gone [MQTT5-3.3.2-5].
func TestMessageExpiryGoesDown(t *testing.T) {
	inLab(t, broker.Options{}, func(l *lab) {
		pub := l.dial(&packet.Connect{Version: mqtt.V5, CleanStart: true, ClientID: "pub"})
		session := &packet.Connect{Version: mqtt.V5, ClientID: "a", Properties: &packet.Properties{SessionExpiry: ptr(uint32(1000))}}
		p := l.dial(session)
		p.send("8207 0001 00 0001't' 01")
		p.want("9004 0001 00 01")
		p.send("e000")
		p.wantEnd()
		pub.send("320c 0001't' 0001 05 0200000064 'x'") // 100 s
		pub.want("4002 0001")
		pub.send("320c 0001't' 0002 05 0200000014 'y'") // 20 s
		pub.want("4002 0002")
		pub.send("310a 0001'r' 05 0200000064 'z'") // 100 s
		pub.wantSilence()
		time.Sleep(40 * time.Second)
		p = l.dial(session)
		p.want("320c 0001't' 0001 05 020000003c 'x'") // 60 s
		p.wantSilence()
		p.send("8207 0002 00 0001'r' 00")
		p.want("9004 0002 00 00 310a 0001'r' 05 020000003c 'z'")
		time.Sleep(61 * time.Second)
		p.send("8207 0003 00 0001'r' 00")
		p.want("9004 0003 00 00")
		p.wantSilence()
		pub.Close()
		p.Close()
		io.Copy(io.Discard, p)
	})
}

// TestReasonsOfTheServer: what Rules or an administrator say that a packet does
// not have becomes what it has [MQTT5-3.5.2-1] [MQTT5-3.14.2-1].
func TestReasonsOfTheServer(t *testing.T) {
	decision := broker.Decision{}
	w := newWitness()
	w.publish = func(*broker.Client, *packet.Publish) broker.Decision { return decision }
	h := serve(t, broker.Options{Rules: w})
	p := h.connected5("a")
	decision = broker.Decision{Action: broker.Consume, Reason: mqtt.Banned}
	p.send("3407 0001't' 0001 00 'x'")
	p.want("5003 0001 80")
	decision = broker.Decision{Action: broker.Consume, Reason: mqtt.NoMatchingSubscribers}
	p.send("3407 0001't' 0002 00 'x'")
	p.want("5003 0002 10")
	decision = broker.Decision{Action: broker.Close, Reason: mqtt.BadUserNameOrPassword}
	p.send("3407 0001't' 0003 00 'x'")
	p.want("e001 80")
	p.wantEnd()
	p = h.connected5("b")
	h.Disconnect("b", mqtt.BadUserNameOrPassword)
	p.want("e001 80")
	p.wantEnd()
}
