package storetest

import (
	"context"
	"reflect"
	"testing"

	"github.com/matou-iot/matou/internal/registry"
)

// A SubQueueStore keeps what waits for sub-devices among the devices that it
// keeps; see package topology.
type SubQueueStore interface {
	registry.Store
	SubSession(ctx context.Context, id registry.ID) (keeps bool, err error)
	SaveSubSession(ctx context.Context, id registry.ID, keeps bool) error
	Wait(ctx context.Context, id registry.ID, w registry.Waiting) error
	Waiting(ctx context.Context, id registry.ID) ([]registry.Waiting, error)
	CountWaiting(ctx context.Context, id registry.ID) (n, bytes int, err error)
	Waited(ctx context.Context, id registry.ID, seq int64) error
}

// SubQueue is the contract of a SubQueueStore. open returns an empty store that
// lives as long as its test.
func SubQueue(t *testing.T, open func(t *testing.T) SubQueueStore) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, SubQueueStore)
	}{
		{"messages wait in order, each device's own", messagesWait},
		{"nothing waits without a session, nor outlives it", messagesNeedASession},
		{"what waits goes with its device", messagesGoWithTheirDevice},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

func waits(t *testing.T, s SubQueueStore, id registry.ID, want ...string) []registry.Waiting {
	t.Helper()
	all, err := s.Waiting(t.Context(), id)
	noError(t, err)
	var topics []string
	bytes := 0
	for i, w := range all {
		if i > 0 && w.Seq <= all[i-1].Seq || !w.At.Equal(registryTime) || string(w.Payload) != "of "+w.Topic {
			t.Errorf("%+v", all)
		}
		topics, bytes = append(topics, w.Topic), bytes+len(w.Payload)
	}
	if !reflect.DeepEqual(topics, want) {
		t.Errorf("%v wait for %v, not %v", topics, id, want)
	}
	if n, size, err := s.CountWaiting(t.Context(), id); err != nil || n != len(want) || size != bytes {
		t.Errorf("%d messages of %d bytes, %v; want %d of %d", n, size, err, len(want), bytes)
	}
	return all
}

func wait(t *testing.T, s SubQueueStore, id registry.ID, topics ...string) {
	t.Helper()
	for _, topic := range topics {
		noError(t, s.Wait(t.Context(), id, registry.Waiting{Topic: topic, Payload: []byte("of " + topic), At: registryTime}))
	}
}

var subOne, subTwo = registry.ID{Product: "p", Device: "one"}, registry.ID{Product: "p", Device: "two"}

func messagesWait(t *testing.T, s SubQueueStore) {
	withDevices(t, s)
	for _, id := range []registry.ID{subOne, subTwo} {
		noError(t, s.SaveSubSession(t.Context(), id, true))
		noError(t, s.SaveSubSession(t.Context(), id, true)) // again: nothing changes
	}
	wait(t, s, subOne, "a", "b")
	wait(t, s, subTwo, "c")
	wait(t, s, subOne, "d")
	all := waits(t, s, subOne, "a", "b", "d")
	waits(t, s, subTwo, "c")
	noError(t, s.SaveSubSession(t.Context(), subOne, true))
	noError(t, s.Waited(t.Context(), subOne, all[1].Seq))
	waits(t, s, subOne, "d")
	waits(t, s, subTwo, "c")
	wait(t, s, subOne, "e")
	waits(t, s, subOne, "d", "e")
}

func messagesNeedASession(t *testing.T, s SubQueueStore) {
	withDevices(t, s)
	keeps := func(want bool) {
		t.Helper()
		if got, err := s.SubSession(t.Context(), subOne); err != nil || got != want {
			t.Errorf("it keeps: %v, %v", got, err)
		}
	}
	keeps(false)
	wait(t, s, subOne, "a")
	waits(t, s, subOne)
	noError(t, s.SaveSubSession(t.Context(), subOne, true))
	keeps(true)
	wait(t, s, subOne, "a")
	noError(t, s.SaveSubSession(t.Context(), subOne, false))
	keeps(false)
	waits(t, s, subOne)
	noError(t, s.SaveSubSession(t.Context(), subOne, true))
	waits(t, s, subOne)
	nobody := registry.ID{Product: "p", Device: "nobody"}
	noError(t, s.SaveSubSession(t.Context(), nobody, true))
	wait(t, s, nobody, "a")
	waits(t, s, nobody)
}

func messagesGoWithTheirDevice(t *testing.T, s SubQueueStore) {
	withDevices(t, s)
	noError(t, s.SaveSubSession(t.Context(), subOne, true))
	wait(t, s, subOne, "a")
	noError(t, deleteDevice(t, s, subOne))
	waits(t, s, subOne)
	if keeps, err := s.SubSession(t.Context(), subOne); err != nil || keeps {
		t.Errorf("it keeps: %v, %v", keeps, err)
	}
}
