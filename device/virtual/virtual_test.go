package virtual

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/thing"
)

const base = `device: {dialect: mqtt, product: farm, deviceName: pump1, secret: x}
`

const ali = `device: {dialect: aliyun, productKey: a, deviceName: b, deviceSecret: c}
sensors: {t: {value: 1}}
`

// TestWhatTheSocketDoesNotBound: over a socket of the module this program keeps
// the connection, and its bounds do not count.
func TestWhatTheSocketDoesNotBound(t *testing.T) {
	if _, err := Read("f", []byte(ali+"module: {kind: ec20, port: p}\nserver: {keepAlive: 2h}"), Files("."), nil); err != nil {
		t.Error(err)
	}
}

func TestMistakesInChinese(t *testing.T) {
	_, err := Read("f", []byte(ali+"module: {kind: ec20, port: p, mqtt: own}\nserver: {keepAlive: 2h}"), Files("."), nil)
	if got, want := wording.Chinese(err), "f:4: server.keepAlive：登录：模组的 keep-alive 最长 1h0m0s，此处为 2h0m0s，请缩短"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestExamplesAreRight(t *testing.T) {
	names := Examples.Names()
	if got, want := fmt.Sprint(names), "[night-light sensor]"; got != want {
		t.Fatalf("examples %s, want %s", got, want)
	}
	for _, name := range names {
		text, open, _ := Examples.Example(name)
		d, err := Read(name, text, open, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := d.ModelText(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := New(d, Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, ok := Examples.Example("../read"); ok {
		t.Error("an example outside of examples")
	}
}

func TestMistakesNameLineFieldAndRemedy(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"no dialect", "device: {deviceName: x}\nsensors: {t: {value: 1}}", `f:1: device.dialect: "" is none of aliyun, onenet, mqtt`},
		{"another dialect's field", "device:\n  dialect: onenet\n  productKey: x", "f:3: device.productKey: a device that speaks onenet has none: it has productId, key, tokenLifetime"},
		{"Wi-Fi of a cellular module", base + "sensors: {t: {value: 1}}\nmodule:\n  kind: ec20\n  port: p\n  ssid: home\n  password: x",
			"f:6: module.ssid: an ec20 joins no Wi-Fi: it has apn and pin\nf:7: module.password: an ec20 joins no Wi-Fi (--wifi-password): it has apn and pin"},
		{"SIM of a Wi-Fi module", base + "sensors: {t: {value: 1}}\nmodule:\n  kind: esp8266\n  port: p\n  apn: cmnet\n  pin: 1234",
			"f:6: module.apn: an esp8266 has no SIM card and no access point: it has ssid and password\nf:7: module.pin: an esp8266 has no SIM card: it has ssid and password"},
		{"module of no kind", base + "sensors: {t: {value: 1}}\nmodule:\n  port: p", "f:3: module.kind: is missing: it is esp8266, ec20 or nt35e"},
		{"module of an unknown kind", base + "sensors: {t: {value: 1}}\nmodule: {kind: ec21, port: p}", `f:3: module.kind: "ec21" is not esp8266, ec20 or nt35e`},
		{"module without sockets", base + "sensors: {t: {value: 1}}\nmodule: {kind: nt35e, port: p, mqtt: socket}", "f:3: module.mqtt: no socket commands of the nt35e are known"},
		{"MQTT of nobody", base + "sensors: {t: {value: 1}}\nmodule: {kind: ec20, port: p, mqtt: mine}", `f:3: module.mqtt: "mine" is neither socket, `},
		{"access point of an NT35E", base + "sensors: {t: {value: 1}}\nmodule: {kind: nt35e, port: p, apn: cmnet}", "f:3: module.apn: how an nt35e is told its access point is not known"},
		{"TLS of an NT35E", base + "sensors: {t: {value: 1}}\nmodule: {kind: nt35e, port: p}\nserver: {url: \"mqtts://h\"}", "f:4: server.url: how an nt35e is told to use TLS is not known: use mqtt://"},
		{"TLS of an ESP8266 itself", base + "sensors: {t: {value: 1}}\nmodule: {kind: esp8266, port: p, mqtt: own}\nserver: {url: \"mqtts://h\"}", "f:3: module.mqtt: the MQTT client of an esp8266 checks no certificate: accept that with server.insecure"},
		{"TLS of an EC20 itself", base + "sensors: {t: {value: 1}}\nmodule: {kind: ec20, port: p, mqtt: own}\nserver: {url: \"mqtts://h\"}", "f:3: module.mqtt: the MQTT client of an ec20 trusts whom server.caFile names"},
		{"aliauth of an ESP8266", ali + "module: {kind: esp8266, port: p, mqtt: own, aliauth: true}", "f:3: module.aliauth: an esp8266 does not sign for Alibaba Cloud"},
		{"aliauth over a socket", ali + "module: {kind: ec20, port: p, aliauth: on}", "f:3: module.aliauth: a module signs only where it speaks MQTT itself: write mqtt: own as well"},
		{"aliauth of a plain device", base + "sensors: {t: {value: 1}}\nmodule: {kind: nt35e, port: p, aliauth: true}", "f:3: module.aliauth: aliauth signs for devices of dialect aliyun only, this one speaks mqtt"},
		{"aliauth and a method", "device: {dialect: aliyun, productKey: a, deviceName: b, deviceSecret: c,\n  signMethod: hmacsha1}\nsensors: {t: {value: 1}}\nmodule: {kind: nt35e, port: p, aliauth: true}", "f:2: device.signMethod: with module.aliauth the module chooses how to sign: leave it out"},
		{"aliauth and parameters", "device: {dialect: aliyun, productKey: a, deviceName: b, deviceSecret: c,\n  clientId: x|securemode=3|}\nsensors: {t: {value: 1}}\nmodule: {kind: nt35e, port: p, aliauth: true}", "f:2: device.clientId: with module.aliauth the module writes the parameters after | itself"},
		{"aliauth and a password", "device: {dialect: aliyun, productKey: a, deviceName: b, deviceSecret: c, password: d, clientId: e}\nsensors: {t: {value: 1}}\nmodule: {kind: nt35e, port: p, aliauth: true}", "f:3: module.aliauth: the module signs with device.deviceSecret, and there is a ready-made password"},
		{"keep-alive above the module's", ali + "module: {kind: ec20, port: p, mqtt: own}\nserver:\n  keepAlive: 2h", "f:5: server.keepAlive: login: the module takes a keep-alive of up to 1h0m0s, this one is 2h0m0s: choose a shorter one"},
		{"keep-alive above an ESP8266's", ali + "module: {kind: esp8266, port: p, mqtt: own}\nserver:\n  keepAlive: 3h", "f:5: server.keepAlive: login: the module takes a keep-alive of up to 2h0m0s"},
		{"host longer than the module's", ali + "module: {kind: nt35e, port: p}\nserver:\n  url: mqtt://" + strings.Repeat("h", 101), "f:5: server.url: login: the module takes a host name of up to 100 bytes, this one has 101"},
		{"topics longer than the module's", "device: {dialect: mqtt, product: a, deviceName: b, secret: c,\n  topics: " + strings.Repeat("t", 128) + "}\nsensors: {t: {value: 1}}\nmodule: {kind: esp8266, port: p, mqtt: own}", "f:1: device: subscribe: the module takes a filter of up to 128 bytes"},
		{"WebSocket through a module", base + "sensors: {t: {value: 1}}\nmodule: {kind: ec20, port: p}\nserver: {url: \"ws://h/mqtt\"}", "f:4: server.url: ws://h/mqtt does not go through a module"},
		{"no secret", "device: {dialect: aliyun, productKey: a, deviceName: b}\nsensors: {t: {value: 1}}", "f:1: device: an Aliyun identity needs a DeviceSecret, or a ready-made Password with its ClientID"},
		{"bad method", "device: {dialect: onenet, productId: a, deviceName: b, key: AAAA, signMethod: crc}\nsensors: {t: {value: 1}}", "f:1: device: "},
		{"no variable", "device: {dialect: mqtt, product: a, deviceName: b,\n  secret: \"${MATOU_NOT_SET}\"}", "f:2: device.secret: the environment has no MATOU_NOT_SET: export MATOU_NOT_SET=…"},
		{"bad address", base + "server:\n  url: http://x", `f:3: server.url: "http://x" is no address: write mqtt://host:1883, mqtts://host:8883, ws://host/mqtt or wss://host/mqtt`},
		{"no CA file", base + "server:\n  caFile: none.pem", "f:3: server.caFile: open "},
		{"no certificate", base + "server:\n  caFile: day.csv", "f:3: server.caFile: the file holds no PEM certificate"},
		{"nothing to report", base, "f: sensors: the device has nothing to report: give it sensors or actuators"},
		{"too often", base + "sensors: {t: {value: 1}}\nreport:\n  every: 1ms", "f:4: report.every: 1ms is below 10ms"},
		{"queue", base + "sensors: {t: {value: 1}}\nreport:\n  queue: 1000000", "f:4: report.queue: 1000000 is not from 0 to 100000"},
		{"impossible curve", base + "sensors:\n  t:\n    curve: sine\n    low: 5\n    high: 3", "f:6: sensors.t.high: 3 is below low, 5: swap them"},
		{"unknown field of a curve", base + "sensors:\n  t: {curve: sine, hihg: 3}", "f:3: sensors.t.hihg: there is no such field; did you mean high?"},
		{"missing file", base + "sensors:\n  t:\n    file: none.csv", "f:4: sensors.t.file: open "},
		{"bad file", base + "sensors:\n  t:\n    file: bad.csv", `f:4: sensors.t.file: bad.csv:2: "warm" is no number`},
		{"measured and set", base + "sensors: {t: {value: 1}}\nactuators:\n  t: {initial: 1}", "f:4: actuators.t: t is a sensor as well: a property is measured or set"},
		{"actuator's type", base + "actuators:\n  a: {type: int}", `f:3: actuators.a.type: "int" is none of bool, number, text`},
		{"actuator's initial", base + "actuators:\n  a: {low: 1, high: 3, initial: 7}", "f:3: actuators.a.initial: 7 is above the highest, 3"},
		{"actuator's range", base + "actuators:\n  a: {type: number, low: 3, high: 1}", "f:3: actuators.a.high: 1 is below low, 3: swap them"},
		{"rule without a condition", base + "sensors: {t: {value: 1}}\nrules:\n  - set: {a: 1}", "f:4: rules[0].when: a rule needs a condition, for instance when: Lux < 50"},
		{"rule of an unknown value", base + "sensors: {Lux: {value: 1}}\nactuators: {a: }\nrules:\n  - when: Lix < 5\n    set: {a: on}", "f:5: rules[0].when: the device has no Lix; did you mean Lux?"},
		{"rule that does nothing", base + "sensors: {Lux: {value: 1}}\nrules:\n  - when: Lux < 5", "f:4: rules[0]: the rule does nothing: give it set, otherwise or event"},
		{"rule for an unknown actuator", base + "sensors: {Lux: {value: 1}}\nrules:\n  - when: Lux < 5\n    set: {LED: on}", "f:5: rules[0].set.LED: there is no actuator LED: there are none"},
		{"rule with a bad value", base + "sensors: {Lux: {value: 1}}\nactuators: {LED: }\nrules:\n  - when: Lux < 5\n    set: {LED: 7}", "f:6: rules[0].set.LED: 7 is no switch: write on or off"},
		{"output without event", base + "sensors: {Lux: {value: 1}}\nactuators: {LED: }\nrules:\n  - when: Lux < 5\n    set: {LED: on}\n    output: {a: 1}", "f:7: rules[0].output: output belongs to an event: name it with event"},
		{"service sets what is not there", base + "sensors: {Lux: {value: 1}}\nservices:\n  s: {set: {LED: on}}", "f:4: services.s.set.LED: there is no actuator LED: there are none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			os.WriteFile(filepath.Join(dir, "bad.csv"), []byte("1\nwarm\n"), 0o600)
			os.WriteFile(filepath.Join(dir, "day.csv"), []byte("1\n"), 0o600)
			_, err := Read("f", []byte(tt.text), Files(dir), nil)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("%v\nwant %s", err, tt.want)
			}
			for line := range strings.Lines(wording.Chinese(err)) {
				if !strings.ContainsFunc(line, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
					t.Errorf("no Chinese: %s", line)
				}
			}
		})
	}
}

func TestSecretsFromTheEnvironment(t *testing.T) {
	t.Setenv("MATOU_TEST_SECRET", "s3cret")
	d, err := Read("f", []byte("device: {dialect: mqtt, product: a, deviceName: b, secret: \"${MATOU_TEST_SECRET}\"}\nsensors: {t: {value: 1}}"), Files("."), nil)
	if err != nil || d.Device.Secret != "s3cret" {
		t.Errorf("%v, %+v", err, d)
	}
}

func TestChangeComesBeforeTheCheck(t *testing.T) {
	d, err := Read("f", []byte("device: {dialect: aliyun, productKey: pk}\nsensors: {t: {value: 1}}"), Files("."), func(d *Description) {
		d.Device.DeviceName, *d.Device.SecretOf() = "dn", "ds"
	})
	if err != nil || d.Device.DeviceSecret != "ds" || *d.Device.ProductName() != "pk" {
		t.Errorf("%v", err)
	}
}

func TestCondition(t *testing.T) {
	values := map[string]thing.Value{
		"Lux": thing.IntValue(40), "Temp": thing.FloatValue(21.5), "LED": thing.BoolValue(true), "Mode": thing.TextValue("night"),
	}
	for text, want := range map[string]bool{
		"Lux < 50": true, "Lux<50": true, "50 > Lux": true, "Lux <= 40": true, "Lux >= 41": false, "Lux == 40": true, "Lux = 40": true, "Lux != 40": false,
		"LED == on": true, "LED == 1": true, "LED == off": false, "LED != off": true,
		`Mode == "night"`: true, `Mode != "day"`: true, `Mode == 3`: false, `Mode < "o"`: true,
		"Temp > Lux": false, "Temp < Lux": true,
		"Lux < 50 and LED == off": false, "Lux < 50 and LED == off or Temp > 20": true, "Lux > 50 or LED == on and Temp > 20": true,
		"None < 5": false, "None != 5": false, "Temp > -5": true, "Temp > 2e1": true,
	} {
		c, err := ParseCondition(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := c.Holds(values); got != want {
			t.Errorf("%s is %v, want %v", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"":                          `a comparison belongs at the end of ""`,
		"Lux":                       `a comparison belongs at the end of "Lux"`,
		"Lux < 5 and":               `a comparison belongs at the end of`,
		"Lux is dark":               `"is" is no comparison: write <, <=, >, >=, == or !=`,
		"Lux < 5 Temp > 3":          `and or or belongs before "Temp"`,
		"Lux < < and 3":             `a name or a value belongs where "<" stands in`,
		`Mode == "night`:            `a text begins at "night and does not end`,
		strings.Repeat("a", 1001):   "the condition is longer than 1000 bytes",
		"Lux < 5 or and < 3":        `a name or a value belongs where "and" stands`,
		"Lux ! 5":                   `"!" is no comparison`,
		"Lux < 5 and Temp > 3 and ": "a comparison belongs at the end",
	} {
		if _, err := ParseCondition(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.50s: %v, want %s", text, err, want)
		}
	}
	c, _ := ParseCondition("Lux < 5 and Temp > 3 or Lux == LED")
	if got := fmt.Sprint(c.Names()); got != "[Lux Temp LED]" {
		t.Errorf("names %s", got)
	}
}

func FuzzParseCondition(f *testing.F) {
	f.Add(`Lux < 50 and LED == on or Mode != "a b"`)
	f.Add("<=<=<=")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCondition(text)
		if err != nil {
			return
		}
		c.Holds(map[string]thing.Value{"Lux": thing.IntValue(1)})
		for _, all := range c.any {
			if len(all) == 0 {
				t.Errorf("%q has an empty part", text)
			}
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, name := range Examples.Names() {
		text, _, _ := Examples.Example(name)
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Read("f", []byte(text), func(name string) ([]byte, error) { return []byte("1\n2\n"), nil }, nil)
		if err != nil {
			return
		}
		d.Server.CAFile = ""
		u, err := New(d, Options{})
		if err != nil {
			t.Fatalf("it was read, and then: %v", err)
		}
		u.measure()
	})
}

func TestActuatorTakes(t *testing.T) {
	one, nine := 1.0, 9.0
	for _, tt := range []struct {
		a    Actuator
		v    thing.Value
		want string
	}{
		{Actuator{Type: "bool"}, thing.IntValue(1), "true"},
		{Actuator{Type: "bool"}, thing.TextValue("off"), "false"},
		{Actuator{Type: "bool"}, thing.IntValue(2), "2 is no switch: write on or off"},
		{Actuator{Type: "number", Low: &one, High: &nine}, thing.FloatValue(5.5), "5.5"},
		{Actuator{Type: "number", Low: &one, High: &nine}, thing.IntValue(0), "0 is below the lowest, 1"},
		{Actuator{Type: "number", Low: &one, High: &nine}, thing.IntValue(10), "10 is above the highest, 9"},
		{Actuator{Type: "number", Whole: true}, thing.FloatValue(3), "3"},
		{Actuator{Type: "number", Whole: true}, thing.FloatValue(3.5), "3.5 is no whole number"},
		{Actuator{Type: "number"}, thing.TextValue("x"), "x is no number"},
		{Actuator{Type: "text", Texts: []string{"day", "night"}}, thing.TextValue("night"), "night"},
		{Actuator{Type: "text", Texts: []string{"day", "night"}}, thing.TextValue("noon"), `"noon" is none of day, night`},
		{Actuator{Type: "text"}, thing.IntValue(3), "3"},
	} {
		v, err := tt.a.take(tt.v)
		got := v.String()
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s takes %v: %s, want %s", tt.a.Type, tt.v, got, tt.want)
		}
	}
}
