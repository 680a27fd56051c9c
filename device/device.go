// Package device is being a device in a few lines: it logs in as an Aliyun or
// OneNET device does, reports properties and events, takes sets and service
// calls, answers them in its vendor's words and comes back when a connection
// breaks.
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
	Identity Identity // Aliyun or OneNET

	Host string      // of the cloud; empty: 127.0.0.1
	Port int         // 0: 1883, with TLS 8883
	TLS  *tls.Config // nil: plain TCP
	// Dial, if not nil, opens connections instead of Host and Port, for
	// instance over a module's socket. TLS then only says whether it is secure.
	Dial client.Dialer

	KeepAlive time.Duration // 0: the client's default
	// ReplyTimeout bounds the wait for the cloud's reply to a report.
	// 0: DefaultReplyTimeout; negative: reports do not wait for a reply.
	ReplyTimeout time.Duration
	// GiveUp ends Run with the error of a connection attempt when it returns
	// true; nil: never, as a device should.
	GiveUp func(error) bool

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
	speech speech
	client *client.Client

	onSet    SetHandler
	onInvoke InvokeHandler
	samplers []sampler

	ids   atomic.Uint32
	calls chan heard
	ready chan struct{} // closed when the first subscriptions were answered

	mu      sync.Mutex
	replies map[string]chan heard // by message id, each takes one
}

type sampler struct {
	every time.Duration
	read  func(context.Context) (Values, error)
}

// New makes a device that does nothing until Run is called. The error says
// what is missing in the options.
func New(o Options) (*Device, error) {
	if o.Identity == nil {
		return nil, errors.New("device: no identity")
	}
	s, err := o.Identity.speech(o.TLS != nil)
	if err != nil {
		return nil, fmt.Errorf("device: %w", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.ReplyTimeout == 0 {
		o.ReplyTimeout = DefaultReplyTimeout
	}
	if o.Dial == nil {
		if o.Dial, err = o.dialer(); err != nil {
			return nil, fmt.Errorf("device: %w", err)
		}
	}
	d := &Device{
		o:       o,
		speech:  s,
		calls:   make(chan heard, maxCalls),
		ready:   make(chan struct{}),
		replies: make(map[string]chan heard),
	}
	d.client = client.New(client.Options{
		Dial:      o.Dial,
		KeepAlive: o.KeepAlive,
		Prepare:   func(c *packet.Connect) error { return s.login(c, time.Now()) },
		GiveUp:    o.GiveUp,
		OnMessage: d.message,
		OnConnect: func(context.Context, *packet.Connack) { o.Log.Info("device connected") },
		OnDisconnect: func(_ context.Context, err error) {
			o.Log.Warn("device lost its connection", "err", err)
		},
		Log: o.Log,
	})
	return d, nil
}

func (o *Options) dialer() (client.Dialer, error) {
	scheme, port, host := "mqtt", 1883, o.Host
	if o.TLS != nil {
		scheme, port = "mqtts", 8883
	}
	if o.Port != 0 {
		port = o.Port
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return client.DialURL(scheme+"://"+net.JoinHostPort(host, strconv.Itoa(port)), o.TLS)
}

// OnSet sets who carries out property sets. Without a handler they are
// refused.
func (d *Device) OnSet(h SetHandler) { d.onSet = h }

// OnInvoke sets who carries out service calls. Without a handler they are
// refused.
func (d *Device) OnInvoke(h InvokeHandler) { d.onInvoke = h }

// Every reports what read returns, at once after the first connection and
// then in this interval. While the device is away nothing is read. nil values
// report nothing; an error is logged.
func (d *Device) Every(interval time.Duration, read func(context.Context) (Values, error)) {
	d.samplers = append(d.samplers, sampler{interval, read})
}

// Run is the device's life: it connects, stays connected and serves handlers
// and Every until ctx ends, then disconnects and returns nil. It returns
// earlier only if GiveUp says so. When it returns, all its goroutines are
// gone. It can be called once.
func (d *Device) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var others sync.WaitGroup
	defer others.Wait()
	defer cancel()
	others.Go(func() { d.subscribe(ctx) })
	others.Go(func() { d.serve(ctx) })
	for _, s := range d.samplers {
		others.Go(func() { d.sample(ctx, s) })
	}
	return d.client.Run(ctx)
}

// subscribe asks for what the cloud sends; the client asks again after each
// reconnect.
func (d *Device) subscribe(ctx context.Context) {
	var subs []packet.Subscription
	for _, f := range d.speech.filters() {
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

func (d *Device) carryOut(ctx context.Context, h heard) {
	var out Values
	err := error(errUnhandled)
	switch {
	case h.kind == aSet && d.onSet != nil:
		err = d.onSet(ctx, h.params)
	case h.kind == anInvoke && d.onInvoke != nil:
		out, err = d.onInvoke(ctx, h.service, h.params)
	}
	answer, err := d.speech.answer(h, out, err)
	if err == nil {
		err = d.client.Publish(ctx, answer)
	}
	if err != nil && ctx.Err() == nil {
		d.o.Log.Warn("device could not answer", "topic", h.topic, "err", err)
	}
}

var errUnhandled = errors.New("this device does not do that")

func (d *Device) sample(ctx context.Context, s sampler) {
	select {
	case <-d.ready:
	case <-ctx.Done():
		return
	}
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	for {
		d.sampleOnce(ctx, s)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (d *Device) sampleOnce(ctx context.Context, s sampler) {
	if !d.client.Connected() {
		return
	}
	v, err := s.read(ctx)
	if err == nil && len(v) > 0 {
		err = d.Report(ctx, v)
	}
	if err != nil && ctx.Err() == nil {
		d.o.Log.Warn("device could not report", "err", err)
	}
}

// message takes what the cloud sends: replies go to who waits, calls to the
// handlers' goroutine.
func (d *Device) message(ctx context.Context, m client.Message) {
	h, ok := d.speech.hear(m.Topic, m.Payload)
	if !ok {
		d.o.Log.Debug("device does not understand", "topic", m.Topic)
		return
	}
	if h.kind == aReply {
		d.mu.Lock()
		waiting := d.replies[h.id]
		delete(d.replies, h.id)
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
