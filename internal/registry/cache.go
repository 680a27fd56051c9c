package registry

import (
	"container/list"
	"sync"
	"sync/atomic"
)

// A cache keeps the entries used last, up to a bound; a nil value says that
// there is none. It is safe for several goroutines at once.
type cache[K comparable, V any] struct {
	mu      sync.Mutex
	max     int
	entries map[K]*list.Element
	recent  list.List     // of *entry[K, V], used last in front
	version atomic.Uint64 // grows with each drop
}

type entry[K comparable, V any] struct {
	key   K
	value *V
}

func newCache[K comparable, V any](max int) *cache[K, V] {
	return &cache[K, V]{max: max, entries: make(map[K]*list.Element)}
}

// get returns a value, and the version to pass to put where it is not there.
func (c *cache[K, V]) get(k K) (v *V, there bool, version uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[k]; ok {
		c.recent.MoveToFront(e)
		return e.Value.(*entry[K, V]).value, true, 0
	}
	return nil, false, c.version.Load()
}

// put keeps what was read from the store, unless something was dropped since:
// it might have been read before that change.
func (c *cache[K, V]) put(k K, v *V, version uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if version != c.version.Load() {
		return
	}
	if e, ok := c.entries[k]; ok {
		e.Value.(*entry[K, V]).value = v
		return
	}
	c.entries[k] = c.recent.PushFront(&entry[K, V]{k, v})
	if c.recent.Len() > c.max {
		oldest := c.recent.Back()
		c.recent.Remove(oldest)
		delete(c.entries, oldest.Value.(*entry[K, V]).key)
	}
}

// drop forgets an entry that changed.
func (c *cache[K, V]) drop(k K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version.Add(1)
	if e, ok := c.entries[k]; ok {
		c.recent.Remove(e)
		delete(c.entries, k)
	}
}

// clear forgets everything.
func (c *cache[K, V]) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version.Add(1)
	clear(c.entries)
	c.recent.Init()
}
