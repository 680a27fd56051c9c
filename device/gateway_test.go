package device

import (
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/onenet"
)

var joining = time.UnixMilli(1700000000000)

// TestJoinOfAliyun has the cloud's side verify what a gateway says of a
// sub-device, in both steps.
func TestJoinOfAliyun(t *testing.T) {
	gate := Aliyun{ProductKey: "a1Gate", DeviceName: "gate1", DeviceSecret: "0123456789abcdef0123456789abcdef"}
	s, err := gate.Speech(false)
	if err != nil {
		t.Fatal(err)
	}
	c := s.(Carrier)
	for _, method := range []string{"", "hmacmd5", "hmacsha1", "hmacsha256"} {
		sub := lamp
		sub.Method = method
		for step, topic := range map[Step]string{Belong: "/sys/a1Gate/gate1/thing/topo/add", LogIn: "/ext/session/a1Gate/gate1/combine/login"} {
			m, err := c.Join(step, "7", sub, joining)
			if err != nil || m.Topic != topic || !strings.HasPrefix(string(m.Payload), `{"id":"7",`) {
				t.Fatalf("%s %s, %v; want it on %s", m.Topic, m.Payload, err, topic)
			}
			var d aliyun.Decoder
			got, err := d.SubDevices(m.Payload)
			if err != nil || len(got) != 1 || got[0].ProductKey != sub.ProductKey || got[0].DeviceName != sub.DeviceName || got[0].Timestamp != "1700000000000" {
				t.Fatalf("%s says %+v, %v", m.Payload, got, err)
			}
			if !aliyun.VerifySub(got[0], sub.DeviceSecret) || aliyun.VerifySub(got[0], gate.DeviceSecret) {
				t.Errorf("%q: the signature in %s is wrong", method, m.Payload)
			}
			if h, ok := s.Hear(topic+"_reply", []byte(`{"id":"7","code":200,"data":{}}`)); !ok || h.Kind != Reply || h.ID != "7" || h.Code != 200 {
				t.Errorf("the reply on %s_reply is %+v, %v", topic, h, ok)
			}
		}
	}
	if _, ok := s.Hear("/ext/session/a1Gate/gate2/combine/login_reply", []byte(`{"id":"7","code":200}`)); ok {
		t.Error("another gateway's reply was heard")
	}
	speech, err := c.Sub(lamp)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := speech.Report("1", readings(Values{"LightLux": 5})); err != nil || m.Topic != lampRoot+"thing/event/property/post" {
		t.Errorf("the sub-device reports on %s, %v", m.Topic, err)
	}
}

func TestGatewaysCarryTheirOwnVendors(t *testing.T) {
	for _, tt := range []struct{ gateway, sub Identity }{{lamp, tv}, {tv, lamp}, {lamp, pump}, {tv, pump}} {
		s, err := tt.gateway.Speech(false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.(Carrier).Sub(tt.sub); err == nil {
			t.Errorf("%T carries %T", tt.gateway, tt.sub)
		}
		if _, err := s.(Carrier).Join(LogIn, "1", tt.sub, joining); err == nil {
			t.Errorf("%T logs %T in", tt.gateway, tt.sub)
		}
	}
	s, _ := pump.Speech(false)
	if _, ok := s.(Carrier); ok {
		t.Error("plain MQTT has gateways")
	}
}

// TestJoinOfOneNET, likewise; its token is the sub-device's own.
func TestJoinOfOneNET(t *testing.T) {
	const key = "EnW4T71eIE55xOIQMN6pFMKuqel5T5HTzsGJRPiDhlM="
	sub := OneNET{ProductID: "SubPr0duct", DeviceName: "s1", Key: key}
	s, err := tv.Speech(false)
	if err != nil {
		t.Fatal(err)
	}
	c := s.(Carrier)
	m, err := c.Join(Belong, "7", sub, joining)
	if err != nil || m.Topic != tvRoot+"sub/topo/add" {
		t.Fatalf("%s, %v", m.Topic, err)
	}
	var d onenet.Decoder
	got, err := d.Sub(m.Payload)
	if err != nil || got.ProductID != "SubPr0duct" || got.DeviceName != "s1" {
		t.Fatalf("%s says %+v, %v", m.Payload, got, err)
	}
	if !onenet.VerifySub(got, onenet.Keys{Device: key}, joining) || onenet.VerifySub(got, onenet.Keys{Device: tv.Key}, joining) {
		t.Errorf("the token in %s is wrong", m.Payload)
	}
	m, err = c.Join(LogIn, "8", sub, joining)
	if want := `{"id":"8","version":"1.0","params":{"productID":"SubPr0duct","deviceName":"s1"}}`; err != nil || m.Topic != tvRoot+"sub/login" || string(m.Payload) != want {
		t.Errorf("%s %s, %v", m.Topic, m.Payload, err)
	}
	for _, topic := range []string{"sub/topo/add/reply", "sub/login/reply", "pack/post/reply"} {
		if h, ok := s.Hear(tvRoot+topic, []byte(`{"id":"8","code":200,"msg":"success"}`)); !ok || h.Kind != Reply || h.ID != "8" {
			t.Errorf("%s is %+v, %v", topic, h, ok)
		}
	}
	if got := c.Carries(); len(got) != 1 || got[0] != tvRoot+"#" {
		t.Errorf("it listens to %v", got)
	}
}

// TestSubDeviceOfOneNETSpeaks plays what a sub-device says and hears on the
// topics of its gateway [onenet §3.2, §3.3].
func TestSubDeviceOfOneNETSpeaks(t *testing.T) {
	const names = `"productID":"SubPr0duct","deviceName":"s1"`
	s, err := tv.Speech(false)
	if err != nil {
		t.Fatal(err)
	}
	sub, err := s.(Carrier).Sub(OneNET{ProductID: "SubPr0duct", DeviceName: "s1", Key: tv.Key})
	if err != nil {
		t.Fatal(err)
	}
	m, err := sub.Report("3", []Reading{{ID: "t", Value: 21.5, Time: joining}, {ID: "on", Value: true}})
	if want := `{"id":"3","version":"1.0","params":[{"identity":{` + names + `},"properties":{"t":{"value":21.5,"time":1700000000000},"on":{"value":true}}}]}`; err != nil || m.Topic != tvRoot+"pack/post" || string(m.Payload) != want {
		t.Errorf("%s %s, %v", m.Topic, m.Payload, err)
	}
	m, err = sub.Event("4", "alarm", readings(Values{"WF": 2}), joining)
	if want := `{"id":"4","version":"1.0","params":[{"identity":{` + names + `},"events":{"alarm":{"value":{"WF":2},"time":1700000000000}}}]}`; err != nil || m.Topic != tvRoot+"pack/post" || string(m.Payload) != want {
		t.Errorf("%s %s, %v", m.Topic, m.Payload, err)
	}
	set, ok := sub.Hear(tvRoot+"sub/property/set", []byte(`{"id":"9","version":"1.0","params":{`+names+`,"params":{"t":30.5}}}`))
	if f, _ := set.Params.Float("t"); !ok || set.Kind != Set || set.ID != "9" || f != 30.5 {
		t.Errorf("a set is %+v, %v", set, ok)
	}
	m, err = sub.Answer(set, nil, nil)
	if want := `{"id":"9","code":200,"msg":"success"}`; err != nil || m.Topic != tvRoot+"sub/property/set_reply" || string(m.Payload) != want {
		t.Errorf("%s %s, %v", m.Topic, m.Payload, err)
	}
	call, ok := sub.Hear(tvRoot+"sub/service/invoke", []byte(`{"id":"10","version":"1.0","params":{`+names+`,"identifier":"reset","input":{"delay":3}}}`))
	if n, _ := call.Params.Int("delay"); !ok || call.Kind != Invoke || call.Service != "reset" || n != 3 {
		t.Errorf("a call is %+v, %v", call, ok)
	}
	m, err = sub.Answer(call, Values{"done": true}, nil)
	if err != nil || m.Topic != tvRoot+"sub/service/invoke_reply" {
		t.Errorf("%s, %v", m.Topic, err)
	}
	var d onenet.Decoder
	if data, service, who, err := d.SubReply(m.Payload); err != nil || data != `{"done":true}` || service != "reset" || who.DeviceName != "s1" {
		t.Errorf("%s is %s of %s by %+v, %v", m.Payload, data, service, who, err)
	}
	for _, payload := range []string{
		`{"id":"9","params":{"productID":"SubPr0duct","deviceName":"s2","params":{"t":1}}}`,
		`{"id":"9","params":{` + names + `,"params":7}}`, `{"id":"9"}`, `noise`,
	} {
		if h, ok := sub.Hear(tvRoot+"sub/property/set", []byte(payload)); ok {
			t.Errorf("%s was heard as %+v", payload, h)
		}
	}
}

// FuzzSubHear has a gateway and its sub-device hear anything.
func FuzzSubHear(f *testing.F) {
	f.Add("sub/property/set", `{"id":"9","params":{"productID":"p","deviceName":"d","params":{"t":1}}}`)
	f.Add("sub/service/invoke", `{"id":9,"params":{"productID":"p","deviceName":"d","identifier":"r","input":{}}}`)
	f.Add("sub/login/reply", `{"id":"1","code":200}`)
	s, err := tv.Speech(false)
	if err != nil {
		f.Fatal(err)
	}
	sub, err := s.(Carrier).Sub(OneNET{ProductID: "p", DeviceName: "d", Key: tv.Key})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path, payload string) {
		for _, s := range []Speech{s, sub} {
			h, ok := s.Hear(tvRoot+path, []byte(payload))
			if ok && h.Kind != Reply {
				if m, err := s.Answer(h, nil, nil); err != nil || !strings.HasPrefix(m.Topic, tvRoot) {
					t.Errorf("%s %s is answered on %s, %v", path, payload, m.Topic, err)
				}
			}
		}
	})
}
