package thing

import (
	"encoding/json"
	"errors"
)

// MaxDesired is how many properties one request for desired values may name
// [aliyun-device §4.15]. OneNET, whose interface is the same, states no bound.
const MaxDesired = 200

// The faults of a request for desired values.
var (
	ErrBadDesired     = errors.New("params are not of the documented form")
	ErrTooManyDesired = errors.New("more than 200 properties are named")
)

// ParseDesiredGet reads the params of a device that asks for desired values: a
// list of properties [aliyun-device §4.15, onenet §3.2].
func ParseDesiredGet(params []byte) ([]string, error) {
	var names []string
	if err := json.Unmarshal(params, &names); err != nil || names == nil {
		return nil, ErrBadDesired
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

// ParseDesiredDelete reads the params of a device that has done what was
// desired: {"power":{"version":1},"temperature":{}}.
func ParseDesiredDelete(params []byte) ([]DesiredVersion, error) {
	members, err := ParseArguments(params)
	if err != nil {
		return nil, ErrBadDesired
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
func desiredVersion(v Value) (int64, error) {
	var inner struct {
		Version *Value `json:"version"`
	}
	if v.Shape == Null {
		return 0, nil
	}
	if v.Shape != Object || json.Unmarshal([]byte(v.Text), &inner) != nil {
		return 0, ErrBadDesired
	}
	if inner.Version == nil || inner.Version.Shape == Null {
		return 0, nil
	}
	version := *inner.Version
	if version.Shape == String {
		var err error
		if version, err = ParseNumber(version.Text); err != nil {
			return 0, ErrBadDesired
		}
	}
	if version.Shape != Integer || version.Int < 1 {
		return 0, ErrBadDesired
	}
	return version.Int, nil
}
