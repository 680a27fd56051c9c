package aliyun

import (
	"bytes"
	"slices"
	"strconv"
	"time"

	"github.com/matou-iot/matou/thing"
)

// AppendReply appends the platform's answer, byte for byte as the real one
// writes it: compact, members in alphabetical order, the id always a text
// [aliyun-device §5.2, §5.3]. data is a JSON object, nil for an empty one. An
// empty id is answered as "0".
func AppendReply(dst []byte, code int, data, id []byte, message, method string) []byte {
	if len(data) == 0 {
		data = []byte("{}")
	}
	if len(id) == 0 {
		id = []byte("0")
	}
	idFirst := holdsID(data)
	dst = slices.Grow(dst, replyFrame+len(data)+len(id)+len(message)+len(method))
	dst = append(dst, `{"code":`...)
	dst = strconv.AppendInt(dst, int64(code), 10)
	if idFirst {
		dst = appendMember(dst, "id", id)
	}
	dst = append(dst, `,"data":`...)
	dst = append(dst, data...)
	if !idFirst {
		dst = appendMember(dst, "id", id)
	}
	dst = appendMember(dst, "message", message)
	dst = appendMember(dst, "method", method)
	return append(dst, `,"version":"1.0"}`...)
}

// replyFrame is what an answer is longer than the texts in it.
const replyFrame = len(`{"code":100000,"data":,"id":"","message":"","method":"","version":"1.0"}`)

// holdsID reports whether data has a member called id at any depth: SDKs
// search the text for the first "id" [aliyun-device §5.3].
func holdsID(data []byte) bool { return bytes.Contains(data, []byte(`"id":`)) }

func appendMember[T string | []byte](dst []byte, name string, value T) []byte {
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':')
	return thing.AppendText(dst, value)
}

// AppendPropertySet appends what the platform sends to set properties, as it
// was captured [aliyun-device §5.4]. Values are in the shapes of model.
func AppendPropertySet(dst []byte, id string, values []thing.Argument, m *thing.Model) []byte {
	return appendRequest(dst, "thing.service.property.set", id, values, func(name string) *thing.DataType {
		if p, ok := m.Property(name); ok {
			return &p.Type
		}
		return nil
	})
}

// AppendServiceInvoke appends what the platform sends to call a service
// [aliyun-device §5.7].
func AppendServiceInvoke(dst []byte, id string, s *thing.Service, input []thing.Argument) []byte {
	return appendRequest(dst, "thing.service."+s.ID, id, input, func(name string) *thing.DataType {
		for i := range s.Input {
			if s.Input[i].ID == name {
				return &s.Input[i].Type
			}
		}
		return nil
	})
}

func appendRequest(dst []byte, method, id string, args []thing.Argument, typeOf func(string) *thing.DataType) []byte {
	dst = append(dst, `{"method":"`...)
	dst = append(dst, method...)
	dst = append(dst, `","id":"`...)
	dst = append(dst, id...)
	dst = append(dst, `","params":`...)
	dst = appendParams(dst, args, typeOf)
	return append(dst, `,"version":"1.0.0"}`...)
}

func appendParams(dst []byte, args []thing.Argument, typeOf func(string) *thing.DataType) []byte {
	dst = append(dst, '{')
	for i, a := range args {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(thing.AppendText(dst, a.ID), ':')
		dst = AppendValue(dst, a.Value, typeOf(a.ID))
	}
	return append(dst, '}')
}

// AppendValue appends a value as TSL has it on the wire: a switch as 0 or 1, a
// date as the text of its milliseconds [aliyun-device §6.2]. t may be nil.
func AppendValue(dst []byte, v thing.Value, t *thing.DataType) []byte {
	switch {
	case v.Shape == thing.Boolean && v.Bool:
		return append(dst, '1')
	case v.Shape == thing.Boolean:
		return append(dst, '0')
	case v.Shape == thing.Integer && t != nil && t.Kind == thing.Date:
		dst = append(dst, '"')
		dst = strconv.AppendInt(dst, v.Int, 10)
		return append(dst, '"')
	case v.Shape == thing.Object && t != nil && t.Kind == thing.Struct:
		return appendStruct(dst, v, t)
	}
	return v.AppendJSON(dst)
}

func appendStruct(dst []byte, v thing.Value, t *thing.DataType) []byte {
	args, err := thing.ParseArguments([]byte(v.Text))
	if err != nil {
		return v.AppendJSON(dst)
	}
	return appendParams(dst, args, func(name string) *thing.DataType {
		for i := range t.Fields {
			if t.Fields[i].ID == name {
				return &t.Fields[i].Type
			}
		}
		return nil
	})
}

// AppendPropertyPost appends what a device sends to report values.
func AppendPropertyPost(dst []byte, id string, values []thing.Argument) []byte {
	dst = append(dst, `{"id":"`...)
	dst = append(dst, id...)
	dst = append(dst, `","version":"1.0","sys":{"ack":1},"params":`...)
	dst = appendParams(dst, values, func(string) *thing.DataType { return nil })
	return append(dst, `,"method":"thing.event.property.post"}`...)
}

// AppendEventPost appends what a device sends to tell an event.
func AppendEventPost(dst []byte, id, event string, output []thing.Argument, at time.Time) []byte {
	dst = append(dst, `{"id":"`...)
	dst = append(dst, id...)
	dst = append(dst, `","version":"1.0","params":{"value":`...)
	dst = appendParams(dst, output, func(string) *thing.DataType { return nil })
	dst = append(dst, `,"time":`...)
	dst = strconv.AppendInt(dst, at.UnixMilli(), 10)
	dst = append(dst, `},"method":"thing.event.`...)
	dst = append(dst, event...)
	return append(dst, `.post"}`...)
}

// AppendDeviceReply appends a device's answer to a set or call.
func AppendDeviceReply(dst []byte, id []byte, code int, data []thing.Argument) []byte {
	dst = append(dst, `{"id":`...)
	dst = thing.AppendText(dst, id)
	dst = append(dst, `,"code":`...)
	dst = strconv.AppendInt(dst, int64(code), 10)
	dst = append(dst, `,"data":`...)
	dst = appendParams(dst, data, func(string) *thing.DataType { return nil })
	return append(dst, '}')
}
