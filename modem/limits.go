package modem

import (
	"errors"
	"strings"
	"time"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/internal/wording"
)

// Limits are what a module's own MQTT client takes, as far as it is known:
// so many bytes of each text. 0 is a limit that is not known.
type Limits struct {
	Host, ClientID, Username, Password int

	Topic     int // also of a filter, and of a will
	Payload   int
	Will      int // the payload of one
	KeepAlive time.Duration

	NoTLS   bool   // how it would be told to use TLS is not known, or it cannot
	NoEmpty bool   // it cannot send an empty message
	Never   string // the bytes that this firmware cannot send in a message

	Dialect at.Dialect // that topics are written in, which has no way to write some
}

// A beyond is an error of Limits: it is errors.ErrUnsupported, and what was to
// be said was not.
type beyond struct{ said error }

func (e *beyond) Error() string { return e.said.Error() }

func (e *beyond) Unwrap() error { return errors.ErrUnsupported }

// Wording is what the sentence was made of.
func (e *beyond) Wording() error { return e.said }

func tooMuch(format string, args ...any) error { return &beyond{wording.Errorf(format, args...)} }

// Login finds what the module would refuse, or would not do, of a login. Its
// error is errors.ErrUnsupported, as those of Message and Filter are.
func (l Limits) Login(login Login) error {
	if login.TLS && l.NoTLS {
		return tooMuch("login: the module's own MQTT client is not known to do TLS: log in without")
	}
	if l.KeepAlive > 0 && login.KeepAlive > l.KeepAlive {
		return tooMuch("login: the module takes a keep-alive of up to %v, this one is %v: choose a shorter one", l.KeepAlive, login.KeepAlive)
	}
	texts := []text{
		{"a host name", login.Host, l.Host}, {"a client identifier", login.ClientID, l.ClientID},
		{"a user name", login.Username, l.Username}, {"a password", login.Password, l.Password},
	}
	if w := login.Will; w != nil {
		texts = append(texts, text{"the topic of a will", w.Topic, l.Topic}, text{"a will", string(w.Payload), l.Will})
	}
	for _, t := range texts {
		if err := t.check("login"); err != nil {
			return err
		}
	}
	return nil
}

// Message finds what the module cannot send.
func (l Limits) Message(m Message) error {
	if err := l.topic("publish", text{"a topic", m.Topic, l.Topic}); err != nil {
		return err
	}
	if l.Payload > 0 && len(m.Payload) > l.Payload {
		return tooMuch("publish: the module sends messages of up to %d bytes, this one has %d: send less at a time", l.Payload, len(m.Payload))
	}
	if len(m.Payload) == 0 && l.NoEmpty {
		return tooMuch("publish: the module cannot send an empty message: put something into it")
	}
	if bad := strings.IndexAny(string(m.Payload), l.Never); bad >= 0 {
		return tooMuch("publish: this firmware cannot send the byte 0x%02X, which is in the message: encode it, in Base64 for instance", m.Payload[bad])
	}
	return nil
}

// Filter finds what the module cannot subscribe to.
func (l Limits) Filter(filter string) error {
	return l.topic("subscribe", text{"a filter", filter, l.Topic})
}

// topic checks what is written into a command between quotes.
func (l Limits) topic(when wording.Term, t text) error {
	if err := t.check(when); err != nil {
		return err
	}
	if _, err := l.Dialect.Join(at.Str(t.is)); err != nil {
		return tooMuch("%s: %s cannot be written in a command of the module: %v", when, t.what, err)
	}
	return nil
}

// A text may be too long.
type text struct {
	what wording.Term
	is   string
	most int
}

func (t text) check(when wording.Term) error {
	if t.most > 0 && len(t.is) > t.most {
		return tooMuch("%s: the module takes %s of up to %d bytes, this one has %d: choose a shorter one", when, t.what, t.most, len(t.is))
	}
	return nil
}
