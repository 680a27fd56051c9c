package virtual

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"
)

// Bounds of what the module has said and the host has not taken.
const (
	maxUnsent  = 64 << 10 // more is lost, as when a host reads too slowly
	roomUnsent = 4 << 10  // above it sockets are not read, so that TCP slows the peer down
)

// sliceTime is how much is written at once at a given speed.
const sliceTime = 5 * time.Millisecond

// A uart is the module's side of the serial line.
type uart struct {
	mu       sync.Mutex
	changed  *sync.Cond
	attached bool
	leaving  bool   // who was attached has gone, and is still being written to
	queue    []byte // at most maxUnsent
	lost     int    // bytes that the queue had no room for
	baud     int    // as the module is set; 0: not paced
	slow     int    // a fault's baud; 0: none
	lossy    float64
	wrong    int        // the speed that a fault set, which the host may not know; 0: none
	host     func() int // the speed of the attached port, 0 where it is not known

	// Of lost bytes: each direction its own, since nothing orders the two.
	hearing, saying *rand.Rand
}

func newUART(baud int, seed uint64) *uart {
	u := &uart{baud: baud, host: unknownSpeed, hearing: rand.New(rand.NewPCG(seed, 1)), saying: rand.New(rand.NewPCG(seed, 3))}
	u.changed = sync.NewCond(&u.mu)
	return u
}

// pace sets the speed.
func (u *uart) pace(baud int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.baud = baud
}

// harm sets what goes wrong on the line: a speed below the one agreed on, a
// speed that was not agreed on, and the share of bytes that do not arrive.
func (u *uart) harm(slow, wrong int, lossy float64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.slow, u.wrong, u.lossy = slow, wrong, lossy
}

func unknownSpeed() int { return 0 }

// garbled reports whether the ends of the line disagree on its speed. A port
// that has none, as TCP, stands for a host that stays at the usual one.
func (u *uart) garbled() bool { return u.wrong != 0 && u.host() != u.wrong }

// write queues bytes for the host.
func (u *uart) write(s string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.attached {
		return
	}
	if room := maxUnsent - len(u.queue); len(s) > room {
		u.lost += len(s) - room
		s = s[:room]
	}
	u.queue = append(u.queue, s...)
	u.changed.Broadcast()
}

// lose is what arrives of b, which the host said, in its place.
func (u *uart) lose(b []byte) []byte {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.drop(b, u.hearing)
}

func (u *uart) drop(b []byte, chance *rand.Rand) []byte {
	if u.garbled() {
		b = append(b[:0], noise(string(b))...)
	}
	if u.lossy <= 0 {
		return b
	}
	kept := b[:0]
	for _, c := range b {
		if chance.Float64() >= u.lossy {
			kept = append(kept, c)
		}
	}
	return kept
}

// attach begins to write to a host until ctx is done, or detach was called and
// all is written. The channel gets the error that ended it. After a host that
// is leaving it waits.
func (u *uart) attach(ctx context.Context, port io.Writer) (<-chan error, error) {
	stop := context.AfterFunc(ctx, u.wake)
	defer stop()
	u.mu.Lock()
	defer u.mu.Unlock()
	for u.leaving && ctx.Err() == nil {
		u.changed.Wait()
	}
	if u.attached || u.leaving {
		return nil, ErrAttached
	}
	u.attached, u.queue, u.host = true, nil, unknownSpeed
	if p, ok := port.(interface{ Baud() int }); ok {
		u.host = p.Baud
	}
	written := make(chan error, 1)
	go func() {
		stop := context.AfterFunc(ctx, u.wake)
		defer stop()
		err := u.drain(ctx, port)
		u.mu.Lock()
		u.attached, u.leaving, u.queue = false, false, nil
		u.changed.Broadcast()
		u.mu.Unlock()
		written <- err
	}()
	return written, nil
}

func (u *uart) detach() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.leaving = u.attached
	u.attached = false
	u.changed.Broadcast()
}

func (u *uart) wake() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.changed.Broadcast()
}

// drain writes slice by slice, as fast as the line is.
func (u *uart) drain(ctx context.Context, port io.Writer) error {
	for {
		slice, takes := u.slice(ctx)
		if slice == nil {
			return nil
		}
		if takes > 0 {
			t := time.NewTimer(takes)
			select {
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
			}
		}
		if len(slice) > 0 {
			if _, err := port.Write(slice); err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return fmt.Errorf("write to the host: %w", err)
			}
		}
	}
}

// slice takes what is to be written next and how long the line needs for it;
// nil when the host has gone.
func (u *uart) slice(ctx context.Context) ([]byte, time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for len(u.queue) == 0 && u.attached && ctx.Err() == nil {
		u.changed.Wait()
	}
	if len(u.queue) == 0 || ctx.Err() != nil {
		return nil, 0
	}
	baud := u.baud
	if u.wrong > 0 && baud > 0 {
		baud = u.wrong
	}
	if u.slow > 0 {
		baud = u.slow
	}
	n := len(u.queue)
	var takes time.Duration
	if baud > 0 {
		n = min(n, max(1, int(int64(baud)*int64(sliceTime)/int64(10*time.Second))))
		takes = time.Duration(n) * 10 * time.Second / time.Duration(baud)
	}
	slice := append(make([]byte, 0, n), u.queue[:n]...)
	u.queue = u.queue[:copy(u.queue, u.queue[n:])]
	u.changed.Broadcast()
	return u.drop(slice, u.saying), takes
}

// room waits until the host has taken most of what was said to it.
func (u *uart) room(ctx context.Context) {
	stop := context.AfterFunc(ctx, u.wake)
	defer stop()
	u.mu.Lock()
	defer u.mu.Unlock()
	for len(u.queue) > roomUnsent && ctx.Err() == nil {
		u.changed.Wait()
	}
}

// flush waits until the host has taken everything.
func (u *uart) flush(ctx context.Context) {
	stop := context.AfterFunc(ctx, u.wake)
	defer stop()
	u.mu.Lock()
	defer u.mu.Unlock()
	for len(u.queue) > 0 && ctx.Err() == nil {
		u.changed.Wait()
	}
}
