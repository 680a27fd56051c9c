package aliyun

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/matou-iot/matou/thing/loose"
)

// jsonMembers reads the members of a JSON object that are text or numbers, with
// the digits that were sent.
func jsonMembers(body []byte) ([]coapMember, error) {
	strict, _, err := loose.Strictify(body)
	if err != nil {
		return nil, err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(strict, &object); err != nil || object == nil {
		return nil, errors.New("aliyun: the login is not a JSON object")
	}
	if len(object) > maxCoAPMembers {
		return nil, errTooManyMembers
	}
	list := make([]coapMember, 0, len(object))
	for name, raw := range object {
		var text string
		switch {
		case raw[0] == '"':
			if err := json.Unmarshal(raw, &text); err != nil {
				return nil, fmt.Errorf("aliyun: member %q: %w", name, err)
			}
		case raw[0] == '{' || raw[0] == '[' || raw[0] == 'n': // nothing that could be signed
			continue
		default:
			text = string(raw)
		}
		list = append(list, coapMember{name, text})
	}
	return list, nil
}

var (
	errTooManyMembers = fmt.Errorf("aliyun: the login has more than %d members", maxCoAPMembers)
	errCBOR           = errors.New("aliyun: the login is not a CBOR map of texts")
)

// The major types of CBOR, in their place [RFC 8949 §3.1].
const (
	cborUint     = 0 << 5
	cborNegative = 1 << 5
	cborBytes    = 2 << 5
	cborText     = 3 << 5
	cborMap      = 5 << 5

	cborIndefinite = 31
	cborBreak      = 0xff
)

// cborMembers reads a CBOR map whose names are texts and whose values are texts
// or integers: all that a login has.
func cborMembers(body []byte) ([]coapMember, error) {
	r := cborReader{rest: body}
	kind, n := r.head()
	indefinite := kind == cborMap|cborIndefinite
	if kind != cborMap && !indefinite || r.bad {
		return nil, errCBOR
	}
	if n > maxCoAPMembers {
		return nil, errTooManyMembers
	}
	var list []coapMember
	for i := uint64(0); indefinite || i < n; i++ {
		if indefinite && len(r.rest) > 0 && r.rest[0] == cborBreak {
			r.rest = r.rest[1:]
			break
		}
		if len(list) == maxCoAPMembers {
			return nil, errTooManyMembers
		}
		m := coapMember{r.text(), r.value()}
		if r.bad {
			return nil, errCBOR
		}
		list = append(list, m)
	}
	if len(r.rest) > 0 {
		return nil, errCBOR
	}
	return list, nil
}

// A cborReader fails once and stays failed.
type cborReader struct {
	rest []byte
	bad  bool
}

func (r *cborReader) fail() { r.rest, r.bad = nil, true }

// head reads the type of an item, and its length or value.
func (r *cborReader) head() (kind byte, n uint64) {
	if len(r.rest) == 0 {
		r.fail()
		return 0, 0
	}
	first := r.rest[0]
	r.rest = r.rest[1:]
	kind, info := first&0xe0, first&0x1f
	switch {
	case info < 24:
		return kind, uint64(info)
	case info == cborIndefinite:
		return first, 0
	case info > 27:
		r.fail()
		return 0, 0
	}
	size := 1 << (info - 24)
	if len(r.rest) < size {
		r.fail()
		return 0, 0
	}
	for _, b := range r.rest[:size] {
		n = n<<8 | uint64(b)
	}
	r.rest = r.rest[size:]
	return kind, n
}

func (r *cborReader) text() string {
	kind, n := r.head()
	return r.string(kind, n)
}

func (r *cborReader) string(kind byte, n uint64) string {
	if kind != cborText || n > uint64(len(r.rest)) || !utf8.Valid(r.rest[:n]) {
		r.fail()
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}

func (r *cborReader) value() string {
	switch kind, n := r.head(); {
	case r.bad:
		return ""
	case kind == cborUint:
		return strconv.FormatUint(n, 10)
	case kind == cborNegative && n < math.MaxInt64:
		return strconv.FormatInt(-1-int64(n), 10)
	default:
		return r.string(kind, n)
	}
}

// appendCBORHead appends a type with a length or value in its shortest form.
func appendCBORHead(dst []byte, kind byte, n uint64) []byte {
	info, size := byte(n), 0
	switch {
	case n < 24:
	case n <= math.MaxUint8:
		info, size = 24, 1
	case n <= math.MaxUint16:
		info, size = 25, 2
	case n <= math.MaxUint32:
		info, size = 26, 4
	default:
		info, size = 27, 8
	}
	dst = append(dst, kind|info)
	for i := size - 1; i >= 0; i-- {
		dst = append(dst, byte(n>>(8*i)))
	}
	return dst
}

func appendCBORText(dst []byte, s string) []byte {
	return append(appendCBORHead(dst, cborText, uint64(len(s))), s...)
}
