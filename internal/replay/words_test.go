package replay

import (
	"strings"
	"testing"

	"github.com/matou-iot/matou/mqtt"
)

// TestDifferencesInBothLanguages has one difference of each kind.
func TestDifferencesInBothLanguages(t *testing.T) {
	for _, tt := range []struct {
		was, is string
		v       mqtt.Version
		en, zh  string
	}{
		{"\x20\x02\x00\x00", "\x20\x02\x01\x00", mqtt.V311, "session present was false, is true", "会话存在标志：录制时为 false，现在为 true"},
		{"\x20\x02\x00\x00", "\x20\x02\x00\x04", mqtt.V311, "return code was 0, is 4 (" + mqtt.BadUserNameOrPassword.Error() + ")", "返回码：录制时为 0，现在为 4，用户名或密码错误（0x86）"},
		{"\x90\x03\x00\x07\x01", "\x90\x03\x00\x07\x00", mqtt.V311, "granted of topic 1 was 1, is 0", "第 1 个主题授予的等级：录制时为 1，现在为 0"},
		{"\x90\x03\x00\x07\x01", "\x90\x04\x00\x07\x00\x00", mqtt.V311, "number of topics was 1, is 2", "主题个数：录制时为 1，现在为 2"},
		{"\xb0\x04\x00\x07\x00\x00", "\xb0\x04\x00\x07\x00\x11", mqtt.V5, "result of topic 1 was 0, is 17", "第 1 个主题结果：录制时为 0，现在为 17"},
		{"\x40\x02\x00\x07", "\x40\x03\x00\x07\x97", mqtt.V5, "reason was 0, is 151", "原因码：录制时为 0，现在为 151"},
		{"\x30\x04\x00\x01ta", "\x31\x04\x00\x01tb", mqtt.V311, `retain was false, is true; payload was "a", is "b"`, `保留标志：录制时为 false，现在为 true; 消息内容：录制时为 "a"，现在为 "b"`},
		{"\x30\x0a\x00\x01t" + `{"a":1}`, "\x30\x0a\x00\x01t" + `{"b":1}`, mqtt.V311, "a was 1, is not there; b was not there, is 1", "a：录制时为 1，现在为 没有; b：录制时为 没有，现在为 1"},
		{"\x20\x02\x00", "\x20\x02\x00\x00", mqtt.V311, "was 20 02 00, is 20 02 00 00", "录制时为 20 02 00，现在为 20 02 00 00"},
		{"\x20\x02\x00\x00", "\x20\x02\x00\x00", mqtt.V311, "", ""},
	} {
		var s Step
		s.differ(differences([]byte(tt.was), []byte(tt.is), tt.v))
		if en, zh := strings.Join(s.Differs, "; "), strings.Join(s.DiffersZH, "; "); en != tt.en || zh != tt.zh {
			t.Errorf("% x, % x:\n%s\n%s\nwant\n%s\n%s", tt.was, tt.is, en, zh, tt.en, tt.zh)
		}
	}
}
