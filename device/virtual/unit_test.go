package virtual

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/device"
	"github.com/matou-iot/matou/thing"
)

// unit makes one that is told to nobody's server, and the list of its events.
func unit(t *testing.T, text string) (*Unit, *[]string) {
	t.Helper()
	d, err := Read("f", []byte(base+text), Files("."), nil)
	if err != nil {
		t.Fatal(err)
	}
	told := &[]string{}
	u, err := New(d, Options{Tell: func(e Event) {
		*told = append(*told, fmt.Sprintf("%s %s %v %s", e.Kind, e.Name, e.Values, e.Error))
	}})
	if err != nil {
		t.Fatal(err)
	}
	u.began = time.Now()
	return u, told
}

const lamp = `
sensors: {Lux: {values: [400, 20, 20, 400], hold: 10s, decimals: 0}}
actuators:
  LED: {type: bool}
  Level: {low: 0, high: 100, whole: true}
  Stuck: {type: bool, fails: 100%}
  Slow: {type: bool, delay: 3s}
services:
  Blink: {output: {Done: $Times, Note: fine, None: $Nothing}, set: {LED: on}, delay: 1s}
  Broken: {fails: 100%}
rules:
  - when: Lux < 50
    set: {LED: on}
    otherwise: {LED: off}
  - when: Lux > 300 and LED == on
    set: {Level: 1}
`

func TestRulesActWhenSomethingComesTrueOrEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, told := unit(t, lamp)
		var leds []string
		for range 4 {
			u.measure()
			u.obey(t.Context())
			leds = append(leds, u.values["LED"].String())
			time.Sleep(10 * time.Second) // of the bubble's clock
		}
		if got, want := fmt.Sprint(leds), "[false true true false]"; got != want {
			t.Errorf("LED went %s, want %s", got, want)
		}
		want := "[rule Lux < 50 map[LED:false]  rule Lux < 50 map[LED:true]  rule Lux < 50 map[LED:false] ]"
		if got := fmt.Sprint(*told); got != want {
			t.Errorf("told %s\nwant %s", got, want)
		}
	})
}

func TestSetsAreCarriedOutAsAWholeOrNotAtAll(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  device.Params
		err  string
		want map[string]string
		took time.Duration
	}{
		{"two", device.Params{"LED": thing.IntValue(1), "Level": thing.IntValue(7)}, "", map[string]string{"LED": "true", "Level": "7"}, 0},
		{"one is wrong", device.Params{"LED": thing.IntValue(1), "Level": thing.IntValue(700)}, "Level: 700 is above the highest, 100", map[string]string{"LED": "false", "Level": "0"}, 0},
		{"a sensor", device.Params{"Lux": thing.IntValue(1)}, "Lux is measured and cannot be set", nil, 0},
		{"nothing of ours", device.Params{"Fan": thing.IntValue(1)}, "this device has no Fan", nil, 0},
		{"it fails", device.Params{"Stuck": thing.IntValue(1)}, "Stuck does not move", map[string]string{"Stuck": "false"}, 0},
		{"it takes its time", device.Params{"Slow": thing.IntValue(1)}, "", map[string]string{"Slow": "true"}, 3 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u, told := unit(t, lamp)
				began := time.Now()
				got := ""
				if err := u.set(t.Context(), tt.set); err != nil {
					got = err.Error()
				}
				if got != tt.err {
					t.Errorf("%q, want %q", got, tt.err)
				}
				if took := time.Since(began); took != tt.took {
					t.Errorf("it took %v, want %v", took, tt.took)
				}
				for id, v := range tt.want {
					if u.values[id].String() != v {
						t.Errorf("%s is %v, want %s", id, u.values[id], v)
					}
				}
				if len(*told) != 1 {
					t.Errorf("told %q", *told)
				}
				if reports := u.dev.Waiting(); (reports == 1) != (tt.err == "") {
					t.Errorf("%d reports of it", reports)
				}
			})
		})
	}
}

func TestServicesAnswerWithWhatTheyWereAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, told := unit(t, lamp)
		out, err := u.invoke(t.Context(), "Blink", device.Params{"Times": thing.IntValue(3)})
		if err != nil || fmt.Sprint(out) != "map[Done:3 Note:fine]" || !u.values["LED"].Bool {
			t.Errorf("%v, %v, LED %v", out, err, u.values["LED"])
		}
		if _, err := u.invoke(t.Context(), "Broken", nil); err == nil {
			t.Error("what always fails did not")
		}
		if _, err := u.invoke(t.Context(), "Fly", nil); err == nil || err.Error() != "this device has no service Fly" {
			t.Error(err)
		}
		if len(*told) != 3 {
			t.Errorf("told %q", *told)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := u.invoke(ended, "Blink", nil); err == nil {
			t.Error("a service went on after the end")
		}
	})
}

func TestSensorsThatFailAreLeftOut(t *testing.T) {
	u, told := unit(t, "sensors: {T: {value: 3, fails: 100%}, H: {value: 50.5}}\nactuators: {LED: }")
	if got := fmt.Sprint(u.measure()); got != "map[H:50.5 LED:false]" {
		t.Error(got)
	}
	if got := fmt.Sprint(*told); got != "[failed T map[] ]" {
		t.Error(got)
	}
}

// TestRegularReportsAreNotRepeated has a value that changes just when a report
// is due: it is told once.
func TestRegularReportsAreNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, err := Read("f", []byte(base+`
sensors: {Lux: {curve: steps, values: [1, 2, 3], hold: 5s}}
report: {every: 5s, onChange: true, queue: 1}
`), Files("."), nil)
		if err != nil {
			t.Fatal(err)
		}
		u, err := New(d, Options{Dial: func(context.Context) (net.Conn, error) { return nil, errors.New("no network") }})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute+500*time.Millisecond)
		defer cancel()
		if err := u.Run(ctx); err != nil {
			t.Error(err)
		}
		// There is no connection: one report is being sent, one waits, the others
		// were lost.
		if got, want := u.Dropped()+2, int64(13); got != want {
			t.Errorf("%d reports in a minute, want %d", got, want)
		}
	})
}
