package plain

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/thing"
	"github.com/matou-iot/matou/thing/loose"
)

// Uplink reads the thing-model topics; every other topic below the product is
// the users' own.
func (Dialect) Uplink(c dialect.Claim, topic, payload []byte, model *thing.Model, mode dialect.Strictness, up *dialect.Uplink) {
	up.Reset()
	below, mine := belowSession(topic, c)
	if !mine {
		up.Kind = dialect.Other
		if product, _, _ := bytes.Cut(topic, slash); string(product) != c.Product || mode == dialect.Strict {
			if !own(c, string(topic), mode) {
				up.Kind, up.Fault = dialect.Forbidden, forbidden(c, string(topic), mode)
			}
		}
		return
	}
	rest := string(below)
	event, isEvent := strings.CutPrefix(rest, "events/")
	service, isReply := strings.CutSuffix(rest, "/reply")
	switch {
	case rest == "properties":
		up.Kind = dialect.PropertyPost
		post(payload, model, mode, up)
	case isEvent:
		up.Kind = dialect.EventPost
		raise(event, payload, model, mode, up)
	case rest == "set/reply":
		up.Kind = dialect.SetReply
		answer(payload, up)
	case isReply && strings.HasPrefix(service, "services/"):
		up.Kind = dialect.InvokeReply
		answer(payload, up)
		up.Reply.Service = strings.TrimPrefix(service, "services/")
	default:
		up.Kind = dialect.Other
	}
}

var slash = []byte("/")

// belowSession is what follows product/device/ in a topic.
func belowSession(topic []byte, c dialect.Claim) (rest []byte, ok bool) {
	at := len(c.Product)
	end := at + 1 + len(c.Device)
	if len(topic) <= end || topic[at] != '/' || topic[end] != '/' {
		return nil, false
	}
	return topic[end+1:], string(topic[:at]) == c.Product && string(topic[at+1:end]) == c.Device
}

// post reads {"id":value} or {"id":{"value":v,"time":ms}}.
func post(payload []byte, model *thing.Model, mode dialect.Strictness, up *dialect.Uplink) {
	doc, looseness, err := object(payload)
	if err != nil {
		up.Fault, up.RefusedAll = badJSON(err), true
		return
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(doc, &members); err != nil {
		up.Fault, up.RefusedAll = badJSON(err), true
		return
	}
	up.Loose = looseness
	for _, id := range orderOf(doc) {
		if raw, once := members[id]; once {
			delete(members, id)
			read(id, raw, model, mode, up)
		}
	}
}

var errNotObject = errors.New("not a JSON object")

var jsonTexts = map[error]string{errNotObject: "不是 JSON 对象"}

// object is a payload as strict JSON, which has to be an object.
func object(payload []byte) ([]byte, loose.Looseness, error) {
	doc, looseness, err := loose.Strictify(payload)
	if err == nil && (len(doc) == 0 || doc[0] != '{') {
		err = errNotObject
	}
	return doc, looseness, err
}

// orderOf lists the members of an object in the order they were sent.
func orderOf(doc []byte) (ids []string) {
	var r loose.Reader
	r.Reset(doc)
	if r.Next() != loose.BeginObject {
		return nil
	}
	for r.Next() == loose.Key {
		ids = append(ids, string(r.Bytes()))
		if _, ok := r.Skip(); !ok {
			break
		}
	}
	return ids
}

func read(id string, raw json.RawMessage, model *thing.Model, mode dialect.Strictness, up *dialect.Uplink) {
	v, err := thing.ParseValue(raw)
	if err != nil {
		up.Refused = append(up.Refused, dialect.Rejection{ID: id, Problem: thing.Problem{Fault: thing.WrongType, Path: id, Got: string(raw)}})
		return
	}
	v, at := opened(v)
	p, known := model.Property(id)
	if !known {
		up.Refused = append(up.Refused, dialect.Rejection{ID: id, Problem: model.UnknownProperty(id)})
		return
	}
	checked, problem, ok := p.Type.Check(p.ID, v, thing.Rules{Lenient: mode != dialect.Strict})
	if !ok {
		up.Refused = append(up.Refused, dialect.Rejection{ID: id, Problem: problem})
		return
	}
	reading := dialect.Reading{Property: p.ID, Value: checked, Time: at}
	if problem.Fault != thing.NoMistake {
		reading.Flag = &problem
	}
	up.Report = append(up.Report, reading)
}

// opened is the inside of an object of exactly value, or value and time; any
// other object is a value itself.
func opened(v thing.Value) (thing.Value, time.Time) {
	if v.Shape != thing.Object {
		return v, time.Time{}
	}
	args, err := thing.ParseArguments([]byte(v.Text))
	if err != nil {
		return v, time.Time{}
	}
	var inner *thing.Value
	var at time.Time
	for i, a := range args {
		switch {
		case a.ID == "value":
			inner = &args[i].Value
		case a.ID == "time" && a.Value.Shape == thing.Integer && a.Value.Int > 0:
			at = time.UnixMilli(a.Value.Int)
		case a.ID == "time" && a.Value.Shape == thing.Integer: // none, as a clock that is not set says it
		default:
			return v, time.Time{}
		}
	}
	if inner == nil {
		return v, time.Time{}
	}
	return *inner, at
}

func raise(id string, payload []byte, model *thing.Model, mode dialect.Strictness, up *dialect.Uplink) {
	doc, looseness, err := object(payload)
	var members map[string]thing.Value
	if err == nil {
		err = json.Unmarshal(doc, &members)
	}
	if err != nil {
		up.Fault, up.RefusedAll = badJSON(err), true
		return
	}
	up.Loose = looseness
	var args []thing.Argument
	for _, name := range orderOf(doc) {
		args = append(args, thing.Argument{ID: name, Value: members[name]})
	}
	checked, problems := model.CheckEvent(id, args, thing.Rules{Lenient: mode != dialect.Strict})
	if len(problems) > 0 {
		up.RefusedAll = true
		for _, p := range problems {
			up.Refused = append(up.Refused, dialect.Rejection{ID: p.Path, Problem: p})
		}
		return
	}
	happened := dialect.Event{ID: id, Output: checked}
	if e, ok := model.Event(id); ok {
		happened.Level = e.Level
	}
	up.Events = append(up.Events, happened)
}

// answer reads {"id":"7","code":200,"message":"…","output":{…}}.
func answer(payload []byte, up *dialect.Uplink) {
	doc, looseness, err := object(payload)
	var reply struct {
		ID      json.RawMessage `json:"id"`
		Code    *int            `json:"code"`
		Message string          `json:"message"`
		Output  json.RawMessage `json:"output"`
	}
	if err == nil {
		err = json.Unmarshal(doc, &reply)
	}
	if err != nil {
		up.Fault, up.RefusedAll = badJSON(err), true
		return
	}
	up.Loose = looseness
	up.ID = strings.Trim(string(reply.ID), `"`)
	up.Reply = dialect.Reply{ID: up.ID, Code: 200, OK: true, Message: reply.Message, Data: string(reply.Output)}
	if reply.Code != nil {
		up.Reply.Code = *reply.Code
		up.Reply.OK = *reply.Code == 200 || *reply.Code == 0
	}
}

func badJSON(err error) *dialect.Diagnosis {
	return &dialect.Diagnosis{
		Code: "mqtt-bad-json", Field: "payload", Received: err.Error(), Expected: "a JSON object",
		Sentence:   "the payload is not JSON: " + err.Error(),
		SentenceZH: "消息内容不是有效的 JSON：" + dialect.CauseZH(err, jsonTexts),
		Advice:     "send one JSON object", AdviceZH: "请发送一个 JSON 对象",
	}
}
