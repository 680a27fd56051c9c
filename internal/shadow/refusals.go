package shadow

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/wording"
)

func lowVersion(sent, stored int64) error {
	return &dialect.Refusal{Cause: dialect.ErrShadowVersion, Diagnosis: dialect.Diagnosis{
		Code: "shadow-version", Field: "version", Received: strconv.FormatInt(sent, 10), Expected: "greater than " + strconv.FormatInt(stored, 10),
		Sentence:   fmt.Sprintf("the shadow has version %d; a message with version %d is older and was not taken", stored, sent),
		SentenceZH: fmt.Sprintf("设备影子的版本为 %d，版本 %d 的消息已过时，未被接受", stored, sent),
		Advice:     "get the shadow, then send a greater version; -1 is taken whatever the version, and begins anew at 0",
		AdviceZH:   "请先获取影子，再使用更大的版本号；-1 无条件接受并将版本重置为 0",
	}}
}

func emptyShadow() error {
	return &dialect.Refusal{Cause: dialect.ErrShadowEmpty, Diagnosis: dialect.Diagnosis{
		Code: "shadow-empty", Field: "method", Received: "get or delete", Expected: "update",
		Sentence: "the shadow of the device is empty: nothing was reported and nothing is desired", SentenceZH: "设备影子为空：尚未上报，也没有期望值",
		Advice: "report something first", AdviceZH: "请先上报影子",
	}}
}

func manyAttributes(n int) error {
	return &dialect.Refusal{Cause: dialect.ErrShadowCount, Diagnosis: dialect.Diagnosis{
		Code: "shadow-attributes", Field: "state", Received: strconv.Itoa(n) + " attributes", Expected: fmt.Sprintf("at most %d", MaxAttributes),
		Sentence:   fmt.Sprintf("the shadow would have %d attributes, more than %d; nothing was changed", n, MaxAttributes),
		SentenceZH: fmt.Sprintf("设备影子将有 %d 个属性，超过 %d 个，未作修改", n, MaxAttributes),
		Advice:     "delete attributes that are not needed", AdviceZH: "请删除不需要的属性",
	}}
}

func largeShadow(n int) error {
	return &dialect.Refusal{Cause: dialect.ErrShadowSize, Diagnosis: dialect.Diagnosis{
		Code: "shadow-size", Field: "state", Received: strconv.Itoa(n) + " bytes", Expected: fmt.Sprintf("at most %d", MaxBytes),
		Sentence:   fmt.Sprintf("the shadow would have %d bytes, more than %d; nothing was changed", n, MaxBytes),
		SentenceZH: fmt.Sprintf("设备影子将有 %d 字节，超过 %d 字节，未作修改", n, MaxBytes),
		Advice:     "delete attributes that are not needed", AdviceZH: "请删除不需要的属性",
	}}
}

// asFault says a refusal to an application.
func asFault(err error) error {
	if r, ok := errors.AsType[*dialect.Refusal](err); ok && fault.KindOf(err) == fault.KindInternal {
		return fault.In("desired", fault.Invalid("%w", wording.InBoth(r.Sentence, r.SentenceZH)))
	}
	return err
}
