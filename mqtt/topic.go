package mqtt

import (
	"strings"
	"unicode/utf8"

	"github.com/matou-iot/matou/internal/wording"
)

// Limits of topic names and filters.
const (
	// MaxTopicLength is the most bytes a topic name or filter may have: its
	// length is written in two bytes [MQTT3-4.7.3-3].
	MaxTopicLength = 65535
	// MaxTopicLevels is the most levels we take. The specification knows no
	// limit; without one, a filter of 65,535 slashes would cost a subscription
	// tree as many nodes.
	MaxTopicLevels = 200
)

// sharePrefix begins the filter of a shared subscription [MQTT5 §4.8.2].
const sharePrefix = "$share/"

// A TopicError says why a topic name or filter cannot be used. errors.Is sees
// its Reason, TopicNameInvalid or TopicFilterInvalid.
type TopicError struct {
	Clause string // "MQTT3-4.7.1-2"
	Detail string // a sentence for people, without the topic itself
	Reason ReasonCode
}

func (e *TopicError) Error() string {
	return "mqtt: " + reasonNames[e.Reason] + " [" + e.Clause + "]: " + e.Detail
}

// Wording is what the sentence was made of.
func (e *TopicError) Wording() error {
	return wording.Errorf("mqtt: %s [%s]: %s", wording.Term(reasonNames[e.Reason]), e.Clause, wording.Term(e.Detail))
}

// Unwrap makes errors.Is(err, mqtt.TopicFilterInvalid) work.
func (e *TopicError) Unwrap() error { return e.Reason }

// ValidTopicName reports whether s may be published to: not empty, UTF-8
// without U+0000, at most MaxTopicLength bytes and MaxTopicLevels levels, no
// wildcard. The error is a *TopicError that wraps TopicNameInvalid.
func ValidTopicName(s string) error {
	if err := validTopic(s, TopicNameInvalid); err != nil {
		return err
	}
	if HasWildcard(s) {
		return &TopicError{"MQTT3-4.7.1-1", "a topic name holds no wildcard, neither + nor #", TopicNameInvalid}
	}
	return nil
}

// ValidFilter reports whether s may be subscribed to: what ValidTopicName
// asks, except that whole levels may be + and the last one #. A filter that
// begins with "$share/" must be a shared subscription [MQTT5 §4.8.2]. The
// error is a *TopicError that wraps TopicFilterInvalid.
func ValidFilter(s string) error {
	if err := validTopic(s, TopicFilterInvalid); err != nil {
		return err
	}
	if strings.HasPrefix(s, sharePrefix) {
		_, rest, ok := SplitShared(s)
		if !ok {
			return &TopicError{"MQTT5-4.8.2-2", "a shared subscription is $share/NAME/FILTER, the name neither empty nor with a wildcard", TopicFilterInvalid}
		}
		s = rest
	}
	return validWildcards(s)
}

// validTopic holds what names and filters have in common [MQTT3 §4.7.3].
func validTopic(s string, reason ReasonCode) error {
	switch {
	case s == "":
		return &TopicError{"MQTT3-4.7.3-1", "it is empty, but at least one character is needed", reason}
	case len(s) > MaxTopicLength:
		return &TopicError{"MQTT3-4.7.3-3", "it is longer than 65535 bytes", reason}
	case !utf8.ValidString(s):
		return &TopicError{"MQTT3-1.5.3-1", "it is not UTF-8", reason}
	case strings.IndexByte(s, 0) >= 0:
		return &TopicError{"MQTT3-4.7.3-2", "it holds the null character", reason}
	case Levels(s) > MaxTopicLevels:
		return &TopicError{"MQTT3 §4.7.1.1", "it has more than 200 levels", reason}
	}
	return nil
}

// validWildcards checks the places of + and # [MQTT3-4.7.1-2] [MQTT3-4.7.1-3].
func validWildcards(s string) error {
	for rest, more := s, true; more; {
		var level string
		level, rest, more = strings.Cut(rest, "/")
		if len(level) < 2 && (level != "#" || !more) {
			continue
		}
		if strings.Contains(level, "#") {
			return &TopicError{"MQTT3-4.7.1-2", "# stands alone in the last level, nowhere else", TopicFilterInvalid}
		}
		if strings.Contains(level, "+") {
			return &TopicError{"MQTT3-4.7.1-3", "+ stands alone in its level", TopicFilterInvalid}
		}
	}
	return nil
}

// HasWildcard reports whether s holds + or #.
func HasWildcard(s string) bool {
	return strings.IndexByte(s, '+') >= 0 || strings.IndexByte(s, '#') >= 0
}

// Levels is the number of levels of a topic name or filter: one more than it
// has slashes.
func Levels(s string) int { return strings.Count(s, "/") + 1 }

// SplitShared splits the filter of a shared subscription,
// "$share/group/rest" [MQTT5 §4.8.2]. ok is false where filter is none, or
// lacks its group or rest; rest is not checked: see ValidFilter.
func SplitShared(filter string) (group, rest string, ok bool) {
	after, ok := strings.CutPrefix(filter, sharePrefix)
	if !ok {
		return "", "", false
	}
	group, rest, ok = strings.Cut(after, "/")
	if !ok || group == "" || rest == "" || HasWildcard(group) {
		return "", "", false
	}
	return group, rest, true
}

// Match reports whether the topic name falls under the filter [MQTT3 §4.7].
// "a/#" matches "a" too [MQTT3 §4.7.1.2]; a filter that begins with a wildcard
// never matches a name that begins with $ [MQTT3-4.7.2-1]. Both are taken as
// valid, and a shared subscription must be split first. It allocates nothing.
func Match(filter, topic string) bool {
	if strings.HasPrefix(topic, "$") && (strings.HasPrefix(filter, "+") || strings.HasPrefix(filter, "#")) {
		return false
	}
	for {
		f, restFilter, moreFilter := strings.Cut(filter, "/")
		if f == "#" {
			return true
		}
		t, restTopic, moreTopic := strings.Cut(topic, "/")
		if f != "+" && f != t {
			return false
		}
		if !moreTopic {
			return !moreFilter || restFilter == "#"
		}
		if !moreFilter {
			return false
		}
		filter, topic = restFilter, restTopic
	}
}
