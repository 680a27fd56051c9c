package onenet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/thing"
)

func TestSub(t *testing.T) {
	for _, tt := range []struct {
		name, doc string
		want      Sub
		err       error
	}{
		{"topo/add [onenet §3.3]", `{"id":"1","version":"1.0","params":{"productID":"p2","deviceName":"d2","sasToken":"version=2018-10-31&res=x"}}`, Sub{"p2", "d2", "version=2018-10-31&res=x"}, nil},
		{"login", `{"id":"1","params":{"productID":"p2","deviceName":"d2"}}`, Sub{"p2", "d2", ""}, nil},
		{"productId as applications write it, a number", `{"params":{"productId":238322,"devicename":"d2"}}`, Sub{"238322", "d2", ""}, nil},
		{"no params", `{"id":"1"}`, Sub{}, ErrNoParams},
		{"params are a list", `{"id":"1","params":[1]}`, Sub{}, ErrNoParams},
		{"no object", `7`, Sub{}, ErrNotObject},
	} {
		var d Decoder
		if got, err := d.Sub([]byte(tt.doc)); got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
}

func TestSubReply(t *testing.T) {
	for _, tt := range []struct {
		name, doc, data, service string
		who                      Sub
	}{
		{"invoke_reply [onenet §3.3]", `{"id":"5","code":200,"msg":"ok","data":{"productID":"p2","deviceName":"d2","identifier":"svc","output":{"r":1}}}`, `{"r":1}`, "svc", Sub{ProductID: "p2", DeviceName: "d2"}},
		{"get_reply", `{"id":"5","code":200,"msg":"ok","data":{"temperature":39.5}}`, `{"temperature":39.5}`, "", Sub{}},
		{"set_reply without data", `{"id":"5","code":100}`, "", "", Sub{}},
	} {
		var d Decoder
		data, service, who, err := d.SubReply([]byte(tt.doc))
		if err != nil || data != tt.data || service != tt.service || who != tt.who || string(d.ID) != "5" {
			t.Errorf("%s: %q %q %+v %v", tt.name, data, service, who, err)
		}
	}
}

func TestDiagnoseSub(t *testing.T) {
	now := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	sub := Keys{Device: sampleKey, Product: "c3ViIHByb2R1Y3Qga2V5IG9mIDMyIGJ5dGVzISEhISE="}
	gateway := Keys{Device: officialKey, Product: "Z2F0ZXdheSBwcm9kdWN0IGtleSBvZiAzMiBieXRlcyE="}
	token := func(o Options) string {
		t.Helper()
		if o.ProductID == "" {
			o.ProductID = "p2"
		}
		if o.DeviceName == "" {
			o.DeviceName = "d2"
		}
		if o.Expiry == 0 {
			o.Expiry = now.Add(time.Hour).Unix()
		}
		made, err := NewToken(o)
		if err != nil {
			t.Fatal(err)
		}
		return made.String()
	}
	for _, tt := range []struct{ name, code, field, token string }{
		{"its own key", "", "", token(Options{Key: sub.Device})},
		{"its product's key", "", "", token(Options{Key: sub.Product})},
		{"none", "onenet-sub-no-token", "sasToken", ""},
		{"the gateway's key [onenet §10 row 30]", "onenet-sub-gateway-key", "sign", token(Options{Key: gateway.Device})},
		{"the key of the gateway's product", "onenet-sub-gateway-key", "sign", token(Options{Key: gateway.Product})},
		{"expired", "onenet-token-expired", "et", token(Options{Key: sub.Device, Expiry: now.Add(-time.Hour).Unix()})},
		{"made for the gateway", "onenet-res-device", "res", token(Options{Key: sub.Device, DeviceName: "gw"})},
		{"the key itself", "onenet-key-as-password", "sasToken", sub.Device},
		{"another's key", "onenet-wrong-key", "sign", token(Options{Key: "YW5vdGhlciBrZXkgb2YgMzIgYnl0ZXMsIGFsbCB3cm9uZw=="})},
	} {
		s := Sub{"p2", "d2", tt.token}
		d := DiagnoseSub(s, sub, gateway, now)
		if (d == nil) != VerifySub(s, sub, now) {
			t.Errorf("%s: verified and diagnosed differently", tt.name)
		}
		if d == nil {
			if tt.code != "" {
				t.Errorf("%s: nothing is wrong", tt.name)
			}
			continue
		}
		if d.Code != tt.code || d.Field != tt.field || d.Sentence == "" || d.SentenceZH == "" || d.RightLogin != nil {
			t.Errorf("%s: %+v", tt.name, d)
		}
		doc, _ := json.Marshal(d)
		for _, key := range []string{sub.Device, sub.Product, gateway.Device, gateway.Product} {
			if bytes.Contains(doc, []byte(key)) {
				t.Errorf("%s: a key is shown: %s", tt.name, doc)
			}
		}
	}
}

func TestSubMessages(t *testing.T) {
	subs := []Sub{{ProductID: "p1", DeviceName: "d1"}, {ProductID: "p2", DeviceName: "d2"}}
	for _, tt := range []struct{ name, got, want string }{
		{"topo/get/reply", string(AppendReplyData(nil, []byte("123"), 200, "success", AppendSubs(nil, subs))),
			`{"id":"123","code":200,"msg":"success","data":[{"deviceName":"d1","productID":"p1"},{"deviceName":"d2","productID":"p2"}]}`},
		{"topo/change", string(AppendTopoChange(nil, "7", subs[:1])), `{"id":"7","version":"1.0","params":{"subList":[{"deviceName":"d1","productID":"p1"}]}}`},
		{"the last one left", string(AppendTopoChange(nil, "7", nil)), `{"id":"7","version":"1.0","params":{"subList":[]}}`},
		{"a topic", SubTopic("gp", "gd", SubTopoChange), "$sys/gp/gd/thing/sub/topo/change"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, tt.got, tt.want)
		}
	}
	if topic, ok := AppendReplyTopic(nil, []byte("$sys/gp/gd/thing/sub/topo/add")); !ok || string(topic) != "$sys/gp/gd/thing/sub/topo/add/reply" {
		t.Errorf("answered on %q", topic)
	}
}

func TestThroughGateway(t *testing.T) {
	values := []thing.Argument{{ID: "temperature", Value: thing.FloatValue(30.5)}}
	for _, tt := range []struct{ name, topic, payload, wantTopic, want string }{
		{"set [onenet §3.3]", PropertySetTopic("p2", "d2"), string(AppendRequest(nil, "12", values)),
			"$sys/gp/gd/thing/sub/property/set", `{"id":"12","version":"1.0","params":{"productID":"p2","deviceName":"d2","params":{"temperature":30.5}}}`},
		{"get", "$sys/p2/d2/thing/property/get", `{"id":"12","version":"1.0","params":["temperature"]}`,
			"$sys/gp/gd/thing/sub/property/get", `{"id":"12","version":"1.0","params":{"productID":"p2","deviceName":"d2","params":["temperature"]}}`},
		{"invoke", ServiceTopic("p2", "d2", "svc"), string(AppendRequest(nil, "12", values)),
			"$sys/gp/gd/thing/sub/service/invoke", `{"id":"12","version":"1.0","params":{"productID":"p2","deviceName":"d2","identifier":"svc","input":{"temperature":30.5}}}`},
		{"an update of firmware goes to nobody", "$sys/p2/d2/ota/inform", `{"id":"1","params":{}}`, "", ""},
		{"no JSON", PropertySetTopic("p2", "d2"), `{`, "", ""},
	} {
		topic, payload, ok := ThroughGateway("gp", "gd", tt.topic, []byte(tt.payload))
		if topic != tt.wantTopic || string(payload) != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %s %s", tt.name, topic, payload)
		}
	}
}

func TestPack(t *testing.T) {
	told := func(parts []Part) string {
		var b strings.Builder
		for _, p := range parts {
			fmt.Fprintf(&b, "%v %s/%s", p.Names, p.ProductID, p.DeviceName)
			for _, v := range p.Properties {
				fmt.Fprintf(&b, " %s=%s@%d", v.ID, v.Value, v.At)
			}
			for _, e := range p.Events {
				fmt.Fprintf(&b, " %s!%s@%d", e.ID, thing.AppendArguments(nil, e.Output), e.At)
			}
			b.WriteString("; ")
		}
		return b.String()
	}
	for _, tt := range []struct {
		name, doc, want string
		bare            bool
		err             error
	}{
		{"pack/post [onenet §3.2]", `{"id":"1","version":"1.0","params":[{"identity":{"productID":"p2","deviceName":"d2"},"properties":{"Power":{"value":"on","time":1524448722000}},"events":{"alarm":{"value":{"WF":"2"},"time":1524448722000}}}]}`,
			`true p2/d2 Power=on@1524448722000 alarm!{"WF":"2"}@1524448722000; `, false, nil},
		{"history/post: lists", `{"id":"1","params":[{"properties":{"T":[{"value":1,"time":1000},{"value":2,"time":2000}]},"events":{"alarm":[{"value":{"a":1},"time":1000},{"value":{"a":2},"time":2000}]}}]}`,
			`false / T=1@1000 T=2@2000 alarm!{"a":1}@1000 alarm!{"a":2}@2000; `, false, nil},
		{"null and missing, as the C SDK writes", `{"id":"1","params":[{"identity":null,"properties":null},{"identity":{"productID":"p","deviceName":"d"},"properties":{"T":{"value":1}},"events":null}]}`,
			`false /; true p/d T=1@0; `, false, nil},
		{"a value that is a list", `{"id":"1","params":[{"properties":{"L":{"value":[1,2]}}}]}`, `false / L=[1,2]@0; `, false, nil},
		{"bare values", `{"id":"1","params":[{"properties":{"T":1,"L":[1,2]}}]}`, `false / T=1@0 L=[1,2]@0; `, true, nil},
		{"no params", `{"id":"1"}`, "", false, ErrNoParams},
		{"params are an object", `{"id":"1","params":{}}`, "", false, ErrNoParams},
		{"an event without a value", `{"id":"1","params":[{"events":{"alarm":1}}]}`, "", false, ErrNoParams},
	} {
		var d Decoder
		parts, err := d.Pack([]byte(tt.doc))
		if got := told(parts); got != tt.want || !errors.Is(err, tt.err) || err == nil && d.Bare != tt.bare {
			t.Errorf("%s: %s bare %v, %v", tt.name, got, d.Bare, err)
		}
	}
}

func FuzzSub(f *testing.F) {
	f.Add([]byte(`{"id":"1","params":{"productID":"p2","deviceName":"d2","sasToken":"x"}}`))
	f.Add([]byte(`{"id":"1","params":[{"identity":{"productID":"p2","deviceName":"d2"},"properties":{"P":[{"value":1,"time":2}]},"events":{"e":{"value":{}}}}]}`))
	f.Add([]byte(`{"id":"5","code":200,"data":{"deviceName":"d2","identifier":"svc","output":{"r":1}}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var d Decoder
		if s, err := d.Sub(doc); err == nil {
			now := time.Unix(1_700_000_000, 0)
			k := Keys{Device: sampleKey}
			if VerifySub(s, k, now) != (DiagnoseSub(s, k, Keys{Device: officialKey}, now) == nil) {
				t.Errorf("verified and diagnosed differently: %+v", s)
			}
		}
		d.SubReply(doc)
		d.Ask(doc)
		if parts, err := d.Pack(doc); err != nil && parts != nil {
			t.Errorf("%d parts with %v", len(parts), err)
		}
		if _, out, ok := ThroughGateway("g", "g", PropertySetTopic("p", "d"), doc); ok && !json.Valid(out) {
			t.Errorf("%s became %s", doc, out)
		}
	})
}
