package radio

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2025, 1, 15, 6, 15, 27, 0, time.UTC)

// run lets time pass until nothing is due and tells what happened when.
func run(r *Radio, now *time.Time) (log []string) {
	for at := r.Next(); !at.IsZero(); at = r.Next() {
		*now = at
		for _, c := range r.Tick(at) {
			log = append(log, fmt.Sprintf("%v %s", at.Sub(start), say(r, c)))
		}
	}
	return log
}

func say(r *Radio, c Change) string {
	switch c {
	case SIMChanged:
		return fmt.Sprintf("sim %d", r.SIM())
	case RegistrationChanged:
		return fmt.Sprintf("stat %d", r.Registration())
	}
	return "time"
}

func TestPowerOn(t *testing.T) {
	for _, tt := range []struct {
		name   string
		c      Conditions
		want   string
		signal int
	}{
		// The change of registration at 1.5 s tells of the search.
		{"a good day", Usual, "1.5s sim 1|1.5s stat 2|3.5s stat 1|3.5s time", 27},
		{"no SIM card", Conditions{SIMMissing: true, Signal: 20}, "1.5s sim 2", 20},
		{"no signal", Conditions{Signal: NoSignal}, "1.5s sim 1|1.5s stat 2", 99},
		{"denied", Conditions{Denied: true, Signal: 20}, "1.5s sim 1|1.5s stat 2|3.5s stat 3", 20},
		{"abroad", Conditions{Abroad: true, Signal: 20}, "1.5s sim 1|1.5s stat 2|3.5s stat 5|3.5s time", 20},
		{"no time", Conditions{NoTime: true, Signal: 20}, "1.5s sim 1|1.5s stat 2|3.5s stat 1", 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r Radio
			now := start
			r.PowerOn(now, tt.c, false)
			if got := strings.Join(run(&r, &now), "|"); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if r.Signal() != tt.signal {
				t.Errorf("signal %d, want %d", r.Signal(), tt.signal)
			}
		})
	}
}

func TestConditionsChange(t *testing.T) {
	var r Radio
	now := start
	r.PowerOn(now, Usual, false)
	run(&r, &now)
	step := func(what string, changes []Change, want Registration, later string) {
		t.Helper()
		if r.Registration() != want {
			t.Errorf("%s: stat %d, want %d, changes %v", what, r.Registration(), want, changes)
		}
		if !slices.Contains(changes, RegistrationChanged) {
			t.Errorf("%s: nobody is told: %v", what, changes)
		}
		if got := strings.Join(run(&r, &now), "|"); !strings.Contains(got, later) {
			t.Errorf("%s: later %q, want %q", what, got, later)
		}
	}
	c := Usual
	c.Signal = NoSignal
	step("the signal goes", r.Set(c, now), Searching, "")
	step("and comes back", append(r.Set(Usual, now), RegistrationChanged), Searching, "stat 1")
	step("radio off", r.Switch(false, now), NotSearching, "")
	if r.Signal() != NoSignal {
		t.Errorf("signal %d while off", r.Signal())
	}
	step("and on", r.Switch(true, now), Searching, "stat 1")
	c = Usual
	c.SIMMissing = true
	step("the card is pulled", r.Set(c, now), NotSearching, "")
	if r.SIM() != Missing {
		t.Errorf("sim %d", r.SIM())
	}
	if got := r.Set(Usual, now); r.SIM() != Busy || len(got) != 0 {
		t.Errorf("put back: sim %d, %v", r.SIM(), got)
	}
	if got := strings.Join(run(&r, &now), "|"); !strings.Contains(got, "sim 1") || !strings.Contains(got, "stat 1") {
		t.Errorf("put back: %s", got)
	}
	r.PowerOn(now, Usual, false)
	if got := r.Set(c, now); r.SIM() != Busy || len(got) != 0 {
		t.Errorf("pulled while it is read: sim %d, %v", r.SIM(), got)
	}
	if run(&r, &now); r.SIM() != Missing {
		t.Errorf("pulled while it was read: sim %d", r.SIM())
	}
	r.Set(Usual, now)
	run(&r, &now)
	c = Usual
	c.Denied = true
	step("refused from now on", r.Set(c, now), Searching, "stat 3")
	step("forgiven", r.Set(Usual, now), Searching, "stat 1")
}

func TestOfflineFromTheStart(t *testing.T) {
	var r Radio
	now := start
	r.PowerOn(now, Usual, true)
	if got := strings.Join(run(&r, &now), "|"); got != "1.5s sim 1" {
		t.Errorf("%s", got)
	}
}

func TestClock(t *testing.T) {
	var r Radio
	r.PowerOn(start, Conditions{Signal: 20, NoTime: true}, false)
	now := start.Add(65 * time.Second)
	if got := r.Clock().CCLK(now); got != "80/01/06,00:01:05+00" || r.Clock().IsSet() {
		t.Errorf("unset: %s", got)
	}
	at, err := ParseCCLK("25/01/15,14:15:27+32")
	if err != nil {
		t.Fatal(err)
	}
	r.Clock().Set(at, now)
	now = now.Add(3 * time.Second)
	if got := r.Clock().CCLK(now); got != "25/01/15,14:15:30+32" {
		t.Errorf("set: %s", got)
	}
	if got := r.Clock().QNTP(now); got != "2025/01/15,14:15:30+32" {
		t.Errorf("QNTP: %s", got)
	}
	if at, err := ParseCCLK("25/01/15,14:15:27-04"); err != nil || !at.Equal(time.Date(2025, 1, 15, 15, 15, 27, 0, time.UTC)) {
		t.Errorf("an hour west: %v, %v", at, err)
	}
	for _, bad := range []string{"", "25/01/15,14:15:27", "25/13/15,14:15:27+32", "25/01/15,14:15:27+99", "25/01/15,14:15:27 32", "25/01/15,14:15:27+3x", "2025/01/15,14:15:27+32"} {
		if _, err := ParseCCLK(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func FuzzParseCCLK(f *testing.F) {
	f.Add("25/01/15,14:15:27+32")
	f.Fuzz(func(t *testing.T, s string) {
		at, err := ParseCCLK(s)
		if err != nil {
			return
		}
		c := Clock{}
		c.Set(at, start)
		again, err := ParseCCLK(c.CCLK(start))
		if err != nil || !again.Equal(at) {
			t.Errorf("%q became %q, %v", s, c.CCLK(start), err)
		}
	})
}
