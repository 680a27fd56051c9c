package aliyun

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
)

const (
	inform    = "/ota/device/inform/a1NightLamp/lamp01"
	progress  = "/ota/device/progress/a1NightLamp/lamp01"
	older     = "/ota/device/request/a1NightLamp/lamp01"
	firmware  = sys + "thing/ota/firmware/get"
	download  = sys + "thing/file/download"
	md5Text   = "93230c3bde425a9d7984a594ac55ea1e"
	lampQuery = `{"id":"9","version":"1.0","params":{"module":"MCU"}}`
)

func TestUpgradeRequestsAreRead(t *testing.T) {
	ask := func(topic, id string) dialect.Ask { return dialect.Ask{Claim: lamp, Topic: topic, ID: id} }
	for _, tt := range []struct {
		topic, payload string
		want           dialect.Request
	}{
		{inform, `{"id":1,"params":{"version":"1.0.1"}}`, &dialect.VersionReport{Ask: ask(inform, "1"), Module: "default", Version: "1.0.1"}},
		{progress, `{"id":1,"params":{"step":"50","desc":"half","module":"MCU"}}`,
			&dialect.UpgradeProgress{Ask: ask(progress, "1"), Module: "MCU", Percent: 50, Desc: "half", DescZH: "half"}},
		{progress, `{"id":1,"params":{"step":"-2"}}`,
			&dialect.UpgradeProgress{Ask: ask(progress, "1"), Module: "default", Code: "-2", Desc: "the download failed", DescZH: "下载失败"}},
		{progress, `{"id":1,"params":{"step":"-3","desc":"md5"}}`,
			&dialect.UpgradeProgress{Ask: ask(progress, "1"), Module: "default", Code: "-3", Desc: "the verification failed: md5", DescZH: "校验失败：md5"}},
		{firmware, lampQuery, &dialect.UpgradeQuery{Ask: ask(firmware, "9"), Module: "MCU"}},
		{older, `{"id":1,"params":{"version":"1.0.1"}}`, &dialect.UpgradeQuery{Ask: ask(older, "1"), Module: "default", Version: "1.0.1"}},
		{download, `{"id":"1","params":{"fileToken":"t","fileInfo":{"streamId":7,"fileId":1},"fileBlock":{"size":256,"offset":512}}}`,
			&dialect.FileRead{Ask: ask(download, "1"), Stream: 7, File: 1, Token: "t", Size: 256, Offset: 512}},
	} {
		up := read(tt.topic, tt.payload, dialect.Lenient)
		if up.Kind != dialect.Asks || !reflect.DeepEqual(up.Request, tt.want) || len(up.Answers) != 0 || up.Fault != nil {
			t.Errorf("%s: kind %d, %+v, fault %+v, answers %q", tt.payload, up.Kind, up.Request, up.Fault, up.Answers)
		}
	}
}

func TestBadUpgradeRequestsAreExplained(t *testing.T) {
	for _, tt := range []struct{ topic, payload, code, answer string }{
		{inform, `{"id":1,"params":{}}`, "aliyun-ota-version", ""},
		{inform, `hello`, "aliyun-bad-message", ""},
		{progress, `{"id":1,"params":{"step":"fast"}}`, "aliyun-ota-step", ""},
		{progress, `{"id":1,"params":{"step":"1","module":"` + md5Text + md5Text + `x"}}`, "aliyun-ota-module", ""},
		{firmware, `{"id":"9","params":[1]}`, "aliyun-bad-message", firmware + `_reply {"code":460,"data":{},"id":"9","message":"request parameter error","method":"thing.ota.firmware.get","version":"1.0"}`},
		{older, `{`, "aliyun-bad-message", older + ` {"code":500,"message":"none upgrade operation of the device."}`},
		{download, `{"id":"9","params":{}}`, "aliyun-file-request", download + "_reply \x00\x39" + `{"id":"9","code":460,"message":"request parameter error"}`},
		{download, `{"id":"9","params":{"fileInfo":{"streamId":7,"fileId":1},"fileBlock":{"size":131073,"offset":0}}}`, "aliyun-file-request",
			download + "_reply \x00\x39" + `{"id":"9","code":460,"message":"request parameter error"}`},
	} {
		up := read(tt.topic, tt.payload, dialect.Lenient)
		if up.Request != nil || up.Fault == nil || up.Fault.Code != tt.code || up.Fault.Sentence == "" || up.Fault.SentenceZH == "" {
			t.Errorf("%s: %+v, fault %+v", tt.payload, up.Request, up.Fault)
		}
		if got := said(up.Answers); got != tt.answer {
			t.Errorf("%s: answered %q, want %q", tt.payload, got, tt.answer)
		}
	}
}

// said is downlinks in one line.
func said(all []dialect.Downlink) (s string) {
	for _, d := range all {
		s += fmt.Sprintf("%s %s", d.Topic, d.Payload)
	}
	return s
}

func TestUpgradeAnswers(t *testing.T) {
	u := &dialect.Upgrade{
		Task: 1507707025, Module: "MCU", Version: "2.0.0", Method: dialect.MD5,
		Files: []dialect.UpgradeFile{{Size: 432945, URL: "https://host/path", MD5: md5Text, SHA256: md5Text + md5Text}},
	}
	sha := *u
	sha.Method, sha.OverMQTT = dialect.SHA256, true
	data := `{"size":432945,"version":"2.0.0","isDiff":0,"url":"https://host/path","md5":"` + md5Text + `","sign":"` + md5Text + `","signMethod":"Md5","module":"MCU"}`
	get := read(firmware, lampQuery, dialect.Lenient).Request
	old := read(older, `{"id":1,"params":{"version":"1.0.1"}}`, dialect.Lenient).Request
	block := read(download, `{"id":"123","params":{"fileInfo":{"streamId":7,"fileId":1},"fileBlock":{"size":256,"offset":0}}}`, dialect.Lenient).Request
	deaf := read(firmware, `{"id":"9","sys":{"ack":0},"params":{}}`, dialect.Lenient).Request
	for _, tt := range []struct {
		name string
		got  []dialect.Downlink
		want string
	}{
		{"push", Dialect{}.Upgrade(lamp, u), `/ota/device/upgrade/a1NightLamp/lamp01 {"code":"1000","data":` + data + `,"id":1507707025,"message":"success"}`},
		{"push over MQTT with SHA256", Dialect{}.Upgrade(lamp, &sha), `/ota/device/upgrade/a1NightLamp/lamp01 {"code":"1000","data":{"size":432945,"version":"2.0.0","isDiff":0,"dProtocol":"mqtt","streamId":1507707025,"streamFileId":1,"md5":"` +
			md5Text + `","sign":"` + md5Text + md5Text + `","signMethod":"SHA256","module":"MCU"},"id":1507707025,"message":"success"}`},
		{"get", Dialect{}.Answer(get, u, nil), firmware + `_reply {"code":200,"data":` + data + `,"id":"9","message":"success","method":"thing.ota.firmware.get","version":"1.0"}`},
		{"get, nothing", Dialect{}.Answer(get, (*dialect.Upgrade)(nil), nil), firmware + `_reply {"code":200,"data":{},"id":"9","message":"success","method":"thing.ota.firmware.get","version":"1.0"}`},
		{"get, failed", Dialect{}.Answer(get, nil, fault.NotFound("gone")), firmware + `_reply {"code":500,"data":{},"id":"9","message":"server error","method":"thing.ota.firmware.get","version":"1.0"}`},
		{"get, no answer wanted", Dialect{}.Answer(deaf, u, nil), ""},
		{"older", Dialect{}.Answer(old, u, nil), older + ` {"code":"1000","data":` + data + `,"id":1,"message":"success"}`},
		{"older, nothing", Dialect{}.Answer(old, (*dialect.Upgrade)(nil), nil), older + ` {"code":500,"message":"none upgrade operation of the device."}`},
		{"block", Dialect{}.Answer(block, dialect.Block{Data: []byte("123456789"), Length: 9, Token: "t"}, nil),
			download + "_reply \x00\x55" + `{"id":"123","code":200,"data":{"bSize":9,"bOffset":0,"fileLength":9,"fileToken":"t"}}` + "123456789\x3D\xBB"},
		{"no such file", Dialect{}.Answer(block, nil, fault.NotFound("no")), download + "_reply \x00\x32" + `{"id":"123","code":404,"message":"file not found"}`},
		{"a bad offset", Dialect{}.Answer(block, nil, fault.Invalid("no")), download + "_reply \x00\x3b" + `{"id":"123","code":460,"message":"request parameter error"}`},
		{"too fast", Dialect{}.Answer(block, nil, fault.Exhausted("no")), download + "_reply \x00\x35" + `{"id":"123","code":429,"message":"too many requests"}`},
		{"broken", Dialect{}.Answer(block, nil, fmt.Errorf("disk")), download + "_reply \x00\x30" + `{"id":"123","code":500,"message":"server error"}`},
		{"inform is not answered", Dialect{}.Answer(read(inform, `{"id":1,"params":{"version":"1"}}`, dialect.Lenient).Request, nil, nil), ""},
	} {
		if got := said(tt.got); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
}
