package fleet

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/device"
	"github.com/matou-iot/matou/device/curve"
	"github.com/matou-iot/matou/device/virtual"
	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/internal/yamldoc"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/onenet"
	"github.com/matou-iot/matou/thing"
)

// Read reads a scenario. Files that it names are opened with open. change,
// which may be nil, may change what was read before it is checked. The error
// tells all mistakes, each with its line, its field and the remedy.
func Read(file string, text []byte, open virtual.Opener, change func(*Scenario)) (*Scenario, error) {
	s := &Scenario{open: open}
	doc, err := yamldoc.Read(file, text, s)
	if err != nil {
		return nil, err
	}
	if change != nil {
		change(s)
	}
	c := checker{Scenario: s, doc: doc, calm: map[string]bool{}}
	for i, w := range s.Storms {
		at := fmt.Sprintf("storms[%d].share", i)
		c.calm[at] = w != nil && w.Share == 0 && doc.Has(at)
	}
	s.fill()
	if s.Name == "" {
		s.Name = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	}
	c.times()
	c.groups()
	c.network()
	c.expectations()
	if err := doc.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Scenario) fill() {
	or := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	if s.Seed == 0 {
		s.Seed = 1
	}
	if s.Server.URL == "" {
		s.Server.URL = virtual.DefaultURL
	}
	or(&s.Duration, defaultTime)
	or(&s.Drain, defaultDrain)
	or(&s.Server.KeepAlive, time.Minute)
	or(&s.Backoff.Min, 500*time.Millisecond)
	or(&s.Backoff.Max, 30*time.Second)
	if s.Backoff.AtOnce == 0 {
		s.Backoff.AtOnce = 256
	}
	for i, g := range s.Groups {
		if g == nil {
			s.Groups[i] = &Group{}
			g = s.Groups[i]
		}
		or(&g.Report.Every, defaultEvery)
		if g.Name == "" {
			g.Name = g.Product
		}
		if g.Prefix == "" {
			g.Prefix = g.Name + "-"
		}
	}
	for i, w := range s.Storms {
		if w == nil {
			s.Storms[i] = &Storm{}
			w = s.Storms[i]
		}
		if w.Share == 0 {
			w.Share = 1
		}
	}
}

type checker struct {
	*Scenario
	doc  *yamldoc.Doc
	calm map[string]bool // storms whose share was written, as 0
}

func (c checker) tell(field, format string, args ...any) { c.doc.Mistake(field, format, args...) }

func (c checker) times() {
	c.Server.Check(func(field, format string, args ...any) { c.tell("server."+field, format, args...) })
	switch {
	case c.Duration > maxDuration:
		c.tell("duration", "%v is longer than %v", c.Duration, maxDuration)
	case c.Ramp > c.Duration:
		c.tell("ramp", "%v is longer than the duration, %v: the last devices would never be switched on", c.Ramp, c.Duration)
	case c.Backoff.Max < c.Backoff.Min:
		c.tell("reconnect.max", "%v is below min, %v", c.Backoff.Max, c.Backoff.Min)
	case c.Backoff.AtOnce < 1 || c.Backoff.AtOnce > 10_000:
		c.tell("reconnect.atOnce", "%d is not from 1 to 10000", c.Backoff.AtOnce)
	case c.Commands.Every > 0 && c.Commands.Every < time.Millisecond:
		c.tell("commands.every", "%v is below 1ms", c.Commands.Every)
	}
	if c.Server.CAFile != "" {
		if _, err := c.open(c.Server.CAFile); err != nil {
			c.tell("server.caFile", "%v", err)
		}
	}
}

func (c checker) network() {
	n := c.Network
	switch {
	case n.Delay > time.Minute:
		c.tell("network.delay", "%v is longer than a minute", n.Delay)
	case n.Jitter > time.Minute:
		c.tell("network.jitter", "%v is longer than a minute", n.Jitter)
	case n.Loss > 0.5:
		c.tell("network.loss", "%v: over such a network no connection lives; 50%% is the most", n.Loss)
	case n.CutEvery > 0 && n.CutEvery < time.Second:
		c.tell("network.cutEvery", "%v is below 1s", n.CutEvery)
	}
	if len(c.Storms) > maxStorms {
		c.tell("storms", "%d storms are more than %d", len(c.Storms), maxStorms)
	}
	for i, w := range c.Storms {
		at := fmt.Sprintf("storms[%d]", i)
		if c.calm[at+".share"] {
			c.tell(at+".share", "a storm that hits nobody is none: leave share out for all devices")
		}
		switch {
		case w.At >= c.Duration:
			c.tell(at+".at", "%v is not before the end, %v", w.At, c.Duration)
		case i > 0 && w.At < c.Storms[i-1].At:
			c.tell(at+".at", "%v is before the storm above it: put them in order", w.At)
		case w.Within > c.Duration:
			c.tell(at+".within", "%v is longer than the duration", w.Within)
		}
	}
}

func (c checker) expectations() {
	for name, most := range map[string]*int64{"lost": c.Expect.Lost, "rejected": c.Expect.Rejected, "refused": c.Expect.Refused} {
		if most != nil && *most < 0 {
			c.tell("expect."+name, "%d is below 0: it is the most that there may be", *most)
		}
	}
}

func (c checker) groups() {
	if len(c.Groups) == 0 {
		c.tell("groups", "a fleet needs groups of devices")
	}
	if len(c.Groups) > maxGroups {
		c.tell("groups", "%d groups are more than %d", len(c.Groups), maxGroups)
		return
	}
	total := 0
	seen := map[string]bool{}
	for i, g := range c.Groups {
		at := fmt.Sprintf("groups[%d]", i)
		c.group(at, g)
		if key := g.Product + "/" + g.Prefix; seen[key] && g.Credentials == "" {
			c.tell(at+".prefix", "another group has devices of these names: give this one a prefix of its own")
		} else {
			seen[key] = true
		}
		total += g.Count
	}
	c.gateways()
	if total > MaxDevices {
		c.tell("groups", "%d devices in all are more than %d: run several processes", total, MaxDevices)
	}
}

func (c checker) group(at string, g *Group) {
	if !slices.Contains(virtual.Dialects, g.Dialect) {
		c.tell(at+".dialect", "%q is none of %s", g.Dialect, strings.Join(virtual.Dialects, ", "))
		return
	}
	if g.Product == "" {
		c.tell(at+".product", "a group needs the key or id of its product")
		return
	}
	for field, name := range map[string]string{"product": g.Product, "prefix": strings.TrimPrefix(g.Prefix, g.Product)} {
		if !inTopics(name) {
			c.tell(at+"."+field, "%q stands in topics and logins: it holds no blanks, slashes, wildcards, quotes, & or |", name)
			return
		}
	}
	switch {
	case g.Credentials != "" && g.Secret != "":
		c.tell(at+".secret", "the devices have credentials already: leave one of the two out")
		return
	case g.Count < 0 || g.Count > MaxDevices:
		c.tell(at+".count", "%d is not from 1 to %d", g.Count, MaxDevices)
		return
	case g.Count == 0 && g.Credentials == "":
		c.tell(at+".count", "how many devices? give count, or credentials")
		return
	case g.Report.Every < minEvery:
		c.tell(at+".report.every", "%v is below %v", g.Report.Every, minEvery)
	case g.Answer.Delay > time.Minute:
		c.tell(at+".answer.delay", "%v is longer than a minute", g.Answer.Delay)
	}
	if g.Credentials != "" {
		if err := c.credentials(g); err != nil {
			c.tell(at+".credentials", "%v", err)
			return
		}
	}
	if g.version = versions[g.Version]; g.version == 0 {
		c.tell(at+".version", "%q is no version of MQTT: it is 3.1, 3.1.1 or 5", g.Version)
	}
	if err := c.signs(g); err != nil {
		c.tell(at+".signMethod", "%v", err)
	}
	c.values(at, g)
}

// versions are those of MQTT, as people write them.
var versions = map[string]mqtt.Version{"": mqtt.V311, "3.1": mqtt.V31, "3.1.1": mqtt.V311, "5": mqtt.V5, "5.0": mqtt.V5}

// inTopics reports whether a name can stand in topics, logins and JSON as it is.
func inTopics(name string) bool {
	return !strings.ContainsAny(name, "/+#&|\"\\") && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' })
}

// signs tries the method of signing with a secret that any vendor takes.
func (c checker) signs(g *Group) error {
	const any44 = "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw="
	_, err := g.Identity(Credential{"device", any44}).Speech(false)
	return err
}

// Identity is who a device of the group is.
func (g *Group) Identity(c Credential) device.Identity {
	switch g.Dialect {
	case "aliyun":
		return device.Aliyun{ProductKey: g.Product, DeviceName: c.Name, DeviceSecret: c.Secret, Method: g.SignMethod}
	case "onenet":
		return device.OneNET{ProductID: g.Product, DeviceName: c.Name, Key: c.Secret, Method: g.SignMethod, Lifetime: maxDuration}
	}
	return device.MQTT{Product: g.Product, DeviceName: c.Name, Secret: c.Secret}
}

// credentials reads a CSV file: columns name and secret, others are passed
// over.
func (c checker) credentials(g *Group) error {
	text, err := c.open(g.Credentials)
	if err != nil {
		return err
	}
	all, err := ReadCredentials(text)
	if err != nil {
		return wording.Errorf("%s: %w", g.Credentials, err)
	}
	if g.Count == 0 {
		g.Count = len(all)
	}
	if g.Count > len(all) {
		return wording.Errorf("%s has %d devices, count is %d", g.Credentials, len(all), g.Count)
	}
	g.logins = all[:g.Count]
	return nil
}

// ReadCredentials reads devices from CSV whose first line names the columns:
// name and secret, others are passed over.
func ReadCredentials(text []byte) ([]Credential, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xEF\xBB\xBF"))))
	r.TrimLeadingSpace, r.ReuseRecord = true, true
	header, err := r.Read()
	if err != nil {
		return nil, errors.New("the first line has to name the columns: name,secret")
	}
	name, secret := slices.Index(header, "name"), slices.Index(header, "secret")
	if name < 0 || secret < 0 {
		return nil, wording.Errorf("the columns are %.60s: there have to be name and secret", strings.Join(header, ", "))
	}
	var all []Credential
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		for i := range record {
			record[i] = unguarded(record[i])
		}
		line, _ := r.FieldPos(0)
		switch {
		case record[name] == "" || record[secret] == "":
			return nil, wording.Errorf("line %d: a device needs name and secret", line)
		case len(all) == MaxDevices:
			return nil, wording.Errorf("more than %d devices", MaxDevices)
		}
		all = append(all, Credential{strings.Clone(record[name]), strings.Clone(record[secret])})
	}
	if len(all) == 0 {
		return nil, errors.New("there are no devices in it")
	}
	return all, nil
}

// unguarded is a cell without the quote that an export puts before what a
// spreadsheet would take for a formula, such as a key that begins with +.
func unguarded(s string) string {
	if rest, ok := strings.CutPrefix(s, "'"); ok {
		if bare := strings.TrimLeft(rest, "'"); bare != "" && strings.IndexByte("=+-@", bare[0]) >= 0 {
			return rest
		}
	}
	return s
}

// values finds what devices of the group report.
func (c checker) values(at string, g *Group) {
	if g.Model != "" {
		text, err := c.open(g.Model)
		if err == nil {
			g.modelIs = text
			g.model, err = ImportModel(g.Dialect, text)
		}
		if err != nil {
			c.tell(at+".model", "%s: %v", g.Model, err)
			return
		}
	}
	good := c.curves(at+".values.", g.Values)
	for id := range g.Values {
		if g.model == nil {
			break
		}
		if _, ok := g.model.Property(id); !ok {
			c.tell(at+".values."+id, "the model has no property %s%s", id, nearest(g.model.NearestProperty(id)))
		}
	}
	c.events(at, g)
	if !good {
		return
	}
	g.services = servicesOf(g.model)
	g.sources = sourcesOf(g.model, g.Values)
	for i := range g.sources {
		s := &g.sources[i]
		if g.model == nil {
			break
		}
		if p, ok := g.model.Property(s.id); ok && p.Access == thing.ReadWrite && s.shape.spec != nil {
			g.settable = append(g.settable, s)
		}
	}
	switch n := len(g.sources); {
	case n == 0:
		c.tell(at, "the devices have nothing to report: give the group a model or values")
	case n > maxValuesOf:
		c.tell(at, "%d values are more than %d", n, maxValuesOf)
	}
}

// curves checks the curves that a scenario gives, and loads their files.
func (c checker) curves(at string, all map[string]*curve.Spec) (good bool) {
	good = true
	for id, s := range all {
		if s == nil {
			s = &curve.Spec{}
			all[id] = s
		}
		right := true
		s.Check(func(field, format string, args ...any) {
			right = false
			c.tell(at+id+"."+field, format, args...)
		})
		if right && s.Curve == "file" {
			content, err := c.open(s.File)
			if err == nil {
				err = s.Load(content)
			}
			if err != nil {
				right = false
				c.tell(at+id+".file", "%v", err)
			}
		}
		good = good && right
	}
	return good
}

// ImportModel reads a thing model in the form of a dialect's vendor.
func ImportModel(dialect string, text []byte) (*thing.Model, error) {
	switch dialect {
	case "aliyun":
		return aliyun.ImportTSL(text)
	case "onenet":
		return onenet.ImportModel(text)
	}
	var m thing.Model
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, err
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return m.Index(), nil
}

// Names are the devices that the group wants, where no credentials say so.
func (g *Group) Names() []string {
	out := make([]string, g.Count)
	for i := range out {
		out[i] = fmt.Sprintf("%s%06d", g.Prefix, i+1)
	}
	return out
}

// ModelText is the file of the group's model, nil for none.
func (g *Group) ModelText() []byte { return g.modelIs }

// ThingModel is what was read from it, nil for none.
func (g *Group) ThingModel() *thing.Model { return g.model }

// HasCredentials reports whether it is known what its devices sign in with.
func (g *Group) HasCredentials() bool { return g.logins != nil || g.Secret != "" }

// SetCredentials says what the devices sign in with, by name; it has to name
// all of them.
func (g *Group) SetCredentials(secrets map[string]string) error {
	logins := make([]Credential, 0, g.Count)
	for _, name := range g.Names() {
		secret, ok := secrets[name]
		if !ok {
			return wording.Errorf("device %s/%s has no secret", g.Product, name)
		}
		logins = append(logins, Credential{name, secret})
	}
	g.logins = logins
	return nil
}

// credentialOf is what the i-th device signs in with.
func (g *Group) credentialOf(i int) Credential {
	if g.logins != nil {
		return g.logins[i]
	}
	return Credential{fmt.Sprintf("%s%06d", g.Prefix, i+1), g.Secret}
}

// Devices counts the devices of all groups.
func (s *Scenario) Devices() (n int) {
	for _, g := range s.Groups {
		n += g.Count
	}
	return n
}
