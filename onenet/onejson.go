package onenet

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/matou-iot/matou/thing"
	"github.com/matou-iot/matou/thing/loose"
)

// A Decoder reads OneJSON messages [onenet §3.1]. It is kept and reused; it is
// not safe for several goroutines at once. What a message said last is in its
// fields, which alias the decoder's own memory until the next call.
type Decoder struct {
	ID      []byte // as text, whatever JSON it was; empty where there was none
	Loose   loose.Looseness
	Bare    bool // a value stood without its {"value":…}
	Code    int  // of a reply; -1 where it is no whole number
	Message []byte
	r       loose.Reader
	idBuf   []byte
	msgBuf  []byte
	tmp     []byte
	data    []byte
}

// The faults of a whole message.
var (
	ErrNotObject = errors.New("onenet: the message is not a JSON object")
	ErrNoParams  = errors.New("onenet: the message has no params, or they are no object")
)

// A Visitor takes one value of a message. id is valid during the call only.
// at is UTC milliseconds, 0 where the device named no time.
type Visitor func(id []byte, v thing.Value, at int64)

// envelope reads all members in whatever order they come; params are visited
// where a visitor is given, and come back as raw text otherwise.
func (d *Decoder) envelope(doc []byte, visit Visitor) (params []byte, found bool, err error) {
	d.ID, d.Message, d.Bare, d.Code, d.data = d.idBuf[:0], d.msgBuf[:0], false, 0, nil
	r := &d.r
	r.Reset(doc)
	if r.Next() != loose.BeginObject {
		if r.Err() != nil {
			return nil, false, r.Err()
		}
		return nil, false, ErrNotObject
	}
	for t := r.Next(); t != loose.EndObject; t = r.Next() {
		if t != loose.Key {
			return nil, false, r.Err()
		}
		switch string(r.Bytes()) {
		case "id":
			d.idBuf = d.scalar(d.idBuf)
			d.ID = d.idBuf
		case "msg", "message":
			d.msgBuf = d.scalar(d.msgBuf)
			d.Message = d.msgBuf
		case "code":
			d.tmp = d.scalar(d.tmp)
			d.Code = replyCode(d.tmp)
		case "data":
			d.data, _ = r.Skip()
		case "params":
			found = true
			if visit == nil {
				params, _ = r.Skip()
			} else if err := d.members(visit); err != nil {
				return nil, false, err
			}
		default:
			r.Skip()
		}
		if r.Err() != nil {
			return nil, false, r.Err()
		}
	}
	if r.Next() != loose.EOF {
		return nil, false, r.Err()
	}
	d.Loose = r.Loose()
	return params, found, nil
}

// unreadable is the Code of a reply whose code is no whole number.
const unreadable = -1

// replyCode reads a code, 0 for none; one that is no number is no success.
func replyCode(text []byte) int {
	if len(text) == 0 {
		return 0
	}
	v, err := thing.ParseNumber(string(text))
	f, _ := v.Number()
	if err != nil || f != math.Trunc(f) || math.Abs(f) > math.MaxInt32 {
		return unreadable
	}
	return int(f)
}

// scalar copies the text of a scalar value; a compound is passed over.
func (d *Decoder) scalar(buf []byte) []byte {
	switch t := d.r.Next(); t {
	case loose.Str, loose.Num:
		return append(buf[:0], d.r.Bytes()...)
	case loose.BeginObject, loose.BeginArray:
		d.r.Value(t)
	}
	return buf[:0]
}

// PropertyPost reads a property report. Values are wrapped, {"value":v,"time":t};
// bare ones, Aliyun's habit, are taken and marked.
func (d *Decoder) PropertyPost(doc []byte, visit Visitor) error {
	_, found, err := d.envelope(doc, visit)
	if err == nil && !found {
		err = ErrNoParams
	}
	return err
}

// members visits the members of the params object that comes next.
func (d *Decoder) members(visit Visitor) error {
	r := &d.r
	if r.Next() != loose.BeginObject {
		if r.Err() != nil {
			return r.Err()
		}
		return ErrNoParams
	}
	t := r.Next()
	for ; t == loose.Key; t = r.Next() {
		id := r.Bytes()
		if !r.InPlace() {
			id = append([]byte(nil), id...)
		}
		if err := d.member(id, visit); err != nil {
			return err
		}
	}
	if t != loose.EndObject {
		return r.Err()
	}
	return nil
}

// member reads one value. A wrapped scalar, the usual form, is read in place.
func (d *Decoder) member(id []byte, visit Visitor) error {
	r := &d.r
	t := r.Next()
	if t != loose.BeginObject {
		v, ok := r.Value(t)
		if !ok {
			return r.Err()
		}
		d.Bare = true
		visit(id, v, 0)
		return nil
	}
	var v thing.Value
	var at int64
	found := false
	for t = r.Next(); t == loose.Key; t = r.Next() {
		switch string(r.Bytes()) {
		case "value":
			inner, ok := r.Value(r.Next())
			if !ok {
				return r.Err()
			}
			v, found = inner, true
		case "time":
			stamp, ok := r.Value(r.Next())
			if !ok {
				return r.Err()
			}
			at = millis(stamp)
		default:
			r.Skip()
		}
	}
	if t != loose.EndObject {
		return r.Err()
	}
	if !found {
		d.Bare = true
		v = thing.ObjectValue("{}")
	}
	visit(id, v, at)
	return nil
}

// millis reads a time that is a number or its text; -1 for anything else.
func millis(v thing.Value) int64 {
	if v.Shape == thing.String {
		n, err := thing.ParseNumber(v.Text)
		if err != nil {
			return -1
		}
		v = n
	}
	switch v.Shape {
	case thing.Integer:
		return v.Int
	case thing.Real:
		return int64(v.Float)
	}
	return -1
}

// An Event is one event of a message; a message may hold several.
type Event struct {
	ID     string
	Output []thing.Argument
	At     int64 // UTC milliseconds, 0 where the device named no time
}

// EventPost reads the events of a message.
func (d *Decoder) EventPost(doc []byte) ([]Event, error) {
	params, _, err := d.envelope(doc, nil)
	if err != nil {
		return nil, err
	}
	args, err := arguments(params)
	if err != nil {
		return nil, err
	}
	var events []Event
	for _, a := range args {
		e, err := d.event(a)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, nil
}

// event reads {"value":{output},"time":t}. An event whose output stands bare,
// Aliyun's habit, is taken and marked.
func (d *Decoder) event(a thing.Argument) (Event, error) {
	e := Event{ID: a.ID}
	if a.Value.Shape != thing.Object {
		return e, ErrNoParams
	}
	members, err := thing.ParseArguments([]byte(a.Value.Text))
	if err != nil {
		return e, err
	}
	wrapped := false
	for _, m := range members {
		switch {
		case m.ID == "value" && m.Value.Shape == thing.Object:
			if e.Output, err = thing.ParseArguments([]byte(m.Value.Text)); err != nil {
				return e, err
			}
			wrapped = true
		case m.ID == "time":
			e.At = millis(m.Value)
		}
	}
	if !wrapped {
		d.Bare, e.Output, e.At = true, members, 0
	}
	return e, nil
}

func arguments(raw []byte) ([]thing.Argument, error) {
	if len(raw) == 0 {
		return nil, ErrNoParams
	}
	strict, _, err := loose.Strictify(raw)
	if err != nil {
		return nil, err
	}
	args, err := thing.ParseArguments(strict)
	if err != nil {
		return nil, ErrNoParams
	}
	return args, nil
}

// Reply reads a device's answer. A code that is missing or 0 counts as 200
// [onenet §3.1].
func (d *Decoder) Reply(doc []byte) (data string, err error) {
	if _, _, err := d.envelope(doc, nil); err != nil {
		return "", err
	}
	if d.Code == 0 {
		d.Code = 200
	}
	if d.data == nil {
		return "", nil
	}
	strict, _, err := loose.Strictify(d.data)
	if err != nil {
		return "", nil // an answer without its data is an answer still
	}
	return string(strict), nil
}

// Request reads what the platform asks of a device: bare values.
func (d *Decoder) Request(doc []byte) ([]thing.Argument, error) {
	params, _, err := d.envelope(doc, nil)
	if err != nil {
		return nil, err
	}
	return arguments(params)
}

// MaxIDDigits is how long a message id may be [onenet §3.1].
const MaxIDDigits = 13

// ValidID reports whether an id is of the documented form.
func ValidID(id []byte) bool {
	if len(id) == 0 || len(id) > MaxIDDigits {
		return false
	}
	for _, c := range id {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// replyFrame is what an answer is longer than the texts in it.
const replyFrame = len(`{"id":"","code":100000,"msg":""}`)

// AppendReply appends the platform's answer: compact, in this order, nothing
// more [onenet §3.1, §12].
func AppendReply(dst, id []byte, code int, msg string) []byte {
	dst = slices.Grow(dst, replyFrame+len(id)+len(msg))
	dst = append(dst, `{"id":`...)
	dst = thing.AppendText(dst, id)
	dst = append(dst, `,"code":`...)
	dst = strconv.AppendInt(dst, int64(code), 10)
	dst = append(dst, `,"msg":`...)
	dst = thing.AppendText(dst, msg)
	return append(dst, '}')
}

// AppendRequest appends what the platform sends to set properties or call a
// service: bare values.
func AppendRequest(dst []byte, id string, params []thing.Argument) []byte {
	dst = append(dst, `{"id":"`...)
	dst = append(dst, id...)
	dst = append(dst, `","version":"1.0","params":`...)
	return append(thing.AppendArguments(dst, params), '}')
}

// AppendPropertyPost appends what a device sends to report values: wrapped.
func AppendPropertyPost(dst []byte, id string, values []thing.Argument) []byte {
	dst = append(dst, `{"id":"`...)
	dst = append(dst, id...)
	dst = append(dst, `","version":"1.0","params":{`...)
	for i, a := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(thing.AppendText(dst, a.ID), `:{"value":`...)
		dst = append(a.Value.AppendJSON(dst), '}')
	}
	return append(dst, "}}"...)
}

// AppendEventPost appends what a device sends to tell an event.
func AppendEventPost(dst []byte, id, event string, output []thing.Argument, at time.Time) []byte {
	dst = append(dst, `{"id":"`...)
	dst = append(dst, id...)
	dst = append(dst, `","version":"1.0","params":{`...)
	dst = append(thing.AppendText(dst, event), `:{"value":`...)
	dst = thing.AppendArguments(dst, output)
	dst = append(dst, `,"time":`...)
	dst = strconv.AppendInt(dst, at.UnixMilli(), 10)
	return append(dst, "}}}"...)
}

// AppendDeviceReply appends a device's answer to a set or call; data may be nil.
func AppendDeviceReply(dst, id []byte, code int, data []thing.Argument) []byte {
	dst = AppendReply(dst, id, code, map[bool]string{true: "success", false: "failed"}[code == 200])
	if data == nil {
		return dst
	}
	dst = append(dst[:len(dst)-1], `,"data":`...)
	return append(thing.AppendArguments(dst, data), '}')
}
