// Package wording keeps what is said to people as the format and the arguments
// it was made of, so that it can be said in Chinese as well as in English. The
// Chinese formats are a catalogue: a file a room, zh_ROOM.go, from the English
// format to the Chinese one with the same verbs. A test walks the source and
// names every sentence that has none, and every entry that nobody says.
//
// The package knows no languages of requests, no errors' kinds and no places:
// whoever makes an error says it in English, and whoever shows it chooses.
package wording

import (
	"errors"
	"fmt"
	"strings"
)

// An Error is an error that remembers what its sentence was made of.
type Error struct {
	format string
	args   []any
	err    error
}

// Errorf is fmt.Errorf for errors that people read: %w wraps. What format says
// has to be in the catalogue.
func Errorf(format string, args ...any) error {
	return &Error{format, args, fmt.Errorf(format, args...)}
}

// Error is the English sentence.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap returns what leads to the errors underneath.
func (e *Error) Unwrap() error { return e.err }

// A Term is an argument that is a word of ours rather than a name or a number:
// Chinese has another for it.
type Term string

// An inBoth is an error whose maker said it in both languages.
type inBoth struct{ en, zh string }

// InBoth is an error of two sentences, for what was said in both languages
// where it was found.
func InBoth(en, zh string) error { return &inBoth{en, zh} }

func (e *inBoth) Error() string      { return e.en }
func (e *inBoth) SentenceZH() string { return e.zh }

// Chinese is an error's sentence in Chinese. A type of errors says what it is
// made of by a method Wording() error, or its Chinese by SentenceZH() string.
// What others say stays as it came, also in the middle of a sentence of ours,
// but for what Go's own packages say of files that people give us.
func Chinese(err error) string {
	if err == nil {
		return ""
	}
	switch e := err.(type) {
	case *Error:
		return say(e.format, e.args)
	case interface{ SentenceZH() string }:
		return e.SentenceZH()
	case interface{ Wording() error }:
		return Chinese(e.Wording())
	}
	if zh := standard(err); zh != "" {
		return zh
	}
	text := err.Error()
	if zh, ok := catalogue()[text]; ok {
		return zh
	}
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		return joined(text, all.Unwrap())
	}
	if below := errors.Unwrap(err); below != nil {
		if before, ok := strings.CutSuffix(text, below.Error()); ok {
			return before + Chinese(below)
		}
	}
	return text
}

// joined says what errors.Join put together, a line each; text is what another
// kind of list says.
func joined(text string, all []error) string {
	english, chinese := make([]string, len(all)), make([]string, len(all))
	for i, err := range all {
		english[i], chinese[i] = err.Error(), Chinese(err)
	}
	if strings.Join(english, "\n") != text {
		return text
	}
	return strings.Join(chinese, "\n")
}

// bare makes a format that has only verbs Chinese.
var bare = strings.NewReplacer("%w", "%v", ": ", "：", "; ", "；")

// say fills the Chinese format; where there is none, for it has only verbs,
// the English one.
func say(format string, args []any) string {
	zh, ok := catalogue()[format]
	if !ok {
		zh = bare.Replace(format)
	}
	said := make([]any, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case error:
			said[i] = Chinese(a)
		case Term:
			said[i] = string(a)
			if word, ok := catalogue()[string(a)]; ok {
				said[i] = word
			}
		default:
			said[i] = a
		}
	}
	return fmt.Sprintf(zh, said...)
}
