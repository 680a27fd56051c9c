package topology_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/topology"
	"github.com/matou-iot/matou/internal/trace"
)

// cause is the fault of an error, 0 for none.
func cause(err error) dialect.SubFault {
	f, _ := errors.AsType[dialect.SubFault](err)
	return f
}

func TestRequestsAreRefusedForAReason(t *testing.T) {
	ctx := context.Background()
	h := newHouse(t)
	g1, g2 := h.connected("g1"), h.connected("g2")
	h.has(g2, 3)
	lamp := &dialect.Subject{Claim: dialect.Claim{Product: "plain", Device: "lamp"}, Dialect: g1.Dialect}
	strict := &dialect.Subject{Claim: g1.Claim, Dialect: g1.Dialect, Mode: dialect.Strict}
	if _, err := h.registry.UpdateDevice(ctx, registry.ID(node(2)), func(d *registry.Device) error { d.Enabled = false; return nil }); err != nil {
		t.Fatal(err)
	}
	add := func(by *dialect.Subject, subs ...dialect.SubDevice) error {
		_, err := h.Add(ctx, &dialect.TopoAdd{Ask: ask(by), Subs: subs})
		return err
	}
	for _, tt := range []struct {
		name string
		err  error
		want dialect.SubFault
		code string
	}{
		{"the gateway's secret", add(g1, signed(node(0), gateSecret)), dialect.SubUnproved, "sub-gateway-secret"},
		{"another's secret", add(g1, signed(node(0), "secret of s1")), dialect.SubUnproved, "sub-wrong-secret"},
		{"an unknown device", add(g1, signed(dialect.Claim{Product: nodePK, Device: "none"}, "x")), dialect.SubUnknown, "sub-unknown-device"},
		{"an unknown product", add(g1, signed(dialect.Claim{Product: "none", Device: "s0"}, "x")), dialect.SubUnknown, "sub-unknown-product"},
		{"another dialect", add(g1, dialect.SubDevice{Claim: dialect.Claim{Product: "tv", Device: "t1"}}), dialect.SubUnfit, "sub-other-dialect"},
		{"a disabled device", add(g1, right(2)...), dialect.SubDisabled, "sub-disabled"},
		{"itself", add(g1, signed(g1.Claim, gateSecret)), dialect.SubItself, "sub-itself"},
		{"another gateway's, strictly", add(strict, right(3)...), dialect.SubElsewhere, "sub-bound-elsewhere"},
		{"asked by a sub-device", func() error {
			_, err := h.Add(ctx, &dialect.TopoAdd{Ask: dialect.Ask{Claim: node(3), By: g2}, Subs: right(0)})
			return err
		}(), dialect.SubNoGateway, "sub-asks-for-itself"},
		{"asked without a connection", func() error {
			_, err := h.Login(ctx, &dialect.SubLogin{Ask: dialect.Ask{Claim: g1.Claim}, Subs: right(0)})
			return err
		}(), dialect.SubNoGateway, "sub-no-connection"},
		{"a login of a sub-device that is not bound", func() error {
			_, err := h.Login(ctx, &dialect.SubLogin{Ask: ask(g1), Subs: right(0)})
			return err
		}(), dialect.SubNotBound, "sub-not-bound"},
		{"a login with a wrong sign", func() error {
			_, err := h.Login(ctx, &dialect.SubLogin{Ask: ask(g2), Subs: []dialect.SubDevice{signed(node(3), "x")}})
			return err
		}(), dialect.SubUnproved, "sub-wrong-secret"},
		{"a logout of who is not there", func() error {
			_, err := h.Logout(ctx, &dialect.SubLogout{Ask: ask(g1), Subs: right(3)})
			return err
		}(), dialect.SubNoSession, "sub-no-session"},
		{"a delete of what it does not have", func() error {
			_, err := h.Delete(ctx, &dialect.TopoDelete{Ask: ask(g1), Subs: right(3)})
			return err
		}(), dialect.SubNotBound, "sub-not-bound"},
		{"found: no such product", func() error {
			_, err := h.Find(ctx, &dialect.SubsFound{Ask: ask(g1), Subs: []dialect.SubDevice{{Claim: dialect.Claim{Product: "none", Device: "x"}}}})
			return err
		}(), dialect.SubUnknownProduct, "sub-unknown-product"},
		{"found: no such name", func() error {
			_, err := h.Find(ctx, &dialect.SubsFound{Ask: ask(g1), Subs: []dialect.SubDevice{{Claim: dialect.Claim{Product: nodePK, Device: "a b"}}}})
			return err
		}(), dialect.SubBadName, "sub-bad-name"},
		{"registration of another gateway's", func() error {
			_, err := h.Register(ctx, &dialect.SubRegister{Ask: ask(g1), Subs: right(3)})
			return err
		}(), dialect.SubElsewhere, "sub-bound-elsewhere"},
	} {
		why, ok := errors.AsType[*dialect.Refusal](tt.err)
		if !ok || cause(tt.err) != tt.want || why.Code != tt.code {
			t.Errorf("%s: %v (%v)", tt.name, tt.err, cause(tt.err))
			continue
		}
		if why.Sentence == "" || why.SentenceZH == "" || why.Advice == "" || why.AdviceZH == "" || why.Field == "" {
			t.Errorf("%s: %+v", tt.name, why.Diagnosis)
		}
	}
	if n, err := h.registry.CountSubs(ctx, registry.ID(g1.Claim)); n != 0 || err != nil {
		t.Errorf("refused, and bound %d, %v", n, err)
	}
	if add(lamp, right(0)...) != nil {
		t.Error("a lenient product's device is no gateway")
	}
	line, _ := h.timeline.Timeline("plain", "lamp", trace.Query{})
	if len(line) != 1 || line[0].Code != "aliyun-sub-no-gateway" {
		t.Errorf("it is not noted: %+v", line)
	}
}

func TestLoginIsAllOrNone(t *testing.T) {
	h := newHouse(t)
	g := h.connected("g1")
	if _, err := h.Add(t.Context(), &dialect.TopoAdd{Ask: ask(g), Subs: right(0, 1)}); err != nil {
		t.Fatal(err)
	}
	_, err := h.Login(t.Context(), &dialect.SubLogin{Ask: ask(g), Subs: append(right(0), signed(node(1), "x"))})
	if cause(err) != dialect.SubUnproved || g.Subs.Any() || h.state(0).State != registry.Inactive {
		t.Errorf("%v, %d logged in, s0 is %s", err, g.Subs.Len(), h.state(0).State)
	}
	h.login(g, 0, 1)
	if g.Subs.Len() != 2 || h.state(1).State != registry.Online || h.state(1).Protocol != "through gateway gw/g1" || h.state(1).LastAddr != "10.0.0.1:1" {
		t.Errorf("%d logged in, %+v", g.Subs.Len(), h.state(1))
	}
	if via, ok := h.Carrier(t.Context(), node(1)); !ok || via != g.Claim {
		t.Errorf("reached through %v %v", via, ok)
	}
	if _, err := h.Logout(t.Context(), &dialect.SubLogout{Ask: ask(g), Subs: right(1)}); err != nil || h.state(1).State != registry.Offline || h.state(1).OfflineReason != "logged out" {
		t.Errorf("%v, %+v", err, h.state(1))
	}
	if _, ok := h.Carrier(t.Context(), node(1)); ok {
		t.Error("it is reached all the same")
	}
}

func TestLoginsTooOften(t *testing.T) {
	h := newHouse(t)
	g := h.connected("g1")
	h.has(g, 0)
	for range topology.LoginRate - 1 {
		h.login(g, 0)
	}
	_, err := h.Login(t.Context(), &dialect.SubLogin{Ask: ask(g), Subs: right(0)})
	if cause(err) != dialect.SubTooOften {
		t.Errorf("%v", err)
	}
	h.now = h.now.Add(61e9)
	h.login(g, 0)
}

func TestGatewayGoesWithItsSubDevices(t *testing.T) {
	h := newHouse(t)
	g := h.connected("g1")
	h.has(g, 0, 1)
	h.Gone(g)
	for i := range 2 {
		if s := h.state(i); s.State != registry.Offline || s.OfflineReason != "gateway offline" {
			t.Errorf("s%d: %+v", i, s)
		}
	}
	if told := h.heard(); len(told) != 0 {
		t.Errorf("a gateway that is gone is told %v", told)
	}
	// The connection that follows begins with none.
	again := h.connected("g1")
	h.login(again, 0)
	h.Gone(g) // late
	if h.state(0).State != registry.Online {
		t.Error("the end of the old connection took it off the new one")
	}
}

func TestGatewayIsToldOfItsSubDevices(t *testing.T) {
	ctx := context.Background()
	h := newHouse(t)
	g := h.connected("g1")
	h.has(g, 0, 1, 2)
	h.heard()
	id := registry.ID(node(0))
	step := func(name string, do func() error, want ...string) {
		t.Helper()
		if err := do(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		told := h.heard()
		if len(told) != len(want) {
			t.Fatalf("%s: told %v", name, told)
		}
		for i := range want {
			if topic, part, _ := strings.Cut(want[i], " "); !strings.HasPrefix(told[i], topic+" ") || !strings.Contains(told[i], part) {
				t.Errorf("%s: told %s, want %s", name, told[i], want[i])
			}
		}
	}
	enable := func(on bool) func() error {
		return func() error {
			_, err := h.registry.UpdateDevice(ctx, id, func(d *registry.Device) error { d.Enabled = on; return nil })
			return err
		}
	}
	step("disabled", enable(false), `/sys/node/s0/thing/disable "thing.disable"`, `/sys/gw/g1/thing/topo/change "status":8`)
	if g.Subs.Len() != 2 || h.state(0).State != registry.Disabled {
		t.Errorf("%d are logged in, s0 is %s", g.Subs.Len(), h.state(0).State)
	}
	step("enabled", enable(true), `/sys/node/s0/thing/enable "thing.enable"`, `/sys/gw/g1/thing/topo/change "status":2`)
	step("another secret", func() error { _, err := h.registry.ResetSecret(ctx, registry.ID(node(1)), ""); return err }, `/ext/error/gw/g1 "code":520`)
	step("deleted", func() error { return h.registry.DeleteDevice(ctx, registry.ID(node(2))) },
		`/sys/node/s2/thing/delete "thing.delete"`, `/sys/gw/g1/thing/topo/change "status":1`)
	step("added by an operator", func() error { return h.AddSubs(ctx, registry.ID(g.Claim), []registry.ID{registry.ID(node(3))}) }, `/sys/gw/g1/thing/topo/change "status":0`)
	step("asked", func() error {
		_, err := h.AskSubs(ctx, registry.ID(g.Claim), []registry.ID{registry.ID(node(3))})
		return err
	}, `/sys/gw/g1/thing/topo/add/notify "s3"`)
	step("permit", func() error { _, err := h.PermitSubs(ctx, registry.ID(g.Claim), nodePK, 60e9); return err }, `/sys/gw/g1/thing/gateway/permit "timeout":60`)
	step("removed by an operator", func() error { return h.RemoveSubs(ctx, registry.ID(g.Claim), []registry.ID{registry.ID(node(3))}) }, `/sys/gw/g1/thing/topo/change "status":1`)
	if done := strings.Join(h.done, ", "); done != "unsubscribe gw/g1 s2, unsubscribe gw/g1 s3" {
		t.Errorf("done: %s", done)
	}
	for name, err := range map[string]error{
		"nobody":          h.AddSubs(ctx, registry.ID(g.Claim), nil),
		"not bound":       h.RemoveSubs(ctx, registry.ID(g.Claim), []registry.ID{registry.ID(node(3))}),
		"ask for nobody":  second(h.AskSubs(ctx, registry.ID(g.Claim), nil)),
		"ask for no one":  second(h.AskSubs(ctx, registry.ID(g.Claim), []registry.ID{{Product: nodePK, Device: "none"}})),
		"permit too long": second(h.PermitSubs(ctx, registry.ID(g.Claim), "", 2*3600e9)),
		"no such word":    second(h.PermitSubs(ctx, registry.ID{Product: "tv", Device: "t1"}, "", 60e9)),
		"no such product": second(h.PermitSubs(ctx, registry.ID(g.Claim), "none", 60e9)),
	} {
		if kind := fault.KindOf(err); kind != fault.KindInvalid && kind != fault.KindNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestRegistrationThroughAGateway(t *testing.T) {
	h := newHouse(t)
	g := h.connected("g1")
	h.has(g, 1)
	all, err := h.Register(t.Context(), &dialect.SubRegister{Ask: ask(g), Subs: right(0, 1)})
	if err != nil || len(all) != 2 || all[0].Secret != "handed out" || all[1].Secret != "secret of s1" || len(h.enrolled) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	for why, want := range map[error]dialect.SubFault{
		dialect.ErrRegistrationOff: dialect.SubRegistrationOff, dialect.ErrRegistrationActivated: dialect.SubActivated,
		dialect.ErrRegistrationUnlisted: dialect.SubUnknown, dialect.ErrRegistrationNoDevice: dialect.SubUnknown,
		dialect.ErrRegistrationDisabled: dialect.SubDisabled, dialect.ErrRegistrationTooOften: dialect.SubTooOften, dialect.ErrRegistrationName: dialect.SubBadName,
	} {
		h.refusal = &dialect.RegistrationError{Why: why}
		if _, err := h.Register(t.Context(), &dialect.SubRegister{Ask: ask(g), Subs: right(0)}); cause(err) != want {
			t.Errorf("%v: %v", why, err)
		}
	}
	h.refusal = &dialect.RegistrationError{Why: dialect.ErrRegistrationUnavailable}
	if _, err := h.Register(t.Context(), &dialect.SubRegister{Ask: ask(g), Subs: right(0)}); fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("the disk: %v", err)
	}
	h.refusal = nil
	// By product, each by itself: the signature has to be the product's.
	subs := right(0, 1)
	for i := range subs {
		subs[i].Registration = true
	}
	came, err := h.ProxyRegister(t.Context(), &dialect.ProxyRegister{Ask: ask(g), Subs: subs})
	if err != nil || len(came.Made) != 0 || len(came.Failed) != 2 || cause(came.Failed[0].Why) != dialect.SubUnproved {
		t.Errorf("%+v, %v", came, err)
	}
	if _, err := h.Unregister(t.Context(), &dialect.SubUnregister{Ask: ask(g), Subs: right(1)}); err != nil || h.state(1).State != registry.Offline {
		t.Errorf("unregistered: %v, %s", err, h.state(1).State)
	}
}

func TestStranger(t *testing.T) {
	h := newHouse(t)
	g := h.connected("g1")
	lamp := &dialect.Subject{Claim: dialect.Claim{Product: "plain", Device: "lamp"}, Dialect: g.Dialect}
	if _, err := h.Add(t.Context(), &dialect.TopoAdd{Ask: ask(g), Subs: right(0, 1)}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.registry.UpdateDevice(t.Context(), registry.ID(node(1)), func(d *registry.Device) error { d.Enabled = false; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		by         *dialect.Subject
		owner      dialect.Claim
		code, told string
	}{
		{g, node(0), "aliyun-sub-no-session", `"code":520`},
		{g, node(1), "aliyun-sub-disabled", `"code":522`},
		{g, node(2), "aliyun-sub-not-bound", `"code":6401`},
		{g, dialect.Claim{Product: nodePK, Device: "none"}, "aliyun-sub-unknown-device", `"code":521`},
		{lamp, node(2), "", ""}, // a device that wrote a wrong name
	} {
		why, answers := h.Stranger(tt.by, tt.owner)
		code, told := "", ""
		if why != nil {
			code = why.Code
		}
		if len(answers) == 1 {
			told = string(answers[0].Payload)
		}
		if code != tt.code || !strings.Contains(told, tt.told) || (told == "") != (tt.told == "") {
			t.Errorf("%s: %s, told %s", tt.owner.Session(), code, told)
		}
	}
}

func TestReportsForSubDevices(t *testing.T) {
	h := newHouse(t)
	g := h.connected("g1")
	h.has(g, 0)
	if m, why := h.Model(g.Claim, node(0)); m == nil || why != nil {
		t.Errorf("%v", why)
	}
	if m, why := h.Model(g.Claim, node(1)); m != nil || why == nil || why.Code != "aliyun-sub-not-bound" || why.SentenceZH == "" {
		t.Errorf("%+v", why)
	}
	if _, has := h.Has(g.Claim, node(0)); !has {
		t.Error("it has none")
	}
	if _, has := h.Has(g.Claim, node(1)); has {
		t.Error("it has another's")
	}
}

// TestOnePlace lets a device come through two gateways and by itself, all at
// once: what shows in the end is where it is.
func TestOnePlace(t *testing.T) {
	h := newHouse(t)
	g1 := h.connected("g1")
	if _, err := h.Add(t.Context(), &dialect.TopoAdd{Ask: ask(g1), Subs: right(0)}); err != nil {
		t.Fatal(err)
	}
	own := &dialect.Subject{Claim: node(0), Dialect: g1.Dialect}
	way := registry.Way{Addr: "10.0.0.9:9", ClientID: "own", Protocol: "MQTT 3.1.1 over tcp"}
	for round := range 30 {
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				h.Direct(own, func() {
					linger()
					h.registry.WentOnline(registry.ID(node(0)), h.now, way.Addr, way.ClientID, way.Protocol)
				})
				if rand.IntN(2) == 0 {
					h.registry.Ended(registry.ID(node(0)), way, h.now, "client disconnected")
				}
			})
			all.Go(func() {
				h.Login(context.Background(), &dialect.SubLogin{Ask: ask(g1), Subs: right(0)})
				if rand.IntN(2) == 0 {
					h.Logout(context.Background(), &dialect.SubLogout{Ask: ask(g1), Subs: right(0)})
				}
			})
		}
		all.Wait()
		s, carried := h.state(0), g1.Subs.Any()
		through := s.State == registry.Online && s.Protocol == "through gateway gw/g1"
		if carried != through {
			t.Fatalf("round %d: carried %v, but it shows %s %s", round, carried, s.State, s.Protocol)
		}
		if _, reached := h.Carrier(t.Context(), node(0)); reached != carried {
			t.Fatalf("round %d: reached %v, carried %v", round, reached, carried)
		}
		h.now = h.now.Add(61e9)
	}
}

func TestGatewayCarriesSoMany(t *testing.T) {
	h := newHouse(t)
	g := h.connected("g1")
	h.has(g, 0)
	for i := range registry.MaxSubs - 1 {
		g.Subs.Put(&dialect.Subject{Claim: dialect.Claim{Product: "x", Device: fmt.Sprint(i)}})
	}
	if _, err := h.Add(t.Context(), &dialect.TopoAdd{Ask: ask(g), Subs: right(1)}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Login(t.Context(), &dialect.SubLogin{Ask: ask(g), Subs: right(1)}); cause(err) != dialect.SubTooManyOnline {
		t.Errorf("%v", err)
	}
	h.login(g, 0) // who is there already
}

// TestARequestMayHaveABoundOfItsOwn: OneNET's first generation carries 50.
func TestARequestMayHaveABoundOfItsOwn(t *testing.T) {
	h := newHouse(t)
	g := h.connected("g1")
	h.has(g, 0)
	h.has(g, 1)
	h.login(g, 0)
	if _, err := h.Login(t.Context(), &dialect.SubLogin{Ask: ask(g), Subs: right(1), Most: 1}); cause(err) != dialect.SubTooManyOnline {
		t.Errorf("%v", err)
	}
	if _, err := h.Login(t.Context(), &dialect.SubLogin{Ask: ask(g), Subs: right(1), Most: 2}); err != nil {
		t.Error(err)
	}
}
