package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

type deviceTimelineCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE; a device that does not exist, but tried to log in, has a timeline, too."`
	Follow bool      `short:"f" help:"Go on with what comes, until interrupted."`
	Kind   string    `enum:",connect,refuse,disconnect,subscribe,uplink,downlink,command,reply,fault,note,packet" default:"" help:"Only entries of this kind: connect, refuse, disconnect, subscribe, uplink, downlink, command, reply, fault, note or packet (of a device under watch)." placeholder:"KIND"`
	limitFlags
	apiFlags
}

func (*deviceTimelineCmd) Help() string {
	return `Prints the newest entries, in the order they happened. With --json they come as
the API has them, newest first; with --follow, an object a line.

Examples:
  matou device timeline a1NightLamp/lamp01
  matou device timeline a1NightLamp/lamp01 --kind refuse --lang zh
  matou device timeline a1NightLamp/lamp01 --follow --limit 10`
}

// A moved is an entry of a timeline as the API shows it.
type moved struct {
	ID         uint64          `json:"id"`
	Parent     uint64          `json:"parent"`
	At         time.Time       `json:"at"`
	Kind       string          `json:"kind"`
	Direction  string          `json:"direction"`
	Topic      string          `json:"topic"`
	Size       int             `json:"size"`
	Payload    []byte          `json:"payload"`
	Packet     []byte          `json:"packet"`
	Code       string          `json:"code"`
	Sentence   string          `json:"sentence"`
	SentenceZH string          `json:"sentenceZh"`
	Skipped    int             `json:"skipped"`
	Detail     json.RawMessage `json:"detail"`
	Page       string          `json:"page"`
}

// maxShown is how many bytes of a payload a line shows.
const maxShown = 160

// line is the entry for people.
func (m *moved) line(chinese bool) string {
	sentence := m.Sentence
	if chinese && m.SentenceZH != "" {
		sentence = m.SentenceZH
	}
	parts := []string{millis(m.At), fmt.Sprintf("%-10s", m.Kind), m.Code, m.Topic, m.payload(), sentence}
	if sentence == "" && len(m.Payload) == 0 {
		parts = append(parts, document(m.Detail))
	}
	if m.Skipped > 0 {
		left := fmt.Sprintf("(%d messages before it are not shown)", m.Skipped)
		if chinese {
			left = fmt.Sprintf("（此前有 %d 条消息未显示）", m.Skipped)
		}
		parts = append(parts, left)
	}
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	return strings.TrimRight(visible(strings.Join(parts, "  ")), " ")
}

// payload shows what was said: as text, or in hex where it is none.
func (m *moved) payload() string {
	b, whole := m.Payload, max(m.Size, len(m.Payload))
	if len(b) == 0 && len(m.Packet) > 0 {
		return "packet " + shown(m.Packet, len(m.Packet), false)
	}
	return shown(b, whole, utf8.Valid(b))
}

func shown(b []byte, whole int, isText bool) string {
	cut := b[:min(len(b), maxShown)]
	s := fmt.Sprintf("%x", cut)
	if isText {
		s = strings.ToValidUTF8(string(cut), "") // the cut may be within a character
	}
	if whole > len(cut) {
		s += fmt.Sprintf("… (%d bytes)", whole)
	}
	return s
}

func (c *deviceTimelineCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	if c.Follow {
		return c.follow(g, r)
	}
	p, err := c.recent(r, c.Limit)
	if err != nil {
		return err
	}
	entries, err := each[moved](r, p.Items)
	if err != nil {
		return err
	}
	if !g.JSON && len(entries) == 0 {
		fmt.Fprintln(g.Stderr, "nothing was said")
	}
	return g.emit(p, func(w io.Writer) {
		for _, m := range slices.Backward(entries) {
			fmt.Fprintln(w, m.line(g.chinese()))
		}
	})
}

func (c *deviceTimelineCmd) recent(r *rest, limit int) (page, error) {
	return r.list(c.Device.at("timeline"), query("kind", c.Kind), limit)
}

// follow prints what was said and what will be. The stream is opened before
// the list is read, so that nothing is lost in between; entries that come
// twice are known by their ids, which grow.
func (c *deviceTimelineCmd) follow(g *globals, r *rest) error {
	var last uint64
	limit := c.Limit
	show := func(raw json.RawMessage) error {
		var m moved
		if err := r.read(raw, &m); err != nil {
			return err
		}
		if m.ID <= last || c.Kind != "" && m.Kind != c.Kind {
			return nil
		}
		last = m.ID
		return streamOut(g, raw, m.line(g.chinese()))
	}
	opened := func() error {
		p, err := c.recent(r, limit)
		if err != nil {
			return err
		}
		limit = 0 // whatever was missed, when it opens again
		return inOrder(r, p.Items, show)
	}
	return r.follow(g, c.Device.at("timeline", "stream"), nil, opened, func(e streamEvent) error {
		if e.name != "entry" {
			return nil
		}
		return show(e.data)
	})
}

// inOrder calls show for the entries of a list, oldest first.
func inOrder(r *rest, items []json.RawMessage, show func(json.RawMessage) error) error {
	type known struct {
		ID uint64 `json:"id"`
	}
	ids, err := each[known](r, items)
	if err != nil {
		return err
	}
	at := make([]int, len(items))
	for i := range at {
		at[i] = i
	}
	slices.SortFunc(at, func(a, b int) int { return cmp.Compare(ids[a].ID, ids[b].ID) })
	for _, i := range at {
		if err := show(items[i]); err != nil {
			return err
		}
	}
	return nil
}

// streamOut writes one thing of a stream: JSON on a line, or the line for
// people.
func streamOut(g *globals, v any, line string) error {
	if !g.JSON {
		_, err := fmt.Fprintln(g.Stdout, line)
		return err
	}
	enc := json.NewEncoder(g.Stdout)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
