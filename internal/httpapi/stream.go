package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/thing"
)

// keepAlive is how often a silent stream says a comment, so that proxies and
// clients know that it lives.
const keepAlive = 15 * time.Second

// writeTimeout is how long a reader may take for one event before it is cut
// off; it can come back and read on.
const writeTimeout = 10 * time.Second

// A sender writes one event. id is 0 where there is none.
type sender func(event string, id uint64, data any) error

// stream registers a handler that sends events until its context is done, which
// it is when the asker may no longer see them. check is asked first: once events
// flow, no status can be told.
func stream[I any](a *api, path string, need access.Role, tag, summary string, check func(context.Context, *I) error, h func(context.Context, *I, sender) error) {
	op := operation("GET", path, need, tag, summary)
	op.Middlewares = huma.Middlewares{a.authorize(need)}
	op.Responses = map[string]*huma.Response{"200": {
		Description: "Server-sent events",
		Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		if err := check(ctx, in); err != nil {
			return nil, a.problemOf(ctx, err)
		}
		asker := who(ctx)
		return &huma.StreamResponse{Body: func(c huma.Context) {
			c.SetHeader("Content-Type", "text/event-stream")
			c.SetHeader("X-Accel-Buffering", "no") // nginx must not collect it
			_, w := request(c)
			ctx, end := a.whileAllowed(c.Context(), asker, need)
			defer end()
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			s := &events{w: w, control: http.NewResponseController(w)}
			s.comment("Matou")
			done := make(chan struct{})
			go func() {
				defer close(done)
				s.keepAlive(ctx, cancel)
			}()
			if err := h(ctx, in, s.send); err != nil {
				a.Log.Debug("event stream ended", "error", err)
			}
			cancel()
			<-done
		}}, nil
	})
}

// events writes server-sent events [HTML §9.2].
type events struct {
	mu      sync.Mutex
	w       http.ResponseWriter
	control *http.ResponseController
	b       bytes.Buffer
}

func (s *events) send(event string, id uint64, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.b.Reset()
	if id > 0 {
		s.b.WriteString("id: " + strconv.FormatUint(id, 10) + "\n")
	}
	s.b.WriteString("event: " + event + "\ndata: ")
	s.b.Write(text)
	s.b.WriteString("\n\n")
	return s.flush()
}

func (s *events) comment(text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.b.Reset()
	s.b.WriteString(": " + text + "\n\n")
	return s.flush()
}

func (s *events) flush() error {
	s.control.SetWriteDeadline(time.Now().Add(writeTimeout)) // where the writer has none, writes just block
	if _, err := s.w.Write(s.b.Bytes()); err != nil {
		return err
	}
	return s.control.Flush()
}

func (s *events) keepAlive(ctx context.Context, cancel func()) {
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if s.comment("") != nil {
				cancel()
				return
			}
		}
	}
}

// exists says no where a device does not.
func (a *api) exists(ctx context.Context, in *DevicePath) error {
	_, err := a.Registry.Device(ctx, in.id())
	return err
}

func anything[I any](context.Context, *I) error { return nil }

func (a *api) followDevice(ctx context.Context, in *DevicePath, send sender) error {
	// What one device does is followed with the packets that carry no message,
	// which its timeline has while it is under watch.
	return a.follow(ctx, in.Product, in.Device, a.Timeline.Watch(ctx, in.Product, in.Device), send)
}

type followAllInput struct {
	Product string `query:"product" doc:"Only devices of this product"`
	Device  string `query:"device" doc:"Only devices of this name"`
}

func (a *api) followAll(ctx context.Context, in *followAllInput, send sender) error {
	return a.follow(ctx, in.Product, in.Device, nil, send)
}

// follow sends what is committed from now on, and the packets among entries. A
// reader who does not keep up is told how much he missed; history has it.
func (a *api) follow(ctx context.Context, product, device string, entries <-chan trace.Entry, send sender) error {
	live := a.Feed.Subscribe(ctx, func(r *record.Record) bool {
		return (product == "" || r.Product == product) && (device == "" || r.Device == device)
	})
	for {
		select {
		case r, more := <-live.C:
			if !more {
				return nil
			}
			if n := live.Missed(); n > 0 {
				if err := send("gap", 0, gap{n}); err != nil {
					return err
				}
			}
			if err := sendRecord(&r, send); err != nil {
				return err
			}
		case e, more := <-entries:
			if !more {
				entries = nil // the end of live.C comes as well
			} else if e.Kind == trace.Packet {
				if err := a.sendPacket(ctx, &e, send); err != nil {
					return err
				}
			}
		}
	}
}

// sendPacket says a packet, with nobody's secrets.
func (a *api) sendPacket(ctx context.Context, e *trace.Entry, send sender) error {
	mask, err := a.Layers.Mask(ctx, registry.ID{Product: e.Product, Device: e.Device})
	if err != nil {
		return err
	}
	clean := mask.Entry(*e)
	return send("packet", 0, packetEvent{source{e.Product, e.Device}, e.At, clean.Direction, clean.Sentence, clean.Packet})
}

// The data of the events.
type (
	gap struct {
		Missed int `json:"missed"`
	}
	source struct {
		Product string `json:"product"`
		Device  string `json:"device"`
	}
	propertyEvent struct {
		source
		Time   time.Time              `json:"time"`
		Values map[string]thing.Value `json:"values"`
	}
	eventEvent struct {
		source
		event
	}
	commandEvent struct {
		source
		order
	}
	fileEvent struct {
		source
		Name   string    `json:"name"`
		Size   int64     `json:"size"`
		SHA256 string    `json:"sha256"`
		Time   time.Time `json:"time"`
	}
	packetEvent struct {
		source
		Time      time.Time  `json:"time"`
		Direction string     `json:"direction"` // up or down
		Packet    string     `json:"packet"`    // in words
		Bytes     packet.Hex `json:"bytes"`
	}
	statusEvent struct {
		source
		State string    `json:"state"`
		Time  time.Time `json:"time"`
	}
)

// sendRecord says a record. Values of one report with several times become
// several events, in order.
func sendRecord(r *record.Record, send sender) error {
	from := source{r.Product, r.Device}
	switch r.Kind {
	case record.PropertyReport:
		report, err := record.DecodeReport(r.Body)
		if err != nil {
			return err
		}
		for len(report) > 0 {
			e := propertyEvent{from, report[0].Time, map[string]thing.Value{}}
			n := 0
			for n < len(report) && report[n].Time.Equal(e.Time) {
				e.Values[report[n].Property] = report[n].Value
				n++
			}
			report = report[n:]
			if err := send("property", r.Seq, e); err != nil {
				return err
			}
		}
	case record.EventReport:
		e, err := record.DecodeEvent(r.Body)
		if err != nil {
			return err
		}
		return send("event", r.Seq, eventEvent{from, event{e.Event, e.Level, rawJSON(e.Output), e.Time, r.Seq}})
	case record.CommandSent, record.CommandDone:
		c, err := record.DecodeCommand(r.Body)
		if err != nil {
			return err
		}
		return send("command", r.Seq, commandEvent{from, viewStoredCommand(&c)})
	case record.FileArrived:
		f, err := record.DecodeFile(r.Body)
		if err != nil {
			return err
		}
		return send("file", r.Seq, fileEvent{from, f.Name, f.Size, f.SHA256, r.Time})
	case record.StatusChange:
		return send("status", r.Seq, statusEvent{from, string(r.Body), r.Time})
	}
	return nil
}
