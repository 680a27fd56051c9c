package onenet

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

// What a device on CoAP asks below $sys/{pid}/{dev}/ besides its topics, which
// are paths there [onenet §7].
const (
	CoAPLoginPath  = "login"
	CoAPKeepPath   = "keep_alive"
	CoAPLogoutPath = "logout"
)

// The lifetimes of a login by CoAP [onenet §7].
const (
	MinCoAPLifetime   = 16 * time.Second
	MaxCoAPLifetime   = 604800 * time.Second
	UsualCoAPLifetime = time.Hour
)

// CoAPTokenLength is how many bytes a login is answered with: they are the token
// of each message from then on.
const CoAPTokenLength = 8

// A CoAPLogin is the body of a login, of what keeps it alive, and of a logout.
type CoAPLogin struct {
	Token    string        // as a password would be
	Lifetime time.Duration // within the bounds
	Bounded  bool          // what was asked for was not
}

var errNoCoAPToken = errors.New(`onenet: the body has no "st", which is the device's token`)

// ParseCoAPLogin reads {"st":"<token>","lt":3600}. A lifetime that is left out
// is the usual one, one beyond the bounds the nearest.
func ParseCoAPLogin(doc []byte) (CoAPLogin, error) {
	var m struct {
		St string `json:"st"`
		Lt any    `json:"lt"`
	}
	if err := json.Unmarshal([]byte(strings.TrimRight(string(doc), "\x00")), &m); err != nil {
		return CoAPLogin{}, err
	}
	if m.St == "" {
		return CoAPLogin{}, errNoCoAPToken
	}
	l := CoAPLogin{Token: m.St, Lifetime: UsualCoAPLifetime}
	seconds, given := 0.0, true
	switch lt := m.Lt.(type) {
	case nil:
		given = false
	case float64:
		seconds = lt
	case string:
		n, err := strconv.Atoi(lt)
		if err != nil {
			return CoAPLogin{}, errors.New(`onenet: "lt" has to be a number of seconds`)
		}
		seconds = float64(n)
	default:
		return CoAPLogin{}, errors.New(`onenet: "lt" has to be a number of seconds`)
	}
	if given {
		within := min(max(seconds, MinCoAPLifetime.Seconds()), MaxCoAPLifetime.Seconds())
		l.Lifetime, l.Bounded = time.Duration(within)*time.Second, within != seconds
	}
	return l, nil
}
