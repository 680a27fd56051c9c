// Package onenet is China Mobile OneNET's device protocol without a socket:
// tokens, verifying logins and naming what is wrong with them, topics, OneJSON
// messages, and the platform's thing models.
//
// Sources are cited as [onenet §n]: the project's reference of the platform,
// whose facts carry their confidence.
package onenet

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"

	"github.com/matou-iot/matou/internal/wording"
)

// A Method is the hash of a token's HMAC. The text is signed as it was
// received; only the choice of the hash ignores upper and lower case
// [onenet §2.3].
type Method string

// The methods.
const (
	MD5    Method = "md5"
	SHA1   Method = "sha1"
	SHA256 Method = "sha256"
)

// Methods returns all methods, the usual one first: it is the one of the
// platform's own example, and its tokens fit the 128-byte buffers of modules.
func Methods() []Method { return []Method{SHA1, SHA256, MD5} }

// ParseMethod reads a method in any letter case and returns its usual text.
func ParseMethod(s string) (Method, error) {
	m := Method(strings.ToLower(s))
	if m.hash() == nil {
		return "", wording.Errorf("onenet: method %q is none of md5, sha1, sha256", s)
	}
	return m, nil
}

// hash chooses the hash; nil for an unknown method.
func (m Method) hash() func() hash.Hash {
	switch strings.ToLower(string(m)) {
	case "md5":
		return md5.New
	case "sha1":
		return sha1.New
	case "sha256":
		return sha256.New
	}
	return nil
}

// size is the length of a signature in bytes, 0 for an unknown method.
func (m Method) size() int {
	if h := m.hash(); h != nil {
		return h().Size()
	}
	return 0
}

// The versions of tokens. The platform signs the text and looks no further, so
// any value that verifies is accepted [onenet §2.1].
const (
	DeviceVersion = "2018-10-31" // devices
	StudioVersion = "2020-05-29" // HTTP API of OneNET Studio
	UserVersion   = "2022-05-01" // HTTP API with the key of a user
)

// A Token is the MQTT password and the HTTP authorization value [onenet §2.1].
// Its texts are without URL encoding.
type Token struct {
	Version string
	Res     string // resource path: products/{pid}/devices/{name}
	Et      string // expiry, Unix seconds, as received: the text is signed
	Method  Method // as received
	Sign    string // Base64 of the HMAC
	Quirks  Quirks // what ParseToken had to overlook
}

// Quirks are deviations from the documented form that are tolerated.
type Quirks uint8

// The quirks [onenet §2.3].
const (
	TrailingBytes Quirks = 1 << iota // CR, LF, NUL or a blank behind the token
	PlainRes                         // res is not URL-encoded
	PlainSign                        // sign is not URL-encoded
)

// The bounds of a token. Real ones have 80 to 200 bytes.
const (
	maxTokenBytes = 2048
	maxTokenParts = 16
)

// A TokenError says which part of a token cannot be read. It never holds the
// token.
type TokenError struct {
	Part string // "version", "res", "et", "method", "sign"; "" for the whole
	What string
}

func (e *TokenError) Error() string {
	if e.Part == "" {
		return "onenet: the token " + e.What
	}
	return "onenet: the token's " + e.Part + " " + e.What
}

// StringForSignature is the text that is signed: the values in alphabetical
// order of their names, a line feed between, res without URL encoding
// [onenet §2.2].
func StringForSignature(et string, m Method, res, version string) string {
	return et + "\n" + string(m) + "\n" + res + "\n" + version
}

// StringForSignature is the text that this token's signature is made of.
func (t Token) StringForSignature() string {
	return StringForSignature(t.Et, t.Method, t.Res, t.Version)
}

// Signed returns the token with its signature by key, which is decoded.
// An unknown method is an error.
func (t Token) Signed(key []byte) (Token, error) {
	if _, err := ParseMethod(string(t.Method)); err != nil {
		return t, err
	}
	t.Sign = base64.StdEncoding.EncodeToString(Sign(t.Method, key, t.StringForSignature()))
	return t, nil
}

// Sign is the HMAC of text by a decoded key; nil for an unknown method.
func Sign(m Method, key []byte, text string) []byte {
	h := m.hash()
	if h == nil {
		return nil
	}
	mac := hmac.New(h, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// String is the token as it is sent, in the documented order and encoding.
func (t Token) String() string {
	return "version=" + encode(t.Version) + "&res=" + encode(t.Res) + "&et=" + encode(t.Et) +
		"&method=" + encode(string(t.Method)) + "&sign=" + encode(t.Sign)
}

// encode escapes exactly the characters that the platform names [onenet §2.2].
func encode(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; c {
		case '+', ' ', '/', '?', '%', '#', '&', '=':
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// decode undoes valid percent escapes and leaves everything else as it is; a
// plus stays a plus [onenet §2.3].
func decode(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b = append(b, byte(n))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

// ParseToken reads a token with every tolerance of [onenet §2.3]: parts in any
// order, values with or without URL encoding, control bytes behind the end.
// The error is a *TokenError; the token is then filled as far as it could be
// read.
func ParseToken(password []byte) (Token, error) {
	var t Token
	if len(password) > maxTokenBytes {
		return t, &TokenError{"", fmt.Sprintf("has more than %d bytes", maxTokenBytes)}
	}
	text := strings.TrimRightFunc(string(password), func(r rune) bool { return r <= ' ' })
	if len(text) < len(password) {
		t.Quirks |= TrailingBytes
	}
	if text == "" {
		return t, &TokenError{"", "is empty"}
	}
	if strings.Count(text, "&") >= maxTokenParts {
		return t, &TokenError{"", fmt.Sprintf("has more than %d parts", maxTokenParts)}
	}
	seen, err := t.readParts(text)
	if err != nil {
		return t, err
	}
	return t, t.check(seen)
}

// readParts fills in what stands between the ampersands and returns which
// parts did.
func (t *Token) readParts(text string) (seen map[string]bool, err error) {
	seen = make(map[string]bool, len(partNames))
	for pair := range strings.SplitSeq(text, "&") {
		name, raw, ok := strings.Cut(pair, "=")
		if !ok {
			continue
		}
		value := decode(raw)
		switch name {
		case "version":
			t.Version = value
		case "res":
			t.Res = value
			if strings.Contains(raw, "/") {
				t.Quirks |= PlainRes
			}
		case "et":
			t.Et = value
		case "method":
			t.Method = Method(value)
		case "sign":
			t.Sign = value
			if strings.ContainsAny(raw, "+/=") {
				t.Quirks |= PlainSign
			}
		default:
			continue
		}
		if seen[name] {
			return seen, &TokenError{name, "stands twice"}
		}
		seen[name] = true
	}
	return seen, nil
}

// partNames are a token's parts in the documented order.
var partNames = [...]string{"version", "res", "et", "method", "sign"}

func (t *Token) check(seen map[string]bool) error {
	values := [...]string{t.Version, t.Res, t.Et, string(t.Method), t.Sign}
	for i, name := range partNames {
		switch {
		case !seen[name]:
			return &TokenError{name, "is missing"}
		case values[i] == "":
			return &TokenError{name, "is empty"}
		}
	}
	if _, err := t.Expiry(); err != nil {
		return err
	}
	if t.Method.hash() == nil {
		return &TokenError{"method", "is none of md5, sha1, sha256"}
	}
	if _, err := decodeSign(t.Sign); err != nil {
		return &TokenError{"sign", "is not Base64"}
	}
	return nil
}

// decodeSign decodes a signature; missing padding is tolerated.
func decodeSign(sign string) ([]byte, error) {
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(sign, "="))
}

// Expiry is et as a number. Clients that write milliseconds get one that never
// expires, as on the platform [onenet §2.3]. The error is a *TokenError.
func (t Token) Expiry() (unixSeconds int64, err error) {
	if t.Et == "" || strings.Trim(t.Et, "0123456789") != "" {
		return 0, &TokenError{"et", "is not a whole number"}
	}
	n, err := strconv.ParseInt(t.Et, 10, 64)
	if err != nil {
		return 0, &TokenError{"et", "has too many digits"}
	}
	return n, nil
}

// ErrKey is what a text is not: Base64 of a key.
var ErrKey = errors.New("onenet: a key is Base64 text, usually 44 characters")

// The bounds of a decoded key in bytes. Device and product keys have 32, those
// of users 48 or 64 [onenet §2.1].
const (
	minKeyBytes = 8
	maxKeyBytes = 256
)

// DecodeKey decodes a key. Missing padding is tolerated, so are blanks and line
// ends around it. The error is ErrKey; it never holds the key.
func DecodeKey(s string) ([]byte, error) {
	s = strings.TrimRight(strings.TrimSpace(s), "=")
	if len(s) > base64.RawStdEncoding.EncodedLen(maxKeyBytes) || strings.ContainsAny(s, "\r\n") {
		return nil, ErrKey
	}
	key, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil || len(key) < minKeyBytes {
		return nil, ErrKey
	}
	return key, nil
}
