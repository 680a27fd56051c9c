// Package bench is what people try out in the browser: virtual modules with a
// terminal, simulated devices and fleets of them, each a bounded guest of this
// server.
//
// A server that others reach must not become a way into its operator's
// network: see Reach for what modules connect to, and nothing else.
package bench

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/matou-iot/matou/device/fleet"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/thing"
)

// The bounds where Options name none.
const (
	defaultModules = 8
	maxDevices     = 32 // simulated at a time; more are refused
	defaultIdle    = 30 * time.Minute
)

// Options say what the bench may do.
type Options struct {
	Registry Registry // who the simulated devices are

	Whose func(context.Context, *packet.Connect) registry.ID // who a module's CONNECT claims to be; nil: nobody knows

	Reach   Reach
	Modules int           // at work at a time; more are refused. 0: 8
	Idle    time.Duration // after so long without a byte or an order, or a look at it, a module or a device ends. 0: 30m
	Log     *slog.Logger  // nil: discard

	FleetDevices int // of all fleets together; more are refused. 0: there are no fleets
	// Command has a device do something and waits for the outcome; nil: fleets
	// are not commanded.
	Command func(ctx context.Context, c fleet.Command) error
}

// A Bench has the modules that are at work. All methods may be called at once;
// Run must be running for idle ones to end.
type Bench struct {
	o       Options
	log     *slog.Logger
	ctx     context.Context // of all that is at work
	stop    context.CancelFunc
	working sync.WaitGroup
	spoken  memory

	mu      sync.Mutex
	modules map[string]*Module
	devices map[registry.ID]*Device
	fleets  map[string]*Fleet
}

// New makes a Bench on which nothing is at work.
func New(o Options) *Bench {
	if o.Modules == 0 {
		o.Modules = defaultModules
	}
	if o.Idle == 0 {
		o.Idle = defaultIdle
	}
	if o.Whose == nil {
		o.Whose = func(context.Context, *packet.Connect) registry.ID { return registry.ID{} }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	b := &Bench{o: o, log: o.Log, modules: map[string]*Module{}, devices: map[registry.ID]*Device{}, fleets: map[string]*Fleet{}}
	b.ctx, b.stop = context.WithCancel(context.Background())
	return b
}

// Run ends what is idle until ctx is done, then ends everything and returns
// nil.
func (b *Bench) Run(ctx context.Context) error {
	tick := time.NewTicker(max(b.o.Idle/10, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			b.sweep(time.Now())
		case <-ctx.Done():
			b.mu.Lock() // nothing starts any more
			b.stop()
			b.mu.Unlock()
			b.working.Wait()
			return nil
		}
	}
}

func (b *Bench) sweep(now time.Time) {
	for _, m := range b.Modules() {
		if now.Sub(m.used()) >= b.o.Idle {
			b.log.Info("idle virtual module ended", "module", m.ID, "model", m.Model)
			m.end()
		}
	}
	for _, d := range b.Devices() {
		if now.Sub(d.used()) >= b.o.Idle {
			b.log.Info("idle simulated device ended", "product", d.ID.Product, "device", d.ID.Device)
			d.end()
		}
	}
}

// A Registry knows products and devices, and makes those of fleets.
type Registry interface {
	Product(ctx context.Context, key string) (*registry.Product, error)
	Device(ctx context.Context, id registry.ID) (*registry.Device, error)
	Status(ctx context.Context, id registry.ID) (registry.Status, error)
	CreateProduct(ctx context.Context, p registry.Product) (registry.Product, error)
	PublishModel(ctx context.Context, key string, m *thing.Model) (registry.Product, error)
	CreateDevices(ctx context.Context, product string, devices []registry.Device) ([]registry.Device, []registry.RowError, error)
	DeleteDevices(ctx context.Context, ids []registry.ID) (int, error)
}

func newID() string { return strings.ToLower(rand.Text()[:8]) }
