package onenet

import (
	"fmt"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
	vendor "github.com/matou-iot/matou/onenet"
)

var (
	_ dialect.Mannered       = Dialect{}
	_ dialect.Unacknowledged = Dialect{}
)

// Manners: messages are of QoS 0 or 1 and not to be retained; the platform
// closes over others [onenet §1.5].
func (Dialect) Manners(qos mqtt.QoS, retain bool, mode dialect.Strictness, up *dialect.Uplink) {
	var why *dialect.Diagnosis
	switch {
	case qos == mqtt.ExactlyOnce:
		why = &dialect.Diagnosis{
			Code: "onenet-qos", Field: "qos", Received: "2", Expected: "0 or 1",
			Sentence: "OneNET takes messages of QoS 0 and 1 only, and closes over QoS 2", SentenceZH: "OneNET 只接受 QoS 0 和 1 的消息，遇到 QoS 2 会断开连接",
			Advice: "publish with QoS 0 or 1", AdviceZH: "请使用 QoS 0 或 1 发布",
		}
	case retain:
		why = &dialect.Diagnosis{
			Code: "onenet-retain", Field: "retain", Received: "1", Expected: "0",
			Sentence: "OneNET keeps no retained messages, and closes over the flag", SentenceZH: "OneNET 不支持保留消息，遇到 retain 标志会断开连接",
			Advice: "publish with retain set to 0", AdviceZH: "发布时请把 retain 设为 0",
		}
	default:
		return
	}
	if mode == dialect.Strict {
		up.Reset()
		forbid(up, mode, why)
		return
	}
	up.Notes = append(up.Notes, dialect.Note{Code: why.Code, Sentence: why.Sentence, SentenceZH: why.SentenceZH})
}

// MaySubscribeAll: a SUBSCRIBE has at most eight filters, none too long, too
// deep or of other characters; the platform closes over others [onenet §1.5].
func (Dialect) MaySubscribeAll(filters []string, mode dialect.Strictness) (*dialect.Diagnosis, bool) {
	strict := mode == dialect.Strict
	if len(filters) > vendor.MaxFilters {
		return &dialect.Diagnosis{
			Code: "onenet-filters", Field: "filters", Received: fmt.Sprint(len(filters)), Expected: fmt.Sprintf("at most %d", vendor.MaxFilters),
			Sentence:   fmt.Sprintf("a SUBSCRIBE with %d filters; OneNET takes %d at most, and closes over more", len(filters), vendor.MaxFilters),
			SentenceZH: fmt.Sprintf("一个 SUBSCRIBE 含 %d 个主题过滤器；OneNET 最多接受 %d 个，超出会断开连接", len(filters), vendor.MaxFilters),
			Advice:     "send several SUBSCRIBE packets, or one wildcard", AdviceZH: "请分多个 SUBSCRIBE 发送，或使用通配符",
		}, strict
	}
	for _, f := range filters {
		if err := vendor.CheckTopic(f, true); err != nil && strict {
			return badTopic(f, err), true
		}
	}
	return nil, false
}

// Unwanted: messages towards devices are of QoS 0, so that there is nothing for
// them to acknowledge, and QoS 2 does not exist; the platform closes
// [onenet §1.5].
func (Dialect) Unwanted(t packet.Type) *dialect.Diagnosis {
	return &dialect.Diagnosis{
		Code: "onenet-acknowledgement", Field: "packet", Received: t.String(), Expected: "no acknowledgement, for all that OneNET sends is of QoS 0",
		Sentence:   t.String() + " from the device; OneNET sends everything with QoS 0, which nobody acknowledges, and closes over it",
		SentenceZH: "设备发送了 " + t.String() + "；OneNET 下行消息均为 QoS 0，无需确认，遇到该报文会断开连接",
		Advice:     "let the MQTT library acknowledge only what came with QoS 1, by its packet identifier, and publish with QoS 0 or 1",
		AdviceZH:   "请只对收到的 QoS 1 消息按其报文标识符应答，并使用 QoS 0 或 1 发布",
	}
}

// pace is what the platform lets a device do.
var pace = dialect.Pace{
	Window: vendor.RateWindow, Ban: vendor.BanTime, Connects: vendor.RateConnects, AtMostOnce: vendor.RateAtMostOnce,
	AtLeastOnce: vendor.RateAtLeastOnce, Unsubscribes: vendor.RateUnsubscribes, Pings: vendor.RatePings,
	Filters: vendor.RateFilters, Subscriptions: vendor.MaxSubscriptions,
}

// Pace returns the platform's rates.
func (Dialect) Pace() *dialect.Pace { return &pace }
