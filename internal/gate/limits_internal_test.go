package gate

import (
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/trace"
)

// TestDownlinksAreCountedBySeconds [aliyun-device §2.8]: a strict device is told
// 50 messages in each second, any other all of them, with a word where it is
// ten times as much.
func TestDownlinksAreCountedBySeconds(t *testing.T) {
	for _, tt := range []struct {
		name   string
		mode   dialect.Strictness
		apart  time.Duration // between two messages
		sent   int
		passed int
		told   int
		kind   trace.Kind
	}{
		{"strict, at once", dialect.Strict, 0, 80, 50, 1, trace.Fault},
		{"strict, two seconds of 60", dialect.Strict, time.Second / 60, 120, 100, 2, trace.Fault},
		{"strict, as much as may be", dialect.Strict, time.Second / 50, 500, 500, 0, 0},
		{"lenient, at once", dialect.Lenient, 0, 2000, 2000, 1, trace.Note},
		{"lenient, three seconds of 1000", dialect.Lenient, time.Millisecond, 3000, 3000, 3, trace.Note},
		{"lenient, beyond the vendor's", dialect.Lenient, time.Second / 400, 4000, 4000, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := time.Unix(1_700_000_000, 0)
			recorder := trace.New(0)
			g := New(Options{Trace: recorder, Now: func() time.Time { return now }})
			pass := g.downlinksOf(&dialect.Subject{Claim: dialect.Claim{Product: "a1NightLamp", Device: "lamp01"}, Dialect: aliyun.Dialect{}, Mode: tt.mode})
			passed := 0
			for i := range tt.sent {
				now = time.Unix(1_700_000_000, 0).Add(time.Duration(i) * tt.apart)
				if pass() {
					passed++
				}
			}
			line, _ := recorder.Timeline("a1NightLamp", "lamp01", trace.Query{})
			if passed != tt.passed || len(line) != tt.told {
				t.Errorf("%d passed, told %d times; want %d, %d", passed, len(line), tt.passed, tt.told)
			}
			for _, e := range line {
				if e.Code != "aliyun-downlink-rate" || e.Kind != tt.kind || e.Direction != "down" || e.SentenceZH == "" {
					t.Errorf("%+v", e)
				}
			}
		})
	}
}
