package virtual

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/matou-iot/matou/device"
	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/internal/yamldoc"
)

var errNoCertificate = errors.New("the file holds no PEM certificate")

// Read reads a description. Files that it names are opened with open: see
// Files. change, which may be nil, may change what was read before it is
// checked. The error tells all mistakes, each with its line, its field and the
// remedy.
func Read(file string, text []byte, open Opener, change func(*Description)) (*Description, error) {
	d := &Description{open: open}
	doc, err := yamldoc.Read(file, text, d)
	if err != nil {
		return nil, err
	}
	if change != nil {
		change(d)
	}
	d.fill()
	c := checker{d, doc}
	c.identity()
	c.server()
	c.module()
	c.report()
	c.sensors()
	c.actuators()
	c.services()
	c.rules()
	if err := doc.Err(); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *Description) fill() {
	if d.Seed == 0 {
		d.Seed = 1
	}
	if d.Report.Every == 0 && !d.Report.OnChange {
		d.Report.Every = defaultReport
	}
	if d.Server.URL == "" {
		d.Server.URL = DefaultURL
	}
	for id, s := range d.Sensors {
		if s == nil {
			d.Sensors[id] = &Sensor{}
		}
	}
	for id, a := range d.Actuators {
		if a == nil {
			d.Actuators[id] = &Actuator{}
		}
	}
	for id, s := range d.Services {
		if s == nil {
			d.Services[id] = &Service{}
		}
	}
}

// A checker finds what cannot be.
type checker struct {
	*Description
	doc *yamldoc.Doc
}

func (c checker) tell(field, format string, args ...any) { c.doc.Mistake(field, format, args...) }

// Dialects are those that a device may speak.
var Dialects = []string{"aliyun", "onenet", "mqtt"}

func (c checker) identity() {
	i := &c.Device
	for name, secret := range map[string]*string{"deviceSecret": &i.DeviceSecret, "key": &i.Key, "secret": &i.Secret, "password": &i.Password} {
		if err := fromEnvironment(secret); err != nil {
			c.tell("device."+name, "%v", err)
		}
	}
	own := map[string][]string{
		"aliyun": {"productKey", "deviceSecret"},
		"onenet": {"productId", "key", "tokenLifetime"},
		"mqtt":   {"product", "secret", "username", "topics"},
	}
	if own[i.Dialect] == nil {
		c.tell("device.dialect", "%q is none of %s", i.Dialect, strings.Join(Dialects, ", "))
		return
	}
	for dialect, fields := range own {
		for _, f := range fields {
			if dialect != i.Dialect && c.doc.Has("device."+f) {
				c.tell("device."+f, "a device that speaks %s has none: it has %s", i.Dialect, strings.Join(own[i.Dialect], ", "))
			}
		}
	}
	if c.doc.Err() != nil {
		return
	}
	if _, err := i.Identity().Speech(false); err != nil {
		c.tell("device", "%v", err)
	}
}

// fromEnvironment puts the value of a variable in place of ${NAME}: a secret
// need not stand in a file.
func fromEnvironment(s *string) error {
	name, ok := strings.CutPrefix(*s, "${")
	if !ok || !strings.HasSuffix(name, "}") {
		return nil
	}
	name = strings.TrimSuffix(name, "}")
	v := os.Getenv(name)
	if v == "" {
		return wording.Errorf("the environment has no %s: export %s=…", name, name)
	}
	*s = v
	return nil
}

// Identity is who the device is, in the words of package device.
func (i *Identity) Identity() device.Identity {
	switch i.Dialect {
	case "aliyun":
		return device.Aliyun{ProductKey: i.ProductKey, DeviceName: i.DeviceName, DeviceSecret: i.DeviceSecret,
			ClientID: i.ClientID, Method: i.SignMethod, Password: i.Password}
	case "onenet":
		return device.OneNET{ProductID: i.ProductID, DeviceName: i.DeviceName, Key: i.Key,
			Method: i.SignMethod, Lifetime: i.TokenLifetime, Token: i.Password}
	}
	secret := i.Secret
	if secret == "" {
		secret = i.Password
	}
	return device.MQTT{Product: i.Product, DeviceName: i.DeviceName, Secret: secret,
		ClientID: i.ClientID, Username: i.Username, Root: i.Topics}
}

// ProductName is the product's key or id, as its dialect calls it.
func (i *Identity) ProductName() *string {
	switch i.Dialect {
	case "aliyun":
		return &i.ProductKey
	case "onenet":
		return &i.ProductID
	}
	return &i.Product
}

// SecretOf is where the device's secret stands.
func (i *Identity) SecretOf() *string {
	switch i.Dialect {
	case "aliyun":
		return &i.DeviceSecret
	case "onenet":
		return &i.Key
	}
	return &i.Secret
}

func (c checker) server() {
	c.Server.Check(func(field, format string, args ...any) { c.tell("server."+field, format, args...) })
	if _, err := c.tls(); err != nil {
		c.tell("server.caFile", "%v", err)
	}
}

func (c checker) report() {
	r := &c.Report
	switch {
	case c.doc.Has("report.every") && r.Every < minEvery:
		c.tell("report.every", "%v is below %v", r.Every, minEvery)
	case r.Tolerance < 0:
		c.tell("report.tolerance", "%v is below 0", r.Tolerance)
	case r.Queue < 0 || r.Queue > maxQueue:
		c.tell("report.queue", "%d is not from 0 to %d", r.Queue, maxQueue)
	case len(c.Sensors)+len(c.Actuators) == 0:
		c.tell("sensors", "the device has nothing to report: give it sensors or actuators")
	}
}

func (c checker) sensors() {
	for _, id := range slices.Sorted(maps.Keys(c.Sensors)) {
		s := c.Sensors[id]
		at := "sensors." + id
		good := true
		s.Check(func(field, format string, args ...any) {
			good = false
			c.tell(at+"."+field, format, args...)
		})
		if !good || s.Curve != "file" {
			continue
		}
		content, err := c.open(s.File)
		if err == nil {
			err = s.Load(content)
		}
		if err != nil {
			c.tell(at+".file", "%v", err)
		}
	}
}

// An Opener reads a file that a description names.
type Opener func(name string) ([]byte, error)

// Files opens files whose names count from dir.
func Files(dir string) Opener {
	return func(name string) ([]byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
		if err == nil && len(b) > maxFile {
			err = wording.Errorf("%s is longer than %d bytes", name, maxFile)
		}
		return b, err
	}
}

// ModelText reads the file of the thing model.
func (d *Description) ModelText() ([]byte, error) { return d.open(d.Model) }

func (c checker) actuators() {
	for _, id := range slices.Sorted(maps.Keys(c.Actuators)) {
		at := "actuators." + id
		if c.Sensors[id] != nil {
			c.tell(at, "%s is a sensor as well: a property is measured or set", id)
		}
		c.Actuators[id].check(func(field, format string, args ...any) { c.tell(at+"."+field, format, args...) })
	}
}

func (c checker) services() {
	for _, id := range slices.Sorted(maps.Keys(c.Services)) {
		c.settings("services."+id+".set", c.Services[id].Set)
	}
}

// settings checks values that actuators are set to.
func (c checker) settings(at string, set map[string]any) {
	for _, id := range slices.Sorted(maps.Keys(set)) {
		a := c.Actuators[id]
		if a == nil {
			c.tell(at+"."+id, "there is no actuator %s%s", id, meant(id, slices.Sorted(maps.Keys(c.Actuators))))
			continue
		}
		if _, err := a.take(native(set[id])); err != nil {
			c.tell(at+"."+id, "%v", err)
		}
	}
}

func meant(id string, known []string) error {
	if near := yamldoc.Nearest(id, known); near != "" {
		return wording.Errorf("; did you mean %s?", near)
	}
	if len(known) == 0 {
		return wording.Errorf(": there are none")
	}
	return wording.Errorf("; there are %s", strings.Join(known, ", "))
}

func (c checker) rules() {
	known := slices.Sorted(maps.Keys(c.Sensors))
	known = append(known, slices.Sorted(maps.Keys(c.Actuators))...)
	for i, r := range c.Rules {
		at := fmt.Sprintf("rules[%d]", i)
		if r == nil || r.When == "" {
			c.tell(at+".when", "a rule needs a condition, for instance when: Lux < 50")
			continue
		}
		cond, err := ParseCondition(r.When)
		if err != nil {
			c.tell(at+".when", "%v", err)
			continue
		}
		for _, name := range cond.Names() {
			if !slices.Contains(known, name) {
				c.tell(at+".when", "the device has no %s%s", name, meant(name, known))
			}
		}
		r.cond = cond
		c.settings(at+".set", r.Set)
		c.settings(at+".otherwise", r.Otherwise)
		switch {
		case len(r.Set)+len(r.Otherwise) == 0 && r.Event == "":
			c.tell(at, "the rule does nothing: give it set, otherwise or event")
		case r.Event == "" && len(r.Output) > 0:
			c.tell(at+".output", "output belongs to an event: name it with event")
		}
	}
}
