package test

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// refused logs in and returns the refusal's entry in the timeline.
func (m *matou) refused(clientID, username, password, product, device string) entry {
	m.t.Helper()
	w := m.dial()
	w.Write(connect(clientID, username, password, 60, true))
	w.expect("20 02 00 04")
	w.expectClosed()
	return m.awaitEntry(product, device, "the refusal of "+username, func(e entry) bool { return e.Kind == "refuse" })
}

func TestWrongSignaturesAreNamed(t *testing.T) {
	m := start(t, t.TempDir())
	m.product(lampProduct, "aliyun", "lenient", "Pq9LmN4bVcXz7KsD", lampTSL)
	id, user, good := aliyunLogin(lampProduct, "lamp", lampSecret)
	_ = id
	content := func(dn string) string { return fmt.Sprintf("clientId%sdeviceName%sproductKey%s", dn, dn, lampProduct) }
	for _, tt := range []struct {
		name, clientID, password, code string
	}{
		{"secret of another device", "lamp|securemode=3,signmethod=hmacsha256|", sign256("another secret", content("lamp")), "secret"},
		{"product's secret", "lamp|securemode=3,signmethod=hmacsha256|", sign256("Pq9LmN4bVcXz7KsD", content("lamp")), "product-secret"},
		{"other method than announced", "lamp|securemode=3,signmethod=hmacsha1|", good, "method"},
		{"whole client id signed", "lamp|securemode=3,signmethod=hmacsha256|", sign256(lampSecret, "clientIdlamp|securemode=3,signmethod=hmacsha256|deviceNamelampproductKey"+lampProduct), "client"},
		{"cut off", "lamp|securemode=3,signmethod=hmacsha256|", good[:40], ""},
		{"line end behind", "lamp|securemode=3,signmethod=hmacsha256|", good + "\r\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// A device of its own, so that its timeline holds this mistake only.
			m.t = t
			m.add(lampProduct, "lamp", lampSecret)
			defer func() { m.call("DELETE", "/products/"+lampProduct+"/devices/lamp", nil) }()
			e := m.refused(tt.clientID, user, tt.password, lampProduct, "lamp")
			if !strings.HasPrefix(e.Code, "aliyun-") || !strings.Contains(e.Code, tt.code) || e.Sentence == "" || e.SentenceZh == "" {
				t.Errorf("%s: %q %q", e.Code, e.Sentence, e.SentenceZh)
			}
			if strings.Contains(string(e.Detail), lampSecret) || strings.Contains(e.Sentence, lampSecret) {
				t.Error("the timeline shows the secret")
			}
		})
	}
	m.t = t
}

func sign256(secret, content string) string {
	return hex.EncodeToString(mac256(secret, content))
}

func TestUnknownAndDisabledAreNamed(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	id, user, pass := aliyunLogin("a1Nowhere00", lampName, lampSecret)
	if e := m.refused(id, user, pass, "a1Nowhere00", lampName); !strings.Contains(e.Code, "product") {
		t.Errorf("unknown product: %s", e.Code)
	}
	id, user, pass = aliyunLogin(lampProduct, "lamp99", lampSecret)
	if e := m.refused(id, user, pass, lampProduct, "lamp99"); !strings.Contains(e.Code, "device") {
		t.Errorf("unknown device: %s", e.Code)
	}
	w := m.loginAliyun(lampProduct, lampName, lampSecret)
	must[object](m, "PATCH", "/products/"+lampProduct+"/devices/"+lampName, object{"enabled": false})
	w.expectClosed() // disabling ends the connection
	id, user, pass = aliyunLogin(lampProduct, lampName, lampSecret)
	if e := m.refused(id, user, pass, lampProduct, lampName); e.Code != "device-disabled" {
		t.Errorf("disabled device: %s", e.Code)
	}
	m.awaitState(lampProduct, lampName, "DISABLED")
}

func TestOneNETMistakesAreNamed(t *testing.T) {
	m := start(t, t.TempDir())
	m.sensor("lenient")
	hexMD5 := func(key, s string) string {
		h := hmac.New(md5.New, []byte(key))
		h.Write([]byte(s))
		return hex.EncodeToString(h.Sum(nil))
	}
	good := onenetToken(sensorProduct, sensorName, sensorKey, 4102444800)
	for _, tt := range []struct{ name, clientID, password, code string }{
		{"client id is not the device's name", sensorProduct + "&" + sensorName, good, "client"},
		{"token cut off", sensorName, good[:90], ""},
		{"key sent as password", sensorName, sensorKey, ""},
		{"no token at all", sensorName, hexMD5(sensorKey, "x"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m.t = t
			w := m.dial()
			w.Write(connect(tt.clientID, sensorProduct, tt.password, 60, true))
			w.expect("20 02 00 04")
			w.expectClosed()
			found := false
			for _, name := range []string{tt.clientID, sensorName} {
				for _, e := range m.timeline(sensorProduct, strings.ReplaceAll(name, "&", "%26")) {
					found = found || e.Kind == "refuse" && strings.HasPrefix(e.Code, "onenet-") && strings.Contains(e.Code, tt.code) && e.SentenceZh != ""
				}
			}
			if !found {
				t.Errorf("no refusal with a code like %q", tt.code)
			}
		})
	}
	m.t = t
}

func TestValuesThatDoNotFit(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	w := m.loginAliyun(lampProduct, lampName, lampSecret)
	post := func(params string) string {
		w.Write(publish(lampPost, `{"id":"7","params":`+params+`}`))
		topic, payload := w.message()
		if topic != lampPost+"_reply" {
			t.Fatalf("reply on %s", topic)
		}
		return payload
	}
	if got := post(`{"CurrentTemprature":20}`); !strings.Contains(got, `"CurrentTemprature":"tsl parse: params not exist`) || !strings.HasPrefix(got, `{"code":200,`) {
		t.Errorf("unknown property: %s", got)
	}
	if got := post(`{"CurrentTemperature":"hot","CurrentHumidity":50}`); !strings.Contains(got, "CurrentTemperature") || !strings.HasPrefix(got, `{"code":200,`) {
		t.Errorf("wrong type: %s", got)
	}
	m.awaitLatest(lampProduct, lampName, "CurrentHumidity", "50")
	if got := m.latest(lampProduct, lampName, "CurrentTemperature"); got != "" {
		t.Errorf("a text was stored as temperature: %s", got)
	}
	// Out of range is accepted and flagged, as the platform's weak check does.
	if got := post(`{"CurrentTemperature":120}`); !strings.HasPrefix(got, `{"code":200,"data":{},`) {
		t.Errorf("out of range: %s", got)
	}
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "120")
	hints := ""
	for _, e := range m.timeline(lampProduct, lampName) {
		hints += e.Sentence + "\n"
	}
	for _, want := range []string{"CurrentTemperature", "85"} {
		if !strings.Contains(hints, want) {
			t.Errorf("%q is not in the timeline:\n%s", want, hints)
		}
	}
	if status, raw := m.call("POST", "/products/"+lampProduct+"/devices/"+lampName+"/properties", object{"values": object{"CurrentTemperature": 1}}); status != 400 {
		t.Errorf("a read-only property was set: %d %s", status, raw)
	}
}

func TestBrokenPacketsEndOnlyTheirOwnConnection(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	m.add(lampProduct, "lamp02", lampSecret)
	bystander := m.loginAliyun(lampProduct, "lamp02", lampSecret)
	for name, packet := range map[string]string{
		"remaining length of five bytes":     "30 ff ff ff ff 01",
		"remaining length of 100 MB":         "30 80 c8 af 2f",
		"topic longer than the packet":       "30 04 00 ff 41 42",
		"SUBSCRIBE with wrong flags":         "80 06 00 01 00 01 61 00",
		"SUBSCRIBE without filters":          "82 02 00 01",
		"QoS 3":                              "36 05 00 01 61 00 01",
		"reserved packet type":               "00 00",
		"CONNACK from a client":              "20 02 00 00",
		"second CONNECT":                     "10 0e 00 04 4d 51 54 54 04 02 00 3c 00 02 61 62",
		"wildcard in the topic of a PUBLISH": "30 05 00 03 61 2f 23",
		"topic that is not UTF-8":            "30 04 00 02 c3 28",
		"packet identifier 0 at QoS 1":       "32 05 00 01 61 00 00",
	} {
		t.Run(name, func(t *testing.T) {
			m.t = t
			w := m.loginAliyun(lampProduct, lampName, lampSecret)
			w.send(packet)
			w.expectClosed()
		})
	}
	for name, packet := range map[string]string{
		"no MQTT at all":               "ff ff ff ff",
		"CONNECT of a wrong protocol":  "10 0c 00 04 41 51 54 54 04 02 00 3c 00 00",
		"PUBLISH before CONNECT":       "30 03 00 01 61",
		"CONNECT that declares 256 MB": "10 ff ff ff 7f",
	} {
		t.Run(name, func(t *testing.T) {
			m.t = t
			w := m.dial()
			w.send(packet)
			if name == "CONNECT of a wrong protocol" {
				w.expect("20 02 00 01") // may be told before the end [MQTT3-3.1.2-2]
			}
			w.expectClosed()
		})
	}
	m.t = t
	bystander.send("c0 00")
	bystander.expect("d0 00")
}

func TestPayloadOfThreeHundredKilobytes(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	w := m.loginAliyun(lampProduct, lampName, lampSecret)
	big := `{"id":"1","params":{"CurrentTemperature":20,"x":"` + strings.Repeat("x", 300<<10) + `"}}`
	w.Write(publish1(1, lampPost, big))
	m.awaitEntry(lampProduct, lampName, "the oversized message in the timeline", func(e entry) bool { return strings.Contains(e.Code, "large") || strings.Contains(e.Sentence, "256") })
	if got := m.latest(lampProduct, lampName, "CurrentTemperature"); got != "" {
		t.Errorf("it was stored: %s", got)
	}
}

func TestSecondLoginClosesTheFirst(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	first := m.loginAliyun(lampProduct, lampName, lampSecret)
	second := m.loginAliyun(lampProduct, lampName, lampSecret)
	first.expectClosed()
	second.send("c000")
	second.expect("d000")
	m.awaitState(lampProduct, lampName, "ONLINE")
	m.awaitEntry(lampProduct, lampName, "the take-over in the timeline", func(e entry) bool { return e.Kind == "disconnect" })
}

func TestAcknowledgedSurvivesKill(t *testing.T) {
	data := t.TempDir()
	m := start(t, data)
	m.lamp()
	const devices = 4
	for i := range devices {
		m.add(lampProduct, fmt.Sprintf("post%d", i), lampSecret)
	}
	// Each device posts a counter as fast as it is acknowledged; the server is
	// killed in the middle.
	acked := make([]int, devices)
	var posting sync.WaitGroup
	enough := make(chan struct{})
	var once sync.Once
	for i := range devices {
		name := fmt.Sprintf("post%d", i)
		w := m.loginAliyun(lampProduct, name, lampSecret)
		posting.Go(func() {
			for n := 1; ; n++ {
				id := uint16(n)
				topic := "/sys/" + lampProduct + "/" + name + "/thing/event/property/post"
				if _, err := w.Write(publish1(id, topic, fmt.Sprintf(`{"id":"%d","params":{"CurrentTemperature":%d}}`, n, n))); err != nil {
					return
				}
				if !puback(w, id) {
					return
				}
				acked[i] = n
				if n == 300 {
					once.Do(func() { close(enough) })
				}
			}
		})
	}
	<-enough
	m.kill()
	posting.Wait()
	m = start(t, data)
	for i := range devices {
		if acked[i] == 0 {
			t.Errorf("device %d had nothing acknowledged", i)
		}
		name := fmt.Sprintf("post%d", i)
		want := fmt.Sprint(acked[i])
		m.await("history to catch up", func() bool {
			h := m.history(lampProduct, name, "CurrentTemperature")
			return len(h) >= acked[i]
		})
		h := m.history(lampProduct, name, "CurrentTemperature")
		for n, v := range h {
			if v != fmt.Sprint(n+1) {
				t.Fatalf("device %d: value %d is %s", i, n+1, v)
			}
		}
		if len(h) > acked[i]+1 {
			t.Errorf("device %d: %d values, %s acknowledged", i, len(h), want)
		}
	}
}

// puback reads packets until the PUBACK comes; false when the connection ends.
func puback(w *wire, id uint16) bool {
	for {
		var head [2]byte
		if _, err := ioReadFull(w, head[:]); err != nil {
			return false
		}
		length := int(head[1])
		if length >= 0x80 {
			b, err := w.r.ReadByte()
			if err != nil {
				return false
			}
			length = length&0x7f | int(b)<<7
		}
		body := make([]byte, length)
		if _, err := ioReadFull(w, body); err != nil {
			return false
		}
		if head[0] == 0x40 && body[0] == byte(id>>8) && body[1] == byte(id) {
			return true
		}
	}
}

func TestStartRefusesClearly(t *testing.T) {
	t.Run("port taken", func(t *testing.T) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		_, stderr, code := runCLI(t, nil, "serve", "--data", t.TempDir(), "--listen", ln.Addr().String(), "--api", "127.0.0.1:0")
		if code != 1 || !strings.Contains(stderr, "taken") || !strings.Contains(stderr, "--listen") {
			t.Errorf("exit %d: %s", code, stderr)
		}
	})
	t.Run("data directory is a file", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "data")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, stderr, code := runCLI(t, nil, "serve", "--data", file, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0")
		if code != 1 || !strings.Contains(stderr, file) || !strings.Contains(stderr, "--data") {
			t.Errorf("exit %d: %s", code, stderr)
		}
	})
	t.Run("data directory in use", func(t *testing.T) {
		m := start(t, t.TempDir())
		_, stderr, code := runCLI(t, nil, "serve", "--data", m.data, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0")
		if code != 1 || !strings.Contains(stderr, "in use") {
			t.Errorf("exit %d: %s", code, stderr)
		}
	})
	t.Run("unknown key in the file", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "matou.yaml")
		if err := os.WriteFile(file, []byte("device:\n  listen: []\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, stderr, code := runCLI(t, nil, "serve", "--config", file, "--check")
		if code != 2 || !strings.Contains(stderr, "device") {
			t.Errorf("exit %d: %s", code, stderr)
		}
	})
	t.Run("good configuration", func(t *testing.T) {
		stdout, _, code := runCLI(t, nil, "serve", "--check")
		if code != 0 || !strings.Contains(stdout, "good") {
			t.Errorf("exit %d: %s", code, stdout)
		}
	})
}

func TestHalfAConnectIsClosedAfterAWhile(t *testing.T) {
	config := filepath.Join(t.TempDir(), "matou.yaml")
	if err := os.WriteFile(config, []byte("devices:\n  connectTimeout: 1s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := start(t, t.TempDir(), "--config", config)
	begun := time.Now()
	w := m.dial()
	w.send("10 98 01 00 04 4d")
	w.expectClosed()
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	var status object
	if code, raw := m.call("GET", "/status", nil); code != 200 || json.Unmarshal(raw, &status) != nil {
		t.Errorf("status %d %s", code, raw)
	}
}
