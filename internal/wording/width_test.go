package wording

import "testing"

func TestFullWidth(t *testing.T) {
	for text, want := range map[string]string{
		"":              "",
		"lamp-01|a=1":   "",
		"灯":             "",
		"ｌamp，ｌ\u30001": "ｌ，\u3000",
		"！＂＃＄％＆＇（）＊":    "！＂＃＄％＆＇（",
		"“a”":           "",
	} {
		if got := FullWidth(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for wide, want := range map[rune]rune{'！': '!', '～': '~', '\u3000': ' ', 'ｌ': 'l', 'l': 'l', '灯': '灯'} {
		if got := HalfWidth(wide); got != want {
			t.Errorf("%c: %c, want %c", wide, got, want)
		}
	}
}
