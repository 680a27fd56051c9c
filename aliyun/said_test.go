package aliyun

import (
	"errors"
	"strings"
	"testing"

	"github.com/matou-iot/matou/thing/loose"
)

// TestRefusalsSayWhatWouldBeRight: by whatever road a device comes, it is told
// to people what it should have sent.
func TestRefusalsSayWhatWouldBeRight(t *testing.T) {
	for _, c := range Codes() {
		for _, family := range []string{"aliyun-coap-", "aliyun-psk-", "aliyun-register-"} {
			if !strings.HasPrefix(c.Code, family) || c.Code == "aliyun-register-plain" || c.Code == "aliyun-register-body" ||
				c.Code == "aliyun-register-other-method" || c.Code == "aliyun-register-other-text" || c.Code == "aliyun-register-form" {
				continue // those are given it
			}
			if d := Explain(c.Code, "f", "r", ""); d.Expected == "" || d.Advice == "" || d.AdviceZH == "" {
				t.Errorf("%+v", d)
			}
		}
	}
	for code := range rights {
		if texts[code].sentence == "" && coapTexts[code].sentence == "" {
			t.Errorf("%s is no code", code)
		}
	}
}

func TestSentencesAreFilledInTheirLanguage(t *testing.T) {
	_, _, cut := loose.Strictify([]byte(`{`))
	for _, tt := range []struct {
		format string
		args   []any
		want   string
	}{
		{"使用了 %s，应为 %q", []any{"the whole clientId with its bars", "lamp"}, `使用了 带竖线的整个 clientId，应为 "lamp"`},
		{"无法解析：%v", []any{cut}, "无法解析：第 1 字节：JSON 没有写完就结束了（消息被截断：缓冲区或声明的长度太小）"},
		{"主题 %[1]q 不行", []any{"/a", errors.New("it is empty")}, `主题 "/a" 不行`},
		{"不是报文", []any{errors.New("too short")}, "不是报文"},
		{"100% 好", nil, "100% 好"},
	} {
		if got := fillZH(tt.format, tt.args); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.format, got, tt.want)
		}
	}
}
