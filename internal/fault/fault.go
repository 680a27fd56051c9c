// Package fault holds the kinds of errors that people and programs outside
// may see, each with a sentence. Concepts return them, httpapi and the command
// line map their kinds once, in one table; every other error is Internal to
// the outside and a log line inside.
package fault

import (
	"errors"

	"github.com/matou-iot/matou/internal/wording"
)

// A Kind classifies an error for machines.
type Kind string

// The kinds.
const (
	KindInvalid      Kind = "invalid"      // the request is wrong; the sentence names the field and the remedy
	KindNotFound     Kind = "not-found"    // what it speaks of does not exist
	KindConflict     Kind = "conflict"     // it contradicts what is there
	KindUnauthorized Kind = "unauthorized" // who are you?
	KindForbidden    Kind = "forbidden"    // you may not
	KindExhausted    Kind = "exhausted"    // a limit is reached; the sentence names it
	KindTimeout      Kind = "timeout"      // somebody else did not answer in time
	KindUnavailable  Kind = "unavailable"  // not now: starting, stopping, disk full
	KindInternal     Kind = "internal"     // ours
)

// An Error is a kind with a sentence for people. It holds no secret.
type Error struct {
	Kind  Kind
	Field string // JSON name of the offending field, where there is one
	said  error
}

// Error is the sentence in English.
func (e *Error) Error() string { return e.said.Error() }

// SentenceZH is the sentence in Chinese.
func (e *Error) SentenceZH() string { return wording.Chinese(e.said) }

// Unwrap returns what leads to the errors underneath.
func (e *Error) Unwrap() error { return e.said }

// Invalid says that a request is wrong.
func Invalid(format string, args ...any) error { return newError(KindInvalid, format, args...) }

// NotFound says that something does not exist.
func NotFound(format string, args ...any) error { return newError(KindNotFound, format, args...) }

// Conflict says that a request contradicts what is there.
func Conflict(format string, args ...any) error { return newError(KindConflict, format, args...) }

// Unauthorized says that the caller did not prove who he is.
func Unauthorized(format string, args ...any) error {
	return newError(KindUnauthorized, format, args...)
}

// Forbidden says that the caller may not do this.
func Forbidden(format string, args ...any) error { return newError(KindForbidden, format, args...) }

// Exhausted says that a limit is reached.
func Exhausted(format string, args ...any) error { return newError(KindExhausted, format, args...) }

// Timeout says that somebody else did not answer in time.
func Timeout(format string, args ...any) error { return newError(KindTimeout, format, args...) }

// Unavailable says that it cannot be done now.
func Unavailable(format string, args ...any) error { return newError(KindUnavailable, format, args...) }

// newError keeps what the sentence was made of; %w wraps.
func newError(k Kind, format string, args ...any) error {
	return &Error{Kind: k, said: wording.Errorf(format, args...)}
}

// In names the field that an error is about. A nil or foreign error is
// returned unchanged.
func In(field string, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	named := *e
	named.Field = field
	return &named
}

// KindOf returns the kind of err: KindInternal for an error of no kind, "" for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindInternal
}

// Sentence returns what outsiders may read of err, in English.
func Sentence(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Error()
	}
	return "internal error"
}

// SentenceZH returns what outsiders may read of err, in Chinese.
func SentenceZH(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.SentenceZH()
	}
	return "服务器内部错误"
}
