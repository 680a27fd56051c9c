package aliyun

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/yamldoc"
	"github.com/matou-iot/matou/thing"
)

// maxPayload is the platform's bound of one message [aliyun-device §2.8].
const maxPayload = 256 << 10

// maxAhead is how far in the future a value may be [aliyun-device §5.2].
const maxAhead = 24 * time.Hour

// Uplink reads one PUBLISH.
func (d Dialect) Uplink(c dialect.Claim, topic, payload []byte, model *thing.Model, mode dialect.Strictness, up *dialect.Uplink) {
	up.Reset()
	t := vendor.ParseTopic(topic)
	if t.Kind == vendor.NotOurs || string(t.ProductKey) != c.Product || t.Kind != vendor.Broadcast && string(t.DeviceName) != c.Device {
		up.Kind, up.Fault = dialect.Forbidden, foreignTopic(c, string(topic))
		return
	}
	if len(payload) > maxPayload {
		up.Kind, up.Fault = dialect.Forbidden, tooLarge(len(payload))
		return
	}
	r := readings.Get().(*reading)
	defer r.release()
	r.claim, r.topic, r.payload, r.model, r.lenient, r.up = c, topic[:len(topic)-queryBytes(t)], payload, model, mode != dialect.Strict, up
	switch t.Kind {
	case vendor.Custom:
		up.Kind = dialect.Other
	case vendor.PropertyPost:
		up.Kind = dialect.PropertyPost
		r.properties()
	case vendor.EventPost:
		up.Kind = dialect.EventPost
		r.event(string(t.Name))
	case vendor.PropertySetReply:
		up.Kind = dialect.SetReply
		r.reply("")
	case vendor.ServiceReply:
		up.Kind = dialect.InvokeReply
		r.reply(string(t.Name))
	case vendor.Reply:
		up.Kind = dialect.Unimplemented
		if _, known := requests[t.Function()]; known {
			r.request(t)
		}
	case vendor.PropertyGetReply:
		up.Kind = dialect.GetReply
		r.reply("")
	case vendor.UpRaw:
		up.Kind = dialect.Raw
	case vendor.DownRawReply:
		up.Kind = dialect.RawReply
	case vendor.RRPCResponse:
		up.Kind, up.ID = dialect.Asks, string(t.Name)
		r.ask(t, &dialect.RRPCAnswer{Question: up.ID, Payload: payload})
	case vendor.PropertySet, vendor.PropertyGet, vendor.ServiceInvoke, vendor.Broadcast, vendor.DownRaw, vendor.RRPCRequest, vendor.BroadcastRequest:
		up.Kind, up.Fault = dialect.Forbidden, downOnly(string(topic))
	default:
		r.request(t)
	}
}

func queryBytes(t vendor.Topic) int {
	if t.Query == nil {
		return 0
	}
	return len(t.Query) + 1
}

// A reading is one message on its way through.
type reading struct {
	claim   dialect.Claim
	topic   []byte // without its query
	payload []byte
	model   *thing.Model
	lenient bool
	up      *dialect.Uplink
	decoder *vendor.Decoder

	noAnswer bool // of a request: the device wants to hear nothing
}

// readings are reused: a message on the hot path allocates none.
var readings = sync.Pool{New: func() any { return &reading{decoder: new(vendor.Decoder)} }}

func (r *reading) release() {
	*r = reading{decoder: r.decoder}
	readings.Put(r)
}

const propertyPostMethod = "thing.event.property.post"

// properties reads a property report. Whatever becomes of the values, the
// answer is 200 with the reasons inside [aliyun-device §5.6]. Only too many
// properties are refused as a whole [aliyun-device §5.2].
func (r *reading) properties() {
	err := r.decoder.PropertyPost(r.payload, func(id []byte, v thing.Value, at int64) { r.property(id, v, at) })
	if err != nil {
		code, text, why := codeBadParams, textBadParams, badMessage(err)
		if errors.Is(err, vendor.ErrTooManyProperties) {
			code, text, why = badPost(err)
		}
		r.up.Refused = r.up.Refused[:0]
		r.refuseAll(why, code, text)
		return
	}
	r.remember()
	if r.decoder.NoAck {
		return
	}
	r.answer(200, r.reasons(), "success", propertyPostMethod)
}

// reasons is the data of an answer to a report: why values were not taken, once
// for each identifier.
func (r *reading) reasons() []byte {
	if len(r.up.Refused) == 0 {
		return nil
	}
	data := []byte{'{'}
	said := make(map[string]bool, len(r.up.Refused))
	for i := range r.up.Refused {
		if said[r.up.Refused[i].ID] {
			continue
		}
		said[r.up.Refused[i].ID] = true
		if len(data) > 1 {
			data = append(data, ',')
		}
		data = append(thing.AppendText(data, r.up.Refused[i].ID), ':')
		data = thing.AppendText(data, r.up.Refused[i].Text)
	}
	return append(data, '}')
}

// property checks one value. The platform's weak check drops what has the
// wrong type and keeps what is out of range.
func (r *reading) property(id []byte, v thing.Value, at int64) {
	p, known := r.model.PropertyBytes(id)
	if !known {
		name := string(id)
		unknown := r.model.UnknownProperty(name)
		unknown.Got = short(v)
		r.refuse(name, unknown)
		return
	}
	if bad := r.badTime(p.ID, at); bad != nil {
		r.refuse(p.ID, *bad)
		return
	}
	checked, problem, ok := p.Type.Check(p.ID, v, thing.Rules{Lenient: r.lenient || p.Type.Kind == thing.Bool})
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
	r.up.Report = append(r.up.Report, got)
}

// badTime finds times that are none, or more than a day ahead; seconds in
// place of milliseconds are told [aliyun-device §10 row 26].
func (r *reading) badTime(path string, at int64) *thing.Problem {
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

func (r *reading) refuse(id string, p thing.Problem) {
	code, text := vendor.Refusal(&p)
	r.up.Refused = append(r.up.Refused, dialect.Rejection{ID: id, Problem: p, Code: code, Text: text})
}

// event reads an event. Unlike properties, one that does not fit is dropped
// and answered with an error [aliyun-device §5.5].
func (r *reading) event(id string) {
	method := "thing.event." + id + ".post"
	output, at, err := r.decoder.EventPost(r.payload)
	if err != nil {
		r.up.RefusedAll, r.up.Fault = true, badMessage(err)
		r.answer(460, nil, "request parameter error", method)
		return
	}
	r.remember()
	r.happened(id, output, at)
	if len(r.up.Refused) > 0 {
		r.up.RefusedAll = true
		if !r.decoder.NoAck {
			r.answer(r.up.Refused[0].Code, nil, r.up.Refused[0].Text, method)
		}
		return
	}
	if !r.decoder.NoAck {
		r.answer(200, nil, "success", method)
	}
}

// happened checks an event and takes it, or says in r.up.Refused why not.
func (r *reading) happened(id string, output []thing.Argument, at int64) {
	before := len(r.up.Refused)
	checked, problems := r.model.CheckEvent(id, output, thing.Rules{Lenient: true})
	for _, p := range problems {
		if vendor.Rejects(p.Fault) {
			r.refuse(p.Path, p)
		}
	}
	if bad := r.badTime(id, at); bad != nil {
		r.refuse(id, *bad)
	}
	if len(r.up.Refused) > before {
		return
	}
	happened := dialect.Event{ID: id, Output: checked}
	if e, ok := r.model.Event(id); ok {
		happened.Level = e.Level
		if len(problems) > 0 {
			happened.Output = r.unbounded(e, output, problems)
		}
	}
	if at > 0 {
		happened.Time = time.UnixMilli(at)
	}
	r.up.Events = append(r.up.Events, happened)
}

// unbounded is the output of an event that breaks nothing but bounds: the weak
// check keeps what is outside [aliyun-device §5.6], so it is noted only.
func (r *reading) unbounded(e *thing.Event, output []thing.Argument, problems []thing.Problem) (kept []thing.Argument) {
	for i := range problems {
		r.up.Notes = append(r.up.Notes, dialect.Note{
			Code: "aliyun-out-of-bounds", Sentence: problems[i].Error(), SentenceZH: problems[i].SentenceZH(),
		})
	}
	for i := range e.Output {
		p := &e.Output[i]
		at := slices.IndexFunc(output, func(a thing.Argument) bool { return a.ID == p.ID })
		if at < 0 {
			continue
		}
		v, _, _ := p.Type.Check(p.ID, output[at].Value, thing.Rules{Lenient: true})
		kept = append(kept, thing.Argument{ID: p.ID, Value: v})
	}
	return kept
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
		ID: r.up.ID, Service: service, Code: code, OK: code == 200, Message: string(r.decoder.Message), Data: data,
	}
}

// request reads what the device asks of the platform, where it is known.
func (r *reading) request(t vendor.Topic) {
	read, ok := requests[t.Function()]
	if !ok {
		r.up.Kind = dialect.Unimplemented
		r.unimplemented(t)
		return
	}
	r.up.Kind = dialect.Asks
	if request := read(r); request != nil {
		r.ask(t, request)
	}
}

// ask says how a request came.
func (r *reading) ask(t vendor.Topic, request dialect.Request) {
	r.up.Request = request
	ask := request.Asked()
	ask.Claim = dialect.Claim{Product: string(t.ProductKey), Device: string(t.DeviceName)}
	ask.Topic, ask.ID, ask.NoAnswer = string(r.topic), r.up.ID, ask.NoAnswer || r.noAnswer
}

// unbuilt are the platform's functions that are answered and do nothing more.
var unbuilt = []string{"thing/job/get", "thing/job/update", "thing/job/notify_reply", "thing/lan/blacklist/update"}

// posted are functions that have kinds of their own beside requests.
var posted = []string{"thing/event/property/post", "thing/service/property/set_reply", "thing/service/property/get_reply", "thing/model/up_raw", "thing/model/down_raw_reply"}

// functions are the paths that a device may have meant.
var functions = sync.OnceValue(func() []string {
	return slices.Concat(posted, unbuilt, slices.Sorted(maps.Keys(requests)))
})

// unknownFunction says of a topic below /sys what becomes of it, and what is
// near it: a misspelled function is answered with success, as the platform
// does it, and nothing of it is kept [aliyun-device §10 row 23].
func unknownFunction(t vendor.Topic, path string) dialect.Note {
	if slices.Contains(unbuilt, path) {
		return dialect.Note{
			Code:       "aliyun-unimplemented",
			Sentence:   "this function is not built yet; the device gets an empty answer",
			SentenceZH: "该功能尚未实现，设备将收到空应答",
		}
	}
	n := dialect.Note{
		Code:       "aliyun-unknown-function",
		Sentence:   "no function of the platform has this topic; the device gets an empty answer, and nothing is kept",
		SentenceZH: "平台没有使用此主题的功能；设备将收到空应答，内容不会保存",
	}
	if near := nearFunction(path); near != "" {
		topic := "/sys/" + string(t.ProductKey) + "/" + string(t.DeviceName) + "/" + near
		n.Sentence += "; most likely " + topic + " was meant"
		n.SentenceZH += "；可能应为 " + topic
	}
	return n
}

// nearFunction is the function that has a path's levels but for slips in some of
// them; an event's name may be any.
func nearFunction(path string) string {
	levels := strings.Split(path, "/")
	for _, known := range functions() {
		if of := strings.Split(known, "/"); len(of) == len(levels) && slices.EqualFunc(levels, of, sameWord) {
			return known
		}
	}
	if len(levels) == 4 && sameWord(levels[0], "thing") && sameWord(levels[1], "event") && sameWord(levels[3], "post") {
		return "thing/event/" + levels[2] + "/post"
	}
	return ""
}

func sameWord(word, meant string) bool {
	return word == meant || yamldoc.Nearest(word, []string{meant}) != ""
}

// unimplemented answers what the platform would know and this house does not
// yet, so that firmware gets out of its boot loop [aliyun-device §4.14].
func (r *reading) unimplemented(t vendor.Topic) {
	path := string(t.Path)
	r.up.Notes = append(r.up.Notes, unknownFunction(t, path))
	if len(path) < 6 || path[:6] != "thing/" {
		return
	}
	r.decoder.Reply(r.payload) // for the id; whatever else it says is not understood
	r.up.ID = string(r.decoder.ID)
	method := make([]byte, len(path))
	for i := range path {
		if method[i] = path[i]; path[i] == '/' {
			method[i] = '.'
		}
	}
	r.answer(200, nil, "success", string(method))
}

// remember notes the id and the liberties that the message took.
func (r *reading) remember() {
	r.up.ID = string(r.decoder.ID)
	r.up.Loose = r.decoder.Loose
}

func (r *reading) answer(code int, data []byte, message, method string) {
	topic := string(r.topic) + "_reply"
	r.up.Answers = append(r.up.Answers, dialect.Downlink{
		Topic: topic, Payload: vendor.AppendReply(nil, code, data, r.decoder.ID, message, method),
	})
}

func short(v thing.Value) string {
	const most = 40
	if s := v.String(); len(s) > most {
		return s[:most] + "…"
	}
	return v.String()
}

func seconds(k uint16) string { return strconv.Itoa(int(k)) }

// messageTexts are in Chinese what can be wrong with a whole message.
var messageTexts = map[error]string{
	vendor.ErrNotObject: "不是 JSON 对象",
	vendor.ErrNoParams:  "缺少 params，或 params 的类型不对",
}

func badMessage(err error) *dialect.Diagnosis {
	return &dialect.Diagnosis{
		Code: "aliyun-bad-message", Field: "payload", Received: dialect.Cause(err), Expected: `{"id":"1","params":{…}}`,
		Sentence:   "the message cannot be read: " + dialect.Cause(err),
		SentenceZH: "消息无法解析：" + dialect.CauseZH(err, messageTexts),
		Advice:     "check the length of the payload and the quotes in it", AdviceZH: "请检查消息长度与引号",
	}
}

func tooLarge(n int) *dialect.Diagnosis {
	return &dialect.Diagnosis{
		Code: "aliyun-message-too-large", Field: "payload", Received: fmt.Sprintf("%d bytes", n), Expected: "at most 256 KB",
		Sentence:   fmt.Sprintf("the message has %d bytes, more than 256 KB, and was dropped", n),
		SentenceZH: fmt.Sprintf("消息有 %d 字节，超过 256 KB，已被丢弃", n),
		Advice:     "split it", AdviceZH: "请拆分消息",
	}
}

func foreignTopic(c dialect.Claim, topic string) *dialect.Diagnosis {
	d := &dialect.Diagnosis{
		Code: "aliyun-topic-forbidden", Field: "topic", Received: topic, Expected: vendor.Nearest(topic, c.Product, c.Device),
		Advice:   "a topic holds the device's own product key and name: /sys/" + c.Session() + "/… or /" + c.Session() + "/user/…",
		AdviceZH: "主题中应包含设备自己的 ProductKey 与名称：/sys/" + c.Session() + "/… 或 /" + c.Session() + "/user/…",
	}
	d.Sentence, d.SentenceZH = whyForeign(c, topic)
	if d.Expected == "" {
		d.Expected = "/" + c.Session() + "/user/…"
	} else {
		d.Sentence += "; most likely " + d.Expected + " was meant"
		d.SentenceZH += "；可能应为 " + d.Expected
	}
	return d
}

// whyForeign says what makes a topic another's [aliyun-device §10 rows 22, 23].
func whyForeign(c dialect.Claim, topic string) (sentence, zh string) {
	levels := strings.Split(strings.TrimPrefix(topic, "/"), "/")
	pk, dn := "", "" // the names in the topic
	switch n := len(levels); {
	case n >= 3 && levels[0] == "sys":
		pk, dn = levels[1], levels[2]
	case n >= 5 && (levels[0] == "ota" || levels[0] == "ext" && levels[1] == "session"), n >= 4 && (levels[0] == "shadow" || levels[0] == "ext"):
		for i := 2; i+1 < n; i++ {
			if levels[i] == c.Product || levels[i+1] == c.Device {
				pk, dn = levels[i], levels[i+1]
			}
		}
	case n >= 3 && levels[1] != "":
		pk, dn = levels[0], levels[1]
	}
	switch {
	case strings.Contains(topic, "${"):
		return "a placeholder ${…} was left in the topic", "主题中的占位符 ${…} 没有替换"
	case strings.HasPrefix(topic, "#") || strings.HasPrefix(topic, "+") || strings.ContainsAny(pk+dn, "+#"):
		return "wildcards may not stand for product key and device name: a device subscribes to its own topics only", "ProductKey 和 DeviceName 不能用通配符代替：设备只能订阅自己的主题"
	case pk+dn != c.Product+c.Device && strings.TrimSpace(pk) == c.Product && strings.TrimSpace(dn) == c.Device:
		return "there are blanks beside the names in the topic", "主题中的名称前后有空格"
	case pk == c.Device && dn == c.Product:
		return "product key and device name are the wrong way round in the topic", "主题中 ProductKey 与 DeviceName 的顺序颠倒"
	case pk == c.Product && dn == c.Device && !strings.HasPrefix(topic, "/"):
		return "the topic lacks its leading slash", "主题开头缺少斜杠"
	case pk == c.Product && dn != "" && dn != c.Device:
		return "the topic is that of device " + strconv.Quote(dn) + ", and this is " + strconv.Quote(c.Device), "该主题属于设备 " + strconv.Quote(dn) + "，而本设备是 " + strconv.Quote(c.Device)
	case dn == c.Device && pk != c.Product:
		return "the topic is that of product " + strconv.Quote(pk) + ", and this device is of " + strconv.Quote(c.Product), "该主题属于产品 " + strconv.Quote(pk) + "，而本设备的产品是 " + strconv.Quote(c.Product)
	}
	return "the topic is not one that this device may use", "该设备无权使用这个主题"
}

func downOnly(topic string) *dialect.Diagnosis {
	reply := topic + "_reply"
	if strings.Contains(topic, "/rrpc/request/") {
		reply = strings.Replace(topic, "/rrpc/request/", "/rrpc/response/", 1)
	}
	return &dialect.Diagnosis{
		Code: "aliyun-topic-down-only", Field: "topic", Received: topic, Expected: reply,
		Sentence:   "the platform publishes on this topic, devices only listen to it",
		SentenceZH: "该主题由平台下发，设备只能订阅",
		Advice:     "answers go to " + reply, AdviceZH: "应答请发布到 " + reply,
	}
}
