package at

import (
	"errors"
	"reflect"
	"testing"
)

func TestParseEspressif(t *testing.T) {
	for _, tt := range []struct {
		name, line string
		want       Command
		bad        bool
	}{
		{"AT alone", "AT\r\n", Command{}, false},
		{"lower case prefix", "at+GMR\r\n", Command{Name: "+GMR"}, false},
		{"query", "AT+CWMODE?\r\n", Command{Name: "+CWMODE", Form: Query}, false},
		{"test", "AT+CWMODE=?\r\n", Command{Name: "+CWMODE", Form: Test}, false},
		{"set", "AT+CIPSTART=\"TCP\",\"h\",1883\r\n", Command{"+CIPSTART", Set, `"TCP","h",1883`}, false},
		{"digits begin the parameters", "ATE0\r\n", Command{"E", Set, "0"}, false},
		{"noise in front is passed over", "\x00\xffxAT+RST\r\n", Command{Name: "+RST"}, false},
		{"names are exact", "AT+cwmode?\r\n", Command{Name: "+cwmode", Form: Query}, false},
		{"set without a value", "AT+CWJAP=\r\n", Command{"+CWJAP", Set, ""}, false},
		{"mixed case prefix", "At\r\n", Command{}, true},
		{"no AT", "hello\r\n", Command{}, true},
		{"something after ?", "AT+CWMODE?x\r\n", Command{}, true},
		{"a space in the name", "AT +GMR\r\n", Command{}, true},
		{"typographic punctuation", "AT+CWMODE？\r\n", Command{}, true},
	} {
		got, err := Espressif.Parse([]byte(tt.line))
		if got != tt.want || (err != nil) != tt.bad {
			t.Errorf("%s: %q is %+v, %v; want %+v", tt.name, tt.line, got, err, tt.want)
		}
		if _, is := errors.AsType[*SyntaxError](err); err != nil && !is {
			t.Errorf("%s: %T is no SyntaxError", tt.name, err)
		}
	}
}

func TestParseV250(t *testing.T) {
	for _, tt := range []struct {
		name, line string
		want       []Command
	}{
		{"AT alone", "AT\r", []Command{{}}},
		{"case does not count", "at+creg?\r", []Command{{Name: "+CREG", Form: Query}}},
		{"mixed case prefix", "At+CSQ\r\n", []Command{{Name: "+CSQ"}}},
		{"trailing spaces", "AT+CREG?  \r", []Command{{Name: "+CREG", Form: Query}}},
		{"joined extended commands", "AT+CMEE=2;+CREG?;+CSQ\r",
			[]Command{{"+CMEE", Set, "2"}, {Name: "+CREG", Form: Query}, {Name: "+CSQ"}}},
		{"joined basic commands", "ATE0V1&D2\r", []Command{{"E", Set, "0"}, {"V", Set, "1"}, {"&D", Set, "2"}}},
		{"basic before extended", "ATE0+CMEE=1\r", []Command{{"E", Set, "0"}, {"+CMEE", Set, "1"}}},
		{"register", "ATS3=13\r", []Command{{"S3", Set, "13"}}},
		{"register asked", "ATS3?\r", []Command{{Name: "S3", Form: Query}}},
		{"quotes shield ;", "AT+QMTOPEN=0,\"a;b\",1\r", []Command{{"+QMTOPEN", Set, `0,"a;b",1`}}},
		{"test", "AT+QMTCFG=?\r", []Command{{Name: "+QMTCFG", Form: Test}}},
		{"dial takes all", "ATD*99***1#;\r", []Command{{"D", Set, "*99***1#"}}},
		{"and bare basic", "AT&F\r", []Command{{Name: "&F"}}},
	} {
		got, err := V250.ParseLine([]byte(tt.line))
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %q is %+v, %v; want %+v", tt.name, tt.line, got, err, tt.want)
		}
	}
	for _, bad := range []string{"hello", "AT+", "AT(", "AT+CREG?+CSQ", "AT&9", "AT+CREG？", "ATS", "AT\r\nAT\r"} {
		if c, err := V250.ParseLine([]byte(bad)); err == nil {
			t.Errorf("%q is %+v; want an error", bad, c)
		}
	}
	if _, err := V250.Parse([]byte("AT+CSQ;+CREG?")); err == nil {
		t.Error("Parse took two commands")
	}
}

func TestAppend(t *testing.T) {
	for _, tt := range []struct {
		c    Command
		want string
	}{
		{Command{}, "AT"},
		{Command{Name: "+GMR"}, "AT+GMR"},
		{Command{Name: "+CIPSEND", Form: Test}, "AT+CIPSEND=?"},
		{Command{Name: "+CREG", Form: Query}, "AT+CREG?"},
		{Command{"E", Set, "0"}, "ATE0"},
		{Command{"&D", Set, "2"}, "AT&D2"},
		{Command{"S3", Set, "13"}, "ATS3=13"},
		{Command{"+CWMODE", Set, "1"}, "AT+CWMODE=1"},
	} {
		if got := tt.c.String(); got != tt.want {
			t.Errorf("%+v is written %q; want %q", tt.c, got, tt.want)
		}
	}
}

func TestSet(t *testing.T) {
	c, err := Espressif.Set("+CWJAP", Str(`ab\,c`), Str(`0123456789"\`))
	if want := `AT+CWJAP="ab\\\,c","0123456789\"\\"`; err != nil || c.String() != want {
		t.Errorf("%s, %v; want %s, the example of the ESP-AT manual", c, err, want)
	}
	c, err = V250.Set("+QMTCFG", Str("recv/mode"), Num(0), Num(0), Num(1))
	if want := `AT+QMTCFG="recv/mode",0,0,1`; err != nil || c.String() != want {
		t.Errorf("%s, %v; want %s", c, err, want)
	}
	for _, bad := range []Arg{Str("a\"b"), Str("a\rb"), Raw("a,b"), Raw("a b")} {
		if c, err := V250.Set("+X", bad); err == nil {
			t.Errorf("%+v was written as %s", bad, c)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, line := range []string{"AT+CIPSTART=\"TCP\",\"h\",1883\r\n", "ATE0V1&D2;+CREG?", "AT+QMTCFG=\"a;b\",,0", "ATS3=13", "ATD1;", "AT+X=?"} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if c, err := Espressif.Parse(line); err == nil {
			again, err := Espressif.Parse(c.Append(nil))
			if err != nil || again != c {
				t.Errorf("%q: %+v became %+v, %v", line, c, again, err)
			}
			Espressif.Args(c.Params)
		}
		commands, err := V250.ParseLine(line)
		if err != nil {
			return
		}
		for _, c := range commands {
			if c.Name == "D" {
				continue // takes what follows
			}
			again, err := V250.Parse(c.Append(nil))
			if err != nil || again != c {
				t.Errorf("%q: %+v became %+v, %v", line, c, again, err)
			}
			V250.Args(c.Params)
		}
	})
}
