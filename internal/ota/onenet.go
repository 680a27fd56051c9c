package ota

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/onenet"
)

// OneNET is the HTTP endpoints by which OneNET's devices report versions, ask
// for upgrades and fetch them [onenet §6.5].
type OneNET struct {
	Service *Service
	// Verify judges the token of a request; nil lets it in.
	Verify func(ctx context.Context, r *http.Request, product, device, token string) (*dialect.Diagnosis, error)
}

// The roots of the endpoints, today's and that of the older host.
const (
	oneNETBase  = "/fuse-ota/{product}/{device}"
	oneNETOlder = "/ota/{product}/{device}"
)

// Register hands the endpoints to a mux.
func (o *OneNET) Register(handle func(pattern string, h http.Handler)) {
	for _, base := range []string{oneNETBase, oneNETOlder} {
		for route, serve := range map[string]func(*call) (int, string){
			"POST " + base + "/version":       o.version,
			"GET " + base + "/check":          o.check,
			"GET " + base + "/{tid}/check":    o.state,
			"POST " + base + "/{tid}/status":  o.status,
			"GET " + base + "/{tid}/download": o.download,
		} {
			handle(route, o.guarded(base == oneNETOlder, serve))
		}
	}
}

// A call is one request of a device.
type call struct {
	w   http.ResponseWriter
	r   *http.Request
	id  registry.ID
	ask dialect.Ask
	tid int64
}

// served is what a handler returns that has answered itself.
const served = -1

// guarded lets in who has the right token, and wraps what serve returns: a
// code and data. All is HTTP 200 [onenet §6.1].
func (o *OneNET) guarded(older bool, serve func(*call) (code int, data string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{w: w, r: r, id: registry.ID{Product: r.PathValue("product"), Device: r.PathValue("device")}}
		c.ask = dialect.Ask{Claim: dialect.Claim{Product: c.id.Product, Device: c.id.Device}, Topic: r.URL.Path}
		code, data := o.admit(c)
		if code == onenet.OTASuccess {
			code, data = serve(c)
		}
		if code == served {
			return
		}
		h := w.Header()
		h.Set("Content-Type", "application/json;charset=UTF-8")
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Headers", "*")
		w.Write(onenet.OTAEnvelope{RequestID: requestID(), Older: older}.Append(nil, code, data))
	})
}

func requestID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// admit finds the device and judges its token.
func (o *OneNET) admit(c *call) (int, string) {
	product, err := o.Service.Registry.Product(c.r.Context(), c.id.Product)
	if err == nil && product.Dialect != "onenet" {
		err = fault.NotFound("product %q is not one of OneNET", c.id.Product)
	}
	if err == nil {
		var d *registry.Device
		if d, err = o.Service.Registry.Device(c.r.Context(), c.id); err == nil && !d.Enabled {
			err = fault.NotFound("device %q is disabled", c.id)
		}
	}
	if err != nil {
		return o.failed(c, err), ""
	}
	if tid := c.r.PathValue("tid"); tid != "" {
		if c.tid, err = strconv.ParseInt(tid, 10, 64); err != nil || c.tid <= 0 {
			return onenet.OTABadRequest, ""
		}
	}
	if o.Verify == nil {
		return onenet.OTASuccess, ""
	}
	why, err := o.Verify(c.r.Context(), c.r, c.id.Product, c.id.Device, c.r.Header.Get("Authorization"))
	switch {
	case err != nil:
		return o.failed(c, err), ""
	case why == nil:
		return onenet.OTASuccess, ""
	}
	o.Service.Trace.Record(trace.Entry{
		Product: c.id.Product, Device: c.id.Device, Kind: trace.Refuse, Direction: "up", Topic: c.r.URL.Path,
		Code: why.Code, Sentence: why.Sentence, SentenceZH: why.SentenceZH, Detail: why,
	})
	if strings.Contains(why.Code, "expired") {
		return onenet.OTAExpired, ""
	}
	return onenet.OTABadToken, ""
}

// failed writes why a request was not served into the timeline, and gives the
// vendor's code for it.
func (o *OneNET) failed(c *call, err error) int {
	e := trace.Entry{
		Product: c.id.Product, Device: c.id.Device, Kind: trace.Fault, Direction: "up", Topic: c.r.URL.Path,
		Code: "onenet-ota-" + string(fault.KindOf(err)), Sentence: fault.Sentence(err), SentenceZH: fault.SentenceZH(err),
	}
	if why, ok := errors.AsType[*dialect.Refusal](err); ok {
		e.Code, e.Sentence, e.SentenceZH, e.Detail = "onenet-"+why.Code, why.Sentence, why.SentenceZH, &why.Diagnosis
	}
	if _, known := o.Service.Registry.Device(c.r.Context(), c.id); known == nil {
		o.Service.Trace.Record(e) // strangers have no timeline of their own
	}
	switch fault.KindOf(err) {
	case fault.KindNotFound:
		if c.tid != 0 {
			return onenet.OTANoTask
		}
		return onenet.OTANoDevice
	case fault.KindConflict:
		return onenet.OTAFinished
	case fault.KindInvalid, fault.KindExhausted:
		return onenet.OTABadRequest
	}
	o.Service.Log.Error("upgrade request failed", "device", c.id.String(), "path", c.r.URL.Path, "error", err)
	return onenet.OTAInternal
}

// body reads what a device sent.
func (c *call) body() []byte {
	b, _ := io.ReadAll(c.r.Body) // what came is judged as it is
	return b
}

// unreadable says that a body or query is not what the endpoint takes.
func (o *OneNET) unreadable(c *call, field, want string) int {
	return o.failed(c, refusal("ota-request", field, clip(c.r.URL.RawQuery), want, "请求参数有误，应为 "+want, fault.Invalid("the request is not what the endpoint takes: %s", want)))
}

func (o *OneNET) version(c *call) (int, string) {
	v, err := onenet.ParseOTAVersions(c.body())
	if err != nil {
		return o.unreadable(c, "body", `{"s_version":"V1.0","f_version":"V1.0"}`), ""
	}
	for module, version := range map[string]string{onenet.OTAMCU: v.MCU, onenet.OTAModule: v.Module} {
		if version == "" {
			continue
		}
		if _, err := o.Service.Report(c.r.Context(), &dialect.VersionReport{Ask: c.ask, Module: module, Version: version}); err != nil {
			return o.failed(c, err), ""
		}
	}
	return onenet.OTASuccess, ""
}

func (o *OneNET) check(c *call) (int, string) {
	q := c.r.URL.Query()
	module, ok := onenet.OTAType(q.Get("type"))
	if !ok {
		return o.unreadable(c, "type", "type=1 or type=2"), ""
	}
	u, err := o.Service.Asked(c.r.Context(), &dialect.UpgradeQuery{Ask: c.ask, Module: module, Version: q.Get("version")})
	if err != nil {
		return o.failed(c, err), ""
	}
	if u == nil || len(u.Files) == 0 {
		return onenet.OTANoTask, ""
	}
	c.tid = u.Task
	task, err := o.task(c)
	if err != nil {
		return o.failed(c, err), ""
	}
	return onenet.OTASuccess, string(onenet.AppendOTATask(nil, onenet.OTATask{
		Target: u.Version, ID: u.Task, Size: u.Files[0].Size, MD5: u.Files[0].MD5, Status: oneNETStatus(task), Diff: u.Diff,
	}))
}

// task is the one that the request names.
func (o *OneNET) task(c *call) (task *Task, err error) {
	err = o.Service.Store.View(c.r.Context(), func(tx Tx) error {
		task, err = tx.Task(c.tid)
		if errors.Is(err, ErrNotFound) || err == nil && task.device() != c.id {
			return noUpgrade(c.tid)
		}
		return err
	})
	return task, err
}

func oneNETStatus(t *Task) int {
	switch t.State {
	case InProgress:
		if t.Percent < 100 {
			return 2
		}
		return 3
	case Succeeded:
		return 4
	case Failed, TimedOut:
		return 5
	case Canceled:
		return 6
	}
	return 1
}

func (o *OneNET) state(c *call) (int, string) {
	task, err := o.task(c)
	if err != nil {
		return o.failed(c, err), ""
	}
	return onenet.OTASuccess, `{"status":` + strconv.Itoa(oneNETStatus(task)) + `}`
}

func (o *OneNET) status(c *call) (int, string) {
	step, err := onenet.ParseOTAStep(c.body())
	if err != nil {
		return o.unreadable(c, "body", `{"step":10}`), ""
	}
	_, err = o.Service.Progressed(c.r.Context(), &dialect.UpgradeProgress{
		Ask: c.ask, Task: c.tid, Percent: step.Percent, Done: step.Done, Code: step.Code, Desc: step.Why, DescZH: step.WhyZH,
	})
	if err != nil {
		return o.failed(c, err), ""
	}
	return onenet.OTASuccess, ""
}

// download gives the file, or the part of it that Range names, with the status
// 200 either way [onenet §6.5].
func (o *OneNET) download(c *call) (int, string) {
	f, err := o.Service.fileOf(c.r.Context(), c.id, c.tid, 1)
	if err != nil {
		return o.failed(c, err), ""
	}
	file, err := o.Service.content.Open(f.SHA256)
	if err != nil {
		return o.failed(c, err), ""
	}
	defer file.Close()
	from, to := onenet.ParseOTARange(c.r.Header.Get("Range"), f.Size)
	h := c.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.FormatInt(to-from, 10))
	h.Set("Content-Disposition", `attachment; filename="`+f.Name+`"`)
	h["Ota-Errno"] = []string{"0"}
	o.Service.Trace.Record(trace.Entry{
		Product: c.id.Product, Device: c.id.Device, Kind: trace.Note, Direction: "up", Topic: c.r.URL.Path, Code: "ota-download",
		Sentence: "GET of the firmware from " + c.r.RemoteAddr, SentenceZH: "从 " + c.r.RemoteAddr + " 下载固件",
		Detail: map[string]any{"task": c.tid, "from": from, "to": to},
	})
	if c.r.Method != http.MethodHead {
		io.Copy(c.w, io.NewSectionReader(file, from, to-from)) // a device that went away asks again
	}
	return served, ""
}
