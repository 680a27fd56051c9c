package test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestDeviceRunWithTLSThroughAModule has the device make TLS itself over the
// plain connections of its module: the certificate is checked against the
// server's authority, and one of an unknown authority is refused.
func TestDeviceRunWithTLSThroughAModule(t *testing.T) {
	const ref = lampProduct + "/" + lampName
	for _, model := range []string{"esp8266", "ec20"} {
		t.Run(model, func(t *testing.T) {
			data := t.TempDir()
			m := start(t, data)
			m.lamp()
			args := []string{model, "--tcp", "127.0.0.1:0", "--speed", "20", "--map", "localhost=" + m.device}
			var more []string
			if model == "esp8266" {
				args = append(args, "--wifi", "home=12345678")
				more = []string{"--ssid", "home", "--wifi-password", "12345678"}
			}
			where, _ := m.module(` at tcp (127\.0\.0\.1:\d+)`, args...)
			run := func(more ...string) *background {
				return m.background(append([]string{"device", "run", "--example", "night-light", "--device-secret", lampSecret,
					"--url", "mqtts://localhost:8883", "--module", model, "--port", "tcp:" + where}, more...)...)
			}
			stranger := run(more...)
			m.await("the refusal of an unknown authority", func() bool {
				return strings.Contains(stranger.stdout.String(), "certificate signed by unknown authority; trying again")
			})
			stranger.Process.Signal(syscall.SIGTERM)
			<-stranger.ended
			b := run(append(more, "--cafile", filepath.Join(data, "tls", "ca.pem"))...)
			m.await("a report of the lamp", func() bool {
				return m.latest(lampProduct, lampName, "CurrentTemperature") != "" || b.stderr.String() != ""
			})
			if out := b.stdout.String(); !strings.Contains(out, "connected to mqtts://localhost:8883 as "+ref) || b.stderr.String() != "" {
				t.Fatalf("%s%s", out, b.stderr.String())
			}
			if out, errs, code := m.cli("device", "set", ref, "NightLightSwitch=1", "--wait", "20s"); code != 0 {
				t.Errorf("set: exit %d %s%s", code, out, errs)
			}
		})
	}
}

// TestDeviceRunThroughAModule runs a description whose packets go through the
// serial line of a module: by flags on an ESP8266's pseudo-terminal, by YAML on
// an EC20's TCP port.
func TestDeviceRunThroughAModule(t *testing.T) {
	const ref = lampProduct + "/" + lampName
	url := "mqtt://" + aliyunHost + ":1883" // a name that only the module finds
	for _, model := range []string{"esp8266", "ec20"} {
		t.Run(model, func(t *testing.T) {
			m := start(t, t.TempDir())
			m.lamp()
			args := []string{"device", "run", "--example", "night-light", "--url", url, "--device-secret", lampSecret}
			if model == "esp8266" {
				link := filepath.Join(t.TempDir(), "esp")
				m.module(`which is (\S+)`, model, "--pty", link, "--speed", "20", "--wifi", "home=12345678", "--map", "*.aliyuncs.com="+m.device)
				args = append(args, "--module", model, "--port", link, "--ssid", "home", "--wifi-password", "12345678")
			} else {
				where, _ := m.module(` at tcp (127\.0\.0\.1:\d+)`, model, "--tcp", "127.0.0.1:0", "--speed", "20", "--map", "*.aliyuncs.com="+m.device)
				text, errs, code := m.cli("device", "run", "--example", "night-light", "--print")
				if code != 0 {
					t.Fatal(errs)
				}
				file := filepath.Join(t.TempDir(), "lamp.yaml")
				text += "\nmodule: {kind: ec20, port: \"tcp:" + where + "\"}\n"
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				args = append([]string{"device", "run", file}, args[4:]...)
			}
			b := m.background(args...)
			m.await("a report of the lamp", func() bool {
				return m.latest(lampProduct, lampName, "CurrentTemperature") != "" || b.stderr.String() != ""
			})
			if out := b.stdout.String(); !strings.Contains(out, "connected to "+url+" as "+ref) || b.stderr.String() != "" {
				t.Fatalf("%s%s", out, b.stderr.String())
			}
			if out, errs, code := m.cli("device", "set", ref, "NightLightSwitch=1", "--wait", "20s"); code != 0 {
				t.Errorf("set: exit %d %s%s", code, out, errs)
			}
		})
	}
}

// TestDeviceRunWhoseModuleGoesAndComesBack: the port of the module vanishes
// and comes back, as when an adapter is pulled and put in again.
func TestDeviceRunWhoseModuleGoesAndComesBack(t *testing.T) {
	const ref = lampProduct + "/" + lampName
	for _, model := range []string{"esp8266", "ec20"} {
		t.Run(model, func(t *testing.T) {
			m := start(t, t.TempDir())
			m.lamp()
			link := filepath.Join(t.TempDir(), "tty")
			args := []string{model, "--pty", link, "--speed", "20", "--map", "localhost=" + m.device}
			more := []string{"--module", model, "--port", link}
			if model == "esp8266" {
				args = append(args, "--wifi", "home=12345678")
				more = append(more, "--ssid", "home", "--wifi-password", "12345678")
			}
			_, unplug := m.module(`which is (\S+)`, args...)
			b := m.background(append([]string{"device", "run", "--example", "night-light", "--device-secret", lampSecret,
				"--url", "mqtt://localhost:1883"}, more...)...)
			said := func(what string, times int) func() bool {
				return func() bool { return strings.Count(b.stdout.String(), what) >= times || b.stderr.String() != "" }
			}
			m.await("the lamp to connect", said("connected to ", 1))
			for n := range 2 {
				unplug()
				m.await("the lamp to miss the port", said("is the adapter plugged in?; trying again", n+1))
				_, unplug = m.module(`which is (\S+)`, args...)
				m.await("the lamp to connect again", said("connected to ", n+2))
			}
			if b.stderr.String() != "" {
				t.Fatalf("%s%s", b.stdout.String(), b.stderr.String())
			}
			if out, errs, code := m.cli("device", "set", ref, "NightLightSwitch=1", "--wait", "20s"); code != 0 {
				t.Errorf("set: exit %d %s%s\n%s", code, out, errs, b.stdout.String())
			}
		})
	}
}

// TestDeviceRunWithTheModulesOwnTLS has modules speak MQTT and TLS themselves,
// with what little they check.
func TestDeviceRunWithTheModulesOwnTLS(t *testing.T) {
	for _, model := range []string{"esp8266", "ec20"} {
		t.Run(model, func(t *testing.T) {
			data := t.TempDir()
			m := start(t, data)
			m.lamp()
			args := []string{model, "--tcp", "127.0.0.1:0", "--speed", "20", "--map", "localhost=" + m.device}
			more := []string{"--cafile", filepath.Join(data, "tls", "ca.pem")}
			if model == "esp8266" {
				args = append(args, "--firmware", "2", "--wifi", "home=12345678")
				more = []string{"--insecure", "--ssid", "home", "--wifi-password", "12345678"}
			}
			where, _ := m.module(` at tcp (127\.0\.0\.1:\d+)`, args...)
			b := m.background(append([]string{"device", "run", "--example", "night-light", "--device-secret", lampSecret,
				"--url", "mqtts://localhost:8883", "--module", model, "--module-mqtt", "own", "--port", "tcp:" + where}, more...)...)
			m.await("a report of the lamp", func() bool {
				return m.latest(lampProduct, lampName, "CurrentTemperature") != "" || b.stderr.String() != ""
			})
			if b.stderr.String() != "" {
				t.Errorf("%s%s", b.stdout.String(), b.stderr.String())
			}
		})
	}
}

// TestDeviceRunTellsWhatTheModuleDoesNot: an ESP8266 does not say why a login
// failed, an EC20 does; either way the reason is the server's.
func TestDeviceRunTellsWhatTheModuleDoesNot(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	for model, want := range map[string]string{
		"esp8266": "the broker cannot be reached, or refused the login, which this firmware does not tell",
		"ec20":    "the server refused the connection with code 4",
	} {
		args := []string{model, "--tcp", "127.0.0.1:0", "--speed", "20", "--map", "localhost=" + m.device}
		var more []string
		if model == "esp8266" {
			args = append(args, "--firmware", "2", "--wifi", "home=12345678")
			more = []string{"--ssid", "home", "--wifi-password", "12345678"}
		}
		where, _ := m.module(` at tcp (127\.0\.0\.1:\d+)`, args...)
		b := m.background(append([]string{"device", "run", "--example", "night-light", "--device-secret", "Pq9LmN4bVcXz7KsD", "--lang", "en",
			"--url", "mqtt://localhost:1883", "--module", model, "--module-mqtt", "own", "--port", "tcp:" + where}, more...)...)
		m.await("the server's reason", func() bool { return strings.Contains(b.stderr.String(), "ProductSecret") })
		if out := b.stdout.String(); !strings.Contains(out, want) {
			t.Errorf("%s: no %q in\n%s", model, want, out)
		}
	}
}

// TestDeviceRunByTheModulesOwnMQTT has modules speak MQTT themselves, for
// devices of both vendors: values arrive, the cloud is obeyed, the module is reset
// in the middle and the device is back with what it measured meanwhile.
func TestDeviceRunByTheModulesOwnMQTT(t *testing.T) {
	for _, tt := range []struct {
		model, example string
		signs          bool // the module itself
	}{
		{"nt35e", "night-light", false}, {"nt35e", "sensor", false}, {"ec20", "night-light", true}, {"esp8266", "sensor", false},
	} {
		t.Run(tt.model+" "+tt.example, func(t *testing.T) {
			m := start(t, t.TempDir())
			args := []string{tt.model, "--tcp", "127.0.0.1:0", "--speed", "20", "--map", "localhost=" + m.device}
			more := []string{"--module-mqtt", "own"}
			switch tt.model {
			case "esp8266":
				args = append(args, "--firmware", "2", "--wifi", "home=12345678")
				more = append(more, "--ssid", "home", "--wifi-password", "12345678")
			case "nt35e":
				more = nil // it has no other
			}
			if tt.signs {
				more = append(more, "--module-aliauth")
			}
			product, name, reading := lampProduct, lampName, "CurrentTemperature"
			if tt.example == "sensor" {
				product, name, reading = sensorProduct, sensorName, "wendu"
			}
			where, order, _ := m.moduleWithConsole(` at tcp (127\.0\.0\.1:\d+)`, args...)
			b := m.background(append([]string{"device", "run", "--example", tt.example, "--create",
				"--url", "mqtt://localhost:1883", "--module", tt.model, "--port", "tcp:" + where}, more...)...)
			said := func(what string, times int) func() bool {
				return func() bool { return strings.Count(b.stdout.String(), what) >= times || b.stderr.String() != "" }
			}
			m.await("a report of the device", func() bool {
				return strings.Contains(b.stdout.String(), "connected to ") && m.latest(product, name, reading) != "" || b.stderr.String() != ""
			})
			obeys := func() {
				t.Helper()
				order := []string{"device", "set", product + "/" + name, "NightLightSwitch=1", "--wait", "20s"}
				if tt.example == "sensor" { // it has nothing to set
					order = []string{"device", "invoke", product + "/" + name, "reset", "--wait", "20s"}
				}
				if out, errs, code := m.cli(order...); code != 0 {
					t.Errorf("%v: exit %d %s%s\n%s", order, code, out, errs, b.stdout.String())
				}
			}
			obeys()
			order("reset")
			m.await("the device to miss the module", said("the module restarted by itself", 1))
			m.await("the device to connect again", said("connected to ", 2))
			before := strings.Count(b.stdout.String(), " ms")
			m.await("reports after that", said(" ms", before+2))
			obeys()
			b.Process.Signal(syscall.SIGTERM)
			if err := <-b.ended; err != nil || b.stderr.String() != "" {
				t.Errorf("%v\n%s%s", err, b.stdout.String(), b.stderr.String())
			}
			m.awaitState(product, name, "OFFLINE")
		})
	}
}
