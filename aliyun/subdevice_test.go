package aliyun

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
)

// V8 and V9 of the reference [aliyun-device §2.10].
const (
	subPK = "a1SubSensor"
	subDN = "sub_07"
	subDS = "q1W2e3R4t5Y6u7I8o9P0aSdFgHjKlZxC"
)

func TestSubDevices(t *testing.T) {
	one := SubDevice{ProductKey: "p", DeviceName: "d", Content: "deviceNamedproductKeyp"}
	for _, tt := range []struct {
		name, doc string
		want      []SubDevice
		err       error
	}{
		{"topo/add, documented [aliyun-device §4.16]", `{"id":"123","version":"1.0","params":[{"deviceName":"d","productKey":"p","sign":"AB","signmethod":"hmacSha1","timestamp":"1524448722000","clientId":"c"}],"method":"thing.topo.add"}`,
			[]SubDevice{{ProductKey: "p", DeviceName: "d", ClientID: "c", Timestamp: "1524448722000", SignMethod: "hmacSha1", Sign: "AB", Content: "clientIdcdeviceNamedproductKeyptimestamp1524448722000"}}, nil},
		{"combine/login: one, cleanSession is not signed", `{"id":1,"params":{"productKey":"p","deviceName":"d","clientId":"p.d|_v=1|","timestamp":123,"signMethod":"hmacmd5","sign":"ab","cleanSession":true}}`,
			[]SubDevice{{ProductKey: "p", DeviceName: "d", ClientID: "p.d|_v=1|", Timestamp: "123", SignMethod: "hmacmd5", Sign: "ab", CleanSession: "true", Content: "clientIdp.d|_v=1|deviceNamedproductKeyptimestamp123"}}, nil},
		{"batch_login: signMethod beside the list", `{"params":{"signMethod":"hmacSha256","deviceList":[{"productKey":"p","deviceName":"d"}]}}`,
			[]SubDevice{{ProductKey: "p", DeviceName: "d", SignMethod: "hmacSha256", Content: "deviceNamedproductKeyp"}}, nil},
		{"product_register", `{"params":{"proxieds":[{"productKey":"p","deviceName":"d","random":"r","sign":"s","signMethod":"hmacSha256"}]}}`,
			[]SubDevice{{ProductKey: "p", DeviceName: "d", Random: "r", SignMethod: "hmacSha256", Sign: "s", Content: "deviceNamedproductKeyprandomr"}}, nil},
		{"names only", `{"params":[{"deviceName":"d","productKey":"p"},{"deviceName":"d","productKey":"p"}]}`, []SubDevice{one, one}, nil},
		{"params as a string holding JSON [aliyun-device §9 row 20]", `{"params":"{}"}`, nil, nil},
		{"no params", `{"id":"1"}`, nil, nil},
		{"single quotes", `{'params':[{'deviceName':'d','productKey':'p'}]}`, []SubDevice{one}, nil},
		{"members that are no texts", `{"params":[{"deviceName":"d","productKey":"p","sign":null,"x":{"y":1}}]}`, []SubDevice{{ProductKey: "p", DeviceName: "d", Content: "deviceNamedproductKeypx"}}, nil},
		{"a list of numbers", `{"params":[1,2]}`, nil, ErrNoParams},
		{"a number", `{"params":7}`, nil, ErrNoParams},
		{"too many", `{"params":[` + strings.Repeat(`{},`, maxListed) + `{}]}`, nil, ErrTooManyListed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d Decoder
			got, err := d.SubDevices([]byte(tt.doc))
			if err != tt.err || len(got) != len(tt.want) {
				t.Fatalf("%+v, %v", got, err)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("got  %+v\nwant %+v", got[i], tt.want[i])
				}
			}
		})
	}
}

// signed is V8 with a sign and a method of the caller's.
func signedSub(method, sign string) SubDevice {
	return SubDevice{
		ProductKey: subPK, DeviceName: subDN, ClientID: "a1SubSensor.sub_07", Timestamp: "123456", SignMethod: method, Sign: sign,
		Content: "clientIda1SubSensor.sub_07deviceNamesub_07productKeya1SubSensortimestamp123456",
	}
}

func TestVerifySub(t *testing.T) {
	barred := signedSub("HmacSha1", "c58960e0d032086c3b098ccddbb8e1dccdeb6baa")
	barred.ClientID = "a1SubSensor.sub_07|_v=sdk-c-3.0.1|"
	barred.Content = "clientIda1SubSensor.sub_07|_v=sdk-c-3.0.1|deviceNamesub_07productKeya1SubSensortimestamp123456"
	bare := SubDevice{ProductKey: subPK, DeviceName: subDN, SignMethod: "hmacmd5", Content: "deviceNamesub_07productKeya1SubSensorextrax"}
	bare.Sign = Sign(HMACMD5, subDS, "deviceNamesub_07productKeya1SubSensor")
	for _, tt := range []struct {
		name string
		sub  SubDevice
		want bool
	}{
		{"V8 md5", signedSub("hmacMd5", "6f16eb589707be6c0701ea27de4a07cb"), true},
		{"V8 sha1", signedSub("hmacSha1", "C7B4850EAB638CE9867337145235B32009AE5DB8"), true},
		{"V8 sha256", signedSub("Sha256", "d6ce92cd82705b5793b461d809d591ff682df8043ef7c8cfa7c3e9cd8772f16a"), true},
		{"V8 without a method means hmacmd5", signedSub("", "6f16eb589707be6c0701ea27de4a07cb"), true},
		{"V9: bars are signed", barred, true},
		{"a member that is not signed", bare, true},
		{"another method", signedSub("hmacSha1", "6f16eb589707be6c0701ea27de4a07cb"), false},
		{"no sign", signedSub("hmacSha1", ""), false},
		{"an unknown method", signedSub("rsa", "6f16eb589707be6c0701ea27de4a07cb"), false},
	} {
		if got := VerifySub(tt.sub, subDS); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
		if d := DiagnoseSub(tt.sub, KnownSub{DeviceSecret: subDS}); (d == nil) != tt.want {
			t.Errorf("%s: diagnosed as %+v", tt.name, d)
		}
	}
	if VerifySub(signedSub("hmacMd5", Sign(HMACMD5, "", "x")), "") {
		t.Error("no secret, and let in")
	}
}

func TestVerifyRegistration(t *testing.T) {
	s := SubDevice{ProductKey: "a1NightLamp", DeviceName: "lamp01", Random: "567345", SignMethod: "HmacSha1", Sign: "E04640095254042E5534D83A66C7861393BFD384"}
	if !VerifyRegistration(s, "Pq9LmN4bVcXz7KsD") { // V6
		t.Error("V6 is refused")
	}
	for _, change := range []func(*SubDevice){
		func(s *SubDevice) { s.Random = "" }, func(s *SubDevice) { s.Sign = s.Sign[1:] }, func(s *SubDevice) { s.SignMethod = "x" },
	} {
		bad := s
		change(&bad)
		if VerifyRegistration(bad, "Pq9LmN4bVcXz7KsD") {
			t.Errorf("taken: %+v", bad)
		}
	}
}

func TestDiagnoseSub(t *testing.T) {
	content := signedSub("", "").Content
	right := Sign(HMACSHA256, subDS, content)
	raw, _ := hex.DecodeString(right)
	known := KnownSub{DeviceSecret: subDS, PreviousSecret: "old secret of the sub-device 123", ProductSecret: "Pq9LmN4bVcXz7KsD", GatewaySecret: "the gateway's own secret 12345678"}
	for _, tt := range []struct {
		code, field, method, sign string
		change                    func(*SubDevice)
	}{
		{"aliyun-sub-no-sign", "sign", "hmacsha256", "", nil},
		{"aliyun-sub-unknown-method", "signMethod", "RSA", right, nil},
		{"aliyun-sub-gateway-secret", "sign", "hmacsha256", Sign(HMACSHA256, known.GatewaySecret, content), nil},
		{"aliyun-sub-product-secret", "sign", "hmacsha256", Sign(HMACSHA256, known.ProductSecret, content), nil},
		{"aliyun-sub-previous-secret", "sign", "hmacsha256", Sign(HMACSHA256, known.PreviousSecret, content), nil},
		{"aliyun-sub-secret-as-password", "sign", "hmacsha256", subDS, nil},
		{"aliyun-sub-secret-case", "sign", "hmacsha256", Sign(HMACSHA256, strings.ToLower(subDS), content), nil},
		{"aliyun-sub-secret-stray", "sign", "hmacsha256", Sign(HMACSHA256, subDS+"\n", content), nil},
		{"aliyun-sub-password-raw", "sign", "hmacsha256", string(raw), nil},
		{"aliyun-sub-password-base64", "sign", "hmacsha256", base64.StdEncoding.EncodeToString(raw), nil},
		{"aliyun-sub-password-cut", "sign", "hmacsha256", right[:40], nil},
		{"aliyun-sub-password-long", "sign", "hmacsha256", right + "00", nil},
		{"aliyun-sub-password-not-hex", "sign", "hmacsha256", "not a signature", nil},
		{"aliyun-sub-password-length", "sign", "hmacsha256", "abcdef", nil},
		{"aliyun-sub-stray-bytes", "sign", "hmacsha256", right + "\r\n", nil},
		{"aliyun-sub-stray-bytes", "clientId", "hmacsha256", right[:63] + "x", func(s *SubDevice) { s.ClientID += " " }},
		{"aliyun-sub-clientid-bars", "clientId", "hmacsha256", right, func(s *SubDevice) { s.ClientID += "|_v=1|" }},
		{"aliyun-sub-other-clientid", "sign", "hmacsha256", right, func(s *SubDevice) { s.ClientID = "another" }},
		{"aliyun-sub-timestamp-mismatch", "timestamp", "hmacsha256", Sign(HMACSHA256, subDS, Content("a1SubSensor.sub_07", subPK, subDN, "789")), nil},
		{"aliyun-sub-timestamp-unannounced", "timestamp", "hmacsha256", Sign(HMACSHA256, subDS, Content("a1SubSensor.sub_07", subPK, subDN, "789")), func(s *SubDevice) { s.Timestamp = "" }},
		{"aliyun-sub-content-form", "sign", "hmacsha256", Sign(HMACSHA256, subDS, "productKeya1SubSensordeviceNamesub_07clientIda1SubSensor.sub_07timestamp123456"), nil},
		{"aliyun-sub-wrong-method", "signMethod", "hmacsha1", right, nil},
		{"aliyun-sub-key-and-text-swapped", "sign", "hmacsha256", Sign(HMACSHA256, content, subDS), nil},
		{"aliyun-sub-wrong-secret", "sign", "hmacsha256", Sign(HMACSHA256, "somebody else's", content), nil},
	} {
		t.Run(tt.code+" "+tt.field, func(t *testing.T) {
			s := signedSub(tt.method, tt.sign)
			if tt.change != nil {
				tt.change(&s)
				if tt.code != "aliyun-sub-clientid-bars" && tt.code != "aliyun-sub-other-clientid" {
					s.Content = Content(s.ClientID, subPK, subDN, s.Timestamp)
				} else {
					s.Content = strings.Replace(s.Content, "a1SubSensor.sub_07deviceName", s.ClientID+"deviceName", 1)
				}
			}
			d := DiagnoseSub(s, known)
			if d == nil || d.Code != tt.code || d.Field != tt.field {
				t.Fatalf("%+v", d)
			}
			if d.Sentence == "" || d.SentenceZH == "" || d.Advice == "" || d.AdviceZH == "" || d.StringToSign != s.Content || d.RightLogin != nil {
				t.Errorf("%+v", d)
			}
			doc, _ := json.Marshal(d)
			for _, secret := range []string{subDS, known.PreviousSecret, known.ProductSecret, known.GatewaySecret} {
				if bytes.Contains(doc, []byte(secret)) {
					t.Errorf("a secret is shown: %s", doc)
				}
			}
			if d.Field == "sign" {
				s.Sign = d.Expected
				if !VerifySub(s, subDS) {
					t.Errorf("what should be right is not: %s", d.Expected)
				}
			}
		})
	}
}

func TestSubDeviceMessages(t *testing.T) {
	subs := []SubDevice{{ProductKey: "p1", DeviceName: "d1"}, {ProductKey: "p2", DeviceName: "d2"}}
	made := []RegisteredSub{{SubDevice: subs[0], DeviceSecret: "s1", IotID: "i1"}}
	for _, tt := range []struct{ name, got, want string }{
		{"topo/add_reply", string(AppendReply(nil, 200, AppendSubDevices(nil, subs), []byte("123"), "success", "thing.topo.add")),
			`{"code":200,"data":[{"deviceName":"d1","productKey":"p1"},{"deviceName":"d2","productKey":"p2"}],"id":"123","message":"success","method":"thing.topo.add","version":"1.0"}`},
		{"no sub-devices", string(AppendSubDevices(nil, nil)), `[]`},
		{"sub/register_reply", string(AppendReply(nil, 200, AppendSubsRegistered(nil, made), []byte("1"), "success", "thing.sub.register")),
			`{"code":200,"data":[{"iotId":"i1","productKey":"p1","deviceName":"d1","deviceSecret":"s1"}],"id":"1","message":"success","method":"thing.sub.register","version":"1.0"}`},
		{"product_register_reply", string(AppendProxied(nil, made, []RefusedSub{{subs[1], 6600}})),
			`{"failures":[{"code":6600,"deviceName":"d2","productKey":"p2"}],"successes":[{"iotId":"i1","productKey":"p1","deviceName":"d1","deviceSecret":"s1"}]}`},
		{"login_reply", string(AppendSessionReply(nil, 200, []byte(`{"deviceName":"d1","productKey":"p1"}`), []byte("123"), "success")),
			`{"code":200,"data":{"deviceName":"d1","productKey":"p1"},"id":"123","message":"success"}`},
		{"login_reply, refused, no id", string(AppendSessionReply(nil, 6287, nil, nil, "invalid sign")), `{"code":6287,"data":{},"id":"0","message":"invalid sign"}`},
		{"/ext/error", string(AppendSubError(nil, "7", 520, "device session error", subs[0])),
			`{"code":520,"data":{"deviceName":"d1","productKey":"p1"},"id":"7","message":"device session error"}`},
		{"topo/add/notify", string(AppendNotice(nil, "5", "thing.topo.add.notify", AppendSubDevices(nil, subs[:1]))),
			`{"id":"5","version":"1.0","params":[{"deviceName":"d1","productKey":"p1"}],"method":"thing.topo.add.notify"}`},
		{"topo/change", string(AppendNotice(nil, "5", "thing.topo.change", AppendTopoChange(nil, TopoDisabled, subs[:1]))),
			`{"id":"5","version":"1.0","params":{"status":8,"subList":[{"productKey":"p1","deviceName":"d1"}]},"method":"thing.topo.change"}`},
		{"gateway/permit", string(AppendPermit(nil, "p1", 60)), `{"productKey":"p1","timeout":60}`},
		{"gateway/permit for all", string(AppendPermit(nil, "", 60)), `{"timeout":60}`},
		{"a topic of a method", ThingTopic("p", "d", "thing.topo.add.notify"), "/sys/p/d/thing/topo/add/notify"},
		{"/ext/error topic", ExtErrorTopic("p", "d"), "/ext/error/p/d"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, tt.got, tt.want)
		}
	}
}

func TestOwner(t *testing.T) {
	for topic, want := range map[string]string{
		"/sys/p/d/thing/event/property/post":      "p/d",
		"/sys/p/d/thing/event/property/post?_r=1": "p/d",
		"/p/d/user/update":                        "p/d",
		"/ext/session/p/d/combine/login":          "p/d",
		"/ext/ntp/p/d/request":                    "p/d",
		"/ota/device/inform/p/d":                  "p/d",
		"/shadow/update/p/d":                      "p/d",
		"/broadcast/p/x":                          "",
		"/sys/p":                                  "",
		"x":                                       "",
		"/sys/+/+/thing/#":                        "+/+",
	} {
		if got := Owner([]byte(topic)); string(got) != want {
			t.Errorf("%s: %q", topic, got)
		}
	}
	topic, n := []byte("/sys/p/d/thing/event/property/post"), 0
	if allocs := testing.AllocsPerRun(100, func() { n += len(Owner(topic)) }); allocs != 0 || n == 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func FuzzSubDevices(f *testing.F) {
	f.Add([]byte(`{"id":"1","params":[{"deviceName":"d","productKey":"p","sign":"ab","signmethod":"hmacSha1","timestamp":"1","clientId":"c"}]}`))
	f.Add([]byte(`{"params":{"signMethod":"x","deviceList":[{"productKey":"p"}]}}`))
	f.Add([]byte(`{'params':"{}"}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var d Decoder
		subs, err := d.SubDevices(doc)
		if err != nil && len(subs) > 0 || len(subs) > maxListed {
			t.Errorf("%d sub-devices, %v", len(subs), err)
		}
		for _, s := range subs[:min(len(subs), 2)] {
			if VerifySub(s, subDS) != (DiagnoseSub(s, KnownSub{DeviceSecret: subDS}) == nil) {
				t.Errorf("verified and diagnosed differently: %+v", s)
			}
			if again, err := d.SubDevices(append(append([]byte(`{"params":`), AppendSubDevices(nil, []SubDevice{s})...), '}')); err != nil || len(again) != 1 || again[0].ProductKey != s.ProductKey || again[0].DeviceName != s.DeviceName {
				t.Errorf("%+v became %+v, %v", s, again, err)
			}
		}
	})
}
