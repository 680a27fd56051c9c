package bench

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/matou-iot/matou/internal/recording"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/modem/virtual"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

const (
	keptPackets = 512      // of all modules, the newest, also of modules that have ended
	keptLines   = 16       // of one module, until they have caused something
	keptText    = 2 << 10  // bytes of a command line, and of what the module said of a packet
	keptPacket  = 64 << 10 // bytes of a packet that is looked into; a longer one is passed over
)

// A Spoken is what was said on a module's serial line about one packet.
type Spoken struct {
	Module string    // its kind
	Line   string    // the command that sent the packet; empty of one that came
	Said   string    // by the module, about it
	Time   time.Time // when the packet went out or came in
}

// Spoken finds what was said on the serial line of a module of the bench about
// the packet of a timeline's entry. Where several packets are alike it is the
// one nearest in time.
func (b *Bench) Spoken(id registry.ID, e trace.Entry) (Spoken, bool) {
	return b.spoken.find(id, e)
}

// A memory has the packets of which modules on the bench spoke, the oldest
// first.
type memory struct {
	mu   sync.Mutex
	kept []*spokenPacket
}

type spokenPacket struct {
	Spoken
	by     registry.ID
	up     bool
	kind   packet.Type
	topics []string // of a PUBLISH one, of a SUBSCRIBE its filters
	size   int      // of a PUBLISH's payload
	sum    [sha256.Size]byte
}

func (m *memory) keep(p *spokenPacket) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.kept) == keptPackets {
		m.kept = slices.Delete(m.kept, 0, 1)
	}
	m.kept = append(m.kept, p)
}

func (m *memory) find(id registry.ID, e trace.Entry) (Spoken, bool) {
	kind, topic := packet.TypePublish, e.Topic
	switch e.Kind {
	case trace.Connect, trace.Refuse:
		kind, topic = packet.TypeConnect, ""
	case trace.Subscribe:
		kind = packet.TypeSubscribe
	}
	if kind == packet.TypePublish && topic == "" {
		return Spoken{}, false
	}
	sum := sumOf(e.Payload)
	m.mu.Lock()
	defer m.mu.Unlock()
	var found *spokenPacket
	for _, p := range m.kept {
		switch {
		case p.by != id || p.kind != kind || p.up != (e.Direction != "down"):
		case topic != "" && !slices.Contains(p.topics, topic):
		case kind == packet.TypePublish && (p.size != max(e.Size, len(e.Payload)) || p.sum != sum):
		case found == nil || p.Time.Sub(e.At).Abs() < found.Time.Sub(e.At).Abs():
			found = p
		}
	}
	if found == nil {
		return Spoken{}, false
	}
	return found.Spoken, true
}

// sumOf is that of as much of a payload as every timeline keeps.
func sumOf(payload []byte) [sha256.Size]byte {
	return sha256.Sum256(payload[:min(len(payload), trace.MaxPayload)])
}

// A listener hears one module and remembers which command caused which packet,
// and what the module said of it.
type listener struct {
	module string
	whose  func(context.Context, *packet.Connect) registry.ID
	memory *memory

	lines []virtual.Event  // the newest commands
	said  string           // since the last of them
	open  []*spokenPacket  // those of which the module is speaking
	links map[int]*heardOf // by number
}

// A heardOf is one connection of a module.
type heardOf struct {
	out, in  recording.Cutter
	by       registry.ID
	version  mqtt.Version
	password string // that nobody reads
}

func newListener(module string, whose func(context.Context, *packet.Connect) registry.ID, m *memory) *listener {
	return &listener{module: module, whose: whose, memory: m, links: map[int]*heardOf{}}
}

// hear is told everything that happens in the module, in order.
func (l *listener) hear(ctx context.Context, e virtual.Event) {
	switch e.Kind {
	case virtual.Line:
		if len(l.lines) == keptLines {
			l.lines = slices.Delete(l.lines, 0, 1)
		}
		l.lines = append(l.lines, e)
		l.said, l.open = "", nil
	case virtual.Said:
		l.speaks(readable(e.Data))
	case virtual.Opened:
		l.links[e.Link] = &heardOf{out: recording.Cutter{Limit: keptPacket}, in: recording.Cutter{Limit: keptPacket}}
	case virtual.Closed:
		delete(l.links, e.Link)
	case virtual.Sent, virtual.Received:
		if k := l.links[e.Link]; k != nil {
			l.carries(ctx, k, e)
		}
	}
}

// speaks adds to what the module says of the packets at hand, or will have said
// of those that follow.
func (l *listener) speaks(text string) {
	if l.open == nil {
		l.said = shorten(l.said + text)
		return
	}
	l.memory.mu.Lock()
	defer l.memory.mu.Unlock()
	for _, p := range l.open {
		p.Said = shorten(p.Said + text)
	}
}

func (l *listener) carries(ctx context.Context, k *heardOf, e virtual.Event) {
	cutter := &k.in
	if e.Kind == virtual.Sent {
		cutter = &k.out
	}
	var open []*spokenPacket
	cutter.Push(e.Data, func(cut recording.Packet) {
		if cut.Foreign || cut.Over > 0 {
			return
		}
		p := k.read(ctx, l.whose, cut.Bytes)
		if p == nil || k.by == (registry.ID{}) {
			return
		}
		p.by, p.up = k.by, e.Kind == virtual.Sent
		p.Module, p.Time = l.module, e.Time
		if i := slices.IndexFunc(l.lines, func(line virtual.Event) bool { return line.Seq == e.Cause }); p.up && i >= 0 {
			p.Line = k.hide(shorten(readable(l.lines[i].Data)))
			if i == len(l.lines)-1 {
				p.Said = l.said
			}
		}
		l.memory.keep(p)
		open = append(open, p)
	})
	if open != nil {
		l.open, l.said = open, ""
	}
}

// read looks into a packet; nil for one of which timelines do not tell.
func (k *heardOf) read(ctx context.Context, whose func(context.Context, *packet.Connect) registry.ID, b []byte) *spokenPacket {
	h, err := packet.ParseHeader(b)
	if err != nil {
		return nil
	}
	decoded, err := packet.Decode(h, b[h.Size:], k.version)
	if err != nil {
		return nil
	}
	p := &spokenPacket{kind: h.Type}
	switch pk := decoded.(type) {
	case *packet.Connect:
		k.by, k.version, k.password = whose(ctx, pk), pk.Version, string(pk.Password)
	case *packet.Publish:
		p.topics, p.size, p.sum = []string{string(pk.Topic)}, len(pk.Payload), sumOf(pk.Payload)
	case *packet.Subscribe:
		for _, s := range pk.Subscriptions {
			p.topics = append(p.topics, s.Filter)
		}
	default:
		return nil
	}
	return p
}

// hide covers the password of a login: it is nowhere shown or kept.
func (k *heardOf) hide(line string) string {
	if k.password == "" {
		return line
	}
	return strings.ReplaceAll(line, k.password, "***")
}

func shorten(text string) string {
	if len(text) <= keptText {
		return text
	}
	return strings.ToValidUTF8(text[:keptText], "")
}

// readable writes bytes that are no text as \xNN.
func readable(b []byte) string {
	var out strings.Builder
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == '\r' || r == '\n' || r == '\t' || unicode.IsPrint(r) && (r != utf8.RuneError || n > 1):
			out.WriteRune(r)
		default:
			for _, c := range b[:n] {
				fmt.Fprintf(&out, `\x%02x`, c)
			}
		}
		b = b[n:]
	}
	return out.String()
}
