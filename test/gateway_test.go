package test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	gatewayPK, gatewaySecret = "a1Gateway01", "0123456789abcdef0123456789abcdef"
	nodePK                   = "a1SubSensor"
)

// subSecret is the secret of a sub-device.
func subSecret(name string) string { return ("q1W2e3R4t5Y6u7I8o9P0aSdFgHjKlZxC" + name)[len(name):] }

// subParams are a sub-device with its signature, as C3 writes it: the clientId
// with its bars is signed whole.
func subParams(name, secret string) string {
	clientID := nodePK + "." + name + "|_v=sdk-c-3.0.1|"
	mac := hmac.New(sha1.New, []byte(secret))
	fmt.Fprintf(mac, "clientId%sdeviceName%sproductKey%stimestamp123456", clientID, name, nodePK)
	return fmt.Sprintf(`{"productKey":"%s","deviceName":"%s","clientId":"%s","timestamp":"123456","signmethod":"hmacSha1","sign":"%s"}`,
		nodePK, name, clientID, hex.EncodeToString(mac.Sum(nil)))
}

// subModel is what the sub-devices are.
const subModel = `{"schema":"x","profile":{"productKey":"a1SubSensor"},"properties":[` +
	`{"identifier":"T","name":"t","accessMode":"r","dataType":{"type":"float","specs":{"min":"-40","max":"85"}}},` +
	`{"identifier":"Light","name":"l","accessMode":"rw","dataType":{"type":"bool","specs":{"0":"off","1":"on"}}}],"events":[],"services":[]}`

// gatewayHouse is a server with a gateway and sub-devices sub_1, sub_2 and so on.
func gatewayHouse(t *testing.T, subs int) *matou {
	m := start(t, t.TempDir())
	must[object](m, "POST", "/products", object{"key": gatewayPK, "dialect": "aliyun", "nodeType": "gateway"})
	m.product(nodePK, "aliyun", "lenient", "", subModel)
	m.add(gatewayPK, "gate1", gatewaySecret)
	for i := range subs {
		name := fmt.Sprint("sub_", i+1)
		m.add(nodePK, name, subSecret(name))
	}
	return m
}

// ask publishes and expects exactly this answer, on the topic with _reply.
func (w *wire) ask(topic, payload, want string) {
	w.t.Helper()
	w.Write(publish(topic, payload))
	w.told(topic+"_reply", want)
}

// told expects exactly this message next.
func (w *wire) told(topic, want string) {
	w.t.Helper()
	if on, got := w.message(); on != topic || got != want {
		w.t.Fatalf("told  %s %s\nwant %s %s", on, got, topic, want)
	}
}

func TestAliyunGateway(t *testing.T) {
	m := gatewayHouse(t, 2)
	gw := m.loginAliyun(gatewayPK, "gate1", gatewaySecret)
	const own, session = "/sys/a1Gateway01/gate1/thing/", "/ext/session/a1Gateway01/gate1/combine/"
	const sub1, sub2 = "/sys/a1SubSensor/sub_1/thing/", "/sys/a1SubSensor/sub_2/thing/"
	const both = `[{"deviceName":"sub_1","productKey":"a1SubSensor"},{"deviceName":"sub_2","productKey":"a1SubSensor"}]`
	const one, two = `{"deviceName":"sub_1","productKey":"a1SubSensor"}`, `{"deviceName":"sub_2","productKey":"a1SubSensor"}`
	post := func(id, params string) string {
		return `{"id":"` + id + `","version":"1.0","params":` + params + `,"method":"thing.event.property.post"}`
	}
	posted := func(id string) string {
		return `{"code":200,"data":{},"id":"` + id + `","message":"success","method":"thing.event.property.post","version":"1.0"}`
	}

	// A wrong signature is refused and explained: the gateway's secret was used.
	wrong := subParams("sub_1", gatewaySecret)
	gw.ask(own+"topo/add", `{"id":"1","version":"1.0","params":[`+wrong+`],"method":"thing.topo.add"}`,
		`{"code":401,"data":{},"id":"1","message":"request auth error","method":"thing.topo.add","version":"1.0"}`)
	why := m.awaitEntry(gatewayPK, "gate1", "the mistake to be named", func(e entry) bool { return e.Code == "aliyun-sub-gateway-secret" })
	if !strings.Contains(why.Sentence, "sub_1") || !strings.Contains(why.SentenceZh, "网关的密钥") {
		t.Errorf("said %q, %q", why.Sentence, why.SentenceZh)
	}
	// Nothing is heard of a device that is no sub-device of it.
	gw.Write(publish(sub1+"event/property/post", post("2", `{"T":1}`)))
	if topic, got := gw.message(); topic != "/ext/error/a1Gateway01/gate1" || !strings.HasPrefix(got, `{"code":6401,"data":`+one+`,"id":"`) || !strings.HasSuffix(got, `","message":"topo relation not exist"}`) {
		t.Fatalf("told %s %s", topic, got)
	}

	gw.ask(own+"topo/add", `{"id":"3","version":"1.0","params":[`+subParams("sub_1", subSecret("sub_1"))+`,`+subParams("sub_2", subSecret("sub_2"))+`],"method":"thing.topo.add"}`,
		`{"code":200,"data":`+both+`,"id":"3","message":"success","method":"thing.topo.add","version":"1.0"}`)
	gw.ask(own+"topo/get", `{"id":"4","version":"1.0","params":"{}","method":"thing.topo.get"}`,
		`{"code":200,"data":`+both+`,"id":"4","message":"success","method":"thing.topo.get","version":"1.0"}`)
	gw.Write(publish(sub1+"event/property/post", post("5", `{"T":1}`)))
	if topic, got := gw.message(); topic != "/ext/error/a1Gateway01/gate1" || !strings.Contains(got, `"code":520,"data":`+one) || !strings.HasSuffix(got, `"message":"device session error"}`) {
		t.Fatalf("without a login told %s %s", topic, got)
	}

	// One logs in alone, the other in a batch; both report on their own topics.
	gw.ask(session+"login", `{"id":"6","params":`+subParams("sub_1", subSecret("sub_1"))+`}`, `{"code":200,"data":`+one+`,"id":"6","message":"success"}`)
	gw.ask(session+"batch_login", `{"id":"7","params":{"deviceList":[`+subParams("sub_2", subSecret("sub_2"))+`]}}`, `{"code":200,"data":[`+two+`],"id":"7","message":"success"}`)
	m.awaitState(nodePK, "sub_1", "ONLINE")
	m.awaitState(nodePK, "sub_2", "ONLINE")
	gw.ask(sub1+"event/property/post", post("8", `{"T":21.5,"Light":0}`), posted("8"))
	gw.ask(sub2+"event/property/post", post("9", `{"T":22.5}`), posted("9"))
	m.awaitLatest(nodePK, "sub_1", "T", "21.5")
	m.awaitLatest(nodePK, "sub_2", "T", "22.5")
	// What any device may ask, a sub-device may as well, on the gateway's connection.
	gw.Write(publish("/ext/ntp/a1SubSensor/sub_1/request", `{"deviceSendTime":"1"}`))
	if topic, got := gw.message(); topic != "/ext/ntp/a1SubSensor/sub_1/response" || !strings.HasPrefix(got, `{"deviceSendTime":"1",`) {
		t.Fatalf("told %s %s", topic, got)
	}

	// A set travels through the gateway, and so does its answer.
	answered := make(chan string, 1)
	go func() {
		topic, got := gw.message()
		var set struct{ ID string }
		json.Unmarshal([]byte(got), &set)
		gw.Write(publish(sub1+"service/property/set_reply", `{"id":"`+set.ID+`","code":200,"data":{}}`))
		answered <- topic + " " + strings.Replace(got, set.ID, "N", 1)
	}()
	done := must[struct{ State string }](m, "POST", "/products/a1SubSensor/devices/sub_1/properties", object{"values": object{"Light": true}, "wait": "5s"})
	if want := sub1 + `service/property/set {"method":"thing.service.property.set","id":"N","params":{"Light":1},"version":"1.0.0"}`; done.State != "acknowledged" || <-answered != want {
		t.Fatalf("the set is %s", done.State)
	}

	// Custom topics of a sub-device are the gateway's to subscribe to, those of a stranger are not.
	m.add(nodePK, "stranger", "")
	gw.Write(frame(0x82, "\x00\x07"+str("/a1SubSensor/sub_1/user/get")+"\x01"+str("/a1SubSensor/stranger/user/get")+"\x01"))
	gw.expect("90 04 00 07 01 80")

	// An operator disables a sub-device: the gateway is told twice, and heard no more.
	must[object](m, "PATCH", "/products/a1SubSensor/devices/sub_2", object{"enabled": false})
	gw.toldLike(sub2+"disable", `"params":{},"method":"thing.disable"}`)
	gw.toldLike(own+"topo/change", `"params":{"status":8,"subList":[{"productKey":"a1SubSensor","deviceName":"sub_2"}]},"method":"thing.topo.change"}`)
	m.awaitState(nodePK, "sub_2", "DISABLED")
	gw.Write(publish(sub2+"event/property/post", post("10", `{"T":30}`)))
	gw.toldLike("/ext/error/a1Gateway01/gate1", `"message":"device forbidden"}`)
	gw.ask(session+"login", `{"id":"11","params":`+subParams("sub_2", subSecret("sub_2"))+`}`, `{"code":522,"data":{},"id":"11","message":"device forbidden"}`)
	must[object](m, "PATCH", "/products/a1SubSensor/devices/sub_2", object{"enabled": true})
	gw.toldLike(sub2+"enable", `"method":"thing.enable"}`)
	gw.toldLike(own+"topo/change", `"params":{"status":2,"subList":[{"productKey":"a1SubSensor","deviceName":"sub_2"}]},"method":"thing.topo.change"}`)
	gw.ask(session+"login", `{"id":"12","params":`+subParams("sub_2", subSecret("sub_2"))+`}`, `{"code":200,"data":`+two+`,"id":"12","message":"success"}`)

	// The list for people.
	out, errs, code := m.cli("device", "sub", "list", "a1Gateway01/gate1")
	if code != 0 || strings.Count(out, "ONLINE") != 2 || !strings.Contains(out, "a1SubSensor/sub_2") {
		t.Errorf("%d %s%s", code, out, errs)
	}
	if out, errs, code = m.cli("device", "sub", "add", "a1Gateway01/gate1", "a1SubSensor/stranger", "--ask"); code != 0 {
		t.Errorf("%d %s%s", code, out, errs)
	}
	gw.toldLike(own+"topo/add/notify", `"params":[{"deviceName":"stranger","productKey":"a1SubSensor"}],"method":"thing.topo.add.notify"}`)

	// The connection breaks: all go with it.
	gw.Close()
	for _, name := range []string{"sub_1", "sub_2"} {
		m.awaitState(nodePK, name, "OFFLINE")
	}
	if s := must[struct{ OfflineReason string }](m, "GET", "/products/a1SubSensor/devices/sub_1/status", nil); s.OfflineReason != "gateway offline" {
		t.Errorf("offline because of %q", s.OfflineReason)
	}
	if got := m.latest(nodePK, "sub_2", "T"); got != "22.5" {
		t.Errorf("what a disabled sub-device said is kept: %s", got)
	}
}

// toldLike expects a message that ends so; its id is the server's own.
func (w *wire) toldLike(topic, end string) {
	w.t.Helper()
	if on, got := w.message(); on != topic || !strings.HasSuffix(got, end) {
		w.t.Fatalf("told  %s %s\nwant %s …%s", on, got, topic, end)
	}
}

func TestSubDeviceIsInOnePlace(t *testing.T) {
	m := gatewayHouse(t, 1)
	m.add(gatewayPK, "gate2", gatewaySecret)
	one, two := m.loginAliyun(gatewayPK, "gate1", gatewaySecret), m.loginAliyun(gatewayPK, "gate2", gatewaySecret)
	params := subParams("sub_1", subSecret("sub_1"))
	const names = `{"deviceName":"sub_1","productKey":"a1SubSensor"}`
	enter := func(w *wire, gate string) {
		t.Helper()
		w.ask("/sys/a1Gateway01/"+gate+"/thing/topo/add", `{"id":"1","params":[`+params+`]}`,
			`{"code":200,"data":[`+names+`],"id":"1","message":"success","method":"thing.topo.add","version":"1.0"}`)
		w.ask("/ext/session/a1Gateway01/"+gate+"/combine/login", `{"id":"2","params":`+params+`}`, `{"code":200,"data":`+names+`,"id":"2","message":"success"}`)
	}
	through := func(want string) {
		t.Helper()
		m.await("sub_1 to be there "+want, func() bool {
			s := must[struct{ State, Protocol string }](m, "GET", "/products/a1SubSensor/devices/sub_1/status", nil)
			return s.State == "ONLINE" && strings.Contains(s.Protocol, want)
		})
	}
	enter(one, "gate1")
	through("gateway a1Gateway01/gate1")

	// Another gateway proves that it has it now.
	enter(two, "gate2")
	one.toldLike("/ext/error/a1Gateway01/gate1", `"message":"topo relation not exist"}`)
	one.toldLike("/sys/a1Gateway01/gate1/thing/topo/change", `"params":{"status":1,"subList":[{"productKey":"a1SubSensor","deviceName":"sub_1"}]},"method":"thing.topo.change"}`)
	through("gateway a1Gateway01/gate2")
	one.Write(publish("/sys/a1SubSensor/sub_1/thing/event/property/post", `{"id":"3","params":{"T":1}}`))
	one.toldLike("/ext/error/a1Gateway01/gate1", `"message":"topo relation not exist"}`)

	// It comes by itself.
	direct := m.loginAliyun(nodePK, "sub_1", subSecret("sub_1"))
	two.toldLike("/ext/error/a1Gateway01/gate2", `"message":"device connect in elsewhere"}`)
	through("MQTT 3.1.1 over tcp")
	direct.ask("/sys/a1SubSensor/sub_1/thing/event/property/post", `{"id":"4","params":{"T":2}}`,
		`{"code":200,"data":{},"id":"4","message":"success","method":"thing.event.property.post","version":"1.0"}`)

	// And back again: its own connection ends.
	two.ask("/ext/session/a1Gateway01/gate2/combine/login", `{"id":"5","params":`+params+`}`, `{"code":200,"data":`+names+`,"id":"5","message":"success"}`)
	direct.expectClosed()
	through("gateway a1Gateway01/gate2")

	// An operator takes it away, and deletes it.
	if out, errs, code := m.cli("device", "sub", "remove", "a1Gateway01/gate2", "a1SubSensor/sub_1", "--yes"); code != 0 {
		t.Fatalf("%d %s%s", code, out, errs)
	}
	two.toldLike("/ext/error/a1Gateway01/gate2", `"message":"topo relation not exist"}`)
	two.toldLike("/sys/a1Gateway01/gate2/thing/topo/change", `"status":1,"subList":[{"productKey":"a1SubSensor","deviceName":"sub_1"}]},"method":"thing.topo.change"}`)
	m.awaitState(nodePK, "sub_1", "OFFLINE")
	enter(two, "gate2")
	if status, raw := m.call("DELETE", "/products/a1SubSensor/devices/sub_1", nil); status != 204 {
		t.Fatalf("%d %s", status, raw)
	}
	two.toldLike("/sys/a1SubSensor/sub_1/thing/delete", `"method":"thing.delete"}`)
	two.toldLike("/sys/a1Gateway01/gate2/thing/topo/change", `"status":1,"subList":[{"productKey":"a1SubSensor","deviceName":"sub_1"}]},"method":"thing.topo.change"}`)
}

func TestOneNETGateway(t *testing.T) {
	const (
		gwPID, gwKey   = "GwPr0duct1", "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw="
		subPID, subKey = "SubPr0duct", "EnW4T71eIE55xOIQMN6pFMKuqel5T5HTzsGJRPiDhlM="
		root           = "$sys/GwPr0duct1/gw/thing/"
		names          = `"productID":"SubPr0duct","deviceName":"s1"`
	)
	m := start(t, t.TempDir())
	must[object](m, "POST", "/products", object{"key": gwPID, "dialect": "onenet", "nodeType": "gateway"})
	m.product(subPID, "onenet", "lenient", "", `{"properties":[{"identifier":"temperature","name":"t","functionType":"u","accessMode":"rw","functionMode":"property","dataType":{"type":"float","specs":{"min":"-100","max":"100"}}}],`+
		`"events":[{"identifier":"alarm","name":"a","functionType":"u","functionMode":"event","eventType":"alert","outputData":[{"identifier":"WF","name":"w","dataType":{"type":"int32","specs":{}}}]}],"services":[]}`)
	m.add(gwPID, "gw", gwKey)
	m.add(subPID, "s1", subKey)
	gw := m.dial()
	gw.Write(connect("gw", gwPID, onenetToken(gwPID, "gw", gwKey, 1_900_000_000), 60, true))
	gw.expect("20 02 00 00")
	gw.Write(frame(0x82, "\x00\x01"+str(root+"#")+"\x00"))
	gw.expect("90 03 00 01 00")
	ask := func(path, payload, want string) {
		t.Helper()
		gw.Write(publish(root+path, payload))
		gw.told(root+path+"/reply", want)
	}
	// Made with the gateway's own key, a token is refused and explained.
	ask("sub/topo/add", `{"id":"1","version":"1.0","params":{`+names+`,"sasToken":"`+onenetToken(subPID, "s1", gwKey, 1_900_000_000)+`"}}`, `{"id":"1","code":2312,"msg":"not proved"}`)
	m.awaitEntry(gwPID, "gw", "the mistake to be named", func(e entry) bool { return e.Code == "onenet-sub-gateway-key" })
	ask("pack/post", `{"id":"2","version":"1.0","params":[{"identity":{`+names+`},"properties":{"temperature":{"value":1}}}]}`, `{"id":"2","code":2312,"msg":"not a sub-device of this gateway:SubPr0duct/s1"}`)
	ask("sub/topo/add", `{"id":"3","version":"1.0","params":{`+names+`,"sasToken":"`+onenetToken(subPID, "s1", subKey, 1_900_000_000)+`"}}`, `{"id":"3","code":200,"msg":"success"}`)
	ask("sub/topo/get", `{"id":"4","version":"1.0"}`, `{"id":"4","code":200,"msg":"success","data":[{"deviceName":"s1","productID":"SubPr0duct"}]}`)
	ask("sub/login", `{"id":"5","version":"1.0","params":{`+names+`}}`, `{"id":"5","code":200,"msg":"success"}`)
	m.awaitState(subPID, "s1", "ONLINE")
	ask("pack/post", `{"id":"6","version":"1.0","params":[{"identity":{`+names+`},"properties":{"temperature":{"value":21.5}},"events":{"alarm":{"value":{"WF":2}}}}]}`, `{"id":"6","code":200,"msg":"success"}`)
	m.awaitLatest(subPID, "s1", "temperature", "21.5")
	// The value leads to the message of the gateway, by the record that has both.
	sub := "/products/" + subPID + "/devices/s1"
	brought := must[struct{ Items []struct{ Record uint64 } }](m, "GET", sub+"/properties/temperature/history", nil).Items[0].Record
	if o := must[struct {
		Product, Device string
		Entry           uint64
		Kept            bool
	}](m, "GET", fmt.Sprintf("%s/records/%d", sub, brought), nil); !o.Kept || root != "$sys/"+o.Product+"/"+o.Device+"/thing/" {
		t.Errorf("record %d is of %+v", brought, o)
	} else if l := must[layered](m, "GET", fmt.Sprintf("/products/%s/devices/%s/timeline/%d/layers", o.Product, o.Device, o.Entry), nil); len(l.Stored) != 2 || l.Stored[0].Record != brought || l.Stored[1].By != "record" {
		t.Errorf("stored %+v", l.Stored)
	}

	answered := make(chan string, 1)
	go func() {
		topic, got := gw.message()
		var set struct{ ID string }
		json.Unmarshal([]byte(got), &set)
		gw.Write(publish(root+"sub/property/set_reply", `{"id":"`+set.ID+`","code":200,"msg":"success"}`))
		answered <- topic + " " + strings.Replace(got, set.ID, "N", 1)
	}()
	done := must[struct{ State string }](m, "POST", "/products/SubPr0duct/devices/s1/properties", object{"values": object{"temperature": 30.5}, "wait": "5s"})
	if want := root + `sub/property/set {"id":"N","version":"1.0","params":{` + names + `,"params":{"temperature":30.5}}}`; done.State != "acknowledged" || <-answered != want {
		t.Fatalf("the set is %s", done.State)
	}

	// An operator takes it away: the gateway is told all that it still has.
	if status, raw := m.call("DELETE", "/products/GwPr0duct1/devices/gw/subs/SubPr0duct/s1", nil); status != 204 {
		t.Fatalf("%d %s", status, raw)
	}
	gw.toldLike(root+"sub/topo/change", `"version":"1.0","params":{"subList":[]}}`)
	m.awaitState(subPID, "s1", "OFFLINE")
}

// TestWhatASubDeviceIsToldWhileItIsAway: what it is told while it, or its
// gateway, is away waits where its last login said cleanSession false, over a
// restart of the server as well, and comes behind the answer to the next login
// [aliyun-device §2.5, §4.16]. Configuration goes through the gateway, whether
// it is pushed or asked for.
func TestWhatASubDeviceIsToldWhileItIsAway(t *testing.T) {
	data := t.TempDir()
	m := start(t, data)
	must[object](m, "POST", "/products", object{"key": gatewayPK, "dialect": "aliyun", "nodeType": "gateway"})
	m.product(nodePK, "aliyun", "lenient", "", subModel)
	m.add(gatewayPK, "gate1", gatewaySecret)
	m.add(nodePK, "sub_1", subSecret("sub_1"))
	gw := m.loginAliyun(gatewayPK, "gate1", gatewaySecret)
	const session, sub1 = "/ext/session/a1Gateway01/gate1/combine/", "/sys/a1SubSensor/sub_1/thing/"
	const one = `{"deviceName":"sub_1","productKey":"a1SubSensor"}`
	login := func(id, clean string) {
		t.Helper()
		params := strings.Replace(subParams("sub_1", subSecret("sub_1")), `,"sign":`, `,"cleanSession":"`+clean+`","sign":`, 1)
		gw.ask(session+"login", `{"id":"`+id+`","params":`+params+`}`, `{"code":200,"data":`+one+`,"id":"`+id+`","message":"success"}`)
	}
	logout := func(id string) {
		t.Helper()
		gw.ask(session+"logout", `{"id":"`+id+`","params":`+one+`}`, `{"code":200,"data":`+one+`,"id":"`+id+`","message":"success"}`)
	}
	set := func(light bool) string {
		t.Helper()
		c := must[struct{ State, ID string }](m, "POST", "/products/a1SubSensor/devices/sub_1/properties", object{"values": object{"Light": light}})
		if c.State != "queued" {
			t.Fatalf("the set is %s", c.State)
		}
		return c.ID
	}
	say := func(id, value string) string {
		return `{"method":"thing.service.property.set","id":"` + id + `","params":{"Light":` + value + `},"version":"1.0.0"}`
	}
	gw.ask("/sys/a1Gateway01/gate1/thing/topo/add", `{"id":"1","version":"1.0","params":[`+subParams("sub_1", subSecret("sub_1"))+`],"method":"thing.topo.add"}`,
		`{"code":200,"data":[`+one+`],"id":"1","message":"success","method":"thing.topo.add","version":"1.0"}`)
	login("2", "false")
	logout("3")
	first := set(true)

	m.stop()
	m = start(t, data)
	second := set(false) // its gateway is away, too
	file := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(file, []byte(`{"interval": 60}`), 0o600); err != nil {
		t.Fatal(err)
	}
	m.does("product", "config", "upload", nodePK, file)
	if out := m.does("product", "config", "push", nodePK); !strings.Contains(out, "1") {
		t.Errorf("the push says %s", out)
	}
	gw = m.loginAliyun(gatewayPK, "gate1", gatewaySecret)
	login("4", "false")
	gw.told(sub1+"service/property/set", say(first, "1"))
	gw.told(sub1+"service/property/set", say(second, "0"))
	topic, pushed := gw.message()
	if topic != sub1+"config/push" || !strings.Contains(pushed, `"method":"thing.config.push"`) {
		t.Fatalf("told %s %s", topic, pushed)
	}
	var push struct{ ID string }
	if err := json.Unmarshal([]byte(pushed), &push); err != nil {
		t.Fatal(err)
	}
	gw.Write(publish(sub1+"config/push_reply", `{"id":"`+push.ID+`","code":200,"data":{}}`))
	m.await("the sub-device's answer", func() bool {
		return strings.Contains(m.does("product", "config", "status", nodePK), "taken")
	})
	gw.Write(publish(sub1+"config/get", `{"id":"5","version":"1.0","params":{"configScope":"product","getType":"file"},"method":"thing.config.get"}`))
	if topic, got := gw.message(); topic != sub1+"config/get_reply" || !strings.HasPrefix(got, `{"code":200,"data":{"configId":"`) || !strings.HasSuffix(got, `"id":"5","message":"success","method":"thing.config.get","version":"1.0"}`) {
		t.Errorf("asked for its configuration, told %s %s", topic, got)
	}
	logout("6")
	set(true)
	login("7", "true") // it begins anew
	logout("8")
	if status, _ := m.call("POST", "/products/a1SubSensor/devices/sub_1/properties", object{"values": object{"Light": true}}); status != 503 {
		t.Errorf("nothing waits for it any more: %d", status)
	}
}
