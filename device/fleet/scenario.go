// Package fleet sets thousands of virtual devices to work in one process, as a
// scenario file says: of both vendors and plain MQTT, with values that fit
// their thing models, ramps, reconnect storms and bad networks; and measures
// and judges what comes of it.
//
// What devices do follows from the scenario's seed: who reports what when, who
// is cut off in which storm. A device is a few kilobytes of memory: it has one
// goroutine, which waits for its socket and holds no buffer meanwhile.
package fleet

import (
	"time"

	"github.com/matou-iot/matou/device/curve"
	"github.com/matou-iot/matou/device/virtual"
	"github.com/matou-iot/matou/internal/yamldoc"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/thing"
)

// A Scenario is what a fleet does, as it stands in YAML.
type Scenario struct {
	Name     string         `yaml:"name"`
	Seed     uint64         `yaml:"seed"` // 0: 1
	Server   virtual.Server `yaml:"server"`
	Duration time.Duration  `yaml:"duration"` // while devices report
	Ramp     time.Duration  `yaml:"ramp"`     // the devices are switched on one after another in this time
	Drain    time.Duration  `yaml:"drain"`    // how long the last answers may take; 0: 15s
	Clock    curve.Clock    `yaml:"clock"`    // time of day at which curves begin
	Groups   []*Group       `yaml:"groups"`
	Network  Network        `yaml:"network"`
	Storms   []*Storm       `yaml:"storms"`
	Commands Commands       `yaml:"commands"`
	Backoff  Backoff        `yaml:"reconnect"`
	Expect   Expect         `yaml:"expect"`

	open virtual.Opener
}

// A Group is devices of one product.
type Group struct {
	Name    string `yaml:"name"`
	Dialect string `yaml:"dialect"` // aliyun, onenet or mqtt
	Product string `yaml:"product"` // ProductKey, product id
	Count   int    `yaml:"count"`
	Prefix  string `yaml:"prefix"` // devices are prefix000001 and so on; empty: the group's name and -

	Credentials string `yaml:"credentials"` // CSV with name and secret, as matou device export prints it
	Secret      string `yaml:"secret"`      // of all devices; without it and without credentials a Matou makes them
	SignMethod  string `yaml:"signMethod"`

	Gateway string `yaml:"gateway"` // name of the group whose devices carry these on their connections
	Version string `yaml:"version"` // of MQTT: 3.1, 3.1.1 or 5; empty: 3.1.1

	Model  string                 `yaml:"model"`  // file of the thing model: what values there are
	Values map[string]*curve.Spec `yaml:"values"` // curves in place of what follows from the model
	Report Report                 `yaml:"report"`
	Events map[string]*Event      `yaml:"events"` // what happens to the devices now and then
	Answer Answer                 `yaml:"answer"`

	model    *thing.Model
	modelIs  []byte // the file
	version  mqtt.Version
	gateway  *Group // that of Gateway
	carries  bool   // it is the Gateway of others
	sources  []source
	happens  []happening // by name
	settable []*source   // among sources: what commands may set
	services []service   // of the model
	logins   []Credential
}

// A Report says when the devices of a group report.
type Report struct {
	Every  time.Duration `yaml:"every"`  // 0: 10s
	Jitter yamldoc.Share `yaml:"jitter"` // of the interval
}

// An Event happens to each device of a group, at times without memory.
type Event struct {
	Every  time.Duration          `yaml:"every"`  // mean time between two; 0: 10m
	Values map[string]*curve.Spec `yaml:"values"` // of its output, in place of what follows from the model
}

// An Answer says how devices answer sets and calls.
type Answer struct {
	Delay time.Duration `yaml:"delay"`
	Fails yamldoc.Share `yaml:"fails"`
}

// A Network is what is bad about the connections.
type Network struct {
	Delay    time.Duration `yaml:"delay"`    // one way, both ways
	Jitter   time.Duration `yaml:"jitter"`   // added to the delay, 0 to this
	Loss     yamldoc.Share `yaml:"loss"`     // of segments: TCP sends them again after 200ms, 400ms …
	CutEvery time.Duration `yaml:"cutEvery"` // mean time between breaks of one connection, while devices report
}

// A Storm breaks connections at once; their devices all come back.
type Storm struct {
	At     time.Duration `yaml:"at"`     // after the start
	Share  yamldoc.Share `yaml:"share"`  // of the devices; 0: all
	Within time.Duration `yaml:"within"` // the time in which they break
	Away   time.Duration `yaml:"away"`   // nobody comes back sooner after the break
}

// Commands are what a Matou is asked to have devices do: property sets, and
// calls of the services in their models.
type Commands struct {
	Every    time.Duration `yaml:"every"`    // 0: none
	Services yamldoc.Share `yaml:"services"` // of the commands: calls; 0: sets alone
}

// A Backoff bounds the random wait before a reconnect; the bound doubles with
// each attempt from Min to Max.
type Backoff struct {
	Min time.Duration `yaml:"min"` // 0: 500ms
	Max time.Duration `yaml:"max"` // 0: 30s
	// AtOnce is how many connections are being opened at a time. 0: 256.
	AtOnce int `yaml:"atOnce"`
}

// Expect is what has to be true at the end.
type Expect struct {
	Connected *yamldoc.Share `yaml:"connected"` // devices that are connected at the end
	Answered  *yamldoc.Share `yaml:"answered"`  // posts that were answered
	Commands  *yamldoc.Share `yaml:"commands"`  // commands that were acknowledged
	Lost      *int64         `yaml:"lost"`      // posts that were never answered, at most
	Rejected  *int64         `yaml:"rejected"`  // posts that the cloud did not take, at most
	Refused   *int64         `yaml:"refused"`   // logins, at most
	P50       time.Duration  `yaml:"p50"`       // from sending a post to its answer
	P95       time.Duration  `yaml:"p95"`
	P99       time.Duration  `yaml:"p99"`
	Connect   time.Duration  `yaml:"connectP99"` // from dialling to the subscription
}

// A Credential is what one device signs in with.
type Credential struct{ Name, Secret string }

// The bounds of a scenario.
const (
	MaxDevices   = 200_000
	maxGroups    = 100
	maxStorms    = 100
	minEvery     = 10 * time.Millisecond
	maxDuration  = 30 * 24 * time.Hour
	maxValuesOf  = 200 // of one post
	maxEvents    = 100 // of a group
	defaultEvery = 10 * time.Second
	defaultEvent = 10 * time.Minute
	defaultDrain = 15 * time.Second
	defaultTime  = time.Minute
)
