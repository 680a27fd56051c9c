package record

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
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

// must is what Append returns for something that fits.
func must(t testing.TB, v interface{ Append([]byte) ([]byte, error) }, dst []byte) []byte {
	t.Helper()
	b, err := v.Append(dst)
	if err != nil {
		t.Fatalf("%+v: %v", v, err)
	}
	return b
}

func TestRecordsStandOneBehindTheOther(t *testing.T) {
	first := Record{Kind: PropertyReport, Product: "pk", Device: "dn", Time: at, TraceID: 9, Body: must(t, report, nil)}
	second := Record{Kind: StatusChange, Product: "p", Device: "", Time: at, Body: []byte{}}
	b := must(t, &second, must(t, &first, nil))
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
	got, err := DecodeReport(must(t, report, nil))
	if err != nil || !reflect.DeepEqual(got, report) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestEventAndCommandRoundTrip(t *testing.T) {
	e := Event{"Fault", thing.Fault, `{"Code":1}`, at}
	if got, err := DecodeEvent(must(t, e, nil)); err != nil || got != e {
		t.Errorf("%+v %v", got, err)
	}
	for _, c := range []Command{
		{ID: "7", Kind: "set", Input: `{"A":1}`, State: "delivered", SentAt: at},
		{ID: "8", Kind: "invoke", Service: "Blink", Input: `{}`, Output: `{"x":1}`, State: "failed", Code: -4, Message: "no", SentAt: at, DoneAt: at},
	} {
		if got, err := DecodeCommand(must(t, c, nil)); err != nil || got != c {
			t.Errorf("%+v %v", got, err)
		}
	}
}

func TestCutOffIsCorrupt(t *testing.T) {
	r := Record{Kind: PropertyReport, Product: "pk", Device: "dn", Time: at, Body: must(t, report, nil)}
	b := must(t, &r, nil)
	for n := range b {
		if _, _, err := Decode(b[:n]); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("%d of %d bytes were read: %v", n, len(b), err)
		}
	}
}

// TestUnfitIsNotAppended: what is appended can be read, and what cannot be
// read is not appended and named.
func TestUnfitIsNotAppended(t *testing.T) {
	name, text := strings.Repeat("n", maxName), strings.Repeat("t", maxText)
	point := func(property string, v thing.Value) Report { return Report{{property, v, at}} }
	many := make(Report, maxPoints+1)
	for i := range many {
		many[i] = Point{fmt.Sprint(i), thing.IntValue(1), at}
	}
	long := Report{{"1", thing.TextValue(text), at}, {"2", thing.TextValue(text), at}, {"3", thing.TextValue(text), at}, {"4", thing.TextValue(text), at}}
	for _, tt := range []struct {
		name string
		v    interface{ Append([]byte) ([]byte, error) }
		want string // in the error, "" for none
	}{
		{"a product key as long as may be", &Record{Product: name, Device: name, Body: make([]byte, maxBody)}, ""},
		{"a longer one", &Record{Product: name + "n"}, "product key of 257 bytes"},
		{"a device name too long", &Record{Device: name + "n"}, "device name of 257 bytes"},
		{"a body too long", &Record{Body: make([]byte, maxBody+1)}, "body of 4194305 bytes"},
		{"a property name and a text as long as may be", point(name, thing.TextValue(text)), ""},
		{"a longer name", point(name+"n", thing.NullValue), "property name of 257 bytes"},
		{"a longer text", point("a", thing.TextValue(text+"t")), "value of 1048577 bytes"},
		{"a longer object", point("a", thing.ObjectValue(text+"t")), "value of 1048577 bytes"},
		{"no number", point("a", thing.Value{Shape: thing.Real, Float: math.NaN()}), "NaN is no number"},
		{"as many values as may be", many[1:], ""},
		{"one more", many, "report of 10001 values"},
		{"more bytes than a body has", long, "report of 4 values"},
		{"an event as long as may be", Event{Event: name, Output: text}, ""},
		{"an event with a longer name", Event{Event: name + "n"}, "event name of 257 bytes"},
		{"an event with a longer output", Event{Output: text + "t"}, "event output of 1048577 bytes"},
		{"a command as long as may be", Command{Input: text, Message: text}, ""},
		{"a command with a longer input", Command{Input: text + "t"}, "command input of 1048577 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := tt.v.Append([]byte("before"))
			if tt.want != "" {
				if !errors.Is(err, ErrUnfit) || !strings.Contains(err.Error(), tt.want) || string(b) != "before" {
					t.Errorf("%d bytes, %v, want nothing and %q", len(b), err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := decodeLike(tt.v, b[len("before"):]); err != nil {
				t.Errorf("it was appended and cannot be read: %v", err)
			}
		})
	}
}

// decodeLike reads what v appended.
func decodeLike(v any, b []byte) (any, error) {
	switch v.(type) {
	case *Record:
		r, _, err := Decode(b)
		return &r, err
	case Report:
		return DecodeReport(b)
	case File:
		return DecodeFile(b)
	case Event:
		return DecodeEvent(b)
	}
	return DecodeCommand(b)
}

// TestFullReportGoesOnInTheNext: nothing is lost where a report is divided.
func TestFullReportGoesOnInTheNext(t *testing.T) {
	var b ReportBuilder
	b.Reset()
	for i := range maxPoints {
		if err := b.Add("a", thing.IntValue(int64(i)), 1); err != nil {
			t.Fatal(i, err)
		}
	}
	before := len(b.Bytes())
	if err := b.Add("a", thing.NullValue, 1); !errors.Is(err, ErrFull) || len(b.Bytes()) != before || b.Len() != maxPoints {
		t.Fatalf("%v, %d bytes, %d values", err, len(b.Bytes()), b.Len())
	}
	b.Reset()
	if err := b.Add("a", thing.NullValue, 1); err != nil {
		t.Error(err)
	}
}

func TestCorruptIsNamed(t *testing.T) {
	for _, tt := range []struct {
		name string
		v    any
		in   string
		want string
	}{
		{"nothing", &Record{}, "", "length of record"},
		{"a length that asks for more than a record has", &Record{}, "\xff\xff\xff\xff\x0f", "length of record"},
		{"an unknown version", &Record{}, "\x01\x02", "version of record"},
		{"cut off in the device name", &Record{}, "\x05\x01\x01\x00\x09a", "device name of record"},
		{"an unknown shape", Report{}, "\x01\x01a\x00\x7f", "value of report"},
		{"a text longer than the report", Report{}, "\x01\x01a\x00\x04\x09a", "value of report"},
		{"a number that is none", Report{}, "\x01\x01a\x00\x83\x7f\xc0\x00\x00", "value of report"},
		{"an event with something behind it", Event{}, "\x01\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00x", "end of event"},
		{"a command without its state", Command{}, "\x01\x00\x00\x00\x00\x00", "state of command"},
	} {
		_, err := decodeLike(tt.v, []byte(tt.in))
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
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
	r := Record{Kind: PropertyReport, Product: "pk", Device: "dn", Time: at, Body: must(f, report, nil)}
	f.Add(must(f, &r, nil))
	f.Add(must(f, Event{"Fault", thing.Fault, `{}`, at}, nil))
	f.Add(must(f, Command{ID: "7", SentAt: at}, nil))
	f.Add(must(f, File{"a.log", 1024, "ab"}, nil))
	f.Add(must(f, report, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, _, err := Decode(b); err == nil {
			again, _, err := Decode(must(t, &r, nil))
			if err != nil || again.Kind != r.Kind || again.Product != r.Product || string(again.Body) != string(r.Body) {
				t.Errorf("%+v became %+v, %v", r, again, err)
			}
		}
		if report, err := DecodeReport(b); err == nil {
			if again, err := DecodeReport(must(t, report, nil)); err != nil || !reflect.DeepEqual(report, again) {
				t.Errorf("%+v became %+v, %v", report, again, err)
			}
		}
		if e, err := DecodeEvent(b); err == nil {
			if again, err := DecodeEvent(must(t, e, nil)); err != nil || again != e {
				t.Errorf("%+v became %+v, %v", e, again, err)
			}
		}
		if file, err := DecodeFile(b); err == nil {
			if again, err := DecodeFile(must(t, file, nil)); err != nil || again != file {
				t.Errorf("%+v became %+v, %v", file, again, err)
			}
		}
		if c, err := DecodeCommand(b); err == nil {
			if again, err := DecodeCommand(must(t, c, nil)); err != nil || again != c {
				t.Errorf("%+v became %+v, %v", c, again, err)
			}
		}
	})
}

// FuzzAppend: whatever is appended is read as the same.
func FuzzAppend(f *testing.F) {
	f.Add("Temp", "warm", 1.5, int64(-1), int64(1700000000123), byte(3))
	f.Add(strings.Repeat("n", maxName+1), "", math.Inf(1), int64(math.MinInt64), int64(math.MaxInt64), byte(0))
	f.Fuzz(func(t *testing.T, name, text string, float float64, n, ms int64, shape byte) {
		v := thing.Value{Shape: thing.Shape(shape % 8)}
		switch v.Shape {
		case thing.Boolean:
			v.Bool = n > 0
		case thing.Integer:
			v.Int = n
		case thing.Real:
			v.Float = float
		case thing.String, thing.Object, thing.List:
			v.Text = text
		default:
			v.Shape = thing.Null
		}
		report := Report{{name, v, time.UnixMilli(ms).UTC()}, {text, thing.NullValue, time.UnixMilli(n).UTC()}}
		for _, v := range []interface{ Append([]byte) ([]byte, error) }{
			report, report[:1], File{Name: name, Size: n, SHA256: text}, Event{Event: name, Output: text, Time: at}, Command{ID: name, Input: text, Code: int(n), SentAt: at, DoneAt: at},
			&Record{Kind: EventReport, Product: name, Device: text, Time: at, Body: []byte(text)},
		} {
			b, err := v.Append(nil)
			if err != nil {
				if !errors.Is(err, ErrUnfit) || len(b) > 0 {
					t.Errorf("%+v: %d bytes and %v", v, len(b), err)
				}
				continue
			}
			got, err := decodeLike(v, b)
			if err != nil || !reflect.DeepEqual(got, v) && len(text) > 0 {
				t.Errorf("%+v became %+v, %v", v, got, err)
			}
		}
	})
}
