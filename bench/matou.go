//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// plainProduct is of devices that use topics of their own.
const plainProduct = "bench"

// deviceSecret is that of every device.
const deviceSecret = "0123456789abcdef0123456789abcdef"

// deviceName names the i-th device, or topic, of the bench.
func deviceName(i int) string { return fmt.Sprintf("d%06d", i) }

// matouPeer is the product as it is served: registry, rights, sessions and
// history on. Its log says warnings only, as the peers' does.
func matouPeer(program string) *peer {
	p := &peer{name: "matou", cloud: true, keeps: true}
	p.start = func(ctx context.Context, dir string, _ bool) (*server, error) {
		os.Remove(filepath.Join(dir, "run.json"))
		s, err := launch(ctx, p, "", program, "serve", "--data", dir, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0", "--log-level", "warn")
		if err != nil {
			return nil, err
		}
		if err := s.readRun(ctx, dir); err != nil {
			return nil, errors.Join(err, s.stop())
		}
		return s, nil
	}
	return p
}

// readRun waits until the server has said where it is.
func (s *server) readRun(ctx context.Context, dir string) error {
	var run struct {
		API     string
		Devices []string
	}
	for deadline := time.Now().Add(startPatience); ; {
		raw, err := os.ReadFile(filepath.Join(dir, "run.json"))
		if err == nil && json.Unmarshal(raw, &run) == nil && len(run.Devices) > 0 {
			break
		}
		select {
		case <-s.gone:
			return s.fault(errors.New("matou did not start"))
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
		if time.Now().After(deadline) {
			return s.fault(fmt.Errorf("matou did not start within %v", startPatience))
		}
	}
	token, err := os.ReadFile(filepath.Join(dir, "local.token"))
	if err != nil {
		return err
	}
	s.addr = run.Devices[0]
	s.matou = &matouAPI{base: run.API + "/api/v1", token: strings.TrimSpace(string(token))}
	return nil
}

// matouAPI is Matou's REST interface.
type matouAPI struct{ base, token string }

// call sends body as JSON, raw bytes as they are, and reads the answer into
// out unless that is nil.
func (a *matouAPI) call(ctx context.Context, method, path string, body, out any) error {
	raw, ok := body.([]byte)
	if !ok && body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %.300s", method, path, resp.Status, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

type object = map[string]any

// batchDevices is how many devices one request makes: the most that is allowed.
const batchDevices = 10_000

// make makes the product of a vendor with n devices.
func (a *matouAPI) make(ctx context.Context, v *vendor, n int) error {
	err := a.call(ctx, "POST", "/products", object{"key": v.product, "name": v.product, "dialect": v.dialect}, nil)
	if err == nil && v.model != "" {
		err = a.call(ctx, "PUT", "/products/"+v.product+"/model?format="+v.dialect, []byte(v.model), nil)
	}
	for first := 0; first < n && err == nil; first += batchDevices {
		var devices []object
		for i := first; i < min(first+batchDevices, n); i++ {
			devices = append(devices, object{"name": deviceName(i), "secret": v.secret})
		}
		err = a.call(ctx, "POST", "/products/"+v.product+"/devices/batch", object{"devices": devices}, nil)
	}
	return err
}

// plain returns n clients that use topics of their own below "bench/"; a cloud
// has to know them first.
func (s *server) plain(ctx context.Context, n int) ([]login, error) {
	if s.matou != nil {
		if err := s.matou.make(ctx, &vendor{dialect: "mqtt", product: plainProduct, secret: deviceSecret}, n); err != nil {
			return nil, err
		}
	}
	logins := anonymousLogins(n)
	for i := range logins {
		if s.peer.cloud {
			logins[i].username, logins[i].password = plainProduct+"/"+deviceName(i), deviceSecret
		}
	}
	return logins, nil
}

// anonymousLogins are client identifiers without a dot: NATS refuses those with one.
func anonymousLogins(n int) []login {
	logins := make([]login, n)
	for i := range logins {
		logins[i].clientID = "bench-" + deviceName(i)
	}
	return logins
}

// signed returns n devices that log in as a vendor's do, at a peer n anonymous
// clients.
func (s *server) signed(ctx context.Context, v *vendor, n int) ([]login, error) {
	if s.matou != nil {
		if err := s.matou.make(ctx, v, n); err != nil {
			return nil, err
		}
	}
	return signedLogins(s.peer.cloud, v, n), nil
}

func signedLogins(sign bool, v *vendor, n int) []login {
	if !sign {
		return anonymousLogins(n)
	}
	logins := make([]login, n)
	for i := range logins {
		logins[i] = v.login(deviceName(i))
	}
	return logins
}

// settled waits until history holds the last post of each device named, and
// checks that of these it holds every one.
func (a *matouAPI) settled(ctx context.Context, product string, posts map[int]uint32) error {
	for device, n := range posts {
		if err := a.awaitCount(ctx, product, device, postCountBase+int64(n)-1); err != nil {
			return err
		}
	}
	return nil
}

// historyPatience is how long history may stay behind.
const historyPatience = 60 * time.Second

func (a *matouAPI) awaitCount(ctx context.Context, product string, device int, want int64) error {
	path := "/products/" + product + "/devices/" + deviceName(device) + "/properties"
	for deadline := time.Now().Add(historyPatience); ; {
		var latest struct {
			Items []struct {
				Property string
				Value    json.Number
			}
		}
		if err := a.call(ctx, "GET", path, nil, &latest); err != nil {
			return err
		}
		for _, p := range latest.Items {
			if n, err := p.Value.Int64(); p.Property == "Count" && err == nil && n == want {
				return nil
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("history of device %s does not show its last post after %v", deviceName(device), historyPatience)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// complete checks that history holds all posts of a device, once and in order.
func (a *matouAPI) complete(ctx context.Context, product string, device int, posts uint32) error {
	path := "/products/" + product + "/devices/" + deviceName(device) + "/properties/Count/history?order=asc&limit=10000"
	want, after := int64(postCountBase), ""
	for {
		var page struct {
			Items []struct{ Value json.Number }
			Next  string
		}
		if err := a.call(ctx, "GET", path+after, nil, &page); err != nil {
			return err
		}
		for _, p := range page.Items {
			if n, err := p.Value.Int64(); err != nil || n != want {
				return fmt.Errorf("history of device %s has %s where %d belongs", deviceName(device), p.Value, want)
			}
			want++
		}
		if page.Next == "" {
			break
		}
		after = "&after=" + page.Next
	}
	if got := want - postCountBase; got != int64(posts) {
		return fmt.Errorf("history of device %s has %d of %d posts", deviceName(device), got, posts)
	}
	return nil
}
