package aliyun

import (
	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
)

// RawTopic reads what a script made of a device's bytes. A message has a method,
// which says for which topic it stands; an answer has none, and for which
// command it is its id says [aliyun-device §5.9].
func (Dialect) RawTopic(c dialect.Claim, doc []byte, reply bool) (topic []byte, id string, why *dialect.Diagnosis) {
	d := decoders.Get().(*vendor.Decoder)
	defer decoders.Put(d)
	if _, err := d.Reply(doc); err != nil {
		return nil, "", badMessage(err)
	}
	id = string(d.ID)
	if reply {
		return []byte(vendor.PropertySetTopic(c.Product, c.Device) + "_reply"), id, nil
	}
	to := vendor.MethodTopic(c.Product, c.Device, string(d.Method))
	if to == "" {
		return nil, id, &dialect.Diagnosis{
			Code: "aliyun-script-no-method", Field: "method", Received: cut(string(d.Method)), Expected: "thing.event.property.post",
			Sentence:   "the script's message has no method that says what it is (6450, alink method not exist)",
			SentenceZH: "脚本返回的消息缺少有效的 method（6450，alink method not exist）",
			Advice:     "set method in what rawDataToProtocol returns, thing.event.property.post for a report of properties",
			AdviceZH:   "请在 rawDataToProtocol 的返回值中设置 method，上报属性用 thing.event.property.post",
		}
	}
	return []byte(to), id, nil
}

// RawDown says bytes to a device.
func (Dialect) RawDown(c dialect.Claim, raw []byte) dialect.Downlink {
	return dialect.Downlink{Topic: vendor.RawDownTopic(c.Product, c.Device), Payload: raw}
}

// RawReply answers bytes with bytes.
func (Dialect) RawReply(c dialect.Claim, raw []byte) dialect.Downlink {
	return dialect.Downlink{Topic: vendor.RawUpTopic(c.Product, c.Device) + "_reply", Payload: raw}
}

// RawFailure is the answer to bytes of which no message could be made.
func (Dialect) RawFailure(c dialect.Claim, id string, code int, text string) dialect.Downlink {
	up := vendor.RawUpTopic(c.Product, c.Device)
	return dialect.Downlink{Topic: up + "_reply", Payload: vendor.AppendReply(nil, code, nil, []byte(id), text, "thing.model.up_raw")}
}

// RawPath is where a device of a product with a script publishes.
func (Dialect) RawPath() string { return "thing/model/up_raw" }
