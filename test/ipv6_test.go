package test

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/plgd-dev/go-coap/v3/message/codes"
)

// needIPv6 skips where the machine has none.
func needIPv6(t *testing.T) {
	t.Helper()
	ln, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("SKIPPED: this machine has no IPv6: %v", err)
	}
	ln.Close()
}

// addresses are where a running server listens.
func (m *matou) addresses() (r struct{ Devices, CoAP, CoAPS []string }) {
	m.t.Helper()
	raw, err := os.ReadFile(filepath.Join(m.data, "run.json"))
	if err != nil || json.Unmarshal(raw, &r) != nil {
		m.t.Fatalf("run.json: %s %v", raw, err)
	}
	return r
}

// postTemperature reports over MQTT and waits for the acknowledgement.
func (w *wire) postTemperature(id int, value string) {
	w.t.Helper()
	w.Write(frame(0x32, str(coapTopic)+"\x00\x07"+coapPost(id, value)))
	for {
		switch kind, _ := w.packet(); kind & 0xf0 {
		case 0x40:
			return
		case 0x30: // the reply
		default:
			w.t.Fatalf("packet %x", kind)
		}
	}
}

// TestIPv6: every road that a device may take, to an address of IPv6.
func TestIPv6(t *testing.T) {
	needIPv6(t)
	m := start(t, t.TempDir(), "--listen", "[::1]:0", "--coap", "[::1]:0", "--coaps", "[::1]:0")
	m.lamp()
	at := m.addresses()
	if len(at.Devices) != 2 || !strings.HasPrefix(at.Devices[1], "[::1]:") {
		t.Fatalf("%+v", at)
	}
	m.device = at.Devices[1]
	from6 := func(what string) {
		t.Helper()
		s := must[struct{ LastAddr string }](m, "GET", "/products/"+lampProduct+"/devices/"+lampName+"/status", nil)
		if !strings.HasPrefix(s.LastAddr, "[::1]:") {
			t.Errorf("%s: the device came from %q", what, s.LastAddr)
		}
	}

	w := m.loginAliyun(lampProduct, lampName, lampSecret)
	w.postTemperature(1, "11")
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "11")
	from6("MQTT")
	w.Close()
	m.awaitState(lampProduct, lampName, "OFFLINE")

	c, err := tls.Dial("tcp", m.device, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal("MQTT over TLS:", err)
	}
	c.Close()

	client := m.deviceClient()
	defer client.CloseIdleConnections()
	token := regexp.MustCompile(`"token":"([^"]+)"`).FindStringSubmatch(m.post(client, "http", "/auth", "application/json", lampAuth("")))
	if token == nil {
		t.Fatal("no token by HTTP")
	}
	m.post(client, "http", "/topic"+coapTopic, "application/octet-stream", coapPost(2, "12"), "password", token[1])
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "12")
	from6("HTTP")

	d := plainLamp(t, at.CoAP[0])
	if code, _, _ := d.report(coapTopic, coapPost(3, "13")); code != codes.Content {
		t.Errorf("CoAP: %v", code)
	}
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "13")
	from6("CoAP")

	identity, key := pskOf(lampSecret)
	d = &coapDevice{t: t, conn: overDTLS(t, at.CoAPS[0], presharedKey(identity, key)...)}
	if code, _, _ := d.post("/topic"+coapTopic, []byte(coapPost(5, "15"))); code != codes.Content {
		t.Errorf("CoAP over DTLS: %v", code)
	}
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "15")
}

// TestPortsTakeBoth: an address without a host takes IPv4 and IPv6, and says of
// IPv4 what everybody would.
func TestPortsTakeBoth(t *testing.T) {
	needIPv6(t)
	m := start(t, t.TempDir(), "--listen", ":0", "--coap", ":0")
	m.lamp()
	at := m.addresses()
	value := 20
	for _, host := range []string{"127.0.0.1", "::1"} {
		_, port, _ := net.SplitHostPort(at.Devices[1])
		m.device = net.JoinHostPort(host, port)
		w := m.loginAliyun(lampProduct, lampName, lampSecret)
		value++
		w.postTemperature(value, fmt.Sprint(value))
		s := must[struct{ LastAddr string }](m, "GET", "/products/"+lampProduct+"/devices/"+lampName+"/status", nil)
		if !strings.HasPrefix(s.LastAddr, net.JoinHostPort(host, "")) {
			t.Errorf("MQTT to %s: from %s", host, s.LastAddr)
		}
		w.Close()
		_, port, _ = net.SplitHostPort(at.CoAP[0])
		d := plainLamp(t, net.JoinHostPort(host, port))
		value++
		if code, _, _ := d.report(coapTopic, coapPost(value, fmt.Sprint(value))); code != codes.Content {
			t.Errorf("CoAP to %s: %v", host, code)
		}
		m.awaitLatest(lampProduct, lampName, "CurrentTemperature", fmt.Sprint(value))
	}
}
