package at

import (
	"reflect"
	"testing"
)

func TestArgs(t *testing.T) {
	for _, tt := range []struct {
		name string
		d    Dialect
		text string
		want []Arg
	}{
		{"nothing", Espressif, "", nil},
		{"kinds", Espressif, `0,"TCP",-5,,TCP`, []Arg{Num(0), Str("TCP"), Num(-5), {}, Raw("TCP")}},
		{"omitted at both ends", Espressif, `,1,`, []Arg{{}, Num(1), {}}},
		{"a backslash takes the next byte", Espressif, `"a\"b\\\,\c"`, []Arg{Str(`a"b\,c`)}},
		{"a comma needs no escape", Espressif, `"a,b",1`, []Arg{Str("a,b"), Num(1)}},
		{"no escapes in V.250", V250, `"a\",1`, []Arg{Str(`a\`), Num(1)}},
		{"spaces around do not count in V.250", V250, ` 1 , "a b" , IP `, []Arg{Num(1), Str("a b"), Raw("IP")}},
		{"spaces count in Espressif", Espressif, `1 ,2`, []Arg{Raw("1 "), Num(2)}},
		{"an empty string is not omitted", V250, `""`, []Arg{Str("")}},
	} {
		got, err := tt.d.Args(tt.text)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %s is %+v, %v; want %+v", tt.name, tt.text, got, err, tt.want)
		}
	}
	for _, bad := range []string{`"abc`, `"abc"x`, `"{"a":1}"`} {
		if got, err := V250.Args(bad); err == nil {
			t.Errorf("%s is %+v; want an error", bad, got)
		}
	}
}

func TestIntOfQuoted(t *testing.T) {
	if n, ok := Str("0").Int(); n != 0 || !ok {
		t.Errorf(`"0" is %d, %v: AT+QMTCFG="aliauth","0" is how tutorials write it`, n, ok)
	}
	if _, ok := Raw("TCP").Int(); ok {
		t.Error("a word is a number")
	}
	if _, ok := (Arg{}).Int(); ok {
		t.Error("an omitted parameter is a number")
	}
}

func TestParamsTakesCountedMessage(t *testing.T) {
	p := V250.Params(`0,0,0,0,"t",13,"{"a":1,"b":2}"`)
	var n int
	for range 6 {
		a, err := p.Next()
		if err != nil {
			t.Fatal(err)
		}
		n, _ = a.Int()
	}
	if rest := p.Rest(); rest != `"{"a":1,"b":2}"` || n != 13 {
		t.Fatalf("rest %s, length %d", rest, n)
	}
	p.Take(1)
	message, ok := p.Take(n)
	if message != `{"a":1,"b":2}` || !ok {
		t.Errorf("message %s, %v", message, ok)
	}
	if _, ok := p.Take(2); ok {
		t.Error("took more than there is")
	}
	if last, ok := p.Take(1); last != `"` || !ok || p.More() {
		t.Errorf("last %q, %v, more %v", last, ok, p.More())
	}
	if a, err := p.Next(); a != (Arg{}) || err != nil {
		t.Errorf("past the end: %+v, %v", a, err)
	}
}

func FuzzArgs(f *testing.F) {
	f.Add(`0,"TCP",-5,,"a\"b"`)
	f.Add(` 1 , "a b" , IP `)
	f.Fuzz(func(t *testing.T, text string) {
		for _, d := range []Dialect{Espressif, V250} {
			first, err := d.Args(text)
			if err != nil {
				continue
			}
			written, err := d.Join(first...)
			if err != nil || written == "" {
				continue
			}
			second, err := d.Args(written)
			if err != nil || !reflect.DeepEqual(first, second) {
				t.Errorf("%s: %q gave %+v, written %q, read %+v, %v", d, text, first, written, second, err)
			}
		}
	})
}

func TestFlag(t *testing.T) {
	if Flag(true) != Num(1) || Flag(false) != Num(0) {
		t.Errorf("%v, %v", Flag(true), Flag(false))
	}
}
