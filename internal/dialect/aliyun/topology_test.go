package aliyun

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
)

const session = "/ext/session/a1NightLamp/lamp01/combine/"

var (
	oneSub  = dialect.Claim{Product: "p1", Device: "d1"}
	twoSubs = []dialect.Claim{oneSub, {Product: "p2", Device: "d2"}}
)

const (
	theTwo  = `[{"deviceName":"d1","productKey":"p1"},{"deviceName":"d2","productKey":"p2"}]`
	signed1 = `{"deviceName":"d1","productKey":"p1","sign":"ab","signmethod":"hmacSha1","timestamp":"1","clientId":"c|x|"}`
)

// asked writes down what a gateway's request is about.
func asked(r dialect.Request) string {
	var subs []dialect.SubDevice
	more := ""
	switch r := r.(type) {
	case nil:
		return ""
	case *dialect.TopoAdd:
		subs = r.Subs
	case *dialect.TopoDelete:
		subs = r.Subs
	case *dialect.SubsFound:
		subs = r.Subs
	case *dialect.SubRegister:
		subs = r.Subs
	case *dialect.SubUnregister:
		subs = r.Subs
	case *dialect.ProxyRegister:
		subs = r.Subs
	case *dialect.SubLogin:
		subs, more = r.Subs, fmt.Sprint(r.Batch)
	case *dialect.SubLogout:
		subs, more = r.Subs, fmt.Sprint(r.Batch)
	}
	s := strings.TrimPrefix(fmt.Sprintf("%T%s", r, more), "*dialect.")
	for _, sub := range subs {
		s += " " + sub.Session()
		if sub.Proof != nil {
			s += "!"
		}
		if sub.Registration {
			s += "product"
		}
	}
	return s
}

func TestGatewayRequestsAndAnswers(t *testing.T) {
	success := func(id, data, method string) string {
		return `_reply {"code":200,"data":` + data + `,"id":"` + id + `","message":"success","method":"` + method + `","version":"1.0"}`
	}
	refused := func(code int, text, id, method string) string {
		return fmt.Sprintf(`_reply {"code":%d,"data":{},"id":"%s","message":"%s","method":"%s","version":"1.0"}`, code, id, text, method)
	}
	short := func(code int, data, id, text string) string {
		return fmt.Sprintf(`_reply {"code":%d,"data":%s,"id":"%s","message":"%s"}`, code, data, id, text)
	}
	refusal := func(f dialect.SubFault) error { return &dialect.Refusal{Cause: f} }
	many := func(n int) string { return "[" + strings.Repeat(signed1+",", n-1) + signed1 + "]" }
	made := []dialect.Registered{{Claim: oneSub, Secret: "s1"}}
	for _, tt := range []struct {
		topic, payload, ask string
		result              any
		err                 error
		answer              string
	}{
		{sys + "thing/topo/add", `{"id":"1","version":"1.0","params":[` + signed1 + `],"method":"thing.topo.add"}`, "TopoAdd p1/d1!", twoSubs[:1], nil,
			success("1", `[{"deviceName":"d1","productKey":"p1"}]`, "thing.topo.add")},
		{sys + "thing/topo/add", `{"id":"1","params":` + many(30) + `}`, "TopoAdd" + strings.Repeat(" p1/d1!", 30), nil, refusal(dialect.SubUnproved), refused(401, "request auth error", "1", "thing.topo.add")},
		{sys + "thing/topo/add", `{"id":"1","params":` + many(31) + `}`, "", nil, nil, refused(460, "request parameter error", "1", "thing.topo.add")},
		{sys + "thing/topo/add", `{"id":"1","params":[]}`, "", nil, nil, refused(460, "request parameter error", "1", "thing.topo.add")},
		{sys + "thing/topo/add", `{"id":"1","params":[{"productKey":"p1"}]}`, "", nil, nil, refused(460, "request parameter error", "1", "thing.topo.add")},
		{sys + "thing/topo/add", `{"id":"1","params":[`, "", nil, nil, refused(460, "request parameter error", "1", "thing.topo.add")},
		{sys + "thing/topo/add", `{"id":"1","params":[` + signed1 + `]}`, "TopoAdd p1/d1!", nil, refusal(dialect.SubItself), refused(6402, "topo relation cannot add by self", "1", "thing.topo.add")},
		{sys + "thing/topo/add", `{"id":"1","params":[` + signed1 + `]}`, "TopoAdd p1/d1!", nil, refusal(dialect.SubTooMany), refused(6400, "too many subdevices under gateway", "1", "thing.topo.add")},
		{sys + "thing/topo/add", `{"id":"1","params":[` + signed1 + `]}`, "TopoAdd p1/d1!", nil, refusal(dialect.SubDisabled), refused(6204, "device forbidden", "1", "thing.topo.add")},
		{sys + "thing/topo/add", `{"id":"1","params":[` + signed1 + `]}`, "TopoAdd p1/d1!", nil, errors.New("disk"), refused(500, "server error", "1", "thing.topo.add")},
		{sys + "thing/topo/add", `{"id":"1","sys":{"ack":0},"params":[` + signed1 + `]}`, "TopoAdd p1/d1!", twoSubs[:1], nil, ""},
		{sys + "thing/topo/delete", `{"id":"1","params":` + theTwo + `}`, "TopoDelete p1/d1 p2/d2", twoSubs, nil, success("1", theTwo, "thing.topo.delete")},
		{sys + "thing/topo/delete", `{"id":"1","params":` + theTwo + `}`, "TopoDelete p1/d1 p2/d2", nil, refusal(dialect.SubNotBound), refused(6401, "topo relation not exist", "1", "thing.topo.delete")},
		{sys + "thing/topo/get", `{"id":"1","params":"{}"}`, "TopoGet", twoSubs, nil, success("1", theTwo, "thing.topo.get")},
		{sys + "thing/topo/get", `{"id":"1","params":{}}`, "TopoGet", []dialect.Claim(nil), nil, success("1", "[]", "thing.topo.get")},
		{sys + "thing/list/found", `{"id":"1","params":` + theTwo + `}`, "SubsFound p1/d1 p2/d2", dialect.Done{}, nil, success("1", "{}", "thing.list.found")},
		{sys + "thing/list/found", `{"id":"1","params":` + theTwo + `}`, "SubsFound p1/d1 p2/d2", nil, refusal(dialect.SubBadName), refused(6280, "devicename not meet specs", "1", "thing.list.found")},
		{sys + "thing/sub/register", `{"id":"1","params":[{"deviceName":"d1","productKey":"p1"}]}`, "SubRegister p1/d1", made, nil,
			success("1", `[{"iotId":"p1/d1","productKey":"p1","deviceName":"d1","deviceSecret":"s1"}]`, "thing.sub.register")},
		{sys + "thing/sub/register", `{"id":"1","params":[{"deviceName":"d1","productKey":"p1"}]}`, "SubRegister p1/d1", nil, refusal(dialect.SubRegistrationOff),
			refused(6288, "dynamic registration is not enabled", "1", "thing.sub.register")},
		{sys + "thing/sub/unregister", `{"id":"1","params":[{"deviceName":"d1","productKey":"p1"}]}`, "SubUnregister p1/d1", twoSubs[:1], nil,
			success("1", `[{"deviceName":"d1","productKey":"p1"}]`, "thing.sub.unregister")},
		{sys + "thing/proxy/provisioning/product_register", `{"id":"1","params":{"proxieds":[{"productKey":"p1","deviceName":"d1","random":"r","sign":"s","signMethod":"hmacSha256"}]}}`,
			"ProxyRegister p1/d1!product", dialect.Registrations{Made: made, Failed: []dialect.NotRegistered{{Claim: twoSubs[1], Why: refusal(dialect.SubActivated)}}}, nil,
			success("1", `{"failures":[{"code":6289,"deviceName":"d2","productKey":"p2"}],"successes":[{"iotId":"p1/d1","productKey":"p1","deviceName":"d1","deviceSecret":"s1"}]}`, "thing.proxy.provisioning.product_register")},

		{session + "login", `{"id":"123","params":{"productKey":"p1","deviceName":"d1","clientId":"c","timestamp":"1","signMethod":"hmacmd5","sign":"ab","cleanSession":"true"}}`,
			"SubLoginfalse p1/d1!", twoSubs[:1], nil, short(200, `{"deviceName":"d1","productKey":"p1"}`, "123", "success")},
		{session + "login", `{"id":"123","params":` + signed1 + `}`, "SubLoginfalse p1/d1!", nil, refusal(dialect.SubUnproved), short(6287, "{}", "123", "invalid sign")},
		{session + "login", `{"id":"123","params":` + signed1 + `}`, "SubLoginfalse p1/d1!", nil, refusal(dialect.SubTooManyOnline), short(428, "{}", "123", "too many subdevices under gateway")},
		{session + "login", `{"id":"123","params":` + signed1 + `}`, "SubLoginfalse p1/d1!", nil, refusal(dialect.SubTooOften), short(429, "{}", "123", "rate limit, too many subDeviceOnline msg in one minute")},
		{session + "login", `{"id":"123","params":` + signed1 + `}`, "SubLoginfalse p1/d1!", nil, refusal(dialect.SubDisabled), short(522, "{}", "123", "device forbidden")},
		{session + "login", `{"id":"123","params":` + signed1 + `}`, "SubLoginfalse p1/d1!", nil, fault.Exhausted("no"), short(429, "{}", "123", "too many requests")},
		{session + "login", `{"id":"123","params":` + many(2) + `}`, "", nil, nil, short(460, "{}", "123", "request parameter error")},
		{session + "login", `{"id":"123"}`, "", nil, nil, short(460, "{}", "123", "request parameter error")},
		{session + "batch_login", `{"id":"9","params":{"signMethod":"hmacSha256","deviceList":[` + signed1 + `,{"deviceName":"d2","productKey":"p2"}]}}`,
			"SubLogintrue p1/d1! p2/d2!", twoSubs, nil, short(200, theTwo, "9", "success")},
		{session + "batch_login", `{"id":"9","params":{"deviceList":` + many(51) + `}}`, "", nil, nil, short(460, "{}", "9", "request parameter error")},
		{session + "logout", `{"id":123,"params":{"productKey":"p1","deviceName":"d1"}}`, "SubLogoutfalse p1/d1", twoSubs[:1], nil,
			short(200, `{"deviceName":"d1","productKey":"p1"}`, "123", "success")},
		{session + "logout", `{"id":123,"params":{"productKey":"p1","deviceName":"d1"}}`, "SubLogoutfalse p1/d1", nil, refusal(dialect.SubNoSession), short(520, "{}", "123", "device no session")},
		{session + "batch_logout", `{"id":"9","params":` + theTwo + `}`, "SubLogouttrue p1/d1 p2/d2", twoSubs, nil, short(200, theTwo, "9", "success")},
	} {
		up, got := exchange(tt.topic, tt.payload, tt.result, tt.err)
		if up.Kind != dialect.Asks || asked(up.Request) != tt.ask {
			t.Errorf("%s %.80s asks %s", tt.topic, tt.payload, asked(up.Request))
		}
		if tt.ask == "" && (up.Fault == nil || up.Fault.Sentence == "" || up.Fault.SentenceZH == "") {
			t.Errorf("%s %.80s: the timeline is told %+v", tt.topic, tt.payload, up.Fault)
		}
		want := tt.answer
		if want != "" {
			want = tt.topic + want
		}
		if got != want {
			t.Errorf("%.80s\n got %s\nwant %s", tt.payload, got, want)
		}
	}
}

func TestSecretsOfSubDevicesAreNotShown(t *testing.T) {
	made := []dialect.Registered{{Claim: oneSub, Secret: "topsecret"}}
	for topic, result := range map[string]any{
		"thing/sub/register":                        made,
		"thing/proxy/provisioning/product_register": dialect.Registrations{Made: made},
	} {
		up, _ := exchange(sys+topic, `{"id":"1","params":[{"deviceName":"d1","productKey":"p1"}]}`, result, nil)
		if shown := string(up.Answers[0].Visible()); strings.Contains(shown, "topsecret") || !strings.Contains(shown, `"deviceSecret":"…"`) {
			t.Errorf("shown: %s", shown)
		}
		if !strings.Contains(string(up.Answers[0].Payload), "topsecret") {
			t.Error("the device is not told")
		}
	}
}

func TestEverySubFaultHasACode(t *testing.T) {
	for f := dialect.SubNoGateway; f <= dialect.SubBadName; f++ {
		code, text := subFailure(&dialect.Refusal{Cause: f}, false)
		if code == codeServer || text == "" || f.Error() == "sub-device fault" {
			t.Errorf("fault %d: %d %s %s", f, code, text, f)
		}
	}
}

func TestNotices(t *testing.T) {
	for _, tt := range []struct {
		notice dialect.Notice
		want   string
	}{
		{dialect.Notice{Kind: dialect.AskToAdd}, sys + `thing/topo/add/notify {"id":"5","version":"1.0","params":[{"deviceName":"d1","productKey":"p1"}],"method":"thing.topo.add.notify"}`},
		{dialect.Notice{Kind: dialect.SubsAdded}, sys + `thing/topo/change {"id":"5","version":"1.0","params":{"status":0,"subList":[{"productKey":"p1","deviceName":"d1"}]},"method":"thing.topo.change"}`},
		{dialect.Notice{Kind: dialect.SubsRemoved}, sys + `thing/topo/change {"id":"5","version":"1.0","params":{"status":1,"subList":[{"productKey":"p1","deviceName":"d1"}]},"method":"thing.topo.change"}`},
		{dialect.Notice{Kind: dialect.SubsDisabled}, `/sys/p1/d1/thing/disable {"id":"5","version":"1.0","params":{},"method":"thing.disable"}` +
			sys + `thing/topo/change {"id":"5","version":"1.0","params":{"status":8,"subList":[{"productKey":"p1","deviceName":"d1"}]},"method":"thing.topo.change"}`},
		{dialect.Notice{Kind: dialect.SubsEnabled}, `/sys/p1/d1/thing/enable {"id":"5","version":"1.0","params":{},"method":"thing.enable"}` +
			sys + `thing/topo/change {"id":"5","version":"1.0","params":{"status":2,"subList":[{"productKey":"p1","deviceName":"d1"}]},"method":"thing.topo.change"}`},
		{dialect.Notice{Kind: dialect.SubsDeleted}, `/sys/p1/d1/thing/delete {"id":"5","version":"1.0","params":{},"method":"thing.delete"}` +
			sys + `thing/topo/change {"id":"5","version":"1.0","params":{"status":1,"subList":[{"productKey":"p1","deviceName":"d1"}]},"method":"thing.topo.change"}`},
		{dialect.Notice{Kind: dialect.SessionOver, Why: dialect.SubNoSession}, `/ext/error/a1NightLamp/lamp01 {"code":520,"data":{"deviceName":"d1","productKey":"p1"},"id":"5","message":"device session error"}`},
		{dialect.Notice{Kind: dialect.SessionOver, Why: dialect.SubTakenOver}, `/ext/error/a1NightLamp/lamp01 {"code":427,"data":{"deviceName":"d1","productKey":"p1"},"id":"5","message":"device connect in elsewhere"}`},
		{dialect.Notice{Kind: dialect.SessionOver, Why: dialect.SubDisabled}, `/ext/error/a1NightLamp/lamp01 {"code":522,"data":{"deviceName":"d1","productKey":"p1"},"id":"5","message":"device forbidden"}`},
		{dialect.Notice{Kind: dialect.SessionOver, Why: dialect.SubDeleted}, `/ext/error/a1NightLamp/lamp01 {"code":521,"data":{"deviceName":"d1","productKey":"p1"},"id":"5","message":"device deleted"}`},
		{dialect.Notice{Kind: dialect.SessionOver, Why: dialect.SubNotBound}, `/ext/error/a1NightLamp/lamp01 {"code":6401,"data":{"deviceName":"d1","productKey":"p1"},"id":"5","message":"topo relation not exist"}`},
		{dialect.Notice{Kind: dialect.Permit, Product: "p1", Seconds: 60}, sys + `thing/gateway/permit {"id":"5","version":"1.0","params":{"productKey":"p1","timeout":60},"method":"thing.gateway.permit"}`},
	} {
		tt.notice.ID, tt.notice.Gateway, tt.notice.Subs = "5", lamp, []dialect.Claim{oneSub}
		got := ""
		for _, d := range (Dialect{}).Notify(&tt.notice) {
			got += d.Topic + " " + string(d.Payload)
			if !(Dialect{}).Unasked(lamp, d.Topic) {
				t.Errorf("%s needs a subscription", d.Topic)
			}
		}
		if got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestProve(t *testing.T) {
	sub := &vendor.SubDevice{ProductKey: "p1", DeviceName: "d1", ClientID: "c", SignMethod: "hmacSha1", Content: "clientIdcdeviceNamed1productKeyp1"}
	sub.Sign = vendor.Sign(vendor.HMACSHA1, "secret of d1", sub.Content)
	k, gateway := dialect.Secrets{Device: "secret of d1", Product: "secret of p1"}, dialect.Secrets{Device: "secret of the gateway"}
	s := &dialect.SubDevice{Claim: oneSub, Proof: sub}
	if d := (Dialect{}).Prove(s, k, gateway, time.Time{}); d != nil {
		t.Errorf("the right sign: %+v", d)
	}
	sub.Sign = vendor.Sign(vendor.HMACSHA1, gateway.Device, sub.Content)
	if d := (Dialect{}).Prove(s, k, gateway, time.Time{}); d == nil || d.Code != "aliyun-sub-gateway-secret" || d.SentenceZH == "" || d.StringToSign != sub.Content {
		t.Errorf("the gateway's: %+v", d)
	}
	s.Registration, sub.Random = true, "r"
	if d := (Dialect{}).Prove(s, k, gateway, time.Time{}); d == nil || !strings.HasPrefix(d.Code, "aliyun-register-") || d.Field != "sign" {
		t.Errorf("a registration: %+v", d)
	}
	sub.Sign = vendor.Sign(vendor.HMACSHA1, k.Product, vendor.RegistrationContent("p1", "d1", "r"))
	if d := (Dialect{}).Prove(s, k, gateway, time.Time{}); d != nil {
		t.Errorf("the right registration: %+v", d)
	}
	if d := (Dialect{}).Prove(&dialect.SubDevice{Claim: oneSub}, k, gateway, time.Time{}); d != nil {
		t.Errorf("none is asked for: %+v", d)
	}
}

func TestThroughGateway(t *testing.T) {
	set := Dialect{}.Set(oneSub, "7", nil, model)
	got, ok := Dialect{}.Through(lamp, set)
	if !ok || got.Topic != "/sys/p1/d1/thing/service/property/set" || string(got.Payload) != string(set.Payload) {
		t.Errorf("%s %s", got.Topic, got.Payload)
	}
	for topic, want := range map[string]bool{
		"/sys/p1/d1/thing/disable_reply": true, "/sys/p1/d1/thing/enable_reply": true, "/sys/p1/d1/thing/delete_reply": true,
		"/sys/p1/d1/thing/disable": false, "/sys/p1/d1/thing/service/property/set_reply": false, "/sys/p1/d1/thing/sub/delete_reply": false, "/thing/delete_reply": false,
	} {
		if (Dialect{}).Acknowledges([]byte(topic)) != want {
			t.Errorf("%s acknowledges a notice: %v", topic, !want)
		}
	}
	if owner := string(Dialect{}.Owner([]byte(got.Topic + "_reply"))); owner != "p1/d1" || !(Dialect{}).MustLogin() {
		t.Errorf("owner %q", owner)
	}
}

// TestSessionsOfSubDevices: what waits for a sub-device goes on waiting only
// where its login says so [aliyun-device §4.16].
func TestSessionsOfSubDevices(t *testing.T) {
	for said, keeps := range map[string]bool{`"true"`: false, `"false"`: true, `"False"`: true, `false`: true, `true`: false, `0`: true, `""`: false, `null`: false, `"no"`: false} {
		var up dialect.Uplink
		payload := `{"id":"1","params":{"productKey":"p1","deviceName":"d1","clientId":"c","sign":"ab","cleanSession":` + said + `}}`
		Dialect{}.Uplink(dialect.Claim{Product: "p", Device: "d"}, []byte("/ext/session/p/d/combine/login"), []byte(payload), nil, dialect.Lenient, &up)
		r, ok := up.Request.(*dialect.SubLogin)
		if !ok || len(r.Subs) != 1 || r.Subs[0].KeepSession != keeps {
			t.Errorf("cleanSession %s: %+v", said, up.Request)
		}
	}
}
