package broker_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// An asker sends the same packet again and again.
type asker struct {
	*peer
	frame []byte
	sent  int // bytes
}

// ask sends until the broker takes no more for a second, or most bytes.
func (a *asker) ask(most int) (took int) {
	many := bytes.Repeat(a.frame, 4096/len(a.frame)+2)
	for took < most {
		a.SetWriteDeadline(time.Now().Add(time.Second))
		from := a.sent % len(a.frame)
		n, err := a.Write(many[from : from+4096])
		took += n
		a.sent += n
		if err != nil {
			break
		}
	}
	a.SetWriteDeadline(time.Time{})
	return took
}

// TestWhoDoesNotReadAnswersIsNotRead: answers cannot be dropped, so that a
// client that asks without end and reads nothing would fill the memory. It is
// not read until it reads, and is cut off when it takes nothing for
// StallTimeout.
func TestWhoDoesNotReadAnswersIsNotRead(t *testing.T) {
	const out = 32 << 10
	for _, tt := range []struct {
		name   string
		frame  string
		answer int // bytes for each frame
	}{
		{"PINGREQ", "c000", 2},
		{"PUBLISH of QoS 1", "3206 0001't' 0001 'x'", 4},
		{"PUBREL of nothing", "6202 0001", 4},
		{"SUBSCRIBE", "8206 0001 0001't' 00", 5},
		{"UNSUBSCRIBE", "a205 0001 0001't'", 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inLab(t, broker.Options{Limits: broker.Limits{OutBuffer: out, StallTimeout: 30 * time.Second}}, func(l *lab) {
				l.w.publish = func(*broker.Client, *packet.Publish) broker.Decision {
					<-l.w.events // nobody looks
					return broker.Decision{Action: broker.Consume}
				}
				p := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "a"})
				l.next("connected")
				a := &asker{peer: p, frame: wire(t, tt.frame)}
				took := a.ask(8 << 20)
				// Twice the bound in answers, one read more, and what was
				// read before its answers were counted.
				if most := (2*out + 3*16<<10) * len(a.frame) / tt.answer; took > most {
					t.Errorf("it took %d bytes of a client that reads nothing, want at most %d", took, most)
				}
				// It reads: everything is answered, and it is read again.
				answers := took / len(a.frame) * tt.answer
				if n, err := io.CopyN(io.Discard, p, int64(answers-answers/8)); err != nil {
					t.Fatalf("%d of %d bytes of answers: %v", n, answers, err)
				}
				if more := a.ask(4 << 10); more == 0 {
					t.Error("it is still not read although it reads")
				}
				a.ask(8 << 20)
				start := time.Now()
				e := l.next("closed")
				l.within(time.Since(start), 0, 31*time.Second)
				if e.cause != broker.TooSlow {
					t.Errorf("closed because %v", e.cause)
				}
				p.Close()
			})
		})
	}
}

// TestAnswersThatWaitDoNotCostTheKeepAlive: what a client sends while it is not
// read has come in time.
func TestAnswersThatWaitDoNotCostTheKeepAlive(t *testing.T) {
	inLab(t, broker.Options{Limits: broker.Limits{OutBuffer: 8 << 10, StallTimeout: time.Hour}}, func(l *lab) {
		p := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "a", KeepAlive: 10})
		l.next("connected")
		(&asker{peer: p, frame: []byte{0xc0, 0}}).ask(1 << 20)
		time.Sleep(time.Minute) // four times the keep-alive
		rest := make(chan error, 1)
		go func() {
			_, err := io.CopyN(io.Discard, p, 16<<10)
			rest <- err
		}()
		if err := <-rest; err != nil {
			t.Errorf("cut off: %v", err)
		}
		synctest.Wait()
		if !l.Online("a") {
			t.Error("cut off although its PINGREQ was there")
		}
		p.Close()
	})
}

// TestABacklogIsBounded: what a client that reads nothing is sent is held up to
// OutBuffer and the session's queue, and dropped and counted beyond.
func TestABacklogIsBounded(t *testing.T) {
	inLab(t, broker.Options{Limits: broker.Limits{OutBuffer: 32 << 10, QueueCount: 50, QueueBytes: 1 << 20, StallTimeout: time.Hour}}, func(l *lab) {
		p := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "slow"})
		p.subscribe("t", 1)
		payload := make([]byte, 1000)
		var delivered, queued, full int
		for i := range 1000 {
			switch o := l.Send("slow", broker.Message{Topic: "t", Payload: payload, QoS: 1}, broker.Unasked); o {
			case broker.Delivered:
				delivered++
			case broker.Queued:
				queued++
			case broker.QueueFull:
				full++
			default:
				t.Fatalf("message %d: %v", i, o)
			}
		}
		c := l.Counters()
		if delivered > 34 || queued != 50 || delivered+queued+full != 1000 || c.DroppedQueueFull.Load() != int64(full) ||
			c.Queued.Load() != 50 || c.QueuedBytes.Load() != 50*(1000+1+160) {
			t.Errorf("%d delivered, %d queued, %d dropped; counted: %d waiting with %d bytes, %d dropped",
				delivered, queued, full, c.Queued.Load(), c.QueuedBytes.Load(), c.DroppedQueueFull.Load())
		}
		for range 1000 { // QoS 0 takes nothing from what waits
			if o := l.Send("slow", broker.Message{Topic: "t", Payload: payload}, broker.Unasked); o != broker.QueueFull {
				t.Fatalf("QoS 0: %v", o)
			}
		}
		if n := c.DroppedSlow.Load(); n != 1000 {
			t.Errorf("%d counted as dropped", n)
		}
		for i := range delivered + queued { // it reads again: nothing that was taken is missing
			m := p.get(mqtt.V311).(*packet.Publish)
			if m.QoS != 1 || len(m.Payload) != 1000 {
				t.Fatalf("message %d: QoS %d, %d bytes", i, m.QoS, len(m.Payload))
			}
			p.put(mqtt.V311, &packet.Puback{ID: m.ID})
		}
		p.wantSilence()
		p.Close()
	})
}

// TestUnacknowledgedBytesAreBounded: a client that reads and never acknowledges
// holds no more than QueueBytes of messages under way, beside those that wait.
func TestUnacknowledgedBytesAreBounded(t *testing.T) {
	const size = 100_000
	h := serve(t, broker.Options{Limits: broker.Limits{QueueBytes: 3*size + 1000, QueueCount: 1000}})
	p := h.connected("a")
	p.subscribe("t", 1)
	var delivered, queued int
	for range 50 {
		switch h.Send("a", broker.Message{Topic: "t", Payload: make([]byte, size), QoS: 1}, broker.Unasked) {
		case broker.Delivered:
			delivered++
			p.get(mqtt.V311)
		case broker.Queued:
			queued++
		}
	}
	if delivered != 3 || queued != 3 {
		t.Errorf("%d under way and %d waiting of 50, want 3 and 3", delivered, queued)
	}
	for id := uint16(1); id <= 6; id++ { // each acknowledgement makes room for one
		p.put(mqtt.V311, &packet.Puback{ID: id})
		if id <= 3 {
			if m := p.get(mqtt.V311).(*packet.Publish); m.ID != id+3 {
				t.Errorf("message %d after acknowledging %d", m.ID, id)
			}
		}
	}
	p.wantSilence()
	if o := h.Send("a", broker.Message{Topic: "t", Payload: make([]byte, 10*size), QoS: 2}, broker.Unasked); o != broker.Delivered {
		t.Errorf("one larger than the bound, alone: %v", o)
	}
	if o := h.Send("a", broker.Message{Topic: "t", Payload: make([]byte, 10*size), QoS: 1}, broker.Unasked); o != broker.Queued {
		t.Errorf("another one behind it: %v", o)
	}
}

// TestPropertiesCountAsBytes: what a message costs in queues and among retained
// messages is all of it.
func TestPropertiesCountAsBytes(t *testing.T) {
	const bulk = 10_000
	fat := &packet.Properties{UserProperties: []packet.UserProperty{{Name: "k", Value: string(bytes.Repeat([]byte("v"), bulk))}}}
	w := newWitness()
	h := serve(t, broker.Options{Rules: w, Limits: broker.Limits{QueueBytes: 3 * bulk, RetainedBytes: 3 * bulk}})
	h.away(w, "dev1")
	pub := h.connected5("pub")
	for i := range 5 {
		pub.put(mqtt.V5, &packet.Publish{Topic: fmt.Append(nil, "q/", i), Payload: []byte("x"), QoS: 1, ID: 1, Retain: true, Properties: fat})
		pub.get(mqtt.V5)
	}
	c := h.Counters()
	if c.Queued.Load() != 2 || c.QueuedBytes.Load() < 2*bulk || c.Retained.Load() != 2 || c.RetainedBytes.Load() < 2*bulk {
		t.Errorf("%d messages wait with %d bytes, %d are retained with %d; want 2 each with more than %d",
			c.Queued.Load(), c.QueuedBytes.Load(), c.Retained.Load(), c.RetainedBytes.Load(), 2*bulk)
	}
	if c.DroppedQueueFull.Load() != 3 || c.DroppedRetained.Load() != 3 {
		t.Errorf("%d and %d counted as dropped, want 3 each", c.DroppedQueueFull.Load(), c.DroppedRetained.Load())
	}
}

// A narrow listener's connections have small buffers: what a client does not
// read is soon the broker's and not the system's.
type narrow struct{ net.Listener }

func (n narrow) Accept() (net.Conn, error) {
	nc, err := n.Listener.Accept()
	if err == nil {
		nc.(*net.TCPConn).SetWriteBuffer(16 << 10)
		nc.(*net.TCPConn).SetReadBuffer(16 << 10)
	}
	return nc, err
}

// narrow opens a second port and returns its address.
func (h *house) narrow() string {
	h.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve(context.Background(), narrow{ln}) }()
	h.t.Cleanup(func() {
		h.stop()
		if err := <-served; err != nil {
			h.t.Error(err)
		}
	})
	return ln.Addr().String()
}

// TestWhoIsNotReadCanBeEnded: on a real socket the broker sits in the middle of
// reading; a kick, a newer connection, its own end and Shutdown end it all the same.
func TestWhoIsNotReadCanBeEnded(t *testing.T) {
	for _, tt := range []struct {
		name  string
		cause broker.Cause
		end   func(h *house, p *peer)
	}{
		{"kicked", broker.Kicked, func(h *house, _ *peer) { h.Disconnect("a", mqtt.AdministrativeAction) }},
		{"taken over", broker.TakenOver, func(h *house, _ *peer) { h.connected("a") }},
		{"its own end", broker.Lost, func(_ *house, p *peer) { p.Conn.(*net.TCPConn).SetLinger(0); p.Close() }},
		{"Shutdown", broker.ServerDown, func(h *house, _ *peer) {
			if err := h.stop(); err != nil {
				h.t.Error(err)
			}
		}},
		{"stalled", broker.TooSlow, func(*house, *peer) {}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stall := time.Hour
			if tt.cause == broker.TooSlow {
				stall = 200 * time.Millisecond
			}
			w := newWitness()
			h := serve(t, broker.Options{Rules: w, Limits: broker.Limits{OutBuffer: 16 << 10, StallTimeout: stall}})
			undisturbed := h.bystander()
			h.addr = h.narrow()
			p := h.connected("a")
			p.Conn.(*net.TCPConn).SetReadBuffer(16 << 10)
			w.next(t, "connected")
			w.next(t, "connected")
			for block, total := bytes.Repeat([]byte{0xc0, 0}, 16<<10), 0; ; {
				p.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
				n, _ := p.Write(block)
				c := h.Counters() // a full network alone is not what is meant
				if total += n; n == 0 && c.BytesIn.Load()-c.BytesOut.Load() > 16<<10 || !h.Online("a") {
					break
				}
				if total > 64<<20 {
					t.Fatal("64 MiB were taken from a client that reads nothing")
				}
			}
			if tt.cause == broker.Kicked {
				undisturbed()
				w.next(t, "publish")
			}
			start := time.Now()
			tt.end(h, p)
			for e := w.next(t, "closed"); e.client.ID() != "a"; e = w.next(t, "closed") {
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}
