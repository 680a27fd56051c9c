package fleet

import (
	"fmt"
	"time"

	"github.com/matou-iot/matou/internal/yamldoc"
)

// A Check is one thing that was expected, and whether it is so.
type Check struct {
	Name string `json:"name"`
	Want string `json:"want"`
	Got  string `json:"got"`
	OK   bool   `json:"ok"`
}

// OK reports whether all that was expected is so.
func (r *Result) OK() bool {
	for _, c := range r.Checks {
		if !c.OK {
			return false
		}
	}
	return !r.Interrupted
}

// checks compares a result with what was expected.
func (e *Expect) checks(r *Result) (out []Check) {
	share := func(name string, want *yamldoc.Share, part, whole int64) {
		if want == nil {
			return
		}
		got := 1.0
		if whole > 0 {
			got = float64(part) / float64(whole)
		}
		out = append(out, Check{name, "at least " + want.String(), fmt.Sprintf("%.4g%% (%d of %d)", 100*got, part, whole), got >= float64(*want)})
	}
	most := func(name string, want *int64, got int64) {
		if want != nil {
			out = append(out, Check{name, fmt.Sprintf("at most %d", *want), fmt.Sprint(got), got <= *want})
		}
	}
	below := func(name string, want time.Duration, got float64, of int64) {
		if want > 0 {
			d := time.Duration(got * float64(time.Second))
			c := Check{name, "at most " + want.String(), d.String(), of > 0 && d <= want}
			if of == 0 {
				c.Got = "nothing was measured"
			}
			out = append(out, c)
		}
	}
	if *e == (Expect{}) { // a fleet that nobody let in is not good, although nothing was expected
		out = append(out, Check{"connected", "at least one device", fmt.Sprintf("%d of %d", r.Came, r.Devices), r.Came > 0})
	}
	share("connected", e.Connected, r.Connected, int64(r.Devices))
	share("answered", e.Answered, r.Answered, r.Posts)
	share("commands", e.Commands, r.CommandsDone, r.CommandsOrdered)
	most("lost", e.Lost, r.Lost)
	most("rejected", e.Rejected, r.Rejected)
	most("refused", e.Refused, r.Refused)
	below("p50", e.P50, r.Answers.P50, r.Answers.Count)
	below("p95", e.P95, r.Answers.P95, r.Answers.Count)
	below("p99", e.P99, r.Answers.P99, r.Answers.Count)
	below("connectP99", e.Connect, r.Connects.P99, r.Connects.Count)
	return out
}
