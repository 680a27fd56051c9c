package tap

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// A stage is a tap between devices and a broker that answers each packet with
// two bytes.
type stage struct {
	t      *testing.T
	addr   string
	stop   func() error
	mu     sync.Mutex
	said   []string
	events chan struct{} // one for each event
}

func newStage(t *testing.T, o Options, broker func(net.Conn)) *stage {
	t.Helper()
	s := &stage{t: t, events: make(chan struct{}, 1000)}
	there, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var brokers sync.WaitGroup
	brokers.Go(func() {
		for {
			conn, err := there.Accept()
			if err != nil {
				return
			}
			brokers.Go(func() { defer conn.Close(); broker(conn) })
		}
	})
	if o.Dial == nil {
		o.Dial = func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", there.Addr().String())
		}
	}
	o.On = func(e Event) {
		s.mu.Lock()
		defer s.mu.Unlock()
		w := fmt.Sprintf("%d %s", e.Connection, e.Kind)
		switch e.Kind {
		case Packet:
			w = fmt.Sprintf("%d %s %x", e.Connection, e.Packet.From, e.Packet.Bytes)
			if e.Packet.Foreign {
				w += " foreign"
			}
			if e.Packet.Short {
				w += " short"
			}
			if e.Packet.Over > 0 {
				w += fmt.Sprintf(" +%d", e.Packet.Over)
			}
		case Closed:
			w += " by " + e.From.String()
		}
		s.said = append(s.said, w)
		s.events <- struct{}{}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, ln, o) }()
	s.stop = sync.OnceValue(func() error {
		cancel()
		err := <-ended
		there.Close()
		brokers.Wait()
		return err
	})
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *stage) dial() net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	return conn
}

// after waits for so many events and returns all.
func (s *stage) after(n int) string {
	s.t.Helper()
	timer := time.NewTimer(10 * time.Second)
	defer timer.Stop()
	for range n {
		select {
		case <-s.events:
		case <-timer.C:
			s.mu.Lock()
			defer s.mu.Unlock()
			s.t.Fatalf("only %q", s.said)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.said, ", ")
}

func say(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(b); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, conn net.Conn, n int) string {
	t.Helper()
	b := make([]byte, n)
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadFull(conn, b); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b)
}

// pong answers two bytes with two.
func pong(conn net.Conn) {
	b := make([]byte, 2)
	for {
		if _, err := io.ReadFull(conn, b); err != nil {
			return
		}
		if b[0] == 0xe0 {
			return
		}
		conn.Write([]byte{0xd0, 0})
	}
}

func TestPacketsGoByAndAreTold(t *testing.T) {
	s := newStage(t, Options{}, pong)
	conn := s.dial()
	say(t, conn, "c0")
	say(t, conn, "00")
	if got := hear(t, conn, 2); got != "d000" {
		t.Errorf("heard %s", got)
	}
	if got := s.after(3); got != "1 opened, 1 device c000, 1 broker d000" {
		t.Errorf("%s", got)
	}
	say(t, conn, "e000")
	if got := s.after(2); !strings.HasSuffix(got, "1 device e000, 1 closed by broker") {
		t.Errorf("%s", got)
	}
	if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the device's connection: %v", err)
	}
}

func TestDevicesEndConnections(t *testing.T) {
	s := newStage(t, Options{}, func(conn net.Conn) { io.Copy(io.Discard, conn) })
	conn := s.dial()
	say(t, conn, "3005")
	conn.Close()
	if got := s.after(3); got != "1 opened, 1 device 3005 short, 1 closed by device" {
		t.Errorf("%s", got)
	}
}

func TestSeveralDevicesAndNoMore(t *testing.T) {
	s := newStage(t, Options{Connections: 2}, pong)
	a, b := s.dial(), s.dial()
	s.after(2)
	say(t, a, "c000")
	hear(t, a, 2)
	say(t, b, "c000")
	hear(t, b, 2)
	s.after(4)
	third := s.dial()
	third.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := third.Read(make([]byte, 1)); err == nil {
		t.Error("the third was let in")
	}
	if got := s.after(1); !strings.HasSuffix(got, "3 turned away") {
		t.Errorf("%s", got)
	}
	a.Close()
	s.after(1)
	fourth := s.dial()
	say(t, fourth, "c000")
	if got := hear(t, fourth, 2); got != "d000" {
		t.Errorf("%s", got)
	}
}

func TestLongPacketsPassWholeAndAreKeptInPart(t *testing.T) {
	whole := make(chan int, 1)
	s := newStage(t, Options{Packet: 16}, func(conn net.Conn) {
		n, _ := io.Copy(io.Discard, conn)
		whole <- int(n)
	})
	conn := s.dial()
	payload := bytes.Repeat([]byte{0x55}, 100_000)
	head, _ := hex.DecodeString("30a08d06") // 100,000
	conn.Write(append(head, payload...))
	if got := s.after(2); !strings.Contains(got, "1 device 30a08d06555555555555555555555555 +99988") {
		t.Errorf("%s", got)
	}
	conn.Close()
	if n := <-whole; n != 100_004 {
		t.Errorf("%d bytes arrived", n)
	}
}

func TestWhatIsNoMQTTPassesToo(t *testing.T) {
	s := newStage(t, Options{}, func(conn net.Conn) { io.Copy(conn, conn) })
	conn := s.dial()
	say(t, conn, "160301")
	if got := hear(t, conn, 3); got != "160301" {
		t.Errorf("%s", got)
	}
	if got := s.after(3); !strings.Contains(got, "1 device 160301 foreign") {
		t.Errorf("%s", got)
	}
}

func TestBrokersThatAreNotThere(t *testing.T) {
	s := newStage(t, Options{Dial: func(context.Context) (net.Conn, error) { return nil, errors.New("no route") }}, pong)
	conn := s.dial()
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("%v", err)
	}
	if got := s.after(1); got != "1 unreached" {
		t.Errorf("%s", got)
	}
}

func TestServeEndsEverything(t *testing.T) {
	s := newStage(t, Options{}, pong)
	conn := s.dial()
	s.after(1)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is still there")
	}
	if _, err := net.Dial("tcp", s.addr); err == nil {
		t.Error("the port is still there")
	}
}
