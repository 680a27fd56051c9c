package gate_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/dialect/plain"
	"github.com/matou-iot/matou/internal/gate"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/store/storetest"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/thing"
)

// patience is how long a test waits for something that has to come.
const patience = time.Minute

// The secrets of the devices; none may show up anywhere.
const (
	pumpSecret = "Correct-Horse-7"
	lampSecret = "390358fc597040aa73221e8393aba86c" // as generated: hex
	oldSecret  = "battery-staple-1"
	guess      = "open-sesame-99"
)

var (
	pump  = registry.ID{Product: "farm", Device: "pump1"}
	probe = registry.ID{Product: "lab", Device: "probe"}
	lamp  = registry.ID{Product: "a1NightLamp", Device: "lamp01"}
)

// A house is a gate with everything around it.
type house struct {
	*gate.Gate
	t         *testing.T
	store     *storetest.Memory
	registry  *registry.Registry
	timeline  *trace.Recorder
	strangers *trace.Recorder
	statuses  *statuses
	uplinks   *uplinks
	log       *journal
	now       time.Time
}

// open makes a house with three products of one device each: farm/pump1 speaks
// plain MQTT, lab/probe too and is open, a1NightLamp/lamp01 speaks Alink.
func open(t *testing.T, change func(*gate.Options)) *house {
	t.Helper()
	h := &house{
		t: t, store: storetest.NewMemory(),
		timeline: trace.New(0), strangers: trace.New(0), statuses: &statuses{}, uplinks: &uplinks{}, log: &journal{},
		now: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC),
	}
	h.registry = registry.New(registry.Options{Store: h.store})
	for _, p := range []registry.Product{
		{Key: pump.Product, Dialect: "mqtt"}, {Key: probe.Product, Dialect: "mqtt", Strictness: registry.Open},
		{Key: lamp.Product, Dialect: "aliyun", Secret: "Pq9LmN4bVcXz7KsD"},
	} {
		p.Model = (&thing.Model{}).Index()
		if _, err := h.registry.CreateProduct(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	for id, secret := range map[registry.ID]string{pump: pumpSecret, probe: pumpSecret, lamp: lampSecret} {
		if _, err := h.registry.CreateDevice(t.Context(), registry.Device{Product: id.Product, Name: id.Device, Secret: secret, PreviousSecret: oldSecret}); err != nil {
			t.Fatal(err)
		}
	}
	o := gate.Options{
		Registry: h.registry, Dialects: dialect.Set{aliyun.Dialect{}, plain.Dialect{}}, Uplinks: h.uplinks,
		Trace: h.timeline, Strangers: h.strangers, Statuses: h.statuses,
		Log: slog.New(slog.NewJSONHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now: func() time.Time { return h.now },
	}
	if change != nil {
		change(&o)
	}
	h.Gate = gate.New(o)
	return h
}

// disable disables a device.
func (h *house) disable(id registry.ID) {
	h.t.Helper()
	_, err := h.registry.UpdateDevice(h.t.Context(), id, func(d *registry.Device) error { d.Enabled = false; return nil })
	if err != nil {
		h.t.Fatal(err)
	}
}

// story is the timeline of a device in a recorder, oldest first.
func story(r *trace.Recorder, id registry.ID) []trace.Entry {
	all, _ := r.Timeline(id.Product, id.Device, trace.Query{Limit: trace.MaxEntries})
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
	return all
}

// kinds are the kinds and codes of entries, in one line.
func kinds(all []trace.Entry) string {
	var s []string
	for _, e := range all {
		s = append(s, strings.TrimSuffix(e.Kind.String()+":"+e.Code, ":"))
	}
	return strings.Join(s, " ")
}

// wantSecret fails where a text shows up in the timelines of ids, of nobody,
// or in the log, in whatever spelling.
func (h *house) wantSecret(secret string, ids ...registry.ID) {
	h.t.Helper()
	for _, id := range append(ids, registry.ID{}) {
		for _, r := range []*trace.Recorder{h.timeline, h.strangers} {
			for _, e := range story(r, id) {
				doc, err := json.Marshal(e)
				if err != nil {
					h.t.Fatal(err)
				}
				if spelled(string(doc), secret) || bytes.Contains(e.Packet, []byte(secret)) || bytes.Contains(e.Payload, []byte(secret)) {
					h.t.Errorf("%s is in the timeline: %s", secret, doc)
				}
			}
		}
	}
	if spelled(h.log.String(), secret) {
		h.t.Errorf("%s is in the log: %s", secret, h.log.String())
	}
}

// spelled reports whether text holds secret as it is, in hex with or without
// blanks, or as any part of Base64.
func spelled(text, secret string) bool {
	digits := hex.EncodeToString([]byte(secret))
	if strings.Contains(text, secret) || strings.Contains(strings.ReplaceAll(strings.ToLower(text), " ", ""), digits) {
		return true
	}
	for skip := range 3 { // wherever it stands in its group of three
		coded := base64.StdEncoding.EncodeToString([]byte(secret[skip : skip+(len(secret)-skip)/3*3]))
		if strings.Contains(text, coded) {
			return true
		}
	}
	return false
}

// A journal is a log in memory.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// statuses writes down who came and went.
type statuses struct {
	mu  sync.Mutex
	all []string
}

func (s *statuses) Tell(r record.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	word := r.Product + "/" + r.Device + " " + string(r.Body)
	if r.Kind != record.StatusChange || r.Time.IsZero() {
		word += " wrongly told"
	}
	s.all = append(s.all, word)
}

func (s *statuses) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.all, ", ")
}

// uplinks take what is published and route it, or do what they are told.
type uplinks struct {
	mu     sync.Mutex
	got    []string
	decide broker.Decision
}

func (u *uplinks) Publish(_ *broker.Client, s *dialect.Subject, p *packet.Publish) broker.Decision {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.got = append(u.got, s.Session()+" "+s.Dialect.Name()+" "+string(p.Topic)+" "+string(p.Payload))
	return u.decide
}

func (u *uplinks) String() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return strings.Join(u.got, ", ")
}

var (
	fromAfar  = broker.Origin{Remote: netip.MustParseAddrPort("192.0.2.7:5000"), Transport: "tcp"}
	fromHere  = broker.Origin{Remote: netip.MustParseAddrPort("127.0.0.1:5000"), Transport: "tcp"}
	fromHere6 = broker.Origin{Remote: netip.MustParseAddrPort("[::1]:5000"), Transport: "tcp"}
)

// connect is a CONNECT of plain MQTT.
func connect(username, password string) *packet.Connect {
	return &packet.Connect{
		ProtocolName: "MQTT", Version: mqtt.V311, CleanStart: true, KeepAlive: 60, ClientID: "c1",
		HasUsername: true, HasPassword: true, Username: username, Password: []byte(password),
	}
}

// alink is a CONNECT of the lamp, signed with a secret.
func (h *house) alink(secret string) *packet.Connect {
	h.t.Helper()
	all, err := aliyun.Dialect{}.Credentials(dialect.Claim{Product: lamp.Product, Device: lamp.Device}, dialect.Secrets{Device: secret}, dialect.CredentialOptions{})
	if err != nil {
		h.t.Fatal(err)
	}
	c := connect(all[0].Username, all[0].Password)
	c.ClientID = all[0].ClientID
	return c
}
