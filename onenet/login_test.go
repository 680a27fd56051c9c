package onenet

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/mqtt"
)

// today is a day on which the vectors of 2030 are good and the seed's is not.
var today = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// tv is the login of the vectors [onenet §2.4].
func tv(password string) Sent {
	return Sent{ClientID: "my_tv", Username: "VRqhDHF2wL", Password: []byte(password), KeepAlive: 60, CleanSession: true, Version: mqtt.V311}
}

// connectPacket is the complete CONNECT of [onenet §2.4].
const connectPacket = "109b0100044d51545404c2003c00056d795f7476000a5652716844484632774c007c76657273696f6e3d323031382d31302d3331267265733d70726f6475637473253246565271684448463277" +
	"4c253246646576696365732532466d795f74762665743d31383933343536303030266d6574686f643d73686131267369676e3d6644665842634d6d7579317872534d4475354331434c41786d436f253344"

// fields are the three texts of a CONNECT without will, behind its 13 bytes of
// fixed and variable header: length and text each.
func fields(t *testing.T, packet []byte) (clientID, username string, password []byte) {
	t.Helper()
	next := func() (s []byte) {
		n := int(packet[0])<<8 | int(packet[1])
		s, packet = packet[2:2+n], packet[2+n:]
		return s
	}
	packet = packet[13:]
	clientID, username, password = string(next()), string(next()), next()
	if len(packet) != 0 {
		t.Fatalf("%d bytes behind the password", len(packet))
	}
	return clientID, username, password
}

func TestVerifyConnectPacket(t *testing.T) {
	packet, err := hex.DecodeString(connectPacket)
	if err != nil || len(packet) != 158 {
		t.Fatalf("%d bytes, %v", len(packet), err)
	}
	var s Sent
	s.ClientID, s.Username, s.Password = fields(t, packet)
	m, ok := Verify(s, Keys{Device: sampleKey}, today)
	if !ok || m.ProductKey || m.Expiry.Unix() != 1893456000 || m.Token.Method != SHA1 {
		t.Errorf("%+v, %v", m, ok)
	}
	l, err := Credentials(Options{ProductID: "VRqhDHF2wL", DeviceName: "my_tv", Key: sampleKey, Expiry: 1893456000})
	if err != nil || l.ClientID != s.ClientID || l.Username != s.Username || l.Password != string(s.Password) {
		t.Errorf("made %+v, %v; the packet has %+v", l, err, s)
	}
}

func TestVerify(t *testing.T) {
	device, product := Keys{Device: sampleKey}, Keys{Product: sampleKey}
	for _, tt := range []struct {
		name       string
		sent       Sent
		keys       Keys
		productKey bool
	}{
		{"md5", tv(md5Token), device, false},
		{"sha1", tv(sha1Token), device, false},
		{"sha256", tv(sha256Token), device, false},
		{"the official example", Sent{ClientID: "mqtts-test-device", Username: "238322", Password: []byte(officialToken)}, Keys{Device: officialKey}, false},
		{"the product's key for a device's resource", tv(sha1Token), product, true},
		{"the product's key after a device key that does not fit", tv(sha1Token), Keys{Device: officialKey, Product: sampleKey}, true},
		{"the product's resource md5", tv(productMD5), product, true},
		{"the product's resource sha1", tv(productSHA1), product, true},
		{"the product's resource sha256", tv(productSHA256), product, true},
		{"a key without padding", tv(sha1Token), Keys{Device: strings.TrimRight(sampleKey, "=")}, false},
		{"CR LF behind", tv(sha1Token + "\r\n"), device, false},
		{"everything plain", tv("version=2018-10-31&res=products/VRqhDHF2wL/devices/my_tv&et=1893456000&method=sha1&sign=fDfXBcMmuy1xrSMDu5C1CLAxmCo="), device, false},
		{"a raw plus", tv("version=2018-10-31&res=products/VRqhDHF2wL&et=1893456000&method=sha1&sign=+oTDL1B5EUIJonZSojO15238FR0="), product, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := Judge(tt.sent, tt.keys, today)
			if err != nil || m.ProductKey != tt.productKey {
				t.Errorf("%+v, %v", m, err)
			}
			if _, ok := Verify(tt.sent, Keys{}, today); ok {
				t.Error("it is right without any key")
			}
		})
	}
}

func TestVerifyUnusualExpiries(t *testing.T) {
	key, err := DecodeKey(sampleKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, et := range []string{"7557387130", "32472115200", "1893456000000"} {
		for _, method := range []Method{"SHA256", "sha256", "Md5"} {
			tok, err := Token{Version: "2018-10-31", Res: "products/VRqhDHF2wL/devices/my_tv", Et: et, Method: method}.Signed(key)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Judge(tv(tok.String()), Keys{Device: sampleKey}, today); err != nil {
				t.Errorf("et %s, method %s: %v [onenet §2.3]", et, method, err)
			}
		}
	}
}

func TestJudgeRefuses(t *testing.T) {
	with := func(change func(*Sent)) Sent {
		s := tv(sha1Token)
		change(&s)
		return s
	}
	for _, tt := range []struct {
		name string
		sent Sent
		keys Keys
		want Reason
	}{
		{"no token", tv("hello"), Keys{Device: sampleKey}, Malformed},
		{"no password", tv(""), Keys{Device: sampleKey}, Malformed},
		{"the seed's token has expired [onenet §2.5]", tv(seedToken), Keys{Device: sampleKey}, Expired},
		{"a resource of a user", tv(strings.Replace(sha1Token, "products%2FVRqhDHF2wL%2Fdevices%2Fmy_tv", "userid%2F12321", 1)), Keys{Device: sampleKey}, WrongResource},
		{"another product", with(func(s *Sent) { s.Username = "238322" }), Keys{Device: sampleKey}, ProductMismatch},
		{"another device", with(func(s *Sent) { s.ClientID = "my_tv2" }), Keys{Device: sampleKey}, DeviceMismatch},
		{"the product's resource without client id", Sent{Username: "VRqhDHF2wL", Password: []byte(productSHA1)}, Keys{Product: sampleKey}, DeviceMismatch},
		{"another key", tv(sha1Token), Keys{Device: officialKey}, BadSignature},
		{"a previous key", tv(sha1Token), Keys{Device: officialKey, PreviousDevice: sampleKey, PreviousProduct: sampleKey}, BadSignature},
		{"a key that is none", tv(sha1Token), Keys{Device: "?"}, BadSignature},
		{"the device's key for the product's resource", tv(productSHA1), Keys{Device: sampleKey}, BadSignature},
		{"a signature of no bytes", tv(strings.Replace(sha1Token, "fDfXBcMmuy1xrSMDu5C1CLAxmCo%3D", "%3D", 1)), Keys{Device: sampleKey}, BadSignature},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Judge(tt.sent, tt.keys, today)
			if !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			if _, ok := errors.AsType[*TokenError](err); ok != (tt.want == Malformed) {
				t.Errorf("a TokenError in %v: %v", err, ok)
			}
		})
	}
}

func TestExpiryIsJudgedInSeconds(t *testing.T) {
	s, k := tv(sha1Token), Keys{Device: sampleKey}
	end := time.Unix(1893456000, 0)
	if _, err := Judge(s, k, end.Add(-time.Second)); err != nil {
		t.Errorf("a second before et: %v", err)
	}
	if _, err := Judge(s, k, end); !errors.Is(err, Expired) {
		t.Errorf("at et: %v, want Expired", err)
	}
	if _, err := Judge(s, k, time.Time{}); err != nil {
		t.Errorf("waived: %v", err)
	}
}

func TestSeedTokenIsConsistent(t *testing.T) {
	tok, err := ParseToken([]byte(seedToken))
	if err != nil || len(seedToken) != 0x79 {
		t.Fatalf("%d bytes, %v", len(seedToken), err)
	}
	raw, err := decodeSign(tok.Sign)
	if err != nil || len(raw) != tok.Method.size() {
		t.Errorf("sign has %d bytes, %v", len(raw), err)
	}
	if pid, dev, ok := ParseRes(tok.Res); pid != "VRqhDHF2wL" || dev != "my_tv" || !ok {
		t.Errorf("res is of %q, %q, %v", pid, dev, ok)
	}
	if et, _ := tok.Expiry(); time.Unix(et, 0).UTC().Format(time.RFC3339) != "2022-08-23T08:57:11Z" {
		t.Errorf("et is %d", et)
	}
}

func TestParseRes(t *testing.T) {
	for _, tt := range []struct {
		res, product, device string
		ok                   bool
	}{
		{"products/p/devices/d", "p", "d", true},
		{"products/p", "p", "", true},
		{"products/", "", "", false},
		{"products/p/devices/", "", "", false},
		{"products/p/devices", "", "", false},
		{"products//devices/d", "", "", false},
		{"products/p/device/d", "", "", false},
		{"products/p/devices/d/", "", "", false},
		{"/products/p/devices/d", "", "", false},
		{"userid/1", "", "", false},
	} {
		if p, d, ok := ParseRes(tt.res); p != tt.product || d != tt.device || ok != tt.ok {
			t.Errorf("%s: %q, %q, %v", tt.res, p, d, ok)
		}
	}
}
