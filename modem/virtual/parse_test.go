package virtual

import (
	"strings"
	"testing"
	"time"
)

func TestParseFault(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Fault
		err  string
	}{
		{"dns-failure", Fault{Name: "dns-failure"}, ""},
		{"lost-bytes=0.01", Fault{Name: "lost-bytes", Value: "0.01"}, ""},
		{"dns-failure*2@1m30s", Fault{Name: "dns-failure", Times: 2, After: 90 * time.Second}, ""},
		{"reset=10s*3@5s", Fault{Name: "reset", Value: "10s", Times: 3, After: 5 * time.Second}, ""},
		{"", Fault{}, "names no fault"},
		{"x*0", Fault{}, `"0" after *`},
		{"x*many", Fault{}, `"many" after *`},
		{"x@soon", Fault{}, `"soon" after @`},
		{"x@-1s", Fault{}, `"-1s" after @`},
	} {
		got, err := ParseFault(tt.text)
		switch {
		case tt.err == "" && (err != nil || got != tt.want):
			t.Errorf("%q: %+v, %v", tt.text, got, err)
		case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
			t.Errorf("%q: %v, want %q", tt.text, err, tt.err)
		}
	}
}

func TestParseMapping(t *testing.T) {
	for _, tt := range []struct {
		text, host string
		port       int
		toHost     string
		toPort     int
	}{
		{"a.example=127.0.0.1", "a.example", 1883, "127.0.0.1", 1883},
		{"a.example=127.0.0.1:99", "A.Example", 1883, "127.0.0.1", 99},
		{"*.example=other", "b.c.example", 5, "other", 5},
		{"*.example=other", "example", 5, "example", 5},
		{"iot-?.example=[::1]:7", "iot-1.example", 5, "::1", 7},
		{"*=::1", "x", 5, "::1", 5},
	} {
		to, err := ParseMapping(tt.text)
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		m := &Module{opts: Options{Map: []Mapping{to}}}
		if h, p := m.mapped(tt.host, tt.port); h != tt.toHost || p != tt.toPort {
			t.Errorf("%q sends %s:%d to %s:%d", tt.text, tt.host, tt.port, h, p)
		}
	}
	for _, text := range []string{"", "a", "=b", "a=", "a[=b", "a=b:0", "a=b:70000", "a=b:x"} {
		if _, err := ParseMapping(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("lost-bytes=0.01*2@3s")
	f.Add("*.example=[::1]:80")
	f.Add("home=12345678")
	f.Fuzz(func(t *testing.T, text string) {
		if a, err := ParseFault(text); err == nil {
			if b, err := ParseFault(a.String()); err != nil || a != b {
				t.Errorf("%q: %+v became %+v, %v", text, a, b, err)
			}
		}
		if to, err := ParseMapping(text); err == nil {
			m := &Module{opts: Options{Map: []Mapping{to}}}
			if _, port := m.mapped("host", 1883); port < 1 || port > 65535 {
				t.Errorf("%q leads to port %d", text, port)
			}
		}
		if ap, err := ParseAccessPoint(text); err == nil && (ap.SSID == "" || len(ap.SSID) > 32) {
			t.Errorf("%q: %+v", text, ap)
		}
	})
}
