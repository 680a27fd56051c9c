package onenet

import (
	"testing"
	"time"
)

func TestParseCoAPLogin(t *testing.T) {
	for _, tt := range []struct {
		name, doc string
		want      CoAPLogin
		fails     bool
	}{
		{"as the C SDK sends it [onenet §7]", `{"st":"version=2018-10-31&res=x","lt":86400}`, CoAPLogin{Token: "version=2018-10-31&res=x", Lifetime: 24 * time.Hour}, false},
		{"no lifetime", `{"st":"x"}`, CoAPLogin{Token: "x", Lifetime: time.Hour}, false},
		{"the least", `{"st":"x","lt":16}`, CoAPLogin{Token: "x", Lifetime: 16 * time.Second}, false},
		{"the most", `{"st":"x","lt":604800}`, CoAPLogin{Token: "x", Lifetime: 7 * 24 * time.Hour}, false},
		{"too short", `{"st":"x","lt":15}`, CoAPLogin{Token: "x", Lifetime: 16 * time.Second, Bounded: true}, false},
		{"far too long", `{"st":"x","lt":1e300}`, CoAPLogin{Token: "x", Lifetime: 7 * 24 * time.Hour, Bounded: true}, false},
		{"a text, and a NUL behind all", "{\"lt\":\"60\",\"st\":\"x\"}\x00", CoAPLogin{Token: "x", Lifetime: time.Minute}, false},
		{"no token", `{"lt":60}`, CoAPLogin{}, true},
		{"no number", `{"st":"x","lt":"long"}`, CoAPLogin{}, true},
		{"a list", `{"st":"x","lt":[60]}`, CoAPLogin{}, true},
		{"cut off", `{"st":"x`, CoAPLogin{}, true},
		{"nothing", "", CoAPLogin{}, true},
	} {
		got, err := ParseCoAPLogin([]byte(tt.doc))
		if got != tt.want || (err != nil) != tt.fails {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
}

// FuzzParseCoAPLogin: whatever comes, a login that is taken has a token and a
// lifetime within the bounds.
func FuzzParseCoAPLogin(f *testing.F) {
	for _, s := range []string{`{"st":"version=2018-10-31","lt":3600}`, `{"st":"x","lt":-1}`, `{"st":"x","lt":1e400}`, `{"lt":null}`, "\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		l, err := ParseCoAPLogin(doc)
		if err == nil && (l.Token == "" || l.Lifetime < MinCoAPLifetime || l.Lifetime > MaxCoAPLifetime) {
			t.Errorf("%q: %+v", doc, l)
		}
	})
}
