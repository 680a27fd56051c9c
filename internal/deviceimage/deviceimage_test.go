package deviceimage_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/deviceimage"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/onenet"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/store/sqlite"
	"github.com/matou-iot/matou/thing"
)

var tv = registry.ID{Product: "238322", Device: "my_tv"}

// A house is images on a real store, and an ear for what the device is told.
type house struct {
	*deviceimage.Service
	*testing.T
	registry *registry.Registry
	now      time.Time
	told     []string
	outcome  broker.Outcome
	fails    error
}

func newHouse(t *testing.T) *house {
	t.Helper()
	db, err := sqlite.Open(filepath.Join(t.TempDir(), "registry.db"), make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h := &house{T: t, registry: registry.New(registry.Options{Store: db}), now: time.Unix(1469574492, 5e8)}
	for _, p := range []registry.Product{{Key: tv.Product, Dialect: "onenet", DataModel: registry.Streams}, {Key: "lamps", Dialect: "aliyun"}} {
		if _, err := h.registry.CreateProduct(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if _, err := h.registry.CreateDevice(t.Context(), registry.Device{Product: p.Key, Name: tv.Device}); err != nil {
			t.Fatal(err)
		}
	}
	h.Service = deviceimage.New(deviceimage.Options{Store: db, Registry: h.registry, Teller: h, Now: func() time.Time { return h.now }})
	return h
}

// Push is of deviceimage.Teller.
func (h *house) Push(_ context.Context, id registry.ID, say func(dialect.Dialect, dialect.Claim) []dialect.Downlink) (broker.Outcome, error) {
	for _, d := range say(onenet.Dialect{}, dialect.Claim{Product: id.Product, Device: id.Device}) {
		h.told = append(h.told, d.Topic+" "+string(d.Payload))
	}
	return h.outcome, h.fails
}

func (h *house) args(object string) []thing.Argument {
	h.Helper()
	if object == "" {
		return nil
	}
	a, err := thing.ParseArguments([]byte(object))
	if err != nil {
		h.Fatal(err)
	}
	return a
}

// says is what the device says to its image, and what it is told.
func (h *house) says(desired, reported string) string {
	h.Helper()
	c, err := h.Update(h.Context(), &dialect.ImageUpdate{
		Ask: dialect.Ask{Claim: dialect.Claim{Product: tv.Product, Device: tv.Device}}, Desired: h.args(desired), Reported: h.args(reported),
	})
	if err != nil {
		h.Fatal(err)
	}
	return fmt.Sprintf("%d %s / %s ≠ %s", c.Changed.Version, line(c.Changed.Desired), line(c.Changed.Reported), line(c.Delta))
}

func line(all []dialect.ImageAttribute) string {
	var s []string
	for _, a := range all {
		s = append(s, fmt.Sprintf("%s=%s@%d", a.Name, a.Value.AppendJSON(nil), a.At.Unix()))
	}
	return strings.Join(s, " ")
}

func TestUpdatesAndTheirDifference(t *testing.T) {
	h := newHouse(t)
	for i, tt := range []struct{ name, desired, reported, want string }{
		{"reported only", ``, `{"color":"red"}`, `1  / color="red"@100 ≠ `},
		{"a wish [onenet §4.3]", `{"color":"green"}`, ``, `2 color="green"@101 /  ≠ color="green"@101`},
		{"another report leaves the wish", ``, `{"n":1}`, `3  / n=1@102 ≠ color="green"@101`},
		{"obeyed", ``, `{"color":"green"}`, `4  / color="green"@103 ≠ `},
		{"the same number, written otherwise", `{"n":1.0}`, ``, `5 n=1@104 /  ≠ `},
		{"objects, whatever their order", `{"o":{"a":1,"b":2}}`, `{"o":{"b":2,"a":1}}`, `6 o={"a":1,"b":2}@105 / o={"b":2,"a":1}@105 ≠ `},
		{"a wish that nobody reported", `{"x":true}`, ``, `7 x=true@106 /  ≠ x=true@106`},
		{"taken back", `{"x":null}`, ``, `8  /  ≠ `},
		{"what is not there is taken away", `{"y":null}`, ``, `9  /  ≠ `},
	} {
		h.now = time.Unix(int64(100+i), 7e8)
		if got := h.says(tt.desired, tt.reported); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
	im, err := h.Asked(t.Context(), &dialect.ImageGet{Ask: dialect.Ask{Claim: dialect.Claim{Product: tv.Product, Device: tv.Device}}})
	if err != nil || im.Version != 9 || im.UpdatedAt.Unix() != 108 || line(im.Desired) != `color="green"@101 n=1@104 o={"a":1,"b":2}@105` ||
		line(im.Reported) != `color="green"@103 n=1@102 o={"b":2,"a":1}@105` {
		t.Errorf("%+v, %v", im, err)
	}
	if len(h.told) > 0 {
		t.Errorf("a device's own update is answered, not pushed: %s", h.told)
	}
}

func TestApplicationsAndTheDevice(t *testing.T) {
	h := newHouse(t)
	h.says(``, `{"color":"red"}`)
	im, told, err := h.Change(t.Context(), tv, h.args(`{"color":"green"}`), nil)
	if err != nil || im.Version != 2 || told.Outcome != "delivered" || line(told.Delta) != `color="green"@1469574492` {
		t.Errorf("%+v %+v %v", im, told, err)
	}
	want := `$sys/238322/my_tv/image/update/delta {"state":{"color":"green"},"metadata":{"color":{"timestamp":1469574492}},"version":2,"timestamp":1469574492}`
	if len(h.told) != 1 || h.told[0] != want {
		t.Errorf("%s", h.told)
	}
	h.outcome, h.fails = broker.Offline, fault.Unavailable("away")
	if im, told, err = h.Change(t.Context(), tv, h.args(`{"n":1}`), nil); err != nil || told.Outcome != "offline" || im.Version != 3 {
		t.Errorf("away: %+v %+v %v", im, told, err)
	}
	h.told = nil
	if _, told, err = h.Change(t.Context(), tv, nil, h.args(`{"color":"green","n":1}`)); err != nil || told.Outcome != "" || len(h.told) > 0 {
		t.Errorf("without a difference: %+v %v %s", told, err, h.told)
	}
	if err := h.Delete(t.Context(), tv); err != nil {
		t.Fatal(err)
	}
	if im, err := h.Image(t.Context(), tv); err != nil || im.Version != 0 {
		t.Errorf("deleted: %+v, %v", im, err)
	}
}

func TestImagesHaveBounds(t *testing.T) {
	h := newHouse(t)
	h.says(``, `{"a":1}`)
	update := func(desired string) error {
		_, err := h.Update(t.Context(), &dialect.ImageUpdate{Ask: dialect.Ask{Claim: dialect.Claim{Product: tv.Product, Device: tv.Device}}, Desired: h.args(desired)})
		return err
	}
	var many strings.Builder
	for i := range deviceimage.MaxAttributes + 1 {
		fmt.Fprintf(&many, `,"a%d":%d`, i, i)
	}
	for name, desired := range map[string]string{
		"too many attributes": "{" + many.String()[1:] + "}", "too long": `{"a":"` + strings.Repeat("x", deviceimage.MaxBytes) + `"}`,
		"a long name": `{"` + strings.Repeat("n", 257) + `":1}`, "no name": `{"":1}`,
	} {
		err := update(desired)
		if r, ok := errors.AsType[*dialect.Refusal](err); !ok || !errors.Is(err, dialect.ErrImageSize) || r.SentenceZH == "" {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := h.Change(t.Context(), tv, h.args(desired), nil); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%s, of an application: %v", name, err)
		}
	}
	if im, err := h.Image(t.Context(), tv); err != nil || im.Version != 1 {
		t.Errorf("something was changed: %+v, %v", im, err)
	}
}

func TestWhoHasNoImage(t *testing.T) {
	h := newHouse(t)
	_, err := h.Asked(t.Context(), &dialect.ImageGet{Ask: dialect.Ask{Claim: dialect.Claim{Product: tv.Product, Device: tv.Device}}})
	if !errors.Is(err, dialect.ErrNoImage) {
		t.Errorf("none yet: %v", err)
	}
	nobody, lamp := registry.ID{Product: tv.Product, Device: "x"}, registry.ID{Product: "lamps", Device: tv.Device}
	_, err1 := h.Image(t.Context(), nobody)
	_, _, err2 := h.Change(t.Context(), nobody, h.args(`{"a":1}`), nil)
	_, _, err3 := h.Change(t.Context(), lamp, h.args(`{"a":1}`), nil)
	_, _, err4 := h.Change(t.Context(), tv, nil, nil)
	for i, tt := range []struct {
		err  error
		kind fault.Kind
	}{{err1, fault.KindNotFound}, {err2, fault.KindNotFound}, {err3, fault.KindConflict}, {err4, fault.KindInvalid}, {h.Delete(t.Context(), nobody), fault.KindNotFound}} {
		if fault.KindOf(tt.err) != tt.kind {
			t.Errorf("%d: %v", i, tt.err)
		}
	}
}

func TestNoUpdateIsLost(t *testing.T) {
	h := newHouse(t)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() { h.says(``, fmt.Sprintf(`{"a%d":1}`, i)) })
	}
	all.Wait()
	if im, err := h.Image(t.Context(), tv); err != nil || im.Version != 20 || len(im.Reported) != 20 {
		t.Errorf("%+v, %v", im, err)
	}
}
