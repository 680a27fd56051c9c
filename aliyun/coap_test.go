package aliyun

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
)

// V11 of [aliyun-device §2.10], on the device of V2.
const (
	coapAuth  = `{"productKey":"a1NightLamp","deviceName":"lamp01","clientId":"a1NightLamp&lamp01","sign":"8cef8fea53bfbf04765c3f05d0b1c4f6","seq":"10"}`
	coapText  = "clientIda1NightLamp&lamp01deviceNamelamp01productKeya1NightLampseq10"
	coapSHA1  = "58f69af0f60cd93f963908ff9ab672bc65ac47fe"
	coapPost  = `{"id":"1","version":"1.0","params":{"CurrentTemperature":25.6}}`
	coapSeq2  = "098adfe0a3a542c2f1fc710329da52aa"
	coapPostX = "bb6ee89d99fd47468bab0e7fd699d1a9bae974d09c7002e353d28612d727eb9a1e79b551d3e62c5563a873cd29e236e4f1e65bd90581462fa41be3782865c305"
)

func TestCoAPLoginVector(t *testing.T) {
	a, err := ParseCoAPAuth([]byte(coapAuth), false)
	if err != nil || a.ProductKey != pk || a.DeviceName != dn || a.ClientID != pk+"&"+dn || a.Seq != "10" || a.Separate() {
		t.Fatalf("%+v, %v", a, err)
	}
	if texts := a.Texts(); len(texts) != 1 || texts[0] != coapText {
		t.Errorf("signed texts %q, want %q", texts, coapText)
	}
	if !a.Verify(ds) || a.Verify(ps) || a.Verify("") {
		t.Error("the vector's signature is not judged rightly")
	}
}

func TestCoAPLoginsThatDevicesSend(t *testing.T) {
	sign := func(m Method, text string) string { return Sign(m, ds, text) }
	names := `"productKey":"a1NightLamp","deviceName":"lamp01","clientId":"a1NightLamp&lamp01"`
	for name, body := range map[string]string{
		"hmacsha1":                             `{` + names + `,"signmethod":"hmacsha1","sign":"` + coapSHA1 + `","seq":"10"}`,
		"capitals":                             `{` + names + `,"sign":"8CEF8FEA53BFBF04765C3F05D0B1C4F6","seq":"10"}`,
		"seq a number":                         `{` + names + `,"sign":"8cef8fea53bfbf04765c3f05d0b1c4f6","seq":10}`,
		"single quotes, a NUL behind":          strings.ReplaceAll(coapAuth, `"`, `'`) + "\x00",
		"timestamp, as the documented example": `{` + names + `,"seq":"10","timestamp":"1524448722000","sign":"` + sign(HMACMD5, coapText+"timestamp1524448722000") + `"}`,
		"ackMode not signed":                   `{` + names + `,"seq":"10","ackMode":"1","sign":"8cef8fea53bfbf04765c3f05d0b1c4f6"}`,
		"ackMode signed":                       `{` + names + `,"seq":"10","ackMode":1,"sign":"` + sign(HMACMD5, "ackMode1"+coapText) + `"}`,
		"version and resources never are":      `{` + names + `,"seq":"10","version":"1.0","resources":"x","sign":"8cef8fea53bfbf04765c3f05d0b1c4f6"}`,
		"without seq, as over DTLS":            `{` + names + `,"sign":"` + sign(HMACMD5, strings.TrimSuffix(coapText, "seq10")) + `"}`,
	} {
		a, err := ParseCoAPAuth([]byte(body), false)
		if err != nil || !a.Verify(ds) {
			t.Errorf("%s: refused, %v", name, err)
		}
	}
	for name, body := range map[string]string{
		"seq not signed":  `{` + names + `,"seq":"10","sign":"` + sign(HMACMD5, strings.TrimSuffix(coapText, "seq10")) + `"}`,
		"another seq":     strings.Replace(coapAuth, `"10"`, `"11"`, 1),
		"another secret":  `{` + names + `,"seq":"10","sign":"` + Sign(HMACMD5, old, coapText) + `"}`,
		"another method":  strings.Replace(coapAuth, "{", `{"signmethod":"hmacsha1",`, 1),
		"unknown method":  strings.Replace(coapAuth, "{", `{"signmethod":"md5",`, 1),
		"an added member": strings.Replace(coapAuth, "{", `{"imei":"1",`, 1),
	} {
		if a, err := ParseCoAPAuth([]byte(body), false); err != nil || a.Verify(ds) {
			t.Errorf("%s: taken, %v", name, err)
		}
	}
	for name, body := range map[string]string{
		"no object": `[1]`, "broken": `{"sign":`, "nothing": ``, "too long": `{"sign":"` + strings.Repeat("a", maxAuth) + `"}`,
		"too many members": `{` + strings.Repeat(`"a":1,`, 1) + manyMembers(17) + `}`,
	} {
		if _, err := ParseCoAPAuth([]byte(body), false); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func manyMembers(n int) string {
	var list []string
	for i := range n {
		list = append(list, `"m`+string(rune('a'+i))+`":"1"`)
	}
	return strings.Join(list, ",")
}

func TestCoAPLoginInCBOR(t *testing.T) {
	body, err := hex.DecodeString(
		"a5" + "6a70726f647563744b6579" + "6b61314e696768744c616d70" + // productKey
			"6a6465766963654e616d65" + "666c616d703031" + // deviceName
			"68636c69656e744964" + "7261314e696768744c616d70266c616d703031" + // clientId
			"647369676e" + "7820" + hex.EncodeToString([]byte("8cef8fea53bfbf04765c3f05d0b1c4f6")) +
			"63736571" + "0a") // seq, an integer
	if err != nil {
		t.Fatal(err)
	}
	a, err := ParseCoAPAuth(body, true)
	if err != nil || !a.Verify(ds) || a.Seq != "10" {
		t.Fatalf("%+v, %v", a, err)
	}
	indefinite := append(append([]byte{0xbf}, body[1:]...), 0xff)
	if a, err := ParseCoAPAuth(indefinite, true); err != nil || !a.Verify(ds) {
		t.Fatalf("a map without its length: %+v, %v", a, err)
	}
	for name, bad := range map[string][]byte{
		"nothing": {}, "an array": {0x80}, "cut off": body[:len(body)-1], "something behind": append(body[:len(body):len(body)], 0),
		"a length without end": {0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, "too many members": {0xb8, 0xff},
		"a text longer than all": {0xa1, 0x7b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, "a map in it": {0xa1, 0x61, 'a', 0xa0},
		"no end": {0xbf, 0x61, 'a', 0x01}, "reserved length": {0xbc}, "a name that is no text": {0xa1, 0x01, 0x01}, "broken UTF-8": {0xa1, 0x61, 0xff, 0x01},
		"a name twice": {0xa2, 0x61, 'a', 1, 0x61, 'a', 1},
	} {
		if a, err := ParseCoAPAuth(bad, true); err == nil {
			t.Errorf("%s: taken as %+v", name, a)
		}
	}
	if a, err := ParseCoAPAuth([]byte{0xa1, 0x63, 's', 'e', 'q', 0x38, 0x63}, true); err != nil || a.Seq != "-100" {
		t.Errorf("a negative number: %q, %v", a.Seq, err)
	}
}

func TestCoAPLoginAnswers(t *testing.T) {
	s := CoAPSession{Token: "MZ8m37hp01w1SSqoDFzo0010500d00.ad2b", Random: "ad2b3a5eb51d64f7", SeqOffset: 1}
	want := `{"random":"ad2b3a5eb51d64f7","seqOffset":1,"token":"MZ8m37hp01w1SSqoDFzo0010500d00.ad2b"}`
	if got := AppendCoAPSession(nil, s, false); string(got) != want || !json.Valid(got) {
		t.Errorf("%s, want %s", got, want)
	}
	want = `{"token":"f13102810756432e85dfd351eeb41c04"}`
	if got := AppendCoAPToken(nil, "f13102810756432e85dfd351eeb41c04", false); string(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
	want = "a3" + "6672616e646f6d" + "6461643262" + "697365714f6666736574" + "190100" + "65746f6b656e" + "6174"
	if got := AppendCoAPSession(nil, CoAPSession{Token: "t", Random: "ad2b", SeqOffset: 256}, true); hex.EncodeToString(got) != want {
		t.Errorf("%x, want %s", got, want)
	}
	want = "a1" + "65746f6b656e" + "7818" + hex.EncodeToString(bytes.Repeat([]byte("t"), 24))
	if got := AppendCoAPToken(nil, strings.Repeat("t", 24), true); hex.EncodeToString(got) != want {
		t.Errorf("%x, want %s", got, want)
	}
}

func TestCoAPEncryptionVector(t *testing.T) {
	key := NewCoAPKey(ds, "ad2b3a5eb51d6400")
	if got := hex.EncodeToString(key[:]); got != "199b81eedab27002caebd42d4dd721a7" {
		t.Fatalf("key %s", got)
	}
	for plain, want := range map[string]string{"2": coapSeq2, coapPost: coapPostX} {
		sent := key.Append([]byte("before"), []byte(plain))
		if got := hex.EncodeToString(sent[6:]); got != want || string(sent[:6]) != "before" {
			t.Errorf("%s encrypted is %s, want %s", plain, got, want)
		}
		if back, err := key.Decrypt(sent[6:]); err != nil || string(back) != plain {
			t.Errorf("decrypted: %q, %v", back, err)
		}
	}
	if n, err := key.Sequence(unhex(t, coapSeq2)); n != 2 || err != nil {
		t.Errorf("sequence number %d, %v", n, err)
	}
	// Padding is always added: nothing and whole blocks have one more.
	for n, want := range map[int]int{0: 16, 15: 16, 16: 32, 17: 32} {
		if got := key.Append(nil, make([]byte, n)); len(got) != want {
			t.Errorf("%d bytes encrypted are %d, want %d", n, len(got), want)
		}
	}
	for _, n := range []int{0, 1, 16} {
		if back, err := key.Decrypt(key.Append(nil, make([]byte, n))); err != nil || len(back) != n {
			t.Errorf("%d bytes come back as %d, %v", n, len(back), err)
		}
	}
}

func TestCoAPEncryptionThatIsNone(t *testing.T) {
	key, other := NewCoAPKey(ds, "ad2b3a5eb51d6400"), NewCoAPKey(ds, "ad2b3a5eb51d6401")
	for name, sent := range map[string][]byte{
		"nothing": nil, "no whole block": make([]byte, 17), "zeros": make([]byte, 16), "another session's": other.Append(nil, []byte("2")), "plain text": []byte(coapPost),
	} {
		if plain, err := key.Decrypt(sent); err == nil {
			t.Errorf("%s: decrypted to %q", name, plain)
		}
	}
	for _, text := range []string{"", "x", "-1", "1.5", "9223372036854775808", "0x10"} {
		if n, err := key.Sequence(key.Append(nil, []byte(text))); err == nil {
			t.Errorf("sequence number %q was read as %d", text, n)
		}
	}
}

func TestPSKVector(t *testing.T) { // V7
	const identity = "devicename|hmacsha256|a1NightLamp&lamp01|2524608000000"
	p, err := ParsePSKIdentity(identity)
	if err != nil || p.ProductKey != pk || p.DeviceName != dn || p.Method != HMACSHA256 || p.Timestamp != "2524608000000" || p.String() != identity {
		t.Fatalf("%+v, %v", p, err)
	}
	const digits = "8295614E19979BF6B1C8A8912C4AB4B7A424C8881225EA1A1C4677FBA4220713"
	keys := p.Keys(ds)
	if len(keys) != 6 || string(keys[0]) != digits || !bytes.Equal(keys[1], unhex(t, digits)) || string(keys[2]) != strings.ToLower(digits) {
		t.Errorf("keys %q", keys)
	}
	if want := strings.ToUpper(Sign(HMACSHA256, ds, "a1NightLamp&lamp012524608000000")); string(keys[3]) != want {
		t.Errorf("the key of the page about CoAP: %s, want %s", keys[3], want)
	}
	if p, err := ParsePSKIdentity("devicename|hmacsha1|pk&d&n"); err != nil || p.DeviceName != "d&n" || p.Timestamp != "" {
		t.Errorf("without timestamp: %+v, %v", p, err)
	}
	for _, bad := range []string{"", "devicename", "id2|hmacsha256|pk&dn|1", "devicename|md5|pk&dn|1", "devicename|hmacmd5|pkdn|1", "devicename|hmacmd5|&dn|1",
		"devicename|hmacmd5|pk&|1", "devicename|hmacmd5|pk&dn|1|2", "devicename|hmacmd5|pk&" + strings.Repeat("d", maxPSKIdentity) + "|1"} {
		if p, err := ParsePSKIdentity(bad); err == nil {
			t.Errorf("%q: taken as %+v", bad, p)
		}
	}
}

func TestUnsignedMembersAreNamed(t *testing.T) {
	a, _ := ParseCoAPAuth([]byte(coapAuth), false)
	id := a.TakenApart()
	s := Sent{Username: dn + "&" + pk, Password: []byte(Sign(HMACMD5, ds, strings.TrimSuffix(coapText, "seq10"))), TakenApart: &id, Texts: a.Texts()}
	d := Diagnose(s, known)
	if d == nil || d.Code != "aliyun-members-unsigned" || d.StringToSign != coapText || d.Expected != a.Sign || d.RightLogin != nil {
		t.Errorf("%+v", d)
	}
	s.Password = []byte(a.Sign)
	if d := Diagnose(s, known); d != nil {
		t.Errorf("a mistake is named in a right login: %s", d.Code)
	}
	s.Password = []byte(Sign(HMACMD5, ps, coapText))
	if d := Diagnose(s, known); d == nil || d.Code != "aliyun-product-secret" {
		t.Errorf("signed with the product's secret: %+v", d)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// FuzzCoAP reads what anybody may send: a login in both forms, encrypted bytes
// and an identity.
func FuzzCoAP(f *testing.F) {
	f.Add([]byte(coapAuth))
	f.Add([]byte{0xa1, 0x63, 's', 'e', 'q', 0x0a})
	f.Add([]byte{0xbf, 0x61, 'a', 0x78, 0x01, 'b', 0xff})
	f.Add([]byte("devicename|hmacsha256|a1NightLamp&lamp01|2524608000000"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		for _, cbor := range []bool{false, true} {
			a, err := ParseCoAPAuth(sent, cbor)
			if err != nil {
				continue
			}
			// Signed by its own text it holds, whatever else is in it.
			if m, err := ParseMethod(a.SignMethod); err == nil {
				a.Sign = Sign(m, ds, a.Texts()[0])
				if !a.Verify(ds) {
					t.Fatalf("%q does not hold with its own signature", sent)
				}
			}
		}
		key := NewCoAPKey(ds, "r")
		if back, err := key.Decrypt(key.Append(nil, sent)); err != nil || !bytes.Equal(back, sent) {
			t.Fatalf("%q comes back as %q, %v", sent, back, err)
		}
		if plain, err := key.Decrypt(sent); err == nil && !bytes.Equal(key.Append(nil, plain), sent) {
			t.Fatalf("%x is decrypted and encrypts to something else", sent)
		}
		if _, err := key.Sequence(sent); err == nil && len(sent) == 0 {
			t.Fatal("nothing is a sequence number")
		}
		if p, err := ParsePSKIdentity(string(sent)); err == nil {
			if again, err := ParsePSKIdentity(p.String()); err != nil || again != p {
				t.Fatalf("identity %q is read as %+v, then %+v, %v", sent, p, again, err)
			}
		}
	})
}
