package onenet

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/matou-iot/matou/thing"
	"github.com/matou-iot/matou/thing/loose"
)

// The paths of a device's image [onenet §4.3].
const (
	ImageUpdatePath = "image/update"
	ImageGetPath    = "image/get"
	ImageDeltaPath  = "image/update/delta"
)

// The bounds of an image. The platform has codes for both and states neither:
// these are Aliyun's for the shadow, which it resembles.
const (
	MaxImageBytes = 16 << 10
	MaxImageDepth = 5
)

// An ImageUpdate is what shall change in an image. A null takes an attribute
// away.
type ImageUpdate struct {
	Desired, Reported []thing.Argument
	Loose             loose.Looseness
}

// ParseImageUpdate reads an update. The error is a StreamCode.
func ParseImageUpdate(doc []byte) (ImageUpdate, error) {
	if len(doc) > MaxImageBytes {
		return ImageUpdate{}, ImageTooLong
	}
	var u ImageUpdate
	strict, liberties, err := loose.Strictify(doc)
	if err != nil {
		return u, ImageNoJSON
	}
	u.Loose = liberties
	var m struct {
		State json.RawMessage `json:"state"`
	}
	if json.Unmarshal(strict, &m) != nil {
		return u, ImageNoJSON
	}
	if null(m.State) {
		return u, ImageNoState
	}
	parts, err := thing.ParseArguments(m.State)
	if err != nil {
		return u, ImageBadPart
	}
	found := false
	for _, p := range parts {
		into := &u.Desired
		switch p.ID {
		case "desired":
		case "reported":
			into = &u.Reported
		default:
			continue
		}
		found = true
		if p.Value.Shape != thing.Object {
			return u, ImageBadPart
		}
		if *into, err = thing.ParseArguments([]byte(p.Value.Text)); err != nil || len(*into) == 0 {
			return u, ImageBadPart
		}
		if depthOf(p.Value.Text) > MaxImageDepth {
			return u, ImageTooDeep
		}
	}
	if !found {
		return u, ImageNoPart
	}
	return u, nil
}

// depthOf is how deep compact strict JSON is nested.
func depthOf(doc string) (most int) {
	depth, quoted := 0, false
	for i := 0; i < len(doc); i++ {
		switch c := doc[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			most = max(most, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return most
}

// EmptyImageGet reports whether the payload of an image/get is empty, as it has
// to be; what modules leave behind texts does not count.
func EmptyImageGet(payload []byte) bool {
	return strings.Trim(string(payload), " \r\n\t\x00") == ""
}

// An ImageAttribute is one attribute and when it was said, in Unix seconds.
type ImageAttribute struct {
	Name  string
	Value thing.Value
	At    int64
}

// An ImageDocument is what applications want of a device and what it reported.
type ImageDocument struct {
	Desired, Reported []ImageAttribute
	Version           int64
	At                int64 // Unix seconds
}

// AppendImage appends an image, or the parts of one that were updated.
func AppendImage(dst []byte, im *ImageDocument) []byte {
	parts := []struct {
		name string
		all  []ImageAttribute
	}{{"desired", im.Desired}, {"reported", im.Reported}}
	for i, open := range []string{`{"state":{`, `},"metadata":{`} {
		dst = append(dst, open...)
		first := true
		for _, p := range parts {
			if len(p.all) == 0 {
				continue
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(thing.AppendText(dst, p.name), ':')
			dst = appendAttributes(dst, p.all, i == 1)
		}
	}
	return appendImageEnd(append(dst, '}'), im.Version, im.At)
}

// AppendImageDelta appends what of the desired attributes a device does not
// report yet.
func AppendImageDelta(dst []byte, delta []ImageAttribute, version, at int64) []byte {
	dst = appendAttributes(append(dst, `{"state":`...), delta, false)
	dst = appendAttributes(append(dst, `,"metadata":`...), delta, true)
	return appendImageEnd(dst, version, at)
}

func appendImageEnd(dst []byte, version, at int64) []byte {
	dst = strconv.AppendInt(append(dst, `,"version":`...), version, 10)
	return append(strconv.AppendInt(append(dst, `,"timestamp":`...), at, 10), '}')
}

// appendAttributes appends an object of values, or of their times.
func appendAttributes(dst []byte, all []ImageAttribute, times bool) []byte {
	dst = append(dst, '{')
	for i := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(thing.AppendText(dst, all[i].Name), ':')
		if times {
			dst = append(strconv.AppendInt(append(dst, `{"timestamp":`...), all[i].At, 10), '}')
		} else {
			dst = all[i].Value.AppendJSON(dst)
		}
	}
	return append(dst, '}')
}
