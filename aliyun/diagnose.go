package aliyun

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/matou-iot/matou/internal/wording"
)

// Known is what the server, or the person at the bench, knows about a login.
// Functions may be nil: offline, nobody knows what exists.
type Known struct {
	DeviceSecret   string
	PreviousSecret string // of the device, before it was reset
	ProductSecret  string
	KnowsProduct   func(productKey string) bool
	KnowsDevice    func(productKey, deviceName string) bool
}

// A Diagnosis names the mistake in a login: where it is, what came, what would
// have been right. It holds no secret; RightLogin is derived from one.
type Diagnosis struct {
	Code         string `json:"code"`
	Field        string `json:"field"` // clientId, username, password, device, product
	Received     string `json:"received"`
	Expected     string `json:"expected"`
	Sentence     string `json:"sentence"`
	SentenceZH   string `json:"sentenceZh"`
	Advice       string `json:"advice"`
	AdviceZH     string `json:"adviceZh"`
	StringToSign string `json:"stringToSign,omitempty"`
	RightLogin   *Login `json:"rightLogin,omitempty"`
}

// Diagnose names the mistake in a login that was refused
// [aliyun-device §10]. It returns nil for a right one. Where the secret is not
// known, only what shows without it is found.
func Diagnose(s Sent, k Known) *Diagnosis {
	if _, ok := Verify(s, k.DeviceSecret); ok || VerifyToken(s, k.DeviceSecret) {
		return nil
	}
	for _, look := range []func(*attempt) *Diagnosis{
		rawPassword, strayBytes, fullWidth, userName, existence, clientIdentifier, tokenLogin, passwordForm, otherSecret, otherContent, otherMethod, otherMaking,
	} {
		if d := look(newAttempt(s, k)); d != nil {
			return d
		}
	}
	return newAttempt(s, k).say("aliyun-wrong-secret", "password", "", "", nil)
}

// An attempt is a login taken apart as far as it goes.
type attempt struct {
	Sent
	known  Known
	id     ClientID
	method Method // announced; HMACMD5 where that fails
	pk, dn string
	named  bool       // the user name could be split
	sub    *SubDevice // it is no login but a sub-device's signature; nil for a login
}

func newAttempt(s Sent, k Known) *attempt {
	a := &attempt{Sent: s, known: k, method: HMACMD5}
	a.id, _ = s.identifier()
	if m, err := a.id.Method(); err == nil {
		a.method = m
	}
	pk, dn, err := ParseUsername(s.Username)
	a.pk, a.dn, a.named = pk, dn, err == nil
	return a
}

// say makes a diagnosis of a code; args fill its sentences.
func (a *attempt) say(code, field, received, expected string, args []any) *Diagnosis {
	t, ok := texts[code]
	if !ok {
		t = subTexts[code]
	}
	d := &Diagnosis{
		Code: code, Field: field, Received: received, Expected: expected,
		Sentence: fill(t.sentence, args), SentenceZH: fillZH(t.sentenceZH, args), Advice: t.advice, AdviceZH: t.adviceZH,
	}
	if a.correct(d); d.Expected == "" {
		d.Expected = rights[code]
	}
	return d
}

// correct adds the login that would have been right, as near to what was sent
// as can be.
func (a *attempt) correct(d *Diagnosis) {
	if a.sub != nil {
		a.correctSub(d)
		return
	}
	if a.known.DeviceSecret == "" || !a.named {
		return
	}
	base := clean(a.id.Base)
	if base == "" {
		base = a.pk + "." + a.dn
	}
	pk, dn, ts := clean(a.pk), clean(a.dn), clean(a.id.Timestamp())
	mode, _ := strconv.Atoi(a.id.SecureMode())
	if mode != 2 && mode != 3 {
		mode = 3
		if a.TLS {
			mode = 2
		}
	}
	if len(a.Texts) > 0 {
		a.correctText(d)
		return
	}
	d.StringToSign = Content(base, pk, dn, ts)
	login := Credentials(Triple{pk, dn, a.known.DeviceSecret}, Options{ClientID: base, Timestamp: ts, Method: a.method, SecureMode: mode})
	d.RightLogin = &login
	if d.Expected == "" && d.Field == "password" {
		d.Expected = login.Password
	}
	if d.Received == "" && d.Field == "password" {
		d.Received = a.shown()
	}
}

// correctText is correct of a login that signs other texts than a CONNECT.
func (a *attempt) correctText(d *Diagnosis) {
	d.StringToSign = a.Texts[0]
	if d.Expected == "" && d.Field == "password" {
		d.Expected = Sign(a.method, a.known.DeviceSecret, a.Texts[0])
	}
	if d.Received == "" && d.Field == "password" {
		d.Received = a.shown()
	}
}

// secretDigits is how long a secret is that a console has made: hex, and as
// long as a signature by hmacmd5.
const secretDigits = 32

// shown is the password as far as it may be shown. A signature is no secret,
// anything else might be one: people send secrets in its place, also those of
// other devices.
func (a *attempt) shown() string {
	p := string(a.Password)
	size := fmt.Sprintf("%d bytes", len(p))
	for _, secret := range []string{a.known.DeviceSecret, a.known.PreviousSecret, a.known.ProductSecret} {
		if secret != "" && strings.EqualFold(p, secret) {
			return size
		}
	}
	switch {
	case !isHex(p) || len(p) < 16 || len(p) > 128:
		return size
	case len(p) == secretDigits:
		return p[:4] + "… (32 digits)"
	}
	return p
}

func clean(s string) string { return strings.Trim(s, " \t\r\n\x00\"") }

func isHex(s string) bool {
	for _, c := range []byte(s) {
		if !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f') {
			return false
		}
	}
	return s != ""
}

// rawPassword finds a signature that was not written as hex; its bytes may
// look like blanks and line ends, so it comes first [row 7].
func rawPassword(a *attempt) *Diagnosis {
	for _, m := range methods {
		for _, sig := range a.signatures(a.known.DeviceSecret, m) {
			if raw, _ := hex.DecodeString(sig); a.known.DeviceSecret != "" && string(a.Password) == string(raw) {
				return a.say("aliyun-password-raw", "password", "", "", nil)
			}
		}
	}
	return nil
}

// strayBytes finds blanks, line ends, quotes and NULs around a field [row 8].
func strayBytes(a *attempt) *Diagnosis {
	for _, f := range []struct{ name, value string }{{"clientId", a.ClientID}, {"username", a.Username}, {"password", string(a.Password)}} {
		if clean(f.value) == f.value && !strings.ContainsAny(f.value, "\r\n\x00") {
			continue
		}
		received := strconv.Quote(f.value)
		if f.name == "password" {
			received = fmt.Sprintf("%d bytes with %q around them", len(f.value), stray(f.value))
		}
		return a.say("aliyun-stray-bytes", f.name, received, "", []any{f.name})
	}
	if a.named {
		for _, part := range []string{a.dn, a.pk, a.id.Base} {
			if clean(part) != part {
				return a.say("aliyun-stray-bytes", "username", strconv.Quote(a.Username), "", []any{"username"})
			}
		}
	}
	return nil
}

// fullWidth finds characters that a Chinese input method wrote for those of
// ASCII: no name, secret or parameter has any.
func fullWidth(a *attempt) *Diagnosis {
	for _, f := range []struct{ name, value string }{{"clientId", a.ClientID}, {"username", a.Username}, {"password", string(a.Password)}} {
		wide := wording.FullWidth(f.value)
		if wide == "" {
			continue
		}
		narrow := strings.Map(wording.HalfWidth, wide)
		received, expected := f.value, strings.Map(wording.HalfWidth, f.value)
		if f.name == "password" {
			received, expected = wide, narrow
		}
		return a.say("aliyun-full-width", f.name, received, expected, []any{f.name, wide, narrow})
	}
	return nil
}

func stray(s string) string {
	c := clean(s)
	return strings.Replace(s, c, "", 1)
}

// userName finds names that are missing or the wrong way round [row 9].
func userName(a *attempt) *Diagnosis {
	expected := "deviceName&productKey"
	if !a.named {
		code := "aliyun-username-form"
		if strings.Contains(a.Username, "%26") {
			code = "aliyun-url-encoded"
			return a.say(code, "username", a.Username, expected, []any{"username"})
		}
		return a.say(code, "username", a.Username, expected, nil)
	}
	if strings.Contains(a.Username, "${") || strings.HasPrefix(a.Username, "&") {
		return a.say("aliyun-username-form", "username", a.Username, expected, nil)
	}
	if k := a.known; k.KnowsProduct != nil && !k.KnowsProduct(a.pk) && k.KnowsProduct(a.dn) {
		return a.say("aliyun-names-swapped", "username", a.Username, a.pk+"&"+a.dn, nil)
	}
	// Offline: a signature over the names the right way round tells it too.
	swapped := contents(a.id.Base, a.dn, a.pk, a.id.Timestamp())
	if a.signedWith(a.known.DeviceSecret, a.method, swapped...) {
		return a.say("aliyun-names-swapped", "username", a.Username, a.pk+"&"+a.dn, nil)
	}
	return nil
}

// existence finds products and devices that are not there [row 20].
func existence(a *attempt) *Diagnosis {
	k := a.known
	if k.KnowsProduct != nil && !k.KnowsProduct(a.pk) {
		return a.say("aliyun-unknown-product", "product", a.pk, "the ProductKey of a product here", []any{a.pk})
	}
	if k.KnowsDevice != nil && !k.KnowsDevice(a.pk, a.dn) {
		for _, other := range []string{strings.ToLower(a.dn), strings.ToUpper(a.dn)} {
			if k.KnowsDevice(a.pk, other) {
				return a.say("aliyun-device-name-case", "device", a.dn, other, []any{a.dn, other})
			}
		}
		return a.say("aliyun-unknown-device", "device", a.dn, "the DeviceName of a device of "+a.pk, []any{a.pk, a.dn})
	}
	return nil
}

// clientIdentifier finds faults of its form [rows 10, 11].
func clientIdentifier(a *attempt) *Diagnosis {
	template := a.id.Base + "|securemode=3,signmethod=hmacsha256|"
	switch {
	case strings.Contains(a.ClientID, "%7C") || strings.Contains(a.ClientID, "%7c"):
		return a.say("aliyun-url-encoded", "clientId", a.ClientID, "", []any{"clientId"})
	case !a.id.Extended:
		return a.say("aliyun-clientid-no-bars", "clientId", a.ClientID, template, nil)
	case !a.id.Closed:
		return a.say("aliyun-clientid-one-bar", "clientId", a.ClientID, a.ClientID+"|", nil)
	case strings.Contains(a.ClientID, `\,`):
		return a.say("aliyun-escaped-commas", "clientId", a.ClientID, strings.ReplaceAll(a.ClientID, `\,`, ","), nil)
	case a.id.SecureMode() == "8":
		return a.say("aliyun-id2", "clientId", "securemode=8", "securemode=2 or 3", nil)
	}
	if _, err := a.id.Method(); err != nil {
		return a.say("aliyun-unknown-method", "clientId", "signmethod="+a.id.Parameters["signmethod"], "signmethod=hmacsha256", nil)
	}
	return nil
}

// tokenLogin finds what is wrong with a deviceToken.
func tokenLogin(a *attempt) *Diagnosis { return DiagnoseToken(a.Sent, a.known) }

// passwordForm finds what cannot be a signature by its looks [row 7].
func passwordForm(a *attempt) *Diagnosis {
	p, want := string(a.Password), a.method.hexLength()
	if a.known.DeviceSecret != "" && p == a.known.DeviceSecret {
		return a.say("aliyun-secret-as-password", "password", "", "", nil)
	}
	if p == "" {
		return a.say("aliyun-no-password", "password", "0 bytes", "", nil)
	}
	right := func(m Method) []string { return a.signatures(a.known.DeviceSecret, m) }
	if a.known.DeviceSecret != "" {
		for _, m := range methods {
			for _, sig := range right(m) {
				raw, _ := hex.DecodeString(sig)
				switch {
				case p == base64.StdEncoding.EncodeToString(raw):
					return a.say("aliyun-password-base64", "password", "", "", nil)
				case len(p) >= 8 && len(p) < len(sig) && strings.EqualFold(p, sig[:len(p)]):
					return a.say("aliyun-password-cut", "password", fmt.Sprintf("%d digits", len(p)), sig, []any{len(p), len(sig)})
				case len(p) > len(sig) && strings.EqualFold(p[:len(sig)], sig):
					return a.say("aliyun-password-long", "password", fmt.Sprintf("%d bytes", len(p)), sig, []any{len(p), len(sig)})
				}
			}
		}
	}
	if unescaped, err := url.QueryUnescape(p); err == nil && unescaped != p {
		return a.say("aliyun-url-encoded", "password", "", "", []any{"password"})
	}
	if !isHex(p) {
		return a.say("aliyun-password-not-hex", "password", fmt.Sprintf("%d bytes", len(p)), "", []any{want})
	}
	switch len(p) {
	case 32, 40, 64:
	default:
		return a.say("aliyun-password-length", "password", fmt.Sprintf("%d digits", len(p)), "", []any{len(p), string(a.method), want})
	}
	return nil
}

// otherSecret finds a right signature with a wrong secret [rows 1, 2].
func otherSecret(a *attempt) *Diagnosis {
	ds := a.known.DeviceSecret
	for _, o := range []struct{ code, secret string }{
		{"aliyun-product-secret", a.known.ProductSecret},
		{"aliyun-previous-secret", a.known.PreviousSecret},
		{"aliyun-secret-case", strings.ToLower(ds)},
		{"aliyun-secret-case", strings.ToUpper(ds)},
		{"aliyun-secret-stray", ds + "\n"},
		{"aliyun-secret-stray", ds + "\r\n"},
		{"aliyun-secret-stray", ds + " "},
		{"aliyun-secret-stray", " " + ds},
		{"aliyun-secret-decoded", decoded(ds, hex.DecodeString)},
		{"aliyun-secret-decoded", decoded(ds, base64.StdEncoding.DecodeString)},
	} {
		if o.secret != "" && o.secret != ds && a.signedByAny(o.secret) {
			return a.say(o.code, "password", "", "", nil)
		}
	}
	return nil
}

func decoded(s string, how func(string) ([]byte, error)) string {
	if s == "" {
		return ""
	}
	b, err := how(s)
	if err != nil {
		return ""
	}
	return string(b)
}

// otherContent finds a right secret over a wrong text [rows 4, 5, 6].
func otherContent(a *attempt) *Diagnosis {
	ds, ts := a.known.DeviceSecret, a.id.Timestamp()
	if ds == "" {
		return nil
	}
	if len(a.Texts) > 0 && a.signedWith(ds, a.method, contents(a.id.Base, a.pk, a.dn, ts)...) {
		return a.say("aliyun-members-unsigned", "password", "", "", nil)
	}
	for _, v := range []struct{ what, base string }{
		{"the whole clientId with its bars", a.ClientID}, {"deviceName", a.dn}, {"productKey.deviceName", a.pk + "." + a.dn},
		{"productKey&deviceName", a.pk + "&" + a.dn}, {"deviceName.productKey", a.dn + "." + a.pk}, {"deviceName&productKey", a.dn + "&" + a.pk},
	} {
		if v.base != a.id.Base && a.signedWith(ds, a.method, contents(v.base, a.pk, a.dn, ts)...) {
			return a.say("aliyun-other-clientid", "password", "", "", []any{v.what, a.id.Base})
		}
	}
	for _, other := range append(nearby(ts), "2524608000000", "32472115200", "789", "1234567890", "123", "0", "1") {
		if other != ts && a.signedWith(ds, a.method, Content(a.id.Base, a.pk, a.dn, other), Content("", a.pk, a.dn, other)) {
			if ts == "" {
				return a.say("aliyun-timestamp-unannounced", "clientId", "no timestamp", "timestamp="+other, []any{other})
			}
			return a.say("aliyun-timestamp-mismatch", "clientId", "timestamp="+ts, "timestamp="+other, []any{other, ts})
		}
	}
	if a.signedWith(ds, a.method, disordered(a.id.Base, a.pk, a.dn, ts)...) {
		return a.say("aliyun-content-form", "password", "", "", nil)
	}
	return nil
}

// nearby are the timestamps of a clock that was read twice, for the signature
// and for the client id, and the same time in other units.
func nearby(ts string) (all []string) {
	n, err := strconv.ParseInt(ts, 10, 64)
	if err != nil {
		return nil
	}
	all = append(all, ts+"000")
	if len(ts) > 3 {
		all = append(all, ts[:len(ts)-3])
	}
	for apart := int64(1); apart <= 50; apart++ {
		all = append(all, strconv.FormatInt(n-apart, 10), strconv.FormatInt(n+apart, 10))
	}
	for apart := int64(1000); apart <= 3000; apart += 1000 {
		all = append(all, strconv.FormatInt(n-apart, 10), strconv.FormatInt(n+apart, 10))
	}
	return all
}

// disordered are texts that people sign by mistake.
func disordered(base, pk, dn, ts string) (texts []string) {
	names := [][2]string{{"clientId", base}, {"deviceName", dn}, {"productKey", pk}}
	orders := [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}, {1, 2}, {2, 1}}
	forms := []struct{ between, after string }{{"", ""}, {"=", "&"}, {"", "&"}, {"=", ""}, {"=", ","}, {"", ","}, {"", " "}, {":", ","}, {"", "\n"}}
	for _, keys := range []func(string) string{func(s string) string { return s }, strings.ToLower, func(s string) string { return strings.ToUpper(s[:1]) + s[1:] }} {
		for _, order := range orders {
			for _, f := range forms {
				for _, stamped := range []int{0, 1, 2} { // no timestamp, last, first
					if stamped > 0 && ts == "" {
						continue
					}
					var parts []string
					if stamped == 2 {
						parts = append(parts, keys("timestamp")+f.between+ts)
					}
					for _, i := range order {
						parts = append(parts, keys(names[i][0])+f.between+names[i][1])
					}
					if stamped == 1 {
						parts = append(parts, keys("timestamp")+f.between+ts)
					}
					texts = append(texts, strings.Join(parts, f.after))
				}
			}
		}
	}
	return append(texts, base+dn+pk+ts, base+dn+pk, dn+pk, dn+"&"+pk)
}

// unannounced is what a client id without signmethod says.
const unannounced = "none, which means hmacmd5"

// otherMethod finds a method that is not the one announced [row 3].
func otherMethod(a *attempt) *Diagnosis {
	for _, m := range methods {
		if m != a.method && a.known.DeviceSecret != "" && a.signedWith(a.known.DeviceSecret, m, a.texts(a.id.Base, a.pk, a.dn, a.id.Timestamp())...) {
			announced, received := string(a.method), "signmethod="+string(a.method)
			if a.id.Parameters["signmethod"] == "" {
				announced, received = unannounced, "no signmethod"
			}
			return a.say("aliyun-wrong-method", "clientId", received, "signmethod="+string(m), []any{string(m), announced})
		}
	}
	return nil
}

// otherMaking finds signatures made in another way than HMAC.
func otherMaking(a *attempt) *Diagnosis {
	ds := a.known.DeviceSecret
	if ds == "" {
		return nil
	}
	for _, content := range a.texts(a.id.Base, a.pk, a.dn, a.id.Timestamp()) {
		for _, m := range methods {
			if sameHex(a.Password, Sign(m, content, ds)) {
				return a.say("aliyun-key-and-text-swapped", "password", "", "", nil)
			}
			for _, text := range []string{content, content + ds, ds + content} {
				h := m.hash()()
				h.Write([]byte(text))
				if sameHex(a.Password, hex.EncodeToString(h.Sum(nil))) {
					return a.say("aliyun-plain-hash", "password", "", "", []any{strings.TrimPrefix(string(m), "hmac")})
				}
			}
		}
	}
	return nil
}

// signatures are the right ones of one method.
func (a *attempt) signatures(secret string, m Method) (sigs []string) {
	for _, content := range a.texts(a.id.Base, a.pk, a.dn, a.id.Timestamp()) {
		sigs = append(sigs, Sign(m, secret, content))
	}
	return sigs
}

// signedByAny reports whether the password signs a right text with secret, by
// the announced method or another.
func (a *attempt) signedByAny(secret string) bool {
	for _, m := range methods {
		if a.signedWith(secret, m, a.texts(a.id.Base, a.pk, a.dn, a.id.Timestamp())...) {
			return true
		}
	}
	return false
}

func (a *attempt) signedWith(secret string, m Method, texts ...string) bool {
	if secret == "" || len(a.Password) != m.hexLength() {
		return false
	}
	for _, text := range texts {
		if sameHex(a.Password, Sign(m, secret, text)) {
			return true
		}
	}
	return false
}
