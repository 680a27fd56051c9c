package httpapi

import (
	"context"
	"encoding/json"
	"time"

	"github.com/matou-iot/matou/internal/history"
	"github.com/matou-iot/matou/thing"
)

// A latest is the newest value of a property; without Time there is none yet.
type latest struct {
	Property string      `json:"property"`
	Name     string      `json:"name,omitempty"`
	Unit     string      `json:"unit,omitempty"`
	Value    thing.Value `json:"value"`
	Time     time.Time   `json:"time,omitzero"`
}

// latestValues lists the model's properties in its order, then those that were
// reported without being in the model.
func (a *api) latestValues(ctx context.Context, in *DevicePath) (list[latest], error) {
	if _, err := a.Registry.Device(ctx, in.id()); err != nil {
		return list[latest]{}, err
	}
	p, err := a.Registry.Product(ctx, in.Product)
	if err != nil {
		return list[latest]{}, err
	}
	points, err := a.History.Latest(ctx, in.Product, in.Device)
	if err != nil {
		return list[latest]{}, err
	}
	reported := make(map[string]history.Point, len(points))
	for _, point := range points {
		reported[point.Property] = point
	}
	items := make([]latest, 0, len(p.Model.Properties))
	for i := range p.Model.Properties {
		known := &p.Model.Properties[i]
		point := reported[known.ID]
		items = append(items, latest{known.ID, known.Name, known.Type.Unit, point.Value, point.Time})
	}
	for _, point := range points {
		if _, ok := p.Model.Property(point.Property); !ok {
			items = append(items, latest{Property: point.Property, Value: point.Value, Time: point.Time})
		}
	}
	return page(items, ""), nil
}

type historyInput struct {
	DevicePath
	Paging
	Span
	Property string `path:"property"`
	Points   int    `query:"points" minimum:"0" maximum:"10000" doc:"Sum up in about this many spans of time"`
	Step     string `query:"step" doc:"Sum up in spans of this length, such as 1m"`
}

func (in *historyInput) query() history.Query {
	return history.Query{
		Product: in.Product, Device: in.Device, Property: in.Property,
		From: in.From, To: in.To, Limit: in.Limit, After: in.After, Descending: in.descending(),
	}
}

// A sample is a value at a time.
type sample struct {
	Time   time.Time   `json:"time"`
	Value  thing.Value `json:"value"`
	Record uint64      `json:"record" doc:"That brought it; /records tells of which message"`
}

// A course is a property over time: values, or sums of them.
type course struct {
	Items   []sample         `json:"items"`
	Next    string           `json:"next,omitempty"`
	Buckets []history.Bucket `json:"buckets,omitzero" doc:"Instead of items where points or step is given"`
}

func (a *api) propertyHistory(ctx context.Context, in *historyInput) (course, error) {
	if _, err := a.Registry.Device(ctx, in.id()); err != nil {
		return course{}, err
	}
	if in.Points > 0 || in.Step != "" {
		step, err := spanLength(in.Step)
		if err != nil {
			return course{}, err
		}
		buckets, err := a.History.Downsample(ctx, in.query(), step, in.Points)
		return course{Items: []sample{}, Buckets: buckets}, err
	}
	points, next, err := a.History.Range(ctx, in.query())
	if err != nil {
		return course{}, err
	}
	items := make([]sample, len(points))
	for i, p := range points {
		items[i] = sample{p.Time, p.Value, p.Seq}
	}
	return course{Items: items, Next: next}, nil
}

// An event is one that happened.
type event struct {
	Event  string          `json:"event"`
	Level  thing.Level     `json:"level"`
	Output json.RawMessage `json:"output"`
	Time   time.Time       `json:"time"`
	Record uint64          `json:"record,omitempty" doc:"That brought it; /records tells of which message"`
}

type entriesInput struct {
	DevicePath
	Paging
	Span
}

func (in *entriesInput) query() history.Query {
	return history.Query{
		Product: in.Product, Device: in.Device,
		From: in.From, To: in.To, Limit: in.Limit, After: in.After, Descending: in.descending(),
	}
}

type eventsInput struct {
	DevicePath
	Paging
	Span
	Event string   `query:"event" doc:"Only those with this identifier"`
	Level []string `query:"level,explode" enum:"info,alert,error" doc:"Only those of this level; once for each. Left out, all"`
}

func (in *eventsInput) query() (history.Query, error) {
	q := (&entriesInput{in.DevicePath, in.Paging, in.Span}).query()
	q.Event, q.Levels = in.Event, make([]thing.Level, len(in.Level))
	for i, word := range in.Level {
		if err := q.Levels[i].UnmarshalText([]byte(word)); err != nil {
			return q, err
		}
	}
	return q, nil
}

func (a *api) listEvents(ctx context.Context, in *eventsInput) (list[event], error) {
	if _, err := a.Registry.Device(ctx, in.id()); err != nil {
		return list[event]{}, err
	}
	q, err := in.query()
	if err != nil {
		return list[event]{}, err
	}
	found, next, err := a.History.Events(ctx, q)
	items := make([]event, len(found))
	for i, e := range found {
		items[i] = event{e.Event, e.Level, rawJSON(e.Output), e.Time, e.Seq}
	}
	return page(items, next), err
}

// rawJSON is a stored JSON text as a part of an answer.
func rawJSON(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}
