// Package content keeps bytes in a directory, each file under its SHA256: the
// files of upgrades, and what devices upload. A file is there whole or not at
// all: it is written under another name, synced, and renamed.
//
// It knows nothing of what the files are for; whoever keeps them says which
// are in use.
package content

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/matou-iot/matou/internal/fault"
)

// A File is what there is to know of a file. Digests are hexadecimal, in lower
// case.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	MD5    string `json:"md5"`
	SHA256 string `json:"sha256"`
}

// Want is what the content of a file has to be; zero values ask for nothing.
type Want struct {
	Size   int64 // 0: not known
	MD5    string
	SHA256 string
}

// ErrTooLarge is of a file that is larger than it may be.
var ErrTooLarge = errors.New("the file is too large")

// A Dir is a directory of files. Any number of goroutines may use it at once.
type Dir struct {
	dir  string
	room func() error // nil: there is room
}

// stagedPrefix is what names of files begin with that are not whole yet.
const stagedPrefix = "upload-"

// roomEvery is how many bytes are written between two looks at the disk.
const roomEvery = 4 << 20

// Open makes the directory and removes what a crash left behind: files that
// were not whole, and such that nobody uses. room says why nothing may be
// written now; nil: there always is room.
func Open(dir string, room func() error, used func(digest string) (bool, error)) (*Dir, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of files: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the directory of files: %w", err)
	}
	for _, e := range entries {
		whole := isDigest(e.Name())
		if !whole && !strings.HasPrefix(e.Name(), stagedPrefix) {
			continue // not ours
		}
		if whole {
			if keep, err := used(e.Name()); err != nil || keep {
				if err != nil {
					return nil, err
				}
				continue
			}
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return nil, fmt.Errorf("remove the rest of an upload: %w", err)
		}
	}
	return &Dir{dir: dir, room: room}, nil
}

func isDigest(s string) bool {
	raw, err := hex.DecodeString(s)
	return err == nil && len(raw) == sha256.Size && strings.ToLower(s) == s
}

// A Staged is a file that is whole, checked and synced, and not yet visible.
type Staged struct {
	File
	path string
}

// Stage reads a file of at most most bytes and checks it. On an error nothing
// is left behind. Keep or Drop what it returns.
func (c *Dir) Stage(ctx context.Context, f File, r io.Reader, want Want, most int64) (s Staged, err error) {
	if want.Size > most {
		return s, ErrTooLarge
	}
	if err := c.hasRoom(); err != nil {
		return s, err
	}
	file, err := os.CreateTemp(c.dir, stagedPrefix+"*")
	if err != nil {
		return s, fmt.Errorf("begin the upload: %w", err)
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
		}
	}()
	sum5, sum256 := md5.New(), sha256.New()
	into := io.MultiWriter(file, sum5, sum256)
	for {
		n, copyErr := io.CopyN(into, r, min(roomEvery, most+1-f.Size))
		f.Size += n
		switch {
		case f.Size > most:
			return s, ErrTooLarge
		case errors.Is(copyErr, io.EOF):
		case errors.Is(copyErr, io.ErrUnexpectedEOF):
			return s, cutShort(f.Size, want.Size)
		case copyErr != nil:
			return s, readFailed(f.Size, copyErr)
		}
		if copyErr != nil {
			break
		}
		if err := ctx.Err(); err != nil {
			return s, err
		}
		if err := c.hasRoom(); err != nil {
			return s, err
		}
	}
	f.MD5, f.SHA256 = hex.EncodeToString(sum5.Sum(nil)), hex.EncodeToString(sum256.Sum(nil))
	if err := right(f, want); err != nil {
		return s, err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return s, fmt.Errorf("keep the upload: %w", err)
	}
	return Staged{f, file.Name()}, nil
}

func (c *Dir) hasRoom() error {
	if c.room == nil {
		return nil
	}
	return c.room()
}

// right compares a file with what it was to be.
func right(f File, want Want) error {
	switch {
	case f.Size == 0:
		return fault.Invalid("file %s is empty", f.Name)
	case want.Size > 0 && f.Size != want.Size:
		return cutShort(f.Size, want.Size)
	case want.MD5 != "" && !strings.EqualFold(want.MD5, f.MD5):
		return fault.In("md5", fault.Invalid("what came of %s has the MD5 %s, not %s: it was changed on the way, or the digest is of another file", f.Name, f.MD5, strings.ToLower(want.MD5)))
	case want.SHA256 != "" && !strings.EqualFold(want.SHA256, f.SHA256):
		return fault.In("sha256", fault.Invalid("what came of %s has the SHA256 %s, not %s: it was changed on the way, or the digest is of another file", f.Name, f.SHA256, strings.ToLower(want.SHA256)))
	}
	return nil
}

func cutShort(got, want int64) error {
	if want > 0 {
		return fault.In("size", fault.Invalid("the file was cut short: %d of %d bytes came; send it again", got, want))
	}
	return fault.In("size", fault.Invalid("the file was cut short after %d bytes; send it again", got))
}

func readFailed(got int64, err error) error {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e
	}
	return fault.Invalid("the upload broke off after %d bytes; send it again: %w", got, err)
}

// Keep gives a staged file its name, durably.
func (c *Dir) Keep(s Staged) error {
	if err := os.Rename(s.path, c.path(s.SHA256)); err != nil {
		return fmt.Errorf("keep the upload: %w", err)
	}
	return c.syncDir()
}

func (c *Dir) syncDir() error {
	d, err := os.Open(c.dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Drop removes a staged file that was not kept.
func (c *Dir) Drop(s Staged) { os.Remove(s.path) }

func (c *Dir) path(digest string) string { return filepath.Join(c.dir, digest) }

// Open opens a file. Close it after use.
func (c *Dir) Open(digest string) (*os.File, error) {
	f, err := os.Open(c.path(digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.NotFound("the file was deleted")
	}
	return f, err
}

// Remove removes a file; one that is not there is no error.
func (c *Dir) Remove(digest string) error {
	if err := os.Remove(c.path(digest)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Digests are all files that are whole.
func (c *Dir) Digests() (list []string) {
	entries, _ := os.ReadDir(c.dir) // what cannot be read now is swept at the next start
	for _, e := range entries {
		if isDigest(e.Name()) {
			list = append(list, e.Name())
		}
	}
	return list
}
