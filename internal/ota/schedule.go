package ota

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/feed"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/registry"
)

// The waits.
const (
	// afterConnect is how long a device that came online is left to subscribe
	// and to report its versions before it is told of an upgrade.
	afterConnect = 3 * time.Second
	// tellAgain is how long a device that was told and comes online again may
	// take to report its version before it is told again.
	tellAgain = 30 * time.Second
	// tellGap is the least between two times that a device is told because it
	// reports the old version still.
	tellGap = 10 * time.Second
	// untold is how long a device that could not be told is left alone.
	untold = time.Minute
	// storeWait is how long a store that fails is left alone.
	storeWait = time.Second
)

// An agenda is what Run has to do beside what the Store says is due.
type agenda struct {
	fill    []string             // jobs that select devices, in order
	planned map[string]time.Time // jobs that begin later
	dynamic map[string][]string  // dynamic jobs by product, oldest first
	sweep   map[string]int64     // jobs whose parked tasks are looked through, and how far
	own     []*work              // changes that Run itself wants
}

// opened puts a job on the agenda.
func (s *Service) opened(j *Job) {
	switch {
	case j.State == Planned:
		s.agenda.planned[j.ID] = j.StartAt
	case !j.Filled && !slices.Contains(s.agenda.fill, j.ID):
		s.agenda.fill = append(s.agenda.fill, j.ID)
	}
	if j.Dynamic && !slices.Contains(s.agenda.dynamic[j.Product], j.ID) {
		s.agenda.dynamic[j.Product] = append(s.agenda.dynamic[j.Product], j.ID)
	}
	s.count(j.Product, 1)
}

// closed takes a job off the agenda.
func (s *Service) closed(j *Job) {
	is := func(id string) bool { return id == j.ID }
	s.agenda.fill = slices.DeleteFunc(s.agenda.fill, is)
	s.agenda.dynamic[j.Product] = slices.DeleteFunc(s.agenda.dynamic[j.Product], is)
	delete(s.agenda.planned, j.ID)
	delete(s.agenda.sweep, j.ID)
	s.count(j.Product, -1)
}

// Forget drops what belonged to a product that was deleted: its rows went with
// it, its files go now.
func (s *Service) Forget(ctx context.Context, product string) error {
	return s.do(ctx, func(t *turn) error {
		t.after(func() {
			delete(s.agenda.dynamic, product)
			s.count(product, -(*s.active.Load())[product])
			s.sweepAll()
		})
		return nil
	})
}

// count keeps how many jobs of a product are open; the feed reads it.
func (s *Service) count(product string, by int) {
	active := maps.Clone(*s.active.Load())
	if active[product] += by; active[product] <= 0 {
		delete(active, product)
	}
	s.active.Store(&active)
}

// Run makes all changes until ctx is done.
func (s *Service) Run(ctx context.Context) error {
	defer close(s.stopped)
	s.agenda = agenda{planned: make(map[string]time.Time), dynamic: make(map[string][]string), sweep: make(map[string]int64)}
	if err := s.load(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	live := s.Feed.Subscribe(ctx, s.cameOnline, record.StatusChange)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var all []*work
		select {
		case <-ctx.Done():
			return nil
		case w := <-s.queue:
			all = s.more(w)
		case r, ok := <-live.C:
			if !ok {
				return nil
			}
			all = s.arrived(r, live)
		case <-timer.C:
		}
		if s.batch(ctx, all) {
			timer.Reset(s.pause(ctx))
		} else {
			timer.Reset(storeWait)
		}
	}
}

// load reads the agenda out of the Store.
func (s *Service) load(ctx context.Context) error {
	return s.Store.View(ctx, func(tx Tx) error {
		open, err := tx.Jobs(JobQuery{Open: true, Limit: MaxOpenJobs})
		if err != nil {
			return err
		}
		slices.Reverse(open) // oldest first
		for i := range open {
			s.opened(&open[i])
		}
		return nil
	})
}

// cameOnline picks the records of devices that came online whose product has
// an open job.
func (s *Service) cameOnline(r *record.Record) bool {
	return r.Kind == record.StatusChange && string(r.Body) == registry.Online.String() && (*s.active.Load())[r.Product] > 0
}

// more takes what waits with w.
func (s *Service) more(w *work) []*work {
	all := []*work{w}
	for len(all) < batchLength {
		select {
		case w := <-s.queue:
			all = append(all, w)
		default:
			return all
		}
	}
	return all
}

// arrived is what devices that came online are told. Where the feed had to
// drop some, all open jobs look for devices that are there.
func (s *Service) arrived(r feed.Record, live feed.Live) (all []*work) {
	for {
		id := registry.ID{Product: r.Product, Device: r.Device}
		all = append(all, &work{f: func(t *turn) error { return t.cameOnline(id) }})
		if len(all) == batchLength {
			break
		}
		var ok bool
		select {
		case r, ok = <-live.C:
		default:
		}
		if !ok {
			break
		}
	}
	if live.Missed() > 0 {
		all = append(all, &work{f: func(t *turn) error {
			open, err := t.tx.Jobs(JobQuery{Open: true, Limit: MaxOpenJobs})
			for _, j := range open {
				s.agenda.sweep[j.ID] = 0
			}
			return err
		}})
	}
	return all
}

// batch makes changes, and all that is due, in one transaction. It reports
// whether they were kept.
func (s *Service) batch(ctx context.Context, all []*work) (kept bool) {
	all = append(all, s.agenda.own...)
	s.agenda.own = nil
	t := &turn{s: s, now: s.stamp(), jobs: make(map[string]*Job), changed: make(map[string]bool), ended: make(map[string]bool)}
	err := s.Store.Update(context.WithoutCancel(ctx), func(tx Tx) error {
		t.tx = tx
		for _, w := range all {
			if w.err = w.f(t); fault.KindOf(w.err) == fault.KindInternal {
				return w.err
			}
		}
		if err := t.due(); err != nil {
			return err
		}
		if err := t.choose(); err != nil {
			return err
		}
		return t.settle()
	})
	if err != nil {
		s.Log.Error("upgrades: a change was not kept", "error", err)
		for _, w := range all {
			w.err = fault.Unavailable("the upgrade could not be recorded: %w", err)
		}
	} else {
		for _, f := range t.effects {
			f()
		}
	}
	for _, w := range all {
		if w.done != nil {
			close(w.done)
		}
	}
	return err == nil
}

// pause is how long Run has nothing to do by itself.
func (s *Service) pause(ctx context.Context) time.Duration {
	if len(s.agenda.fill) > 0 || len(s.agenda.sweep) > 0 || len(s.agenda.own) > 0 {
		return 0
	}
	var next time.Time
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		next, err = tx.NextDue()
		return err
	})
	if err != nil {
		return storeWait
	}
	for _, at := range s.agenda.planned {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	if next.IsZero() {
		return time.Hour
	}
	return max(next.Sub(s.Now()), 0)
}

// due does what time has brought.
func (t *turn) due() error {
	for id, at := range t.s.agenda.planned {
		if at.After(t.now) {
			continue
		}
		j, err := t.job(id)
		if errors.Is(err, ErrNotFound) {
			t.after(func() { delete(t.s.agenda.planned, id) })
			continue
		}
		if err != nil {
			return err
		}
		j.State = JobInProgress
		t.changed[id] = true
		t.after(func() {
			delete(t.s.agenda.planned, id)
			if !j.Filled {
				t.s.agenda.fill = append(t.s.agenda.fill, id)
			}
		})
	}
	list, err := t.tx.Tasks(TaskQuery{Open: true, DueBy: t.now, Limit: pageLength})
	if err != nil {
		return err
	}
	for i := range list {
		if err := t.taskDue(&list[i]); err != nil {
			return err
		}
	}
	return nil
}

func (t *turn) taskDue(task *Task) error {
	switch task.State {
	case InProgress:
		return t.end(task, TimedOut, "", "the device did not report the version in time", "设备未在规定时间内上报目标版本")
	case Queued, Notified:
		task.Due = time.Time{}
		if !t.s.online(task.device()) {
			return t.save(task) // until it comes online
		}
		return t.tell(task)
	}
	task.Due = time.Time{}
	return t.save(task)
}

// tell marks a device as told and tells it once that is durable.
func (t *turn) tell(task *Task) error {
	u, err := t.s.upgradeOf(t.tx, task, t.now)
	if err != nil {
		return err
	}
	if task.State != InProgress {
		task.State, task.Due = Notified, time.Time{}
	}
	task.NotifiedAt = t.now
	told := *task
	t.after(func() { t.s.push(&told, u) })
	return t.save(task)
}

// push tells a device; where it cannot be told, it is queued again.
func (s *Service) push(task *Task, u *dialect.Upgrade) {
	outcome, err := s.Pusher.Push(context.Background(), task.device(), func(d dialect.Dialect, c dialect.Claim) []dialect.Downlink {
		if up, ok := d.(dialect.Upgrader); ok {
			return up.Upgrade(c, u)
		}
		return nil
	})
	if err == nil {
		return
	}
	id, at := task.ID, task.NotifiedAt
	s.agenda.own = append(s.agenda.own, &work{f: func(t *turn) error {
		task, err := t.tx.Task(id)
		if err != nil || task.State != Notified || !task.NotifiedAt.Equal(at) {
			return ignoreMissing(err)
		}
		task.State = Queued
		if outcome != broker.Offline && outcome != broker.NoSession {
			j, err := t.job(task.Job)
			if err != nil {
				return err
			}
			task.Due = t.slot(j, t.now.Add(untold))
		}
		return t.save(task)
	}})
}

func ignoreMissing(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// cameOnline has a device told that could not be before.
func (t *turn) cameOnline(id registry.ID) error {
	list, err := t.tx.Tasks(TaskQuery{Product: id.Product, Device: id.Device, Open: true, Limit: pageLength})
	if err != nil {
		return err
	}
	for i := range list {
		if err := t.wake(&list[i], afterConnect); err != nil {
			return err
		}
	}
	return nil
}

// wake gives a task whose device is there, and that waits for nothing else, a
// time to be told.
func (t *turn) wake(task *Task, wait time.Duration) error {
	if !task.Due.IsZero() || task.State != Queued && task.State != Notified {
		return nil
	}
	j, err := t.job(task.Job)
	if err != nil {
		return err
	}
	if j.Silent {
		return nil
	}
	if task.State == Notified {
		wait = tellAgain
	}
	task.Due = t.slot(j, t.now.Add(wait))
	return t.save(task)
}

// choose gives a page of devices tasks, and looks through a page of parked
// ones, of the jobs whose turn it is.
func (t *turn) choose() error {
	a := &t.s.agenda
	if len(a.fill) > 0 {
		id := a.fill[0]
		if err := t.fill(id); err != nil {
			return err
		}
		t.after(func() { // the next job's turn
			a.fill = slices.DeleteFunc(a.fill, func(other string) bool { return other == id })
			if j := t.jobs[id]; j != nil && !j.Filled && j.State.Open() {
				a.fill = append(a.fill, id)
			}
		})
	}
	for id, from := range a.sweep {
		list, err := t.tx.Tasks(TaskQuery{Job: id, Open: true, Parked: true, After: from, Limit: pageLength})
		if err != nil {
			return err
		}
		for i := range list {
			if t.s.online(list[i].device()) {
				if err := t.wake(&list[i], 0); err != nil {
					return err
				}
			}
		}
		t.after(func() {
			if len(list) < pageLength {
				delete(a.sweep, id)
			} else {
				a.sweep[id] = list[len(list)-1].ID
			}
		})
		break
	}
	return nil
}

// fill selects a page of a job's devices.
func (t *turn) fill(id string) error {
	j, err := t.job(id)
	if err != nil {
		return ignoreMissing(err)
	}
	if j.Filled || !j.State.Open() {
		return nil
	}
	t.changed[id] = true
	q := CandidateQuery{Product: j.Product, Module: j.Module, Target: j.Version, Sources: j.Sources, After: j.Cursor, Limit: pageLength}
	if j.Named { // who was named is told why not, rather than passed over
		q.Job, q.Target, q.Sources = j.ID, "", nil
	}
	if j.Cursor == "" {
		if j.Total, err = t.tx.CountCandidates(q); err != nil {
			return err
		}
	}
	page, err := t.tx.Candidates(q)
	if err != nil {
		return err
	}
	n := quota(j.Percent, j.Total)
	for _, c := range page {
		had := false
		if j.Dynamic { // one that reported meanwhile
			if had, err = t.had(j, c.Device); err != nil {
				return err
			}
		}
		if !had && (j.Percent == 0 || chosen(j.Seen, n, j.Total)) {
			if err := t.add(j, c); err != nil {
				return err
			}
		}
		j.Seen++
		j.Cursor = c.Device
	}
	if len(page) < pageLength {
		j.Filled, t.ended[id] = true, true
	}
	return nil
}

// add gives a device a task.
func (t *turn) add(j *Job, c Candidate) error {
	task := &Task{
		Job: j.ID, Package: j.Package, Product: j.Product, Device: c.Device, Module: j.Module, Source: c.Version, Version: j.Version,
		Protocol: j.Protocol, State: Queued, CreatedAt: t.now, UpdatedAt: t.now,
	}
	j.Devices++
	t.changed[j.ID] = true
	older, err := t.openTask(j.Product, c.Device, j.Module)
	if err != nil {
		return err
	}
	switch {
	case c.Version == j.Version:
		task.State, task.Percent, task.Desc, task.DescZH = Succeeded, 100, "it ran the version already", "设备已是该版本"
	case len(j.Sources) > 0 && !slices.Contains(j.Sources, c.Version):
		task.State = Canceled
		task.Desc, task.DescZH = "it runs "+known(c.Version)+", which this job does not upgrade", "设备当前版本 "+known(c.Version)+" 不在本任务的升级范围内"
	case older != nil && !j.Overwrite:
		task.State = Canceled
		task.Desc, task.DescZH = "the module has an unfinished upgrade, of job "+older.Job, "该模块有未完成的升级任务 "+older.Job
	case older != nil:
		if err := t.end(older, Canceled, "", "job "+j.ID+" took its place", "被任务 "+j.ID+" 取代"); err != nil {
			return err
		}
		fallthrough
	default:
		if j.Confirm {
			task.State = Unconfirmed
		} else {
			t.enqueue(j, task, t.now)
		}
	}
	if !task.State.Open() {
		t.ended[j.ID] = true
	}
	return t.tx.InsertTask(task)
}

func known(version string) string {
	if version == "" {
		return "an unknown version"
	}
	return version
}
