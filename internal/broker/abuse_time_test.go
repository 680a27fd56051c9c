package broker_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// drip sends b a byte a second until the broker ends the connection, and
// returns how long that took.
func (p *peer) drip(b []byte) time.Duration {
	p.t.Helper()
	start := time.Now()
	for i := range b {
		if _, err := p.Write(b[i : i+1]); err != nil {
			return time.Since(start)
		}
		time.Sleep(time.Second)
	}
	p.t.Fatalf("%d bytes in %v, and the connection is still open", len(b), time.Since(start))
	return 0
}

// TestAByteASecondIsNotEnough of whatever: there is a time for all of it.
func TestAByteASecondIsNotEnough(t *testing.T) {
	cert, _ := certificate(t)
	for _, tt := range []struct {
		name  string
		bytes string
		most  time.Duration
		told  bool // Rules hear of it
	}{
		{"of a CONNECT", "1084 08 0004'MQTT' 04 02 003c 0400", 11 * time.Second, true},
		{"of a TLS handshake", "16030100c8 010000c4 0303", 11 * time.Second, true},
		{"of the head of an HTTP request", "'GET /x HTTP/1.1'0d0a'Host: matou'0d0a'X: '", 22 * time.Second, false},
		{"of a WebSocket upgrade", "'GET /mqtt HTTP/1.1'0d0a'Host: matou'0d0a'Upgrade: websocket'0d0a'X: '", 22 * time.Second, false},
		{"of the body of an HTTP request", "'POST /x HTTP/1.1'0d0a'Host: matou'0d0a'Content-Length: 100'0d0a0d0a", 22 * time.Second, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inLab(t, broker.Options{TLS: tlsOf(cert), HTTP: reading}, func(l *lab) {
				b := wire(t, tt.bytes)
				p := l.dial(nil)
				if bytes.HasPrefix(b, []byte("POST")) {
					p.Write(b)
					b = nil
				}
				go io.Copy(io.Discard, p)
				l.within(p.drip(append(b, make([]byte, 1000)...)), 9*time.Second, tt.most)
				if tt.told {
					l.next("rejected")
				}
				for l.Counters().Connections.Load() > 0 {
					time.Sleep(time.Second)
				}
				q := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "another"})
				q.Close()
			})
		})
	}
}

// TestAByteOfAPacketIsNoSignOfLife: the keep-alive asks for whole packets
// [MQTT3-3.1.2-24] [MQTT5-3.1.2-22], though a large one may take its time.
func TestAByteOfAPacketIsNoSignOfLife(t *testing.T) {
	publish := append(wire(t, "30 a0 8d 06 0001't'"), make([]byte, 100_000-3)...)
	inLab(t, broker.Options{}, func(l *lab) {
		p := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "a", KeepAlive: 60})
		l.next("connected")
		l.within(p.drip(publish), 90*time.Second, 92*time.Second)
		if e := l.next("closed"); e.cause != broker.KeepAliveOver {
			t.Errorf("closed because %v", e.cause)
		}
	})
	inLab(t, broker.Options{}, func(l *lab) {
		p := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "a", KeepAlive: 60})
		l.next("connected")
		for b := publish; len(b) > 0; { // 50 bytes a second take half an hour
			n := min(len(b), 3000)
			if _, err := p.Write(b[:n]); err != nil {
				t.Fatalf("%d bytes before the end: %v", len(b), err)
			}
			b = b[n:]
			time.Sleep(time.Minute)
		}
		if e := l.next("publish"); len(e.body) != 100_000-3 {
			t.Errorf("%d bytes came", len(e.body))
		}
		p.wantSilence()
		p.Close()
	})
}

// TestSilenceIsClosed at every station of a connection.
func TestSilenceIsClosed(t *testing.T) {
	cert, _ := certificate(t)
	for _, tt := range []struct {
		name, bytes string
		after       time.Duration
	}{
		{"nothing at all", "", 10 * time.Second},
		{"one byte of a CONNECT", "10", 10 * time.Second},
		{"one byte of a TLS handshake", "16", 10 * time.Second},
		{"one letter", "'G'", 10 * time.Second},
		{"between two HTTP requests", "'GET / HTTP/1.1'0d0a'Host: x'0d0a0d0a", time.Minute},
		{"a WebSocket without a CONNECT", "'GET / HTTP/1.1'0d0a'Host: x'0d0a'Connection: Upgrade'0d0a'Upgrade: websocket'0d0a" +
			"'Sec-WebSocket-Version: 13'0d0a'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='0d0a0d0a", 10 * time.Second},
		{"a WebSocket with half a CONNECT", "'GET / HTTP/1.1'0d0a'Host: x'0d0a'Connection: Upgrade'0d0a'Upgrade: websocket'0d0a" +
			"'Sec-WebSocket-Version: 13'0d0a'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='0d0a0d0a 8285 00000000 1010 000461", 10 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inLab(t, broker.Options{TLS: tlsOf(cert), HTTP: reading}, func(l *lab) {
				p := l.dial(nil)
				ended := make(chan time.Time, 1)
				go func() {
					io.Copy(io.Discard, p)
					ended <- time.Now()
				}()
				start := time.Now()
				if b := wire(t, tt.bytes); len(b) > 0 {
					p.Write(b)
				}
				l.within((<-ended).Sub(start), tt.after, tt.after+2*time.Second)
				p.Close()
			})
		})
	}
}

// TestTheReaderOfAnAnswerOfHTTPHasToRead, or is closed like any client that
// takes nothing for StallTimeout.
func TestTheReaderOfAnAnswerOfHTTPHasToRead(t *testing.T) {
	inLab(t, broker.Options{HTTP: endless}, func(l *lab) {
		p := l.dial(nil)
		p.Write(wire(t, "'GET / HTTP/1.1'0d0a'Host: x'0d0a0d0a"))
		some := make([]byte, 1000)
		for range 100 { // slowly, but it reads
			if _, err := io.ReadFull(p, some); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		start := time.Now()
		for l.Counters().Connections.Load() > 0 && time.Since(start) < time.Hour {
			time.Sleep(time.Second)
		}
		l.within(time.Since(start), 25*time.Second, 32*time.Second)
		p.Close()
	})
}

// TestOneWhoStallsStopsNobody: with many that read nothing, those who read get
// all, in order and without delay; the others are disconnected after
// StallTimeout and leave nothing.
func TestOneWhoStallsStopsNobody(t *testing.T) {
	const stalled, messages = 20, 2000
	inLab(t, broker.Options{Limits: broker.Limits{OutBuffer: 16 << 10, QueueCount: 100, StallTimeout: 30 * time.Second}}, func(l *lab) {
		l.w.publish = func(*broker.Client, *packet.Publish) broker.Decision { <-l.w.events; return broker.Decision{} }
		var idle []*peer
		for i := range stalled {
			p := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: fmt.Sprint("stalled", i)})
			p.subscribe("t/#", mqtt.QoS(i%2))
			l.next("connected")
			idle = append(idle, p)
		}
		quick := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "quick"})
		quick.subscribe("t/#", 1)
		l.next("connected")
		pub := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "pub"})
		l.next("connected")
		start := time.Now()
		for n := range messages {
			qos := mqtt.QoS(n % 2)
			p := &packet.Publish{Topic: []byte("t/x"), Payload: fmt.Appendf(nil, "%0200d", n), QoS: qos}
			if qos > 0 {
				p.ID = 1
			}
			pub.put(mqtt.V311, p)
			got := quick.get(mqtt.V311).(*packet.Publish)
			if string(got.Payload) != string(p.Payload) || got.QoS != qos {
				t.Fatalf("message %d: got %.30s", n, got.Payload)
			}
			if qos > 0 {
				quick.put(mqtt.V311, &packet.Puback{ID: got.ID})
				pub.get(mqtt.V311)
			}
		}
		if took := time.Since(start); took > 0 {
			t.Errorf("others waited %v for who does not read", took)
		}
		c := l.Counters()
		if c.DroppedSlow.Load() == 0 || c.DroppedQueueFull.Load() == 0 || c.Queued.Load() > stalled*100 {
			t.Errorf("%d of QoS 0 and %d of QoS 1 dropped, %d wait", c.DroppedSlow.Load(), c.DroppedQueueFull.Load(), c.Queued.Load())
		}
		for range stalled {
			if e := l.next("closed"); e.cause != broker.TooSlow {
				t.Errorf("closed because %v", e.cause)
			}
		}
		l.within(time.Since(start), 30*time.Second, 31*time.Second)
		quick.wantSilence()
		quick.send("e000")
		pub.send("e000")
		l.next("closed")
		l.next("closed")
		for c.Sessions.Load() > 0 {
			time.Sleep(time.Second)
		}
		if c.Queued.Load() != 0 || c.QueuedBytes.Load() != 0 || c.Subscriptions.Load() != 0 {
			t.Errorf("left: %d messages, %d bytes, %d subscriptions", c.Queued.Load(), c.QueuedBytes.Load(), c.Subscriptions.Load())
		}
		for _, p := range idle {
			p.Close()
		}
	})
}

func tlsOf(cert tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{cert}}
}

// reading answers when it has read the request to its end.
var reading = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })

// endless answers as long as somebody reads.
var endless = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	for {
		if _, err := w.Write(make([]byte, 4096)); err != nil {
			return
		}
	}
})
