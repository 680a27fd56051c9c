package main

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

func TestWhatIsSent(t *testing.T) {
	post := newTemplate("a/b", 1, []byte("xyz"))
	post.frame[post.id], post.frame[post.id+1] = 1, 2
	for _, tt := range []struct {
		name string
		got  []byte
		want string
	}{
		{"CONNECT, anonymous, clean", appendConnect(nil, login{clientID: "c1"}, true, 1200),
			"\x10\x0e\x00\x04MQTT\x04\x02\x04\xb0\x00\x02c1"},
		{"CONNECT, signed, session kept", appendConnect(nil, login{"c1", "u", "pw"}, false, 1200),
			"\x10\x15\x00\x04MQTT\x04\xc0\x04\xb0\x00\x02c1\x00\x01u\x00\x02pw"},
		{"SUBSCRIBE", appendSubscribe(nil, 7, "a/+", 1), "\x82\x08\x00\x07\x00\x03a/+\x01"},
		{"PUBACK", appendPuback(nil, 0x1234), "\x40\x02\x12\x34"},
		{"PUBLISH QoS 0", newTemplate("a/b", 0, []byte("xyz")).frame, "\x30\x08\x00\x03a/bxyz"},
		{"PUBLISH QoS 1", post.frame, "\x32\x0a\x00\x03a/b\x01\x02xyz"},
		{"PUBLISH of 200 bytes: a length of two", newTemplate("t", 0, make([]byte, 197)).frame, "\x30\xc8\x01\x00\x01t" + strings.Repeat("\x00", 197)},
	} {
		if string(tt.got) != tt.want {
			t.Errorf("%s:\n got %x\nwant %x", tt.name, tt.got, tt.want)
		}
	}
}

// The generator's own bytes are what the project's codec reads too.
func TestConnectIsWhatTheCodecReads(t *testing.T) {
	raw := appendConnect(nil, login{"id", "user", "secret"}, false, 30)
	h, err := packet.ParseHeader(raw)
	if err != nil {
		t.Fatal(err)
	}
	var c packet.Connect
	if err := c.Decode(h, raw[2:], mqtt.V311); err != nil {
		t.Fatal(err)
	}
	if c.ClientID != "id" || c.Username != "user" || string(c.Password) != "secret" || c.CleanStart || c.KeepAlive != 30 {
		t.Errorf("%+v", c)
	}
}

func TestCut(t *testing.T) {
	long := append([]byte{0x30, 0xC8, 0x01}, make([]byte, 200)...)
	for _, tt := range []struct {
		name string
		in   string
		size int
		body string
		err  error
	}{
		{"a whole packet and more", "\x40\x02\x00\x01\x40", 4, "\x00\x01", nil},
		{"without a body", "\xd0\x00", 2, "", nil},
		{"nothing", "", 0, "", nil},
		{"the first byte only", "\x40", 0, "", nil},
		{"cut off in the length", "\x30\xc8", 0, "", nil},
		{"cut off in the body", "\x40\x02\x00", 0, "", nil},
		{"a length of two bytes", string(long), 203, string(long[3:]), nil},
		{"longer than anything we await", "\x30\xff\xff\xff\x7f", 0, "", errFrame},
		{"a length of five bytes", "\x30\x80\x80\x80\x80\x01", 0, "", errFrame},
	} {
		_, body, size, err := cut([]byte(tt.in))
		if size != tt.size || string(body) != tt.body || err != tt.err {
			t.Errorf("%s: size %d, body %x, %v", tt.name, size, body, err)
		}
	}
}

func TestCutPublish(t *testing.T) {
	for _, tt := range []struct {
		name    string
		first   byte
		body    string
		id      uint16
		payload string
		fails   bool
	}{
		{"QoS 0", 0x30, "\x00\x01txyz", 0, "xyz", false},
		{"QoS 1", 0x32, "\x00\x01t\x01\x02xyz", 0x102, "xyz", false},
		{"QoS 1, sent again", 0x3A, "\x00\x01t\x01\x02", 0x102, "", false},
		{"no topic", 0x30, "\x00", 0, "", true},
		{"cut off in the topic", 0x30, "\x00\x05t", 0, "", true},
		{"no identifier", 0x32, "\x00\x01t\x01", 0, "", true},
	} {
		id, payload, err := cutPublish(tt.first, []byte(tt.body))
		if id != tt.id || string(payload) != tt.payload || (err != nil) != tt.fails {
			t.Errorf("%s: id %d, payload %q, %v", tt.name, id, payload, err)
		}
	}
}

func FuzzCut(f *testing.F) {
	f.Add([]byte("\x32\x0a\x00\x03a/b\x01\x02xyz"))
	f.Add([]byte("\x30\xff\xff\xff\x7f"))
	f.Fuzz(func(t *testing.T, in []byte) {
		first, body, size, err := cut(in)
		if err != nil || size == 0 {
			return
		}
		if !bytes.HasSuffix(in[:size], body) {
			t.Errorf("%x: body %x is not the end of the packet", in, body)
		}
		if _, payload, err := cutPublish(first, body); err == nil && !bytes.HasSuffix(body, payload) {
			t.Errorf("%x: payload %x is not the end of the body", in, payload)
		}
	})
}

func TestAPostIsJSONWithItsNumber(t *testing.T) {
	for _, v := range []*vendor{alibaba, mobile} {
		body := []byte(v.body)
		for _, seq := range []uint32{0, 7, 1234, 99_999_999} {
			v.stamp(body, seq)
			var post struct {
				ID     string
				Params map[string]any
			}
			if err := json.Unmarshal(body, &post); err != nil {
				t.Fatalf("%s: %v", body, err)
			}
			value := func(name string) float64 {
				v := post.Params[name]
				if boxed, ok := v.(map[string]any); ok {
					v = boxed["value"]
				}
				n, _ := v.(float64)
				return n
			}
			id, _ := strconv.ParseUint(post.ID, 10, 32)
			if len(body) != len(v.body) || id != uint64(seq) || value("Count") != float64(postCountBase+seq) || value("Humidity") != 55.5 ||
				value("Temperature") < 20 || value("Temperature") >= 21 {
				t.Errorf("post %d: %s", seq, body)
			}
		}
	}
}
