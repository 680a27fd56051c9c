package test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A background is a subcommand that runs until it is stopped.
type background struct {
	*exec.Cmd
	stdout, stderr buffer
	ended          chan error
}

func (m *matou) background(args ...string) *background {
	m.t.Helper()
	bin, err := binary()
	if err != nil {
		m.t.Fatal(err)
	}
	b := &background{Cmd: exec.Command(bin, append(args, "--server", m.api, "--token", m.token)...), ended: make(chan error, 1)}
	b.Cmd.Stdout, b.Cmd.Stderr = &b.stdout, &b.stderr
	if err := b.Start(); err != nil {
		m.t.Fatal(err)
	}
	go func() { b.ended <- b.Wait() }()
	m.t.Cleanup(func() {
		if b.ProcessState == nil {
			b.Process.Kill()
			<-b.ended
		}
	})
	return b
}

// TestDeviceRunExamples runs the shipped descriptions on a server that knows
// nothing of them yet, and commands them.
func TestDeviceRunExamples(t *testing.T) {
	m := start(t, t.TempDir())
	url := "mqtt://" + m.device
	lamp := m.background("device", "run", "--example", "night-light", "--create", "--url", url)
	sensor := m.background("device", "run", "--example", "sensor", "--create", "--url", "ws://"+m.device+"/mqtt", "--json")
	m.await("temperature of the night light", func() bool {
		status, _ := m.call("GET", "/products/"+lampProduct+"/devices/"+lampName, nil)
		return status == 200 && m.latest(lampProduct, lampName, "CurrentTemperature") != ""
	})
	m.await("wendu of the sensor", func() bool {
		status, _ := m.call("GET", "/products/"+sensorProduct+"/devices/"+sensorName, nil)
		return status == 200 && m.latest(sensorProduct, sensorName, "wendu") != ""
	})
	ref := lampProduct + "/" + lampName
	if out, errs, code := m.cli("device", "invoke", ref, "Blink", "Times=3", "--wait", "10s"); code != 0 || !strings.Contains(out+errs, "Done") {
		t.Errorf("invoke: exit %d %s%s", code, out, errs)
	}
	if out, errs, code := m.cli("device", "set", ref, "NightLightSwitch=1", "--wait", "10s"); code != 0 {
		t.Errorf("set: exit %d %s%s", code, out, errs)
	}
	m.awaitLatest(lampProduct, lampName, "NightLightSwitch", "true")
	for _, b := range []*background{lamp, sensor} {
		b.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-b.ended:
			if err != nil {
				t.Errorf("%v\n%s", err, b.stderr.String())
			}
		case <-time.After(patience):
			t.Fatal("device run did not end")
		}
	}
	for _, want := range []string{"connected to " + url + " as " + ref, "→ CurrentHumidity=", "← Blink Times=3", "← set NightLightSwitch=1"} {
		if !strings.Contains(lamp.stdout.String(), want) {
			t.Errorf("no %q in\n%s", want, lamp.stdout.String())
		}
	}
	kinds := map[string]int{}
	for line := range strings.Lines(sensor.stdout.String()) {
		var e struct {
			Kind   string
			Values map[string]float64
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		kinds[e.Kind]++
		if e.Kind == "reported" && (e.Values["wendu"] < 12 || e.Values["wendu"] > 28) {
			t.Errorf("out of the curve's range: %s", line)
		}
	}
	if kinds["connected"] != 1 || kinds["reported"] == 0 {
		t.Errorf("events %v", kinds)
	}
}

// TestDeviceRunObeysTheRule measures darkness from a file.
func TestDeviceRunObeysTheRule(t *testing.T) {
	m := start(t, t.TempDir())
	m.product("farm", "mqtt", "lenient", "", `{"properties":[
	 {"id":"Lux","name":"Lux","type":{"kind":"int32"}},
	 {"id":"LED","name":"LED","access":"read-write","type":{"kind":"bool"}}],"events":[],"services":[]}`)
	m.add("farm", "lamp", "Correct-Horse-7")
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	write("lux.csv", "lux\n400\n20\n20\n20\n20\n20\n20\n20\n20\n20\n20\n")
	file := write("lamp.yaml", `
device: {dialect: mqtt, product: farm, deviceName: lamp, secret: "${LAMP_SECRET}"}
report: {every: 200ms}
sensors: {Lux: {file: lux.csv, every: 500ms, decimals: 0}}
actuators: {LED: {initial: off}}
rules:
  - when: Lux < 50
    set: {LED: on}
`)
	t.Setenv("LAMP_SECRET", "Correct-Horse-7")
	b := m.background("device", "run", file, "--url", "mqtt://"+m.device, "--for", "30s")
	m.awaitLatest("farm", "lamp", "LED", "true")
	m.awaitLatest("farm", "lamp", "Lux", "20")
	b.Process.Signal(syscall.SIGTERM)
	<-b.ended
	if got := m.history("farm", "lamp", "LED"); got[0] != "false" {
		t.Errorf("the lamp was not off at first: %v", got)
	}
}

// TestDeviceRunTellsWhy has the doctor's sentence where a device is refused.
func TestDeviceRunTellsWhy(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	run := func(args ...string) string {
		t.Helper()
		out, errs, code := m.cli(append([]string{"device", "run", "--example", "night-light", "--url", "mqtt://" + m.device, "--for", "2s", "--lang", "en"}, args...)...)
		if code != 1 || !strings.Contains(errs, "the device did not connect within 2s: connect: the server refused the connection") {
			t.Errorf("exit %d: %s", code, errs)
		}
		if strings.Count(out, "refused") != 1 {
			t.Errorf("the refusal is not told once:\n%s", out)
		}
		return errs
	}
	if got := run("--device-secret", "Pq9LmN4bVcXz7KsD"); !strings.Contains(got, "ProductSecret") {
		t.Errorf("the product's secret: %s", got)
	}
	if got := run("--device-name", "lamp02"); !strings.Contains(got, "lamp02") {
		t.Errorf("an unknown device: %s", got)
	}
}

func TestDeviceRunUsage(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("device:\n  dialect: aliyun\n  devceName: x\nsensors:\n  t: {curve: sinus}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{bad}, 2, ":3: device.devceName: there is no such field; did you mean deviceName?"},
		{[]string{"none.yaml"}, 2, "none.yaml"},
		{nil, 2, "--example with one of night-light, sensor"},
		{[]string{"--example", "toaster"}, 2, "there are night-light, sensor"},
		{[]string{"--example", "sensor", "--check"}, 0, "the description is good"},
		{[]string{"--example", "sensor", "--print"}, 0, "productId: VRqhDHF2wL"},
		{[]string{"--example", "sensor", "--url", "http://x"}, 2, "server.url"},
		{[]string{"--example", "sensor", "--url", "mqtt://x:99999"}, 2, "a port is from 1 to 65535"},
		{[]string{"--example", "sensor", "--module", "ec20", "--port", "p", "--wifi-password", "12345678"}, 2, "an ec20 joins no Wi-Fi (--wifi-password): it has apn and pin"},
		{[]string{"--example", "sensor", "--wifi-password", "12345678"}, 2, "module.kind: is missing: it is esp8266, ec20 or nt35e"},
		{[]string{"--example", "sensor", "--module", "esp8266", "--port", "p", "--apn", "cmnet"}, 2, "an esp8266 has no SIM card"},
		{[]string{"--example", "sensor", "--module", "ec20", "--port", "p", "--apn", "cmnet", "--check"}, 0, "the description is good"},
	} {
		out, errs, code := runCLI(t, nil, append([]string{"device", "run"}, tt.args...)...)
		if code != tt.code || !strings.Contains(out+errs, tt.want) {
			t.Errorf("%v: exit %d\n%s%s\nwant %d, %s", tt.args, code, out, errs, tt.code, tt.want)
		}
	}
	// What the environment has for Wi-Fi modules is no mistake with another.
	t.Setenv("MATOU_WIFI_PASSWORD", "12345678")
	if out, errs, code := runCLI(t, nil, "device", "run", "--example", "sensor", "--module", "ec20", "--port", "p", "--check"); code != 0 {
		t.Errorf("exit %d %s%s", code, out, errs)
	}
	printed, _, _ := runCLI(t, nil, "device", "run", "--example", "sensor", "--print")
	if out, errs, code := runCLI(t, bytes.NewBufferString(strings.ReplaceAll(printed, "model:", "# model:")), "device", "run", "-", "--check"); code != 0 {
		t.Errorf("what was printed is not read: %s%s", out, errs)
	}
}
