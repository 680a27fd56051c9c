package app

import (
	"os"
	"path/filepath"
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

func TestUnknownKeyIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "matou.yaml")
	write(t, file, "devices:\n  lisen: [\":2883\"]\n")
	if _, err := Load(file, nil); err == nil || !strings.Contains(err.Error(), "lisen") {
		t.Errorf("error %v does not name the key", err)
	}
}

func TestBadEnvironmentIsNamed(t *testing.T) {
	if _, err := Load("", []string{"MATOU_HISTORY_KEEP=long"}); err == nil || !strings.Contains(err.Error(), "MATOU_HISTORY_KEEP") {
		t.Errorf("error %v does not name the variable", err)
	}
}

func TestCheckNamesEveryMistake(t *testing.T) {
	c := Default()
	if err := c.Check(); err != nil {
		t.Fatalf("the defaults do not pass: %v", err)
	}
	c.Devices.Listen = []string{"1883"}
	c.Devices.OpenNetworks = []string{"home"}
	c.Devices.ProxyProtocol = []string{"10.0.0.300/8", "127.0.0.0/8"}
	c.Demo = true
	c.Log.Level = "loud"
	c.TLS.Key = "only.pem"
	err := c.Check()
	for _, want := range []string{"1883", "home", "devices.proxyProtocol: \"10.0.0.300/8\"", "the demo's devices", "loud", "belong together"} {
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
