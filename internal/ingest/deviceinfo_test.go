package ingest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
)

// add makes lamp-1 known to the registry.
func (h *house) add() {
	h.Helper()
	if _, err := h.Registry.CreateDevice(context.Background(), registry.Device{Product: lamp, Name: one, Secret: "topsecret"}); err != nil {
		h.Fatal(err)
	}
}

func (h *house) device() *registry.Device {
	h.Helper()
	d, err := h.Registry.Device(context.Background(), registry.ID{Product: lamp, Device: one})
	if err != nil {
		h.Fatal(err)
	}
	return d
}

func TestTagsOfADevice(t *testing.T) {
	h := newHouse(t)
	h.add()
	writes := 0
	h.store.Hook = func(method string) error {
		if method == "UpdateDevices" {
			writes++
		}
		return nil
	}
	update, remove := sys+"deviceinfo/update", sys+"deviceinfo/delete"
	const both = `{"id":"1","params":[{"attrKey":"room","attrValue":"厨房"},{"attrKey":"SYS_SDK_LANGUAGE","attrValue":"C","domain":"SYSTEM"}]}`
	h.publish(update, both)
	if d := h.device(); fmt.Sprint(d.Tags, d.SystemTags) != "map[room:厨房] map[SYS_SDK_LANGUAGE:C]" {
		t.Errorf("%v %v", d.Tags, d.SystemTags)
	}
	changed := h.device().UpdatedAt
	h.publish(update, both)
	if writes != 1 || !h.device().UpdatedAt.Equal(changed) {
		t.Errorf("the same tags are written %d times", writes)
	}
	h.publish(remove, `{"id":"2","params":[{"attrKey":"room"},{"attrKey":"never"}]}`)
	if d := h.device(); len(d.Tags) != 0 || len(d.SystemTags) != 1 {
		t.Errorf("%v %v", d.Tags, d.SystemTags)
	}
	var many strings.Builder
	for i := range 101 {
		fmt.Fprintf(&many, `,{"attrKey":"k%d","attrValue":"v"}`, i)
	}
	h.publish(update, `{"id":"3","params":[`+many.String()[1:]+`]}`)
	if d := h.device(); len(d.Tags) != 0 {
		t.Errorf("%d tags", len(d.Tags))
	}
	all := h.sender.all()
	if last := all[len(all)-1]; last.payload != `{"code":460,"data":{},"id":"3","message":"request parameter error","method":"thing.deviceinfo.update","version":"1.0"}` {
		t.Errorf("answered %s", last.payload)
	}
	told := false
	for _, e := range h.timeline() {
		told = told || e.Kind == trace.Fault && e.Code == "aliyun-bad-tags" && strings.Contains(e.Sentence, "101") && e.SentenceZH != "" && e.Detail != nil
	}
	if !told {
		t.Errorf("the timeline does not tell: %+v", h.timeline())
	}
}

func TestTemplateIsTheModel(t *testing.T) {
	h := newHouse(t)
	h.publish(sys+"dsltemplate/get", `{"id":"1","params":{}}`)
	all := h.sender.all()
	if len(all) != 1 || !strings.Contains(all[0].payload, `"identifier":"NightLightSwitch"`) || !strings.Contains(all[0].payload, `"link":"/sys/`+lamp+"/"+one+`/thing/"`) {
		t.Errorf("%+v", all)
	}
}

func TestResetAndNetworkAreNoted(t *testing.T) {
	for topic, code := range map[string]string{sys + "reset": "device-reset", "/sys/" + lamp + "/" + one + "/_thing/diag/post": "network-status"} {
		h := newHouse(t)
		h.publish(topic, `{"id":"1","params":{"p":{"wifi":{"rssi":-57}}}}`)
		if all := h.sender.all(); len(all) != 1 || !strings.HasPrefix(all[0].payload, `{"code":200,"data":{},"id":"1"`) {
			t.Errorf("%s: %+v", topic, all)
		}
		noted := false
		for _, e := range h.timeline() {
			noted = noted || e.Kind == trace.Note && e.Code == code
		}
		if !noted {
			t.Errorf("%s is not noted: %+v", topic, h.timeline())
		}
	}
}

// networks remember what was said last.
type networks map[registry.ID]registry.Network

func (n networks) SaveNetwork(_ context.Context, id registry.ID, said registry.Network) error {
	n[id] = said
	return nil
}

func TestTheLastNetworkStatusIsKept(t *testing.T) {
	h := newHouse(t)
	kept := networks{}
	h.Networks = kept
	say := func(params string) {
		t.Helper()
		h.publish("/sys/"+lamp+"/"+one+"/_thing/diag/post", `{"id":"1","params":`+params+`}`)
	}
	say(`{'p':{wifi:{"rssi":-57}},"model":"format=simple|quantity=single|time=now"}`)
	id := registry.ID{Product: lamp, Device: one}
	if got := kept[id]; string(got.Report) != `{"p":{"wifi":{"rssi":-57}},"model":"format=simple|quantity=single|time=now"}` || !got.At.Equal(arrival) {
		t.Errorf("kept %s of %v", got.Report, got.At)
	}
	before := string(kept[id].Report)
	say(`{"p":"` + strings.Repeat("x", registry.MaxNetwork) + `"}`) // too long: in the timeline alone
	say(`[]`)                                                       // refused
	if got := string(kept[id].Report); got != before {
		t.Errorf("kept %.80s", got)
	}
}

// The key of the local network is the device's own, the same each time, and is
// neither its secret nor in the timeline.
func TestLANKey(t *testing.T) {
	h := newHouse(t)
	h.add()
	h.publish(sys+"lan/prefix/get", `{"id":"1","params":{}}`)
	h.publish(sys+"lan/prefix/get", `{"id":"1","params":{}}`)
	all := h.sender.all()
	if len(all) != 2 || all[0].payload != all[1].payload || strings.Contains(all[0].payload, "topsecret") {
		t.Fatalf("%+v", all)
	}
	_, secret, _ := strings.Cut(all[0].payload, `"deviceSecret":"`)
	secret, _, _ = strings.Cut(secret, `"`)
	if len(secret) != 32 {
		t.Errorf("secret %q", secret)
	}
	for _, e := range h.timeline() {
		if strings.Contains(string(e.Payload), secret) {
			t.Errorf("the timeline holds the key: %s", e.Payload)
		}
	}
}
