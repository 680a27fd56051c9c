package gate_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/gate"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/topics"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A yard is gate.Gateways that writes down what it is told: lamp01 has lamp02.
type yard struct {
	mu   sync.Mutex
	told []string
	gone chan struct{} // closed with the first connection
}

func (y *yard) Direct(who *dialect.Subject, online func()) {
	y.tell("direct " + who.Device)
	online()
}

func (y *yard) Gone(who *dialect.Subject) {
	y.tell("gone " + who.Device)
	close(y.gone)
}

func (y *yard) tell(what string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.told = append(y.told, what)
}

func (y *yard) Has(gateway, sub dialect.Claim) (dialect.Strictness, bool) {
	return dialect.Strict, gateway.Device == lamp.Device && sub.Device == "lamp02"
}

// classes declares one custom topic.
type classes struct{}

func (classes) MaySubscribe(_ context.Context, _, path string) (topics.Verdict, error) {
	if path == "user/get" {
		return topics.Declared, nil
	}
	return topics.Undeclared, nil
}

func TestGatewaysHearOfConnections(t *testing.T) {
	y := &yard{gone: make(chan struct{})}
	s := liveWith(t, func(o *gate.Options) { o.Gateways, o.Topics = y, classes{} })
	p := s.dial()
	p.put(s.alink(lampSecret))
	p.want("20 02 00 00")
	// Its own topic, one of its sub-device, of another device, of all devices;
	// what its strict sub-device did not declare it may not hear either, though
	// of its own it may.
	p.put(&packet.Subscribe{ID: 1, Subscriptions: []packet.Subscription{
		{Filter: "/a1NightLamp/lamp01/user/get"}, {Filter: "/a1NightLamp/lamp02/user/get"},
		{Filter: "/a1NightLamp/lamp03/user/get"}, {Filter: "/a1NightLamp/+/user/get"},
		{Filter: "/a1NightLamp/lamp02/user/other"}, {Filter: "/a1NightLamp/lamp01/user/other"},
	}})
	p.want("90 08 00 01 00 00 80 80 80 00")
	if status, err := s.registry.Status(t.Context(), lamp); err != nil || status.State != registry.Online {
		t.Errorf("%+v, %v", status, err)
	}
	p.Close()
	select {
	case <-y.gone:
	case <-time.After(patience):
		t.Fatal("its end is not told")
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	if want := []string{"direct lamp01", "gone lamp01"}; !slices.Equal(y.told, want) {
		t.Errorf("told %v", y.told)
	}
}
