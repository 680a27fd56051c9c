package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/ota"
	"github.com/matou-iot/matou/internal/registry"
)

// fileBody describes a body that is read as it comes, however large.
func fileBody(o *huma.Operation) {
	file := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	o.SkipValidateBody = true
	o.RequestBody = &huma.RequestBody{
		Required: true,
		Description: "One file as it is; what it is says the query. Or multipart/form-data: fields of the same names first, then one or more files, " +
			"and before a file the fields size, md5 or sha256 that it has to have.",
		Content: map[string]*huma.MediaType{"application/octet-stream": file, "multipart/form-data": file},
	}
}

// uploadPackageInput is a package with a body that is read as it comes.
type uploadPackageInput struct {
	ProductPath
	Version string `query:"version" doc:"That devices have behind it"`
	Module  string `query:"module" doc:"Left out, the main firmware: default"`
	Source  string `query:"source" doc:"Of a difference: the version that it applies to"`
	Method  string `query:"method" doc:"By which devices check it: md5 or sha256. Left out, md5"`
	Name    string `query:"name" doc:"What people call it"`
	Desc    string `query:"desc"`
	Extra   string `query:"extra" doc:"A JSON object that devices are told with it"`
	File    string `query:"file" doc:"Name of the file"`
	Size    int64  `query:"size" minimum:"0" doc:"Bytes that the file has to have; left out, what Content-Length says"`
	MD5     string `query:"md5" doc:"That the file has to have"`
	SHA256  string `query:"sha256" doc:"That the file has to have"`

	r *http.Request
	w http.ResponseWriter
}

// Resolve keeps the request: its body is not read into memory.
func (in *uploadPackageInput) Resolve(ctx huma.Context) []error {
	in.r, in.w = request(ctx)
	return nil
}

// uploadStall is how long an upload may bring nothing.
const uploadStall = time.Minute

// A patient reads a body and lets no peer wait for ever.
type patient struct {
	r       io.Reader
	control *http.ResponseController
}

func (p patient) Read(b []byte) (int, error) {
	p.control.SetReadDeadline(time.Now().Add(uploadStall))
	return p.r.Read(b)
}

func (a *api) uploadPackage(ctx context.Context, in *uploadPackageInput) (*answer[ota.Package], error) {
	control := http.NewResponseController(in.w)
	defer control.SetReadDeadline(time.Time{})
	body := patient{in.r.Body, control}
	kind, params, err := mime.ParseMediaType(in.r.Header.Get("Content-Type"))
	if err == nil && kind == "multipart/form-data" {
		form := multipart.NewReader(body, params["boundary"])
		return a.uploadForm(ctx, in, form)
	}
	u, err := a.OTA.Begin(ctx, in.described())
	if err != nil {
		return nil, err
	}
	defer u.Close()
	want := ota.Want{Size: in.Size, MD5: in.MD5, SHA256: in.SHA256}
	if want.Size == 0 && in.r.ContentLength > 0 {
		want.Size = in.r.ContentLength
	}
	if err := u.File(ctx, in.File, body, want); err != nil {
		return nil, err
	}
	return commit(ctx, u)
}

func (in *uploadPackageInput) described() ota.Package {
	return ota.Package{
		Product: in.Product, Module: in.Module, Version: in.Version, Source: in.Source, Method: in.Method, Name: in.Name, Desc: in.Desc,
		Extra: json.RawMessage(in.Extra),
	}
}

func commit(ctx context.Context, u *ota.Upload) (*answer[ota.Package], error) {
	p, err := u.Commit(ctx)
	if err != nil {
		return nil, err
	}
	return &answer[ota.Package]{Body: p}, nil
}

// The bounds of a form.
const (
	maxFields     = 100
	maxFieldBytes = 8 << 10
)

// uploadForm reads fields and files in the order in which they come.
func (a *api) uploadForm(ctx context.Context, in *uploadPackageInput, form *multipart.Reader) (*answer[ota.Package], error) {
	var u *ota.Upload
	var want ota.Want
	for range maxFields {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			if u == nil {
				return nil, fault.Invalid("the form has no file: send one with a file name, behind the fields")
			}
			return commit(ctx, u)
		}
		if err != nil {
			return nil, fault.Invalid("the form broke off: %v; send it again", err)
		}
		if part.FileName() == "" {
			if err := in.field(part, &want, u != nil); err != nil {
				return nil, err
			}
			continue
		}
		if u == nil {
			if u, err = a.OTA.Begin(ctx, in.described()); err != nil {
				return nil, err
			}
			defer u.Close()
		}
		if err := u.File(ctx, part.FileName(), part, want); err != nil {
			return nil, err
		}
		want = ota.Want{}
	}
	return nil, fault.Invalid("the form has more than %d parts", maxFields)
}

// field reads one field of a form. Those of the package come before its files.
func (in *uploadPackageInput) field(part *multipart.Part, want *ota.Want, begun bool) error {
	name := part.FormName()
	raw, err := io.ReadAll(io.LimitReader(part, maxFieldBytes+1))
	if err != nil || len(raw) > maxFieldBytes {
		return fault.In(name, fault.Invalid("field %q is longer than %d bytes, or broke off", name, maxFieldBytes))
	}
	text := string(raw)
	switch name {
	case "size":
		if want.Size, err = strconv.ParseInt(text, 10, 64); err != nil || want.Size < 1 {
			return fault.In("size", fault.Invalid("size %q is no number of bytes", text))
		}
		return nil
	case "md5":
		want.MD5 = text
		return nil
	case "sha256":
		want.SHA256 = text
		return nil
	}
	to, known := map[string]*string{
		"version": &in.Version, "module": &in.Module, "source": &in.Source, "method": &in.Method, "name": &in.Name, "desc": &in.Desc, "extra": &in.Extra,
	}[name]
	switch {
	case !known:
		return fault.In(name, fault.Invalid("field %q is not known: use version, module, source, method, name, desc, extra, size, md5 or sha256", name))
	case begun:
		return fault.In(name, fault.Invalid("field %q comes behind a file: put the files last", name))
	}
	*to = text
	return nil
}

type listPackagesInput struct {
	ProductPath
	Paging
	Module  string `query:"module"`
	Version string `query:"version"`
}

func (a *api) listPackages(ctx context.Context, in *listPackagesInput) (list[ota.Package], error) {
	items, next, err := a.OTA.Packages(ctx, ota.PackageQuery{Product: in.Product, Module: in.Module, Version: in.Version, Limit: in.Limit, After: in.After})
	return page(items, next), err
}

type packageInput struct {
	ProductPath
	Package string `path:"package"`
}

func (a *api) showPackage(ctx context.Context, in *packageInput) (*ota.Package, error) {
	return a.OTA.Package(ctx, in.Product, in.Package)
}

func (a *api) deletePackage(ctx context.Context, in *packageInput) error {
	return a.OTA.DeletePackage(ctx, in.Product, in.Package)
}

type createUpgradeJobInput struct {
	ProductPath
	Body struct {
		Package           string    `json:"package" doc:"Id of the package"`
		Devices           []string  `json:"devices,omitempty" doc:"DeviceNames; left out, all devices that fit"`
		Tag               string    `json:"tag,omitempty" doc:"The devices that have this tag now, NAME or NAME=VALUE, in place of devices"`
		Percent           float64   `json:"percent,omitempty" doc:"Of the devices that fit: a grey release. Left out, all"`
		Sources           []string  `json:"sources,omitempty" doc:"Only devices that run one of these versions"`
		Dynamic           bool      `json:"dynamic,omitempty" doc:"Devices that report a version that fits later, too"`
		LaterOnly         bool      `json:"laterOnly,omitempty" doc:"Of a dynamic job: only those"`
		Protocol          string    `json:"protocol,omitempty" doc:"By which devices fetch it: http, or mqtt in blocks. Left out, http"`
		Silent            bool      `json:"silent,omitempty" doc:"Devices are not told but ask themselves"`
		Confirm           bool      `json:"confirm,omitempty" doc:"Each device waits until it is confirmed"`
		Overwrite         bool      `json:"overwrite,omitempty" doc:"Take the place of an unfinished upgrade"`
		PerMinute         int       `json:"perMinute,omitempty" doc:"Devices that are told in a minute; left out, 10000"`
		Retries           int       `json:"retries,omitempty" doc:"How often a device that failed is told again"`
		RetryAfterMinutes int       `json:"retryAfterMinutes,omitempty"`
		TimeoutMinutes    int       `json:"timeoutMinutes,omitempty" doc:"From the first progress; left out, never"`
		StartAt           time.Time `json:"startAt,omitzero" doc:"Left out, at once"`
	}
}

func (a *api) createUpgradeJob(ctx context.Context, in *createUpgradeJobInput) (ota.Job, error) {
	b := &in.Body
	if b.Devices != nil && len(b.Devices) == 0 { // a list that came out empty is no wish to take all
		return ota.Job{}, fault.In("devices", fault.Invalid("name at least one device, or leave devices out for all that fit"))
	}
	if b.Tag != "" && len(b.Devices) > 0 {
		return ota.Job{}, fault.In("tag", fault.Invalid("name devices, or a tag that they have, not both"))
	}
	if b.Tag != "" {
		var err error
		if b.Devices, err = a.OTA.Tagged(ctx, in.Product, b.Tag); err != nil {
			return ota.Job{}, err
		}
	}
	return a.OTA.CreateJob(ctx, in.Product, b.Package, ota.Plan{
		Percent: b.Percent, Sources: b.Sources, Dynamic: b.Dynamic, LaterOnly: b.LaterOnly, Protocol: b.Protocol, Silent: b.Silent, Confirm: b.Confirm,
		Overwrite: b.Overwrite, PerMinute: b.PerMinute, Retries: b.Retries, RetryAfterMinutes: b.RetryAfterMinutes, TimeoutMinutes: b.TimeoutMinutes,
		StartAt: b.StartAt,
	}, b.Devices)
}

type listUpgradeJobsInput struct {
	ProductPath
	Paging
	Package string `query:"package" doc:"Only jobs of this package"`
	Open    bool   `query:"open" doc:"Only jobs that are not over"`
}

func (a *api) listUpgradeJobs(ctx context.Context, in *listUpgradeJobsInput) (list[ota.Progress], error) {
	items, next, err := a.OTA.Jobs(ctx, ota.JobQuery{Product: in.Product, Package: in.Package, Open: in.Open, Limit: in.Limit, After: in.After})
	return page(items, next), err
}

// A JobPath names an upgrade job.
type JobPath struct {
	ProductPath
	Job string `path:"job"`
}

func (a *api) showUpgradeJob(ctx context.Context, in *JobPath) (ota.Progress, error) {
	return a.OTA.Job(ctx, in.Product, in.Job)
}

func (a *api) cancelUpgradeJob(ctx context.Context, in *JobPath) (ota.Progress, error) {
	if err := a.OTA.Cancel(ctx, in.Product, in.Job); err != nil {
		return ota.Progress{}, err
	}
	return a.OTA.Job(ctx, in.Product, in.Job)
}

type listUpgradesInput struct {
	JobPath
	Paging
	State  string `query:"state" doc:"CONFIRM, QUEUED, NOTIFIED, IN_PROGRESS, SUCCEEDED, FAILED, TIMED_OUT or CANCELED"`
	Device string `query:"device" doc:"Only this device"`
}

func (a *api) listUpgrades(ctx context.Context, in *listUpgradesInput) (list[ota.Task], error) {
	state, err := ota.ParseState(in.State)
	if err != nil {
		return list[ota.Task]{}, err
	}
	q := ota.TaskQuery{Job: in.Job, Product: in.Product, Device: in.Device, State: state, Limit: in.Limit}
	if in.After != "" {
		if q.After, err = strconv.ParseInt(in.After, 10, 64); err != nil || q.After < 1 {
			return list[ota.Task]{}, fault.In("after", fault.Invalid("%q is no cursor: take it from the page before", in.After))
		}
	}
	items, next, err := a.OTA.Tasks(ctx, q)
	if err != nil {
		return list[ota.Task]{}, err
	}
	cursor := ""
	if next != 0 {
		cursor = strconv.FormatInt(next, 10)
	}
	return page(items, cursor), nil
}

type actOnUpgradeInput struct {
	JobPath
	Device string `path:"device" doc:"DeviceName"`
	Action string `path:"action" enum:"confirm,retry,cancel"`
}

func (a *api) actOnUpgrade(ctx context.Context, in *actOnUpgradeInput) (ota.Task, error) {
	return a.OTA.Act(ctx, in.Product, in.Job, in.Device, ota.Action(in.Action))
}

type deviceVersionsInput struct {
	ProductPath
	Device string `path:"device" doc:"DeviceName"`
}

func (a *api) deviceVersions(ctx context.Context, in *deviceVersionsInput) (list[ota.ModuleVersion], error) {
	items, err := a.OTA.Versions(ctx, registry.ID{Product: in.Product, Device: in.Device})
	return page(items, ""), err
}
