package layers_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/history"
	"github.com/matou-iot/matou/internal/layers"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/store/storetest"
	"github.com/matou-iot/matou/internal/trace"
)

var gate, sub, lamp = registry.ID{Product: "gw", Device: "g1"}, registry.ID{Product: "node", Device: "s1"}, registry.ID{Product: "node", Device: "s2"}

// house is a gateway with a sub-device, and a device that is none of it.
func house(t *testing.T) (*layers.Service, *registry.Registry) {
	t.Helper()
	r := registry.New(registry.Options{Store: storetest.NewMemory()})
	s := layers.New(layers.Options{Registry: r})
	for _, p := range []registry.Product{{Key: gate.Product, Dialect: "aliyun", Secret: "product of gates", NodeType: registry.GatewayNode}, {Key: sub.Product, Dialect: "aliyun", Secret: "product of nodes"}} {
		if _, err := r.CreateProduct(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	for id, secret := range map[registry.ID]string{gate: "secret of the gate", sub: "secret of s1", lamp: "secret of s2"} {
		if _, err := r.CreateDevice(t.Context(), registry.Device{Product: id.Product, Name: id.Device, Secret: secret}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Bind(t.Context(), gate, []registry.ID{sub}, false); err != nil {
		t.Fatal(err)
	}
	return s, r
}

func mask(t *testing.T, s *layers.Service, id registry.ID) *layers.Mask {
	t.Helper()
	m, err := s.Mask(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestSecretsOfSubDevicesAreMasked: a gateway's payload may hold those of its
// sub-devices, and a sub-device's that of its gateway.
func TestSecretsOfSubDevicesAreMasked(t *testing.T) {
	s, _ := house(t)
	const all = "secret of the gate, secret of s1, secret of s2, product of gates, product of nodes"
	for id, want := range map[registry.ID]string{
		gate: "******************, ************, secret of s2, ****************, ****************",
		sub:  "******************, ************, secret of s2, ****************, ****************",
		lamp: "secret of the gate, secret of s1, ************, product of gates, ****************",
	} {
		if got := mask(t, s, id).Text(all); got != want {
			t.Errorf("%v: %s", id, got)
		}
	}
	secret := []byte("secret of s1")
	m := mask(t, s, gate)
	for _, spelled := range []string{hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)), base64.StdEncoding.EncodeToString(secret)} {
		e := m.Entry(trace.Entry{
			Topic: "a/" + spelled, Payload: []byte(spelled + "."), Packet: []byte("0" + spelled), Sentence: spelled, SentenceZH: spelled, Detail: json.RawMessage(`"` + spelled + `"`),
		})
		stars := strings.Repeat("*", len(spelled))
		if got := fmt.Sprintf("%s %s %s %s %s %s", e.Topic, e.Payload, e.Packet, e.Sentence, e.SentenceZH, e.Detail); got != fmt.Sprintf(`a/%s %s. 0%s %s %s "%s"`, stars, stars, stars, stars, stars, stars) {
			t.Errorf("%s became %s", spelled, got)
		}
	}
}

func TestAMaskFollowsItsSecrets(t *testing.T) {
	s, r := house(t)
	mask(t, s, gate)
	if _, err := r.UpdateDevice(t.Context(), sub, func(d *registry.Device) error {
		d.PreviousSecret, d.Secret = d.Secret, "another one"
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	got := mask(t, s, gate).Text("another one, secret of s1")
	if want := "***********, ************"; got != want {
		t.Errorf("at once: %s", got)
	}
}

func TestMasksOfSecretsThatOverlap(t *testing.T) {
	r := registry.New(registry.Options{Store: storetest.NewMemory()})
	s := layers.New(layers.Options{Registry: r})
	if _, err := r.CreateProduct(t.Context(), registry.Product{Key: "p", Dialect: "aliyun", Secret: "abcdef"}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.CreateDevice(t.Context(), registry.Device{Product: "p", Name: "d", Secret: "defghijk"}); err != nil {
		t.Fatal(err)
	}
	m := mask(t, s, registry.ID{Product: "p", Device: "d"})
	for in, want := range map[string]string{
		"xabcdefghijkx": "x***********x", "abcdefabcdef": "************", "abcde": "abcde", "": "", "def": "def", "defghijk": "********",
	} {
		b := []byte(in)
		if got := string(m.Bytes(b)); got != want || string(b) != in {
			t.Errorf("%s became %s, and was made %s", in, got, b)
		}
	}
}

// A past is a history with one command, whose output has a secret in it.
type past struct{ secret string }

func (past) Range(context.Context, history.Query) ([]history.PointEntry, string, error) {
	return nil, "", nil
}

func (past) Events(context.Context, history.Query) ([]history.EventEntry, string, error) {
	return nil, "", nil
}

func (p past) Commands(context.Context, history.Query) ([]history.CommandEntry, string, error) {
	return []history.CommandEntry{{ID: "7", Output: `{"said":"` + p.secret + `"}`, State: "acknowledged"}}, "", nil
}

// TestRowsOfHistoryAreMasked: what comes from the store is not what came from
// the timeline.
func TestRowsOfHistoryAreMasked(t *testing.T) {
	_, r := house(t)
	recorder := trace.New(0)
	s := layers.New(layers.Options{Registry: r, Timeline: recorder, History: past{"secret of s1"}})
	id := recorder.Record(trace.Entry{Product: gate.Product, Device: gate.Device, Kind: trace.Command, Topic: "t", Detail: map[string]string{"id": "7"}})
	l, err := s.Of(t.Context(), gate, id)
	if err != nil || len(l.Stored) != 1 || l.Stored[0].Output != `{"said":"************"}` {
		t.Errorf("%+v, %v", l, err)
	}
}
