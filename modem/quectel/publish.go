package quectel

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	if err := s.m.Limits().Message(message); err != nil {
		return err
	}
	done, err := s.Turn(ctx)
	if err != nil {
		return err
	}
	defer done()
	s.m.mu.Lock()
	known := s.m.publish
	s.m.mu.Unlock()
	forms := []form{extended, counted, ended}
	if known != untried {
		forms = []form{known}
	}
	for _, f := range forms {
		if wrong := limits(f).Message(message); wrong != nil {
			return wrong
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
		id = s.Identifier()
	}
	name, payload := "+QMTPUB", message.Payload
	if f == extended {
		name = "+QMTPUBEX"
	}
	args := []at.Arg{at.Num(s.id), at.Num(id), at.Num(int(message.QoS)), at.Flag(message.Retain), at.Str(message.Topic)}
	if f == ended {
		payload = append(slices.Clone(payload), 0x1a)
	} else {
		args = append(args, at.Num(len(payload)))
	}
	c, err := at.V250.Set(name, args...)
	if err != nil {
		return false, err
	}
	// Some firmware reports QMTPUBEX as +QMTPUB.
	outcome := s.Await(func(n []int) bool { return len(n) > 2 && n[1] == id && n[2] != 1 }, name, "+QMTPUB", "+QMTPUBEX")
	defer outcome.Cancel()
	_, err = s.m.host.Ask(ctx, modem.Request{Command: c, Payload: payload, Timeout: publishTime})
	if err != nil {
		e, ok := errors.AsType[*modem.Error](err)
		return ok && e.Err == modem.ErrRefused && e.Want != "OK", err
	}
	n, err := outcome.Wait(ctx, qmtAckTime)
	if err != nil {
		return false, err
	}
	if n[2] != 0 {
		return false, fmt.Errorf("publish to %s: %w: the module gave up", message.Topic, modem.ErrLost)
	}
	return false, nil
}
