package test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	rawPK, rawSecret = "a1RawMeter1", "fedcba9876543210fedcba9876543210"
	rawUp            = "/sys/a1RawMeter1/meter01/thing/model/"
)

const rawModel = `{"schema":"x","profile":{"productKey":"a1RawMeter1"},"properties":[` +
	`{"identifier":"prop_float","name":"f","accessMode":"r","dataType":{"type":"float","specs":{"min":"-100","max":"100"}}},` +
	`{"identifier":"prop_int16","name":"i","accessMode":"rw","dataType":{"type":"int","specs":{"min":"-32768","max":"32767"}}},` +
	`{"identifier":"prop_bool","name":"b","accessMode":"rw","dataType":{"type":"bool","specs":{"0":"off","1":"on"}}}],` +
	`"events":[],"services":[{"identifier":"Measure","name":"m","callType":"sync","inputData":[],"outputData":[{"identifier":"Value","name":"v","dataType":{"type":"int","specs":{"min":"0","max":"100"}}}]}]}`

// rawScript is the platform's own example, in short: frames of a command, an id
// of four bytes, then an int16, a bool and a float. 0xFE loops, 0xFD takes
// memory for ever, 0xFC as much as the frame says.
const rawScript = `
function rawDataToProtocol(bytes) {
  var u = new Uint8Array(bytes.length);
  for (var i = 0; i < bytes.length; i++) { u[i] = bytes[i] & 0xff; }
  var view = new DataView(u.buffer, 0);
  if (u[0] == 0xfe) { for (;;) {} }
  if (u[0] == 0xfd) { var a = []; for (;;) { a.push(new Array(1000).join("x")); } }
  if (u[0] == 0xfc) { return {a: Array.apply(null, {length: view.getUint32(1)})}; }
  if (u[0] == 0x00) {
    return {method: "thing.event.property.post", version: "1.0", id: "" + view.getInt32(1),
      params: {prop_float: view.getFloat32(8), prop_int16: view.getInt16(5), prop_bool: u[7]}};
  }
  return {version: "1.0", id: "" + view.getInt32(1) + (u.length > 6 ? "" + view.getUint32(5) : ""), code: "200", data: {}};
}
function protocolToRawData(json) {
  if (json.method == "thing.service.property.set") {
    return [1].concat(int16(json.params.prop_int16));
  }
  return [2].concat(int16(json.code % 32768));
}
function int16(v) { var b = new ArrayBuffer(2); new DataView(b).setInt16(0, v); return [].slice.call(new Uint8Array(b)); }
function transformPayload(topic, bytes) { return {topic: topic, first: bytes[0]}; }
`

func unhexText(t *testing.T, digits string) string {
	t.Helper()
	raw, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestRawDeviceWithAScript(t *testing.T) {
	data := t.TempDir()
	m := start(t, data)
	m.product(rawPK, "aliyun", "lenient", "", rawModel)
	m.add(rawPK, "meter01", rawSecret)
	m.add(rawPK, "meter02", rawSecret)

	// The script comes by the command line, and is tried there.
	file := filepath.Join(t.TempDir(), "parse.js")
	if err := os.WriteFile(file, []byte(rawScript), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, errs, code := m.cli("product", "script", "set", rawPK, file); code != 0 || !strings.Contains(out, "rawDataToProtocol protocolToRawData transformPayload") {
		t.Fatalf("%d %s %s", code, out, errs)
	}
	out, errs, code := m.cli("product", "script", "test", rawPK, "00 00223344 1232 01 3fa00000")
	if code != 0 || !strings.Contains(out, `"prop_float":1.25`) {
		t.Fatalf("%d %s %s", code, out, errs)
	}
	if out, errs, code := m.cli("product", "script", "test", rawPK, "fe"); code != 1 || !strings.Contains(out, "26002 script-out-of-time") {
		t.Errorf("%d %s %s", code, out, errs)
	}

	// Bytes up become values in history; the answer comes in bytes.
	w := m.loginAliyun(rawPK, "meter01", rawSecret)
	w.Write(publish(rawUp+"up_raw", unhexText(t, "00 00223344 1232 01 3fa00000")))
	w.told(rawUp+"up_raw_reply", unhexText(t, "02 00c8"))
	m.awaitLatest(rawPK, "meter01", "prop_float", "1.25")
	m.awaitLatest(rawPK, "meter01", "prop_int16", "4658")
	if got := m.history(rawPK, "meter01", "prop_float"); strings.Join(got, " ") != "1.25" {
		t.Errorf("history %v", got)
	}

	// A set goes down as bytes.
	must[object](m, "POST", "/products/"+rawPK+"/devices/meter01/properties", object{"values": object{"prop_int16": -2}})
	w.told(rawUp+"down_raw", unhexText(t, "01 fffe"))

	// A script that loops or allocates for ever: a code to the device, a sentence
	// to people, and the other device notices nothing.
	other := m.loginAliyun(rawPK, "meter02", rawSecret)
	for _, bad := range []struct{ frame, code string }{
		{"fe", "aliyun-script-out-of-time"}, {"fd", ""}, {"fc 35a4e900", "aliyun-script-out-of-memory"},
	} {
		w.Write(publish(rawUp+"up_raw", unhexText(t, bad.frame)))
		w.told(rawUp+"up_raw_reply", unhexText(t, "02 6592")) // 26002
		if bad.code != "" {
			e := m.awaitEntry(rawPK, "meter01", bad.code, func(e entry) bool { return e.Code == bad.code })
			if e.Sentence == "" || e.SentenceZh == "" {
				t.Errorf("%+v", e)
			}
		}
		// Three strikes would let the script rest: one that goes well lies between.
		other.Write(publish("/sys/a1RawMeter1/meter02/thing/model/up_raw", unhexText(t, "00 00000001 0001 01 3fa00000")))
		other.told("/sys/a1RawMeter1/meter02/thing/model/up_raw_reply", unhexText(t, "02 00c8"))
	}

	// A custom topic goes through the script where its publisher asks for it.
	w.subscribe("/a1RawMeter1/meter01/user/get", "/a1RawMeter1/meter01/user/update")
	w.Write(publish("/a1RawMeter1/meter01/user/update?_sn=default", "\x2a\x01"))
	w.told("/a1RawMeter1/meter01/user/update", `{"topic":"/a1RawMeter1/meter01/user/update","first":42}`)

	// The script survives a crash of the server.
	m.kill()
	m = start(t, data)
	w = m.loginAliyun(rawPK, "meter01", rawSecret)
	w.Write(publish(rawUp+"up_raw", unhexText(t, "00 00223344 0007 01 3fa00000")))
	w.told(rawUp+"up_raw_reply", unhexText(t, "02 00c8"))
	m.awaitLatest(rawPK, "meter01", "prop_int16", "7")
}

func TestRRPCAndSynchronousServices(t *testing.T) {
	m := start(t, t.TempDir())
	m.product(rawPK, "aliyun", "lenient", "", rawModel)
	m.add(rawPK, "meter01", rawSecret)
	const path = "/products/" + rawPK + "/devices/meter01/"
	type answer struct{ ID, Code, Text, Topic string }
	if a := must[answer](m, "POST", path+"rrpc", object{"text": "ping"}); a.Code != "OFFLINE" {
		t.Errorf("%+v", a)
	}
	w := m.loginAliyun(rawPK, "meter01", rawSecret)

	// behind asks and lets the device answer meanwhile.
	behind := func(ask func(), device func(topic, payload string)) {
		t.Helper()
		done := make(chan struct{})
		go func() { defer close(done); ask() }()
		topic, payload := w.message()
		device(topic, payload)
		<-done
	}
	var got answer
	behind(func() { got = must[answer](m, "POST", path+"rrpc", object{"text": "ping", "timeout": "8s"}) }, func(topic, payload string) {
		if !strings.HasPrefix(topic, "/sys/a1RawMeter1/meter01/rrpc/request/") || payload != "ping" {
			t.Errorf("%s %s", topic, payload)
		}
		w.Write(publish(strings.Replace(topic, "request", "response", 1), "pong"))
	})
	if got.Code != "SUCCESS" || got.Text != "pong" {
		t.Errorf("%+v", got)
	}
	var out string
	behind(func() { out, _, _ = m.cli("device", "rrpc", rawPK+"/meter01", "ping", "--timeout", "8s") }, func(topic, _ string) {
		w.Write(publish(strings.Replace(topic, "request", "response", 1), "pong again"))
	})
	if !strings.Contains(out, "SUCCESS") || !strings.Contains(out, "pong again") {
		t.Error(out)
	}
	behind(func() { got = must[answer](m, "POST", path+"rrpc", object{"text": "ping", "timeout": "1s"}) }, func(topic, _ string) {
		late := strings.Replace(topic, "request", "response", 1)
		m.awaitEntry(rawPK, "meter01", "the end of the question", func(e entry) bool { return e.Code == "rrpc-timeout" })
		w.Write(publish(late, "too late"))
	})
	if got.Code != "TIMEOUT" {
		t.Errorf("%+v", got)
	}
	m.awaitEntry(rawPK, "meter01", "the late answer", func(e entry) bool {
		return e.Code == "aliyun-rrpc-unmatched" && strings.Contains(e.Sentence, "1904")
	})

	// A synchronous service is a question too.
	var call struct {
		State  string
		Output json.RawMessage
	}
	behind(func() {
		call = must[struct {
			State  string
			Output json.RawMessage
		}](m, "POST", path+"services/Measure", object{"wait": "8s"})
	}, func(topic, payload string) {
		if !strings.Contains(topic, "/rrpc/request/") || !strings.HasPrefix(payload, `{"method":"thing.service.Measure","id":"`) {
			t.Errorf("%s %s", topic, payload)
		}
		w.Write(publish(strings.Replace(topic, "request", "response", 1), `{"id":"1","code":200,"data":{"Value":7}}`))
	})
	if call.State != "acknowledged" || string(call.Output) != `{"Value":7}` {
		t.Errorf("%+v", call)
	}

	// Broadcasts: to all that are online without SUBSCRIBE, and to subscribers.
	all := must[struct {
		ID      string
		Reached int
	}](m, "POST", "/products/"+rawPK+"/broadcast", object{"text": "to all"})
	if all.Reached != 1 {
		t.Errorf("%+v", all)
	}
	w.told("/sys/a1RawMeter1/meter01/broadcast/request/"+all.ID, "to all")
	w.subscribe("/broadcast/a1RawMeter1/news")
	if out, errs, code := m.cli("product", "broadcast", rawPK, "--topic", "news", "hello"); code != 0 || !strings.Contains(out, "1 device reached") {
		t.Errorf("%d %s %s", code, out, errs)
	}
	w.told("/broadcast/a1RawMeter1/news", "hello")
	if status, raw := m.call("POST", "/products/"+rawPK+"/broadcast", object{"text": strings.Repeat("x", 64<<10+1)}); status != 400 {
		t.Errorf("%d %s", status, raw)
	}
}

func TestTopicClassesOfAStrictProduct(t *testing.T) {
	m := start(t, t.TempDir())
	m.product(rawPK, "aliyun", "strict", "", rawModel)
	m.add(rawPK, "meter01", rawSecret)
	w := m.loginAliyun(rawPK, "meter01", rawSecret)
	if got := w.subscribe("/a1RawMeter1/meter01/user/get", "/a1RawMeter1/meter01/user/cmd/+"); got != "0180" {
		t.Errorf("%q", got)
	}
	m.awaitEntry(rawPK, "meter01", "the refusal", func(e entry) bool { return e.Code == "aliyun-topic-undeclared" && e.SentenceZh != "" })
	if out, errs, code := m.cli("product", "topic", "add", rawPK, "user/cmd/+", "subscribe"); code != 0 {
		t.Fatalf("%s %s", out, errs)
	}
	if got := w.subscribe("/a1RawMeter1/meter01/user/cmd/+"); got != "01" {
		t.Errorf("after it was declared: %q", got)
	}
	w.Write(publish("/a1RawMeter1/meter01/user/cmd/x", "not mine to say"))
	m.awaitEntry(rawPK, "meter01", "the refusal", func(e entry) bool { return e.Code == "aliyun-topic-not-permitted" })
}

// TestRawDeviceIsToldTheRestInJSON: the script stands between bytes and the
// thing model (thing/model/…) alone. What the platform says of other functions
// a device of bytes gets, and says, in JSON on the functions' own topics
// [aliyun-device §4.4, §5.9].
func TestRawDeviceIsToldTheRestInJSON(t *testing.T) {
	m := start(t, t.TempDir())
	m.product(rawPK, "aliyun", "strict", "", rawModel)
	m.add(rawPK, "meter01", rawSecret)
	file := filepath.Join(t.TempDir(), "parse.js")
	if err := os.WriteFile(file, []byte(rawScript), 0o600); err != nil {
		t.Fatal(err)
	}
	m.does("product", "script", "set", rawPK, file)
	config := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(config, []byte(`{"interval": 60}`), 0o600); err != nil {
		t.Fatal(err)
	}
	m.does("product", "config", "upload", rawPK, config)
	w := m.loginAliyun(rawPK, "meter01", rawSecret)
	const name, sys = rawPK + "/meter01", "/sys/" + rawPK + "/meter01/thing/"

	// A desired value is of the model: its set goes through the script.
	m.does("device", "desired", "set", name, "prop_int16=-2")
	w.told(rawUp+"down_raw", unhexText(t, "01 fffe"))

	m.does("product", "config", "push", rawPK)
	if topic, got := w.message(); topic != sys+"config/push" || !strings.HasPrefix(got, `{"id":"`) || !strings.Contains(got, `"method":"thing.config.push"`) {
		t.Errorf("told %s %q", topic, got)
	}
	m.does("device", "shadow", name, "--set", "color=red")
	if topic, got := w.message(); topic != "/shadow/get/"+name || !strings.HasPrefix(got, `{"method":"control","payload":{"status":"success","state":{"desired":{"color":"red"}}`) {
		t.Errorf("told %s %q", topic, got)
	}
	m.does("product", "broadcast", rawPK, "hello")
	if topic, got := w.message(); !strings.HasPrefix(topic, "/sys/"+name+"/broadcast/request/") || got != "hello" {
		t.Errorf("told %s %q", topic, got)
	}
	// What it asks for itself is JSON as well, in a strict product, too.
	w.ask(sys+"deviceinfo/update", `{"id":"7","params":[{"attrKey":"floor","attrValue":"2"}]}`,
		`{"code":200,"data":{},"id":"7","message":"success","method":"thing.deviceinfo.update","version":"1.0"}`)
	w.Write(publish("/ext/ntp/"+name+"/request", `{"deviceSendTime":"1"}`))
	if topic, got := w.message(); topic != "/ext/ntp/"+name+"/response" || !strings.HasPrefix(got, `{"deviceSendTime":"1",`) {
		t.Errorf("told %s %s", topic, got)
	}
}
