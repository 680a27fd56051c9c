package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/matou-iot/matou/thing"
)

// A Point is one value of one property at one time.
type Point struct {
	Property string
	Value    thing.Value
	Time     time.Time // UTC milliseconds
}

// A Report is what one message said of properties.
type Report []Point

// The bounds of a report.
const (
	maxPoints = 10_000
	maxText   = 1 << 20 // bytes of one text value
)

// A ReportBuilder writes a report without allocating once it is reused. The
// zero value waits for Reset.
type ReportBuilder struct {
	b      []byte
	points int
	last   int64
}

// Reset begins a new report.
func (r *ReportBuilder) Reset() { r.b, r.points, r.last = append(r.b[:0], version), 0, 0 }

// Add appends a value; at is UTC milliseconds. ErrFull says that it belongs
// into another report, ErrUnfit into none; the report is as it was then.
func (r *ReportBuilder) Add(property string, v thing.Value, at int64) error {
	switch {
	case r.points == maxPoints:
		return ErrFull
	case len(property) > maxName:
		return unfit("property name", len(property), maxName)
	case len(v.Text) > maxText:
		return unfit("value", len(v.Text), maxText)
	case math.IsNaN(v.Float) || math.IsInf(v.Float, 0):
		return fmt.Errorf("%w: %v is no number", ErrUnfit, v.Float)
	}
	before := len(r.b)
	r.b = append(binary.AppendUvarint(r.b, uint64(len(property))), property...)
	r.b = binary.AppendVarint(r.b, at-r.last) // most points share one time
	r.b = appendValue(r.b, v)
	if len(r.b) > maxBody {
		r.b = r.b[:before]
		return ErrFull
	}
	r.points++
	r.last = at
	return nil
}

// Len is how many values the report has.
func (r *ReportBuilder) Len() int { return r.points }

// Bytes returns the report; it is valid until the next Reset.
func (r *ReportBuilder) Bytes() []byte { return r.b }

// Append appends a report. The error is ErrUnfit, also for one that is too
// long: use a ReportBuilder to divide it.
func (r Report) Append(dst []byte) ([]byte, error) {
	var b ReportBuilder
	b.Reset()
	for _, p := range r {
		err := b.Add(p.Property, p.Value, p.Time.UnixMilli())
		if errors.Is(err, ErrFull) {
			return dst, fmt.Errorf("%w: report of %d values", ErrUnfit, len(r))
		}
		if err != nil {
			return dst, err
		}
	}
	return append(dst, b.Bytes()...), nil
}

// DecodeReport reads a report. The error is ErrCorrupt and names the field.
func DecodeReport(b []byte) (Report, error) {
	var report Report
	err := VisitReport(b, func(property []byte, v thing.Value, at int64) bool {
		report = append(report, Point{string(property), v, time.UnixMilli(at).UTC()})
		return true
	})
	if err != nil {
		return nil, err
	}
	return report, nil
}

// VisitReport reads a report point by point, until visit returns false.
// property aliases b.
func VisitReport(b []byte, visit func(property []byte, v thing.Value, at int64) bool) error {
	c := cursor{b: b}
	c.version()
	if err := c.err("report"); err != nil {
		return err
	}
	at := int64(0)
	for n := 0; len(c.b) > 0; n++ {
		property := c.bytes("property name", c.uvarint("property name", maxName))
		at += c.varint("time")
		v := c.value()
		if n == maxPoints {
			c.fail("number of values")
		}
		if err := c.err("report"); err != nil {
			return err
		}
		if !visit(property, v, at) {
			return nil
		}
	}
	return nil
}

func appendValue(dst []byte, v thing.Value) []byte {
	switch v.Shape {
	case thing.Boolean:
		if v.Bool {
			return append(dst, byte(thing.Boolean)|0x80)
		}
		return append(dst, byte(thing.Boolean))
	case thing.Integer:
		return binary.AppendVarint(append(dst, byte(thing.Integer)), v.Int)
	case thing.Real:
		// Sensors send float32 and short decimals; the shorter form is exact.
		if f := float32(v.Float); float64(f) == v.Float {
			return binary.BigEndian.AppendUint32(append(dst, byte(thing.Real)|0x80), math.Float32bits(f))
		}
		return binary.BigEndian.AppendUint64(append(dst, byte(thing.Real)), math.Float64bits(v.Float))
	case thing.String, thing.Object, thing.List:
		return appendText(append(dst, byte(v.Shape)), v.Text)
	}
	return append(dst, byte(thing.Null))
}

func (c *cursor) value() thing.Value {
	tag := c.byte("value")
	flag := tag&0x80 != 0
	switch shape := thing.Shape(tag &^ 0x80); shape {
	case thing.Null:
		return thing.NullValue
	case thing.Boolean:
		return thing.BoolValue(flag)
	case thing.Integer:
		return thing.IntValue(c.varint("value"))
	case thing.Real:
		if flag {
			if b := c.bytes("value", 4); b != nil {
				return c.finite(float64(math.Float32frombits(binary.BigEndian.Uint32(b))))
			}
			return thing.NullValue
		}
		return c.finite(math.Float64frombits(c.uint64("value")))
	case thing.String:
		return thing.TextValue(c.text("value", maxText))
	case thing.Object:
		return thing.ObjectValue(c.text("value", maxText))
	case thing.List:
		return thing.ListValue(c.text("value", maxText))
	}
	c.fail("value")
	return thing.NullValue
}

func (c *cursor) finite(f float64) thing.Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		c.fail("value")
	}
	return thing.FloatValue(f)
}
