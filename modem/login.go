package modem

import "fmt"

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
