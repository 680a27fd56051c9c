package aliyun

import (
	"bytes"
	"strings"
)

// A Kind is what a topic is for [aliyun-device §4].
type Kind byte

// The kinds of topics. Those of functions that are not built yet are Other;
// they are the platform's all the same.
const (
	NotOurs          Kind = iota // no topic of this device
	Custom                       // /pk/dn/…: the users' own
	Broadcast                    // /broadcast/pk/…
	PropertyPost                 // thing/event/property/post
	EventPost                    // thing/event/{event}/post
	PropertySet                  // thing/service/property/set, down
	PropertySetReply             // thing/service/property/set_reply
	ServiceInvoke                // thing/service/{service}, down
	ServiceReply                 // thing/service/{service}_reply
	Reply                        // …_reply of another function
	Other                        // any other topic of the platform
	PropertyGet                  // thing/service/property/get, down
	PropertyGetReply             // thing/service/property/get_reply
	UpRaw                        // thing/model/up_raw: bytes of the device's own
	DownRaw                      // thing/model/down_raw, down
	DownRawReply                 // thing/model/down_raw_reply
	RRPCRequest                  // rrpc/request/{id}, down
	RRPCResponse                 // rrpc/response/{id}, or /ext/rrpc/{id}/… in either direction
	BroadcastRequest             // broadcast/request/{id}, down
)

// A Topic is a topic taken apart. Its parts alias what was parsed.
type Topic struct {
	Kind       Kind
	ProductKey []byte
	DeviceName []byte
	Name       []byte // event or service identifier, "" for others
	Path       []byte // behind pk and dn: "thing/event/property/post"
	Query      []byte // behind a question mark: "_rid=17…" [aliyun-device §2.8]
}

// maxTopicBytes and maxSlashes are the platform's bounds [aliyun-device §2.8];
// longer topics are still read, the caller may note it.
const (
	MaxTopicBytes = 128
	MaxSlashes    = 7
)

var (
	sysPrefix    = []byte("/sys/")
	postSuffix   = []byte("/post")
	replySuffix  = []byte("_reply")
	eventPath    = []byte("thing/event/")
	servicePath  = []byte("thing/service/")
	propertyWord = []byte("property")
	rrpcPath     = []byte("rrpc/")
	extRRPC      = []byte("/ext/rrpc/")
	rawPath      = []byte("thing/model/")
	castPath     = []byte("broadcast/request/")
)

// ParseTopic takes a topic apart; it allocates nothing.
func ParseTopic(topic []byte) Topic {
	var t Topic
	if i := bytes.IndexByte(topic, '?'); i >= 0 {
		topic, t.Query = topic[:i], topic[i+1:]
	}
	switch {
	case bytes.HasPrefix(topic, sysPrefix):
		if t.owner(topic[len(sysPrefix):]) {
			t.system()
		}
	case bytes.HasPrefix(topic, []byte("/broadcast/")):
		rest := topic[len("/broadcast/"):]
		if i := bytes.IndexByte(rest, '/'); i > 0 {
			t.Kind, t.ProductKey, t.Path = Broadcast, rest[:i], rest[i+1:]
		}
	case bytes.HasPrefix(topic, []byte("/ext/")), bytes.HasPrefix(topic, []byte("/ota/")), bytes.HasPrefix(topic, []byte("/shadow/")):
		t.Kind, t.Path = Other, topic[1:]
		t.ownerBehind(topic)
		if rest, ok := bytes.CutPrefix(topic, extRRPC); ok && len(t.DeviceName) > 0 {
			t.Kind = RRPCResponse
			t.Name, _, _ = bytes.Cut(rest, []byte("/"))
		}
	case len(topic) > 1 && topic[0] == '/':
		if t.owner(topic[1:]) {
			t.Kind = Custom
		}
	}
	return t
}

// owner splits "pk/dn/path".
func (t *Topic) owner(rest []byte) bool {
	i := bytes.IndexByte(rest, '/')
	if i <= 0 {
		return false
	}
	j := bytes.IndexByte(rest[i+1:], '/')
	if j <= 0 {
		return false
	}
	t.ProductKey, t.DeviceName, t.Path = rest[:i], rest[i+1:i+1+j], rest[i+j+2:]
	return len(t.Path) > 0
}

// ownerBehind finds pk and dn in the topics that carry them behind their
// function: /ota/device/inform/pk/dn, /ext/ntp/pk/dn/request, /shadow/update/pk/dn.
func (t *Topic) ownerBehind(topic []byte) {
	skip := 2
	switch {
	case bytes.HasPrefix(topic, []byte("/ota/")):
		skip = 3
	case bytes.HasPrefix(topic, []byte("/ext/rrpc/")):
		skip = 3
		if _, behind, _ := bytes.Cut(topic[len(extRRPC):], []byte("/")); bytes.HasPrefix(behind, sysPrefix[1:]) {
			skip = 4
		}
	}
	rest := topic[1:]
	for range skip {
		i := bytes.IndexByte(rest, '/')
		if i < 0 {
			return
		}
		rest = rest[i+1:]
	}
	pk, rest, _ := bytes.Cut(rest, []byte("/"))
	dn, _, _ := bytes.Cut(rest, []byte("/"))
	t.ProductKey, t.DeviceName = pk, dn
}

// system classifies what follows /sys/pk/dn/.
func (t *Topic) system() {
	t.Kind = Other
	switch {
	case bytes.HasPrefix(t.Path, eventPath):
		name, ok := bytes.CutSuffix(t.Path[len(eventPath):], postSuffix)
		switch {
		case !ok || len(name) == 0:
		case bytes.Equal(name, propertyWord):
			t.Kind = PropertyPost
		case bytes.IndexByte(name, '/') < 0:
			t.Kind, t.Name = EventPost, name
		}
	case bytes.HasPrefix(t.Path, servicePath):
		t.service(t.Path[len(servicePath):])
	case bytes.HasPrefix(t.Path, rrpcPath):
		t.rrpc(t.Path[len(rrpcPath):])
	case bytes.HasPrefix(t.Path, castPath):
		t.Kind, t.Name = BroadcastRequest, t.Path[len(castPath):]
	case bytes.HasPrefix(t.Path, rawPath):
		switch string(t.Path[len(rawPath):]) {
		case "up_raw":
			t.Kind = UpRaw
		case "down_raw":
			t.Kind = DownRaw
		case "down_raw_reply":
			t.Kind = DownRawReply
		}
	}
	if t.Kind == Other && bytes.HasSuffix(t.Path, replySuffix) {
		t.Kind = Reply
	}
}

func (t *Topic) rrpc(rest []byte) {
	way, id, ok := bytes.Cut(rest, []byte("/"))
	switch {
	case !ok || len(id) == 0 || bytes.IndexByte(id, '/') >= 0:
	case string(way) == "request":
		t.Kind, t.Name = RRPCRequest, id
	case string(way) == "response":
		t.Kind, t.Name = RRPCResponse, id
	}
}

func (t *Topic) service(name []byte) {
	switch string(name) {
	case "property/set":
		t.Kind = PropertySet
		return
	case "property/set_reply":
		t.Kind = PropertySetReply
		return
	case "property/get":
		t.Kind = PropertyGet
		return
	case "property/get_reply":
		t.Kind = PropertyGetReply
		return
	}
	if len(name) == 0 || bytes.IndexByte(name, '/') >= 0 {
		return
	}
	if base, ok := bytes.CutSuffix(name, replySuffix); ok {
		t.Kind, t.Name = ServiceReply, base
		return
	}
	t.Kind, t.Name = ServiceInvoke, name
}

// Function is the topic without its names: "thing/deviceinfo/update",
// "ext/ntp/request", "ota/device/inform", "shadow/update".
func (t Topic) Function() string {
	if len(t.ProductKey) == 0 || t.Kind != Other {
		return string(t.Path)
	}
	names := "/" + string(t.ProductKey) + "/" + string(t.DeviceName)
	before, behind, _ := strings.Cut(string(t.Path), names)
	return before + behind
}

// The topics of a device.
func sys(pk, dn, path string) string { return "/sys/" + pk + "/" + dn + "/" + path }

// PropertyPostTopic is where a device reports properties.
func PropertyPostTopic(pk, dn string) string { return sys(pk, dn, "thing/event/property/post") }

// PropertySetTopic is where a device is told to set properties.
func PropertySetTopic(pk, dn string) string { return sys(pk, dn, "thing/service/property/set") }

// EventPostTopic is where a device tells an event.
func EventPostTopic(pk, dn, event string) string {
	return sys(pk, dn, "thing/event/"+event+"/post")
}

// ServiceTopic is where a service of a device is called.
func ServiceTopic(pk, dn, service string) string { return sys(pk, dn, "thing/service/"+service) }

// MayUse reports whether a device may publish on or subscribe to a topic or
// filter: its own names in it, no wildcard in their place, or its product's
// broadcast. A missing leading slash is forgiven [aliyun-device §4.2].
func MayUse(filter, pk, dn string) bool {
	if i := strings.IndexByte(filter, '?'); i >= 0 {
		filter = filter[:i]
	}
	switch filter {
	case RegisterTopic, RegisterFreeTopic: // some stay subscribed to what told them their secret [aliyun-device §4.3]
		return true
	}
	levels := strings.Split(strings.TrimPrefix(filter, "/"), "/")
	if len(levels) < 3 {
		return false
	}
	at := func(i int) bool { return len(levels) > i+1 && levels[i] == pk && levels[i+1] == dn }
	switch levels[0] {
	case "sys":
		return at(1) && len(levels) > 3
	case "broadcast":
		return levels[1] == pk
	case "shadow":
		return at(2)
	case "ota":
		return at(3)
	case "ext":
		return extension(levels, pk, dn)
	}
	return at(0) && len(levels) > 2
}

// extension judges /ext/…: names behind the function, or no names at all.
func extension(levels []string, pk, dn string) bool {
	switch levels[1] {
	case "rrpc": // /ext/rrpc/#, /ext/rrpc/+/#, /ext/rrpc/+/…
		names := levels[min(len(levels), 3):]
		if len(names) > 0 && names[0] == "sys" {
			names = names[1:]
		}
		switch {
		case len(names) <= 1:
			return levels[len(levels)-1] == "#"
		case names[0] == pk && names[1] == "#":
			return len(names) == 2
		}
		return names[0] == pk && names[1] == dn
	case "network":
		return true
	}
	return len(levels) > 3 && levels[2] == pk && levels[3] == dn
}

// Nearest suggests the topic that somebody meant who used a wrong one, "" where
// nothing is near [aliyun-device §10 row 23].
func Nearest(topic, pk, dn string) string {
	switch {
	case strings.Contains(topic, "${"), strings.Contains(topic, "event/property/post"), strings.Contains(topic, "event.property.post"),
		strings.HasSuffix(topic, "property/post"), strings.HasSuffix(topic, "sys/post"):
		return PropertyPostTopic(pk, dn)
	case strings.Contains(topic, "property/set_reply"):
		return PropertySetTopic(pk, dn) + "_reply"
	case strings.Contains(topic, "property/set"):
		return PropertySetTopic(pk, dn)
	case strings.Contains(topic, "/user/"):
		return "/" + pk + "/" + dn + topic[strings.Index(topic, "/user/"):]
	}
	return ""
}
