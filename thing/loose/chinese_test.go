package loose

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestEveryFaultIsSaidInChinese reads the package's own sources: what fail is
// given has a translation.
func TestEveryFaultIsSaidInChinese(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	call := regexp.MustCompile("\\.fail\\((\"[^\"]*\"|`[^`]*`), (\"[^\"]*\"|`[^`]*`|\\w+)\\)")
	calls := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(raw), ".fail(") - len(call.FindAllString(string(raw), -1)); n != 0 {
			t.Errorf("%s: %d calls of fail are of another form", file, n)
		}
		for _, m := range call.FindAllStringSubmatch(string(raw), -1) {
			calls++
			for _, arg := range m[1:] {
				text, err := strconv.Unquote(arg)
				if err != nil { // the name of a constant
					text = map[string]string{"truncated": truncated, "sensorFailed": sensorFailed}[arg]
				} else if text == "" {
					continue
				}
				if inChinese[text] == "" {
					t.Errorf("%s: %s is not said in Chinese", file, arg)
				}
			}
		}
	}
	if calls == 0 {
		t.Error("no call of fail was found")
	}
	if got, want := (&Error{3, "a value is missing", "a text needs quotes"}).SentenceZH(), "第 3 字节：缺少值（字符串需要加引号）"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
}

func TestEveryLibertyIsSaidInChinese(t *testing.T) {
	for l := SingleQuotes; l <= LoosePoint; l <<= 1 {
		if l.String() == "" || l.StringZH() == "" || strings.ContainsAny(l.StringZH(), "abcdefghijklmnopqrstuvwxyz") {
			t.Errorf("%d: %q, %q", l, l, l.StringZH())
		}
	}
	if got := (SingleQuotes | TrailingBytes).StringZH(); got != "单引号、结尾之后还有字节" {
		t.Error(got)
	}
}
