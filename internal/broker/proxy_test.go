package broker

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
)

const signature2 = "\r\n\r\n\x00\r\nQUIT\n"

// The sources of these bytes are the examples and tables of HAProxy's
// specification of the PROXY protocol, §2.1 and §2.2.
var proxyHeaders = []struct {
	name   string
	header string
	from   string // "" for an address that is not told
	to     string
	err    error
}{
	{"1: IPv4", "PROXY TCP4 192.0.2.1 198.51.100.7 56324 1883\r\n", "192.0.2.1:56324", "198.51.100.7:1883", nil},
	{"1: IPv6", "PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n", "[2001:db8::1]:1", "[2001:db8::2]:65535", nil},
	{"1: IPv4 inside IPv6 is IPv4", "PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", "192.0.2.1:1", "[::1]:2", nil},
	{"1: the shortest with addresses", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n", "1.1.1.1:1", "2.2.2.2:2", nil},
	{"1: the longest", "PROXY TCP6 " + longest6 + " " + longest6 + " 65535 65535\r\n", "[" + longest6 + "]:65535", "[" + longest6 + "]:65535", nil},
	{"1: UNKNOWN, the shortest of all", "PROXY UNKNOWN\r\n", "", "", nil},
	{"1: UNKNOWN with anything behind it", "PROXY UNKNOWN ffff::1 what ever\r\n", "", "", nil},
	{"1: 107 bytes are allowed", "PROXY UNKNOWN " + strings.Repeat("x", 107-16) + "\r\n", "", "", nil},
	{"1: 108 bytes are not", "PROXY UNKNOWN " + strings.Repeat("x", 108-16) + "\r\n", "", "", errProxyLong},
	{"1: 109 bytes are not", "PROXY UNKNOWN " + strings.Repeat("x", 109-16) + "\r\n", "", "", errProxyLong},
	{"1: LF alone ends nothing", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n" + strings.Repeat("x", 100), "", "", errProxyLong},
	{"1: IPv6 called IPv4", "PROXY TCP4 ::1 ::1 1 2\r\n", "", "", errProxyForm},
	{"1: IPv4 called IPv6", "PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n", "", "", errProxyForm},
	{"1: a zone", "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", "", "", errProxyForm},
	{"1: a port too high", "PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n", "", "", errProxyForm},
	{"1: a port with a sign", "PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n", "", "", errProxyForm},
	{"1: a port is missing", "PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n", "", "", errProxyForm},
	{"1: one word too many", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n", "", "", errProxyForm},
	{"1: two blanks", "PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n", "", "", errProxyForm},
	{"1: no family", "PROXY \r\n\r\n\r\n\r\n\r\n", "", "", errProxyForm},
	{"1: cut off", "PROXY TCP4 1.1.1.1 2.2", "", "", errProxyCut},
	{"2: IPv4", signature2 + "\x21\x11\x00\x0c" + "\xc0\x00\x02\x01\xc6\x33\x64\x07\xdc\x04\x07\x5b", "192.0.2.1:56324", "198.51.100.7:1883", nil},
	{"2: IPv6", signature2 + "\x21\x21\x00\x24" + ip6(1) + ip6(2) + "\x00\x01\xff\xff", "[2001:db8::1]:1", "[2001:db8::2]:65535", nil},
	{"2: type-length-values are skipped", signature2 + "\x21\x11\x00\x13" + "\xc0\x00\x02\x01\xc6\x33\x64\x07\xdc\x04\x07\x5b" + "\x04\x00\x04\x00\x00\x00\x00", "192.0.2.1:56324", "198.51.100.7:1883", nil},
	{"2: as many as there can be", signature2 + "\x21\x11\xff\xff" + "\xc0\x00\x02\x01\xc6\x33\x64\x07\xdc\x04\x07\x5b" + strings.Repeat("\x04", 65535-12), "192.0.2.1:56324", "198.51.100.7:1883", nil},
	{"2: LOCAL", signature2 + "\x20\x00\x00\x00", "", "", nil},
	{"2: LOCAL with addresses, which are ignored", signature2 + "\x20\x11\x00\x0c" + "\xc0\x00\x02\x01\xc6\x33\x64\x07\xdc\x04\x07\x5b", "", "", nil},
	{"2: of no family", signature2 + "\x21\x00\x00\x03xyz", "", "", nil},
	{"2: from a UNIX socket", signature2 + "\x21\x31\x00\xd8" + strings.Repeat("\x00", 216), "", "", nil},
	{"2: datagrams", signature2 + "\x21\x12\x00\x0c" + strings.Repeat("\x01", 12), "", "", errProxyFamily},
	{"2: a family that does not exist", signature2 + "\x21\x41\x00\x00", "", "", errProxyFamily},
	{"2: a command that does not exist", signature2 + "\x22\x11\x00\x00", "", "", errProxyCommand},
	{"2: version 1 in binary", signature2 + "\x11\x11\x00\x00", "", "", errProxyVersion},
	{"2: version 3", signature2 + "\x31\x11\x00\x00", "", "", errProxyVersion},
	{"2: no room for IPv4", signature2 + "\x21\x11\x00\x0b" + strings.Repeat("\x01", 11), "", "", errProxyShort},
	{"2: no room for IPv6", signature2 + "\x21\x21\x00\x23" + strings.Repeat("\x01", 35), "", "", errProxyShort},
	{"2: cut off in the signature's neighbour", signature2 + "\x21\x11", "", "", errProxyCut},
	{"2: cut off in the addresses", signature2 + "\x21\x11\x00\x0c\x01", "", "", errProxyCut},
	{"2: cut off in what is skipped", signature2 + "\x20\x00\x02\x00" + strings.Repeat("\x01", 511), "", "", errProxyCut},
	{"nothing at all", "", "", "", io.EOF},
}

const longest6 = "2001:1db8:1111:2222:3333:4444:5555:6666"

func ip6(last byte) string {
	return "\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + string(last)
}

func addrPort(s string) netip.AddrPort {
	if s == "" {
		return netip.AddrPort{}
	}
	return netip.MustParseAddrPort(s)
}

func TestReadProxy(t *testing.T) {
	const behind = "\x10\x10\x00\x04MQTT"
	for _, tt := range proxyHeaders {
		t.Run(tt.name, func(t *testing.T) {
			whole := strings.NewReader(tt.header)
			if tt.err == nil {
				whole = strings.NewReader(tt.header + behind)
			}
			from, to, err := readProxy(whole)
			if from != addrPort(tt.from) || to != addrPort(tt.to) || err != tt.err {
				t.Errorf("from %v to %v, %v", from, to, err)
			}
			if tt.err == nil {
				if rest, _ := io.ReadAll(whole); string(rest) != behind {
					t.Errorf("left behind the header: %q", rest)
				}
			}
			from, to, err = readProxy(iotest.OneByteReader(strings.NewReader(tt.header)))
			if from != addrPort(tt.from) || to != addrPort(tt.to) || err != tt.err {
				t.Errorf("byte by byte: from %v to %v, %v", from, to, err)
			}
		})
	}
}

func TestWhatIsNoProxyHeaderIsShown(t *testing.T) {
	for _, tt := range []struct{ name, bytes, want string }{
		{"MQTT", "\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04dev1", "10 10 00 04 4d 51 54 54 04 02 00 3c"},
		{"less than a header can be", "\x16\x03\x01", "16 03 01"},
		{"another signature", "\r\n\r\n\x00\r\nQUIT!", "0d 0a 0d 0a 00 0d 0a 51 55 49 54 21"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, _, err := readProxy(strings.NewReader(tt.bytes)); err == nil || !strings.HasSuffix(err.Error(), "begins with "+tt.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAProxyThatBreaksItsConnection(t *testing.T) {
	broken := errors.New("connection reset by peer")
	if _, _, err := readProxy(iotest.ErrReader(broken)); err != io.EOF {
		t.Errorf("before the first byte: %v", err)
	}
	if _, _, err := readProxy(io.MultiReader(strings.NewReader(signature2), iotest.ErrReader(broken))); err != errProxyCut {
		t.Errorf("after the signature: %v", err)
	}
}

// FuzzReadProxy: refusing is allowed. What is taken has an end that is its own,
// means the same without what comes behind it, and comes back when the
// addresses are written in version 2.
func FuzzReadProxy(f *testing.F) {
	for _, tt := range proxyHeaders {
		f.Add([]byte(tt.header + "\x10"))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := bytes.NewReader(raw)
		from, to, err := readProxy(r)
		if err != nil {
			if from.IsValid() || to.IsValid() {
				t.Errorf("%q: %v and the addresses %v, %v", raw, err, from, to)
			}
			return
		}
		header := raw[:len(raw)-r.Len()]
		if from2, to2, err := readProxy(bytes.NewReader(header)); err != nil || from2 != from || to2 != to {
			t.Errorf("%q alone: %v %v %v, with what follows: %v %v", header, from2, to2, err, from, to)
		}
		if bytes.HasPrefix(header, []byte("PROXY ")) && (len(header) > maxProxyLine || bytes.Index(header, []byte("\r\n")) != len(header)-2) {
			t.Errorf("%q is no line of version 1", header)
		}
		if !from.IsValid() {
			if to.IsValid() {
				t.Errorf("%q: to %v from nowhere", header, to)
			}
			return
		}
		if from2, to2, err := readProxy(strings.NewReader(proxy2(from, to))); err != nil || from2 != from || to2 != to {
			t.Errorf("%v and %v became %v and %v, %v", from, to, from2, to2, err)
		}
	})
}

// proxy2 writes a header of version 2, IPv6 whatever the addresses are.
func proxy2(from, to netip.AddrPort) string {
	a, b := from.Addr().As16(), to.Addr().As16()
	port := func(p uint16) string { return string([]byte{byte(p >> 8), byte(p)}) }
	return signature2 + "\x21\x21\x00\x24" + string(a[:]) + string(b[:]) + port(from.Port()) + port(to.Port())
}
