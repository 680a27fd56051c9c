package onenet

import (
	"strings"

	"github.com/matou-iot/matou/thing"
)

// The bounds of a command to a device of data streams [onenet §4.2].
const (
	MaxCommandBytes  = 20 << 10 // of the request
	MaxResponseBytes = 1 << 10  // of the device's answer, which has to be shorter
)

const (
	commandRequest  = "cmd/request/"
	commandResponse = "cmd/response/"
	rawDown         = "custome/down/"
	rawDownReply    = "custome/down_reply/"

	// RawUpPath is where a device posts bytes that only a script of its product
	// understands (sic) [onenet §3.2].
	RawUpPath = "custome/up"
	// RawUpReplyPath is where the platform answers them.
	RawUpReplyPath = "custome/up_reply"
)

// CommandTopic is where a device of data streams is sent the command id.
func CommandTopic(pid, dev, id string) string { return sys(pid, dev, commandRequest+id) }

// CommandResponse reads the id of a command out of the path on which a device
// answers it; false for any other path.
func CommandResponse(path string) (id string, ok bool) { return lastLevel(path, commandResponse) }

// RawDownTopic is where a device is sent bytes that only it understands.
func RawDownTopic(pid, dev, id string) string { return sys(pid, dev, rawDown+id) }

// RawDownReply reads the id out of the path on which a device answers such
// bytes; false for any other path.
func RawDownReply(path string) (id string, ok bool) { return lastLevel(path, rawDownReply) }

func lastLevel(path, before string) (string, bool) {
	id, ok := strings.CutPrefix(path, before)
	return id, ok && id != "" && !strings.Contains(id, "/")
}

// PropertyGetTopic is where a device is asked for properties.
func PropertyGetTopic(pid, dev string) string { return sys(pid, dev, "thing/property/get") }

// AppendPropertyGet appends what the platform sends to ask a device for
// properties [onenet §3.2].
func AppendPropertyGet(dst []byte, id string, properties []string) []byte {
	dst = append(dst, `{"id":"`...)
	dst = append(dst, id...)
	dst = append(dst, `","version":"1.0","params":[`...)
	for i, p := range properties {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = thing.AppendText(dst, p)
	}
	return append(dst, "]}"...)
}

// DeviceTopic is a topic of a device by its path, "image/update/delta".
func DeviceTopic(pid, dev, path string) string { return sys(pid, dev, path) }
