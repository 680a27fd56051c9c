package pcap

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"time"
)

// The blocks of pcapng that matter here [pcapng §4].
const (
	blockInterface = 1
	blockOldPacket = 2
	blockSimple    = 3
	blockEnhanced  = 6
	blockSection   = magicNG

	byteOrderMagic = 0x1a2b3c4d

	optionEnd        = 0
	optionResolution = 9  // if_tsresol
	optionOffset     = 14 // if_tsoffset
)

// An iface is what a pcapng section says of an interface.
type iface struct {
	link    LinkType
	snap    uint32
	perSec  uint64 // units of a timestamp in a second
	seconds int64  // to add to each
}

func (i *iface) time(units uint64) time.Time {
	rest := units % i.perSec
	nanos := uint64(float64(rest) * (1e9 / float64(i.perSec)))
	if i.perSec <= 1e9 && 1e9%i.perSec == 0 {
		nanos = rest * (1e9 / i.perSec)
	}
	return time.Unix(int64(units/i.perSec)+i.seconds, int64(nanos)).UTC()
}

// nextNG reads blocks until one holds a frame.
func (p *Reader) nextNG() (Frame, error) {
	for {
		head, err := p.r.Peek(12)
		if len(head) == 0 && err == io.EOF {
			return Frame{}, io.EOF
		}
		if len(head) < 12 {
			return Frame{}, &Error{p.offset + int64(len(head)), "the file ends inside a block", io.ErrUnexpectedEOF}
		}
		start := p.offset
		if binary.BigEndian.Uint32(head) == blockSection {
			if err := p.section(head[8:12]); err != nil {
				return Frame{}, err
			}
		}
		if p.order == nil {
			return Frame{}, &Error{start, "the first block is no section header", ErrForeign}
		}
		kind, length := p.order.Uint32(head), p.order.Uint32(head[4:])
		if length < 12 || length%4 != 0 {
			return Frame{}, &Error{start, fmt.Sprintf("a block of %d bytes: blocks have 12 or more, in fours", length), nil}
		}
		if kind != blockSection && kind != blockInterface && kind != blockOldPacket && kind != blockSimple && kind != blockEnhanced {
			if err := p.skip(int64(length), "a block"); err != nil {
				return Frame{}, err
			}
			continue
		}
		if length > maxBlock {
			return Frame{}, &Error{start, fmt.Sprintf("a block of %d bytes is more than the %d that are read", length, maxBlock), nil}
		}
		b, err := p.take(int(length), "a block")
		if err != nil {
			return Frame{}, err
		}
		if end := p.order.Uint32(b[length-4:]); end != length {
			return Frame{}, &Error{start, fmt.Sprintf("a block says it has %d bytes, and at its end %d", length, end), nil}
		}
		f, is, err := p.block(kind, b[8:length-4], start)
		if err != nil || is {
			return f, err
		}
	}
}

// section begins a section: its byte order holds from here on.
func (p *Reader) section(magic []byte) error {
	switch {
	case binary.BigEndian.Uint32(magic) == byteOrderMagic:
		p.order = binary.BigEndian
	case binary.LittleEndian.Uint32(magic) == byteOrderMagic:
		p.order = binary.LittleEndian
	default:
		return &Error{p.offset, "a section header without its byte order", ErrForeign}
	}
	p.ifaces = p.ifaces[:0]
	return nil
}

// block reads the body of a block; it reports whether that is a frame.
func (p *Reader) block(kind uint32, b []byte, at int64) (f Frame, is bool, err error) {
	short := &Error{at, "a block is too short for its kind", nil}
	switch kind {
	case blockInterface:
		if len(b) < 8 {
			return f, false, short
		}
		if len(p.ifaces) == maxIfaces {
			return f, false, &Error{at, fmt.Sprintf("more than %d interfaces in a section", maxIfaces), nil}
		}
		p.ifaces = append(p.ifaces, p.describe(b))
		return f, false, nil
	case blockSimple:
		if len(b) < 4 {
			return f, false, short
		}
		if len(p.ifaces) == 0 {
			return f, false, &Error{at, "a frame of an interface that was not described", nil}
		}
		long, data := p.order.Uint32(b), b[4:]
		kept := min(uint64(long), uint64(len(data)))
		if snap := p.ifaces[0].snap; snap > 0 {
			kept = min(kept, uint64(snap))
		}
		return Frame{Link: p.ifaces[0].link, Data: data[:kept], Cut: uint64(long) > kept}, true, nil
	case blockEnhanced, blockOldPacket:
		if len(b) < 20 {
			return f, false, short
		}
		which := p.order.Uint32(b)
		if kind == blockOldPacket {
			which = uint32(p.order.Uint16(b))
		}
		if uint64(which) >= uint64(len(p.ifaces)) {
			return f, false, &Error{at, fmt.Sprintf("a frame of interface %d, which was not described", which), nil}
		}
		i := &p.ifaces[which]
		kept, long, data := p.order.Uint32(b[12:]), p.order.Uint32(b[16:]), b[20:]
		if uint64(kept) > uint64(len(data)) {
			return f, false, &Error{at, fmt.Sprintf("a frame of %d bytes in a block with %d", kept, len(data)), nil}
		}
		units := uint64(p.order.Uint32(b[4:]))<<32 | uint64(p.order.Uint32(b[8:]))
		return Frame{Time: i.time(units), Link: i.link, Data: data[:kept], Cut: long > kept}, true, nil
	}
	return f, false, nil // a section header: all of it was read
}

// describe reads an interface with its options. Those that are broken are as
// if they were not there.
func (p *Reader) describe(b []byte) iface {
	i := iface{link: LinkType(p.order.Uint16(b)), snap: p.order.Uint32(b[4:]), perSec: 1e6}
	for o := b[8:]; len(o) >= 4; {
		code, n := p.order.Uint16(o), int(p.order.Uint16(o[2:]))
		o = o[4:]
		if code == optionEnd || n > len(o) {
			break
		}
		switch {
		case code == optionResolution && n == 1:
			i.perSec = resolution(o[0])
		case code == optionOffset && n == 8:
			i.seconds = int64(p.order.Uint64(o))
		}
		o = o[min(len(o), (n+3)&^3):]
	}
	return i
}

// resolution reads if_tsresol: a negative power of ten, or of two where the
// highest bit is set [pcapng §4.2].
func resolution(b byte) uint64 {
	exp := b & 0x7f
	if b&0x80 != 0 {
		if exp > 63 {
			return 1e6
		}
		return 1 << exp
	}
	if exp > 19 {
		return 1e6
	}
	return uint64(math.Pow10(int(exp)))
}
