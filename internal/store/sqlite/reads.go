package sqlite

import "sync"

// reads are goroutines that look things up for others. SQLite goes sixteen
// KiB deep; a connection that asked it by itself at its login would keep a
// stack of that size for as long as it is idle.
type reads struct {
	work chan func()
	all  sync.WaitGroup
	once sync.Once // stop
}

func (r *reads) start(n int) {
	r.work = make(chan func())
	for range n {
		r.all.Go(func() {
			for f := range r.work {
				f()
			}
		})
	}
}

// stop ends the goroutines; nobody may be calling read any more. It may
// be called again.
func (r *reads) stop() {
	r.once.Do(func() { close(r.work) })
	r.all.Wait()
}

// read returns what f returns, which runs on another goroutine.
func read[T any](r *reads, f func() (T, error)) (v T, err error) {
	done := make(chan struct{})
	r.work <- func() {
		defer close(done)
		v, err = f()
	}
	<-done
	return v, err
}
