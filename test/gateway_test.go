package test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
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

}
