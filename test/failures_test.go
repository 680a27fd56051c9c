package test

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// A failure is a row of a reference's table of causes: the mistake committed,
// and the code by which the timeline names it.
type failure struct {
	row      int
	name     string
	commit   func(*bench)
	code     string // in the device's timeline; "" where commit judges itself
	nameless bool   // it is in the timeline of those without a name
	instead  string // what shows it where no client can commit it in time
}

// A bench is a device of its own for one mistake.
type bench struct {
	*testing.T
	m      *matou
	pk, dn string // whose timeline tells it
	ds     string
}

// must30 checks that no row of the table is left out.
func must30(t *testing.T, all []failure) {
	t.Helper()
	rows := map[int]bool{}
	for _, f := range all {
		rows[f.row] = true
	}
	for n := 1; n <= 30; n++ {
		if !rows[n] {
			t.Errorf("row %d is not there", n)
		}
	}
}

// play commits the mistakes of a table against devices of a product.
// A told is an entry of the timeline as its reader has it.
type told struct {
	Kind, Code, Sentence, SentenceZh, Page string
	Detail                                 struct {
		Field, Received, Expected, Advice, AdviceZh string
		Refused, Flagged                            []struct{ ID, Got, Want, Hint, Sentence, SentenceZh string }
		Notes                                       []struct{ Sentence, SentenceZh string }
	}
}

// guides reports whether nobody is left guessing: it names the field, what came
// and what would be right, or of a value its name, what it was and what the
// model wants.
func (e *told) guides() bool {
	d := &e.Detail
	for _, v := range append(d.Refused, d.Flagged...) {
		if v.ID == "" || v.Got == "" || v.Want == "" && v.Hint == "" || v.Sentence == "" || v.SentenceZh == "" || v.Sentence == v.SentenceZh {
			return false
		}
	}
	switch {
	case len(d.Refused)+len(d.Flagged)+len(d.Notes) > 0:
		return true
	case e.Kind == "note" && e.Code != "downlink-not-subscribed", e.Kind == "connect", e.Kind == "uplink" && d.Field == "":
		return e.Sentence != e.SentenceZh // accepted, with a word about it
	}
	return d.Field != "" && d.Received != "" && d.Expected != "" && d.Advice != "" && d.AdviceZh != "" && d.Advice != d.AdviceZh && e.Sentence != e.SentenceZh
}

func play(t *testing.T, m *matou, product string, secret func(n int) string, all []failure) {
	must30(t, all)
	for n, f := range all {
		t.Run(fmt.Sprintf("row %d, %s", f.row, f.name), func(t *testing.T) {
			if f.instead != "" {
				t.Skip("no client can show it here: " + f.instead)
			}
			m.t = t
			b := &bench{t, m, product, fmt.Sprintf("dev%02d", n), secret(n)}
			m.add(b.pk, b.dn, b.ds)
			f.commit(b)
			if f.code == "" {
				return
			}
			path := "/products/" + url.PathEscape(b.pk) + "/devices/" + url.PathEscape(b.dn) + "/timeline"
			if f.nameless {
				path = "/timeline"
			}
			m.await(f.code+" in the timeline", func() bool {
				for _, e := range must[struct {
					Items []told
				}](m, "GET", path, nil).Items {
					if e.Code == f.code {
						if e.Sentence == "" || e.SentenceZh == "" || e.Page == "" || !f.nameless && !e.guides() {
							t.Errorf("%+v", e)
						}
						return true
					}
				}
				return false
			})
		})
	}
	m.t = t
}

// paho logs in with a client that nobody here wrote, and expects this return
// code; 0 lets it in, -1 is an end without a word.
func (b *bench) paho(clientID, username, password string, code int) {
	b.Helper()
	c := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + b.m.device).SetClientID(clientID).SetUsername(username).SetPassword(password).
		SetConnectRetry(false).SetAutoReconnect(false).SetProtocolVersion(4))
	token := c.Connect().(*paho.ConnectToken)
	if !token.WaitTimeout(patience) {
		b.Fatal("no answer")
	}
	defer c.Disconnect(0)
	if got := int(token.ReturnCode()); code >= 0 && got != code || (token.Error() == nil) != (code == 0) {
		b.Errorf("return code %d (%v), want %d", got, token.Error(), code)
	}
}

// signed is a login as it should be, over a content of one's own.
func (b *bench) signed(secret, content string) string { return sign256(secret, content) }

func (b *bench) content() string {
	return "clientId" + b.dn + "deviceName" + b.dn + "productKey" + b.pk
}

func (b *bench) id() string   { return b.dn + "|securemode=3,signmethod=hmacsha256|" }
func (b *bench) user() string { return b.dn + "&" + b.pk }

func (b *bench) login() *wire { return b.m.loginAliyun(b.pk, b.dn, b.ds) }

func (b *bench) topic(suffix string) string { return "/sys/" + b.pk + "/" + b.dn + suffix }

func (b *bench) post(payload string) string {
	w := b.login()
	w.Write(publish(b.topic("/thing/event/property/post"), payload))
	_, reply := w.message()
	return reply
}

// handshake is TLS with a client of one's own liking.
func (b *bench) handshake(c *tls.Config) error {
	b.Helper()
	conn := b.m.dial()
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	return tls.Client(conn, c).Handshake()
}

// The causes of aliyun-device.md §10.
func TestAliyunFailureCauses(t *testing.T) {
	config := filepath.Join(t.TempDir(), "matou.yaml")
	if err := os.WriteFile(config, []byte("devices:\n  connectTimeout: 2s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := start(t, t.TempDir(), "--config", config)
	const productSecret = "Pq9LmN4bVcXz7KsD"
	m.product(lampProduct, "aliyun", "lenient", productSecret, lampTSL)
	m.product("a1StrictLmp", "aliyun", "strict", productSecret, lampTSL)
	m.product("a1Gateway00", "aliyun", "lenient", "", "")
	must[object](m, "PATCH", "/products/a1Gateway00", object{"nodeType": "gateway"})
	m.add("a1Gateway00", "gate01", lampSecret)
	raw := func(b *bench) []byte { return mac256(b.ds, b.content()) }
	play(t, m, lampProduct, func(n int) string { return fmt.Sprintf("Zk3Qw8ErT5yUiOp1AsDf7GhJkLzXc%03d", n) }, []failure{
		{row: 1, name: "secret of another device", code: "aliyun-wrong-secret", commit: func(b *bench) {
			b.paho(b.id(), b.user(), b.signed("another device's secret", b.content()), 4)
		}},
		{row: 2, name: "ProductSecret", code: "aliyun-product-secret", commit: func(b *bench) {
			b.paho(b.id(), b.user(), b.signed(productSecret, b.content()), 4)
		}},
		{row: 3, name: "another method than announced", code: "aliyun-wrong-method", commit: func(b *bench) {
			b.paho(b.dn+"|securemode=3,signmethod=hmacsha1|", b.user(), b.signed(b.ds, b.content()), 4)
		}},
		{row: 4, name: "another timestamp", code: "aliyun-timestamp-mismatch", commit: func(b *bench) {
			b.paho(b.dn+"|securemode=3,signmethod=hmacsha256,timestamp=1700000000000|", b.user(), b.signed(b.ds, b.content()+"timestamp789"), 4)
		}},
		{row: 4, name: "a timestamp that is not announced", code: "aliyun-timestamp-unannounced", commit: func(b *bench) {
			b.paho(b.id(), b.user(), b.signed(b.ds, b.content()+"timestamp789"), 4)
		}},
		{row: 5, name: "the whole client id signed", code: "aliyun-other-clientid", commit: func(b *bench) {
			b.paho(b.id(), b.user(), b.signed(b.ds, "clientId"+b.id()+"deviceName"+b.dn+"productKey"+b.pk), 4)
		}},
		{row: 6, name: "as in a URL", code: "aliyun-content-form", commit: func(b *bench) {
			b.paho(b.id(), b.user(), b.signed(b.ds, "clientId="+b.dn+"&deviceName="+b.dn+"&productKey="+b.pk), 4)
		}},
		{row: 7, name: "Base64", code: "aliyun-password-base64", commit: func(b *bench) {
			b.paho(b.id(), b.user(), base64.StdEncoding.EncodeToString(raw(b)), 4)
		}},
		{row: 7, name: "raw bytes", code: "aliyun-password-raw", commit: func(b *bench) { b.paho(b.id(), b.user(), string(raw(b)), 4) }},
		{row: 7, name: "a buffer of 40", code: "aliyun-password-cut", commit: func(b *bench) {
			b.paho(b.id(), b.user(), b.signed(b.ds, b.content())[:40], 4)
		}},
		{row: 8, name: "line end behind the password", code: "aliyun-stray-bytes", commit: func(b *bench) {
			b.paho(b.id(), b.user(), b.signed(b.ds, b.content())+"\r\n", 4)
		}},
		{row: 8, name: "line end in the secret", code: "aliyun-secret-stray", commit: func(b *bench) {
			b.paho(b.id(), b.user(), b.signed(b.ds+"\n", b.content()), 4)
		}},
		{row: 9, name: "names reversed", code: "aliyun-names-swapped", commit: func(b *bench) {
			b.paho(b.id(), b.pk+"&"+b.dn, b.signed(b.ds, b.content()), 4)
			b.pk, b.dn = b.dn, b.pk // the timeline of who it claimed to be
		}},
		{row: 10, name: "no bars", code: "aliyun-clientid-no-bars", commit: func(b *bench) {
			b.paho(b.dn, b.user(), b.signed(b.ds, b.content()), 2)
		}},
		{row: 11, name: "cut at the first comma", code: "aliyun-clientid-one-bar", commit: func(b *bench) {
			b.paho(b.dn+"|securemode=3", b.user(), b.signed(b.ds, b.content()), 2)
		}},
		{row: 11, name: "escapes sent along", code: "aliyun-escaped-commas", commit: func(b *bench) {
			b.paho(b.dn+`|securemode=3\,signmethod=hmacsha256|`, b.user(), b.signed(b.ds, "clientId"+b.dn+`\,`), 2)
		}},
		{row: 12, name: "keep-alive of 15 s, strict", code: "aliyun-keep-alive", commit: func(b *bench) {
			b.pk = "a1StrictLmp"
			b.m.add(b.pk, b.dn, b.ds)
			w := b.m.dial()
			w.Write(connect(b.id(), b.user(), b.signed(b.ds, b.content()), 15, true))
			w.expect("20 02 00 02")
			w.expectClosed()
		}},
		{row: 12, name: "keep-alive of 15 s, lenient", code: "aliyun-keep-alive", commit: func(b *bench) {
			w := b.m.dial()
			w.Write(connect(b.id(), b.user(), b.signed(b.ds, b.content()), 15, true))
			w.expect("20 02 00 00")
		}},
		{row: 13, name: "half a CONNECT", code: "connect-missing", nameless: true, commit: func(b *bench) {
			w := b.m.dial()
			w.Write(connect(b.id(), b.user(), b.signed(b.ds, b.content()), 60, true)[:100])
			w.Close()
		}},
		{row: 13, name: "no CONNECT in time", code: "connect-timeout", nameless: true, commit: func(b *bench) {
			w := b.m.dial()
			w.Write(connect(b.id(), b.user(), b.signed(b.ds, b.content()), 60, true)[:100])
			w.expectClosed()
		}},
		{row: 14, name: "wrong host", instead: "nothing arrives at any server"},
		{row: 15, name: "device trusts another authority", code: "tls-refused", nameless: true, commit: func(b *bench) {
			if err := b.handshake(&tls.Config{ServerName: "iot-as-mqtt.cn-shanghai.aliyuncs.com"}); err == nil {
				b.Error("a certificate that nobody trusts was taken")
			}
		}},
		{row: 16, name: "no suite in common", code: "tls-handshake", nameless: true, commit: func(b *bench) {
			err := b.handshake(&tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12,
				CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256}}) // the lab's key is RSA
			if err == nil {
				b.Error("it was let in")
			}
		}},
		{row: 17, name: "TLS on the plain port simply works", commit: func(b *bench) {
			if err := b.handshake(&tls.Config{InsecureSkipVerify: true}); err != nil {
				b.Error(err)
			}
		}},
		{row: 18, name: "two devices with one identity", code: "taken-over", commit: func(b *bench) {
			first := b.login()
			b.login()
			first.expectClosed()
		}},
		{row: 19, name: "no PINGREQ", instead: "the least keep-alive is 30 s: TestKeepAlive of internal/broker, and row 14 of OneNET"},
		{row: 20, name: "disabled", code: "device-disabled", commit: func(b *bench) {
			must[object](b.m, "PATCH", "/products/"+b.pk+"/devices/"+b.dn, object{"enabled": false})
			b.paho(b.id(), b.user(), b.signed(b.ds, b.content()), 4)
		}},
		{row: 20, name: "product of another instance", code: "aliyun-unknown-product", commit: func(b *bench) {
			b.pk = "a1Elsewhere"
			b.paho(b.id(), b.user(), b.signed(b.ds, b.content()), 4)
		}},
		{row: 21, name: "reconnects without a pause", code: "connect-rate", commit: func(b *bench) {
			for range 40 {
				w := b.m.dial()
				w.Write(connect(b.id(), b.user(), b.signed(b.ds, b.content()), 60, true))
				if _, body := w.packet(); body[1] == 3 {
					return
				}
			}
			b.Error("forty logins at once were let in")
		}},
		{row: 22, name: "somebody else's topic", code: "aliyun-topic-forbidden", commit: func(b *bench) {
			w := b.login()
			w.Write(frame(0x82, "\x00\x01"+str("/sys/+/+/thing/#")+"\x00"))
			w.expect("90 03 00 01 80")
			w.send("c0 00")
			w.expect("d0 00") // the connection stays [aliyun-device §2.5]
		}},
		{row: 23, name: "placeholder left in the topic", code: "aliyun-topic-forbidden", commit: func(b *bench) {
			w := b.login()
			w.Write(publish1(1, "/sys/"+b.pk+"/${deviceName}/thing/event/property/post", `{"id":"1","params":{}}`))
			w.expect("40 02 00 01")
		}},
		{row: 24, name: "wrong identifier", code: "value-unknown", commit: func(b *bench) {
			if got := b.post(`{"id":"1","params":{"temperature":20}}`); !strings.HasPrefix(got, `{"code":200,"data":{"temperature":`) {
				b.Error(got)
			}
		}},
		{row: 25, name: "text for a number", code: "value-wrong-type", commit: func(b *bench) {
			if got := b.post(`{"id":"1","params":{"CurrentTemperature":"hot"}}`); !strings.HasPrefix(got, `{"code":200,"data":{"CurrentTemperature":`) {
				b.Error(got)
			}
		}},
		{row: 26, name: "seconds for milliseconds", code: "value-bad-time", commit: func(b *bench) {
			b.post(fmt.Sprintf(`{"id":"1","params":{"CurrentTemperature":{"value":20,"time":%d}}}`, time.Now().Unix()))
		}},
		{row: 27, name: "cut off", code: "aliyun-bad-message", commit: func(b *bench) {
			b.login().Write(publish(b.topic("/thing/event/property/post"), `{"id":"1","params":{"CurrentTemperature":2`))
		}},
		{row: 27, name: "nan", code: "aliyun-bad-message", commit: func(b *bench) {
			b.login().Write(publish(b.topic("/thing/event/property/post"), `{"id":"1","params":{"CurrentTemperature":nan}}`))
		}},
		{row: 28, name: "command is not answered", instead: "the answer is awaited for a minute: TestCommandTimesOut of internal/command"},
		{row: 29, name: "registration without TLS", code: "aliyun-register-plain", commit: func(b *bench) {
			w := b.m.dial()
			w.Write(connect(b.dn+"|securemode=2,authType=register,random=567345,signmethod=hmacsha256|", b.user(),
				b.signed(productSecret, "deviceName"+b.dn+"productKey"+b.pk+"random567345"), 60, true))
			w.expect("20 02 00 02")
			w.expectClosed()
		}},
		{row: 30, name: "sub-device that is not logged in", commit: func(b *bench) {
			gateway := &bench{b.T, b.m, "a1Gateway00", "gate01", lampSecret}
			must[object](b.m, "POST", "/products/a1Gateway00/devices/gate01/subs", object{"devices": []object{{"product": b.pk, "device": b.dn}}})
			w := gateway.login()
			w.Write(publish(b.topic("/thing/event/property/post"), `{"id":"1","params":{"CurrentTemperature":20}}`))
			for {
				topic, payload := w.message()
				if topic == "/ext/error/a1Gateway00/gate01" {
					if !strings.HasPrefix(payload, `{"code":520,`) {
						b.Error(payload)
					}
					break
				}
			}
		}},
	})
}

// The causes of onenet.md §10.
func TestOneNETFailureCauses(t *testing.T) {
	m := start(t, t.TempDir())
	m.product(sensorProduct, "onenet", "lenient", "", sensorModel)
	m.product("strictPid0", "onenet", "strict", "", strings.ReplaceAll(sensorModel, sensorProduct, "strictPid0"))
	key := func(n int) string {
		return base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf("a key of thirty-two bytes: %05d", n)))
	}
	const later = 4102444800
	token := func(b *bench) string { return onenetToken(b.pk, b.dn, b.ds, later) }
	// made is a token with parts of one's own.
	made := func(b *bench, hmacKey []byte, text, res string) string {
		h := hmac.New(sha1.New, hmacKey)
		h.Write([]byte(text))
		return fmt.Sprintf("version=2018-10-31&res=%s&et=%d&method=sha1&sign=%s", url.QueryEscape(res), later, url.QueryEscape(base64.StdEncoding.EncodeToString(h.Sum(nil))))
	}
	res := func(b *bench) string { return "products/" + b.pk + "/devices/" + b.dn }
	text := func(b *bench, res string) string { return fmt.Sprintf("%d\nsha1\n%s\n2018-10-31", later, res) }
	decoded := func(b *bench) []byte { raw, _ := base64.StdEncoding.DecodeString(b.ds); return raw }
	strictly := func(b *bench) {
		b.pk = "strictPid0"
		b.m.add(b.pk, b.dn, b.ds)
	}
	login := func(b *bench, keepAlive int) *wire {
		w := b.m.dial()
		w.Write(connect(b.dn, b.pk, token(b), keepAlive, true))
		w.expect("20 02 00 00")
		return w
	}
	post := func(b *bench, payload string) {
		login(b, 60).Write(publish("$sys/"+b.pk+"/"+b.dn+"/thing/property/post", payload))
	}
	play(t, m, sensorProduct, key, []failure{
		{row: 1, name: "expired", code: "onenet-token-expired", commit: func(b *bench) {
			b.paho(b.dn, b.pk, onenetToken(b.pk, b.dn, b.ds, 1661245031), 4)
		}},
		{row: 2, name: "client id of a desktop tool", code: "onenet-client-id", commit: func(b *bench) { b.paho("mqttx_0a1b2c3d", b.pk, token(b), 4) }},
		{row: 2, name: "product id and name joined", code: "onenet-client-id-joined", commit: func(b *bench) { b.paho(b.pk+"&"+b.dn, b.pk, token(b), 4) }},
		{row: 3, name: "user name is no product id", code: "onenet-username", commit: func(b *bench) { b.paho(b.dn, "someone", token(b), 4) }},
		{row: 4, name: "key not decoded", code: "onenet-key-not-decoded", commit: func(b *bench) {
			b.paho(b.dn, b.pk, made(b, []byte(b.ds), text(b, res(b)), res(b)), 4)
		}},
		{row: 5, name: "res signed encoded", code: "onenet-res-signed-encoded", commit: func(b *bench) {
			b.paho(b.dn, b.pk, made(b, decoded(b), text(b, url.QueryEscape(res(b))), res(b)), 4)
		}},
		{row: 5, name: "nothing between the values", code: "onenet-no-separators", commit: func(b *bench) {
			b.paho(b.dn, b.pk, made(b, decoded(b), strings.ReplaceAll(text(b, res(b)), "\n", ""), res(b)), 4)
		}},
		{row: 6, name: "key from before it was regenerated", code: "onenet-previous-key", commit: func(b *bench) {
			old := token(b)
			must[object](b.m, "POST", "/products/"+b.pk+"/devices/"+b.dn+"/secret", object{})
			b.paho(b.dn, b.pk, old, 4)
		}},
		{row: 7, name: "sign encoded twice", code: "onenet-sign-double-encoded", commit: func(b *bench) {
			b.paho(b.dn, b.pk, strings.Replace(token(b), "%3D", "%253D", 1), 4)
		}},
		{row: 8, name: "buffer of 100", code: "onenet-token-cut", commit: func(b *bench) { b.paho(b.dn, b.pk, token(b)[:100], 4) }},
		{row: 9, name: "clock not set", code: "onenet-clock-unset", commit: func(b *bench) { b.paho(b.dn, b.pk, onenetToken(b.pk, b.dn, b.ds, 3600), 4) }},
		{row: 10, name: "MQTT 3.1", code: "onenet-protocol-level", commit: func(b *bench) {
			strictly(b)
			w := b.m.dial()
			w.Write(frame(0x10, str("MQIsdp")+"\x03\xc2\x00\x3c"+str(b.dn)+str(b.pk)+str(token(b))))
			w.expect("20 02 00 01")
			w.expectClosed()
		}},
		{row: 11, name: "keep-alive 0", code: "onenet-keep-alive", commit: func(b *bench) {
			strictly(b)
			w := b.m.dial()
			w.Write(connect(b.dn, b.pk, token(b), 0, true))
			w.expectClosed() // without a CONNACK [onenet §1.4]
		}},
		{row: 11, name: "clean session 0", code: "onenet-clean-session", commit: func(b *bench) {
			strictly(b)
			w := b.m.dial()
			w.Write(connect(b.dn, b.pk, token(b), 60, false))
			w.expectClosed()
		}},
		{row: 12, name: "host of the old platform", instead: "nothing arrives at any server"},
		{row: 13, name: "two clients with one name", code: "taken-over", commit: func(b *bench) {
			first := login(b, 60)
			login(b, 60)
			first.expectClosed()
		}},
		{row: 14, name: "no PINGREQ", code: "keep-alive-timeout", commit: func(b *bench) { login(b, 1).expectClosed() }},
		{row: 15, name: "rate", code: "connect-rate", commit: func(b *bench) {
			for range 40 {
				w := b.m.dial()
				w.Write(connect(b.dn, b.pk, token(b), 60, true))
				if _, body := w.packet(); body[1] == 3 {
					return
				}
			}
			b.Error("forty logins at once were let in")
		}},
		{row: 16, name: "unknown identifier", code: "value-unknown", commit: func(b *bench) { post(b, `{"id":"1","version":"1.0","params":{"Wendu":{"value":1}}}`) }},
		{row: 17, name: "text for a number", code: "value-wrong-type", commit: func(b *bench) { post(b, `{"id":"1","version":"1.0","params":{"wendu":{"value":"hot"}}}`) }},
		{row: 18, name: "cut off", code: "onenet-bad-message", commit: func(b *bench) { post(b, `{"id":"1","version":"1.0","params":{"wendu":{"val`) }},
		{row: 19, name: "bare value", code: "onenet-bare-value", commit: func(b *bench) { post(b, `{"id":"1","version":"1.0","params":{"wendu":21.1}}`) }},
		{row: 20, name: "another device's topic", code: "onenet-topic", commit: func(b *bench) {
			login(b, 60).Write(publish("$sys/"+b.pk+"/nobody/thing/property/post", `{}`))
		}},
		{row: 21, name: "set without a subscription", code: "downlink-not-subscribed", commit: func(b *bench) {
			login(b, 60)
			b.m.awaitState(b.pk, b.dn, "ONLINE")
			if status, raw := b.m.call("POST", "/products/"+b.pk+"/devices/"+b.dn+"/properties", object{"values": object{"wendu": 20}}); status != 409 {
				b.Errorf("%d %s", status, raw)
			}
		}},
		{row: 22, name: "caller wraps the value", commit: func(b *bench) {
			if status, raw := b.m.call("POST", "/products/"+b.pk+"/devices/"+b.dn+"/properties", object{"values": object{"wendu": object{"value": 20}}}); status != 400 || !strings.Contains(string(raw), "wendu") {
				b.Errorf("%d %s", status, raw)
			}
		}},
		{row: 23, name: "set of an unknown property", commit: func(b *bench) {
			if status, raw := b.m.call("POST", "/products/"+b.pk+"/devices/"+b.dn+"/properties", object{"values": object{"Wendu": 20}}); status != 400 || !strings.Contains(string(raw), "wendu") {
				b.Errorf("%d %s", status, raw)
			}
		}},
		{row: 24, name: "downlink values are bare", commit: func(b *bench) {
			w := login(b, 60)
			w.Write(frame(0x82, "\x00\x01"+str("$sys/"+b.pk+"/"+b.dn+"/thing/property/set")+"\x00"))
			w.expect("90 03 00 01 00")
			must[object](b.m, "POST", "/products/"+b.pk+"/devices/"+b.dn+"/properties", object{"values": object{"wendu": 20}})
			if _, payload := w.message(); !strings.Contains(payload, `"params":{"wendu":20}`) {
				b.Error(payload)
			}
		}},
		{row: 25, name: "no token at the API", commit: func(b *bench) {
			token := b.m.token
			b.m.token = "version=2018-10-31&res=userid%2F1&et=1&method=sha1&sign=x"
			defer func() { b.m.token = token }()
			if status, raw := b.m.call("GET", "/products", nil); status != 401 {
				b.Errorf("%d %s", status, raw)
			}
		}},
		{row: 26, name: "topic of the other data model", code: "onenet-data-model", commit: func(b *bench) {
			strictly(b)
			w := login(b, 60)
			w.Write(frame(0x82, "\x00\x01"+str("$sys/"+b.pk+"/"+b.dn+"/cmd/#")+"\x00"))
			w.expect("90 03 00 01 80")
		}},
		{row: 27, name: `an app takes "false" for true`, instead: "it is the app's own reading of the answer"},
		{row: 28, name: "seconds for milliseconds", code: "value-bad-time", commit: func(b *bench) {
			post(b, fmt.Sprintf(`{"id":"1","version":"1.0","params":{"wendu":{"value":1,"time":%d}}}`, time.Now().Unix()))
		}},
		{row: 29, name: "device trusts OneNET's authority only", code: "tls-refused", nameless: true, commit: func(b *bench) {
			if err := b.handshake(&tls.Config{ServerName: "mqttstls.heclouds.com"}); err == nil {
				b.Error("a certificate that nobody trusts was taken")
			}
		}},
		{row: 30, name: "sub-device that is not bound", commit: func(b *bench) {
			login(b, 60).Write(publish("$sys/"+b.pk+"/"+b.dn+"/thing/pack/post",
				`{"id":"1","version":"1.0","params":[{"identity":{"productID":"`+b.pk+`","deviceName":"nobody"},"properties":{"wendu":{"value":1}}}]}`))
			b.m.awaitEntry(b.pk, b.dn, "the stranger", func(e entry) bool {
				return strings.HasPrefix(e.Code, "onenet-") && (strings.Contains(string(e.Detail), "nobody") || strings.Contains(e.Sentence, "nobody")) && e.SentenceZh != ""
			})
		}},
		{row: 6, name: "Aliyun's digest", code: "onenet-hex-password", commit: func(b *bench) {
			h := hmac.New(md5.New, []byte(b.ds))
			b.paho(b.dn, b.pk, hex.EncodeToString(h.Sum(nil)), 4)
		}},
	})
}
