package test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A module whose speed nobody knows, without SIM card, on a pseudo-terminal:
// the look finds both, says so in either language, and leaves a transcript.
func TestProbeOverAPseudoTerminal(t *testing.T) {
	m := &matou{t: t, stderr: new(buffer)}
	link, record := filepath.Join(t.TempDir(), "ec20"), filepath.Join(t.TempDir(), "look.at")
	flags := []string{"ec20", "--pty", link, "--speed", "50", "--fault", "sim-missing"}
	if runtime.GOOS == "linux" { // elsewhere the speed of a pseudo-terminal cannot be seen
		flags = append(flags, "--fault", "wrong-baud=57600")
	}
	m.module(`which is (\S+)`, flags...)
	out, errs, code := runCLI(t, nil, "modem", "probe", link, "--lang", "en", "--record", record)
	if code != 1 {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	for _, want := range []string{"Quectel EC20F (quectel)", "861111111111111", "wrong (sim-missing): there is no SIM card\n  Insert it"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if runtime.GOOS == "linux" && (!strings.Contains(out, "57600\n") || !strings.Contains(errs, "trying 115200 baud\n")) {
		t.Errorf("the speed was not found:\n%s%s", out, errs)
	}
	if text, err := os.ReadFile(record); err != nil || !strings.Contains(string(text), `> AT+CPIN?\r\n`) || !strings.Contains(string(text), "+CME ERROR: 10") {
		t.Errorf("the transcript (%v):\n%s", err, text)
	}
	out, errs, code = runCLI(t, nil, "modem", "probe", link, "--lang", "zh")
	if code != 1 || !strings.Contains(out, "错误 (sim-missing): 没有检测到 SIM 卡\n  请断电后") || !strings.Contains(out, "SIM 卡") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}

// A module in order, as machines see it, over TCP.
func TestProbeOverTCP(t *testing.T) {
	m := &matou{t: t, stderr: new(buffer)}
	where, stop := m.module(` at tcp (127\.0\.0\.1:\d+)`, "esp8266", "--firmware", "2", "--tcp", "127.0.0.1:0", "--speed", "50", "--wifi", "home=12345678")
	out, errs, code := runCLI(t, nil, "modem", "probe", "tcp://"+where, "--json")
	var r struct {
		Port, IP string
		Answers  bool
		Module   struct{ Family, Firmware string }
		MQTT     struct{ Commands string }
		Findings []struct{ Code, Severity string }
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 {
		t.Fatalf("exit %d, %v\n%s%s", code, err, out, errs)
	}
	if !r.Answers || r.Module.Family != "esp-at" || r.MQTT.Commands != "AT+MQTT…" || len(r.Findings) != 1 || r.Findings[0].Code != "wifi-not-joined" {
		t.Errorf("%+v", r)
	}
	stop()
	if out, errs, code := runCLI(t, nil, "modem", "probe", "tcp://"+where); code != 1 || !strings.Contains(errs, "refused") {
		t.Errorf("without a module: exit %d\n%s%s", code, out, errs)
	}
}
