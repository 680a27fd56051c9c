package registry

import (
	"context"
	"sync"
)

// maxNews is how many devices a Watch names at once; beyond, it says only that
// there are more.
const maxNews = 200

// A Watch gathers what becomes of devices between two looks: many changes of
// one are one, so that a storm is no more work for who watches than a breeze.
type Watch struct {
	product string
	ready   chan struct{} // holds one while there is news

	mu   sync.Mutex
	seen map[ID]bool
	news News
}

// News is what became of devices.
type News struct {
	Changed []ID `json:"changed" doc:"Devices whose state, names or tags are others now, 200 at the most"`
	More    bool `json:"more,omitempty" doc:"There are more than these"`
	Listed  bool `json:"listed,omitempty" doc:"Devices were made or deleted"`
}

// watches are those under way.
type watches struct {
	mu  sync.RWMutex
	all map[*Watch]bool
}

// Watch gathers what becomes of the devices of a product, "" of all, until ctx
// is done.
func (r *Registry) Watch(ctx context.Context, product string) *Watch {
	w := &Watch{product: product, ready: make(chan struct{}, 1), seen: make(map[ID]bool)}
	r.watching.mu.Lock()
	defer r.watching.mu.Unlock()
	if r.watching.all == nil {
		r.watching.all = make(map[*Watch]bool)
	}
	r.watching.all[w] = true
	context.AfterFunc(ctx, func() {
		r.watching.mu.Lock()
		defer r.watching.mu.Unlock()
		delete(r.watching.all, w)
	})
	return w
}

// C holds one while there is news.
func (w *Watch) C() <-chan struct{} { return w.ready }

// News is what happened since the last call.
func (w *Watch) News() News {
	w.mu.Lock()
	defer w.mu.Unlock()
	news := w.news
	if news.Changed == nil {
		news.Changed = []ID{}
	}
	w.news = News{}
	clear(w.seen)
	return news
}

func (ws *watches) tell(id ID, listed bool) {
	ws.mu.RLock()
	defer ws.mu.RUnlock()
	for w := range ws.all {
		if w.product == "" || w.product == id.Product {
			w.add(id, listed)
		}
	}
}

func (w *Watch) add(id ID, listed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.news.Listed = w.news.Listed || listed
	if !w.seen[id] {
		if len(w.news.Changed) < maxNews {
			w.seen[id] = true
			w.news.Changed = append(w.news.Changed, id)
		} else {
			w.news.More = true
		}
	}
	select {
	case w.ready <- struct{}{}:
	default:
	}
}
