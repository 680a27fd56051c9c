package httpapi

import (
	"fmt"
	"regexp"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
)

// validationZH are the sentences by which huma refuses what does not fit a
// route's description, and their Chinese. It hands over sentences only, so
// that what is in them has to be read out of them again.
var validationZH = []struct{ en, zh string }{
	{"validation failed", "请求参数校验失败"},
	{"request body is required", "缺少请求体"},
	{"request body is too large limit=%d bytes", "请求体过大，最多 %s 字节"},
	{"request body read timeout", "读取请求体超时"},
	{"cannot read request body", "无法读取请求体"},
	{"cannot read multipart form: %v", "无法读取 multipart 表单：%s"},
	{"unexpected error occurred", "服务器内部错误"},
	{"unable to marshal response", "无法按请求的 Accept 返回"},
	{"unknown content type", "无法识别的 Content-Type"},
	{"unknown content type: %s", "无法识别的 Content-Type：%s"},
	{"unknown accept content type: %v", "无法识别的 Accept：%s"},
	{"unknown query parameter", "无法识别的查询参数"},
	{"required %s parameter is missing", "缺少必填的 %s 参数"},
	{"expected at most one value, but received multiple values", "只能填写一个值"},
	{"invalid integer", "应为整数"},
	{"invalid float", "应为数字"},
	{"invalid floating value", "应为数字"},
	{"invalid boolean", "应为 true 或 false"},
	{"invalid value: %s", "无效的值：%s"},
	{"invalid url.URL value", "应为 URL"},
	{"invalid date/time for format %s", "时间格式应为 %s"},
	{"unparsable value", "无法识别的值"},
	{validation.MsgUnexpectedProperty, "多余的字段"},
	{validation.MsgExpectedRFC3339DateTime, "应为 RFC 3339 日期时间，例如 2026-01-02T15:04:05Z"},
	{validation.MsgExpectedRFC1123DateTime, "应为 RFC 1123 日期时间"},
	{validation.MsgExpectedRFC3339Date, "应为 RFC 3339 日期，例如 2026-01-02"},
	{validation.MsgExpectedRFC3339Time, "应为 RFC 3339 时间，例如 15:04:05Z"},
	{validation.MsgExpectedRFC5322Email, "应为电子邮箱地址：%s"},
	{validation.MsgExpectedRFC5890Hostname, "应为主机名"},
	{validation.MsgExpectedRFC2673IPv4, "应为 IPv4 地址"},
	{validation.MsgExpectedRFC2373IPv6, "应为 IPv6 地址"},
	{validation.MsgExpectedRFCIPAddr, "应为 IPv4 或 IPv6 地址"},
	{validation.MsgExpectedRFC3986URI, "应为 URI：%s"},
	{validation.MsgExpectedRFC4122UUID, "应为 UUID：%s"},
	{validation.MsgExpectedRFC6570URITemplate, "应为 URI 模板"},
	{validation.MsgExpectedRFC6901JSONPointer, "应为 JSON 指针"},
	{validation.MsgExpectedRFC6901RelativeJSONPointer, "应为相对 JSON 指针"},
	{validation.MsgExpectedRegexp, "应为正则表达式：%s"},
	{validation.MsgExpectedMatchAtLeastOneSchema, "不符合任何一种允许的形式"},
	{validation.MsgExpectedMatchExactlyOneSchema, "应符合且仅符合一种允许的形式"},
	{validation.MsgExpectedNotMatchSchema, "不应符合该形式"},
	{validation.MsgExpectedPropertyNameInObject, "缺少用于区分类型的字段"},
	{validation.MsgExpectedBoolean, "应为布尔值"},
	{validation.MsgExpectedDuration, "应为时长：%s"},
	{validation.MsgExpectedNumber, "应为数字"},
	{validation.MsgExpectedInteger, "应为整数"},
	{validation.MsgExpectedString, "应为字符串"},
	{validation.MsgExpectedBase64String, "应为 Base64 字符串"},
	{validation.MsgExpectedArray, "应为数组"},
	{validation.MsgExpectedObject, "应为对象"},
	{validation.MsgExpectedArrayItemsUnique, "数组元素不能重复"},
	{validation.MsgExpectedOneOf, "应为以下之一：%s"},
	{validation.MsgExpectedMinimumNumber, "应大于或等于 %s"},
	{validation.MsgExpectedExclusiveMinimumNumber, "应大于 %s"},
	{validation.MsgExpectedMaximumNumber, "应小于或等于 %s"},
	{validation.MsgExpectedExclusiveMaximumNumber, "应小于 %s"},
	{validation.MsgExpectedNumberBeMultipleOf, "应为 %s 的倍数"},
	{validation.MsgExpectedMinLength, "长度至少 %s"},
	{validation.MsgExpectedMaxLength, "长度最多 %s"},
	{validation.MsgExpectedBePattern, "应为 %s"},
	{validation.MsgExpectedMatchPattern, "应符合格式 %s"},
	{validation.MsgExpectedMinItems, "至少 %s 项"},
	{validation.MsgExpectedMaxItems, "最多 %s 项"},
	{validation.MsgExpectedMinProperties, "至少 %s 个字段"},
	{validation.MsgExpectedMaxProperties, "最多 %s 个字段"},
	{validation.MsgExpectedRequiredProperty, "缺少必填字段 %s"},
	{validation.MsgExpectedDependentRequiredProperty, "有字段 %[2]s 时必须有字段 %[1]s"},
}

// A heard is a sentence that can be recognised.
type heard struct {
	en *regexp.Regexp
	zh string
}

var verb = regexp.MustCompile(`%[a-z]`)

var validations = sync.OnceValue(func() []heard {
	all := make([]heard, len(validationZH))
	for i, s := range validationZH {
		all[i] = heard{regexp.MustCompile("^" + verb.ReplaceAllString(regexp.QuoteMeta(s.en), "(.*)") + "$"), s.zh}
	}
	return all
})

// validationInChinese translates a sentence of huma. One that is not known
// stays as it is.
func validationInChinese(text string) string {
	for _, s := range validations() {
		if found := s.en.FindStringSubmatch(text); found != nil {
			parts := make([]any, len(found)-1)
			for i := range parts {
				parts[i] = found[i+1]
			}
			return fmt.Sprintf(s.zh, parts...)
		}
	}
	return text
}

// modelIn is huma's own refusal in a language.
func modelIn(l language, m *huma.ErrorModel) *huma.ErrorModel {
	if l != chinese {
		return m
	}
	zh := *m
	zh.Detail = validationInChinese(m.Detail)
	zh.Errors = make([]*huma.ErrorDetail, len(m.Errors))
	for i, e := range m.Errors {
		if e == nil {
			continue
		}
		detail := *e
		detail.Message = validationInChinese(e.Message)
		zh.Errors[i] = &detail
	}
	return &zh
}
