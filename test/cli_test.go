package test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadmeCommands does what the README says, word for word.
func TestReadmeCommands(t *testing.T) {
	m := start(t, t.TempDir())
	tsl := filepath.Join(t.TempDir(), "tsl.json")
	if err := os.WriteFile(tsl, []byte(lampTSL), 0o600); err != nil {
		t.Fatal(err)
	}
	ok := func(args ...string) string {
		t.Helper()
		out, errs, code := m.cli(args...)
		if code != 0 {
			t.Fatalf("matou %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errs)
		}
		return out
	}
	ok("product", "add", "--dialect", "aliyun", "--key", lampProduct, "Night light")
	ok("model", "import", lampProduct, tsl)
	ok("device", "add", lampProduct, lampName, "--secret", lampSecret)

	host, port, _ := strings.Cut(m.device, ":")
	out, errs, code := runCLI(t, nil, "pub", "--host", host, "--port", port,
		"--product-key", lampProduct, "--device-name", lampName, "--device-secret", lampSecret,
		"-t", "/sys/"+lampProduct+"/"+lampName+"/thing/event/property/post", "-q", "1",
		"-m", `{"id":"1","params":{"CurrentTemperature":23.5}}`)
	if code != 0 {
		t.Fatalf("pub: exit %d\n%s%s", code, out, errs)
	}
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "23.5")
	id := lampProduct + "/" + lampName
	if got := ok("device", "history", id, "CurrentTemperature"); !strings.Contains(got, "23.5") {
		t.Errorf("history:\n%s", got)
	}
	if got := ok("device", "timeline", id); !strings.Contains(got, "connect") || !strings.Contains(got, "uplink") {
		t.Errorf("timeline:\n%s", got)
	}
	if got := ok("device", "latest", id); !strings.Contains(got, "当前温度") || !strings.Contains(got, "°C") {
		t.Errorf("latest:\n%s", got)
	}

	w := m.loginAliyun(lampProduct, lampName, lampSecret)
	set := make(chan string, 1)
	go func() {
		out, errs, _ := m.cli("device", "set", id, "NightLightSwitch=1", "--wait", "10s")
		set <- out + errs
	}()
	topic, payload := w.message()
	if topic != "/sys/"+lampProduct+"/"+lampName+"/thing/service/property/set" || !strings.Contains(payload, `"NightLightSwitch":1`) {
		t.Errorf("%s %s", topic, payload)
	}
	w.Write(publish(topic+"_reply", `{"code":200,"data":{},"id":"`+between(payload, `"id":"`, `"`)+`"}`))
	if got := <-set; !strings.Contains(got, "acknowledged") {
		t.Errorf("set: %s", got)
	}
	var listed struct {
		Items []struct{ Name, State string }
	}
	if err := json.Unmarshal([]byte(ok("--json", "device", "list", lampProduct)), &listed); err != nil || len(listed.Items) != 1 || listed.Items[0].State != "ONLINE" {
		t.Errorf("%v %+v", err, listed)
	}
	if _, errs, code := m.cli("device", "set", id, "CurrentTemperature=1"); code != 1 || !strings.Contains(errs, "CurrentTemperature") {
		t.Errorf("a read-only property: exit %d %s", code, errs)
	}
	if _, errs, code := m.cli("device", "show", lampProduct+"/nobody"); code != 1 || !strings.Contains(errs, "nobody") {
		t.Errorf("a device that is not there: exit %d %s", code, errs)
	}
}
