package test

import (
	wirebytes "encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	filesProduct = "a1Uploads"
	filesTopic   = "/sys/" + filesProduct + "/lamp01/thing/file/upload/mqtt/"
)

// crc64XZ is CRC-64 by ECMA-182, reflected, bit by bit, so that no table is
// taken on trust.
func crc64XZ(data []byte) string {
	crc := ^uint64(0)
	for _, b := range data {
		crc ^= uint64(b)
		for range 8 {
			if crc&1 == 1 {
				crc = crc>>1 ^ 0xC96C5795D7870F42
			} else {
				crc >>= 1
			}
		}
	}
	return fmt.Sprintf("%016X", ^crc)
}

// sendBlock sends a block as the vendor's C SDK 4.x writes it, and returns the
// answer.
func (w *wire) sendBlock(id int, upload string, offset int, data []byte, last bool) string {
	w.t.Helper()
	head := fmt.Sprintf(`{"id":"%d","params":{"uploadId":"%s","offset":%d,"bSize":%d,"isComplete":%t}}`, id, upload, offset, len(data), last)
	frame := append(wirebytes.BigEndian.AppendUint16(nil, uint16(len(head))), head...)
	frame = wirebytes.LittleEndian.AppendUint16(append(frame, data...), crcARC(data))
	w.Write(publish(filesTopic+"send", string(frame)))
	return w.awaitOn(filesTopic + "send_reply")
}

func sentReply(id, code int, data, message string) string {
	return fmt.Sprintf(`{"code":%d,"data":%s,"id":"%d","message":"%s","method":"thing.file.upload.mqtt.send","version":"1.0"}`, code, data, id, message)
}

// begun asks for an upload and returns its id and where to go on; -1: at the
// beginning.
func (w *wire) begun(params string) (id string, offset int) {
	w.t.Helper()
	w.Write(publish(filesTopic+"init", `{"id":"1","params":`+params+`}`))
	reply := w.awaitOn(filesTopic + "init_reply")
	var r struct {
		Code    int
		Message string
		Data    struct {
			UploadID string
			Offset   *int
		}
	}
	if err := json.Unmarshal([]byte(reply), &r); err != nil || r.Code != 200 || r.Message != "success" || r.Data.UploadID == "" {
		w.t.Fatalf("%v in %s", err, reply)
	}
	if r.Data.Offset == nil {
		return r.Data.UploadID, -1
	}
	return r.Data.UploadID, *r.Data.Offset
}

// TestAnUploadSurvivesACrash: a device uploads a file in blocks, the server is
// killed on the way, and the device goes on where it was. Nobody sees the file
// before it is whole; then it is there, with its event, its ranges, and on the
// command line; and it goes with its device.
func TestAnUploadSurvivesACrash(t *testing.T) {
	whole := noise(50_000)
	m := start(t, t.TempDir())
	m.product(filesProduct, "aliyun", "lenient", "", "")
	m.add(filesProduct, "lamp01", otaSecret)
	w := m.loginAliyun(filesProduct, "lamp01", otaSecret)
	params := `{"fileName":"a.log","fileSize":50000,"conflictStrategy":"append","ficMode":"crc64","ficValue":"` + crc64XZ(whole) + `","initUid":"164786"}`
	id, offset := w.begun(params)
	if offset != -1 {
		t.Fatalf("a new upload goes on at %d", offset)
	}
	if out := m.does("device", "file", "list", filesProduct+"/lamp01"); out != "" {
		t.Errorf("before a block came there is %s", out)
	}
	const size = 2048
	for offset = 0; offset < 20*size; offset += size {
		want := sentReply(offset, 200, fmt.Sprintf(`{"bSize":2048,"offset":%d,"uploadId":"%s"}`, offset, id), "success")
		if got := w.sendBlock(offset, id, offset, whole[offset:offset+size], false); got != want {
			t.Fatalf("\n got %s\nwant %s", got, want)
		}
	}
	m.kill()
	w.Close()
	m = start(t, m.data)
	if out := m.does("device", "file", "list", filesProduct+"/lamp01"); out != "" {
		t.Errorf("after the crash there is %s", out)
	}
	w = m.loginAliyun(filesProduct, "lamp01", otaSecret)
	again, offset := w.begun(params)
	if again != id || offset != 20*size {
		t.Fatalf("after the crash it goes on with %s at %d", again, offset)
	}
	// A block that the server has already: its answer was lost in the crash.
	if got := w.sendBlock(6, id, offset-size, whole[offset-size:offset], false); !strings.HasPrefix(got, `{"code":200,`) {
		t.Errorf("a block once more: %s", got)
	}
	if got, want := w.sendBlock(7, id, offset+size, whole[offset+size:offset+2*size], false),
		sentReply(7, 78119, fmt.Sprintf(`{"bSize":2048,"offset":%d,"uploadId":"%s"}`, offset+size, id), "offset does not match the uploaded size"); got != want {
		t.Errorf("a gap:\n got %s\nwant %s", got, want)
	}
	m.awaitEntry(filesProduct, "lamp01", "the gap", func(e entry) bool { return e.Code == "aliyun-upload-offset" && e.Sentence != "" && e.SentenceZh != "" })
	events := m.events(filesProduct)
	got := ""
	for ; offset < len(whole); offset += size {
		got = w.sendBlock(8, id, offset, whole[offset:min(offset+size, len(whole))], false)
	}
	want := sentReply(8, 200, fmt.Sprintf(`{"bSize":848,"complete":true,"ficMode":"crc64","ficValueClient":"%s","ficValueServer":"%s","offset":49152,"uploadId":"%s"}`,
		crc64XZ(whole), strings.ToLower(crc64XZ(whole)), id), "success")
	if got != want {
		t.Fatalf("\n got %s\nwant %s", got, want)
	}
	if got := w.sendBlock(9, id, 49152, whole[49152:], false); !strings.HasPrefix(got, `{"code":78124,`) {
		t.Errorf("the last block once more: %s", got)
	}
	if e := <-events; e.Device != "lamp01" || e.Name != "a.log" || e.Size != 50_000 || len(e.SHA256) != 64 {
		t.Errorf("the stream told %+v", e)
	}

	out := m.does("device", "file", "list", filesProduct+"/lamp01")
	if !strings.Contains(out, "a.log   48.8 KiB") {
		t.Errorf("%s", out)
	}
	to := filepath.Join(t.TempDir(), "a.log")
	m.does("device", "file", "get", filesProduct+"/lamp01", "a.log", "-o", to)
	if fetched, err := os.ReadFile(to); err != nil || string(fetched) != string(whole) {
		t.Errorf("%d bytes were fetched, %v", len(fetched), err)
	}
	if part := m.part("/products/"+filesProduct+"/devices/lamp01/files/a.log/content", "bytes=2048-4095"); part != string(whole[2048:4096]) {
		t.Errorf("%d bytes of a range", len(part))
	}
	w.Write(publish(filesTopic+"init", `{"id":"2","params":{"fileName":"a.log","fileSize":1,"conflictStrategy":"reject"}}`))
	if got := w.awaitOn(filesTopic + "init_reply"); got != `{"code":78123,"data":{"fileName":"a.log"},"id":"2","message":"file already exists","method":"thing.file.upload.mqtt.init","version":"1.0"}` {
		t.Errorf("a second file of that name: %s", got)
	}
	if status, _ := m.call("DELETE", "/products/"+filesProduct+"/devices/lamp01", nil); status != http.StatusNoContent {
		t.Fatalf("delete the device: %d", status)
	}
	left, err := os.ReadDir(filepath.Join(m.data, "files"))
	if err != nil || len(left) != 1 || left[0].Name() != "incoming" {
		t.Errorf("of a device that is gone there is %v, %v", left, err)
	}
}

// TestUploadsEndInManyWays: without a size, cancelled, with wrong bytes.
func TestUploadsEndInManyWays(t *testing.T) {
	m := start(t, t.TempDir())
	m.product(filesProduct, "aliyun", "lenient", "", "") // a strict one may say no more than 30 messages a second
	m.add(filesProduct, "lamp01", otaSecret)
	w := m.loginAliyun(filesProduct, "lamp01", otaSecret)
	id, _ := w.begun(`{"fileName":"b.bin","fileSize":-1,"conflictStrategy":"overwrite","initUid":"1"}`)
	w.sendBlock(1, id, 0, noise(300), false)
	if got, want := w.sendBlock(2, id, 300, []byte("end"), true), sentReply(2, 200, `{"bSize":3,"complete":true,"offset":300,"uploadId":"`+id+`"}`, "success"); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	id, _ = w.begun(`{"fileName":"c.bin","fileSize":1000,"conflictStrategy":"overwrite","initUid":"2"}`)
	if got := w.sendBlock(3, id, 0, noise(255), false); !strings.HasPrefix(got, `{"code":78120,`) {
		t.Errorf("a small block: %s", got)
	}
	w.Write(publish(filesTopic+"cancel", `{"id":"4","params":{"uploadId":"`+id+`"}}`))
	if got := w.awaitOn(filesTopic + "cancel_reply"); got != `{"code":200,"data":{"uploadId":"`+id+`"},"id":"4","message":"success","method":"thing.file.upload.mqtt.cancel","version":"1.0"}` {
		t.Errorf("cancelled: %s", got)
	}
	if got := w.sendBlock(5, id, 0, noise(300), false); !strings.HasPrefix(got, `{"code":78122,`) {
		t.Errorf("behind its end: %s", got)
	}
	id, _ = w.begun(`{"fileName":"d.bin","fileSize":300,"ficMode":"crc64","ficValue":"` + crc64XZ([]byte("another")) + `"}`)
	if got := w.sendBlock(6, id, 0, noise(300), false); !strings.HasPrefix(got, `{"code":78125,`) {
		t.Errorf("another file: %s", got)
	}
	m.awaitEntry(filesProduct, "lamp01", "the wrong check", func(e entry) bool { return e.Code == "aliyun-upload-check" })
	if out := m.does("device", "file", "list", filesProduct+"/lamp01", "--json"); strings.Count(out, `"name"`) != 1 || !strings.Contains(out, `"b.bin"`) {
		t.Errorf("%s", out)
	}
	// Bytes that are no frame disturb nobody.
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 50 {
		w.Write(publish(filesTopic+"send", string(noise(r.IntN(300)))))
		if got := w.awaitOn(filesTopic + "send_reply"); strings.HasPrefix(got, `{"code":200,`) {
			t.Fatalf("%d: rubbish is taken: %s", n, got)
		}
	}
}

// A fileEvent is what the live stream says of a file.
type fileEvent struct {
	Device, Name, SHA256 string
	Size                 int
}

// events follows the live stream until the first file.
func (m *matou) events(product string) <-chan fileEvent {
	m.t.Helper()
	req, err := http.NewRequestWithContext(m.t.Context(), "GET", m.api+"/api/v1/stream?product="+product, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+m.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { resp.Body.Close() })
	buf := make([]byte, 8)
	if _, err := io.ReadFull(resp.Body, buf); err != nil { // the greeting: from now on nothing is missed
		m.t.Fatal(err)
	}
	told := make(chan fileEvent, 1)
	go func() {
		defer close(told)
		var text string
		b := make([]byte, 4096)
		for {
			n, err := resp.Body.Read(b)
			text += string(b[:n])
			if _, after, found := strings.Cut(text, "event: file\ndata: "); found && strings.Contains(after, "\n") {
				var e fileEvent
				line, _, _ := strings.Cut(after, "\n")
				if json.Unmarshal([]byte(line), &e) == nil {
					told <- e
				}
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return told
}

// part fetches a range.
func (m *matou) part(path, ranges string) string {
	m.t.Helper()
	req, err := http.NewRequestWithContext(m.t.Context(), "GET", m.api+"/api/v1"+path, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+m.token)
	req.Header.Set("Range", ranges)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusPartialContent {
		m.t.Fatalf("%s, %v", resp.Status, err)
	}
	return string(body)
}
