package thing

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestDesiredIsRead(t *testing.T) {
	if got, err := ParseDesiredGet([]byte(`["power","temperature"]`)); err != nil || fmt.Sprint(got) != "[power temperature]" {
		t.Errorf("%v, %v", got, err)
	}
	many := `["` + strings.Repeat(`p","`, MaxDesired) + `p"]`
	for in, want := range map[string]error{`{}`: ErrBadDesired, `[1]`: ErrBadDesired, `null`: ErrBadDesired, ``: ErrBadDesired, many: ErrTooManyDesired} {
		if _, err := ParseDesiredGet([]byte(in)); !errors.Is(err, want) {
			t.Errorf("%.20s: %v", in, err)
		}
	}
	got, err := ParseDesiredDelete([]byte(`{"power":{"version":1},"temperature":{},"a":null,"b":{"version":"12"},"c":{"version":null}}`))
	if err != nil || fmt.Sprint(got) != "[{power 1} {temperature 0} {a 0} {b 12} {c 0}]" {
		t.Errorf("%v, %v", got, err)
	}
	for _, in := range []string{``, `[]`, `{"a":1}`, `{"a":{"version":"x"}}`, `{"a":{"version":0}}`, `{"a":{"version":-1}}`, `{"a":{"version":1.5}}`} {
		if got, err := ParseDesiredDelete([]byte(in)); !errors.Is(err, ErrBadDesired) {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
	each := make([]string, MaxDesired+1)
	for i := range each {
		each[i] = fmt.Sprintf(`"p%d":{}`, i)
	}
	if _, err := ParseDesiredDelete([]byte("{" + strings.Join(each, ",") + "}")); !errors.Is(err, ErrTooManyDesired) {
		t.Errorf("%v", err)
	}
}

// FuzzDesired: what a device writes is read within the bounds, or refused.
func FuzzDesired(f *testing.F) {
	for _, s := range []string{`["a"]`, `{"a":{"version":1},"b":{}}`, `{"a":{"version":"2"}}`, `{"a":null}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, params []byte) {
		if names, err := ParseDesiredGet(params); err == nil && len(names) > MaxDesired {
			t.Errorf("%d names", len(names))
		}
		all, err := ParseDesiredDelete(params)
		if err != nil {
			return
		}
		if len(all) > MaxDesired {
			t.Errorf("%d properties", len(all))
		}
		for _, p := range all {
			if p.Version < 0 {
				t.Errorf("%+v", p)
			}
		}
	})
}
