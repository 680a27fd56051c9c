package httpapi

import (
	"bytes"
	"testing"

	"github.com/matou-iot/matou/thing"
)

// TestCells: no text of a device becomes a formula in a spreadsheet, and a
// negative number stays one.
func TestCells(t *testing.T) {
	for _, tt := range []struct {
		value thing.Value
		want  string
	}{
		{thing.FloatValue(-2.5), "-2.5"},
		{thing.IntValue(7), "7"},
		{thing.BoolValue(true), "true"},
		{thing.TextValue("=HYPERLINK(1)"), "'=HYPERLINK(1)"},
		{thing.TextValue("on, off"), "on, off"},
		{thing.ObjectValue(`{"R":1}`), `{"R":1}`},
	} {
		if got := cell(tt.value); got != tt.want {
			t.Errorf("%v became %q, not %q", tt.value, got, tt.want)
		}
	}
}

// FuzzReadCSV: a table has no more devices than lines, and what a spreadsheet
// is kept from taking for a formula comes back as it was.
func FuzzReadCSV(f *testing.F) {
	f.Add([]byte("\xEF\xBB\xBFname,secret,nickname\nlamp01,s,\"'=SUM(A1)\"\n"), "=1")
	f.Add([]byte("NAME , nickname\r\n a,\"b\"\"\nc\"\r\n"), "'=1")
	f.Add([]byte("name,name\na,b\nc\n"), "'")
	f.Fuzz(func(t *testing.T, table []byte, text string) {
		all, err := readCSV(table)
		if err == nil && len(all) > bytes.Count(table, []byte("\n"))+bytes.Count(table, []byte("\r")) {
			t.Errorf("%q: %d devices", table, len(all))
		}
		if got := unguard(guard(text)); got != text {
			t.Errorf("%q became %q", text, got)
		}
	})
}
