package quectel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
)

const publishTime = 30 * time.Second

// A form is how a firmware wants to be told of a message [EC20 QMT §6].
type form byte

const (
	untried  form = iota
	extended      // QMTPUBEX with a length
	counted       // QMTPUB with a length
	ended         // QMTPUB, the message ends with Ctrl-Z
)

// Publish sends a message and waits until the module reports it done: sent at
// QoS 0, acknowledged at 1 and 2.
func (s *session) Publish(ctx context.Context, message modem.Message) error {
	if len(message.Payload) == 0 {
		return errors.New("publish: the module cannot send an empty message")
	}
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.unlock()
	s.m.mu.Lock()
	known := s.m.publish
	s.m.mu.Unlock()
	forms := []form{extended, counted, ended}
	if known != untried {
		forms = []form{known}
	}
	var err error
	for _, f := range forms {
		if f == ended && bytes.ContainsAny(message.Payload, "\x1a\x1b") {
			return fmt.Errorf("publish: this firmware ends messages with Ctrl-Z, which is in this one: %w", err)
		}
		var refused bool
		if refused, err = s.publish(ctx, message, f); !refused {
			if err == nil {
				s.m.mu.Lock()
				s.m.publish = f
				s.m.mu.Unlock()
			}
			return err
		}
	}
	return err
}

// publish tries one form; refused says that the module did not even ask for
// the message.
func (s *session) publish(ctx context.Context, message modem.Message, f form) (refused bool, err error) {
	id := 0
	if message.QoS > 0 {
		id = s.identifier()
	}
	name, payload := "+QMTPUB", message.Payload
	if f == extended {
		name = "+QMTPUBEX"
	}
	retain := 0
	if message.Retain {
		retain = 1
	}
	args := []at.Arg{at.Num(s.id), at.Num(id), at.Num(int(message.QoS)), at.Num(retain), at.Str(message.Topic)}
	if f == ended {
		payload = append(slices.Clone(payload), 0x1a)
	} else {
		args = append(args, at.Num(len(payload)))
	}
	c, err := at.V250.Set(name, args...)
	if err != nil {
		return false, err
	}
	outcome := s.m.host.Await(func(line string) bool {
		// Some firmware reports QMTPUBEX as +QMTPUB.
		for _, prefix := range []string{"+QMTPUBEX:", "+QMTPUB:"} {
			if n := numbers(line, prefix); len(n) > 2 && n[0] == s.id && n[1] == id {
				return n[2] != 1
			}
		}
		return false
	})
	defer outcome.Cancel()
	_, err = s.m.host.Ask(ctx, modem.Request{Command: c, Payload: payload, Timeout: publishTime})
	if err != nil {
		e, ok := errors.AsType[*modem.Error](err)
		return ok && e.Err == modem.ErrRefused && e.Want != "OK", err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, qmtAckTime, fmt.Errorf("AT%s: wanted the outcome, got nothing within %v: %w", name, qmtAckTime, modem.ErrSilent))
	defer cancel()
	line, err := s.line(ctx, outcome)
	if err != nil {
		return false, err
	}
	if n := numbers(line, line[:strings.IndexByte(line, ':')+1]); n[2] != 0 {
		return false, fmt.Errorf("publish to %s: %w: the module gave up", message.Topic, modem.ErrLost)
	}
	return false, nil
}

// message reads +QMTRECV: <client>,<identifier>,"<topic>",… whose payload is
// the counted data, or stands between quotes that it may hold itself.
func message(e at.Event) (numbers []int, topic string, payload []byte) {
	p := at.V250.Params(strings.TrimLeft(strings.TrimPrefix(e.Text, "+QMTRECV:"), " "))
	for range 2 {
		a, err := p.Next()
		n, ok := a.Int()
		if err != nil || !ok {
			return nil, "", nil
		}
		numbers = append(numbers, n)
	}
	a, err := p.Next()
	if err != nil || a.Kind != at.String {
		return nil, "", nil
	}
	if e.Kind == at.Data {
		return numbers, a.Text, e.Data
	}
	text := p.Rest()
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		text = text[1 : len(text)-1]
	}
	return numbers, a.Text, []byte(text)
}
