package ota_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/ota"
)

// A weak store fails, or waits, when it is told to.
type weak struct {
	ota.Store
	mu   sync.Mutex
	err  error
	hold chan struct{} // Update waits until it is closed; nil: not at all
}

func (w *weak) be(err error, hold chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err, w.hold = err, hold
}

func (w *weak) Update(ctx context.Context, f func(ota.Tx) error) error {
	w.mu.Lock()
	err, hold := w.err, w.hold
	w.mu.Unlock()
	if hold != nil {
		<-hold
	}
	if err != nil {
		return err
	}
	return w.Store.Update(ctx, f)
}

func TestAStoreThatFailsLosesNothingThatWasAcknowledged(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(1)
		store := &weak{Store: h.options.Store}
		h.options.Store = store
		h.restart()
		j := h.job(h.pack(ota.Package{Version: "2.0"}, "firmware"), ota.Plan{})
		store.be(errors.New("input/output error"), nil)
		_, err := h.Report(h.Context(), &dialect.VersionReport{Ask: ask("d000"), Module: "default", Version: "2.0"})
		hasKind(t, err, fault.KindUnavailable) // the device sends again
		h.want(j, "d000 QUEUED 0")
		store.be(nil, nil)
		h.inform("d000", "2.0")
		h.want(j, "d000 SUCCEEDED 100")
	})
}

// TestWhoCameOnlineUnnoticedIsFoundAllTheSame lets more devices come than the
// feed's queue holds while the store is slow.
func TestWhoCameOnlineUnnoticedIsFoundAllTheSame(t *testing.T) {
	bubble(t, func(h *house) {
		const n = 1500
		h.fleet(n)
		store := &weak{Store: h.options.Store}
		h.options.Store = store
		h.restart()
		j := h.job(h.pack(ota.Package{Version: "2.0"}, "firmware"), ota.Plan{})
		hold := make(chan struct{})
		store.be(nil, hold)
		var names []string
		for i := range n {
			names = append(names, fmt.Sprintf("d%03d", i))
		}
		h.connect(names...)
		store.be(nil, nil)
		close(hold)
		synctest.Wait()
		rest(60e9) // ten thousand a minute
		p, err := h.Job(h.Context(), lamp, j.ID)
		if err != nil || p.States[ota.Notified] != n {
			t.Errorf("%v %v", p.States, err)
		}
	})
}
