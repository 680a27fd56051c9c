package registry

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/matou-iot/matou/internal/fault"
)

// The dialects that a product can speak.
var dialects = []string{"aliyun", "onenet", "mqtt"}

// The bounds of names and secrets.
const (
	maxKey       = 64
	maxName      = 64
	maxNickname  = 256
	maxDesc      = 1000 // characters
	maxSecret    = 256
	maxTags      = 100
	maxTagBytes  = 256
	strictLeast  = 4  // characters of an Aliyun device name [aliyun-device §0.3]
	strictMost   = 32 // likewise
	aliyunNames  = "-_@.:"
	onenetNames  = "-_"
	generatedKey = 9
)

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// random returns n random letters and digits.
func random(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	for i := range b {
		b[i] = alphanumeric[int(b[i])%len(alphanumeric)]
	}
	return string(b)
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// newProductKey is in the form of the vendor.
func newProductKey(dialect string) string {
	if dialect == "onenet" {
		return random(10)
	}
	return "a1" + random(generatedKey)
}

func newProductSecret(dialect string) string {
	if dialect == "onenet" {
		return base64.StdEncoding.EncodeToString(randomBytes(32))
	}
	return random(16)
}

func newDeviceSecret(dialect string) string {
	if dialect == "onenet" {
		return base64.StdEncoding.EncodeToString(randomBytes(32))
	}
	return hex.EncodeToString(randomBytes(16))
}

func only(s, extra string) bool {
	for _, c := range []byte(s) {
		if strings.IndexByte(alphanumeric, c) < 0 && strings.IndexByte(extra, c) < 0 {
			return false
		}
	}
	return true
}

// unseen is the first character of a text of one line that is none to be seen:
// a line end or another control, or one that turns the direction of what
// follows, so that a name could look like another one's. 0 for none.
func unseen(text string) rune {
	for _, r := range text {
		if unicode.IsControl(r) || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == utf8.RuneError {
			return r
		}
	}
	return 0
}

func checkProduct(p *Product) error {
	known := false
	for _, d := range dialects {
		known = known || d == p.Dialect
	}
	switch {
	case !known:
		return fault.In("dialect", fault.Invalid("dialect %q is not known: use one of %s", p.Dialect, strings.Join(dialects, ", ")))
	case len(p.Key) > maxKey || !only(p.Key, "-_."):
		return fault.In("key", fault.Invalid("product key %q: use at most %d letters, digits, and - _ .", p.Key, maxKey))
	case len(p.Name) > maxNickname:
		return fault.In("name", fault.Invalid("the name is longer than %d bytes", maxNickname))
	case unseen(p.Name) != 0:
		return fault.In("name", fault.Invalid("the name has a character that is not seen, %U: take it out", unseen(p.Name)))
	case utf8.RuneCountInString(p.Desc) > maxDesc:
		return fault.In("desc", fault.Invalid("the description is longer than %d characters", maxDesc))
	case p.Registration.MaxDevices < 0:
		return fault.In("registration.maxDevices", fault.Invalid("a number of devices is not below 0"))
	case p.Registration.Enabled && p.Dialect != "aliyun":
		return fault.In("registration", fault.Invalid("only devices of aliyun products register by themselves"))
	case p.DataModel > Streams:
		return fault.In("dataModel", fault.Invalid("data model is one of %s", strings.Join(dataModelWords, ", ")))
	case p.DataModel == Streams && p.Dialect != "onenet":
		return fault.In("dataModel", fault.Invalid("only products of the dialect onenet have data streams; products of %s have a thing model", p.Dialect))
	case p.NodeType > GatewayNode:
		return fault.In("nodeType", fault.Invalid("node type is one of %s", strings.Join(nodeTypeWords, ", ")))
	case p.Strictness > Open:
		return fault.In("strictness", fault.Invalid("strictness is one of %s", strings.Join(strictnessWords, ", ")))
	}
	return checkSecret(p.Dialect, p.Secret)
}

func checkSecret(dialect, secret string) error {
	if len(secret) > maxSecret {
		return fault.In("secret", fault.Invalid("the secret is longer than %d bytes", maxSecret))
	}
	if dialect == "onenet" {
		if _, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(secret, "=")); err != nil {
			return fault.In("secret", fault.Invalid("a OneNET key is Base64: copy it as the platform shows it"))
		}
	}
	if strings.TrimSpace(secret) != secret {
		return fault.In("secret", fault.Invalid("the secret has blanks or line ends around it"))
	}
	return nil
}

func checkDevice(p *Product, d *Device) error {
	extra := aliyunNames
	if p.Dialect == "onenet" {
		extra = onenetNames
	}
	switch {
	case d.Name == "" || len(d.Name) > maxName || !only(d.Name, extra):
		return fault.In("name", fault.Invalid("device name %q: use 1 to %d letters, digits, and %s", d.Name, maxName, strings.Join(strings.Split(extra, ""), " ")))
	case p.Dialect == "aliyun" && p.Strictness == Strict && (len(d.Name) < strictLeast || len(d.Name) > strictMost):
		return fault.In("name", fault.Invalid("device name %q: Alibaba Cloud wants %d to %d characters", d.Name, strictLeast, strictMost))
	case len(d.Nickname) > maxNickname:
		return fault.In("nickname", fault.Invalid("the nickname is longer than %d bytes", maxNickname))
	case unseen(d.Nickname) != 0:
		return fault.In("nickname", fault.Invalid("the nickname has a character that is not seen, %U: take it out", unseen(d.Nickname)))
	case len(d.Batch) > maxKey || !only(d.Batch, "-_."):
		return fault.In("batch", fault.Invalid("batch %q: use at most %d letters, digits, and - _ .", d.Batch, maxKey))
	case d.Certificate != "" && !isFingerprint(d.Certificate):
		return fault.In("certificate", fault.Invalid("the fingerprint of a certificate is its SHA-256 in 64 hexadecimal digits"))
	}
	for field, tags := range map[string]map[string]string{"tags": d.Tags, "systemTags": d.SystemTags} {
		if err := checkTags(tags); err != nil {
			return fault.In(field, err)
		}
	}
	return checkSecret(p.Dialect, d.Secret)
}

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return fault.Invalid("%d tags are more than %d", len(tags), maxTags)
	}
	for k, v := range tags {
		if k == "" || len(k) > maxTagBytes || len(v) > maxTagBytes || strings.ContainsAny(k, "= ") {
			return fault.Invalid("tag %q: a name has no blanks and no =, name and value at most %d bytes", k, maxTagBytes)
		}
	}
	return nil
}
