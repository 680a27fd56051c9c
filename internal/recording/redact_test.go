package recording

import (
	"bytes"
	"strings"
	"testing"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

func TestRedact(t *testing.T) {
	connect := func(v mqtt.Version) string {
		b, err := (&packet.Connect{Version: v, ClientID: "lamp", HasUsername: true, Username: "lamp01&pk", HasPassword: true, Password: []byte("s3cret")}).Append(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	publish := func(payload string) string {
		b, err := (&packet.Publish{Topic: []byte("t"), Payload: []byte(payload)}).Append(nil, mqtt.V311)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, tt := range []struct{ name, in, secret string }{
		{"CONNECT 3.1.1", connect(mqtt.V311), "s3cret"},
		{"CONNECT 3.1", connect(mqtt.V31), "s3cret"},
		{"CONNECT 5", connect(mqtt.V5), "s3cret"},
		{"CONNECT without its first byte", connect(mqtt.V311)[1:], "s3cret"},
		{"CONNECT that breaks off", connect(mqtt.V311)[:len(connect(mqtt.V311))-2], "s3cr"},
		{"a OneNET token", unhex(t, connect002), "y4iDPu6Yp84FO7sxpcdcSQ%3D%3D"},
		{"a secret that is handed out", publish(`{"deviceSecret":"s3cret","deviceName":"lamp"}`), "s3cret"},
		{"single quotes, blanks", publish(`{'device_secret' : 's3cret'}`), "s3cret"},
		{"a sub-device's signature", publish(`{"params":{"sign":"s3cret","signMethod":"hmacSha1"}}`), "s3cret"},
		{"an escaped quote", publish(`{"password":"s3\"cret"}`), `s3\"cret`},
		{"nothing secret", publish(`{"design":"x","params":{"Power":1}}`), ""},
		{"PINGREQ", "\xc0\x00", ""},
		{"nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := []byte(tt.in)
			out, redacted := Redact(in, 0)
			if string(in) != tt.in || len(out) != len(in) {
				t.Errorf("the input became %q, the output has %d bytes", in, len(out))
			}
			want := []byte(tt.in)
			if tt.secret != "" {
				want = bytes.ReplaceAll(want, []byte(tt.secret), []byte(strings.Repeat("*", len(tt.secret))))
			}
			if string(out) != string(want) || redacted != (tt.secret != "") {
				t.Errorf("\n got %q, %v\nwant %q", out, redacted, want)
			}
		})
	}
}

func FuzzRedact(f *testing.F) {
	f.Add([]byte("\x30\x10\x00\x01t{\"sign\":\"abc\"}"), byte(4))
	f.Add([]byte("\x10\x10\x00\x04MQTT\x04\xc2\x00\x3c\x00\x00\x00\x00\x00\x02pw"), byte(0))
	f.Fuzz(func(t *testing.T, b []byte, v byte) {
		before := bytes.Clone(b)
		out, redacted := Redact(b, mqtt.Version(v))
		if !bytes.Equal(b, before) || len(out) != len(b) || !redacted && !bytes.Equal(out, b) {
			t.Errorf("%x became %x, %v", before, out, redacted)
		}
	})
}
