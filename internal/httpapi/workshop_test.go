package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestPacketsAreBuilt(t *testing.T) {
	h := newHouse(t)
	for _, tt := range []struct {
		name string
		in   object
		hex  string
	}{
		{"PINGREQ", object{"type": "PINGREQ"}, "c000"},
		{"PUBLISH", object{"type": "PUBLISH", "topic": "t", "payload": "hi"}, "3005000174" + "6869"},
		{"PUBLISH 5.0 QoS 1", object{"type": "PUBLISH", "version": "5.0", "qos": 1, "id": 7, "topic": "t"}, "3206000174" + "000700"},
		{"SUBSCRIBE", object{"type": "SUBSCRIBE", "filters": []string{"t/#"}}, "82080001" + "0003742f2300"},
		{"CONNECT", object{"type": "CONNECT", "clientId": "c", "keepAlive": 60}, "100d" + "00044d51545404" + "02003c000163"},
	} {
		if got := h.want(200, "POST", "/packets", tt.in); strings.ReplaceAll(got["hex"].(string), " ", "") != tt.hex {
			t.Errorf("%s: %v, want %s", tt.name, got["hex"], tt.hex)
		}
	}
	h.want(400, "POST", "/packets", object{"type": "PUBLISH", "topic": "t/#"})
	h.want(400, "POST", "/packets", object{"type": "SUBSCRIBE"})
	h.want(400, "POST", "/packets", object{"type": "PINGREQ", "version": "6"})
	h.want(422, "POST", "/packets", object{"type": "HELLO"})
}

func TestLoginsAreSigned(t *testing.T) {
	h := newHouse(t)
	// The vendor's own example [aliyun-device §2].
	got := h.want(200, "POST", "/sign/aliyun", object{
		"productKey": "pk", "deviceName": "device", "deviceSecret": "secret", "clientId": "12345", "timestamp": "789", "method": "hmacsha1",
	})
	if got["password"] != "fafd82a3d602b37fb0fa8b7892f24a477f851a14" || got["stringToSign"] != "clientId12345deviceNamedeviceproductKeypktimestamp789" {
		t.Errorf("aliyun: %v", got)
	}
	in := object{"productId": "VRqhDHF2wL", "deviceName": "my_tv", "key": "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=", "et": 1893456000}
	got = h.want(200, "POST", "/sign/onenet", in)
	if got["stringToSign"] != "1893456000\nsha1\nproducts/VRqhDHF2wL/devices/my_tv\n2018-10-31" {
		t.Errorf("onenet: %v", got)
	}
	in["level"] = "product"
	got = h.want(200, "POST", "/sign/onenet", in)
	if got["stringToSign"] != "1893456000\nsha1\nproducts/VRqhDHF2wL\n2018-10-31" {
		t.Errorf("onenet, product: %v", got)
	}
	in["key"] = "?"
	h.want(400, "POST", "/sign/onenet", in)
}

func TestRecordingsAreShown(t *testing.T) {
	h := newHouse(t)
	got := h.want(200, "POST", "/explain/recording", "10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 63 c0 00")
	one := got["items"].([]any)[0].(object)
	packets := one["packets"].([]any)
	if len(packets) != 2 || packets[0].(object)["type"] != "CONNECT" || packets[1].(object)["version"] != "3.1.1" {
		t.Errorf("hex: %v", got)
	}
	h.want(400, "POST", "/explain/recording", "nothing of the kind")
}

func TestRecordingsAreReplayed(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/products", object{"key": "a1Replay", "name": "lamp", "dialect": "aliyun"})
	for _, name := range []string{"lamp01", "lamp02"} {
		h.want(201, "POST", "/products/a1Replay/devices", object{"name": name})
	}
	build := func(in object) string { return h.want(200, "POST", "/packets", in)["hex"].(string) }
	old := build(object{"type": "CONNECT", "clientId": "a1Replay.lamp01|securemode=3,signmethod=hmacsha1|", "username": "lamp01&a1Replay", "password": "0000", "keepAlive": 60})
	talk := strings.Join([]string{old, build(object{"type": "PUBLISH", "qos": 1, "id": 7, "topic": "/sys/a1Replay/lamp01/thing/event/property/post", "payload": "{}"}), build(object{"type": "DISCONNECT"})}, "\n")

	refused := h.want(200, "POST", "/replay", talk)
	if refused["refused"] != true || refused["diagnosis"] == nil || refused["left"] != 2.0 {
		t.Errorf("an old login: %v", refused)
	}
	for _, query := range []string{"?resign=true", "?product=a1Replay&device=lamp02"} {
		got := h.want(200, "POST", "/replay"+query, talk)
		if got["refused"] != nil || got["sent"] != 3.0 {
			t.Errorf("%s: %v", query, got)
		}
		var said []string
		for _, s := range got["steps"].([]any) {
			if p, is := s.(object)["packet"].(object); is {
				said = append(said, fmt.Sprint(s.(object)["kind"], " ", p["type"]))
			}
		}
		if all := strings.Join(said, ", "); !strings.HasPrefix(all, "sent CONNECT, received CONNACK, sent PUBLISH, received ") || !strings.Contains(all, "received PUBACK") {
			t.Errorf("%s: %s", query, all)
		}
	}
	h.want(404, "POST", "/replay?product=a1Replay&device=lamp03", talk)
	h.want(400, "POST", "/replay?product=a1Replay", talk)
	h.want(400, "POST", "/replay?stream=2", talk)
	h.want(400, "POST", "/replay", "nothing of the kind")
	h.want(400, "POST", "/replay", strings.Repeat("c0 00\n", 2000))
}

// A login that failed at a vendor's cloud is judged by its secret alone.
func TestLoginsOfElsewhereAreDiagnosed(t *testing.T) {
	h := newHouse(t)
	login := h.want(200, "POST", "/sign/aliyun", object{"productKey": "k19g7hBjoOD", "deviceName": "testdevice1", "deviceSecret": "s3cret", "timestamp": "1729065411543"})
	token := h.want(200, "POST", "/sign/onenet", object{"productId": "VRqhDHF2wL", "deviceName": "my_tv", "key": "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw="})
	for _, tt := range []struct {
		name   string
		login  object
		secret string
		code   any
	}{
		{"Aliyun, right", login, "s3cret", nil},
		{"Aliyun, another secret", login, "secret", "aliyun-wrong-secret"},
		{"OneNET, right", token, "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=", nil},
		{"OneNET, another key", token, "AuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=", "onenet-wrong-key"},
	} {
		in := object{"clientId": tt.login["clientId"], "username": tt.login["username"], "password": tt.login["password"], "secret": tt.secret}
		got := h.want(200, "POST", "/doctor", in)
		d, _ := got["diagnosis"].(object)
		if got["ok"] != (tt.code == nil) || d["code"] != tt.code {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
