package command

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
)

// The bounds of broadcasts [aliyun-device §4.7].
const (
	MaxBroadcast     = 64 << 10    // bytes
	broadcastEvery   = time.Second // of a product
	broadcastStrict  = time.Minute // to all that are online, of a strict product
	maxBroadcastPath = 64          // bytes
	mostRemembered   = 10_000      // products
)

// A Cast is what became of a broadcast.
type Cast struct {
	ID      string // decimal digits; "" of one to subscribers
	Topic   string // to all that are online, with + in place of the device
	Reached int    // devices to whose connection it was handed
	Missed  int    // devices that are online and did not take it
}

// A Publisher hands messages to the subscribers of their topic.
type Publisher interface {
	Publish(m broker.Message) int
}

// casts remember when a product's devices were last told something.
type casts struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func (c *casts) may(key string, every time.Duration, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if left := every - now.Sub(c.last[key]); left > 0 && !c.last[key].IsZero() {
		return fault.Exhausted("one broadcast every %v: wait another %v", every, left.Round(time.Millisecond))
	}
	if c.last == nil || len(c.last) >= mostRemembered {
		c.last = make(map[string]time.Time)
	}
	c.last[key] = now
	return nil
}

// Broadcast tells the devices of a product something: those that subscribed to
// path, or with none all that are online. It is not kept for those that are
// away.
func (s *Service) Broadcast(ctx context.Context, product, path string, payload []byte) (Cast, error) {
	p, err := s.Registry.Product(ctx, product)
	if err != nil {
		return Cast{}, err
	}
	d, _ := s.Dialects.ByName(p.Dialect)
	can, ok := d.(dialect.Broadcaster)
	path = strings.TrimPrefix(path, "/")
	switch {
	case !ok:
		return Cast{}, fault.Conflict("products that speak %s have no broadcasts", p.Dialect)
	case len(payload) > MaxBroadcast:
		return Cast{}, fault.In("payload", fault.Invalid("%d bytes are more than the %d of a broadcast", len(payload), MaxBroadcast))
	case len(path) > maxBroadcastPath || strings.ContainsAny(path, "+#?\x00") || path != "" && strings.Contains("/"+path+"/", "//"):
		return Cast{}, fault.In("topic", fault.Invalid("%q cannot stand behind /broadcast/%s/: levels without + # ?, at most %d bytes", path, product, maxBroadcastPath))
	}
	every := broadcastEvery
	if path == "" && p.Strictness == registry.Strict {
		every = broadcastStrict
	}
	key := product
	if path != "" {
		key += "/"
	}
	if err := s.casts.may(key, every, s.Now()); err != nil {
		return Cast{}, err
	}
	if path != "" {
		topic := can.BroadcastTopic(product, path)
		return Cast{Topic: topic, Reached: s.Publisher.Publish(broker.Message{Topic: topic, Payload: payload})}, nil
	}
	return s.castToAll(ctx, p, can, payload)
}

// castToAll tells each device of a product that is online.
func (s *Service) castToAll(ctx context.Context, p *registry.Product, can dialect.Broadcaster, payload []byte) (Cast, error) {
	id := strconv.FormatInt(s.last.Add(1), 10)
	cast := Cast{ID: id, Topic: can.BroadcastTo(dialect.Claim{Product: p.Key, Device: "+"}, id, nil).Topic}
	q := registry.DeviceQuery{Product: p.Key, Limit: registry.MaxLimit} // what is stored of presence lags behind
	for {
		page, next, err := s.Registry.Devices(ctx, q)
		if err != nil {
			return cast, err
		}
		for i := range page {
			c := dialect.Claim{Product: p.Key, Device: page[i].Name}
			if !s.Broker.Online(c.Session()) {
				continue
			}
			d := can.BroadcastTo(c, id, payload)
			outcome := s.Broker.Send(c.Session(), broker.Message{Topic: d.Topic, Payload: d.Payload}, broker.Unasked)
			if outcome == broker.Delivered {
				cast.Reached++
			} else {
				cast.Missed++
			}
			s.Trace.Record(trace.Entry{
				Product: c.Product, Device: c.Device, Kind: trace.Downlink, Direction: "down", Topic: d.Topic, Payload: d.Payload, Sentence: outcome.String(), SentenceZH: outcome.StringZH(),
			})
		}
		if next == "" {
			return cast, nil
		}
		q.After = next
	}
}
