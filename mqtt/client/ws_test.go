package client

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// serveWS runs one WebSocket handler of coder/websocket and dials it.
func serveWS(t *testing.T, path string, o *websocket.AcceptOptions, handle func(ctx context.Context, c *websocket.Conn)) (net.Conn, error) {
	t.Helper()
	done := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		if r.URL.Path != path {
			http.NotFound(w, r)
			return
		}
		c, err := websocket.Accept(w, r, o)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.CloseNow()
		handle(t.Context(), c)
	}))
	dial, err := DialURL("ws"+strings.TrimPrefix(s.URL, "http")+strings.TrimSuffix(path, "/mqtt"), nil)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := dial(t.Context())
	t.Cleanup(func() {
		if conn != nil {
			conn.Close()
		}
		<-done
		s.Close()
	})
	return conn, err
}

var mqttProtocol = &websocket.AcceptOptions{Subprotocols: []string{"mqtt"}}

// TestWebSocketEcho: the client names the protocol [MQTT3-6.0.0-3] [MQTT5-6.0.0-3].
func TestWebSocketEcho(t *testing.T) {
	for _, size := range []int{0, 1, 125, 126, 65535, 65536, 300_000} {
		conn, err := serveWS(t, "/mqtt", mqttProtocol, func(ctx context.Context, c *websocket.Conn) {
			if c.Subprotocol() != "mqtt" {
				t.Errorf("subprotocol %q, want mqtt", c.Subprotocol())
			}
			c.SetReadLimit(-1)
			kind, b, err := c.Read(ctx)
			if err != nil || kind != websocket.MessageBinary {
				t.Errorf("server read %v, %v", kind, err)
			}
			c.Write(ctx, websocket.MessageBinary, b)
			c.Close(websocket.StatusNormalClosure, "")
		})
		if err != nil {
			t.Fatal(err)
		}
		sent := bytes.Repeat([]byte("0123456789abc"), size/13+1)[:size]
		if n, err := conn.Write(sent); n != size || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
		if got, err := io.ReadAll(conn); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%d bytes came back as %d, %v", size, len(got), err)
		}
	}
}

func TestWebSocketAnswersPingWhileReading(t *testing.T) {
	conn, err := serveWS(t, "/a/b", mqttProtocol, func(ctx context.Context, c *websocket.Conn) {
		ctx = c.CloseRead(ctx) // reads the pong
		if err := c.Ping(ctx); err != nil {
			t.Errorf("no pong: %v", err)
		}
		c.Write(ctx, websocket.MessageBinary, []byte("x"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if b := make([]byte, 1); true {
		if _, err := io.ReadFull(conn, b); err != nil || b[0] != 'x' {
			t.Errorf("read %q, %v", b, err)
		}
	}
}

func TestWebSocketCloseOfTheServer(t *testing.T) {
	conn, err := serveWS(t, "/mqtt", mqttProtocol, func(ctx context.Context, c *websocket.Conn) {
		c.Close(websocket.StatusPolicyViolation, "go away")
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Read(make([]byte, 1))
	var closed *CloseError
	if !errors.As(err, &closed) || closed.Code != 1008 || closed.Reason != "go away" {
		t.Errorf("Read = %v, want status 1008 and its reason", err)
	}
}

func TestWebSocketCloseOfTheClientIsOrderly(t *testing.T) {
	status := make(chan websocket.StatusCode, 1)
	conn, err := serveWS(t, "/mqtt", mqttProtocol, func(ctx context.Context, c *websocket.Conn) {
		_, _, err := c.Read(ctx)
		status <- websocket.CloseStatus(err)
	})
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if got := <-status; got != websocket.StatusNormalClosure {
		t.Errorf("server saw status %v, want 1000", got)
	}
	if _, err := conn.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after Close = %v, want net.ErrClosed", err)
	}
}

// say plays a server that answers the upgrade with a fixed text.
func say(t *testing.T, answer string) error {
	t.Helper()
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer ours.Close()
		if _, err := http.ReadRequest(bufio.NewReader(ours)); err == nil {
			io.WriteString(ours, answer)
		}
	}()
	_, err := upgrade(t.Context(), theirs, &url.URL{Host: "host"})
	theirs.Close()
	<-done
	return err
}

func TestWebSocketUpgradeIsChecked(t *testing.T) {
	const good = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	for _, tt := range []struct{ name, answer, says string }{
		{"no 101", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404"},
		{"no Upgrade [RFC 6455 §4.1 2]", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n", "lacks"},
		{"wrong key [RFC 6455 §4.1 4]", good + "Sec-WebSocket-Accept: AAAA\r\n\r\n", "does not fit our key"},
		{"no HTTP at all", "\x20\x02\x00\x00\r\n", "malformed"},
		{"endless header", "HTTP/1.1 101 " + strings.Repeat("x", 2*maxHandshake), "EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := say(t, tt.answer); err == nil || !isIn(err.Error(), tt.says) {
				t.Errorf("upgrade = %v, want it to say %q", err, tt.says)
			}
		})
	}
}

func TestWebSocketUpgradeEndsWithItsContext(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { http.ReadRequest(bufio.NewReader(ours)); cancel() }()
	if _, err := upgrade(ctx, theirs, &url.URL{Host: "host"}); err == nil {
		t.Error("upgrade without an answer succeeded")
	}
}

// mute is a net.Conn that only reads; what is written is kept.
type mute struct {
	net.Conn
	in  io.Reader
	out bytes.Buffer
}

func (m *mute) Read(p []byte) (int, error)       { return m.in.Read(p) }
func (m *mute) Write(p []byte) (int, error)      { return m.out.Write(p) }
func (m *mute) Close() error                     { return nil }
func (m *mute) SetWriteDeadline(time.Time) error { return nil }

func socket(frames string) (*wsConn, *mute) {
	m := &mute{in: strings.NewReader(frames)}
	return &wsConn{Conn: m, r: bufio.NewReader(m)}, m
}

func TestWebSocketFrames(t *testing.T) {
	for _, tt := range []struct {
		name   string
		frames string
		data   string
		says   string // of the error after data
	}{
		{"one frame", "\x82\x02hi", "hi", "EOF"},
		{"empty frame is no data", "\x82\x00\x82\x01x", "x", "EOF"},
		{"fragments are one stream [RFC 6455 §5.4]", "\x02\x01a\x00\x01b\x80\x01c", "abc", "EOF"},
		{"control frame between fragments", "\x02\x01a\x8A\x00\x80\x01b", "ab", "EOF"},
		{"16-bit length", "\x82\x7E\x00\x02hi", "hi", "EOF"},
		{"64-bit length", "\x82\x7F\x00\x00\x00\x00\x00\x00\x00\x02hi", "hi", "EOF"},
		{"orderly close is the end of the stream", "\x82\x01a\x88\x02\x03\xE8", "a", "EOF"},
		{"close without status", "\x88\x00", "", "EOF"},
		{"close with another status", "\x88\x05\x03\xEAbad", "", "status 1002: bad"},
		{"cut inside a header", "\x82", "", "unexpected EOF"},
		{"cut inside a length", "\x82\x7E\x00", "", "unexpected EOF"},
		{"cut inside data", "\x82\x03hi", "hi", "unexpected EOF"},
		{"text is refused [MQTT5-6.0.0-1]", "\x81\x02hi", "", "text frame"},
		{"masked by the server [RFC 6455 §5.1]", "\x82\x82\x00\x00\x00\x00hi", "", "masked"},
		{"reserved bits [RFC 6455 §5.2]", "\xC2\x02hi", "", "reserved"},
		{"unknown opcode", "\x83\x00", "", "unknown opcode"},
		{"unknown control opcode", "\x8B\x00", "", "unknown opcode"},
		{"continuation of nothing", "\x80\x01a", "", "without a beginning"},
		{"message inside a message", "\x02\x01a\x82\x01b", "a", "inside a fragmented"},
		{"fragmented control frame", "\x09\x00", "", "control frame"},
		{"long control frame", "\x89\x7E\x00\x80", "", "control frame"},
		{"length that no packet has", "\x82\x7F\x00\x00\x00\x00\xFF\xFF\xFF\xFF", "", "more than"},
		{"length with the highest bit", "\x82\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", "", "more than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := socket(tt.frames)
			var data []byte
			var err error
			for b := make([]byte, 7); err == nil; {
				var n int
				n, err = c.Read(b)
				data = append(data, b[:n]...)
			}
			if string(data) != tt.data || !isIn(err.Error(), tt.says) {
				t.Errorf("read %q, %v, want %q, %q", data, err, tt.data, tt.says)
			}
		})
	}
}

func TestWebSocketWritesMaskedFrames(t *testing.T) {
	c, m := socket("")
	c.Write([]byte("hi"))
	b := m.out.Bytes()
	if len(b) != 8 || b[0] != 0x82 || b[1] != 0x82 || b[6]^b[2] != 'h' || b[7]^b[3] != 'i' {
		t.Errorf("frame % x, want 82 82 mask and masked \"hi\"", b)
	}
}

func FuzzWebSocketRead(f *testing.F) {
	f.Add("\x82\x02hi")
	f.Add("\x02\x01a\x89\x01p\x00\x7E\x00\x02bc\x80\x01c")
	f.Add("\x88\x05\x03\xEAbad")
	f.Add("\x82\x7F\x00\x00\x00\x00\xFF\xFF\xFF\xFF")
	f.Fuzz(func(t *testing.T, frames string) {
		c, m := socket(frames)
		data, _ := io.ReadAll(c)
		if len(data) > len(frames) {
			t.Errorf("%d bytes of frames gave %d bytes of data", len(frames), len(data))
		}
		if m.out.Len() > 4*len(frames)+16 {
			t.Errorf("%d bytes of frames made us answer %d", len(frames), m.out.Len())
		}
	})
}
