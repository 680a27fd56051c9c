package recording

import (
	"bytes"
	"encoding/hex"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// What each Writer keeps, Read gives back.
func TestWhatIsKeptIsRead(t *testing.T) {
	noon := time.Date(2025, 1, 15, 12, 0, 0, 0, time.UTC)
	device, broker := netip.MustParseAddrPort("192.0.2.7:50000"), netip.MustParseAddrPort("192.0.2.1:1883")
	var b bytes.Buffer
	var transcripts []*bytes.Buffer
	for _, tt := range []struct {
		name string
		make func() (Writer, error)
		read func() [][]byte
	}{
		{"pcap", func() (Writer, error) { return NewPCAP(&b) }, func() [][]byte { return [][]byte{b.Bytes()} }},
		{"JSON lines", func() (Writer, error) { return NewJSONLines(&b), nil }, func() [][]byte { return [][]byte{b.Bytes()} }},
		{"transcripts", func() (Writer, error) {
			return NewTranscript(func(int) (io.Writer, error) {
				transcripts = append(transcripts, new(bytes.Buffer))
				return transcripts[len(transcripts)-1], nil
			}), nil
		}, func() (all [][]byte) {
			for _, x := range transcripts {
				all = append(all, x.Bytes())
			}
			return all
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b.Reset()
			w, err := tt.make()
			if err != nil {
				t.Fatal(err)
			}
			pk := func(from Side, s string) Packet { return Packet{From: from, Bytes: []byte(unhex(t, s))} }
			hello := "101000044d5154540402003c000474657374"
			other := "101000044d5154540502003c0000036f6e65"
			for _, err := range []error{
				w.Open(1, device, broker, noon),
				w.Open(2, netip.AddrPort{}, netip.AddrPort{}, noon),
				w.Write(1, pk(Device, hello), false, noon.Add(time.Second)),
				w.Write(2, pk(Device, other), true, noon.Add(time.Second)),
				w.Write(1, pk(Broker, "20020000"), false, noon.Add(2*time.Second)),
				w.Write(2, pk(Broker, "2003000000"), false, noon.Add(2*time.Second)),
				w.Write(1, pk(Device, "c000"), false, noon.Add(3*time.Second)),
				w.Write(1, pk(Broker, "d000"), false, noon.Add(4*time.Second)),
				w.Close(1, Device, noon.Add(5*time.Second)),
				w.Close(2, Broker, noon.Add(5*time.Second)),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			for _, file := range tt.read() {
				all, err := Read(file)
				if err != nil {
					t.Fatalf("%v in\n%s", err, file)
				}
				for _, r := range all {
					for _, p := range r.Packets() {
						got = append(got, p.From.String()+" "+hex.EncodeToString(p.Bytes))
					}
					if !r.Timed || r.Events[len(r.Events)-1].At-r.Events[0].At > 4*time.Second || r.Events[1].At-r.Events[0].At != time.Second {
						t.Errorf("times %+v", r.Events)
					}
				}
			}
			want := "device " + hello + ", broker 20020000, device c000, broker d000, device " + other + ", broker 2003000000"
			if s := strings.Join(got, ", "); s != want {
				t.Errorf("\n got %s\nwant %s", s, want)
			}
		})
	}
}

func TestLinesSayWhatTheyHold(t *testing.T) {
	var b bytes.Buffer
	w := NewJSONLines(&b)
	w.Open(1, netip.AddrPort{}, netip.AddrPort{}, time.Time{})
	w.Write(1, Packet{Bytes: []byte("GET / HTTP/1.1\r\n"), Foreign: true}, false, time.Unix(0, 0).UTC())
	w.Write(1, Packet{Bytes: []byte{0xc0, 0}, Over: 3}, true, time.Unix(1, 0).UTC())
	got := b.String()
	for _, want := range []string{`"time":"1970-01-01T00:00:00Z","connection":1,"from":"device","summary":`, `"type":"PINGREQ"`, `"bytes":"c000","redacted":true,"over":3}`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	if strings.Count(got, `"type"`) != 1 || strings.Count(got, "\n") != 2 {
		t.Errorf("%s", got)
	}
}
