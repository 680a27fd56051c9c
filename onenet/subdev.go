package onenet

import "strings"

// MaxSubdevs is how many sub-devices of the first generation a gateway carries
// at a time [onenet §4.4].
const MaxSubdevs = 50

// The paths on which a gateway of the first generation lets a sub-device in and
// out. Payloads are empty, and so are those of the answers, …/accepted and
// …/rejected.
const (
	SubdevLoginPath  = "login"
	SubdevLogoutPath = "logout"
	// SubdevNotifyPath tells that a sub-device is out without having asked.
	SubdevNotifyPath = "logout/notify"
)

// SubdevTopic is a topic of a sub-device of the first generation by its path,
// "dp/post/json": its gateway publishes and subscribes there for it.
func SubdevTopic(pid, dev, path string) string { return subdevPrefix + pid + "/" + dev + "/" + path }

// classifySub is classify for what stands behind $subdev/{pid}/{dev}/: data
// points and commands, no image.
func classifySub[T string | []byte](path T) Kind {
	switch string(path) {
	case SubdevLoginPath:
		return SubdevLogin
	case SubdevLogoutPath:
		return SubdevLogout
	}
	switch k, _ := classify(path); k {
	case DataPoint, Command:
		return k
	}
	return Unknown
}

// mayUseSub reports whether a gateway may subscribe to what stands behind
// $subdev/{pid}/{dev}/.
func mayUseSub(rest string) bool {
	first, _, _ := strings.Cut(rest, "/")
	switch first {
	case "#", "+", "dp", "cmd", "login", "logout":
		return true
	}
	return false
}

// SubdevOwner is the part pid/dev of a topic or filter in which a gateway writes
// a sub-device's names; nil for any other, and for logins and logouts, which are
// the gateway's own to ask for. It allocates nothing.
func SubdevOwner(topic []byte) []byte {
	if len(topic) < len(subdevPrefix) || string(topic[:len(subdevPrefix)]) != subdevPrefix {
		return nil
	}
	t := ParseTopic(topic)
	if t.Kind == NotOurs || t.Kind == SubdevLogin || t.Kind == SubdevLogout {
		return nil
	}
	return topic[len(subdevPrefix) : len(subdevPrefix)+len(t.ProductID)+1+len(t.Device)]
}
