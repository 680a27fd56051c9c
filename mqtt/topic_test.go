package mqtt

import (
	"errors"
	"strings"
	"testing"
)

func TestValidTopicName(t *testing.T) {
	for _, tt := range []struct {
		name   string
		topic  string
		clause string // empty: valid
	}{
		{"Alink", "/sys/a1/dev/thing/event/property/post", ""},
		{"OneNET", "$sys/p/d/thing/property/post", ""},
		{"one slash is two empty levels [MQTT3 §4.7.3]", "/", ""},
		{"spaces and Chinese", "温度/室 内", ""},
		{"U+FFFF is a character like others", "\uffff", ""},
		{"empty [MQTT3-4.7.3-1] [MQTT5-4.7.3-1]", "", "MQTT3-4.7.3-1"},
		{"null character [MQTT3-4.7.3-2] [MQTT5-4.7.3-2]", "a\x00b", "MQTT3-4.7.3-2"},
		{"the longest [MQTT3-4.7.3-3]", strings.Repeat("x", 65535), ""},
		{"one byte too long [MQTT3-4.7.3-3] [MQTT5-4.7.3-3]", strings.Repeat("x", 65536), "MQTT3-4.7.3-3"},
		{"plus [MQTT3-4.7.1-1] [MQTT5-4.7.0-1]", "a/+", "MQTT3-4.7.1-1"},
		{"hash [MQTT3-4.7.1-1]", "a#", "MQTT3-4.7.1-1"},
		{"cut-off UTF-8 [MQTT3-1.5.3-1]", "a\xe6\xb8", "MQTT3-1.5.3-1"},
		{"surrogate [MQTT3-1.5.3-1]", "a\xed\xa0\x80", "MQTT3-1.5.3-1"},
		{"200 levels", strings.Repeat("/", 199), ""},
		{"201 levels", strings.Repeat("/", 200), "MQTT3 §4.7.1.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checkTopicError(t, ValidTopicName(tt.topic), tt.clause, TopicNameInvalid)
		})
	}
}

func TestValidFilter(t *testing.T) {
	for _, tt := range []struct {
		name   string
		filter string
		clause string
	}{
		{"exact", "a/b", ""},
		{"everything", "#", ""},
		{"one level", "+", ""},
		{"each level", "+/+/+", ""},
		{"leading slash", "/+", ""},
		{"all below", "a/b/#", ""},
		{"both wildcards", "+/b/#", ""},
		{"empty levels", "//", ""},
		{"empty [MQTT3-4.7.3-1]", "", "MQTT3-4.7.3-1"},
		{"hash not last [MQTT3-4.7.1-2] [MQTT5-4.7.1-1]", "a/#/b", "MQTT3-4.7.1-2"},
		{"hash before a slash [MQTT3-4.7.1-2]", "#/", "MQTT3-4.7.1-2"},
		{"hash not alone [MQTT3-4.7.1-2]", "a/b#", "MQTT3-4.7.1-2"},
		{"two hashes [MQTT3-4.7.1-2]", "##", "MQTT3-4.7.1-2"},
		{"plus not alone [MQTT3-4.7.1-3] [MQTT5-4.7.1-2]", "a+/b", "MQTT3-4.7.1-3"},
		{"plus before text [MQTT3-4.7.1-3]", "a/+b", "MQTT3-4.7.1-3"},
		{"shared [MQTT5-4.8.2-1]", "$share/g/a/+", ""},
		{"shared by all [MQTT5-4.8.2-1]", "$share/g/#", ""},
		{"shared without a name [MQTT5-4.8.2-1]", "$share//a", "MQTT5-4.8.2-2"},
		{"shared without a filter [MQTT5-4.8.2-2]", "$share/g", "MQTT5-4.8.2-2"},
		{"shared with an empty filter [MQTT5-4.8.2-2]", "$share/g/", "MQTT5-4.8.2-2"},
		{"wildcard in the share name [MQTT5-4.8.2-2]", "$share/+/a", "MQTT5-4.8.2-2"},
		{"shared, hash not last [MQTT3-4.7.1-2]", "$share/g/#/a", "MQTT3-4.7.1-2"},
		{"$share alone is a filter like others", "$share", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checkTopicError(t, ValidFilter(tt.filter), tt.clause, TopicFilterInvalid)
		})
	}
}

func checkTopicError(t *testing.T, err error, clause string, reason ReasonCode) {
	t.Helper()
	if clause == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	var te *TopicError
	if !errors.As(err, &te) {
		t.Fatalf("error is %v, want a *TopicError", err)
	}
	if te.Clause != clause || !errors.Is(err, reason) {
		t.Errorf("got %v (reason %v), want clause %s and reason %v", err, te.Reason, clause, reason)
	}
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		filter, topic string
		want          bool
	}{
		// [MQTT3 §4.7.1.2]
		{"sport/tennis/player1/#", "sport/tennis/player1", true},
		{"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
		{"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
		{"sport/tennis/player1/#", "sport/tennis/player11", false},
		{"sport/#", "sport", true},
		{"sport/#", "sport/", true},
		{"#", "sport", true},
		{"#", "/", true},
		// [MQTT3 §4.7.1.3]
		{"sport/tennis/+", "sport/tennis/player1", true},
		{"sport/tennis/+", "sport/tennis/player1/ranking", false},
		{"sport/+", "sport", false},
		{"sport/+", "sport/", true},
		{"+/+", "/finance", true},
		{"/+", "/finance", true},
		{"+", "/finance", false},
		{"+/#", "/finance", true},
		{"+/#", "finance", true},
		{"+/b/#", "a/b", true},
		{"+/b/#", "a/c", false},
		// exact, case counts [MQTT3 §4.7.3]
		{"a/b", "a/b", true},
		{"a/b", "a/B", false},
		{"a", "/a", false},
		{"a/b", "a", false},
		{"a", "a/b", false},
		{"a/", "a", false},
		// [MQTT3-4.7.2-1] [MQTT5-4.7.2-1]
		{"#", "$SYS/x", false},
		{"+/monitor/Clients", "$SYS/monitor/Clients", false},
		{"+/#", "$SYS", false},
		{"$SYS/#", "$SYS/x", true},
		{"$SYS/#", "$SYS", true},
		{"$SYS/+", "$SYS/x", true},
		{"a/+", "a/$SYS", true},
	} {
		if got := Match(tt.filter, tt.topic); got != tt.want {
			t.Errorf("[MQTT3 §4.7] Match(%q, %q) = %v", tt.filter, tt.topic, got)
		}
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { Match("/sys/+/+/thing/#", "/sys/a/b/thing/event/property/post") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestSplitShared(t *testing.T) {
	for _, tt := range []struct {
		filter, group, rest string
		ok                  bool
	}{
		{"$share/g/a/b", "g", "a/b", true},
		{"$share/g//a", "g", "/a", true},
		{"$share/g/#", "g", "#", true},
		{"$share/g", "", "", false},
		{"$share/g/", "", "", false},
		{"$share//a", "", "", false},
		{"$share/#/a", "", "", false},
		{"$shared/g/a", "", "", false},
		{"a/b", "", "", false},
	} {
		group, rest, ok := SplitShared(tt.filter)
		if group != tt.group || rest != tt.rest || ok != tt.ok {
			t.Errorf("[MQTT5-4.8.2-1] SplitShared(%q) = %q, %q, %v", tt.filter, group, rest, ok)
		}
	}
}

// FuzzMatch holds Match against the definition read level by level.
func FuzzMatch(f *testing.F) {
	f.Add("a/+/#", "a/b")
	f.Add("#", "$SYS")
	f.Add("+/b/#", "/b/c")
	f.Fuzz(func(t *testing.T, filter, topic string) {
		if ValidFilter(filter) != nil || ValidTopicName(topic) != nil {
			return
		}
		if got, want := Match(filter, topic), matchLevels(filter, topic); got != want {
			t.Errorf("Match(%q, %q) = %v, want %v", filter, topic, got, want)
		}
		if !HasWildcard(filter) && Match(filter, topic) != (filter == topic) {
			t.Errorf("%q without wildcard matches otherwise than by equality: %q", filter, topic)
		}
	})
}

func matchLevels(filter, topic string) bool {
	fs, ts := strings.Split(filter, "/"), strings.Split(topic, "/")
	if topic[0] == '$' && (fs[0] == "+" || fs[0] == "#") {
		return false
	}
	for i, f := range fs {
		if f == "#" {
			return true
		}
		if i == len(ts) || f != "+" && f != ts[i] {
			return false
		}
	}
	return len(fs) == len(ts)
}
