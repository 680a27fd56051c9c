package test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var seconds = regexp.MustCompile(`"timestamp":1[0-9]{9}\b`)

// says sends a message of the device and reads the next one to it, in which
// times in seconds are T.
func (w *wire) says(topic, payload string) string {
	w.t.Helper()
	if _, err := w.Write(publish(topic, payload)); err != nil {
		w.t.Fatal(err)
	}
	return w.hears()
}

func (w *wire) hears() string {
	w.t.Helper()
	topic, payload := w.message()
	return topic + " " + seconds.ReplaceAllString(payload, `"timestamp":T`)
}

func (w *wire) want(got, want string) {
	w.t.Helper()
	if got != want {
		w.t.Fatalf("got  %s\nwant %s", got, want)
	}
}

const (
	shadowUp   = "/shadow/update/" + lampProduct + "/" + lampName
	shadowDown = "/shadow/get/" + lampProduct + "/" + lampName + " "
	lampSys    = "/sys/" + lampProduct + "/" + lampName + "/"
)

// matou runs a command and wants it done.
func (m *matou) does(args ...string) string {
	m.t.Helper()
	out, talk, code := m.cli(args...)
	if code != 0 {
		m.t.Fatalf("matou %s: %d\n%s%s", strings.Join(args, " "), code, out, talk)
	}
	return out
}

// TestShadowFromBothSides is the shadow's life as the vendor tells it: the
// device reports, an application wants something else, the device obeys and
// says so; and after a restart it all is as it was [aliyun-device §4.8].
func TestShadowFromBothSides(t *testing.T) {
	data := t.TempDir()
	m := start(t, data)
	m.lamp()
	w := m.loginAliyun(lampProduct, lampName, lampSecret)
	w.want(w.says(shadowUp, `{"method":"get"}`), shadowDown+`{"method":"reply","payload":{"status":"error","content":{"errorcode":"407","errormessage":"the shadow is empty"}},"timestamp":T}`)
	w.want(w.says(shadowUp, `{"method":"update","state":{"reported":{"color":"red"}},"version":1}`), shadowDown+`{"method":"reply","payload":{"status":"success","version":1},"timestamp":T}`)
	w.want(w.says(shadowUp, `{"method":"update","state":{"reported":{"color":"blue"}},"version":1}`), shadowDown+`{"method":"reply","payload":{"status":"error","content":{"errorcode":"409","errormessage":"version is not greater than that of the shadow"}},"timestamp":T}`)
	m.awaitEntry(lampProduct, lampName, "the refusal to be explained", func(e entry) bool {
		return e.Code == "aliyun-shadow-version" && strings.Contains(e.Sentence, "version 1") && e.SentenceZh != "" && strings.Contains(string(e.Detail), `"expected":"greater than 1"`)
	})
	w.want(w.says(shadowUp, `{"method":"update","state":{"reported":{}}}`), shadowDown+`{"method":"reply","payload":{"status":"error","content":{"errorcode":"403","errormessage":"version is not a whole number of 64 bits"}},"timestamp":T}`)

	if out := m.does("device", "shadow", lampProduct+"/"+lampName, "--set", "color=green"); !strings.Contains(out, "the device was told") {
		t.Errorf("the command line says %s", out)
	}
	w.want(w.hears(), shadowDown+`{"method":"control","payload":{"status":"success","state":{"reported":{"color":"red"},"desired":{"color":"green"}},"metadata":{"reported":{"color":{"timestamp":T}},"desired":{"color":{"timestamp":T}}}},"version":2,"timestamp":T}`)
	w.want(w.says(shadowUp, `{"method":"update","state":{"reported":{"color":"green"},"desired":"null"},"version":1700000000000}`), shadowDown+`{"method":"reply","payload":{"status":"success","version":1700000000000},"timestamp":T}`)

	m.stop()
	m = start(t, data)
	w = m.loginAliyun(lampProduct, lampName, lampSecret)
	w.want(w.says(shadowUp, `{"method":"get"}`), shadowDown+`{"method":"reply","payload":{"status":"success","state":{"reported":{"color":"green"}},"metadata":{"reported":{"color":{"timestamp":T}}}},"version":1700000000000,"timestamp":T}`)
	w.want(w.says(shadowUp, `{"method":"update","state":{"reported":{"n":1}},"version":-1}`), shadowDown+`{"method":"reply","payload":{"status":"success","version":0},"timestamp":T}`)
	w.want(w.says(shadowUp, `{"method":"delete","state":{"reported":"null"},"version":1}`), shadowDown+`{"method":"reply","payload":{"status":"success","version":1},"timestamp":T}`)
}

// TestDesiredValuesOfAliyun: what is desired while the device is away is asked
// for when it comes, and taken away when it is done [aliyun-device §4.15].
func TestDesiredValuesOfAliyun(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	ref := lampProduct + "/" + lampName
	m.does("device", "desired", "set", ref, "NightLightSwitch=1")
	w := m.loginAliyun(lampProduct, lampName, lampSecret)
	get, remove := lampSys+"thing/property/desired/get", lampSys+"thing/property/desired/delete"
	ask := `{"id":"123","version":"1.0","params":["NightLightSwitch","CurrentTemperature"],"method":"thing.property.desired.get"}`
	w.want(w.says(get, ask), get+`_reply {"code":200,"data":{"NightLightSwitch":{"value":1,"version":1}},"id":"123","message":"success","method":"thing.property.desired.get","version":"1.0"}`)
	m.does("device", "desired", "set", ref, "NightLightSwitch=0", "--version", "NightLightSwitch=1")
	if topic, set := w.message(); topic != lampSys+"thing/service/property/set" || !strings.Contains(set, `"params":{"NightLightSwitch":0}`) {
		t.Errorf("%s %s", topic, set)
	}
	done := `_reply {"code":200,"data":{},"id":"7","message":"success","method":"thing.property.desired.delete","version":"1.0"}`
	w.want(w.says(remove, `{"id":"7","params":{"NightLightSwitch":{"version":1}}}`), remove+done)
	if out := m.does("device", "desired", "get", ref); !strings.Contains(out, "NightLightSwitch") {
		t.Errorf("a value of another version is gone: %s", out)
	}
	w.want(w.says(remove, `{"id":"7","params":{"NightLightSwitch":{"version":2}}}`), remove+done)
	w.want(w.says(get, ask), get+`_reply {"code":200,"data":{},"id":"123","message":"success","method":"thing.property.desired.get","version":"1.0"}`)
	w.want(w.says(get, `{"id":"8","params":{}}`), get+`_reply {"code":460,"data":{},"id":"8","message":"request parameter error","method":"thing.property.desired.get","version":"1.0"}`)
}

// TestDesiredValuesOfOneNET: the same in OneNET's words, to a device that has
// subscribed [onenet §3.2].
func TestDesiredValuesOfOneNET(t *testing.T) {
	m := start(t, t.TempDir())
	m.sensor("lenient")
	m.does("device", "desired", "set", sensorProduct+"/"+sensorName, "wendu=21.5")
	w := m.dial()
	w.Write(connect(sensorName, sensorProduct, onenetToken(sensorProduct, sensorName, sensorKey, time.Now().Add(time.Hour).Unix()), 60, true))
	w.expect("20 02 00 00")
	top := "$sys/" + sensorProduct + "/" + sensorName + "/thing/property/"
	w.Write(frame(0x82, "\x00\x01"+str(top+"desired/get/reply")+"\x00"+str(top+"desired/delete/reply")+"\x00"))
	w.expect("90 04 00 01 00 00")
	ask := `{"id":"123","version":"1.0","params":["wendu","shidu"]}`
	w.want(w.says(top+"desired/get", ask), top+`desired/get/reply {"id":"123","code":200,"msg":"success","data":{"wendu":{"value":21.5,"version":1}}}`)
	w.want(w.says(top+"desired/delete", `{"id":"124","version":"1.0","params":{"wendu":{"version":9}}}`), top+`desired/delete/reply {"id":"124","code":200,"msg":"success"}`)
	w.want(w.says(top+"desired/delete", `{"id":"125","version":"1.0","params":{"wendu":{}}}`), top+`desired/delete/reply {"id":"125","code":200,"msg":"success"}`)
	w.want(w.says(top+"desired/get", ask), top+`desired/get/reply {"id":"123","code":200,"msg":"success","data":{}}`)
}

// TestRemoteConfiguration: a device asks in vain, is told of a file, fetches
// it from its own port and says that it has it [aliyun-device §4.10].
func TestRemoteConfiguration(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	w := m.loginAliyun(lampProduct, lampName, lampSecret)
	get := lampSys + "thing/config/get"
	ask := `{"id":123,"version":"1.0","params":{"configScope":"product","getType":"file"},"method":"thing.config.get"}`
	w.want(w.says(get, ask), get+`_reply {"code":6710,"data":{},"id":"123","message":"no data","method":"thing.config.get","version":"1.0"}`)

	const content = `{"interval": 60}`
	file := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	m.does("product", "config", "upload", lampProduct, file)
	type told struct {
		ConfigID, Sign, SignMethod, URL, GetType string
		ConfigSize                               int
	}
	check := func(where string, f told) {
		t.Helper()
		resp, err := http.Get(f.URL)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		got, err := io.ReadAll(resp.Body)
		sum := sha256.Sum256(got)
		if err != nil || string(got) != content || f.ConfigSize != len(content) || f.Sign != hex.EncodeToString(sum[:]) || f.SignMethod != "Sha256" || f.GetType != "file" || resp.ContentLength != int64(len(content)) {
			t.Errorf("%s: %+v gave %q, %v", where, f, got, err)
		}
	}
	var answer struct{ Data told }
	_, doc, _ := strings.Cut(w.says(get, ask), " ")
	if err := json.Unmarshal([]byte(doc), &answer); err != nil {
		t.Fatal(err)
	}
	check("asked", answer.Data)

	m.does("product", "config", "push", lampProduct)
	var push struct {
		ID, Method string
		Params     told
	}
	topic, doc := w.message()
	if err := json.Unmarshal([]byte(doc), &push); err != nil || topic != lampSys+"thing/config/push" || push.Method != "thing.config.push" {
		t.Fatalf("%s %s %v", topic, doc, err)
	}
	check("pushed", push.Params)
	w.Write(publish(lampSys+"thing/config/push_reply", `{"id":"`+push.ID+`","code":200,"data":{}}`))
	m.await("the device's answer", func() bool {
		return strings.Contains(m.does("product", "config", "status", lampProduct), "taken")
	})
	m.does("product", "config", "off", lampProduct)
	w.want(w.says(get, ask), get+`_reply {"code":6713,"data":{},"id":"123","message":"thing config function is not available","method":"thing.config.get","version":"1.0"}`)
}

// TestWhatADeviceSaysOfItself: tags, its log, its network, its template and
// what consumer firmware asks at boot [aliyun-device §4.9, §4.14, §4.15].
func TestWhatADeviceSaysOfItself(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	ref := lampProduct + "/" + lampName
	w := m.loginAliyun(lampProduct, lampName, lampSecret)
	done := func(path string) string {
		method := strings.ReplaceAll(path, "/", ".")
		return lampSys + path + `_reply {"code":200,"data":{},"id":"1","message":"success","method":"` + method + `","version":"1.0"}`
	}
	for _, tt := range []struct{ path, params string }{
		{"thing/deviceinfo/update", `[{"attrKey":"room","attrValue":"厨房"},{"attrKey":"SYS_SDK_LANGUAGE","attrValue":"C","domain":"SYSTEM"}]`},
		{"thing/log/post", `[{"utcTime":"2020-08-31T06:07:35.123+0000","logLevel":"ERROR","module":"MQTT","code":"6","traceContext":"1","logContent":"connection lost"}]`},
		{"_thing/diag/post", `{"p":{"wifi":{"rssi":-57,"snr":60,"per":2,"err_stats":"10,02,01"},"_time":1611000000000},"model":"format=simple|quantity=single|time=now"}`},
		{"thing/awss/enrollee/match", `{}`},
		{"thing/cipher/get", `{}`},
		{"thing/reset", `{}`},
	} {
		w.want(w.says(lampSys+tt.path, `{"id":"1","version":"1.0","params":`+tt.params+`}`), done(tt.path))
	}
	if out := m.does("device", "network", ref); !strings.Contains(out, `"rssi":-57`) {
		t.Errorf("network: %s", out)
	}
	if out := m.does("device", "show", ref); !strings.Contains(out, "room=厨房") || !strings.Contains(out, "SYS_SDK_LANGUAGE=C") {
		t.Errorf("tags: %s", out)
	}
	w.want(w.says(lampSys+"thing/deviceinfo/delete", `{"id":"1","params":[{"attrKey":"room"}]}`), done("thing/deviceinfo/delete"))
	if out := m.does("device", "show", ref); strings.Contains(out, "room") || !strings.Contains(out, "SYS_SDK_LANGUAGE=C") {
		t.Errorf("tags: %s", out)
	}
	m.awaitEntry(lampProduct, lampName, "the log line", func(e entry) bool { return e.Code == "device-log" && e.Sentence == "ERROR MQTT: connection lost" })
	m.awaitEntry(lampProduct, lampName, "the network's state", func(e entry) bool { return e.Code == "network-status" && strings.Contains(string(e.Detail), "-57") })

	mode := lampSys + "thing/config/log/get"
	w.want(w.says(mode, `{"id":"1","params":{"configScope":"device","getType":"content"}}`), mode+`_reply {"code":200,"data":{"getType":"content","content":{"mode":0}},"id":"1","message":"success","method":"thing.config.log.get","version":"1.0"}`)
	m.does("device", "log", ref, "on")
	if topic, payload := w.message(); topic != lampSys+"thing/config/log/push" || !strings.HasSuffix(payload, `"version":"1.0","params":{"getType":"content","content":{"mode":1}},"method":"thing.config.log.push"}`) {
		t.Errorf("%s %s", topic, payload)
	}
	template := w.says(lampSys+"thing/dsltemplate/get", `{"id":"1","params":"{}"}`)
	if !strings.Contains(template, `"identifier":"NightLightSwitch"`) || !strings.Contains(template, `"deviceName":"lamp01"`) {
		t.Errorf("template: %s", template)
	}
	prefix := w.says(lampSys+"thing/lan/prefix/get", `{"id":"1","params":{}}`)
	if !strings.Contains(prefix, `"productKey":"a1NightLamp","deviceName":"lamp01"`) || strings.Contains(prefix, lampSecret) {
		t.Errorf("LAN prefix: %s", prefix)
	}
}
