package coapgate

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/ingest"
	"github.com/matou-iot/matou/internal/registry"
)

const (
	pk, dn = "a1NightLamp", "lamp01"
	ds     = "Zk3Qw8ErT5yUiOp1AsDf7GhJkLzXcV2b"
	names  = `"productKey":"a1NightLamp","deviceName":"lamp01","clientId":"a1NightLamp&lamp01"`
	v11    = `{` + names + `,"sign":"8cef8fea53bfbf04765c3f05d0b1c4f6","seq":"10"}`
	topic  = "/sys/a1NightLamp/lamp01/thing/event/property/post"
)

var lamp = dialect.Claim{Product: pk, Device: dn}

// A house is a server with a gate that knows one device, and what it was told.
type house struct {
	*testing.T
	*Server
	at time.Time

	mu      sync.Mutex
	device  registry.Device
	gone    bool // it was deleted
	broken  error
	refused []string // codes
	heard   []string
	silent  int
	taken   []string // topic and payload
	answer  ingest.Taken
	routed  []string
	sent    [][]byte // to the device
}

func newHouse(t *testing.T, change ...func(*Options)) *house {
	h := &house{T: t, at: time.Unix(1_700_000_000, 0), device: registry.Device{Product: pk, Name: dn, Secret: ds, Enabled: true}}
	o := Options{Gate: h, Uplinks: h, Router: h, Now: func() time.Time { return h.at }}
	for _, c := range change {
		c(&o)
	}
	h.Server = New(o)
	return h
}

func (h *house) Login(_ context.Context, l dialect.Login, _ broker.Origin, road string) (*dialect.Subject, *registry.Device, *dialect.Diagnosis, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.broken != nil {
		return nil, nil, nil, h.broken
	}
	device := h.device
	claim := (aliyun.Dialect{}).Claim(&l)
	if len(claim) != 1 || claim[0] != lamp {
		return nil, nil, &dialect.Diagnosis{Code: "aliyun-unknown-device"}, nil
	}
	if !device.Enabled {
		return nil, nil, &dialect.Diagnosis{Code: "device-disabled"}, nil
	}
	k := dialect.Secrets{Device: device.Secret}
	if v := (aliyun.Dialect{}).Verify(&l, lamp, k, dialect.Lenient, h.at); !v.OK {
		d := (aliyun.Dialect{}).Diagnose(&l, k, nil, dialect.Lenient, h.at)
		h.refused = append(h.refused, d.Code)
		return nil, nil, d, nil
	}
	h.heard = append(h.heard, "login by "+road)
	return &dialect.Subject{Claim: lamp, Dialect: aliyun.Dialect{}}, &device, nil, nil
}

func (h *house) Known(_ context.Context, _ dialect.Dialect, c dialect.Claim) (*dialect.Subject, *registry.Device, *dialect.Diagnosis, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	device := h.device
	switch {
	case h.broken != nil:
		return nil, nil, nil, h.broken
	case c != lamp || h.gone:
		return nil, nil, &dialect.Diagnosis{Code: "device-unknown"}, nil
	case !device.Enabled:
		return nil, &device, &dialect.Diagnosis{Code: "device-disabled"}, nil
	}
	return &dialect.Subject{Claim: lamp, Dialect: aliyun.Dialect{}}, &device, nil, nil
}

func (h *house) Refuse(_ context.Context, _ dialect.Dialect, c dialect.Claim, _ broker.Origin, why *dialect.Diagnosis) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if strings.Contains(why.Sentence, "%!") || strings.Contains(why.SentenceZH, "%!") || strings.Contains(fmt.Sprintf("%+v", why), ds) {
		h.Errorf("a refusal that cannot be shown: %+v", why)
	}
	h.refused = append(h.refused, why.Code)
}

func (h *house) Heard(s *dialect.Subject, _ broker.Origin, road string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = append(h.heard, s.Session()+" by "+road)
}

func (h *house) Verify(context.Context, dialect.Login, broker.Origin, string) (*dialect.Subject, *dialect.Diagnosis, error) {
	h.Error("nobody of Aliyun's asks for this")
	return nil, nil, nil
}

func (h *house) Leave(s *dialect.Subject) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = append(h.heard, s.Session()+" left")
}

func (h *house) Silent(*dialect.Subject, time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.silent++
}

func (h *house) Take(_ *dialect.Subject, topic string, payload []byte) ingest.Taken {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.taken = append(h.taken, topic+" "+string(payload))
	return h.answer
}

func (h *house) Publish(m broker.Message) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.routed = append(h.routed, m.Topic)
	return 1
}

// lastRefusal is the code of the last refusal, which is forgotten.
func (h *house) lastRefusal() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.refused) == 0 {
		return ""
	}
	last := h.refused[len(h.refused)-1]
	h.refused = nil
	return last
}

var (
	here = netip.MustParseAddrPort("192.0.2.7:40001")
)

// say sends a datagram by plain UDP and returns what came back, one after the
// other.
func (h *house) say(datagram []byte) [][]byte { return h.sayFrom(here, datagram) }

func (h *house) sayFrom(from netip.AddrPort, datagram []byte) [][]byte {
	h.sent = nil
	h.take(h.Context(), h.plain(from, netip.AddrPort{}, func(b []byte) { h.sent = append(h.sent, b) }), datagram)
	return h.sent
}

// one sends a datagram that is answered by one.
func (h *house) one(datagram []byte) string {
	h.Helper()
	got := h.say(datagram)
	if len(got) != 1 {
		h.Fatalf("%d answers: %x", len(got), got)
	}
	return hex.EncodeToString(got[0])
}

// post is a confirmable POST: what a device would send, put together byte by
// byte and not by the library. token is always abcd.
type post struct {
	typ     byte // 0 confirmable, 1 not
	code    byte // 0: POST
	id      uint16
	path    string
	format  int // -1 for none
	accept  int
	bearer  string
	seq     []byte
	block   []byte
	extra   []opt
	payload []byte
}

type opt struct {
	id    int
	value []byte
}

func (p post) bytes() []byte {
	b := []byte{0x44 | p.typ<<4, max(p.code, 2), byte(p.id >> 8), byte(p.id), 'a', 'b', 'c', 'd'}
	var opts []opt
	for _, segment := range strings.Split(strings.TrimPrefix(p.path, "/"), "/") {
		opts = append(opts, opt{11, []byte(segment)})
	}
	if p.format >= 0 {
		opts = append(opts, opt{12, []byte{byte(p.format)}})
	}
	if p.accept >= 0 {
		opts = append(opts, opt{17, []byte{byte(p.accept)}})
	}
	if p.block != nil {
		opts = append(opts, opt{27, p.block})
	}
	opts = append(opts, p.extra...)
	if p.bearer != "" {
		opts = append(opts, opt{2088, []byte(p.bearer)})
	}
	if p.seq != nil {
		opts = append(opts, opt{2089, p.seq})
	}
	at := 0
	for _, o := range opts {
		b = appendOption(b, o.id-at, o.value)
		at = o.id
	}
	if len(p.payload) > 0 {
		b = append(append(b, 0xff), p.payload...)
	}
	return b
}

// appendOption writes delta and length as [RFC 7252 §3.1] has them.
func appendOption(b []byte, delta int, value []byte) []byte {
	nibble := func(n int) (byte, []byte) {
		switch {
		case n < 13:
			return byte(n), nil
		case n < 269:
			return 13, []byte{byte(n - 13)}
		}
		return 14, []byte{byte((n - 269) >> 8), byte(n - 269)}
	}
	d, dx := nibble(delta)
	l, lx := nibble(len(value))
	return append(append(append(append(b, d<<4|l), dx...), lx...), value...)
}

func (h *house) auth(id uint16, body string) post {
	return post{id: id, path: "auth", format: 50, accept: 50, payload: []byte(body)}
}

// login logs in over plain UDP and returns what the device was told.
func (h *house) login(id uint16) (token string, key vendor.CoAPKey) {
	h.Helper()
	got := h.say(h.auth(id, v11).bytes())
	if len(got) != 1 || got[0][1] != 0x45 {
		h.Fatalf("login: %x", got)
	}
	body := string(got[0][strings.IndexByte(string(got[0]), 0xff)+1:])
	var random string
	if n, err := fmt.Sscanf(body, `{"random":"%16s","seqOffset":1,"token":"%32s"}`, &random, &token); n != 2 {
		h.Fatalf("login: %s, %v", body, err)
	}
	return token, vendor.NewCoAPKey(ds, random)
}

// report is a report as C3 sends it.
func report(id uint16, token string, key vendor.CoAPKey, seq int, payload string) post {
	return post{
		id: id, path: "topic" + topic, format: 50, accept: 42, bearer: token,
		seq: key.Append(nil, []byte(fmt.Sprint(seq))), payload: key.Append(nil, []byte(payload)),
	}
}
