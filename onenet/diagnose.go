package onenet

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/mqtt"
)

// Known is what the server, or the person at the bench, knows about a login.
// Functions may be nil: offline, nobody knows what exists.
type Known struct {
	Keys
	KnowsProduct func(productID string) bool
	KnowsDevice  func(productID, name string) bool
	// Strict holds logins to the written CONNECT rules as well [onenet §1.3].
	Strict bool
}

// A Diagnosis names the mistake in a login: where it is, what came, what would
// have been right. It holds no secret; RightLogin is derived from one.
type Diagnosis struct {
	Code         string `json:"code"`
	Field        string `json:"field"`
	Received     string `json:"received"`
	Expected     string `json:"expected"`
	Sentence     string `json:"sentence"`
	SentenceZH   string `json:"sentenceZh"`
	Advice       string `json:"advice"`
	AdviceZH     string `json:"adviceZh"`
	StringToSign string `json:"stringToSign,omitempty"`
	RightLogin   *Login `json:"rightLogin,omitempty"`
}

// Diagnose names the mistake in a login that was refused [onenet §10]. It
// returns nil for a right one.
func Diagnose(s Sent, k Known, now time.Time) *Diagnosis {
	a := &attempt{Sent: s, known: k, now: now}
	if k.Strict {
		if d := connectRules(a); d != nil {
			return d
		}
	}
	if _, ok := Verify(s, k.Keys, now); ok {
		return nil
	}
	a.token, a.tokenErr = ParseToken(s.Password)
	for _, look := range []func(*attempt) *Diagnosis{
		rawKey, names, tokenForm, expiry, resource, existence, otherKey, signatureForm, otherText, otherMethod,
	} {
		if d := look(a); d != nil {
			return d
		}
	}
	return a.say("onenet-wrong-key", "password", "", "")
}

// An attempt is a login taken apart as far as it goes.
type attempt struct {
	Sent
	known    Known
	now      time.Time
	token    Token
	tokenErr error
}

func (a *attempt) say(code, field, received, expected string, args ...any) *Diagnosis {
	t := texts[code]
	d := &Diagnosis{
		Code: code, Field: field, Received: received, Expected: expected,
		Sentence: fill(t.sentence, args), SentenceZH: fill(t.sentenceZH, args), Advice: t.advice, AdviceZH: t.adviceZH,
	}
	a.correct(d)
	return d
}

func fill(format string, args []any) string {
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}

// aYear is how long the login that a diagnosis offers holds where the one sent
// was expired.
const aYear = 365 * 24 * time.Hour

// correct adds the login that would have been right.
func (a *attempt) correct(d *Diagnosis) {
	key, pid, name := a.known.Device, clean(a.Username), clean(a.ClientID)
	if key == "" {
		key = a.known.Product
	}
	if rest, ok := strings.CutPrefix(a.token.Res, "products/"); ok && d.Field == "clientId" {
		if p, n, ok := strings.Cut(rest, "/devices/"); ok {
			pid, name = p, n
		}
	}
	if key == "" || pid == "" || name == "" {
		return
	}
	m := Method(strings.ToLower(string(a.token.Method)))
	if m.hash() == nil {
		m = SHA1
	}
	et, err := strconv.ParseInt(a.token.Et, 10, 64)
	if err != nil || et <= a.now.Unix() {
		et = a.now.Add(aYear).Unix()
	}
	t, err := NewToken(Options{ProductID: pid, DeviceName: name, Key: key, Expiry: et, Method: m})
	if err != nil {
		return
	}
	d.StringToSign = StringForSignature(t.Et, t.Method, t.Res, t.Version)
	d.RightLogin = &Login{ClientID: name, Username: pid, Password: t.String()}
}

func clean(s string) string { return strings.Trim(s, " \t\r\n\x00\"") }

// connectRules are the platform's written rules for a CONNECT [onenet §1.3].
func connectRules(a *attempt) *Diagnosis {
	switch {
	case a.Version == mqtt.V31:
		return a.say("onenet-protocol-level", "version", "MQTT "+a.Version.String(), "MQTT 3.1.1", a.Version.String())
	case a.Version != 0 && a.Version != mqtt.V311:
		return a.say("onenet-protocol-level", "version", "MQTT "+a.Version.String(), "MQTT 3.1.1", a.Version.String())
	case a.Version != 0 && (a.KeepAlive < 10 || a.KeepAlive > 1800):
		return a.say("onenet-keep-alive", "keepAlive", strconv.Itoa(int(a.KeepAlive)), "10 to 1800", a.KeepAlive)
	case a.Version != 0 && !a.CleanSession:
		return a.say("onenet-clean-session", "cleanSession", "0", "1")
	case a.Will:
		return a.say("onenet-will", "will", "a will", "no will")
	}
	return nil
}

// rawKey finds a key that was sent as the password [row 25].
func rawKey(a *attempt) *Diagnosis {
	p := clean(string(a.Password))
	switch {
	case p == "":
		return a.say("onenet-no-password", "password", "0 bytes", "a token")
	case a.known.Device != "" && p == a.known.Device, a.known.Product != "" && p == a.known.Product:
		return a.say("onenet-key-as-password", "password", fmt.Sprintf("%d bytes", len(p)), "a token made with the key")
	}
	return nil
}

// names finds stray bytes and names in each other's places [rows 2, 3].
func names(a *attempt) *Diagnosis {
	for _, f := range []struct{ name, value string }{{"clientId", a.ClientID}, {"username", a.Username}} {
		if clean(f.value) != f.value || strings.ContainsAny(f.value, "\r\n\x00") {
			return a.say("onenet-stray-bytes", f.name, strconv.Quote(f.value), strconv.Quote(clean(f.value)), f.name)
		}
	}
	k := a.known
	swapped := k.KnowsProduct != nil && !k.KnowsProduct(a.Username) && k.KnowsProduct(a.ClientID)
	if swapped || a.token.Res != "" && a.token.Res == DeviceRes(a.ClientID, a.Username) && a.ClientID != a.Username {
		return a.say("onenet-names-swapped", "username", a.Username, a.ClientID)
	}
	return nil
}

// tokenForm finds tokens that are not whole [rows 7, 8].
func tokenForm(a *attempt) *Diagnosis {
	p := string(a.Password)
	if strings.HasPrefix(clean(p), `"`) {
		return a.say("onenet-quotes", "password", "a token between quotes", "the token without quotes")
	}
	missing, ok := errors.AsType[*TokenError](a.tokenErr)
	if !ok {
		return nil
	}
	switch {
	case !strings.Contains(p, "="):
		return a.say("onenet-no-token", "password", fmt.Sprintf("%d bytes", len(p)), "version=…&res=…&et=…&method=…&sign=…")
	case strings.HasPrefix(clean(p), "version%3D") || strings.Contains(p, "%26res"):
		return a.say("onenet-token-encoded", "password", "a token that is encoded as a whole", "a token whose values are encoded")
	case missing.Part == "sign":
		return a.say("onenet-token-cut", "password", fmt.Sprintf("%d bytes without &sign=", len(p)), "a token that ends with its sign", len(p))
	}
	return a.say("onenet-token-part", "password", "no "+missing.Part, missing.Part+"=…", missing.Part)
}

// expiry judges et [rows 1, 9].
func expiry(a *attempt) *Diagnosis {
	et, err := strconv.ParseInt(a.token.Et, 10, 64)
	now := a.now.Unix()
	switch {
	case err != nil:
		return a.say("onenet-et-number", "et", a.token.Et, strconv.FormatInt(now+int64(aYear/time.Second), 10), a.token.Et)
	case et < 1e9 && et <= now:
		return a.say("onenet-clock-unset", "et", a.token.Et, "more than "+strconv.FormatInt(now, 10), time.Unix(et, 0).UTC().Format(time.DateTime))
	case et <= now:
		when := time.Unix(et, 0).UTC().Format(time.DateTime) + " UTC"
		return a.say("onenet-token-expired", "et", a.token.Et, "more than "+strconv.FormatInt(now, 10), when)
	}
	return nil
}

// resource compares res with the login's names [row 2].
func resource(a *attempt) *Diagnosis {
	res := a.token.Res
	if covers(res, a.Username, a.ClientID) {
		return nil
	}
	if d, err := url.PathUnescape(res); err == nil && d != res && covers(d, a.Username, a.ClientID) {
		return a.say("onenet-res-double-encoded", "res", res, d)
	}
	rest, ok := strings.CutPrefix(res, "products/")
	if !ok {
		return a.say("onenet-res-form", "res", res, DeviceRes(a.Username, a.ClientID))
	}
	pid, name, hasDevice := strings.Cut(rest, "/devices/")
	switch {
	case pid != a.Username && pid == a.ClientID && name == a.Username:
		return a.say("onenet-names-swapped", "username", a.Username, a.ClientID)
	case pid != a.Username:
		return a.say("onenet-res-product", "res", res, DeviceRes(a.Username, a.ClientID), pid, a.Username)
	case hasDevice && name != a.ClientID:
		return a.say("onenet-client-id", "clientId", a.ClientID, name, a.ClientID, name)
	}
	return a.say("onenet-res-form", "res", res, DeviceRes(a.Username, a.ClientID))
}

// existence finds products and devices that are not there [row 3].
func existence(a *attempt) *Diagnosis {
	k := a.known
	if k.KnowsProduct != nil && !k.KnowsProduct(a.Username) {
		return a.say("onenet-unknown-product", "username", a.Username, "the id of a product", a.Username)
	}
	if k.KnowsDevice != nil && !k.KnowsDevice(a.Username, a.ClientID) {
		for _, other := range []string{strings.ToLower(a.ClientID), strings.ToUpper(a.ClientID)} {
			if k.KnowsDevice(a.Username, other) {
				return a.say("onenet-device-name-case", "clientId", a.ClientID, other, a.ClientID, other)
			}
		}
		return a.say("onenet-unknown-device", "clientId", a.ClientID, "the name of a device", a.Username, a.ClientID)
	}
	return nil
}

// otherKey finds a right signature with another key [row 6].
func otherKey(a *attempt) *Diagnosis {
	for _, o := range []struct{ code, key string }{
		{"onenet-previous-key", a.known.PreviousDevice}, {"onenet-previous-key", a.known.PreviousProduct},
		{"onenet-key-case", strings.ToLower(a.known.Device)}, {"onenet-key-case", strings.ToUpper(a.known.Device)},
	} {
		if o.key != a.known.Device && o.key != a.known.Product && signedWith(a.token, o.key) {
			return a.say(o.code, "password", "", "")
		}
	}
	return nil
}

// signatureForm finds signatures that were spoilt on their way [row 7].
func signatureForm(a *attempt) *Diagnosis {
	sign := a.token.Sign
	if strings.Contains(sign, " ") {
		fixed := a.token
		fixed.Sign = strings.ReplaceAll(sign, " ", "+")
		if a.signed(fixed) {
			return a.say("onenet-plus-lost", "sign", sign, fixed.Sign)
		}
	}
	if d := decode(sign); d != sign {
		fixed := a.token
		fixed.Sign = d
		if a.signed(fixed) {
			return a.say("onenet-sign-double-encoded", "sign", sign, d)
		}
	}
	if _, err := hex.DecodeString(sign); err == nil && len(sign) >= 32 {
		if raw, err := hex.DecodeString(sign); err == nil {
			fixed := a.token
			fixed.Sign = base64.StdEncoding.EncodeToString(raw)
			if a.signed(fixed) {
				return a.say("onenet-sign-hex", "sign", sign, fixed.Sign)
			}
		}
	}
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(sign, "="))
	if err != nil {
		return a.say("onenet-sign-not-base64", "sign", sign, "Base64")
	}
	if want := a.token.Method.size(); len(raw) < want {
		return a.say("onenet-token-cut", "password", fmt.Sprintf("a sign of %d bytes", len(raw)), fmt.Sprintf("a sign of %d bytes", want), len(a.Password))
	}
	return nil
}

// signed reports whether a token is right with one of the present keys.
func (a *attempt) signed(t Token) bool {
	return signedWith(t, a.known.Device) || signedWith(t, a.known.Product)
}

// otherText finds a right key over a wrong text, or used wrongly [rows 4, 5].
func otherText(a *attempt) *Diagnosis {
	t := a.token
	right := StringForSignature(t.Et, t.Method, t.Res, t.Version)
	for _, text := range []string{a.known.Device, a.known.Product} {
		if text == "" {
			continue
		}
		if signs(t, []byte(text), t.Method, right) {
			return a.say("onenet-key-not-decoded", "password", "", "")
		}
		key, err := DecodeKey(text)
		if err != nil {
			continue
		}
		for _, o := range []struct{ code, text string }{
			{"onenet-res-signed-encoded", StringForSignature(t.Et, t.Method, encode(t.Res), t.Version)},
			{"onenet-res-signed-encoded", StringForSignature(t.Et, t.Method, strings.ToLower(encode(t.Res)), t.Version)},
			{"onenet-separator", strings.ReplaceAll(right, "\n", "")},
			{"onenet-separator", strings.ReplaceAll(right, "\n", `\n`)},
			{"onenet-separator", strings.ReplaceAll(right, "\n", "\r\n")},
			{"onenet-separator", right + "\n"},
			{"onenet-separator", strings.ReplaceAll(right, "\n", "&")},
			{"onenet-method-case", StringForSignature(t.Et, Method(strings.ToLower(string(t.Method))), t.Res, t.Version)},
		} {
			if o.text != right && signs(t, key, t.Method, o.text) {
				return a.say(o.code, "password", "", right)
			}
		}
		for _, text := range permutations([]string{t.Et, string(t.Method), t.Res, t.Version}) {
			if signs(t, key, t.Method, text) {
				return a.say("onenet-order", "password", "", right)
			}
		}
		if sum := Sign(t.Method, key, right); sum != nil && t.Sign == base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString(sum))) {
			return a.say("onenet-hex-signed", "sign", t.Sign, base64.StdEncoding.EncodeToString(sum))
		}
	}
	return nil
}

// permutations are the values joined by line feeds in every wrong order, and
// with their names before them.
func permutations(values []string) (texts []string) {
	var walk func(done, left []string)
	walk = func(done, left []string) {
		if len(left) == 0 {
			texts = append(texts, strings.Join(done, "\n"))
			return
		}
		for i := range left {
			rest := append(append([]string(nil), left[:i]...), left[i+1:]...)
			walk(append(done[:len(done):len(done)], left[i]), rest)
		}
	}
	walk(nil, values)
	named := []string{"et=" + values[0], "method=" + values[1], "res=" + values[2], "version=" + values[3]}
	return append(texts[1:], strings.Join(named, "\n"), strings.Join(named, "&"))
}

// otherMethod finds a method that is not the one announced.
func otherMethod(a *attempt) *Diagnosis {
	t := a.token
	if t.Method.hash() == nil {
		return a.say("onenet-unknown-method", "method", string(t.Method), "md5, sha1 or sha256", string(t.Method))
	}
	for _, m := range Methods() {
		if strings.EqualFold(string(m), string(t.Method)) {
			continue
		}
		for _, text := range []string{a.known.Device, a.known.Product} {
			key, err := DecodeKey(text)
			if text == "" || err != nil {
				continue
			}
			if signs(t, key, m, StringForSignature(t.Et, t.Method, t.Res, t.Version)) || signs(t, key, m, StringForSignature(t.Et, m, t.Res, t.Version)) {
				return a.say("onenet-wrong-method", "method", string(t.Method), string(m), string(m), string(t.Method))
			}
		}
	}
	return nil
}
