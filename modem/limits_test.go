package modem_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
)

func TestLimitsOfALogin(t *testing.T) {
	limits := modem.Limits{Host: 4, ClientID: 3, Username: 2, Password: 1, Topic: 5, Will: 6, KeepAlive: time.Hour, NoTLS: true}
	good := modem.Login{Host: "host", ClientID: "cid", Username: "un", Password: "p", KeepAlive: time.Hour,
		Will: &modem.Message{Topic: "topic", Payload: []byte("will!!")}}
	if err := limits.Login(good); err != nil {
		t.Error(err)
	}
	if err := (modem.Limits{}).Login(modem.Login{Host: strings.Repeat("h", 1000), TLS: true, KeepAlive: 24 * time.Hour}); err != nil {
		t.Errorf("where no limit is known: %v", err)
	}
	for want, change := range map[string]func(l *modem.Login){
		"not known to do TLS":              func(l *modem.Login) { l.TLS = true },
		"keep-alive of up to 1h0m0s":       func(l *modem.Login) { l.KeepAlive++ },
		"a host name of up to 4 bytes":     func(l *modem.Login) { l.Host = "host1" },
		"a client identifier of up to 3":   func(l *modem.Login) { l.ClientID = "cid1" },
		"a user name of up to 2":           func(l *modem.Login) { l.Username = "un1" },
		"a password of up to 1":            func(l *modem.Login) { l.Password = "p1" },
		"the topic of a will of up to 5":   func(l *modem.Login) { l.Will = &modem.Message{Topic: "topic1"} },
		"a will of up to 6 bytes, this on": func(l *modem.Login) { l.Will = &modem.Message{Payload: []byte("will!!!")} },
	} {
		l := good
		change(&l)
		if err := limits.Login(l); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestLimitsOfTopics: what the grammar of the module cannot write is told
// before it is tried.
func TestLimitsOfTopics(t *testing.T) {
	for _, tt := range []struct {
		dialect at.Dialect
		topic   string
		good    bool
	}{
		{at.V250, "a/b", true}, {at.V250, `a"b`, false}, {at.V250, "a\nb", false},
		{at.Espressif, `a"b,c\`, true}, {at.Espressif, "a\rb", false},
	} {
		limits := modem.Limits{Dialect: tt.dialect}
		for _, err := range []error{limits.Filter(tt.topic), limits.Message(modem.Message{Topic: tt.topic, Payload: []byte{0}})} {
			if (err == nil) != tt.good || err != nil && !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("%v %q: %v", tt.dialect, tt.topic, err)
			}
		}
	}
}
