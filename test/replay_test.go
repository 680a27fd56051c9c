package test

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// replayed runs packet replay against the server's device port.
func (m *matou) replayed(args ...string) (stdout, stderr string, code int) {
	m.t.Helper()
	host, port, err := net.SplitHostPort(m.device)
	if err != nil {
		m.t.Fatal(err)
	}
	return m.cli(append([]string{"packet", "replay", "--host", host, "--port", port, "--lang", "en"}, args...)...)
}

// captureOf002 is what tcpdump saw of seed 002's device at an open product.
var captureOf002 = filepath.Join("..", "internal", "recording", "pcap", "testdata", "seed002-eth.pcapng")

func TestReplayOfACapture(t *testing.T) {
	m := start(t, t.TempDir())
	m.sensor("open")
	out, errs, code := m.replayed(captureOf002)
	if code != 0 || !strings.Contains(out, "5 packets sent, 4 packets received, as recorded") {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	for _, want := range []string{"→  CONNECT MQTT 3.1.1 as my_tv", "←  CONNACK: accepted", "←  SUBACK: granted QoS 0", `{"id":"123","code":200,"msg":"success"}`} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	m.awaitLatest(sensorProduct, sensorName, "wendu", "21.1")
}

func TestReplayOfAnExpiredLoginIsExplainedAndSignedAgain(t *testing.T) {
	m := start(t, t.TempDir())
	m.sensor("strict")
	out, _, code := m.replayed(captureOf002)
	for _, want := range []string{"≠ return code was 0, is 4", "missing: ", "4 packets of the recording not sent", "2022-08-23", "onenet-token-expired"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if code != 1 {
		t.Errorf("exit %d", code)
	}
	out, _, _ = m.replayed(captureOf002, "--lang", "zh")
	for _, want := range []string{"≠ 返回码：录制时为 0，现在为 4，用户名或密码错误", "缺少："} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	out, errs, code := m.replayed(captureOf002, "--resign") // the secret is the server's
	if code != 0 || !strings.Contains(out, "written anew: ") || !strings.Contains(out, "as recorded") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	out, errs, code = m.replayed(captureOf002, "--secret", "d3Jvbmcga2V5") // of somebody else
	if code != 1 || !strings.Contains(out, "onenet-wrong-key") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}

func TestReplayOfTheArticleForAnotherDevice(t *testing.T) {
	m := start(t, t.TempDir())
	m.sensor("strict")
	m.add(sensorProduct, "other", sensorKey)
	file := filepath.Join(t.TempDir(), "article.md")
	text := "`AT+CIPSEND=155` 长度\n\n```\n" + seed002Connect + "\n```\n断开链接 2长度\n```\ne000\n```\n数据\n```\n" + seed002Publish + "\n```\n订阅\n```\n" + seed002Subscribe + "\n```\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, code := m.replayed(file, "--as", sensorProduct+"/other", "--json")
	var r struct {
		Sent, Received int
		Steps          []struct {
			Kind  string
			Notes []string
		}
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 || r.Sent != 3 || len(r.Steps) < 5 {
		t.Fatalf("exit %d, %v\n%s%s", code, err, out, errs)
	}
	m.awaitLatest(sensorProduct, "other", "wendu", "21.1")
	if v := m.latest(sensorProduct, sensorName, "wendu"); v != "" {
		t.Errorf("the recorded device has %s", v)
	}
}

func TestReplaySaysWhatItCannotPlay(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	whole, err := os.ReadFile(captureOf002)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"no file", []string{filepath.Join(dir, "none.pcap")}, 2, "neither hex nor a file"},
		{"half a byte", []string{"c00"}, 2, "neither hex nor a file"},
		{"no packet", []string{write("talk.txt", "AT\nOK\n")}, 1, "2 lines without one that is hex"},
		{"a broken capture", []string{write("half.pcapng", string(whole[:300]))}, 1, "too soon"},
		{"no such conversation", []string{captureOf002, "--stream", "2"}, 2, "there are 1"},
		{"no broker", []string{"c000", "--url", "mqtt://127.0.0.1:1"}, 1, "no connection to mqtt://127.0.0.1:1"},
		{"a module's own MQTT", []string{write("ec20.at", "> AT+QMTOPEN=0,\"h\",1883\\r\\n\n")}, 1, "AT+QMTOPEN"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, errs, code := runCLI(t, nil, append([]string{"packet", "replay"}, tt.args...)...)
			if code != tt.code || !strings.Contains(errs, tt.says) {
				t.Errorf("exit %d: %s", code, errs)
			}
		})
	}
}
