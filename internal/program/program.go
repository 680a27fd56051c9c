// Package program writes programs for a user's own device: with its login
// computed, its topics and lengths right, and the properties of its thing
// model in place, for several kinds of boards, modules and languages. What a
// person still has to change is said at the top of each, in English and
// Chinese.
//
// It asks nobody anything: a Plan holds all that is known of the device. The
// programs contain the device's password or secret.
package program

import (
	"bytes"
	"embed"
	"errors"
	"go/format"
	"net/netip"
	"strings"
	"text/template"

	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/thing"
)

// A Plan is a device and the way it logs in.
type Plan struct {
	Dialect  string // "aliyun", "onenet" or "mqtt"
	Product  string
	Device   string
	Secret   string // of the device; only programs that sign by themselves hold it
	ClientID string
	Username string
	Password string
	Host     string
	Port     int
	TLS      bool // the login is one for TLS, and Port takes it
	// Authority is the PEM of the authority that signed the server's
	// certificate, for boards that have no files; "" where it is not known.
	Authority string
	Model     *thing.Model // nil for none
}

// A Target is what a program is written for.
type Target struct {
	Name    string `json:"for"`
	Title   string `json:"title"`
	TitleZH string `json:"titleZh"`
	File    string `json:"file"` // what the program is usually called

	template string
	vendor   string // the only dialect it can serve, "" for all
}

// targets in the order in which people meet them.
var targets = []Target{
	{"at", "AT commands for ESP8266 and ESP32, packets as hex", "ESP8266/ESP32 的 AT 指令，报文为十六进制", "esp8266.at.txt", "at.tmpl", ""},
	{"at-mqtt", "AT commands for ESP-AT 2.x with MQTT in the module", "ESP-AT 2.x 模块自带 MQTT 的 AT 指令", "esp-at-mqtt.at.txt", "at-mqtt.tmpl", ""},
	{"at-ec20", "AT commands for Quectel EC20 and its relatives", "移远 EC20 系列的 AT 指令", "ec20.at.txt", "at-ec20.tmpl", ""},
	{"at-nt35e", "AT commands for Lierda NT35E and NT26E", "利尔达 NT35E、NT26E 的 AT 指令", "nt35e.at.txt", "at-nt35e.tmpl", ""},
	{"c", "packets as C arrays, explained byte by byte", "C 数组形式的报文，逐字节注释", "mqtt_packets.h", "c.tmpl", ""},
	{"arduino", "Arduino sketch for ESP8266 and ESP32 with PubSubClient", "ESP8266/ESP32 的 Arduino 程序（PubSubClient）", "device.ino", "arduino.tmpl", ""},
	{"stm32", "STM32 with HAL and an ESP8266 on a UART", "STM32 HAL，串口接 ESP8266", "matou_device.c", "stm32.tmpl", ""},
	{"micropython", "MicroPython with umqtt.simple", "MicroPython（umqtt.simple）", "main.py", "micropython.tmpl", ""},
	{"python", "Python with paho-mqtt", "Python（paho-mqtt）", "device.py", "python.tmpl", ""},
	{"node", "Node.js with MQTT.js", "Node.js（MQTT.js）", "device.js", "node.tmpl", ""},
	{"go", "Go with Matou's own device package", "Go（Matou 的 device 包）", "main.go", "go.tmpl", ""},
}

// Targets lists all there are.
func Targets() []Target { return append([]Target(nil), targets...) }

// Names lists what Write takes.
func Names() []string {
	var all []string
	for _, t := range targets {
		all = append(all, t.Name)
	}
	return all
}

// A Source is source text, ready to be changed at the places it names.
type Source struct {
	Target
	Text string `json:"text"`
}

// ErrTarget says that there is no such target.
var ErrTarget = errors.New("no such target")

//go:embed templates/*.tmpl
var sources embed.FS

// parsed are the templates. Their marks are [[ and ]]: braces are everywhere
// in the programs.
var parsed = template.Must(template.New("").Delims("[[", "]]").Funcs(functions).ParseFS(sources, "templates/*.tmpl"))

// Write writes a program. Its errors are ErrTarget, or name the part of the
// plan that is missing or cannot be said.
func Write(target string, p Plan) (Source, error) {
	for _, t := range targets {
		if t.Name != target {
			continue
		}
		v, err := newView(p)
		if err != nil {
			return Source{}, err
		}
		if err := v.fits(target); err != nil {
			return Source{}, err
		}
		var b bytes.Buffer
		if err := parsed.ExecuteTemplate(&b, t.template, v); err != nil {
			return Source{}, wording.Errorf("write a program for %s: %w", target, err)
		}
		text := b.Bytes()
		if t.Name == "go" {
			if text, err = format.Source(text); err != nil {
				return Source{}, wording.Errorf("write a program for %s: %w", target, err)
			}
		}
		return Source{t, string(text)}, nil
	}
	return Source{}, wording.Errorf("%w: %q; there are %s", ErrTarget, target, strings.Join(Names(), ", "))
}

// local reports whether a host is the machine itself, which a device on the
// network cannot reach.
func local(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && (ip.IsLoopback() || ip.IsUnspecified())
}
