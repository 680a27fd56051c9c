package onenet

import (
	"strconv"
	"time"

	"github.com/matou-iot/matou/mqtt"
)

// The platform's bounds of the keep-alive in seconds [onenet §1.3].
const (
	MinKeepAlive = 10
	MaxKeepAlive = 1800
)

// conduct finds what breaks the platform's written rules for a CONNECT, which
// ends the connection there without an answer [onenet §1.3, §10 rows 10, 11].
// Where the version is not known, nobody saw a CONNECT.
func (a *attempt) conduct() (broken []*Diagnosis) {
	if a.Version == 0 {
		return nil
	}
	add := func(d *Diagnosis) { broken = append(broken, d) }
	if a.Version != mqtt.V311 {
		v := a.Version.String()
		add(a.say("onenet-protocol-level", "version", "MQTT "+v, "MQTT 3.1.1", v))
	}
	if a.KeepAlive < MinKeepAlive || a.KeepAlive > MaxKeepAlive {
		add(a.say("onenet-keep-alive", "keepAlive", strconv.Itoa(int(a.KeepAlive)), "10 to 1800", a.KeepAlive))
	}
	if !a.CleanSession {
		add(a.say("onenet-clean-session", "cleanSession", "0", "1"))
	}
	if a.Will {
		add(a.say("onenet-will", "will", "a will", "no will"))
	}
	return broken
}

// soon is how long before its end a token is worth a word.
const soon = 30 * 24 * time.Hour

// Hints says what was accepted in a right login although the real platform, or
// the future, would have minded: CONNECT rules that only strict products keep,
// a token that ends soon, and what ParseToken had to overlook.
func Hints(s Sent, now time.Time) []*Diagnosis {
	a := newAttempt(s, Known{}, now)
	hints := a.conduct()
	add := func(d *Diagnosis) { hints = append(hints, d) }
	t, err := ParseToken(s.Password)
	if err != nil {
		return hints
	}
	et, _ := t.Expiry()
	switch when := time.Unix(et, 0); {
	case et > 1e12:
		add(a.say("onenet-et-milliseconds", "et", t.Et, strconv.FormatInt(et/1000, 10)))
	case when.After(now) && when.Before(now.Add(soon)):
		add(a.say("onenet-token-ends-soon", "et", t.Et, a.aYearOn(), when.UTC().Format(time.DateTime)+" UTC"))
	}
	if t.Quirks&TrailingBytes != 0 {
		add(a.say("onenet-trailing-bytes", "password", strconv.Itoa(len(s.Password))+" bytes", strconv.Itoa(len(a.text))+" bytes"))
	}
	if t.Quirks&PlainRes != 0 {
		add(a.say("onenet-not-encoded", "res", t.Res, encode(t.Res), "res"))
	}
	if t.Quirks&PlainSign != 0 {
		add(a.say("onenet-not-encoded", "sign", "sign without URL encoding", "%2B, %2F and %3D for +, / and =", "sign"))
	}
	return hints
}
