package test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The ProductSecret of the night light.
const lampProductSecret = "Pq9LmN4bVcXz7KsD"

func hexMAC(h func() hash.Hash, key, text string) string {
	mac := hmac.New(h, []byte(key))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// device is an HTTP client as a device has one: it trusts the lab's authority
// and nobody else.
func (m *matou) deviceClient() *http.Client {
	m.t.Helper()
	pool := x509.NewCertPool()
	raw, err := os.ReadFile(filepath.Join(m.data, "tls", "ca.pem"))
	if err != nil || !pool.AppendCertsFromPEM(raw) {
		m.t.Fatal("the lab's authority", err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	m.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// post sends a body to a device endpoint and returns what came back.
func (m *matou) post(c *http.Client, scheme, path, contentType, body string, header ...string) string {
	m.t.Helper()
	req, err := http.NewRequest("POST", scheme+"://"+m.device+path, strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		m.t.Fatalf("POST %s: %v", path, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		m.t.Fatalf("POST %s: %d %s %v", path, resp.StatusCode, raw, err)
	}
	return string(raw)
}

// register asks for a secret by HTTPS.
func (m *matou) register(c *http.Client, name, key string) string {
	m.t.Helper()
	text := "deviceName" + name + "productKey" + lampProduct + "random8Ygb7ULYh53B6OA"
	return m.post(c, "https", "/auth/register/device", "application/x-www-form-urlencoded",
		"productKey="+lampProduct+"&deviceName="+name+"&random=8Ygb7ULYh53B6OA&sign="+hexMAC(sha256.New, key, text)+"&signMethod=hmacsha256")
}

func (m *matou) allowRegistration(change object) {
	m.t.Helper()
	must[object](m, "PATCH", "/products/"+lampProduct+"/registration", change)
}

// dialTLS is a raw connection inside TLS, with a certificate where there is one.
func (m *matou) dialTLS(own ...tls.Certificate) *wire {
	m.t.Helper()
	c, err := tls.Dial("tcp", m.device, &tls.Config{InsecureSkipVerify: true, Certificates: own})
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return &wire{m.t, c, bufio.NewReader(c)}
}

func TestRegistrationByHTTPS(t *testing.T) {
	data := t.TempDir()
	m := start(t, data)
	m.product(lampProduct, "aliyun", "lenient", lampProductSecret, lampTSL)
	m.add(lampProduct, "lamp01", lampSecret)
	c := m.deviceClient()
	refused := func(name, key, want, code string) {
		t.Helper()
		if got := m.register(c, name, key); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		e := m.awaitEntry(lampProduct, name, "the refusal with "+code, func(e entry) bool { return e.Kind == "refuse" && e.Code == code })
		if e.Sentence == "" || e.SentenceZh == "" || strings.Contains(string(e.Detail), lampProductSecret) || strings.Contains(string(e.Detail), lampSecret) {
			t.Errorf("%+v", e)
		}
	}
	refused("lamp01", lampProductSecret, `{"code":6288,"data":{},"message":"dynamic registration is not enabled"}`, "aliyun-register-off")
	m.allowRegistration(object{"enabled": true})
	refused("lamp01", "another", `{"code":6600,"data":{},"message":"signature verification failed"}`, "aliyun-register-wrong-sign")
	refused("lamp01", lampSecret, `{"code":6600,"data":{},"message":"signature verification failed"}`, "aliyun-register-device-secret")
	refused("lamp99", lampProductSecret, `{"code":6100,"data":{},"message":"device not found"}`, "aliyun-register-no-device")
	m.allowRegistration(object{"listed": true})
	refused("lamp01", lampProductSecret, `{"code":6100,"data":{},"message":"device not found"}`, "aliyun-register-unlisted")
	must[object](m, "POST", "/products/"+lampProduct+"/registration/names", object{"names": []string{"lamp01"}})

	want := `{"code":200,"data":{"productKey":"a1NightLamp","deviceName":"lamp01","deviceSecret":"` + lampSecret + `"},"message":"success"}`
	for range 2 { // a device that asks again is told the same for a while
		if got := m.register(c, "lamp01", lampProductSecret); got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
	if got := m.post(c, "http", "/auth/register/device", "application/x-www-form-urlencoded", "productKey="+lampProduct+"&deviceName=lamp01"); got != `{"code":460,"data":{},"message":"request parameter error"}` {
		t.Errorf("a form cut off, by plain HTTP: %s", got)
	}

	w := m.loginAliyun(lampProduct, "lamp01", lampSecret) // with what was handed out
	m.awaitState(lampProduct, "lamp01", "ONLINE")
	refused("lamp01", lampProductSecret, `{"code":6289,"data":{},"message":"device is already activated"}`, "aliyun-register-activated")
	must[object](m, "POST", "/products/"+lampProduct+"/devices/lamp01/reset", nil)
	w.expectClosed()
	again := m.register(c, "lamp01", lampProductSecret)
	secret := regexp.MustCompile(`"deviceSecret":"([0-9a-f]{32})"`).FindStringSubmatch(again)
	if secret == nil || secret[1] == lampSecret {
		t.Fatalf("after the reset: %s", again)
	}
	m.loginAliyun(lampProduct, "lamp01", secret[1])

	told := m.awaitEntry(lampProduct, "lamp01", "the registration", func(e entry) bool { return e.Code == "registered" })
	if !strings.Contains(told.Sentence, "by https") {
		t.Errorf("%+v", told)
	}
	for _, e := range m.timeline(lampProduct, "lamp01") {
		if doc, _ := json.Marshal(e); strings.Contains(string(doc), secret[1]) || strings.Contains(string(doc), lampSecret) {
			t.Errorf("a secret is in the timeline: %s", doc)
		}
	}

	m.add(lampProduct, "lamp02", lampSecret)
	must[object](m, "POST", "/products/"+lampProduct+"/registration/names", object{"names": []string{"lamp02"}})
	m.loginAliyun(lampProduct, "lamp02", lampSecret)
	m.kill() // it was told that it is in: nobody is told its secret any more
	m = start(t, data)
	refused("lamp02", lampProductSecret, `{"code":6289,"data":{},"message":"device is already activated"}`, "aliyun-register-activated")
}

func TestRegistrationByMQTT(t *testing.T) {
	m := start(t, t.TempDir())
	m.product(lampProduct, "aliyun", "lenient", lampProductSecret, lampTSL)
	m.add(lampProduct, "lamp01", lampSecret)
	m.allowRegistration(object{"enabled": true})
	// As LuatOS does it: hmacmd5, and no keep-alive to speak of.
	register := connect("lamp01|securemode=2,authType=register,random=123,signmethod=hmacmd5|", "lamp01&"+lampProduct,
		hexMAC(md5.New, lampProductSecret, "deviceNamelamp01productKey"+lampProduct+"random123"), 10, true)

	w := m.dial() // without TLS
	w.Write(register)
	w.expect("20 02 00 02")
	w.expectClosed()
	m.awaitEntry(lampProduct, "lamp01", "the refusal", func(e entry) bool { return e.Code == "aliyun-register-plain" })

	w = m.dialTLS()
	w.Write(register)
	w.expect("20 02 00 00")
	payload := `{"productKey":"a1NightLamp","deviceName":"lamp01","deviceSecret":"` + lampSecret + `"}`
	if topic, got := w.message(); topic != "/ext/register" || got != payload {
		t.Errorf("%s %s", topic, got)
	}
	// It is nobody yet: what it publishes is not taken, and it is not online.
	w.Write(publish1(1, "/sys/"+lampProduct+"/lamp01/thing/event/property/post", `{"params":{"CurrentTemperature":99}}`))
	w.expect("40 02 00 01")
	w.send("e0 00")
	w.expectClosed()
	if got := m.latest(lampProduct, "lamp01", "CurrentTemperature"); got != "" {
		t.Errorf("a device that only registered has reported %s", got)
	}
	m.awaitState(lampProduct, "lamp01", "INACTIVE")

	m.loginAliyun(lampProduct, "lamp01", lampSecret)
	w = m.dialTLS()
	w.Write(register)
	w.expect("20 02 00 04")
	w.expectClosed()
	m.awaitEntry(lampProduct, "lamp01", "the refusal", func(e entry) bool { return e.Code == "aliyun-register-activated" })
	for _, e := range m.timeline(lampProduct, "lamp01") {
		if doc, _ := json.Marshal(e); strings.Contains(string(doc), lampSecret) || strings.Contains(string(e.Payload), lampSecret) {
			t.Errorf("the secret is in the timeline: %s", doc)
		}
	}
}

func TestRegistrationFreeOfPreRegistration(t *testing.T) {
	data := t.TempDir()
	m := start(t, data)
	m.product(lampProduct, "aliyun", "lenient", lampProductSecret, lampTSL)
	m.allowRegistration(object{"enabled": true})
	// As Link SDK for C 4.x does it.
	const random = "4294967295"
	register := connect("new01."+lampProduct+"|random="+random+",authType=regnwl,securemode=2,signmethod=hmacsha256|", "new01&"+lampProduct,
		strings.ToUpper(hexMAC(sha256.New, lampProductSecret, "deviceNamenew01productKey"+lampProduct+"random"+random)), 60, true)
	w := m.dialTLS()
	w.Write(register)
	w.expect("20 02 00 04")
	w.expectClosed()
	m.awaitEntry(lampProduct, "new01", "the refusal", func(e entry) bool { return e.Code == "aliyun-register-free-off" })

	m.allowRegistration(object{"free": true})
	w = m.dialTLS()
	w.Write(register)
	w.expect("20 02 00 00")
	topic, payload := w.message()
	told := regexp.MustCompile(`^\{"productKey":"a1NightLamp","deviceName":"new01","clientId":"([0-9a-f]{32})","deviceToken":"([0-9a-f]{32})"\}$`).FindStringSubmatch(payload)
	if topic != "/ext/regnwl" || told == nil {
		t.Fatalf("%s %s", topic, payload)
	}
	w.Close()

	m.kill() // what was handed out is durable
	m = start(t, data)
	for _, form := range []string{"|authType=connwl,securemode=-2,_ss=1,ext=3,_v=sdk-c-4.2.0|", "|securemode=-2,authType=connwl|"} {
		w = m.dial()
		w.Write(connect(told[1]+form, "new01&"+lampProduct, told[2], 60, true))
		w.expect("20 02 00 00")
	}
	w.Write(publish("/sys/"+lampProduct+"/new01/thing/event/property/post", `{"id":"1","params":{"CurrentTemperature":21.5}}`))
	if topic, _ := w.message(); !strings.HasSuffix(topic, "/post_reply") {
		t.Errorf("reply on %s", topic)
	}
	m.awaitLatest(lampProduct, "new01", "CurrentTemperature", "21.5")

	if e := m.refused("own|securemode=-2,authType=connwl|", "new01&"+lampProduct, told[2], lampProduct, "new01"); e.Code != "aliyun-token-client" {
		t.Errorf("with another client id: %s", e.Code)
	}
	must[object](m, "POST", "/products/"+lampProduct+"/devices/new01/reset", nil)
	w = m.dial()
	w.Write(connect(told[1]+"|securemode=-2,authType=connwl|", "new01&"+lampProduct, told[2], 60, true))
	w.expect("20 02 00 04")
	m.awaitEntry(lampProduct, "new01", "the refusal", func(e entry) bool { return e.Code == "aliyun-token-previous" })
	for _, e := range m.timeline(lampProduct, "new01") {
		if doc, _ := json.Marshal(e); strings.Contains(string(doc), told[2]) || strings.Contains(string(e.Payload), told[2]) {
			t.Errorf("the token is in the timeline: %s", doc)
		}
	}
}

func TestReportsByHTTPS(t *testing.T) {
	data := t.TempDir()
	m := start(t, data)
	m.lamp()
	c := m.deviceClient()
	auth := func(sign string) string {
		return m.post(c, "https", "/auth", "application/json", `{"version":"default", "clientId":"mylight1000002", "signmethod":"hmacsha1", "sign":"`+sign+
			`", "productKey":"`+lampProduct+`", "deviceName":"`+lampName+`", "timestamp":"1501668289957"}`)
	}
	right := hexMAC(sha1.New, lampSecret, "clientIdmylight1000002deviceName"+lampName+"productKey"+lampProduct+"timestamp1501668289957")
	if got := auth(hexMAC(sha1.New, "another", "x")); got != `{"code":20000,"message":"auth check error"}` {
		t.Errorf("wrong signature: %s", got)
	}
	m.awaitEntry(lampProduct, lampName, "the refusal", func(e entry) bool { return e.Kind == "refuse" && e.Code == "aliyun-wrong-secret" })
	said := auth(right)
	token := regexp.MustCompile(`^\{"code":0,"message":"success","info":\{"token":"([A-Za-z0-9_-]{16,192})"\}\}$`).FindStringSubmatch(said)
	if token == nil || len(said) > 256 {
		t.Fatalf("%s", said)
	}
	m.awaitState(lampProduct, lampName, "OFFLINE") // activated, not connected

	post := func(topic, body string, header ...string) string {
		return m.post(c, "https", "/topic"+topic, "application/octet-stream", body, header...)
	}
	good := []string{"password", token[1]}
	if got := post(lampPost, `{"id":"1","version":"1.0","params":{"CurrentTemperature":23.5},"method":"thing.event.property.post"}`, good...); !regexp.MustCompile(`^\{"code":0,"message":"success","info":\{"messageId":\d+\}\}$`).MatchString(got) {
		t.Errorf("report: %s", got)
	}
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "23.5")
	if got := post(lampPost, `{"id":"2","params":{"CurrentTemprature":20}}`, good...); !strings.Contains(got, `,"data":{"code":200,"data":{"CurrentTemprature":"tsl parse: params not exist`) {
		t.Errorf("a rejected value is told: %s", got)
	}

	w := m.loginAliyun(lampProduct, lampName, lampSecret) // the same device listens by MQTT
	w.Write(frame(0x82, "\x00\x01"+str("/"+lampProduct+"/"+lampName+"/user/get")+"\x00"))
	w.expect("90 03 00 01 00")
	post("/"+lampProduct+"/"+lampName+"/user/get", "hello", good...)
	if topic, payload := w.message(); topic != "/"+lampProduct+"/"+lampName+"/user/get" || payload != "hello" {
		t.Errorf("routed to %s: %s", topic, payload)
	}

	for _, tt := range []struct {
		name, topic, body, token, want, code string
	}{
		{"no token", lampPost, "{}", "", `{"code":20002,"message":"token is null"}`, ""},
		{"cut off", lampPost, "{}", token[1][:20], `{"code":20003,"message":"check token error"}`, ""},
		{"one digit other", lampPost, "{}", strings.Replace(token[1], "-", "-0", 1), `{"code":20003,"message":"check token error"}`, "aliyun-http-token-wrong"},
		{"another device's topic", "/sys/" + lampProduct + "/lamp02/thing/event/property/post", "{}", token[1], `{"code":30001,"message":"publish message error"}`, ""},
		{"no topic", "/", "{}", token[1], `{"code":10001,"message":"param error"}`, "aliyun-http-topic"},
		{"a wildcard", "/" + lampProduct + "/" + lampName + "/user/%23", "{}", token[1], `{"code":10001,"message":"param error"}`, "aliyun-http-topic"},
		{"too large", lampPost, strings.Repeat("x", 128<<10+1), token[1], `{"code":10001,"message":"param error"}`, "aliyun-http-too-large"},
	} {
		if got := post(tt.topic, tt.body, "password", tt.token); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if tt.code != "" {
			m.awaitEntry(lampProduct, lampName, tt.name, func(e entry) bool { return e.Code == tt.code })
		}
	}

	m.stop()
	m = start(t, data) // a token outlives the server
	c = m.deviceClient()
	if got := m.post(c, "https", "/topic"+lampPost, "application/octet-stream", `{"params":{"CurrentTemperature":24}}`, good...); !strings.HasPrefix(got, `{"code":0,`) {
		t.Errorf("after a restart: %s", got)
	}
	must[object](m, "POST", "/products/"+lampProduct+"/devices/"+lampName+"/secret", object{})
	if got := m.post(c, "https", "/topic"+lampPost, "application/octet-stream", `{}`, good...); got != `{"code":20003,"message":"check token error"}` {
		t.Errorf("after the secret was reset: %s", got)
	}
	m.awaitEntry(lampProduct, lampName, "the refusal", func(e entry) bool { return e.Code == "aliyun-http-token-previous" })
}

func TestPreAuthenticationByHTTP(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	c := m.deviceClient()
	ask := func(name, key string) string {
		return m.post(c, "https", "/auth/devicename", "application/x-www-form-urlencoded", "productKey="+lampProduct+"&deviceName="+name+
			"&signmethod=hmacsha256&sign="+hexMAC(sha256.New, key, "clientId"+lampProduct+"."+name+"deviceName"+name+"productKey"+lampProduct+"timestamp2524608000000")+
			"&version=default&clientId="+lampProduct+"."+name+"&timestamp=2524608000000&resources=mqtt")
	}
	for _, tt := range []struct{ name, key, want string }{
		{lampName, "another", `{"code":401,"data":{},"message":"request auth error"}`},
		{"lamp99", lampSecret, `{"code":5001,"data":{},"message":"meta device not found"}`},
	} {
		if got := ask(tt.name, tt.key); got != tt.want {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
	got := ask(lampName, lampSecret)
	told := regexp.MustCompile(`^\{"code":200,"data":\{"iotId":"([A-Za-z0-9_-]{8,64})","iotToken":"([a-z0-9-]{16,64})","resources":\{"mqtt":\{"host":"127\.0\.0\.1","port":` + m.port + `\}\}\},"message":"success"\}$`).FindStringSubmatch(got)
	if told == nil {
		t.Fatalf("%s", got)
	}
	w := m.dial()
	w.Write(connect("any id", told[1], told[2], 60, true))
	w.expect("20 02 00 00")
	w = m.dial()
	w.Write(connect("any id", told[1], told[2][:30], 60, true))
	w.expect("20 02 00 03")
	w.expectClosed()
	m.awaitEntry(lampProduct, lampName, "the refusal", func(e entry) bool { return e.Code == "aliyun-iot-token-wrong" })
}

func TestOneNETReportsByHTTP(t *testing.T) {
	m := start(t, t.TempDir())
	m.sensor("strict")
	c := m.deviceClient()
	topic := "$sys/" + sensorProduct + "/" + sensorName + "/thing/property/post"
	post := func(prefix, topic, token, body string) string {
		return m.post(c, "http", prefix+"/thing/property/post?topic="+topic+"&protocol=HTTP", "application/json", body, "token", token)
	}
	good := onenetToken(sensorProduct, sensorName, sensorKey, time.Now().Add(time.Hour).Unix())
	for _, prefix := range []string{"/fuse/http/device", "/studio/http/device"} {
		if got := post(prefix, topic, good, `{"id":"1","version":"1.0","params":{"wendu":{"value":21.5}}}`); got != `{"errno":0,"error":"succ"}` {
			t.Errorf("%s: %s", prefix, got)
		}
	}
	m.awaitLatest(sensorProduct, sensorName, "wendu", "21.5")
	// The sister paths, with the protocol in either case [onenet §7].
	base := strings.TrimSuffix(topic, "property/post")
	for path, body := range map[string]string{
		"thing/pack/post":    `{"id":"3","version":"1.0","params":[{"properties":{"wendu":{"value":22}},"events":null}]}`,
		"thing/history/post": `{"id":"4","version":"1.0","params":[{"properties":{"wendu":[{"value":20,"time":1524448722000}]}}]}`,
		"device/online":      `{}`,
	} {
		to := base + strings.TrimPrefix(path, "thing/")
		if path == "device/online" {
			to = strings.TrimSuffix(base, "thing/") + path
		}
		for _, prefix := range []string{"/fuse/http/device/", "/studio/http/device/"} {
			if got := m.post(c, "http", prefix+path+"?topic="+url.QueryEscape(to)+"&protocol=http", "application/json", body, "token", good); got != `{"errno":0,"error":"succ"}` {
				t.Errorf("%s%s: %s", prefix, path, got)
			}
		}
	}
	if got := m.post(c, "http", "/fuse/http/device/thing/event/post?topic="+base+"event/post&protocol=http", "application/json",
		`{"id":"5","version":"1.0","params":{"nothing":{"value":{}}}}`, "token", good); !strings.HasPrefix(got, `{"errno":2306,`) {
		t.Errorf("an unknown event: %s", got)
	}
	m.awaitLatest(sensorProduct, sensorName, "wendu", "22")
	if got := post("/fuse/http/device", url.QueryEscape(topic), good, `{"id":"2","params":{"nothing":{"value":1}}}`); !strings.HasPrefix(got, `{"errno":2306,`) {
		t.Errorf("an unknown property: %s", got)
	}
	expired := onenetToken(sensorProduct, sensorName, sensorKey, 1500000000)
	if got := post("/fuse/http/device", topic, expired, `{}`); got != `{"errno":3,"error":"auth failed"}` {
		t.Errorf("expired: %s", got)
	}
	m.awaitEntry(sensorProduct, sensorName, "the refusal", func(e entry) bool { return e.Kind == "refuse" && strings.Contains(e.Code, "expired") })
	if got := post("/fuse/http/device", "$sys/"+sensorProduct+"/other/thing/property/post", good, `{}`); got != `{"errno":3,"error":"auth failed"}` {
		t.Errorf("another device's topic: %s", got)
	}
}

// issued makes an authority of devices and certificates of it, in files.
func issued(t *testing.T, names ...string) (authority string, certs []tls.Certificate, files []string) {
	t.Helper()
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Factory"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	authority = filepath.Join(dir, "factory.pem")
	write(t, authority, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	for i, name := range names {
		own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		leaf := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 2)), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		}
		der, err := x509.CreateCertificate(rand.Reader, leaf, root, own.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		certs = append(certs, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: own})
		file := filepath.Join(dir, fmt.Sprint(i, ".pem"))
		write(t, file, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
		files = append(files, file)
	}
	return authority, certs, files
}

func TestDevicesWithCertificates(t *testing.T) {
	authority, certs, files := issued(t, "lamp01", "stranger")
	config := filepath.Join(t.TempDir(), "matou.yaml")
	write(t, config, "tls: {clientCA: "+authority+"}\n")
	m := start(t, t.TempDir(), "--config", config)
	m.lamp()
	if out, errs, code := m.cli("device", "certificate", "set", lampProduct+"/"+lampName, files[0]); code != 0 {
		t.Fatalf("%s %s", out, errs)
	}
	// The first time a device has nothing but its certificate, and is told who
	// it is.
	w := m.dialTLS(certs[0])
	w.Write(connect("|securemode=2,signmethod=hmacsha1,timestamp=132323232|", "&", "", 60, true))
	w.expect("20 02 00 00")
	if topic, payload := w.message(); topic != "/ext/auth/identity/response" || payload != `{"productKey":"a1NightLamp","deviceName":"`+lampName+`"}` {
		t.Errorf("%s %s", topic, payload)
	}
	w.Write(publish(lampPost, `{"id":"1","params":{"CurrentTemperature":18}}`))
	if topic, _ := w.message(); topic != lampPost+"_reply" {
		t.Errorf("reply on %s", topic)
	}
	// Later it names itself and signs nothing.
	w = m.dialTLS(certs[0])
	w.Write(connect("x|securemode=2,signmethod=hmacsha1,timestamp=132323232|", lampName+"&"+lampProduct, "", 60, true))
	w.expect("20 02 00 00")

	id, user, pass := aliyunLogin(lampProduct, lampName, lampSecret)
	for _, tt := range []struct {
		name, code string
		w          *wire
		connect    []byte
	}{
		{"no TLS, and the right signature", "certificate-missing", m.dial(), connect(id, user, pass, 60, true)},
		{"no certificate", "certificate-missing", m.dialTLS(), connect(id, user, pass, 60, true)},
		{"another certificate", "certificate-other", m.dialTLS(certs[1]), connect(id, user, pass, 60, true)},
	} {
		tt.w.Write(tt.connect)
		tt.w.expect("20 02 00 04")
		tt.w.expectClosed()
		e := m.awaitEntry(lampProduct, lampName, tt.name, func(e entry) bool { return e.Code == tt.code })
		if e.Sentence == "" || e.SentenceZh == "" {
			t.Errorf("%s: %+v", tt.name, e)
		}
	}
	w = m.dialTLS(certs[1]) // trusted, and nobody's
	w.Write(connect("|securemode=2|", "&", "", 60, true))
	w.expect("20 02 00 04")
	if out, errs, code := m.cli("device", "certificate", "clear", lampProduct+"/"+lampName); code != 0 {
		t.Fatalf("%s %s", out, errs)
	}
	w = m.dialTLS(certs[0])
	w.Write(connect("x|securemode=2|", lampName+"&"+lampProduct, "", 60, true))
	w.expect("20 02 00 04")
	m.awaitEntry(lampProduct, lampName, "the refusal", func(e entry) bool { return e.Code == "certificate-unbound" })
	m.loginAliyun(lampProduct, lampName, lampSecret)
}

func TestFactoryFlow(t *testing.T) {
	m := start(t, t.TempDir())
	m.product(lampProduct, "aliyun", "lenient", lampProductSecret, lampTSL)
	ok := func(args ...string) string {
		t.Helper()
		out, errs, code := m.cli(args...)
		if code != 0 {
			t.Fatalf("matou %s: %d %s", strings.Join(args, " "), code, errs)
		}
		return out
	}
	ok("batch", "create", "--product", lampProduct, "--count", "500", "--prefix", "NL-", "--name", "march", "--list")
	ok("product", "registration", lampProduct, "--on", "--listed")
	rows := strings.Split(strings.TrimSpace(ok("batch", "export", lampProduct+"/march")), "\n")
	if len(rows) != 501 || rows[0] != "name,secret,enabled,state,registered,activated" {
		t.Fatalf("%d rows, the first %q", len(rows), rows[0])
	}
	one, two := strings.Split(rows[1], ","), strings.Split(rows[2], ",")

	// One device was given its secret by the factory, another registers.
	m.loginAliyun(lampProduct, one[0], one[1])
	if got := m.register(m.deviceClient(), two[0], lampProductSecret); !strings.Contains(got, `"deviceSecret":"`+two[1]+`"`) {
		t.Fatalf("%s", got)
	}
	w := m.loginAliyun(lampProduct, two[0], two[1])
	m.await("the batch to know them", func() bool {
		b := must[struct{ Devices, Registered, Activated, Disabled int }](m, "GET", "/products/"+lampProduct+"/batches/march", nil)
		return b.Devices == 500 && b.Registered == 1 && b.Activated == 2 && b.Disabled == 0
	})
	if out := ok("batch", "list", lampProduct); !regexp.MustCompile(`march +\S+ \S+ +500 +1 +2 +0`).MatchString(out) {
		t.Errorf("%s", out)
	}
	if out := ok("device", "registration", lampProduct+"/"+two[0]); !strings.Contains(out, "https") {
		t.Errorf("%s", out)
	}

	if out := ok("batch", "disable", lampProduct+"/march", "--yes"); out != "500 devices disabled\n" {
		t.Errorf("%s", out)
	}
	w.expectClosed()
	id, user, pass := aliyunLogin(lampProduct, two[0], two[1])
	if e := m.refused(id, user, pass, lampProduct, two[0]); e.Code != "device-disabled" {
		t.Errorf("revoked: %s", e.Code)
	}
	ok("batch", "enable", lampProduct+"/march", "--json")
	m.loginAliyun(lampProduct, two[0], two[1])
	if _, errs, code := m.cli("batch", "remove", lampProduct+"/march"); code != 1 || !strings.Contains(errs, "500 devices") {
		t.Errorf("%d %s", code, errs)
	}
	copied := filepath.Join(t.TempDir(), "march.csv") // what was exported can be imported elsewhere
	write(t, copied, strings.Join(rows, "\n")+"\n")
	m.product("a1Copy", "aliyun", "lenient", "", "")
	if out := ok("device", "import", "a1Copy", copied); !strings.Contains(out, "500 devices made") {
		t.Errorf("%s", out)
	}
}

// TestNodeDeviceSDKRegisters lets Alibaba Cloud's own SDK register over HTTPS,
// with the lab's authority as the only thing that it was told.
func TestNodeDeviceSDKRegisters(t *testing.T) {
	need(t, "node")
	if _, err := os.Stat(filepath.Join("node", "node_modules")); err != nil {
		t.Skip("SKIPPED: test/node/node_modules is missing; run test/prepare")
	}
	m := start(t, t.TempDir())
	m.product(lampProduct, "aliyun", "lenient", lampProductSecret, lampTSL)
	m.add(lampProduct, "lamp01", "")
	play := func() (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, "node", "aliyun-register.js")
		cmd.Dir = "node"
		cmd.Env = append(os.Environ(), "HOST=127.0.0.1", "PORT="+m.port, "PRODUCT_KEY="+lampProduct, "DEVICE_NAME=lamp01",
			"PRODUCT_SECRET="+lampProductSecret, "NODE_EXTRA_CA_CERTS="+filepath.Join(m.data, "tls", "ca.pem"))
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := play(); err == nil || !strings.Contains(out, "refused 6288") {
		t.Fatalf("while registration is switched off: %v\n%s", err, out)
	}
	m.allowRegistration(object{"enabled": true})
	if out, err := play(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	m.awaitLatest(lampProduct, "lamp01", "CurrentTemperature", "19.5")
	if out, err := play(); err == nil || !strings.Contains(out, "refused 6289") {
		t.Errorf("a second time: %v\n%s", err, out)
	}
}
