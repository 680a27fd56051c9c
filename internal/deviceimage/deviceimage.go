// Package deviceimage is the images of devices of data streams: what applications
// want of a device, what it reported, and the difference, which the device is
// told after every update from either side that leaves one [onenet §4.3]. It
// holds the rules and declares the Store that remembers.
//
// An attribute is replaced as a whole, whatever is inside it.
package deviceimage

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/thing"
)

// The bounds. The platform has a code for what is too long and does not say
// how much that is: these are Aliyun's for the shadow, which it resembles.
const (
	MaxBytes      = 16 << 10 // of all attributes as JSON
	MaxAttributes = 128      // desired, and as many reported
	maxName       = 256      // bytes
)

// A Store remembers the images of devices that exist.
type Store interface {
	Image(ctx context.Context, id registry.ID) (dialect.Image, error) // the zero Image where there is none
	SaveImage(ctx context.Context, id registry.ID, im dialect.Image) error
	DeleteImage(ctx context.Context, id registry.ID) error
}

// A Teller says something to a device: package command.
type Teller interface {
	Push(ctx context.Context, id registry.ID, say func(dialect.Dialect, dialect.Claim) []dialect.Downlink) (broker.Outcome, error)
}

// Options are what a Service needs.
type Options struct {
	Store    Store
	Registry *registry.Registry
	Teller   Teller
	Now      func() time.Time
}

// A Service keeps images. Any number of goroutines may use it at once.
type Service struct {
	Options
	seed  maphash.Seed
	locks [64]sync.Mutex // a change is read, made and written by one at a time
}

// New makes a Service.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{Options: o, seed: maphash.MakeSeed()}
}

// Update is what a device says to its image. The error is a *dialect.Refusal
// where the image would be too large.
func (s *Service) Update(ctx context.Context, r *dialect.ImageUpdate) (*dialect.ImageChange, error) {
	return s.change(ctx, registry.ID{Product: r.Claim.Product, Device: r.Claim.Device}, r.Desired, r.Reported)
}

// Asked gives a device its image. The error is a *dialect.Refusal where there
// is none.
func (s *Service) Asked(ctx context.Context, r *dialect.ImageGet) (*dialect.Image, error) {
	im, err := s.Store.Image(ctx, registry.ID{Product: r.Claim.Product, Device: r.Claim.Device})
	if err == nil && im.Version == 0 {
		err = none()
	}
	return &im, err
}

// Image returns the image of a device, the zero Image where there is none yet.
func (s *Service) Image(ctx context.Context, id registry.ID) (dialect.Image, error) {
	if _, err := s.Registry.Device(ctx, id); err != nil {
		return dialect.Image{}, err
	}
	return s.Store.Image(ctx, id)
}

// Told is what became of telling the device of a difference.
type Told struct {
	Delta   []dialect.ImageAttribute
	Outcome string // "" where there is no difference
}

// Change changes attributes for an application and tells the device of the
// difference that there is now. A null takes an attribute away. That the device
// cannot be told is no error: it asks when it is back.
func (s *Service) Change(ctx context.Context, id registry.ID, desired, reported []thing.Argument) (dialect.Image, Told, error) {
	p, err := s.Registry.Product(ctx, id.Product)
	if err != nil {
		return dialect.Image{}, Told{}, err
	}
	if _, err := s.Registry.Device(ctx, id); err != nil {
		return dialect.Image{}, Told{}, err
	}
	if p.Dialect != "onenet" {
		return dialect.Image{}, Told{}, fault.Conflict("devices of product %q have no image; those of OneNET do", id.Product)
	}
	if len(desired)+len(reported) == 0 {
		return dialect.Image{}, Told{}, fault.In("desired", fault.Invalid("name at least one attribute"))
	}
	change, err := s.change(ctx, id, desired, reported)
	if err != nil {
		return dialect.Image{}, Told{}, asFault(err)
	}
	told := Told{Delta: change.Delta}
	if len(change.Delta) > 0 {
		outcome, _ := s.Teller.Push(ctx, id, func(d dialect.Dialect, c dialect.Claim) []dialect.Downlink {
			if t, ok := d.(dialect.ImageTeller); ok {
				return t.TellImage(c, change)
			}
			return nil
		})
		told.Outcome = outcome.String()
	}
	im, err := s.Store.Image(ctx, id)
	return im, told, err
}

// Delete drops the image of a device; its versions begin anew.
func (s *Service) Delete(ctx context.Context, id registry.ID) error {
	if _, err := s.Registry.Device(ctx, id); err != nil {
		return err
	}
	defer s.lock(id)()
	return s.Store.DeleteImage(ctx, id)
}

func (s *Service) lock(id registry.ID) (unlock func()) {
	l := &s.locks[maphash.Comparable(s.seed, id)%uint64(len(s.locks))]
	l.Lock()
	return l.Unlock
}

func (s *Service) change(ctx context.Context, id registry.ID, desired, reported []thing.Argument) (*dialect.ImageChange, error) {
	defer s.lock(id)()
	im, err := s.Store.Image(ctx, id)
	if err != nil {
		return nil, err
	}
	now := s.Now().UTC().Truncate(time.Second)
	im.Version, im.UpdatedAt = im.Version+1, now
	im.Desired, im.Reported = merge(im.Desired, desired, now), merge(im.Reported, reported, now)
	if err := fits(&im); err != nil {
		return nil, err
	}
	if err := s.Store.SaveImage(ctx, id, im); err != nil {
		return nil, err
	}
	named := dialect.Image{Desired: merge(nil, desired, now), Reported: merge(nil, reported, now), Version: im.Version, UpdatedAt: now}
	return &dialect.ImageChange{Changed: named, Delta: Delta(&im)}, nil
}

// merge sets attributes, and takes away those that are null.
func merge(old []dialect.ImageAttribute, set []thing.Argument, now time.Time) []dialect.ImageAttribute {
	all := slices.Clone(old)
	for _, a := range set {
		at, there := slices.BinarySearchFunc(all, a.ID, byName)
		switch {
		case a.Value.Shape == thing.Null:
			if there {
				all = slices.Delete(all, at, at+1)
			}
		case there:
			all[at].Value, all[at].At = a.Value, now
		default:
			all = slices.Insert(all, at, dialect.ImageAttribute{Name: a.ID, Value: a.Value, At: now})
		}
	}
	return all
}

func byName(a dialect.ImageAttribute, name string) int { return strings.Compare(a.Name, name) }

// fits refuses an image that is too large.
func fits(im *dialect.Image) error {
	size := 0
	for _, half := range [][]dialect.ImageAttribute{im.Desired, im.Reported} {
		if len(half) > MaxAttributes {
			return tooLarge(fmt.Sprintf("%d attributes", len(half)), fmt.Sprintf("%d attributes", MaxAttributes))
		}
		for _, a := range half {
			if a.Name == "" || len(a.Name) > maxName {
				return tooLarge(fmt.Sprintf("a name of %d bytes", len(a.Name)), fmt.Sprintf("names of 1 to %d bytes", maxName))
			}
			size += len(a.Name) + len(a.Value.AppendJSON(nil)) + 4
		}
	}
	if size > MaxBytes {
		return tooLarge(fmt.Sprintf("%d bytes", size), fmt.Sprintf("%d bytes", MaxBytes))
	}
	return nil
}

// Delta is what is desired of a device and not reported so.
func Delta(im *dialect.Image) (delta []dialect.ImageAttribute) {
	for _, d := range im.Desired {
		at, there := slices.BinarySearchFunc(im.Reported, d.Name, byName)
		if !there || !same(d.Value, im.Reported[at].Value) {
			delta = append(delta, d)
		}
	}
	return delta
}

// same reports whether two values say the same, however they are written.
func same(a, b thing.Value) bool {
	if a == b {
		return true
	}
	var x, y any
	if json.Unmarshal(a.AppendJSON(nil), &x) != nil || json.Unmarshal(b.AppendJSON(nil), &y) != nil {
		return false
	}
	return reflect.DeepEqual(x, y)
}

func tooLarge(got, most string) error {
	return &dialect.Refusal{Cause: dialect.ErrImageSize, Diagnosis: dialect.Diagnosis{
		Code: "image-size", Field: "state", Received: got, Expected: "at most " + most,
		Sentence:   "the image would have " + got + "; allowed are " + most + ". Nothing was changed",
		SentenceZH: "设备镜像超出限制（" + got + "，最多 " + most + "），未作修改",
		Advice:     "take away attributes that are not needed: set them to null", AdviceZH: "请把不需要的属性设为 null 以删除",
	}}
}

func none() error {
	return &dialect.Refusal{Cause: dialect.ErrNoImage, Diagnosis: dialect.Diagnosis{
		Code: "image-missing", Field: "topic", Received: "image/get", Expected: "image/update first",
		Sentence: "the device has no image yet: nothing was reported and nothing is desired", SentenceZH: "设备尚无镜像：没有上报值，也没有期望值",
		Advice: "publish to image/update first", AdviceZH: "请先发布到 image/update",
	}}
}

// asFault says a refusal to an application.
func asFault(err error) error {
	if r, ok := err.(*dialect.Refusal); ok {
		return fault.In("desired", fault.Invalid("%w", wording.InBoth(r.Sentence, r.SentenceZH)))
	}
	return err
}
