package modem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/matou-iot/matou/at"
)

// A Fetcher brings what a module keeps for a connection to its Conn, as far as
// there is room: for modules that announce data and hand it out when asked.
type Fetcher struct {
	host *Host
	conn *Conn
	name string // of the command
	id   int    // of the connection
	most int    // bytes that are asked for at once
	wake chan struct{}
	shut chan struct{} // closed when the peer has closed
	once sync.Once
	done sync.WaitGroup
	full atomic.Bool // the Conn had no room for more
}

// NewFetcher begins to fetch for a connection of the module, with a command
// that names its number and how many bytes are wanted, of which there are at
// most so many at once, and that is answered with counted data; no bytes mean
// that the module has no more. An error ends the connection.
func NewFetcher(h *Host, c *Conn, command string, id, most int) *Fetcher {
	f := &Fetcher{host: h, conn: c, name: command, id: id, most: most, wake: make(chan struct{}, 1), shut: make(chan struct{})}
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
		data, err := f.take(room)
		if len(data) == 0 || err != nil {
			return true, err
		}
		f.conn.Receive(data)
	}
	return false, nil
}

// take asks the module for data that it keeps.
func (f *Fetcher) take(room int) (data []byte, err error) {
	c, err := f.host.o.Dialect.Set(f.name, at.Num(f.id), at.Num(min(room, f.most)))
	if err != nil {
		return nil, err
	}
	answer, err := f.host.Ask(context.Background(), Request{
		Command: c, Claims: func(line string) bool { return strings.HasPrefix(line, f.name) },
	})
	if errors.Is(err, ErrRefused) {
		return nil, nil // nothing is left, or it is not open any more
	}
	for _, e := range answer.Data {
		data = append(data, e.Data...)
	}
	return data, err
}
