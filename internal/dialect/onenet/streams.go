package onenet

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	vendor "github.com/matou-iot/matou/onenet"
	"github.com/matou-iot/matou/thing"
)

// stream reads what devices of data streams publish, and raw bytes. It reports
// false for a path of these families on which no device publishes.
func (r *reading) stream(c dialect.Claim, path string) bool {
	switch {
	case path == vendor.DataPostPath:
		r.up.Kind = dialect.PropertyPost
		r.dataPoints()
	case path == vendor.ImageUpdatePath:
		r.ask(c, imageUpdate)
	case path == vendor.ImageGetPath:
		r.ask(c, imageGet)
	case path == vendor.RawUpPath:
		r.up.Kind = dialect.Raw
	case strings.HasPrefix(path, "cmd/"):
		id, ok := vendor.CommandResponse(path)
		if !ok {
			return false
		}
		r.ask(c, func(r *reading) dialect.Request { return r.response(id) })
	case strings.HasPrefix(path, "custome/"):
		id, ok := vendor.RawDownReply(path)
		switch {
		case !ok:
			return false
		case scripted(id):
			r.up.Kind = dialect.RawReply
			return true
		}
		r.ask(c, func(r *reading) dialect.Request { return r.rawReply(id) })
	default:
		return r.otherDataType(path)
	}
	return true
}

// dataPoints reads data points: all of them are taken, or none [onenet §4.1].
func (r *reading) dataPoints() {
	data, err := r.decoder.DataPoints(r.payload)
	if data.ID != vendor.NoID {
		r.up.ID = strconv.FormatInt(data.ID, 10)
	}
	if err == nil && r.strict {
		err = unwritten(&data)
	}
	if err != nil {
		r.refuseData(data.ID, illegalData(err))
		return
	}
	r.up.Loose = data.Loose
	r.noteData(&data)
	for _, p := range data.Points {
		r.dataPoint(&p)
	}
	if len(r.up.Refused) > 0 {
		r.up.Report = r.up.Report[:0]
		r.refuseData(data.ID, nil)
		return
	}
	r.tell(vendor.AcceptedSuffix, vendor.AppendDataAccepted(nil, data.ID))
}

// dataPoint takes one value. Where a product with a thing model knows the
// stream as a property, it has to be of its type.
func (r *reading) dataPoint(p *vendor.StreamPoint) {
	at := p.At
	if at > 1e11 {
		if r.strict {
			r.refuse(p.Stream, thing.Problem{Fault: thing.BadTime, Path: p.Stream, Got: strconv.FormatInt(at, 10), Want: "in seconds; these look like milliseconds", WantZH: "秒；这看起来是毫秒"})
			return
		}
		r.note("onenet-milliseconds", "t of "+cut(p.Stream, 40)+" is in milliseconds, and was taken as that; OneNET takes it for seconds",
			cut(p.Stream, 40)+" 的 t 单位是毫秒，此处按毫秒处理；OneNET 会当作秒")
	} else {
		at *= 1000
	}
	if at >= 1e11 { // what is before 1973 is odd, and seconds all the same
		if bad := badTime(p.Stream, at); bad != nil {
			r.refuse(p.Stream, *bad)
			return
		}
	}
	if known, ok := r.model.Property(p.Stream); ok && !r.streams {
		r.value(known, p.Value, at)
		return
	}
	r.streamValue(p.Stream, p.Value, at)
}

// streamValue takes a value of a stream, whatever it is. at is in milliseconds.
func (r *reading) streamValue(stream string, v thing.Value, at int64) {
	got := dialect.Reading{Property: stream, Value: v}
	if at > 0 {
		got.Time = time.UnixMilli(at)
	}
	r.up.Report = append(r.up.Report, got)
}

// unwritten finds what was understood and is not as the rules say.
func unwritten(d *vendor.Data) error {
	switch {
	case d.Loose != 0:
		return &vendor.DataError{Field: "payload", Got: d.Loose.String(), Want: "JSON, to the letter"}
	case d.TextID:
		return &vendor.DataError{Field: "id", Got: "a text", Want: "a number"}
	case d.Streams:
		return &vendor.DataError{Field: "dp", Got: "another name of a stream", Want: "streams whose names have at most 30 letters, digits, _ and ., perhaps with a $ in front"}
	case d.Values:
		return &vendor.DataError{Field: "v", Got: "another value", Want: "a number, a text, or an object of at most 5 levels whose keys have at most 30 bytes"}
	}
	return nil
}

// noteData says what real OneNET would have minded.
func (r *reading) noteData(d *vendor.Data) {
	if bad := unwritten(d); bad != nil && d.Loose == 0 {
		e, _ := errors.AsType[*vendor.DataError](bad)
		r.note("onenet-loose-data", "taken, but for OneNET "+e.Field+" has to be "+e.Want,
			"已接受，但 OneNET 要求 "+e.Field+" 符合规则："+dataZH(e.Field))
	}
}

// refuseData answers data points that are not taken; why is nil where single
// values say it.
func (r *reading) refuseData(id int64, why *dialect.Diagnosis) {
	r.up.RefusedAll = true
	if why != nil {
		r.up.Fault = why
	}
	for i := range r.up.Refused {
		r.up.Refused[i].Code, r.up.Refused[i].Text = int(vendor.IllegalData), vendor.IllegalData.Error()
	}
	r.tell(vendor.RejectedSuffix, vendor.AppendDataRejected(nil, id, vendor.IllegalData))
}

// tell answers on the topic of the message with a suffix.
func (r *reading) tell(suffix string, payload []byte) {
	r.up.Answers = append(r.up.Answers, dialect.Downlink{Topic: string(r.topic) + suffix, Payload: payload})
}

// otherDataType refuses data points of a type that nobody documents; in strict
// products such a topic is none at all.
func (r *reading) otherDataType(path string) bool {
	kind, ok := strings.CutPrefix(path, "dp/post/")
	if !ok || kind == "" || strings.Contains(kind, "/") || r.strict {
		return false
	}
	r.up.Kind = dialect.PropertyPost
	r.refuseData(vendor.NoID, &dialect.Diagnosis{
		Code: "onenet-data-type", Field: "topic", Received: cut(string(r.topic), maxShown), Expected: vendor.DataPostPath,
		Sentence:   fmt.Sprintf("data points of the type %q are not known; only json is", cut(kind, 40)),
		SentenceZH: fmt.Sprintf("不支持类型为 %q 的数据点，只支持 json", cut(kind, 40)),
		Advice:     "post them to dp/post/json", AdviceZH: "请上报到 dp/post/json",
	})
	return true
}

// response reads a device's answer to a command.
func (r *reading) response(id string) dialect.Request {
	if len(r.payload) >= vendor.MaxResponseBytes {
		r.up.Fault = &dialect.Diagnosis{
			Code: "onenet-response-too-large", Field: "payload", Received: fmt.Sprintf("%d bytes", len(r.payload)), Expected: "less than 1 KB",
			Sentence:   fmt.Sprintf("the answer to the command has %d bytes, and was not taken", len(r.payload)),
			SentenceZH: fmt.Sprintf("命令应答长度为 %d 字节，未被接受", len(r.payload)),
			Advice:     "answer with less than 1,024 bytes, and report the rest as data points", AdviceZH: "应答应小于 1024 字节，其余内容请作为数据点上报",
		}
		r.tell(vendor.RejectedSuffix, vendor.AppendRejected(nil, vendor.TooLarge))
		return nil
	}
	r.up.ID = id
	return &dialect.Response{Command: id, Payload: r.payload}
}

// rawReply reads a device's answer to raw bytes, which nobody answers.
func (r *reading) rawReply(id string) dialect.Request {
	r.up.ID = id
	return &dialect.Response{Ask: dialect.Ask{NoAnswer: true}, Command: id, Payload: r.payload}
}

// responded says whether the answer to a command was taken [onenet §4.2].
func responded(r *dialect.Response, _ dialect.Done, err error) []dialect.Downlink {
	if err == nil {
		return []dialect.Downlink{{Topic: r.Topic + vendor.AcceptedSuffix}}
	}
	code := vendor.ServerFailed
	switch {
	case errors.Is(err, dialect.ErrResponseLate):
		code = vendor.AnsweredLate
	case errors.Is(err, dialect.ErrResponseUnasked):
		code = vendor.AnsweredNobody
	}
	return []dialect.Downlink{{Topic: r.Topic + vendor.RejectedSuffix, Payload: vendor.AppendRejected(nil, code)}}
}

func (r *reading) noteModel(topic string) {
	d := Dialect{streams: r.streams}.otherModel(topic)
	r.note(d.Code, d.Sentence, d.SentenceZH)
}

// dataZH says in Chinese what a part of data points has to be.
func dataZH(field string) string {
	switch {
	case field == "payload":
		return "消息应为合法 JSON：{\"id\":123,\"dp\":{…}}"
	case field == "id":
		return "id 应为 0 到 2147483647 的整数"
	case field == "dp":
		return "dp 应为对象，数据流名称最多 30 个字母、数字、_、.，可以 $ 开头"
	case strings.HasSuffix(field, ".t"):
		return "t 应为 Unix 秒"
	case field == "v", strings.HasSuffix(field, ".v"):
		return "v 应为数字、字符串或不超过 5 层的对象"
	}
	return "数据流的值应为数组，例如 [{\"v\":30}]"
}

const dataExample = `{"id":123,"dp":{"temperature":[{"v":30,"t":1552289676}]}}`

// illegalData says what is wrong with data points.
func illegalData(err error) *dialect.Diagnosis {
	d := &dialect.Diagnosis{
		Code: "onenet-illegal-data", Field: "payload", Received: err.Error(), Expected: dataExample,
		Sentence: "the data points cannot be read: " + dialect.Cause(err), SentenceZH: "数据点无法解析：" + dialect.CauseZH(err, nil),
		Advice:   "check the length of the payload and the quotes in it; send for instance " + dataExample,
		AdviceZH: "请检查消息长度与引号；例如 " + dataExample,
	}
	if e, ok := errors.AsType[*vendor.DataError](err); ok {
		d.Field, d.Received, d.Expected = cut(e.Field, maxShown), e.Got, e.Want
		d.Sentence, d.SentenceZH = cut(e.Field, maxShown)+" has to be "+e.Want, cut(e.Field, maxShown)+" 不符合规则："+dataZH(e.Field)
		d.Advice, d.AdviceZH = "send for instance "+dataExample, "例如 "+dataExample
	}
	return d
}
