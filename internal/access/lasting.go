package access

import (
	"context"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/fault"
)

// recheck is how often it is asked whether something long may go on of which
// nobody was told that it may not: a session or token that expired.
const recheck = time.Minute

// AwaitEnd returns when bearer no longer proves a role that includes need, or
// when ctx is done. Signing out, another password or role and a deleted
// operator or token are noticed at once, what expires within a minute. Whoever
// serves something that lasts ends it then.
func (a *Access) AwaitEnd(ctx context.Context, bearer string, need Role) {
	tick := time.NewTicker(recheck)
	defer tick.Stop()
	for {
		less := a.less.next()
		p, err := a.Authenticate(ctx, bearer)
		if fault.KindOf(err) == fault.KindUnauthorized || err == nil && !p.Role.Includes(need) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-less:
		case <-tick.C:
		}
	}
}

// news wakes all who wait for it.
type news struct {
	mu      sync.Mutex
	waiting chan struct{} // nil: nobody waits
}

// next is closed when there is news.
func (n *news) next() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.waiting == nil {
		n.waiting = make(chan struct{})
	}
	return n.waiting
}

func (n *news) tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.waiting != nil {
		close(n.waiting)
		n.waiting = nil
	}
}
