package onenet

import (
	"fmt"
	"strings"
)

// A Kind is what a topic is for [onenet §3.2].
type Kind byte

// The kinds of topics. "Up" is what a device publishes, "down" what it
// subscribes to. Functions that are not built yet are recognised by family.
const (
	NotOurs            Kind = iota // no $sys topic of a device at all
	Unknown                        // below $sys/pid/dev, but nothing the platform knows
	PropertyPost                   // up: thing/property/post
	PropertyPostReply              // down: thing/property/post/reply
	PropertySet                    // down: thing/property/set
	PropertySetReply               // up: thing/property/set_reply
	PropertyGet                    // down: thing/property/get
	PropertyGetReply               // up: thing/property/get_reply
	EventPost                      // up: thing/event/post
	EventPostReply                 // down: thing/event/post/reply
	ServiceInvoke                  // down: thing/service/{identifier}/invoke
	ServiceInvokeReply             // up: thing/service/{identifier}/invoke_reply
	Desired                        // thing/property/desired/…
	Pack                           // thing/pack/…, thing/history/…
	SubDevice                      // thing/sub/…
	OTA                            // ota/…
	Raw                            // custome/… (sic)
	DataPoint                      // dp/…: products of data streams [onenet §4.1]
	Command                        // cmd/… [onenet §4.2]
	Image                          // image/… [onenet §4.3]
	SubdevLogin                    // up: $subdev/…/login [onenet §4.4]
	SubdevLogout                   // up: $subdev/…/logout
)

// Up reports whether devices publish on topics of the kind. Families that are
// not built yet count as up: what a device may publish there is not judged.
func (k Kind) Up() bool {
	switch k {
	case PropertyPost, PropertySetReply, PropertyGetReply, EventPost, ServiceInvokeReply,
		Desired, Pack, SubDevice, OTA, Raw, DataPoint, Command, Image, SubdevLogin, SubdevLogout:
		return true
	}
	return false
}

// Streams reports whether the kind belongs to products of data streams; the
// platform keeps them from products with a thing model [onenet §1.5].
func (k Kind) Streams() bool { return k >= DataPoint && k <= SubdevLogout }

// Thing reports whether the kind belongs to products with a thing model.
func (k Kind) Thing() bool { return k >= PropertyPost && k <= SubDevice }

// A Topic is a topic taken apart. Its parts alias what was parsed.
type Topic struct {
	Kind      Kind
	Sub       bool // of a sub-device of the first generation, $subdev/…
	ProductID []byte
	Device    []byte
	Name      []byte // service identifier
	Path      []byte // behind the device's name: "thing/property/post"
}

// parts is Topic for either kind of text.
type parts[T string | []byte] struct {
	kind               Kind
	sub                bool
	product, dev, path T
	name               T
}

// ParseTopic takes a topic apart; it allocates nothing.
func ParseTopic(topic []byte) Topic {
	p := parse(topic)
	return Topic{p.kind, p.sub, p.product, p.dev, p.name, p.path}
}

// A TopicName is a Topic of strings.
type TopicName struct {
	Kind      Kind
	Sub       bool // as in Topic
	ProductID string
	Device    string
	Name      string // service identifier
	Path      string // behind the device's name: "thing/property/post"
}

// ParseTopicName takes a topic apart; it allocates nothing.
func ParseTopicName(topic string) TopicName {
	p := parse(topic)
	return TopicName{p.kind, p.sub, p.product, p.dev, p.name, p.path}
}

const (
	sysPrefix    = "$sys/"
	subdevPrefix = "$subdev/"
)

func parse[T string | []byte](topic T) (p parts[T]) {
	var rest T
	switch {
	case len(topic) >= len(sysPrefix) && string(topic[:len(sysPrefix)]) == sysPrefix:
		rest = topic[len(sysPrefix):]
	case len(topic) >= len(subdevPrefix) && string(topic[:len(subdevPrefix)]) == subdevPrefix:
		rest, p.sub = topic[len(subdevPrefix):], true
	default:
		return p
	}
	i := slash(rest)
	if i <= 0 {
		return p
	}
	j := slash(rest[i+1:])
	if j <= 0 {
		return p
	}
	p.product, p.dev, p.path = rest[:i], rest[i+1:i+1+j], rest[i+j+2:]
	if p.sub {
		p.kind = classifySub(p.path)
		return p
	}
	p.kind, p.name = classify(p.path)
	return p
}

// slash is the index of the first slash, -1 for none.
func slash[T string | []byte](s T) int {
	for i := range len(s) {
		if s[i] == '/' {
			return i
		}
	}
	return -1
}

// families are prefixes behind the device's name, the longer ones first.
var families = [...]struct {
	prefix string
	kind   Kind
}{
	{"thing/property/desired/", Desired}, {"thing/pack/post", Pack}, {"thing/history/post", Pack}, {"thing/sub/", SubDevice},
	{"ota/", OTA}, {"custome/", Raw}, {"dp/post/", DataPoint}, {"cmd/", Command}, {"image/", Image},
}

const servicePath = "thing/service/"

func classify[T string | []byte](path T) (k Kind, name T) {
	switch string(path) {
	case "thing/property/post":
		return PropertyPost, name
	case "thing/property/post/reply":
		return PropertyPostReply, name
	case "thing/property/set":
		return PropertySet, name
	case "thing/property/set_reply":
		return PropertySetReply, name
	case "thing/property/get":
		return PropertyGet, name
	case "thing/property/get_reply":
		return PropertyGetReply, name
	case "thing/event/post":
		return EventPost, name
	case "thing/event/post/reply":
		return EventPostReply, name
	}
	if len(path) > len(servicePath) && string(path[:len(servicePath)]) == servicePath {
		return serviceKind(path[len(servicePath):])
	}
	for _, f := range families {
		if len(path) >= len(f.prefix) && string(path[:len(f.prefix)]) == f.prefix {
			return f.kind, name
		}
	}
	return Unknown, name
}

// serviceKind reads {identifier}/invoke and {identifier}/invoke_reply.
func serviceKind[T string | []byte](rest T) (Kind, T) {
	var none T
	i := slash(rest)
	if i <= 0 {
		return Unknown, none
	}
	switch string(rest[i+1:]) {
	case "invoke":
		return ServiceInvoke, rest[:i]
	case "invoke_reply":
		return ServiceInvokeReply, rest[:i]
	}
	return Unknown, none
}

func sys(pid, dev, path string) string { return sysPrefix + pid + "/" + dev + "/" + path }

// PropertyPostTopic is where a device reports properties.
func PropertyPostTopic(pid, dev string) string { return sys(pid, dev, "thing/property/post") }

// PropertySetTopic is where a device is told to set properties.
func PropertySetTopic(pid, dev string) string { return sys(pid, dev, "thing/property/set") }

// EventPostTopic is where a device tells events.
func EventPostTopic(pid, dev string) string { return sys(pid, dev, "thing/event/post") }

// ServiceTopic is where a service of a device is called.
func ServiceTopic(pid, dev, service string) string {
	return sys(pid, dev, servicePath+service+"/invoke")
}

// AppendReplyTopic appends where a request on topic is answered: the platform
// answers on …/reply, a device on …_reply [onenet §3.2]. It reports false for a
// topic whose requests this package does not know.
func AppendReplyTopic(dst, topic []byte) ([]byte, bool) {
	dst = append(dst, topic...)
	t := ParseTopic(topic)
	switch t.Kind {
	case Desired:
		if path := string(t.Path); path != "thing/property/desired/get" && path != "thing/property/desired/delete" {
			break
		}
		return append(dst, "/reply"...), true
	case PropertyPost, EventPost, Pack:
		return append(dst, "/reply"...), true
	case SubDevice:
		return append(dst, "/reply"...), true
	case PropertySet, PropertyGet, ServiceInvoke:
		return append(dst, "_reply"...), true
	}
	return dst[:len(dst)-len(topic)], false
}

// MayUse reports whether a device may subscribe to a filter: below its own
// $sys/{pid}/{dev}, whose names it has to write out, and in a family that the
// platform has [onenet §1.5].
//
// Those of a sub-device, below its own $subdev/{pid}/{dev}, are its gateway's to
// subscribe to; this judges them by the sub-device's names.
func MayUse(filter, pid, dev string) bool {
	if pid == "" || dev == "" {
		return false
	}
	if rest, ok := strings.CutPrefix(filter, SubdevTopic(pid, dev, "")); ok {
		return mayUseSub(rest)
	}
	rest, ok := strings.CutPrefix(filter, sys(pid, dev, ""))
	if !ok {
		return false
	}
	first, _, _ := strings.Cut(rest, "/")
	switch first {
	case "#", "+", "thing", "ota", "custome", "dp", "cmd", "image":
		return true
	}
	return false
}

// FamilyOf is the family that a filter of a device asks for, NotOurs for one
// that names none.
func FamilyOf(filter string) Kind {
	path := ParseTopicName(filter).Path
	switch first, _, _ := strings.Cut(path, "/"); first {
	case "dp":
		return DataPoint
	case "cmd":
		return Command
	case "image":
		return Image
	case "ota":
		return OTA
	case "custome":
		return Raw
	case "thing":
		return PropertyPost
	case "login", "logout":
		return SubdevLogin
	}
	return NotOurs
}

// The bounds of the platform's broker [onenet §1.5]. It closes the connection
// over them; lenient products only note it.
const (
	MaxTopicLevels  = 8
	MaxFilterBytes  = 512
	MaxFilters      = 8 // of one SUBSCRIBE
	MaxPayloadBytes = 256 << 10
)

// A TopicError is what CheckTopic finds; one of its members is set.
type TopicError struct {
	Levels int  // more than MaxTopicLevels
	Bytes  int  // of a filter, more than MaxFilterBytes
	Char   rune // that stands in no topic
}

// Error is a sentence about it.
func (e *TopicError) Error() string {
	switch {
	case e.Levels > 0:
		return fmt.Sprintf("onenet: %d levels are more than %d", e.Levels, MaxTopicLevels)
	case e.Bytes > 0:
		return fmt.Sprintf("onenet: a filter of %d bytes is longer than %d", e.Bytes, MaxFilterBytes)
	}
	return fmt.Sprintf("onenet: %q is not allowed in a topic", e.Char)
}

// SentenceZH is Error in Chinese.
func (e *TopicError) SentenceZH() string {
	switch {
	case e.Levels > 0:
		return fmt.Sprintf("topic 有 %d 级，超过 %d 级", e.Levels, MaxTopicLevels)
	case e.Bytes > 0:
		return fmt.Sprintf("过滤器有 %d 字节，超过 %d 字节", e.Bytes, MaxFilterBytes)
	}
	return fmt.Sprintf("topic 中不允许出现 %q", e.Char)
}

// CheckTopic finds what the platform's broker would not take in the text of a
// topic, or of a filter: too many levels, other characters than
// [A-Za-z0-9/_-] and $.
func CheckTopic(s string, filter bool) error {
	if n := strings.Count(s, "/") + 1; n > MaxTopicLevels {
		return &TopicError{Levels: n}
	}
	if filter && len(s) > MaxFilterBytes {
		return &TopicError{Bytes: len(s)}
	}
	for _, c := range s {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '/', c == '_', c == '-', c == '$':
		case filter && (c == '+' || c == '#'):
		default:
			return &TopicError{Char: c}
		}
	}
	return nil
}
