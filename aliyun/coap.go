package aliyun

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The options that the vendor adds to CoAP [aliyun-device §7.2].
const (
	CoAPToken     = 2088 // the token of /auth, as it is
	CoAPSequence  = 2089 // the sequence number, encrypted decimal digits
	CoAPMessageID = 2090 // in an answer: the platform's id of the message
)

// The media types of a login over CoAP.
const (
	CoAPJSON = 50
	CoAPCBOR = 60
)

// A CoAPAuth is the body of POST /auth over CoAP [aliyun-device §7.2, §7.3].
type CoAPAuth struct {
	Auth
	Seq     string // "" over DTLS
	AckMode string // "1" asks for answers apart from acknowledgements

	members []coapMember // all that were sent, by name
}

type coapMember struct{ name, value string }

// unsigned are the members that no signature covers [aliyun-device §7.2].
var unsigned = []string{"version", "sign", "resources", "signmethod", "signMethod"}

// maxCoAPMembers is how many members a login may have.
const maxCoAPMembers = 16

// ParseCoAPAuth reads a login in JSON, or in CBOR where cbor is true, as
// loosely as devices write it.
func ParseCoAPAuth(body []byte, cbor bool) (a CoAPAuth, err error) {
	if len(body) > maxAuth {
		return a, fmt.Errorf("aliyun: a login of %d bytes is longer than %d", len(body), maxAuth)
	}
	read := jsonMembers
	if cbor {
		read = cborMembers
	}
	if a.members, err = read(body); err != nil {
		return CoAPAuth{}, err
	}
	slices.SortStableFunc(a.members, func(x, y coapMember) int { return strings.Compare(x.name, y.name) })
	for i, m := range a.members {
		if i > 0 && a.members[i-1].name == m.name {
			return CoAPAuth{}, fmt.Errorf("aliyun: the login names %q twice", m.name)
		}
		switch m.name {
		case "productKey":
			a.ProductKey = m.value
		case "deviceName":
			a.DeviceName = m.value
		case "clientId":
			a.ClientID = m.value
		case "signmethod", "signMethod":
			a.SignMethod = m.value
		case "sign":
			a.Sign = m.value
		case "timestamp":
			a.Timestamp = m.value
		case "seq":
			a.Seq = m.value
		case "ackMode":
			a.AckMode = m.value
		}
	}
	return a, nil
}

// Texts are what may be signed, the likeliest first: names and values of all
// members that were sent, but for those that never are, in alphabetical order.
// Whether ackMode is among them the vendor does not say.
func (a *CoAPAuth) Texts() []string {
	texts := []string{a.text("ackMode")}
	if with := a.text(""); with != texts[0] {
		texts = append(texts, with)
	}
	return texts
}

func (a *CoAPAuth) text(without string) string {
	var b strings.Builder
	for _, m := range a.members {
		if m.name != without && !slices.Contains(unsigned, m.name) {
			b.WriteString(m.name + m.value)
		}
	}
	return b.String()
}

// Separate reports whether the device wants answers apart from
// acknowledgements.
func (a *CoAPAuth) Separate() bool { return a.AckMode == "1" }

// Verify reports whether the login is signed with the DeviceSecret.
func (a *CoAPAuth) Verify(deviceSecret string) bool {
	m, err := ParseMethod(a.SignMethod)
	return err == nil && deviceSecret != "" && slices.ContainsFunc(a.Texts(), func(text string) bool {
		return sameHex([]byte(a.Sign), Sign(m, deviceSecret, text))
	})
}

// CoAPSession is what a device is told that has logged in over plain UDP.
type CoAPSession struct {
	Token     string
	Random    string // goes into the key
	SeqOffset uint64 // the least sequence number
}

// AppendCoAPSession appends the answer to POST /auth over plain UDP, in JSON or
// in CBOR.
func AppendCoAPSession(dst []byte, s CoAPSession, cbor bool) []byte {
	if cbor {
		dst = append(dst, cborMap|3)
		dst = appendCBORText(appendCBORText(dst, "random"), s.Random)
		dst = appendCBORHead(appendCBORText(dst, "seqOffset"), cborUint, s.SeqOffset)
		return appendCBORText(appendCBORText(dst, "token"), s.Token)
	}
	dst = append(dst, `{"random":`...)
	dst = strconv.AppendQuote(dst, s.Random)
	dst = append(dst, `,"seqOffset":`...)
	dst = strconv.AppendUint(dst, s.SeqOffset, 10)
	return append(appendMember(dst, "token", s.Token), '}')
}

// AppendCoAPToken appends the answer to POST /auth over DTLS.
func AppendCoAPToken(dst []byte, token string, cbor bool) []byte {
	if cbor {
		return appendCBORText(appendCBORText(append(dst, cborMap|1), "token"), token)
	}
	dst = append(dst, `{"token":`...)
	dst = strconv.AppendQuote(dst, token)
	return append(dst, '}')
}

// A CoAPKey encrypts what a session says over plain UDP: AES-128-CBC with an
// initialization vector that is always the same [aliyun-device §7.2].
type CoAPKey [16]byte

// coapVector is the initialization vector of every message.
const coapVector = "543yhjy97ae7fyfg"

// NewCoAPKey derives the key of a session.
func NewCoAPKey(deviceSecret, random string) (k CoAPKey) {
	sum := sha256.Sum256([]byte(deviceSecret + "," + random))
	copy(k[:], sum[8:24])
	return k
}

func (k *CoAPKey) block() cipher.Block {
	b, err := aes.NewCipher(k[:])
	if err != nil {
		panic(err) // the key has a right length
	}
	return b
}

// Append appends plain encrypted: padding is always added.
func (k *CoAPKey) Append(dst, plain []byte) []byte {
	at, pad := len(dst), aes.BlockSize-len(plain)%aes.BlockSize
	dst = append(dst, plain...)
	for range pad {
		dst = append(dst, byte(pad))
	}
	cipher.NewCBCEncrypter(k.block(), []byte(coapVector)).CryptBlocks(dst[at:], dst[at:])
	return dst
}

// errCoAPCipher says no more than that it did not work: what exactly the
// padding was is of use only to who does not know the key.
var errCoAPCipher = errors.New("aliyun: these bytes are not encrypted with the session's key")

// Decrypt returns what was encrypted.
func (k *CoAPKey) Decrypt(sent []byte) ([]byte, error) {
	if len(sent) == 0 || len(sent)%aes.BlockSize != 0 {
		return nil, errCoAPCipher
	}
	plain := make([]byte, len(sent))
	cipher.NewCBCDecrypter(k.block(), []byte(coapVector)).CryptBlocks(plain, sent)
	pad := int(plain[len(plain)-1])
	if pad == 0 || pad > aes.BlockSize {
		return nil, errCoAPCipher
	}
	for _, b := range plain[len(plain)-pad:] {
		if int(b) != pad {
			return nil, errCoAPCipher
		}
	}
	return plain[:len(plain)-pad], nil
}

// Sequence reads an encrypted sequence number.
func (k *CoAPKey) Sequence(sent []byte) (uint64, error) {
	plain, err := k.Decrypt(sent)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.Trim(string(plain), " \x00\r\n"), 10, 63)
	if err != nil {
		return 0, errCoAPCipher
	}
	return n, nil
}

// A PSKIdentity is who a device says it is in a handshake with a pre-shared key
// [aliyun-device §1.5, §7.3].
type PSKIdentity struct {
	ProductKey string
	DeviceName string
	Method     Method
	Timestamp  string
}

// maxPSKIdentity is the longest identity that is read, in bytes.
const maxPSKIdentity = 256

// ParsePSKIdentity reads devicename|signmethod|productKey&deviceName|timestamp.
func ParsePSKIdentity(identity string) (p PSKIdentity, err error) {
	fail := func(why string) (PSKIdentity, error) {
		return p, errors.New("aliyun: the PSK identity " + why + ": write devicename|hmacsha256|productKey&deviceName|timestamp")
	}
	if len(identity) > maxPSKIdentity {
		return fail("is too long")
	}
	parts := strings.Split(strings.TrimRight(identity, "\x00"), "|")
	if len(parts) != 3 && len(parts) != 4 {
		return fail("has not four parts")
	}
	if !strings.EqualFold(parts[0], "devicename") {
		return fail("does not begin with devicename")
	}
	if p.Method, err = ParseMethod(parts[1]); err != nil {
		return p, err
	}
	pk, dn, ok := strings.Cut(parts[2], "&")
	if !ok || pk == "" || dn == "" {
		return fail("does not name productKey&deviceName")
	}
	p.ProductKey, p.DeviceName = pk, dn
	if len(parts) == 4 {
		p.Timestamp = parts[3]
	}
	return p, nil
}

// String writes the identity.
func (p PSKIdentity) String() string {
	return "devicename|" + string(p.Method) + "|" + p.ProductKey + "&" + p.DeviceName + "|" + p.Timestamp
}

// Keys are the pre-shared keys that the device may have made of its secret, the
// likeliest first. A handshake shows of only one of them whether it is right.
// SDKs sign with names between the values and take the digits themselves for
// the key [aliyun-device §1.5]; some TLS stacks decode them, and the page about
// CoAP has the values alone.
func (p PSKIdentity) Keys(deviceSecret string) [][]byte {
	names := p.ProductKey + "&" + p.DeviceName
	var keys [][]byte
	for _, text := range []string{"id" + names + "timestamp" + p.Timestamp, names + p.Timestamp} {
		sign := Sign(p.Method, deviceSecret, text)
		keys = append(keys, []byte(strings.ToUpper(sign)), mac(p.Method, deviceSecret, text), []byte(sign))
	}
	return keys
}
