// Package remoteconfig is the remote configuration of a product: one JSON file
// for all its devices, of which the last versions are kept, given to devices
// that ask and pushed to those that shall have it [aliyun-device §4.10]. It
// holds the rules and declares the Store that remembers.
//
// What the file says is between its maker and the devices.
package remoteconfig

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/wording"
)

// The bounds [aliyun-device §4.10].
const (
	MaxBytes = 64 << 10 // of one file
	Keep     = 5        // versions of one product; older ones are forgotten
)

// A Version is one file of a product's configuration.
type Version struct {
	ID        string    `json:"configId"` // 32 hex digits; who knows it may fetch the file
	Product   string    `json:"product"`
	Number    int64     `json:"version"` // 1, 2, 3, …
	Size      int       `json:"size"`
	SHA256    string    `json:"sha256"`
	CreatedAt time.Time `json:"createdAt"`
	Content   []byte    `json:"-"` // of what is listed, empty
}

// A Delivery is how far the configuration has come with a device.
type Delivery struct {
	Product    string    `json:"product"`
	Device     string    `json:"device"`
	ConfigID   string    `json:"configId"`
	State      State     `json:"state"`
	Code       int       `json:"code,omitempty"` // the device's own answer, 200 for success
	Message    string    `json:"message,omitempty"`
	PushedAt   time.Time `json:"pushedAt"`
	AnsweredAt time.Time `json:"answeredAt,omitzero"`
}

// A State is how far a delivery has come.
type State string

// The states.
const (
	Pushed State = "pushed" // the device was told, or will be when it comes back
	Taken  State = "taken"  // the device said yes
	Failed State = "failed" // the device said no, or could not be told
)

// A Store remembers configurations of products that exist and deliveries to
// devices that exist; what is of others it passes over. Where something is not
// there it says ErrNotFound.
type Store interface {
	// SaveConfig keeps a version, and the last keep versions of its product.
	SaveConfig(ctx context.Context, v Version, keep int) error
	Configs(ctx context.Context, product string) ([]Version, error) // newest first, without contents
	Config(ctx context.Context, id string) (Version, error)         // with its content
	ConfigOff(ctx context.Context, product string) (bool, error)
	SetConfigOff(ctx context.Context, product string, off bool) error

	SaveDeliveries(ctx context.Context, all []Delivery) error // one of each device, over the one before
	Delivery(ctx context.Context, id registry.ID) (Delivery, error)
	Deliveries(ctx context.Context, product, after string, limit int) ([]Delivery, error) // in order of devices
}

// ErrNotFound is what a Store says of what it does not have.
var ErrNotFound = errors.New("not found")

// A Teller says something to a device: package command.
type Teller interface {
	Push(ctx context.Context, id registry.ID, say func(dialect.Dialect, dialect.Claim) []dialect.Downlink) (broker.Outcome, error)
}

// Options are what a Service needs.
type Options struct {
	Store    Store
	Registry *registry.Registry
	Dialects dialect.Set
	Teller   Teller
	// Base is where devices fetch files: the path of a file is Base, Path and
	// the version's ID. Firmware reads such addresses with little care: on a
	// port other than 80 it may take the port for a part of the host.
	Base string
	Log  *slog.Logger
	Now  func() time.Time
}

// A Service keeps configurations. Any number of goroutines may use it at once.
type Service struct {
	Options
	last  atomic.Int64 // id of the last message
	saves sync.Mutex   // numbers of versions are given one at a time
}

// New makes a Service.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Service{Options: o}
	s.last.Store(o.Now().UnixMilli())
	return s
}

// stamp is now, as exactly as it is kept.
func (s *Service) stamp() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// product returns a product whose devices know of configurations.
func (s *Service) product(ctx context.Context, key string) (dialect.ConfigTeller, error) {
	p, err := s.Registry.Product(ctx, key)
	if err != nil {
		return nil, err
	}
	speaks, _ := s.Dialects.ByName(p.Dialect)
	teller, ok := speaks.(dialect.ConfigTeller)
	if !ok {
		return nil, fault.Invalid("devices of the dialect %s know no remote configuration", p.Dialect)
	}
	return teller, nil
}

// Save makes content the configuration of a product. Devices learn of it when
// they ask, or by a push.
func (s *Service) Save(ctx context.Context, product string, content []byte) (Version, error) {
	if _, err := s.product(ctx, product); err != nil {
		return Version{}, err
	}
	switch {
	case len(content) > MaxBytes:
		return Version{}, fault.Invalid("the configuration has %d bytes, more than %d", len(content), MaxBytes)
	case !json.Valid(content):
		return Version{}, fault.Invalid("the configuration is not JSON: devices expect a JSON file")
	}
	s.saves.Lock()
	defer s.saves.Unlock()
	all, err := s.Store.Configs(ctx, product)
	if err != nil {
		return Version{}, err
	}
	sum := sha256.Sum256(content)
	id := make([]byte, 16)
	rand.Read(id)
	v := Version{
		ID: hex.EncodeToString(id), Product: product, Number: 1, Size: len(content), SHA256: hex.EncodeToString(sum[:]), CreatedAt: s.stamp(), Content: content,
	}
	if len(all) > 0 {
		v.Number = all[0].Number + 1
	}
	if err := s.Store.SaveConfig(ctx, v, Keep); err != nil {
		return Version{}, err
	}
	v.Content = nil
	return v, nil
}

// Versions returns the kept versions of a product, newest first, and whether
// its devices are given any.
func (s *Service) Versions(ctx context.Context, product string) (all []Version, on bool, err error) {
	if _, err := s.Registry.Product(ctx, product); err != nil {
		return nil, false, err
	}
	off, err := s.Store.ConfigOff(ctx, product)
	if err != nil {
		return nil, false, err
	}
	all, err = s.Store.Configs(ctx, product)
	return all, !off, err
}

// Content returns a version of a product with its content: the newest where
// number is 0.
func (s *Service) Content(ctx context.Context, product string, number int64) (Version, error) {
	all, _, err := s.Versions(ctx, product)
	if err != nil {
		return Version{}, err
	}
	at := slices.IndexFunc(all, func(v Version) bool { return number == 0 || v.Number == number })
	if at < 0 && number == 0 {
		return Version{}, fault.NotFound("product %q has no remote configuration", product)
	}
	if at < 0 {
		return Version{}, fault.NotFound("product %q has no version %d of its configuration; the last %d are kept", product, number, Keep)
	}
	return s.Store.Config(ctx, all[at].ID)
}

// Switch gives the devices of a product their configuration, or no longer.
func (s *Service) Switch(ctx context.Context, product string, on bool) error {
	if _, err := s.product(ctx, product); err != nil {
		return err
	}
	return s.Store.SetConfigOff(ctx, product, !on)
}

// Ask gives a device the configuration of its product.
func (s *Service) Ask(ctx context.Context, r *dialect.ConfigGet) (dialect.ConfigFile, error) {
	v, err := s.current(ctx, r.Claim.Product)
	if err != nil {
		return dialect.ConfigFile{}, err
	}
	return s.file(v), nil
}

// current is the version that devices are given.
func (s *Service) current(ctx context.Context, product string) (Version, error) {
	off, err := s.Store.ConfigOff(ctx, product)
	if err != nil {
		return Version{}, err
	}
	if off {
		return Version{}, switchedOff()
	}
	all, err := s.Store.Configs(ctx, product)
	if err != nil {
		return Version{}, err
	}
	if len(all) == 0 {
		return Version{}, nothingThere()
	}
	return all[0], nil
}

// Path is where the file of a version begins, behind Base.
const Path = "/remoteconfig/"

func (s *Service) file(v Version) dialect.ConfigFile {
	return dialect.ConfigFile{ID: v.ID, Size: v.Size, SHA256: v.SHA256, URL: s.Base + Path + v.ID}
}

// A Result is what came of a push.
type Result struct {
	ConfigID string `json:"configId"`
	Told     int    `json:"told" doc:"Devices that were told"`
	Queued   int    `json:"queued" doc:"Devices that are away and are told when they come back"`
	Missed   int    `json:"missed" doc:"Devices that could not be told; they may ask"`
}

// pageSize is how many devices are told between two writes.
const pageSize = registry.MaxLimit

// PushAll tells all enabled devices of a product of its configuration.
func (s *Service) PushAll(ctx context.Context, product string) (Result, error) {
	teller, v, err := s.ready(ctx, product)
	if err != nil {
		return Result{}, err
	}
	result := Result{ConfigID: v.ID}
	q := registry.DeviceQuery{Product: product, Limit: pageSize}
	for {
		page, next, err := s.Registry.Devices(ctx, q)
		if err != nil {
			return result, err
		}
		var all []Delivery
		for i := range page {
			if page[i].Enabled {
				all = append(all, s.push(ctx, teller, page[i].ID(), v, &result))
			}
		}
		if err := s.Store.SaveDeliveries(ctx, all); err != nil || next == "" {
			return result, err
		}
		q.After = next
	}
}

// PushOne tells one device of the configuration of its product.
func (s *Service) PushOne(ctx context.Context, id registry.ID) (Result, error) {
	teller, v, err := s.ready(ctx, id.Product)
	if err != nil {
		return Result{}, err
	}
	if _, err := s.Registry.Device(ctx, id); err != nil {
		return Result{}, err
	}
	result := Result{ConfigID: v.ID}
	d := s.push(ctx, teller, id, v, &result)
	return result, s.Store.SaveDeliveries(ctx, []Delivery{d})
}

func (s *Service) ready(ctx context.Context, product string) (dialect.ConfigTeller, Version, error) {
	teller, err := s.product(ctx, product)
	if err != nil {
		return nil, Version{}, err
	}
	v, err := s.current(ctx, product)
	if r, ok := errors.AsType[*dialect.Refusal](err); ok {
		err = fault.Conflict("%w", wording.InBoth(r.Sentence+"; "+r.Advice, r.SentenceZH+"，"+r.AdviceZH))
	}
	return teller, v, err
}

func (s *Service) push(ctx context.Context, teller dialect.ConfigTeller, id registry.ID, v Version, result *Result) Delivery {
	d := Delivery{Product: id.Product, Device: id.Device, ConfigID: v.ID, State: Pushed, PushedAt: s.stamp()}
	message := strconv.FormatInt(s.last.Add(1), 10)
	outcome, err := s.Teller.Push(ctx, id, func(_ dialect.Dialect, c dialect.Claim) []dialect.Downlink {
		return teller.TellConfig(c, message, s.file(v))
	})
	switch {
	case err != nil:
		result.Missed++
		d.State, d.Message = Failed, fault.Sentence(err)
	case outcome == broker.Queued:
		result.Queued++
	default:
		result.Told++
	}
	return d
}

// Answered takes what a device says of a push.
func (s *Service) Answered(ctx context.Context, r *dialect.ConfigTaken) (dialect.Done, error) {
	id := registry.ID{Product: r.Claim.Product, Device: r.Claim.Device}
	d, err := s.Store.Delivery(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return dialect.Done{}, nil // it answers what nobody pushed
	}
	if err != nil {
		return dialect.Done{}, err
	}
	d.State, d.Code, d.Message, d.AnsweredAt = Taken, r.Reply.Code, cut(r.Reply.Message), s.stamp()
	if !r.Reply.OK {
		d.State = Failed
	}
	return dialect.Done{}, s.Store.SaveDeliveries(ctx, []Delivery{d})
}

// mostMessage is how many bytes of a device's answer are kept.
const mostMessage = 256

func cut(s string) string {
	if len(s) > mostMessage {
		return s[:mostMessage]
	}
	return s
}

// Deliveries returns how far the configuration has come with the devices of a
// product, in order of their names, and a cursor for the next page.
func (s *Service) Deliveries(ctx context.Context, product, after string, limit int) ([]Delivery, string, error) {
	if _, err := s.Registry.Product(ctx, product); err != nil {
		return nil, "", err
	}
	limit, err := registry.PageSize(limit)
	if err != nil {
		return nil, "", err
	}
	all, err := s.Store.Deliveries(ctx, product, after, limit+1)
	if err != nil || len(all) <= limit {
		return all, "", err
	}
	return all[:limit], all[limit-1].Device, nil
}

func nothingThere() error {
	return &dialect.Refusal{Cause: dialect.ErrNoConfig, Diagnosis: dialect.Diagnosis{
		Code: "config-none", Field: "params", Expected: "a product with a configuration",
		Sentence: "the product has no remote configuration", SentenceZH: "该产品没有远程配置",
		Advice: "give it one with matou product config upload", AdviceZH: "请用 matou product config upload 上传配置",
	}}
}

func switchedOff() error {
	return &dialect.Refusal{Cause: dialect.ErrConfigOff, Diagnosis: dialect.Diagnosis{
		Code: "config-off", Field: "params", Expected: "a product whose configuration is switched on",
		Sentence: "remote configuration is switched off for the product", SentenceZH: "该产品的远程配置已关闭",
		Advice: "switch it on with matou product config on", AdviceZH: "请用 matou product config on 开启",
	}}
}
