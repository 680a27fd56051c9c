package aliyun

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
)

const (
	pk, dn = "a1NightLamp", "lamp01"
	ds     = "Zk3Qw8ErT5yUiOp1AsDf7GhJkLzXcV2b"
	ps     = "Pq9LmN4bVcXz7KsD"
	old    = "0ldSecret0ldSecret0ldSecret0ldSe"
)

var known = Known{
	DeviceSecret: ds, ProductSecret: ps, PreviousSecret: old,
	KnowsProduct: func(p string) bool { return p == pk },
	KnowsDevice:  func(p, d string) bool { return p == pk && d == dn },
}

// login is a right one that a test then spoils.
func login() Sent {
	l := Credentials(Triple{pk, dn, ds}, Options{ClientID: "lamp", Timestamp: "789", Method: HMACSHA1})
	return Sent{ClientID: l.ClientID, Username: l.Username, Password: []byte(l.Password), KeepAlive: 60}
}

// signed is a login with a password over a text.
func signed(m Method, secret, content string) Sent {
	s := login()
	s.Password = []byte(Sign(m, secret, content))
	return s
}

func TestEveryMistakeIsNamed(t *testing.T) {
	right := Content("lamp", pk, dn, "789")
	with := func(change func(*Sent)) Sent { s := login(); change(&s); return s }
	raw, _ := hex.DecodeString(string(login().Password))
	plain := sha1.Sum([]byte(right))
	for _, tt := range []struct {
		name, code, field string
		sent              Sent
	}{
		{"secret of another device [row 1]", "aliyun-wrong-secret", "password", signed(HMACSHA1, "other", right)},
		{"product's secret [row 2]", "aliyun-product-secret", "password", signed(HMACSHA1, ps, right)},
		{"secret from before the reset", "aliyun-previous-secret", "password", signed(HMACSHA1, old, right)},
		{"method not announced [row 3]", "aliyun-wrong-method", "clientId", signed(HMACSHA256, ds, right)},
		{"no method announced", "aliyun-wrong-method", "clientId", with(func(s *Sent) { s.ClientID = "lamp|securemode=3,timestamp=789|" })},
		{"other timestamp signed [row 4]", "aliyun-timestamp-mismatch", "clientId", signed(HMACSHA1, ds, Content("lamp", pk, dn, "2524608000000"))},
		{"timestamp signed but not announced", "aliyun-timestamp-unannounced", "clientId", with(func(s *Sent) { s.ClientID = "lamp|securemode=3,signmethod=hmacsha1|" })},
		{"clock read twice [row 4]", "aliyun-timestamp-mismatch", "clientId", with(func(s *Sent) {
			s.ClientID = "lamp|securemode=3,signmethod=hmacsha1,timestamp=1700000000007|"
			s.Password = []byte(Sign(HMACSHA1, ds, Content("lamp", pk, dn, "1699999999998")))
		})},
		{"seconds signed, milliseconds announced", "aliyun-timestamp-mismatch", "clientId", with(func(s *Sent) {
			s.ClientID = "lamp|securemode=3,signmethod=hmacsha1,timestamp=1700000000007|"
			s.Password = []byte(Sign(HMACSHA1, ds, Content("lamp", pk, dn, "1700000000")))
		})},
		{"full-width comma in the client id", "aliyun-full-width", "clientId", with(func(s *Sent) { s.ClientID = strings.Replace(s.ClientID, ",", "，", 1) })},
		{"full-width bars", "aliyun-full-width", "clientId", with(func(s *Sent) { s.ClientID = strings.ReplaceAll(s.ClientID, "|", "｜") })},
		{"full-width ampersand", "aliyun-full-width", "username", with(func(s *Sent) { s.Username = dn + "＆" + pk })},
		{"full-width digits in the password", "aliyun-full-width", "password", with(func(s *Sent) { s.Password = append(s.Password[:39:39], "０"...) })},
		{"whole client id signed [row 5]", "aliyun-other-clientid", "password", signed(HMACSHA1, ds, Content(login().ClientID, pk, dn, "789"))},
		{"device name signed as client id", "aliyun-other-clientid", "password", signed(HMACSHA1, ds, Content(dn, pk, dn, "789"))},
		{"pk.dn signed as client id", "aliyun-other-clientid", "password", signed(HMACSHA1, ds, Content(pk+"."+dn, pk, dn, "789"))},
		{"pk&dn signed as client id", "aliyun-other-clientid", "password", signed(HMACSHA1, ds, Content(pk+"&"+dn, pk, dn, ""))},
		{"wrong order [row 6]", "aliyun-content-form", "password", signed(HMACSHA1, ds, "productKey"+pk+"deviceName"+dn+"clientIdlamp")},
		{"with = and &", "aliyun-content-form", "password", signed(HMACSHA1, ds, "clientId=lamp&deviceName="+dn+"&productKey="+pk+"&timestamp=789")},
		{"names in lower case", "aliyun-content-form", "password", signed(HMACSHA1, ds, "clientidlampdevicename"+dn+"productkey"+pk+"timestamp789")},
		{"password in Base64 [row 7]", "aliyun-password-base64", "password", with(func(s *Sent) { s.Password = []byte(base64.StdEncoding.EncodeToString(raw)) })},
		{"password as raw bytes", "aliyun-password-raw", "password", with(func(s *Sent) { s.Password = raw })},
		{"password cut off", "aliyun-password-cut", "password", with(func(s *Sent) { s.Password = s.Password[:31] })},
		{"password with something behind", "aliyun-password-long", "password", with(func(s *Sent) { s.Password = append(s.Password, "00"...) })},
		{"password of no method's length", "aliyun-password-length", "password", with(func(s *Sent) { s.Password = []byte("abcdef0123") })},
		{"password that is no hex", "aliyun-password-not-hex", "password", with(func(s *Sent) { s.Password = []byte("open sesame") })},
		{"no password", "aliyun-no-password", "password", with(func(s *Sent) { s.Password = nil })},
		{"secret sent as password", "aliyun-secret-as-password", "password", with(func(s *Sent) { s.Password = []byte(ds) })},
		{"line end behind the password [row 8]", "aliyun-stray-bytes", "password", with(func(s *Sent) { s.Password = append(s.Password, "\r\n"...) })},
		{"blank before the user name", "aliyun-stray-bytes", "username", with(func(s *Sent) { s.Username = " " + s.Username })},
		{"line end inside the user name", "aliyun-stray-bytes", "username", with(func(s *Sent) { s.Username = dn + "\n&" + pk })},
		{"user name reversed [row 9]", "aliyun-names-swapped", "username", with(func(s *Sent) { s.Username = pk + "&" + dn })},
		{"user name without ampersand", "aliyun-username-form", "username", with(func(s *Sent) { s.Username = dn })},
		{"user name URL-encoded", "aliyun-url-encoded", "username", with(func(s *Sent) { s.Username = dn + "%26" + pk })},
		{"placeholder left in", "aliyun-username-form", "username", with(func(s *Sent) { s.Username = "${deviceName}&" + pk })},
		{"client id without bars [row 10]", "aliyun-clientid-no-bars", "clientId", with(func(s *Sent) { s.ClientID = "lamp" })},
		{"client id with one bar", "aliyun-clientid-one-bar", "clientId", with(func(s *Sent) { s.ClientID = "lamp|securemode=3,signmethod=hmacsha256" })},
		{"commas escaped for an AT command [row 11]", "aliyun-escaped-commas", "clientId", with(func(s *Sent) {
			s.ClientID = `lamp|securemode=3\,signmethod=hmacsha1\,timestamp=789|`
			s.Password = []byte("00")
		})},
		{"client id URL-encoded", "aliyun-url-encoded", "clientId", with(func(s *Sent) { s.ClientID = "lamp%7Csecuremode=3%7C" })},
		{"unknown method", "aliyun-unknown-method", "clientId", with(func(s *Sent) { s.ClientID = "lamp|signmethod=sha512|" })},
		{"ID²", "aliyun-id2", "clientId", with(func(s *Sent) { s.ClientID = "lamp|securemode=8,signmethod=hmacsha1|"; s.Password = []byte("x") })},
		{"unknown product [row 20]", "aliyun-unknown-product", "product", with(func(s *Sent) { s.Username = dn + "&a1Nowhere00" })},
		{"unknown device", "aliyun-unknown-device", "device", with(func(s *Sent) { s.Username = "lamp02&" + pk })},
		{"device name in capitals", "aliyun-device-name-case", "device", with(func(s *Sent) { s.Username = "LAMP01&" + pk })},
		{"secret in lower case", "aliyun-secret-case", "password", signed(HMACSHA1, strings.ToLower(ds), right)},
		{"secret with a line end", "aliyun-secret-stray", "password", signed(HMACSHA1, ds+"\n", right)},
		{"secret decoded from Base64", "aliyun-secret-decoded", "password", signed(HMACSHA1, decoded(ds, base64.StdEncoding.DecodeString), right)},
		{"key and text swapped", "aliyun-key-and-text-swapped", "password", signed(HMACSHA1, right, ds)},
		{"plain hash", "aliyun-plain-hash", "password", with(func(s *Sent) { s.Password = []byte(hex.EncodeToString(plain[:])) })},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := Diagnose(tt.sent, known)
			if d == nil || d.Code != tt.code || d.Field != tt.field {
				t.Fatalf("got %+v", d)
			}
			if d.Sentence == "" || d.SentenceZH == "" || d.Advice == "" || d.AdviceZH == "" || strings.Contains(d.Sentence+d.SentenceZH, "%!") {
				t.Errorf("texts %q %q", d.Sentence, d.SentenceZH)
			}
			doc, _ := json.Marshal(d)
			for _, secret := range []string{ds, ps, old} {
				if strings.Contains(string(doc), secret) {
					t.Errorf("a secret is shown in %s", doc)
				}
			}
			if d.RightLogin != nil {
				fixed := Sent{ClientID: d.RightLogin.ClientID, Username: d.RightLogin.Username, Password: []byte(d.RightLogin.Password)}
				if _, ok := Verify(fixed, ds); !ok {
					t.Errorf("the login that should be right is not: %+v", d.RightLogin)
				}
			}
		})
	}
}

func TestNoMistakeIsNamedInARightLogin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	for range 2000 {
		triple := Triple{pick(pk, "a10hC2CWMGC"), pick(dn, "device1", "a.b:c@d-e_f", "NT35E_06011"), pick(ds, "390358fc597040aa73221e8393aba86c")}
		o := Options{ClientID: pick("", "12345", triple.DeviceName, triple.ProductKey+"&"+triple.DeviceName, "x y"), Timestamp: pick("", "789", "2524608000000", "1729065411543"), Method: methods[r.IntN(3)], SecureMode: 2 + r.IntN(2)}
		l := Credentials(triple, o)
		s := Sent{ClientID: l.ClientID, Username: l.Username, Password: []byte(l.Password)}
		if r.IntN(2) == 0 {
			s.Password = []byte(strings.ToUpper(l.Password))
		}
		if _, ok := Verify(s, triple.DeviceSecret); !ok {
			t.Fatalf("refused: %+v", s)
		}
		if d := Diagnose(s, Known{DeviceSecret: triple.DeviceSecret, ProductSecret: ps}); d != nil {
			t.Fatalf("%s in the right login %+v", d.Code, s)
		}
	}
}

func TestCodesAreDescribed(t *testing.T) {
	for _, c := range Codes() {
		if !strings.HasPrefix(c.Code, "aliyun-") || c.Title == "" || c.TitleZH == "" || c.Advice == "" || c.AdviceZH == "" {
			t.Errorf("%+v", c)
		}
	}
}

// FuzzDiagnose: a login is right or has a named mistake, and no secret is told.
func FuzzDiagnose(f *testing.F) {
	l := login()
	f.Add(l.ClientID, l.Username, string(l.Password))
	f.Add("lamp|securemode=3,signmethod=hmacsha1,timestamp=789|", "lamp01&a1NightLamp", ds)
	f.Add("a1NightLamp.lamp01|securemode=2,signmethod=hmacsha256|", "lamp01", "A"+ps)
	f.Add("||", "&", "\x00%zz")
	f.Fuzz(func(t *testing.T, id, user, password string) {
		s := Sent{ClientID: id, Username: user, Password: []byte(password)}
		for _, k := range []Known{known, {}, {DeviceSecret: ds}} {
			_, ok := Verify(s, k.DeviceSecret)
			d := Diagnose(s, k)
			if ok != (d == nil) {
				t.Fatalf("right %v, diagnosis %+v", ok, d)
			}
			if d == nil {
				continue
			}
			if d.Code == "" || d.Sentence == "" || d.SentenceZH == "" || strings.Contains(d.Sentence+d.SentenceZH, "%!") && !strings.Contains(id+user+password, "%!") {
				t.Errorf("%+v", d)
			}
			doc, _ := json.Marshal(d)
			for _, secret := range []string{ds, ps, old} {
				if strings.Contains(string(doc), secret) && !strings.Contains(id+user, secret) {
					t.Errorf("a secret is shown in %s", doc)
				}
			}
		}
	})
}
