package aliyun

import (
	"encoding/json"
	"errors"
	"strconv"

	"github.com/matou-iot/matou/thing"
)

// MaxDesired is how many properties one request may name [aliyun-device §4.15].
const MaxDesired = 200

// The faults of a request for desired values.
var (
	ErrBadParams      = errors.New("aliyun: params are not of the documented form")
	ErrTooManyDesired = errors.New("aliyun: more than 200 properties are named")
)

// ParseDesiredGet reads the params of thing/property/desired/get: a list of
// properties [aliyun-device §4.15].
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

// ParseDesiredDelete reads the params of thing/property/desired/delete.
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

// desiredVersion reads {"version":2}, {} or null.
func desiredVersion(v thing.Value) (int64, error) {
	if v.Shape == thing.Null {
		return 0, nil
	}
	if v.Shape != thing.Object {
		return 0, ErrBadParams
	}
	inner, err := thing.ParseArguments([]byte(v.Text))
	if err != nil {
		return 0, ErrBadParams
	}
	version, there := argument(inner, "version")
	if !there || version.Shape == thing.Null {
		return 0, nil
	}
	if version.Shape == thing.String {
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

// AppendDesired appends the data of the answer to a get. m may be nil.
func AppendDesired(dst []byte, all []DesiredValue, m *thing.Model) []byte {
	dst = append(dst, '{')
	for i, d := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(thing.TextValue(d.Property).AppendJSON(dst), `:{"value":`...)
		dst = AppendValue(dst, d.Value, typeOf(m, d.Property))
		dst = append(dst, `,"version":`...)
		dst = append(strconv.AppendInt(dst, d.Version, 10), '}')
	}
	return append(dst, '}')
}

func typeOf(m *thing.Model, property string) *thing.DataType {
	if m != nil {
		if p, ok := m.Property(property); ok {
			return &p.Type
		}
	}
	return nil
}
