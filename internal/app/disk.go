package app

import (
	"fmt"
	"log/slog"
	"sync"
	"syscall"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/httpapi"
)

// A guard watches the room on the disk of a directory. Databases fare badly on
// a disk without any; the guard stops what is new while they still have some.
// Any number of goroutines may ask it.
type guard struct {
	dir     string
	reserve int64 // bytes that stay free
	log     *slog.Logger

	mu   sync.Mutex
	full error // what the last look said
}

// room is nil while there is room, and otherwise says what to do. It is asked
// before each commit: a look costs nothing beside a sync.
func (g *guard) room() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	before := g.full
	g.full = g.look()
	switch {
	case before == nil && g.full != nil:
		g.log.Error("nothing new is stored or acknowledged until there is room", "error", g.full)
	case before != nil && g.full == nil:
		g.log.Info("there is room on the disk again")
	}
	return g.full
}

// use is how much room the disk has; zero where it does not say.
func (g *guard) use() httpapi.DiskUse {
	var s syscall.Statfs_t
	if err := syscall.Statfs(g.dir, &s); err != nil {
		return httpapi.DiskUse{}
	}
	return httpapi.DiskUse{Free: int64(s.Bavail) * int64(s.Bsize), Total: int64(s.Blocks) * int64(s.Bsize)}
}

// leastRoom is what the databases need to be opened at all.
const leastRoom = 1 << 20

// blame makes an error of databases that could not be opened say so where the
// disk is full: they take that for damage themselves.
func (g *guard) blame(err error) error {
	if d := g.use(); d.Total > 0 && d.Free < leastRoom {
		return fmt.Errorf("the disk of %s is full: make room, nothing has to be restored (%w)", g.dir, err)
	}
	return err
}

func (g *guard) look() error {
	var s syscall.Statfs_t
	if err := syscall.Statfs(g.dir, &s); err != nil {
		return nil // then the stores themselves will say
	}
	if free := int64(s.Bavail) * int64(s.Bsize); free < g.reserve {
		return fault.Unavailable("the disk of %s has %d MiB free, less than the reserve of %d MiB (disk.reserve): make room",
			g.dir, free>>20, g.reserve>>20)
	}
	return nil
}
