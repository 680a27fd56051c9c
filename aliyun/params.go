package aliyun

import (
	"github.com/matou-iot/matou/thing/loose"
)

// Params reads a request of a device and returns its params as compact strict
// JSON, opened where they are a text that holds JSON [aliyun-device §5.1], nil
// where there are none. ID, Method, NoAck and Loose are filled in.
func (d *Decoder) Params(doc []byte) ([]byte, error) {
	raw, err := d.envelope(doc, nil)
	if err != nil || raw == nil {
		return nil, err
	}
	taken := d.Loose
	strict, more, err := loose.Strictify(d.unquote(raw))
	d.Loose = taken | more
	return strict, err
}
