package test

import (
	"bytes"
	"crypto/md5"
	wirebytes "encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	otaProduct = "a1Upgrade"
	otaSecret  = "Zk3Qw8ErT5yUiOp1AsDf7GhJkLzXcV2b"
	otaInform  = "/ota/device/inform/" + otaProduct + "/lamp01"
	otaStep    = "/ota/device/progress/" + otaProduct + "/lamp01"
	otaPush    = "/ota/device/upgrade/" + otaProduct + "/lamp01"
	otaBlocks  = "/sys/" + otaProduct + "/lamp01/thing/file/download"
)

// noise is bytes that do not repeat, the same each time.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func md5Hex(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}

// said publishes at QoS 1 and reads until it is acknowledged.
func (w *wire) said(topic, payload string) {
	w.t.Helper()
	w.Write(publish1(7, topic, payload))
	for {
		if first, body := w.packet(); first == 0x40 && string(body) == "\x00\x07" {
			return
		}
	}
}

// awaitOn reads messages until one comes on topic.
func (w *wire) awaitOn(topic string) string {
	w.t.Helper()
	for {
		if on, payload := w.message(); on == topic {
			return payload
		}
	}
}

// A push is what a device is told of an upgrade, in the members that the
// vendor's SDKs read.
type push struct {
	Code string
	Data struct {
		Size                    int
		Version, URL, MD5, Sign string
		SignMethod, DProtocol   string
		StreamID, StreamFileID  int64
	}
}

func pushed(t *testing.T, payload string) (p push) {
	t.Helper()
	if err := json.Unmarshal([]byte(payload), &p); err != nil || p.Code != "1000" {
		t.Fatalf("%v in %s", err, payload)
	}
	return p
}

// upgradable starts a server with a lamp that runs 1.0 and uploads 2.0 by the
// command line.
func upgradable(t *testing.T, image []byte) (m *matou, pkg string) {
	t.Helper()
	m = start(t, t.TempDir())
	m.product(otaProduct, "aliyun", "lenient", "", "")
	m.add(otaProduct, "lamp01", otaSecret)
	file := filepath.Join(t.TempDir(), "lamp-2.0.bin")
	if err := os.WriteFile(file, image, 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, code := m.cli("ota", "package", "add", otaProduct, file, "--version", "2.0", "--json")
	var made struct{ ID string }
	if code != 0 || json.Unmarshal([]byte(out), &made) != nil || made.ID == "" {
		t.Fatalf("%d %s %s", code, out, errs)
	}
	return m, made.ID
}

func (m *matou) jobState(job string) (state string, states map[string]int) {
	m.t.Helper()
	p := must[struct {
		State  string
		States map[string]int
	}](m, "GET", "/products/"+otaProduct+"/ota/jobs/"+job, nil)
	return p.State, p.States
}

// TestAnUpgradeSurvivesACrash: a device is told, fetches half of the firmware
// in ranges, the server is killed, the device fetches the rest from where it
// was, and the job ends when it reports the version.
func TestAnUpgradeSurvivesACrash(t *testing.T) {
	image := noise(300_000)
	m, pkg := upgradable(t, image)
	w := m.loginAliyun(otaProduct, "lamp01", otaSecret)
	w.said(otaInform, `{"id":1,"params":{"version":"1.0"}}`)
	out, errs, code := m.cli("ota", "job", "create", otaProduct, pkg, "--timeout", "1h", "--json")
	var job struct{ ID string }
	if code != 0 || json.Unmarshal([]byte(out), &job) != nil {
		t.Fatalf("%d %s %s", code, out, errs)
	}
	p := pushed(t, w.awaitOn(otaPush))
	if p.Data.Size != len(image) || p.Data.Version != "2.0" || p.Data.MD5 != md5Hex(image) || p.Data.Sign != p.Data.MD5 || p.Data.SignMethod != "Md5" {
		t.Fatalf("%+v", p)
	}
	address, err := url.Parse(p.Data.URL)
	if err != nil || address.Host != m.device || address.RawQuery != "" {
		t.Fatalf("the address is %s", p.Data.URL)
	}
	var got bytes.Buffer
	fetch := func(from, to int) {
		t.Helper()
		req, _ := http.NewRequest("GET", "http://"+m.device+address.Path, nil)
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, to-1))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusPartialContent || resp.ContentLength != int64(to-from) {
			t.Fatalf("%s, %d bytes", resp.Status, resp.ContentLength)
		}
		if _, err := io.Copy(&got, resp.Body); err != nil {
			t.Fatal(err)
		}
	}
	fetch(0, 100_000)
	fetch(100_000, 150_000)
	w.said(otaStep, `{"id":2,"params":{"step":"50","desc":""}}`)

	m.kill()
	w.Close()
	m = start(t, m.data)
	if state, states := m.jobState(job.ID); state != "IN_PROGRESS" || states["IN_PROGRESS"] != 1 {
		t.Fatalf("after the crash the job is %s with %v", state, states)
	}
	fetch(150_000, 300_000) // before it is even connected
	if md5Hex(got.Bytes()) != p.Data.MD5 {
		t.Fatal("what was fetched is not the firmware")
	}
	w = m.loginAliyun(otaProduct, "lamp01", otaSecret)
	w.said(otaStep, `{"id":3,"params":{"step":"100","desc":""}}`)
	if state, _ := m.jobState(job.ID); state != "IN_PROGRESS" {
		t.Errorf("at 100 %% the job is %s", state)
	}
	w.said(otaInform, `{"id":4,"params":{"version":"2.0"}}`)
	if state, states := m.jobState(job.ID); state != "COMPLETED" || states["SUCCEEDED"] != 1 {
		t.Errorf("the job is %s with %v", state, states)
	}
	resp, err := http.Get("http://" + m.device + address.Path)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusGone {
		t.Errorf("the address of an upgrade that is over: %s", resp.Status)
	}
	out, _, code = m.cli("ota", "job", "show", otaProduct, job.ID)
	if code != 0 || !strings.Contains(out, "COMPLETED") || !strings.Contains(out, "SUCCEEDED   100 %") {
		t.Errorf("%d\n%s", code, out)
	}
	m.awaitEntry(otaProduct, "lamp01", "the success in the timeline", func(e entry) bool { return e.Code == "ota-succeeded" })
}

// crcARC is CRC-16/ARC bit by bit, so that no table is taken on trust.
func crcARC(data []byte) uint16 {
	var crc uint16
	for _, b := range data {
		crc ^= uint16(b)
		for range 8 {
			if crc&1 == 1 {
				crc = crc>>1 ^ 0xA001
			} else {
				crc >>= 1
			}
		}
	}
	return crc
}

// TestAnUpgradeInBlocksOverMQTT: a device asks for an upgrade, fetches it in
// blocks as the vendor's C SDK does, and reports; the server is killed on the
// way.
func TestAnUpgradeInBlocksOverMQTT(t *testing.T) {
	image := noise(50_000)
	m, pkg := upgradable(t, image)
	w := m.loginAliyun(otaProduct, "lamp01", otaSecret)
	w.Write(publish("/sys/"+otaProduct+"/lamp01/thing/ota/firmware/get", `{"id":"9","version":"1.0","params":{}}`))
	if topic, payload := w.message(); topic != "/sys/"+otaProduct+"/lamp01/thing/ota/firmware/get_reply" ||
		payload != `{"code":200,"data":{},"id":"9","message":"success","method":"thing.ota.firmware.get","version":"1.0"}` {
		t.Fatalf("%s %s", topic, payload)
	}
	job := must[struct{ ID string }](m, "POST", "/products/"+otaProduct+"/ota/jobs", object{"package": pkg, "protocol": "mqtt", "devices": []string{"lamp01"}})
	p := pushed(t, w.awaitOn(otaPush))
	if p.Data.DProtocol != "mqtt" || p.Data.StreamID == 0 || p.Data.StreamFileID != 1 || p.Data.URL != "" {
		t.Fatalf("%+v", p)
	}
	var got []byte
	token := ""
	for n := 0; len(got) < len(image); n++ {
		if n == 5 {
			m.kill()
			w.Close()
			m = start(t, m.data)
			w = m.loginAliyun(otaProduct, "lamp01", otaSecret)
		}
		w.Write(publish(otaBlocks, fmt.Sprintf(`{"id":"%d","version":"1.0","params":{"fileToken":"%s","fileInfo":{"streamId":%d,"fileId":1},"fileBlock":{"size":5120,"offset":%d}}}`,
			100+n, token, p.Data.StreamID, len(got))))
		frame := []byte(w.awaitOn(otaBlocks + "_reply"))
		head := int(wirebytes.BigEndian.Uint16(frame))
		var h struct {
			ID   string
			Code int
			Data struct {
				BSize, BOffset, FileLength int
				FileToken                  string
			}
		}
		if err := json.Unmarshal(frame[2:2+head], &h); err != nil || h.Code != 200 || h.ID != fmt.Sprint(100+n) {
			t.Fatalf("%v in %s", err, frame[2:2+head])
		}
		block := frame[2+head : len(frame)-2]
		if len(block) != h.Data.BSize || h.Data.BOffset != len(got) || h.Data.FileLength != len(image) || wirebytes.LittleEndian.Uint16(frame[len(frame)-2:]) != crcARC(block) {
			t.Fatalf("block %d: %+v with %d bytes", n, h, len(block))
		}
		token = h.Data.FileToken
		got = append(got, block...)
	}
	if md5Hex(got) != p.Data.MD5 {
		t.Fatal("the blocks are not the firmware")
	}
	// Beyond its end there is no block, and the timeline says so.
	w.Write(publish(otaBlocks, fmt.Sprintf(`{"id":"1","params":{"fileInfo":{"streamId":%d,"fileId":1},"fileBlock":{"size":256,"offset":50000}}}`, p.Data.StreamID)))
	if reply := w.awaitOn(otaBlocks + "_reply"); reply != "\x00\x39"+`{"id":"1","code":460,"message":"request parameter error"}` {
		t.Errorf("%q", reply)
	}
	e := m.awaitEntry(otaProduct, "lamp01", "the refusal", func(e entry) bool { return e.Code == "aliyun-ota-file-offset" })
	if e.Sentence == "" || e.SentenceZh == "" {
		t.Errorf("%+v", e)
	}
	w.said(otaInform, `{"id":4,"params":{"version":"2.0"}}`)
	if state, _ := m.jobState(job.ID); state != "COMPLETED" {
		t.Errorf("the job is %s", state)
	}
}

// TestAOneNETDeviceUpgrades by its own endpoints, with its token.
func TestAOneNETDeviceUpgrades(t *testing.T) {
	const pid, dev, key = "VRqhDHF2wL", "my_tv", "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw="
	m := start(t, t.TempDir())
	m.product(pid, "onenet", "strict", "", "")
	m.add(pid, dev, key)
	image := noise(2_000)
	pkg := must[struct{ ID string }](m, "PUT", "/products/"+pid+"/ota/packages?version=v3.0", image)
	ask := func(token, method, path, body string, headers ...string) (*http.Response, string) {
		t.Helper()
		req, _ := http.NewRequest(method, "http://"+m.device+"/fuse-ota/"+pid+"/"+dev+path, strings.NewReader(body))
		req.Header.Set("authorization", token)
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		raw, _ := io.ReadAll(resp.Body)
		return resp, string(raw)
	}
	token := onenetToken(pid, dev, key, time.Now().Add(time.Hour).Unix())
	old := onenetToken(pid, dev, key, 1_600_000_000)
	stolen := onenetToken(pid, dev, "AAAANT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=", time.Now().Add(time.Hour).Unix())
	if _, got := ask(old, "POST", "/version", `{"s_version":"V1.0"}`); !strings.HasPrefix(got, `{"code":12,`) {
		t.Errorf("an expired token: %s", got)
	}
	if _, got := ask(stolen, "POST", "/version", `{"s_version":"V1.0"}`); !strings.HasPrefix(got, `{"code":4,`) {
		t.Errorf("a token of another key: %s", got)
	}
	m.awaitEntry(pid, dev, "the refusal of the expired token", func(e entry) bool { return e.Kind == "refuse" && e.Code == "onenet-token-expired" })
	if _, got := ask(token, "POST", "/version", `{"s_version":"V1.0","f_version":"V1.0"}`); !strings.HasPrefix(got, `{"code":0,"msg":"succ","request_id":"`) {
		t.Fatalf("version: %s", got)
	}
	w := m.dial()
	w.Write(connect(dev, pid, token, 60, true))
	w.expect("20 02 00 00")
	w.Write(frame(0x82, "\x00\x01"+str("$sys/"+pid+"/"+dev+"/ota/#")+"\x00"))
	w.expect("90 03 00 01 00")
	job := must[struct{ ID string }](m, "POST", "/products/"+pid+"/ota/jobs", object{"package": pkg.ID})
	if topic, payload := w.message(); topic != "$sys/"+pid+"/"+dev+"/ota/inform" || payload != `{"id":"1","version":"1.0","params":{}}` {
		t.Errorf("%s %s", topic, payload)
	}
	w.Write(publish("$sys/"+pid+"/"+dev+"/ota/inform_reply", `{"id":"1","code":200}`))
	_, got := ask(token, "GET", "/check?type=2&version=V1.0", "")
	if !strings.Contains(got, `"data":{"target":"v3.0","tid":1,"size":2000,"md5":"`+md5Hex(image)+`","status":1,"type":1}}`) {
		t.Fatalf("check: %s", got)
	}
	var all string
	for from := 0; from < len(image); from += 512 {
		resp, part := ask(token, "GET", "/1/download", "", "Range", fmt.Sprintf("%d-%d", from, from+511))
		if resp.StatusCode != 200 || resp.Header.Get("Ota-Errno") != "0" || resp.ContentLength != int64(len(part)) {
			t.Fatalf("%s %v", resp.Status, resp.Header)
		}
		all += part
	}
	if all != string(image) {
		t.Error("what was fetched is not the firmware")
	}
	for _, step := range []string{"50", "100", "201"} {
		if _, got := ask(token, "POST", "/1/status", `{"step":`+step+`}`); !strings.HasPrefix(got, `{"code":0,`) {
			t.Errorf("step %s: %s", step, got)
		}
	}
	if p := must[struct{ State string }](m, "GET", "/products/"+pid+"/ota/jobs/"+job.ID, nil); p.State != "COMPLETED" {
		t.Errorf("the job is %s", p.State)
	}
}
