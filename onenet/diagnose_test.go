package onenet

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/mqtt"
)

// The keys of the tests: none may ever show in a diagnosis.
const (
	oldKey     = "b2xkLWtleS1vbGQta2V5LW9sZC1rZXktb2xkLWtleSE="
	productKey = "cHJvZHVjdC1rZXktcHJvZHVjdC1rZXktcHJvZHVjdC0="
)

func exists() Known {
	return Known{
		Keys:         Keys{Device: sampleKey, Product: productKey, PreviousDevice: oldKey, PreviousProduct: officialKey},
		KnowsProduct: func(p string) bool { return p == "VRqhDHF2wL" || p == "OTHERproDX" },
		KnowsDevice:  func(p, d string) bool { return p == "VRqhDHF2wL" && (d == "my_tv" || d == "lamp") },
	}
}

// mistake makes a wrong login out of the right one.
type mistake struct {
	name  string
	code  string
	field string
	make  func(s *Sent, t *Token)
}

// set sends a password as it stands.
func set(password string) func(*Sent, *Token) {
	return func(s *Sent, _ *Token) { s.Password = []byte(password) }
}

// signing signs another text, or with another key or method, than is right.
func signing(key func() []byte, m Method, text func(Token) string) func(*Sent, *Token) {
	return func(s *Sent, t *Token) {
		t.Sign = base64.StdEncoding.EncodeToString(Sign(m, key(), text(*t)))
		s.Password = []byte(t.String())
	}
}

func sending(change func(t *Token)) func(*Sent, *Token) {
	return func(s *Sent, t *Token) {
		change(t)
		s.Password = []byte(t.String())
	}
}

// resigned changes a token before it is signed with the right key.
func resigned(change func(t *Token)) func(*Sent, *Token) {
	return func(s *Sent, t *Token) {
		change(t)
		signed, _ := t.Signed(decoded(sampleKey)())
		s.Password = []byte(signed.String())
	}
}

func decoded(key string) func() []byte {
	return func() []byte {
		raw, err := DecodeKey(key)
		if err != nil {
			panic(err)
		}
		return raw
	}
}

func as(s string) func() []byte { return func() []byte { return []byte(s) } }

func replaced(old, text string) func(Token) string {
	return func(t Token) string { return strings.ReplaceAll(t.StringForSignature(), old, text) }
}

func values(order ...int) func(Token) string {
	return func(t Token) string {
		v := []string{t.Et, string(t.Method), t.Res, t.Version}
		var out []string
		for _, i := range order {
			out = append(out, v[i])
		}
		return strings.Join(out, "\n")
	}
}

var right = Token.StringForSignature

var mistakes = []mistake{
	// The near misses of [onenet §2.4], as they stand there.
	{"near miss: key as text", "onenet-key-not-decoded", "sign", sending(func(t *Token) { t.Sign = "mOj7oUAr7i3NPhDNiiQF8K8fK+c=" })},
	{"near miss: res signed encoded", "onenet-res-signed-encoded", "sign", sending(func(t *Token) { t.Sign = "N+57Btv6kuEzlYof/wjoKVyLqp4=" })},
	{"near miss: no separators", "onenet-no-separators", "sign", sending(func(t *Token) { t.Sign = "J+X6oPU1aVB5YhlKCKtDzLsAGFQ=" })},
	{"near miss: literal backslash n", "onenet-literal-newline", "sign", sending(func(t *Token) { t.Sign = "9nVxqT08gzLeNERFDNQBTY4BD8w=" })},
	{"near miss: Base64 of hex", "onenet-hex-signed", "sign", sending(func(t *Token) {
		t.Sign = "N2MzN2Q3MDVjMzI2YmIyZDcxYWQyMzAzYmI5MGI1MDhiMDMxOTgyYQ=="
	})},

	// The password as a whole [onenet §10 rows 8, 25].
	{"no password", "onenet-no-password", "password", set("")},
	{"only a line end", "onenet-no-password", "password", set("\r\n")},
	{"the device's key as password", "onenet-key-as-password", "password", set(sampleKey)},
	{"the product's key without padding", "onenet-key-as-password", "password", set(strings.TrimRight(productKey, "="))},
	{"the previous key", "onenet-key-as-password", "password", set(oldKey + "\n")},
	{"a key that nobody knows", "onenet-key-as-password", "password", set("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=")},
	{"Aliyun's digest", "onenet-hex-password", "password", set("0f7a3b6b0c1d2e3f4a5b6c7d8e9f00112233445566778899aabbccddeeff0011")},
	{"some text", "onenet-no-token", "password", set("password123")},
	{"encoded as a whole", "onenet-token-encoded", "password", set(strings.NewReplacer("=", "%3D", "&", "%26").Replace(sha1Token))},
	{"out of HTML", "onenet-html-escaped", "password", set(strings.ReplaceAll(sha1Token, "&", "&amp;"))},
	{"joined by commas", "onenet-token-separator", "password", set(strings.ReplaceAll(sha1Token, "&", ","))},
	{"printf's percent signs", "onenet-percent-escaped", "password", set(strings.ReplaceAll(sha1Token, "%", "%%"))},
	{"escapes of C", "onenet-backslash-escaped", "password", set(strings.ReplaceAll(sha1Token, "%3D", `\u003D`))},
	{"quotes around it", "onenet-stray-bytes", "password", set(`"` + sha1Token + `"`)},
	{"a blank before it", "onenet-stray-bytes", "password", set(" " + sha1Token)},
	{"a line end inside it", "onenet-stray-bytes", "password", set(sha1Token[:64] + "\r\n" + sha1Token[64:])},
	{"cut by a buffer of 64 bytes", "onenet-token-cut", "password", set(sha1Token[:64])},
	{"cut before sign", "onenet-token-cut", "password", set(sha1Token[:strings.Index(sha1Token, "&sign")])},
	{"cut inside sign", "onenet-token-cut", "password", set(sha1Token[:len(sha1Token)-10])},
	{"cut inside sign so that it looks like md5", "onenet-token-cut", "password", set(sha1Token[:len(sha1Token)-9])},
	{"cut inside an escape", "onenet-token-cut", "password", set(strings.TrimSuffix(sha1Token, "Co%3D") + "%")},
	{"cut by a buffer of 128 bytes, inside its last escape", "onenet-token-cut", "password", set(strings.TrimSuffix(sha1Token, "D"))},
	{"full-width ampersands", "onenet-full-width", "password", set(strings.ReplaceAll(sha1Token, "&", "＆"))},
	{"full-width letter in the product id", "onenet-full-width", "username", func(s *Sent, _ *Token) { s.Username = strings.Replace(s.Username, "V", "Ｖ", 1) }},
	{"full-width underscore in the client id", "onenet-full-width", "clientId", func(s *Sent, _ *Token) { s.ClientID = "my＿tv" }},
	{"version missing", "onenet-token-part", "version", set(sha1Token[len("version=2018-10-31&"):])},
	{"res missing", "onenet-token-part", "res", set(strings.Replace(sha1Token, "&res=products%2FVRqhDHF2wL%2Fdevices%2Fmy_tv", "", 1))},
	{"et empty", "onenet-token-part", "et", set(strings.Replace(sha1Token, "1893456000", "", 1))},
	{"sign twice", "onenet-part-twice", "sign", set(sha1Token + "&sign=x")},

	// Expiry and method [onenet §10 rows 1, 9].
	{"expired", "onenet-token-expired", "et", resigned(func(t *Token) { t.Et = "1740000000" })},
	{"the seed's own", "onenet-token-expired", "et", set(seedToken)},
	{"et 0", "onenet-clock-unset", "et", resigned(func(t *Token) { t.Et = "0" })},
	{"a clock that began in 1970", "onenet-clock-unset", "et", resigned(func(t *Token) { t.Et = "31536100" })},
	{"a clock that began in 2000", "onenet-clock-unset", "et", resigned(func(t *Token) { t.Et = "946688400" })},
	{"et is a date", "onenet-et-number", "et", resigned(func(t *Token) { t.Et = "2030-01-01" })},
	{"et has a point", "onenet-et-number", "et", resigned(func(t *Token) { t.Et = "1893456000.0" })},
	{"et below zero", "onenet-et-number", "et", resigned(func(t *Token) { t.Et = "-1" })},
	{"method hmacsha1", "onenet-unknown-method", "method", sending(func(t *Token) { t.Method = "hmacsha1" })},

	// Resource and names [onenet §10 rows 2, 3].
	{"res encoded twice", "onenet-res-double-encoded", "res", sending(func(t *Token) { t.Res = encode(t.Res) })},
	{"res with a slash first", "onenet-res-form", "res", resigned(func(t *Token) { t.Res = "/" + t.Res })},
	{"res without devices", "onenet-res-form", "res", resigned(func(t *Token) { t.Res = "products/VRqhDHF2wL/my_tv" })},
	{"res without a name", "onenet-res-form", "res", resigned(func(t *Token) { t.Res = "products/VRqhDHF2wL/devices/" })},
	{"res with product instead of products", "onenet-res-form", "res", resigned(func(t *Token) { t.Res = "product/VRqhDHF2wL/devices/my_tv" })},
	{"a token for the API", "onenet-user-token", "res", resigned(func(t *Token) { t.Res = "userid/12321" })},
	{"user name and client id swapped", "onenet-names-swapped", "username", func(s *Sent, _ *Token) { s.ClientID, s.Username = s.Username, s.ClientID }},
	{"names swapped in res", "onenet-names-swapped", "res", resigned(func(t *Token) { t.Res = "products/my_tv/devices/VRqhDHF2wL" })},
	{"user name is the device's name", "onenet-username", "username", func(s *Sent, _ *Token) { s.Username = "my_tv" }},
	{"user name is something else", "onenet-username", "username", func(s *Sent, _ *Token) { s.Username = "admin" }},
	{"user name in lower case", "onenet-product-case", "username", func(s *Sent, _ *Token) { s.Username = "vrqhdhf2wl" }},
	{"user name with a line end", "onenet-stray-bytes", "username", func(s *Sent, _ *Token) { s.Username += "\r\n" }},
	{"client id pid&name", "onenet-client-id-joined", "clientId", func(s *Sent, _ *Token) { s.ClientID = "VRqhDHF2wL&my_tv" }},
	{"client id pid.name", "onenet-client-id-joined", "clientId", func(s *Sent, _ *Token) { s.ClientID = "VRqhDHF2wL.my_tv" }},
	{"client id is the device id", "onenet-client-id-number", "clientId", func(s *Sent, _ *Token) { s.ClientID = "982173645" }},
	{"client id of a desktop tool", "onenet-client-id", "clientId", func(s *Sent, _ *Token) { s.ClientID = "mqttx_0f3a9b12" }},
	{"client id empty", "onenet-client-id", "clientId", func(s *Sent, _ *Token) { s.ClientID = "" }},
	{"client id in capitals", "onenet-device-name-case", "clientId", func(s *Sent, _ *Token) { s.ClientID = "MY_TV" }},
	{"client id between quotes", "onenet-stray-bytes", "clientId", func(s *Sent, _ *Token) { s.ClientID = `"my_tv"` }},
	{"client id with NUL, and a wrong key too", "onenet-stray-bytes", "clientId", func(s *Sent, t *Token) {
		s.ClientID += "\x00"
		signing(as("another key"), SHA1, right)(s, t)
	}},
	{"res of another product", "onenet-res-product", "res", resigned(func(t *Token) { t.Res = "products/OTHERproDX/devices/my_tv" })},
	{"res of the product in lower case", "onenet-product-case", "res", resigned(func(t *Token) { t.Res = "products/vrqhdhf2wl/devices/my_tv" })},
	{"res of another device", "onenet-res-device", "res", resigned(func(t *Token) { t.Res = "products/VRqhDHF2wL/devices/lamp" })},
	{"res of the device in capitals", "onenet-device-name-case", "res", resigned(func(t *Token) { t.Res = "products/VRqhDHF2wL/devices/MY_TV" })},
	{"an unknown product", "onenet-unknown-product", "username", func(s *Sent, t *Token) {
		s.Username = "abcdefghij"
		resigned(func(t *Token) { t.Res = "products/abcdefghij/devices/my_tv" })(s, t)
	}},
	{"an unknown device", "onenet-unknown-device", "clientId", func(s *Sent, t *Token) {
		s.ClientID = "fridge"
		resigned(func(t *Token) { t.Res = "products/VRqhDHF2wL/devices/fridge" })(s, t)
	}},
	{"a device in capitals everywhere", "onenet-device-name-case", "clientId", func(s *Sent, t *Token) {
		s.ClientID = "MY_TV"
		resigned(func(t *Token) { t.Res = "products/VRqhDHF2wL/devices/MY_TV" })(s, t)
	}},

	// The signature as it was written [onenet §10 rows 5, 7].
	{"plus lost to a blank", "onenet-plus-lost", "sign", func(s *Sent, t *Token) {
		t.Method = MD5 // the md5 vector has a plus
		signed, _ := t.Signed(decoded(sampleKey)())
		s.Password = []byte(strings.ReplaceAll(signed.String(), "%2B", " "))
	}},
	{"sign encoded twice", "onenet-sign-double-encoded", "sign", sending(func(t *Token) { t.Sign = encode(t.Sign) })},
	{"sign encoded three times", "onenet-sign-double-encoded", "sign", sending(func(t *Token) { t.Sign = encode(encode(t.Sign)) })},
	{"URL-safe Base64", "onenet-sign-url-safe", "sign", resigned2(func(sign string) string { return strings.NewReplacer("+", "-", "/", "_").Replace(sign) })},
	{"hex", "onenet-sign-hex", "sign", sending(func(t *Token) { t.Sign = hex.EncodeToString(mustDecode(t.Sign)) })},
	{"hex in capitals", "onenet-sign-hex", "sign", sending(func(t *Token) { t.Sign = strings.ToUpper(hex.EncodeToString(mustDecode(t.Sign))) })},
	{"hex of an HMAC with the key as text", "onenet-sign-hex", "sign", sending(func(t *Token) { t.Sign = hex.EncodeToString(Sign(SHA1, []byte(sampleKey), right(*t))) })},
	{"no Base64 at all", "onenet-sign-not-base64", "sign", sending(func(t *Token) { t.Sign = "this*is*not*base64*at*all*really" })},
	{"bytes too many", "onenet-sign-length", "sign", sending(func(t *Token) { t.Sign = base64.StdEncoding.EncodeToString(make([]byte, 25)) })},

	// What it was made with and of [onenet §10 rows 4, 5, 6].
	{"key as text", "onenet-key-not-decoded", "sign", signing(as(sampleKey), SHA1, right)},
	{"key as text with its line end", "onenet-key-not-decoded", "sign", signing(as(sampleKey+"\n"), SHA1, right)},
	{"product's key as text", "onenet-key-not-decoded", "sign", signing(as(productKey), SHA1, right)},
	{"key as hex text", "onenet-key-decoded-twice", "sign", signing(as(sampleKeyHex), SHA1, right)},
	{"previous key", "onenet-previous-key", "sign", signing(decoded(oldKey), SHA1, right)},
	{"previous key of the product", "onenet-previous-key", "sign", signing(decoded(officialKey), SHA1, right)},
	{"key in lower case", "onenet-key-case", "sign", signing(decoded(strings.ToLower(sampleKey)), SHA1, right)},
	{"key in capitals", "onenet-key-case", "sign", signing(decoded(strings.ToUpper(sampleKey)), SHA1, right)},
	{"device's key for the product's res", "onenet-device-key-for-product", "res", resigned(func(t *Token) { t.Res = "products/VRqhDHF2wL" })},
	{"res signed with small escapes", "onenet-res-signed-encoded", "sign", signing(decoded(sampleKey), SHA1, func(t Token) string {
		return strings.ReplaceAll(right(t), "/", "%2f")
	})},
	{"no separators", "onenet-no-separators", "sign", signing(decoded(sampleKey), SHA1, replaced("\n", ""))},
	{"literal backslash n", "onenet-literal-newline", "sign", signing(decoded(sampleKey), SHA1, replaced("\n", `\n`))},
	{"CR LF between", "onenet-separator", "sign", signing(decoded(sampleKey), SHA1, replaced("\n", "\r\n"))},
	{"ampersands between", "onenet-separator", "sign", signing(decoded(sampleKey), SHA1, replaced("\n", "&"))},
	{"a line feed at the end", "onenet-separator", "sign", signing(decoded(sampleKey), SHA1, func(t Token) string { return right(t) + "\n" })},
	{"version first", "onenet-order", "sign", signing(decoded(sampleKey), SHA1, values(3, 2, 0, 1))},
	{"res first, product's key", "onenet-order", "sign", signing(decoded(productKey), SHA1, values(2, 0, 1, 3))},
	{"names signed", "onenet-names-signed", "sign", signing(decoded(sampleKey), SHA1, func(t Token) string {
		return "et=" + t.Et + "\nmethod=" + string(t.Method) + "\nres=" + t.Res + "\nversion=" + t.Version
	})},
	{"the query text signed", "onenet-names-signed", "sign", signing(decoded(sampleKey), SHA1, func(t Token) string {
		return "version=" + t.Version + "&res=" + encode(t.Res) + "&et=" + t.Et + "&method=" + string(t.Method)
	})},
	{"method signed in capitals", "onenet-method-case", "sign", signing(decoded(sampleKey), SHA1, replaced("sha1", "SHA1"))},
	{"the product's res signed", "onenet-other-res", "sign", signing(decoded(sampleKey), SHA1, replaced("/devices/my_tv", ""))},
	{"milliseconds signed", "onenet-other-et", "sign", signing(decoded(sampleKey), SHA1, replaced("1893456000", "1893456000000"))},
	{"another version signed", "onenet-other-version", "sign", signing(decoded(sampleKey), SHA1, replaced("2018-10-31", "2022-05-01"))},
	{"md5 made, sha1 announced", "onenet-wrong-method", "method", signing(decoded(sampleKey), MD5, right)},
	{"sha256 made and signed, sha1 announced", "onenet-wrong-method", "method", signing(decoded(sampleKey), SHA256, replaced("sha1", "sha256"))},
	{"md5 with another key, sha1 announced", "onenet-wrong-method", "method", signing(as("another key"), MD5, right)},
	{"key and text swapped", "onenet-key-and-text-swapped", "sign", func(s *Sent, t *Token) {
		t.Sign = base64.StdEncoding.EncodeToString(Sign(SHA1, []byte(right(*t)), string(decoded(sampleKey)())))
		s.Password = []byte(t.String())
	}},
	{"a plain hash", "onenet-plain-hash", "sign", func(s *Sent, t *Token) {
		sum := sha1.Sum([]byte(right(*t)))
		t.Sign = base64.StdEncoding.EncodeToString(sum[:])
		s.Password = []byte(t.String())
	}},
	{"another device's key", "onenet-wrong-key", "sign", signing(as("another key of 32 bytes, or so…"), SHA1, right)},
}

// resigned2 changes a signature that has both special letters of Base64.
func resigned2(change func(string) string) func(*Sent, *Token) {
	return func(s *Sent, t *Token) {
		for et := 1893456000; !strings.Contains(t.Sign, "+") || !strings.Contains(t.Sign, "/"); et++ {
			t.Et = strconv.Itoa(et)
			*t, _ = t.Signed(decoded(sampleKey)())
		}
		t.Sign = change(t.Sign)
		s.Password = []byte(t.String())
	}
}

func mustDecode(sign string) []byte {
	raw, err := decodeSign(sign)
	if err != nil {
		panic(err)
	}
	return raw
}

// TestACutTokenIsCalledCut: wherever a buffer ends, and whatever the method.
func TestACutTokenIsCalledCut(t *testing.T) {
	for _, m := range Methods() {
		token, err := NewToken(Options{ProductID: "VRqhDHF2wL", DeviceName: "my_tv", Key: sampleKey, Method: m, Expiry: 1893456000})
		if err != nil {
			t.Fatal(err)
		}
		whole := token.String()
		for n := len("version=2018-10-31&res=p"); n < len(whole); n++ {
			s := tv(whole[:n])
			if d := Diagnose(s, exists(), today); d != nil && d.Code != "onenet-token-cut" {
				t.Errorf("%s, %d of %d bytes, …%s: %s", m, n, len(whole), whole[max(0, n-8):n], d.Code)
			}
		}
	}
}

// TestADifferenceIsShown: where the token says one thing and its signature
// another, both stand in the sentence, and what came is never what is right.
func TestADifferenceIsShown(t *testing.T) {
	s := tv(strings.Replace(sha1Token, "2018-10-31", "2022-05-01", 1))
	d := Diagnose(s, exists(), today)
	if d == nil || d.Code != "onenet-other-version" || d.Field != "version" || d.Received != "2022-05-01" || d.Expected != "2018-10-31" ||
		!strings.Contains(d.SentenceZH, `"2018-10-31"，而 token 中是 "2022-05-01"`) {
		t.Errorf("%+v", d)
	}
}

func TestDiagnoseNamesEachMistake(t *testing.T) {
	covered := map[string]bool{}
	for _, tt := range mistakes {
		covered[tt.code] = true
		t.Run(tt.name, func(t *testing.T) {
			s := tv(sha1Token)
			tok, err := ParseToken(s.Password)
			if err != nil {
				t.Fatal(err)
			}
			tt.make(&s, &tok)
			k := exists()
			d := Diagnose(s, k, today)
			if d == nil || d.Code != tt.code || d.Field != tt.field {
				t.Fatalf("%+v, want %s in %s", d, tt.code, tt.field)
			}
			complete(t, d)
			secretFree(t, d)
			if tt.code == "onenet-unknown-product" || tt.code == "onenet-unknown-device" {
				return
			}
			if d.RightLogin == nil || d.StringToSign == "" {
				t.Fatal("it says nothing of what is right")
			}
			r := Sent{ClientID: d.RightLogin.ClientID, Username: d.RightLogin.Username, Password: []byte(d.RightLogin.Password)}
			if again := Diagnose(r, k, today); again != nil {
				t.Errorf("the right login is refused: %+v", again)
			}
		})
	}
	for _, tt := range conductTests {
		covered[tt.code] = true
	}
	for _, c := range Codes() {
		if !covered[c.Code] && !slices.Contains(testedElsewhere, c.Code) {
			t.Errorf("no test makes the mistake %s", c.Code)
		}
	}
}

// testedElsewhere are the codes of other tests, in this file and in subdevice_test.go.
var testedElsewhere = []string{"onenet-sub-no-token", "onenet-sub-gateway-key", "onenet-no-key", "onenet-et-milliseconds", "onenet-token-ends-soon", "onenet-trailing-bytes", "onenet-not-encoded"}

// complete checks that a diagnosis says all it should, in both languages.
func complete(t *testing.T, d *Diagnosis) {
	t.Helper()
	if d.Sentence == "" || d.SentenceZH == "" || d.Advice == "" || d.AdviceZH == "" || d.Sentence == d.SentenceZH {
		t.Errorf("%s is not said in full: %+v", d.Code, d)
	}
	for _, s := range []string{d.Sentence, d.SentenceZH} {
		if strings.Contains(s, "%!") {
			t.Errorf("%s: arguments do not fit: %s", d.Code, s)
		}
	}
}

// secretFree checks that no key shows, in any form.
func secretFree(t *testing.T, d *Diagnosis) {
	t.Helper()
	doc, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{sampleKey, productKey, oldKey, officialKey} {
		raw := decoded(key)()
		for _, form := range []string{strings.TrimRight(key, "="), string(raw), hex.EncodeToString(raw)} {
			if strings.Contains(string(doc), form) {
				t.Errorf("%s shows a key: %s", d.Code, doc)
			}
		}
	}
}

func TestDiagnoseSaysWhenTheTokenExpired(t *testing.T) {
	d := Diagnose(tv(seedToken), exists(), today)
	if d == nil || !strings.Contains(d.Sentence, "2022-08-23 08:57:11 UTC") || !strings.Contains(d.SentenceZH, "2022-08-23") || d.Received != "1661245031" {
		t.Fatalf("%+v", d)
	}
	tok, err := ParseToken([]byte(d.RightLogin.Password))
	if err != nil || tok.Method != MD5 || tok.Et != strconv.FormatInt(today.AddDate(1, 0, 0).Unix(), 10) {
		t.Errorf("offered %+v, %v: the method should stay, et be a year on", tok, err)
	}
	k := exists()
	k.IgnoreExpiry = true
	if d := Diagnose(tv(seedToken), k, today); d == nil || d.Code != "onenet-wrong-key" {
		t.Errorf("where expiry is waived: %+v", d)
	}
}

func TestDiagnoseWithoutKnowledge(t *testing.T) {
	only := Known{Keys: Keys{Device: sampleKey}}
	for _, tt := range []struct {
		name string
		sent Sent
		k    Known
		code string
	}{
		{"right in form", tv(sha1Token), Known{}, "onenet-no-key"},
		{"expired", tv(seedToken), Known{}, "onenet-token-expired"},
		{"client id of a tool", Sent{ClientID: "mqttx_1", Username: "VRqhDHF2wL", Password: []byte(sha1Token)}, Known{}, "onenet-client-id"},
		{"user name, where the token verifies", Sent{ClientID: "my_tv", Username: "someone", Password: []byte(sha1Token)}, only, "onenet-username"},
		{"res, where nothing verifies", Sent{ClientID: "my_tv", Username: "someone", Password: []byte(sha1Token)}, Known{}, "onenet-res-product"},
		{"swapped", Sent{ClientID: "VRqhDHF2wL", Username: "my_tv", Password: []byte(sha1Token)}, Known{}, "onenet-names-swapped"},
		{"names that were told", Sent{ClientID: "my_tv", Username: "VRqhDHF2wL", Password: []byte(sha1Token)}, Known{ProductID: "VRqhDHF2wL", DeviceName: "lamp"}, "onenet-client-id"},
		{"signature of another length", tv(strings.Replace(sha1Token, "method=sha1", "method=md5", 1)), Known{}, "onenet-wrong-method"},
		{"plus lost", tv(strings.Replace(md5Token, "%2B", " ", 1)), Known{}, "onenet-plus-lost"},
		{"hex", tv("version=1&res=products%2FVRqhDHF2wL%2Fdevices%2Fmy_tv&et=1893456000&method=md5&sign=3e057159755384fa1ef89438d4ace309"), Known{}, "onenet-sign-hex"},
		{"Base64 of hex", tv("version=1&res=products%2FVRqhDHF2wL%2Fdevices%2Fmy_tv&et=1893456000&method=sha1&sign=N2MzN2Q3MDVjMzI2YmIyZDcxYWQyMzAzYmI5MGI1MDhiMDMxOTgyYQ=="), Known{}, "onenet-hex-signed"},
		{"encoded twice", tv(strings.ReplaceAll(sha1Token, "%3D", "%253D")), Known{}, "onenet-sign-double-encoded"},
		{"a key that is none", tv(sha1Token), Known{Keys: Keys{Device: "no key!"}}, "onenet-wrong-key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := Diagnose(tt.sent, tt.k, today)
			if d == nil || d.Code != tt.code {
				t.Fatalf("%+v, want %s", d, tt.code)
			}
			complete(t, d)
			if tt.k.Device != sampleKey && d.RightLogin != nil {
				t.Errorf("a right login out of nothing: %+v", d.RightLogin)
			}
		})
	}
}

var conductTests = []struct {
	name, code, field string
	change            func(*Sent)
}{
	{"MQTT 3.1, Quectel's default [onenet §10 row 10]", "onenet-protocol-level", "version", func(s *Sent) { s.Version = mqtt.V31 }},
	{"MQTT 5", "onenet-protocol-level", "version", func(s *Sent) { s.Version = mqtt.V5 }},
	{"keep-alive 0 [row 11]", "onenet-keep-alive", "keepAlive", func(s *Sent) { s.KeepAlive = 0 }},
	{"keep-alive 9", "onenet-keep-alive", "keepAlive", func(s *Sent) { s.KeepAlive = 9 }},
	{"keep-alive 1801", "onenet-keep-alive", "keepAlive", func(s *Sent) { s.KeepAlive = 1801 }},
	{"clean session 0", "onenet-clean-session", "cleanSession", func(s *Sent) { s.CleanSession = false }},
	{"a will", "onenet-will", "will", func(s *Sent) { s.Will = true }},
}

func TestConductIsRefusedByStrictOnly(t *testing.T) {
	for _, tt := range conductTests {
		t.Run(tt.name, func(t *testing.T) {
			s, k := tv(sha1Token), exists()
			tt.change(&s)
			if d := Diagnose(s, k, today); d != nil {
				t.Errorf("lenient: %+v", d)
			}
			k.Strict = true
			d := Diagnose(s, k, today)
			if d == nil || d.Code != tt.code || d.Field != tt.field {
				t.Fatalf("strict: %+v, want %s", d, tt.code)
			}
			complete(t, d)
			hints := Hints(s, today)
			if len(hints) != 1 || hints[0].Code != tt.code {
				t.Errorf("hints %+v, want %s", hints, tt.code)
			}
		})
	}
	for _, keepAlive := range []uint16{10, 1800} {
		s, k := tv(sha1Token), exists()
		s.KeepAlive, k.Strict = keepAlive, true
		if d := Diagnose(s, k, today); d != nil {
			t.Errorf("keep-alive %d: %+v", keepAlive, d)
		}
	}
}

func TestHints(t *testing.T) {
	if h := Hints(tv(sha1Token), today); len(h) != 0 {
		t.Errorf("a login without fault has hints %+v", h[0])
	}
	end := time.Unix(1893456000, 0)
	for _, tt := range []struct {
		name, password string
		now            time.Time
		code           string
	}{
		{"milliseconds [onenet §2.3]", strings.Replace(sha1Token, "1893456000", "1893456000000", 1), today, "onenet-et-milliseconds"},
		{"29 days left [onenet §2.3]", sha1Token, end.Add(-29 * 24 * time.Hour), "onenet-token-ends-soon"},
		{"a line end", sha1Token + "\r\n", today, "onenet-trailing-bytes"},
		{"res plain", strings.ReplaceAll(sha1Token, "%2F", "/"), today, "onenet-not-encoded"},
		{"sign plain", strings.ReplaceAll(sha1Token, "%3D", "="), today, "onenet-not-encoded"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := Hints(tv(tt.password), tt.now)
			if len(h) != 1 || h[0].Code != tt.code {
				t.Fatalf("%+v, want %s", h, tt.code)
			}
			complete(t, h[0])
		})
	}
}

// Many right logins never give a diagnosis.
func TestRightLoginsAreNeverDiagnosed(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	name := func() string {
		const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
		b := make([]byte, 1+r.IntN(40))
		for i := range b {
			b[i] = letters[r.IntN(len(letters))]
		}
		return string(b)
	}
	for range 3000 {
		raw := make([]byte, 32)
		for i := range raw {
			raw[i] = byte(r.Uint32())
		}
		key := base64.StdEncoding.EncodeToString(raw)
		pid, dev := name(), name()
		o := Options{ProductID: pid, DeviceName: dev, Key: key, Expiry: today.Unix() + 1 + r.Int64N(1<<40), Method: Methods()[r.IntN(3)]}
		k := Known{
			Keys:         Keys{Device: key},
			KnowsProduct: func(p string) bool { return p == pid },
			KnowsDevice:  func(p, d string) bool { return p == pid && d == dev },
			Strict:       r.IntN(2) == 0,
		}
		if r.IntN(3) == 0 {
			k.Keys = Keys{Device: oldKey, Product: key, PreviousDevice: officialKey}
			if r.IntN(2) == 0 {
				o.Res = ProductRes(pid)
			}
		}
		if r.IntN(2) == 0 {
			o.Method = Method(strings.ToUpper(string(o.Method)))
		}
		l, err := Credentials(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, password := range []string{l.Password, l.Password + "\r\n", strings.ReplaceAll(l.Password, "%2F", "/"), decode(l.Password), strings.ToLower(l.Password[:0]) + strings.ReplaceAll(l.Password, "%2B", "%2b")} {
			s := Sent{ClientID: dev, Username: pid, Password: []byte(password), KeepAlive: 60, CleanSession: true, Version: mqtt.V311}
			if d := Diagnose(s, k, today); d != nil {
				t.Fatalf("%q of %q, %q: %+v", password, pid, dev, d)
			}
		}
	}
}

func TestCodes(t *testing.T) {
	codes := Codes()
	if !slices.IsSortedFunc(codes, func(a, b CodeInfo) int { return strings.Compare(a.Code, b.Code) }) {
		t.Error("not in order")
	}
	for _, c := range codes {
		if !strings.HasPrefix(c.Code, "onenet-") || c.Title == "" || c.TitleZH == "" || c.Advice == "" || c.AdviceZH == "" {
			t.Errorf("%+v is not complete", c)
		}
		if c.Code != "onenet-percent-escaped" && strings.ContainsAny(c.Title+c.TitleZH, "%") {
			t.Errorf("%s: the title %q has verbs", c.Code, c.Title)
		}
	}
}

func FuzzDiagnose(f *testing.F) {
	f.Add("my_tv", "VRqhDHF2wL", sha1Token)
	f.Add("VRqhDHF2wL&my_tv", "VRqhDHF2wL", seedToken)
	f.Add("my_tv", "VRqhDHF2wL", "version=1&res=products%2Fa&et=1893456000&method=md5&sign=%252")
	f.Fuzz(func(t *testing.T, id, user, password string) {
		s := Sent{ClientID: id, Username: user, Password: []byte(password)}
		for _, k := range []Known{exists(), {}, {Keys: Keys{Device: sampleKey}}} {
			_, ok := Verify(s, k.Keys, today)
			d := Diagnose(s, k, today)
			if !ok && d == nil || ok && d != nil && d.Field != "username" && d.Field != "clientId" {
				t.Fatalf("right %v, diagnosis %+v", ok, d)
			}
			if d != nil && texts[d.Code] == (text{}) {
				t.Errorf("%q is no code", d.Code)
			}
		}
	})
}
