package onenet

import (
	"bytes"
	"strings"
)

// A Kind is what a topic is for [onenet §3.2].
type Kind byte

// The kinds of topics. Those of functions that are not built yet are Other.
const (
	NotOurs            Kind = iota // no $sys topic at all
	PropertyPost                   // thing/property/post
	PropertySet                    // thing/property/set, down
	PropertySetReply               // thing/property/set_reply
	PropertyGetReply               // thing/property/get_reply
	EventPost                      // thing/event/post
	ServiceInvoke                  // thing/service/{identifier}/invoke, down
	ServiceInvokeReply             // thing/service/{identifier}/invoke_reply
	Other                          // any other topic of the platform
	Unknown                        // below $sys/pid/dev, but nothing the platform knows
)

// A Topic is a topic taken apart. Its parts alias what was parsed.
type Topic struct {
	Kind      Kind
	ProductID []byte
	Device    []byte
	Name      []byte // service identifier
	Path      []byte // behind the device's name: "thing/property/post"
}

var sysPrefix = []byte("$sys/")

// ParseTopic takes a topic apart; it allocates nothing.
func ParseTopic(topic []byte) Topic {
	var t Topic
	rest, ok := bytes.CutPrefix(topic, sysPrefix)
	if !ok {
		return t
	}
	i := bytes.IndexByte(rest, '/')
	if i <= 0 {
		return t
	}
	j := bytes.IndexByte(rest[i+1:], '/')
	if j <= 0 {
		return t
	}
	t.ProductID, t.Device, t.Path = rest[:i], rest[i+1:i+1+j], rest[i+j+2:]
	switch string(t.Path) {
	case "thing/property/post":
		t.Kind = PropertyPost
	case "thing/property/set":
		t.Kind = PropertySet
	case "thing/property/set_reply":
		t.Kind = PropertySetReply
	case "thing/property/get_reply":
		t.Kind = PropertyGetReply
	case "thing/event/post":
		t.Kind = EventPost
	default:
		t.classify()
	}
	return t
}

var (
	servicePath = []byte("thing/service/")
	families    = [...]string{
		"thing/property/get", "thing/property/desired/", "thing/pack/", "thing/history/", "thing/sub/", "custome/", "ota/",
		"dp/", "cmd/", "image/", "thing/property/post/reply", "thing/event/post/reply",
	}
)

func (t *Topic) classify() {
	if rest, ok := bytes.CutPrefix(t.Path, servicePath); ok {
		if name, ok := bytes.CutSuffix(rest, []byte("/invoke")); ok && plainLevel(name) {
			t.Kind, t.Name = ServiceInvoke, name
			return
		}
		if name, ok := bytes.CutSuffix(rest, []byte("/invoke_reply")); ok && plainLevel(name) {
			t.Kind, t.Name = ServiceInvokeReply, name
			return
		}
	}
	t.Kind = Unknown
	for _, f := range families {
		if len(t.Path) >= len(f) && string(t.Path[:len(f)]) == f {
			t.Kind = Other
			return
		}
	}
}

func plainLevel(name []byte) bool { return len(name) > 0 && bytes.IndexByte(name, '/') < 0 }

func sys(pid, dev, path string) string { return "$sys/" + pid + "/" + dev + "/" + path }

// PropertyPostTopic is where a device reports properties.
func PropertyPostTopic(pid, dev string) string { return sys(pid, dev, "thing/property/post") }

// PropertySetTopic is where a device is told to set properties.
func PropertySetTopic(pid, dev string) string { return sys(pid, dev, "thing/property/set") }

// EventPostTopic is where a device tells events.
func EventPostTopic(pid, dev string) string { return sys(pid, dev, "thing/event/post") }

// ServiceTopic is where a service of a device is called.
func ServiceTopic(pid, dev, service string) string {
	return sys(pid, dev, "thing/service/"+service+"/invoke")
}

// MayUse reports whether a device may subscribe to a filter: below its own
// $sys/pid/dev only [onenet §1.5].
func MayUse(filter, pid, dev string) bool {
	base := sys(pid, dev, "")
	return strings.HasPrefix(filter, base) && len(filter) > len(base)
}

// Nearest suggests the topic that somebody meant who used a wrong one, "" where
// nothing is near [onenet §10 row 20].
func Nearest(topic, pid, dev string) string {
	for _, n := range []struct{ sign, path string }{
		{"set/reply", "thing/property/set_reply"}, {"set_reply", "thing/property/set_reply"}, {"get/reply", "thing/property/get_reply"},
		{"event/property/post", "thing/property/post"}, {"property/post", "thing/property/post"}, {"property.post", "thing/property/post"},
		{"property/set", "thing/property/set"}, {"event", "thing/event/post"}, {"dp/post", "dp/post/json"},
	} {
		if strings.Contains(topic, n.sign) {
			return sys(pid, dev, n.path)
		}
	}
	return ""
}
