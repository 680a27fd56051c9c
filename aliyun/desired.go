package aliyun

import (
	"errors"
	"strconv"

	"github.com/matou-iot/matou/thing"
)

// ErrBadParams says that the params of a request are of another form.
var ErrBadParams = errors.New("aliyun: params are not of the documented form")

// A DesiredValue is what a property shall be.
type DesiredValue struct {
	Property string
	Value    thing.Value
	Version  int64
}

// AppendDesired appends the data of the answer to a get [aliyun-device §4.15].
// m may be nil.
func AppendDesired(dst []byte, all []DesiredValue, m *thing.Model) []byte {
	dst = append(dst, '{')
	for i, d := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(thing.AppendText(dst, d.Property), `:{"value":`...)
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
