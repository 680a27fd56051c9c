package test

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// Everything that Alibaba Cloud's own SDKs for Node can do, done against the
// real binary. Two of them have been published: the one that the vendor's
// documentation names, and its predecessor, which firmware of 2018 carries.
var nodeSDKs = []struct {
	name string
	sub  bool // knows sub-devices, property sets, RRPC and pushed configuration
}{
	{"alibabacloud-iot-device-sdk", true},
	{"aliyun-iot-device-sdk", false},
}

// sdkTSL is the night light with a synchronous service beside the asynchronous.
var sdkTSL = strings.Replace(lampTSL, `"services":[`, `"services":[{"identifier":"Measure","name":"测量","required":false,"callType":"sync","method":"thing.service.Measure",
   "inputData":[{"identifier":"Times","name":"次数","dataType":{"type":"int","specs":{"min":"1","max":"20","step":"1"}}}],
   "outputData":[{"identifier":"Done","name":"完成次数","dataType":{"type":"int","specs":{"min":"0","max":"20","step":"1"}}}]},`, 1)

func (m *matou) lampOfSDK(p *puppet) {
	m.t.Helper()
	m.product(lampProduct, "aliyun", "lenient", lampProductSecret, sdkTSL)
	m.add(lampProduct, lampName, lampSecret)
	p.do("make", object{"name": "lamp", "kind": "device", "config": object{
		"productKey": lampProduct, "deviceName": lampName, "deviceSecret": lampSecret, "brokerUrl": "mqtt://" + m.device}})
	p.hears("lamp", "connect")
}

func success(method string, data any) object {
	return object{"code": 200, "data": data, "message": "success", "method": method, "version": "1.0"}
}

func TestNodeSDKFeatures(t *testing.T) {
	for _, sdk := range nodeSDKs {
		t.Run(sdk.name, func(t *testing.T) {
			m := start(t, t.TempDir())
			p := m.puppet(sdk.name)
			m.lampOfSDK(p)
			const device = "/products/" + lampProduct + "/devices/" + lampName

			// Custom topics: one to hear, one to say what is no JSON.
			const custom = "/" + lampProduct + "/" + lampName + "/user/get"
			p.do("subscribe", object{"name": "lamp", "topic": custom})
			if got := p.replied("lamp", "subscribe"); at(got, "granted", 0, "qos") != 1.0 {
				t.Errorf("granted %v", got)
			}
			const update = "/" + lampProduct + "/" + lampName + "/user/update"
			p.publish("lamp", update, "not JSON", 1)
			m.awaitEntry(lampProduct, lampName, "the custom message", func(e entry) bool { return e.Topic == update && string(e.Payload) == "not JSON" })

			p.wants(p.call("lamp", "postProps", object{"CurrentTemperature": 23.5, "NightLightSwitch": 1}), success("thing.event.property.post", object{}))
			m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "23.5")
			p.wants(p.call("lamp", "postEvent", "SensorFault", object{"FaultCode": 2}), success("thing.event.SensorFault.post", object{}))
			events := must[struct{ Items []struct{ Event string } }](m, "GET", device+"/events", nil)
			if len(events.Items) != 1 || events.Items[0].Event != "SensorFault" {
				t.Errorf("events %+v", events)
			}
			p.wants(p.call("lamp", "postTags", []object{{"attrKey": "Room", "attrValue": "kitchen"}, {"attrKey": "Floor", "attrValue": "2"}}), success("thing.deviceinfo.update", object{}))
			p.wants(p.call("lamp", "deleteTags", []string{"Floor"}), success("thing.deviceinfo.delete", object{}))
			if tags := must[struct{ Tags map[string]string }](m, "GET", device, nil).Tags; tags["Room"] != "kitchen" || tags["Floor"] != "" {
				t.Errorf("tags %v", tags)
			}

			// The shadow: the SDK's versions are its clock in milliseconds.
			p.tell("lamp", "postShadow", object{"color": "red"})
			if got := p.hears("lamp", "shadow"); at(got, "method") != "reply" || at(got, "payload", "status") != "success" {
				t.Errorf("shadow %v", got)
			}
			p.tell("lamp", "getShadow")
			if got := p.hears("lamp", "shadow"); at(got, "payload", "state", "reported", "color") != "red" {
				t.Errorf("shadow %v", got)
			}
			must[object](m, "PATCH", device+"/shadow/desired", object{"desired": object{"color": "green"}})
			if got := p.hears("lamp", "shadow"); at(got, "method") != "control" || at(got, "payload", "state", "desired", "color") != "green" {
				t.Errorf("shadow %v", got)
			}
			p.tell("lamp", "deleteShadow", "color")
			if got := p.hears("lamp", "shadow"); at(got, "payload", "status") != "success" {
				t.Errorf("shadow %v", got)
			}

			// A remote configuration, asked for and pushed; the file is what was saved.
			const config = `{"interval":60}`
			must[object](m, "PUT", "/products/"+lampProduct+"/config", json.RawMessage(config))
			got := p.call("lamp", "getConfig")
			if at(got, "code") != 200.0 || at(got, "data", "getType") != "file" {
				t.Fatalf("configuration %v", got)
			}
			resp, err := http.Get(at(got, "data", "url").(string))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if raw, _ := io.ReadAll(resp.Body); string(raw) != config {
				t.Errorf("the file is %s", raw)
			}

			// An asynchronous service; the older SDK leaves the answer to its user.
			p.do("serve", object{"name": "lamp", "service": "Blink", "data": object{"Done": 3}, "how": "async"})
			p.replied("lamp", "serve")
			done := make(chan object, 1)
			invoke := func(service string) {
				done <- must[object](m, "POST", device+"/services/"+service, object{"input": object{"Times": 3}, "wait": "7s"})
			}
			go invoke("Blink")
			call := p.hears("lamp", "service")
			if at(call, "params", "Times") != 3.0 {
				t.Errorf("call %v", call)
			}
			if !sdk.sub {
				p.publish("lamp", lampSys+"thing/service/Blink_reply", `{"id":"`+at(call, "id").(string)+`","code":200,"data":{"Done":3}}`, 0)
			}
			if c := <-done; c["state"] != "acknowledged" || at(c, "output", "Done") != 3.0 {
				t.Errorf("the call became %v", c)
			}

			if !sdk.sub {
				return
			}

			must[object](m, "POST", "/products/"+lampProduct+"/config/push", object{})
			if got := p.hears("lamp", "config"); at(got, "params", "getType") != "file" && at(got, "data", "getType") != "file" {
				t.Errorf("pushed %v", got)
			}

			go func() {
				done <- must[object](m, "POST", device+"/properties", object{"values": object{"NightLightSwitch": 0}, "wait": "7s"})
			}()
			set := p.hears("lamp", "props")
			if at(set, "params", "NightLightSwitch") != 0.0 {
				t.Errorf("set %v", set)
			}
			p.publish("lamp", lampSys+"thing/service/property/set_reply", `{"id":"`+at(set, "id").(string)+`","code":200,"data":{}}`, 1)
			if c := <-done; c["state"] != "acknowledged" {
				t.Errorf("the set became %v", c)
			}

			// A synchronous service goes by RRPC; that is where the SDK answers.
			p.do("serve", object{"name": "lamp", "service": "Measure", "data": object{"Done": 2}, "how": "sync"})
			p.replied("lamp", "serve")
			go invoke("Measure")
			if call := p.hears("lamp", "service"); at(call, "params", "Times") != 3.0 {
				t.Errorf("call %v", call)
			}
			if c := <-done; c["state"] != "acknowledged" || at(c, "output", "Done") != 2.0 {
				t.Errorf("the synchronous call became %v", c)
			}
		})
	}
}

// TestNodeSDKGateway is a gateway and its sub-devices, all by the vendor's SDK.
func TestNodeSDKGateway(t *testing.T) {
	for _, sdk := range nodeSDKs {
		t.Run(sdk.name, func(t *testing.T) {
			m := gatewayHouse(t, 2)
			p := m.puppet(sdk.name)
			p.do("make", object{"name": "gate", "kind": "gateway", "config": object{
				"productKey": gatewayPK, "deviceName": "gate1", "deviceSecret": gatewaySecret, "brokerUrl": "mqtt://" + m.device}})
			p.hears("gate", "connect")
			triple := func(name string) object {
				return object{"productKey": nodePK, "deviceName": name, "deviceSecret": subSecret(name)}
			}
			sub := func(name string) object { return object{"deviceName": name, "productKey": nodePK} }

			// It asks for a secret of a device that was made beforehand.
			got := p.call("gate", "regiestSubDevice", []object{sub("sub_2")})
			if at(got, "code") == 200.0 {
				t.Errorf("registered before the product permits it: %v", got)
			}
			must[object](m, "PATCH", "/products/"+nodePK+"/registration", object{"enabled": true})
			got = p.call("gate", "regiestSubDevice", []object{sub("sub_2")})
			if at(got, "code") != 200.0 || at(got, "data", 0, "deviceSecret") != subSecret("sub_2") {
				t.Fatalf("registered: %v", got)
			}

			p.wants(p.call("gate", "addTopo", []object{triple("sub_1"), triple("sub_2")}), success("thing.topo.add", []object{sub("sub_1"), sub("sub_2")}))
			p.wants(p.call("gate", "getTopo"), success("thing.topo.get", []object{sub("sub_1"), sub("sub_2")}))
			if sdk.sub {
				p.do("login", object{"name": "gate", "as": "one", "config": triple("sub_1")})
			} else {
				p.do("call", object{"name": "gate", "method": "login", "args": []object{triple("sub_1")}})
			}
			m.awaitState(nodePK, "sub_1", "ONLINE")
			if sdk.sub {
				p.hears("one", "connect")
				p.wants(p.call("one", "postProps", object{"T": 21.5, "Light": 0}), success("thing.event.property.post", object{}))
				p.wants(p.call("one", "postTags", []object{{"attrKey": "Shelf", "attrValue": "3"}}), success("thing.deviceinfo.update", object{}))
				done := make(chan object, 1)
				go func() {
					done <- must[object](m, "POST", "/products/"+nodePK+"/devices/sub_1/properties", object{"values": object{"Light": true}, "wait": "7s"})
				}()
				set := p.hears("one", "props")
				if at(set, "params", "Light") != 1.0 {
					t.Errorf("set %v", set)
				}
				p.publish("one", "/sys/"+nodePK+"/sub_1/thing/service/property/set_reply", `{"id":"`+at(set, "id").(string)+`","code":200,"data":{}}`, 0)
				if c := <-done; c["state"] != "acknowledged" {
					t.Errorf("the set became %v", c)
				}
				p.tell("one", "postShadow", object{"color": "red"})
				if got := p.hears("one", "shadow"); at(got, "payload", "status") != "success" {
					t.Errorf("shadow %v", got)
				}
			} else {
				p.publish("gate", "/sys/"+nodePK+"/sub_1/thing/event/property/post", `{"id":"1","version":"1.0","params":{"T":21.5},"method":"thing.event.property.post"}`, 1)
			}
			m.awaitLatest(nodePK, "sub_1", "T", "21.5")

			got = p.call("gate", "logout", sub("sub_1"))
			if at(got, "code") != 200.0 {
				t.Errorf("logged out: %v", got)
			}
			m.awaitState(nodePK, "sub_1", "OFFLINE")
			p.wants(p.call("gate", "removeTopo", []object{sub("sub_2")}), success("thing.topo.delete", []object{sub("sub_2")}))
			p.wants(p.call("gate", "getTopo"), success("thing.topo.get", []object{sub("sub_1")}))
		})
	}
}

// meter is a product whose devices speak bytes, which a script reads.
func (m *matou) meter() {
	m.t.Helper()
	m.product(rawPK, "aliyun", "lenient", "", rawModel)
	m.add(rawPK, "meter01", rawSecret)
	file := filepath.Join(m.t.TempDir(), "parse.js")
	write(m.t, file, rawScript)
	m.does("product", "script", "set", rawPK, file)
}

// rawReport is a frame of rawScript: id, an int16, a bool and a float.
const rawReport = "\x00\x00\x22\x33\x44\x12\x32\x01\x3f\xa0\x00\x00"

// TestNodeSDKRaw sends bytes up, with an answer, and hears bytes.
func TestNodeSDKRaw(t *testing.T) {
	for _, sdk := range nodeSDKs {
		t.Run(sdk.name, func(t *testing.T) {
			m := start(t, t.TempDir())
			m.meter()
			p := m.puppet(sdk.name)
			p.do("make", object{"name": "meter", "kind": "device", "config": object{
				"productKey": rawPK, "deviceName": "meter01", "deviceSecret": rawSecret, "brokerUrl": "mqtt://" + m.device}})
			p.hears("meter", "connect")
			for _, topic := range []string{"up_raw_reply", "down_raw"} {
				p.do("subscribe", object{"name": "meter", "topic": rawUp + topic})
				p.replied("meter", "subscribe")
			}
			p.publish("meter", rawUp+"up_raw", rawReport, 1)
			if got := p.message("meter", rawUp+"up_raw_reply"); got != "\x02\x00\xc8" {
				t.Errorf("answered % x", got)
			}
			m.awaitLatest(rawPK, "meter01", "prop_float", "1.25")
			must[object](m, "POST", "/products/"+rawPK+"/devices/meter01/properties", object{"values": object{"prop_int16": 258}})
			if got := p.message("meter", rawUp+"down_raw"); got != "\x01\x01\x02" {
				t.Errorf("told % x", got)
			}
		})
	}
}
