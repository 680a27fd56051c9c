package test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	piondtls "github.com/pion/dtls/v3"
	dtlsnet "github.com/pion/dtls/v3/pkg/net"
	"github.com/plgd-dev/go-coap/v3/dtls"
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/options"
	"github.com/plgd-dev/go-coap/v3/udp"
	"github.com/plgd-dev/go-coap/v3/udp/client"
)

// startCoAP runs a server with both roads of CoAP on an address.
func startCoAP(t *testing.T, host string, more ...string) (m *matou, plain, secure string) {
	t.Helper()
	m = start(t, t.TempDir(), append([]string{"--coap", host + ":0", "--coaps", host + ":0"}, more...)...)
	m.lamp()
	var r struct{ CoAP, CoAPS []string }
	raw, err := os.ReadFile(filepath.Join(m.data, "run.json"))
	if err != nil || json.Unmarshal(raw, &r) != nil || len(r.CoAP) != 1 || len(r.CoAPS) != 1 {
		t.Fatalf("run.json: %s %v", raw, err)
	}
	return m, r.CoAP[0], r.CoAPS[0]
}

// A coapDevice is a night light that speaks CoAP by a client that nobody here
// wrote. What it signs and encrypts is written down anew here, from the
// reference: [aliyun-device §7.2].
type coapDevice struct {
	t     *testing.T
	conn  *client.Conn
	token string
	key   []byte // nil over DTLS
	seq   int
}

func (d *coapDevice) post(path string, body []byte, opts ...message.Option) (codes.Code, []byte, message.Options) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	reply, err := d.conn.Post(ctx, path, message.AppJSON, bytes.NewReader(body), opts...)
	if err != nil {
		d.t.Fatalf("POST %s: %v", path, err)
	}
	payload, err := reply.ReadBody()
	if err != nil {
		d.t.Fatal(err)
	}
	all, err := reply.Options().Clone()
	if err != nil {
		d.t.Fatal(err)
	}
	return reply.Code(), append([]byte(nil), payload...), all
}

func (d *coapDevice) crypt(b []byte) []byte {
	block, _ := aes.NewCipher(d.key)
	pad := 16 - len(b)%16
	b = append(append([]byte(nil), b...), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, []byte("543yhjy97ae7fyfg")).CryptBlocks(b, b)
	return b
}

func (d *coapDevice) decrypt(b []byte) string {
	d.t.Helper()
	if len(b) == 0 || len(b)%16 != 0 {
		d.t.Fatalf("%x is nothing that C3 could decrypt", b)
	}
	block, _ := aes.NewCipher(d.key)
	b = append([]byte(nil), b...)
	cipher.NewCBCDecrypter(block, []byte("543yhjy97ae7fyfg")).CryptBlocks(b, b)
	return string(b[:len(b)-int(b[len(b)-1])])
}

func option(id message.OptionID, value []byte) message.Option {
	return message.Option{ID: id, Value: value}
}

// report posts to a topic as C3 does: the sequence number counted up, the
// payload encrypted.
func (d *coapDevice) report(topic, payload string) (codes.Code, []byte, message.Options) {
	d.t.Helper()
	d.seq++
	return d.reportAs(d.seq-1, topic, payload)
}

func (d *coapDevice) reportAs(seq int, topic, payload string) (codes.Code, []byte, message.Options) {
	d.t.Helper()
	opts := []message.Option{option(2088, []byte(d.token))}
	body := []byte(payload)
	if d.key != nil {
		opts, body = append(opts, option(2089, d.crypt([]byte(strconv.Itoa(seq))))), d.crypt(body)
	}
	return d.post("/topic"+topic, body, opts...)
}

func lampAuth(seq string) string {
	id := lampProduct + "&" + lampName
	text := "clientId" + id + "deviceName" + lampName + "productKey" + lampProduct
	member := ""
	if seq != "" {
		text, member = text+"seq"+seq, `,"seq":"`+seq+`"`
	}
	return fmt.Sprintf(`{"productKey":"%s","deviceName":"%s","clientId":"%s","sign":"%s"%s}`, lampProduct, lampName, id, hexMAC(md5.New, lampSecret, text), member)
}

// plainLamp logs in over plain UDP.
func plainLamp(t *testing.T, addr string) *coapDevice {
	t.Helper()
	conn, err := udp.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	d := &coapDevice{t: t, conn: conn}
	code, body, opts := d.post("/auth", []byte(lampAuth("10")), option(message.Accept, []byte{50}))
	var told struct {
		Random, Token string
		SeqOffset     int
	}
	if err := json.Unmarshal(body, &told); err != nil || code != codes.Content || len(told.Random) != 16 || len(told.Random) > 32 || told.Token == "" || len(told.Token) > 192 {
		t.Fatalf("login: %v %s %v", code, body, err)
	}
	if want := `{"random":"` + told.Random + `","seqOffset":` + strconv.Itoa(told.SeqOffset) + `,"token":"` + told.Token + `"}`; string(body) != want {
		t.Errorf("login: %s, want %s", body, want)
	}
	if format, err := opts.ContentFormat(); err != nil || format != message.AppJSON {
		t.Errorf("content format %v, %v", format, err)
	}
	sum := sha256.Sum256([]byte(lampSecret + "," + told.Random))
	d.token, d.key, d.seq = told.Token, sum[8:24], told.SeqOffset
	return d
}

func coapPost(id int, temperature string) string {
	return fmt.Sprintf(`{"id":"%d","version":"1.0","params":{"CurrentTemperature":%s},"method":"thing.event.property.post"}`, id, temperature)
}

var coapTopic = "/sys/" + lampProduct + "/" + lampName + "/thing/event/property/post"

// TestOneNETByCoAP: login, reports, keep alive and logout of a OneNET device,
// byte by byte [onenet §7].
func TestOneNETByCoAP(t *testing.T) {
	m, addr, _ := startCoAP(t, "127.0.0.1")
	m.product(sensorProduct, "onenet", "strict", "", sensorModel)
	m.add(sensorProduct, sensorName, sensorKey)
	conn, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	id := byte(0)
	ask := func(code byte, token, path, payload string) string {
		t.Helper()
		id++
		b := append([]byte{0x40 | byte(len(token)), code, 0, id}, token...)
		for i, segment := range strings.Split("$sys/"+sensorProduct+"/"+sensorName+"/"+path, "/") {
			delta := byte(0)
			if i == 0 {
				delta = 11 << 4
			}
			b = append(append(b, delta|byte(len(segment))), segment...)
		}
		conn.Write(append(append(b, 0x11, 0x32, 0x51, 0x32, 0xff), payload...))
		answer := make([]byte, 2048)
		n, err := conn.Read(answer)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		head := string([]byte{0x60 | byte(len(token))}) // an acknowledgement of this request
		if got := string(answer[:n]); !strings.HasPrefix(got, head) || got[2:4+len(token)] != "\x00"+string([]byte{id})+token {
			t.Fatalf("%s: % x", path, got)
		}
		return fmt.Sprintf("%d.%02d", answer[1]>>5, answer[1]&31) + string(answer[4+len(token):n])
	}
	login := func(key string) string {
		return fmt.Sprintf(`{"st":"%s","lt":3600}`, onenetToken(sensorProduct, sensorName, key, 4102444800))
	}
	if got := ask(2, "", "login", login("EnW4T71eIE55xOIQMN6pFMKuqel5T5HTzsGJRPiDhlM=")); got != "4.01" {
		t.Errorf("another key: %q", got)
	}
	m.awaitEntry(sensorProduct, sensorName, "why", func(e entry) bool { return e.Kind == "refuse" && e.Code == "onenet-wrong-key" })
	token, ok := strings.CutPrefix(ask(2, "", "login", login(sensorKey)), "2.01\xff")
	if !ok || len(token) != 8 {
		t.Fatalf("login: %q", token)
	}
	m.awaitState(sensorProduct, sensorName, "ONLINE")
	const success = "2.05\xc1\x32\xff" // with content format 50
	if got := ask(2, token, "thing/property/post", `{"id":"1","version":"1.0","params":{"wendu":{"value":21.5}}}`); got != success+`{"id":"1","code":200,"msg":"success"}` {
		t.Errorf("report: %q", got)
	}
	m.awaitLatest(sensorProduct, sensorName, "wendu", "21.5")
	if got := ask(2, token, "thing/property/post", `{"id":"2","params":{"Wendu":{"value":1}}}`); got != success+`{"id":"2","code":2306,"msg":"identifier not exist:identifier:Wendu"}` {
		t.Errorf("unknown property: %q", got)
	}
	if got := ask(2, token, "thing/property/desired/get", `{"id":"3","version":"1.0","params":["wendu"]}`); got != success+`{"id":"3","code":200,"msg":"success","data":{}}` {
		t.Errorf("desired values: %q", got)
	}
	if got := ask(2, "8 bytes!", "thing/property/post", `{"id":"4","params":{}}`); got != "4.01" {
		t.Errorf("a token that is none: %q", got)
	}
	m.awaitEntry(sensorProduct, sensorName, "why", func(e entry) bool {
		return e.Code == "onenet-coap-token" && strings.Contains(string(e.Detail), "38206279746573") && e.SentenceZh != ""
	})
	if got := ask(2, token, "keep_alive", login(sensorKey)); got != "2.04" {
		t.Errorf("keep alive: %q", got)
	}
	if got := ask(4, token, "logout", login(sensorKey)); got != "2.02" {
		t.Errorf("logout: %q", got)
	}
	m.awaitState(sensorProduct, sensorName, "OFFLINE")
}

func TestCoAPOverPlainUDP(t *testing.T) {
	m, addr, _ := startCoAP(t, "127.0.0.1")
	d := plainLamp(t, addr)
	code, body, opts := d.report(coapTopic, coapPost(7, "25.6"))
	want := `{"code":200,"data":{},"id":"7","message":"success","method":"thing.event.property.post","version":"1.0"}`
	if code != codes.Content || d.decrypt(body) != want {
		t.Fatalf("%v %q, want %s", code, d.decrypt(body), want)
	}
	if id, err := opts.GetString(2090); err != nil || id == "" || strings.Trim(id, "0123456789") != "" {
		t.Errorf("message id %q, %v", id, err)
	}
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "25.6")
	status := must[struct{ State, Protocol string }](m, "GET", "/products/"+lampProduct+"/devices/"+lampName+"/status", nil)
	if status.State != "ONLINE" || status.Protocol != "CoAP over UDP" {
		t.Errorf("presence %+v", status)
	}
	// A topic of the device's own has no reply: what comes is empty, encrypted.
	if code, body, _ := d.report("/"+lampProduct+"/"+lampName+"/user/update", "hello"); code != codes.Content || d.decrypt(body) != "" {
		t.Errorf("custom topic: %v %q", code, body)
	}
	// In blocks of 64 bytes, as the client cuts it itself.
	cut, err := udp.Dial(addr, options.WithBlockwise(true, 2, patience))
	if err != nil {
		t.Fatal(err)
	}
	defer cut.Close()
	blocks := *d
	blocks.conn = cut
	if code, body, _ := blocks.report(coapTopic, coapPost(8, "26.5")+strings.Repeat(" ", 900)); code != codes.Content || !strings.Contains(blocks.decrypt(body), `"id":"8"`) {
		t.Errorf("in blocks: %v %q", code, body)
	}
	d.seq = blocks.seq
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "26.5")

	refused := func(name string, code, want codes.Code, body []byte, reason string) {
		t.Helper()
		if code != want || len(body) != 0 {
			t.Errorf("%s: %v %q, want %v without payload", name, code, body, want)
		}
		e := m.awaitEntry(lampProduct, lampName, "the refusal with "+reason, func(e entry) bool { return e.Code == reason })
		if e.Sentence == "" || e.SentenceZh == "" || strings.Contains(string(e.Detail), lampSecret) {
			t.Errorf("%s: %+v", name, e)
		}
	}
	code, body, _ = d.reportAs(1, coapTopic, coapPost(9, "99"))
	refused("a sequence number again", code, codes.Forbidden, body, "aliyun-coap-seq-repeated")
	code, body, _ = d.reportAs(0, coapTopic, coapPost(9, "99"))
	refused("a sequence number below the offset", code, codes.Unauthorized, body, "aliyun-coap-seq-low")
	code, body, _ = d.post("/topic"+coapTopic, d.crypt([]byte(coapPost(9, "99"))), option(2088, []byte(d.token)))
	refused("no sequence number", code, codes.Unauthorized, body, "aliyun-coap-seq-missing")
	code, body, _ = d.post("/topic"+coapTopic, []byte(coapPost(9, "99")), option(2088, []byte(d.token)), option(2089, d.crypt([]byte("77"))))
	refused("not encrypted", code, codes.BadRequest, body, "aliyun-coap-cipher")
	code, body, _ = d.report("/sys/"+lampProduct+"/another/thing/event/property/post", coapPost(9, "99"))
	refused("another device's topic", code, codes.Forbidden, body, "aliyun-topic-forbidden")
	code, body, _ = d.report(coapTopic, coapPost(9, "99")+strings.Repeat(" ", 4096))
	if code != codes.RequestEntityTooLarge || len(body) != 0 {
		t.Errorf("5 KB: %v %q", code, body)
	}
	code, body, _ = d.post("/auth", []byte(strings.Replace(lampAuth("10"), `"10"`, `"11"`, 1)))
	refused("another seq than was signed", code, codes.Unauthorized, body, "aliyun-wrong-secret")
	code, body, _ = d.post("/auth", []byte(strings.Replace(lampAuth("10"), `,"seq":"10"`, "", 1)))
	refused("no seq", code, codes.BadRequest, body, "aliyun-coap-missing")
	if code, body, _ := d.post("/auth", []byte(strings.Replace(lampAuth("10"), lampName+`"`, `nobody"`, 1))); code != codes.Unauthorized || len(body) != 0 {
		t.Errorf("unknown device: %v %q", code, body)
	}
	for path, want := range map[string]codes.Code{"/nowhere": codes.NotFound, "/auth/more": codes.NotFound} {
		if code, _, _ := d.post(path, nil); code != want {
			t.Errorf("POST %s: %v, want %v", path, code, want)
		}
	}
	if got := m.latest(lampProduct, lampName, "CurrentTemperature"); got != "26.5" {
		t.Errorf("a message that was refused has left %s behind", got)
	}
	if text := m.figures(); !strings.Contains(text, "matou_coap_messages_total 3\n") || !strings.Contains(text, "matou_coap_logins_total 1\n") {
		t.Errorf("metrics:\n%s", text)
	}

	must[object](m, "PATCH", "/products/"+lampProduct+"/devices/"+lampName, object{"enabled": false})
	if code, _, _ := d.report(coapTopic, coapPost(9, "99")); code != codes.Unauthorized {
		t.Errorf("after it was disabled: %v", code) // its session is gone
	}
	code, body, _ = d.post("/auth", []byte(lampAuth("10")))
	refused("login of a disabled device", code, codes.Forbidden, body, "device-disabled")
}

// pskOf is key and identity as C4 makes them [aliyun-device §1.5].
func pskOf(secret string) (identity, key string) {
	const stamp = "2524608000000"
	names := lampProduct + "&" + lampName
	return "devicename|hmacsha256|" + names + "|" + stamp, strings.ToUpper(hexMAC(sha256.New, secret, "id"+names+"timestamp"+stamp))
}

// overDTLS connects by DTLS. The handshake is made at the first message.
func overDTLS(t *testing.T, addr string, how ...piondtls.ClientOption) *client.Conn {
	t.Helper()
	c, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := piondtls.ClientWithOptions(dtlsnet.PacketConnFromConn(c), c.RemoteAddr(), how...)
	if err != nil {
		t.Fatal(err)
	}
	d := dtls.Client(conn, options.WithCloseSocket())
	t.Cleanup(func() { d.Close() })
	return d
}

// presharedKey is a device's side of a handshake with a pre-shared key. The
// suite is what small devices have [RFC 7252 §9.1.3.1].
func presharedKey(identity, key string) []piondtls.ClientOption {
	return []piondtls.ClientOption{
		piondtls.WithPSK(func([]byte) ([]byte, error) { return []byte(key), nil }), piondtls.WithPSKIdentityHint([]byte(identity)),
		piondtls.WithCipherSuites(piondtls.TLS_PSK_WITH_AES_128_CCM_8),
	}
}

func TestCoAPOverDTLSWithAPresharedKey(t *testing.T) {
	m, _, addr := startCoAP(t, "127.0.0.1")
	identity, key := pskOf(lampSecret)
	d := &coapDevice{t: t, conn: overDTLS(t, addr, presharedKey(identity, key)...)}
	// The handshake has said who it is: without a token.
	code, body, _ := d.post("/topic"+coapTopic, []byte(coapPost(1, "21")))
	if want := `{"code":200,"data":{},"id":"1","message":"success","method":"thing.event.property.post","version":"1.0"}`; code != codes.Content || string(body) != want {
		t.Fatalf("%v %s", code, body)
	}
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "21")
	// And with one, as the documentation has it.
	code, body, _ = d.post("/auth", []byte(lampAuth("")))
	var told struct{ Token string }
	if err := json.Unmarshal(body, &told); err != nil || code != codes.Content || string(body) != `{"token":"`+told.Token+`"}` {
		t.Fatalf("login: %v %s", code, body)
	}
	d.token = told.Token
	if code, body, _ := d.report(coapTopic, coapPost(2, "22")); code != codes.Content || !strings.Contains(string(body), `"id":"2"`) {
		t.Errorf("%v %s", code, body)
	}
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "22")
	d.token = "f13102810756432e85dfd351eeb41c04"
	if code, body, _ := d.report(coapTopic, coapPost(3, "23")); code != codes.Unauthorized || len(body) != 0 {
		t.Errorf("unknown token: %v %q", code, body)
	}
	m.awaitEntry(lampProduct, lampName, "the refused token", func(e entry) bool { return e.Code == "aliyun-coap-token-unknown" })
	status := must[struct{ State, Protocol string }](m, "GET", "/products/"+lampProduct+"/devices/"+lampName+"/status", nil)
	if status.State != "ONLINE" || status.Protocol != "CoAP over DTLS" {
		t.Errorf("presence %+v", status)
	}
}

func TestCoAPOverDTLSWithACertificate(t *testing.T) {
	m, _, addr := startCoAP(t, "127.0.0.1")
	pool := x509.NewCertPool()
	raw, err := os.ReadFile(filepath.Join(m.data, "tls", "ca.pem"))
	if err != nil || !pool.AppendCertsFromPEM(raw) {
		t.Fatal("the lab's authority", err)
	}
	d := &coapDevice{t: t, conn: overDTLS(t, addr, piondtls.WithRootCAs(pool), piondtls.WithServerName("127.0.0.1"))}
	if code, body, _ := d.post("/topic"+coapTopic, []byte(coapPost(1, "21"))); code != codes.Unauthorized || len(body) != 0 {
		t.Fatalf("before a login: %v %q", code, body)
	}
	code, body, _ := d.post("/auth", []byte(lampAuth("")))
	var told struct{ Token string }
	if err := json.Unmarshal(body, &told); err != nil || code != codes.Content {
		t.Fatalf("login: %v %s", code, body)
	}
	d.token = told.Token
	if code, body, _ := d.report(coapTopic, coapPost(2, "22")); code != codes.Content || !strings.Contains(string(body), `"id":"2"`) {
		t.Errorf("%v %s", code, body)
	}
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "22")
}
