package test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fleetResult is what a fleet says in JSON, as far as the stories look.
type fleetResult struct {
	Scenario                                        string
	Devices                                         int
	Connected, Posts, Events, Answered              int64
	Rejected, Lost                                  int64
	Cut, Returns, Refused, Resent                   int64
	CommandsOrdered, CommandsDone, CommandsAnswered int64
	ValuesDigest                                    string
	BytesPerDevice                                  int64
	Causes                                          []struct {
		Group, What, Why, Advice string
		Count                    int64
		Code                     int
	}
	Checks []struct {
		Name string
		OK   bool
	}
}

// fleet runs a scenario against the server.
func (m *matou) fleet(args ...string) (r fleetResult, stderr string, code int) {
	m.t.Helper()
	bin, err := binary()
	if err != nil {
		m.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, append([]string{"--json", "fleet", "run", "--url", "mqtt://" + m.device, "--api", m.api, "--token", m.token, "--lang", "en"}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	if cmd.ProcessState == nil {
		m.t.Fatal(err)
	}
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			m.t.Fatalf("%v in %s", err, out.String())
		}
	}
	return r, errs.String(), cmd.ProcessState.ExitCode()
}

// TestFleetExamples runs each shipped scenario, small and short, on a server
// that knows nothing of its products.
func TestFleetExamples(t *testing.T) {
	m := start(t, t.TempDir())
	for _, tt := range []struct {
		name  string
		args  []string
		check func(r fleetResult) bool
	}{
		{"classroom", []string{"--duration", "4s"}, func(r fleetResult) bool { return r.Devices == 40 && r.CommandsOrdered > 0 }},
		{"mixed-vendors", []string{"--count", "100", "--duration", "4s"}, func(r fleetResult) bool { return r.Devices == 100 && r.CommandsOrdered > 0 }},
		{"gateways", []string{"--count", "77", "--duration", "4s"}, func(r fleetResult) bool { return r.Devices == 77 && r.Cut > 0 && r.Cut < 8 }},
		{"reconnect-storm", []string{"--count", "200", "--duration", "3s"}, func(r fleetResult) bool { return r.Cut > 200 && r.Returns == r.Cut }},
		{"flaky-network", []string{"--count", "40", "--duration", "3s"}, func(r fleetResult) bool { return r.Posts > 0 }},
		{"soak", []string{"--count", "50", "--duration", "2s"}, func(r fleetResult) bool { return r.Devices == 50 }},
	} {
		r, errs, code := m.fleet(append([]string{"--example", tt.name}, tt.args...)...)
		if code != 0 || r.Scenario != tt.name || !tt.check(r) || r.Lost != 0 || r.Answered != r.Posts || r.Connected != int64(r.Devices) ||
			r.CommandsDone != r.CommandsOrdered && tt.name != "gateways" || len(r.Checks) == 0 || r.BytesPerDevice <= 0 {
			t.Errorf("%s: exit %d\n%+v\n%s", tt.name, code, r, errs)
		}
	}
	// What the fleet says it reported is what the server holds.
	list := must[struct{ Items []struct{ Name string } }](m, "GET", "/products/MixedPump/devices?limit=100", nil)
	if len(list.Items) != 20 {
		t.Fatalf("%d pumps, want 20", len(list.Items))
	}
	m.await("the pressure of a pump", func() bool {
		for _, d := range list.Items {
			if m.latest("MixedPump", d.Name, "Pressure") != "" {
				return true
			}
		}
		return false
	})
}

// fleetFile is a scenario of plain devices; what is expected comes behind it.
const fleetFile = `
name: story
seed: 11
duration: 2s
groups:
  - {name: pump, dialect: mqtt, product: farm, count: 5, model: pump.json, report: {every: 500ms}}
  - {name: lamp, dialect: aliyun, product: a1NightLamp, count: 2, values: {CurrentTemperature: {curve: day, low: 1, high: 9}}, report: {every: 500ms}}
`

func writeFleet(t *testing.T, more string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"story.yaml": fleetFile + more,
		"pump.json":  `{"properties":[{"id":"Pressure","name":"P","type":{"kind":"double","min":0,"max":16,"step":0.01}}],"events":[],"services":[]}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "story.yaml")
}

// TestFleetSameSeedSameValues compares what the server holds after two runs
// with one seed, device by device.
func TestFleetSameSeedSameValues(t *testing.T) {
	var digests []string
	var held [][]string
	for range 2 {
		m := start(t, t.TempDir())
		m.product(lampProduct, "aliyun", "lenient", "", lampTSL)
		r, errs, code := m.fleet(writeFleet(t, "expect: {lost: 0, rejected: 0}"))
		if code != 0 {
			t.Fatalf("exit %d\n%+v\n%s", code, r, errs)
		}
		digests = append(digests, r.ValuesDigest)
		var all []string
		for _, name := range []string{"pump-000001", "pump-000005"} {
			want := 0
			m.await("history of "+name, func() bool {
				got := m.history("farm", name, "Pressure")
				enough := len(got) >= 3 && len(got) == want
				want = len(got)
				if enough {
					all = append(all, strings.Join(got, " "))
				}
				return enough
			})
		}
		held = append(held, all)
		m.stop()
	}
	if digests[0] != digests[1] || strings.Join(held[0], ";") != strings.Join(held[1], ";") {
		t.Errorf("digests %v\nheld\n%v\n%v", digests, held[0], held[1])
	}
}

// TestFleetFailsWhereItExpectsMore has exit code 1, a JUnit report that says
// which, and the doctor's sentence once for many refusals.
func TestFleetFailsWhereItExpectsMore(t *testing.T) {
	m := start(t, t.TempDir())
	m.product("farm", "mqtt", "lenient", "", "")
	m.add("farm", "pump-000001", "right")
	file := writeFleet(t, "drain: 1s\nreconnect: {min: 100ms, max: 300ms}\nexpect: {connected: 100%, p99: 1us, refused: 0}")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	text = []byte(strings.Replace(strings.Join(append(lines[:6:6], lines[7:]...), "\n"), "count: 5", "count: 5, secret: wrong", 1))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	junit := filepath.Join(t.TempDir(), "junit.xml")
	r, errs, code := m.fleet(file, "--junit", junit)
	if code != 1 || r.Connected != 0 || r.Refused < 20 || len(r.Causes) != 1 {
		t.Fatalf("exit %d\n%+v\n%s", code, r, errs)
	}
	c := r.Causes[0]
	if c.What != "refused" || c.Code == 0 || c.Count != r.Refused || !(strings.Contains(c.Advice, "secret") || strings.Contains(c.Advice, "no device")) {
		t.Errorf("%+v", c)
	}
	xml, err := os.ReadFile(junit)
	if err != nil || !strings.Contains(string(xml), `tests="4" failures="3"`) || !strings.Contains(string(xml), `message="want at most 0, got `) {
		t.Errorf("%v\n%s", err, xml)
	}
}

// TestFleetOnProductsThatAreThere uses products that somebody made before: one
// without a model takes the scenario's, one with another keeps its own, and what
// that lacks is said before anything runs; one of another dialect is refused.
func TestFleetOnProductsThatAreThere(t *testing.T) {
	m := start(t, t.TempDir())
	m.product("farm", "mqtt", "lenient", "", "")
	file := writeFleet(t, "expect: {lost: 0}")
	r, errs, code := m.fleet(file, "--duration", "1s")
	if code != 0 || r.Devices != 7 || strings.Contains(errs, "lacks") {
		t.Errorf("exit %d\n%+v\n%s", code, r, errs)
	}
	if out, errs, code := m.cli("model", "export", "farm", "--format", "matou"); code != 0 || !strings.Contains(out, "Pressure") {
		t.Errorf("the model of farm: exit %d %s%s", code, out, errs)
	}
	pump := filepath.Join(filepath.Dir(file), "pump.json")
	if err := os.WriteFile(pump, []byte(`{"properties":[{"id":"Pressure","name":"P","type":{"kind":"double"}},{"id":"Flow","name":"F","type":{"kind":"double"}}],"events":[{"id":"Dry","name":"D"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, errs, code = m.fleet(file, "--duration", "1s")
	if code != 0 || !strings.Contains(errs, "product farm was there, with a model of its own that lacks Flow, event Dry: what devices say of that is not taken") {
		t.Errorf("exit %d\n%s", code, errs)
	}
	m.product("other", "onenet", "lenient", "", "")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), "product: farm", "product: other", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs, code = m.fleet(file); code != 2 || !strings.Contains(errs, "group pump: product other speaks onenet, not mqtt: name another product") {
		t.Errorf("exit %d\n%s", code, errs)
	}
}

// TestFleetWithGateways has sub-devices of both vendors on the connections of
// their gateways, which join them by themselves, and commands for them.
func TestFleetWithGateways(t *testing.T) {
	m := start(t, t.TempDir())
	dir := filepath.Dir(writeFleet(t, ""))
	text := `
name: house
seed: 4
duration: 3s
groups:
  - {name: gate, dialect: aliyun, product: a1Gate, count: 2, model: lamp.json, report: {every: 1s}}
  - {name: lamp, dialect: aliyun, product: a1SubLamp, gateway: gate, count: 6, model: lamp.json, report: {every: 500ms}, events: {SensorFault: {every: 1s}}}
  - {name: hub, dialect: onenet, product: HubPr0duct, count: 2, model: tv.json, report: {every: 1s}}
  - {name: therm, dialect: onenet, product: ThermPr0duct, gateway: hub, count: 6, model: tv.json, report: {every: 500ms}}
  - {name: pump, dialect: mqtt, version: 5, product: farm, count: 2, model: pump.json, report: {every: 500ms}}
commands: {every: 50ms, services: 50%}
expect: {connected: 100%, answered: 100%, lost: 0, rejected: 0, refused: 0}
`
	for name, text := range map[string]string{"house.yaml": text, "lamp.json": lampTSL, "tv.json": sensorModel} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, errs, code := m.fleet(filepath.Join(dir, "house.yaml"))
	if code != 0 || r.Devices != 18 || r.Connected != 18 || r.Events == 0 || r.CommandsDone == 0 {
		t.Fatalf("exit %d\n%+v\n%s", code, r, errs)
	}
	for _, tt := range []struct{ gateway, sub string }{{"a1Gate/gate-000002", "a1SubLamp/lamp-000006"}, {"HubPr0duct/hub-000001", "ThermPr0duct/therm-000001"}} {
		out, errs, code := m.cli("device", "sub", "list", tt.gateway)
		if _, name, _ := strings.Cut(tt.sub, "/"); code != 0 || !strings.Contains(out, name) {
			t.Errorf("%s has\n%s%s", tt.gateway, out, errs)
		}
	}
	m.await("what the sub-devices said", func() bool {
		return m.latest("a1SubLamp", "lamp-000006", "CurrentTemperature") != "" && m.latest("ThermPr0duct", "therm-000001", "wendu") != ""
	})
}

// TestFleetFromCSV signs in with what device export prints.
func TestFleetFromCSV(t *testing.T) {
	m := start(t, t.TempDir())
	m.sensor("lenient")
	m.add(sensorProduct, "second", "+XIJHv70VSJQ0MxyuSXU6HO5ZdEDl6krUoepf9xvNtY=")
	out, errs, code := m.cli("device", "export", sensorProduct)
	if code != 0 {
		t.Fatal(errs)
	}
	csv := filepath.Join(t.TempDir(), "devices.csv")
	if err := os.WriteFile(csv, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "tv.yaml")
	if err := os.WriteFile(file, []byte(`
duration: 1s
drain: 2s
reconnect: {min: 100ms, max: 300ms}
groups: [{name: tv, dialect: onenet, product: some, count: 9, signMethod: md5, report: {every: 300ms}, values: {wendu: {low: 1, high: 30}}}]
expect: {connected: 100%, lost: 0, rejected: 0}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	r, errs, code := m.fleet(file, "--product", sensorProduct, "--csv", csv)
	if code != 0 || r.Devices != 2 || r.Connected != 2 || r.Posts < 4 {
		t.Errorf("exit %d\n%+v\n%s", code, r, errs)
	}
	r, errs, code = m.fleet(file, "--product", sensorProduct, "--csv", csv, "--url", "wss://"+m.device+"/mqtt")
	if code != 1 || r.Connected != 0 || len(r.Causes) != 1 || !strings.Contains(r.Causes[0].Why, "certificate") {
		t.Errorf("an unknown certificate: exit %d\n%+v\n%s", code, r, errs)
	}
	r, errs, code = m.fleet(file, "--product", sensorProduct, "--csv", csv, "--url", "wss://"+m.device+"/mqtt", "--insecure")
	if code != 0 || r.Connected != 2 {
		t.Errorf("over WebSocket and TLS: exit %d\n%+v\n%s", code, r, errs)
	}
}

func TestFleetUsage(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("groups:\n  - dialect: mqtt\n    prodcut: x\n    count: 5000000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pumps := writeFleet(t, "")
	if text, err := os.ReadFile(pumps); err != nil || os.WriteFile(pumps, []byte(strings.Join(strings.Split(string(text), "\n")[:6], "\n")), 0o600) != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{bad}, 2, "bad.yaml:3: groups[0].prodcut: there is no such field; did you mean product?"},
		{[]string{"none.yaml"}, 2, "none.yaml"},
		{nil, 2, "--example with one of classroom"},
		{[]string{"--example", "party"}, 2, "there are classroom, flaky-network"},
		{[]string{"--example", "classroom"}, 2, "group lamp has no secrets: give credentials or secret, or let a Matou make its devices (--api)"},
		{[]string{"--example", "classroom", "--check"}, 0, "the scenario is good: 40 devices"},
		{[]string{"--example", "soak", "--check", "--count", "300000"}, 2, "300000 devices in all are more than 200000"},
		{[]string{"--example", "soak", "--print"}, 0, "cutEvery: 6h"},
		{[]string{"--example", "mixed-vendors", "--product", "x"}, 2, "this one has 3"},
		{[]string{"--example", "classroom", "--csv", "none.csv"}, 2, "groups[0].credentials: open none.csv"},
		{[]string{"--example", "soak", "--csv", "fleet_test.go"}, 2, "groups[0].credentials: fleet_test.go: the columns are package test: there have to be name and secret"},
		{[]string{"--example", "classroom", "--remove"}, 2, "--remove is about devices that are made with --api"},
		{[]string{pumps, "--junit", "/no/such/place/junit.xml"}, 2, "--junit: open /no/such/place/junit.xml"},
		{[]string{"--example", "classroom", "--api", "http://127.0.0.1:1"}, 1, "Is Matou running?"},
	} {
		out, errs, code := runCLI(t, nil, append([]string{"fleet", "run"}, tt.args...)...)
		if code != tt.code || !strings.Contains(out+errs, tt.want) {
			t.Errorf("%v: exit %d\n%s%s\nwant %d, %s", tt.args, code, out, errs, tt.code, tt.want)
		}
	}
}

// TestFleetTidiesUp: what a run made goes with --remove, gateways and their
// sub-devices too; what was there before stays, and what a run left goes with
// fleet remove.
func TestFleetTidiesUp(t *testing.T) {
	m := start(t, t.TempDir())
	devices := func(product string) (names []string) {
		t.Helper()
		status, text := m.call("GET", "/products/"+product+"/devices", nil)
		var answer struct{ Items []struct{ Name string } }
		if err := json.Unmarshal(text, &answer); status != 200 || err != nil {
			t.Fatalf("%s: %d %s", product, status, text)
		}
		for _, d := range answer.Items {
			names = append(names, d.Name)
		}
		return names
	}
	want := func(when string, wanted map[string]int) {
		t.Helper()
		for product, n := range wanted {
			if names := devices(product); len(names) != n {
				t.Errorf("%s: product %s has the devices %v, want %d", when, product, names, n)
			}
		}
	}
	houses := []string{"--example", "gateways", "--count", "77", "--duration", "2s"}
	_, errs, code := m.fleet(append(houses, "--remove")...)
	if code != 0 || !strings.Contains(errs, "77 devices that this run made deleted") {
		t.Errorf("exit %d\n%s", code, errs)
	}
	want("after --remove", map[string]int{"a1HouseGate": 0, "a1HouseLamp": 0, "HouseHub": 0, "HouseSensor": 0})

	file := writeFleet(t, "")
	m.product("farm", "mqtt", "lenient", "", "")
	m.add("farm", "pump-000002", "Correct-Horse-7")
	m.add("farm", "another", "Correct-Horse-8")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), "count: 5,", "count: 5, prefix: pump-,", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := m.fleet(file, "--remove"); code != 0 || !strings.Contains(errs, "6 devices that this run made deleted") {
		t.Errorf("exit %d\n%s", code, errs)
	}
	want("beside devices that were there", map[string]int{"farm": 2, "a1NightLamp": 0})

	if _, errs, code := m.fleet(file); code != 0 || strings.Contains(errs, "deleted") {
		t.Errorf("exit %d\n%s", code, errs)
	}
	want("without --remove", map[string]int{"farm": 6, "a1NightLamp": 2})
	remove := []string{"fleet", "remove", file, "--api", m.api, "--token", m.token}
	if _, errs, code := runCLI(t, nil, remove...); code != 2 || !strings.Contains(errs, "say --yes") {
		t.Errorf("without --yes: exit %d %s", code, errs)
	}
	if out, errs, code := runCLI(t, nil, append(remove, "--yes")...); code != 0 || out != "7 devices deleted\n" {
		t.Errorf("exit %d %s%s", code, out, errs)
	}
	if out, errs, code := runCLI(t, nil, append(remove, "--json")...); code != 0 || strings.Join(strings.Fields(out), "") != `{"removed":0}` {
		t.Errorf("nothing to delete: exit %d %s%s", code, out, errs)
	}
	if names := devices("farm"); len(names) != 1 || names[0] != "another" {
		t.Errorf("left: %v", names)
	}
}
