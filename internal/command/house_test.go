package command_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/command"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/feed"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/store/storetest"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/thing"
)

var (
	lamp  = registry.ID{Product: "a1NightLamp", Device: "lamp-1"}
	other = registry.ID{Product: "a1NightLamp", Device: "lamp-2"}
	who   = claim(lamp)
)

const secret = "lampsecretlampsecretlampsecret12"

func claim(id registry.ID) dialect.Claim {
	return dialect.Claim{Product: id.Product, Device: id.Device}
}

// A house is the service with the real parts below it, on a log in memory and
// a stand-in for the broker, inside a bubble of time.
type house struct {
	*command.Service
	*testing.T
	registry *registry.Registry
	log      *storetest.Log
	broker   *line
	recorder *trace.Recorder
	options  command.Options
}

// bubble runs a test in a house where time passes only when all wait.
func bubble(t *testing.T, test func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(newHouse(t)) })
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{T: t, log: new(storetest.Log), broker: &line{online: true}, recorder: trace.New(0)}
	h.registry = registry.New(registry.Options{Store: storetest.NewMemory()})
	if _, err := h.registry.CreateProduct(t.Context(), registry.Product{Key: lamp.Product, Dialect: "aliyun", Model: model()}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []registry.ID{lamp, other} {
		if _, err := h.registry.CreateDevice(t.Context(), registry.Device{Product: id.Product, Name: id.Device, Secret: secret}); err != nil {
			t.Fatal(err)
		}
	}
	f := feed.New(feed.Options{Log: h.log})
	h.options = command.Options{
		Registry: h.registry, Dialects: dialect.Set{aliyun.Dialect{}}, Broker: h.broker, Feed: f, Trace: h.recorder, Now: now,
	}
	h.Service = command.New(h.options)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	service := h.Service // a test may start another one
	go func() { ended <- f.Run(ctx) }()
	go func() { ended <- service.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	return h
}

// ahead leads from the beginning of a bubble's time to a day of our own.
var ahead = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC).Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))

func now() time.Time { return time.Now().UTC().Add(ahead) }

func model() *thing.Model {
	least, most := 0.0, 100.0
	percent := thing.DataType{Kind: thing.Int32, Min: &least, Max: &most}
	return &thing.Model{
		Properties: []thing.Property{
			{ID: "CurrentTemperature", Type: thing.DataType{Kind: thing.Double}},
			{ID: "NightLightSwitch", Access: thing.ReadWrite, Type: thing.DataType{Kind: thing.Bool}},
			{ID: "Brightness", Access: thing.ReadWrite, Type: percent},
			{ID: "Note", Access: thing.ReadWrite, Type: thing.DataType{Kind: thing.Text}},
		},
		Services: []thing.Service{
			{ID: "Blink", Async: true, Input: []thing.Param{{ID: "Times", Required: true, Type: percent}}},
			{ID: "Reboot", Async: true},
			{ID: "Measure"},
		},
	}
}

var (
	lightOn = []thing.Argument{{ID: "NightLightSwitch", Value: thing.BoolValue(true)}}
	bright  = []thing.Argument{{ID: "Brightness", Value: thing.IntValue(40)}}
	thrice  = []thing.Argument{{ID: "Times", Value: thing.IntValue(3)}}
)

// set tells lamp-1 something and does not wait.
func (h *house) set(values []thing.Argument) command.Command {
	h.Helper()
	c, err := h.Set(h.Context(), lamp, values, command.Order{})
	if err != nil {
		h.Fatal(err)
	}
	return c
}

func (h *house) invoke(service string, input []thing.Argument) command.Command {
	h.Helper()
	c, err := h.Invoke(h.Context(), lamp, service, input, command.Order{})
	if err != nil {
		h.Fatal(err)
	}
	return c
}

// answer is lamp-1's answer.
func (h *house) answer(id string, invoke bool, service string) {
	h.Reply(h.Context(), who, dialect.Reply{ID: id, Service: service, Code: 200, OK: true}, invoke)
}

// A fact is a command as the feed has it.
type fact struct {
	kind record.Kind
	record.Command
}

// facts is what the feed has of commands, once it has all of it.
func (h *house) facts() (all []fact) {
	h.Helper()
	synctest.Wait()
	for _, r := range h.log.Records(h.T) {
		c, err := record.DecodeCommand(r.Body)
		if err != nil || r.Product != lamp.Product || r.TraceID == 0 {
			h.Fatalf("%+v %v", r, err)
		}
		all = append(all, fact{r.Kind, c})
	}
	return all
}

// states is each command's state in the feed, the last one counting, as
// history has it.
func (h *house) states() map[string]command.State {
	h.Helper()
	all := map[string]command.State{}
	for _, f := range h.facts() {
		all[f.ID] = command.State(f.State)
	}
	return all
}

// timeline is lamp-1's, oldest first.
func (h *house) timeline() []trace.Entry {
	all, _ := h.recorder.Timeline(lamp.Product, lamp.Device, trace.Query{})
	slices.Reverse(all)
	return all
}

// A line is a broker with one wire, on which a test may listen.
type line struct {
	mu      sync.Mutex
	online  bool
	outcome broker.Outcome
	sent    []sent
	onSend  func(m broker.Message) // called before Send returns
}

type sent struct {
	session string
	broker.Message
	how broker.Delivery
}

func (l *line) Send(session string, m broker.Message, how broker.Delivery) broker.Outcome {
	l.mu.Lock()
	l.sent = append(l.sent, sent{session, m, how})
	onSend, outcome := l.onSend, l.outcome
	l.mu.Unlock()
	if onSend != nil {
		onSend(m)
	}
	return outcome
}

func (l *line) Online(string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.online
}

var errDisk = errors.New("no space left on device")
