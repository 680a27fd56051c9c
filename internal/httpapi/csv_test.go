package httpapi

import (
	"bytes"
	"testing"
)

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
