// Package topics is the classes of custom topics that products declare: what
// their devices may publish on and subscribe to besides the topics of the
// platform [aliyun-device §4.1]. Paths are what stands behind product and
// device: "user/update".
//
// It judges; what becomes of a verdict is decided by who asked.
package topics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/fault"
)

// A Permission is what devices may do with the topics of a class.
type Permission byte

// The permissions.
const (
	Publish Permission = 1 << iota
	Subscribe
	Both = Publish | Subscribe
)

var permissionWords = map[Permission]string{Publish: "publish", Subscribe: "subscribe", Both: "both"}

// String is the word for the permission.
func (p Permission) String() string { return permissionWords[p] }

// MarshalText writes the word.
func (p Permission) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the word.
func (p *Permission) UnmarshalText(text []byte) error {
	for permission, word := range permissionWords {
		if word == string(text) {
			*p = permission
			return nil
		}
	}
	return fmt.Errorf("%q is no permission: use publish, subscribe or both", text)
}

// A Class is one declared topic, or several where it has wildcards.
type Class struct {
	Product    string     `json:"product"`
	Path       string     `json:"path"`
	Permission Permission `json:"permission"`
	Desc       string     `json:"desc,omitempty"`
	CreatedAt  time.Time  `json:"createdAt,omitzero"`
	Usual      bool       `json:"usual,omitempty"` // every product has it
}

// usual are the classes that every product has: those of a new one, and those
// of products from before there was a level "user".
var usual = []Class{
	{Path: "get", Permission: Subscribe}, {Path: "update", Permission: Publish}, {Path: "update/error", Permission: Publish},
	{Path: "user/get", Permission: Subscribe}, {Path: "user/update", Permission: Publish}, {Path: "user/update/error", Permission: Publish},
}

// The bounds [aliyun-device §4.1].
const (
	MaxClasses = 50  // of one product
	maxTopic   = 128 // bytes
	maxSlashes = 7
	maxDevice  = 32     // bytes of a device's name in it
	maxDesc    = 100    // characters
	maxCached  = 10_000 // products held in memory
)

// A Store remembers classes. It decides nothing; where something is not there
// it says ErrNotFound.
type Store interface {
	TopicClasses(ctx context.Context, product string) ([]Class, error) // by their paths
	SaveTopicClass(ctx context.Context, c *Class) error                // in place of one with the same path; ErrNotFound where there is no such product
	DeleteTopicClass(ctx context.Context, product, path string) error
}

// ErrNotFound is what a Store says of what is not there.
var ErrNotFound = errors.New("topics: not found")

// Topics are the classes of all products. Any number of goroutines may use it
// at once.
type Topics struct {
	store Store
	now   func() time.Time

	changing sync.Mutex

	mu      sync.Mutex
	cached  map[string][]Class
	version uint64
}

// New makes Topics on a store; now may be nil.
func New(store Store, now func() time.Time) *Topics {
	if now == nil {
		now = time.Now
	}
	return &Topics{store: store, now: now, cached: make(map[string][]Class)}
}

// Classes returns the classes of a product in order of their paths.
func (t *Topics) Classes(ctx context.Context, product string) ([]Class, error) {
	declared, err := t.declared(ctx, product)
	if err != nil {
		return nil, err
	}
	all := slices.Clone(declared)
	for _, u := range usual {
		if !slices.ContainsFunc(declared, func(c Class) bool { return c.Path == u.Path }) {
			u.Product, u.Usual = product, true
			all = append(all, u)
		}
	}
	slices.SortFunc(all, func(a, b Class) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

// declared are those that somebody declared; they are shared.
func (t *Topics) declared(ctx context.Context, product string) ([]Class, error) {
	t.mu.Lock()
	found, there := t.cached[product]
	version := t.version
	t.mu.Unlock()
	if there {
		return found, nil
	}
	found, err := t.store.TopicClasses(ctx, product)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if version == t.version { // else it might have been read before a change
		if len(t.cached) >= maxCached {
			clear(t.cached)
		}
		t.cached[product] = found
	}
	return found, nil
}

// Declare adds a class, or changes the one with the same path.
func (t *Topics) Declare(ctx context.Context, c Class) (Class, error) {
	c.Path, c.Usual = strings.TrimPrefix(c.Path, "/"), false
	if err := check(&c); err != nil {
		return Class{}, err
	}
	t.changing.Lock()
	defer t.changing.Unlock()
	old, err := t.store.TopicClasses(ctx, c.Product)
	if err != nil {
		return Class{}, err
	}
	known := slices.ContainsFunc(old, func(o Class) bool { return o.Path == c.Path })
	if !known && len(old) >= MaxClasses {
		return Class{}, fault.Exhausted("product %q has %d topic classes; that is the most", c.Product, MaxClasses)
	}
	c.CreatedAt = t.now().UTC().Truncate(time.Millisecond)
	err = t.store.SaveTopicClass(ctx, &c)
	t.forget(c.Product)
	if errors.Is(err, ErrNotFound) {
		return Class{}, fault.NotFound("there is no product %q", c.Product)
	}
	return c, err
}

// Remove takes a declared class away.
func (t *Topics) Remove(ctx context.Context, product, path string) error {
	t.changing.Lock()
	defer t.changing.Unlock()
	path = strings.TrimPrefix(path, "/")
	err := t.store.DeleteTopicClass(ctx, product, path)
	t.forget(product)
	if errors.Is(err, ErrNotFound) {
		return fault.NotFound("product %q has not declared the topic %q", product, path)
	}
	return err
}

// Forget drops what is known of a product that is there no more.
func (t *Topics) Forget(product string) { t.forget(product) }

func (t *Topics) forget(product string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.version++
	delete(t.cached, product)
}

func check(c *Class) error {
	levels := strings.Split(c.Path, "/")
	wild := false
	for i, level := range levels {
		switch {
		case level == "+", level == "#" && i == len(levels)-1:
			wild = true
		case level == "" || strings.Trim(level, letters) != "":
			return fault.In("path", fault.Invalid("topic %q: levels are of letters, digits and _; a whole level may be +, the last one #", c.Path))
		}
	}
	switch {
	case permissionWords[c.Permission] == "":
		return fault.In("permission", fault.Invalid("the permission is publish, subscribe or both"))
	case wild && c.Permission != Subscribe:
		return fault.In("permission", fault.Invalid("topic %q has wildcards: devices may only subscribe to it", c.Path))
	case len("///")+len(c.Product)+maxDevice+len(c.Path) > maxTopic:
		return fault.In("path", fault.Invalid("topic %q is too long: with product and device it has more than %d bytes", c.Path, maxTopic))
	case len("///")+len(levels)-1 > maxSlashes:
		return fault.In("path", fault.Invalid("topic %q is too deep: with product and device it has more than %d slashes", c.Path, maxSlashes))
	case len([]rune(c.Desc)) > maxDesc:
		return fault.In("desc", fault.Invalid("the description is longer than %d characters", maxDesc))
	}
	return nil
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

// A Verdict is what the classes of a product say of a topic.
type Verdict byte

// The verdicts.
const (
	Declared     Verdict = iota // and permitted
	Undeclared                  // there is no such class
	NotPermitted                // there is one, for the other direction
)

// MayPublish judges a path that a device publishes on.
func (t *Topics) MayPublish(ctx context.Context, product, path string) (Verdict, error) {
	return t.judge(ctx, product, path, Publish)
}

// MaySubscribe judges a filter, of which path is what stands behind product and
// device.
func (t *Topics) MaySubscribe(ctx context.Context, product, path string) (Verdict, error) {
	return t.judge(ctx, product, path, Subscribe)
}

func (t *Topics) judge(ctx context.Context, product, path string, want Permission) (Verdict, error) {
	declared, err := t.declared(ctx, product)
	if err != nil {
		return Undeclared, err
	}
	verdict := Undeclared
	for _, list := range [][]Class{declared, usual} {
		for i := range list {
			if !covers(list[i].Path, path) {
				continue
			}
			if list[i].Permission&want != 0 {
				return Declared, nil
			}
			verdict = NotPermitted
		}
	}
	return verdict, nil
}

// covers reports whether a class has all topics that a filter matches.
func covers(class, filter string) bool {
	for {
		c, classRest, moreClass := strings.Cut(class, "/")
		f, filterRest, moreFilter := strings.Cut(filter, "/")
		switch {
		case c == "#":
			return true
		case f == "#", c != "+" && c != f, moreClass != moreFilter && !(moreClass && classRest == "#"):
			return false
		case !moreFilter:
			return true // at the end of both, or with a # that matches nothing behind
		}
		class, filter = classRest, filterRest
	}
}
