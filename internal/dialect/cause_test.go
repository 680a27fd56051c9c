package dialect

import (
	"errors"
	"fmt"
	"testing"

	"github.com/matou-iot/matou/thing/loose"
)

func TestCauses(t *testing.T) {
	known := errors.New("aliyun: the message has no params")
	table := map[error]string{known: "缺少 params"}
	_, _, cut := loose.Strictify([]byte(`{"a":`))
	for _, tt := range []struct {
		err    error
		en, zh string
	}{
		{known, "the message has no params", "缺少 params"},
		{fmt.Errorf("onenet: %w", known), "the message has no params", "缺少 params"},
		{cut, "byte 5: the document ends too early (the message was cut off: a buffer or a declared length is too small)", "第 5 字节：JSON 没有写完就结束了（消息被截断：缓冲区或声明的长度太小）"},
		{errors.New("something else"), "something else", "something else"},
	} {
		if en, zh := Cause(tt.err), CauseZH(tt.err, table); en != tt.en || zh != tt.zh {
			t.Errorf("%v: %s, %s", tt.err, en, zh)
		}
	}
}
