package test

import (
	"strings"
	"testing"
)

// The night light of seed 000 and the sensor of seed 002.
const (
	lampProduct = "a1NightLamp"
	lampName    = "lamp01"
	lampSecret  = "Zk3Qw8ErT5yUiOp1AsDf7GhJkLzXcV2b"
	lampTSL     = `{"schema":"https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json","profile":{"productKey":"a1NightLamp"},
 "properties":[
  {"identifier":"CurrentTemperature","name":"当前温度","accessMode":"r","required":true,"dataType":{"type":"float","specs":{"min":"-40","max":"85","step":"0.1","unit":"°C"}}},
  {"identifier":"CurrentHumidity","name":"当前湿度","accessMode":"r","required":true,"dataType":{"type":"float","specs":{"min":"0","max":"100","step":"0.1","unit":"%"}}},
  {"identifier":"NightLightSwitch","name":"夜灯开关","accessMode":"rw","required":false,"dataType":{"type":"bool","specs":{"0":"关闭","1":"开启"}}}],
 "events":[{"identifier":"SensorFault","name":"传感器故障","type":"error","required":false,"method":"thing.event.SensorFault.post",
   "outputData":[{"identifier":"FaultCode","name":"故障码","dataType":{"type":"enum","specs":{"0":"无","1":"读取失败","2":"校验错误"}}}]}],
 "services":[{"identifier":"Blink","name":"闪烁","required":false,"callType":"async","method":"thing.service.Blink",
   "inputData":[{"identifier":"Times","name":"次数","dataType":{"type":"int","specs":{"min":"1","max":"20","step":"1"}}}],
   "outputData":[{"identifier":"Done","name":"完成次数","dataType":{"type":"int","specs":{"min":"0","max":"20","step":"1"}}}]}]}`

	sensorProduct = "VRqhDHF2wL"
	sensorName    = "my_tv"
	sensorKey     = "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw="
	sensorModel   = `{"version":"1.0","profile":{"productId":"VRqhDHF2wL"},
 "properties":[{"identifier":"wendu","name":"温度","functionType":"u","accessMode":"rw","functionMode":"property","desc":"","required":false,
   "dataType":{"type":"float","specs":{"min":"-40","max":"100","step":"0.1","unit":"摄氏度 / °C"}}}],
 "events":[],"services":[{"identifier":"reset","name":"复位","functionType":"u","functionMode":"service","callType":"a","desc":"",
   "input":[{"identifier":"delay","name":"延时","dataType":{"type":"int32","specs":{"min":"0","max":"60","step":"1","unit":""}}}],
   "output":[{"identifier":"done","name":"完成","dataType":{"type":"bool","specs":{"true":"是","false":"否"}}}]}],"combs":[]}`
)

func (m *matou) lamp() {
	m.t.Helper()
	m.product(lampProduct, "aliyun", "lenient", "Pq9LmN4bVcXz7KsD", lampTSL)
	m.add(lampProduct, lampName, lampSecret)
}

func (m *matou) sensor(strictness string) {
	m.t.Helper()
	m.product(sensorProduct, "onenet", strictness, "", sensorModel)
	m.add(sensorProduct, sensorName, sensorKey)
}

// The packets that seed 002 captured, byte for byte.
const (
	seed002Connect   = "10980100044d51545404c2003c00056d795f7476000a5652716844484632774c007976657273696f6e3d323031382d31302d3331267265733d70726f64756374732532465652716844484632774c253246646576696365732532466d795f74762665743d31363631323435303331266d6574686f643d6d6435267369676e3d7934694450753659703834464f377378706364635351253344253344"
	seed002Publish   = "306f0029247379732f5652716844484632774c2f6d795f74762f7468696e672f70726f70657274792f706f73747b226964223a2022313233222c2276657273696f6e22203a2022312e30222c22706172616d73223a207b2277656e6475223a207b2276616c7565223a2032312e317d7d7d"
	seed002Subscribe = "822d00010028247379732f5652716844484632774c2f6d795f74762f7468696e672f70726f70657274792f73657400"
)

func TestSeed002PacketsAgainstAnOpenProduct(t *testing.T) {
	m := start(t, t.TempDir())
	m.sensor("open")
	w := m.dial()
	w.send(seed002Connect)
	w.expect("20 02 00 00")
	w.send(seed002Publish)
	m.awaitLatest(sensorProduct, sensorName, "wendu", "21.1")
	if got := m.history(sensorProduct, sensorName, "wendu"); len(got) != 1 || got[0] != "21.1" {
		t.Errorf("history %v", got)
	}
	w.send(seed002Subscribe)
	w.expect("90 03 00 01 00")
	set := make(chan object, 1)
	go func() {
		set <- must[object](m, "POST", "/products/"+sensorProduct+"/devices/"+sensorName+"/properties", object{"values": object{"wendu": 22.5}, "wait": "10s"})
	}()
	topic, payload := w.message()
	id := between(payload, `{"id":"`, `"`)
	if topic != "$sys/VRqhDHF2wL/my_tv/thing/property/set" || payload != `{"id":"`+id+`","version":"1.0","params":{"wendu":22.5}}` {
		t.Fatalf("%s %s", topic, payload)
	}
	w.Write(publish("$sys/VRqhDHF2wL/my_tv/thing/property/set_reply", `{"id":"`+id+`","code":200,"msg":"success"}`))
	if c := <-set; c["state"] != "acknowledged" || c["code"] != 200.0 {
		t.Errorf("command %v", c)
	}
	w.send("e000")
	w.expectClosed()
}

func TestSeed002ConnectAgainstALenientProductSaysExpired(t *testing.T) {
	m := start(t, t.TempDir())
	m.sensor("lenient")
	w := m.dial()
	w.send(seed002Connect)
	w.expect("20 02 00 04")
	w.expectClosed()
	e := m.awaitEntry(sensorProduct, sensorName, "the refusal in the timeline", func(e entry) bool { return e.Kind == "refuse" })
	if !strings.Contains(e.Code, "expired") || !strings.Contains(e.Sentence, "2022-08-23") {
		t.Errorf("%s: %s", e.Code, e.Sentence)
	}
	s := must[struct{ LastRefusal struct{ Code string } }](m, "GET", "/products/"+sensorProduct+"/devices/"+sensorName+"/status", nil)
	if s.LastRefusal.Code != e.Code {
		t.Errorf("status says %q", s.LastRefusal.Code)
	}
}

// Seed 003's raw bytes: the CONNECT lacks its first byte.
const (
	seed003Connect = `74 0004 4d515454 04 C0 0078 0033 6162637c7365637572656d6f64653d332c7369676e6d6574686f643d686d6163736861312c74696d657374616d703d3132307c 0009
 353637382631323334 0028 32323237353044454446453446373734303032454538374545443239434644303633384335463636`
	seed003Publish = "301D0009 2f7379732f706f7374 7b706172616d733a7b74656d703a31307d7d"
)

func TestSeed003ConnectIsExplainedAndRepaired(t *testing.T) {
	out, _, _ := runCLI(t, nil, "packet", "explain", strings.ReplaceAll(strings.ReplaceAll(seed003Connect, "\n", ""), " ", ""))
	for _, want := range []string{"CONNECT", "the first byte of the CONNECT is missing", "put 10 in front"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

func TestSeed003PublishWithBareKeys(t *testing.T) {
	m := start(t, t.TempDir())
	m.product("1234", "aliyun", "open", "", `{"schema":"s","profile":{"productKey":"1234"},"properties":[{"identifier":"temp","name":"temp","accessMode":"r","required":false,"dataType":{"type":"int","specs":{"min":"-40","max":"100","step":"1"}}}],"events":[],"services":[]}`)
	m.add("1234", "5678", "secret0123456789secret0123456789")
	w := m.dial()
	w.send("10" + seed003Connect)
	w.expect("20 02 00 00")
	w.send(seed003Publish)
	// /sys/post names no device: it is not a topic of this device, and the
	// connection survives.
	m.awaitEntry("1234", "5678", "the wrong topic in the timeline", func(e entry) bool { return e.Topic == "/sys/post" && e.Sentence != "" })
	// The same payload on the right topic is taken, bare keys and all.
	w.Write(publish("/sys/1234/5678/thing/event/property/post", "{params:{temp:10}}"))
	m.awaitLatest("1234", "5678", "temp", "10")
	w.send("c000")
	for {
		if first, _ := w.packet(); first == 0xd0 {
			break
		}
	}
}

func TestEC20AndSingleQuotedJSONIsStoredAndMarked(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	w := m.loginAliyun(lampProduct, lampName, lampSecret)
	post := "/sys/" + lampProduct + "/" + lampName + "/thing/event/property/post"
	w.Write(publish(post, "{params:{CurrentTemperature:25}}")) // EC20 cannot send double quotes
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "25")
	w.Write(publish(post, "{'id':'1','version':'1.0','params':{'CurrentTemperature':26},'method':'thing.event.property.post'}\x00"))
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "26")
	loose := 0
	for _, e := range m.timeline(lampProduct, lampName) {
		if e.Topic == post && strings.Contains(e.Sentence, "not standard JSON") {
			loose++
		}
	}
	if loose != 2 {
		t.Errorf("%d messages are marked as lenient, want 2", loose)
	}
}

func between(s, before, after string) string {
	_, s, _ = strings.Cut(s, before)
	s, _, _ = strings.Cut(s, after)
	return s
}
