package gate

import (
	"fmt"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt/packet"
)

var _ broker.Listener = (*Gate)(nil)

// Listens reports whether a device is under watch: only then packets without a
// message go to its timeline.
func (g *Gate) Listens(c *broker.Client) bool {
	if !g.Trace.Observing() {
		return false
	}
	s, ok := c.Identity().(*dialect.Subject)
	return ok && !g.Trace.Observed(s.Product, s.Device).IsZero()
}

// Overheard writes a packet of a device under watch into its timeline.
func (g *Gate) Overheard(c *broker.Client, raw []byte, up bool) {
	s, ok := c.Identity().(*dialect.Subject)
	if !ok {
		return
	}
	e := trace.Entry{
		Product: s.Product, Device: s.Device, Kind: trace.Packet, Direction: "down", Size: len(raw), Packet: raw, Sentence: inWords(raw, c),
	}
	if up {
		e.Direction = "up"
	}
	e.SentenceZH = e.Sentence // names and numbers only
	g.Trace.Record(e)
}

// inWords is a packet in a few words, those of the specification.
func inWords(raw []byte, c *broker.Client) string {
	h, err := packet.ParseHeaderOf(raw, c.Version())
	if err != nil {
		return "?"
	}
	name := h.Type.String()
	p, err := packet.Decode(h, raw[h.Size:], c.Version())
	if err != nil {
		return name + " (" + err.Error() + ")"
	}
	switch p := p.(type) {
	case *packet.Puback:
		return fmt.Sprintf("%s %d 0x%02x", name, p.ID, byte(p.Reason))
	case *packet.Pubrec:
		return fmt.Sprintf("%s %d 0x%02x", name, p.ID, byte(p.Reason))
	case *packet.Pubrel:
		return fmt.Sprintf("%s %d 0x%02x", name, p.ID, byte(p.Reason))
	case *packet.Pubcomp:
		return fmt.Sprintf("%s %d 0x%02x", name, p.ID, byte(p.Reason))
	case *packet.Suback:
		return fmt.Sprintf("%s %d %v", name, p.ID, codesOf(p.Reasons))
	case *packet.Unsubscribe:
		return fmt.Sprintf("%s %d %q", name, p.ID, p.Filters)
	case *packet.Unsuback:
		return fmt.Sprintf("%s %d %v", name, p.ID, codesOf(p.Reasons))
	case *packet.Disconnect:
		return fmt.Sprintf("%s 0x%02x", name, byte(p.Reason))
	}
	return name
}

func codesOf[T ~byte](all []T) []string {
	codes := make([]string, len(all))
	for i, c := range all {
		codes[i] = fmt.Sprintf("0x%02x", byte(c))
	}
	return codes
}
