package test

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A driver that nobody here wrote, espat of TinyGo, on the virtual ESP8266 of
// every firmware that it was made for.
func TestTinyGosDriverOnAVirtualESP8266(t *testing.T) {
	need(t, "go")
	driver := filepath.Join(t.TempDir(), "espat")
	build := exec.Command("go", "build", "-o", driver, "./espat")
	build.Dir = "foreign"
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: the driver cannot be fetched or built: %v\n%s", err, out)
	}
	m := start(t, t.TempDir())
	m.product("a1Plain", "mqtt", "lenient", "", "")
	m.add("a1Plain", "foreign", "its-password")
	login := m.credentials("a1Plain", "foreign", "")
	for _, firmware := range []string{"1.7.4", "1.4", "1.3"} {
		t.Run(firmware, func(t *testing.T) {
			where, _ := m.module(`at tcp (\S+)`, "esp8266", "--tcp", "127.0.0.1:0", "--firmware", firmware, "--speed", "5",
				"--wifi", "home=12345678", "--map", "broker.test="+m.device)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			out, err := exec.CommandContext(ctx, driver, "-port", where, "-ssid", "home", "-password", "12345678", "-host", "broker.test",
				"-id", login.ClientID, "-user", login.Username, "-secret", login.Password).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, step := range []string{"connected\n", `192.168.1.23`, "dialled\n", "CONNECT 20 02 00 00\n", "PINGREQ d0 00\n", "hung up\n"} {
				if !strings.Contains(string(out), step) {
					t.Errorf("%q is not in\n%s", step, out)
				}
			}
		})
	}
}
