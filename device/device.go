// Package device is being a device in a few lines: it logs in as an Aliyun,
// OneNET or plain MQTT device does, reports properties and events, takes sets
// and service calls, answers them in its vendor's words and comes back when a
// connection breaks.
//
//	d, err := device.New(device.Options{
//		Identity: device.Aliyun{ProductKey: pk, DeviceName: "lamp01", DeviceSecret: secret},
//		Host:     "127.0.0.1",
//	})
//	d.OnSet(func(ctx context.Context, p device.Params) error { … })
//	d.Every(5*time.Second, func(ctx context.Context) (device.Values, error) {
//		return device.Values{"CurrentTemperature": 21.5}, nil
//	})
//	err = d.Run(ctx)
//
// It does not register itself, speak for sub-devices or update its firmware.
package device

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/mqtt/packet"
)

// DefaultReplyTimeout is how long Report and Event wait for the cloud's reply.
const DefaultReplyTimeout = 10 * time.Second

// maxCalls is how many sets and invokes wait for their handlers; while that
// many wait, no further message is taken from the connection.
const maxCalls = 64

// Options say who the device is and where its cloud is.
type Options struct {
	Identity Identity // Aliyun, OneNET or MQTT

	Host string      // of the cloud; empty: 127.0.0.1
	Port int         // 0: 1883, with TLS 8883
	TLS  *tls.Config // nil: plain TCP
	// URL, if not empty, stands in place of Host and Port and chooses the
	// transport: mqtt://host:1883, mqtts://, ws://host/mqtt or wss://.
	URL string
	// Dial, if not nil, opens connections in place of all these, for instance
	// over a module's socket. TLS then only says whether it is secure.
	Dial client.Dialer

	KeepAlive time.Duration // 0: the client's default
	// ConnectTimeout bounds each attempt to connect, from Dial to CONNACK. What
	// has to set up a module first takes longer than a network does. 0: the
	// client's default, client.DefaultConnectTimeout.
	ConnectTimeout time.Duration
	// MinBackoff and MaxBackoff bound the random wait before a reconnect; the
	// bound doubles with each attempt. 0: half a second and a minute.
	MinBackoff, MaxBackoff time.Duration
	// Queue is how many reports wait to be sent, for instance while the device
	// is away: see Post. 0: DefaultQueue.
	Queue int
	// Desired are the properties whose desired values the device asks for
	// after each connection. What is desired goes to the handler of OnSet; what
	// that carried out is desired no longer.
	Desired []string
	// ReplyTimeout bounds the wait for the cloud's reply to a report.
	// 0: DefaultReplyTimeout; negative: reports do not wait for a reply.
	ReplyTimeout time.Duration
	// GiveUp ends Run with the error of a connection attempt when it returns
	// true; nil: never, as a device should.
	GiveUp func(error) bool

	// OnConnect is called after each CONNACK, OnAway after each attempt that
	// failed and each connection that was lost, OnReport after each report that
	// came out of the queue, with how long it took and its error. They must not
	// block.
	OnConnect func()
	OnAway    func(err error)
	OnReport  func(r []Reading, took time.Duration, err error)

	Log *slog.Logger // nil: discard
}

// Values are named values to report. A value is anything that encoding/json
// can write; a switch is true or false in OneNET and 0 or 1 with Aliyun, where
// bool is written as 0 and 1.
type Values map[string]any

// A Reading is one value with its time.
type Reading struct {
	ID    string
	Value any
	Time  time.Time // zero: when it arrives
}

// A SetHandler carries out a property set. An error is told to the cloud.
type SetHandler func(ctx context.Context, p Params) error

// An InvokeHandler carries out a service call and returns its output. An
// error is told to the cloud.
type InvokeHandler func(ctx context.Context, service string, in Params) (Values, error)

// A Device is one device. Set its handlers before Run.
type Device struct {
	o      Options
	speech Speech
	client *client.Client

	onSet    SetHandler
	onInvoke InvokeHandler
	samplers []*sampler

	ids    atomic.Uint32
	calls  chan Heard
	ready  chan struct{} // closed when the first subscriptions were answered
	came   chan struct{} // there is a new connection
	posted chan struct{} // there is something in queue

	mu      sync.Mutex
	ran     bool
	replies map[string]chan Heard // by message id, each takes one
	queue   [][]Reading           // to be sent, the oldest first; at most o.Queue
	dropped int64
	last    Values // posted last of each property; nil where OnChange does not ask
}

// New makes a device that does nothing until Run is called. The error says
// what is missing in the options.
func New(o Options) (*Device, error) {
	if o.Identity == nil {
		return nil, errors.New("device: no identity")
	}
	s, err := o.Identity.Speech(o.secure())
	if err != nil {
		return nil, fmt.Errorf("device: %w", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.ReplyTimeout == 0 {
		o.ReplyTimeout = DefaultReplyTimeout
	}
	if o.Queue <= 0 {
		o.Queue = DefaultQueue
	}
	if o.Dial == nil {
		if o.Dial, err = o.dialer(); err != nil {
			return nil, fmt.Errorf("device: %w", err)
		}
	}
	d := &Device{
		o:       o,
		speech:  s,
		calls:   make(chan Heard, maxCalls),
		ready:   make(chan struct{}),
		came:    make(chan struct{}, 1),
		posted:  make(chan struct{}, 1),
		replies: make(map[string]chan Heard),
	}
	d.client = client.New(client.Options{
		Dial:      o.Dial,
		KeepAlive: o.KeepAlive,

		ConnectTimeout: o.ConnectTimeout,

		MinBackoff: o.MinBackoff,
		MaxBackoff: o.MaxBackoff,
		Prepare:    func(c *packet.Connect) error { return s.Login(c, time.Now()) },
		GiveUp:     d.away,
		OnMessage:  d.message,
		OnConnect:  d.connected,
		OnDisconnect: func(_ context.Context, err error) {
			o.Log.Warn("device lost its connection", "err", err)
		},
		Log: o.Log,
	})
	return d, nil
}

// secure reports whether connections are TLS.
func (o *Options) secure() bool {
	if !strings.Contains(o.URL, "://") || o.Dial != nil {
		return o.TLS != nil
	}
	return client.Secure(o.URL)
}

// connected is called after each CONNACK.
func (d *Device) connected(context.Context, *packet.Connack) {
	d.o.Log.Info("device connected")
	select {
	case d.came <- struct{}{}:
	default:
	}
	if d.o.OnConnect != nil {
		d.o.OnConnect()
	}
}

// away is called when there is no connection, and says whether to give up.
func (d *Device) away(err error) bool {
	if d.o.OnAway != nil {
		d.o.OnAway(err)
	}
	return d.o.GiveUp != nil && d.o.GiveUp(err)
}

func (o *Options) dialer() (client.Dialer, error) {
	if o.URL != "" {
		return client.DialURL(o.URL, o.TLS)
	}
	scheme, port, host := "mqtt", mqtt.UsualPort(o.TLS != nil), o.Host
	if o.TLS != nil {
		scheme = "mqtts"
	}
	if o.Port != 0 {
		port = o.Port
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return client.DialURL(scheme+"://"+net.JoinHostPort(host, strconv.Itoa(port)), o.TLS)
}

// Connected reports whether there is a connection now.
func (d *Device) Connected() bool { return d.client.Connected() }

// OnSet sets who carries out property sets. Without a handler they are
// refused.
func (d *Device) OnSet(h SetHandler) { d.onSet = h }

// OnInvoke sets who carries out service calls. Without a handler they are
// refused.
func (d *Device) OnInvoke(h InvokeHandler) { d.onInvoke = h }

// Run is the device's life: it connects, stays connected and serves handlers
// and Every until ctx ends, then disconnects and returns nil. It returns
// earlier only if GiveUp says so. Between attempts it waits a random time below
// a bound that doubles from MinBackoff to MaxBackoff. When it returns, all its goroutines are
// gone. It can be called once; a second call is an error.
func (d *Device) Run(ctx context.Context) error {
	if err := d.begin(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var others sync.WaitGroup
	defer others.Wait()
	defer cancel()
	others.Go(func() { d.subscribe(ctx) })
	others.Go(func() { d.serve(ctx) })
	others.Go(func() { d.send(ctx) })
	if len(d.o.Desired) > 0 && d.onSet != nil {
		others.Go(func() { d.obey(ctx) })
	}
	for _, s := range d.samplers {
		others.Go(func() { d.sample(ctx, s) })
	}
	return d.client.Run(ctx)
}

// begin finds what Run cannot work with.
func (d *Device) begin() error {
	for _, s := range d.samplers {
		switch {
		case s.every <= 0:
			return fmt.Errorf("device: Every and OnChange need an interval above 0, not %v", s.every)
		case s.read == nil:
			return errors.New("device: Every and OnChange need a function that reads")
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ran {
		return errors.New("device: Run was called before: make another Device")
	}
	d.ran = true
	return nil
}

// subscribe asks for what the cloud sends; the client asks again after each
// reconnect.
func (d *Device) subscribe(ctx context.Context) {
	var subs []packet.Subscription
	for _, f := range d.speech.Filters() {
		subs = append(subs, packet.Subscription{Filter: f, QoS: mqtt.AtLeastOnce})
	}
	if _, err := d.client.Subscribe(ctx, nil, subs...); err != nil && ctx.Err() == nil {
		d.o.Log.Warn("device may not subscribe", "err", err)
	}
	close(d.ready)
}

// serve carries out sets and invokes, one after another.
func (d *Device) serve(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case h := <-d.calls:
			d.carryOut(ctx, h)
		}
	}
}

func (d *Device) carryOut(ctx context.Context, h Heard) {
	var out Values
	err := error(errUnhandled)
	switch {
	case h.Kind == Set && d.onSet != nil:
		err = d.onSet(ctx, h.Params)
	case h.Kind == Invoke && d.onInvoke != nil:
		out, err = d.onInvoke(ctx, h.Service, h.Params)
	}
	answer, err := d.speech.Answer(h, out, err)
	if err == nil {
		err = d.client.Publish(ctx, answer)
	}
	if err != nil && ctx.Err() == nil {
		d.o.Log.Warn("device could not answer", "topic", h.Topic, "err", err)
	}
}

var errUnhandled = errors.New("this device does not do that")

// message takes what the cloud sends: replies go to who waits, calls to the
// handlers' goroutine.
func (d *Device) message(ctx context.Context, m client.Message) {
	h, ok := d.speech.Hear(m.Topic, m.Payload)
	if !ok {
		d.o.Log.Debug("device does not understand", "topic", m.Topic)
		return
	}
	if h.Kind == Reply {
		d.mu.Lock()
		waiting := d.replies[h.ID]
		delete(d.replies, h.ID)
		d.mu.Unlock()
		if waiting != nil {
			waiting <- h
		}
		return
	}
	select {
	case d.calls <- h:
	case <-ctx.Done():
	}
}
