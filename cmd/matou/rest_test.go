package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	nightLamp  = `{"key":"a1NightLamp","name":"Night light","dialect":"aliyun","strictness":"lenient","modelVersion":2,"devices":3,"createdAt":"2026-01-02T03:04:05.678Z","updatedAt":"2026-01-03T03:04:05.000Z"}`
	sensor     = `{"key":"VRqhDHF2wL","name":"传感器","desc":"old","dialect":"onenet","strictness":"open","modelVersion":0,"devices":0,"createdAt":"2026-01-02T03:04:05.678Z","updatedAt":"2026-01-02T03:04:05.678Z"}`
	lamp01     = `{"product":"a1NightLamp","name":"lamp01","nickname":"hall","enabled":true,"tags":{"floor":"3","new":""},"state":"ONLINE","since":"2026-01-02T03:04:05.678Z","createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-01T00:00:00.000Z"}`
	lamp02     = `{"product":"a1NightLamp","name":"lamp02","enabled":false,"state":"DISABLED","createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-01T00:00:00.000Z"}`
	lampMade   = `{"product":"a1NightLamp","name":"lamp01","enabled":true,"state":"INACTIVE","secret":"Zk3Q","createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-01T00:00:00.000Z"}`
	lampMade2  = `{"product":"a1NightLamp","name":"lamp02","enabled":true,"state":"INACTIVE","secret":"Yj2P","createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-01T00:00:00.000Z"}`
	done       = `{"id":"71","kind":"set","state":"acknowledged","code":200,"input":{"NightLightSwitch":1},"output":{},"sentAt":"2026-01-02T03:04:05.000Z","doneAt":"2026-01-02T03:04:05.052Z"}`
	refused    = `{"id":"72","kind":"invoke","service":"Blink","state":"failed","code":5092,"message":"too often","input":{"times":3},"output":{"left":"9s"},"sentAt":"2026-01-02T03:04:06.000Z","doneAt":"2026-01-02T03:04:06.100Z"}`
	queued     = `{"id":"73","kind":"set","state":"queued","input":{"Mode":"eco"},"sentAt":"2026-01-02T03:04:07.000Z"}`
	march      = `{"product":"a1NightLamp","name":"march","note":"first run","createdAt":"2026-01-02T03:04:05.678Z","devices":500,"registered":3,"activated":2,"disabled":1}`
	got        = `{"id":"74","kind":"get","state":"acknowledged","code":200,"message":"success","input":["wendu","Power"],"output":{"wendu":21.5,"Power":true},"sentAt":"2026-01-02T03:04:05.000Z","doneAt":"2026-01-02T03:04:05.052Z"}`
	obeyed     = `{"id":"75","kind":"command","state":"acknowledged","code":200,"input":"relay on","output":"done","sentAt":"2026-01-02T03:04:05.000Z","doneAt":"2026-01-02T03:04:05.052Z"}`
	wanted     = `{"version":4,"updatedAt":"2026-01-02T03:04:05.000Z","desired":{"color":{"value":"green","time":"2026-01-02T03:04:05.000Z"}},"reported":{"color":{"value":"red","time":"2026-01-02T03:04:00.000Z"},"n":{"value":1,"time":"2026-01-02T03:04:00.000Z"}},"delta":{"color":"green"}}`
	mei        = `{"name":"mei","role":"viewer","passwordChosen":true,"enabled":true,"createdAt":"2026-01-02T03:04:05.678Z","updatedAt":"2026-01-03T03:04:05.678Z"}`
	readToken  = `{"id":"7Q2M","name":"the dashboard","role":"viewer","owner":"admin","createdAt":"2026-01-02T03:04:05.678Z","expiresAt":"2026-02-02T03:04:05.678Z"}`
	houseToken = `{"id":"1","name":"command line on this machine","role":"administrator","createdAt":"2026-01-01T00:00:00.000Z","lastUsed":"2026-01-02T03:04:00.000Z"}`
	refusal4   = `{"state":"INACTIVE","refusals":3,"lastRefusal":{"at":"2026-01-02T03:04:05.678Z","addr":"192.0.2.7","code":"aliyun-wrong-method","field":"password","sentence":"the password was signed with hmacsha256, but signmethod says hmacsha1","sentenceZh":"密码用 hmacsha256 计算，而 signmethod 写的是 hmacsha1","advice":"say signmethod=hmacsha256","adviceZh":"写 signmethod=hmacsha256","expected":"aa","received":"bb","returnCode":4,"count":3}}`
	online     = `{"state":"ONLINE","since":"2026-01-02T03:04:05.678Z","activatedAt":"2026-01-01T00:00:00.000Z","lastAddr":"192.0.2.7:40000","clientId":"lamp01|securemode=3|","protocol":"MQTT 3.1.1","refusals":0}`
	timeline3  = `{"items":[
{"id":3,"at":"2026-01-02T03:04:07.000Z","kind":"uplink","direction":"up","topic":"/sys/a1NightLamp/lamp01/thing/event/property/post","qos":1,"size":400,"payload":"eyJpZCI6IjEifQ=="},
{"id":2,"at":"2026-01-02T03:04:06.000Z","kind":"refuse","code":"aliyun-wrong-method","sentence":"the password was signed with hmacsha256, but signmethod says hmacsha1","sentenceZh":"密码用 hmacsha256 计算"},
{"id":1,"at":"2026-01-02T03:04:05.000Z","kind":"fault","code":"malformed","packet":"EAE="}]}`
)

const (
	lampShadow  = `{"version":3,"updatedAt":"2026-01-02T03:04:05.678Z","reported":{"color":{"value":"red","time":"2026-01-02T03:04:05.678Z"}},"desired":{"blink":{"value":{"times":3},"time":"2026-01-02T03:04:05.678Z"},"color":{"value":"green","time":"2026-01-02T03:04:06.678Z"}}}`
	lampDesired = `{"items":[{"property":"Mode","value":"eco","version":4,"time":"2026-01-02T03:04:05.678Z","reported":"dim","matches":false},{"property":"NightLightSwitch","value":1,"version":1,"time":"2026-01-02T03:04:05.678Z","reported":1,"matches":true}]}`
	configTwo   = `{"configId":"1bbf","product":"a1NightLamp","version":2,"size":15,"sha256":"4f0a","createdAt":"2026-01-02T03:04:05.678Z"}`
)

func list(items ...string) http.HandlerFunc {
	return answer(200, `{"items":[`+strings.Join(items, ",")+`]}`)
}

func TestRestGolden(t *testing.T) {
	lampPath := "/products/a1NightLamp/devices/lamp01"
	for _, tt := range []struct {
		name  string
		args  []string
		stdin string
		route string
		h     http.HandlerFunc
	}{
		{"product-list", with("product list"), "", "GET /products", list(nightLamp, sensor)},
		{"product-list-json", with("product list lamp --limit 1 --json"), "", "GET /products", answer(200, `{"items":[`+nightLamp+`],"next":"c1"}`)},
		{"product-list-more", with("product list --limit 1"), "", "GET /products", answer(200, `{"items":[`+nightLamp+`],"next":"c1"}`)},
		{"product-list-empty", with("product list"), "", "GET /products", list()},
		{"product-add", append(with("product add --dialect aliyun --key a1NightLamp"), "Night light"), "", "POST /products", answer(201, strings.Replace(nightLamp, `"name"`, `"secret":"s3","name"`, 1))},
		{"product-add-no-dialect", with("product add Lamp"), "", "", nil},
		{"product-add-taken", with("product add --dialect mqtt --key p1"), "", "POST /products", problem(409, "there is a product p1", `{"location":"body.key","message":"there is a product p1"}`)},
		{"product-show-secrets", with("product show VRqhDHF2wL --secrets"), "", "GET /products/VRqhDHF2wL", answer(200, sensor)},
		{"product-show-json", with("product show VRqhDHF2wL --json"), "", "GET /products/VRqhDHF2wL", answer(200, `{"key":"VRqhDHF2wL","later":{"a":"<b>"}}`)},
		{"status", with("status"), "", "GET /status", answer(200, `{"version":"1","started":"2025-03-01T12:00:00Z","uptime":3725,"devices":4,"online":2,"memoryBytes":104857600,"goroutines":40,"broker":{"connections":3,"clients":2,"connects":9,"refused":1,"messagesIn":70,"messagesOut":60,"sessions":5,"subscriptions":6}}`)},
		{"product-show-missing", with("product show p9"), "", "GET /products/p9", problem(404, "there is no product p9")},
		{"product-set", with("product set a1NightLamp --strictness open --desc="), "", "PATCH /products/a1NightLamp", answer(200, nightLamp)},
		{"product-set-nothing", with("product set a1NightLamp"), "", "", nil},
		{"product-set-bad-strictness", with("product set a1NightLamp --strictness soft"), "", "", nil},
		{"product-remove", with("product remove a1NightLamp --force --yes"), "", "DELETE /products/a1NightLamp", answer(204, "")},
		{"product-remove-unasked", with("product remove a1NightLamp"), "y\n", "", nil},
		{"product-reset-secret", with("product reset-secret VRqhDHF2wL --json"), "", "POST /products/VRqhDHF2wL/secret", answer(200, `{"key":"VRqhDHF2wL","secret":"n3w"}`)},

		{"product-script-set", with("product script set a1RawMeter -"), "function rawDataToProtocol(b) { return {} }", "PUT /products/a1RawMeter/script", answer(200, `{"product":"a1RawMeter","functions":["rawDataToProtocol"],"version":2,"bytes":44,"updatedAt":"2026-01-02T03:04:05Z"}`)},
		{"product-script-refused", with("product script set a1RawMeter -"), "function (", "PUT /products/a1RawMeter/script", problem(400, "the script cannot be compiled: Unexpected token ( (line 1, column 10)")},
		{"product-script-show", with("product script show a1RawMeter"), "", "GET /products/a1RawMeter/script", answer(200, `{"product":"a1RawMeter","functions":["rawDataToProtocol"],"version":2,"bytes":12,"source":"function x()\n","updatedAt":"2026-01-02T03:04:05Z"}`)},
		{"product-script-remove", with("product script remove a1RawMeter --yes"), "", "DELETE /products/a1RawMeter/script", answer(204, "")},
		{"product-script-test", with("product script test a1RawMeter 00 223344"), "", "", nil},
		{"product-script-test-bytes", append(with("product script test a1RawMeter"), "00 2233 44"), "", "POST /products/a1RawMeter/script/test", answer(200, `{"ok":true,"function":"rawDataToProtocol","message":{"id":"1"},"log":["frame 0"],"cpu":"210µs"}`)},
		{"product-script-test-message", append(with("product script test a1RawMeter --message"), `{"id":"1"}`), "", "POST /products/a1RawMeter/script/test", answer(200, `{"ok":true,"function":"protocolToRawData","base64":"AQ8=","cpu":"210µs"}`)},
		{"product-script-test-failed", with("product script test a1RawMeter 00 --lang zh"), "", "POST /products/a1RawMeter/script/test", answer(200, `{"ok":false,"function":"rawDataToProtocol","cpu":"100ms","error":{"kind":"script-out-of-time","code":26002,"sentence":"too long","sentenceZh":"太久","advice":"mend","adviceZh":"修复"}}`)},
		{"product-script-test-no-hex", with("product script test a1RawMeter xyz"), "", "", nil},
		{"product-topic-list", with("product topic list a1NightLamp"), "", "GET /products/a1NightLamp/topics", list(`{"path":"user/alarm","permission":"publish","desc":"alarms"}`, `{"path":"user/get","permission":"subscribe","usual":true}`)},
		{"product-topic-add", with("product topic add a1NightLamp user/cmd/+ subscribe --json"), "", "POST /products/a1NightLamp/topics", answer(200, `{"path":"user/cmd/+","permission":"subscribe"}`)},
		{"product-topic-remove", with("product topic remove a1NightLamp user/alarm --yes"), "", "DELETE /products/a1NightLamp/topics", answer(204, "")},
		{"product-broadcast", with("product broadcast a1NightLamp hello"), "", "POST /products/a1NightLamp/broadcast", answer(200, `{"id":"1","topic":"/sys/a1NightLamp/+/broadcast/request/1","reached":1,"missed":2}`)},
		{"device-rrpc", with("device rrpc a1NightLamp/lamp01 ping --timeout 8s"), "", "POST " + lampPath + "/rrpc", answer(200, `{"id":"838021939200000064","code":"SUCCESS","topic":"t","text":"pong","base64":"cG9uZw==","tookMs":12}`)},
		{"device-rrpc-bytes", with("device rrpc a1NightLamp/lamp01 --hex 01ff"), "", "POST " + lampPath + "/rrpc", answer(200, `{"id":"838021939200000064","code":"SUCCESS","topic":"t","base64":"AP8=","tookMs":12}`)},
		{"device-rrpc-offline", with("device rrpc a1NightLamp/lamp01 ping --json"), "", "POST " + lampPath + "/rrpc", answer(200, `{"id":"1","code":"OFFLINE","topic":"t","base64":"","tookMs":0}`)},

		{"model-import", with("model import a1NightLamp - --format aliyun"), "\xEF\xBB\xBF{\"schema\":\n1}", "PUT /products/a1NightLamp/model", answer(200, `{"version":3,"format":"aliyun","properties":3,"events":1,"services":0}`)},
		{"model-import-no-json", with("model import a1NightLamp testdata/publish.bin"), "", "", nil},
		{"model-import-no-file", with("model import a1NightLamp testdata/none.json"), "", "", nil},
		{"model-import-refused", with("model import a1NightLamp -"), "{}", "PUT /products/a1NightLamp/model", problem(400, "the model cannot be read: properties are missing")},
		{"model-export", with("model export a1NightLamp --format onenet"), "", "GET /products/a1NightLamp/model", answer(200, "{\n  \"properties\": [ ]\n}")},

		{"device-list", with("device list"), "", "GET /devices", list(lamp01, lamp02)},
		{"device-list-filtered-json", with("device list a1NightLamp --text lamp --tag floor=3 --state online --json"), "", "GET /products/a1NightLamp/devices", list(lamp01)},
		{"device-list-bad-limit", with("device list --limit=-1"), "", "", nil},
		{"device-add", with("device add a1NightLamp lamp01 --secret Zk3Q --nickname hall --tag floor=3 --tag new"), "", "POST /products/a1NightLamp/devices", answer(201, lampMade)},
		{"device-add-unnamed-json", with("device add a1NightLamp --json"), "", "POST /products/a1NightLamp/devices", answer(201, lampMade)},
		{"device-add-many", with("device add a1NightLamp lamp01 lamp02 --tag a=b=c"), "", "POST /products/a1NightLamp/devices/batch", answer(201, `{"items":[`+lampMade+`,`+lampMade2+`]}`)},
		{"device-add-many-one-secret", with("device add a1NightLamp lamp01 lamp02 --secret x"), "", "", nil},
		{"device-add-many-refused", with("device add a1NightLamp lamp01 l lamp02"), "", "POST /products/a1NightLamp/devices/batch", problem(400, "2 of 3 devices cannot be made; none was", `{"location":"body.devices[0]","message":"there is a device lamp01"}`, `{"location":"body.devices[1]","message":"the name is too short"}`)},
		{"device-show", with("device show a1NightLamp/lamp01"), "", "GET " + lampPath, answer(200, lamp01)},
		{"device-show-odd-name", with("device show p/a%b@:.c --secrets"), "", "GET /products/p/devices/a%25b@:.c", answer(200, `{"product":"p","name":"a%b@:.c","nickname":"\u001b[31mred\u202e"}`)},
		{"device-show-no-device", with("device show a1NightLamp"), "", "", nil},
		{"device-show-dots", with("device show a1NightLamp/.."), "", "", nil},
		{"device-remove", with("device remove a1NightLamp/lamp01 -y --json"), "", "DELETE " + lampPath, answer(204, "")},
		{"device-enable", with("device enable a1NightLamp/lamp01 --json"), "", "PATCH " + lampPath, answer(200, lamp01)},
		{"device-disable", with("device disable a1NightLamp/lamp02"), "", "PATCH /products/a1NightLamp/devices/lamp02", answer(200, lamp02)},
		{"device-reset-secret", with("device reset-secret a1NightLamp/lamp01 --secret Zk3Q"), "", "POST " + lampPath + "/secret", answer(200, lampMade)},
		{"device-import", with("device import a1NightLamp -"), "name,secret\nlamp01,Zk3Q\n", "POST /products/a1NightLamp/devices.csv", answer(201, `{"created":1}`)},
		{"device-export", with("device export a1NightLamp"), "", "GET /products/a1NightLamp/devices.csv", answer(200, "name,secret\nlamp01,Zk3Q\n")},
		{"device-export-json", with("device export a1NightLamp --json"), "", "GET /products/a1NightLamp/devices", list(lampMade)},
		{"device-credentials", with("device credentials a1NightLamp/lamp01 --host iot.example.com --port 8883 --tls"), "", "GET " + lampPath + "/credentials", list(
			`{"method":"hmacmd5","clientId":"x|securemode=2|","username":"lamp01&a1NightLamp","password":"aa","host":"iot.example.com","port":8883,"connect":"1002c000","length":4}`,
			`{"method":"hmacsha1","clientId":"y|securemode=2|","username":"lamp01&a1NightLamp","password":"bb","host":"iot.example.com","port":8883,"connect":"1002d000","length":4}`)},
		{"device-credentials-json", with("device credentials a1NightLamp/lamp01 --method hmacmd5 --client-id me --timestamp 789 --json"), "", "GET " + lampPath + "/credentials", list(`{"method":"hmacmd5"}`)},
		{"device-credentials-bad-port", with("device credentials a1NightLamp/lamp01 --port 70000"), "", "", nil},

		{"device-show-sub", with("device show a1SubSensor/sub_1"), "", "GET /products/a1SubSensor/devices/sub_1", answer(200, `{"product":"a1SubSensor","name":"sub_1","state":"ONLINE","enabled":true,"gateway":{"product":"a1Gateway","device":"gate1"}}`)},
		{"device-sub-list", with("device sub list a1Gateway/gate1"), "", "GET /products/a1Gateway/devices/gate1/subs", list(
			`{"product":"a1SubSensor","device":"sub_1","state":"ONLINE","since":"2026-01-02T03:04:05.678Z","added":"2026-01-01T00:00:00Z"}`,
			`{"product":"a1SubSensor","device":"sub_2","state":"INACTIVE","added":"2026-01-01T00:00:00Z"}`)},
		{"device-sub-list-none", with("device sub list a1Gateway/gate1"), "", "GET /products/a1Gateway/devices/gate1/subs", list()},
		{"device-sub-list-json", with("device sub list a1Gateway/gate1 --json"), "", "GET /products/a1Gateway/devices/gate1/subs", list(`{"product":"a1SubSensor","device":"sub_1","state":"ONLINE"}`)},
		{"device-sub-add", with("device sub add a1Gateway/gate1 a1SubSensor/sub_1 a1SubSensor/sub_2"), "", "POST /products/a1Gateway/devices/gate1/subs", answer(201, `{"items":[{"product":"a1SubSensor","device":"sub_1"}]}`)},
		{"device-sub-add-refused", with("device sub add a1Gateway/gate1 a1Gateway/gate1"), "", "POST /products/a1Gateway/devices/gate1/subs", problem(409, "gateway a1Gateway/gate1 cannot be its own sub-device")},
		{"device-sub-add-nobody", with("device sub add a1Gateway/gate1"), "", "", nil},
		{"device-sub-ask", with("device sub add a1Gateway/gate1 a1SubSensor/sub_1 --ask"), "", "POST /products/a1Gateway/devices/gate1/subs-ask", answer(200, `{"outcome":"delivered"}`)},
		{"device-sub-remove", with("device sub remove a1Gateway/gate1 a1SubSensor/sub_1 --yes --json"), "", "DELETE /products/a1Gateway/devices/gate1/subs/a1SubSensor/sub_1", answer(204, "")},
		{"device-sub-found", with("device sub found a1Gateway/gate1"), "", "GET /products/a1Gateway/devices/gate1/subs-found", list(`{"product":"a1SubSensor","device":"sub_9","at":"2026-01-02T03:04:05.678Z"}`)},
		{"device-sub-permit", with("device sub permit a1Gateway/gate1 --product a1SubSensor --for 5m"), "", "POST /products/a1Gateway/devices/gate1/subs-permit", answer(200, `{"outcome":"delivered"}`)},
		{"device-sub-permit-too-long", with("device sub permit a1Gateway/gate1 --for 2h"), "", "", nil},

		{"device-status", with("device status a1NightLamp/lamp01"), "", "GET " + lampPath + "/status", answer(200, online)},
		{"device-status-refused", with("device status a1NightLamp/lamp01"), "", "GET " + lampPath + "/status", answer(200, refusal4)},
		{"device-status-refused-zh", with("device status a1NightLamp/lamp01 --lang zh"), "", "GET " + lampPath + "/status", answer(200, refusal4)},
		{"device-status-json", with("device status a1NightLamp/lamp01 --json"), "", "GET " + lampPath + "/status", answer(200, online)},
		{"device-network", with("device network a1NightLamp/lamp01"), "", "GET " + lampPath + "/network", answer(200, `{"at":"2026-01-02T03:04:05.678Z","report":{"p":{"wifi":{"rssi":-57,"err_stats":"10,02,01"}}}}`)},
		{"device-latest", with("device latest a1NightLamp/lamp01"), "", "GET " + lampPath + "/properties", list(
			`{"property":"CurrentTemperature","name":"温度","unit":"°C","value":23.5,"time":"2026-01-02T03:04:05.678Z"}`,
			`{"property":"Mode","value":"eco","time":"2026-01-02T03:04:05.678Z"}`,
			`{"property":"NightLightSwitch","name":"夜灯开关","value":null}`)},
		{"device-history", with("device history a1NightLamp/lamp01 Temp --from 2026-01-02 --to 2026-01-02T12:00:00Z --limit 2"), "", "GET " + lampPath + "/properties/Temp/history", answer(200,
			`{"items":[{"time":"2026-01-02T03:04:05.678Z","value":23.5,"record":44801},{"time":"2026-01-02T03:04:00.000Z","value":"\u001b[2Jhot","record":44544}],"next":"c"}`)},
		{"device-history-csv", with("device history a1NightLamp/lamp01 Temp --csv --order asc"), "", "GET " + lampPath + "/properties/Temp/history", answer(200,
			`{"items":[{"time":"2026-01-02T03:04:05.678Z","value":12345678901234567890},{"time":"2026-01-02T03:04:06.000Z","value":{"a":1,"b":"x"}}]}`)},
		{"device-history-points", with("device history a1NightLamp/lamp01 Temp --points 2"), "", "GET " + lampPath + "/properties/Temp/history", answer(200,
			`{"buckets":[{"start":"2026-01-02T03:00:00Z","min":1,"avg":1.5,"max":2,"last":2,"count":2},{"start":"2026-01-02T04:00:00Z","min":null,"avg":null,"max":null,"last":0,"count":0}]}`)},
		{"device-history-step-csv", with("device history a1NightLamp/lamp01 Temp --step 1d --csv"), "", "GET " + lampPath + "/properties/Temp/history", answer(200,
			`{"buckets":[{"start":"2026-01-02T03:00:00Z","min":1,"avg":1.5,"max":2,"last":2,"count":2}]}`)},
		{"device-history-points-json-empty", with("device history a1NightLamp/lamp01 Temp --points 2 --json"), "", "GET " + lampPath + "/properties/Temp/history", answer(200, `{}`)},
		{"device-history-two-forms", with("device history a1NightLamp/lamp01 Temp --csv --json"), "", "", nil},
		{"device-history-two-sums", with("device history a1NightLamp/lamp01 Temp --points 2 --step 1m"), "", "", nil},
		{"device-history-bad-from", with("device history a1NightLamp/lamp01 Temp --from yesterday"), "", "", nil},
		{"device-events", with("device events a1NightLamp/lamp01"), "", "GET " + lampPath + "/events", list(
			`{"event":"Overheat","level":"alert","output":{"Temp":90},"time":"2026-01-02T03:04:05.678Z","record":44802}`,
			`{"event":"Hello","level":"info","output":null,"time":"2026-01-02T03:04:05.000Z","record":44545}`)},
		{"device-events-some", with("device events a1NightLamp/lamp01 --event Overheat --level alert,error --order asc"), "", "GET " + lampPath + "/events", list(
			`{"event":"Overheat","level":"alert","output":{"Temp":90},"time":"2026-01-02T03:04:05.678Z","record":44802}`)},
		{"device-events-bad-level", with("device events a1NightLamp/lamp01 --level fatal"), "", "", nil},
		{"device-commands", with("device commands a1NightLamp/lamp01 --order asc"), "", "GET " + lampPath + "/commands", list(done, refused, queued)},
		{"device-set", with("device set a1NightLamp/lamp01 NightLightSwitch=1 Mode=eco Big=12345678901234567890 --wait 5s"), "", "POST " + lampPath + "/properties", answer(200, done)},
		{"device-set-flag-first", with("device set a1NightLamp/lamp01 --wait 5s NightLightSwitch=1 --json"), "", "POST " + lampPath + "/properties", answer(200, done)},
		{"device-set-queued", with("device set a1NightLamp/lamp01 Mode=eco"), "", "POST " + lampPath + "/properties", answer(200, queued)},
		{"device-set-queued-waited", with("device set a1NightLamp/lamp01 Mode=eco --wait 1 --json"), "", "POST " + lampPath + "/properties", answer(200, queued)},
		{"device-set-at-once", with("device set a1NightLamp/lamp01 NightLightSwitch=1"), "", "POST " + lampPath + "/properties", answer(200, strings.Replace(done, "05.052Z", "05.000Z", 1))},
		{"device-set-nothing", with("device set a1NightLamp/lamp01 Mode"), "", "", nil},
		{"device-set-twice", with("device set a1NightLamp/lamp01 Mode=1 Mode=2"), "", "", nil},
		{"device-invoke", with("device invoke a1NightLamp/lamp01 Blink times=3 colour=red"), "", "POST " + lampPath + "/services/Blink", answer(200, refused)},
		{"device-invoke-plain-json", with("device invoke a1NightLamp/lamp01 Blink --json"), "", "POST " + lampPath + "/services/Blink", answer(200, refused)},
		{"device-shadow", with("device shadow a1NightLamp/lamp01"), "", "GET " + lampPath + "/shadow", answer(200, lampShadow)},
		{"device-shadow-empty", with("device shadow a1NightLamp/lamp01"), "", "GET " + lampPath + "/shadow", answer(200, `{"version":0,"reported":{},"desired":{}}`)},
		{"device-shadow-set", with("device shadow a1NightLamp/lamp01 --set color=green --set blink={\"times\":3} --version 9"), "", "PATCH " + lampPath + "/shadow/desired", answer(200, strings.Replace(lampShadow, "{", `{"told":"delivered",`, 1))},
		{"device-shadow-replace-json", with("device shadow a1NightLamp/lamp01 --replace --json"), "", "PUT " + lampPath + "/shadow/desired", answer(200, `{"version":4}`)},
		{"device-shadow-forget", with("device shadow a1NightLamp/lamp01 --forget"), "", "DELETE " + lampPath + "/shadow", answer(204, "")},
		{"device-shadow-forget-and-set", with("device shadow a1NightLamp/lamp01 --forget --set a=1"), "", "", nil},
		{"device-shadow-version-alone", with("device shadow a1NightLamp/lamp01 --version 3"), "", "", nil},
		{"device-shadow-old", with("device shadow a1NightLamp/lamp01 --set a=1 --version 2"), "", "PATCH " + lampPath + "/shadow/desired", problem(409, "the shadow has version 3; a message with version 2 is older and was not taken", `{"location":"body.version","message":"the shadow has version 3; a message with version 2 is older and was not taken"}`)},
		{"device-desired-get", with("device desired get a1NightLamp/lamp01"), "", "GET " + lampPath + "/desired", answer(200, lampDesired)},
		{"device-desired-none", with("device desired get a1NightLamp/lamp01"), "", "GET " + lampPath + "/desired", list()},
		{"device-desired-set", with("device desired set a1NightLamp/lamp01 Mode=eco NightLightSwitch=1 --version Mode=3"), "", "POST " + lampPath + "/desired", answer(200, strings.Replace(lampDesired, "{", `{"told":"offline",`, 1))},
		{"device-desired-set-not-told-json", with("device desired set a1NightLamp/lamp01 Mode=null --json"), "", "POST " + lampPath + "/desired", answer(200, `{"items":[],"told":"queue full","why":"the queue is full"}`)},
		{"device-desired-set-bad-version", with("device desired set a1NightLamp/lamp01 Mode=eco --version Mode=new"), "", "", nil},
		{"device-desired-clear", with("device desired clear a1NightLamp/lamp01 Mode NightLightSwitch"), "", "DELETE " + lampPath + "/desired", answer(204, "")},
		{"device-tag", with("device tag a1NightLamp/lamp01 floor=3 new --remove room"), "", "PATCH " + lampPath + "/tags", answer(200, strings.Replace(lamp01, `"tags"`, `"systemTags":{"SYS_SDK_LANGUAGE":"C"},"tags"`, 1))},
		{"device-tag-nothing", with("device tag a1NightLamp/lamp01"), "", "", nil},
		{"device-log", with("device log a1NightLamp/lamp01"), "", "GET " + lampPath + "/log", answer(200, `{"on":false}`)},
		{"device-log-on", with("device log a1NightLamp/lamp01 on"), "", "PUT " + lampPath + "/log", answer(200, `{"on":true,"told":"delivered"}`)},
		{"device-log-bad", with("device log a1NightLamp/lamp01 loud"), "", "", nil},
		{"product-config-show", with("product config show a1NightLamp"), "", "GET /products/a1NightLamp/config", answer(200, `{"on":true,"items":[`+configTwo+`]}`)},
		{"product-config-none", with("product config show a1NightLamp"), "", "GET /products/a1NightLamp/config", answer(200, `{"on":false,"items":[]}`)},
		{"product-config-print", with("product config print a1NightLamp --version 2"), "", "GET /products/a1NightLamp/config/content", answer(200, `{"interval":60}`)},
		{"product-config-upload", with("product config upload a1NightLamp -"), `{"interval":60}`, "PUT /products/a1NightLamp/config", answer(201, configTwo)},
		{"product-config-upload-no-json", with("product config upload a1NightLamp -"), `interval=60`, "", nil},
		{"product-config-push", with("product config push a1NightLamp"), "", "POST /products/a1NightLamp/config/push", answer(200, `{"configId":"1bbf","told":2,"queued":1,"missed":0}`)},
		{"product-config-push-one-json", with("product config push a1NightLamp lamp01 --json"), "", "POST /products/a1NightLamp/config/push", answer(200, `{"configId":"1bbf","told":1,"queued":0,"missed":0}`)},
		{"product-config-status", with("product config status a1NightLamp"), "", "GET /products/a1NightLamp/config/deliveries", list(
			`{"device":"lamp01","configId":"1bbf","state":"taken","code":200,"message":"success","pushedAt":"2026-01-02T03:04:05.678Z"}`,
			`{"device":"lamp02","configId":"1bbf","state":"pushed","pushedAt":"2026-01-02T03:04:05.678Z"}`)},
		{"device-file-list", with("device file list a1NightLamp/lamp01"), "", "GET /products/a1NightLamp/devices/lamp01/files", list(
			`{"product":"a1NightLamp","device":"lamp01","name":"a.log","size":1536,"sha256":"4f0a","crc64":"01","arrivedAt":"2026-01-02T03:04:05.678Z"}`)},
		{"device-file-list-json", with("device file list a1NightLamp/lamp01 --json"), "", "GET /products/a1NightLamp/devices/lamp01/files", list()},
		{"device-file-list-none", with("device file list a1NightLamp/lamp01"), "", "GET /products/a1NightLamp/devices/lamp01/files", list()},
		{"device-file-remove", with("device file remove a1NightLamp/lamp01 a.log --yes"), "", "DELETE /products/a1NightLamp/devices/lamp01/files/a.log", answer(204, "")},
		{"device-file-remove-json", with("device file remove a1NightLamp/lamp01 a.log --yes --json"), "", "DELETE /products/a1NightLamp/devices/lamp01/files/a.log", answer(204, "")},
		{"device-file-remove-unasked", with("device file remove a1NightLamp/lamp01 a.log"), "", "", nil},
		{"product-config-on", with("product config on a1NightLamp"), "", "PATCH /products/a1NightLamp/config", answer(200, `{"on":true,"items":[]}`)},
		{"product-config-off", with("product config off a1NightLamp"), "", "PATCH /products/a1NightLamp/config", answer(200, `{"on":false,"items":[]}`)},
		{"device-get", with("device get VRqhDHF2wL/my_tv wendu Power"), "", "POST /products/VRqhDHF2wL/devices/my_tv/properties/get", answer(200, got)},
		{"device-get-nothing", with("device get VRqhDHF2wL/my_tv"), "", "", nil},
		{"device-command", append(with("device command 238322/logger --timeout 5s --wait 6s"), "relay on"), "", "POST /products/238322/devices/logger/commands", answer(200, obeyed)},
		{"device-command-hex", with("device command 238322/logger --hex 01:ff"), "", "", nil},
		{"device-command-bytes-json", append(with("device command 238322/logger --json --hex"), "01 ff"), "", "POST /products/238322/devices/logger/commands", answer(200, obeyed)},
		{"device-command-two", with("device command 238322/logger on --hex 01"), "", "", nil},
		{"device-raw", with("device raw VRqhDHF2wL/my_tv --hex 01ff"), "", "POST /products/VRqhDHF2wL/devices/my_tv/raw", answer(200, strings.Replace(obeyed, "command", "raw", 1))},
		{"device-image", with("device image 238322/logger"), "", "GET /products/238322/devices/logger/image", answer(200, wanted)},
		{"device-image-none", with("device image 238322/logger"), "", "GET /products/238322/devices/logger/image", answer(200, `{"version":0,"desired":{},"reported":{},"delta":{}}`)},
		{"device-image-set", with("device image 238322/logger --set color=green --set n=null --reported x=1"), "", "PATCH /products/238322/devices/logger/image", answer(200, strings.Replace(wanted, `{"version"`, `{"told":"delivered","version"`, 1))},
		{"device-image-forget", with("device image 238322/logger --forget --json"), "", "DELETE /products/238322/devices/logger/image", answer(204, "")},
		{"device-image-forget-and-set", with("device image 238322/logger --forget --set a=1"), "", "", nil},
		{"product-add-streams", with("product add --dialect onenet --key 238322 --data-model streams Logger"), "", "POST /products", answer(201, strings.Replace(sensor, `"strictness"`, `"dataModel":"streams","strictness"`, 1))},
		{"product-set-data-model", with("product set VRqhDHF2wL --data-model streams"), "", "PATCH /products/VRqhDHF2wL", answer(200, strings.Replace(sensor, `"strictness"`, `"dataModel":"streams","strictness"`, 1))},
		{"device-timeline", with("device timeline a1NightLamp/lamp01 --limit 3"), "", "GET " + lampPath + "/timeline", answer(200, timeline3)},
		{"device-timeline-zh", with("device timeline a1NightLamp/lamp01 --kind refuse --lang zh"), "", "GET " + lampPath + "/timeline", list(`{"id":2,"at":"2026-01-02T03:04:06.000Z","kind":"refuse","code":"c","sentence":"no","sentenceZh":"不行"}`)},
		{"device-timeline-json", with("device timeline a1NightLamp/lamp01 --json"), "", "GET " + lampPath + "/timeline", answer(200, timeline3)},
		{"device-trace-record-unknown", with("device trace a1NightLamp/lamp01 --record 7"), "", "GET " + lampPath + "/records/7", problem(404, "the feed has no record 7 of a1NightLamp/lamp01, or no longer")},
		{"device-trace-record-old", with("device trace a1NightLamp/lamp01 --record 7"), "", "GET " + lampPath + "/records/7", answer(200, `{"record":7,"kind":"property","entry":12,"product":"a1NightLamp","device":"lamp01","kept":false}`)},
		{"device-trace-record-and-id", with("device trace a1NightLamp/lamp01 12 --record 7"), "", "", nil},
		{"device-watch-missing", with("device watch a1NightLamp/lamp09"), "", "GET /products/a1NightLamp/devices/lamp09", problem(404, "product a1NightLamp has no device lamp09")},

		{"product-registration", with("product registration a1NightLamp"), "", "GET /products/a1NightLamp", answer(200, `{"key":"a1NightLamp","registration":{"enabled":false,"free":false,"listed":false,"maxDevices":0}}`)},
		{"product-registration-on", with("product registration a1NightLamp --on --free --no-listed --max 5"), "", "PATCH /products/a1NightLamp/registration", answer(200, `{"key":"a1NightLamp","registration":{"enabled":true,"free":true,"listed":false,"maxDevices":5}}`)},
		{"product-registration-both", with("product registration a1NightLamp --on --off"), "", "", nil},
		{"product-allow", with("product allow a1NightLamp lamp01 --file -"), "lamp02\r\n\n lamp03 \n", "POST /products/a1NightLamp/registration/names", answer(200, `{"changed":3}`)},
		{"product-allow-nobody", with("product allow a1NightLamp"), "", "", nil},
		{"product-disallow", with("product disallow a1NightLamp lamp01 --json"), "", "POST /products/a1NightLamp/registration/names/remove", answer(200, `{"changed":1}`)},
		{"product-allowed", with("product allowed a1NightLamp"), "", "GET /products/a1NightLamp/registration/names", list(`"lamp01"`, `"lamp02"`)},
		{"device-reset", with("device reset a1NightLamp/lamp01"), "", "POST " + lampPath + "/reset", answer(200, lamp02)},
		{"device-registration", with("device registration a1NightLamp/lamp01"), "", "GET " + lampPath + "/registration", answer(200, `{"product":"a1NightLamp","device":"lamp01","road":"https","free":false,"addr":"192.0.2.7:4000","firstAt":"2026-01-02T03:04:05.678Z","lastAt":"2026-01-02T03:14:05.678Z","secretAt":"2026-01-02T03:04:05.678Z","times":2}`)},
		{"device-certificate-set", with("device certificate set a1NightLamp/lamp01 -"), "sha256 Fingerprint=AB:CD\n", "PUT " + lampPath + "/certificate", problem(400, "give the certificate in PEM, or its SHA-256 in 64 hexadecimal digits")},
		{"device-certificate-set-digits", with("device certificate set a1NightLamp/lamp01 " + strings.Repeat("0a", 32)), "", "PUT " + lampPath + "/certificate", answer(200, strings.Replace(lampMade, `"secret":"Zk3Q"`, `"certificate":"`+strings.Repeat("0a", 32)+`","batch":"march"`, 1))},
		{"device-certificate-set-key", with("device certificate set a1NightLamp/lamp01 -"), "-----BEGIN PRIVATE KEY-----\n", "", nil},
		{"device-certificate-clear", with("device certificate clear a1NightLamp/lamp01"), "", "DELETE " + lampPath + "/certificate", answer(200, lamp02)},
		{"batch-create", with("batch create --product a1NightLamp --count 500 --prefix NL- --name march"), "", "POST /products/a1NightLamp/batches", answer(201, march)},
		{"batch-create-chosen-json", with("batch create --product a1NightLamp --file - --list --json"), "a\nb\n", "POST /products/a1NightLamp/batches", answer(201, march)},
		{"batch-create-how-many", with("batch create --product a1NightLamp"), "", "", nil},
		{"batch-create-both", with("batch create --product a1NightLamp --count 2 --file -"), "a\n", "", nil},
		{"batch-list", with("batch list a1NightLamp"), "", "GET /products/a1NightLamp/batches", list(march)},
		{"batch-show", with("batch show a1NightLamp/march"), "", "GET /products/a1NightLamp/batches/march", answer(200, march)},
		{"batch-show-no-batch", with("batch show march"), "", "", nil},
		{"batch-devices", with("batch devices a1NightLamp/march"), "", "GET /products/a1NightLamp/batches/march/devices", list(
			`{"name":"NL-1","enabled":true,"registeredAt":"2026-01-02T03:04:05.678Z","road":"https","activatedAt":"2026-01-02T03:05:05.678Z"}`, `{"name":"NL-2","enabled":false}`)},
		{"batch-export", with("batch export a1NightLamp/march"), "", "GET /products/a1NightLamp/batches/march/devices.csv", answer(200, "name,secret\nNL-1,Zk3Q\n")},
		{"batch-disable", with("batch disable a1NightLamp/march --yes"), "", "PATCH /products/a1NightLamp/batches/march", answer(200, `{"changed":498}`)},
		{"batch-enable", with("batch enable a1NightLamp/march --json"), "", "PATCH /products/a1NightLamp/batches/march", answer(200, `{"changed":1}`)},
		{"batch-remove", with("batch remove a1NightLamp/march"), "", "DELETE /products/a1NightLamp/batches/march", problem(409, "batch \"march\" has 500 devices: disable it, or delete them first")},

		{"audit", with("audit --who admin"), "", "GET /audit", list(`{"id":2,"at":"2026-01-02T03:04:05.678Z","who":"admin","role":"administrator","person":true,"from":"127.0.0.1","method":"POST","route":"/api/v1/tokens","object":"/api/v1/tokens","subject":"CI","done":true}`, `{"id":1,"at":"2026-01-02T03:04:05.678Z","person":false,"from":"192.0.2.1","method":"POST","route":"/api/v1/session","object":"/api/v1/session","done":false,"code":"unauthorized","detail":"the name or the password is wrong"}`)},
		{"operator-list", with("operator list"), "", "GET /operators", list(mei, strings.Replace(mei, `"enabled":true`, `"enabled":false`, 1), strings.Replace(mei, `"passwordChosen":true`, `"passwordChosen":false`, 1))},
		{"operator-add", with("operator add mei --role viewer"), "quayside\n", "POST /operators", answer(201, mei)},
		{"operator-add-no-password", with("operator add mei"), "", "", nil},
		{"operator-set", with("operator set mei --role viewer"), "", "PATCH /operators/mei", answer(200, mei)},
		{"operator-set-nothing", with("operator set mei"), "", "", nil},
		{"operator-disable", with("operator disable mei"), "", "PATCH /operators/mei", answer(200, strings.Replace(mei, `"enabled":true`, `"enabled":false`, 1))},
		{"operator-disable-oneself", with("operator disable mei"), "", "PATCH /operators/mei", problem(409, "nobody disables himself: another administrator can")},
		{"operator-enable", with("operator enable mei --json"), "", "PATCH /operators/mei", answer(200, mei)},
		{"operator-remove", with("operator remove mei --yes"), "", "DELETE /operators/mei", answer(204, "")},
		{"operator-remove-unasked", with("operator remove mei"), "", "", nil},
		{"token-list", with("token list"), "", "GET /tokens", list(houseToken, readToken)},
		{"token-add", append(with("token add --role viewer --expires-in 30d"), "the dashboard"), "", "POST /tokens", answer(201, strings.Replace(readToken, `"name"`, `"token":"mt_s3cret","name"`, 1))},
		{"token-add-bad-time", with("token add x --expires-in soon"), "", "", nil},
		{"token-remove", with("token remove 7Q2M --yes"), "", "DELETE /tokens/7Q2M", answer(204, "")},

		{"token-remove-dash", with("token remove --yes -- -xQ2M"), "", "DELETE /tokens/-xQ2M", answer(204, "")},

		{"password-reset", with("password --reset mei"), "a new one\n", "PATCH /operators/mei", answer(200, `{"name":"mei"}`)},
		{"password-reset-empty", with("password --reset"), "\n", "", nil},
		{"password-no-line", with("password"), "", "", nil},
		{"password-wrong", with("password"), "old\nnew\n", "POST /session", problem(401, "name or password is wrong")},

		{"rest-unauthorized", with("product list"), "", "GET /products", problem(401, "this token is not known")},
		{"rest-forbidden", with("product list"), "", "GET /products", problem(403, "this needs the role operator; dashboard has the role viewer")},
		{"rest-not-matou", with("product list"), "", "GET /products", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<html>a router", http.StatusTeapot)
		}},
		{"rest-no-json", with("product list"), "", "GET /products", answer(200, "<html>welcome")},
		{"rest-bad-server", with("product list --server ftp://x"), "", "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newAPIServer(t)
			if tt.route != "" {
				s.on(tt.route, tt.h)
			}
			golden(t, tt.name, s.outcome(tt.args, tt.stdin))
		})
	}
}

// TestTraceOfARecord: a value of a sub-device leads to the message of its
// gateway, and rows say how they were found.
func TestTraceOfARecord(t *testing.T) {
	s := newAPIServer(t)
	s.on("GET /products/a1NightLamp/devices/lamp01/records/44801", answer(200, `{"record":44801,"kind":"property","entry":12,"product":"gw","device":"gw01","kept":true}`))
	s.on("GET /products/gw/devices/gw01/timeline/12/layers", answer(200, `{"id":12,"entry":{"id":12,"at":"2026-01-02T03:04:05.678Z","kind":"uplink"},"stored":[
{"product":"a1NightLamp","device":"lamp01","kind":"property","name":"Temp","found":true,"record":44801,"by":"record","time":"2026-01-02T03:04:05.678Z","value":23.5},
{"product":"a1NightLamp","device":"lamp02","kind":"property","name":"Temp","found":true,"record":257,"by":"value","time":"2026-01-02T03:04:05.678Z","value":20},
{"kind":"event","name":"Overheat","found":false}]}`))
	golden(t, "device-trace-record", s.outcome(with("device trace a1NightLamp/lamp01 --record 44801"), ""))
	golden(t, "device-trace-record-zh", s.outcome(with("device trace a1NightLamp/lamp01 --record 44801 --lang zh"), ""))
}

func TestRestCommandsHaveExamples(t *testing.T) {
	for _, words := range []string{
		"status", "product list", "product add", "product show", "product set", "product remove", "product reset-secret",
		"model import", "model export",
		"product config show", "product config print", "product config upload", "product config push", "product config status", "product config on", "product config off",
		"device file list", "device file get", "device file remove",
		"device shadow", "device desired get", "device desired set", "device desired clear", "device tag", "device log",
		"device list", "device add", "device show", "device remove", "device enable", "device disable", "device reset-secret",
		"device import", "device export", "device credentials", "device status", "device latest", "device history", "device events",
		"product registration", "product allow", "product disallow", "product allowed", "device reset", "device registration",
		"device certificate set", "device certificate clear",
		"batch create", "batch list", "batch show", "batch devices", "batch export", "batch disable", "batch enable", "batch remove",
		"device commands", "device set", "device invoke", "device get", "device command", "device raw", "device image", "device timeline", "device watch",
		"operator list", "operator add", "operator set", "operator disable", "operator enable", "operator remove", "audit", "token list", "token add", "token remove", "password",
	} {
		got := outcome(with(words+" --help"), "")
		if !strings.Contains(got, "Examples:") || !strings.Contains(got, "  matou "+words) || !strings.HasSuffix(got, "-- exit --\n0\n") {
			t.Errorf("matou %s --help has no examples:\n%s", words, got)
		}
		if !strings.Contains(got, "--server") || !strings.Contains(got, "--json") {
			t.Errorf("matou %s does not know --server and --json", words)
		}
	}
}

func TestListFollowsTheCursor(t *testing.T) {
	s := newAPIServer(t)
	s.on("GET /devices", answer(200, `{"items":[`+lamp01+`],"next":"c1"}`))
	s.on("GET /devices", answer(200, `{"items":[],"next":"c2"}`))
	s.on("GET /devices", answer(200, `{"items":[`+lamp02+`],"next":"c3"}`))
	s.on("GET /devices", answer(200, `{"items":[`+lamp01+`]}`))
	golden(t, "rest-pages", s.outcome(with("device list --limit 1200"), ""))
}

func TestListStopsAtTheLimit(t *testing.T) {
	s := newAPIServer(t)
	s.on("GET /devices", answer(200, `{"items":[`+lamp01+`],"next":"c1"}`))
	s.on("GET /devices", answer(200, `{"items":[`+lamp02+`],"next":"c2"}`))
	golden(t, "rest-pages-limit", s.outcome(with("device list --limit 2 --json"), ""))
}

func TestListThatDoesNotEndIsAnError(t *testing.T) {
	s := newAPIServer(t)
	s.on("GET /devices", answer(200, `{"items":[],"next":"c1"}`))
	code, stdout, stderr := matou(t.Context(), "", "device list --limit 0")
	if code != exitFailed || stdout != "" || !strings.Contains(stderr, "a list that does not end") {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
}

func TestNobodyListens(t *testing.T) {
	s := newAPIServer(t)
	s.Close()
	golden(t, "rest-refused-connection", s.outcome(with("product list --token x"), ""))
}

// TestLocalToken says where a token comes from where nobody gives one.
func TestLocalToken(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, tokenFile), []byte("l0cal\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	if err := os.WriteFile(filepath.Join(empty, tokenFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	here := t.TempDir()
	t.Chdir(here)
	for _, tt := range []struct {
		name, server, data, want string
		inUsual                  bool
		lack                     string
	}{
		{"of the directory that is named", usualServer, dir, "l0cal", false, ""},
		{"of matou-data", usualServer, "", "u5ual", true, ""},
		{"of matou-data, for localhost", "localhost:7080", "", "u5ual", true, ""},
		{"of matou-data, over IPv6", "http://[::1]:7080", "", "u5ual", true, ""},
		{"matou-data's is not for other machines", "https://iot.example.com", "", "", true, "none was given"},
		{"a named directory's is", "https://iot.example.com", dir, "l0cal", false, ""},
		{"there is none", usualServer, "", "", false, "none was given, and there is no " + filepath.Join(usualData, tokenFile)},
		{"empty", usualServer, empty, "", false, "none was given, and " + filepath.Join(empty, tokenFile) + " is empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.inUsual {
				if err := os.Mkdir(usualData, 0o700); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { os.RemoveAll(filepath.Join(here, usualData)) })
				if err := os.WriteFile(filepath.Join(usualData, tokenFile), []byte("u5ual"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			f := apiFlags{Server: tt.server, Data: tt.data}
			r, err := f.open(&globals{Ctx: t.Context()})
			if err != nil || r.token != tt.want || fmt.Sprint(r.lack) != cmp.Or(tt.lack, "<nil>") {
				t.Errorf("token %q, lack %q, %v", r.token, r.lack, err)
			}
		})
	}
}

// TestLocalServer: whoever names a data directory is led to the Matou that
// runs there, whatever its address.
func TestLocalServer(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(dir, text string) string {
		t.Helper()
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, runFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	named := write(t.TempDir(), `{"pid":1,"api":"http://127.0.0.1:27080","devices":[]}`)
	cut := write(t.TempDir(), `{"pid":1,"api":"http://127.0`)
	for _, tt := range []struct{ name, server, data, want string }{
		{"nothing runs", "", "", usualServer},
		{"in the directory that is named", "", named, "http://127.0.0.1:27080"},
		{"the address goes before it", "http://127.0.0.1:9", named, "http://127.0.0.1:9"},
		{"a file that was cut off", "", cut, usualServer},
		{"no file", "", t.TempDir(), usualServer},
	} {
		f := apiFlags{Server: tt.server, Data: tt.data}
		if r, err := f.open(&globals{Ctx: t.Context()}); err != nil || r.base.String() != tt.want {
			t.Errorf("%s: %v, %v; want %s", tt.name, r.base, err, tt.want)
		}
	}
	write(usualData, `{"api":"http://127.0.0.1:27081"}`)
	if r, err := (&apiFlags{}).open(&globals{Ctx: t.Context()}); err != nil || r.base.String() != "http://127.0.0.1:27081" {
		t.Errorf("in matou-data: %v, %v", r.base, err)
	}
}

func TestWithoutTokenTheWayToOneIsSaid(t *testing.T) {
	s := newAPIServer(t)
	t.Setenv("MATOU_TOKEN", "")
	t.Setenv("MATOU_DATA", "nowhere")
	s.on("GET /tokens", problem(401, "say who you are"))
	golden(t, "rest-no-token", s.outcome(with("token list"), ""))
}

func TestServerAddress(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", "http://127.0.0.1:7080"},
		{"iot.example.com:7080", "http://iot.example.com:7080"},
		{"https://iot.example.com/", "https://iot.example.com"},
		{"https://example.com/matou/", "https://example.com/matou"},
		{"http://[::1]:7080", "http://[::1]:7080"},
		{"http://", ""}, {"mqtt://host", ""}, {"http://me:secret@host", ""}, {"http://host?x=1", ""}, {":7080", ""},
	} {
		u, err := serverURL(tt.in)
		if err != nil && tt.want != "" || err == nil && u.String() != tt.want {
			t.Errorf("%q: %v, %v; want %q", tt.in, u, err, tt.want)
		}
	}
}

func (p *person) readLine(context.Context) (string, error)   { return p.next() }
func (p *person) readSecret(context.Context) (string, error) { return p.next() }

// at asks with a person at the terminal.
func (p *person) at(line string) (code int, stdout, stderr string) {
	var out, talk bytes.Buffer
	code = run(context.Background(), with(line), p, &out, &talk)
	return code, out.String(), talk.String()
}

func TestRemoveAsks(t *testing.T) {
	for _, tt := range []struct {
		answer string
		code   int
		stdout string
	}{
		{"y\n", exitDone, "deleted\n"}, {" YES \n", exitDone, "deleted\n"},
		{"n\n", exitFailed, ""}, {"\n", exitFailed, ""}, {"yy\n", exitFailed, ""},
	} {
		s := newAPIServer(t)
		s.on("DELETE /products/p/devices/d", answer(204, ""))
		code, stdout, stderr := (&person{lines: []string{tt.answer}}).at("device remove p/d")
		if code != tt.code || stdout != tt.stdout || !strings.HasPrefix(stderr, "Delete the device p/d and all it said? [y/N] ") {
			t.Errorf("%q: %d %q %q", tt.answer, code, stdout, stderr)
		}
		if asked := strings.Contains(s.requests(), "DELETE"); asked != (tt.code == exitDone) {
			t.Errorf("%q: %s", tt.answer, s.requests())
		}
	}
	newAPIServer(t)
	if code, _, stderr := (&person{}).at("device remove p/d"); code != exitFailed || !strings.Contains(stderr, "read the answer: EOF") {
		t.Errorf("closed terminal: %d %q", code, stderr)
	}
}

func TestPassword(t *testing.T) {
	for _, tt := range []struct {
		name  string
		run   func() (int, string, string)
		put   http.HandlerFunc
		code  int
		error string
	}{
		{"from a pipe", func() (int, string, string) { return matou(t.Context(), "old one\nnew one\n", "password mei") }, answer(204, ""), exitDone, ""},
		{"from a pipe, windows' lines", func() (int, string, string) { return matou(t.Context(), "old one\r\nnew one", "password mei") }, answer(204, ""), exitDone, ""},
		{"at a terminal", (&person{lines: []string{"old one", "new one", "new one"}}).password, answer(204, ""), exitDone, ""},
		{"two different", (&person{lines: []string{"old one", "new one", "new two"}}).password, nil, exitFailed, "the two are not the same"},
		{"refused", func() (int, string, string) { return matou(t.Context(), "old one\nnew one\n", "password mei") }, problem(400, "a password has 8 characters or more"), exitFailed, "8 characters"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newAPIServer(t)
			s.on("POST /session", answer(201, `{"token":"se55ion","role":"operator"}`))
			s.on("DELETE /session", answer(204, ""))
			if tt.put != nil {
				s.on("PUT /me/password", tt.put)
			}
			code, stdout, stderr := tt.run()
			if code != tt.code || !strings.Contains(stderr, tt.error) || strings.Contains(stdout+stderr, "new one") {
				t.Errorf("%d %q %q", code, stdout, stderr)
			}
			want := "POST /api/v1/session\n  \n  application/json\n  {\"name\":\"mei\",\"password\":\"old one\"}\n"
			if tt.put != nil {
				want += "PUT /api/v1/me/password\n  Bearer se55ion\n  application/json\n  {\"new\":\"new one\",\"old\":\"old one\"}\n"
			}
			if tt.code != exitDone {
				want += "DELETE /api/v1/session\n  Bearer se55ion\n"
			}
			if got := s.requests(); got != "-- requests --\n"+want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func (p *person) password() (int, string, string) { return p.at("password mei") }

func TestInterruptEndsAQuestion(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	defer close(release)
	_, err := interruptible(ctx, func() (string, error) {
		cancel()
		<-release
		return "late", nil
	})
	if err == nil || err.Error() != "interrupted" {
		t.Error(err)
	}
}

func TestReaderIsNoTerminal(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, in := range []io.Reader{f, strings.NewReader("")} {
		if terminalOf(in) != nil {
			t.Errorf("%T is taken for a terminal", in)
		}
	}
}
