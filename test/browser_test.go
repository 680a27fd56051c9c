package test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// TestABrowserOpensAWebSocket: the bytes of a browser's handshake, as a page
// with MQTT.js makes it. A browser gives up where the subprotocol is not
// answered, where one is answered that it has not offered, or where an extension
// is; and it always says whose page it is.
func TestABrowserOpensAWebSocket(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	for name, tt := range map[string]struct{ origin, path, offered, answered string }{
		"a page from here":                       {"http://" + m.device, "/mqtt", "mqtt", "mqtt"},
		"a page from elsewhere":                  {"https://app.example.com", "/mqtt", "mqtt", "mqtt"},
		"a file, or a frame in a sandbox":        {"null", "/", "mqtt", "mqtt"},
		"an application that is a page":          {"capacitor://localhost", "/mqtt", "mqtt", "mqtt"},
		"MQTT 3.1":                               {"https://app.example.com", "/mqtt", "mqttv3.1", "mqttv3.1"},
		"both offered":                           {"https://app.example.com", "/mqtt", "mqtt, mqttv3.1", "mqtt"},
		"none offered, as a WebSocket by itself": {"https://app.example.com", "/mqtt", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := net.Dial("tcp", m.device)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(patience))
			hello := "GET " + tt.path + " HTTP/1.1\r\nHost: " + m.device + "\r\nConnection: keep-alive, Upgrade\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n" +
				"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36\r\n" +
				"Upgrade: websocket\r\nOrigin: " + tt.origin + "\r\nSec-WebSocket-Version: 13\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n" +
				"Accept-Language: zh-CN,zh;q=0.9\r\nCookie: session=1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
				"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
			if tt.offered != "" {
				hello += "Sec-WebSocket-Protocol: " + tt.offered + "\r\n"
			}
			if _, err := io.WriteString(c, hello+"\r\n"); err != nil {
				t.Fatal(err)
			}
			r := bufio.NewReader(c)
			answer, err := http.ReadResponse(r, &http.Request{Method: "GET"})
			if err != nil {
				t.Fatal(err)
			}
			h := answer.Header
			if answer.StatusCode != http.StatusSwitchingProtocols || h.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" { // [RFC 6455 §1.3]
				t.Fatalf("%s %v", answer.Status, h)
			}
			if got := h.Values("Sec-WebSocket-Protocol"); len(got) > 1 || h.Get("Sec-WebSocket-Protocol") != tt.answered {
				t.Errorf("subprotocol %q, want %q", got, tt.answered)
			}
			if got := h.Values("Sec-WebSocket-Extensions"); len(got) > 0 {
				t.Errorf("extensions %q", got)
			}
			id, user, pass := aliyunLogin(lampProduct, lampName, lampSecret)
			if _, err := c.Write(masked(connect(id, user, pass, 60, true))); err != nil {
				t.Fatal(err)
			}
			frame := make([]byte, 6) // a binary frame of four bytes, not masked: CONNACK
			if _, err := io.ReadFull(r, frame); err != nil || string(frame) != "\x82\x04\x20\x02\x00\x00" {
				t.Errorf("% x, %v", frame, err)
			}
		})
	}
}

// masked is a binary frame as browsers send it [RFC 6455 §5.3].
func masked(b []byte) []byte {
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	f := []byte{0x82, 0x80 | 126, byte(len(b) >> 8), byte(len(b))}
	f = append(f, key[:]...)
	for i, c := range b {
		f = append(f, c^key[i%4])
	}
	return f
}
