package packet

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"testing"
)

func TestParseHex(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"digits", "c000", "c000"},
		{"pairs", "C0 00", "c000"},
		{"0x", "0xC0 0x00", "c000"},
		{"0X, no blanks", "0XC0,0X00", "c000"},
		{"0x before a long group", "0xc0001f", "c0001f"},
		{"one digit behind 0x", "{0xC0, 0x0}", "c000"},
		{`\x`, `\xc0\x00`, "c000"},
		{"colons", "c0:00", "c000"},
		{"dashes", "C0-00", "c000"},
		{"lines", " 10 0f\r\n\t00 04\n", "100f0004"},
		{"mixed groups of tutorial 003", "0x04 0xC0 0078 0033 0x61", "04c00078003361"},
		{"long group of tutorial 003", "0x30 0x1D 0009 2f7379732f706f7374", "301d00092f7379732f706f7374"},
		{"C array", "const uint8_t ping[2] = { 0xC0, 0x00 };", "c000"},
		{"C array with comments", "uint8_t p[] = {\n\t0x10, /* CONNECT: 12 bytes */\n\t0x0c, // length\n};", "100c"},
		{"array that is not closed", "{0xC0,0x00", "c000"},
	} {
		got, err := ParseHex(tt.in)
		if err != nil || hex.EncodeToString(got) != tt.want {
			t.Errorf("%s: %x, %v; want %s", tt.name, got, err, tt.want)
		}
	}
}

func TestParseHexRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		offset   int
	}{
		{"nothing", "", 0},
		{"only blanks", " \n", 2},
		{"a letter", "10 0g", 4},
		{"a letter behind pairs", "10 0f zz", 6},
		{"a prefix without a blank before it", "0x100x20", 5},
		{"an odd group", "10 0f0 11", 3},
		{"one digit alone", "1", 0},
		{"0x without digits", "10 0x", 5},
		{"0x before a blank", "0x 10", 2},
		{"Chinese", "10 十", 3},
		{"empty array", "x = {}", 5},
	} {
		_, err := ParseHex(tt.in)
		e, ok := errors.AsType[*HexError](err)
		if !ok || e.Offset != tt.offset || e.Error() == "" {
			t.Errorf("%s: %v, want an error at %d", tt.name, err, tt.offset)
		}
	}
}

func TestHexInJSON(t *testing.T) {
	out, err := json.Marshal(Hex{0x30, 0x92, 0x01})
	if err != nil || string(out) != `"309201"` {
		t.Errorf("%s, %v", out, err)
	}
	var back Hex
	if err := json.Unmarshal([]byte(`"zz"`), &back); err == nil {
		t.Errorf("read %x from no hex", back)
	}
}

func FuzzParseHex(f *testing.F) {
	f.Add("{0xC0, 0x00}")
	f.Add("/* 10 */ 11:22 // 33")
	f.Add(tutorialConnect)
	f.Fuzz(func(t *testing.T, s string) {
		b, err := ParseHex(s)
		if err != nil {
			if e, ok := errors.AsType[*HexError](err); !ok || e.Offset < 0 || e.Offset > len(s) {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		again, err := ParseHex(hex.EncodeToString(b))
		if len(b) == 0 || err != nil || string(again) != string(b) {
			t.Errorf("%q: %x became %x, %v", s, b, again, err)
		}
	})
}
