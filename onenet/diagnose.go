package onenet

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/wording"
)

// Known is what the server, or the person at the bench, knows about a login.
// Functions may be nil and names empty: offline, nobody knows what exists.
type Known struct {
	Keys
	ProductID    string // who it should be, where that is known
	DeviceName   string
	KnowsProduct func(productID string) bool
	KnowsDevice  func(productID, name string) bool
	Strict       bool // hold the login to the written CONNECT rules as well [onenet §1.3]
	IgnoreExpiry bool // expired tokens are right
}

// A Diagnosis names the mistake in a login: where it is, what came, what would
// have been right. It holds no secret; RightLogin is derived from one.
type Diagnosis struct {
	Code         string `json:"code"`
	Field        string `json:"field"` // clientId, username, password or a part of it (version, res, et, method, sign), or a flag of the CONNECT
	Received     string `json:"received"`
	Expected     string `json:"expected"`
	Sentence     string `json:"sentence"`
	SentenceZH   string `json:"sentenceZh"`
	Advice       string `json:"advice"`
	AdviceZH     string `json:"adviceZh"`
	StringToSign string `json:"stringToSign,omitempty"`
	RightLogin   *Login `json:"rightLogin,omitempty"` // host and port are the caller's to fill in
}

// Diagnose names the mistake in a login that was refused [onenet §10]. It
// returns nil for a right one of a device that exists. Where the key is not
// known, only what shows without it is found.
func Diagnose(s Sent, k Known, now time.Time) *Diagnosis {
	a := newAttempt(s, k, now)
	if k.Strict {
		if broken := a.conduct(); len(broken) > 0 {
			return broken[0]
		}
	}
	looks := []func(*attempt) *Diagnosis{
		strayOnly, fullWidth, passwordForm, tokenParts, expiry, resource, existence, names, strayBytes, writtenSign, otherKey, otherText, otherMethod, otherMaking,
	}
	right := a.right(s)
	if right {
		looks = []func(*attempt) *Diagnosis{existence, names}
	}
	for _, look := range looks {
		if d := look(a); d != nil {
			return d
		}
	}
	if right {
		return nil
	}
	if a.known.Device == "" && a.known.Product == "" {
		return a.say("onenet-no-key", "password", "", "")
	}
	return a.say("onenet-wrong-key", "sign", "", "")
}

// An attempt is a login taken apart as far as it goes.
type attempt struct {
	Sent
	known    Known
	now      time.Time
	id       string // the client id without stray bytes
	user     string // the user name without stray bytes
	text     string // the password without stray bytes
	token    Token
	tokenErr *TokenError
	rp, rd   string // product and device of a res that is right in form
	resOK    bool
	pid, dev string // who it most likely is
}

func newAttempt(s Sent, k Known, now time.Time) *attempt {
	a := &attempt{Sent: s, known: k, now: now, id: clean(s.ClientID), user: clean(s.Username), text: clean(string(s.Password))}
	token, err := ParseToken([]byte(a.text))
	a.token = token
	if err != nil {
		a.tokenErr = err.(*TokenError)
	}
	a.rp, a.rd, a.resOK = ParseRes(a.token.Res)
	a.pid = a.likelyProduct()
	a.dev = a.likelyDevice()
	return a
}

// likelyProduct is whose login it is: a name that is known to be right, or the
// one in a token that is signed as it should be, or else the user name.
func (a *attempt) likelyProduct() string {
	if a.known.ProductID != "" {
		return a.known.ProductID
	}
	candidates := withCases(a.user, a.rp, a.id)
	if knows := a.known.KnowsProduct; knows != nil {
		if i := slices.IndexFunc(candidates, func(p string) bool { return p != "" && knows(p) }); i >= 0 {
			return candidates[i]
		}
	} else if a.rp != "" && a.rp != a.user && (a.signed(a.token) || a.rp == a.id && a.rd == a.user) {
		return a.rp
	}
	return first(a.user, a.rp)
}

// likelyDevice is the same for the device; where nobody knows, the token speaks
// for it rather than the client id, which tools like to invent.
func (a *attempt) likelyDevice() string {
	if a.known.DeviceName != "" {
		return a.known.DeviceName
	}
	candidates := withCases(append([]string{a.id, a.rd, a.user}, strings.FieldsFunc(a.id, isJoint)...)...)
	if knows := a.known.KnowsDevice; knows != nil {
		if i := slices.IndexFunc(candidates, func(d string) bool { return d != "" && knows(a.pid, d) }); i >= 0 {
			return candidates[i]
		}
	}
	return first(a.rd, a.id)
}

// withCases adds the names in lower case and in capitals.
func withCases(names ...string) []string {
	for _, n := range names {
		names = append(names, strings.ToLower(n), strings.ToUpper(n))
	}
	return names
}

func isJoint(r rune) bool { return strings.ContainsRune("&./|:@", r) }

func first(names ...string) string {
	for _, n := range names {
		if n != "" {
			return n
		}
	}
	return ""
}

// right reports whether a login would be accepted.
func (a *attempt) right(s Sent) bool {
	now := a.now
	if a.known.IgnoreExpiry {
		now = time.Time{}
	}
	_, ok := Verify(s, a.known.Keys, now)
	return ok
}

// signed reports whether a token is signed with one of the present keys.
func (a *attempt) signed(t Token) bool {
	return signedWith(t, a.known.Device) || signedWith(t, a.known.Product)
}

// clean drops what does not belong around a value, and control bytes anywhere:
// no part of a login has any.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == '\u007f' || r == '\ufeff' || r == '\u200b' {
			return -1
		}
		return r
	}, s)
	return strings.Trim(s, " \"'`")
}

// say makes a diagnosis of a code; args fill its sentences.
func (a *attempt) say(code, field, received, expected string, args ...any) *Diagnosis {
	t := texts[code]
	d := &Diagnosis{
		Code: code, Field: field, Received: short(received), Expected: expected,
		Sentence: fill(t.sentence, args), SentenceZH: fill(t.sentenceZH, args), Advice: t.advice, AdviceZH: t.adviceZH,
	}
	a.correct(d)
	return d
}

func fill(format string, args []any) string {
	if len(args) == 0 {
		return format
	}
	for i, v := range args {
		if s, ok := v.(string); ok {
			args[i] = short(s)
		}
	}
	return fmt.Sprintf(format, args...)
}

// maxReceived bounds what a diagnosis repeats of what came, in bytes.
const maxReceived = 200

func short(s string) string {
	if len(s) > maxReceived {
		s = strings.ToValidUTF8(s[:maxReceived], "") + "…"
	}
	return s
}

// offered is how long the login that a diagnosis offers holds where the one
// sent says nothing usable.
const offered = 365 * 24 * time.Hour

// correct adds the login that would have been right, as near to what was sent
// as can be.
func (a *attempt) correct(d *Diagnosis) {
	o := Options{ProductID: a.pid, DeviceName: a.dev, Key: first(a.known.Device, a.known.Product), Expiry: a.now.Add(offered).Unix()}
	if a.resOK && a.rd == "" && a.known.Product != "" {
		o.Res, o.Key = ProductRes(a.pid), a.known.Product
	}
	if et, err := a.token.Expiry(); err == nil && et > a.now.Unix() {
		o.Expiry = et
	}
	if m, err := ParseMethod(string(a.token.Method)); err == nil {
		o.Method = m
	}
	if o.ProductID == "" || o.DeviceName == "" || o.Key == "" {
		return
	}
	t, err := NewToken(o)
	if err != nil {
		return // the key is none; nothing can be made with it
	}
	d.StringToSign = t.StringForSignature()
	d.RightLogin = &Login{ClientID: o.DeviceName, Username: o.ProductID, Password: t.String()}
	if d.Field == "sign" {
		d.Received, d.Expected = first(d.Received, short(a.token.Sign)), first(d.Expected, t.Sign)
	}
}

// strayOnly finds logins that are right but for blanks, quotes, line ends or
// NULs around a field or inside the token [onenet §10 row 8].
func strayOnly(a *attempt) *Diagnosis {
	if a.right(Sent{ClientID: a.id, Username: a.user, Password: []byte(a.text)}) {
		return strayBytes(a)
	}
	return nil
}

// fullWidth finds characters that a Chinese input method wrote for those of
// ASCII: no name and no token has any.
func fullWidth(a *attempt) *Diagnosis {
	for _, f := range []struct{ name, said, saidZH, value string }{
		{"clientId", "client id", "clientId", a.ClientID}, {"username", "user name", "用户名", a.Username}, {"password", "password", "密码", string(a.Password)},
	} {
		wide := wording.FullWidth(f.value)
		if wide == "" {
			continue
		}
		narrow := strings.Map(wording.HalfWidth, wide)
		received, expected := f.value, strings.Map(wording.HalfWidth, f.value)
		if f.name == "password" { // it may be a key
			received, expected = wide, narrow
		}
		return a.say("onenet-full-width", f.name, received, expected, f.said, f.saidZH, wide, narrow)
	}
	return nil
}

// strayBytes names the first field with stray bytes.
func strayBytes(a *attempt) *Diagnosis {
	switch {
	case a.id != a.ClientID:
		return a.say("onenet-stray-bytes", "clientId", strconv.Quote(a.ClientID), strconv.Quote(a.id), "client id", "clientId")
	case a.user != a.Username:
		return a.say("onenet-stray-bytes", "username", strconv.Quote(a.Username), strconv.Quote(a.user), "user name", "用户名")
	case a.text != strings.TrimRightFunc(string(a.Password), func(r rune) bool { return r <= ' ' }):
		received, expected := fmt.Sprintf("%d bytes", len(a.Password)), fmt.Sprintf("%d bytes", len(a.text))
		return a.say("onenet-stray-bytes", "password", received, expected, "password", "密码")
	}
	return nil
}
