package onenet

import (
	"testing"

	"github.com/matou-iot/matou/thing"
)

func TestRefusal(t *testing.T) {
	for _, tt := range []struct {
		name string
		p    thing.Problem
		code int
		msg  string
	}{
		{"unknown: OneNET's own words [onenet §3.4]", thing.Problem{Fault: thing.Unknown, Path: "Wendu"}, 2306, "identifier not exist:identifier:Wendu"},
		{"wrong type of a switch [onenet §6.4]", thing.Problem{Fault: thing.WrongType, Path: "Power", Expected: thing.Bool}, 2307, "bool type error:identifier:Power"},
		{"wrong type of a text", thing.Problem{Fault: thing.WrongType, Path: "name", Expected: thing.Text}, 2307, "string type error:identifier:name"},
		{"wrong type of a bitMap", thing.Problem{Fault: thing.WrongType, Path: "bits", Expected: thing.Bitmap}, 2307, "bitMap type error:identifier:bits"},
		{"time", thing.Problem{Fault: thing.BadTime, Path: "wendu"}, 2307, "time error:identifier:wendu"},
		{"out of range", thing.Problem{Fault: thing.OutOfRange, Path: "wendu", Expected: thing.Float}, 2308, "float value out of range:identifier:wendu"},
		{"not listed", thing.Problem{Fault: thing.NotListed, Path: "mode", Expected: thing.Enum}, 2308, "enum value out of range:identifier:mode"},
		{"too long [onenet §6.4]", thing.Problem{Fault: thing.TooLong, Path: "name", Expected: thing.Text}, 2309, "string length error:identifier:name"},
		{"list too long", thing.Problem{Fault: thing.TooLong, Path: "log", Expected: thing.Array}, 2309, "array length error:identifier:log"},
		{"member missing", thing.Problem{Fault: thing.Missing, Path: "pos.lat", Expected: thing.Double}, 2310, "member missing:identifier:pos.lat"},
	} {
		if code, msg := Refusal(&tt.p); code != tt.code || msg != tt.msg {
			t.Errorf("%s: %d %q", tt.name, code, msg)
		}
	}
}

func TestRejects(t *testing.T) {
	for m, want := range map[thing.Mistake]bool{
		thing.NoMistake: false, thing.OffStep: false,
		thing.Unknown: true, thing.WrongType: true, thing.OutOfRange: true, thing.NotListed: true, thing.TooLong: true,
		thing.Missing: true, thing.NotWritable: true, thing.BadTime: true,
	} {
		if Rejects(m) != want {
			t.Errorf("%v: %v", m, !want)
		}
	}
}
