package onenet

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/matou-iot/matou/thing"
	"github.com/matou-iot/matou/thing/loose"
)

// DataPostPath is where a device of data streams posts data points
// [onenet §4.1]. No other type of the family is documented.
const DataPostPath = "dp/post/json"

// The bounds of data points [onenet §4.1].
const (
	MaxStreamName  = 30 // bytes, also of a key in an object
	MaxObjectDepth = 5
)

// NoID is the id in the answer to a message that has no legal one.
const NoID = -1

// A DataError is what is wrong with data points. Its code is IllegalData.
type DataError struct {
	Field string // "id", "dp", a stream, "temperature.v"
	Got   string
	Want  string
}

// Error names field and remedy.
func (e *DataError) Error() string { return "onenet: " + e.Field + " has to be " + e.Want }

// Unwrap is IllegalData.
func (e *DataError) Unwrap() error { return IllegalData }

// Data are data points with what was tolerated in them.
type Data struct {
	ID      int64 // NoID where there is no legal one
	Points  []StreamPoint
	Loose   loose.Looseness
	TextID  bool // the id is a text
	Streams bool // a stream has a name that the platform would not take
	Values  bool // a value is neither number, text nor object, or nested too deeply
}

// A StreamPoint is one value of a data stream.
type StreamPoint struct {
	Stream string
	Value  thing.Value
	At     int64 // Unix seconds, 0 where the device named no time
}

// DataPoints reads a post of data points. What the platform's rules do not
// allow and can be understood all the same is marked in Data; the error is a
// *DataError or that of a document that is no JSON. ID is filled in as far as
// it was read.
func (d *Decoder) DataPoints(doc []byte) (Data, error) {
	out := Data{ID: NoID}
	r := &d.r
	r.Reset(doc)
	if r.Next() != loose.BeginObject {
		if r.Err() != nil {
			return out, r.Err()
		}
		return out, &DataError{"payload", "", `an object, {"id":123,"dp":{…}}`}
	}
	found := false
	var bad error
	for t := r.Next(); t != loose.EndObject; t = r.Next() {
		if t != loose.Key {
			return out, r.Err()
		}
		switch string(r.Bytes()) {
		case "id":
			v, ok := r.Value(r.Next())
			if !ok {
				return out, r.Err()
			}
			if err := out.identify(v); err != nil && bad == nil {
				bad = err
			}
		case "dp":
			found = true
			if err := out.streams(r); err != nil && bad == nil { // the id may stand behind
				bad = err
			}
		default:
			r.Skip()
		}
		if r.Err() != nil {
			return out, r.Err()
		}
	}
	if r.Next() != loose.EOF {
		return out, r.Err()
	}
	out.Loose = r.Loose()
	switch {
	case bad != nil:
		return out, bad
	case out.ID == NoID:
		return out, &DataError{"id", "", "there, a whole number of at least 0"}
	case !found:
		return out, &DataError{"dp", "", "there, an object of streams"}
	}
	return out, nil
}

// identify reads an id: at least 0, for the C SDK begins there.
func (d *Data) identify(v thing.Value) error {
	n := v
	if v.Shape == thing.String {
		if parsed, err := thing.ParseNumber(v.Text); err == nil {
			n, d.TextID = parsed, true
		}
	}
	if n.Shape != thing.Integer || n.Int < 0 || n.Int > math.MaxInt32 {
		return &DataError{"id", short(v.String()), "a whole number from 0 to 2147483647"}
	}
	d.ID = n.Int
	return nil
}

// streams reads the object of streams that comes next, to its end whatever is
// wrong in it.
func (d *Data) streams(r *loose.Reader) (bad error) {
	t := r.Next()
	if t != loose.BeginObject {
		v, _ := r.Value(t)
		return &DataError{"dp", short(v.String()), "an object of streams"}
	}
	for t = r.Next(); t == loose.Key; t = r.Next() {
		stream := string(r.Bytes())
		if !ValidStream(stream) {
			d.Streams = true
		}
		if err := d.stream(r, stream); err != nil && bad == nil {
			bad = err
		}
	}
	return bad
}

// stream reads the values of one stream.
func (d *Data) stream(r *loose.Reader, stream string) (bad error) {
	t := r.Next()
	if t != loose.BeginArray {
		v, _ := r.Value(t)
		return &DataError{stream, short(v.String()), `a list of values, [{"v":30}]`}
	}
	for t = r.Next(); t != loose.EndArray; t = r.Next() {
		v, ok := r.Value(t)
		if !ok {
			return r.Err()
		}
		p, err := d.point(stream, v)
		if err != nil && bad == nil {
			bad = err
		}
		d.Points = append(d.Points, p)
	}
	return bad
}

// point reads {"v":30,"t":1552289676}.
func (d *Data) point(stream string, element thing.Value) (StreamPoint, error) {
	p := StreamPoint{Stream: stream}
	var members []thing.Argument
	if element.Shape == thing.Object {
		members, _ = thing.ParseArguments([]byte(element.Text))
	}
	found := false
	for _, m := range members {
		switch m.ID {
		case "v":
			p.Value, found = m.Value, true
		case "t":
			at := millis(m.Value) // a number, or its text
			if at < 0 {
				return p, &DataError{stream + ".t", short(m.Value.String()), "Unix seconds"}
			}
			p.At = at
		}
	}
	if !found || p.Value.Shape == thing.Null {
		return p, &DataError{stream + ".v", short(element.String()), "there: a number, a text or an object"}
	}
	if !plainValue(p.Value) {
		d.Values = true
	}
	return p, nil
}

// plainValue reports whether a value is one that the platform takes.
func plainValue(v thing.Value) bool {
	switch v.Shape {
	case thing.Integer, thing.Real, thing.String:
		return true
	case thing.Object:
		return shallow(v.Text)
	}
	return false
}

// shallow reports whether an object is nested at most MaxObjectDepth deep and
// its keys are at most MaxStreamName long.
func shallow(object string) bool {
	var any map[string]json.RawMessage
	if json.Unmarshal([]byte(object), &any) != nil {
		return false
	}
	return shallowFrom(any, 1)
}

func shallowFrom(object map[string]json.RawMessage, depth int) bool {
	if depth > MaxObjectDepth {
		return false
	}
	for key, raw := range object {
		if len(key) > MaxStreamName {
			return false
		}
		var inner map[string]json.RawMessage
		if json.Unmarshal(raw, &inner) == nil && inner != nil && !shallowFrom(inner, depth+1) {
			return false
		}
	}
	return true
}

// ValidStream reports whether a stream has a name that the platform takes:
// letters, digits, _ and ., perhaps with a $ in front, at most 30 bytes.
func ValidStream(name string) bool {
	if name == "" || name == "$" || len(name) > MaxStreamName {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '.':
		case c == '$' && i == 0:
		default:
			return false
		}
	}
	return true
}

// AppendDataAccepted appends the answer to data points that were kept.
func AppendDataAccepted(dst []byte, id int64) []byte {
	return append(strconv.AppendInt(append(dst, `{"id":`...), id, 10), '}')
}

// AppendDataRejected appends the answer to data points that were not taken; id
// is NoID where no legal one could be read.
func AppendDataRejected(dst []byte, id int64, c StreamCode) []byte {
	return appendCode(append(strconv.AppendInt(append(dst, `{"id":`...), id, 10), ','), c)
}

// AppendDataPost appends what a device sends to post one value of each stream.
func AppendDataPost(dst []byte, id int64, values []thing.Argument) []byte {
	dst = append(strconv.AppendInt(append(dst, `{"id":`...), id, 10), `,"dp":{`...)
	for i, a := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(thing.AppendText(dst, a.ID), `:[{"v":`...)
		dst = append(a.Value.AppendJSON(dst), `}]`...)
	}
	return append(dst, "}}"...)
}
