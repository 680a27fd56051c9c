package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/mqtt/packet"
)

type deviceTraceCmd struct {
	Device deviceRef     `arg:"" help:"PRODUCT/DEVICE."`
	ID     uint64        `arg:"" optional:"" help:"Of the timeline's entry; left out, the newest message of the device." placeholder:"ID"`
	Record uint64        `help:"Of a stored value or event: the message that brought it. 'matou device history' names it." placeholder:"RECORD"`
	Follow bool          `short:"f" help:"Go on with what comes, until interrupted."`
	Watch  time.Duration `help:"Keep the packets of the device as they come for this long, at most 1h." placeholder:"TIME"`
	apiFlags
}

func (*deviceTraceCmd) Help() string {
	return `Follows a message through five layers by one id: the MQTT bytes with what each
field means, topic and payload, what was read in them, the values with their
checks, and the rows that are stored. The ids are those of 'matou device
timeline --json'. The other way, from a stored value to the message that brought
it, goes --record, as long as the feed and the timeline keep both.

Bytes are kept of devices under watch and of broken packets; otherwise they are
made again of topic and payload, and that is said. Secrets are shown as stars.

Examples:
  matou device trace a1NightLamp/lamp01
  matou device trace a1NightLamp/lamp01 1869437009920001 --json
  matou device trace a1NightLamp/lamp01 --record 44801
  matou device trace a1NightLamp/lamp01 --watch 10m --follow`
}

// A traced is a message in its layers as the API shows it.
type traced struct {
	ID    uint64 `json:"id"`
	Entry moved  `json:"entry"`
	Bytes *struct {
		Source      string             `json:"source"`
		Hex         string             `json:"hex"`
		Note        string             `json:"note"`
		NoteZH      string             `json:"noteZh"`
		Explanation packet.Explanation `json:"explanation"`
	} `json:"bytes"`
	Message *struct {
		Topic   string `json:"topic"`
		QoS     int    `json:"qos"`
		Size    int    `json:"size"`
		Text    string `json:"text"`
		Payload string `json:"payload"`
		Cut     bool   `json:"cut"`
	} `json:"message"`
	Report *struct {
		Dialect   string `json:"dialect"`
		Kind      string `json:"kind"`
		MessageID string `json:"messageId"`
		Script    bool   `json:"script"`
		Fault     *struct {
			Code       string `json:"code"`
			Sentence   string `json:"sentence"`
			SentenceZH string `json:"sentenceZh"`
		} `json:"fault"`
		Notes []struct {
			Code       string `json:"code"`
			Sentence   string `json:"sentence"`
			SentenceZH string `json:"sentenceZh"`
		} `json:"notes"`
		Loose  string `json:"loose"`
		Note   string `json:"note"`
		NoteZH string `json:"noteZh"`
	} `json:"report"`
	Values []struct {
		Device     string          `json:"device"`
		Name       string          `json:"name"`
		Value      json.RawMessage `json:"value"`
		Output     string          `json:"output"`
		Wanted     string          `json:"wanted"`
		Verdict    string          `json:"verdict"`
		Refusal    string          `json:"refusal"`
		Sentence   string          `json:"sentence"`
		SentenceZH string          `json:"sentenceZh"`
	} `json:"values"`
	Stored []struct {
		Device string          `json:"device"`
		Kind   string          `json:"kind"`
		Name   string          `json:"name"`
		Found  bool            `json:"found"`
		Record uint64          `json:"record"`
		By     string          `json:"by"`
		Time   time.Time       `json:"time"`
		Value  json.RawMessage `json:"value"`
		Output string          `json:"output"`
		State  string          `json:"state"`
	} `json:"stored"`
	Followed []moved `json:"followed"`
}

func (c *deviceTraceCmd) Run(g *globals) error {
	if c.Watch < 0 || c.Watch > time.Hour {
		return usagef("--watch %v is not within 1s and 1h", c.Watch)
	}
	if c.ID != 0 && c.Follow {
		return usagef("--follow goes on with what comes: leave the id out")
	}
	if c.Record != 0 && (c.ID != 0 || c.Follow) {
		return usagef("--record names a message by what it brought: leave the id and --follow out")
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	if c.Watch > 0 {
		in := map[string]int{"seconds": max(1, int(c.Watch/time.Second))}
		if err := r.call("PUT", c.Device.at("timeline", "watch"), nil, in, nil); err != nil {
			return err
		}
		fmt.Fprintf(g.Stderr, "packets of %s are kept as they come for %v\n", c.Device, c.Watch)
	}
	if c.Follow {
		return c.follow(g, r)
	}
	id := c.ID
	switch {
	case c.Record != 0:
		if id, err = c.origin(r); err != nil {
			return err
		}
	case id == 0:
		if id, err = c.newest(r); err != nil {
			return err
		}
	}
	return c.show(g, r, id)
}

// newest is the newest entry that no other caused, of what devices say.
func (c *deviceTraceCmd) newest(r *rest) (uint64, error) {
	p, err := r.list(c.Device.at("timeline"), nil, 100)
	if err != nil {
		return 0, err
	}
	entries, err := each[moved](r, p.Items)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		if e.Parent == 0 && e.Direction == "up" {
			return e.ID, nil
		}
	}
	return 0, fmt.Errorf("device %s has said nothing yet", c.Device)
}

// origin is the entry of the message that brought a record. It may be of the
// gateway that spoke for the device, whose timeline is looked at then.
func (c *deviceTraceCmd) origin(r *rest) (uint64, error) {
	var o struct {
		Entry   uint64 `json:"entry"`
		Product string `json:"product"`
		Device  string `json:"device"`
		Kept    bool   `json:"kept"`
	}
	if err := r.call("GET", c.Device.at("records", strconv.FormatUint(c.Record, 10)), nil, nil, &o); err != nil {
		return 0, err
	}
	switch {
	case o.Entry == 0:
		return 0, fmt.Errorf("record %d was made by no message", c.Record)
	case !o.Kept:
		return 0, fmt.Errorf("record %d was brought by message %d, which the timeline keeps no longer", c.Record, o.Entry)
	}
	return o.Entry, c.Device.UnmarshalText([]byte(o.Product + "/" + o.Device))
}

func (c *deviceTraceCmd) show(g *globals, r *rest, id uint64) error {
	var raw json.RawMessage
	if err := r.call("GET", c.Device.at("timeline", strconv.FormatUint(id, 10), "layers"), nil, nil, &raw); err != nil {
		return err
	}
	if g.JSON {
		return streamOut(g, raw, "")
	}
	var t traced
	if err := r.read(raw, &t); err != nil {
		return err
	}
	t.print(g.Stdout, g.chinese())
	return nil
}

// follow prints what comes, each message once its answers are there.
func (c *deviceTraceCmd) follow(g *globals, r *rest) error {
	return r.follow(g, c.Device.at("timeline", "stream"), nil, nil, func(e streamEvent) error {
		if e.name != "entry" {
			return nil
		}
		var m moved
		if err := r.read(e.data, &m); err != nil || m.Parent != 0 {
			return err
		}
		return c.show(g, r, m.ID)
	})
}

// print writes the layers for people.
func (t *traced) print(w io.Writer, chinese bool) {
	titles := []string{"1 MQTT bytes", "2 topic and payload", "3 read as", "4 values", "5 stored", "then"}
	if chinese {
		titles = []string{"1 MQTT 字节", "2 主题与内容", "3 解析结果", "4 值与检查", "5 存储", "随后"}
	}
	e := &t.Entry
	fmt.Fprintf(w, "%d  %s  %s\n", t.ID, millis(e.At), e.Kind)
	if s := choose(chinese, e.Sentence, e.SentenceZH); s != "" {
		fmt.Fprintf(w, "  %s\n", visible(s))
	}
	if e.Code != "" {
		fmt.Fprintf(w, "  %s  %s\n", e.Code, e.Page)
	}
	t.printWire(w, chinese, titles)
	t.printRead(w, chinese, titles)
	if len(t.Followed) > 0 {
		fmt.Fprintf(w, "\n%s\n", titles[5])
		for i := range t.Followed {
			fmt.Fprintln(w, "  "+t.Followed[i].line(chinese))
		}
	}
	fmt.Fprintln(w)
}

func (t *traced) printWire(w io.Writer, chinese bool, titles []string) {
	if b := t.Bytes; b != nil {
		source := map[string]string{"recorded": "原样记录", "re-encoded": "重新编码"}[b.Source]
		fmt.Fprintf(w, "\n%s (%s)\n", titles[0], choose(chinese, b.Source, source))
		if b.Note != "" {
			fmt.Fprintf(w, "  %s\n", choose(chinese, b.Note, b.NoteZH))
		}
		for line := range strings.Lines(b.Explanation.String()) {
			fmt.Fprint(w, "  "+line)
		}
	}
	if m := t.Message; m != nil {
		fmt.Fprintf(w, "\n%s\n  %s  QoS %d\n", titles[1], visible(m.Topic), m.QoS)
		text := visible(m.Text)
		if m.Text == "" {
			text = m.Payload
		}
		if m.Cut {
			text += fmt.Sprintf("… (%d bytes)", m.Size)
		}
		if text != "" {
			fmt.Fprintf(w, "  %s\n", text)
		}
	}
}

func (t *traced) printRead(w io.Writer, chinese bool, titles []string) {
	if r := t.Report; r != nil {
		fmt.Fprintf(w, "\n%s\n  %s\n", titles[2], strings.TrimSpace(strings.Join([]string{r.Dialect, r.Kind, r.MessageID}, "  ")))
		if r.Fault != nil {
			fmt.Fprintf(w, "  %s  %s\n", r.Fault.Code, visible(choose(chinese, r.Fault.Sentence, r.Fault.SentenceZH)))
		}
		for _, n := range r.Notes {
			fmt.Fprintf(w, "  %s  %s\n", n.Code, visible(choose(chinese, n.Sentence, n.SentenceZH)))
		}
		for _, s := range []string{visible(r.Loose), choose(chinese, r.Note, r.NoteZH)} {
			if s != "" {
				fmt.Fprintf(w, "  %s\n", s)
			}
		}
	}
	if len(t.Values) > 0 {
		fmt.Fprintf(w, "\n%s\n", titles[3])
		var rows table
		for _, v := range t.Values {
			rows.add("  "+strings.TrimPrefix(v.Device+"/"+v.Name, "/"), text(v.Value)+v.Output, v.Verdict, v.Wanted, v.Refusal, choose(chinese, v.Sentence, v.SentenceZH))
		}
		rows.print(w)
	}
	if len(t.Stored) > 0 {
		fmt.Fprintf(w, "\n%s\n", titles[4])
		var rows table
		for _, s := range t.Stored {
			when, by := choose(chinese, "not there", "不存在"), ""
			if s.Found {
				when = millis(s.Time)
			}
			if s.Record != 0 {
				by = choose(chinese, "record ", "记录 ") + strconv.FormatUint(s.Record, 10)
			}
			if s.By == "value" {
				by += choose(chinese, ", by its value: the feed keeps its origin no longer", "，按值匹配：数据流已不再保存其来源")
			}
			rows.add("  "+s.Kind, strings.TrimPrefix(s.Device+"/"+s.Name, "/"), when, text(s.Value)+s.Output, s.State, by)
		}
		rows.print(w)
	}
}
