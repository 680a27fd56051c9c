package gate_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/gate"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A street is a house whose gate stands in front of a broker on loopback.
type street struct {
	*house
	addr   string
	broker *broker.Broker
}

func live(t *testing.T) *street {
	t.Helper()
	return liveWith(t, nil)
}

// liveWith is live with other options of the gate.
func liveWith(t *testing.T, change func(*gate.Options)) *street {
	t.Helper()
	h := open(t, change)
	b, err := broker.New(broker.Options{Rules: h.Gate})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served, ran := make(chan error, 1), make(chan error, 1)
	go func() { served <- b.Serve(ctx, ln) }()
	go func() { ran <- b.Run(ctx) }()
	t.Cleanup(func() {
		down, done := context.WithTimeout(context.Background(), patience)
		defer done()
		err := b.Shutdown(down)
		cancel()
		if err := errors.Join(err, <-served, <-ran); err != nil {
			t.Errorf("the broker ended with %v", err)
		}
	})
	return &street{h, ln.Addr().String(), b}
}

// A peer is the other end of a connection, seen as bytes.
type peer struct {
	net.Conn
	t *testing.T
}

func (s *street) dial() *peer {
	s.t.Helper()
	nc, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	nc.SetDeadline(time.Now().Add(patience))
	s.t.Cleanup(func() { nc.Close() })
	return &peer{nc, s.t}
}

// wire reads bytes as tests write them: hex, with blanks, and 'text' in quotes.
func wire(t *testing.T, s string) (b []byte) {
	t.Helper()
	for i, part := range strings.Split(s, "'") {
		if i%2 == 1 {
			b = append(b, part...)
			continue
		}
		raw, err := hex.DecodeString(strings.Join(strings.Fields(part), ""))
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		b = append(b, raw...)
	}
	return b
}

func (p *peer) send(s string) {
	p.t.Helper()
	if _, err := p.Write(wire(p.t, s)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) put(k packet.Packet) {
	p.t.Helper()
	b, err := k.Append(nil, mqtt.V311)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

// want reads exactly the bytes of s.
func (p *peer) want(s string) {
	p.t.Helper()
	want := wire(p.t, s)
	got := make([]byte, len(want))
	n, err := io.ReadFull(p, got)
	if !bytes.Equal(got[:n], want) {
		p.t.Fatalf("got % x (%q, %v)\nwant % x", got[:n], got[:n], err, want)
	}
}

// wantEnd reads the end of the connection.
func (p *peer) wantEnd() {
	p.t.Helper()
	rest, err := io.ReadAll(p)
	if len(rest) > 0 {
		p.t.Fatalf("got % x before the end", rest)
	}
	if ne, ok := err.(net.Error); ok && ne.Timeout() {
		p.t.Fatal("the connection is still open")
	}
}

// until returns the next entry of a kind.
func until(t *testing.T, ch <-chan trace.Entry, kind trace.Kind) trace.Entry {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case e := <-ch:
			if e.Kind == kind {
				return e
			}
		case <-late:
			t.Fatalf("no entry %v came", kind)
		}
	}
}

func (s *house) status(id registry.ID) registry.Status {
	s.t.Helper()
	status, err := s.registry.Status(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return status
}

func TestDeviceComesAndGoes(t *testing.T) {
	s := live(t)
	told := s.timeline.Watch(t.Context(), pump.Product, pump.Device)
	p := s.dial()
	p.put(connect("farm/pump1", pumpSecret))
	p.want("20020000")
	p.send("c000")
	p.want("d000") // whoever is answered is connected
	if got := s.status(pump); got.State != registry.Online || got.LastAddr != p.LocalAddr().String() || got.ClientID != "c1" || got.Protocol != "MQTT 3.1.1 over tcp" || got.ActivatedAt.IsZero() {
		t.Errorf("online: %+v", got)
	}
	if got := s.statuses.String(); got != "farm/pump1 ONLINE" {
		t.Errorf("told %s", got)
	}
	p.send("e000")
	p.wantEnd()
	e := until(t, told, trace.Disconnect)
	if e.Sentence != "client disconnected" || e.SentenceZH != "设备主动断开" {
		t.Errorf("%+v", e)
	}
	if got := s.status(pump); got.State != registry.Offline || got.OfflineReason != "client disconnected" || got.LastOffline.IsZero() {
		t.Errorf("offline: %+v", got)
	}
	if got := s.statuses.String(); got != "farm/pump1 ONLINE, farm/pump1 OFFLINE" {
		t.Errorf("told %s", got)
	}
	s.wantSecret(pumpSecret, pump)
}

func TestTheNewerConnectionIsTheDevices(t *testing.T) {
	s := live(t)
	told := s.timeline.Watch(t.Context(), pump.Product, pump.Device)
	first := s.dial()
	first.put(connect("farm/pump1", pumpSecret))
	first.want("20020000")
	second := s.dial()
	c := connect("farm/pump1", pumpSecret)
	c.ClientID = "c2"
	second.put(c)
	second.want("20020000")
	second.send("c000")
	second.want("d000")
	first.wantEnd()
	if e := until(t, told, trace.Disconnect); e.Code != "taken-over" || !strings.HasPrefix(e.Sentence, "taken over: farm/pump1 logged in again") || e.SentenceZH == e.Sentence || e.Detail == nil {
		t.Errorf("%+v", e)
	}
	if got := s.status(pump); got.State != registry.Online || got.ClientID != "c2" {
		t.Errorf("%+v", got)
	}
	if got := s.statuses.String(); got != "farm/pump1 ONLINE, farm/pump1 OFFLINE, farm/pump1 ONLINE" {
		t.Errorf("told %s", got)
	}
}

func TestRefusalOnTheWire(t *testing.T) {
	s := live(t)
	p := s.dial()
	p.put(connect("farm/pump1", guess))
	p.want("20020004")
	p.wantEnd()
	five := s.dial()
	c := connect("farm/pump1", guess)
	c.Version = mqtt.V5
	b, err := c.Append(nil, mqtt.V5)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := five.Write(b); err != nil {
		t.Fatal(err)
	}
	five.want("202d 00 86 2a 1f0027 'the password is not the device' 27 's secret'")
	if got := s.statuses.String(); got != "" {
		t.Errorf("told %s", got)
	}
	if got := s.status(pump); got.State != registry.Inactive || got.Refusals != 2 {
		t.Errorf("%+v", got)
	}
	s.wantSecret(guess, pump)
}

func TestSubscribeIsJudgedAndWrittenDown(t *testing.T) {
	s := live(t)
	p := s.dial()
	p.put(s.alink(lampSecret))
	p.want("20020000")
	p.put(&packet.Subscribe{ID: 7, Subscriptions: []packet.Subscription{
		{Filter: "/sys/a1NightLamp/lamp01/thing/service/+", QoS: 2}, {Filter: "/a1NightLamp/lamp02/user/get", QoS: 1},
	}})
	p.want("9004 0007 01 80")
	all := story(s.timeline, lamp)
	if got := kinds(all); got != "connect subscribe subscribe:aliyun-topic-forbidden" {
		t.Fatalf("told %s", got)
	}
	if e := all[1]; e.Topic != "/sys/a1NightLamp/lamp01/thing/service/+" || e.QoS != 2 || e.Direction != "up" || e.Sentence != "" {
		t.Errorf("%+v", e)
	}
	p.put(&packet.Subscribe{ID: 8, Subscriptions: []packet.Subscription{{Filter: "/a1NightLamp/lamp01/user/get#"}}})
	p.want("9003 0008 80")
	if all := story(s.timeline, lamp); kinds(all) != "connect subscribe subscribe:aliyun-topic-forbidden subscribe:mqtt-filter" ||
		!strings.Contains(all[3].Sentence, "# stands alone in the last level") || !strings.Contains(all[3].SentenceZH, "# 只能独占最后一级") || all[3].Detail == nil {
		t.Errorf("%+v", all)
	}
	if e := all[2]; e.Topic != "/a1NightLamp/lamp02/user/get" || !strings.Contains(e.Sentence, "/a1NightLamp/lamp01/user/get") || e.SentenceZH == "" || e.Detail == nil {
		t.Errorf("%+v", e)
	}
}

func TestPublishGoesToTheUplinks(t *testing.T) {
	s := live(t)
	s.uplinks.decide = broker.Decision{Action: broker.Consume}
	p := s.dial()
	p.put(connect("farm/pump1", pumpSecret))
	p.want("20020000")
	p.put(&packet.Publish{ID: 1, QoS: 1, Topic: []byte("farm/pump1/properties"), Payload: []byte(`{"Power":1}`)})
	p.want("40020001")
	if got := s.uplinks.String(); got != `farm/pump1 mqtt farm/pump1/properties {"Power":1}` {
		t.Errorf("%s", got)
	}
	s.uplinks.mu.Lock()
	s.uplinks.decide = broker.Decision{Action: broker.Close, Reason: mqtt.NotAuthorized}
	s.uplinks.mu.Unlock()
	told := s.timeline.Watch(t.Context(), pump.Product, pump.Device)
	p.put(&packet.Publish{ID: 2, QoS: 1, Topic: []byte("other/x")})
	p.wantEnd()
	if e := until(t, told, trace.Disconnect); e.Sentence != "closed by rules" {
		t.Errorf("%+v", e)
	}
}

func TestFaultyPacketIsExplained(t *testing.T) {
	s := live(t)
	told := s.timeline.Watch(t.Context(), pump.Product, pump.Device)
	p := s.dial()
	p.put(connect("farm/pump1", pumpSecret))
	p.want("20020000")
	p.send("36 0a 0003'a/b' 0001 'hi!'") // QoS 3
	p.wantEnd()
	e := until(t, told, trace.Fault)
	if want := wire(t, "36 0a 0003'a/b' 0001 'hi!'"); !bytes.Equal(e.Packet, want) || e.Size != len(want) || e.Code != "mqtt-qos3" {
		t.Errorf("%+v", e)
	}
	if !strings.Contains(e.Sentence, "QoS 3 does not exist: use 0, 1 or 2") || !strings.Contains(e.SentenceZH, "QoS 3 不存在") {
		t.Errorf("%q, %q", e.Sentence, e.SentenceZH)
	}
	var x struct {
		Packets []struct {
			Type   string
			Faults []struct{ Code string }
		}
	}
	detail, _ := e.Detail.(json.RawMessage)
	if err := json.Unmarshal(detail, &x); err != nil || len(x.Packets) != 1 || x.Packets[0].Type != "PUBLISH" || len(x.Packets[0].Faults) == 0 {
		t.Errorf("%v: %s", err, detail)
	}
	if e := until(t, told, trace.Disconnect); e.Sentence != "protocol fault" {
		t.Errorf("%+v", e)
	}
}

// login is the variable part of a CONNECT: client identifier, user name,
// password.
const login = "0002'c1' 000a'farm/pump1' 000f'Correct-Horse-7'"

func TestPasswordOfBrokenConnectIsNotShown(t *testing.T) {
	for _, tt := range []struct{ name, bytes, shown string }{
		{"reserved flag", "10 2b 0004'MQTT' 04 c3 003c " + login, "farm/pump1"},
		{"unknown level", "10 2b 0004'MQTT' 09 c2 003c " + login, ""},
		{"name in small letters", "10 2b 0004'mqtt' 04 c2 003c " + login, ""},
		{"flags of the first byte", "11 2b 0004'MQTT' 04 c2 003c " + login, "farm/pump1"},
		{"password longer than it is", "10 2b 0004'MQTT' 04 c2 003c 0002'c1' 000a'farm/pump1' 00ff'Correct-Horse-7'", ""},
		{"password shorter than it is", "10 2b 0004'MQTT' 04 c2 003c 0002'c1' 000a'farm/pump1' 0003'Correct-Horse-7'", ""},
		{"user name over the password", "10 2b 0004'MQTT' 04 c2 003c 0002'c1' 001b'farm/pump1' 000f'Correct-Horse-7'", ""},
		{"client identifier over everything", "10 2b 0004'MQTT' 04 c2 003c 001f'c1' 000a'farm/pump1' 000f'Correct-Horse-7'", ""},
		{"no flag for the password", "10 2b 0004'MQTT' 04 82 003c " + login, ""},
		{"no flags at all", "10 2b 0004'MQTT' 04 02 003c " + login, ""},
		{"remaining length too short", "10 1c 0004'MQTT' 04 c2 003c " + login, ""},
		{"without its first byte", "2b 0004'MQTT' 04 c2 003c " + login, ""},
		{"without its header", "0004'MQTT' 04 c2 003c " + login, ""},
		{"behind another packet", "c000 10 2b 0004'MQTT' 04 c2 003c " + login, ""},
		{"behind rubbish", "0000 10 2b 0004'MQTT' 04 c2 003c " + login, ""},
		{"behind a PUBLISH", "30 03 0001'a' 10 2b 0004'MQTT' 04 c2 003c " + login, ""},
		{"MQIsdp of level 4", "10 2d 0006'MQIsdp' 04 c2 003c " + login, ""},
		{"line end behind it", "10 2d 0004'MQTT' 04 c3 003c " + login + "0d0a", ""},
		{"as digits", "'" + strings.ToUpper(hex.EncodeToString(wire(t, "102b 0004'MQTT' 04 c2 003c "+login))) + "'", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := live(t)
			told := s.strangers.Watch(t.Context(), "", "")
			p := s.dial()
			p.send(tt.bytes)
			p.CloseWrite()
			e := until(t, told, trace.Fault)
			if e.Code == "" || e.Sentence == "" || e.Size != len(wire(t, tt.bytes)) {
				t.Errorf("%+v", e)
			}
			doc, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(doc), tt.shown) {
				t.Errorf("%s is not shown: %s", tt.shown, doc)
			}
			s.wantSecret(pumpSecret)
			s.wantSecret("Horse", pump)
		})
	}
}

func TestPasswordOfSecondConnectIsNotShown(t *testing.T) {
	const good = "10 2b 0004'MQTT' 04 c2 003c " + login
	for _, tt := range []struct{ name, bytes string }{
		{"a good one", good},
		{"a broken one", "10 2b 0004'MQTT' 04 c3 003c " + login},
		{"behind a broken PUBLISH", "36 03 0001'a'" + good},
		{"as digits", "'" + strings.ToUpper(hex.EncodeToString(wire(t, good))) + "'"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := live(t)
			told := s.timeline.Watch(t.Context(), pump.Product, pump.Device)
			p := s.dial()
			p.send(good)
			p.want("20020000")
			p.send(tt.bytes)
			if e := until(t, told, trace.Fault); e.Sentence == "" || e.Size == 0 {
				t.Errorf("%+v", e)
			}
			until(t, told, trace.Disconnect)
			s.wantSecret(pumpSecret, pump)
		})
	}
}

func TestStrangersWithoutMQTTAreExplained(t *testing.T) {
	s := live(t)
	told := s.strangers.Watch(t.Context(), "", "")
	p := s.dial()
	p.send("'0,0,\"c1\",\"u\",\"" + guess + "\"' 0d0a") // the end of an AT command
	p.CloseWrite()
	e := until(t, told, trace.Fault)
	if !strings.HasPrefix(e.Sentence, "127.0.0.1:") || !strings.Contains(e.Sentence, "this is text, not MQTT") || !strings.Contains(e.SentenceZH, "这是普通文本") {
		t.Errorf("%+v", e)
	}
	if string(e.Packet) != `0,0,"c1","u"` {
		t.Errorf("shown %q", e.Packet)
	}
	s.wantSecret(guess)
}

// CloseWrite says that nothing more will come.
func (p *peer) CloseWrite() {
	p.t.Helper()
	if err := p.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		p.t.Fatal(err)
	}
}

// TestPacketsUnderWatch: acknowledgements, pings and their like are in the
// timeline of a device under watch, and of nobody else.
func TestPacketsUnderWatch(t *testing.T) {
	s := live(t)
	p := s.dial()
	p.put(s.alink(lampSecret))
	p.want("20 02 00 00")
	talk := func(id string) { // of the message that it is sent
		t.Helper()
		p.send("c0 00")
		p.want("d0 00")
		p.put(&packet.Subscribe{ID: 1, Subscriptions: []packet.Subscription{{Filter: "/" + lamp.String() + "/user/get"}}})
		p.want("90 03 00 01 00")
		p.put(&packet.Publish{Topic: []byte("/" + lamp.String() + "/user/update"), QoS: mqtt.AtLeastOnce, ID: 7, Payload: []byte("x")})
		p.want("40 02 00 07")
		p.put(&packet.Publish{Topic: []byte("/" + lamp.String() + "/user/update"), QoS: mqtt.ExactlyOnce, ID: 8, Payload: []byte("x")})
		p.want("50 02 00 08")
		p.send("62 02 00 08")
		p.want("70 02 00 08")
		if o := s.broker.Send(lamp.String(), broker.Message{Topic: "t", QoS: mqtt.AtLeastOnce}, broker.Unasked); o != broker.Delivered {
			t.Fatal(o)
		}
		p.want("32 05 00 01 't' 00 " + id)
		p.send("40 02 00 " + id)
		p.put(&packet.Unsubscribe{ID: 2, Filters: []string{"/" + lamp.String() + "/user/get"}})
		p.want("b0 02 00 02")
	}
	packets := func() (all []string) {
		for _, e := range story(s.timeline, lamp) {
			if e.Kind == trace.Packet {
				all = append(all, e.Direction+" "+e.Sentence+" "+hex.EncodeToString(e.Packet))
			}
		}
		return all
	}
	talk("01")
	if got := packets(); len(got) != 0 {
		t.Errorf("nobody looks: %q", got)
	}
	if _, err := s.timeline.Observe(probe.Product, probe.Device, time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	talk("02")
	if got := packets(); len(got) != 0 {
		t.Errorf("another is under watch: %q", got)
	}
	if _, err := s.timeline.Observe(lamp.Product, lamp.Device, time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	talk("03")
	want := []string{
		"up PINGREQ c000", "down PINGRESP d000", "down SUBACK 1 [0x00] 9003000100", "down PUBACK 7 0x00 40020007",
		"down PUBREC 8 0x00 50020008", "up PUBREL 8 0x00 62020008", "down PUBCOMP 8 0x00 70020008", "up PUBACK 3 0x00 40020003",
		`up UNSUBSCRIBE 2 ["/a1NightLamp/lamp01/user/get"] a220000200` + "1c" + hex.EncodeToString([]byte("/a1NightLamp/lamp01/user/get")), "down UNSUBACK 2 [] b0020002",
	}
	if got := packets(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	p.put(s.alink(lampSecret)) // a second CONNECT has a password in it
	for _, e := range story(s.timeline, lamp) {
		if e.Kind == trace.Packet && bytes.Contains(e.Packet, []byte("MQTT")) {
			t.Errorf("a CONNECT is shown: %+v", e)
		}
	}
}
