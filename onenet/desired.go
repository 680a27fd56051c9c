package onenet

import (
	"strconv"

	"github.com/matou-iot/matou/thing"
	"github.com/matou-iot/matou/thing/loose"
)

// Params reads a request of a device and returns its params as compact strict
// JSON, nil where there are none. ID and Loose are filled in.
func (d *Decoder) Params(doc []byte) ([]byte, error) {
	raw, found, err := d.envelope(doc, nil)
	if err != nil || !found {
		return nil, err
	}
	strict, more, err := loose.Strictify(raw)
	d.Loose |= more
	return strict, err
}

// A DesiredValue is what a property shall be.
type DesiredValue struct {
	Property string
	Value    thing.Value
	Version  int64
}

// AppendDesiredReply appends the answer to a get that was served.
func AppendDesiredReply(dst, id []byte, all []DesiredValue) []byte {
	dst = AppendReply(dst, id, Success, "success")
	dst = append(dst[:len(dst)-1], `,"data":{`...)
	for i, d := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(thing.AppendText(dst, d.Property), `:{"value":`...)
		dst = append(d.Value.AppendJSON(dst), `,"version":`...)
		dst = append(strconv.AppendInt(dst, d.Version, 10), '}')
	}
	return append(dst, '}', '}')
}
