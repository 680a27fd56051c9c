package aliyun

import (
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/dialect"
)

func TestManyFilters(t *testing.T) {
	for n, told := range map[int]bool{1: false, 8: false, 9: true} {
		why, closes := Dialect{}.MaySubscribeAll(strings.Fields(strings.Repeat("/a/b/c ", n)), dialect.Strict)
		if (why != nil) != told || closes || told && (why.Code != "aliyun-filters" || why.SentenceZH == "") {
			t.Errorf("%d: %+v, %v [aliyun-device §2.8]", n, why, closes)
		}
	}
}
