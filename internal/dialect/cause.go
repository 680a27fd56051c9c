package dialect

import (
	"errors"
	"strings"
)

// Cause is what is wrong with a message, without the name of the package that
// found it.
func Cause(err error) string {
	text := err.Error()
	for _, room := range []string{"onenet: ", "aliyun: ", "thing: "} {
		text = strings.TrimPrefix(text, room)
	}
	return text
}

// CauseZH is the same in Chinese: by the error itself where it knows, else by
// the dialect's table.
func CauseZH(err error, table map[error]string) string {
	if e, ok := errors.AsType[interface {
		error
		SentenceZH() string
	}](err); ok {
		return e.SentenceZH()
	}
	for known, zh := range table {
		if errors.Is(err, known) {
			return zh
		}
	}
	return Cause(err)
}
