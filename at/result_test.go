package at

import "testing"

func TestResult(t *testing.T) {
	for _, tt := range []struct {
		d      Dialect
		line   string
		final  bool
		ok     bool
		number int
	}{
		{Espressif, "OK", true, true, -1},
		{Espressif, "ERROR", true, false, -1},
		{Espressif, "FAIL", true, false, -1},
		{Espressif, "SEND OK", true, true, -1},
		{Espressif, "SEND Canceled", true, false, -1},
		{Espressif, "CONNECT", false, false, 0},
		{Espressif, "busy p...", false, false, 0},
		{Espressif, "NO CARRIER", false, false, 0},
		{V250, "OK", true, true, -1},
		{V250, "SEND FAIL", true, false, -1},
		{V250, "CONNECT", true, true, -1},
		{V250, "CONNECT 115200", true, true, 115200},
		{V250, "NO CARRIER", true, false, -1},
		{V250, "+CME ERROR: 10", true, false, 10},
		{V250, "+CME ERROR: SIM not inserted", true, false, -1},
		{V250, "+CMS ERROR:500", true, false, 500},
		{V250, "FAIL", false, false, 0},
		{V250, "+CREG: 0,1", false, false, 0},
		{V250, "OKAY", false, false, 0},
	} {
		r, final := tt.d.Result(tt.line)
		if final != tt.final || final && (r.OK() != tt.ok || r.Number() != tt.number) {
			t.Errorf("%s %q: %+v final %v ok %v number %d", tt.d, tt.line, r, final, r.OK(), r.Number())
		}
	}
	if r, _ := V250.Result("+CME ERROR:10"); r.String() != "+CME ERROR: 10" {
		t.Errorf("written %q", r)
	}
	if !Busy("busy p...") || !Busy("busy s...") || Busy("BUSY") {
		t.Error("busy")
	}
}
