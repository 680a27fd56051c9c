package ota

import (
	"context"
	"errors"
	"math"
	"net/url"
	"slices"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
)

// A Job puts a package on devices: those that there are now (static), or all
// that report a version that fits, now and later (dynamic).
type Job struct {
	ID      string `json:"id"`
	Product string `json:"product"`
	Package string `json:"package"`
	Module  string `json:"module"`
	Version string `json:"version"` // that devices get
	Plan
	State     JobState  `json:"state"`
	Devices   int       `json:"selected"` // how many devices were selected so far
	CreatedAt time.Time `json:"createdAt"`
	EndedAt   time.Time `json:"endedAt,omitzero"`

	// How far selecting the devices is.
	Filled bool      `json:"-"` // all have a task
	Cursor string    `json:"-"` // the last one looked at
	Seen   int       `json:"-"` // how many were looked at
	Total  int       `json:"-"` // how many there are to look at, for a percentage
	Slot   time.Time `json:"-"` // when the next device may be told
}

// A Plan is how a job goes about it.
type Plan struct {
	Dynamic   bool     `json:"dynamic"`
	LaterOnly bool     `json:"laterOnly,omitempty"` // of a dynamic job: devices that report from now on
	Named     bool     `json:"named,omitempty"`     // only devices that were named, whatever they run
	Percent   float64  `json:"percent,omitempty"`   // of those that fit; 0: all
	Sources   []string `json:"sources,omitempty"`   // only devices that run one of these; none: any
	Protocol  string   `json:"protocol"`            // by which devices fetch it: http or mqtt
	Silent    bool     `json:"silent,omitempty"`    // devices are not told but ask themselves
	Confirm   bool     `json:"confirm,omitempty"`   // each device waits until somebody confirms
	Overwrite bool     `json:"overwrite,omitempty"` // in place of an unfinished upgrade of the module
	// PerMinute is how many devices are told in a minute.
	PerMinute int `json:"perMinute"`
	// Retries is how often a device that failed is told again, RetryAfter how
	// much later. Who timed out is not told again.
	Retries           int       `json:"retries,omitempty"`
	RetryAfterMinutes int       `json:"retryAfterMinutes,omitempty"`
	TimeoutMinutes    int       `json:"timeoutMinutes,omitempty"` // from the first progress on; 0: never
	StartAt           time.Time `json:"startAt,omitzero"`         // zero: at once
}

// A JobState is how far a job is, in the vendor's words [aliyun-cloud §2.11].
type JobState string

// The states of a job.
const (
	Planned       JobState = "PLANNED"
	JobInProgress JobState = "IN_PROGRESS"
	Completed     JobState = "COMPLETED"
	JobCanceled   JobState = "CANCELED"
)

// Open reports whether more will happen.
func (s JobState) Open() bool { return s == Planned || s == JobInProgress }

// The protocols by which devices fetch.
const (
	HTTP = "http"
	MQTT = "mqtt"
)

// The bounds of jobs.
const (
	MaxOpenJobs      = 1000
	MaxNames         = 10_000 // of a job
	MaxSources       = 10
	MaxPerMinute     = 10_000
	MaxRetries       = 5
	maxMinutes       = 1440
	maxAhead         = 30 * 24 * time.Hour
	smallestPercent  = 0.001
	percentPrecision = 1000
)

// checkPlan fills in what was left out and finds what cannot be.
func checkPlan(pl *Plan, p *Package, now time.Time) error {
	if pl.Protocol == "" {
		pl.Protocol = HTTP
	}
	if pl.PerMinute == 0 {
		pl.PerMinute = MaxPerMinute
	}
	if p.Diff() && len(pl.Sources) == 0 {
		pl.Sources = []string{p.Source}
	}
	bad := func(field, format string, args ...any) error { return fault.In(field, fault.Invalid(format, args...)) }
	switch {
	case pl.Percent != 0 && (!(pl.Percent >= smallestPercent) || pl.Percent > 100):
		return bad("percent", "a percentage is from %v to 100", smallestPercent)
	case pl.Percent != 0 && pl.Named:
		return bad("percent", "choose devices by name or by percentage, not by both")
	case pl.Dynamic && (pl.Percent != 0 || pl.Named):
		return bad("dynamic", "a dynamic job takes all devices that fit: leave devices and percent out")
	case pl.LaterOnly && !pl.Dynamic:
		return bad("laterOnly", "laterOnly is for dynamic jobs")
	case len(pl.Sources) > MaxSources:
		return bad("sources", "%d source versions are more than %d", len(pl.Sources), MaxSources)
	case p.Diff() && (len(pl.Sources) != 1 || pl.Sources[0] != p.Source):
		return bad("sources", "the package is a difference from version %s: it fits no other", p.Source)
	case slices.Contains(pl.Sources, p.Version):
		return bad("sources", "devices that run %s have nothing to upgrade", p.Version)
	case pl.Protocol != HTTP && pl.Protocol != MQTT:
		return bad("protocol", "protocol %q is neither http nor mqtt", pl.Protocol)
	case pl.Protocol == MQTT && (len(p.Files) != 1 || p.Size() > MaxMQTTBytes):
		return bad("protocol", "over MQTT goes one file of at most %d bytes: take http", MaxMQTTBytes)
	case pl.PerMinute < 1 || pl.PerMinute > MaxPerMinute:
		return bad("perMinute", "perMinute is from 1 to %d", MaxPerMinute)
	case pl.Retries < 0 || pl.Retries > MaxRetries:
		return bad("retries", "retries are from 0 to %d", MaxRetries)
	case pl.RetryAfterMinutes < 0 || pl.RetryAfterMinutes > maxMinutes:
		return bad("retryAfterMinutes", "retryAfterMinutes is from 0 to %d", maxMinutes)
	case pl.TimeoutMinutes < 0 || pl.TimeoutMinutes > maxMinutes:
		return bad("timeoutMinutes", "timeoutMinutes is from 1 to %d, or 0 for none", maxMinutes)
	case pl.StartAt.After(now.Add(maxAhead)):
		return bad("startAt", "a job starts within 30 days")
	}
	for _, v := range pl.Sources {
		if v == "" || len(v) > maxVersionBytes {
			return bad("sources", "%q is no version", v)
		}
	}
	return nil
}

// Tagged names the devices of a product that have a tag now, NAME or
// NAME=VALUE, for a job that is for a group of devices.
func (s *Service) Tagged(ctx context.Context, product, tag string) (names []string, err error) {
	q := registry.DeviceQuery{Product: product, Tag: tag, Limit: registry.MaxLimit}
	for {
		page, next, err := s.Registry.Devices(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range page {
			names = append(names, page[i].Name)
		}
		switch {
		case len(names) > MaxNames:
			return nil, fault.In("tag", fault.Invalid("more than %d devices have the tag %q: take all, or a percentage", MaxNames, tag))
		case next != "":
			q.After = next
			continue
		case len(names) == 0:
			return nil, fault.In("tag", fault.Invalid("no device of product %q has the tag %q", product, tag))
		}
		return names, nil
	}
}

// CreateJob makes a job for a package: for these devices, or where none are
// named for all that fit. It is durable when CreateJob returns; its devices
// are selected and told from then on.
func (s *Service) CreateJob(ctx context.Context, product, pkg string, plan Plan, names []string) (Job, error) {
	known, err := s.Registry.Product(ctx, product)
	if err != nil {
		return Job{}, err
	}
	if len(names) > MaxNames {
		return Job{}, fault.In("devices", fault.Invalid("%d devices are more than %d: take all, or a percentage", len(names), MaxNames))
	}
	for _, name := range names {
		if _, err := s.Registry.Device(ctx, registry.ID{Product: product, Device: name}); err != nil {
			return Job{}, fault.In("devices", err)
		}
	}
	plan.Named = len(names) > 0
	var j Job
	err = s.do(ctx, func(t *turn) error {
		p, err := s.packageOf(t.tx, product, pkg)
		if err != nil {
			return err
		}
		if err := checkPlan(&plan, p, t.now); err != nil {
			return err
		}
		if plan.Protocol == MQTT && known.Dialect != "aliyun" {
			return fault.In("protocol", fault.Invalid("devices of OneNET fetch over HTTP only: take http"))
		}
		if len(p.Files) != 1 && known.Dialect != "aliyun" {
			return fault.Invalid("devices of OneNET fetch one file: upload the package as one")
		}
		open, err := t.tx.Jobs(JobQuery{Open: true, Limit: MaxOpenJobs})
		if err != nil {
			return err
		}
		if len(open) == MaxOpenJobs {
			return fault.Exhausted("%d jobs are unfinished: cancel some", MaxOpenJobs)
		}
		j = Job{
			ID: newID(t.now), Product: product, Package: p.ID, Module: p.Module, Version: p.Version, Plan: plan,
			State: JobInProgress, CreatedAt: t.now, Filled: plan.LaterOnly,
		}
		if plan.StartAt.After(t.now) {
			j.State = Planned
		}
		if err := t.tx.InsertJob(&j, names); err != nil {
			return err
		}
		t.after(func() { s.opened(&j) })
		return nil
	})
	return j, err
}

// A Progress is a job with the number of its devices in each state, and what
// somebody should know who waits for them.
type Progress struct {
	Job
	States map[State]int  `json:"states"`
	Notes  []dialect.Note `json:"notes,omitempty"`
}

// notes says what may keep a job's devices from fetching.
func (s *Service) notes(j *Job) []dialect.Note {
	u, err := url.Parse(s.URL)
	if err != nil || u.Port() == "" || j.Protocol != HTTP || !j.State.Open() {
		return nil
	}
	return []dialect.Note{{
		Code: "ota-url-port",
		Sentence: "devices are told to fetch from " + s.URL + "; firmware with the vendor's C SDK takes no port in an address: " +
			"listen on port 80 and set ota.url, or let the job go over mqtt",
		SentenceZH: "下载地址为 " + s.URL + "；使用厂商 C SDK 的固件不支持地址中带端口：请监听 80 端口并设置 ota.url，或改用 mqtt 下载",
	}}
}

// Job returns a job and how far it is.
func (s *Service) Job(ctx context.Context, product, id string) (out Progress, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		j, err := s.jobOf(tx, product, id)
		if err != nil {
			return err
		}
		out.Job, out.Notes = *j, s.notes(j)
		out.States, err = tx.CountTasks(id)
		return err
	})
	return out, err
}

func (s *Service) jobOf(tx Tx, product, id string) (*Job, error) {
	j, err := tx.Job(id)
	if errors.Is(err, ErrNotFound) || err == nil && j.Product != product {
		return nil, fault.NotFound("product %q has no upgrade job %q", product, id)
	}
	return j, err
}

// Jobs returns jobs, newest first, and a cursor for the next page.
func (s *Service) Jobs(ctx context.Context, q JobQuery) (list []Progress, next string, err error) {
	if _, err := s.Registry.Product(ctx, q.Product); err != nil {
		return nil, "", err
	}
	n, err := registry.PageSize(q.Limit)
	if err != nil {
		return nil, "", err
	}
	q.Limit = n + 1
	err = s.Store.View(ctx, func(tx Tx) error {
		found, err := tx.Jobs(q)
		if err != nil {
			return err
		}
		if len(found) > n {
			found, next = found[:n], found[n-1].ID
		}
		for _, j := range found {
			states, err := tx.CountTasks(j.ID)
			if err != nil {
				return err
			}
			list = append(list, Progress{Job: j, States: states})
		}
		return nil
	})
	return list, next, err
}

// Cancel ends a job: nobody new is told, and devices that are not done are
// cancelled. One that writes its flash already goes on by itself.
func (s *Service) Cancel(ctx context.Context, product, id string) error {
	return s.do(ctx, func(t *turn) error {
		j, err := t.jobOf(product, id)
		if err != nil {
			return err
		}
		if !j.State.Open() {
			return fault.Conflict("job %s is over: it is %s", id, j.State)
		}
		j.State, j.EndedAt, j.Filled = JobCanceled, t.now, true
		t.changed[id] = true
		t.after(func() { s.closed(j) })
		return t.tx.EndTasks(id, Canceled, "the job was cancelled", "任务已取消", t.now)
	})
}

// quota is how many of total devices a percentage takes: rounded down, and
// one at the least [aliyun-cloud §2.11].
func quota(percent float64, total int) int {
	if percent == 0 || percent >= 100 || total == 0 {
		return total
	}
	thousandths := int64(math.Round(percent * percentPrecision))
	return max(int(int64(total)*thousandths/(100*percentPrecision)), 1)
}

// chosen reports whether the device at place i of total is among n that are
// spread evenly over all.
func chosen(i, n, total int) bool {
	if total <= 0 {
		return false
	}
	return int64(i+1)*int64(n)/int64(total) > int64(i)*int64(n)/int64(total)
}

// upgradeOf is what a device is told.
func (s *Service) upgradeOf(tx Tx, t *Task, now time.Time) (*dialect.Upgrade, error) {
	p, err := tx.Package(t.Package)
	if err != nil {
		return nil, err
	}
	u := &dialect.Upgrade{
		Task: t.ID, Module: p.Module, Version: p.Version, Diff: p.Diff(), Method: p.Method, Extra: string(p.Extra), OverMQTT: t.Protocol == MQTT,
	}
	for i, f := range p.Files {
		file := dialect.UpgradeFile{Name: f.Name, Size: f.Size, MD5: f.MD5, SHA256: f.SHA256}
		if !u.OverMQTT {
			file.URL = s.urls.make(t.ID, i+1, now)
		}
		u.Files = append(u.Files, file)
	}
	return u, nil
}
