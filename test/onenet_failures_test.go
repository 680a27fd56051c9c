package test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// This file commits the mistakes of the reference's table of failures
// [onenet §10] on the wire, row by row, and reads what Matou says of each. Rows
// 24 and 27 are mistakes of applications that no server sees, row 25 is of an
// API that is not offered, row 30 is the gateways' own.

// far is a time until which tokens hold, near one at which they ended.
const far, near = "4102444800", "1661245031"

// sign64 is the Base64 of an HMAC-SHA1.
func sign64(key []byte, text string) string {
	h := hmac.New(sha1.New, key)
	h.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func decoded(key string) []byte {
	raw, _ := base64.StdEncoding.DecodeString(key)
	return raw
}

// tokenOf is a token with this signature, which is not looked at.
func tokenOf(res, et, sign string) string {
	return "version=2018-10-31&res=" + url.QueryEscape(res) + "&et=" + et + "&method=sha1&sign=" + url.QueryEscape(sign)
}

const sensorRes = "products/" + sensorProduct + "/devices/" + sensorName

// signed is the sign of a token with this key and these values.
func signed(key, et, res string) string {
	return sign64(decoded(key), et+"\nsha1\n"+res+"\n2018-10-31")
}

func TestOneNETLoginsThatFail(t *testing.T) {
	const productKey, other = "EnW4T71eIE55xOIQMN6pFMKuqel5T5HTzsGJRPiDhlM=", "c29tZSBvdGhlciBrZXkgb2YgMzIgYnl0ZXMgISEhISE="
	good := tokenOf(sensorRes, far, signed(sensorKey, far, sensorRes))
	// A signature that has a plus, to be lost.
	plus := ""
	for et := 4102444800; ; et++ {
		if s := signed(sensorKey, fmt.Sprint(et), sensorRes); strings.Contains(s, "+") {
			plus = "version=2018-10-31&res=" + url.QueryEscape(sensorRes) + "&et=" + fmt.Sprint(et) + "&method=sha1&sign=" + strings.ReplaceAll(s, "+", " ")
			break
		}
	}
	m := start(t, t.TempDir())
	m.product(sensorProduct, "onenet", "lenient", productKey, sensorModel)
	for _, tt := range []struct {
		row                          string
		clientID, username, password string
		code                         string
	}{
		{"1 expired", sensorName, sensorProduct, tokenOf(sensorRes, near, signed(sensorKey, near, sensorRes)), "onenet-token-expired"},
		{"2 pid&name", sensorProduct + "&" + sensorName, sensorProduct, good, "onenet-client-id-joined"},
		{"2 a device id", "1028391234", sensorProduct, good, "onenet-client-id-number"},
		{"2 a desktop tool's invention", "mqttx_0f3a9c21", sensorProduct, good, "onenet-client-id"},
		{"3 the user name is the device's", sensorName, sensorName, good, "onenet-username"},
		{"3 product and device in each other's place", sensorProduct, sensorName, good, "onenet-names-swapped"},
		{"4 key not decoded", sensorName, sensorProduct, tokenOf(sensorRes, far, sign64([]byte(sensorKey), far+"\nsha1\n"+sensorRes+"\n2018-10-31")), "onenet-key-not-decoded"},
		{"5 res signed URL-encoded", sensorName, sensorProduct, tokenOf(sensorRes, far, signed(sensorKey, far, url.QueryEscape(sensorRes))), "onenet-res-signed-encoded"},
		{"5 no separators", sensorName, sensorProduct, tokenOf(sensorRes, far, sign64(decoded(sensorKey), far+"sha1"+sensorRes+"2018-10-31")), "onenet-no-separators"},
		{"5 a backslash and an n", sensorName, sensorProduct, tokenOf(sensorRes, far, sign64(decoded(sensorKey), far+`\nsha1\n`+sensorRes+`\n2018-10-31`)), "onenet-literal-newline"},
		{"5 wrong order", sensorName, sensorProduct, tokenOf(sensorRes, far, sign64(decoded(sensorKey), "2018-10-31\n"+sensorRes+"\n"+far+"\nsha1")), "onenet-order"},
		{"5 hex instead of bytes", sensorName, sensorProduct, tokenOf(sensorRes, far, base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString(decoded(signed(sensorKey, far, sensorRes)))))), "onenet-hex-signed"},
		{"6 the device's key for the product's resource", sensorName, sensorProduct, tokenOf("products/"+sensorProduct, far, signed(sensorKey, far, "products/"+sensorProduct)), "onenet-device-key-for-product"},
		{"6 another key altogether", sensorName, sensorProduct, tokenOf(sensorRes, far, signed(other, far, sensorRes)), "onenet-wrong-key"},
		{"7 the plus is lost", sensorName, sensorProduct, plus, "onenet-plus-lost"},
		{"7 encoded twice", sensorName, sensorProduct, strings.ReplaceAll(good, "%3D", "%253D"), "onenet-sign-double-encoded"},
		{"7 printf's two percent signs", sensorName, sensorProduct, strings.ReplaceAll(good, "%", "%%"), "onenet-percent-escaped"},
		{"8 cut by a buffer of 64 bytes", sensorName, sensorProduct, good[:64], "onenet-token-cut"},
		{"8 a line end inside", sensorName, sensorProduct, "\r\n" + good, "onenet-stray-bytes"},
		{"9 a clock that was not set", sensorName, sensorProduct, tokenOf(sensorRes, "3600", signed(sensorKey, "3600", sensorRes)), "onenet-clock-unset"},
		{"25 the key itself", sensorName, sensorProduct, sensorKey, "onenet-key-as-password"},
		{"25 a user's token", sensorName, sensorProduct, tokenOf("userid/12321", far, signed(sensorKey, far, "userid/12321")), "onenet-user-token"},
	} {
		t.Run(tt.row, func(t *testing.T) {
			m.t = t
			m.add(sensorProduct, sensorName, sensorKey) // a timeline of its own for each
			defer func() { m.call("DELETE", "/products/"+sensorProduct+"/devices/"+sensorName, nil) }()
			e := m.refused(tt.clientID, tt.username, tt.password, sensorProduct, sensorName)
			if e.Code != tt.code || e.Sentence == "" || e.SentenceZh == "" || !strings.Contains(string(e.Detail), `"advice"`) {
				t.Errorf("%s %q", e.Code, e.Sentence)
			}
			if strings.Contains(string(e.Detail), sensorKey) {
				t.Error("the timeline shows the key")
			}
			// Whoever asks the doctor hears the same.
			d := must[object](m, "POST", "/doctor", object{"hex": hex.EncodeToString(connect(tt.clientID, tt.username, tt.password, 60, true))})
			if !strings.Contains(fmt.Sprint(d), tt.code) {
				t.Errorf("the doctor says %v", d)
			}
		})
	}
	m.t = t
	m.add(sensorProduct, sensorName, sensorKey)
	for _, password := range []string{good, good + "\r\n", good + "\x00", tokenOf("products/"+sensorProduct, far, signed(productKey, far, "products/"+sensorProduct)), tokenOf(sensorRes, far, signed(productKey, far, sensorRes))} {
		w := m.dial()
		w.Write(connect(sensorName, sensorProduct, password, 60, true))
		w.expect("20 02 00 00")
	}
}

// TestThePreviousKeyIsNamed is row 6: the key was made anew in the console.
func TestThePreviousKeyIsNamed(t *testing.T) {
	const productKey = "EnW4T71eIE55xOIQMN6pFMKuqel5T5HTzsGJRPiDhlM="
	m := start(t, t.TempDir())
	m.product(sensorProduct, "onenet", "lenient", productKey, sensorModel)
	m.add(sensorProduct, sensorName, sensorKey)
	product := "products/" + sensorProduct
	for _, tt := range []struct{ what, path, res, key string }{
		{"device", "/products/" + sensorProduct + "/devices/" + sensorName + "/secret", sensorRes, sensorKey},
		{"product", "/products/" + sensorProduct + "/secret", product, productKey},
		{"product, for a device's resource", "", sensorRes, productKey},
	} {
		password := tokenOf(tt.res, far, signed(tt.key, far, tt.res))
		if tt.path != "" {
			w := m.dial()
			w.Write(connect(sensorName, sensorProduct, password, 60, true))
			w.expect("20 02 00 00")
			must[object](m, "POST", tt.path, object{})
		}
		before := len(m.timeline(sensorProduct, sensorName))
		w := m.dial()
		w.Write(connect(sensorName, sensorProduct, password, 60, true))
		w.expect("20 02 00 04")
		w.expectClosed()
		m.await("the refusal", func() bool {
			all := m.timeline(sensorProduct, sensorName)
			return len(all) > before && all[0].Code == "onenet-previous-key" || tt.path == "" && all[0].Kind == "refuse"
		})
		if s := must[struct{ LastRefusal struct{ Code string } }](m, "GET", "/products/"+sensorProduct+"/devices/"+sensorName+"/status", nil); s.LastRefusal.Code != "onenet-previous-key" {
			t.Errorf("%s: %s", tt.what, s.LastRefusal.Code)
		}
	}
}

// TestStrictProductsCloseOverAConnect is rows 10 and 11.
func TestStrictProductsCloseOverAConnect(t *testing.T) {
	m := start(t, t.TempDir())
	m.sensor("strict")
	token := onenetToken(sensorProduct, sensorName, sensorKey, 4102444800)
	packet := func(name string, level, flags byte, keepAlive int, properties, will string) []byte {
		return frame(0x10, str(name)+string([]byte{level, flags, byte(keepAlive >> 8), byte(keepAlive)})+properties+str(sensorName)+will+str(sensorProduct)+str(token))
	}
	for _, tt := range []struct {
		name   string
		packet []byte
		answer string // of a strict product, "" for none
		code   string
	}{
		{"10 MQTT 3.1, as Quectel modules begin", packet("MQIsdp", 3, 0xc2, 60, "", ""), "20 02 00 01", "onenet-protocol-level"},
		{"10 MQTT 5.0", packet("MQTT", 5, 0xc2, 60, "\x00", ""), "20", "onenet-protocol-level"},
		{"11 keep-alive 0", packet("MQTT", 4, 0xc2, 0, "", ""), "", "onenet-keep-alive"},
		{"11 keep-alive 9", packet("MQTT", 4, 0xc2, 9, "", ""), "", "onenet-keep-alive"},
		{"11 keep-alive 1801", packet("MQTT", 4, 0xc2, 1801, "", ""), "", "onenet-keep-alive"},
		{"11 no clean session", packet("MQTT", 4, 0xc0, 60, "", ""), "", "onenet-clean-session"},
		{"11 a will", packet("MQTT", 4, 0xc6, 60, "", str("t")+str("gone")), "", "onenet-will"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m.t = t
			w := m.dial()
			w.Write(tt.packet)
			if tt.answer != "" {
				w.expect(tt.answer)
			}
			if tt.answer != "20" {
				w.expectClosed()
			}
			e := m.awaitEntry(sensorProduct, sensorName, "the refusal", func(e entry) bool { return e.Kind == "refuse" && e.Code == tt.code })
			if e.SentenceZh == "" {
				t.Errorf("%+v", e)
			}
		})
	}
	m.t = t
	for _, keepAlive := range []int{10, 1800} {
		w := m.dial()
		w.Write(packet("MQTT", 4, 0xc2, keepAlive, "", ""))
		w.expect("20 02 00 00")
	}
	must[object](m, "PATCH", "/products/"+sensorProduct, object{"strictness": "lenient"})
	for name, p := range map[string][]byte{
		"MQTT 3.1": packet("MQIsdp", 3, 0xc2, 60, "", ""), "keep-alive 0": packet("MQTT", 4, 0xc2, 0, "", ""),
		"no clean session": packet("MQTT", 4, 0xc0, 60, "", ""), "a will": packet("MQTT", 4, 0xc6, 60, "", str("t")+str("gone")),
	} {
		w := m.dial()
		w.Write(p)
		if first, body := w.packet(); first != 0x20 || body[1] != 0 {
			t.Errorf("lenient, %s: %02x % x", name, first, body)
		}
	}
	m.awaitEntry(sensorProduct, sensorName, "a word about it", func(e entry) bool { return e.Kind == "note" && e.Code == "onenet-will" })
}

// TestStrictProductsCloseOverAPublish: QoS 2, retain, topics [onenet §1.5],
// rows 16 and 20.
func TestStrictProductsCloseOverAPublish(t *testing.T) {
	m := start(t, t.TempDir())
	m.sensor("strict")
	// Each mistake is a device's of its own: who connects too often is banned.
	in := func(name string) *wire {
		m.add(sensorProduct, name, sensorKey)
		w := m.dial()
		w.Write(connect(name, sensorProduct, onenetToken(sensorProduct, name, sensorKey, 4102444800), 60, true))
		w.expect("20 02 00 00")
		return w
	}
	const base = "$sys/" + sensorProduct + "/NAME/"
	const post = `{"id":"1","version":"1.0","params":{"wendu":{"value":21}}}`
	nine := ""
	for i := range 9 {
		nine += str(fmt.Sprintf("%sthing/service/s%d/invoke", base, i)) + "\x00"
	}
	for i, tt := range []struct {
		name, code, expected string
		packet               []byte
	}{
		{"QoS 2", "onenet-qos", "0 or 1", frame(0x34, str(base+"thing/property/post")+"\x00\x01"+post)},
		{"retain", "onenet-retain", "0", frame(0x31, str(base+"thing/property/post")+post)},
		{"20 another device's", "onenet-topic", base + "thing/property/post", publish("$sys/"+sensorProduct+"/your_tv/thing/property/post", post)},
		{"20 without $", "onenet-topic", base + "thing/property/post", publish("sys/"+sensorProduct+"/NAME/thing/property/post", post)},
		{"20 set/reply", "onenet-topic", base + "thing/property/set_reply", publish(base+"thing/property/set/reply", `{"id":"1","code":200}`)},
		{"20 a topic of its own", "onenet-topic", base + "…", publish("weather", post)},
		{"a character", "onenet-bad-topic", "at most 8 levels", publish(base+"thing/温度", post)},
		{"nine levels", "onenet-bad-topic", "at most 8 levels", publish(base+"thing/a/b/c/d/e", post)},
		{"26 the other data model", "onenet-data-model", "a topic below thing/", publish(base+"dp/post/json", `{"id":1,"dp":{}}`)},
		{"a PUBACK of nothing", "onenet-acknowledgement", "no acknowledgement", []byte{0x40, 2, 0, 1}},
		{"a PUBREC", "onenet-acknowledgement", "no acknowledgement", []byte{0x50, 2, 0, 1}},
		{"a PUBREL", "onenet-acknowledgement", "no acknowledgement", []byte{0x62, 2, 0, 1}},
		{"a PUBCOMP", "onenet-acknowledgement", "no acknowledgement", []byte{0x70, 2, 0, 1}},
		{"nine filters in one SUBSCRIBE", "onenet-filters", "at most 8", frame(0x82, "\x00\x01"+nine)},
		{"more than 256 KB", "onenet-message-too-large", "256 KB", publish(base+"thing/property/post", strings.Repeat(" ", 256<<10)+post)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m.t = t
			name := fmt.Sprintf("tv%02d", i)
			w := in(name)
			w.Write(bytes.ReplaceAll(tt.packet, []byte("NAME"), []byte(name)))
			w.expectClosed()
			want := strings.ReplaceAll(tt.expected, "NAME", name)
			e := m.awaitEntry(sensorProduct, name, "why", func(e entry) bool {
				return e.Kind == "fault" && e.Code == tt.code && strings.Contains(string(e.Detail), want)
			})
			if e.Sentence == "" || e.SentenceZh == "" {
				t.Errorf("%+v", e)
			}
		})
	}
	m.t = t
	for i := range 2 {
		if got := m.latest(sensorProduct, fmt.Sprintf("tv%02d", i), "wendu"); got != "" {
			t.Errorf("something was stored: %s", got)
		}
	}
	// What MQTT itself forbids ends the connection of every product [onenet §1.3, §1.5].
	for i, bad := range [][]byte{
		frame(0x38, str("$sys/"+sensorProduct+"/bad0/thing/property/post")+post), // DUP with QoS 0
		connect("bad1", sensorProduct, onenetToken(sensorProduct, "bad1", sensorKey, 4102444800), 60, true),
		{0x20, 2, 0, 0}, {0x90, 3, 0, 1, 0}, {0xb0, 2, 0, 1}, {0xd0, 0}, // what a server says
		publish("$sys/"+sensorProduct+"/bad6/\xff", post),
	} {
		name := fmt.Sprintf("bad%d", i)
		w := in(name)
		w.Write(bad)
		w.expectClosed()
		m.awaitEntry(sensorProduct, name, "which packet it was", func(e entry) bool {
			return e.Kind == "fault" && strings.HasPrefix(e.Code, "mqtt-") && e.Sentence != "" && e.SentenceZh != ""
		})
	}
	w := in("last")
	if got := w.subscribe("$sys/"+sensorProduct+"/your_tv/thing/#", "$sys/"+sensorProduct+"/last/thing/#"); got != "8000" {
		t.Errorf("SUBACK %s", got)
	}
}

// TestReportsThatFail is rows 16 to 19 and 28.
func TestReportsThatFail(t *testing.T) {
	m := start(t, t.TempDir())
	m.sensor("strict")
	w := m.dial()
	w.Write(connect(sensorName, sensorProduct, onenetToken(sensorProduct, sensorName, sensorKey, 4102444800), 60, true))
	w.expect("20 02 00 00")
	base := "$sys/" + sensorProduct + "/" + sensorName + "/thing/property/post"
	w.Write(publish(base, `{"id":"1","version":"1.0","params":{"Wendu":{"value":21}}}`)) // not subscribed: no answer
	m.awaitEntry(sensorProduct, sensorName, "16 the unknown identifier", func(e entry) bool {
		return strings.Contains(e.Sentence, "wendu") && strings.Contains(e.Sentence, "not stored")
	})
	if got := w.subscribe(base + "/reply"); got != "00" {
		t.Fatal(got)
	}
	for _, tt := range []struct{ row, payload, answer string }{
		{"16 case counts", `{"id":"2","version":"1.0","params":{"wendu":{"value":1},"WenDu":{"value":21}}}`, `{"id":"2","code":2306,"msg":"identifier not exist:identifier:WenDu"}`},
		{"17 out of range", `{"id":"3","version":"1.0","params":{"wendu":{"value":101}}}`, `{"id":"3","code":2308,"msg":"float value out of range:identifier:wendu"}`},
		{"17 a number as text", `{"id":"4","version":"1.0","params":{"wendu":{"value":"21"}}}`, `{"id":"4","code":2307,"msg":"float type error:identifier:wendu"}`},
		{"18 missing quotes and a NUL", "{\"id\":\"5\",\"params\":{\"wendu\":{\"value\":}}\x00", `{"id":"5","code":2301,"msg":"invalid json"}`},
		{"18 cut short", `{"id":"6","params":{"wendu":{"value":2`, `{"id":"6","code":2301,"msg":"invalid json"}`},
		{"19 no id", `{"params":{"wendu":{"value":21}}}`, `{"id":"","code":2302,"msg":"id illegal"}`},
		{"19 an id of 14 digits", `{"id":"12345678901234","params":{"wendu":{"value":21}}}`, `{"id":"12345678901234","code":2302,"msg":"id illegal"}`},
		{"19 no params", `{"id":"7","version":"1.0"}`, `{"id":"7","code":2303,"msg":"params missing"}`},
		{"28 seconds for milliseconds", `{"id":"8","params":{"wendu":{"value":21,"time":1524448722}}}`, `{"id":"8","code":2307,"msg":"time error:identifier:wendu"}`},
	} {
		w.Write(publish(base, tt.payload))
		if topic, payload := w.message(); topic != base+"/reply" || payload != tt.answer {
			t.Errorf("%s: %s %s", tt.row, topic, payload)
		}
	}
	if got := m.latest(sensorProduct, sensorName, "wendu"); got != "" {
		t.Errorf("something was stored: %s", got)
	}
	w.Write(publish(base, `{"id":"9","params":{"wendu":21}}`)) // row 19: Aliyun's habit, taken with a word about it
	w.hear(base+"/reply", `{"id":"9","code":200,"msg":"success"}`)
	m.awaitEntry(sensorProduct, sensorName, "the bare value", func(e entry) bool { return strings.Contains(e.Sentence, "bare") })
}

// TestSetsThatFail is rows 21 to 23.
func TestSetsThatFail(t *testing.T) {
	m := start(t, t.TempDir())
	m.sensor("lenient")
	w := m.dial()
	w.Write(connect(sensorName, sensorProduct, onenetToken(sensorProduct, sensorName, sensorKey, 4102444800), 60, true))
	w.expect("20 02 00 00")
	path := "/products/" + sensorProduct + "/devices/" + sensorName + "/properties"
	for _, tt := range []struct {
		row    string
		values object
		status int
		says   string
	}{
		{"21 not subscribed", object{"wendu": 20}, 409, "has not subscribed"},
		{"22 wrapped", object{"wendu": object{"value": 20}}, 400, "wendu"},
		{"23 unknown", object{"relay": true}, 400, "relay"},
	} {
		if status, raw := m.call("POST", path, object{"values": tt.values}); status != tt.status || !strings.Contains(string(raw), tt.says) {
			t.Errorf("%s: %d %s", tt.row, status, raw)
		}
	}
	base := "$sys/" + sensorProduct + "/" + sensorName + "/thing/property/"
	if got := w.subscribe(base + "set"); got != "00" {
		t.Fatal(got)
	}
	c := must[object](m, "POST", path, object{"values": object{"wendu": 20}, "wait": "200ms"})
	if c["state"] != "delivered" {
		t.Errorf("21 never answered: %v", c)
	}
	if topic, _ := w.message(); topic != base+"set" {
		t.Error(topic)
	}
	w.Write(publish(base+"set_reply", `{"id":"`+c["id"].(string)+`","code":200,"msg":"success"}`))
	m.awaitEntry(sensorProduct, sensorName, "that it was done", func(e entry) bool { return e.Code == "command-acknowledged" })
	w.Write(publish(base+"set_reply", `{"id":"`+c["id"].(string)+`","code":200,"msg":"success"}`))
	m.awaitEntry(sensorProduct, sensorName, "21 answered twice", func(e entry) bool { return e.Code == "reply-unmatched" })
}

// TestConnectionsThatEnd is rows 13, 14 and 15.
func TestConnectionsThatEnd(t *testing.T) {
	m := start(t, t.TempDir())
	m.sensor("lenient")
	token := onenetToken(sensorProduct, sensorName, sensorKey, 4102444800)
	in := func(keepAlive int) *wire {
		w := m.dial()
		w.Write(connect(sensorName, sensorProduct, token, keepAlive, true))
		w.expect("20 02 00 00")
		return w
	}
	board := in(60)
	tool := in(60)
	board.expectClosed()
	m.awaitEntry(sensorProduct, sensorName, "13 two clients with one name", func(e entry) bool { return e.Kind == "disconnect" && strings.Contains(e.Sentence, "taken over") })
	tool.send("e000")
	begun := time.Now()
	in(1).expectClosed()
	if took := time.Since(begun); took < 1400*time.Millisecond {
		t.Errorf("14: closed after %v", took)
	}
	m.awaitEntry(sensorProduct, sensorName, "14 no PINGREQ", func(e entry) bool { return e.Kind == "disconnect" && strings.Contains(e.Sentence, "keep-alive") })

	must[object](m, "PATCH", "/products/"+sensorProduct, object{"strictness": "strict"})
	w := in(60)
	for range 11 {
		w.Write([]byte{0xc0, 0}) // the end of the connection may come between
	}
	for {
		if b, err := w.r.ReadByte(); err != nil {
			break
		} else if b != 0xd0 && b != 0 {
			t.Fatalf("%02x", b)
		}
	}
	m.awaitEntry(sensorProduct, sensorName, "15 the rate", func(e entry) bool {
		return e.Code == "onenet-rate-exceeded" && strings.Contains(e.Sentence, "PINGREQ") && e.SentenceZh != ""
	})
	w = m.dial()
	w.Write(connect(sensorName, sensorProduct, token, 60, true))
	w.expect("20 02 00 03")
	w.expectClosed()
	m.awaitEntry(sensorProduct, sensorName, "15 the ban", func(e entry) bool { return e.Kind == "refuse" && e.Code == "onenet-device-banned" })
	must[object](m, "PATCH", "/products/"+sensorProduct, object{"strictness": "lenient"})
	in(60)
}

// TestTLSWithACertificateOfOnesOwn is row 29, on OneNET's port: devices that
// trust the authority that the user brought come in, those that pin another do
// not.
func TestTLSWithACertificateOfOnesOwn(t *testing.T) {
	dir := t.TempDir()
	roots := authority(t, dir, "mqttstls.heclouds.com")
	// An address of loopback for this process alone, so that its port is free.
	address := fmt.Sprintf("127.%d.%d.%d:8883", 1+os.Getpid()>>14&0x3f, os.Getpid()>>7&0x7f, 1+os.Getpid()&0x7f)
	config := filepath.Join(dir, "matou.yaml")
	write(t, config, "tls:\n  certificate: "+filepath.Join(dir, "server.pem")+"\n  key: "+filepath.Join(dir, "server.key")+"\n")
	m := start(t, t.TempDir(), "--config", config, "--listen", address)
	m.sensor("strict")
	dial := func(c *tls.Config) (*wire, error) {
		conn, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", address, c)
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Now().Add(patience))
		w := m.wrap(conn)
		return w, nil
	}
	w, err := dial(&tls.Config{RootCAs: roots, ServerName: "mqttstls.heclouds.com", MaxVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	w.Write(connect(sensorName, sensorProduct, onenetToken(sensorProduct, sensorName, sensorKey, 4102444800), 60, true))
	w.expect("20 02 00 00")
	m.awaitEntry(sensorProduct, sensorName, "the login over TLS", func(e entry) bool { return e.Kind == "connect" && strings.Contains(string(e.Detail), `"tls"`) })
	if _, err := dial(&tls.Config{InsecureSkipVerify: true}); err != nil { // devices that verify nothing
		t.Error(err)
	}
	_, err = dial(&tls.Config{RootCAs: authority(t, t.TempDir(), "CMIOT"), ServerName: "mqttstls.heclouds.com"})
	if _, unknown := errors.AsType[*tls.CertificateVerificationError](err); !unknown {
		t.Errorf("a device that pins another authority: %v", err)
	}
}

// authority makes a certificate authority and, in dir, the chain and key of a
// server of this name.
func authority(t *testing.T, dir, server string) *x509.CertPool {
	t.Helper()
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	rootKey, serverKey := key(), key()
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ours"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, rootKey.Public(), rootKey)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: server}, DNSNames: []string{server}, NotBefore: root.NotBefore, NotAfter: root.NotAfter,
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, root, serverKey.Public(), rootKey)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(serverKey)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	write(t, filepath.Join(dir, "server.pem"), block("CERTIFICATE", leafDER)+block("CERTIFICATE", rootDER))
	write(t, filepath.Join(dir, "server.key"), block("PRIVATE KEY", keyDER))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(block("CERTIFICATE", rootDER)))
	return pool
}

// TestNobodyHearsReports [onenet §1.5]: a device hears the answer to its report
// on a wildcard, never the report itself, and no other device hears either.
func TestNobodyHearsReports(t *testing.T) {
	m := start(t, t.TempDir())
	m.sensor("strict")
	m.add(sensorProduct, "other_tv", sensorKey)
	login := func(name string) *wire {
		w := m.dial()
		w.Write(connect(name, sensorProduct, onenetToken(sensorProduct, name, sensorKey, 4102444800), 60, true))
		w.expect("20 02 00 00")
		return w
	}
	own, other := login(sensorName), login("other_tv")
	root := "$sys/" + sensorProduct + "/" + sensorName + "/"
	if got := own.subscribe(root + "#"); got != "00" {
		t.Fatal(got)
	}
	if got := other.subscribe("$sys/"+sensorProduct+"/other_tv/#", root+"#", "$sys/#", "#", "+/+/+/thing/#"); got != "0080808080" {
		t.Fatal(got)
	}
	for i := range 3 {
		own.Write(publish1(uint16(i+1), root+"thing/property/post", fmt.Sprintf(`{"id":"%d","params":{"wendu":{"value":%d}}}`, i, i)))
		own.hear(root+"thing/property/post/reply", fmt.Sprintf(`{"id":"%d","code":200,"msg":"success"}`, i))
		own.expect(fmt.Sprintf("40 02 00 %02x", i+1))
	}
	for _, w := range []*wire{own, other} { // nothing stands before the PINGRESP
		w.send("c0 00")
		w.expect("d0 00")
	}
}
