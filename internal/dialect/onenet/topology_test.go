package onenet

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	vendor "github.com/matou-iot/matou/onenet"
	"github.com/matou-iot/matou/thing"
)

var sub = dialect.Claim{Product: "p2", Device: "d2"}

func TestGatewayRequestsAndAnswers(t *testing.T) {
	refusal := func(f dialect.SubFault) error { return &dialect.Refusal{Cause: f} }
	const names = `"productID":"p2","deviceName":"d2"`
	for _, tt := range []struct {
		path, payload, ask string
		result             any
		err                error
		answer             string
	}{
		{"topo/add", `{"id":"1","version":"1.0","params":{` + names + `,"sasToken":"x"}}`, "TopoAdd p2/d2!", []dialect.Claim{sub}, nil, `{"id":"1","code":200,"msg":"success"}`},
		{"topo/add", `{"id":"1","params":{` + names + `}}`, "TopoAdd p2/d2!", nil, refusal(dialect.SubUnproved), `{"id":"1","code":2312,"msg":"not proved"}`},
		{"topo/add", `{"id":"1","params":{` + names + `}}`, "TopoAdd p2/d2!", nil, refusal(dialect.SubTooMany), `{"id":"1","code":2311,"msg":"too many sub-devices"}`},
		{"topo/add", `{"id":"1","params":{` + names + `}}`, "TopoAdd p2/d2!", nil, errors.New("disk"), `{"id":"1","code":2300,"msg":"server error"}`},
		{"topo/add", `{"id":"1","params":{"productId":"p2"}}`, "", nil, nil, `{"id":"1","code":2303,"msg":"params missing"}`},
		{"topo/add", `{"id":"1"}`, "", nil, nil, `{"id":"1","code":2303,"msg":"params missing"}`},
		{"topo/add", `{"id":"1",`, "", nil, nil, `{"id":"1","code":2301,"msg":"invalid json"}`},
		{"topo/delete", `{"id":"1","params":{` + names + `,"sasToken":"x"}}`, "TopoDelete p2/d2!", []dialect.Claim{sub}, nil, `{"id":"1","code":200,"msg":"success"}`},
		{"topo/get", `{"id":"1","version":"1.0"}`, "TopoGet", []dialect.Claim{sub}, nil, `{"id":"1","code":200,"msg":"success","data":[{"deviceName":"d2","productID":"p2"}]}`},
		{"topo/get", `{"id":"1"}`, "TopoGet", []dialect.Claim(nil), nil, `{"id":"1","code":200,"msg":"success","data":[]}`},
		{"topo/get", `{"id":"1"}`, "TopoGet", nil, refusal(dialect.SubNoGateway), `{"id":"1","code":2312,"msg":"no gateway"}`},
		{"login", `{"id":"1","params":{` + names + `}}`, "SubLogin p2/d2", []dialect.Claim{sub}, nil, `{"id":"1","code":200,"msg":"success"}`},
		{"login", `{"id":"1","params":{` + names + `}}`, "SubLogin p2/d2", nil, refusal(dialect.SubNotBound), `{"id":"1","code":2312,"msg":"no sub-device of this gateway"}`},
		{"logout", `{"id":"1","params":{` + names + `}}`, "SubLogout p2/d2", []dialect.Claim{sub}, nil, `{"id":"1","code":200,"msg":"success"}`},
	} {
		topic := sys + "thing/sub/" + tt.path
		up := read(topic, tt.payload, dialect.Lenient)
		ask := ""
		var subs []dialect.SubDevice
		switch r := up.Request.(type) {
		case *dialect.TopoAdd:
			subs = r.Subs
		case *dialect.TopoDelete:
			subs = r.Subs
		case *dialect.SubLogin:
			subs = r.Subs
		case *dialect.SubLogout:
			subs = r.Subs
		}
		if up.Request != nil {
			ask = strings.TrimPrefix(fmt.Sprintf("%T", up.Request), "*dialect.")
			up.Answers = append(up.Answers, Dialect{}.Answer(up.Request, tt.result, tt.err)...)
		} else if up.Fault == nil || up.Fault.SentenceZH == "" {
			t.Errorf("%s %s: the timeline is told %+v", tt.path, tt.payload, up.Fault)
		}
		for _, s := range subs {
			ask += " " + s.Session()
			if s.Proof != nil {
				ask += "!"
			}
		}
		if up.Kind != dialect.Asks || ask != tt.ask {
			t.Errorf("%s %s asks %q", tt.path, tt.payload, ask)
		}
		if on, payload := answered(up); on != topic+"/reply" || payload != tt.answer {
			t.Errorf("%s %s\n got %s %s\nwant %s", tt.path, tt.payload, on, payload, tt.answer)
		}
	}
}

func TestGatewaysRepliesForSubDevices(t *testing.T) {
	for _, tt := range []struct {
		path, payload string
		kind          dialect.Kind
		want          dialect.Reply
	}{
		{"property/set_reply", `{"id":"7","code":200,"msg":"ok"}`, dialect.SetReply, dialect.Reply{ID: "7", ByID: true, Relayed: true, Code: 200, OK: true, Message: "ok"}},
		{"property/get_reply", `{"id":"7","code":100}`, dialect.GetReply, dialect.Reply{ID: "7", ByID: true, Relayed: true, Code: 100}},
		{"service/invoke_reply", `{"id":"7","code":200,"data":{"productID":"p2","deviceName":"d2","identifier":"svc","output":{"r":1}}}`, dialect.InvokeReply,
			dialect.Reply{ID: "7", ByID: true, Relayed: true, Service: "svc", Code: 200, OK: true, Data: `{"r":1}`}},
	} {
		if up := read(sys+"thing/sub/"+tt.path, tt.payload, dialect.Lenient); up.Kind != tt.kind || up.Reply != tt.want || up.Fault != nil || len(up.Answers) > 0 {
			t.Errorf("%s: %+v", tt.path, up.Reply)
		}
	}
	if up := read(sys+"thing/sub/property/set_reply", `{"id":`, dialect.Lenient); up.Fault == nil {
		t.Error("a reply that is cut off is not told")
	}
	for _, path := range []string{"topo/change_reply", "topo/get/result"} {
		if up := read(sys+"thing/sub/"+path, `{"id":"7","code":200}`, dialect.Lenient); up.Kind != dialect.Unimplemented || up.Fault != nil || len(up.Answers)+len(up.Notes) > 0 {
			t.Errorf("%s: %+v", path, up)
		}
	}
	for _, path := range []string{"property/set", "service/invoke", "topo/change", "topo/add/reply", "nonsense"} {
		if up := read(sys+"thing/sub/"+path, `{"id":"7"}`, dialect.Strict); up.Kind != dialect.Forbidden || !up.Close {
			t.Errorf("%s: %+v", path, up)
		}
	}
}

// others knows one sub-device.
type others struct{}

func (others) Model(gateway, who dialect.Claim) (*thing.Model, *dialect.Diagnosis) {
	if gateway != tv || who != sub {
		return nil, notYours(gateway, who)
	}
	return (&thing.Model{Properties: []thing.Property{{ID: "WF", Type: thing.DataType{Kind: thing.Int32}}}}).Index(), nil
}

func (others) Stranger(*dialect.Subject, dialect.Claim) (*dialect.Diagnosis, []dialect.Downlink) {
	return nil, nil
}

func TestPackAndHistory(t *testing.T) {
	const success = `{"id":"1","code":200,"msg":"success"}`
	own := `{"properties":{"wendu":{"value":21.5,"time":1524448722000}},"events":{"boot":{"value":{}}}}`
	theirs := `{"identity":{"productID":"p2","deviceName":"d2"},"properties":{"WF":{"value":7}},"events":null}`
	for _, tt := range []struct {
		name, path, params string
		told, parts        string
		answer             string
		fault              string
	}{
		{"the device itself", "pack", own, "wendu=21.5@1524448722000 boot/info{}", "", success, ""},
		{"itself by name", "pack", `{"identity":{"productID":"VRqhDHF2wL","deviceName":"my_tv"},"properties":{"count":{"value":1}}}`, "count=1", "", success, ""},
		{"itself and a sub-device", "pack", own + "," + theirs, "wendu=21.5@1524448722000 boot/info{}", "p2/d2 WF=7", success, ""},
		{"history", "history", `{"properties":{"wendu":[{"value":1,"time":1524448722000},{"value":2,"time":1524448723000}]}}`, "wendu=1@1524448722000 wendu=2@1524448723000", "", success, ""},
		{"one wrong value of the sub-device refuses all", "pack", own + `,{"identity":{"productID":"p2","deviceName":"d2"},"properties":{"XX":{"value":7}}}`, "", "",
			`{"id":"1","code":2306,"msg":"identifier not exist:identifier:XX"}`, ""},
		{"somebody else's device", "pack", own + `,{"identity":{"productID":"p2","deviceName":"other"},"properties":{"WF":{"value":7}}}`, "", "",
			`{"id":"1","code":2312,"msg":"not a sub-device of this gateway:p2/other"}`, "onenet-sub-not-bound"},
		{"no list", "pack", `7`, "", "", `{"id":"1","code":2303,"msg":"params missing"}`, "onenet-bad-message"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up := &dialect.Uplink{Others: others{}}
			topic := sys + "thing/" + tt.path + "/post"
			Dialect{}.Uplink(tv, []byte(topic), []byte(`{"id":"1","version":"1.0","params":[`+tt.params+`]}`), model, dialect.Lenient, up)
			parts := ""
			for _, p := range up.Parts {
				parts += p.Session() + " " + told(&dialect.Uplink{Report: p.Report, Events: p.Events})
			}
			if up.Kind != dialect.PropertyPost || told(up) != tt.told || parts != tt.parts || up.RefusedAll != (tt.told == "") {
				t.Errorf("kind %d, told %q, parts %q", up.Kind, told(up), parts)
			}
			if on, payload := answered(up); on != topic+"/reply" || payload != tt.answer {
				t.Errorf("answered %s %s", on, payload)
			}
			if tt.fault != "" && (up.Fault == nil || up.Fault.Code != tt.fault || up.Fault.SentenceZH == "") {
				t.Errorf("fault %+v", up.Fault)
			}
		})
	}
	up := read(sys+"thing/pack/post", `{"id":"1","params":[`+theirs+`]}`, dialect.Lenient)
	if up.Fault == nil || up.Fault.Code != "onenet-sub-not-bound" {
		t.Errorf("nobody has sub-devices: %+v", up.Fault)
	}
	many := strings.Repeat(own+",", 12) + own
	if up := read(sys+"thing/pack/post", `{"id":"1","params":[`+many+`]}`, dialect.Strict); up.Fault == nil || up.Fault.Code != "onenet-pack-limit" || !up.RefusedAll {
		t.Errorf("too many in a strict product: %+v", up.Fault)
	}
	// A hundred values of each of two properties are no more than a hundred points
	// of a device [onenet §3.2]; one more is.
	past := func(n int) string {
		return strings.Repeat(`{"value":1,"time":1524448722000},`, n-1) + `{"value":1,"time":1524448722000}`
	}
	for n, fits := range map[int]bool{100: true, 101: false} {
		up := read(sys+"thing/history/post", `{"id":"1","params":[{"properties":{"wendu":[`+past(n)+`],"count":[`+past(n)+`]}}]}`, dialect.Strict)
		if (up.Fault == nil) != fits || len(up.Report) != map[bool]int{true: 2 * n}[fits] {
			t.Errorf("%d values of each: %d taken, %+v", n, len(up.Report), up.Fault)
		}
	}
}

func TestNotices(t *testing.T) {
	for kind, want := range map[dialect.NoticeKind]string{
		dialect.SubsAdded:   sys + `thing/sub/topo/change {"id":"5","version":"1.0","params":{"subList":[{"deviceName":"d2","productID":"p2"}]}}`,
		dialect.SubsRemoved: sys + `thing/sub/topo/change {"id":"5","version":"1.0","params":{"subList":[{"deviceName":"d2","productID":"p2"}]}}`,
		dialect.SessionOver: "", dialect.Permit: "", dialect.AskToAdd: "", dialect.SubsDisabled: "",
	} {
		got := ""
		for _, d := range (Dialect{}).Notify(&dialect.Notice{Kind: kind, ID: "5", Gateway: tv, Subs: []dialect.Claim{{Product: "x", Device: "y"}}, All: []dialect.Claim{sub}}) {
			got += d.Topic + " " + string(d.Payload)
		}
		if got != want {
			t.Errorf("%d: %s", kind, got)
		}
	}
}

func TestProveAndThrough(t *testing.T) {
	const key = "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw="
	now := time.Unix(1_700_000_000, 0)
	token, err := vendor.NewToken(vendor.Options{ProductID: "p2", DeviceName: "d2", Key: key, Expiry: 1_800_000_000})
	if err != nil {
		t.Fatal(err)
	}
	s := &dialect.SubDevice{Claim: sub, Proof: vendor.Sub{ProductID: "p2", DeviceName: "d2", Token: token.String()}}
	if d := (Dialect{}).Prove(s, dialect.Secrets{Device: key}, dialect.Secrets{}, now); d != nil {
		t.Errorf("the right token: %+v", d)
	}
	if d := (Dialect{}).Prove(s, dialect.Secrets{Device: "YW5vdGhlciBrZXkgb2YgMzIgYnl0ZXMsIGFsbCB3cm9uZw=="}, dialect.Secrets{Device: key}, now); d == nil || d.Code != "onenet-sub-gateway-key" {
		t.Errorf("the gateway's key: %+v", d)
	}
	if d := (Dialect{}).Prove(&dialect.SubDevice{Claim: sub}, dialect.Secrets{}, dialect.Secrets{}, now); d != nil {
		t.Errorf("none is asked for: %+v", d)
	}
	d, ok := Dialect{}.Through(tv, Dialect{}.Set(sub, "7", []thing.Argument{{ID: "WF", Value: thing.IntValue(3)}}, nil))
	if want := `{"id":"7","version":"1.0","params":{"productID":"p2","deviceName":"d2","params":{"WF":3}}}`; !ok || d.Topic != sys+"thing/sub/property/set" || string(d.Payload) != want {
		t.Errorf("%s %s", d.Topic, d.Payload)
	}
	if (Dialect{}).MustLogin() || (Dialect{}).Owner([]byte(sys+"thing/property/post")) != nil {
		t.Error("sub-devices have topics of their own")
	}
}
