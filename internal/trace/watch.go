package trace

import (
	"context"
	"slices"
)

// Watch returns the entries of a device as they come, until ctx is done; then
// the channel is closed. A watcher who does not keep up loses the oldest
// entries: gaps in the IDs of one device say nothing, entries of other devices
// lie between.
func (r *Recorder) Watch(ctx context.Context, product, device string) <-chan Entry {
	k := key{product, device}
	w := &watch{ch: make(chan Entry, watchQueue)}
	s := r.of(k)
	s.mu.Lock()
	s.watches[k] = append(s.watches[k], w)
	s.mu.Unlock()
	r.lookers.Add(1)
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		left := slices.DeleteFunc(s.watches[k], func(x *watch) bool { return x == w })
		if len(left) == 0 {
			delete(s.watches, k)
		} else {
			s.watches[k] = left
		}
		close(w.ch)
		r.lookers.Add(-1)
	})
	return w.ch
}

// offer is called with the shard locked, so that nothing is sent on a closed
// channel.
func (w *watch) offer(e Entry) {
	for {
		select {
		case w.ch <- e:
			return
		default:
		}
		select {
		case <-w.ch:
		default:
		}
	}
}
