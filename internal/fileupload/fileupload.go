// Package fileupload is the files that devices upload: each in blocks that are
// durable when they are acknowledged, so that an upload goes on where it was
// after any interruption, and visible only when it is whole [aliyun-device
// §4.13]. It holds the rules and the bounds, and declares the Store that
// remembers which files there are.
//
// What is in a file is between the device and whoever fetches it.
package fileupload

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/content"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/feed"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
)

// A File is one that a device uploaded, whole.
type File struct {
	Product   string    `json:"product"`
	Device    string    `json:"device"`
	Name      string    `json:"name"` // a device has one file of a name
	Size      int64     `json:"size"`
	SHA256    string    `json:"sha256"`
	CRC64     string    `json:"crc64"` // ECMA-182, as devices check files
	Upload    string    `json:"uploadId"`
	BegunAt   time.Time `json:"begunAt"`
	ArrivedAt time.Time `json:"arrivedAt"`
}

// A Usage is how much a device keeps.
type Usage struct {
	Files int
	Bytes int64
}

// A Store remembers files of devices. Where something is not there it says
// ErrNotFound. Files outlive their device until they are forgotten.
type Store interface {
	// SaveFile keeps a file of a device that exists in the place of one of the
	// same name, and returns that one's digest, "" for none.
	SaveFile(ctx context.Context, f File) (replaced string, err error)
	File(ctx context.Context, id registry.ID, name string) (File, error)
	// FileOf returns the file that came by an upload.
	FileOf(ctx context.Context, upload string) (File, error)
	Files(ctx context.Context, id registry.ID, after string, limit int) ([]File, error) // in order of names
	FileUsage(ctx context.Context, id registry.ID) (Usage, error)
	DeleteFile(ctx context.Context, id registry.ID, name string) (digest string, err error)
	// ForgetFiles deletes the files of a device, or of all of a product where
	// id.Device is empty, and returns their digests.
	ForgetFiles(ctx context.Context, id registry.ID) (digests []string, err error)
	// ForgetLostFiles deletes the files of devices that do not exist.
	ForgetLostFiles(ctx context.Context) error
	FileUsed(ctx context.Context, digest string) (bool, error)
}

// ErrNotFound is what a Store says of what it does not have.
var ErrNotFound = errors.New("not found")

// A Feed is where it is said that a file arrived.
type Feed interface {
	Append(r record.Record) feed.Ticket
}

// Limits bound what devices can make the server hold. A zero field has the
// default in its comment; a device is told what it met.
type Limits struct {
	FileBytes     int64 // 16 MiB, one file: the upload is refused, or ends
	Files         int   // 1,000 of a device: a further one is refused
	DeviceBytes   int64 // 1 GiB of a device: a further file is refused
	DeviceUploads int   // 8 under way of a device: the oldest gives way to a further one
	Uploads       int   // 1,000 under way in all: a further one is refused
}

// DefaultLimits are those of the zero Limits.
func DefaultLimits() Limits { return Limits{}.withDefaults() }

func (l Limits) withDefaults() Limits {
	set(&l.FileBytes, 16<<20)
	set(&l.Files, 1000)
	set(&l.DeviceBytes, 1<<30)
	set(&l.DeviceUploads, 8)
	set(&l.Uploads, 1000)
	return l
}

func set[T int | int64](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// Patience is how long an upload may bring nothing before it is forgotten.
const Patience = 24 * time.Hour

// sweepEvery is how often forgotten uploads are looked for.
const sweepEvery = 10 * time.Minute

// Options are what a Service needs.
type Options struct {
	Store    Store
	Registry *registry.Registry
	Feed     Feed
	Trace    *trace.Recorder
	Dir      string
	Room     func() error // says why nothing may be written now; nil: there always is room
	Limits   Limits
	Log      *slog.Logger
	Now      func() time.Time
}

// A Service keeps files. Any number of goroutines may use it at once.
type Service struct {
	Options
	content  *content.Dir
	counters Counters

	beginning sync.Mutex // uploads begin one at a time: bounds are counted

	mu       sync.Mutex
	uploads  map[string]*upload
	byDevice map[registry.ID][]*upload // oldest first

	// changes makes a file visible, or removes it, one at a time: two files
	// with the same bytes share them.
	changes sync.Mutex
}

// An upload is a file on its way.
type upload struct {
	head // fixed

	mu      sync.Mutex // held while a block is written
	journal *journal   // nil after a restart, until somebody goes on with it
	gone    bool
	touched time.Time // guarded by Service.mu
}

func (u *upload) device() registry.ID { return registry.ID{Product: u.Product, Device: u.Device} }

// incoming is the directory of uploads under way, below that of the files.
const incoming = "incoming"

// New makes a Service: it opens the directory, takes up the uploads that were
// under way, and removes what belongs to nobody.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Limits = o.Limits.withDefaults()
	s := &Service{Options: o, uploads: make(map[string]*upload), byDevice: make(map[registry.ID][]*upload)}
	if err := o.Store.ForgetLostFiles(ctx); err != nil {
		return nil, err
	}
	var err error
	s.content, err = content.Open(o.Dir, o.Room, func(digest string) (bool, error) { return o.Store.FileUsed(ctx, digest) })
	if err != nil {
		return nil, err
	}
	return s, s.takeUp(ctx)
}

// takeUp finds the uploads that were under way.
func (s *Service) takeUp(ctx context.Context) error {
	dir := filepath.Join(s.Dir, incoming)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the directory of uploads: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read the directory of uploads: %w", err)
	}
	var found []*upload
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		h, err := headOf(path)
		if err == nil && h.ID == e.Name() {
			_, err = s.Registry.Device(ctx, registry.ID{Product: h.Product, Device: h.Device})
		} else if err == nil {
			err = errCut
		}
		if errors.Is(err, errCut) || fault.KindOf(err) == fault.KindNotFound {
			s.Log.Info("an upload that never began, or of a device that is gone, is removed", "file", path)
			err = os.Remove(path)
			if err == nil {
				continue
			}
		}
		if err != nil {
			return fmt.Errorf("take up an upload: %w", err)
		}
		u := &upload{head: h, touched: h.BegunAt}
		if info, err := e.Info(); err == nil {
			u.touched = info.ModTime()
		}
		found = append(found, u)
	}
	slices.SortFunc(found, func(a, b *upload) int { return a.BegunAt.Compare(b.BegunAt) })
	for _, u := range found {
		s.add(u)
	}
	return nil
}

// Run announces files that arrived just before a crash and forgets uploads
// that nobody goes on with, until ctx is done.
func (s *Service) Run(ctx context.Context) error {
	if err := s.finishAll(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		s.sweep()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// finishAll ends the uploads whose files are there already.
func (s *Service) finishAll(ctx context.Context) error {
	s.mu.Lock()
	all := make([]*upload, 0, len(s.uploads))
	for _, u := range s.uploads {
		all = append(all, u)
	}
	s.mu.Unlock()
	for _, u := range all {
		f, err := s.Store.FileOf(ctx, u.ID)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err == nil {
			err = s.announce(f)
		}
		if err != nil {
			return err
		}
		s.drop(u)
	}
	return nil
}

func (s *Service) sweep() {
	s.mu.Lock()
	var late []*upload
	for _, u := range s.uploads {
		if s.Now().Sub(u.touched) >= Patience {
			late = append(late, u)
		}
	}
	s.mu.Unlock()
	for _, u := range late {
		s.drop(u)
		s.counters.Forgotten.Add(1)
		s.Trace.Record(trace.Entry{
			Product: u.Product, Device: u.Device, Kind: trace.Note, Code: "upload-forgotten",
			Sentence:   "the upload of " + u.Name + " brought nothing for a day and is forgotten",
			SentenceZH: "文件 " + u.Name + " 的上传任务超过 24 小时没有进展，已删除",
		})
	}
}

// add makes an upload known.
func (s *Service) add(u *upload) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uploads[u.ID] = u
	s.byDevice[u.device()] = append(s.byDevice[u.device()], u)
}

// drop ends an upload; its bytes are gone.
func (s *Service) drop(u *upload) {
	u.mu.Lock()
	defer u.mu.Unlock()
	s.end(u)
}

// end is drop for who holds u.mu.
func (s *Service) end(u *upload) {
	if u.gone {
		return
	}
	u.gone = true
	if err := os.Remove(s.journalPath(u.ID)); err != nil {
		s.Log.Error("remove an upload; it is tried again at the next start", "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.uploads, u.ID)
	rest := slices.DeleteFunc(s.byDevice[u.device()], func(other *upload) bool { return other == u })
	if s.byDevice[u.device()] = rest; len(rest) == 0 {
		delete(s.byDevice, u.device())
	}
}

// find is the upload of a device by its id; nil where there is none.
func (s *Service) find(id registry.ID, upload string) *upload {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.uploads[upload]; u != nil && u.device() == id {
		u.touched = s.Now()
		return u
	}
	return nil
}

// stamp is now, as exactly as it is kept.
func (s *Service) stamp() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

func idOf(c dialect.Claim) registry.ID { return registry.ID{Product: c.Product, Device: c.Device} }

// journalPath is where an upload under way lies. IDs are made here, or were
// the name of a file: none has a separator in it.
func (s *Service) journalPath(id string) string { return filepath.Join(s.Dir, incoming, id) }

// wake reads what is there of an upload that was under way before a restart.
// The caller holds u.mu.
func (s *Service) wake(u *upload) (err error) {
	if u.journal != nil {
		return nil
	}
	u.journal, err = resume(s.journalPath(u.ID))
	switch {
	case errors.Is(err, errCut), errors.Is(err, fs.ErrNotExist): // damaged since the start
		s.Log.Error("an upload cannot be read back and is removed", "upload", u.ID, "error", err)
		s.end(u)
		return refuseUnknown(u.ID)
	case err != nil:
		return fault.Unavailable("go on with an upload: %w", err)
	}
	return nil
}
