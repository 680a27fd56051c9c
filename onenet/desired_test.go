package onenet

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/matou-iot/matou/thing"
)

func TestDesired(t *testing.T) {
	var d Decoder
	params, err := d.Params([]byte(`{"id":"123","version":"1.0","params":["power","temperature"]}`))
	if err != nil || string(d.ID) != "123" {
		t.Fatalf("%s, %v", d.ID, err)
	}
	if got, err := ParseDesiredGet(params); err != nil || fmt.Sprint(got) != "[power temperature]" {
		t.Errorf("%v, %v", got, err)
	}
	if params, err = d.Params([]byte(`{'id':123,params:{power:{version:1},"temperature":{}}}`)); err != nil || d.Loose == 0 {
		t.Errorf("%s, %v", d.Loose, err)
	}
	if got, err := ParseDesiredDelete(params); err != nil || fmt.Sprint(got) != "[{power 1} {temperature 0}]" {
		t.Errorf("%v, %v", got, err)
	}
	many := `["` + strings.Repeat(`p","`, MaxDesired) + `p"]`
	for in, want := range map[string]error{``: ErrBadParams, `{}`: ErrBadParams, `[1]`: ErrBadParams, many: ErrTooManyDesired} {
		if _, err := ParseDesiredGet([]byte(in)); !errors.Is(err, want) {
			t.Errorf("%.20s: %v", in, err)
		}
	}
	for _, in := range []string{``, `[]`, `{"a":1}`, `{"a":{"version":"x"}}`, `{"a":{"version":-1}}`} {
		if got, err := ParseDesiredDelete([]byte(in)); !errors.Is(err, ErrBadParams) {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
	for _, tt := range []struct {
		all  []DesiredValue
		want string
	}{
		{[]DesiredValue{{"power", thing.TextValue("on"), 2}}, `{"id":"123","code":200,"msg":"success","data":{"power":{"value":"on","version":2}}}`},
		{[]DesiredValue{{"a", thing.BoolValue(true), 1}, {"b", thing.IntValue(5), 3}}, `{"id":"123","code":200,"msg":"success","data":{"a":{"value":true,"version":1},"b":{"value":5,"version":3}}}`},
		{nil, `{"id":"123","code":200,"msg":"success","data":{}}`},
	} {
		if got := string(AppendDesiredReply(nil, []byte("123"), tt.all)); got != tt.want {
			t.Errorf("got %s\nwant %s", got, tt.want)
		}
	}
}

func FuzzDesired(f *testing.F) {
	for _, s := range []string{`{"id":"1","params":["a"]}`, `{"params":{"a":{"version":1},"b":{}}}`, `{params:{a:{version:'2'}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		params, err := new(Decoder).Params(doc)
		if err != nil {
			return
		}
		if names, err := ParseDesiredGet(params); err == nil && len(names) > MaxDesired {
			t.Errorf("%d names", len(names))
		}
		if all, err := ParseDesiredDelete(params); err == nil {
			for _, p := range all {
				if p.Version < 0 {
					t.Errorf("%+v", p)
				}
			}
		}
	})
}
