package onenet

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
)

// writtenSign finds signatures that are right but were written or carried
// wrongly [onenet §10 rows 5, 7, 8].
func writtenSign(a *attempt) *Diagnosis {
	sign := a.token.Sign
	if a.cutInEscape() {
		return a.cut()
	}
	for _, w := range []struct{ code, right string }{
		{"onenet-plus-lost", strings.ReplaceAll(sign, " ", "+")},
		{"onenet-sign-double-encoded", decode(sign)},
		{"onenet-sign-double-encoded", decode(decode(sign))},
		{"onenet-sign-url-safe", strings.NewReplacer("-", "+", "_", "/").Replace(sign)},
		{"onenet-sign-hex", rebase(sign)},
		{"onenet-hex-signed", rebase(unbase(sign))},
	} {
		if w.right == sign || w.right == "" {
			continue
		}
		fixed := a.token
		fixed.Sign = w.right
		if a.signed(fixed) || a.textKeySigned(fixed) {
			return a.say(w.code, "sign", sign, encode(w.right))
		}
	}
	switch {
	case strings.Contains(sign, " "):
		return a.say("onenet-plus-lost", "sign", sign, "")
	case strings.Contains(sign, "%2") || strings.Contains(sign, "%3"):
		return a.say("onenet-sign-double-encoded", "sign", sign, "")
	case isDigest(sign):
		return a.say("onenet-sign-hex", "sign", sign, "")
	case isDigest(unbase(sign)):
		return a.say("onenet-hex-signed", "sign", sign, "")
	}
	return a.signLength()
}

// cutInEscape reports whether the token ends in the middle of an escape, %3 of
// %3D: a buffer of 128 bytes does that to a token of 130.
func (a *attempt) cutInEscape() bool {
	text := strings.TrimRight(string(a.Password), " \r\n\x00")
	i := strings.LastIndexByte(text, '%')
	return i >= 0 && len(text)-i < len("%3D") && strings.LastIndexByte(text, '&') < i
}

// signLength judges a signature by its length, for when the key is not known
// and for tokens that were cut.
func (a *attempt) signLength() *Diagnosis {
	sign, want := a.token.Sign, a.token.Method.size()
	raw, err := decodeSign(sign)
	text := strings.TrimRight(sign, "=%")
	switch {
	case err == nil && len(raw) == want:
		return nil
	case err == nil:
		if m := methodOf(len(raw)); m != "" && !a.prefixOfRight(text) {
			return a.say("onenet-wrong-method", "method", string(a.token.Method), string(m), string(m), string(a.token.Method))
		}
	}
	if len(text) < base64.RawStdEncoding.EncodedLen(want) {
		return a.cut()
	}
	if err == nil || a.tokenErr == nil {
		return a.say("onenet-sign-length", "sign", strconv.Itoa(len(raw))+" bytes", strconv.Itoa(want)+" bytes", len(raw), want, string(a.token.Method))
	}
	return a.say("onenet-sign-not-base64", "sign", sign, "")
}

// prefixOfRight reports whether text begins the right signature.
func (a *attempt) prefixOfRight(text string) bool {
	for _, key := range a.keys() {
		right := base64.StdEncoding.EncodeToString(Sign(a.token.Method, key, a.token.StringForSignature()))
		if len(text) >= 8 && strings.HasPrefix(right, text) {
			return true
		}
	}
	return false
}

// methodOf is the method whose signatures have n bytes, "" for none.
func methodOf(n int) Method {
	for _, m := range Methods() {
		if m.size() == n {
			return m
		}
	}
	return ""
}

// rebase turns hex into Base64, "" for what is no digest.
func rebase(s string) string {
	raw, err := hex.DecodeString(s)
	if err != nil || !isDigest(s) {
		return ""
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// unbase decodes Base64, "" for what is none.
func unbase(s string) string {
	raw, err := decodeSign(s)
	if err != nil {
		return ""
	}
	return string(raw)
}

// keys are the decoded keys that may sign the token's resource.
func (a *attempt) keys() (keys [][]byte) {
	texts := []string{a.known.Device, a.known.Product}
	if a.rd == "" {
		texts = texts[1:]
	}
	for _, text := range texts {
		if key, err := DecodeKey(text); err == nil {
			keys = append(keys, key)
		}
	}
	return keys
}

// textKeySigned reports whether a key's text was used as the key.
func (a *attempt) textKeySigned(t Token) bool {
	for _, text := range []string{a.known.Device, a.known.Product} {
		for _, key := range []string{text, strings.TrimRight(text, "="), text + "\n", text + "\r\n", text + "\x00"} {
			if text != "" && signs(t.Sign, []byte(key), t.Method, t.StringForSignature()) {
				return true
			}
		}
	}
	return false
}

// otherKey finds a right signature with a wrong key [onenet §10 rows 4, 6].
func otherKey(a *attempt) *Diagnosis {
	if a.textKeySigned(a.token) {
		return a.say("onenet-key-not-decoded", "sign", "", "")
	}
	if a.rd == "" && signedWith(a.token, a.known.Device) {
		return a.say("onenet-device-key-for-product", "res", a.token.Res, DeviceRes(a.pid, a.dev))
	}
	for _, o := range []struct{ code, key string }{
		{"onenet-previous-key", a.known.PreviousDevice}, {"onenet-previous-key", a.known.PreviousProduct},
		{"onenet-key-case", strings.ToLower(a.known.Device)}, {"onenet-key-case", strings.ToUpper(a.known.Device)},
		{"onenet-key-case", strings.ToLower(a.known.Product)}, {"onenet-key-case", strings.ToUpper(a.known.Product)},
	} {
		if signedWith(a.token, o.key) {
			return a.say(o.code, "sign", "", "")
		}
	}
	for _, key := range a.keys() {
		for _, again := range decodedAgain(key) {
			if signs(a.token.Sign, again, a.token.Method, a.token.StringForSignature()) {
				return a.say("onenet-key-decoded-twice", "sign", "", "")
			}
		}
	}
	return nil
}

// decodedAgain are keys that come of decoding one too often, or of decoding it
// and writing it as hex.
func decodedAgain(key []byte) (keys [][]byte) {
	if raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(string(key), "=")); err == nil {
		keys = append(keys, raw)
	}
	if raw, err := hex.DecodeString(string(key)); err == nil {
		keys = append(keys, raw)
	}
	digits := hex.EncodeToString(key)
	return append(keys, []byte(digits), []byte(strings.ToUpper(digits)))
}

// otherText finds a right key over a wrong text [onenet §10 row 5].
func otherText(a *attempt) *Diagnosis {
	t := a.token
	right := t.StringForSignature()
	for _, key := range a.keys() {
		for _, o := range wrongTexts(t, a.pid, a.dev) {
			if o.text == right || !signs(t.Sign, key, t.Method, o.text) {
				continue
			}
			if o.field == "" {
				return a.say(o.code, "sign", "", "")
			}
			d := a.say(o.code, "sign", "", "", o.signed, o.sent)
			if d.Received == d.Expected { // the signature is right, what stands beside it is not
				d.Field, d.Received, d.Expected = o.field, short(o.sent), o.signed
			}
			return d
		}
	}
	return nil
}

type wrongText struct {
	code, text          string
	field, sent, signed string // the part that differs, as the token has it and as it was signed; "" for the making of the whole
}

// wrongTexts are what people sign by mistake.
func wrongTexts(t Token, pid, dev string) []wrongText {
	right := t.StringForSignature()
	between := func(sep string) string { return strings.ReplaceAll(right, "\n", sep) }
	with := func(change func(*Token)) string {
		other := t
		change(&other)
		return other.StringForSignature()
	}
	var list []wrongText
	add := func(code string, texts ...string) {
		for _, text := range texts {
			list = append(list, wrongText{code: code, text: text})
		}
	}
	add("onenet-no-separators", between(""))
	add("onenet-literal-newline", between(`\n`))
	add("onenet-separator", between("\r\n"), between("\r"), between(" "), between("&"), between(","), between(";"),
		right+"\n", between("\r\n")+"\r\n", right+"\x00")
	add("onenet-res-signed-encoded", with(func(o *Token) { o.Res = encode(t.Res) }),
		with(func(o *Token) { o.Res = strings.ReplaceAll(encode(t.Res), "%2F", "%2f") }))
	add("onenet-method-case", with(func(o *Token) { o.Method = Method(strings.ToLower(string(t.Method))) }),
		with(func(o *Token) { o.Method = Method(strings.ToUpper(string(t.Method))) }))
	for _, res := range []string{ProductRes(pid), DeviceRes(pid, dev), DeviceRes(dev, pid)} {
		list = append(list, wrongText{"onenet-other-res", with(func(o *Token) { o.Res = res }), "res", t.Res, res})
	}
	for _, et := range []string{t.Et + "000", strings.TrimSuffix(t.Et, "000")} {
		list = append(list, wrongText{"onenet-other-et", with(func(o *Token) { o.Et = et }), "et", t.Et, et})
	}
	for _, v := range []string{"", DeviceVersion, StudioVersion, UserVersion} {
		list = append(list, wrongText{"onenet-other-version", with(func(o *Token) { o.Version = v }), "version", t.Version, v})
	}
	add("onenet-names-signed", named(t)...)
	add("onenet-order", permutations([]string{t.Et, string(t.Method), t.Res, t.Version})...)
	return list
}

// named are texts with the names of the values in them.
func named(t Token) (texts []string) {
	for _, res := range []string{t.Res, encode(t.Res)} {
		et, method, res, version := "et="+t.Et, "method="+string(t.Method), "res="+res, "version="+t.Version
		for _, sep := range []string{"\n", "&", ""} {
			texts = append(texts, strings.Join([]string{et, method, res, version}, sep), strings.Join([]string{version, res, et, method}, sep))
		}
	}
	return texts
}

// permutations are the values joined by line feeds in every order.
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
	return texts
}

// otherMethod finds a method that is not the one announced.
func otherMethod(a *attempt) *Diagnosis {
	t := a.token
	for _, m := range Methods() {
		if strings.EqualFold(string(m), string(t.Method)) {
			continue
		}
		announced := t
		announced.Method = m
		for _, key := range a.keys() {
			if signs(t.Sign, key, m, t.StringForSignature()) || signs(t.Sign, key, m, announced.StringForSignature()) {
				return a.say("onenet-wrong-method", "method", string(t.Method), string(m), string(m), string(t.Method))
			}
		}
	}
	return nil
}

// otherMaking finds signatures made in another way than HMAC.
func otherMaking(a *attempt) *Diagnosis {
	raw, err := decodeSign(a.token.Sign)
	if err != nil {
		return nil
	}
	text := []byte(a.token.StringForSignature())
	for _, key := range a.keys() {
		if bytes.Equal(raw, Sign(a.token.Method, text, string(key))) {
			return a.say("onenet-key-and-text-swapped", "sign", "", "")
		}
		for _, message := range [][]byte{text, append(bytes.Clone(text), key...), append(bytes.Clone(key), text...)} {
			h := a.token.Method.hash()()
			h.Write(message)
			if bytes.Equal(raw, h.Sum(nil)) {
				return a.say("onenet-plain-hash", "sign", "", "", string(a.token.Method))
			}
		}
	}
	return nil
}
