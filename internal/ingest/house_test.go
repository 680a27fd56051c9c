package ingest_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/feed"
	"github.com/matou-iot/matou/internal/ingest"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/store/storetest"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/thing"
)

const (
	lamp  = "a1NightLamp"
	one   = "lamp-1"
	two   = "lamp-2"
	sys   = "/sys/" + lamp + "/" + one + "/thing/"
	post  = sys + "event/property/post"
	batch = sys + "event/property/batch/post"
	alarm = sys + "event/Alarm/post"
)

// arrival is when everything arrives.
var arrival = time.UnixMilli(1700000000123).UTC()

// A house is ingest with the real parts below it, on a log in memory, and
// stand-ins for what is above: who delivers and who sent commands.
type house struct {
	*ingest.Ingest
	*testing.T
	log      *storetest.Log
	sender   *sender
	commands *commands
	recorder *trace.Recorder
	story    *story
	store    *storetest.Memory
}

func newHouse(t *testing.T) *house {
	t.Helper()
	story := new(story)
	h := &house{T: t, log: &storetest.Log{Kept: func() { story.add("kept") }}, sender: &sender{story: story}, commands: new(commands), recorder: trace.New(0), story: story, store: storetest.NewMemory()}
	h.Ingest = build(t, h.store, h.log, h.sender, h.commands, h.recorder)
	return h
}

// build makes an Ingest whose feed runs until the test ends.
func build(t testing.TB, kept *storetest.Memory, l feed.Log, s ingest.Sender, c ingest.Commands, r *trace.Recorder) *ingest.Ingest {
	t.Helper()
	reg := registry.New(registry.Options{Store: kept})
	if _, err := reg.CreateProduct(context.Background(), registry.Product{Key: lamp, Dialect: "aliyun", Model: model()}); err != nil {
		t.Fatal(err)
	}
	f := feed.New(feed.Options{Log: l})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- f.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return ingest.New(ingest.Options{
		Registry: reg, Feed: f, Commands: c, Sender: s, Trace: r, Now: func() time.Time { return arrival },
	})
}

func model() *thing.Model {
	cold, hot, code := -40.0, 120.0, 9.0
	return &thing.Model{
		Properties: []thing.Property{
			{ID: "CurrentTemperature", Name: "温度", Type: thing.DataType{Kind: thing.Double, Min: &cold, Max: &hot, Unit: "°C"}},
			{ID: "NightLightSwitch", Name: "夜灯", Access: thing.ReadWrite, Type: thing.DataType{Kind: thing.Bool}},
			{ID: "Note", Name: "便签", Access: thing.ReadWrite, Type: thing.DataType{Kind: thing.Text}},
		},
		Events: []thing.Event{{
			ID: "Alarm", Name: "告警", Level: thing.Alert,
			Output: []thing.Param{{ID: "Code", Required: true, Type: thing.DataType{Kind: thing.Int32, Max: &code}}},
		}},
		Services: []thing.Service{{ID: "Blink", Name: "闪烁"}},
	}
}

func subject(device string) *dialect.Subject {
	return &dialect.Subject{Claim: dialect.Claim{Product: lamp, Device: device}, Dialect: aliyun.Dialect{}}
}

func message(topic, payload string) *packet.Publish {
	return &packet.Publish{Topic: []byte(topic), Payload: []byte(payload), QoS: mqtt.AtLeastOnce}
}

// publish brings a message in as lamp-1 and, where it is pending, settles it.
func (h *house) publish(topic, payload string) (broker.Decision, mqtt.ReasonCode) {
	h.Helper()
	d := h.Publish(nil, subject(one), message(topic, payload))
	if d.Pending == nil {
		return d, d.Reason
	}
	return d, d.Pending.Settle()
}

// timeline is lamp-1's, oldest first.
func (h *house) timeline() []trace.Entry {
	all, _ := h.recorder.Timeline(lamp, one, trace.Query{})
	slices.Reverse(all)
	return all
}

// A story is what happened, in order.
type story struct {
	mu    sync.Mutex
	steps []string
}

func (s *story) add(step string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = append(s.steps, step)
}

func (s *story) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.steps)
}

// A sender notes what it is to deliver.
type sender struct {
	story *story

	mu   sync.Mutex
	sent []sent
}

type sent struct {
	session, topic, payload string
	qos                     mqtt.QoS
	how                     broker.Delivery
}

func (s *sender) Send(session string, m broker.Message, how broker.Delivery) broker.Outcome {
	s.story.add("answered")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, sent{session, m.Topic, string(m.Payload), m.QoS, how})
	return broker.Delivered
}

func (s *sender) all() []sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

// commands notes what the devices answer and report.
type commands struct {
	mu       sync.Mutex
	replies  []dialect.Reply
	invokes  []bool
	reported []dialect.Reading
	who      []dialect.Claim
}

func (c *commands) Reply(_ context.Context, who dialect.Claim, r dialect.Reply, invoke bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.replies, c.invokes, c.who = append(c.replies, r), append(c.invokes, invoke), append(c.who, who)
}

func (c *commands) Reported(_ context.Context, who dialect.Claim, report []dialect.Reading) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reported, c.who = append(c.reported, report...), append(c.who, who)
}

var errDisk = errors.New("no space left on device")
