package pcap

import (
	"encoding/binary"
	"net/netip"
)

// A Segment is one TCP segment.
type Segment struct {
	Src, Dst           netip.AddrPort
	Seq                uint32
	SYN, ACK, FIN, RST bool
	Payload            []byte // of the frame: keep a copy
	Cut                int    // bytes of the payload that the capture lacks
}

// EtherTypes and protocol numbers.
const (
	etherIPv4   = 0x0800
	etherIPv6   = 0x86dd
	etherVLAN   = 0x8100
	etherQinQ   = 0x88a8
	etherQinQ9  = 0x9100
	protoTCP    = 6
	maxVLANTags = 4
	maxHeaders  = 16 // extension headers of IPv6
)

// TCP takes a frame apart. It reports false for what holds no TCP segment:
// other protocols, fragments, links it does not know, broken headers.
func (f *Frame) TCP() (Segment, bool) {
	b, ok := f.network()
	if !ok || len(b) == 0 {
		return Segment{}, false
	}
	switch b[0] >> 4 {
	case 4:
		return ipv4(b)
	case 6:
		return ipv6(b)
	}
	return Segment{}, false
}

// network is the IP packet in a frame.
func (f *Frame) network() ([]byte, bool) {
	b := f.Data
	cut := func(n int) ([]byte, bool) {
		if len(b) < n {
			return nil, false
		}
		return b[n:], true
	}
	typed := func(at, n int) ([]byte, bool) { // an EtherType at at, what follows at n
		if len(b) < n {
			return nil, false
		}
		return ether(binary.BigEndian.Uint16(b[at:]), b[n:])
	}
	switch f.Link {
	case Ethernet:
		return typed(12, 14)
	case LinuxSLL:
		return typed(14, 16)
	case LinuxSLL2:
		return typed(0, 20)
	case Null, Loop:
		return cut(4)
	case PPP, PPPSerial:
		return ppp(b)
	case Raw, rawBSD, rawOpen, IPv4, IPv6:
		return b, true
	}
	return nil, false
}

// ether passes VLAN tags.
func ether(kind uint16, b []byte) ([]byte, bool) {
	for range maxVLANTags {
		switch kind {
		case etherIPv4, etherIPv6:
			return b, true
		case etherVLAN, etherQinQ, etherQinQ9:
			if len(b) < 4 {
				return nil, false
			}
			kind, b = binary.BigEndian.Uint16(b[2:]), b[4:]
		default:
			return nil, false
		}
	}
	return nil, false
}

// ppp passes the framing of a PPP link [RFC 1661, RFC 1662].
func ppp(b []byte) ([]byte, bool) {
	if len(b) >= 2 && b[0] == 0xff && b[1] == 0x03 {
		b = b[2:]
	}
	switch {
	case len(b) >= 2 && b[0] == 0x00 && (b[1] == 0x21 || b[1] == 0x57):
		return b[2:], true
	case len(b) >= 1 && (b[0] == 0x21 || b[0] == 0x57): // the protocol in one byte
		return b[1:], true
	}
	return nil, false
}

func ipv4(b []byte) (Segment, bool) {
	if len(b) < 20 {
		return Segment{}, false
	}
	head, total := int(b[0]&0x0f)*4, int(binary.BigEndian.Uint16(b[2:]))
	fragment := binary.BigEndian.Uint16(b[6:]) & 0x3fff // more fragments, or an offset
	if head < 20 || len(b) < head || b[9] != protoTCP || fragment != 0 {
		return Segment{}, false
	}
	if total == 0 { // the network card was to fill it in
		total = len(b)
	}
	if total < head {
		return Segment{}, false
	}
	src, dst := netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
	return tcp(src, dst, b[head:min(len(b), total)], max(0, total-len(b)))
}

func ipv6(b []byte) (Segment, bool) {
	if len(b) < 40 {
		return Segment{}, false
	}
	src, dst := netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
	next, total := b[6], int(binary.BigEndian.Uint16(b[4:]))
	body := b[40:]
	if total == 0 {
		total = len(body)
	}
	cut := max(0, total-len(body))
	body = body[:min(len(body), total)]
	for range maxHeaders {
		switch next {
		case protoTCP:
			return tcp(src.Unmap(), dst.Unmap(), body, cut)
		case 0, 43, 60: // hop by hop, routing, destination options [RFC 8200 §4]
			if len(body) < 8 {
				return Segment{}, false
			}
			n := (int(body[1]) + 1) * 8
			if len(body) < n {
				return Segment{}, false
			}
			next, body = body[0], body[n:]
		default:
			return Segment{}, false
		}
	}
	return Segment{}, false
}

func tcp(src, dst netip.Addr, b []byte, cut int) (Segment, bool) {
	if len(b) < 20 {
		return Segment{}, false
	}
	head := int(b[12]>>4) * 4
	if head < 20 || len(b) < head {
		return Segment{}, false
	}
	flags := b[13]
	return Segment{
		Src: netip.AddrPortFrom(src, binary.BigEndian.Uint16(b)),
		Dst: netip.AddrPortFrom(dst, binary.BigEndian.Uint16(b[2:])),
		Seq: binary.BigEndian.Uint32(b[4:]),
		FIN: flags&0x01 != 0, SYN: flags&0x02 != 0, RST: flags&0x04 != 0, ACK: flags&0x10 != 0,
		Payload: b[head:], Cut: cut,
	}, true
}
