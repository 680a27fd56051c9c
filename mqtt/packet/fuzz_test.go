package packet

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/matou-iot/matou/mqtt"
)

var versions = []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5}

// FuzzDecode reads any bytes as any packet of any version. Refusing is always
// allowed; what is accepted must be writable, and reading that again must give
// the same packet. A clone must outlive its bytes.
func FuzzDecode(f *testing.F) {
	for _, s := range fuzzSeeds {
		b := wire(f, s)
		for _, v := range versions {
			f.Add(b[0], b[1:], byte(v))
		}
	}
	f.Fuzz(func(t *testing.T, first byte, body []byte, level byte) {
		v := versions[int(level)%len(versions)]
		whole := append(appendVarint([]byte{first}, len(body)), body...)
		p, err := decodeAll(whole, v)
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok || p != nil {
				t.Fatalf("%x: packet %v with error %#v", whole, p, err)
			}
			return
		}
		if c, ok := p.(*Connect); ok {
			v = c.Version
		}
		copied := Clone(p)
		out, err := p.Append(nil, v)
		if err != nil {
			t.Fatalf("%x: %+v cannot be said: %v", whole, p, err)
		}
		if len(out) > len(whole) {
			t.Errorf("%x: grew to %x", whole, out)
		}
		again, err := decodeAll(bytes.Clone(out), v)
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%x: %+v became %+v, %v", whole, p, again, err)
		}
		clear(whole)
		if !reflect.DeepEqual(copied, again) {
			t.Errorf("the clone changed with its bytes: %+v, was %+v", copied, again)
		}
	})
}

// FuzzHeader holds ParseHeader to its word: it never reads past the header,
// needs every byte of it, and reports what it read.
func FuzzHeader(f *testing.F) {
	f.Add([]byte{0x30, 0x92, 0x01, 0x00})
	f.Add([]byte{0x10, 0xFF, 0xFF, 0xFF, 0x7F})
	f.Add([]byte{0x82, 0x80, 0x80, 0x80, 0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseHeader(b)
		if err != nil {
			if h != (Header{}) {
				t.Errorf("%x: %+v with error %v", b, h, err)
			}
			return
		}
		if h.Size < 2 || h.Size > MaxHeaderSize || h.Size > len(b) || h.Remaining < 0 || h.Remaining > MaxRemainingLength {
			t.Fatalf("%x: %+v", b, h)
		}
		if h.Type != Type(b[0]>>4) || h.Flags != b[0]&0x0F {
			t.Errorf("%x: first byte read as %+v", b, h)
		}
		for n := range h.Size {
			if _, err := ParseHeader(b[:n]); err != ErrIncomplete {
				t.Errorf("%x: %d bytes of %d give %v", b, n, h.Size, err)
			}
		}
		again, err := ParseHeader(appendHeader(nil, h.Type, h.Flags, h.Remaining))
		if h.Size = again.Size; err != nil || again != h {
			t.Errorf("%x: %+v became %+v, %v", b, h, again, err)
		}
	})
}

// fuzzSeeds are packets without their remaining length.
var fuzzSeeds = []string{
	`10 0004"MQTT" 04 C2 003C 0001"a" 0001"u" 0001"p"`,
	`10 0004"MQTT" 04 EE 003C 0001"a" 0003"w/t" 0002"by" 0001"u" 0001"p"`,
	`10 0006"MQIsdp" 03 02 003C 0001"a"`,
	`10 0004"MQTT" 05 C6 003C 05 1100000E10 0001"a" 05 18 0000000A 0001"w" 0000 0001"u" 0001"p"`,
	`20 01 00`,
	`20 01 00 08 21 0014 22 000A 24 01`,
	`30 0003"a/b"`,
	`32 0003"a/b" 0007 "hi"`,
	`3D 0003"a/b" 0007 00 "hi"`,
	`32 0003"a/b" 0007 0F 01 01 02 00000E10 0B 05 0B 8001 23 0003 "hi!!!"`,
	`30 0000 08 23 0003 09 0002 0102 "hi"`,
	`40 0007`, `40 0007 10`, `50 0007 10 00`,
	`62 0007`, `70 0007 92 07 1F 0004"gone"`,
	`82 000A 0006"a/+/b#" 01`,
	`82 000A 02 0B 05 0006"a/+/b#" 29`,
	`90 0007 00 01 80`, `90 0007 00 01 80`,
	`A2 0007 0001"a" 0003"b/#"`,
	`A2 0007 00 0001"a" 0003"b/#"`,
	`B0 0007`, `B0 0007 00 00 11`,
	`C0`, `D0`, `E0`, `E0 04`,
	`E0 8B 0C 26 0001"k" 0002"vv" 1C 0001"s"`,
	`F0 18 0C 15 0003"SCR" 16 0003 010203`,
}

// TestFuzzSeedsAreAccepted keeps the seeds worth mutating.
func TestFuzzSeedsAreAccepted(t *testing.T) {
	for _, s := range fuzzSeeds {
		b := wire(t, s)
		b = append(appendVarint(b[:1:1], len(b)-1), b[1:]...)
		accepted := false
		var last error
		for _, v := range versions {
			_, err := decodeAll(b, v)
			accepted = accepted || err == nil
			last = errors.Join(last, err)
		}
		if !accepted {
			t.Errorf("%s: %v", s, last)
		}
	}
}
