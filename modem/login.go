package modem

import (
	"errors"
	"fmt"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/internal/wording"
)

// Args are the parameters that say in a command who logs in: the client
// identifier, and user name and password unless the module signs itself.
func (l Login) Args() []at.Arg {
	args := []at.Arg{at.Str(l.ClientID)}
	if l.Aliyun == nil && (l.Username != "" || l.Password != "") {
		args = append(args, at.Str(l.Username), at.Str(l.Password))
	}
	return args
}

// Unsigned is the failure of a command that was to have a module sign itself.
// A module that refuses it most likely cannot: the BG95, for one.
func Unsigned(err error) error {
	if errors.Is(err, ErrRefused) {
		return wording.Errorf("this firmware does not sign for Alibaba Cloud itself (aliauth): log in with the signed user name and password: %w", err)
	}
	return err
}

// WillArgs are the parameters that configure a Will.
func (l Login) WillArgs() []at.Arg {
	w := l.Will
	if w == nil {
		return []at.Arg{at.Flag(false)}
	}
	return []at.Arg{at.Flag(true), at.Num(int(w.QoS)), at.Flag(w.Retain), at.Str(w.Topic), at.Str(string(w.Payload))}
}

// A LoginError is a broker's refusal.
type LoginError struct {
	Code int // of CONNACK [MQTT3 §3.2.2.3]
}

var loginCodes = map[int]string{
	1: "it does not speak this version of MQTT",
	2: "it does not take the client identifier",
	3: "it is not available",
	4: "wrong user name or password",
	5: "not authorised",
}

func (e *LoginError) Error() string {
	reason := loginCodes[e.Code]
	if reason == "" {
		reason = "no reason known"
	}
	return fmt.Sprintf("the broker refused the login: %s (CONNACK %d)", reason, e.Code)
}

// Unwrap is ErrRefused.
func (e *LoginError) Unwrap() error { return ErrRefused }
