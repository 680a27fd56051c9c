package bench

import (
	"context"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/fault"
)

// work runs a bench for the time of a test.
func work(t *testing.T, o Options) *Bench {
	b := New(o)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); b.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	return b
}

func TestBounds(t *testing.T) {
	b := work(t, Options{Modules: 1})
	m, err := b.StartModule(Start{Model: "esp8266"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.StartModule(Start{Model: "ec20"}); fault.KindOf(err) != fault.KindExhausted {
		t.Errorf("a second module: %v", err)
	}
	m.Stop()
	if _, err := b.StartModule(Start{Model: "ec20"}); err != nil {
		t.Errorf("after the first has ended: %v", err)
	}
	if _, err := b.StartModule(Start{Model: "ec21"}); fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("an unknown model: %v", err)
	}
}

func TestIdleModuleEnds(t *testing.T) {
	b := work(t, Options{Idle: 20 * time.Millisecond})
	m, err := b.StartModule(Start{Model: "esp8266"})
	if err != nil {
		t.Fatal(err)
	}
	<-m.Done()
	if _, err := b.Module(m.ID); fault.KindOf(err) != fault.KindNotFound {
		t.Error(err)
	}
}

func TestNothingStartsAfterTheEnd(t *testing.T) {
	b := New(Options{})
	ctx, stop := context.WithCancel(context.Background())
	stop()
	b.Run(ctx)
	if _, err := b.StartModule(Start{Model: "esp8266"}); fault.KindOf(err) != fault.KindUnavailable {
		t.Error(err)
	}
}

func TestQuirksAndFaults(t *testing.T) {
	b := work(t, Options{})
	m, err := b.StartModule(Start{Model: "nt35e", Quirks: []string{"five-clients"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.SetQuirk("urc-before-ok", true); err != nil {
		t.Error(err)
	}
	if err := m.SetQuirk("five-clients", false); err != nil {
		t.Error(err)
	}
	if q := m.Quirks(); len(q) != 1 || q[0] != "urc-before-ok" {
		t.Error(q)
	}
	if err := m.SetQuirk("none-such", true); fault.KindOf(err) != fault.KindNotFound {
		t.Error(err)
	}
}
