package ota

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
)

// refusal says what a device did wrong, in both languages.
func refusal(code, field, received, expected, zh string, cause error) error {
	return &dialect.Refusal{
		Diagnosis: dialect.Diagnosis{
			Code: code, Field: field, Received: received, Expected: expected, Sentence: fault.Sentence(cause), SentenceZH: zh,
		},
		Cause: fault.In(field, cause),
	}
}

func noUpgrade(task int64) error {
	return refusal("ota-no-upgrade", "task", strconv.FormatInt(task, 10), "the number that the device was told", "设备没有该升级任务",
		fault.NotFound("the device has no upgrade %d", task))
}

func upgradeOver(t *Task) error {
	return refusal("ota-over", "task", strconv.FormatInt(t.ID, 10), "an upgrade that goes on", "该升级任务当前状态为 "+string(t.State)+"，不可下载或上报",
		fault.Conflict("upgrade %d does not go on: it is %s", t.ID, t.State))
}

// Nothing is the result of what is only reported.
type Nothing struct{}

// Report takes the version that a module of a device runs.
func (s *Service) Report(ctx context.Context, r *dialect.VersionReport) (Nothing, error) {
	return Nothing{}, s.do(ctx, func(t *turn) error { return t.reported(identity(&r.Ask), r.Module, r.Version) })
}

func identity(a *dialect.Ask) registry.ID {
	return registry.ID{Product: a.Claim.Product, Device: a.Claim.Device}
}

// reported draws the conclusions of a version [aliyun-device §4.11].
func (t *turn) reported(id registry.ID, module, version string) error {
	if module == "" || len(module) > maxVersionBytes || version == "" || len(version) > maxVersionBytes {
		return refusal("ota-version", "version", clip(version), "1 to 64 letters, digits, . - or _", "模块名与版本号应为 1 到 64 个字符",
			fault.Invalid("module and version have 1 to 64 characters each"))
	}
	all, err := t.tx.Versions(id.Product, id.Device)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(v ModuleVersion) bool { return v.Module == module })
	if i < 0 && len(all) >= MaxModules {
		return refusal("ota-modules", "module", module, "one of the modules that it has", "一台设备最多上报 "+strconv.Itoa(MaxModules)+" 个模块",
			fault.Exhausted("a device has at most %d modules", MaxModules))
	}
	if i < 0 || all[i].Version != version {
		if err := t.tx.SetVersion(id.Product, id.Device, ModuleVersion{module, version, t.now}); err != nil {
			return err
		}
	}
	task, err := t.openTask(id.Product, id.Device, module)
	switch {
	case err != nil:
		return err
	case task == nil:
		return t.offer(id, module, version)
	case version == task.Version:
		return t.end(task, Succeeded, "", "", "")
	}
	j, err := t.job(task.Job)
	if err != nil {
		return err
	}
	return t.reportedOther(j, task, version)
}

// MaxModules is how many modules one device may report versions of.
const MaxModules = 50

// reportedOther is what a version other than the wanted one means.
func (t *turn) reportedOther(j *Job, task *Task, version string) error {
	switch {
	case task.State == Unconfirmed || task.State == Queued:
		if len(j.Sources) > 0 && !slices.Contains(j.Sources, version) {
			return t.end(task, Canceled, "", "it runs "+version+" now, which the job does not upgrade", "设备当前版本 "+version+" 不在升级范围内")
		}
		changed := task.Source != version
		task.Source = version
		if task.State == Queued && !j.Silent && task.Due.IsZero() {
			task.Due = t.slot(j, t.now)
			changed = true
		}
		if !changed {
			return nil
		}
		return t.save(task)
	case task.Source != "" && version != task.Source:
		return t.fail(j, task, "", "it reports version "+version+", neither the one before nor the new one", "设备上报的版本 "+version+" 既非原版本也非目标版本")
	}
	// It runs the old version still: it began anew and has forgotten.
	task.Source = version
	next := task.NotifiedAt.Add(tellGap)
	switch {
	case j.Silent:
	case !next.After(t.now):
		return t.tell(task)
	case task.State == InProgress: // Due is the end of its time; more progress says that it goes on after all
		task.State, task.Percent, task.StartedAt = Notified, 0, time.Time{}
		task.Due = t.slot(j, next)
	case task.State == Notified && task.Due.IsZero():
		task.Due = t.slot(j, next)
	}
	return t.save(task)
}

// offer gives a device a task of the dynamic jobs that its version fits.
func (t *turn) offer(id registry.ID, module, version string) error {
	for _, jobID := range t.s.agenda.dynamic[id.Product] {
		j, err := t.job(jobID)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if j.State != JobInProgress || j.Module != module || j.Version == version || len(j.Sources) > 0 && !slices.Contains(j.Sources, version) {
			continue
		}
		if had, err := t.had(j, id.Device); err != nil || had {
			if err != nil {
				return err
			}
			continue
		}
		return t.add(j, Candidate{id.Device, version})
	}
	return nil
}

// had reports whether a device was in a job already: once is enough, or one
// that fails would be told for ever.
func (t *turn) had(j *Job, device string) (bool, error) {
	before, err := t.tx.Tasks(TaskQuery{Job: j.ID, Product: j.Product, Device: device, Limit: 1})
	return len(before) > 0, err
}

// Progressed takes how an upgrade goes.
func (s *Service) Progressed(ctx context.Context, p *dialect.UpgradeProgress) (Nothing, error) {
	return Nothing{}, s.do(ctx, func(t *turn) error {
		task, err := t.taskOf(p)
		if err != nil {
			return err
		}
		if p.Done {
			if err := t.tx.SetVersion(task.Product, task.Device, ModuleVersion{task.Module, task.Version, t.now}); err != nil {
				return err
			}
			return t.end(task, Succeeded, "", "", "")
		}
		j, err := t.job(task.Job)
		if err != nil {
			return err
		}
		if p.Code != "" {
			return t.fail(j, task, p.Code, clip(p.Desc), clip(p.DescZH))
		}
		if task.State != InProgress {
			task.State, task.StartedAt, task.Due = InProgress, t.now, time.Time{}
			if j.TimeoutMinutes > 0 {
				task.Due = t.now.Add(time.Duration(j.TimeoutMinutes) * time.Minute)
			}
		}
		task.Percent, task.Desc, task.DescZH, task.Code = min(max(p.Percent, 0), 100), clip(p.Desc), clip(p.DescZH), ""
		return t.save(task)
	})
}

// maxDescBytes bounds what is kept of a device's words.
const maxDescBytes = 512

func clip(s string) string {
	if len(s) > maxDescBytes {
		s = s[:maxDescBytes]
	}
	return s
}

// taskOf is the unfinished task that a progress is of.
func (t *turn) taskOf(p *dialect.UpgradeProgress) (*Task, error) {
	if p.Task != 0 {
		task, err := t.tx.Task(p.Task)
		switch {
		case errors.Is(err, ErrNotFound) || err == nil && task.device() != identity(&p.Ask):
			return nil, noUpgrade(p.Task)
		case err == nil && !task.State.Open():
			return nil, upgradeOver(task)
		}
		return task, err
	}
	task, err := t.openTask(p.Claim.Product, p.Claim.Device, p.Module)
	if err == nil && (task == nil || task.State == Unconfirmed) {
		return nil, refusal("ota-no-upgrade", "module", clip(p.Module), "a module that is being upgraded", "该模块没有进行中的升级任务",
			fault.NotFound("module %.80q has no upgrade under way: the progress is of none", p.Module))
	}
	return task, err
}

// Asked answers a device that asks for an upgrade of a module; nil for none.
func (s *Service) Asked(ctx context.Context, q *dialect.UpgradeQuery) (u *dialect.Upgrade, err error) {
	err = s.do(ctx, func(t *turn) error {
		id := identity(&q.Ask)
		if q.Version != "" {
			if err := t.reported(id, q.Module, q.Version); err != nil {
				return err
			}
		}
		task, err := t.openTask(id.Product, id.Device, q.Module)
		if err != nil || task == nil || task.State == Unconfirmed {
			return err
		}
		if u, err = t.s.upgradeOf(t.tx, task, t.now); err != nil {
			return err
		}
		if task.State == Queued {
			task.State, task.Due = Notified, time.Time{}
		}
		task.NotifiedAt = t.now
		return t.save(task)
	})
	return u, err
}

// Heard takes a device's word that it was told; it changes nothing, for it
// says neither of what nor that the device will do anything.
func (s *Service) Heard(context.Context, *dialect.UpgradeHeard) (Nothing, error) {
	return Nothing{}, nil
}

// Read gives a device a part of a file of its upgrade.
func (s *Service) Read(ctx context.Context, q *dialect.FileRead) (dialect.Block, error) {
	f, err := s.fileOf(ctx, identity(&q.Ask), q.Stream, q.File)
	if err != nil {
		return dialect.Block{}, err
	}
	token := f.SHA256[:32]
	switch {
	case q.Token != "" && q.Token != token:
		return dialect.Block{}, refusal("ota-file-changed", "fileToken", clip(q.Token), token, "文件已更换：请不带 fileToken 从偏移 0 重新下载",
			fault.Conflict("the file is another now: begin from offset 0 without a fileToken"))
	case q.Offset < 0 || q.Offset >= f.Size:
		return dialect.Block{}, refusal("ota-file-offset", "offset", strconv.FormatInt(q.Offset, 10), "0 to "+strconv.FormatInt(f.Size-1, 10), "偏移超出文件长度",
			fault.Invalid("offset %d is not within the file's %d bytes", q.Offset, f.Size))
	case q.Size < 1:
		return dialect.Block{}, refusal("ota-file-size", "size", strconv.FormatInt(q.Size, 10), "256 to 131072", "分片至少一个字节",
			fault.Invalid("a block has at least one byte"))
	}
	file, err := s.content.Open(f.SHA256)
	if err != nil {
		return dialect.Block{}, err
	}
	defer file.Close()
	data := make([]byte, min(q.Size, f.Size-q.Offset, maxBlock))
	if _, err := file.ReadAt(data, q.Offset); err != nil && !errors.Is(err, io.EOF) {
		return dialect.Block{}, err
	}
	return dialect.Block{Data: data, Offset: q.Offset, Length: f.Size, Token: token}, nil
}

// maxBlock bounds a block in bytes, whatever a dialect lets through.
const maxBlock = 128 << 10

// fileOf is a file of an unfinished upgrade of the device.
func (s *Service) fileOf(ctx context.Context, id registry.ID, task, file int64) (f File, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		t, err := tx.Task(task)
		if errors.Is(err, ErrNotFound) || err == nil && t.device() != id {
			return noUpgrade(task)
		}
		if err != nil {
			return err
		}
		f, err = openFile(tx, t, file)
		return err
	})
	return f, err
}

// openFile is a file of a task, counted from 1; the task has to be unfinished.
func openFile(tx Tx, t *Task, file int64) (File, error) {
	if !t.State.Open() || t.State == Unconfirmed {
		return File{}, upgradeOver(t)
	}
	p, err := tx.Package(t.Package)
	if err != nil {
		return File{}, err
	}
	if file < 1 || file > int64(len(p.Files)) {
		return File{}, refusal("ota-no-file", "fileId", strconv.FormatInt(file, 10), "1 to "+strconv.Itoa(len(p.Files)), "升级包没有该文件",
			fault.NotFound("upgrade %d has no file %d", t.ID, file))
	}
	return p.Files[file-1], nil
}
