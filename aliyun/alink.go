package aliyun

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/matou-iot/matou/thing"
	"github.com/matou-iot/matou/thing/loose"
)

// A Decoder reads Alink messages [aliyun-device §5]. It is kept and reused; it
// is not safe for several goroutines at once. What a message said last is in
// its fields, which alias the message or the decoder's own memory until the
// next call.
type Decoder struct {
	ID      []byte // as text, whatever JSON it was; empty where there was none
	Method  []byte
	NoAck   bool // sys.ack was 0: no answer is wanted
	Loose   loose.Looseness
	Code    int    // of a reply
	Message []byte // of a reply
	Data    []byte // of a reply, raw
	r       loose.Reader
	idBuf   []byte
	metBuf  []byte
	msgBuf  []byte
	visits  int // of members, in PropertyPost
	tmp     []byte
}

// The faults of a whole message.
var (
	ErrNotObject = errors.New("aliyun: the message is not a JSON object")
	ErrNoParams  = errors.New("aliyun: the message has no params, or they are of another form")
)

// envelope reads all members in whatever order they come. params and data come
// back as raw text; with a visitor params are visited on the way instead, and
// come back as text only where they are a string holding JSON.
func (d *Decoder) envelope(doc []byte, visit Visitor) (params []byte, err error) {
	d.ID, d.Method, d.Message, d.Data, d.NoAck, d.Code = d.idBuf[:0], d.metBuf[:0], d.msgBuf[:0], nil, false, 0
	r := &d.r
	r.Reset(doc)
	if t := r.Next(); t != loose.BeginObject {
		if r.Err() != nil {
			return nil, r.Err()
		}
		return nil, ErrNotObject
	}
	for t := r.Next(); t != loose.EndObject; t = r.Next() {
		if t != loose.Key {
			return nil, r.Err()
		}
		switch string(r.Bytes()) {
		case "id":
			d.ID = d.scalar(d.idBuf)
			d.idBuf = d.ID
		case "method":
			d.Method = d.scalar(d.metBuf)
			d.metBuf = d.Method
		case "message", "msg":
			d.Message = d.scalar(d.msgBuf)
			d.msgBuf = d.Message
		case "code":
			d.tmp = d.scalar(d.tmp)
			d.Code, _ = strconv.Atoi(string(d.tmp))
		case "params":
			if visit == nil {
				params, _ = r.Skip()
			} else if params, err = d.members(doc, visit); err != nil {
				return nil, err
			}
		case "data":
			d.Data, _ = r.Skip()
		case "sys":
			d.ack()
		default:
			r.Skip()
		}
		if r.Err() != nil {
			return nil, r.Err()
		}
	}
	if r.Next() != loose.EOF {
		return nil, r.Err()
	}
	d.Loose = r.Loose()
	return params, nil
}

// scalar copies the text of a scalar value; a compound is passed over.
func (d *Decoder) scalar(buf []byte) []byte {
	switch t := d.r.Next(); t {
	case loose.Str, loose.Num:
		return append(buf[:0], d.r.Bytes()...)
	case loose.True:
		return append(buf[:0], "true"...)
	case loose.BeginObject, loose.BeginArray:
		d.r.Value(t)
	}
	return buf[:0]
}

func (d *Decoder) ack() {
	if t := d.r.Next(); t != loose.BeginObject {
		if t == loose.BeginArray {
			d.r.Value(t)
		}
		return
	}
	for d.r.Next() == loose.Key {
		if string(d.r.Bytes()) != "ack" {
			d.r.Skip()
			continue
		}
		d.tmp = d.scalar(d.tmp)
		d.NoAck = string(d.tmp) == "0"
	}
}

// unquote opens params or data that are a string holding JSON
// [aliyun-device §5.1].
func (d *Decoder) unquote(raw []byte) []byte {
	if len(raw) < 2 || raw[0] != '"' && raw[0] != '\'' {
		return raw
	}
	d.r.Reset(raw)
	if d.r.Next() != loose.Str {
		return raw
	}
	return append([]byte(nil), d.r.Bytes()...)
}

// A Visitor takes one value of a message. id is valid during the call only.
// at is UTC milliseconds, 0 where the device named no time.
type Visitor func(id []byte, v thing.Value, at int64)

// PropertyPost reads a property report; both value forms may be mixed
// [aliyun-device §5.2]. Of more than MaxPostProperties it visits no further
// ones, and returns ErrTooManyProperties.
func (d *Decoder) PropertyPost(doc []byte, visit Visitor) error {
	d.visits = 0
	err := d.propertyPost(doc, visit)
	if err == nil && d.visits > MaxPostProperties {
		return ErrTooManyProperties
	}
	return err
}

func (d *Decoder) propertyPost(doc []byte, visit Visitor) error {
	params, err := d.envelope(doc, visit)
	switch {
	case err != nil:
		return err
	case params == nil:
		return ErrNoParams
	case len(params) == 0: // visited on the way
		return nil
	}
	l := d.Loose
	inner := d.unquote(params)
	d.r.Reset(inner)
	rest, err := d.members(inner, visit)
	if err == nil && (len(rest) > 0 || d.r.Next() != loose.EOF) {
		err = ErrNoParams
	}
	d.Loose |= l | d.r.Loose()
	return err
}

// visited is what members returns for an object it went through.
var visited = []byte{}

// members visits the members of the object that comes next; a value
// {"value":…,"time":…} is opened. A string comes back as its raw text.
func (d *Decoder) members(doc []byte, visit Visitor) (raw []byte, err error) {
	r := &d.r
	start := r.Offset()
	switch r.Next() {
	case loose.BeginObject:
	case loose.Str:
		return trimColon(doc[start:r.Offset()]), nil
	case loose.Bad:
		return nil, r.Err()
	default:
		return nil, ErrNoParams
	}
	t := r.Next()
	for ; t == loose.Key; t = r.Next() {
		id := r.Bytes()
		if !r.InPlace() {
			id = append([]byte(nil), id...)
		}
		v, ok := r.Value(r.Next())
		if !ok {
			return nil, r.Err()
		}
		if d.visits++; d.visits > MaxPostProperties {
			continue
		}
		at := int64(0)
		if v.Shape == thing.Object {
			v, at = opened(v)
		}
		visit(id, v, at)
	}
	if t != loose.EndObject {
		return nil, r.Err()
	}
	return visited, nil
}

// trimColon drops what stands between a name and its value.
func trimColon(raw []byte) []byte { return bytes.TrimLeft(raw, ": \t\r\n") }

// opened is the inside of an object of exactly value, or value and time; any
// other object is a value itself.
func opened(v thing.Value) (thing.Value, int64) {
	args, err := thing.ParseArguments([]byte(v.Text))
	if err != nil || len(args) == 0 || len(args) > 2 {
		return v, 0
	}
	var inner thing.Value
	var at int64
	found := false
	for _, a := range args {
		switch a.ID {
		case "value":
			inner, found = a.Value, true
		case "time":
			at = millis(a.Value)
		default:
			return v, 0
		}
	}
	if !found {
		return v, 0
	}
	return inner, at
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

// EventPost reads an event: its output with or without the value wrapper
// [aliyun-device §5.5].
func (d *Decoder) EventPost(doc []byte) (output []thing.Argument, at int64, err error) {
	params, err := d.envelope(doc, nil)
	if err != nil {
		return nil, 0, err
	}
	if params == nil {
		return nil, 0, ErrNoParams
	}
	strict, _, err := loose.Strictify(d.unquote(params))
	if err != nil {
		return nil, 0, err
	}
	args, err := thing.ParseArguments(strict)
	if err != nil {
		return nil, 0, ErrNoParams
	}
	var inner *thing.Value
	for i, a := range args {
		switch {
		case a.ID == "value" && a.Value.Shape == thing.Object:
			inner = &args[i].Value
		case a.ID == "time":
			at = millis(a.Value)
		default:
			return args, 0, nil
		}
	}
	if inner == nil {
		return args, 0, nil
	}
	output, err = thing.ParseArguments([]byte(inner.Text))
	return output, at, err
}

// Reply reads a device's answer: ID, Code, Message and Data are filled in. A
// code that is missing counts as 200.
func (d *Decoder) Reply(doc []byte) (data string, err error) {
	if _, err := d.envelope(doc, nil); err != nil {
		return "", err
	}
	if d.Code == 0 {
		d.Code = 200
	}
	if d.Data == nil {
		return "", nil
	}
	l := d.Loose
	strict, _, err := loose.Strictify(d.unquote(d.Data))
	d.Loose = l
	if err != nil {
		return "", nil // an answer without its data is an answer still
	}
	return string(strict), nil
}

// Request reads what the platform asks of a device: a property set or a
// service call.
func (d *Decoder) Request(doc []byte) ([]thing.Argument, error) {
	params, err := d.envelope(doc, nil)
	if err != nil {
		return nil, err
	}
	if params == nil {
		return nil, ErrNoParams
	}
	strict, _, err := loose.Strictify(params)
	if err != nil {
		return nil, err
	}
	return thing.ParseArguments(strict)
}
