package pcap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The conversation that tcpdump recorded in testdata/seed002-*: the CONNECT of
// seed 002 (155 bytes), a subscription, its PUBLISH in two pieces, a PINGREQ
// and the end.
const (
	deviceBytes = 155 + 54 + 113 + 2 + 2
	serverBytes = 4 + 5 + 90 + 2
)

func TestCapturesOfTcpdump(t *testing.T) {
	for _, tt := range []struct {
		file string
		link LinkType
	}{
		{"seed002-eth.pcap", Ethernet},
		{"seed002-eth.pcapng", Ethernet}, // written by editcap
		{"seed002-eth6.pcap", Ethernet},
		{"seed002-sll.pcap", LinuxSLL},
		{"seed002-sll2.pcap", LinuxSLL2},
	} {
		t.Run(tt.file, func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join("testdata", tt.file))
			if err != nil {
				t.Fatal(err)
			}
			r, err := NewReader(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			if f, err := r.Next(); err != nil || f.Link != tt.link || f.Cut {
				t.Errorf("first frame %+v, %v", f, err)
			}
			c := read(t, raw)
			if len(c.Streams) != 1 || c.Broken != nil || c.Ignored != 0 {
				t.Fatalf("%d streams, broken %v, %d ignored", len(c.Streams), c.Broken, c.Ignored)
			}
			s := c.Streams[0]
			if !s.Whole || s.Lost != 0 || s.Server.Port() < 31883 || s.Server.Port() > 31884 {
				t.Errorf("%+v", s)
			}
			device, server := said(s)
			if len(device) != deviceBytes || len(server) != serverBytes {
				t.Errorf("%d and %d bytes", len(device), len(server))
			}
			if !bytes.HasPrefix(device, []byte("\x10\x98\x01\x00\x04MQTT")) || !bytes.HasSuffix(device, []byte("\xc0\x00\xe0\x00")) {
				t.Errorf("device said %x", device)
			}
			if !bytes.HasPrefix(server, []byte{0x20, 2, 0, 0, 0x90, 3, 0, 1, 0}) || !bytes.HasSuffix(server, []byte{0xd0, 0}) {
				t.Errorf("server said %x", server)
			}
			if first := s.Chunks[0].Time; first.Year() != 2026 || !s.Chunks[len(s.Chunks)-1].Time.After(first) {
				t.Errorf("times from %v", first)
			}
		})
	}
}

func read(t *testing.T, raw []byte) *Capture {
	t.Helper()
	c, err := Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// said is what each end sent.
func said(s Stream) (client, server []byte) {
	for _, c := range s.Chunks {
		if c.FromServer {
			server = append(server, c.Data...)
		} else {
			client = append(client, c.Data...)
		}
	}
	return client, server
}

var (
	device4 = netip.MustParseAddrPort("192.0.2.7:50000")
	broker4 = netip.MustParseAddrPort("192.0.2.1:1883")
	device6 = netip.MustParseAddrPort("[2001:db8::7]:50000")
	broker6 = netip.MustParseAddrPort("[2001:db8::1]:1883")
	noon    = time.Date(2025, 1, 15, 12, 0, 0, 250_000_000, time.UTC)
)

// written is a capture of our own.
func written(t *testing.T, client, server netip.AddrPort, sent ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.Open(client, server, noon)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range sent {
		if err := c.Write(i%2 == 1, []byte(s), noon.Add(time.Duration(i+1)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(false, noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	long := strings.Repeat("0123456789", 20_000)
	for _, ends := range [][2]netip.AddrPort{{device4, broker4}, {device6, broker6}, {device4, broker6}} {
		c := read(t, written(t, ends[0], ends[1], "hello", "there", long, "ok"))
		if len(c.Streams) != 1 || c.Broken != nil {
			t.Fatalf("%v: %+v", ends, c)
		}
		s := c.Streams[0]
		client, server := said(s)
		if string(client) != "hello"+long || string(server) != "thereok" || s.Lost != 0 {
			t.Errorf("%v: %d and %d bytes, %d lost", ends, len(client), len(server), s.Lost)
		}
		if s.Client.Port() != 50000 || s.Server.Port() != 1883 || !s.Whole {
			t.Errorf("%v: %v", ends, &s)
		}
		if got := s.Chunks[0].Time; !got.Equal(noon.Add(time.Second)) {
			t.Errorf("%v: first at %v", ends, got)
		}
	}
}

func TestOtherProgramsReadWhatIsWritten(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		t.Skip("SKIPPED: tcpdump is not installed")
	}
	for _, ends := range [][2]netip.AddrPort{{device4, broker4}, {device6, broker6}} {
		file := filepath.Join(t.TempDir(), "ours.pcap")
		if err := os.WriteFile(file, written(t, ends[0], ends[1], "hello", "there"), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("tcpdump", "-vv", "-n", "-r", file).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		text := string(out)
		if strings.Count(text, "(correct)") != 7 || strings.Contains(text, "incorrect") || strings.Contains(text, "bad") || !strings.Contains(text, "length 5") {
			t.Errorf("tcpdump says\n%s", text)
		}
	}
}

// frames are the frames of a capture of ours, without their headers.
func frames(t *testing.T, raw []byte) [][]byte {
	t.Helper()
	r, err := NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for {
		f, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, bytes.Clone(f.Data))
	}
}

// classic is a file with these frames, a second apart.
func classic(order binary.AppendByteOrder, magic uint32, link LinkType, frames ...[]byte) []byte {
	b := order.AppendUint32(nil, magic)
	b = append(b, make([]byte, 12)...)
	b = order.AppendUint32(b, 65535)
	b = order.AppendUint32(b, uint32(link))
	for i, f := range frames {
		b = order.AppendUint32(b, uint32(noon.Unix())+uint32(i))
		b = order.AppendUint32(b, 7)
		b = order.AppendUint32(b, uint32(len(f)))
		b = append(order.AppendUint32(b, uint32(len(f))), f...)
	}
	return b
}

// nextGen is a pcapng file with one interface of a resolution.
func nextGen(order binary.AppendByteOrder, link LinkType, resolution byte, perSec uint64, frames ...[]byte) []byte {
	block := func(b []byte, kind uint32, body []byte) []byte {
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
		n := uint32(len(body) + 12)
		b = order.AppendUint32(order.AppendUint32(b, kind), n)
		return order.AppendUint32(append(b, body...), n)
	}
	section := order.AppendUint32(nil, byteOrderMagic)
	section = order.AppendUint16(order.AppendUint16(section, 1), 0)
	section = order.AppendUint64(section, 1<<64-1)
	b := block(nil, blockSection, section)
	face := order.AppendUint16(order.AppendUint16(nil, uint16(link)), 0)
	face = order.AppendUint32(face, 0)
	face = append(order.AppendUint16(order.AppendUint16(face, 9), 1), resolution, 0, 0, 0)
	b = block(b, blockInterface, face)
	b = block(b, 5, []byte("statistics of the interface!"))
	for i, f := range frames {
		units := uint64(noon.Unix()+int64(i))*perSec + perSec/4
		body := order.AppendUint32(nil, 0)
		body = order.AppendUint32(order.AppendUint32(body, uint32(units>>32)), uint32(units))
		body = order.AppendUint32(order.AppendUint32(body, uint32(len(f))), uint32(len(f)))
		b = block(b, blockEnhanced, append(body, f...))
	}
	return b
}

func TestFormatsAndLinks(t *testing.T) {
	ip4 := frames(t, written(t, device4, broker4, "hello", "there"))
	ip6 := frames(t, written(t, device6, broker6, "hello", "there"))
	dress := func(head string, all [][]byte) (out [][]byte) {
		for _, f := range all {
			out = append(out, append([]byte(head), f...))
		}
		return out
	}
	mac := strings.Repeat("\x02", 12)
	withHops := func(all [][]byte) (out [][]byte) { // hop-by-hop and destination options before TCP
		for _, f := range all {
			b := bytes.Clone(f[:40])
			b[6] = 0
			binary.BigEndian.PutUint16(b[4:], uint16(len(f)-40+24))
			b = append(b, 60, 0, 1, 4, 0, 0, 0, 0)
			b = append(b, 6, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
			out = append(out, append(b, f[40:]...))
		}
		return out
	}
	le, be := binary.LittleEndian, binary.BigEndian
	for _, tt := range []struct {
		name string
		file []byte
	}{
		{"classic, little-endian", classic(le, magicMicro, Raw, ip4...)},
		{"classic, big-endian, nanoseconds", classic(be, magicNano, IPv4, ip4...)},
		{"classic, IPv6", classic(le, magicNano, IPv6, ip6...)},
		{"raw as BSD numbers it", classic(le, magicMicro, rawBSD, ip6...)},
		{"Ethernet", classic(le, magicMicro, Ethernet, dress(mac+"\x08\x00", ip4)...)},
		{"Ethernet with padding", classic(le, magicMicro, Ethernet, pad(dress(mac+"\x08\x00", ip4), 60)...)},
		{"VLAN", classic(le, magicMicro, Ethernet, dress(mac+"\x81\x00\x00\x05\x86\xdd", ip6)...)},
		{"two VLAN tags", classic(le, magicMicro, Ethernet, dress(mac+"\x88\xa8\x00\x05\x81\x00\x00\x06\x08\x00", ip4)...)},
		{"loopback of macOS", classic(le, magicMicro, Null, dress("\x02\x00\x00\x00", ip4)...)},
		{"loopback of OpenBSD", classic(be, magicMicro, Loop, dress("\x00\x00\x00\x18", ip6)...)},
		{"cooked", classic(le, magicMicro, LinuxSLL, dress("\x00\x04\x00\x01\x00\x06\x02\x02\x02\x02\x02\x02\x00\x00\x08\x00", ip4)...)},
		{"PPP", classic(le, magicMicro, PPP, dress("\xff\x03\x00\x21", ip4)...)},
		{"PPP, compressed", classic(le, magicMicro, PPPSerial, dress("\x57", ip6)...)},
		{"extension headers", classic(le, magicMicro, Raw, withHops(ip6)...)},
		{"pcapng, microseconds", nextGen(le, Raw, 6, 1e6, ip4...)},
		{"pcapng, big-endian, nanoseconds", nextGen(be, Raw, 9, 1e9, ip6...)},
		{"pcapng, powers of two", nextGen(le, Raw, 0x80|20, 1<<20, ip4...)},
		{"pcapng, two sections of both orders", append(nextGen(le, Raw, 6, 1e6, ip4[:4]...), nextGen(be, Raw, 6, 1e6, ip4[4:]...)...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := read(t, tt.file)
			if c.Broken != nil || c.Ignored != 0 || len(c.Streams) != 1 {
				t.Fatalf("%+v", c)
			}
			client, server := said(c.Streams[0])
			if string(client) != "hello" || string(server) != "there" {
				t.Errorf("%q and %q", client, server)
			}
			if got := c.Streams[0].Chunks[0].Time; got.Before(noon.Add(-time.Second)) || got.After(noon.Add(5*time.Second)) {
				t.Errorf("first at %v", got)
			}
		})
	}
}

// pad fills short frames as an Ethernet card does.
func pad(all [][]byte, n int) [][]byte {
	for i, f := range all {
		for len(f) < n {
			f = append(f, 0xee)
		}
		all[i] = f
	}
	return all
}

func TestOrderIsRestored(t *testing.T) {
	f := frames(t, written(t, device4, broker4, "one ", "", "two ", "", "three ", "", "four"))
	syn, one, two, three, four := f[:3], f[3], f[4], f[5], f[6]
	merge := func(parts ...[]byte) [][]byte { return append(append([][]byte{}, syn...), parts...) }
	longer := func(b []byte, more string) []byte { // a segment that has more than it had
		out := append(bytes.Clone(b), more...)
		binary.BigEndian.PutUint16(out[2:], uint16(len(out)))
		return out
	}
	for _, tt := range []struct {
		name string
		in   [][]byte
		want string
		lost int64
		gaps int
	}{
		{"in order", merge(one, two, three, four), "one two three four", 0, 0},
		{"swapped", merge(one, three, two, four), "one two three four", 0, 0},
		{"backwards", merge(four, three, two, one), "one two three four", 0, 0},
		{"sent again", merge(one, one, two, one, two, three, four, four), "one two three four", 0, 0},
		{"overlapping", merge(one, longer(two, "thr"), three, four), "one two three four", 0, 0},
		{"overlapping while waiting", merge(longer(two, "three f"), three, one, four), "one two three four", 0, 0},
		{"one is missing", merge(one, three, four), "one three four", 4, 1},
		{"the first is missing", merge(two, three, four), "two three four", 4, 1},
		{"from the middle on", [][]byte{three, four}, "three four", 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := read(t, classic(binary.LittleEndian, magicMicro, Raw, tt.in...))
			if len(c.Streams) != 1 {
				t.Fatalf("%+v", c)
			}
			s := c.Streams[0]
			client, _ := said(s)
			gaps := 0
			for _, x := range s.Chunks {
				if x.Gap {
					gaps++
				}
			}
			if string(client) != tt.want || s.Lost != tt.lost || gaps != tt.gaps || s.Server.Port() != 1883 {
				t.Errorf("%q, %d lost, %d gaps, %v", client, s.Lost, gaps, &s)
			}
		})
	}
}

func TestSequenceNumbersWrap(t *testing.T) {
	f := frames(t, written(t, device4, broker4, "one ", "", "two"))
	for _, b := range f {
		p := b[20:]
		if binary.BigEndian.Uint16(p) == 50000 { // 1000 becomes 2 below the end
			binary.BigEndian.PutUint32(p[4:], binary.BigEndian.Uint32(p[4:])-1000-2)
		}
	}
	f[3], f[4] = f[4], f[3]
	c := read(t, classic(binary.LittleEndian, magicMicro, Raw, f...))
	if client, _ := said(c.Streams[0]); string(client) != "one two" || c.Streams[0].Lost != 0 {
		t.Errorf("%q, %d lost", client, c.Streams[0].Lost)
	}
}

func TestPortsAreUsedAgain(t *testing.T) {
	first, second := frames(t, written(t, device4, broker4, "first")), frames(t, written(t, device4, broker4, "second"))
	c := read(t, classic(binary.LittleEndian, magicMicro, Raw, append(first, second...)...))
	if len(c.Streams) != 2 {
		t.Fatalf("%d streams", len(c.Streams))
	}
	for i, want := range []string{"first", "second"} {
		if client, _ := said(c.Streams[i]); string(client) != want {
			t.Errorf("stream %d: %q", i, client)
		}
	}
}

func TestBrokenFiles(t *testing.T) {
	good := written(t, device4, broker4, "hello", "there")
	ng := nextGen(binary.LittleEndian, Raw, 6, 1e6, frames(t, good)...)
	set := func(b []byte, at int, v uint32) []byte {
		b = bytes.Clone(b)
		binary.LittleEndian.PutUint32(b[at:], v)
		return b
	}
	for _, tt := range []struct {
		name   string
		file   []byte
		fails  bool   // as a whole
		says   string // of the error
		frames int    // that are read all the same
	}{
		{"empty", nil, true, "not a pcap", 0},
		{"text", []byte("10 98 01 00 04"), true, "not a pcap", 0},
		{"only the first bytes", good[:10], true, "14 bytes too soon", 0},
		{"no frame", good[:24], false, "", 0},
		{"cut inside a frame's header", good[:24+7], false, "9 bytes too soon", 0},
		{"cut inside the second frame", good[:24+56+20], false, "too soon", 1},
		{"a frame longer than any", set(good, 24+8, 1<<30), false, "1073741824 bytes", 0},
		{"pcapng cut inside a block", ng[:len(ng)-5], false, "too soon", len(frames(t, good)) - 1},
		{"pcapng with an odd length", set(ng, 28+4, 33), false, "33 bytes", 0},
		{"pcapng whose lengths differ", set(ng, 28+24, 24), false, "at its end 24", 0},
		{"pcapng without byte order", set(ng, 8, 0), true, "byte order", 0},
		{"pcapng without its interface", append(bytes.Clone(ng[:28]), ng[28+28:]...), false, "not described", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Read(bytes.NewReader(tt.file))
			if tt.fails != (err != nil) {
				t.Fatalf("%+v, %v", c, err)
			}
			if err == nil {
				err = c.Broken
				if c.Frames != tt.frames {
					t.Errorf("%d frames", c.Frames)
				}
			}
			if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
				t.Errorf("error %v", err)
			}
			if err != nil {
				if _, ok := errors.AsType[*Error](err); !ok {
					t.Errorf("%T", err)
				}
			}
		})
	}
}

func TestForeignFramesAreCounted(t *testing.T) {
	tcp := frames(t, written(t, device4, broker4, "hello"))
	udp, fragment, short := bytes.Clone(tcp[0]), bytes.Clone(tcp[0]), tcp[0][:19]
	udp[9] = 17
	fragment[6] = 0x20
	c := read(t, classic(binary.LittleEndian, magicMicro, Raw, append(tcp, udp, fragment, short, nil)...))
	if c.Ignored != 4 || len(c.Streams) != 1 || c.Frames != len(tcp)+4 {
		t.Errorf("%+v", c)
	}
	c = read(t, classic(binary.LittleEndian, magicMicro, LinkType(147), tcp...))
	if c.Ignored != len(tcp) || len(c.Streams) != 0 {
		t.Errorf("unknown link: %+v", c)
	}
}

func TestShortSnapshotsLeaveGaps(t *testing.T) {
	f := frames(t, written(t, device4, broker4, "hello", "", "again"))
	f[3] = f[3][:len(f[3])-2] // as tcpdump -s keeps it
	c := read(t, classic(binary.LittleEndian, magicMicro, Raw, f...))
	client, _ := said(c.Streams[0])
	if string(client) != "helagain" || c.Streams[0].Lost != 2 {
		t.Errorf("%q, %d lost", client, c.Streams[0].Lost)
	}
}

func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob("testdata/seed002-*")
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := Read(bytes.NewReader(raw))
		if err != nil {
			return
		}
		total := 0
		for _, s := range c.Streams {
			for _, x := range s.Chunks {
				total += len(x.Data)
			}
		}
		if total > len(raw) {
			t.Errorf("%d bytes out of a file of %d", total, len(raw))
		}
	})
}
