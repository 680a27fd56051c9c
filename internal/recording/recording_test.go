package recording

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/recording/pcap"
)

// seed002 is what its article shows, in its words and order.
const seed002 = "## 8266 MQTT综合实战\n\n1. `AT+CWMODE=1`\n4. `AT+CIPSTART=\"TCP\",\"studio-mqtt.heclouds.com\",1883`（传输层）\n6. `AT+CIPSEND=155` 长度\n7. `E000` 结束发送\n8. `AT+CIPCLOSE` 断开链接\n\n" +
	"连接命令16进制 155长度\n\n```\n" + connect002 + "\n```\n\n发送JSON数据 113长度（21.1 度）\n\n```\n" + publish002 + "\n```\n\n订阅命令 47\n\n```\n" + subscribe002 + "\n```\n"

const (
	connect002   = "10980100044d51545404c2003c00056d795f7476000a5652716844484632774c007976657273696f6e3d323031382d31302d3331267265733d70726f64756374732532465652716844484632774c253246646576696365732532466d795f74762665743d31363631323435303331266d6574686f643d6d6435267369676e3d7934694450753659703834464f377378706364635351253344253344"
	publish002   = "306f0029247379732f5652716844484632774c2f6d795f74762f7468696e672f70726f70657274792f706f73747b226964223a2022313233222c2276657273696f6e22203a2022312e30222c22706172616d73223a207b2277656e6475223a207b2276616c7565223a2032312e317d7d7d"
	subscribe002 = "822d00010028247379732f5652716844484632774c2f6d795f74762f7468696e672f70726f70657274792f73657400"
)

// short writes events as "device 0: c000" lines.
func short(r Recording) []string {
	var all []string
	for _, e := range r.Events {
		s := e.From.String() + " " + e.At.String() + " " + hex.EncodeToString(e.Data)
		all = append(all, s)
	}
	return all
}

func TestTexts(t *testing.T) {
	for _, tt := range []struct {
		name  string
		text  string
		want  []string
		notes []string
	}{
		{"hex alone", "C0 00\n", []string{"device 0s c000"}, nil},
		{"hex over lines", "0x30, 0x05,\n0x00 0x01 0x74 0x68 0x69", []string{"device 0s 30050001746869"}, nil},
		{"C source", "/* a */ const uint8_t connect[] = { 0x10, 0x02, 0x00, 0x04 };\nunsigned char ping[2] = {0xC0,\n 0x00 /* nothing */};\nint x[] = {1, 2};", []string{"device 0s 10020004", "device 0s c000"}, nil},
		{"AT+CIPSEND and hex", "AT+CIPSEND=2\r\nC0 00\r\nAT+CIPSEND=0,4\n3002\n0001\n", []string{"device 0s c000", "device 0s 30020001"}, nil},
		{"what the module says is talk", "AT+CIPSEND=2\nOK\n>\nC0 00\nRecv 2 bytes\nSEND OK\n+IPD,2:D0 00\nCLOSED\n", []string{"device 0s c000", "broker 0s d000"}, nil},
		{"+IPD with link and address", "+IPD,0,4,\"192.168.1.10\",1883:20 02 00 00", []string{"broker 0s 20020000"}, nil},
		{"a wrong length", "AT+CIPSEND=3\nC000\nAT+CIPSEND=2\nE000", []string{"device 0s c000", "device 0s e000"}, []string{"line 1 announces 3 bytes, and 2 follow"}},
		{"a Quectel socket", "AT+QISEND=0,2\n> C000\nSEND OK", []string{"device 0s c000"}, nil},
		{"SSCOM", "[10:12:33.120]发→◇C0 00 □\n[10:12:33.370]收←◆D0 00 \n", []string{"device 0s c000", "broker 250ms d000"}, nil},
		{"marks of people", "TX: C0 00\nRX: D0 00\n>> e000\n", []string{"device 0s c000", "broker 0s d000", "device 0s e000"}, nil},
		{"past midnight", "23:59:59.500 > C000\n00:00:00.500 < D000\n", []string{"device 0s c000", "broker 1s d000"}, nil},
		{"dates", "2024-05-01 08:00:00,250 TX: C0 00\n2024-05-01 08:00:01 RX: D0 00", []string{"device 0s c000", "broker 750ms d000"}, nil},
		{"an article", seed002, []string{"device 0s " + connect002, "device 0s " + publish002, "device 0s " + subscribe002}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all, err := Read([]byte(tt.text))
			if err != nil || len(all) != 1 {
				t.Fatalf("%+v, %v", all, err)
			}
			if got := short(all[0]); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(tt.want, "\n     "))
			}
			if !reflect.DeepEqual(all[0].Notes, tt.notes) {
				t.Errorf("notes %q", all[0].Notes)
			}
		})
	}
}

func TestWhatCannotBeReplayed(t *testing.T) {
	for _, tt := range []struct{ name, file, says string }{
		{"nothing", "", "it is empty"},
		{"talk", "AT\nOK\nAT+CWMODE=1\nOK\n", "4 lines without one that is hex"},
		{"half a byte", "AT+CIPSEND=2\nC00\n", "without one that is hex"},
		{"foreign bytes", "\x89PNG\r\n\x1a\n\x00", "no text (they begin 89 50 4e 47"},
		{"no connection", string(capture(t)), "0 frames"},
		{"TLS", string(capture(t, "\x16\x03\x01\x00\x05hello", "\x16\x03")), "1 with TLS"},
		{"WebSocket", string(capture(t, "GET /mqtt HTTP/1.1\r\n", "HTTP/1.1 101")), "1 with HTTP or WebSocket; `matou packet capture`"},
		{"another protocol", string(capture(t, "SSH-2.0-x\r\n", "SSH-2.0-y\r\n")), "1 with another protocol"},
		{"a capture cut at once", string(capture(t, "hello"))[:30], "breaks"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read([]byte(tt.file))
			if tt.says == "breaks" {
				tt.says = "too soon"
			}
			if !errors.Is(err, ErrEmpty) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// capture is a pcap file in which the ends take turns.
func capture(t *testing.T, sent ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := pcap.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if len(sent) == 0 {
		return b.Bytes()
	}
	noon := time.Date(2025, 1, 15, 12, 0, 0, 0, time.UTC)
	c, err := w.Open(netip.MustParseAddrPort("192.0.2.7:50000"), netip.MustParseAddrPort("192.0.2.1:7777"), noon)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range sent {
		if err := c.Write(i%2 == 1, []byte(s), noon.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func unhex(t *testing.T, s string) string {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCaptureOfARealConversation(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("pcap", "testdata", "seed002-sll2.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := Read(raw)
	if err != nil || len(all) != 1 || !all[0].Timed || !all[0].Answers() || len(all[0].Notes) != 0 {
		t.Fatalf("%+v, %v", all, err)
	}
	var got []string
	for _, p := range all[0].Packets() {
		if p.Foreign || p.Short || p.Over > 0 {
			t.Errorf("%+v", p)
		}
		got = append(got, p.From.String()+" "+hex.EncodeToString(p.Bytes[:1]))
	}
	want := "device 10, broker 20, device 82, broker 90, device 30, broker 30, device c0, broker d0, device e0"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("\n got %s\nwant %s", s, want)
	}
}

func TestPacketsFromTheMiddleOfACapture(t *testing.T) {
	b := capture(t, unhex(t, "c000"+publish002), unhex(t, "d000"))
	// Without the handshake: 3 frames of 16+40 bytes behind the file's header.
	all, err := Read(append(b[:24:24], b[24+3*56:]...))
	if err != nil || len(all) != 1 || len(all[0].Notes) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	if p := all[0].Packets(); len(p) != 3 || p[1].Bytes[0] != 0x30 || p[2].From != Broker {
		t.Errorf("%+v", p)
	}
}

func TestPacketsAreCut(t *testing.T) {
	ev := func(from Side, s string) Event { return Event{From: from, Data: []byte(unhex(t, s))} }
	gap := func(from Side, s string) Event { e := ev(from, s); e.Gap = true; return e }
	for _, tt := range []struct {
		name   string
		events []Event
		want   string
	}{
		{"two in one", []Event{ev(Device, "c000e000")}, "c000 e000"},
		{"one in three", []Event{ev(Device, "30"), ev(Device, "0500"), ev(Device, "01746869c000")}, "30050001746869 c000"},
		{"sides do not mix", []Event{ev(Device, "3002"), ev(Broker, "d000"), ev(Device, "0000")}, "broker:d000 30020000"},
		{"cut off", []Event{ev(Device, "c00030050001")}, "c000 30050001(short)"},
		{"bytes are missing", []Event{ev(Device, "3005"), gap(Device, "c000")}, "3005(short) c000"},
		{"no packet", []Event{ev(Device, "c000"), ev(Device, "74000441"), ev(Device, "c000")}, "c000 74000441(foreign) c000(foreign)"},
		{"foreign", []Event{ev(Device, "1600c000"), ev(Device, "c000")}, "1600c000(foreign) c000(foreign)"},
		{"a length without end", []Event{ev(Device, "30ffffffffff")}, "30ffffffffff(foreign)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, p := range (&Recording{Events: tt.events}).Packets() {
				s := hex.EncodeToString(p.Bytes)
				if p.From == Broker {
					s = "broker:" + s
				}
				if p.Short {
					s += "(short)"
				}
				if p.Foreign {
					s += "(foreign)"
				}
				got = append(got, s)
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("got %s, want %s", s, tt.want)
			}
		})
	}
}

func TestCutterIsBounded(t *testing.T) {
	c := Cutter{Limit: 4}
	var got []Packet
	c.Push([]byte(unhex(t, "300a00016102030405060708c000")), func(p Packet) { got = append(got, p) })
	if len(got) != 2 || len(got[0].Bytes) != 4 || got[0].Over != 8 || got[1].Over != 0 || len(got[1].Bytes) != 2 {
		t.Errorf("%+v", got)
	}
}

func TestJSONLines(t *testing.T) {
	text := `{"time":"2025-01-15T12:00:00Z","connection":1,"from":"device","type":"PINGREQ","bytes":"c000"}
{"time":"2025-01-15T12:00:00.5Z","connection":2,"from":"device","bytes":"e000","redacted":true}

{"time":"2025-01-15T12:00:01Z","connection":1,"from":"broker","bytes":"d000"}
{"time":`
	all, err := Read([]byte(text))
	if err != nil || len(all) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	if got := short(all[0]); !reflect.DeepEqual(got, []string{"device 0s c000", "broker 1s d000"}) {
		t.Errorf("%v", got)
	}
	if n := all[1].Notes; len(n) != 2 || !strings.Contains(n[0], "overwritten") || !strings.Contains(n[1], "line 5 is broken") {
		t.Errorf("notes %q", n)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(seed002))
	f.Add([]byte("[10:12:33.120]发→◇C0 00 □\n+IPD,4:20 02 00 00"))
	f.Add([]byte("AT+CIPSEND=99999999999999999999\nC0 00\n"))
	f.Add([]byte(`{"time":"2025-01-15T12:00:00Z","connection":1,"from":"device","bytes":"c000"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := Read(b)
		if err != nil {
			return
		}
		for _, r := range all {
			in, out := 0, 0
			for _, e := range r.Events {
				in += len(e.Data)
			}
			for _, p := range r.Packets() {
				out += len(p.Bytes) + p.Over
			}
			if in != out {
				t.Errorf("%d bytes became packets of %d", in, out)
			}
		}
	})
}
