package pcap

import (
	"encoding/binary"
	"io"
	"net/netip"
	"time"
)

// maxPayload is how much of a chunk goes into one segment: with both headers
// it fits the 16-bit length of an IP packet.
const maxPayload = 60_000

// A Writer makes a classic capture of bytes that no network carried as such:
// it dresses them up as TCP over IP, so that other programs can read them.
// It is for one goroutine.
type Writer struct {
	w   io.Writer
	buf []byte
}

// NewWriter writes the head of a file.
func NewWriter(w io.Writer) (*Writer, error) {
	b := make([]byte, headerSize)
	le := binary.LittleEndian
	le.PutUint32(b, magicMicro)
	le.PutUint16(b[4:], 2) // version 2.4
	le.PutUint16(b[6:], 4)
	le.PutUint32(b[16:], maxFrame)
	le.PutUint32(b[20:], uint32(Raw))
	_, err := w.Write(b)
	return &Writer{w: w}, err
}

// A Connection is one stream that is being written.
type Connection struct {
	w    *Writer
	ends [2]netip.AddrPort // client, server
	next [2]uint32         // sequence numbers
}

// Open writes the handshake of a connection. Ends of different families are
// both written as IPv6.
func (w *Writer) Open(client, server netip.AddrPort, t time.Time) (*Connection, error) {
	c := &Connection{w: w, ends: [2]netip.AddrPort{client, server}, next: [2]uint32{1000, 2000}}
	for _, step := range []struct {
		from  int
		flags byte
		grows uint32
	}{{0, flagSYN, 1}, {1, flagSYN | flagACK, 1}, {0, flagACK, 0}} {
		if err := c.segment(step.from, step.flags, nil, t); err != nil {
			return nil, err
		}
		c.next[step.from] += step.grows
	}
	return c, nil
}

// Write writes what one end sent.
func (c *Connection) Write(fromServer bool, data []byte, t time.Time) error {
	from := 0
	if fromServer {
		from = 1
	}
	for len(data) > 0 {
		part := data[:min(len(data), maxPayload)]
		if err := c.segment(from, flagACK|flagPSH, part, t); err != nil {
			return err
		}
		c.next[from] += uint32(len(part))
		data = data[len(part):]
	}
	return nil
}

// Close writes the end of a connection, which one end wanted.
func (c *Connection) Close(byServer bool, t time.Time) error {
	first := 0
	if byServer {
		first = 1
	}
	for _, from := range []int{first, 1 - first} {
		if err := c.segment(from, flagFIN|flagACK, nil, t); err != nil {
			return err
		}
		c.next[from]++
	}
	return nil
}

// TCP's flags.
const (
	flagFIN = 0x01
	flagSYN = 0x02
	flagPSH = 0x08
	flagACK = 0x10
)

const tcpHeader = 20

// segment writes one frame.
func (c *Connection) segment(from int, flags byte, data []byte, t time.Time) error {
	src, dst := c.ends[from], c.ends[1-from]
	be, le := binary.BigEndian, binary.LittleEndian
	v4 := src.Addr().Unmap().Is4() && dst.Addr().Unmap().Is4()
	ip := 40
	if v4 {
		ip = 20
	}
	n := ip + tcpHeader + len(data)
	if cap(c.w.buf) < 16+n {
		c.w.buf = make([]byte, 16+maxPayload+64)
	}
	b := c.w.buf[:16+n]
	clear(b[:16+ip+tcpHeader])
	le.PutUint32(b, uint32(t.Unix()))
	le.PutUint32(b[4:], uint32(t.Nanosecond()/1000))
	le.PutUint32(b[8:], uint32(n))
	le.PutUint32(b[12:], uint32(n))

	p := b[16:]
	segment := p[ip:]
	be.PutUint16(segment, src.Port())
	be.PutUint16(segment[2:], dst.Port())
	be.PutUint32(segment[4:], c.next[from])
	if flags&flagACK != 0 {
		be.PutUint32(segment[8:], c.next[1-from])
	}
	segment[12], segment[13] = tcpHeader/4<<4, flags
	be.PutUint16(segment[14:], 0xffff)
	copy(segment[tcpHeader:], data)
	var sum uint32
	if v4 {
		s, d := src.Addr().Unmap().As4(), dst.Addr().Unmap().As4()
		p[0], p[8], p[9] = 0x45, 64, protoTCP
		be.PutUint16(p[2:], uint16(n))
		copy(p[12:], s[:])
		copy(p[16:], d[:])
		be.PutUint16(p[10:], ^fold(add(0, p[:20])))
		sum = add(add(0, s[:]), d[:])
	} else {
		s, d := src.Addr().As16(), dst.Addr().As16()
		p[0], p[6], p[7] = 0x60, protoTCP, 64
		be.PutUint16(p[4:], uint16(n-ip))
		copy(p[8:], s[:])
		copy(p[24:], d[:])
		sum = add(add(0, s[:]), d[:])
	}
	sum += protoTCP + uint32(len(segment))
	be.PutUint16(segment[16:], ^fold(add(sum, segment)))
	_, err := c.w.w.Write(b)
	return err
}

// add and fold are the checksum of the Internet [RFC 1071].
func add(sum uint32, b []byte) uint32 {
	for ; len(b) >= 2; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	return sum
}

func fold(sum uint32) uint16 {
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}
