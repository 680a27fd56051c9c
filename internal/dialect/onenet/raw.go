package onenet

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	vendor "github.com/matou-iot/matou/onenet"
	"github.com/matou-iot/matou/thing"
)

var _ dialect.RawSpeaker = Dialect{}

// RawTopic reads what a script made of a device's bytes: OneJSON with the method
// that it has where no topic says it, thing.property.post [onenet §7]. An answer
// has none; which command it answers its id says.
func (Dialect) RawTopic(c dialect.Claim, doc []byte, reply bool) (topic []byte, id string, why *dialect.Diagnosis) {
	var m struct {
		ID     thing.Value `json:"id"`
		Method string      `json:"method"`
	}
	if err := json.Unmarshal(doc, &m); err != nil {
		return nil, "", badMessage(err)
	}
	if id = m.ID.Text; m.ID.Shape != thing.String {
		id = m.ID.String()
	}
	if reply {
		return []byte(vendor.DeviceTopic(c.Product, c.Device, "thing/property/set_reply")), id, nil
	}
	path, ok := strings.CutPrefix(m.Method, "thing.")
	if !ok || path == "" || strings.ContainsAny(path, "/+#") {
		return nil, id, &dialect.Diagnosis{
			Code: "onenet-script-no-method", Field: "method", Received: cut(m.Method, maxShown), Expected: "thing.property.post",
			Sentence: "the script's message has no method that says what it is", SentenceZH: "脚本返回的消息缺少有效的 method",
			Advice:   "set method in what rawDataToProtocol returns, thing.property.post for a report of properties",
			AdviceZH: "请在 rawDataToProtocol 的返回值中设置 method，上报属性用 thing.property.post",
		}
	}
	return []byte(vendor.DeviceTopic(c.Product, c.Device, "thing/"+strings.ReplaceAll(path, ".", "/"))), id, nil
}

// scriptMark is what ids of bytes that a script made begin with: which command
// is answered the message inside says, not the topic.
const scriptMark = "s"

func scripted(id string) bool { return strings.HasPrefix(id, scriptMark) }

// RawDown says bytes to a device.
func (Dialect) RawDown(c dialect.Claim, raw []byte) dialect.Downlink {
	id := scriptMark + strconv.FormatInt(time.Now().UnixMilli(), 10)
	return dialect.Downlink{Topic: vendor.RawDownTopic(c.Product, c.Device, id), Payload: raw}
}

// RawReply answers bytes with bytes.
func (Dialect) RawReply(c dialect.Claim, raw []byte) dialect.Downlink {
	return dialect.Downlink{Topic: vendor.DeviceTopic(c.Product, c.Device, vendor.RawUpReplyPath), Payload: raw}
}

// RawFailure is the answer to bytes of which no message could be made.
func (Dialect) RawFailure(c dialect.Claim, id string, code int, text string) dialect.Downlink {
	return dialect.Downlink{
		Topic: vendor.DeviceTopic(c.Product, c.Device, vendor.RawUpReplyPath), Payload: vendor.AppendReply(nil, []byte(id), code, text),
	}
}
