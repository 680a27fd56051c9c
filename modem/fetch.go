package modem

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
)

// A Fetcher brings what a module keeps for a connection to its Conn, as far as
// there is room: for modules that announce data and hand it out when asked.
type Fetcher struct {
	host *Host
	conn *Conn
	take func(ctx context.Context, room int) (data []byte, err error)
	wake chan struct{}
	shut chan struct{} // closed when the peer has closed
	once sync.Once
	done sync.WaitGroup
	full atomic.Bool // the Conn had no room for more
}

// NewFetcher begins to fetch. take asks the module for up to room bytes; no
// bytes mean that it has no more. Its error ends the connection.
func NewFetcher(h *Host, c *Conn, take func(ctx context.Context, room int) ([]byte, error)) *Fetcher {
	f := &Fetcher{host: h, conn: c, take: take, wake: make(chan struct{}, 1), shut: make(chan struct{})}
	f.done.Go(f.run)
	return f
}

// Wanted says that bytes were read: if there was no room, there is again.
func (f *Fetcher) Wanted() {
	if f.full.Swap(false) {
		f.Poke()
	}
}

// Poke says that the module may have something.
func (f *Fetcher) Poke() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// PeerClosed says that the peer has closed: once what the module still keeps
// has been fetched, the connection ends.
func (f *Fetcher) PeerClosed() { f.once.Do(func() { close(f.shut) }) }

// Wait waits until nothing is fetched any more. The Conn must have ended.
func (f *Fetcher) Wait() { f.done.Wait() }

func (f *Fetcher) run() {
	shut := f.shut
	for {
		select {
		case <-f.wake:
		case <-shut:
			shut = nil // once; then only who reads makes room
		case <-f.conn.Down():
			return
		case <-f.host.Done():
			return
		}
		empty, err := f.drain()
		if err != nil {
			f.conn.Lose(fmt.Errorf("%w: %w", ErrLost, err))
			return
		}
		if empty && shut == nil {
			f.conn.Lose(io.EOF)
			return
		}
	}
}

// drain fetches until the module has nothing more, or the Conn no room.
func (f *Fetcher) drain() (empty bool, err error) {
	for !f.conn.Lost() {
		room := f.conn.Room()
		if room == 0 {
			// Who reads from now on sees the flag, who read before made room.
			f.full.Store(true)
			if f.conn.Room() == 0 {
				return false, nil
			}
			continue
		}
		data, err := f.take(context.Background(), room)
		if len(data) == 0 || err != nil {
			return true, err
		}
		f.conn.Receive(data)
	}
	return false, nil
}
