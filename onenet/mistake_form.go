package onenet

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// tokenTemplate is what a token looks like.
const tokenTemplate = "version=2018-10-31&res=products%2F{product id}%2Fdevices%2F{device name}&et={Unix seconds}&method=sha1&sign={Base64, URL-encoded}"

// passwordForm finds passwords that are no token by their looks
// [onenet §10 rows 8, 25].
func passwordForm(a *attempt) *Diagnosis {
	p, size := a.text, fmt.Sprintf("%d bytes", len(a.text))
	lower := strings.ToLower(p)
	hasParts := strings.Contains(p, "res=") || strings.Contains(p, "et=") || strings.Contains(p, "version=")
	switch {
	case p == "":
		return a.say("onenet-no-password", "password", "0 bytes", tokenTemplate)
	case a.isKey(p):
		return a.say("onenet-key-as-password", "password", size, tokenTemplate)
	case strings.Contains(lower, "version%3d") || strings.Contains(lower, "%26res") || strings.Contains(lower, "%26et"):
		return a.say("onenet-token-encoded", "password", "a token that is URL-encoded as a whole", tokenTemplate)
	case isDigest(p):
		return a.say("onenet-hex-password", "password", fmt.Sprintf("%d hex digits", len(p)), tokenTemplate, len(p))
	case !hasParts:
		return a.say("onenet-no-token", "password", size, tokenTemplate)
	case strings.Contains(p, "&amp;"):
		return a.say("onenet-html-escaped", "password", "&amp;", "&")
	case strings.Contains(p, "res=") && strings.Contains(p, "et=") && !strings.Contains(p, "&"):
		return a.say("onenet-token-separator", "password", "no & in "+size, tokenTemplate)
	case a.rightWith(strings.ReplaceAll(p, "%%", "%")):
		return a.say("onenet-percent-escaped", "password", "%%", "%")
	case a.rightWith(strings.NewReplacer(`\u002B`, "+", `\u002b`, "+", `\u002F`, "/", `\u002f`, "/", `\u003D`, "=", `\u003d`, "=").Replace(p)):
		return a.say("onenet-backslash-escaped", "password", `\u002B`, "%2B")
	}
	return nil
}

// isKey reports whether p is one of the known keys, or looks like one.
func (a *attempt) isKey(p string) bool {
	p = strings.TrimRight(p, "=")
	for _, k := range []string{a.known.Device, a.known.Product, a.known.PreviousDevice, a.known.PreviousProduct} {
		if k != "" && p == strings.TrimRight(strings.TrimSpace(k), "=") {
			return true
		}
	}
	key, err := DecodeKey(p)
	return err == nil && !isDigest(p) && (len(key) == 32 || len(key) == 48 || len(key) == 64)
}

// isDigest reports whether s is an MD5, SHA-1 or SHA-256 in hex.
func isDigest(s string) bool {
	return (len(s) == 32 || len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// rightWith reports whether another password than the one sent would have been
// right.
func (a *attempt) rightWith(password string) bool {
	return password != a.text && a.right(Sent{ClientID: a.id, Username: a.user, Password: []byte(password)})
}

// tokenParts finds parts that are missing or cannot be read
// [onenet §10 row 8].
func tokenParts(a *attempt) *Diagnosis {
	if a.tokenErr == nil {
		return nil
	}
	part := a.tokenErr.Part
	present := [...]string{a.token.Version, a.token.Res, a.token.Et, string(a.token.Method), a.token.Sign}
	switch {
	case part == "":
		return a.say("onenet-no-token", "password", fmt.Sprintf("%d bytes", len(a.Password)), tokenTemplate)
	case a.tokenErr.What == "stands twice":
		return a.say("onenet-part-twice", part, part+"= twice", part+"= once", part)
	case cutOff(present[:]):
		return a.cut()
	case part == "et" && a.token.Et != "":
		return a.say("onenet-et-number", "et", a.token.Et, a.aYearOn(), a.token.Et)
	case part == "method" && a.token.Method != "":
		return a.say("onenet-unknown-method", "method", string(a.token.Method), "sha1, md5 or sha256", string(a.token.Method))
	case part == "sign" && a.token.Sign != "":
		return nil // writtenSign knows more
	}
	return a.say("onenet-token-part", part, "no "+part+"=", part+"=…", part)
}

// cutOff reports whether the parts that are there are the first ones.
func cutOff(present []string) bool {
	n := 0
	for n < len(present) && present[n] != "" {
		n++
	}
	return n > 0 && n < len(present) && strings.Join(present[n:], "") == ""
}

func (a *attempt) cut() *Diagnosis {
	d := a.say("onenet-token-cut", "password", fmt.Sprintf("%d bytes", len(a.text)), "a token that ends with its whole sign", len(a.text))
	if d.RightLogin != nil {
		d.Expected = fmt.Sprintf("%d bytes", len(d.RightLogin.Password))
	}
	return d
}

func (a *attempt) aYearOn() string { return strconv.FormatInt(a.now.Add(offered).Unix(), 10) }

// firstPlausible is when expiries begin to be meant: 2015, before the platform
// existed. A smaller et comes from a clock that was never set, or is a duration.
const firstPlausible = 1420070400

// expiry judges et [onenet §10 rows 1, 9].
func expiry(a *attempt) *Diagnosis {
	et, err := a.token.Expiry()
	if err != nil || a.known.IgnoreExpiry || et > a.now.Unix() {
		return nil // what cannot be read was said already
	}
	received, expected := a.token.Et, a.aYearOn()
	when := time.Unix(et, 0).UTC().Format(time.DateTime) + " UTC"
	if et < firstPlausible {
		return a.say("onenet-clock-unset", "et", received, expected, when)
	}
	return a.say("onenet-token-expired", "et", received, expected, when)
}

// resource judges the form of res.
func resource(a *attempt) *Diagnosis {
	if a.resOK {
		return nil
	}
	res, expected := a.token.Res, DeviceRes(first(a.pid, "{product id}"), first(a.dev, "{device name}"))
	if _, _, ok := ParseRes(decode(res)); ok {
		return a.say("onenet-res-double-encoded", "res", res, encode(expected))
	}
	for _, other := range []string{"userid/", "projectid/", "mqs/", "gw/"} {
		if strings.HasPrefix(res, other) {
			return a.say("onenet-user-token", "res", res, expected, other)
		}
	}
	return a.say("onenet-res-form", "res", res, expected)
}
