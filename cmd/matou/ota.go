package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"
)

type otaCmd struct {
	Package otaPackageCmd `cmd:"" help:"Upload, list and delete packages of firmware."`
	Job     otaJobCmd     `cmd:"" help:"Bring a package to devices, and see how far they are."`
}

type otaPackageCmd struct {
	Add    otaPackageAddCmd    `cmd:"" help:"Upload a package."`
	List   otaPackageListCmd   `cmd:"" help:"List packages."`
	Remove otaPackageRemoveCmd `cmd:"" help:"Delete a package that no job needs."`
}

type otaJobCmd struct {
	Create  otaJobCreateCmd  `cmd:"" help:"Bring a package to devices."`
	List    otaJobListCmd    `cmd:"" help:"List jobs."`
	Show    otaJobShowCmd    `cmd:"" help:"Show a job and how far its devices are."`
	Cancel  otaJobCancelCmd  `cmd:"" help:"Cancel a job, or the upgrade of one device."`
	Confirm otaJobConfirmCmd `cmd:"" help:"Let a device have its upgrade that waits for that."`
	Retry   otaJobRetryCmd   `cmd:"" help:"Upgrade a device again that failed."`
}

// A firmware is a package as the API shows it.
type firmware struct {
	ID      string          `json:"id"`
	Product string          `json:"product"`
	Module  string          `json:"module"`
	Version string          `json:"version"`
	Source  string          `json:"source"`
	Name    string          `json:"name"`
	Desc    string          `json:"desc"`
	Method  string          `json:"method"`
	Extra   json.RawMessage `json:"extra"`
	Files   []struct {
		Name   string `json:"name"`
		Size   int64  `json:"size"`
		MD5    string `json:"md5"`
		SHA256 string `json:"sha256"`
	} `json:"files"`
	CreatedAt time.Time `json:"createdAt"`
}

func (p *firmware) size() (n int64) {
	for _, f := range p.Files {
		n += f.Size
	}
	return n
}

// from is what the package applies to.
func (p *firmware) from() string {
	if p.Source == "" {
		return "any"
	}
	return p.Source
}

func (p *firmware) print(w io.Writer) {
	fields(w, "package", p.ID, "product", p.Product, "module", p.Module, "version", p.Version, "from", p.from(), "name", p.Name, "description", p.Desc,
		"checked by", p.Method, "extra", document(p.Extra), "made", seconds(p.CreatedAt))
	for _, f := range p.Files {
		fields(w, "file", f.Name, "  size", strconv.FormatInt(f.Size, 10), "  md5", f.MD5, "  sha256", f.SHA256)
	}
}

type otaPackageAddCmd struct {
	Product segment  `arg:"" help:"Key of the product."`
	Files   []string `arg:"" help:"The files; most packages have one."`
	Version string   `required:"" help:"Version that devices have behind it." placeholder:"VERSION"`
	Module  string   `help:"Module that it is for; left out, the main firmware." placeholder:"MODULE"`
	Source  string   `help:"Of a difference: the version that it applies to." placeholder:"VERSION"`
	Method  string   `enum:",md5,sha256" default:"" help:"By which devices check it: md5 or sha256; left out, md5." placeholder:"METHOD"`
	Name    string   `help:"What people call it." placeholder:"TEXT"`
	Desc    string   `help:"Description." placeholder:"TEXT"`
	Extra   string   `help:"A JSON object that devices are told with it." placeholder:"JSON"`
	apiFlags
}

func (*otaPackageAddCmd) Help() string {
	return `Examples:
  matou ota package add a1NightLamp lamp-2.0.bin --version 2.0
  matou ota package add a1NightLamp 1to2.diff --version 2.0 --source 1.0 --method sha256
  matou ota package add a1NightLamp mcu.bin --version 7 --module MCU --json`
}

func (c *otaPackageAddCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	about := [][2]string{
		{"version", c.Version}, {"module", c.Module}, {"source", c.Source}, {"method", c.Method}, {"name", c.Name}, {"desc", c.Desc}, {"extra", c.Extra},
	}
	raw, err := r.upload(g, at("products", string(c.Product), "ota", "packages"), about, c.Files)
	if err != nil {
		return err
	}
	return printRaw[firmware](g, r, raw)
}

type otaPackageListCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	Module  string  `help:"Only packages of this module." placeholder:"MODULE"`
	limitFlags
	apiFlags
}

func (*otaPackageListCmd) Help() string {
	return `Examples:
  matou ota package list a1NightLamp
  matou ota package list a1NightLamp --module MCU --json`
}

func (c *otaPackageListCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	p, err := r.list(at("products", string(c.Product), "ota", "packages"), query("module", c.Module), c.Limit)
	if err != nil {
		return err
	}
	header := []string{"PACKAGE", "MODULE", "VERSION", "FROM", "BYTES", "FILES", "MADE", "NAME"}
	return printPage(g, r, p, "no packages", header, func(p *firmware) []string {
		return []string{p.ID, p.Module, p.Version, p.from(), strconv.FormatInt(p.size(), 10), strconv.Itoa(len(p.Files)), seconds(p.CreatedAt), p.Name}
	})
}

type otaPackageRemoveCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	Package segment `arg:"" help:"Id of the package."`
	yesFlag
	apiFlags
}

func (*otaPackageRemoveCmd) Help() string {
	return `A package stays while a job is unfinished that upgrades to it.

Examples:
  matou ota package remove a1NightLamp 0mc3xk9q1abcdefgh
  matou ota package remove a1NightLamp 0mc3xk9q1abcdefgh --yes`
}

func (c *otaPackageRemoveCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	return r.remove(g, c.yesFlag, "Delete the package "+string(c.Package), at("products", string(c.Product), "ota", "packages", string(c.Package)), nil,
		removed{Product: string(c.Product), Package: string(c.Package)})
}

// An upgradeJob is a job as the API shows it.
type upgradeJob struct {
	ID                string         `json:"id"`
	Product           string         `json:"product"`
	Package           string         `json:"package"`
	Module            string         `json:"module"`
	Version           string         `json:"version"`
	Dynamic           bool           `json:"dynamic"`
	Percent           float64        `json:"percent"`
	Sources           []string       `json:"sources"`
	Protocol          string         `json:"protocol"`
	PerMinute         int            `json:"perMinute"`
	Retries           int            `json:"retries"`
	RetryAfterMinutes int            `json:"retryAfterMinutes"`
	TimeoutMinutes    int            `json:"timeoutMinutes"`
	State             string         `json:"state"`
	Selected          int            `json:"selected"`
	States            map[string]int `json:"states"`
	StartAt           time.Time      `json:"startAt"`
	CreatedAt         time.Time      `json:"createdAt"`
	EndedAt           time.Time      `json:"endedAt"`
	Notes             []struct {
		Sentence   string `json:"sentence"`
		SentenceZH string `json:"sentenceZh"`
	} `json:"notes"`
	chinese bool // that notes are written in
}

// stateOrder is how states are listed: as a device goes through them.
var stateOrder = []string{"CONFIRM", "QUEUED", "NOTIFIED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "TIMED_OUT", "CANCELED"}

// progress is how many devices are in each state.
func (j *upgradeJob) progress() string {
	var out []string
	for _, s := range stateOrder {
		if n := j.States[s]; n > 0 {
			out = append(out, strings.ToLower(s)+" "+strconv.Itoa(n))
		}
	}
	return strings.Join(out, ", ")
}

func (j *upgradeJob) kind() string {
	if j.Dynamic {
		return "dynamic"
	}
	return "static"
}

func (j *upgradeJob) print(w io.Writer) {
	percent, timeout, retries := "", "", ""
	if j.Percent > 0 {
		percent = strconv.FormatFloat(j.Percent, 'f', -1, 64) + " %"
	}
	if j.TimeoutMinutes > 0 {
		timeout = count(j.TimeoutMinutes, "minute", "minutes")
	}
	if j.Retries > 0 {
		retries = fmt.Sprintf("%d, after %s", j.Retries, count(j.RetryAfterMinutes, "minute", "minutes"))
	}
	fields(w, "job", j.ID, "product", j.Product, "package", j.Package, "module", j.Module, "version", j.Version, "kind", j.kind(),
		"percent", percent, "sources", strings.Join(j.Sources, " "), "protocol", j.Protocol, "per minute", strconv.Itoa(j.PerMinute),
		"retries", retries, "time-out", timeout, "state", j.State, "devices", strconv.Itoa(j.Selected), "", j.progress(),
		"starts", seconds(j.StartAt), "made", seconds(j.CreatedAt), "ended", seconds(j.EndedAt))
	for _, n := range j.Notes {
		if j.chinese {
			n.Sentence = n.SentenceZH
		}
		fmt.Fprintf(w, "note: %s\n", visible(n.Sentence))
	}
}

type otaJobCreateCmd struct {
	Product    segment       `arg:"" help:"Key of the product."`
	Package    segment       `arg:"" help:"Id of the package."`
	Device     []string      `help:"Name of a device, several times for several; left out, all that fit." placeholder:"NAME"`
	Tag        string        `help:"The devices that have this tag now: NAME or NAME=VALUE." placeholder:"TAG"`
	Percent    float64       `help:"Only this share of the devices that fit." placeholder:"N"`
	Source     []string      `help:"Only devices that run this version, several times for several." placeholder:"VERSION"`
	Dynamic    bool          `help:"Devices that report a version that fits later, too."`
	LaterOnly  bool          `help:"With --dynamic: only those."`
	Protocol   string        `enum:",http,mqtt" default:"" help:"By which devices fetch it: http or mqtt; left out, http." placeholder:"WORD"`
	Silent     bool          `help:"Do not tell the devices: they ask themselves."`
	Confirm    bool          `help:"Each device waits for ota job confirm."`
	Overwrite  bool          `help:"Take the place of unfinished upgrades."`
	PerMinute  int           `help:"Devices that are told in a minute; left out, 10000." placeholder:"N"`
	Retries    int           `help:"How often a device that failed is told again." placeholder:"N"`
	RetryAfter time.Duration `help:"How much later, in whole minutes, such as 10m." placeholder:"DURATION"`
	Timeout    time.Duration `help:"From a device's first progress on, in whole minutes, such as 1h." placeholder:"DURATION"`
	apiFlags
}

func (*otaJobCreateCmd) Help() string {
	return `Examples:
  matou ota job create a1NightLamp 0mc3xk9q1abcdefgh --device lamp01
  matou ota job create a1NightLamp 0mc3xk9q1abcdefgh --percent 5 --per-minute 60 --timeout 1h
  matou ota job create a1NightLamp 0mc3xk9q1abcdefgh --tag floor=3
  matou ota job create a1NightLamp 0mc3xk9q1abcdefgh --dynamic --source 1.0 --retries 2 --retry-after 10m --json`
}

// minutes reads a duration that has to be whole minutes.
func minutes(flag string, d time.Duration) (int, error) {
	if d < 0 || d%time.Minute != 0 {
		return 0, usagef("%s %s is not whole minutes: write for instance 10m", flag, d)
	}
	return int(d / time.Minute), nil
}

func (c *otaJobCreateCmd) Run(g *globals) error {
	after, err := minutes("--retry-after", c.RetryAfter)
	if err != nil {
		return err
	}
	timeout, err := minutes("--timeout", c.Timeout)
	if err != nil {
		return err
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	in := struct {
		Package           string   `json:"package"`
		Devices           []string `json:"devices,omitempty"`
		Tag               string   `json:"tag,omitempty"`
		Percent           float64  `json:"percent,omitempty"`
		Sources           []string `json:"sources,omitempty"`
		Dynamic           bool     `json:"dynamic,omitempty"`
		LaterOnly         bool     `json:"laterOnly,omitempty"`
		Protocol          string   `json:"protocol,omitempty"`
		Silent            bool     `json:"silent,omitempty"`
		Confirm           bool     `json:"confirm,omitempty"`
		Overwrite         bool     `json:"overwrite,omitempty"`
		PerMinute         int      `json:"perMinute,omitempty"`
		Retries           int      `json:"retries,omitempty"`
		RetryAfterMinutes int      `json:"retryAfterMinutes,omitempty"`
		TimeoutMinutes    int      `json:"timeoutMinutes,omitempty"`
	}{
		string(c.Package), c.Device, c.Tag, c.Percent, c.Source, c.Dynamic, c.LaterOnly, c.Protocol, c.Silent, c.Confirm, c.Overwrite, c.PerMinute, c.Retries, after, timeout,
	}
	return printOne[upgradeJob](g, r, "POST", at("products", string(c.Product), "ota", "jobs"), nil, in)
}

type otaJobListCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	Package string  `help:"Only jobs of this package." placeholder:"ID"`
	Open    bool    `help:"Only jobs that are not over."`
	limitFlags
	apiFlags
}

func (*otaJobListCmd) Help() string {
	return `Examples:
  matou ota job list a1NightLamp
  matou ota job list a1NightLamp --open --json`
}

func (c *otaJobListCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	p, err := r.list(at("products", string(c.Product), "ota", "jobs"), query("package", c.Package, "open", asked(c.Open)), c.Limit)
	if err != nil {
		return err
	}
	header := []string{"JOB", "MODULE", "VERSION", "KIND", "STATE", "DEVICES", "MADE", "PROGRESS"}
	return printPage(g, r, p, "no jobs", header, func(j *upgradeJob) []string {
		return []string{j.ID, j.Module, j.Version, j.kind(), j.State, strconv.Itoa(j.Selected), seconds(j.CreatedAt), j.progress()}
	})
}

// An upgrade is one device's part in a job as the API shows it.
type upgrade struct {
	Device    string    `json:"device"`
	Source    string    `json:"source"`
	Version   string    `json:"version"`
	State     string    `json:"state"`
	Percent   int       `json:"percent"`
	Code      string    `json:"code"`
	Desc      string    `json:"desc"`
	DescZH    string    `json:"descZh"`
	UpdatedAt time.Time `json:"updatedAt"`
}

func (u *upgrade) row(chinese bool) []string {
	why := u.Desc
	if chinese {
		why = u.DescZH
	}
	if u.Code != "" {
		why = strings.TrimSpace(u.Code + " " + why)
	}
	return []string{u.Device, u.Source, u.State, strconv.Itoa(u.Percent) + " %", seconds(u.UpdatedAt), why}
}

func (u *upgrade) print(w io.Writer) {
	fields(w, "device", u.Device, "from", u.Source, "to", u.Version, "state", u.State, "percent", strconv.Itoa(u.Percent), "code", u.Code, "description", u.Desc,
		"changed", seconds(u.UpdatedAt))
}

type otaJobShowCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	Job     segment `arg:"" help:"Id of the job."`
	State   string  `help:"Only devices in this state, such as FAILED." placeholder:"STATE"`
	limitFlags
	apiFlags
}

func (*otaJobShowCmd) Help() string {
	return `Examples:
  matou ota job show a1NightLamp 0mc3xk9q1abcdefgh
  matou ota job show a1NightLamp 0mc3xk9q1abcdefgh --state FAILED --limit 0
  matou ota job show a1NightLamp 0mc3xk9q1abcdefgh --json`
}

func (c *otaJobShowCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	path := []string{"products", string(c.Product), "ota", "jobs", string(c.Job)}
	var raw json.RawMessage
	if err := r.call("GET", at(path...), nil, nil, &raw); err != nil {
		return err
	}
	devices, err := r.list(at(append(path, "devices")...), query("state", strings.ToUpper(c.State)), c.Limit)
	if err != nil {
		return err
	}
	if g.JSON {
		return g.emit(struct {
			Job     json.RawMessage `json:"job"`
			Devices page            `json:"devices"`
		}{raw, devices}, nil)
	}
	j := upgradeJob{chinese: g.chinese()}
	if err := r.read(raw, &j); err != nil {
		return err
	}
	j.print(g.Stdout)
	fmt.Fprintln(g.Stdout)
	header := []string{"DEVICE", "FROM", "STATE", "PERCENT", "CHANGED", "WHY"}
	return printPage(g, r, devices, "no devices", header, func(u *upgrade) []string { return u.row(g.chinese()) })
}

type otaJobCancelCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	Job     segment `arg:"" help:"Id of the job."`
	Device  string  `help:"Cancel the upgrade of this device alone." placeholder:"NAME"`
	yesFlag
	apiFlags
}

func (*otaJobCancelCmd) Help() string {
	return `Devices that write their flash already go on by themselves.

Examples:
  matou ota job cancel a1NightLamp 0mc3xk9q1abcdefgh
  matou ota job cancel a1NightLamp 0mc3xk9q1abcdefgh --device lamp01 --yes`
}

func (c *otaJobCancelCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	job := []string{"products", string(c.Product), "ota", "jobs", string(c.Job)}
	if c.Device != "" {
		if err := c.confirm(g, "Cancel the upgrade of "+c.Device); err != nil {
			return err
		}
		return printOne[upgrade](g, r, "POST", at(append(job, "devices", c.Device, "cancel")...), nil, nil)
	}
	if err := c.confirm(g, "Cancel the job "+string(c.Job)+" and the upgrade of all its devices"); err != nil {
		return err
	}
	return printOne[upgradeJob](g, r, "POST", at(append(job, "cancel")...), nil, nil)
}

type otaJobRetryCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	Job     segment `arg:"" help:"Id of the job."`
	Device  string  `arg:"" help:"Name of the device."`
	apiFlags
}

func (*otaJobRetryCmd) Help() string {
	return `Examples:
  matou ota job retry a1NightLamp 0mc3xk9q1abcdefgh lamp01`
}

func (c *otaJobRetryCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	return printOne[upgrade](g, r, "POST", at("products", string(c.Product), "ota", "jobs", string(c.Job), "devices", c.Device, "retry"), nil, nil)
}

type otaJobConfirmCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	Job     segment `arg:"" help:"Id of the job."`
	Device  string  `arg:"" help:"Name of the device."`
	apiFlags
}

func (*otaJobConfirmCmd) Help() string {
	return `Of a job that was made with --confirm: the device is told then, or when it
comes. Those that wait are in state CONFIRM.

Examples:
  matou ota job show a1NightLamp 0mc3xk9q1abcdefgh --state CONFIRM
  matou ota job confirm a1NightLamp 0mc3xk9q1abcdefgh lamp01`
}

func (c *otaJobConfirmCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	return printOne[upgrade](g, r, "POST", at("products", string(c.Product), "ota", "jobs", string(c.Job), "devices", c.Device, "confirm"), nil, nil)
}

// pairsOf is names and values as a query, without those that are empty.
func pairsOf(about [][2]string) url.Values {
	q := url.Values{}
	for _, a := range about {
		if a[1] != "" {
			q.Set(a[0], a[1])
		}
	}
	return q
}
