package broker_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A pipes is a net.Listener without a network.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

// A lab is a broker in a bubble of synctest, where time passes when nothing
// else does.
type lab struct {
	*broker.Broker
	t     *testing.T
	pipes *pipes
	w     *witness
}

// labPatience is how long a test waits for something that has to come, in the
// time of the lab: longer than any of them sleeps.
const labPatience = 1500 * time.Hour

func inLab(t *testing.T, o broker.Options, story func(*lab)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWitness()
		o.Rules = w
		b, err := broker.New(o)
		if err != nil {
			t.Fatal(err)
		}
		l := &lab{Broker: b, t: t, w: w, pipes: &pipes{conns: make(chan net.Conn), done: make(chan struct{})}}
		ctx, cancel := context.WithCancel(context.Background())
		var all sync.WaitGroup
		all.Go(func() { b.Serve(ctx, l.pipes) })
		all.Go(func() { b.Run(ctx) })
		story(l)
		cancel()
		all.Wait()
	})
}

// dial connects as c and reads the CONNACK.
func (l *lab) dial(c *packet.Connect) *peer {
	ours, theirs := net.Pipe()
	l.pipes.conns <- theirs
	ours.SetDeadline(time.Now().Add(labPatience))
	p := &peer{Conn: ours, t: l.t}
	if c != nil {
		c.ProtocolName = "MQTT"
		p.put(c.Version, c)
		if a, ok := p.get(c.Version).(*packet.Connack); !ok || a.Reason != 0 {
			l.t.Fatalf("CONNACK %+v", a)
		}
	}
	return p
}

// next returns the next event; no real time passes.
func (l *lab) next(what string) event {
	l.t.Helper()
	e := <-l.w.events
	if e.what != what {
		l.t.Fatalf("Rules were told %+v, want %s", e, what)
	}
	return e
}

func (l *lab) within(d time.Duration, min, max time.Duration) {
	l.t.Helper()
	if d < min || d > max {
		l.t.Errorf("it took %v, want %v to %v", d, min, max)
	}
}

func TestConnectTimeout(t *testing.T) { // and no DISCONNECT before a CONNACK [MQTT5-3.14.0-1]
	inLab(t, broker.Options{}, func(l *lab) {
		p := l.dial(nil)
		start := time.Now()
		p.wantEnd()
		l.within(time.Since(start), 10*time.Second, 11*time.Second)
		l.next("rejected")
		p = l.dial(nil)
		start = time.Now()
		p.send("1010 0004'MQTT'") // half of it does not help
		p.wantEnd()
		l.within(time.Since(start), 10*time.Second, 11*time.Second)
		l.next("rejected")
	})
}

func TestKeepAlive(t *testing.T) { // [MQTT3-3.1.2-24] [MQTT5-3.1.2-22] [MQTT5-3.2.2-22]
	inLab(t, broker.Options{}, func(l *lab) {
		p := l.dial(&packet.Connect{Version: mqtt.V5, CleanStart: true, ClientID: "a", KeepAlive: 60})
		l.next("connected")
		for range 5 {
			time.Sleep(80 * time.Second)
			p.wantSilence()
		}
		start := time.Now()
		p.want("e001 8d")
		p.wantEnd()
		l.within(time.Since(start), 90*time.Second, 91*time.Second)
		if e := l.next("closed"); e.cause != broker.KeepAliveOver {
			t.Errorf("closed because %v", e.cause)
		}
	})
}

func TestKeepAliveZeroIsForEver(t *testing.T) { // [MQTT3 §3.1.2.10]
	inLab(t, broker.Options{}, func(l *lab) {
		p := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "a"})
		time.Sleep(1000 * time.Hour)
		p.wantSilence()
		p.Close()
	})
}

func TestSessionExpires(t *testing.T) { // [MQTT5-3.1.2-23] [MQTT5-4.1.0-2]
	inLab(t, broker.Options{}, func(l *lab) {
		connect := &packet.Connect{Version: mqtt.V5, ClientID: "a", Properties: &packet.Properties{SessionExpiry: ptr(uint32(100))}}
		p := l.dial(connect)
		l.next("connected")
		p.send("e000")
		p.wantEnd()
		l.next("closed")
		time.Sleep(95 * time.Second)
		if o := l.Send("a", broker.Message{Topic: "t", QoS: 1}, broker.Unasked); o != broker.Queued {
			t.Errorf("after 95 s: %v", o)
		}
		time.Sleep(7 * time.Second)
		if o := l.Send("a", broker.Message{Topic: "t", QoS: 1}, broker.Unasked); o != broker.NoSession {
			t.Errorf("after 102 s: %v", o)
		}
		if c := l.Counters(); c.Sessions.Load() != 0 || c.Queued.Load() != 0 || c.QueuedBytes.Load() != 0 || c.Offline.Load() != 0 {
			t.Errorf("left: %d sessions, %d messages, %d bytes, %d away", c.Sessions.Load(), c.Queued.Load(), c.QueuedBytes.Load(), c.Offline.Load())
		}
	})
}

func TestSessionThatComesBackDoesNotExpire(t *testing.T) {
	inLab(t, broker.Options{}, func(l *lab) {
		connect := &packet.Connect{Version: mqtt.V5, ClientID: "a", Properties: &packet.Properties{SessionExpiry: ptr(uint32(100))}}
		for range 5 {
			p := l.dial(connect)
			l.next("connected")
			time.Sleep(60 * time.Second)
			p.send("e000")
			p.wantEnd()
			l.next("closed")
			time.Sleep(60 * time.Second)
		}
		if l.Counters().Sessions.Load() != 1 {
			t.Error("the session is gone")
		}
	})
}

func TestDisconnectChangesTheExpiry(t *testing.T) { // [MQTT5 §3.14.2.2.2]
	inLab(t, broker.Options{}, func(l *lab) {
		p := l.dial(&packet.Connect{Version: mqtt.V5, ClientID: "a", Properties: &packet.Properties{SessionExpiry: ptr(uint32(100))}})
		l.next("connected")
		p.send("e007 00 05 11 00000000")
		p.wantEnd()
		l.next("closed")
		synctest.Wait()
		if l.Counters().Sessions.Load() != 0 {
			t.Error("the session is still there")
		}
		p = l.dial(&packet.Connect{Version: mqtt.V5, ClientID: "a"})
		l.next("connected")
		p.send("e007 00 05 11 00000010")
		p.want("e001 82")
		p.wantEnd()
		l.next("faulty")
		l.next("closed")
	})
}

func TestWills(t *testing.T) {
	will := func(delay uint32) *packet.Will {
		return &packet.Will{Topic: "w", Payload: []byte("gone"), Properties: &packet.Properties{WillDelay: &delay}}
	}
	for _, tt := range []struct {
		name   string
		c      packet.Connect
		bye    string        // what the client sends before its end
		back   time.Duration // when it comes back, 0 never
		clean  bool          // with a clean start
		want   bool
		after  time.Duration
		closed broker.Cause
	}{
		{"a lost connection publishes it [MQTT3-3.1.2-8] [MQTT5-3.1.2-7]", packet.Connect{Version: mqtt.V311, CleanStart: true, Will: will(0)}, "", 0, false, true, 0, broker.Lost},
		{"DISCONNECT removes it [MQTT3-3.1.2-10] [MQTT3-3.14.4-3]", packet.Connect{Version: mqtt.V311, CleanStart: true, Will: will(0)}, "e000", 0, false, false, 0, broker.Disconnected},
		{"5.0: DISCONNECT with Success removes it [MQTT5-3.1.2-10] [MQTT5-3.14.4-3]", packet.Connect{Version: mqtt.V5, Will: will(0)}, "e000", 0, false, false, 0, broker.Disconnected},
		{"5.0: DISCONNECT may ask for it [MQTT5-3.14.4-3]", packet.Connect{Version: mqtt.V5, Will: will(0)}, "e001 04", 0, false, true, 0, broker.Disconnected},
		{"5.0: DISCONNECT with a failure is no normal end [MQTT5-3.1.2-10]", packet.Connect{Version: mqtt.V5, Will: will(0)}, "e001 80", 0, false, true, 0, broker.Disconnected},
		{"a broken packet publishes it", packet.Connect{Version: mqtt.V311, CleanStart: true, Will: will(0)}, "ff00", 0, false, true, 0, broker.Faulted},
		{"5.0: it is delayed [MQTT5-3.1.3-9]", packet.Connect{Version: mqtt.V5, Will: will(30), Properties: &packet.Properties{SessionExpiry: ptr(uint32(100))}}, "", 0, false, true, 30 * time.Second, broker.Lost},
		{"5.0: not beyond the session's end [MQTT5-3.1.2-8]", packet.Connect{Version: mqtt.V5, Will: will(300), Properties: &packet.Properties{SessionExpiry: ptr(uint32(100))}}, "", 0, false, true, 100 * time.Second, broker.Lost},
		{"5.0: a session without expiry ends at once, and its delay", packet.Connect{Version: mqtt.V5, Will: will(30)}, "", 0, false, true, 0, broker.Lost},
		{"5.0: coming back in time cancels it [MQTT5-3.1.3-9]", packet.Connect{Version: mqtt.V5, Will: will(30), Properties: &packet.Properties{SessionExpiry: ptr(uint32(100))}}, "", 20 * time.Second, false, false, 0, broker.Lost},
		{"5.0: a clean start ends the session and publishes it [MQTT5-3.1.2-8]", packet.Connect{Version: mqtt.V5, Will: will(30), Properties: &packet.Properties{SessionExpiry: ptr(uint32(100))}}, "", 20 * time.Second, true, true, 20 * time.Second, broker.Lost},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inLab(t, broker.Options{}, func(l *lab) {
				c := tt.c
				c.ClientID = "a"
				p := l.dial(&c)
				l.next("connected")
				if tt.bye != "" {
					p.send(tt.bye)
				}
				start := time.Now()
				p.Close()
				if tt.back > 0 {
					go func() {
						time.Sleep(tt.back)
						again := c
						again.Will, again.CleanStart = nil, tt.clean
						l.dial(&again)
					}()
				}
				var published, closed bool
				for deadline := time.After(time.Hour); ; {
					select {
					case e := <-l.w.events:
						switch e.what {
						case "publish":
							published = true
							if e.topic != "w" || e.body != "gone" {
								t.Errorf("will %s %s", e.topic, e.body)
							}
							l.within(time.Since(start), tt.after, tt.after+2*time.Second)
						case "closed":
							closed = true
							if e.cause != tt.closed {
								t.Errorf("closed because %v, want %v", e.cause, tt.closed)
							}
							if tt.want && tt.after == 0 && !published {
								t.Error("closed before the will")
							}
						}
						continue
					case <-deadline:
					}
					break
				}
				if published != tt.want || !closed {
					t.Errorf("published %v, closed %v", published, closed)
				}
			})
		})
	}
}

func TestWillReachesSubscribersAndIsRetained(t *testing.T) { // [MQTT3-3.1.2-17]
	inLab(t, broker.Options{}, func(l *lab) {
		sub := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "sub"})
		sub.subscribe("w", 1)
		p := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "a", Will: &packet.Will{Topic: "w", Payload: []byte("x"), QoS: 1, Retain: true}})
		p.Close()
		sub.want("3206 0001'w' 0001 'x'")
		sub.send("4002 0001 8206 0002 0001'w' 00")
		sub.want("9003 0002 00 3104 0001'w' 'x'")
		sub.Close()
	})
}

func TestGrantMayIgnoreWillAndRetain(t *testing.T) {
	inLab(t, broker.Options{}, func(l *lab) {
		l.w.connect = func(*packet.Connect, broker.Origin) (*broker.Grant, error) {
			return &broker.Grant{MaxQoS: 1, IgnoreRetain: true, IgnoreWill: true}, nil
		}
		p := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "a", Will: &packet.Will{Topic: "w", Payload: []byte("x")}})
		l.next("connected")
		p.send("3104 0001'r' 'x'")
		p.wantSilence()
		l.next("publish")
		if l.Counters().Retained.Load() != 0 {
			t.Error("it is retained")
		}
		p.Close()
		l.next("closed")
	})
}

func TestRetainedExpire(t *testing.T) {
	inLab(t, broker.Options{}, func(l *lab) {
		l.Publish(broker.Message{Topic: "r", Payload: []byte("x"), Retain: true, Expiry: time.Now().Add(30 * time.Second)})
		time.Sleep(29 * time.Second)
		p := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "a"})
		p.send("8206 0001 0001'r' 00")
		p.want("9003 0001 00 3104 0001'r' 'x'")
		time.Sleep(2 * time.Second)
		p.send("8206 0001 0001'r' 00")
		p.want("9003 0001 00")
		p.wantSilence()
		time.Sleep(2 * time.Minute)
		if l.Counters().Retained.Load() != 0 {
			t.Error("it is still kept")
		}
		p.Close()
	})
}

func TestNoGoroutineIsLeft(t *testing.T) {
	// synctest.Test fails if a goroutine of the bubble is left.
	inLab(t, broker.Options{}, func(l *lab) {
		for _, c := range []*packet.Connect{nil, {Version: mqtt.V311, ClientID: "a", KeepAlive: 10}, {Version: mqtt.V5, ClientID: "b"}} {
			l.dial(c)
		}
	})
}
