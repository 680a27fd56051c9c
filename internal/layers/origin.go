package layers

import (
	"context"
	"time"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
)

// origins say which records a message made. The key of a stored row has the
// Seq of its record, and the record the id of the message: nothing more has to
// be stored for a row to be found.
type origins struct {
	records Records
	entries map[uint64]bool    // the message, and what was made of it
	known   map[uint64]verdict // by Seq
	taken   map[place]bool
}

// A verdict on a record: is it of the message?
type verdict byte

const (
	gone  verdict = iota // the feed has it no longer
	other                // of another message
	ours
)

// A place is a value in a record. A report may have a property twice.
type place struct {
	seq   uint64
	name  string
	index int
}

func (s *Service) origins(l *Layers) *origins {
	o := &origins{s.Records, map[uint64]bool{l.ID: true}, map[uint64]verdict{}, map[place]bool{}}
	for i := range l.Followed {
		if k := l.Followed[i].Kind; k == trace.Uplink || k == trace.Reply { // made of its bytes by a script
			o.entries[l.Followed[i].ID] = true
		}
	}
	return o
}

// of looks up who made a record.
func (o *origins) of(ctx context.Context, seq uint64) (verdict, error) {
	if v, ok := o.known[seq]; ok {
		return v, nil
	}
	if len(o.known) >= maxShown {
		return gone, nil
	}
	r, ok, err := o.records.At(ctx, seq)
	v := gone
	switch {
	case err != nil:
		return gone, err
	case ok && o.entries[r.TraceID]:
		v = ours
	case ok:
		v = other
	}
	o.known[seq] = v
	return v, nil
}

// A candidate is a stored row that may be the one that is looked for.
type candidate struct {
	index int // where it was found
	seq   uint64
	name  string
	same  bool // its value is that of the message
	rank  int  // 0: it is not
}

// weigh makes c the best, where it is. A row of the message's own record is
// right whatever it holds; of a record that is gone, one with the same value.
func (o *origins) weigh(ctx context.Context, best *candidate, c candidate) error {
	if o.taken[place{c.seq, c.name, c.index}] {
		return nil
	}
	v, err := o.of(ctx, c.seq)
	if err != nil {
		return err
	}
	switch {
	case v == ours && c.same:
		c.rank = 3
	case v == ours:
		c.rank = 2
	case v == gone && c.same:
		c.rank = 1
	}
	if c.rank > best.rank {
		*best = c
	}
	return nil
}

// take puts the best candidate into the row.
func (o *origins) take(row *Row, best *candidate) {
	o.taken[place{best.seq, best.name, best.index}] = true
	row.Found, row.Record, row.By = true, best.seq, ByRecord
	if best.rank == 1 {
		row.By = ByValue
	}
}

// An Origin is where a stored row comes from.
type Origin struct {
	Record  uint64    `json:"record"`
	Kind    string    `json:"kind" enum:"property,event,command,status,file"`
	Arrived time.Time `json:"arrivedAt"`
	Entry   uint64    `json:"entry,omitempty" doc:"The message, in the timeline of the device below, or of the gateway that spoke for it"`
	Product string    `json:"product"`
	Device  string    `json:"device"`
	Kept    bool      `json:"kept" doc:"The timeline has the entry still"`
}

// OriginOf says which message made a record of a device.
func (s *Service) OriginOf(ctx context.Context, id registry.ID, seq uint64) (*Origin, error) {
	r, ok, err := s.Records.At(ctx, seq)
	if err != nil {
		return nil, err
	}
	if !ok || r.Product != id.Product || r.Device != id.Device {
		return nil, fault.In("record", fault.NotFound("the feed has no record %d of %s, or no longer: how long it keeps them is in feed.keep", seq, id))
	}
	o := &Origin{Record: seq, Kind: r.Kind.String(), Arrived: r.Time, Entry: r.TraceID, Product: id.Product, Device: id.Device}
	if o.Entry == 0 {
		return o, nil
	}
	if o.Kept = s.keeps(id, o.Entry); o.Kept {
		return o, nil
	}
	gateway, err := s.Registry.Gateway(ctx, id)
	if err != nil {
		return nil, err
	}
	if gateway != (registry.ID{}) && s.keeps(gateway, o.Entry) {
		o.Kept, o.Product, o.Device = true, gateway.Product, gateway.Device
	}
	return o, nil
}

// keeps reports whether a timeline has an entry.
func (s *Service) keeps(id registry.ID, entry uint64) bool {
	found, _ := s.Timeline.Timeline(id.Product, id.Device, trace.Query{Limit: 1, Before: entry + 1})
	return len(found) == 1 && found[0].ID == entry
}
