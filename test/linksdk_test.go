package test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

// linkSDK4 is the program that MATOU_LINKSDK_C4 names: test/c/linksdk4.c linked
// with Alibaba Cloud's Link SDK for C 4.x. CONTRIBUTING.md says how to have it.
func (m *matou) linkSDK4(product, device, secret string, env ...string) *puppet {
	m.t.Helper()
	program := os.Getenv("MATOU_LINKSDK_C4")
	if program == "" {
		m.t.Skip("SKIPPED: Link SDK for C 4.x: set MATOU_LINKSDK_C4 to a program with it, see CONTRIBUTING.md")
	}
	p := m.play(exec.Command(program), "", append(env, "HOST=127.0.0.1", "PORT="+m.port, "DOWNLOAD_PORT="+m.port,
		"PRODUCT_KEY="+product, "DEVICE_NAME="+device, "DEVICE_SECRET="+secret)...)
	p.hears("lamp", "connect")
	return p
}

// is compares what an SDK was told with JSON.
func (p *puppet) is(got any, want string) {
	p.t.Helper()
	var w any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		p.t.Fatal(err)
	}
	if !reflect.DeepEqual(got, w) {
		g, _ := json.Marshal(got)
		p.t.Fatalf("the SDK was told %s\nwant %s", g, want)
	}
}

// TestLinkSDKForC4 does all that the components of Link SDK for C 4.x can. The
// SDK finds its answers by searching for text and subscribes to nothing of its
// own: it hears replies only if they are as it looks for them [aliyun-device §5.3].
func TestLinkSDKForC4(t *testing.T) {
	m := start(t, t.TempDir())
	m.product(lampProduct, "aliyun", "lenient", lampProductSecret, sdkTSL)
	m.add(lampProduct, lampName, lampSecret)
	p := m.linkSDK4(lampProduct, lampName, lampSecret)
	const device = "/products/" + lampProduct + "/devices/" + lampName

	const custom = "/" + lampProduct + "/" + lampName + "/user/"
	p.line("sub", custom+"get")
	p.is(p.hears("lamp", "suback"), `1`)
	p.line("pub", custom+"update", "hello")
	m.awaitEntry(lampProduct, lampName, "the custom message", func(e entry) bool { return string(e.Payload) == "hello" })

	p.line("property", `{"CurrentTemperature":23.5,"NightLightSwitch":1}`)
	p.is(p.hears("lamp", "reply"), `{"code":200,"data":{},"message":"success"}`)
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "23.5")
	p.line("event", "SensorFault", `{"FaultCode":2}`)
	p.is(p.hears("lamp", "reply"), `{"code":200,"data":{},"message":"success"}`)
	p.line("batch", fmt.Sprintf(`{"properties":{"CurrentTemperature":[{"value":24,"time":%d}]}}`, time.Now().UnixMilli()))
	p.is(p.hears("lamp", "reply"), `{"code":200,"data":{},"message":"success"}`)
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "24")

	done := make(chan object, 1)
	ask := func(path string, body object) {
		go func() { done <- must[object](m, "POST", device+path, body) }()
	}
	ask("/properties", object{"values": object{"NightLightSwitch": 0}, "wait": "7s"})
	p.is(p.hears("lamp", "props"), `{"NightLightSwitch":0}`)
	if c := <-done; c["state"] != "acknowledged" {
		t.Errorf("the set became %v", c)
	}
	ask("/services/Blink", object{"input": object{"Times": 3}, "wait": "7s"})
	p.is(p.hears("lamp", "service"), `{"Times":3}`)
	if c := <-done; c["state"] != "acknowledged" || at(c, "output", "Done") != 3.0 {
		t.Errorf("the service became %v", c)
	}
	ask("/services/Measure", object{"input": object{"Times": 2}, "wait": "7s"})
	p.is(p.hears("lamp", "service"), `{"Times":2}`)
	if c := <-done; c["state"] != "acknowledged" || at(c, "output", "Done") != 2.0 {
		t.Errorf("the synchronous service became %v", c)
	}

	must[object](m, "POST", device+"/desired", object{"values": object{"NightLightSwitch": 1}})
	p.is(p.hears("lamp", "props"), `{"NightLightSwitch":1}`)
	p.line("desired", `["NightLightSwitch"]`)
	p.is(at(p.hears("lamp", "reply"), "data"), `{"NightLightSwitch":{"value":1,"version":1}}`)
	p.line("undesire", `{"NightLightSwitch":{"version":1}}`)
	if got := p.hears("lamp", "reply"); at(got, "code") != 200.0 {
		t.Errorf("deleted: %v", got)
	}

	p.line("tag", `[{"attrKey":"Room","attrValue":"kitchen"}]`)
	p.is(p.hears("lamp", "tags"), `200`)
	p.line("untag", `[{"attrKey":"Room"}]`)
	p.is(p.hears("lamp", "tags"), `200`)

	p.line("shadow", `{"color":"red"}`, "1")
	p.is(p.hears("lamp", "shadow"), `{"status":"success","version":1}`)
	must[object](m, "PATCH", device+"/shadow/desired", object{"desired": object{"color": "green"}})
	if got := p.hears("lamp", "control"); at(got, "state", "desired", "color") != "green" {
		t.Errorf("control %v", got)
	}
	p.line("shadow?")
	if got := p.hears("lamp", "shadowis"); at(got, "state", "reported", "color") != "red" {
		t.Errorf("shadow %v", got)
	}
	p.line("shadow-clean", "3")
	p.is(p.hears("lamp", "shadow"), `{"status":"success","version":3}`)
	p.line("shadow-delete", `{"color":"null"}`, "4")
	p.is(p.hears("lamp", "shadow"), `{"status":"success","version":4}`)

	p.line("time")
	if got, _ := p.hears("lamp", "time").(float64); time.Since(time.UnixMilli(int64(got))).Abs() > time.Minute {
		t.Errorf("the time is %v", got)
	}
	p.is(p.hears("lamp", "logging"), `0`) // it asked when it connected
	must[object](m, "PUT", device+"/log", object{"on": true})
	p.is(p.hears("lamp", "logging"), `1`)
	p.line("log", "the lamp is warm")
	m.awaitEntry(lampProduct, lampName, "the line of the log", func(e entry) bool {
		return bytes.Contains([]byte(e.Sentence+string(e.Payload)), []byte("the lamp is warm"))
	})
}

// TestLinkSDKForC4Upgrades brings firmware to the SDK. Its parser takes no port
// in an address, so the port is given to it beside [aliyun-device §4.12].
func TestLinkSDKForC4Upgrades(t *testing.T) {
	config := filepath.Join(t.TempDir(), "matou.yaml")
	write(t, config, "ota: {url: http://127.0.0.1}\n")
	m := start(t, t.TempDir(), "--config", config)
	m.product(lampProduct, "aliyun", "lenient", lampProductSecret, sdkTSL)
	m.add(lampProduct, lampName, lampSecret)
	p := m.linkSDK4(lampProduct, lampName, lampSecret)
	p.line("version", "1.0.0")
	pkg := must[struct{ ID string }](m, "PUT", "/products/"+lampProduct+"/ota/packages?version=2.0.0", noise(50_000)).ID
	job := must[struct{ ID string }](m, "POST", "/products/"+lampProduct+"/ota/jobs", object{"package": pkg, "devices": []string{lampName}}).ID
	if got := p.hears("lamp", "firmware"); at(got, "version") != "2.0.0" || at(got, "size") != 50_000.0 {
		t.Errorf("firmware %v", got)
	}
	p.hears("lamp", "downloaded") // the SDK checked the digest
	p.line("version", "2.0.0")
	m.await("the job to be done", func() bool {
		return must[struct{ State string }](m, "GET", "/products/"+lampProduct+"/ota/jobs/"+job, nil).State == "COMPLETED"
	})
	// A configuration comes by the same component.
	must[object](m, "PUT", "/products/"+lampProduct+"/config", json.RawMessage(`{"interval":60}`))
	must[object](m, "POST", "/products/"+lampProduct+"/config/push", object{})
	if got := p.hears("lamp", "config"); at(got, "size") != 15.0 {
		t.Errorf("configuration %v", got)
	}
}

// TestLinkSDKForC4Raw speaks bytes.
func TestLinkSDKForC4Raw(t *testing.T) {
	m := start(t, t.TempDir())
	m.meter()
	p := m.linkSDK4(rawPK, "meter01", rawSecret)
	p.line("raw", hex.EncodeToString([]byte(rawReport)))
	p.is(p.hears("lamp", "rawreply"), `"0200c8"`)
	m.awaitLatest(rawPK, "meter01", "prop_float", "1.25")
	must[object](m, "POST", "/products/"+rawPK+"/devices/meter01/properties", object{"values": object{"prop_int16": 258}})
	p.is(p.hears("lamp", "raw"), `"010102"`)
}

// TestLinkSDKForC4Gateway is a gateway with the subdev component.
func TestLinkSDKForC4Gateway(t *testing.T) {
	m := gatewayHouse(t, 1)
	p := m.linkSDK4(gatewayPK, "gate1", gatewaySecret, "GATEWAY=1")
	sub := []string{nodePK, "sub_1", subSecret("sub_1")}
	order := func(verb string) object {
		p.line(append([]string{verb}, sub...)...)
		o, _ := p.hears("lamp", "sub").(object)
		return o
	}
	p.is(order("topo-add"), `{"type":0,"code":200,"data":[{"deviceName":"sub_1","productKey":"a1SubSensor"}]}`)
	p.is(order("topo?"), `{"type":2,"code":200,"data":[{"deviceName":"sub_1","productKey":"a1SubSensor"}]}`)
	p.is(order("login"), `{"type":3,"code":200,"data":[{"deviceName":"sub_1","productKey":"a1SubSensor"}]}`)
	m.awaitState(nodePK, "sub_1", "ONLINE")
	p.line("pub", "/sys/"+nodePK+"/sub_1/thing/event/property/post", `{"id":"1","version":"1.0","params":{"T":21.5},"method":"thing.event.property.post"}`)
	m.awaitLatest(nodePK, "sub_1", "T", "21.5")
	p.is(order("logout")["code"], `200`)
	m.awaitState(nodePK, "sub_1", "OFFLINE")
	p.is(order("topo-delete")["code"], `200`)
}

// linkSDK3 is the same with Link SDK for C 3.x, test/c/linksdk3.c.
func (m *matou) linkSDK3(product, device, secret string) *puppet {
	m.t.Helper()
	program := os.Getenv("MATOU_LINKSDK_C3")
	if program == "" {
		m.t.Skip("SKIPPED: Link SDK for C 3.x: set MATOU_LINKSDK_C3 to a program with it, see CONTRIBUTING.md")
	}
	p := m.play(exec.Command(program), "", "HOST=127.0.0.1", "PORT="+m.port, "PRODUCT_KEY="+product, "DEVICE_NAME="+device, "DEVICE_SECRET="+secret)
	p.hears("lamp", "ready")
	return p
}

// TestLinkSDKForC3 does what the thing model of Link SDK for C 3.x can.
func TestLinkSDKForC3(t *testing.T) {
	m := start(t, t.TempDir())
	m.product(lampProduct, "aliyun", "lenient", lampProductSecret, sdkTSL)
	m.add(lampProduct, lampName, lampSecret)
	p := m.linkSDK3(lampProduct, lampName, lampSecret)
	const device = "/products/" + lampProduct + "/devices/" + lampName

	p.line("property", `{"CurrentTemperature":23.5,"NightLightSwitch":1}`)
	p.is(p.hears("lamp", "reply"), `200`)
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "23.5")
	p.line("event", "SensorFault", `{"FaultCode":2}`)
	p.is(p.hears("lamp", "event"), `200`)
	p.line("tag", `[{"attrKey":"Room","attrValue":"kitchen"}]`)
	p.is(p.hears("lamp", "reply"), `200`)
	if tags := must[struct{ Tags map[string]string }](m, "GET", device, nil).Tags; tags["Room"] != "kitchen" {
		t.Errorf("tags %v", tags)
	}
	p.line("untag", `[{"attrKey":"Room"}]`)
	p.is(p.hears("lamp", "reply"), `200`)
	p.line("time")
	if got, _ := p.hears("lamp", "time").(float64); time.Since(time.UnixMilli(int64(got))).Abs() > time.Minute {
		t.Errorf("the time is %v", got)
	}

	done := make(chan object, 1)
	ask := func(path string, body object) {
		go func() { done <- must[object](m, "POST", device+path, body) }()
	}
	ask("/properties", object{"values": object{"NightLightSwitch": 0}, "wait": "7s"})
	p.is(p.hears("lamp", "props"), `{"NightLightSwitch":0}`)
	if c := <-done; c["state"] != "acknowledged" {
		t.Errorf("the set became %v", c)
	}
	for _, service := range []string{"Blink", "Measure"} {
		ask("/services/"+service, object{"input": object{"Times": 3}, "wait": "7s"})
		p.is(p.hears("lamp", "service"), `{"Times":3}`)
		if c := <-done; c["state"] != "acknowledged" || at(c, "output", "Done") != 3.0 {
			t.Errorf("%s became %v", service, c)
		}
	}

	must[object](m, "PUT", "/products/"+lampProduct+"/config", json.RawMessage(`{"interval":60}`))
	p.line("config?")
	if got := p.hears("lamp", "config"); at(got, "size") != 15.0 {
		t.Errorf("configuration %v", got)
	}
	must[object](m, "POST", "/products/"+lampProduct+"/config/push", object{})
	if got := p.hears("lamp", "config"); at(got, "size") != 15.0 {
		t.Errorf("configuration pushed %v", got)
	}
}

// TestLinkSDKForC3Raw speaks bytes.
func TestLinkSDKForC3Raw(t *testing.T) {
	m := start(t, t.TempDir())
	m.meter()
	p := m.linkSDK3(rawPK, "meter01", rawSecret)
	p.line("raw", hex.EncodeToString([]byte(rawReport)))
	p.is(p.hears("lamp", "raw"), `"0200c8"`)
	m.awaitLatest(rawPK, "meter01", "prop_float", "1.25")
	must[object](m, "POST", "/products/"+rawPK+"/devices/meter01/properties", object{"values": object{"prop_int16": 258}})
	p.is(p.hears("lamp", "raw"), `"010102"`)
}

// TestLinkSDKForC3Gateway is a master with a slave.
func TestLinkSDKForC3Gateway(t *testing.T) {
	m := gatewayHouse(t, 1)
	p := m.linkSDK3(gatewayPK, "gate1", gatewaySecret)
	p.line("open", nodePK, "sub_1", subSecret("sub_1"))
	p.line("login")
	p.hears("sub", "ready")
	m.awaitState(nodePK, "sub_1", "ONLINE")
	p.line("sub-property", `{"T":21.5}`)
	p.is(p.hears("lamp", "reply"), `200`) // the SDK counts it as its master's
	m.awaitLatest(nodePK, "sub_1", "T", "21.5")
	done := make(chan object, 1)
	go func() {
		done <- must[object](m, "POST", "/products/"+nodePK+"/devices/sub_1/properties", object{"values": object{"Light": true}, "wait": "7s"})
	}()
	p.is(p.hears("sub", "props"), `{"Light":1}`)
	if c := <-done; c["state"] != "acknowledged" {
		t.Errorf("the set became %v", c)
	}
	p.line("topo?")
	p.is(p.hears("lamp", "topo"), `[{"deviceName":"sub_1","productKey":"`+nodePK+`"}]`)
	p.line("logout")
	m.awaitState(nodePK, "sub_1", "OFFLINE")
}
