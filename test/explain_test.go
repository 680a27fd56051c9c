package test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// layered is a message in its layers.
type layered struct {
	ID    uint64
	Bytes *struct {
		Source, Hex, Note string
		Explanation       struct {
			Packets []struct {
				Type   string
				Fields []struct{ Name, Meaning string }
			}
		}
	}
	Message *struct{ Topic, Text string }
	Report  *struct{ Dialect, Kind, MessageID string }
	Values  []struct {
		Name, Wanted, Verdict, Refusal, Sentence, SentenceZh string
		Value                                                json.RawMessage
	}
	Stored []struct {
		Kind, Name, By string
		Found          bool
		Record         uint64
		Value          json.RawMessage
	}
	Followed []struct{ Topic string }
}

// newestUplink is the id of the newest message on a topic.
func (m *matou) newestUplink(product, device, topic string) uint64 {
	m.t.Helper()
	for _, e := range must[struct {
		Items []struct {
			ID          uint64
			Kind, Topic string
		}
	}](m, "GET", "/products/"+product+"/devices/"+device+"/timeline", nil).Items {
		if e.Topic == topic && (e.Kind == "uplink" || e.Kind == "fault") {
			return e.ID
		}
	}
	m.t.Fatalf("nothing on %s", topic)
	return 0
}

// TestAMessageIsFollowedThroughFiveLayers: one id leads from the bytes on the
// wire to the row in the store.
func TestAMessageIsFollowedThroughFiveLayers(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	device := "/products/" + lampProduct + "/devices/" + lampName
	must[object](m, "PUT", device+"/timeline/watch", object{"seconds": 60})
	w := m.loginAliyun(lampProduct, lampName, lampSecret)
	// A remaining length in more bytes than it needs is what no encoder makes:
	// the bytes are those that came, or they would be shorter.
	payload := `{"id":"7","params":{"CurrentTemperature":20.5,"NoSuchThing":1}}`
	body := str(lampPost) + "\x00\x09" + payload
	sent := append([]byte{0x32, byte(len(body)%128) | 0x80, byte(len(body) / 128)}, body...)
	w.Write(sent)
	w.message() // the reply
	w.expect("40 02 00 09")
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "20.5")
	id := m.newestUplink(lampProduct, lampName, lampPost)
	var l layered
	m.await("the row in the store", func() bool {
		l = must[layered](m, "GET", fmt.Sprintf("%s/timeline/%d/layers", device, id), nil)
		return len(l.Stored) == 1 && l.Stored[0].Found
	})
	switch {
	case l.ID != id:
		t.Errorf("layers of %d", l.ID)
	case l.Bytes == nil || l.Bytes.Source != "recorded" || l.Bytes.Hex != hex.EncodeToString(sent):
		t.Errorf("bytes %+v, sent %x", l.Bytes, sent)
	case len(l.Bytes.Explanation.Packets) != 1 || l.Bytes.Explanation.Packets[0].Type != "PUBLISH" || len(l.Bytes.Explanation.Packets[0].Fields) < 4:
		t.Errorf("explained as %+v", l.Bytes.Explanation)
	case l.Message == nil || l.Message.Topic != lampPost || l.Message.Text != payload:
		t.Errorf("message %+v", l.Message)
	case l.Report == nil || l.Report.Dialect != "aliyun" || l.Report.Kind != "property-post" || l.Report.MessageID != "7":
		t.Errorf("report %+v", l.Report)
	case len(l.Values) != 2 || l.Values[0].Verdict != "fits" || string(l.Values[0].Value) != "20.5" || l.Values[0].Wanted == "":
		t.Errorf("values %+v", l.Values)
	case l.Values[1].Name != "NoSuchThing" || l.Values[1].Verdict != "refused" || l.Values[1].Refusal != "value-unknown" || l.Values[1].Sentence == "" || l.Values[1].SentenceZh == "":
		t.Errorf("refused %+v", l.Values[1])
	case l.Stored[0].Name != "CurrentTemperature" || string(l.Stored[0].Value) != "20.5" || l.Stored[0].By != "record":
		t.Errorf("stored %+v", l.Stored)
	case len(l.Followed) != 1 || l.Followed[0].Topic != lampPost+"_reply":
		t.Errorf("followed by %+v", l.Followed)
	}
	out, _, code := m.cli("device", "trace", lampProduct+"/"+lampName, fmt.Sprint(id), "--lang", "zh")
	for _, want := range []string{"原样记录", "PUBLISH", lampPost, "property-post", "value-unknown", "CurrentTemperature", "docs/refusals/value-unknown.md"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit %d, %q is not in\n%s", code, want, out)
		}
	}

	// Nobody looks any more: bytes are made again, and that is said.
	if status, raw := m.call("DELETE", device+"/timeline/watch", nil); status != 204 {
		t.Fatalf("%d %s", status, raw)
	}
	w.Write(sent)
	w.message() // the reply
	w.expect("40 02 00 09")
	m.await("the second message", func() bool { return m.newestUplink(lampProduct, lampName, lampPost) > id })
	l = must[layered](m, "GET", fmt.Sprintf("%s/timeline/%d/layers", device, m.newestUplink(lampProduct, lampName, lampPost)), nil)
	if l.Bytes == nil || l.Bytes.Source != "re-encoded" || l.Bytes.Note == "" || !strings.HasSuffix(l.Bytes.Hex, hex.EncodeToString([]byte(payload))) {
		t.Errorf("bytes %+v", l.Bytes)
	}
	if status, _ := m.call("GET", device+"/timeline/1/layers", nil); status != 404 {
		t.Errorf("an entry that never was: %d", status)
	}
}

// TestRowsAreFoundByTheirRecords: messages that say the same of the same moment
// are told apart, in both directions; and a value of a sub-device leads to its
// gateway's message.
func TestRowsAreFoundByTheirRecords(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	device := "/products/" + lampProduct + "/devices/" + lampName
	w := m.loginAliyun(lampProduct, lampName, lampSecret)
	const same = `"params":{"CurrentTemperature":{"value":20.5,"time":1790000000123}}}`
	entries := map[uint64]bool{}
	for i := range 3 {
		w.Write(publish(lampPost, fmt.Sprintf(`{"id":"%d",%s`, i, same)))
		w.message() // the reply
		entries[m.newestUplink(lampProduct, lampName, lampPost)] = true
	}
	type sample struct{ Record uint64 }
	var samples []sample
	m.await("three rows", func() bool {
		samples = must[struct{ Items []sample }](m, "GET", device+"/properties/CurrentTemperature/history", nil).Items
		return len(samples) == 3
	})
	if len(entries) != 3 {
		t.Fatalf("entries %v", entries)
	}
	byRecord := map[uint64]uint64{}
	for entry := range entries {
		l := must[layered](m, "GET", fmt.Sprintf("%s/timeline/%d/layers", device, entry), nil)
		if len(l.Stored) != 1 || !l.Stored[0].Found || l.Stored[0].By != "record" {
			t.Fatalf("stored %+v", l.Stored)
		}
		byRecord[l.Stored[0].Record] = entry
	}
	for _, s := range samples {
		o := must[struct {
			Record, Entry uint64
			Kind, Device  string
			Kept          bool
		}](m, "GET", fmt.Sprintf("%s/records/%d", device, s.Record), nil)
		if o.Record != s.Record || o.Entry != byRecord[s.Record] || o.Entry == 0 || o.Kind != "property" || o.Device != lampName || !o.Kept {
			t.Errorf("record %d is of %+v, want entry %d", s.Record, o, byRecord[s.Record])
		}
	}
	out, _, code := m.cli("device", "trace", lampProduct+"/"+lampName, "--record", fmt.Sprint(samples[1].Record))
	if code != 0 || !strings.Contains(out, fmt.Sprintf("record %d\n", samples[1].Record)) || !strings.HasPrefix(out, fmt.Sprint(byRecord[samples[1].Record])) {
		t.Errorf("exit %d\n%s", code, out)
	}
	m.add(lampProduct, "neighbour", lampSecret)
	for path, want := range map[string]int{
		device + "/records/1": 404, "/products/" + lampProduct + "/devices/neighbour/records/" + fmt.Sprint(samples[0].Record): 404,
	} {
		if status, raw := m.call("GET", path, nil); status != want || !strings.Contains(string(raw), "feed.keep") {
			t.Errorf("%s: %d %s", path, status, raw)
		}
	}
}

// TestWatchIsBounded: sixteen devices, an hour, and only those that exist.
func TestWatchIsBounded(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	for i := range 17 {
		name := fmt.Sprintf("watched%02d", i)
		m.add(lampProduct, name, lampSecret)
		status, raw := m.call("PUT", "/products/"+lampProduct+"/devices/"+name+"/timeline/watch", object{})
		if want := 200; i < 16 && status != want {
			t.Errorf("%s: %d %s", name, status, raw)
		}
		if i == 16 && (status != 429 || !strings.Contains(string(raw), "watched00")) {
			t.Errorf("%s: %d %s", name, status, raw)
		}
	}
	if status, _ := m.call("PUT", "/products/"+lampProduct+"/devices/watched00/timeline/watch", object{"seconds": 7200}); status != 400 && status != 422 {
		t.Errorf("two hours: %d", status)
	}
	if status, _ := m.call("PUT", "/products/"+lampProduct+"/devices/nobody/timeline/watch", object{}); status != 404 {
		t.Errorf("a device that does not exist: %d", status)
	}
}

// TestNoLayerShowsASecret: a device under watch puts its secret into all that
// it can send, and no road shows it.
func TestNoLayerShowsASecret(t *testing.T) {
	const canary, productCanary = "c4naryOfTheDevice", "c4naryOfTheProduct"
	m := start(t, t.TempDir())
	m.product("cage", "mqtt", "lenient", productCanary, "")
	m.add("cage", "bird", canary)
	device := "/products/cage/devices/bird"
	must[object](m, "PUT", device+"/timeline/watch", object{})
	login := func() *wire {
		w := m.dial()
		w.Write(connect("bird", "cage/bird", canary, 60, true))
		w.expect("20 02 00 00")
		return w
	}
	for _, password := range []string{canary + "\n", strings.ToUpper(canary), productCanary} { // refused
		w := m.dial()
		w.Write(connect("bird", "cage/bird", password, 60, true))
		w.expect("20 02 00 04")
		w.expectClosed()
	}
	w := login()
	w.Write(publish("cage/bird/"+canary, `{"secret":"`+canary+`"}`))
	w.Write(publish("cage/bird/properties", `{"name":"`+canary+`","other":"`+productCanary+`"}`))
	w.Write(publish("cage/bird/properties", canary))
	w.Write(publish("other/"+canary, canary))
	w.Write(frame(0x82, "\x00\x01"+str("cage/bird/"+canary)+"\x00"))
	w.send("c0 00")
	for first, body := w.packet(); first != 0xd0; first, body = w.packet() {
		_ = body
	}
	w.Write(frame(0x36, str("cage/bird/"+canary)+"\x00\x01"+canary)) // QoS 3
	w.expectClosed()
	w = login()
	w.Write(connect("bird", "cage/bird", canary, 60, true)) // a second CONNECT
	w.expectClosed()
	m.awaitEntry("cage", "bird", "the second CONNECT", func(e entry) bool { return e.Code == "mqtt-bad-connect" })

	type known struct{ ID uint64 }
	roads := map[string]string{}
	_, raw := m.call("GET", device+"/timeline?limit=200", nil)
	roads["timeline"] = string(raw)
	items := must[struct{ Items []known }](m, "GET", device+"/timeline?limit=200", nil).Items
	if len(items) < 10 {
		t.Errorf("%d entries only", len(items))
	}
	for _, e := range items {
		path := fmt.Sprintf("%s/timeline/%d/layers", device, e.ID)
		status, raw := m.call("GET", path, nil)
		if status != 200 {
			t.Errorf("%s: %d %s", path, status, raw)
		}
		roads[path] = string(raw)
		for _, flag := range []string{"--lang=en", "--json"} {
			out, errs, code := m.cli("device", "trace", "cage/bird", fmt.Sprint(e.ID), flag)
			if code != 0 {
				t.Errorf("trace %d: exit %d, %s", e.ID, code, errs)
			}
			roads["matou device trace "+fmt.Sprint(e.ID, flag)] = out + errs
		}
	}
	out, errs, _ := m.cli("device", "timeline", "cage/bird")
	roads["matou device timeline"] = out + errs
	_, raw = m.call("GET", device+"/status", nil)
	roads["status"] = string(raw)
	_, raw = m.call("POST", "/doctor", object{"clientId": "bird", "username": "cage/bird", "password": canary + "\n"})
	roads["doctor"] = string(raw)
	roads["log"] = m.stderr.String() + m.stdout.String()
	for road, text := range roads {
		if spelledOut(text, canary) || spelledOut(text, productCanary) {
			t.Errorf("%s shows a secret:\n%s", road, text)
		}
	}
	if !strings.Contains(roads["timeline"], "*****************") {
		t.Errorf("nothing is masked: the canary never came so far")
	}
}

// spelledOut reports whether a text holds a secret, in whatever coding that the
// roads use.
func spelledOut(text, secret string) bool {
	var payloads struct {
		Items []struct{ Payload, Packet []byte }
	}
	if json.Unmarshal([]byte(text), &payloads) == nil {
		for _, e := range payloads.Items {
			text += string(e.Payload) + string(e.Packet)
		}
	}
	var one struct {
		Entry    struct{ Payload, Packet []byte }
		Followed []struct{ Payload, Packet []byte }
	}
	if json.Unmarshal([]byte(text), &one) == nil {
		text += string(one.Entry.Payload) + string(one.Entry.Packet)
		for _, e := range one.Followed {
			text += string(e.Payload) + string(e.Packet)
		}
	}
	digits := hex.EncodeToString([]byte(secret))
	plain := strings.NewReplacer(" ", "", "\n", "").Replace(strings.ToLower(text))
	return strings.Contains(text, secret) || strings.Contains(plain, digits)
}

// TestCodesHavePagesEverywhere: timeline, doctor and command line name the page
// of a code, and REST has it.
func TestCodesHavePagesEverywhere(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	id, user, _ := aliyunLogin(lampProduct, lampName, lampSecret)
	m.refused(id, user, sign256("another secret", "x"), lampProduct, lampName)
	const page = "docs/refusals/aliyun-wrong-secret.md"
	_, raw := m.call("GET", "/products/"+lampProduct+"/devices/"+lampName+"/timeline", nil)
	if !strings.Contains(string(raw), `"page":"`+page+`"`) {
		t.Errorf("timeline: %s", raw)
	}
	_, raw = m.call("POST", "/doctor", object{"clientId": id, "username": user, "password": sign256("another secret", "x")})
	if !strings.Contains(string(raw), `"page":"`+page+`"`) {
		t.Errorf("doctor: %s", raw)
	}
	type shown struct{ Code, Title, TitleZh, CauseZh, Path string }
	if p := must[shown](m, "GET", "/refusals/aliyun-wrong-secret", nil); p.Path != page || p.Title == "" || p.TitleZh == "" || p.CauseZh == "" {
		t.Errorf("%+v", p)
	}
	if status, _ := m.call("GET", "/refusals/no-such-code", nil); status != 404 {
		t.Errorf("a code that does not exist: %d", status)
	}
	if all := must[struct{ Items []shown }](m, "GET", "/refusals", nil).Items; len(all) < 300 {
		t.Errorf("%d codes", len(all))
	}
	out, _, code := runCLI(t, nil, "doctor", "aliyun", "--device-secret", lampSecret, "--client-id", id, "--username", user, "--password", sign256("another secret", "x"))
	if code != 1 || !strings.Contains(out, page) {
		t.Errorf("exit %d: %s", code, out)
	}
}

// TestWatchShowsPackets: matou device watch shows the pings and acknowledgements
// of a device under watch, and of another nothing but what it says.
func TestWatchShowsPackets(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	w := m.loginAliyun(lampProduct, lampName, lampSecret)
	must[object](m, "PUT", "/products/"+lampProduct+"/devices/"+lampName+"/timeline/watch", object{})
	for _, flag := range []string{"--json", ""} {
		args := []string{"device", "watch", lampProduct + "/" + lampName, "-C", "2"}
		if flag != "" {
			args = append(args, flag)
		}
		seen := make(chan string, 1)
		go func() {
			out, errs, _ := m.cli(args...)
			seen <- out + errs
		}()
		for out := ""; out == ""; { // until it has seen enough
			w.send("c0 00")
			w.expect("d0 00")
			select {
			case out = <-seen:
				want := []string{"packet up PINGREQ", "packet down PINGRESP"}
				if flag != "" {
					want = []string{`"type":"packet"`, `"direction":"up"`, `"packet":"PINGREQ"`, `"bytes":"c000"`, `"packet":"PINGRESP"`}
				}
				for _, part := range want {
					if !strings.Contains(strings.ReplaceAll(out, `": "`, `":"`), part) {
						t.Errorf("%s is not in %s", part, out)
					}
				}
			default:
			}
		}
	}
	if status, raw := m.call("DELETE", "/products/"+lampProduct+"/devices/"+lampName+"/timeline/watch", nil); status != 204 {
		t.Fatalf("%d %s", status, raw)
	}
	before := must[struct{ Items []struct{ ID uint64 } }](m, "GET", "/products/"+lampProduct+"/devices/"+lampName+"/timeline?kind=packet&limit=1", nil).Items
	w.send("c0 00")
	w.expect("d0 00")
	after := must[struct{ Items []struct{ ID uint64 } }](m, "GET", "/products/"+lampProduct+"/devices/"+lampName+"/timeline?kind=packet&limit=1", nil).Items
	if len(before) != 1 || len(after) != 1 || before[0].ID != after[0].ID {
		t.Errorf("a ping is written down though nobody looks: %v, %v", before, after)
	}
}
