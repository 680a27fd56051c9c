package record

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/matou-iot/matou/thing"
)

var (
	at     = time.UnixMilli(1700000000123).UTC()
	report = Report{
		{"CurrentTemperature", thing.FloatValue(25.6), at}, {"Half", thing.FloatValue(0.5), at}, {"On", thing.BoolValue(true), at.Add(-time.Hour)},
		{"Off", thing.BoolValue(false), at}, {"Count", thing.IntValue(-7), at}, {"Name", thing.TextValue("温"), at},
		{"Place", thing.ObjectValue(`{"lat":1}`), at}, {"Log", thing.ListValue(`[1]`), at}, {"None", thing.NullValue, at},
	}
)

func TestRecordsStandOneBehindTheOther(t *testing.T) {
	first := Record{Kind: PropertyReport, Product: "pk", Device: "dn", Time: at, TraceID: 9, Body: report.Append(nil)}
	second := Record{Kind: StatusChange, Product: "p", Device: "", Time: at, Body: []byte{}}
	b := second.Append(first.Append(nil))
	got, rest, err := Decode(b)
	if err != nil || !reflect.DeepEqual(got, first) {
		t.Fatalf("%+v, %v", got, err)
	}
	got, rest, err = Decode(rest)
	if err != nil || !reflect.DeepEqual(got, second) || len(rest) != 0 {
		t.Errorf("%+v, %d bytes left, %v", got, len(rest), err)
	}
}

func TestReportRoundTrip(t *testing.T) {
	got, err := DecodeReport(report.Append(nil))
	if err != nil || !reflect.DeepEqual(got, report) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestEventAndCommandRoundTrip(t *testing.T) {
	e := Event{"Fault", thing.Fault, `{"Code":1}`, at}
	if got, err := DecodeEvent(e.Append(nil)); err != nil || got != e {
		t.Errorf("%+v %v", got, err)
	}
	for _, c := range []Command{
		{ID: "7", Kind: "set", Input: `{"A":1}`, State: "delivered", SentAt: at},
		{ID: "8", Kind: "invoke", Service: "Blink", Input: `{}`, Output: `{"x":1}`, State: "failed", Code: -4, Message: "no", SentAt: at, DoneAt: at},
	} {
		if got, err := DecodeCommand(c.Append(nil)); err != nil || got != c {
			t.Errorf("%+v %v", got, err)
		}
	}
}

func TestCutOffIsCorrupt(t *testing.T) {
	r := Record{Kind: PropertyReport, Product: "pk", Device: "dn", Time: at, Body: report.Append(nil)}
	b := r.Append(nil)
	for n := range b {
		if _, _, err := Decode(b[:n]); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("%d of %d bytes were read: %v", n, len(b), err)
		}
	}
}

func TestBuilderDoesNotAllocate(t *testing.T) {
	var b ReportBuilder
	build := func() {
		b.Reset()
		b.Add("CurrentTemperature", thing.FloatValue(25.6), 1700000000123)
		b.Add("NightLightSwitch", thing.BoolValue(true), 1700000000123)
	}
	build()
	if n := testing.AllocsPerRun(100, build); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzDecode(f *testing.F) {
	r := Record{Kind: PropertyReport, Product: "pk", Device: "dn", Time: at, Body: report.Append(nil)}
	f.Add(r.Append(nil))
	f.Add(Event{"Fault", thing.Fault, `{}`, at}.Append(nil))
	f.Add(Command{ID: "7", SentAt: at}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, _, err := Decode(b); err == nil {
			again, _, err := Decode(r.Append(nil))
			if err != nil || again.Kind != r.Kind || again.Product != r.Product || string(again.Body) != string(r.Body) {
				t.Errorf("%+v became %+v, %v", r, again, err)
			}
		}
		if report, err := DecodeReport(b); err == nil {
			if again, err := DecodeReport(report.Append(nil)); err != nil || !reflect.DeepEqual(report, again) {
				t.Errorf("%+v became %+v, %v", report, again, err)
			}
		}
		if e, err := DecodeEvent(b); err == nil {
			if again, err := DecodeEvent(e.Append(nil)); err != nil || again != e {
				t.Errorf("%+v became %+v, %v", e, again, err)
			}
		}
		if c, err := DecodeCommand(b); err == nil {
			if again, err := DecodeCommand(c.Append(nil)); err != nil || again != c {
				t.Errorf("%+v became %+v, %v", c, again, err)
			}
		}
	})
}
