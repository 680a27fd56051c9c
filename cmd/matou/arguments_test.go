package main

import (
	"testing"
	"time"
)

func TestValueIsJSONOrText(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"1", `1`}, {"-21.50", `-21.50`}, {"true", `true`}, {"null", `null`}, {`"1"`, `"1"`}, {" 7 ", `7`},
		{"12345678901234567890", `12345678901234567890`}, // no float64 on the way
		{`{"r":255, "g":0}`, `{"r":255, "g":0}`}, {"[1,2]", `[1,2]`},
		{"", `""`}, {"eco", `"eco"`}, {"True", `"True"`}, {"NaN", `"NaN"`}, {"01", `"01"`}, {"1,2", `"1,2"`}, {"a=b", `"a=b"`},
		{"{broken", `"{broken"`}, {"夜灯", `"夜灯"`}, {`say "hi"`, `"say \"hi\""`},
	} {
		got, err := assignments([]string{"Name=" + tt.in})
		if err != nil || string(got["Name"]) != tt.want {
			t.Errorf("Name=%s: %s, %v; want %s", tt.in, got["Name"], err, tt.want)
		}
	}
	for _, bad := range []string{"", "Name", "=1"} {
		if got, err := assignments([]string{bad}); err == nil {
			t.Errorf("%q: %v", bad, got)
		}
	}
}

func TestDeviceRef(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want deviceRef
	}{
		{"p/d", deviceRef{"p", "d"}}, {"a1NightLamp/lamp.01@x:y", deviceRef{"a1NightLamp", "lamp.01@x:y"}},
		{"", deviceRef{}}, {"p", deviceRef{}}, {"p/", deviceRef{}}, {"/d", deviceRef{}}, {"p/d/e", deviceRef{}},
		{"../d", deviceRef{}}, {"p/.", deviceRef{}},
	} {
		var d deviceRef
		err := d.UnmarshalText([]byte(tt.in))
		if (err == nil) != (tt.want != deviceRef{}) || d != tt.want {
			t.Errorf("%q: %v, %v", tt.in, d, err)
		}
	}
}

func TestMoment(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"2026-01-31T00:00:00Z", "2026-01-31T00:00:00.000Z"},
		{"2026-01-31T00:00:00.5+08:00", "2026-01-30T16:00:00.500Z"},
		{"2026-01-31", "2026-01-30T16:00:00.000Z"},
		{"2026-01-31 08:30", "2026-01-31T00:30:00.000Z"},
		{"2026-01-31T08:30", "2026-01-31T00:30:00.000Z"},
		{"2026-01-31 08:30:15", "2026-01-31T00:30:15.000Z"},
		{"2026-01-31T08:30:15", "2026-01-31T00:30:15.000Z"},
	} {
		var m moment
		if err := m.UnmarshalText([]byte(tt.in)); err != nil || m.wire() != tt.want {
			t.Errorf("%q: %s, %v; want %s", tt.in, m.wire(), err, tt.want)
		}
	}
	for in, ago := range map[string]time.Duration{"90m": 90 * time.Minute, "7d": 7 * 24 * time.Hour, "0s": 0} {
		var m moment
		before := time.Now()
		err := m.UnmarshalText([]byte(in))
		if d := before.Sub(time.Time(m)); err != nil || d > ago || d < ago-time.Minute {
			t.Errorf("%q: %v ago, %v; want %v", in, d, err, ago)
		}
	}
	for _, bad := range []string{"", "yesterday", "-5m", "7", "-1d", "99999999d", "7dd", "2026-13-01"} {
		var m moment
		if err := m.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is %s", bad, m.wire())
		}
	}
}

func TestVisible(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"夜灯 °C", "夜灯 °C"},
		{"a\x1b[31mb\tc\n", `a\x1b[31mb\tc\n`},
		{"\u009b2J\u202e", `\u009b2J\u202e`},
		{"\xff\xfea", `\xff\xfea`},
	} {
		if got := visible(tt.in); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.in, got, tt.want)
		}
	}
}
