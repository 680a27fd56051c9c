// Package virtual is a device that a YAML file describes: who it is, where it
// connects, sensors with curves, actuators and services that react, and rules
// such as "the lamp is on when it is dark". A Unit runs it over any transport.
package virtual

import (
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/matou-iot/matou/device/curve"
	"github.com/matou-iot/matou/internal/yamldoc"
	"github.com/matou-iot/matou/mqtt"
)

// A Description is a virtual device as it stands in YAML.
type Description struct {
	Device    Identity             `yaml:"device"`
	Server    Server               `yaml:"server"`
	Module    Module               `yaml:"module"` // what carries the connection; empty: this machine's network
	Model     string               `yaml:"model"`  // file of the product's thing model, for whoever makes the product
	Seed      uint64               `yaml:"seed"`   // of all that is random; 0: 1
	Report    Report               `yaml:"report"`
	Sensors   map[string]*Sensor   `yaml:"sensors"`
	Actuators map[string]*Actuator `yaml:"actuators"`
	Services  map[string]*Service  `yaml:"services"`
	Rules     []*Rule              `yaml:"rules"`

	open Opener // of the files that it names
}

// An Identity is who the device is. What each dialect calls its fields is
// taken: ProductKey and DeviceSecret of Aliyun, product id and key of OneNET.
type Identity struct {
	Dialect string `yaml:"dialect"` // aliyun, onenet or mqtt

	ProductKey string `yaml:"productKey"` // aliyun
	ProductID  string `yaml:"productId"`  // onenet
	Product    string `yaml:"product"`    // mqtt
	DeviceName string `yaml:"deviceName"`

	DeviceSecret string `yaml:"deviceSecret"` // aliyun
	Key          string `yaml:"key"`          // onenet: the device's or the product's
	Secret       string `yaml:"secret"`       // mqtt: the password

	SignMethod    string        `yaml:"signMethod"`    // hmacmd5, hmacsha1, hmacsha256; OneNET: md5, sha1, sha256
	TokenLifetime time.Duration `yaml:"tokenLifetime"` // onenet
	ClientID      string        `yaml:"clientId"`      // aliyun, mqtt
	Username      string        `yaml:"username"`      // mqtt
	Password      string        `yaml:"password"`      // ready-made, in place of a secret
	Topics        string        `yaml:"topics"`        // mqtt: the root of all topics
}

// A Server is where the device connects.
type Server struct {
	URL       string        `yaml:"url"` // mqtt://, mqtts://, ws://, wss://; empty: DefaultURL
	CAFile    string        `yaml:"caFile"`
	Insecure  bool          `yaml:"insecure"` // take any certificate
	KeepAlive time.Duration `yaml:"keepAlive"`
}

// DefaultURL is a broker on the same machine.
var DefaultURL = "mqtt://127.0.0.1:" + strconv.Itoa(mqtt.Port)

// Check tells what is wrong with the address and the keep-alive, by the name of
// the field.
func (s *Server) Check(tell func(field, format string, args ...any)) {
	u, err := url.Parse(s.URL)
	schemes := []string{"mqtt", "tcp", "mqtts", "ssl", "tls", "ws", "wss"}
	if err != nil || u.Hostname() == "" || !slices.Contains(schemes, u.Scheme) {
		tell("url", "%q is no address: write mqtt://host:1883, mqtts://host:8883, ws://host/mqtt or wss://host/mqtt", s.URL)
	} else if n, err := strconv.Atoi(u.Port()); u.Port() != "" && (err != nil || n < 1 || n > 65535) {
		tell("url", "%q: a port is from 1 to 65535", s.URL)
	}
	if s.KeepAlive != 0 && s.KeepAlive < minKeepAlive || s.KeepAlive > maxKeepAlive {
		tell("keepAlive", "%v is not from %v to %v", s.KeepAlive, minKeepAlive, maxKeepAlive)
	}
}

// The bounds of a keep-alive: what MQTT can say [MQTT3 §3.1.2.10], and what
// leaves time for an answer.
const (
	minKeepAlive = 5 * time.Second
	maxKeepAlive = 65535 * time.Second
)

// A Report says when the device reports.
type Report struct {
	Every     time.Duration `yaml:"every"`     // all values, in this interval
	OnChange  bool          `yaml:"onChange"`  // what has changed, at once
	Tolerance float64       `yaml:"tolerance"` // of onChange: smaller differences are none
	Queue     int           `yaml:"queue"`     // reports kept while away
}

// A Sensor is a property that is measured.
type Sensor struct {
	curve.Spec `yaml:",inline"`
}

// An Actuator is a property that sets change.
type Actuator struct {
	Type    string        `yaml:"type"`    // bool, number or text; empty: as initial
	Initial any           `yaml:"initial"` // its value at first
	Low     *float64      `yaml:"low"`     // of a number
	High    *float64      `yaml:"high"`
	Whole   bool          `yaml:"whole"` // a number without fraction
	Texts   []string      `yaml:"texts"` // of a text: those that are taken
	Delay   time.Duration `yaml:"delay"` // how long it takes
	Fails   yamldoc.Share `yaml:"fails"` // how often it does not obey
}

// A Service is something that the device does when it is called.
type Service struct {
	Output map[string]any `yaml:"output"` // "$Times" is what the caller said of Times
	Set    map[string]any `yaml:"set"`    // actuators that change
	Delay  time.Duration  `yaml:"delay"`
	Fails  yamldoc.Share  `yaml:"fails"`
}

// A Rule does something when a condition comes true, and when it ends.
type Rule struct {
	When      string         `yaml:"when"`      // LightLux < 50 and NightLightSwitch == off
	Set       map[string]any `yaml:"set"`       // when it comes true
	Otherwise map[string]any `yaml:"otherwise"` // when it ends
	Event     string         `yaml:"event"`     // told when it comes true
	Output    map[string]any `yaml:"output"`    // of the event; "$Lux" is a value of the device

	cond *Condition
}

// defaultReport is how often a device reports that does not say.
const defaultReport = 5 * time.Second

// maxFile bounds a file that a description names.
const maxFile = curve.MaxFileBytes

// tls is the configuration that the description asks for, nil for none.
func (d *Description) tls() (*tls.Config, error) {
	s := &d.Server
	if s.CAFile == "" && !s.Insecure {
		return nil, nil
	}
	c := &tls.Config{InsecureSkipVerify: s.Insecure}
	if s.CAFile != "" {
		pem, err := d.open(s.CAFile)
		if err != nil {
			return nil, err
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errNoCertificate
		}
	}
	return c, nil
}
