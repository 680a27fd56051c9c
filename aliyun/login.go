package aliyun

import (
	"crypto/subtle"
	"fmt"
	"strings"

	"github.com/matou-iot/matou/mqtt"
)

// A ClientID is the MQTT client identifier taken apart [aliyun-device §2.2].
type ClientID struct {
	Base       string            // up to the first bar: what is signed
	Extended   bool              // there was a bar
	Closed     bool              // the last byte is a bar
	Parameters map[string]string // names in lower case
}

// maxParameters bounds the extension list.
const maxParameters = 64

// ParseClientID takes a client identifier apart. It fails only where the list
// of parameters is absurdly long; what is missing is for the caller to judge.
func ParseClientID(s string) (ClientID, error) {
	base, ext, extended := strings.Cut(s, "|")
	id := ClientID{Base: base, Extended: extended, Closed: extended && strings.HasSuffix(s, "|") && ext != "", Parameters: map[string]string{}}
	ext = strings.TrimSuffix(ext, "|")
	if strings.Count(ext, ",") >= maxParameters {
		return id, fmt.Errorf("aliyun: the client identifier has more than %d parameters", maxParameters)
	}
	for pair := range strings.SplitSeq(ext, ",") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			id.Parameters[strings.ToLower(strings.TrimSpace(name))] = value
		}
	}
	return id, nil
}

// Timestamp is the announced timestamp, "" for none.
func (c ClientID) Timestamp() string { return strings.TrimSpace(c.Parameters["timestamp"]) }

// Method is the announced sign method; an unknown one is an error.
func (c ClientID) Method() (Method, error) {
	return ParseMethod(strings.TrimSpace(c.Parameters["signmethod"]))
}

// SecureMode is the announced securemode, "" for none.
func (c ClientID) SecureMode() string { return strings.TrimSpace(c.Parameters["securemode"]) }

// ParseUsername splits deviceName&productKey at the last ampersand.
func ParseUsername(s string) (productKey, deviceName string, err error) {
	i := strings.LastIndexByte(s, '&')
	if i <= 0 || i == len(s)-1 {
		return "", "", fmt.Errorf("aliyun: the user name %q is not deviceName&productKey", s)
	}
	return s[i+1:], s[:i], nil
}

// Sent is what a device said in its CONNECT.
type Sent struct {
	ClientID   string
	Username   string
	Password   []byte
	KeepAlive  uint16 // seconds
	TLS        bool
	Version    mqtt.Version
	TakenApart *ClientID // in place of ClientID, of a login that is no CONNECT
	Texts      []string  // what may be signed where that is not what a CONNECT signs, the right one first
}

// texts are what the device may have signed, the right one first.
func (s *Sent) texts(base, pk, dn, ts string) []string {
	if len(s.Texts) > 0 {
		return s.Texts
	}
	return contents(base, pk, dn, ts)
}

// identifier is the client id taken apart.
func (s *Sent) identifier() (ClientID, error) {
	if s.TakenApart != nil {
		return *s.TakenApart, nil
	}
	return ParseClientID(s.ClientID)
}

// A Match says which text the password signs.
type Match struct {
	Method  Method
	Content string
}

// Verify reports whether the password is a right signature with secret, over
// exactly the parameters that were sent or, as the real platform tolerates,
// fewer [aliyun-device §2.2].
func Verify(s Sent, deviceSecret string) (Match, bool) {
	if deviceSecret == "" {
		return Match{}, false
	}
	id, err := s.identifier()
	if err != nil {
		return Match{}, false
	}
	m, err := id.Method()
	if err != nil {
		return Match{}, false
	}
	pk, dn, err := ParseUsername(s.Username)
	if err != nil {
		return Match{}, false
	}
	for _, content := range s.texts(id.Base, pk, dn, id.Timestamp()) {
		if sameHex(s.Password, Sign(m, deviceSecret, content)) {
			return Match{m, content}, true
		}
	}
	return Match{}, false
}

// contents are the texts a device may have signed, the fullest first.
func contents(base, pk, dn, ts string) []string {
	c := make([]string, 0, 4)
	if ts != "" {
		c = append(c, Content(base, pk, dn, ts))
	}
	c = append(c, Content(base, pk, dn, ""))
	if ts != "" {
		c = append(c, Content("", pk, dn, ts))
	}
	return append(c, Content("", pk, dn, ""))
}

// sameHex compares a password with a lower-case signature, whatever its case,
// in constant time.
func sameHex(sent []byte, want string) bool {
	if len(sent) != len(want) {
		return false
	}
	lower := make([]byte, len(sent))
	for i, c := range sent {
		if c >= 'A' && c <= 'F' {
			c |= 0x20
		}
		lower[i] = c
	}
	return subtle.ConstantTimeCompare(lower, []byte(want)) == 1
}
