package ota

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/matou-iot/matou/internal/content"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
)

// A Package is a version of a module, to be put on devices.
type Package struct {
	ID        string          `json:"id"`
	Product   string          `json:"product"`
	Module    string          `json:"module"`  // "default" for the main firmware
	Version   string          `json:"version"` // that devices have behind it
	Source    string          `json:"source,omitempty"`
	Name      string          `json:"name,omitempty"`
	Desc      string          `json:"desc,omitempty"`
	Method    string          `json:"method"`          // by which devices check it: md5 or sha256
	Extra     json.RawMessage `json:"extra,omitempty"` // an object that devices are told with it
	Files     []File          `json:"files"`
	CreatedAt time.Time       `json:"createdAt"`
}

// Diff reports whether the package is a difference, which fits devices that
// run Source alone.
func (p *Package) Diff() bool { return p.Source != "" }

// Size is that of all files.
func (p *Package) Size() (n int64) {
	for _, f := range p.Files {
		n += f.Size
	}
	return n
}

// A File is one file of a package. Its content lies under its SHA256.
type File = content.File

// The bounds of packages.
const (
	MaxPackages     = 10_000 // in all
	MaxFiles        = 20     // of one package
	MaxExtraBytes   = 4096
	maxNameRunes    = 40
	maxDescRunes    = 100
	maxVersionBytes = 64
	maxFileName     = 100
	// MaxMQTTBytes is how large the one file of a package may be that is
	// fetched over MQTT [aliyun-cloud §2.11].
	MaxMQTTBytes = 16 << 20
)

// newID makes an id that sorts by time.
func newID(now time.Time) string {
	stamp := strconv.FormatInt(now.UnixMilli(), 36)
	return strings.Repeat("0", max(9-len(stamp), 0)) + stamp + strings.ToLower(rand.Text()[:8])
}

// checkPackage fills in what was left out and finds what cannot be.
func checkPackage(p *Package) error {
	if p.Module == "" {
		p.Module = dialect.DefaultModule
	}
	if p.Method == "" {
		p.Method = dialect.MD5
	}
	switch {
	case !validVersion(p.Module):
		return fault.In("module", fault.Invalid("module %q is not 1 to 64 letters, digits, dots, hyphens or underscores", p.Module))
	case !validVersion(p.Version):
		return fault.In("version", fault.Invalid("version %q is not 1 to 64 letters, digits, dots, hyphens or underscores", p.Version))
	case p.Source != "" && !validVersion(p.Source):
		return fault.In("source", fault.Invalid("version %q is not 1 to 64 letters, digits, dots, hyphens or underscores", p.Source))
	case p.Source == p.Version:
		return fault.In("source", fault.Invalid("a difference from version %s to itself is none: name the version that it applies to", p.Version))
	case p.Method != dialect.MD5 && p.Method != dialect.SHA256:
		return fault.In("method", fault.Invalid("method %q is neither md5 nor sha256", p.Method))
	case utf8.RuneCountInString(p.Name) > maxNameRunes:
		return fault.In("name", fault.Invalid("the name is longer than %d characters", maxNameRunes))
	case utf8.RuneCountInString(p.Desc) > maxDescRunes:
		return fault.In("desc", fault.Invalid("the description is longer than %d characters", maxDescRunes))
	}
	return checkExtra(p)
}

func checkExtra(p *Package) error {
	if len(p.Extra) == 0 {
		return nil
	}
	var members map[string]json.RawMessage
	if len(p.Extra) > MaxExtraBytes || json.Unmarshal(p.Extra, &members) != nil || members == nil {
		return fault.In("extra", fault.Invalid("extra is not a JSON object of at most %d bytes", MaxExtraBytes))
	}
	p.Extra, _ = json.Marshal(members) // compact: SDKs search the text
	return nil
}

// validVersion is the vendors' rule for versions and modules
// [aliyun-device §4.11].
func validVersion(s string) bool {
	if s == "" || len(s) > maxVersionBytes {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// fileName is the last part of a name as devices may read it: ASCII only.
func fileName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	var b strings.Builder
	for _, c := range name {
		if c > ' ' && c < 0x7f && c != '"' && c != '%' && c != '?' && c != '#' {
			b.WriteRune(c)
		} else {
			b.WriteByte('_')
		}
	}
	s := b.String()
	if len(s) > maxFileName {
		s = s[len(s)-maxFileName:]
	}
	if s == "" || s == "." || s == "/" {
		return "firmware.bin"
	}
	return s
}

// An Upload is a package on its way in. It is for one goroutine; Close it
// after use. Nobody sees anything of it before Commit.
type Upload struct {
	s      *Service
	p      Package
	staged []content.Staged
	done   bool
}

// Begin starts an upload. What is wrong with the package itself is found
// before a byte is read.
func (s *Service) Begin(ctx context.Context, p Package) (*Upload, error) {
	product, err := s.Registry.Product(ctx, p.Product)
	if err != nil {
		return nil, err
	}
	if d, ok := s.Dialects.ByName(product.Dialect); !ok {
		return nil, fault.Invalid("product %q speaks the unknown dialect %q", product.Key, product.Dialect)
	} else if _, ok := d.(dialect.Upgrader); !ok {
		return nil, fault.Invalid("devices of product %q speak plain MQTT, which knows no upgrades: use a product of aliyun or onenet", product.Key)
	}
	if err := checkPackage(&p); err != nil {
		return nil, err
	}
	if err := s.Store.View(ctx, func(tx Tx) error { return s.placeFree(tx, &p) }); err != nil {
		return nil, err
	}
	select {
	case s.uploads <- struct{}{}:
	default:
		return nil, fault.Exhausted("%d packages are being uploaded: wait for one of them", cap(s.uploads))
	}
	p.ID, p.Files = newID(s.Now()), nil
	return &Upload{s: s, p: p}, nil
}

// placeFree refuses a package that is there already, and one too many.
func (s *Service) placeFree(tx Tx, p *Package) error {
	n, err := tx.CountPackages()
	if err != nil {
		return err
	}
	if n >= MaxPackages {
		return fault.Exhausted("there are %d packages: delete some", n)
	}
	same, err := tx.Packages(PackageQuery{Product: p.Product, Module: p.Module, Version: p.Version, Limit: 100})
	if err != nil {
		return err
	}
	for _, q := range same {
		if q.Source == p.Source {
			return fault.In("version", fault.Conflict("product %q has a package of module %s with version %s already: %s", p.Product, p.Module, p.Version, q.ID))
		}
	}
	return nil
}

// Want is what the content of a file has to be.
type Want = content.Want

// File reads one file of the package. One that is cut short, longer than
// allowed or not what want says is refused, and leaves nothing behind.
func (u *Upload) File(ctx context.Context, name string, r io.Reader, want Want) error {
	if len(u.staged) == MaxFiles {
		return fault.Invalid("a package has at most %d files", MaxFiles)
	}
	f := File{Name: fileName(name)}
	for _, other := range u.staged {
		if other.Name == f.Name {
			return fault.Invalid("two files are called %s: devices tell them apart by name", f.Name)
		}
	}
	room := u.s.MaxPackageBytes
	for _, other := range u.staged {
		room -= other.Size
	}
	got, err := u.s.content.Stage(ctx, f, r, want, room)
	if errors.Is(err, content.ErrTooLarge) {
		return fault.Invalid("the package is larger than %d bytes (ota.maxPackageBytes)", u.s.MaxPackageBytes)
	}
	if err != nil {
		return err
	}
	u.staged = append(u.staged, got)
	return nil
}

// Commit makes the package visible, durably.
func (u *Upload) Commit(ctx context.Context) (Package, error) {
	if len(u.staged) == 0 {
		return Package{}, fault.Invalid("the package has no file: send one as the body, or several as multipart/form-data parts with file names")
	}
	for _, f := range u.staged {
		u.p.Files = append(u.p.Files, f.File)
	}
	err := u.s.do(ctx, func(t *turn) error {
		if err := u.s.placeFree(t.tx, &u.p); err != nil {
			return err
		}
		for _, f := range u.staged {
			if err := u.s.content.Keep(f); err != nil {
				return err
			}
		}
		u.p.CreatedAt = t.now
		return t.tx.InsertPackage(&u.p)
	})
	return u.p, err
}

// Close ends the upload; what was not committed is gone.
func (u *Upload) Close() {
	if u.done {
		return
	}
	u.done = true
	for _, f := range u.staged {
		u.s.content.Drop(f)
	}
	<-u.s.uploads
}

// Package returns a package.
func (s *Service) Package(ctx context.Context, product, id string) (p *Package, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		p, err = s.packageOf(tx, product, id)
		return err
	})
	return p, err
}

func (s *Service) packageOf(tx Tx, product, id string) (*Package, error) {
	p, err := tx.Package(id)
	if errors.Is(err, ErrNotFound) || err == nil && p.Product != product {
		return nil, fault.NotFound("product %q has no package %q", product, id)
	}
	return p, err
}

// Packages returns packages, newest first, and a cursor for the next page, ""
// where there is none.
func (s *Service) Packages(ctx context.Context, q PackageQuery) (list []Package, next string, err error) {
	if _, err := s.Registry.Product(ctx, q.Product); err != nil {
		return nil, "", err
	}
	n, err := registry.PageSize(q.Limit)
	if err != nil {
		return nil, "", err
	}
	q.Limit = n + 1
	err = s.Store.View(ctx, func(tx Tx) error {
		list, err = tx.Packages(q)
		return err
	})
	if err == nil && len(list) > n {
		list, next = list[:n], list[n-1].ID
	}
	return list, next, err
}

// DeletePackage deletes a package that no unfinished job needs.
func (s *Service) DeletePackage(ctx context.Context, product, id string) error {
	return s.do(ctx, func(t *turn) error {
		p, err := s.packageOf(t.tx, product, id)
		if err != nil {
			return err
		}
		jobs, err := t.tx.Jobs(JobQuery{Package: id, Open: true, Limit: 1})
		if err != nil {
			return err
		}
		if len(jobs) > 0 {
			return fault.Conflict("job %s still upgrades to this package: cancel it first", jobs[0].ID)
		}
		for _, f := range p.Files {
			t.after(func() { s.sweep(f.SHA256) })
		}
		return t.tx.DeletePackage(id)
	})
}

// sweep removes content that no package has any more.
func (s *Service) sweep(digest string) {
	var used bool
	err := s.Store.View(context.Background(), func(tx Tx) (err error) {
		used, err = tx.DigestInUse(digest)
		return err
	})
	if err == nil && !used {
		err = s.content.Remove(digest)
	}
	if err != nil {
		s.Log.Error("content of a deleted package", "digest", digest, "error", err)
	}
}

// sweepAll removes all content that no package has any more.
func (s *Service) sweepAll() {
	for _, digest := range s.content.Digests() {
		s.sweep(digest)
	}
}
