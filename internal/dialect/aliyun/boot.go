package aliyun

import (
	"bytes"
	"encoding/json"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/thing"
)

// modelGet reads a request for the TSL template [aliyun-device §4.15]. Which
// nodes of it the device names is not asked: it gets them all.
func modelGet(r *reading) dialect.Request {
	if _, ok := r.alink(); !ok {
		return nil
	}
	return &dialect.ModelGet{}
}

func modelGot(r *dialect.ModelGet, m *thing.Model, err error) []dialect.Downlink {
	if fault.KindOf(err) == fault.KindNotFound {
		return reply(r.Asked(), codeNoModel, nil, "tsl: device not exist in product")
	}
	var doc []byte
	if err == nil {
		doc, err = vendor.Template(r.Claim.Product, r.Claim.Device, m)
	}
	return tell(r.Asked(), doc, err)
}

// reset reads that the device was set back by hand [aliyun-device §4.14].
func reset(r *reading) dialect.Request {
	if _, ok := r.alink(); !ok {
		return nil
	}
	return &dialect.Reset{}
}

// lanGet reads the question for the key of the local network [aliyun-device
// §4.14].
func lanGet(r *reading) dialect.Request {
	if _, ok := r.alink(); !ok {
		return nil
	}
	return &dialect.LANGet{}
}

func lanKey(r *dialect.LANGet, k dialect.LANKey, err error) []dialect.Downlink {
	data, _ := json.Marshal(struct {
		Secret  string `json:"deviceSecret"`
		Prefix  string `json:"prefix"`
		Product string `json:"productKey"`
		Device  string `json:"deviceName"`
	}{k.Secret, k.Prefix, r.Claim.Product, r.Claim.Device}) // texts only: it cannot fail
	down := tell(r.Asked(), data, err)
	if k.Secret != "" {
		down[0].Shown = bytes.Replace(down[0].Payload, []byte(k.Secret), []byte("…"), 1)
	}
	return down
}

// network reads how good the device's network is [aliyun-device §4.15].
func network(r *reading) dialect.Request {
	params, ok := r.alink()
	if !ok {
		return nil
	}
	if len(params) == 0 || params[0] != '{' {
		return r.decline(badParams(vendor.ErrBadParams, params, `{"p":{"wifi":{"rssi":-57}},"model":"format=simple|quantity=single|time=now"}`), codeBadParams, textBadParams)
	}
	return &dialect.NetworkReport{Report: params}
}

// granted answers what consumer firmware asks at boot, and again until it is
// answered, though there is nothing to tell [aliyun-device §4.14].
func granted(r *reading) dialect.Request {
	if _, ok := r.alink(); ok && !r.noAnswer {
		r.answer(codeDone, nil, textDone, method(string(r.topic)))
	}
	return nil
}

// module reads which modules the device has: no answer is wanted, and the id
// is no number [aliyun-device §4.9].
func module(r *reading) dialect.Request {
	r.noAnswer = true
	r.decoder.Params(r.payload)
	r.remember()
	return nil
}
