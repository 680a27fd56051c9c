package recording

import (
	"time"

	"github.com/matou-iot/matou/mqtt/packet"
)

// A Packet is one MQTT packet of a recording, or bytes that are none.
type Packet struct {
	At      time.Duration // when it was complete
	From    Side
	Bytes   []byte
	Foreign bool // no packet: the bytes as they came, and so is all that follows
	Short   bool // the recording ends, or lacks bytes, inside it
	Over    int  // bytes of it that were not kept
}

// A Cutter cuts the bytes of one side into packets. Limit bounds what is kept
// of one packet; more is counted and passed over. The zero value keeps nothing.
type Cutter struct {
	Limit   int
	buf     []byte
	whole   int // bytes of the packet in buf, 0 while unknown
	over    int // bytes of it that were passed over
	foreign bool
}

// Push takes what came and calls yield for each packet that it completes. The
// bytes are yield's to keep.
func (c *Cutter) Push(data []byte, yield func(Packet)) {
	for len(data) > 0 {
		if c.foreign {
			yield(Packet{Bytes: append([]byte(nil), data...), Foreign: true})
			return
		}
		if c.whole == 0 {
			c.buf, data = append(c.buf, data[0]), data[1:]
			h, err := packet.ParseHeader(c.buf)
			switch {
			case err == packet.ErrIncomplete:
				continue
			case err != nil:
				c.foreign = true
				data = append(c.buf, data...)
				c.buf = nil
				continue
			}
			c.whole = h.Size + h.Remaining
		}
		due := c.whole - len(c.buf) - c.over
		n := min(due, len(data))
		keep := max(0, min(n, c.Limit-len(c.buf)))
		c.buf = append(c.buf, data[:keep]...)
		c.over += n - keep
		data = data[n:]
		if n == due {
			yield(Packet{Bytes: c.buf, Over: c.over})
			c.buf, c.whole, c.over = nil, 0, 0
		}
	}
}

// Rest gives up on the packet that is not complete, and begins anew.
func (c *Cutter) Rest() (Packet, bool) {
	p := Packet{Bytes: c.buf, Short: true, Over: c.over}
	*c = Cutter{Limit: c.Limit}
	return p, len(p.Bytes) > 0
}

// maxPacket is how much of one packet a recording is cut into.
const maxPacket = 16 << 20

// Packets cuts a recording, in the order in which the packets were complete.
func (r *Recording) Packets() []Packet {
	cutters := [2]Cutter{{Limit: maxPacket}, {Limit: maxPacket}}
	var all []Packet
	var last [2]time.Duration
	for _, e := range r.Events {
		c := &cutters[e.From]
		if e.Gap {
			if p, ok := c.Rest(); ok {
				p.At, p.From = e.At, e.From
				all = append(all, p)
			}
		}
		last[e.From] = e.At
		c.Push(e.Data, func(p Packet) {
			p.At, p.From = e.At, e.From
			all = append(all, p)
		})
	}
	for side := range cutters {
		if p, ok := cutters[side].Rest(); ok {
			p.At, p.From = last[side], Side(side)
			all = append(all, p)
		}
	}
	return all
}
