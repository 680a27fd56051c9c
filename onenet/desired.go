package onenet

import (
	"encoding/json"
	"errors"
	"strconv"

	"github.com/matou-iot/matou/thing"
	"github.com/matou-iot/matou/thing/loose"
)

// MaxDesired is how many properties one request may name. OneNET states no
// bound; this is Aliyun's, whose interface it follows.
const MaxDesired = 200

// The faults of a request for desired values.
var (
	ErrBadParams      = errors.New("onenet: params are not of the documented form")
	ErrTooManyDesired = errors.New("onenet: more than 200 properties are named")
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

// ParseDesiredGet reads the params of desired/get: a list of properties
// [onenet §3.2].
func ParseDesiredGet(params []byte) ([]string, error) {
	var names []string
	if err := json.Unmarshal(params, &names); err != nil || names == nil {
		return nil, ErrBadParams
	}
	if len(names) > MaxDesired {
		return nil, ErrTooManyDesired
	}
	return names, nil
}

// A DesiredVersion is a property whose desired value shall go: only where it
// has this version; whatever it has where that is 0.
type DesiredVersion struct {
	Property string
	Version  int64
}

// ParseDesiredDelete reads the params of desired/delete: {"power":{"version":1},
// "temperature":{}} [onenet §3.2].
func ParseDesiredDelete(params []byte) ([]DesiredVersion, error) {
	members, err := thing.ParseArguments(params)
	if err != nil {
		return nil, ErrBadParams
	}
	if len(members) > MaxDesired {
		return nil, ErrTooManyDesired
	}
	all := make([]DesiredVersion, 0, len(members))
	for _, m := range members {
		version, err := desiredVersion(m.Value)
		if err != nil {
			return nil, err
		}
		all = append(all, DesiredVersion{m.ID, version})
	}
	return all, nil
}

func desiredVersion(v thing.Value) (int64, error) {
	var inner struct {
		Version *thing.Value `json:"version"`
	}
	if v.Shape == thing.Null {
		return 0, nil
	}
	if v.Shape != thing.Object || json.Unmarshal([]byte(v.Text), &inner) != nil {
		return 0, ErrBadParams
	}
	if inner.Version == nil || inner.Version.Shape == thing.Null {
		return 0, nil
	}
	version := *inner.Version
	if version.Shape == thing.String {
		var err error
		if version, err = thing.ParseNumber(version.Text); err != nil {
			return 0, ErrBadParams
		}
	}
	if version.Shape != thing.Integer || version.Int < 1 {
		return 0, ErrBadParams
	}
	return version.Int, nil
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
		dst = append(thing.TextValue(d.Property).AppendJSON(dst), `:{"value":`...)
		dst = append(d.Value.AppendJSON(dst), `,"version":`...)
		dst = append(strconv.AppendInt(dst, d.Version, 10), '}')
	}
	return append(dst, '}', '}')
}
