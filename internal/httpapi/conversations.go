package httpapi

import (
	"context"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/recording"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// What is shown of one file.
const (
	maxConversations = 50
	maxSpoken        = 1000    // packets of all conversations together
	maxSpokenBytes   = 4 << 10 // of one packet
)

type conversationsInput struct {
	RawBody []byte `contentType:"application/octet-stream"`
}

// A conversation is what a device and a broker said in a recording.
type conversation struct {
	Name    string   `json:"name"`
	Timed   bool     `json:"timed" doc:"The times say something"`
	Notes   []string `json:"notes,omitempty"`
	Packets []spoken `json:"packets"`
	Left    int      `json:"left,omitempty" doc:"Packets that are not listed: the file has too many"`
}

// A spoken is one packet of a conversation, or bytes that are none.
type spoken struct {
	AfterMS   int64          `json:"afterMs" doc:"Since the beginning"`
	From      recording.Side `json:"from" enum:"device,broker"`
	Version   string         `json:"version,omitempty" doc:"As which it is read"`
	Type      string         `json:"type,omitempty"`
	Summary   string         `json:"summary"`
	SummaryZH string         `json:"summaryZH"`
	Size      int            `json:"size"`
	Hex       packet.Hex     `json:"hex" doc:"The first 4096 bytes; POST /explain says what they mean"`
	Faults    int            `json:"faults,omitempty"`
}

// explainRecording keeps nothing of the file.
func (a *api) explainRecording(_ context.Context, in *conversationsInput) (list[conversation], error) {
	all, err := recording.Read(in.RawBody)
	if err != nil {
		return list[conversation]{}, fault.Invalid("%v", err)
	}
	out := []conversation{}
	room := maxSpoken
	for i := range all[:min(len(all), maxConversations)] {
		c := converse(&all[i], room)
		room -= len(c.Packets)
		out = append(out, c)
	}
	return page(out, ""), nil
}

func converse(r *recording.Recording, room int) conversation {
	c := conversation{Name: r.Name, Timed: r.Timed, Notes: r.Notes, Packets: []spoken{}}
	var v mqtt.Version
	for _, p := range r.Packets() {
		if len(c.Packets) == room {
			c.Left++
			continue
		}
		s := speak(p.Bytes, &v)
		s.AfterMS, s.From, s.Size = p.At.Milliseconds(), p.From, s.Size+p.Over
		c.Packets = append(c.Packets, s)
	}
	return c
}

// speak says what bytes of a conversation are, and learns its version from a
// CONNECT.
func speak(b []byte, v *mqtt.Version) spoken {
	s := spoken{Size: len(b), Hex: b[:min(len(b), maxSpokenBytes)]}
	x := packet.Explain(b, *v)
	for _, a := range x.Packets {
		s.Faults += len(a.Faults)
	}
	if len(x.Packets) > 0 {
		s.Type, s.Summary, s.SummaryZH = x.Packets[0].Type, x.Packets[0].Summary, x.Packets[0].SummaryZH
		if s.Type == "CONNECT" {
			*v = x.Version
		}
	}
	s.Version = versionName(*v)
	return s
}

// versionName is what versionOf reads.
func versionName(v mqtt.Version) string {
	switch v {
	case mqtt.V31:
		return "3.1"
	case mqtt.V311:
		return "3.1.1"
	case mqtt.V5:
		return "5.0"
	}
	return ""
}
