package test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// crashes is how often the server is killed; MATOU_CRASHES asks for more.
func crashes() int {
	if n, err := strconv.Atoi(os.Getenv("MATOU_CRASHES")); err == nil && n > 0 {
		return n
	}
	return 8
}

// TestNothingIsLostThroughManyCrashes kills the server again and again while
// two senders and a receiver go on with their sessions. Of what was
// acknowledged nothing may be missing; QoS 2 comes exactly once; order holds
// per sender.
func TestNothingIsLostThroughManyCrashes(t *testing.T) {
	data := t.TempDir()
	m := start(t, data)
	m.product("plain", "mqtt", "lenient", "", "")
	for _, name := range []string{"one", "two", "sink"} {
		m.add("plain", name, "secret-"+name)
	}
	once := &sender{name: "one", qos: 2}
	least := &sender{name: "two", qos: 1}
	sink := &receiver{open: map[uint16]bool{}}
	subscribed := false
	for round := range crashes() {
		if round > 0 {
			m = start(t, data)
		}
		var clients sync.WaitGroup
		stop := make(chan struct{})
		var conns []net.Conn
		c := m.resume(t, "sink", subscribed)
		conns = append(conns, c)
		if !subscribed {
			c.Write(frame(0x82, "\x00\x01"+str("plain/t/#")+"\x02"))
			c.expect("90 03 00 01 02")
			subscribed = true
		}
		for _, s := range []*sender{once, least} {
			c := m.resume(t, s.name, round > 0)
			conns = append(conns, c)
			clients.Go(func() { s.run(c, stop) })
		}
		clients.Go(func() { sink.run(c) })
		// A random moment in the life of the load; nothing has to be waited for.
		<-time.After(time.Duration(20+rand.IntN(200)) * time.Millisecond)
		m.kill()
		close(stop)
		for _, c := range conns {
			c.Close()
		}
		clients.Wait()
	}

	m = start(t, data)
	// The senders finish what they have begun, then the receiver takes the rest.
	for _, s := range []*sender{once, least} {
		c := m.resume(t, s.name, true)
		stop := make(chan struct{})
		close(stop)
		s.run(c, stop)
		c.Close()
	}
	c := m.resume(t, "sink", true)
	sink.await(c, func() bool { return sink.has("one", once.done) && sink.has("two", least.done) }, t)

	t.Logf("%d crashes, %d messages of QoS 2, %d of QoS 1", crashes(), once.done, least.done)
	if once.done < crashes() || least.done < crashes() {
		t.Errorf("only %d and %d messages: that is no load", once.done, least.done)
	}
	for i, n := range sink.got["one"] {
		if n != i+1 {
			t.Fatalf("QoS 2: message %d came as number %d", n, i+1)
		}
	}
	if n := len(sink.got["one"]); n != once.done {
		t.Errorf("QoS 2: %d messages, %d were sent", n, once.done)
	}
	seen := map[int]bool{}
	top := 0
	for _, n := range sink.got["two"] {
		if !seen[n] && n != top+1 {
			t.Fatalf("QoS 1: message %d came first after %d", n, top)
		}
		seen[n], top = true, max(top, n)
	}
	if len(seen) < least.done {
		t.Errorf("QoS 1: %d of %d acknowledged messages", len(seen), least.done)
	}
}

// resume connects a device with its session kept, and says whether the server
// must still have it.
func (m *matou) resume(t *testing.T, name string, present bool) *wire {
	t.Helper()
	w := m.dial()
	w.Write(connect("client-"+name, "plain/"+name, "secret-"+name, 60, false))
	var ack [4]byte
	if _, err := ioReadFull(w, ack[:]); err != nil || ack[3] != 0 || (ack[2] == 1) != present {
		t.Fatalf("%s: CONNACK % x %v, session expected: %v", name, ack, err, present)
	}
	return w
}

// A sender sends numbers one behind the other and remembers, as a client does,
// how far the exchange of the current one is.
type sender struct {
	name     string
	qos      byte
	done     int // numbers whose exchange is complete
	began    bool
	released bool // of QoS 2: PUBREC came
}

func (s *sender) id() uint16 { return uint16(s.done%60000 + 1) }

func (s *sender) send(w io.Writer, dup byte) error {
	text := strconv.Itoa(s.done + 1)
	id := s.id()
	_, err := w.Write(frame(0x30|s.qos<<1|dup<<3, str("plain/t/"+s.name)+string([]byte{byte(id >> 8), byte(id)})+text))
	return err
}

func (s *sender) release(w io.Writer) error {
	id := s.id()
	_, err := w.Write([]byte{0x62, 2, byte(id >> 8), byte(id)})
	return err
}

// run goes on until the connection ends or, when stop is closed, the current
// exchange is complete.
func (s *sender) run(w *wire, stop <-chan struct{}) {
	for {
		var err error
		switch {
		case s.released:
			err = s.release(w)
		case s.began:
			err = s.send(w, 1)
		default:
			select {
			case <-stop:
				return
			default:
			}
			s.began = true
			err = s.send(w, 0)
		}
		if err != nil || !s.answers(w) {
			return
		}
	}
}

// answers reads until the current number is complete.
func (s *sender) answers(w *wire) bool {
	for {
		var p [4]byte
		if _, err := ioReadFull(w, p[:]); err != nil {
			return false
		}
		if id := uint16(p[2])<<8 | uint16(p[3]); id != s.id() {
			continue // a late answer to something that is complete
		}
		switch p[0] {
		case 0x50: // PUBREC
			s.released = true
			if s.release(w) != nil {
				return false
			}
		case 0x40, 0x70: // PUBACK, PUBCOMP
			s.done++
			s.began, s.released = false, false
			return true
		}
	}
}

// A receiver takes messages as a client with a session does.
type receiver struct {
	open map[uint16]bool // of QoS 2: delivered and not yet released
	got  map[string][]int
}

func (r *receiver) has(name string, n int) bool {
	for _, got := range r.got[name] {
		if got == n {
			return true
		}
	}
	return n == 0
}

func (r *receiver) run(w *wire) {
	for r.step(w) == nil {
	}
}

func (r *receiver) await(w *wire, enough func() bool, t *testing.T) {
	t.Helper()
	for !enough() {
		if err := r.step(w); err != nil {
			t.Fatalf("the receiver waits in vain: %v", err)
		}
	}
}

func (r *receiver) step(w *wire) error {
	var head [2]byte
	if _, err := ioReadFull(w, head[:]); err != nil {
		return err
	}
	body := make([]byte, head[1]) // all packets here are short
	if _, err := ioReadFull(w, body); err != nil {
		return err
	}
	switch head[0] & 0xF0 {
	case 0x30:
		n := int(body[0])<<8 | int(body[1])
		topic, rest := string(body[2:2+n]), body[2+n:]
		qos := head[0] >> 1 & 3
		id := uint16(rest[0])<<8 | uint16(rest[1])
		if qos == 1 || !r.open[id] {
			number, err := strconv.Atoi(string(rest[2:]))
			if err != nil {
				return fmt.Errorf("payload %q of %s", rest[2:], topic)
			}
			if r.got == nil {
				r.got = map[string][]int{}
			}
			r.got[topic[len("plain/t/"):]] = append(r.got[topic[len("plain/t/"):]], number)
		}
		if qos == 2 {
			r.open[id] = true
			_, err := w.Write([]byte{0x50, 2, rest[0], rest[1]})
			return err
		}
		_, err := w.Write([]byte{0x40, 2, rest[0], rest[1]})
		return err
	case 0x60:
		delete(r.open, uint16(body[0])<<8|uint16(body[1]))
		_, err := w.Write([]byte{0x70, 2, body[0], body[1]})
		return err
	}
	return nil
}
