package httpapi

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/wording"
)

// A language is one in which people are told why something was refused.
type language string

// The languages, by their tags [RFC 5646].
const (
	english language = "en"
	chinese language = "zh"
)

// maxRanges is how many languages of a request are looked at; what stands
// behind them is not read.
const maxRanges = 32

type languageKey struct{}

// withLanguage finds out once which language the caller reads. A page cannot
// choose the headers of a WebSocket or of an event stream: there, lang in the
// query stands for this one.
func withLanguage(r *http.Request) *http.Request {
	l := preferred(r.Header.Values("Accept-Language"))
	if live := r.Header.Get("Upgrade") != "" || r.Header.Get("Accept") == "text/event-stream"; live && r.URL.RawQuery != "" {
		if asked := r.URL.Query().Get("lang"); asked != "" {
			l = preferred([]string{asked})
		}
	}
	return r.WithContext(context.WithValue(r.Context(), languageKey{}, l))
}

// languageIn is the caller's language.
func languageIn(ctx context.Context) language {
	if l, ok := ctx.Value(languageKey{}).(language); ok {
		return l
	}
	return english
}

// preferred is the language of ours that Accept-Language likes best, English
// where it names none [RFC 9110 §12.5.4].
func preferred(header []string) language {
	best, weight := english, 0.0
	ranges := 0
	for _, line := range header {
		for part := range strings.SplitSeq(line, ",") {
			if ranges++; ranges > maxRanges {
				return best
			}
			tag, q := weighed(part)
			l := english
			switch main, _, _ := strings.Cut(tag, "-"); strings.ToLower(main) {
			case "zh":
				l = chinese
			case "en", "*":
			default:
				continue
			}
			if q > weight {
				best, weight = l, q
			}
		}
	}
	return best
}

// weighed reads zh-CN;q=0.9. What is no weight counts as none at all.
func weighed(part string) (tag string, q float64) {
	tag, parameters, weighted := strings.Cut(part, ";")
	tag = strings.TrimSpace(tag)
	if !weighted {
		return tag, 1
	}
	name, value, _ := strings.Cut(parameters, "=")
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if !strings.EqualFold(strings.TrimSpace(name), "q") || err != nil || !(q >= 0 && q <= 1) {
		return tag, 0
	}
	return tag, q
}

// sentence is what the caller may read of an error.
func (l language) sentence(err error) string {
	if l == chinese {
		return fault.SentenceZH(err)
	}
	return fault.Sentence(err)
}

// all is the whole of an error that is no secret to the caller.
func (l language) all(err error) string {
	if l == chinese {
		return wording.Chinese(err)
	}
	return err.Error()
}
