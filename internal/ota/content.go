package ota

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

// A content keeps the bytes of packages in a directory, each file under its
// SHA256. A file is there whole or not at all: it is written under another
// name, synced, and renamed.
type content struct {
	dir  string
	room func() error // nil: there is room
}

// stagedPrefix is what names of files begin with that are not whole yet.
const stagedPrefix = "upload-"

// roomEvery is how many bytes are written between two looks at the disk.
const roomEvery = 4 << 20

// openContent makes the directory and removes what a crash left behind: files
// that were not whole, and such that no package has.
func openContent(dir string, room func() error, used func(digest string) (bool, error)) (*content, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of packages: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the directory of packages: %w", err)
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
	return &content{dir: dir, room: room}, nil
}

func isDigest(s string) bool {
	raw, err := hex.DecodeString(s)
	return err == nil && len(raw) == sha256.Size && strings.ToLower(s) == s
}

// A staged is a file that is whole, checked and synced, and not yet visible.
type staged struct {
	File
	path string
}

// stage reads a file and checks it. On an error nothing is left behind.
func (c *content) stage(ctx context.Context, f File, r io.Reader, want Want, most int64) (s staged, err error) {
	if want.Size > most {
		return s, tooLarge(most)
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
			return s, tooLarge(most)
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
	return staged{f, file.Name()}, nil
}

func (c *content) hasRoom() error {
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

func tooLarge(most int64) error {
	return fault.Invalid("the package is larger than %d bytes (ota.maxPackageBytes)", most)
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

// keep gives a staged file its name.
func (c *content) keep(s staged) error {
	if err := os.Rename(s.path, c.path(s.SHA256)); err != nil {
		return fmt.Errorf("keep the upload: %w", err)
	}
	return c.syncDir()
}

func (c *content) syncDir() error {
	d, err := os.Open(c.dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// drop removes a staged file that was not kept.
func (c *content) drop(s staged) { os.Remove(s.path) }

func (c *content) path(digest string) string { return filepath.Join(c.dir, digest) }

// open opens a file. Close it after use.
func (c *content) open(digest string) (*os.File, error) {
	f, err := os.Open(c.path(digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.NotFound("the file was deleted")
	}
	return f, err
}

func (c *content) remove(digest string) error {
	if err := os.Remove(c.path(digest)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// digests are all files that are whole.
func (c *content) digests() (list []string) {
	entries, _ := os.ReadDir(c.dir) // what cannot be read now is swept at the next start
	for _, e := range entries {
		if isDigest(e.Name()) {
			list = append(list, e.Name())
		}
	}
	return list
}
