package ota

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
)

// A Task is one device's part in a job.
type Task struct {
	ID         int64     `json:"id"`
	Job        string    `json:"job"`
	Package    string    `json:"package"`
	Product    string    `json:"product"`
	Device     string    `json:"device"`
	Module     string    `json:"module"`
	Source     string    `json:"source,omitempty"` // the version before, "" where the device never said
	Version    string    `json:"version"`          // that it is to have
	Protocol   string    `json:"protocol"`
	State      State     `json:"state"`
	Percent    int       `json:"percent"`
	Code       string    `json:"code,omitempty"` // the device's own of its last failure
	Desc       string    `json:"desc,omitempty"`
	DescZH     string    `json:"descZh,omitempty"`
	Failures   int       `json:"failures,omitempty"`
	CreatedAt  time.Time `json:"createdAt"`
	UpdatedAt  time.Time `json:"updatedAt"`
	NotifiedAt time.Time `json:"notifiedAt,omitzero"`
	StartedAt  time.Time `json:"startedAt,omitzero"` // its first progress
	// Due is when something has to be done about the task: tell the device, tell
	// it again, or give up. Zero: not before the device does something.
	Due time.Time `json:"due,omitzero"`
}

// ID of the task's device.
func (t *Task) device() registry.ID { return registry.ID{Product: t.Product, Device: t.Device} }

// A State is how far a task is, in the vendor's words [aliyun-cloud §2.11].
type State string

// The states of a task. The last four are final.
const (
	Unconfirmed State = "CONFIRM"     // waits until somebody confirms it
	Queued      State = "QUEUED"      // the device was not told yet, or failed and is told again
	Notified    State = "NOTIFIED"    // the device was told
	InProgress  State = "IN_PROGRESS" // the device said how far it is
	Succeeded   State = "SUCCEEDED"   // the device reported the version
	Failed      State = "FAILED"
	TimedOut    State = "TIMED_OUT"
	Canceled    State = "CANCELED"
)

// Open reports whether more will happen.
func (s State) Open() bool {
	return s == Unconfirmed || s == Queued || s == Notified || s == InProgress
}

// ParseState reads a state.
func ParseState(text string) (State, error) {
	all := []State{Unconfirmed, Queued, Notified, InProgress, Succeeded, Failed, TimedOut, Canceled}
	if text != "" && !slices.Contains(all, State(text)) {
		return "", fault.In("state", fault.Invalid("%q is no state of an upgrade: use one of %v", text, all))
	}
	return State(text), nil
}

// Tasks returns tasks in order, and a cursor for the next page, 0 where there
// is none.
func (s *Service) Tasks(ctx context.Context, q TaskQuery) (list []Task, next int64, err error) {
	n, err := registry.PageSize(q.Limit)
	if err != nil {
		return nil, 0, err
	}
	q.Limit = n + 1
	err = s.Store.View(ctx, func(tx Tx) error {
		if q.Job != "" {
			if _, err := s.jobOf(tx, q.Product, q.Job); err != nil {
				return err
			}
		}
		list, err = tx.Tasks(q)
		return err
	})
	if err == nil && len(list) > n {
		list, next = list[:n], list[n-1].ID
	}
	return list, next, err
}

// Versions returns what the modules of a device run.
func (s *Service) Versions(ctx context.Context, id registry.ID) (list []ModuleVersion, err error) {
	if _, err := s.Registry.Device(ctx, id); err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		list, err = tx.Versions(id.Product, id.Device)
		return err
	})
	return list, err
}

// An Action is what a person does to one task.
type Action string

// The actions.
const (
	Confirm    Action = "confirm"
	Retry      Action = "retry"
	CancelTask Action = "cancel"
)

// Act does something to the task of one device and returns it as it is then.
func (s *Service) Act(ctx context.Context, product, job, device string, what Action) (Task, error) {
	var out Task
	err := s.do(ctx, func(t *turn) error {
		j, err := t.jobOf(product, job)
		if err != nil {
			return err
		}
		found, err := t.tx.Tasks(TaskQuery{Job: job, Product: product, Device: device, Limit: 1})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return fault.NotFound("job %s has no device %q", job, device)
		}
		task := &found[0]
		switch what {
		case Confirm:
			err = t.confirm(j, task)
		case Retry:
			err = t.retry(j, task)
		default:
			if !task.State.Open() {
				return fault.Conflict("the upgrade of device %q is over: it is %s", device, task.State)
			}
			err = t.end(task, Canceled, "", "cancelled", "已取消")
		}
		out = *task
		return err
	})
	return out, err
}

// jobOf reads a job that has to be of the product.
func (t *turn) jobOf(product, id string) (*Job, error) {
	j, err := t.job(id)
	if errors.Is(err, ErrNotFound) || err == nil && j.Product != product {
		return nil, fault.NotFound("product %q has no upgrade job %q", product, id)
	}
	return j, err
}

func (t *turn) confirm(j *Job, task *Task) error {
	if task.State != Unconfirmed {
		return fault.Conflict("the upgrade of device %q awaits no confirmation: it is %s", task.Device, task.State)
	}
	task.State = Queued
	t.enqueue(j, task, t.now)
	return t.save(task)
}

// retry begins a task that ended badly again.
func (t *turn) retry(j *Job, task *Task) error {
	if task.State.Open() || task.State == Succeeded {
		return fault.Conflict("the upgrade of device %q did not fail: it is %s", task.Device, task.State)
	}
	if j.State == JobCanceled {
		return fault.Conflict("job %s is cancelled: make another", j.ID)
	}
	other, err := t.openTask(task.Product, task.Device, task.Module)
	if err != nil {
		return err
	}
	if other != nil {
		return fault.Conflict("device %q has another unfinished upgrade of module %s, in job %s", task.Device, task.Module, other.Job)
	}
	if j.State == Completed {
		j.State, j.EndedAt = JobInProgress, time.Time{}
		t.changed[j.ID] = true
		t.after(func() { t.s.opened(j) })
	}
	task.State, task.Percent, task.StartedAt, task.NotifiedAt = Queued, 0, time.Time{}, time.Time{}
	t.enqueue(j, task, t.now)
	return t.save(task)
}

// openTask is the unfinished task of a module, nil for none.
func (t *turn) openTask(product, device, module string) (*Task, error) {
	found, err := t.tx.Tasks(TaskQuery{Product: product, Device: device, Module: module, Open: true, Limit: 1})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// enqueue says when a queued task's device is told: in its turn where it is
// there, otherwise when it comes.
func (t *turn) enqueue(j *Job, task *Task, at time.Time) {
	task.Due = time.Time{}
	if !j.Silent && (at.After(t.now) || t.s.online(task.device())) {
		task.Due = t.slot(j, at)
	}
}

func (t *turn) save(task *Task) error {
	task.UpdatedAt = t.now
	return t.tx.SaveTask(task)
}

// end gives a task its final state.
func (t *turn) end(task *Task, to State, code, en, zh string) error {
	task.State, task.Code, task.Desc, task.DescZH, task.Due = to, code, en, zh, time.Time{}
	if to == Succeeded {
		task.Percent = 100
	}
	t.ended[task.Job] = true
	t.note(task, "ota-"+noteWord[to], "upgrade of module "+task.Module+" to "+task.Version+" "+noteWord[to]+reason(": ", en),
		"模块 "+task.Module+" 升级到 "+task.Version+" "+noteZH[to]+reason("：", zh))
	return t.save(task)
}

func reason(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

var (
	noteWord = map[State]string{Succeeded: "succeeded", Failed: "failed", TimedOut: "timed-out", Canceled: "cancelled", Queued: "retried"}
	noteZH   = map[State]string{Succeeded: "成功", Failed: "失败", TimedOut: "超时", Canceled: "已取消", Queued: "失败，将重试"}
)

// fail ends a task, or has its device told again where the job says so.
func (t *turn) fail(j *Job, task *Task, code, en, zh string) error {
	task.Failures++
	if task.Failures > j.Retries {
		return t.end(task, Failed, code, en, zh)
	}
	task.State, task.Code, task.Desc, task.DescZH = Queued, code, en, zh
	task.Percent, task.StartedAt = 0, time.Time{}
	t.enqueue(j, task, t.now.Add(time.Duration(j.RetryAfterMinutes)*time.Minute))
	t.note(task, "ota-retried", "upgrade of module "+task.Module+" to "+task.Version+" failed and is tried again"+reason(": ", en),
		"模块 "+task.Module+" 升级到 "+task.Version+" "+noteZH[Queued]+reason("：", zh))
	return t.save(task)
}

// online reports whether a device is there.
func (s *Service) online(id registry.ID) bool {
	status, err := s.Registry.Status(context.Background(), id)
	return err == nil && status.State == registry.Online
}
