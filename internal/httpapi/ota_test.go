package httpapi_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/httpapi"
)

func md5Of(body string) string {
	sum := md5.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}

// send uploads a body of a type as the operator.
func (h *house) send(method, path, kind string, body io.Reader) (int, string) {
	h.Helper()
	req, err := http.NewRequestWithContext(h.Context(), method, h.url+httpapi.Base+path, body)
	if err != nil {
		h.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Authorization", "Bearer "+h.tokens[access.OperatorRole])
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw)
}

func TestPackagesAreUploaded(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/products", object{"key": "lamp", "dialect": "aliyun"})
	const path = "/products/lamp/ota/packages"
	status, raw := h.send("PUT", path+"?version=1.0&module=MCU&method=sha256&file=mcu.bin&md5="+md5Of("firmware"), "application/octet-stream", strings.NewReader("firmware"))
	if status != 201 || !strings.Contains(raw, `"files":[{"name":"mcu.bin","size":8,"md5":"`+md5Of("firmware")+`"`) {
		t.Errorf("%d %s", status, raw)
	}
	form := func(parts ...string) (string, io.Reader) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for i := 0; i < len(parts); i += 2 {
			if name, ok := strings.CutPrefix(parts[i], "file:"); ok {
				f, _ := w.CreateFormFile("file", name)
				io.WriteString(f, parts[i+1])
				continue
			}
			w.WriteField(parts[i], parts[i+1])
		}
		w.Close()
		return w.FormDataContentType(), &b
	}
	for _, tt := range []struct {
		parts  []string
		status int
		words  string
	}{
		{[]string{"version", "2.0", "extra", `{"a":1}`, "md5", md5Of("a"), "file:a.bin", "a", "size", "2", "file:b.bin", "bb"}, 201, `"name":"b.bin","size":2`},
		{[]string{"version", "2.1", "md5", md5Of("x"), "file:a.bin", "a"}, 400, "has the MD5"},
		{[]string{"version", "2.1", "size", "many", "file:a.bin", "a"}, 400, "no number of bytes"},
		{[]string{"version", "2.1"}, 400, "no file"},
		{[]string{"file:a.bin", "a", "version", "2.1"}, 400, "version"},
		{[]string{"version", "2.1", "file:a.bin", "a", "desc", "late"}, 400, "put the files last"},
		{[]string{"version", "2.1", "colour", "red"}, 400, "not known"},
		{[]string{"version", strings.Repeat("1", 9000), "file:a", "a"}, 400, "longer than"},
	} {
		kind, body := form(tt.parts...)
		if status, raw := h.send("POST", path, kind, body); status != tt.status || !strings.Contains(raw, tt.words) {
			t.Errorf("%q: %d %s", tt.parts, status, raw)
		}
	}
	status, raw = h.send("POST", path, "multipart/form-data; boundary=x", strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nhalf"))
	if status != 400 || !strings.Contains(raw, "version") {
		t.Errorf("%d %s", status, raw)
	}
	if status, _ := h.do(access.Viewer, "PUT", httpapi.Base+path+"?version=9", "x"); status != 403 {
		t.Errorf("a viewer uploads: %d", status)
	}
	list := h.want(200, "GET", path+"?module=MCU", nil)
	if n := len(list["items"].([]any)); n != 1 {
		t.Errorf("%d packages of module MCU", n)
	}
	id := list["items"].([]any)[0].(object)["id"].(string)
	h.want(200, "GET", path+"/"+id, nil)
	h.want(204, "DELETE", path+"/"+id, nil)
	h.want(404, "GET", path+"/"+id, nil)
}

// TestAnUploadThatIsCutShortIsRefused sends less than its Content-Length says,
// and a chunk without its end.
func TestAnUploadThatIsCutShortIsRefused(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/products", object{"key": "lamp", "dialect": "aliyun"})
	for _, rest := range []string{"Content-Length: 100\r\n\r\nfirm", "Transfer-Encoding: chunked\r\n\r\n64\r\nfirm"} {
		c, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "PUT %s/products/lamp/ota/packages?version=1.0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s", httpapi.Base, h.tokens[access.OperatorRole], rest)
		c.(*net.TCPConn).CloseWrite()
		answer, _ := io.ReadAll(c)
		c.Close()
		if s := string(answer); !strings.HasPrefix(s, "HTTP/1.1 400 ") || !strings.Contains(s, "the file was cut short") || !strings.Contains(s, "4 ") {
			t.Errorf("%s: %s", rest, s)
		}
	}
	if list := h.want(200, "GET", "/products/lamp/ota/packages", nil); len(list["items"].([]any)) != 0 {
		t.Errorf("%v", list)
	}
}

func TestUpgradeJobs(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/products", object{"key": "lamp", "dialect": "aliyun"})
	h.want(201, "POST", "/products/lamp/devices/batch", object{"devices": []object{{"name": "a"}, {"name": "b"}, {"name": "c"}}})
	_, raw := h.send("PUT", "/products/lamp/ota/packages?version=1.0", "application/octet-stream", strings.NewReader("firmware"))
	id := raw[strings.Index(raw, `"id":"`)+6:]
	id = id[:strings.Index(id, `"`)]
	const jobs = "/products/lamp/ota/jobs"
	job := h.want(201, "POST", jobs, object{"package": id, "devices": []string{"a", "b"}, "confirm": true, "perMinute": 60})["id"].(string)
	h.want(400, "POST", jobs, object{"package": id, "percent": 200})
	h.want(200, "PATCH", "/products/lamp/devices/c/tags", object{"set": object{"floor": "3"}})
	for tag, wants := range map[string]int{"floor=3": 201, "floor": 201, "floor=4": 400} {
		made := h.want(wants, "POST", jobs, object{"package": id, "tag": tag, "confirm": true})
		if wants != 201 {
			continue
		}
		path := jobs + "/" + made["id"].(string)
		h.await("the device with the tag to be selected", func() bool { return h.want(200, "GET", path, nil)["selected"] == 1.0 })
		if got := h.want(200, "GET", path+"/devices", nil)["items"].([]any); len(got) != 1 || got[0].(object)["device"] != "c" {
			t.Errorf("%s: %v", tag, got)
		}
		h.want(200, "POST", path+"/cancel", nil)
	}
	h.want(400, "POST", jobs, object{"package": id, "tag": "floor", "devices": []string{"a"}})
	h.want(400, "POST", jobs, object{"package": id, "devices": []string{}})
	h.want(404, "POST", jobs, object{"package": "none"})
	h.want(404, "GET", jobs+"/none", nil)
	h.await("two devices to be selected", func() bool {
		return h.want(200, "GET", jobs+"/"+job, nil)["selected"] == 2.0
	})
	shown := h.want(200, "GET", jobs+"/"+job, nil)
	if shown["states"].(object)["CONFIRM"] != 2.0 || shown["notes"].([]any)[0].(object)["code"] != "ota-url-port" {
		t.Errorf("%v", shown)
	}
	first := h.want(200, "GET", jobs+"/"+job+"/devices?limit=1", nil)
	second := h.want(200, "GET", jobs+"/"+job+"/devices?limit=1&after="+first["next"].(string), nil)
	if first["items"].([]any)[0].(object)["device"] != "a" || second["items"].([]any)[0].(object)["device"] != "b" || second["next"] != nil {
		t.Errorf("%v, %v", first, second)
	}
	h.want(400, "GET", jobs+"/"+job+"/devices?after=x", nil)
	h.want(400, "GET", jobs+"/"+job+"/devices?state=LOST", nil)
	if got := h.want(200, "POST", jobs+"/"+job+"/devices/a/confirm", nil)["state"]; got != "QUEUED" {
		t.Errorf("confirmed: %v", got)
	}
	h.want(409, "POST", jobs+"/"+job+"/devices/a/confirm", nil)
	if got := h.want(200, "POST", jobs+"/"+job+"/devices/a/cancel", nil)["state"]; got != "CANCELED" {
		t.Errorf("cancelled: %v", got)
	}
	if got := h.want(200, "POST", jobs+"/"+job+"/devices/a/retry", nil)["state"]; got != "QUEUED" {
		t.Errorf("retried: %v", got)
	}
	h.want(404, "POST", jobs+"/"+job+"/devices/c/retry", nil)
	h.want(409, "DELETE", "/products/lamp/ota/packages/"+id, nil)
	if got := h.want(200, "POST", jobs+"/"+job+"/cancel", nil)["state"]; got != "CANCELED" {
		t.Errorf("%v", got)
	}
	h.want(409, "POST", jobs+"/"+job+"/cancel", nil)
	if n := len(h.want(200, "GET", jobs+"?open=true", nil)["items"].([]any)); n != 0 {
		t.Errorf("%d open jobs", n)
	}
	if v := h.want(200, "GET", "/products/lamp/devices/a/versions", nil)["items"].([]any); len(v) != 0 {
		t.Errorf("%v", v)
	}
	h.want(404, "GET", "/products/lamp/devices/nobody/versions", nil)
}

// await asks again and again for what another goroutine brings about.
func (h *house) await(what string, happened func() bool) {
	h.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 2000 {
		if happened() {
			return
		}
		<-tick.C
	}
	h.Fatalf("waited in vain for %s", what)
}
