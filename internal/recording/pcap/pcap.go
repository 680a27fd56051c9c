// Package pcap reads captures of networks, classic pcap and pcapng, as far as
// TCP: frames out of the file, segments out of the frames, and the bytes that
// both ends of each connection sent, in order. It also writes such a file from
// bytes that never were frames, so that other programs can look at them.
//
// It knows Ethernet (with VLAN tags), Linux cooked (both versions), loopback,
// raw IP and PPP links, IPv4 and IPv6. It knows no protocol above TCP, opens
// no file, and never captures anything itself.
//
// Sources: [pcap] draft-ietf-opsawg-pcap, [pcapng] draft-ietf-opsawg-pcapng,
// [linktypes] the registry of link types that both share.
package pcap

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/matou-iot/matou/internal/wording"
)

// Bounds of what is believed of a file.
const (
	maxFrame   = 256 << 10 // bytes of one frame: above any interface's snapshot length
	maxBlock   = 1 << 20   // bytes of one pcapng block that is read; longer ones of no interest are passed over
	maxIfaces  = 1 << 10   // interfaces of one pcapng section
	headerSize = 24        // of a classic file
)

// A LinkType says what a frame begins with [linktypes].
type LinkType uint16

// The link types that are read.
const (
	Null      LinkType = 0 // BSD loopback: the family in the byte order of the machine
	Ethernet  LinkType = 1
	PPP       LinkType = 9
	rawBSD    LinkType = 12 // raw IP, as some systems number it
	rawOpen   LinkType = 14 // likewise
	PPPSerial LinkType = 50
	Raw       LinkType = 101
	Loop      LinkType = 108 // OpenBSD loopback: the family in network byte order
	LinuxSLL  LinkType = 113
	IPv4      LinkType = 228
	IPv6      LinkType = 229
	LinuxSLL2 LinkType = 276
)

// A Frame is what one interface saw at once.
type Frame struct {
	Time time.Time // zero where the file has none
	Link LinkType
	Data []byte // valid until the next frame is read
	Cut  bool   // it was longer on the wire
}

// An Error says where a file stops being a capture.
type Error struct {
	Offset int64
	Detail string
	err    error
}

func (e *Error) Error() string { return fmt.Sprintf("pcap at byte %d: %s", e.Offset, e.Detail) }

// Unwrap is io.ErrUnexpectedEOF for a file that was cut off, ErrForeign for
// one that is no capture.
func (e *Error) Unwrap() error { return e.err }

// ErrForeign says that a file is no capture at all.
var ErrForeign = errors.New("not a pcap or pcapng file")

// The first four bytes of a file, as they are read big-endian [pcap §4] [pcapng §4.1].
const (
	magicMicro        = 0xa1b2c3d4
	magicNano         = 0xa1b23c4d
	magicMicroSwapped = 0xd4c3b2a1
	magicNanoSwapped  = 0x4d3cb2a1
	magicNG           = 0x0a0d0d0a
)

// Is reports whether a file that begins with b may be a capture.
func Is(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	switch binary.BigEndian.Uint32(b) {
	case magicMicro, magicNano, magicMicroSwapped, magicNanoSwapped, magicNG:
		return true
	}
	return false
}

// A Reader takes a capture apart into frames.
type Reader struct {
	r      *bufio.Reader
	offset int64
	order  binary.ByteOrder
	buf    []byte

	// Of a classic file.
	link LinkType
	nano bool

	// Of a pcapng section.
	ng     bool
	ifaces []iface
}

// NewReader reads the beginning of a capture. Its error is an *Error.
func NewReader(r io.Reader) (*Reader, error) {
	p := &Reader{r: bufio.NewReaderSize(r, 64<<10)}
	magic, err := p.r.Peek(4)
	if err != nil || !Is(magic) {
		return nil, &Error{0, ErrForeign.Error(), ErrForeign}
	}
	switch binary.BigEndian.Uint32(magic) {
	case magicNG:
		p.ng = true
		return p, nil
	case magicMicro:
		p.order = binary.BigEndian
	case magicNano:
		p.order, p.nano = binary.BigEndian, true
	case magicMicroSwapped:
		p.order = binary.LittleEndian
	case magicNanoSwapped:
		p.order, p.nano = binary.LittleEndian, true
	}
	h, err := p.take(headerSize, "the file's header")
	if err != nil {
		return nil, err
	}
	p.link = LinkType(p.order.Uint32(h[20:]) & 0xffff) // the upper bits say how long the FCS is
	return p, nil
}

// Next reads a frame. It returns io.EOF behind the last one, and an *Error
// where the file breaks off or makes no sense: what came before it was right.
func (p *Reader) Next() (Frame, error) {
	if p.ng {
		return p.nextNG()
	}
	if _, err := p.r.Peek(1); err == io.EOF {
		return Frame{}, io.EOF
	}
	start := p.offset
	h, err := p.take(16, "the header of a frame")
	if err != nil {
		return Frame{}, err
	}
	seconds, fraction := int64(p.order.Uint32(h)), int64(p.order.Uint32(h[4:]))
	kept, long := p.order.Uint32(h[8:]), p.order.Uint32(h[12:])
	if kept > maxFrame {
		return Frame{}, &Error{start, fmt.Sprintf("a frame of %d bytes: more than any interface has", kept), nil}
	}
	if !p.nano {
		fraction *= 1000
	}
	data, err := p.take(int(kept), "a frame")
	if err != nil {
		return Frame{}, err
	}
	return Frame{Time: time.Unix(seconds, fraction).UTC(), Link: p.link, Data: data, Cut: long > kept}, nil
}

// take reads n bytes, which stay until the next call.
func (p *Reader) take(n int, what string) ([]byte, error) {
	if cap(p.buf) < n {
		p.buf = make([]byte, n)
	}
	b := p.buf[:n]
	got, err := io.ReadFull(p.r, b)
	p.offset += int64(got)
	switch {
	case err == io.EOF, err == io.ErrUnexpectedEOF:
		return nil, &Error{p.offset, fmt.Sprintf("the file ends inside %s, %d bytes too soon", what, n-got), io.ErrUnexpectedEOF}
	case err != nil:
		return nil, wording.Errorf("read %s: %w", what, err)
	}
	return b, nil
}

// skip passes n bytes.
func (p *Reader) skip(n int64, what string) error {
	got, err := io.CopyN(io.Discard, p.r, n)
	p.offset += got
	switch {
	case err == io.EOF:
		return &Error{p.offset, fmt.Sprintf("the file ends inside %s, %d bytes too soon", what, n-got), io.ErrUnexpectedEOF}
	case err != nil:
		return wording.Errorf("read %s: %w", what, err)
	}
	return nil
}
