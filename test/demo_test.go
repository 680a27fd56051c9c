package test

import (
	"encoding/hex"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestDemoToADeviceOfOnesOwn is the first two minutes of a newcomer: start with
// the demo, take what the terminal prints, be a device.
func TestDemoToADeviceOfOnesOwn(t *testing.T) {
	m := start(t, t.TempDir(), "--demo")
	m.await("the simulated devices' values", func() bool {
		out := m.stdout.String()
		return strings.Contains(out, "当前温度 CurrentTemperature") && strings.Contains(out, "温度 wendu")
	})
	m.awaitState("a1DemoLight", "light01", "ONLINE")
	m.awaitState("DemoSensor", "sensor01", "ONLINE")

	t.Run("the simulated lamp obeys", func(t *testing.T) {
		m.t = t
		done := must[object](m, "POST", "/products/a1DemoLight/devices/light01/properties", object{"values": object{"NightLightSwitch": 1}, "wait": "10s"})
		if done["state"] != "acknowledged" {
			t.Errorf("command %v", done)
		}
		m.awaitLatest("a1DemoLight", "light01", "NightLightSwitch", "true")
	})
	t.Run("the simulated sensor obeys", func(t *testing.T) {
		m.t = t
		done := must[object](m, "POST", "/products/DemoSensor/devices/sensor01/properties", object{"values": object{"wendu": 30}, "wait": "10s"})
		if done["state"] != "acknowledged" {
			t.Errorf("command %v", done)
		}
	})
	for _, free := range []struct{ product, device, property, dialect string }{
		{"a1DemoLight", "my-light", "CurrentTemperature", "aliyun"},
		{"DemoSensor", "my-sensor", "wendu", "onenet"},
	} {
		_, block, found := strings.Cut(m.stdout.String(), free.product+"/"+free.device+" ──\n")
		if !found {
			t.Fatalf("no invitation to be %s in:\n%s", free.device, m.stdout)
		}
		block, _, _ = strings.Cut(block, "\n\n")
		t.Run(free.dialect+" with the printed bytes", func(t *testing.T) {
			m.t = t
			w := m.dial()
			sends := regexp.MustCompile(`AT\+CIPSEND=(\d+) +(?:CONNECT|PUBLISH) ([0-9a-f]+)`).FindAllStringSubmatch(block, -1)
			if len(sends) != 2 {
				t.Fatalf("%d packets in:\n%s", len(sends), block)
			}
			for i, s := range sends {
				raw, err := hex.DecodeString(s[2])
				if err != nil || strconv.Itoa(len(raw)) != s[1] {
					t.Fatalf("%s bytes are announced, %d printed, %v", s[1], len(raw), err)
				}
				w.Write(raw)
				if i == 0 {
					w.expect("20 02 00 00")
				}
			}
			m.awaitLatest(free.product, free.device, free.property, "23.5")
			m.await("the terminal to show it", func() bool {
				return regexp.MustCompile(free.device + ` +\S+ ` + free.property + ` 23\.5 `).MatchString(m.stdout.String())
			})
		})
		t.Run(free.dialect+" with the printed line", func(t *testing.T) {
			m.t = t
			need(t, "mosquitto_pub")
			line := regexp.MustCompile(`one line +(mosquitto_pub .*)`).FindStringSubmatch(block)
			if line == nil {
				t.Fatalf("no command line in:\n%s", block)
			}
			// The demo names the standard host and port of its configuration.
			if out, err := exec.Command("sh", "-c", strings.Replace(line[1], "23.5", "24.5", 1)).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v %s", line[1], err, out)
			}
			m.awaitLatest(free.product, free.device, free.property, "24.5")
		})
	}
	t.Run("a second start finds everything as it was", func(t *testing.T) {
		m.t = t
		before := m.credentials("a1DemoLight", "my-light", "hmacsha256")
		m.stop()
		again := start(t, m.data, "--demo")
		if after := again.credentials("a1DemoLight", "my-light", "hmacsha256"); after.Password != before.Password {
			t.Error("the free device has another secret after a restart")
		}
		if strings.Contains(again.stdout.String(), "shown once") {
			t.Error("the password is shown a second time")
		}
	})
}
