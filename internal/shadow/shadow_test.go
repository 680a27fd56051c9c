package shadow_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/dialect/plain"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/shadow"
	"github.com/matou-iot/matou/internal/store/sqlite"
	"github.com/matou-iot/matou/thing"
)

var lamp = registry.ID{Product: "a1NightLamp", Device: "lamp-1"}

// A house is the service on a real store, with a device that is told.
type house struct {
	*shadow.Service
	*testing.T
	online  bool
	refuses error
	told    []dialect.Downlink
	set     []string
}

func (h *house) Push(_ context.Context, id registry.ID, say func(dialect.Dialect, dialect.Claim) []dialect.Downlink) (broker.Outcome, error) {
	if h.refuses != nil {
		return broker.QueueFull, h.refuses
	}
	h.told = append(h.told, say(aliyun.Dialect{}, dialect.Claim{Product: id.Product, Device: id.Device})...)
	return broker.Delivered, nil
}

func newHouse(t *testing.T) *house {
	t.Helper()
	db, err := sqlite.Open(filepath.Join(t.TempDir(), "registry.db"), bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	reg := registry.New(registry.Options{Store: db})
	model := &thing.Model{Properties: []thing.Property{
		{ID: "power", Access: thing.ReadWrite, Type: thing.DataType{Kind: thing.Text, Length: 5}},
		{ID: "level", Access: thing.ReadWrite, Type: thing.DataType{Kind: thing.Int32}},
		{ID: "seen", Type: thing.DataType{Kind: thing.Int32}},
	}}
	for _, p := range []registry.Product{{Key: lamp.Product, Dialect: "aliyun", Model: model}, {Key: "plain", Dialect: "mqtt"}} {
		if _, err := reg.CreateProduct(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if _, err := reg.CreateDevice(t.Context(), registry.Device{Product: p.Key, Name: lamp.Device}); err != nil {
			t.Fatal(err)
		}
	}
	h := &house{T: t}
	at := time.Unix(1469564492, 0).UTC()
	h.Service = shadow.New(shadow.Options{
		Store: db, Registry: reg, Dialects: dialect.Set{aliyun.Dialect{}, plain.Dialect{}}, Teller: h, Online: func(string) bool { return h.online },
		Set: func(_ context.Context, _ registry.ID, values []thing.Argument) error {
			h.set = append(h.set, string(thing.AppendArguments(nil, values)))
			return h.refuses
		},
		Now: func() time.Time { at = at.Add(time.Second); return at },
	})
	return h
}

func ask() dialect.Ask {
	return dialect.Ask{Claim: dialect.Claim{Product: lamp.Product, Device: lamp.Device}}
}

func args(t *testing.T, object string) []thing.Argument {
	t.Helper()
	a, err := thing.ParseArguments([]byte(object))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (h *house) report(version int64, object string) error {
	h.Helper()
	_, err := h.Update(h.Context(), &dialect.ShadowUpdate{Ask: ask(), Version: version, Reset: version == -1, Reported: args(h.T, object)})
	return err
}

// want compares the shadow: version, reported with the seconds at which it was
// said, desired.
func (h *house) want(want string) {
	h.Helper()
	doc, err := h.Shadow(h.Context(), lamp)
	if err != nil {
		h.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprint(&b, doc.Version)
	for _, part := range [][]dialect.ShadowAttribute{doc.Reported, doc.Desired} {
		b.WriteString(" |")
		for _, a := range part {
			fmt.Fprintf(&b, " %s=%s@%d", a.Name, a.Value.AppendJSON(nil), a.At.Unix()-1469564492)
		}
	}
	if b.String() != want {
		h.Errorf("got  %s\nwant %s", b.String(), want)
	}
}

func TestShadowOfADevice(t *testing.T) {
	h := newHouse(t)
	h.want("0 | |")
	if _, err := h.Get(t.Context(), &dialect.ShadowGet{Ask: ask()}); !errors.Is(err, dialect.ErrShadowEmpty) {
		t.Errorf("get of nothing: %v", err)
	}
	if _, err := h.Delete(t.Context(), &dialect.ShadowDelete{Ask: ask(), Version: 1, All: true}); !errors.Is(err, dialect.ErrShadowEmpty) {
		t.Errorf("delete of nothing: %v", err)
	}
	if err := h.report(1, `{"color":"red","list":[1,2],"net":{"ip":"a","rssi":-5}}`); err != nil {
		t.Fatal(err)
	}
	h.want(`1 | color="red"@2 list=[1,2]@2 net={"ip":"a","rssi":-5}@2 |`)
	for _, version := range []int64{1, 0} {
		err := h.report(version, `{"color":"blue"}`)
		if r, ok := errors.AsType[*dialect.Refusal](err); !ok || !errors.Is(err, dialect.ErrShadowVersion) || r.Expected != "greater than 1" || r.Received != fmt.Sprint(version) || r.SentenceZH == "" {
			t.Errorf("version %d: %+v", version, err)
		}
	}
	if err := h.report(2, `{"list":[3],"net":{"rssi":-7,"ip":null},"other":1}`); err != nil {
		t.Fatal(err)
	}
	h.want(`2 | color="red"@2 list=[3]@5 net={"rssi":-7}@5 other=1@5 |`)
	if err := h.report(math.MaxInt64, `{"other":null}`); err != nil {
		t.Fatal(err)
	}
	if err := h.report(-1, `{"color":"green"}`); err != nil {
		t.Fatal(err)
	}
	h.want(`0 | color="green"@7 list=[3]@5 net={"rssi":-7}@5 |`)
	if _, err := h.Delete(t.Context(), &dialect.ShadowDelete{Ask: ask(), Version: 0, All: true}); !errors.Is(err, dialect.ErrShadowVersion) {
		t.Errorf("delete with an old version: %v", err)
	}
	if _, err := h.Delete(t.Context(), &dialect.ShadowDelete{Ask: ask(), Version: 1700000000000, Names: []string{"list", "never"}}); err != nil {
		t.Fatal(err)
	}
	h.want(`1700000000000 | color="green"@7 net={"rssi":-7}@5 |`)
	if _, err := h.Delete(t.Context(), &dialect.ShadowDelete{Ask: ask(), Version: 1700000000001, All: true}); err != nil {
		t.Fatal(err)
	}
	h.want(`1700000000001 | |`)
}

func TestWhatAnApplicationWantsOfAShadow(t *testing.T) {
	h := newHouse(t)
	if err := h.report(1, `{"color":"red"}`); err != nil {
		t.Fatal(err)
	}
	_, told, err := h.Wish(t.Context(), lamp, shadow.Wish{Desired: args(t, `{"color":"green","speed":1}`)})
	if err != nil || told.Outcome != "offline" || len(h.told) > 0 {
		t.Fatalf("%+v, %v, %v", told, h.told, err)
	}
	h.want(`2 | color="red"@1 | color="green"@2 speed=1@2`)
	h.online = true
	if _, told, err = h.Wish(t.Context(), lamp, shadow.Wish{Desired: args(t, `{"speed":null,"lit":true}`), Merge: true, Version: 9}); err != nil || told.Outcome != "delivered" {
		t.Fatalf("%+v, %v", told, err)
	}
	h.want(`9 | color="red"@1 | color="green"@2 lit=true@3`)
	if len(h.told) != 1 || h.told[0].Topic != "/shadow/get/a1NightLamp/lamp-1" || string(h.told[0].Payload) != `{"method":"control","payload":{"status":"success","state":{"reported":{"color":"red"},"desired":{"color":"green","lit":true}},"metadata":{"reported":{"color":{"timestamp":1469564493}},"desired":{"color":{"timestamp":1469564494},"lit":{"timestamp":1469564495}}}},"version":9,"timestamp":1469564495}` {
		t.Errorf("told %s", h.told[0].Payload)
	}
	if _, _, err = h.Wish(t.Context(), lamp, shadow.Wish{Desired: args(t, `{"a":1}`), Version: 9}); fault.KindOf(err) != fault.KindConflict {
		t.Errorf("an old version: %v", err)
	}
	if _, err := h.Update(t.Context(), &dialect.ShadowUpdate{Ask: ask(), Version: 10, Reported: args(t, `{"color":"green"}`), ClearDesired: true}); err != nil {
		t.Fatal(err)
	}
	h.want(`10 | color="green"@5 |`)
	h.refuses = fault.Exhausted("the queue is full")
	if _, told, err = h.Wish(t.Context(), lamp, shadow.Wish{Desired: args(t, `{"a":1}`)}); err != nil || told.Why != "the queue is full" {
		t.Errorf("a device that cannot be told: %+v, %v", told, err)
	}
	h.want(`11 | color="green"@5 | a=1@6`)
	if err := h.Forget(t.Context(), lamp); err != nil {
		t.Fatal(err)
	}
	h.want(`0 | |`)
}

func TestShadowsHaveBounds(t *testing.T) {
	h := newHouse(t)
	many := func(from, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"a%d":1`, from+i)
		}
		return "{" + b.String()[1:] + "}"
	}
	if err := h.report(1, many(0, shadow.MaxAttributes)); err != nil {
		t.Fatal(err)
	}
	if err := h.report(2, many(500, 1)); !errors.Is(err, dialect.ErrShadowCount) {
		t.Errorf("one attribute more: %v", err)
	}
	if err := h.report(2, `{"a1":"`+strings.Repeat("x", shadow.MaxBytes)+`"}`); !errors.Is(err, dialect.ErrShadowSize) {
		t.Errorf("too many bytes: %v", err)
	}
	if doc, err := h.Shadow(t.Context(), lamp); err != nil || doc.Version != 1 || len(doc.Reported) != shadow.MaxAttributes {
		t.Errorf("a refused message changed the shadow: %d, %v", doc.Version, err)
	}
	for name, w := range map[string]shadow.Wish{
		"too many":      {Desired: args(t, many(0, shadow.MaxAttributes+1))},
		"too deep":      {Desired: args(t, `{"a":{"b":{"c":{"d":[[1]]}}}}`)},
		"nothing":       {Merge: true},
		"a bad version": {Desired: args(t, `{"a":1}`), Version: -1},
		"no name":       {Desired: args(t, `{"":1}`)},
	} {
		if _, _, err := h.Wish(t.Context(), lamp, w); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := h.Wish(t.Context(), registry.ID{Product: "plain", Device: lamp.Device}, shadow.Wish{Desired: args(t, `{"a":1}`)}); fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("a dialect without shadows: %v", err)
	}
	if _, err := h.Shadow(t.Context(), registry.ID{Product: lamp.Product, Device: "nobody"}); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("a device that is not there: %v", err)
	}
}

func (h *house) wantDesired(want string) {
	h.Helper()
	all, err := h.Desired(h.Context(), lamp)
	if err != nil {
		h.Fatal(err)
	}
	var b strings.Builder
	for _, d := range all {
		fmt.Fprintf(&b, "%s=%s v%d; ", d.Property, d.Value.AppendJSON(nil), d.Version)
	}
	if b.String() != want {
		h.Errorf("got  %s\nwant %s", b.String(), want)
	}
}

func TestDesiredValues(t *testing.T) {
	h := newHouse(t)
	desire := func(object string, versions map[string]int64) (shadow.Told, error) {
		_, told, err := h.Desire(t.Context(), lamp, args(t, object), versions)
		return told, err
	}
	if told, err := desire(`{"power":"on","level":"3"}`, map[string]int64{"power": 0}); err != nil || told.Outcome != "offline" || len(h.set) > 0 {
		t.Fatalf("%+v, %v", told, err)
	}
	h.wantDesired(`level=3 v1; power="on" v1; `)
	h.online = true
	if told, err := desire(`{"power":"off"}`, map[string]int64{"power": 1}); err != nil || told.Outcome != "delivered" || told.Why != "" {
		t.Fatalf("%+v, %v", told, err)
	}
	h.wantDesired(`level=3 v1; power="off" v2; `)
	if fmt.Sprint(h.set) != `[{"power":"off"}]` {
		t.Errorf("the device was told %v", h.set)
	}
	if _, err := desire(`{"level":4,"power":"on"}`, map[string]int64{"power": 1}); fault.KindOf(err) != fault.KindConflict {
		t.Errorf("an old version: %v", err)
	}
	for object, what := range map[string]string{`{"seen":1}`: "a read-only property", `{"pwer":"on"}`: "an unknown property", `{"level":"x"}`: "another type", `{}`: "nothing"} {
		if _, err := desire(object, nil); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	h.wantDesired(`level=3 v1; power="off" v2; `)

	got, err := h.Wanted(t.Context(), &dialect.DesiredGet{Ask: ask(), Properties: []string{"power", "seen", "level", "power"}})
	if err != nil || len(got.Values) != 2 || got.Values[0].Property != "power" || got.Values[1].Property != "level" || got.Model == nil {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := h.Fulfilled(t.Context(), &dialect.DesiredDelete{Ask: ask(), Properties: []thing.DesiredVersion{{Property: "power", Version: 1}, {Property: "level"}, {Property: "seen"}}}); err != nil {
		t.Fatal(err)
	}
	h.wantDesired(`power="off" v2; `)
	if _, err := h.Fulfilled(t.Context(), &dialect.DesiredDelete{Ask: ask(), Properties: []thing.DesiredVersion{{Property: "power", Version: 2}}}); err != nil {
		t.Fatal(err)
	}
	h.wantDesired(``)
	if _, err := desire(`{"power":"on","level":1}`, nil); err != nil {
		t.Fatal(err)
	}
	h.wantDesired(`level=1 v1; power="on" v1; `) // a value that is gone begins anew [onenet §3.2]
	if told, err := desire(`{"power":null}`, nil); err != nil || told.Outcome != "" {
		t.Errorf("%+v, %v", told, err)
	}
	h.wantDesired(`level=1 v1; `)
	if err := h.Undesire(t.Context(), lamp, nil); err != nil {
		t.Fatal(err)
	}
	h.wantDesired(``)
}
