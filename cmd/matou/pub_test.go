package main

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

func TestPubPublishes(t *testing.T) {
	for _, tt := range []struct {
		name  string
		line  string
		stdin string
		want  []string // topic, payload, flags
	}{
		{"arguments", "t/1 hi", "", []string{"t/1 hi q0"}},
		{"flags", "-t t/1 -m hi -q 1 -r", "", []string{"t/1 hi q1 retained"}},
		{"exactly once", "-t t/1 -m hi -q 2", "", []string{"t/1 hi q2"}},
		{"topic by flag, message by argument", "-t t/1 hi", "", []string{"t/1 hi q0"}},
		{"standard input", "t/1 -", "all of it\n", []string{"t/1 all of it\n q0"}},
		{"file", "-t t/1 -f testdata/publish.bin", "", []string{"t/1 0\a\x00\x03t/1hi q0"}},
		{"lines", "-t t/1 -l -q 1", "one\ntwo\n", []string{"t/1 one q1", "t/1 two q1"}},
		{"empty message", "-t t/1 -r -m", "", []string{"t/1  q0 retained"}},
		{"3.1", "t/1 hi --version 3.1", "", []string{"t/1 hi q0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c collector
			s := serve(t, c.handle)
			line, more := "pub --port "+s.port+" "+tt.line, []string(nil)
			if strings.HasSuffix(line, "-m") {
				more = []string{""}
			}
			code, stdout, stderr := matou(t.Context(), tt.stdin, line, more...)
			if code != 0 || stdout != "" || stderr != "" {
				t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
			}
			s.ln.Close()
			s.wg.Wait()
			var got []string
			for _, p := range c.got {
				g := fmt.Sprintf("%s %s q%d", p.Topic, p.Payload, p.QoS)
				if p.Retain {
					g += " retained"
				}
				got = append(got, g)
			}
			if strings.Join(got, "|") != strings.Join(tt.want, "|") {
				t.Errorf("published %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPubSaysJSONWhatItSent(t *testing.T) {
	var c collector
	s := serve(t, c.handle)
	code, stdout, _ := matou(t.Context(), "a\nbc\n", "pub --json -q 1 -l -t t --port "+s.port)
	want := "{\n  \"topic\": \"t\",\n  \"qos\": 1,\n  \"messages\": 2,\n  \"bytes\": 3\n}\n"
	if code != 0 || stdout != want {
		t.Errorf("exit %d, %s, want %s", code, stdout, want)
	}
}

func TestPubConnectsAsTold(t *testing.T) {
	var c collector
	s := serve(t, c.handle)
	code, _, stderr := matou(t.Context(), "", "pub t hi -i desk -u me -P pw -k 2m -c --version 5 --session-expiry 1h "+
		"--will-topic w --will-payload gone --will-qos 1 --will-retain --user-property a=b=c --content-type text/plain "+
		"--response-topic r --expiry 1m --port "+s.port)
	if code != 0 {
		t.Fatalf("exit %d, %s", code, stderr)
	}
	s.ln.Close()
	s.wg.Wait()
	h := c.hello
	if h.ClientID != "desk" || h.Username != "me" || string(h.Password) != "pw" || h.KeepAlive != 120 || h.CleanStart ||
		h.Version != mqtt.V5 || *h.Properties.SessionExpiry != 3600 {
		t.Errorf("CONNECT %+v", h)
	}
	if w := h.Will; w == nil || w.Topic != "w" || string(w.Payload) != "gone" || w.QoS != 1 || !w.Retain {
		t.Errorf("will %+v", w)
	}
	p := c.got[0].Properties
	if p == nil || p.ContentType != "text/plain" || p.ResponseTopic != "r" || *p.MessageExpiry != 60 ||
		len(p.UserProperties) != 1 || p.UserProperties[0] != (packet.UserProperty{Name: "a", Value: "b=c"}) {
		t.Errorf("properties %+v", p)
	}
}

func TestPubSignsForADevice(t *testing.T) {
	for _, tt := range []struct {
		name               string
		flags              []string
		id, user, password string
	}{
		{"Aliyun V1 [aliyun-device §2.10]", append([]string{"--method", "hmacsha1"}, v1...),
			"12345|securemode=3,signmethod=hmacsha1,timestamp=789|", "device&pk", "fafd82a3d602b37fb0fa8b7892f24a477f851a14"},
		{"OneNET [onenet §2.4]", append([]string{"--method", "sha1"}, tv...), "my_tv", "VRqhDHF2wL", tvToken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c collector
			s := serve(t, c.handle)
			if code, _, stderr := matou(t.Context(), "", "pub t hi --port "+s.port, tt.flags...); code != 0 {
				t.Fatalf("exit %d, %s", code, stderr)
			}
			s.ln.Close()
			s.wg.Wait()
			if h := c.hello; h.ClientID != tt.id || h.Username != tt.user || string(h.Password) != tt.password {
				t.Errorf("CONNECT %q, %q, %q, want %q, %q, %q", h.ClientID, h.Username, h.Password, tt.id, tt.user, tt.password)
			}
		})
	}
}

func TestPubOverTLS(t *testing.T) {
	web := httptest.NewTLSServer(nil) // for its certificate of 127.0.0.1
	web.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, flags string
		code        int
		says        string
	}{
		{"authority given", "--cafile " + ca, 0, ""},
		{"any certificate", "--insecure", 0, ""},
		{"unknown authority", "--tls", 1, "certificate"},
		{"plain MQTT at a TLS port", "", 1, "without a CONNACK"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: web.TLS.Certificates})
			if err != nil {
				t.Fatal(err)
			}
			var c collector
			s := serveOn(t, ln, c.handle)
			code, _, stderr := matou(t.Context(), "", "pub t hi -q 1 --port "+s.port+" "+tt.flags)
			if code != tt.code || !strings.Contains(stderr, tt.says) {
				t.Errorf("exit %d, %q, want %d and %q", code, stderr, tt.code, tt.says)
			}
			s.ln.Close()
			s.wg.Wait()
			if got := len(c.got); got != 1-tt.code {
				t.Errorf("%d messages arrived", got)
			}
		})
	}
}

func TestPubExplainsARefusal(t *testing.T) {
	for _, tt := range []struct {
		name   string
		flags  string
		reason mqtt.ReasonCode
		says   string
	}{
		{"wrong password", "-u me -P pw", mqtt.BadUserNameOrPassword, "user name or password is wrong\n"},
		{"wrong password of an Aliyun device", "-i a|securemode=3| -u dn&pk -P pw", mqtt.BadUserNameOrPassword, "'matou doctor aliyun' finds the mistake"},
		{"wrong token", "-i tv -u pid -P version=1&sign=x", mqtt.NotAuthorized, "'matou doctor onenet' finds the mistake"},
		{"server down", "-u me", mqtt.ServerUnavailable, "it is not available now\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, func(p *peer) { p.send(&packet.Connack{Reason: tt.reason}); p.read() })
			code, stdout, stderr := matou(t.Context(), "", "pub t hi --port "+s.port+" "+tt.flags)
			if code != 1 || stdout != "" || !strings.Contains(stderr, tt.says) {
				t.Errorf("exit %d, %q, want 1 and %q", code, stderr, tt.says)
			}
		})
	}
}

func TestPubFailures(t *testing.T) {
	refuse := serve(t, func(p *peer) {
		p.send(&packet.Connack{})
		if q, ok := p.read().(*packet.Publish); ok {
			p.send(&packet.Puback{ID: q.ID, Reason: mqtt.NotAuthorized})
		}
		p.read()
	})
	gone := serve(t, func(*peer) {})
	for _, tt := range []struct{ name, line, stdin, says string }{
		{"publish refused", "pub --version 5 -q 1 t hi --port " + refuse.port, "", "publish to t: not authorized"},
		{"silent server", "pub t hi --port " + gone.port, "", "without a CONNACK"},
		{"missing file", "pub t -f testdata/none --port " + gone.port, "", "no such file"},
		{"long line", "pub -t t -l --port " + refuse.port, strings.Repeat("x", maxLine+1), "longer than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, _, stderr := matou(t.Context(), tt.stdin, tt.line)
			if code != 1 || !strings.Contains(stderr, tt.says) {
				t.Errorf("exit %d, %q, want 1 and %q", code, stderr, tt.says)
			}
		})
	}
}
