package record

import (
	"encoding/binary"
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
	b    []byte
	last int64
}

// Reset begins a new report.
func (r *ReportBuilder) Reset() { r.b, r.last = append(r.b[:0], version), 0 }

// Add appends a value; at is UTC milliseconds.
func (r *ReportBuilder) Add(property string, v thing.Value, at int64) {
	r.b = append(binary.AppendUvarint(r.b, uint64(len(property))), property...)
	r.b = binary.AppendVarint(r.b, at-r.last) // most points share one time
	r.last = at
	r.b = appendValue(r.b, v)
}

// Bytes returns the report; it is valid until the next Reset.
func (r *ReportBuilder) Bytes() []byte { return r.b }

// Append appends a report.
func (r Report) Append(dst []byte) []byte {
	var b ReportBuilder
	b.Reset()
	for _, p := range r {
		b.Add(p.Property, p.Value, p.Time.UnixMilli())
	}
	return append(dst, b.Bytes()...)
}

// DecodeReport reads a report.
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
	if c.byte() != version {
		return ErrCorrupt
	}
	at := int64(0)
	for n := 0; len(c.b) > 0; n++ {
		property := c.bytes(c.uvarint(maxName))
		at += c.varint()
		v := c.value()
		if c.bad || n == maxPoints {
			return ErrCorrupt
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
	tag := c.byte()
	flag := tag&0x80 != 0
	switch shape := thing.Shape(tag &^ 0x80); shape {
	case thing.Null:
		return thing.NullValue
	case thing.Boolean:
		return thing.BoolValue(flag)
	case thing.Integer:
		return thing.IntValue(c.varint())
	case thing.Real:
		if flag {
			if b := c.bytes(4); b != nil {
				return c.finite(float64(math.Float32frombits(binary.BigEndian.Uint32(b))))
			}
			return thing.NullValue
		}
		return c.finite(math.Float64frombits(c.uint64()))
	case thing.String:
		return thing.TextValue(c.text(maxText))
	case thing.Object:
		return thing.ObjectValue(c.text(maxText))
	case thing.List:
		return thing.ListValue(c.text(maxText))
	}
	c.bad = true
	return thing.NullValue
}

func (c *cursor) finite(f float64) thing.Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		c.bad = true
	}
	return thing.FloatValue(f)
}
