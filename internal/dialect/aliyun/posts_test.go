package aliyun

import (
	"fmt"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/thing"
)

// family is a gateway's: it has pk2/sub1, and knows pk2/away of another one.
type family struct{ dialect.Others }

func (family) Model(gateway, sub dialect.Claim) (*thing.Model, *dialect.Diagnosis) {
	switch {
	case gateway == lamp && sub == dialect.Claim{Product: "pk2", Device: "sub1"}:
		return model, nil
	case sub.Device == "disabled":
		return nil, &dialect.Diagnosis{Code: "aliyun-sub-disabled"}
	case sub.Product == "pk2":
		return nil, &dialect.Diagnosis{Code: "aliyun-sub-not-bound"}
	}
	return nil, &dialect.Diagnosis{Code: "aliyun-sub-unknown-device"}
}

func TestPostsOfMany(t *testing.T) {
	const at = sys + "thing/event/property/"
	reply := func(kind string, code int, data, id, text string) string {
		return fmt.Sprintf(`%s%s/post_reply {"code":%d,"data":%s,"id":"%s","message":"%s","method":"thing.event.property.%s.post","version":"1.0"}`, at, kind, code, data, id, text, kind)
	}
	var tooMany strings.Builder
	for i := range 201 {
		fmt.Fprintf(&tooMany, `,"p%d":[1]`, i)
	}
	for _, tt := range []struct {
		name, kind, payload  string
		own, sub             string
		refused, fault, told string
	}{
		{"batch as documented", "batch", `{"id":"1","params":{"properties":{"Count":[{"value":1,"time":1524448722000},{"value":0,"time":1524448722001}]},"events":{"alarm":[{"value":{"code":1},"time":1524448722002}]}}}`,
			`Count=1@1524448722000 Count=0@1524448722001 alarm/alert{"code":1}@1524448722002`, "", "", "", reply("batch", 200, "{}", "1", "success")},
		{"batch without answer", "batch", `{"id":"1","sys":{"ack":0},"params":{"properties":{"Count":[1]}}}`, "Count=1", "", "", "", ""},
		{"batch with mistakes keeps the rest", "batch", `{"id":"1","params":{"properties":{"Count":[1,"x"],"Nope":[1]},"events":{"alarm":[{"code":"x"}],"gone":[{}]}}}`,
			"Count=1", "", "Count:6306:wrong-type Nope:6304:unknown code:6306:wrong-type gone:6304:unknown", "",
			reply("batch", 200, `{"Count":"tsl parse: data type is not int -> Count","Nope":"tsl parse: params not exist","code":"tsl parse: data type is not int -> code","gone":"tsl parse: params not exist"}`, "1", "success")},
		{"one reason for an identifier, however often", "batch", `{"id":"1","params":{"properties":{"Count":["x","y",3,"z"]}}}`,
			"Count=3", "", "Count:6306:wrong-type Count:6306:wrong-type Count:6306:wrong-type", "",
			reply("batch", 200, `{"Count":"tsl parse: data type is not int -> Count"}`, "1", "success")},
		{"batch of too many", "batch", `{"id":"1","params":{"properties":{` + tooMany.String()[1:] + `}}}`, "", "", "", "aliyun-bad-params", reply("batch", 6106, "{}", "1", "map size must less than 200")},
		{"batch cut off", "batch", `{"id":"1","params":{"properties":`, "", "", "", "aliyun-bad-message", reply("batch", 460, "{}", "1", "request parameter error")},
		{"history of the sender", "history", `{"id":"2","params":[{"identity":{"productKey":"a1NightLamp","deviceName":"lamp01"},"properties":[{"Count":{"value":1,"time":1524448722000}},{"Count":{"value":2,"time":1524448722001}}],"events":[{"alarm":{"value":{"code":2},"time":1524448722002}}]}]}`,
			`Count=1@1524448722000 Count=2@1524448722001 alarm/alert{"code":2}@1524448722002`, "", "", "", reply("history", 200, "{}", "2", "success")},
		{"history of a sub-device", "history", `{"id":"2","params":[{"identity":{"productKey":"pk2","deviceName":"sub1"},"properties":[{"Count":{"value":1,"time":1524448722000}}]},{"properties":[{"Count":7}]}]}`,
			"Count=7", "pk2/sub1 Count=1@1524448722000", "", "", reply("history", 200, "{}", "2", "success")},
		{"history of another's device", "history", `{"id":"2","params":[{"properties":[{"Count":7}]},{"identity":{"productKey":"pk2","deviceName":"away"},"properties":[{"Count":1}]}]}`,
			"", "", "", "aliyun-sub-not-bound", reply("history", 6401, "{}", "2", "topo relation not exist")},
		{"pack as documented", "pack", `{"id":"3","params":{"properties":{"Count":{"value":1,"time":1524448722000}},"events":{"alarm":{"value":{"code":3},"time":1524448722002}},"subDevices":[{"identity":{"productKey":"pk2","deviceName":"sub1"},"properties":{"Count":{"value":5}},"events":{}}]}}`,
			`Count=1@1524448722000 alarm/alert{"code":3}@1524448722002`, "pk2/sub1 Count=5", "", "", reply("pack", 200, "{}", "3", "success")},
		{"one value that does not fit fails a pack", "pack", `{"id":"3","params":{"properties":{"Count":1},"subDevices":[{"identity":{"productKey":"pk2","deviceName":"sub1"},"properties":{"Count":"x"}}]}}`,
			"", "", "Count:6306:wrong-type", "", reply("pack", 6306, "{}", "3", "tsl parse: data type is not int -> Count")},
		{"an unknown device fails a pack", "pack", `{"id":"3","params":{"properties":{"Count":1},"subDevices":[{"identity":{"productKey":"no","deviceName":"one"},"properties":{}}]}}`,
			"", "", "", "aliyun-sub-unknown-device", reply("pack", 6100, "{}", "3", "device not found")},
		{"a disabled one too", "pack", `{"id":"3","params":{"subDevices":[{"identity":{"productKey":"pk2","deviceName":"disabled"},"properties":{}}]}}`,
			"", "", "", "aliyun-sub-disabled", reply("pack", 6204, "{}", "3", "device forbidden")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up := &dialect.Uplink{Others: family{}}
			Dialect{}.Uplink(lamp, []byte(at+tt.kind+"/post"), []byte(tt.payload), model, dialect.Lenient, up)
			var sub []string
			for _, p := range up.Parts {
				sub = append(sub, p.Session()+" "+told(&dialect.Uplink{Report: p.Report, Events: p.Events}))
			}
			why := ""
			if up.Fault != nil {
				why = up.Fault.Code
			}
			if up.Kind != dialect.PropertyPost || told(up) != tt.own || strings.Join(sub, "; ") != tt.sub || refused(up) != tt.refused || why != tt.fault {
				t.Errorf("kind %d\nown %s\nsub %s\nrefused %s\nfault %s", up.Kind, told(up), sub, refused(up), why)
			}
			if got := answered(up); got != tt.told {
				t.Errorf("answered %s\nwant     %s", got, tt.told)
			}
			if nothing := tt.own+tt.sub == ""; nothing != up.RefusedAll {
				t.Errorf("refused all: %v", up.RefusedAll)
			}
		})
	}
	up := read(at+"history/post", `{"id":"2","params":[{"identity":{"productKey":"pk2","deviceName":"sub1"},"properties":[]}]}`, dialect.Lenient)
	if up.Fault == nil || up.Fault.Code != "aliyun-sub-not-bound" || up.Fault.SentenceZH == "" {
		t.Errorf("nobody has sub-devices: %+v", up.Fault)
	}
}

func TestQuestionsOfTheDialect(t *testing.T) {
	d := Dialect{}
	const ext = "x|securemode=3,signmethod=hmacsha1,ext=1|"
	for _, tt := range []struct {
		client, topic, want string
		kind                fault.Kind
	}{
		{"x", "", sys + "rrpc/request/7", ""},
		{ext, "", sys + "rrpc/request/7", ""},
		{ext, "/a1NightLamp/lamp01/user/get", "/ext/rrpc/7/a1NightLamp/lamp01/user/get", ""},
		{"x|ext=0|", "/a1NightLamp/lamp01/user/get", "", fault.KindConflict},
		{ext, "/a1NightLamp/other/user/get", "", fault.KindInvalid},
		{ext, "user/get", "", fault.KindInvalid},
	} {
		got, err := d.Question(lamp, tt.client, "7", tt.topic, []byte("x"))
		if got.Topic != tt.want || fault.KindOf(err) != tt.kind {
			t.Errorf("%+v: %s, %v", tt, got.Topic, err)
		}
	}
	call := dialect.Downlink{Topic: sys + "thing/service/Blink", Payload: []byte("{}")}
	if got := d.CallNow(lamp, ext, "7", call).Topic; got != "/ext/rrpc/7"+sys+"thing/service/Blink" {
		t.Error(got)
	}
	if got := d.CallNow(lamp, "", "7", call).Topic; got != sys+"rrpc/request/7" {
		t.Error(got)
	}
	if r, why := d.ReplyOf([]byte(`{"id":1,"code":200,"data":{"a":1}}`)); why != nil || r != (dialect.Reply{ID: "1", Code: 200, OK: true, Data: `{"a":1}`}) {
		t.Errorf("%+v, %+v", r, why)
	}
	for _, topic := range []string{sys + "rrpc/response/889455942124347392", "/ext/rrpc/889455942124347392/a1NightLamp/lamp01/user/get?_rid=1"} {
		up := read(topic, "\x00\xff", dialect.Lenient)
		r, ok := up.Request.(*dialect.RRPCAnswer)
		if up.Kind != dialect.Asks || !ok || r.Question != "889455942124347392" || string(r.Payload) != "\x00\xff" || r.Claim != lamp || len(d.Answer(r, nil, nil)) > 0 {
			t.Errorf("%s: %+v", topic, up)
		}
	}
	if up := read("/ext/rrpc/1/a1NightLamp/lamp02/user/get", "x", dialect.Lenient); up.Kind != dialect.Forbidden {
		t.Errorf("for another device: %+v", up)
	}
	if up := read(sys+"rrpc/request/1", "x", dialect.Lenient); up.Kind != dialect.Forbidden || up.Fault.Expected != sys+"rrpc/response/1" {
		t.Errorf("%+v", up.Fault)
	}
}

func TestRawOfTheDialect(t *testing.T) {
	d := Dialect{}
	for topic, kind := range map[string]dialect.Kind{sys + "thing/model/up_raw": dialect.Raw, sys + "thing/model/down_raw_reply": dialect.RawReply, sys + "thing/model/down_raw": dialect.Forbidden} {
		if up := read(topic, "\x00\x01", dialect.Strict); up.Kind != kind {
			t.Errorf("%s: %+v", topic, up)
		}
	}
	for doc, want := range map[string]string{
		`{"method":"thing.event.property.post","id":"7","params":{}}`: postTo + " 7",
		`{"id":"7","params":{}}`:      " 7 aliyun-script-no-method",
		`{"method":"thing.#","id":7}`: " 7 aliyun-script-no-method",
		`[]`:                          "  aliyun-bad-message",
	} {
		topic, id, why := d.RawTopic(lamp, []byte(doc), false)
		got := string(topic) + " " + id
		if why != nil {
			got += " " + why.Code
		}
		if got != want {
			t.Errorf("%s: %q, want %q", doc, got, want)
		}
	}
	if topic, id, why := d.RawTopic(lamp, []byte(`{"id":"9","code":200}`), true); string(topic) != sys+"thing/service/property/set_reply" || id != "9" || why != nil {
		t.Errorf("%s %s %+v", topic, id, why)
	}
	for got, want := range map[string]string{
		d.RawDown(lamp, nil).Topic:                          sys + "thing/model/down_raw",
		d.RawReply(lamp, nil).Topic:                         sys + "thing/model/up_raw_reply",
		string(d.RawFailure(lamp, "", 26002, "no").Payload): `{"code":26002,"data":{},"id":"0","message":"no","method":"thing.model.up_raw","version":"1.0"}`,
		string(d.Get(lamp, "7", []string{"Count"}).Payload): `{"method":"thing.service.property.get","id":"7","params":["Count"],"version":"1.0.0"}`,
		d.Get(lamp, "7", nil).Topic:                         sys + "thing/service/property/get",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if up := read(sys+"thing/service/property/get_reply", `{"id":"7","code":200,"data":{"Count":1}}`, dialect.Lenient); up.Kind != dialect.GetReply || up.Reply.Data != `{"Count":1}` {
		t.Errorf("%+v", up)
	}
}

func TestCustomPaths(t *testing.T) {
	for topic, want := range map[string]string{
		"/a1NightLamp/lamp01/user/update": "user/update  true", "/a1NightLamp/lamp01/user/x?_sn=default&_rid=1": "user/x _sn=default&_rid=1 true",
		"/a1NightLamp/lamp02/user/x": "  false", postTo: "  false", "/a1NightLamp/lamp01/": "  false",
	} {
		path, query, ok := Dialect{}.CustomPath(lamp, topic)
		if got := fmt.Sprint(path, " ", query, " ", ok); got != want {
			t.Errorf("%s: %q, want %q", topic, got, want)
		}
	}
}
