package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestLaterSourcesWin(t *testing.T) {
	file := filepath.Join(t.TempDir(), "matou.yaml")
	write(t, file, "data: fromfile\nhistory:\n  keep: 24h\ndevices:\n  listen: [\":2883\"]\n")
	c, err := Load(file, []string{"MATOU_DATA=fromenv", "MATOU_DEVICES_LISTEN=:3883, :4883", "MATOU_API_ADMIN_PASSWORD=long enough", "MATOU_SERVER=http://x"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Data != "fromenv" || c.History.Keep != 24*time.Hour || strings.Join(c.Devices.Listen, "|") != ":3883|:4883" || c.API.AdminPassword != "long enough" {
		t.Errorf("%+v", c)
	}
}

// TestWhatIsWrongInTheFileIsSaid: each mistake with its line, its key and what
// to write instead, all of them at once.
func TestWhatIsWrongInTheFileIsSaid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "matou.yaml")
	for text, want := range map[string]string{
		"devices:\n  lisen: [\":2883\"]\n":                          ":2: devices.lisen: there is no such field; did you mean listen?",
		"data: x\nhistory:\n  keep: 90\n":                           `:3: history.keep: "90" is no time: write it with its unit`,
		"disk:\n  reserve: 1GiB\n":                                  `:2: disk.reserve: "1GiB" is no whole number: write the bytes, 1073741824`,
		"devices: {listen: \":1883\"}":                              `:1: devices.listen: a list belongs here`,
		"data: x\ndemo: perhaps\nlog: {format: json, format: text}": "is no switch: write true or false\n" + file + ":3: log.format: it stands here twice",
		"- data: x":      ":1: names and values belong here (data, demo, devices …), not a list",
		"data: a: b\n":   "a colon stands where none belongs",
		"tls: {more: x}": ":1: tls.more: a list belongs here",
	} {
		write(t, file, text)
		if _, err := Load(file, nil); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), file) {
			t.Errorf("%q: %v does not say %q", text, err, want)
		}
	}
	for _, text := range []string{"", "\n# nothing yet\n---\n", "history: {keep: 90d}\ntls: {more: [{certificate: a, key: b}]}\n", "devices:\n"} {
		write(t, file, text)
		if c, err := Load(file, nil); err != nil || c.History.Keep != Default().History.Keep || len(c.Devices.Listen) != 2 {
			t.Errorf("%q: %+v, %v", text, c, err)
		}
	}
}

func TestBadEnvironmentIsNamed(t *testing.T) {
	for variable, want := range map[string]string{
		"MATOU_HISTORY_KEEP=long":          `MATOU_HISTORY_KEEP: "long" is no time: write it with its unit`,
		"MATOU_DEVICES_LIMITS_INFLIGHT=x":  `MATOU_DEVICES_LIMITS_INFLIGHT: "x" is no whole number`,
		"MATOU_DEMO=perhaps":               `MATOU_DEMO: "perhaps" is no switch`,
		"MATOU_TLS_MORE=a,b":               "MATOU_TLS_MORE: only the file can say this",
		"MATOU_DEVICES_MAX_CONNECTIONS=1M": `MATOU_DEVICES_MAX_CONNECTIONS: "1M" is no whole number: write the bytes, 1048576`,
	} {
		if _, err := Load("", []string{variable}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", variable, err)
		}
	}
}

func TestStraysAreFound(t *testing.T) {
	got := Strays([]string{
		"MATOU_DEVICES_LIMITS_INFLIGTH=3", "MATOU_API_LISTN=:1", "PATH=/bin", // the first two are misspelled
		"MATOU_API_LISTEN=:1", "MATOU_DATA=/d", "MATOU_TLS_MORE=a", // keys
		"MATOU_SERVER=x", "MATOU_DEVICE_SECRET=x", // the command line's
		"MATOU_PORT_1883_TCP=tcp://10.0.0.1:1883", "MATOU_SERVICE_HOST=10.0.0.1", // Kubernetes'
	})
	if want := []string{"MATOU_API_LISTN", "MATOU_DEVICES_LIMITS_INFLIGTH"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestCheckNamesEveryMistake(t *testing.T) {
	c := Default()
	if err := c.Check(); err != nil {
		t.Fatalf("the defaults do not pass: %v", err)
	}
	c.Devices.Listen = []string{"1883", ":99999", ":80", ":80"}
	c.API.Listen, c.API.AdminPassword = "5", "short"
	c.Devices.Host = "http://iot.example.com"
	c.History.Keep = -1
	c.Devices.OpenNetworks = []string{"home"}
	c.Devices.ProxyProtocol = []string{"10.0.0.300/8", "127.0.0.0/8"}
	c.API.TrustedProxies, c.API.ProxyHeader = []string{"nginx"}, "X-Real-IP"
	c.Demo = true
	c.Log.Level = "loud"
	c.TLS.Key = "only.pem"
	err := c.Check()
	for _, want := range []string{`devices.listen: "1883" is no address`, `devices.listen: ":99999"`, `devices.listen: ":80" stands there twice`,
		`api.listen: "5"`, "api.adminPassword: a password has at least 8", "devices.host: ", "history.keep: it is below 0", "home", "devices.proxyProtocol: \"10.0.0.300/8\"", "the demo's devices", "loud", "belong together",
		"api.trustedProxies: \"nginx\"", "api.proxyHeader: \"X-Real-IP\""} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
