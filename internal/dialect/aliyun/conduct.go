package aliyun

import (
	"fmt"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/mqtt"
)

var _ dialect.Mannered = Dialect{}

// maxFilters is how many a SUBSCRIBE has at most [aliyun-device §2.8].
const maxFilters = 8

// Manners: what is wrong with the quality or the retain flag of a message is
// forgiven [aliyun-device §2.5].
func (Dialect) Manners(mqtt.QoS, bool, dialect.Strictness, *dialect.Uplink) {}

// MaySubscribeAll says that a SUBSCRIBE has more filters than the platform
// takes; what it does then is not known.
func (Dialect) MaySubscribeAll(filters []string, _ dialect.Strictness) (*dialect.Diagnosis, bool) {
	if len(filters) <= maxFilters {
		return nil, false
	}
	return &dialect.Diagnosis{
		Code: "aliyun-filters", Field: "filters", Received: fmt.Sprint(len(filters)), Expected: fmt.Sprintf("at most %d", maxFilters),
		Sentence:   fmt.Sprintf("a SUBSCRIBE with %d filters; Alibaba Cloud takes %d at most", len(filters), maxFilters),
		SentenceZH: fmt.Sprintf("一个 SUBSCRIBE 含 %d 个主题过滤器；阿里云最多接受 %d 个", len(filters), maxFilters),
		Advice:     "send several SUBSCRIBE packets, or one wildcard", AdviceZH: "请分多个 SUBSCRIBE 发送，或使用通配符",
	}, false
}

// Pace: rates are held to message by message, see Limits; nobody is banned.
func (Dialect) Pace() *dialect.Pace { return nil }
