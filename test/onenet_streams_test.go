package test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// The device and key of the official documentation's examples [onenet §2.4, §4].
const (
	loggerProduct = "238322"
	loggerName    = "mqtts-test-device"
	loggerKey     = "EnW4T71eIE55xOIQMN6pFMKuqel5T5HTzsGJRPiDhlM="
	loggerSys     = "$sys/238322/mqtts-test-device/"
	loggerToken   = "version=2018-10-31&res=products%2F238322%2Fdevices%2Fmqtts-test-device&et=7557387130&method=sha1&sign=Rs0u%2FKnyoK5%2FMuKo5xKa0tW%2BWqY%3D"
)

// logger makes a product of data streams with one device.
func (m *matou) logger(strictness string) {
	m.t.Helper()
	must[object](m, "POST", "/products", object{"key": loggerProduct, "dialect": "onenet", "strictness": strictness, "dataModel": "数据流"})
	m.add(loggerProduct, loggerName, loggerKey)
}

// in connects it with the token that the documentation prints.
func (m *matou) inLogger() *wire {
	m.t.Helper()
	w := m.dial()
	w.Write(connect(loggerName, loggerProduct, loggerToken, 60, true))
	w.expect("20 02 00 00")
	return w
}

// subscribe asks for filters, QoS 1 each, and returns the codes of the SUBACK.
func (w *wire) subscribe(filters ...string) string {
	w.t.Helper()
	body := "\x00\x07"
	for _, f := range filters {
		body += str(f) + "\x01"
	}
	w.Write(frame(0x82, body))
	first, ack := w.packet()
	if first != 0x90 {
		w.t.Fatalf("%02x % x instead of a SUBACK", first, ack)
	}
	return hex.EncodeToString(ack[2:])
}

// hear reads the next message, which has to be this one.
func (w *wire) hear(topic, payload string) {
	w.t.Helper()
	if gotTopic, got := w.message(); gotTopic != topic || got != payload {
		w.t.Errorf("got  %s %s\nwant %s %s", gotTopic, got, topic, payload)
	}
}

func TestDeviceOfDataStreams(t *testing.T) {
	m := start(t, t.TempDir())
	m.logger("strict")
	w := m.inLogger()
	if got := w.subscribe(loggerSys+"dp/post/json/+", loggerSys+"cmd/#", loggerSys+"image/#", loggerSys+"thing/property/set"); got != "00000080" {
		t.Fatalf("granted %s: QoS 0, and nothing of the other data model", got)
	}

	// The documentation's post, byte for byte.
	w.Write(publish1(1, loggerSys+"dp/post/json", `{"id":123,"dp":{"temperatrue":[{"v":30,"t":1552289676}],"status":[{"v":{"color":"blue"}}]}}`))
	w.hear(loggerSys+"dp/post/json/accepted", `{"id":123}`)
	w.expect("40 02 00 01")
	m.awaitLatest(loggerProduct, loggerName, "status", `{"color":"blue"}`)
	if got := m.history(loggerProduct, loggerName, "temperatrue"); len(got) != 1 || got[0] != "30" {
		t.Errorf("history %v", got)
	}
	w.Write(publish(loggerSys+"dp/post/json", `{"id":124,"dp":{"temperatrue":[{"v":30,}]}}`))
	w.hear(loggerSys+"dp/post/json/rejected", `{"id":124,"err_code":98,"err_msg":"Illegal Data"}`)
	w.Write(publish(loggerSys+"dp/post/json", `not JSON`))
	w.hear(loggerSys+"dp/post/json/rejected", `{"id":-1,"err_code":98,"err_msg":"Illegal Data"}`)
	m.awaitEntry(loggerProduct, loggerName, "why it was refused", func(e entry) bool { return e.Code == "onenet-illegal-data" && e.SentenceZh != "" })

	type outcome struct {
		stdout, stderr string
		code           int
	}
	told := make(chan outcome, 1)
	order := func(args ...string) {
		go func() {
			stdout, stderr, code := m.cli(args...)
			told <- outcome{stdout, stderr, code}
		}()
	}
	order("device", "command", loggerProduct+"/"+loggerName, "relay on", "--wait", "20s")
	topic, payload := w.message()
	id, found := strings.CutPrefix(topic, loggerSys+"cmd/request/")
	if !found || payload != "relay on" {
		t.Fatalf("%s %s", topic, payload)
	}
	w.Write(publish(loggerSys+"cmd/response/"+id, strings.Repeat("x", 1024)))
	w.hear(loggerSys+"cmd/response/"+id+"/rejected", `{"err_code":99,"err_msg":"maximum payload size exceeded"}`)
	w.Write(publish(loggerSys+"cmd/response/"+id, "done"))
	w.hear(loggerSys+"cmd/response/"+id+"/accepted", "")
	if o := <-told; o.code != 0 || !strings.Contains(o.stdout, "done") || !strings.Contains(o.stdout, "acknowledged") {
		t.Errorf("%+v", o)
	}
	w.Write(publish(loggerSys+"cmd/response/"+id, "done"))
	w.hear(loggerSys+"cmd/response/"+id+"/rejected", `{"err_code":113,"err_msg":"command not found or already responded"}`)

	w.Write(publish(loggerSys+"image/get", ""))
	w.hear(loggerSys+"image/get/rejected", `{"err_code":167,"err_msg":"device image not exists"}`)
	w.Write(publish(loggerSys+"image/update", `{"state":{"reported":{"color":"red"}}}`))
	topic, payload = w.message()
	at := between(payload, `"timestamp":`, "}")
	if topic != loggerSys+"image/update/accepted" || payload != fmt.Sprintf(`{"state":{"reported":{"color":"red"}},"metadata":{"reported":{"color":{"timestamp":%s}}},"version":1,"timestamp":%[1]s}`, at) {
		t.Errorf("%s %s", topic, payload)
	}
	order("device", "image", loggerProduct+"/"+loggerName, "--set", "color=green")
	topic, payload = w.message()
	at = between(payload, `"timestamp":`, "}")
	if topic != loggerSys+"image/update/delta" || payload != fmt.Sprintf(`{"state":{"color":"green"},"metadata":{"color":{"timestamp":%s}},"version":2,"timestamp":%[1]s}`, at) {
		t.Errorf("%s %s", topic, payload)
	}
	if o := <-told; o.code != 0 || !strings.Contains(o.stdout, "delivered") || !strings.Contains(o.stdout, "green") {
		t.Errorf("%+v", o)
	}
	w.Write(publish(loggerSys+"image/update", `{"state":{"reported":{"color":"green"}}}`))
	if topic, _ = w.message(); topic != loggerSys+"image/update/accepted" {
		t.Errorf("%s: there is no difference any more", topic)
	}
	if im := must[object](m, "GET", "/products/"+loggerProduct+"/devices/"+loggerName+"/image", nil); im["version"] != 3.0 || len(im["delta"].(object)) != 0 {
		t.Errorf("%v", im)
	}

	// What belongs to products with a thing model ends the connection.
	w.Write(publish(loggerSys+"thing/property/post", `{"id":"1","params":{"temp":{"value":1}}}`))
	w.expectClosed()
	m.awaitEntry(loggerProduct, loggerName, "why it was closed", func(e entry) bool { return e.Code == "onenet-data-model" && e.Kind == "fault" })
	status, raw := m.call("POST", "/products/"+loggerProduct+"/devices/"+loggerName+"/commands", object{"text": "on"})
	if status != 503 || !strings.Contains(string(raw), "offline") {
		t.Errorf("a command to a device that is away: %d %s", status, raw)
	}
}

func TestCommandIsAnsweredTooLate(t *testing.T) {
	m := start(t, t.TempDir())
	m.logger("lenient")
	w := m.inLogger()
	if got := w.subscribe(loggerSys + "cmd/#"); got != "00" {
		t.Fatal(got)
	}
	c := must[object](m, "POST", "/products/"+loggerProduct+"/devices/"+loggerName+"/commands", object{"base64": "AP8=", "timeout": "5s", "wait": "10s"})
	topic, payload := w.message()
	if c["state"] != "timeout" || payload != "\x00\xff" || topic != loggerSys+"cmd/request/"+c["id"].(string) {
		t.Errorf("%v, %s %q", c, topic, payload)
	}
	w.Write(publish(loggerSys+"cmd/response/"+c["id"].(string), "done"))
	w.hear(loggerSys+"cmd/response/"+c["id"].(string)+"/rejected", `{"err_code":112,"err_msg":"command response timeout"}`)
	m.awaitEntry(loggerProduct, loggerName, "that it was late", func(e entry) bool { return e.Code == "onenet-response-late" && e.SentenceZh != "" })
}

// TestEachDataModelInLenientProducts is [onenet §12] number 9.
func TestEachDataModelInLenientProducts(t *testing.T) {
	m := start(t, t.TempDir())
	m.logger("lenient")
	w := m.inLogger()
	if got := w.subscribe(loggerSys+"thing/#", loggerSys+"dp/post/json/+"); got != "0000" {
		t.Fatal(got)
	}
	w.Write(publish(loggerSys+"thing/property/post", `{"id":"1","version":"1.0","params":{"temp":{"value":21.5}}}`))
	w.hear(loggerSys+"thing/property/post/reply", `{"id":"1","code":200,"msg":"success"}`)
	m.awaitLatest(loggerProduct, loggerName, "temp", "21.5")
	for _, kind := range []string{"subscribe", "uplink"} {
		m.awaitEntry(loggerProduct, loggerName, "a word about it", func(e entry) bool {
			return e.Kind == kind && (e.Code == "onenet-data-model" || strings.Contains(e.Sentence, "thing model"))
		})
	}
	stdout, _, code := m.cli("product", "set", loggerProduct, "--data-model", "thing")
	if code != 0 || !strings.Contains(stdout, "data model   thing") {
		t.Errorf("%d %s", code, stdout)
	}
	w = m.inLogger() // it holds from the next login on
	w.Write(publish(loggerSys+"thing/property/post", `{"id":"2","version":"1.0","params":{"temp":{"value":22}}}`))
	m.awaitEntry(loggerProduct, loggerName, "the unknown property", func(e entry) bool {
		return strings.Contains(e.Sentence, "temp") && strings.Contains(e.Sentence, "not stored")
	})
}

func TestDeviceIsAskedForProperties(t *testing.T) {
	m := start(t, t.TempDir())
	m.sensor("strict")
	w := m.dial()
	w.Write(connect(sensorName, sensorProduct, onenetToken(sensorProduct, sensorName, sensorKey, 4102444800), 60, true))
	w.expect("20 02 00 00")
	base := "$sys/" + sensorProduct + "/" + sensorName + "/"
	if got := w.subscribe(base+"thing/property/#", base+"custome/down/+", base+"cmd/#"); got != "000080" {
		t.Fatal(got)
	}
	told := make(chan object, 1)
	go func() {
		told <- must[object](m, "POST", "/products/"+sensorProduct+"/devices/"+sensorName+"/properties/get", object{"properties": []string{"wendu"}, "wait": "10s"})
	}()
	topic, payload := w.message()
	id := between(payload, `{"id":"`, `"`)
	if topic != base+"thing/property/get" || payload != `{"id":"`+id+`","version":"1.0","params":["wendu"]}` || len(id) > 13 {
		t.Fatalf("%s %s", topic, payload)
	}
	w.Write(publish(base+"thing/property/get_reply", `{"id":"`+id+`","code":200,"msg":"success","data":{"wendu":39.5}}`))
	if c := <-told; c["state"] != "acknowledged" || fmt.Sprint(c["output"]) != "map[wendu:39.5]" {
		t.Errorf("%v", c)
	}
	go func() {
		told <- must[object](m, "POST", "/products/"+sensorProduct+"/devices/"+sensorName+"/raw", object{"base64": "AQ//", "wait": "10s"})
	}()
	topic, payload = w.message()
	id, found := strings.CutPrefix(topic, base+"custome/down/")
	if !found || payload != "\x01\x0f\xff" {
		t.Fatalf("%s %q", topic, payload)
	}
	w.Write(publish(base+"custome/down_reply/"+id, "\x00"))
	if c := <-told; c["state"] != "acknowledged" || c["output"] != "\x00" {
		t.Errorf("%v", c)
	}
}

// TestSubDevicesOfTheFirstGeneration: $subdev, byte for byte [onenet §4.4].
func TestSubDevicesOfTheFirstGeneration(t *testing.T) {
	m := start(t, t.TempDir())
	must[object](m, "POST", "/products", object{"key": loggerProduct, "dialect": "onenet", "strictness": "strict", "dataModel": "streams", "nodeType": "gateway"})
	must[object](m, "POST", "/products", object{"key": "238323", "dialect": "onenet", "strictness": "strict", "dataModel": "streams"})
	m.add(loggerProduct, loggerName, loggerKey)
	for _, name := range []string{"meter-1", "meter-2"} { // of a product of their own, whose id is in the topic
		m.add("238323", name, loggerKey)
	}
	const meter, other = "$subdev/238323/meter-1/", "$subdev/238323/meter-2/"
	if _, stderr, code := m.cli("device", "sub", "add", loggerProduct+"/"+loggerName, "238323/meter-1"); code != 0 {
		t.Fatal(stderr)
	}
	gw := m.inLogger()
	// Another's topics are refused, a sub-device's and the parent's own are not.
	if got := gw.subscribe(meter+"#", other+"#", loggerSys+"cmd/#", "$subdev/238323/meter-1/thing/#"); got != "00800080" {
		t.Fatalf("granted %s", got)
	}
	// Who is not logged in is not heard, and the parent is told.
	gw.Write(publish(meter+"dp/post/json", `{"id":1,"dp":{"kwh":[{"v":1}]}}`))
	gw.hear(meter+"logout/notify", "")
	m.awaitEntry(loggerProduct, loggerName, "that it is not logged in", func(e entry) bool {
		return e.Code == "onenet-sub-no-session" && strings.Contains(string(e.Detail), meter+"login")
	})
	gw.Write(publish(meter+"login", ""))
	gw.hear(meter+"login/accepted", "")
	m.awaitState("238323", "meter-1", "ONLINE")
	gw.Write(publish1(2, meter+"dp/post/json", `{"id":2,"dp":{"kwh":[{"v":1.5,"t":1552289676}]}}`))
	gw.hear(meter+"dp/post/json/accepted", `{"id":2}`)
	gw.expect("40 02 00 02")
	m.awaitLatest("238323", "meter-1", "kwh", "1.5")
	gw.Write(publish(meter+"dp/post/json", `{"id":3,"dp":7}`))
	gw.hear(meter+"dp/post/json/rejected", `{"id":3,"err_code":98,"err_msg":"Illegal Data"}`)

	told := make(chan string, 1)
	go func() {
		stdout, stderr, _ := m.cli("device", "command", "238323/meter-1", "open", "--wait", "20s")
		told <- stdout + stderr
	}()
	topic, payload := gw.message()
	id, found := strings.CutPrefix(topic, meter+"cmd/request/")
	if !found || payload != "open" {
		t.Fatalf("%s %s", topic, payload)
	}
	gw.Write(publish(meter+"cmd/response/"+id, "opened"))
	gw.hear(meter+"cmd/response/"+id+"/accepted", "")
	if out := <-told; !strings.Contains(out, "opened") {
		t.Error(out)
	}
	gw.Write(publish(meter+"cmd/response/"+id, "opened"))
	gw.hear(meter+"cmd/response/"+id+"/rejected", `{"err_code":113,"err_msg":"command not found or already responded"}`)

	gw.Write(publish(meter+"logout", ""))
	gw.hear(meter+"logout/accepted", "")
	m.awaitState("238323", "meter-1", "OFFLINE")
	gw.Write(publish(meter+"logout", ""))
	gw.hear(meter+"logout/rejected", "")
	gw.Write(publish(meter+"login", ""))
	gw.hear(meter+"login/accepted", "")
	if _, stderr, code := m.cli("device", "disable", "238323/meter-1"); code != 0 {
		t.Fatal(stderr)
	}
	gw.hear(meter+"logout/notify", "")
	gw.Write(publish(meter+"login", ""))
	gw.hear(meter+"login/rejected", "")
	m.awaitEntry(loggerProduct, loggerName, "why", func(e entry) bool { return e.Code == "onenet-sub-disabled" && e.SentenceZh != "" })
	// A login of another's is rejected; to speak for it ends the connection.
	if got := gw.subscribe(loggerSys + "#"); got != "00" {
		t.Fatal(got)
	}
	gw.Write(publish(other+"login", ""))
	m.awaitEntry(loggerProduct, loggerName, "whose it is", func(e entry) bool { return e.Code == "onenet-sub-not-bound" })
	gw.Write(publish(other+"dp/post/json", `{"id":4,"dp":{}}`))
	gw.expectClosed()
}
