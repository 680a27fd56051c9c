package recording

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A Line is one line of a recording in JSON: a packet, or bytes that are none.
type Line struct {
	Time       time.Time  `json:"time"`
	Connection int        `json:"connection"`
	From       Side       `json:"from"`
	Type       string     `json:"type,omitempty"` // "PUBLISH"; left out for what is no packet
	Summary    string     `json:"summary,omitempty"`
	Bytes      packet.Hex `json:"bytes"`
	Redacted   bool       `json:"redacted,omitempty"` // secrets in bytes were overwritten
	Over       int        `json:"over,omitempty"`     // bytes of the packet that are not here

	speaks mqtt.Version // what a CONNECT says from here on, 0 for nothing new
}

func isJSONLines(b []byte) bool {
	first, _, _ := bytes.Cut(bytes.TrimSpace(b), []byte("\n"))
	var l Line
	return json.Unmarshal(first, &l) == nil && !l.Time.IsZero() && len(l.Bytes) > 0
}

// readJSONLines reads what a capture wrote, a recording a connection.
func readJSONLines(b []byte) ([]Recording, error) {
	byConn := map[int]*Recording{}
	var order []int
	var first = map[int]time.Time{}
	n := 0
	for text := range bytes.Lines(b) {
		n++
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		var l Line
		err := json.Unmarshal(text, &l)
		if err != nil {
			if len(order) == 0 {
				return nil, wording.Errorf("line %d: %w", n, err)
			}
			for _, r := range byConn {
				r.note("line %d is broken: %v; what follows is not read", n, err)
			}
			break
		}
		r := byConn[l.Connection]
		if r == nil {
			r = &Recording{Name: fmt.Sprintf("connection %d", l.Connection), Timed: true}
			byConn[l.Connection], first[l.Connection] = r, l.Time
			order = append(order, l.Connection)
		}
		if l.Redacted && !slices.Contains(r.Notes, redactedNote) {
			r.note(redactedNote)
		}
		if l.Over > 0 {
			r.note("line %d: %d bytes of the packet were not recorded", n, l.Over)
		}
		r.Events = append(r.Events, Event{At: since(first[l.Connection], l.Time), From: l.From, Data: l.Bytes, Gap: l.Over > 0})
	}
	all := make([]Recording, 0, len(order))
	for _, c := range order {
		all = append(all, *byConn[c])
	}
	return all, nil
}

const redactedNote = "secrets were overwritten with *: sign it again to connect"
