package aliyun

import (
	"errors"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/thing"
)

// desiredGet and desiredDelete read requests for desired values
// [aliyun-device §4.15].
func desiredGet(r *reading) dialect.Request {
	params, ok := r.alink()
	if !ok {
		return nil
	}
	names, err := thing.ParseDesiredGet(params)
	if err != nil {
		return r.badDesired(err, params, `["power"]`)
	}
	return &dialect.DesiredGet{Properties: names}
}

func desiredDelete(r *reading) dialect.Request {
	params, ok := r.alink()
	if !ok {
		return nil
	}
	which, err := thing.ParseDesiredDelete(params)
	if err != nil {
		return r.badDesired(err, params, `{"power":{"version":1}}`)
	}
	return &dialect.DesiredDelete{Properties: which}
}

func (r *reading) badDesired(err error, params []byte, want string) dialect.Request {
	code, text := codeBadParams, textBadParams
	if errors.Is(err, thing.ErrTooManyDesired) {
		code, text = codeTooManyWanted, "too many properties"
	}
	return r.decline(badParams(err, params, want), code, text)
}

func desiredGot(r *dialect.DesiredGet, d dialect.Desired, err error) []dialect.Downlink {
	var all []vendor.DesiredValue
	for _, v := range d.Values {
		all = append(all, vendor.DesiredValue{Property: v.Property, Value: v.Value, Version: v.Version})
	}
	return tell(r.Asked(), vendor.AppendDesired(nil, all, d.Model), err)
}
