package aliyun

import (
	"strings"
	"testing"
)

// The logins of the worked vector V10 [aliyun-device §2.10].
func TestAuthVectors(t *testing.T) {
	const secret = "Zk3Qw8ErT5yUiOp1AsDf7GhJkLzXcV2b"
	names := `"productKey":"a1NightLamp","deviceName":"lamp01"`
	for _, tt := range []struct{ name, body string }{
		{"no method means hmacmd5", `{"version":"default", "clientId":"a1NightLamp.lamp01", ` + names + `, "sign":"2f4ba8b0a597d7b1360d086ba00c1b0a"}`},
		{"hmacmd5", `{"clientId":"a1NightLamp.lamp01",` + names + `,"signmethod":"hmacmd5","sign":"2f4ba8b0a597d7b1360d086ba00c1b0a"}`},
		{"hmacsha1", `{"clientId":"a1NightLamp.lamp01",` + names + `,"signmethod":"hmacsha1","sign":"0C5E25C5723E91FEA4EDEAB1929A9E329CDF4A82"}`},
		{"hmacsha256", "{'clientId':'a1NightLamp.lamp01'," + names + ",\"signmethod\":\"hmacsha256\",\"sign\":\"fb10c679a86703b2134eea2f92feb8b9c773e5b402527d4355e8dd7d54e0b6ab\"}\x00"},
		{"with a timestamp", `{"version":"default","clientId":"mylight1000002","signmethod":"hmacsha1","sign":"c2f3f3f838f8e8c289320710e1975c91ed5d8868",` + names + `,"timestamp":"1501668289957"}`},
		{"with a number for it", `{"clientId":"mylight1000002","signmethod":"hmacsha1","sign":"c2f3f3f838f8e8c289320710e1975c91ed5d8868",` + names + `,"timestamp":1501668289957}`},
	} {
		a, err := ParseAuth([]byte(tt.body))
		if err != nil || a.Missing() != "" {
			t.Errorf("%s: %+v, %v", tt.name, a, err)
			continue
		}
		id := a.TakenApart()
		s := Sent{Username: a.DeviceName + "&" + a.ProductKey, Password: []byte(a.Sign), TakenApart: &id}
		if _, ok := Verify(s, secret); !ok {
			t.Errorf("%s: refused", tt.name)
		}
		if d := Diagnose(s, Known{DeviceSecret: "another"}); d == nil || d.Code != "aliyun-wrong-secret" {
			t.Errorf("%s: with a wrong secret %+v", tt.name, d)
		}
	}
}

func TestAuthTakesAClientIDWithBars(t *testing.T) {
	a := Auth{ProductKey: pk, DeviceName: dn, ClientID: "x|_v=1|", SignMethod: "hmacsha1", Sign: Sign(HMACSHA1, ds, Content("x|_v=1|", pk, dn, ""))}
	id := a.TakenApart()
	if _, ok := Verify(Sent{Username: dn + "&" + pk, Password: []byte(a.Sign), TakenApart: &id}, ds); !ok {
		t.Error("refused")
	}
}

func TestPreAuthForm(t *testing.T) {
	a, err := ParsePreAuth([]byte("productKey=a1NightLamp&deviceName=lamp01&signmethod=hmacsha256&sign=AB&version=default&clientId=a1NightLamp.lamp01&timestamp=2524608000000&resources=mqtt"))
	want := Auth{"a1NightLamp", "lamp01", "a1NightLamp.lamp01", "hmacsha256", "AB", "2524608000000"}
	if err != nil || a != want {
		t.Errorf("%+v, %v", a, err)
	}
	for _, bad := range []string{"%", strings.Repeat("a", maxForm+1)} {
		if _, err := ParsePreAuth([]byte(bad)); err == nil {
			t.Errorf("%.20q is taken", bad)
		}
	}
	if got := (&Auth{ProductKey: "a", DeviceName: "b", ClientID: "c"}).Missing(); got != "sign" {
		t.Errorf("missing %q", got)
	}
}

func TestHTTPAnswersAreExact(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{string(AppendHTTPToken(nil, "6944e5bf")), `{"code":0,"message":"success","info":{"token":"6944e5bf"}}`},
		{string(AppendHTTPMessageID(nil, 892687627916247040, nil)), `{"code":0,"message":"success","info":{"messageId":892687627916247040}}`},
		{string(AppendHTTPMessageID(nil, 892687627916247040, []byte(`{"a":1}`))), `{"code":0,"message":"success","info":{"messageId":892687627916247040,"data":{"a":1}}}`},
		{string(AppendHTTPError(nil, HTTPCommonError)), `{"code":10000,"message":"common error"}`},
		{string(AppendHTTPError(nil, HTTPParameterError)), `{"code":10001,"message":"param error"}`},
		{string(AppendHTTPError(nil, HTTPAuthError)), `{"code":20000,"message":"auth check error"}`},
		{string(AppendHTTPError(nil, HTTPTokenExpired)), `{"code":20001,"message":"token is expired"}`},
		{string(AppendHTTPError(nil, HTTPTokenNull)), `{"code":20002,"message":"token is null"}`},
		{string(AppendHTTPError(nil, HTTPTokenError)), `{"code":20003,"message":"check token error"}`},
		{string(AppendHTTPError(nil, HTTPPublishError)), `{"code":30001,"message":"publish message error"}`},
		{string(AppendHTTPError(nil, HTTPTooManyRequests)), `{"code":40000,"message":"request too many"}`},
		{string(AppendPreAuth(nil, "42Ze0mk3556498a1AlTP", "0d7fdeb9dc1f4344a2cc0d45edcb0bcb", "a1NightLamp.iot-as-mqtt.example.com", 1883)),
			`{"code":200,"data":{"iotId":"42Ze0mk3556498a1AlTP","iotToken":"0d7fdeb9dc1f4344a2cc0d45edcb0bcb","resources":{"mqtt":{"host":"a1NightLamp.iot-as-mqtt.example.com","port":1883}}},"message":"success"}`},
	} {
		if tt.got != tt.want {
			t.Errorf("got  %s\nwant %s", tt.got, tt.want)
		}
	}
}

// FuzzParseAuth: what is read has the members that it was read from.
func FuzzParseAuth(f *testing.F) {
	f.Add([]byte(`{"version":"default", "clientId":"a","signmethod":"hmacsha1","sign":"00","productKey":"b","deviceName":"c","timestamp":1}`))
	f.Add([]byte(`{'clientId':1e30}`))
	f.Add([]byte("[]\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := ParseAuth(body)
		if err != nil {
			return
		}
		id := a.TakenApart()
		Diagnose(Sent{Username: a.DeviceName + "&" + a.ProductKey, Password: []byte(a.Sign), TakenApart: &id}, Known{DeviceSecret: ds, ProductSecret: ps})
		ParsePreAuth(body)
	})
}
