// Package layers follows one message through the house by the id of its entry
// in the timeline: the AT line that sent it, its MQTT bytes, its topic and payload, what the dialect read
// in them, each value with its check, and the row that is stored.
//
// Nothing of this is made while messages pass: it is made again from what the
// timeline keeps when somebody asks, and says where that shows. The stored rows
// are those of the records in the feed that name the entry as their origin. Secrets of the
// device and its product are masked first, so that no layer has them.
package layers

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/history"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/thing"
)

// A Timeline has the entries.
type Timeline interface {
	Timeline(product, device string, q trace.Query) ([]trace.Entry, uint64)
}

// A History has the rows.
type History interface {
	Range(ctx context.Context, q history.Query) ([]history.PointEntry, string, error)
	Events(ctx context.Context, q history.Query) ([]history.EventEntry, string, error)
	Commands(ctx context.Context, q history.Query) ([]history.CommandEntry, string, error)
}

// Records has the records of the feed, as long as it keeps them.
type Records interface {
	At(ctx context.Context, seq uint64) (record.Record, bool, error)
}

// Options are what a Service needs.
type Options struct {
	Registry *registry.Registry
	Records  Records
	History  History
	Timeline Timeline
	Dialects dialect.Set
	Others   dialect.Others                            // who knows about sub-devices; nil: nobody has any
	Lines    func(registry.ID, trace.Entry) (AT, bool) // what was said of an entry's packet on a serial line; nil: nobody knows
}

// A Service answers what became of a message. Any number of goroutines may use
// it at once.
type Service struct {
	Options
	generation atomic.Int64 // of the devices' secrets

	mu    sync.Mutex
	masks map[registry.ID]keptMask
}

// New makes a Service. Call it before the registry is shared.
func New(o Options) *Service {
	s := &Service{Options: o}
	o.Registry.OnChange(func(registry.Change) { s.generation.Add(1) })
	return s
}

// Layers are a message from the wire to the store. Layers that the message
// does not have are left out.
type Layers struct {
	ID       uint64        `json:"id"` // of the entry, in all layers
	Entry    trace.Entry   `json:"entry"`
	AT       *AT           `json:"at,omitempty"`
	Bytes    *Bytes        `json:"bytes,omitempty"`
	Message  *Message      `json:"message,omitempty"`
	Report   *Decoded      `json:"report,omitempty"`
	Values   []Checked     `json:"values,omitempty"`
	Stored   []Row         `json:"stored,omitempty"`
	Followed []trace.Entry `json:"followed,omitempty"` // what this one caused, oldest first
}

// An AT is the first layer, where the device is a module of the bench: what
// was said on its serial line.
type AT struct {
	Module string    `json:"module"`
	Line   string    `json:"line,omitempty"` // the command that sent the packet; left out of one that came
	Said   string    `json:"said,omitempty"` // by the module, about the packet; what is no text as \xNN
	Time   time.Time `json:"time"`
}

// The sources of Bytes.
const (
	Recorded  = "recorded"   // as they came
	ReEncoded = "re-encoded" // made again of topic and payload
)

// Bytes are the second layer: the MQTT packet.
type Bytes struct {
	Source      string              `json:"source" enum:"recorded,re-encoded"`
	Hex         packet.Hex          `json:"hex"`
	Note        string              `json:"note,omitempty"`
	NoteZH      string              `json:"noteZh,omitempty"`
	Explanation *packet.Explanation `json:"explanation"`
}

// A Message is the third layer: topic and payload.
type Message struct {
	Topic   string     `json:"topic"`
	QoS     int        `json:"qos"`
	Size    int        `json:"size"`           // of the whole payload
	Text    string     `json:"text,omitempty"` // of a payload that is UTF-8
	Payload packet.Hex `json:"payload,omitempty"`
	Cut     bool       `json:"cut,omitempty"` // the timeline keeps its beginning only
}

// A Decoded is the fourth layer's beginning: what the dialect read.
type Decoded struct {
	Dialect    string             `json:"dialect"`
	Kind       string             `json:"kind"` // what the message is
	MessageID  string             `json:"messageId,omitempty"`
	Script     bool               `json:"script,omitempty"` // the product's script made it of the device's bytes
	RefusedAll bool               `json:"refusedAll,omitempty"`
	Fault      *dialect.Diagnosis `json:"fault,omitempty"`
	Notes      []dialect.Note     `json:"notes,omitempty"`
	Loose      string             `json:"loose,omitempty"`
	Note       string             `json:"note"`
	NoteZH     string             `json:"noteZh"`
}

// A Checked is a value of the fourth layer, with its check.
type Checked struct {
	Product    string       `json:"product,omitempty"` // of a gateway's sub-device, like Device
	Device     string       `json:"device,omitempty"`
	Kind       string       `json:"kind" enum:"property,event"`
	Name       string       `json:"name"`
	Value      *thing.Value `json:"value,omitempty"`
	Output     string       `json:"output,omitempty"` // of an event
	Time       time.Time    `json:"time,omitzero"`
	Wanted     string       `json:"wanted,omitempty"` // what the model says
	WantedZH   string       `json:"wantedZh,omitempty"`
	Verdict    string       `json:"verdict" enum:"fits,flagged,refused"`
	Refusal    string       `json:"refusal,omitempty"` // the stable code of what is wrong
	Code       int          `json:"code,omitempty"`    // the vendor's
	Sentence   string       `json:"sentence,omitempty"`
	SentenceZH string       `json:"sentenceZh,omitempty"`
}

// The verdicts on a value.
const (
	Fits    = "fits"
	Flagged = "flagged" // stored, though not as the model wants it
	Refused = "refused" // not stored
)

// A Row is one of the fifth layer: what the store has.
type Row struct {
	Product string       `json:"product,omitempty"` // of a gateway's sub-device, like Device
	Device  string       `json:"device,omitempty"`
	Kind    string       `json:"kind" enum:"property,event,command"`
	Name    string       `json:"name"`
	Found   bool         `json:"found"`                                      // no: not stored yet, expired, or never
	Record  uint64       `json:"record,omitempty"`                           // that holds it in the feed; not of a command
	By      string       `json:"by,omitempty" enum:"record,value,commandId"` // how it was found
	Time    time.Time    `json:"time,omitzero"`
	Value   *thing.Value `json:"value,omitempty"`
	Output  string       `json:"output,omitempty"` // of an event or command
	State   string       `json:"state,omitempty"`  // of a command
}

// How a row was found.
const (
	ByRecord    = "record"    // its record names the message as its origin
	ByValue     = "value"     // the feed has the record no longer: time, name and value are those of the message
	ByCommandID = "commandId" // the message has the command's id
)

// maxShown bounds values and rows of one answer.
const maxShown = 200

// Of follows the entry with this id.
func (s *Service) Of(ctx context.Context, id registry.ID, entry uint64) (*Layers, error) {
	found, _ := s.Timeline.Timeline(id.Product, id.Device, trace.Query{Limit: 1, Before: entry + 1})
	if len(found) != 1 || found[0].ID != entry {
		return nil, fault.In("id", fault.NotFound("the timeline of %s has no entry %d, or no longer", id, entry))
	}
	m, err := s.Mask(ctx, id)
	if err != nil {
		return nil, err
	}
	e := m.Entry(found[0])
	l := &Layers{ID: entry, Entry: e, Bytes: bytesOf(&e, s.version(ctx, id)), Message: messageOf(&e)}
	l.AT = s.lineOf(id, e, m)
	l.Followed = s.followed(m, &e)
	r, err := s.read(ctx, id, l)
	if err != nil || r == nil {
		return l, err
	}
	l.Report, l.Values = r.report, r.values
	l.Stored, err = s.rows(ctx, id, l, r)
	for i := range l.Stored { // rows come from history, not from the entry
		row := &l.Stored[i]
		if row.Output = m.Text(row.Output); row.Value != nil {
			row.Value.Text = m.Text(row.Value.Text)
		}
	}
	return l, err
}

// lineOf is what was said of the entry's packet on a serial line, nil where
// there was none.
func (s *Service) lineOf(id registry.ID, e trace.Entry, m *Mask) *AT {
	if s.Lines == nil {
		return nil
	}
	at, ok := s.Lines(id, e)
	if !ok {
		return nil
	}
	at.Line, at.Said = m.Text(at.Line), m.Text(at.Said)
	return &at
}

// followed are the entries that e caused, and what these caused.
func (s *Service) followed(m *Mask, e *trace.Entry) []trace.Entry {
	all, _ := s.Timeline.Timeline(e.Product, e.Device, trace.Query{Limit: trace.MaxEntries})
	caused := map[uint64]bool{e.ID: true}
	var out []trace.Entry
	for i := len(all) - 1; i >= 0; i-- {
		if caused[all[i].Parent] {
			caused[all[i].ID] = true
			out = append(out, m.Entry(all[i]))
		}
	}
	return out
}
