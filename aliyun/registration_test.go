package aliyun

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

// The registrations of the worked vector V6 [aliyun-device §2.10].
func TestRegistrationVectors(t *testing.T) {
	for random, sums := range map[string]map[Method]string{
		"8Ygb7ULYh53B6OA": {
			HMACMD5: "a62f614afa8b0fee130e6841eefb3af1", HMACSHA1: "04e96f0143333faeb44b23b59622012115fd2efc",
			HMACSHA256: "5c6d7653fbc13007bdc11a52d62aba67386864208c3dd67d4b2e83952d041e55",
		},
		"567345": {
			HMACMD5: "256cc97bf63106a9b2c853ec3b372ce0", HMACSHA1: "e04640095254042e5534d83a66c7861393bfd384",
			HMACSHA256: "ed10e5053645e7b3a3055435e4b72a087dc88fd98955414d166ae8adb3d18a01",
		},
	} {
		for m, sign := range sums {
			for _, spelled := range []string{sign, strings.ToUpper(sign)} {
				form := url.Values{"productKey": {"a1NightLamp"}, "deviceName": {"lamp01"}, "random": {random}, "sign": {spelled}, "signMethod": {strings.ToUpper(string(m))}}
				r, err := ParseRegistrationForm([]byte(form.Encode() + "\x00"))
				if err != nil || !r.Verify(ps) {
					t.Errorf("%s %s over HTTP: %+v, %v", m, random, r, err)
				}
				c, ok := ParseRegistration(Sent{
					ClientID: "lamp01.a1NightLamp|random=" + random + ",authType=register,securemode=2,signmethod=" + string(m) + ",instanceId=iot-06z00|",
					Username: "lamp01&a1NightLamp", Password: []byte(spelled), TLS: true,
				})
				if !ok || c.Free || !c.Verify(ps) {
					t.Errorf("%s %s over MQTT: %+v", m, random, c)
				}
				if r.Verify("another") || r.Verify("") {
					t.Errorf("%s %s: any secret will do", m, random)
				}
			}
		}
	}
}

func TestRegistrationsAreToldFromLogins(t *testing.T) {
	for _, tt := range []struct {
		name, clientID string
		registers      bool
		free           bool
	}{
		{"LuatOS [aliyun-device §3.3]", "lamp01|securemode=2,authType=register,random=123,signmethod=hmacmd5|", true, false},
		{"C4, without pre-registration", "lamp01.a1NightLamp|random=4294967295,authType=regnwl,securemode=2,signmethod=hmacsha256|", true, true},
		{"LuatOS, without pre-registration", "lamp01|securemode=-2,authType=regnwl,random=123,signmethod=hmacmd5|", true, true},
		{"the C3 spelling", "lamp01|securemode=2,authtype=register,random=1|", true, false},
		{"connects with a token", "abc|authType=connwl,securemode=-2,_ss=1,ext=3,_v=sdk-c-4.2.0|", false, false},
		{"an ordinary login", "lamp01|securemode=3,signmethod=hmacsha1,timestamp=789|", false, false},
		{"ID²", "lamp01|securemode=8,authType=id2|", false, false},
	} {
		r, ok := ParseRegistration(Sent{ClientID: tt.clientID, Username: "lamp01&a1NightLamp"})
		if ok != tt.registers || r.Free != tt.free {
			t.Errorf("%s: %v %v", tt.name, ok, r.Free)
		}
	}
}

func TestRegistrationAnswersAreExact(t *testing.T) {
	lamp := Triple{"a1NightLamp", "lamp01", ds}
	for _, tt := range []struct{ got, want string }{
		{string(AppendRegistered(nil, lamp)), `{"code":200,"data":{"productKey":"a1NightLamp","deviceName":"lamp01","deviceSecret":"` + ds + `"},"message":"success"}`},
		{string(AppendRegistrationRefused(nil, 6289, "device is already activated")), `{"code":6289,"data":{},"message":"device is already activated"}`},
		{string(AppendTriple(nil, lamp)), `{"productKey":"a1NightLamp","deviceName":"lamp01","deviceSecret":"` + ds + `"}`},
		{string(AppendToken(nil, "a1NightLamp", "lamp01", "c1", "t1")), `{"productKey":"a1NightLamp","deviceName":"lamp01","clientId":"c1","deviceToken":"t1"}`},
		{string(AppendIdentity(nil, "a1NightLamp", "lamp01")), `{"productKey":"a1NightLamp","deviceName":"lamp01"}`},
	} {
		if tt.got != tt.want {
			t.Errorf("got  %s\nwant %s", tt.got, tt.want)
		}
		if len(tt.got) > 256 { // the buffer of C3 [aliyun-device §3.2]
			t.Errorf("%d bytes: %s", len(tt.got), tt.got)
		}
	}
}

func TestDeviceTokens(t *testing.T) {
	lamp := Triple{pk, dn, ds}
	clientID, token := DeviceToken(lamp)
	for _, s := range []string{clientID, token} { // SDKs copy it without un-escaping
		if len(s) < 16 || len(s) > 64 || strings.Trim(s, "0123456789abcdef") != "" {
			t.Errorf("%q is not safe", s)
		}
	}
	if clientID == token {
		t.Error("who sees the client id knows the token")
	}
	for _, form := range []string{"|authType=connwl,securemode=-2,_ss=1,ext=3,_v=sdk-c-4.2.0|", "|securemode=-2,authType=connwl|", "|securemode=-2,signmethod=hmacsha1,timestamp=1700000000000|"} {
		s := Sent{ClientID: clientID + form, Username: dn + "&" + pk, Password: []byte(token)}
		if !VerifyToken(s, ds) {
			t.Errorf("%s refused", form)
		}
		if d := Diagnose(s, known); d != nil {
			t.Errorf("%s: %s in a right login", form, d.Code)
		}
	}
	login := func(base, mode, password string) Sent {
		return Sent{ClientID: base + "|securemode=" + mode + ",authType=connwl|", Username: dn + "&" + pk, Password: []byte(password)}
	}
	oldID, oldToken := DeviceToken(Triple{pk, dn, old})
	for _, tt := range []struct {
		name, code string
		sent       Sent
	}{
		{"own client id", "aliyun-token-client", login(pk+"."+dn, "-2", token)},
		{"token from before", "aliyun-token-previous", login(oldID, "-2", oldToken)},
		{"some token", "aliyun-token-wrong", login(clientID, "-2", "0123456789abcdef0123456789abcdef")},
		{"the token as a password of an ordinary login", "", login(clientID, "2", token)},
	} {
		if VerifyToken(tt.sent, ds) {
			t.Errorf("%s: let in", tt.name)
		}
		d := Diagnose(tt.sent, known)
		if d == nil || tt.code != "" && d.Code != tt.code {
			t.Errorf("%s: %+v", tt.name, d)
			continue
		}
		if doc, _ := json.Marshal(d); strings.Contains(string(doc), ds) || d.Code == tt.code && strings.Contains(string(doc), token) {
			t.Errorf("%s: a secret is shown in %s", tt.name, doc)
		}
	}
	// What the documentation's third variant may mean: signed with the secret.
	s := login(clientID, "-2", Sign(HMACMD5, ds, Content(clientID, pk, dn, "")))
	if _, ok := Verify(s, ds); !ok {
		t.Error("an ordinary signature with securemode=-2 is refused")
	}
}

func TestEveryMistakeOfARegistrationIsNamed(t *testing.T) {
	const random = "567345"
	right := RegistrationContent(pk, dn, random)
	mqtt := func(m Method, secret, text string) Registration {
		r, ok := ParseRegistration(Sent{
			ClientID: "lamp|securemode=2,authType=register,random=" + random + ",signmethod=" + string(m) + "|",
			Username: dn + "&" + pk, Password: []byte(Sign(m, secret, text)), TLS: true,
		})
		if !ok {
			t.Fatal("no registration")
		}
		return r
	}
	with := func(change func(*Registration)) Registration {
		r := mqtt(HMACSHA256, ps, right)
		change(&r)
		return r
	}
	http := func(change func(*Registration)) Registration {
		r := Registration{ProductKey: pk, DeviceName: dn, Random: random, SignMethod: "hmacsha1", Sign: Sign(HMACSHA1, ps, right), HTTP: true}
		change(&r)
		return r
	}
	raw, _ := hex.DecodeString(Sign(HMACSHA256, ps, right))
	k := RegistrationKnown{ProductSecret: ps, PreviousProductSecret: "0ldPr0ductSecret", DeviceSecret: ds, KnowsProduct: known.KnowsProduct}
	for _, tt := range []struct {
		name, code, field string
		http              int
		connack           byte
		r                 Registration
	}{
		{"over plain TCP", "aliyun-register-plain", "transport", 460, 2, with(func(r *Registration) { r.TLS = false })},
		{"no random", "aliyun-register-missing", "random", 460, 2, with(func(r *Registration) { r.Random = "" })},
		{"no password", "aliyun-register-missing", "password", 460, 2, with(func(r *Registration) { r.Sign = "" })},
		{"no user name", "aliyun-register-missing", "username", 460, 2, with(func(r *Registration) { r.ProductKey, r.DeviceName = "", "" })},
		{"no sign over HTTP", "aliyun-register-missing", "sign", 460, 2, http(func(r *Registration) { r.Sign = "" })},
		{"no signMethod over HTTP", "aliyun-register-missing", "signMethod", 460, 2, http(func(r *Registration) { r.SignMethod = "" })},
		{"unknown method", "aliyun-register-method", "clientId", 6292, 2, with(func(r *Registration) { r.SignMethod = "sha512" })},
		{"unknown method over HTTP", "aliyun-register-method", "signMethod", 6292, 2, http(func(r *Registration) { r.SignMethod = "md5" })},
		{"unknown product", "aliyun-unknown-product", "product", 6250, 4, http(func(r *Registration) { r.ProductKey = "a1Nowhere00" })},
		{"names swapped", "aliyun-names-swapped", "username", 6250, 4, with(func(r *Registration) { r.ProductKey, r.DeviceName = r.DeviceName, r.ProductKey })},
		{"other method than announced", "aliyun-register-other-method", "clientId", 6600, 4, with(func(r *Registration) { r.SignMethod = "hmacsha1" })},
		{"signed with the DeviceSecret", "aliyun-register-device-secret", "password", 6600, 4, mqtt(HMACSHA256, ds, right)},
		{"signed with the ProductSecret of before", "aliyun-register-previous-secret", "password", 6600, 4, mqtt(HMACMD5, "0ldPr0ductSecret", right)},
		{"a line end behind the ProductSecret", "aliyun-secret-stray", "password", 6600, 4, mqtt(HMACSHA1, ps+"\n", right)},
		{"clientId in the text", "aliyun-register-other-text", "password", 6600, 4, mqtt(HMACSHA256, ps, "clientIdlamp"+right)},
		{"signed as an ordinary login", "aliyun-register-other-text", "password", 6600, 4, mqtt(HMACSHA1, ps, Content("lamp", pk, dn, ""))},
		{"productKey first", "aliyun-register-other-text", "sign", 6600, 4, http(func(r *Registration) {
			r.Sign = Sign(HMACSHA1, ps, "productKey"+pk+"deviceName"+dn+"random"+random)
		})},
		{"with = and &", "aliyun-register-other-text", "password", 6600, 4, mqtt(HMACSHA256, ps, "deviceName="+dn+"&productKey="+pk+"&random="+random)},
		{"Base64", "aliyun-register-form", "password", 6600, 4, with(func(r *Registration) { r.Sign = base64.StdEncoding.EncodeToString(raw) })},
		{"raw bytes", "aliyun-register-form", "password", 6600, 4, with(func(r *Registration) { r.Sign = string(raw) })},
		{"cut off", "aliyun-register-form", "password", 6600, 4, with(func(r *Registration) { r.Sign = r.Sign[:32] })},
		{"a line end behind", "aliyun-register-form", "password", 6600, 4, with(func(r *Registration) { r.Sign += "\r\n" })},
		{"the ProductSecret itself", "aliyun-register-secret-as-sign", "password", 6600, 4, with(func(r *Registration) { r.Sign = ps })},
		{"of another product", "aliyun-register-wrong-sign", "password", 6600, 4, mqtt(HMACSHA256, "another", right)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := DiagnoseRegistration(tt.r, k)
			if d == nil || d.Code != tt.code || d.Field != tt.field {
				t.Fatalf("got %+v", d)
			}
			if d.Sentence == "" || d.SentenceZH == "" || d.Advice == "" || d.AdviceZH == "" || strings.Contains(d.Sentence+d.SentenceZH, "%!") {
				t.Errorf("texts %q %q", d.Sentence, d.SentenceZH)
			}
			if code, message, connack := RegistrationAnswer(d.Code); code != tt.http || connack != tt.connack || message == "" {
				t.Errorf("answer %d %q, CONNACK %d", code, message, connack)
			}
			if doc, _ := json.Marshal(d); strings.Contains(string(doc), ps) || strings.Contains(string(doc), ds) {
				t.Errorf("a secret is shown in %s", doc)
			}
		})
	}
	if d := DiagnoseRegistration(mqtt(HMACSHA256, ps, right), k); d != nil {
		t.Errorf("%s in a right one", d.Code)
	}
	if d := DiagnoseRegistration(with(func(r *Registration) { r.SignMethod, r.Sign = "", Sign(HMACMD5, ps, right) }), k); d != nil {
		t.Errorf("%s in one without signmethod, which means hmacmd5", d.Code)
	}
}

// FuzzRegistration: what is read is signed over what was read, and a diagnosis
// of anything does not fail.
func FuzzRegistration(f *testing.F) {
	f.Add("productKey=a1NightLamp&deviceName=lamp01&random=8Ygb7ULYh53B6OA&sign=00&signMethod=HmacMD5")
	f.Add("lamp01|securemode=2,authType=register,random=123,signmethod=hmacmd5|")
	f.Add("%zz&\x00")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRegistrationForm([]byte(text))
		if err == nil {
			DiagnoseRegistration(r, RegistrationKnown{ProductSecret: ps, DeviceSecret: ds})
			if m, err := r.Method(); err == nil && r.Random != "" {
				r.Sign = Sign(m, ps, RegistrationContent(r.ProductKey, r.DeviceName, r.Random))
				if !r.Verify(ps) {
					t.Errorf("%q: a right signature is refused", text)
				}
			}
		}
		if r, ok := ParseRegistration(Sent{ClientID: text, Username: "lamp01&a1NightLamp", Password: []byte(text)}); ok {
			DiagnoseRegistration(r, RegistrationKnown{ProductSecret: ps, DeviceSecret: ds})
		}
	})
}
