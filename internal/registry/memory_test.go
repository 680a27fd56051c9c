package registry_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/store/storetest"
)

// A memory is a Store that counts how often it is asked for what the cache
// should know, and can be made slow or sick.
type memory struct {
	*storetest.Memory
	mu    sync.Mutex
	asked int           // Product and Device calls
	saved int           // SavePresence calls
	fails error         // of SavePresence
	slow  chan struct{} // the next SavePresence waits until it is closed

	presenceAsked atomic.Int64 // Presence calls
}

func newMemory() *memory {
	m := &memory{Memory: storetest.NewMemory()}
	m.Hook = m.called
	return m
}

func (m *memory) called(method string) error {
	switch method {
	case "Presence":
		m.presenceAsked.Add(1)
	case "Product", "Device":
		m.mu.Lock()
		defer m.mu.Unlock()
		m.asked++
	case "SavePresence":
		m.mu.Lock()
		slow := m.slow
		m.slow = nil
		m.mu.Unlock()
		if slow != nil {
			<-slow
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.saved++
		return m.fails
	}
	return nil
}

// kept is the presence that the store has of a device.
func (m *memory) kept(t *testing.T, id registry.ID) registry.Presence {
	t.Helper()
	p, err := m.Presence(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return *p
}
