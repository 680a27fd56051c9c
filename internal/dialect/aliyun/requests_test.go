package aliyun

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/thing"
)

// exchange is a request of the lamp, served with a result or an error, and all
// that the lamp is told.
func exchange(topic, payload string, result any, err error) (*dialect.Uplink, string) {
	up := read(topic, payload, dialect.Lenient)
	if up.Request != nil {
		up.Answers = append(up.Answers, Dialect{}.Answer(up.Request, result, err)...)
	}
	return up, answered(up)
}

const shadowUp, shadowDown = "/shadow/update/a1NightLamp/lamp01", "/shadow/get/a1NightLamp/lamp01 "

var (
	then  = time.Unix(1469564492, 0)
	color = &dialect.Shadow{Reported: []dialect.ShadowAttribute{{Name: "color", Value: thing.TextValue("red"), At: then}}, Version: 3, UpdatedAt: then}
)

func TestRequestsAndAnswers(t *testing.T) {
	success := func(id, data, method string) string {
		return `_reply {"code":200,"data":` + data + `,"id":"` + id + `","message":"success","method":"` + method + `","version":"1.0"}`
	}
	refused := func(code int, text, id, method string) string {
		return fmt.Sprintf(`_reply {"code":%d,"data":{},"id":"%s","message":"%s","method":"%s","version":"1.0"}`, code, id, text, method)
	}
	config := dialect.ConfigFile{ID: "1bbf", Size: 12, SHA256: "ab", URL: "http://h/x"}
	for _, tt := range []struct {
		topic, payload string
		ask            string // the type of the request and what is in it
		result         any
		err            error
		answer         string // without the topic of the request where it is on that
	}{
		{shadowUp, `{"method":"update","state":{"reported":{"color":"red"}},"version":3}`, `*dialect.ShadowUpdate`, color, nil,
			shadowDown + `{"method":"reply","payload":{"status":"success","version":3},"timestamp":1469564492}`},
		{shadowUp, `{"method":"delete","state":{"reported":"null"},"version":3}`, `*dialect.ShadowDelete`, color, nil,
			shadowDown + `{"method":"reply","payload":{"status":"success","version":3},"timestamp":1469564492}`},
		{shadowUp, `{"method":"update","state":{"reported":{"color":"red"}},"version":3}`, `*dialect.ShadowUpdate`, nil,
			&dialect.Refusal{Cause: dialect.ErrShadowVersion}, shadowDown + `{"method":"reply","payload":{"status":"error","content":{"errorcode":"409","errormessage":"version is not greater than that of the shadow"}},"timestamp":NOW}`},
		{shadowUp, `{"method":"get"}`, `*dialect.ShadowGet`, nil, &dialect.Refusal{Cause: dialect.ErrShadowEmpty},
			shadowDown + `{"method":"reply","payload":{"status":"error","content":{"errorcode":"407","errormessage":"the shadow is empty"}},"timestamp":NOW}`},
		{shadowUp, `{"method":"get"}`, `*dialect.ShadowGet`, nil, errors.New("disk"),
			shadowDown + `{"method":"reply","payload":{"status":"error","content":{"errorcode":"500","errormessage":"the server failed"}},"timestamp":NOW}`},
		{shadowUp, `{"method":"get"}`, `*dialect.ShadowGet`, color, nil,
			shadowDown + `{"method":"reply","payload":{"status":"success","state":{"reported":{"color":"red"}},"metadata":{"reported":{"color":{"timestamp":1469564492}}}},"version":3,"timestamp":NOW}`},
		{shadowUp, `{"method":"update","state":{"reported":{"color":"red"}}}`, ``, nil, nil,
			shadowDown + `{"method":"reply","payload":{"status":"error","content":{"errorcode":"403","errormessage":"version is not a whole number of 64 bits"}},"timestamp":NOW}`},

		{sys + "thing/property/desired/get", `{"id":"9","params":["Name","LightSwitch"]}`, `*dialect.DesiredGet`,
			dialect.Desired{Values: []dialect.DesiredValue{{Property: "LightSwitch", Value: thing.BoolValue(true), Version: 2}}, Model: model}, nil,
			success("9", `{"LightSwitch":{"value":1,"version":2}}`, "thing.property.desired.get")},
		{sys + "thing/property/desired/get", `{"id":"9","params":{}}`, ``, nil, nil, refused(460, "request parameter error", "9", "thing.property.desired.get")},
		{sys + "thing/property/desired/get", `{"id":"9","params":["` + strings.Repeat(`a","`, 200) + `a"]}`, ``, nil, nil, refused(6104, "too many properties", "9", "thing.property.desired.get")},
		{sys + "thing/property/desired/delete", `{"id":9,"params":{"Name":{"version":1}}}`, `*dialect.DesiredDelete`, dialect.Done{}, nil,
			success("9", "{}", "thing.property.desired.delete")},
		{sys + "thing/property/desired/delete", `{"id":"9","sys":{"ack":0},"params":{"Name":{"version":1}}}`, `*dialect.DesiredDelete`, dialect.Done{}, nil, ``},

		{sys + "thing/deviceinfo/update", `{"id":"7","params":[{"attrKey":"a","attrValue":"b"}],"method":"thing.deviceinfo.update"}`, `*dialect.TagsUpdate`, dialect.Done{}, nil,
			success("7", "{}", "thing.deviceinfo.update")},
		{sys + "thing/deviceinfo/update", `{"id":"7","params":[{"attrKey":"1","attrValue":"b"}]}`, ``, nil, nil, refused(460, "request parameter error", "7", "thing.deviceinfo.update")},
		{sys + "thing/deviceinfo/update", `{"id":"7","params":[{"attrKey":"a","attrValue":"b"}]}`, `*dialect.TagsUpdate`, nil, fault.NotFound("gone"), refused(6100, "device not found", "7", "thing.deviceinfo.update")},
		{sys + "thing/deviceinfo/delete", `{"id":"7","params":[{"attrKey":"a"}]}`, `*dialect.TagsDelete`, nil, fault.Invalid("no"), refused(460, "request parameter error", "7", "thing.deviceinfo.delete")},
		{sys + "thing/deviceinfo/delete", `{"id":"7","params":[{"attrKey":"a"}]}`, `*dialect.TagsDelete`, nil, errors.New("disk"), refused(500, "server error", "7", "thing.deviceinfo.delete")},

		{sys + "thing/config/get", `{"id":123,"version":"1.0","params":{"configScope":"product","getType":"file"},"method":"thing.config.get"}`, `*dialect.ConfigGet`, config, nil,
			success("123", `{"configId":"1bbf","configSize":12,"sign":"ab","signMethod":"Sha256","url":"http://h/x","getType":"file"}`, "thing.config.get")},
		{sys + "thing/config/get", `{"id":"1"}`, `*dialect.ConfigGet`, nil, dialect.ErrNoConfig, refused(6710, "no data", "1", "thing.config.get")},
		{sys + "thing/config/get", `{"id":"1"}`, `*dialect.ConfigGet`, nil, &dialect.Refusal{Cause: dialect.ErrConfigOff}, refused(6713, "thing config function is not available", "1", "thing.config.get")},
		{sys + "thing/config/push_reply", `{"id":"1","code":200,"data":{}}`, `*dialect.ConfigTaken`, dialect.Done{}, nil, ``},

		{sys + "thing/config/log/get", `{"id":"1","params":{"configScope":"device","getType":"content"}}`, `*dialect.LogGet`, dialect.LogMode{On: true}, nil,
			success("1", `{"getType":"content","content":{"mode":1}}`, "thing.config.log.get")},
		{sys + "thing/log/post", `{"id":"1","params":[{"logLevel":"ERROR","logContent":"lost"}]}`, `*dialect.LogPost`, dialect.Done{}, nil, success("1", "{}", "thing.log.post")},
		{sys + "thing/config/log/post", `{"id":"1","params":[{"logLevel":"ERROR","logContent":"lost"}]}`, `*dialect.LogPost`, dialect.Done{}, nil, success("1", "{}", "thing.config.log.post")},
		{sys + "thing/log/post", `{"id":"1","params":"lost"}`, ``, nil, nil, refused(460, "request parameter error", "1", "thing.log.post")},

		{sys + "thing/dsltemplate/get", `{"id":"1","params":"{}"}`, `*dialect.ModelGet`, (&thing.Model{}).Index(), nil,
			success("1", `{"schema":"https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json","profile":{"productKey":"a1NightLamp","deviceName":"lamp01"},"properties":[],"events":[],"services":[],"link":"/sys/a1NightLamp/lamp01/thing/"}`, "thing.dsltemplate.get")},
		{sys + "thing/dynamicTsl/get", `{"id":"1","params":{"nodes":["type","identifier"],"addDefault":false}}`, `*dialect.ModelGet`, nil, fault.NotFound("gone"), refused(6321, "tsl: device not exist in product", "1", "thing.dynamicTsl.get")},
		{sys + "thing/reset", `{"id":"1","version":"1.0","params":{},"method":"thing.reset"}`, `*dialect.Reset`, dialect.Done{}, nil, success("1", "{}", "thing.reset")},
		{sys + "thing/lan/prefix/get", `{"id":"1","params":{}}`, `*dialect.LANGet`, dialect.LANKey{Prefix: "p", Secret: "s"}, nil,
			success("1", `{"deviceSecret":"s","prefix":"p","productKey":"a1NightLamp","deviceName":"lamp01"}`, "thing.lan.prefix.get")},
		{sys + "_thing/diag/post", `{"id":"1","params":{"p":{"wifi":{"rssi":-57}},"model":"format=simple|quantity=single|time=now"}}`, `*dialect.NetworkReport`, dialect.Done{}, nil, success("1", "{}", "_thing.diag.post")},
		{sys + "_thing/diag/post", `{"id":"1","params":7}`, ``, nil, nil, refused(460, "request parameter error", "1", "_thing.diag.post")},
		{sys + "thing/awss/enrollee/match", `{"id":"1","params":{}}`, ``, nil, nil, success("1", "{}", "thing.awss.enrollee.match")},
		{sys + "thing/cipher/get", `{"id":"1","params":{}}`, ``, nil, nil, success("1", "{}", "thing.cipher.get")},
		{sys + "thing/status/update", `{"id":"pk_dn_mid","params":{"_sys_device_mid":"m"}}`, ``, nil, nil, ``},
		{sys + "thing/deviceinfo/update", `{"id":"7","params":[`, ``, nil, nil, refused(460, "request parameter error", "7", "thing.deviceinfo.update")},
	} {
		up, got := exchange(tt.topic, tt.payload, tt.result, tt.err)
		if up.Kind != dialect.Asks || len(up.Notes) > 0 {
			t.Errorf("%s: %+v", tt.topic, up)
		}
		ask := ""
		if up.Request != nil {
			ask = fmt.Sprintf("%T", up.Request)
			if who := up.Request.Asked().Claim; who != lamp {
				t.Errorf("%s: asked by %+v", tt.topic, who)
			}
		} else if strings.Contains(tt.answer, `"code":460`) && (up.Fault == nil || up.Fault.SentenceZH == "" || up.Fault.Field == "") {
			t.Errorf("%s: the timeline is told %+v", tt.topic, up.Fault)
		}
		if ask != tt.ask {
			t.Errorf("%s: asks %s, not %s", tt.topic, ask, tt.ask)
		}
		want := tt.answer
		if strings.HasPrefix(want, "_reply ") {
			want = tt.topic + want
		}
		if head, tail, timed := strings.Cut(want, "NOW}"); timed && tail == "" && strings.HasPrefix(got, head) {
			var at int64
			if _, err := fmt.Sscanf(got[len(head):], "%d}", &at); err != nil || time.Since(time.Unix(at, 0)) > time.Hour {
				t.Errorf("the time of %s: %v", got, err)
			}
			continue
		}
		if got != want {
			t.Errorf("%.200s\n got %s\nwant %s", tt.payload, got, want)
		}
	}
}

func TestWhatARequestSays(t *testing.T) {
	for _, tt := range []struct{ topic, payload, want string }{
		{shadowUp, `{"method":"update","state":{"reported":{"color":"red"},"desired":null},"version":-1}`, `{Version:-1 Reset:true Reported:[{ID:color Value:red}] ClearDesired:true}`},
		{shadowUp, `{"method":"delete","state":{"reported":{"color":"null"}},"version":8}`, `{Version:8 Reset:false Names:[color] All:false ClearDesired:false}`},
		{sys + "thing/property/desired/get", `{"id":"9","params":["a","b"]}`, `{Properties:[a b]}`},
		{sys + "thing/property/desired/delete", `{"id":"9","params":{"a":{"version":3},"b":{}}}`, `{Properties:[{Property:a Version:3} {Property:b Version:0}]}`},
		{sys + "thing/deviceinfo/update", `{"id":"9","params":[{"attrKey":"a","attrValue":"1"},{"attrKey":"S","attrValue":"C","domain":"SYSTEM"}]}`, `{Tags:[{Name:a Value:1 System:false} {Name:S Value:C System:true}]}`},
		{sys + "thing/config/push_reply", `{"id":"77","code":460,"message":"no room"}`, `{Reply:{ID:77 ByID:false Relayed:false Service: Code:460 OK:false Message:no room Data:}}`},
		{sys + "thing/log/post", `{"id":"1","params":[{"utcTime":"2020-08-31T06:07:35.000+0000","logLevel":"WARN","module":"M","code":"2","traceContext":"T","logContent":"C"}]}`,
			`{Lines:[{Time:2020-08-31 06:07:35 +0000 UTC Level:WARN Module:M Code:2 Trace:T Content:C}] More:0}`},
		{sys + "_thing/diag/post", `{"id":"1","params":{'p':{}}}`, `{Report:[123 34 112 34 58 123 125 125]}`},
	} {
		r := read(tt.topic, tt.payload, dialect.Lenient).Request
		if r == nil {
			t.Errorf("%s asks nothing", tt.payload)
			continue
		}
		*r.Asked() = dialect.Ask{}
		got := strings.Replace(fmt.Sprintf("%+v", r), `&{Ask:{Claim:{Product: Device:} Topic: ID: NoAnswer:false By:<nil> After:<nil>} `, "{", 1)
		if got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.payload, got, tt.want)
		}
	}
}

func TestWhatIsToldUnasked(t *testing.T) {
	file := dialect.ConfigFile{ID: "1bbf", Size: 12, SHA256: "ab", URL: "http://h/x"}
	for _, tt := range []struct {
		all  []dialect.Downlink
		want string
	}{
		{Dialect{}.TellShadow(lamp, color, then.Add(time.Second)), shadowDown + `{"method":"control","payload":{"status":"success","state":{"reported":{"color":"red"}},"metadata":{"reported":{"color":{"timestamp":1469564492}}}},"version":3,"timestamp":1469564493}`},
		{Dialect{}.TellConfig(lamp, "5", file), sys + `thing/config/push {"id":"5","version":"1.0","params":{"configId":"1bbf","configSize":12,"sign":"ab","signMethod":"Sha256","url":"http://h/x","getType":"file"},"method":"thing.config.push"}`},
		{Dialect{}.TellLog(lamp, "6", dialect.LogMode{}), sys + `thing/config/log/push {"id":"6","version":"1.0","params":{"getType":"content","content":{"mode":0}},"method":"thing.config.log.push"}`},
	} {
		if got := answered(&dialect.Uplink{Answers: tt.all}); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
		if (Dialect{}).Unasked(lamp, tt.all[0].Topic) != true {
			t.Errorf("%s needs a subscription", tt.all[0].Topic)
		}
	}
}

func TestTheKeyOfTheLANIsNotShown(t *testing.T) {
	up, _ := exchange(sys+"thing/lan/prefix/get", `{"id":"1","params":{}}`, dialect.LANKey{Prefix: "p", Secret: "topsecret"}, nil)
	if shown := string(up.Answers[0].Visible()); strings.Contains(shown, "topsecret") || !strings.Contains(shown, `"deviceSecret":"…"`) {
		t.Errorf("shown: %s", shown)
	}
}

// TestRequestsSayWhichPartIsWrong: one code of the vendor's for several mistakes
// is told apart in the sentence.
func TestRequestsSayWhichPartIsWrong(t *testing.T) {
	const tags, shadow = sys + "thing/deviceinfo/update", "/shadow/update/a1NightLamp/lamp01"
	deep := `{"method":"update","state":{"reported":{"a":{"b":{"c":{"d":{"e":{"f":1}}}}}}},"version":9}`
	for _, tt := range []struct{ topic, payload, en, zh string }{
		{tags, `{"id":"1","params":[{"attrKey":"good","attrValue":"x"},{"attrKey":"bad key","attrValue":"x"}]}`, `(tag 2, "bad key")`, `（第 2 个标签，"bad key"）`},
		{tags, `{"id":"1","params":{"key":"a"}}`, "attrKey is missing", "缺少 attrKey"},
		{tags, `{"id":"1","params":[{"attrKey":"good"}]}`, "attrValue is missing", "缺少 attrValue"},
		{shadow, `{"method":`, "byte 10: the document ends too early", "第 10 字节"},
		{shadow, deep, "deeper than 5 levels", "超过 5 层"},
		{shadow, `{"method":"update","state":{"reported":{"a":"` + strings.Repeat("x", 17<<10) + `"}},"version":9}`, "more than 16 KB", "超过 16 KB"},
		{shadow, `[1]`, "no JSON object", "不是 JSON 对象"},
	} {
		up := read(tt.topic, tt.payload, dialect.Lenient)
		if up.Fault == nil || !strings.Contains(up.Fault.Sentence, tt.en) || !strings.Contains(up.Fault.SentenceZH, tt.zh) {
			t.Errorf("%.60s: %+v", tt.payload, up.Fault)
		}
	}
}
