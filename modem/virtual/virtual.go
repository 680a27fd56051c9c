// Package virtual is being a module: an ESP8266 or a cellular module that a
// host drives over a serial line as it would drive the real one, while the
// packets that it sends are real.
//
// A Module is one module under power. Its UART is any io.ReadWriter: a
// pseudo-terminal, a TCP connection, a pipe. What it is made of:
//
//   - uart.go, line pacing and lost bytes;
//   - life.go, the time between two resets, and waiting in it;
//   - fault.go, quirk.go, what goes wrong on demand, and how units differ;
//   - network.go, the world outside: names, connections, mapped hosts;
//   - observe.go, who watches;
//   - flash.go, what outlives the power, *_flash.go what that is;
//   - models.go, which modules there are. Each is a personality: its line
//     discipline, its boot text, and a table of commands, one theme a file:
//     esp*.go the ESP8266; cell*.go what cellular modules share, ec20*.go and
//     nt35e*.go what is the vendor's own.
//
// Nothing here is shared with the drivers of the real modules but the grammar
// in package at, so that one mistake cannot agree with itself.
package virtual

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/wording"
)

// Options say what a Module is and where it stands. Only Model is needed.
type Options struct {
	Model    string   // one of Models
	Firmware string   // one of the model's; empty: its first
	Quirks   []string // names of the model's quirks
	Faults   []Fault  // in force from the start, see SetFault

	// AccessPoints are the networks in reach of a Wi-Fi module. None means
	// that any name with any password is in reach.
	AccessPoints []AccessPoint

	// Baud paces what the module says: a byte takes ten bits. 0: not at all.
	Baud int
	// Speed divides the time that the real module takes for a thing; waits
	// for the host and the network are as long as ever. 0: 1.
	Speed float64

	// Flash is what the module kept the last time it was without power, as its
	// method Flash told. Empty: the module comes from the factory.
	Flash []byte

	Network  Network          // the world; nil: the machine's own, see System
	Map      []Mapping        // hosts that are somewhere else
	Roots    *x509.CertPool   // authorities that modules know which look at certificates; nil: the machine's
	Observer func(Event)      // is told what happens, one event after another; see Event
	Now      func() time.Time // the time that the network knows; nil: time.Now
	Seed     uint64           // of chance: lost bytes, message keys
}

// A Module is a module under power. All methods may be called at any time and
// at once.
type Module struct {
	opts    Options
	model   *Model
	quirks  map[string]bool
	uart    *uart
	watcher *watcher

	// mu is held by whatever acts inside the module: its commands, its
	// sockets, its timers. It is let go of while any of them waits.
	mu      sync.Mutex
	changed *sync.Cond // something that await looks at may have changed
	tasks   sync.WaitGroup
	life    *life // nil before Run and after
	self    personality
	faults  map[string]Fault
	chance  *rand.Rand
	running bool

	lastFlash []byte // that the observer was told of
}

// A personality is what makes a Module one of its kind. Its methods are called
// with the module's lock held and must not wait; see life for how to.
type personality interface {
	// boot begins a life: power has come, or a reset has ended the last one.
	// Everything volatile is forgotten.
	boot(l *life)
	// receive takes the bytes that came from the host at once.
	receive(l *life, b []byte)
	// faulted says that a fault has begun or ended: see Module.fault.
	faulted(l *life, name string)
	// inFlash is what the module keeps without power, for JSON; fromFlash gives it
	// that of an earlier one, which ran this firmware.
	inFlash() any
	fromFlash(firmware string, content []byte) error
}

// New makes a Module. An unknown model, firmware, quirk or fault is an error
// that names the known ones.
func New(o Options) (*Module, error) {
	model, err := find(o.Model)
	if err != nil {
		return nil, err
	}
	if o.Firmware, err = model.firmware(o.Firmware); err != nil {
		return nil, err
	}
	quirks, err := model.quirkSet(o.Quirks)
	if err != nil {
		return nil, err
	}
	if o.Speed == 0 {
		o.Speed = 1
	}
	if o.Speed < 0 || o.Baud < 0 {
		return nil, errors.New("speed and baud cannot be below 0")
	}
	if len(o.AccessPoints) > 0 && !model.WiFi {
		return nil, wording.Errorf("%s is a cellular module and joins no Wi-Fi: leave the access points (--wifi) out", model.Name)
	}
	if o.Network == nil {
		o.Network = System{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	m := &Module{
		opts: o, model: model, quirks: quirks,
		uart:    newUART(o.Baud, o.Seed),
		watcher: newWatcher(o.Observer),
		faults:  make(map[string]Fault),
		chance:  rand.New(rand.NewPCG(o.Seed, 2)),
	}
	m.changed = sync.NewCond(&m.mu)
	m.opts.Faults = slices.Clone(o.Faults)
	for i := range m.opts.Faults {
		if err := model.checkFault(&m.opts.Faults[i]); err != nil {
			return nil, err
		}
	}
	m.self = model.make(m)
	if len(o.Flash) > 0 {
		if err := m.restore(o.Flash); err != nil {
			return nil, err
		}
	}
	m.lastFlash = m.flash()
	return m, nil
}

// Model is the kind of module.
func (m *Module) Model() *Model { return m.model }

// Run gives the module power until ctx is done, then returns nil. When it
// returns, its connections are closed and everything of it has ended. It can
// be called once.
func (m *Module) Run(ctx context.Context) error {
	m.mu.Lock()
	if m.running {
		m.mu.Unlock()
		return errors.New("the module runs already")
	}
	m.running = true
	watched := make(chan struct{})
	go func() { defer close(watched); m.watcher.run() }()
	m.boot(ctx)
	for _, f := range m.opts.Faults {
		m.setFault(f)
	}
	m.mu.Unlock()
	<-ctx.Done()
	m.mu.Lock()
	m.life.end()
	m.mu.Unlock()
	m.tasks.Wait()
	m.watcher.close()
	<-watched
	return nil
}

// Reset restarts the module, as its reset pin does.
func (m *Module) Reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reset()
}

func (m *Module) reset() {
	if m.life == nil || m.life.base.Err() != nil {
		return
	}
	m.life.end()
	m.boot(m.life.base)
}

func (m *Module) boot(base context.Context) {
	m.life = newLife(m, base)
	m.uart.pace(m.opts.Baud)
	m.observe(Event{Kind: Boot})
	m.self.boot(m.life)
}

// ErrAttached says that the module's UART is taken.
var ErrAttached = errors.New("another terminal is attached")

// Attach connects a host to the module's UART until ctx is done or the port
// ends, and returns what ended it: nil for an end of file or of ctx. One host
// can be attached at a time, others get ErrAttached. What the module says
// while nobody is attached is lost, as on a wire that leads nowhere.
//
// If the port is an io.Closer, it is closed when Attach returns. If it has a
// method Baud() int, that is the speed which the host has set, 0 if not known.
func (m *Module) Attach(ctx context.Context, port io.ReadWriter) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	written, err := m.uart.attach(ctx, port)
	if err != nil {
		return err
	}
	if c, ok := port.(io.Closer); ok {
		stop := context.AfterFunc(ctx, func() { c.Close() })
		defer stop()
		defer c.Close()
	}
	err = m.listen(ctx, port)
	m.uart.detach()
	cancel()
	if c, ok := port.(io.Closer); ok {
		c.Close() // a blocked write ends
	}
	if werr := <-written; err == nil {
		err = werr
	}
	return err
}

// maxChunk bounds the bytes that are taken from the host at once.
const maxChunk = 4096

// listen hands over what the host says.
func (m *Module) listen(ctx context.Context, port io.Reader) error {
	buf := make([]byte, maxChunk)
	for {
		n, err := port.Read(buf)
		if n > 0 {
			m.Receive(buf[:n])
		}
		switch {
		case ctx.Err() != nil || errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read from the host: %w", err)
		}
	}
}

// Receive is bytes on the module's RX pin, all at once: some modules look at
// what arrived together.
func (m *Module) Receive(b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.life == nil || m.life.over() {
		return
	}
	if b = m.uart.lose(b); len(b) > 0 {
		m.self.receive(m.life, b)
		m.changed.Broadcast()
	}
}
