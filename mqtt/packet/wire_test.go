package packet

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/matou-iot/matou/mqtt"
)

// wire turns test bytes into bytes: hex in pairs, text in quotes, blanks where
// they help the eye: `10 10 0004 "MQTT" 04`.
func wire(t testing.TB, s string) []byte {
	t.Helper()
	var out []byte
	for i, part := range strings.Split(s, `"`) {
		if i%2 == 1 {
			out = append(out, part...)
			continue
		}
		b, err := hex.DecodeString(strings.Join(strings.Fields(part), ""))
		if err != nil {
			t.Fatalf("test bytes %q: %v", s, err)
		}
		out = append(out, b...)
	}
	return out
}

// decodeAll decodes one packet that is all of b.
func decodeAll(b []byte, v mqtt.Version) (Packet, error) {
	h, err := ParseHeader(b)
	if err != nil {
		return nil, err
	}
	return Decode(h, b[h.Size:], v)
}

// A good row is a packet and its bytes: each must become the other.
type good struct {
	name string
	v    mqtt.Version
	wire string
	want Packet
	read bool // only read so: Append writes it otherwise
}

func testGood(t *testing.T, rows []good) {
	t.Helper()
	for _, tt := range rows {
		t.Run(tt.v.String()+" "+tt.name, func(t *testing.T) {
			b := wire(t, tt.wire)
			got, err := decodeAll(b, tt.v)
			if err != nil {
				t.Fatalf("decode: %v", err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("decoded %+v\nwant    %+v", got, tt.want)
			}
			if tt.read {
				return
			}
			out, err := tt.want.Append([]byte("before"), tt.v)
			if err != nil || !bytes.Equal(out, append([]byte("before"), b...)) {
				t.Errorf("appended %x, %v\nwant     %x", bytes.TrimPrefix(out, []byte("before")), err, b)
			}
		})
	}
}

// A bad row is a packet that is refused, and with which clause and reason.
type bad struct {
	name   string
	v      mqtt.Version
	wire   string
	clause string
	reason mqtt.ReasonCode
}

func testBad(t *testing.T, rows []bad) {
	t.Helper()
	for _, tt := range rows {
		t.Run(tt.v.String()+" "+tt.name+" ["+tt.clause+"]", func(t *testing.T) {
			got, err := decodeAll(wire(t, tt.wire), tt.v)
			wantError(t, err, tt.clause, tt.reason)
			if got != nil {
				t.Errorf("a packet came with the error: %+v", got)
			}
		})
	}
}

func wantError(t *testing.T, err error, clause string, reason mqtt.ReasonCode) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("error is %v, want an *Error of %s", err, clause)
	}
	if e.Clause != clause || !errors.Is(err, reason) {
		t.Errorf("refused with %v, reason %v; want %s, %v", err, e.Reason, clause, reason)
	}
}

// An unsayable row is a packet that Append refuses.
type unsayable struct {
	name   string
	v      mqtt.Version
	p      Packet
	clause string
}

func testUnsayable(t *testing.T, rows []unsayable) {
	t.Helper()
	for _, tt := range rows {
		t.Run(tt.v.String()+" "+tt.name+" ["+tt.clause+"]", func(t *testing.T) {
			out, err := tt.p.Append([]byte("before"), tt.v)
			wantError(t, err, tt.clause, mqtt.ImplementationSpecificError)
			if string(out) != "before" {
				t.Errorf("left %q behind", out)
			}
		})
	}
}

var long = strings.Repeat("x", maxString+1)
