package onenet

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	vendor "github.com/matou-iot/matou/onenet"
	"github.com/matou-iot/matou/thing"
)

// maxAhead is how far in the future a value may be.
const maxAhead = 24 * time.Hour

// Uplink reads one PUBLISH.
func (d Dialect) Uplink(c dialect.Claim, topic, payload []byte, model *thing.Model, mode dialect.Strictness, up *dialect.Uplink) {
	up.Reset()
	t := vendor.ParseTopic(topic)
	own := string(t.ProductID) == c.Product && string(t.Device) == c.Device
	if t.Kind == vendor.NotOurs || !own && !t.Sub {
		forbid(up, mode, foreignTopic(c, string(topic)))
		return
	}
	if len(payload) > vendor.MaxPayloadBytes {
		forbid(up, mode, tooLarge(len(payload)))
		return
	}
	if mode == dialect.Strict {
		if why := d.broken(t, string(topic)); why != nil {
			forbid(up, mode, why)
			return
		}
	}
	r := readings.Get().(*reading)
	defer r.release()
	r.topic, r.payload, r.model, r.streams, r.strict, r.up = topic, payload, model, d.streams, mode == dialect.Strict, up
	if d.foreign(t.Kind) {
		r.noteModel(string(topic))
	}
	switch {
	case t.Sub && r.subdev(c, t, mode):
	case t.Kind == vendor.PropertyPost:
		up.Kind = dialect.PropertyPost
		r.properties()
	case t.Kind == vendor.EventPost:
		up.Kind = dialect.EventPost
		r.events()
	case t.Kind == vendor.PropertySetReply:
		up.Kind = dialect.SetReply
		r.reply("")
	case t.Kind == vendor.ServiceInvokeReply:
		up.Kind = dialect.InvokeReply
		r.reply(string(t.Name))
	case t.Kind == vendor.PropertyGetReply:
		up.Kind = dialect.GetReply
		r.reply("")
		up.Reply.ByID = true
	case t.Kind.Streams() || t.Kind == vendor.Raw:
		if !r.stream(c, string(t.Path)) {
			forbid(up, mode, foreignTopic(c, string(topic)))
		}
	case t.Kind == vendor.Unknown || !t.Kind.Up():
		forbid(up, mode, foreignTopic(c, string(topic)))
	case t.Kind == vendor.SubDevice && r.subDevice(string(t.Path)):
	case t.Kind == vendor.SubDevice && requests[string(t.Path)] == nil:
		forbid(up, mode, foreignTopic(c, string(topic)))
	case t.Kind == vendor.Pack && r.packed(c, string(t.Path)):
	default:
		r.request(c, string(t.Path))
	}
}

// packed reads a report of several devices or times.
func (r *reading) packed(c dialect.Claim, path string) bool {
	if path != "thing/pack/post" && path != "thing/history/post" {
		return false
	}
	own := *r // see request
	own.pack(c)
	return true
}

// request reads what the device asks of the platform, where it is known.
func (r *reading) request(c dialect.Claim, path string) {
	read, ok := requests[path]
	if !ok {
		r.up.Kind = dialect.Unimplemented
		r.unimplemented()
		return
	}
	r.ask(c, read)
}

// ask reads a request of the device.
func (r *reading) ask(c dialect.Claim, read func(r *reading) dialect.Request) {
	r.up.Kind = dialect.Asks
	own := *r // what a reader is given is no longer on the stack; reports shall be
	r.up.Request = read(&own)
	if r.up.Request != nil {
		ask := r.up.Request.Asked()
		ask.Claim, ask.Topic, ask.ID = c, string(r.topic), r.up.ID
	}
}

// broken finds what ends the connection of a device that publishes on a topic
// of its own: text that the broker does not take, or the family of the other
// data model [onenet §1.5].
func (d Dialect) broken(t vendor.Topic, topic string) *dialect.Diagnosis {
	if err := vendor.CheckTopic(topic, false); err != nil {
		return badTopic(topic, err)
	}
	if d.foreign(t.Kind) {
		return d.otherModel(topic)
	}
	return nil
}

// forbid drops a message; the platform ends the connection over it.
func forbid(up *dialect.Uplink, mode dialect.Strictness, why *dialect.Diagnosis) {
	up.Kind, up.Fault, up.Close = dialect.Forbidden, why, mode == dialect.Strict
}

// A reading is one message on its way through.
type reading struct {
	topic   []byte
	payload []byte
	model   *thing.Model
	streams bool // the product has data streams
	strict  bool
	up      *dialect.Uplink
	decoder *vendor.Decoder
}

// readings are reused: a message on the hot path allocates none.
var readings = sync.Pool{New: func() any { return &reading{decoder: new(vendor.Decoder)} }}

func (r *reading) release() {
	*r = reading{decoder: r.decoder}
	readings.Put(r)
}

// properties reads a property report. One value that does not fit refuses them
// all [onenet §3.4].
func (r *reading) properties() {
	err := r.decoder.PropertyPost(r.payload, func(id []byte, v thing.Value, at int64) { r.property(id, v, at) })
	if !r.understood(err) {
		r.up.Report = r.up.Report[:0]
		return
	}
	r.settle()
	if r.up.RefusedAll {
		r.up.Report = r.up.Report[:0]
	}
}

// property checks one value.
func (r *reading) property(id []byte, v thing.Value, at int64) {
	p, known := r.model.PropertyBytes(id)
	if !known && r.streams { // whose streams nobody declares
		name := string(id)
		if bad := badTime(name, at); bad != nil {
			r.refuse(name, *bad)
			return
		}
		r.streamValue(name, v, at)
		return
	}
	if !known {
		name := string(id)
		unknown := r.model.UnknownProperty(name)
		unknown.Got = short(v)
		r.refuse(name, unknown)
		return
	}
	if bad := badTime(p.ID, at); bad != nil {
		r.refuse(p.ID, *bad)
		return
	}
	if v.Shape == thing.List && p.Type.Kind != thing.Array {
		r.several(p, v, at)
		return
	}
	r.value(p, v, at)
}

// several takes a list where the type is no array: the C SDK collects values
// that were added twice [onenet §3.1].
func (r *reading) several(p *thing.Property, list thing.Value, at int64) {
	values, err := elements(list)
	if err != nil || len(values) == 0 {
		r.value(p, list, at) // which is of the wrong type then
		return
	}
	for _, v := range values {
		r.value(p, v, at)
	}
}

// elements takes a list apart.
func elements(list thing.Value) (all []thing.Value, err error) {
	err = json.Unmarshal([]byte(list.Text), &all)
	return all, err
}

func (r *reading) value(p *thing.Property, v thing.Value, at int64) {
	checked, problem, ok := p.Type.Check(p.ID, v, thing.Rules{Lenient: !r.strict})
	if !ok || vendor.Rejects(problem.Fault) {
		r.refuse(p.ID, problem)
		return
	}
	got := dialect.Reading{Property: p.ID, Value: checked}
	if at > 0 {
		got.Time = time.UnixMilli(at)
	}
	if problem.Fault != thing.NoMistake {
		flag := problem
		got.Flag = &flag
	}
	if bent(v.Shape, checked.Shape) {
		r.noteBent(p, v)
	}
	r.up.Report = append(r.up.Report, got)
}

// bent reports whether a value was taken although it came in another shape
// than its type has; a float may be written without a point [onenet §5.2].
func bent(sent, taken thing.Shape) bool {
	return sent != taken && (sent != thing.Integer || taken != thing.Real)
}

func (r *reading) noteBent(p *thing.Property, v thing.Value) {
	kind := p.Type.Kind.String()
	r.note("onenet-loose-value",
		fmt.Sprintf("%s: %s was taken although it is not written as %s; OneNET may refuse the message over it", p.ID, short(v), kind),
		fmt.Sprintf("%s：%s 不是 %s 的标准写法，此处已接受；OneNET 可能拒绝整条消息", p.ID, short(v), kind))
}

// events reads an event report.
func (r *reading) events() {
	events, err := r.decoder.EventPost(r.payload)
	if !r.understood(err) {
		return
	}
	r.happened(events)
	r.settle()
	if r.up.RefusedAll {
		r.up.Events = r.up.Events[:0]
	}
}

// happened checks events.
func (r *reading) happened(events []vendor.Event) {
	for _, e := range events {
		checked, problems := r.model.CheckEvent(e.ID, e.Output, thing.Rules{Lenient: !r.strict})
		for _, p := range problems {
			if vendor.Rejects(p.Fault) {
				r.refuse(p.Path, p)
			}
		}
		if bad := badTime(e.ID, e.At); bad != nil {
			r.refuse(e.ID, *bad)
			continue
		}
		happened := dialect.Event{ID: e.ID, Output: checked}
		if known, ok := r.model.Event(e.ID); ok {
			happened.Level = known.Level
		}
		if e.At > 0 {
			happened.Time = time.UnixMilli(e.At)
		}
		r.up.Events = append(r.up.Events, happened)
	}
}

// maxID bounds an id that is taken although it is not of the documented form,
// in bytes: it is repeated in the answer and in the timeline.
const maxID = 64

// understood reports whether the message could be read at all, and answers it
// where it could not.
func (r *reading) understood(err error) bool {
	var badly *dialect.Diagnosis
	if !vendor.ValidID(r.decoder.ID) {
		badly = badID(cut(string(r.decoder.ID), maxID))
	}
	long := len(r.decoder.ID) > maxID
	if long {
		r.decoder.ID = nil // too long to be repeated
	}
	r.remember()
	switch {
	case errors.Is(err, vendor.ErrNoParams):
		r.refuseAll(badMessage(err), vendor.ParamsMissing, "params missing")
	case err != nil:
		r.refuseAll(badMessage(err), vendor.InvalidJSON, "invalid json")
	case badly != nil && (r.strict || long):
		r.refuseAll(badly, vendor.IDIllegal, "id illegal")
	case badly != nil:
		r.note(badly.Code, badly.Sentence, badly.SentenceZH)
		return true
	default:
		return true
	}
	return false
}

func (r *reading) refuseAll(why *dialect.Diagnosis, code int, message string) {
	r.up.RefusedAll, r.up.Fault = true, why
	r.answer(code, message)
}

// settle answers a message that was read: with the first refusal, or success.
func (r *reading) settle() {
	if r.decoder.Bare {
		r.note("onenet-bare-value", `a value stands bare; OneNET wants {"value":…} around it`, `属性值未用 {"value":…} 包装，OneNET 平台要求包装`)
	}
	if len(r.up.Refused) > 0 {
		r.up.RefusedAll = true
		first := &r.up.Refused[0]
		r.answer(first.Code, first.Text)
		return
	}
	r.answer(vendor.Success, "success")
}

func (r *reading) note(code, sentence, zh string) {
	r.up.Notes = append(r.up.Notes, dialect.Note{Code: code, Sentence: sentence, SentenceZH: zh})
}

func (r *reading) refuse(id string, p thing.Problem) {
	code, text := vendor.Refusal(&p)
	r.up.Refused = append(r.up.Refused, dialect.Rejection{ID: id, Problem: p, Code: code, Text: text})
}

// reply reads a device's answer to a command.
func (r *reading) reply(service string) {
	data, err := r.decoder.Reply(r.payload)
	if err != nil {
		r.up.Fault = badMessage(err)
		return
	}
	r.remember()
	code := r.decoder.Code
	r.up.Reply = dialect.Reply{
		ID: r.up.ID, Service: service, Code: code, OK: code == vendor.Success, Message: string(r.decoder.Message), Data: data,
	}
}

// unimplemented drops what the platform would know and this house does not yet.
func (r *reading) unimplemented() {
	r.decoder.Reply(r.payload) // for the id; whatever else it says is not understood
	if len(r.decoder.ID) > maxID {
		r.decoder.ID = nil
	}
	r.up.ID = string(r.decoder.ID)
	r.note("onenet-unimplemented", "this function is not built yet; the message was dropped", "该功能尚未实现，消息已丢弃")
}

// remember notes the id and the liberties that the message took.
func (r *reading) remember() {
	r.up.ID = string(r.decoder.ID)
	r.up.Loose = r.decoder.Loose
}

// answer replies where the platform would. The bytes are exactly those of the
// platform [onenet §3.1].
func (r *reading) answer(code int, message string) {
	var room [128]byte // most topics are shorter
	topic, ok := vendor.AppendReplyTopic(room[:0], r.topic)
	if !ok {
		return
	}
	r.up.Answers = append(r.up.Answers, dialect.Downlink{
		Topic: string(topic), Payload: vendor.AppendReply(nil, r.decoder.ID, code, message),
	})
}

// badTime finds times that are none, or more than a day ahead; seconds in
// place of milliseconds are told.
func badTime(path string, at int64) *thing.Problem {
	switch {
	case at == 0:
		return nil
	case at < 0:
		return &thing.Problem{Fault: thing.BadTime, Path: path, Got: "…", Want: "a number of UTC milliseconds", WantZH: "数字，UTC 毫秒"}
	case at < 1e11:
		return &thing.Problem{Fault: thing.BadTime, Path: path, Got: strconv.FormatInt(at, 10), Want: "in milliseconds; these look like seconds", WantZH: "毫秒；这看起来是秒"}
	case time.UnixMilli(at).After(time.Now().Add(maxAhead)):
		return &thing.Problem{Fault: thing.BadTime, Path: path, Got: strconv.FormatInt(at, 10), Want: "at most a day ahead of the server's clock", WantZH: "不超过服务器时间一天之后的时刻"}
	}
	return nil
}

func short(v thing.Value) string { return cut(v.String(), 40) }

// cut shortens a text to most bytes for people.
func cut(s string, most int) string {
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// maxShown bounds what a diagnosis repeats of a topic, in bytes.
const maxShown = 256

// messageTexts are in Chinese what can be wrong with a whole message.
var messageTexts = map[error]string{
	vendor.ErrNotObject: "不是 JSON 对象",
	vendor.ErrNoParams:  "缺少 params，或 params 不是对象",
}

func badMessage(err error) *dialect.Diagnosis {
	return &dialect.Diagnosis{
		Code: "onenet-bad-message", Field: "payload", Received: dialect.Cause(err), Expected: `{"id":"1","version":"1.0","params":{"name":{"value":…}}}`,
		Sentence:   "the message cannot be read: " + dialect.Cause(err),
		SentenceZH: "消息无法解析：" + dialect.CauseZH(err, messageTexts),
		Advice:     "check the length of the payload and the quotes in it", AdviceZH: "请检查消息长度与引号",
	}
}

func badID(id string) *dialect.Diagnosis {
	if id == "" {
		return &dialect.Diagnosis{
			Code: "onenet-bad-id", Field: "id", Expected: "a string of 1 to 13 digits",
			Sentence: "the message has no id", SentenceZH: "消息缺少 id",
			Advice: `send for instance "id":"123"`, AdviceZH: `例如 "id":"123"`,
		}
	}
	return &dialect.Diagnosis{
		Code: "onenet-bad-id", Field: "id", Received: id, Expected: "a string of 1 to 13 digits",
		Sentence:   fmt.Sprintf("the message id %q is not a string of 1 to 13 digits", id),
		SentenceZH: fmt.Sprintf("消息 id %q 不是 1 到 13 位的数字字符串", id),
		Advice:     `send for instance "id":"123"`, AdviceZH: `例如 "id":"123"`,
	}
}

func tooLarge(n int) *dialect.Diagnosis {
	return &dialect.Diagnosis{
		Code: "onenet-message-too-large", Field: "payload", Received: fmt.Sprintf("%d bytes", n), Expected: "at most 256 KB",
		Sentence:   fmt.Sprintf("the message has %d bytes, more than 256 KB, and was dropped", n),
		SentenceZH: fmt.Sprintf("消息长度 %d 字节，超过 256 KB，已丢弃", n),
		Advice:     "send less at once", AdviceZH: "请减小单条消息长度",
	}
}

func badTopic(topic string, err error) *dialect.Diagnosis {
	return &dialect.Diagnosis{
		Code: "onenet-bad-topic", Field: "topic", Received: cut(topic, maxShown), Expected: "at most 8 levels of letters, digits, _ and -",
		Sentence:   "OneNET does not take this topic: " + dialect.Cause(err),
		SentenceZH: "OneNET 不接受该 topic：" + dialect.CauseZH(err, nil),
		Advice:     "use the topics of the documentation as they stand there", AdviceZH: "请按文档中的 topic 原样使用",
	}
}

func (d Dialect) otherModel(topic string) *dialect.Diagnosis {
	if d.streams {
		return &dialect.Diagnosis{
			Code: "onenet-data-model", Field: "topic", Received: cut(topic, maxShown), Expected: "a topic below dp/, cmd/ or image/",
			Sentence:   "topics below thing/ belong to products with a thing model; this product has data streams",
			SentenceZH: "thing 属于物模型产品；该产品使用数据流",
			Advice:     "report with dp/post/json, or give the product the data model thing: matou product set PRODUCT --data-model thing",
			AdviceZH:   "请使用 dp/post/json 上报，或把产品的数据模型改为物模型：matou product set PRODUCT --data-model thing",
		}
	}
	return &dialect.Diagnosis{
		Code: "onenet-data-model", Field: "topic", Received: cut(topic, maxShown), Expected: "a topic below thing/",
		Sentence:   "dp, cmd and image belong to products of data streams; this product has a thing model",
		SentenceZH: "dp、cmd、image 属于数据流产品；该产品使用物模型",
		Advice:     "report with thing/property/post, or give the product the data model streams: matou product set PRODUCT --data-model streams",
		AdviceZH:   "请使用 thing/property/post 上报，或把产品的数据模型改为数据流：matou product set PRODUCT --data-model streams",
	}
}

func foreignTopic(c dialect.Claim, topic string) *dialect.Diagnosis {
	near := vendor.Nearest(topic, c.Product, c.Device)
	topic = cut(topic, maxShown)
	own := "$sys/" + c.Product + "/" + c.Device + "/"
	d := &dialect.Diagnosis{
		Code: "onenet-topic", Field: "topic", Received: topic, Expected: own + "…",
		Sentence:   fmt.Sprintf("the topic %q is not one that %s may use", topic, c.Session()),
		SentenceZH: fmt.Sprintf("设备 %s 无权使用 topic %q", c.Session(), topic),
		Advice:     "topics begin with " + own, AdviceZH: "topic 应以 " + own + " 开头",
	}
	if near != "" {
		d.Expected = near
		d.Advice, d.AdviceZH = "did you mean "+near+"?", "是否应为 "+near+"？"
	}
	if why, zh := whyForeign(c, topic); why != "" {
		d.Sentence += ": " + why
		d.SentenceZH += "：" + zh
	}
	return d
}

// whyForeign says what makes a topic another's, "" where nothing tells
// [onenet §10 row 20].
func whyForeign(c dialect.Claim, topic string) (why, zh string) {
	levels := strings.Split(topic, "/")
	first, pid, dev := levels[0], "", ""
	if first == "" && len(levels) > 1 { // a slash in front
		levels = levels[1:]
	}
	if len(levels) > 2 {
		pid, dev = levels[1], levels[2]
	}
	switch {
	case strings.ContainsAny(topic, "{}"):
		return "a placeholder in braces was left in it", "其中的占位符 {…} 没有替换"
	case strings.HasPrefix(topic, "#") || strings.HasPrefix(topic, "+") || strings.ContainsAny(pid+dev, "+#"):
		return "wildcards may not stand for product id and device name", "产品 ID 和设备名称不能用通配符代替"
	case pid == c.Device && dev == c.Product && pid != dev:
		return "product id and device name are the wrong way round", "产品 ID 与设备名称的顺序颠倒"
	case pid == c.Product && dev == c.Device && levels[0] == "sys" && first == "":
		return "it begins with /sys, as Aliyun's topics do, and OneNET's with $sys", "开头是 /sys（阿里云的形式），OneNET 的 topic 以 $sys 开头"
	case pid == c.Product && dev == c.Device && levels[0] == "sys":
		return "it lacks the $ before sys: a shell or a printf may have taken it away", "sys 前缺少 $：可能被 shell 或 printf 吞掉了"
	case pid == c.Product && dev != "" && dev != c.Device:
		return "it is that of device " + strconv.Quote(dev), "它属于设备 " + strconv.Quote(dev)
	case dev == c.Device && pid != c.Product:
		return "it is that of product " + strconv.Quote(pid), "它属于产品 " + strconv.Quote(pid)
	}
	return "", ""
}
