package coapgate

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
)

func TestBlocks(t *testing.T) {
	h := newHouse(t)
	token, key := h.login(1)
	whole := report(0, token, key, 1, string(bytes.Repeat([]byte("x"), 150)))
	if len(whole.payload) != 160 {
		t.Fatal(len(whole.payload))
	}
	part := func(id uint16, number, more int, szx byte, payload []byte) post {
		p := whole
		p.id, p.payload = id, payload
		p.block = []byte{byte(number<<4|more<<3) | szx}
		return p
	}
	// 64 + 64 + 32 bytes; each answer says which block it is for.
	for i, want := range []string{"645f0002" + "61626364" + "d10e0a", "645f0003" + "61626364" + "d10e1a"} {
		if got := h.one(part(uint16(2+i), i, 1, 2, whole.payload[64*i:64*i+64]).bytes()); got != want {
			t.Errorf("block %d: %s, want %s", i, got, want)
		}
	}
	got := h.one(part(4, 2, 0, 2, whole.payload[128:]).bytes())
	if want := "64450004" + "61626364" + "d10e22"; got[:len(want)] != want || len(h.taken) != 1 {
		t.Errorf("last block: %s, want %s…; taken %d", got, want, len(h.taken))
	}
	if len(h.transfers.known) != 0 {
		t.Error("a transfer that is over is remembered")
	}
	// All in the first block.
	p := report(5, token, key, 2, "x")
	p.block = []byte{0x06}
	if got := h.one(p.bytes()); got[:len("64450005"+"61626364"+"d10e06")] != "64450005"+"61626364"+"d10e06" {
		t.Errorf("one block: %s", got)
	}
	for name, sequence := range map[string][]post{
		"the second without the first": {part(20, 1, 0, 2, whole.payload[:64])},
		"one left out":                 {part(21, 0, 1, 2, whole.payload[:64]), part(22, 2, 0, 2, whole.payload[128:])},
		"another size":                 {part(23, 0, 1, 2, whole.payload[:64]), part(24, 1, 1, 1, whole.payload[64:96])},
		"shorter than it says":         {part(25, 0, 1, 2, whole.payload[:63])},
		"longer than it says":          {part(26, 0, 1, 2, whole.payload[:64]), part(27, 1, 0, 2, whole.payload[:65])},
	} {
		var got string
		for _, p := range sequence {
			got = h.one(p.bytes())
		}
		if got[2:4] != "88" || h.lastRefusal() != "aliyun-coap-blocks" {
			t.Errorf("%s: %s", name, got)
		}
	}
	// Too late.
	h.one(part(30, 0, 1, 2, whole.payload[:64]).bytes())
	h.at = h.at.Add(transferPause + time.Second)
	if got := h.one(part(31, 1, 0, 2, whole.payload[64:]).bytes()); got[2:4] != "88" {
		t.Errorf("too late: %s", got)
	}
	// Too large.
	id := uint16(40)
	for n := 0; ; n++ {
		p := part(id, n, 1, 6, make([]byte, 1024))
		p.block = []byte{byte(n<<4>>8) | byte(n<<4) | 8 | 6}
		got := h.one(p.bytes())
		id++
		if got[2:4] == "8d" {
			if n != maxSent/1024 {
				t.Errorf("block %d of 1 KiB is too large", n)
			}
			break
		}
		if got[2:4] != "5f" || n > 10 {
			t.Fatalf("block %d: %s", n, got)
		}
	}
	// Nothing of a stranger's is kept.
	p = part(60, 0, 1, 2, whole.payload[:64])
	p.bearer = "nobody's"
	if got := h.one(p.bytes()); got[2:4] != "81" || len(h.transfers.known) != 0 {
		t.Errorf("a stranger's block: %s; %d transfers", got, len(h.transfers.known))
	}
}

func TestTransfersAreBounded(t *testing.T) {
	var x transfers
	x.init()
	now := time.Unix(1_700_000_000, 0)
	key := func(i int) transferKey { return transferKey{uint64(i), netip.AddrPort{}, "p"} }
	for i := range 3 * maxTransfers {
		now = now.Add(time.Millisecond)
		x.add(key(i), &block{more: true, size: 16}, make([]byte, 16), 100, now)
		if len(x.known) > maxTransfers {
			t.Fatalf("%d transfers", len(x.known))
		}
	}
	if x.known[key(3*maxTransfers-1)] == nil || x.known[key(0)] != nil {
		t.Error("not the oldest was given up")
	}
}

func TestExchangesAreBounded(t *testing.T) {
	var x exchanges
	x.init()
	now := time.Unix(1_700_000_000, 0)
	key := func(i int) exchangeKey { return exchangeKey{uint64(i), here, 1} }
	check := func() {
		t.Helper()
		bytes := 0
		for _, e := range x.known {
			bytes += size(e.frames)
		}
		if len(x.known) != len(x.queue)-x.first || len(x.known) > maxExchanges || bytes != x.bytes || cap(x.queue) > 4*maxExchanges {
			t.Fatalf("%d known, queue %d from %d of %d, %d bytes counted of %d", len(x.known), len(x.queue), x.first, cap(x.queue), x.bytes, bytes)
		}
	}
	for i := range 2*maxExchanges + 5 {
		e, _, again := x.begin(key(i), now)
		if again {
			t.Fatal("a new one was known")
		}
		x.end(e, make([]byte, 10))
	}
	check()
	if _, frames, again := x.begin(key(2*maxExchanges), now); !again || len(frames) != 1 {
		t.Error("one of the last is not remembered")
	}
	for i := range 200 {
		e, _, _ := x.begin(exchangeKey{uint64(i), here, 2}, now)
		x.end(e, make([]byte, 100<<10))
	}
	check()
	if x.bytes > maxExchangeBytes+100<<10 {
		t.Errorf("%d bytes", x.bytes)
	}
	e, _, _ := x.begin(exchangeKey{0, here, 3}, now.Add(lifetime+1))
	if check(); len(x.known) != 1 {
		t.Errorf("%d are remembered for ever", len(x.known))
	}
	// While it is being worked on, it is known, and has no answer yet.
	if _, frames, again := x.begin(exchangeKey{0, here, 3}, now.Add(lifetime+1)); !again || frames != nil {
		t.Error("one that is worked on is not known")
	}
	x.begin(exchangeKey{0, here, 4}, now.Add(3*lifetime)) // it is forgotten before it is answered
	x.end(e, make([]byte, 10))
	check()
}

func TestSessionsAreBounded(t *testing.T) {
	var x sessions
	x.init()
	x.most.Store(10)
	now := time.Unix(1_700_000_000, 0)
	of := func(device int) *session {
		return &session{who: dialect.Claim{Product: pk, Device: fmt.Sprint(device)}, token: secretText(16), expires: now.Add(tokenLife)}
	}
	check := func() {
		t.Helper()
		n := 0
		for _, list := range x.byWho {
			if n += len(list); len(list) > perDevice {
				t.Fatalf("%d sessions of one device", len(list))
			}
		}
		if n != len(x.byToken) || n != x.order.Len() || n > 10 {
			t.Fatalf("%d by device, %d by token, %d in order", n, len(x.byToken), x.order.Len())
		}
	}
	// Whoever has overheard a login can send it again, and does not end the
	// session that is in use by that.
	inUse := of(0)
	x.add(inUse)
	inUse.use(1)
	for range 50 {
		x.add(of(0))
		check()
	}
	if x.find(inUse.token, now) == nil {
		t.Error("the session that is in use has ended")
	}
	quiet := of(1)
	x.add(quiet)
	for i := range 50 {
		x.used(inUse)
		x.add(of(2 + i))
		check()
	}
	if x.find(inUse.token, now) == nil || x.find(quiet.token, now) != nil {
		t.Error("not the one that was silent longest has ended")
	}
	x.forget(inUse.who)
	check()
	if x.find(inUse.token, now) != nil {
		t.Error("forgotten, and there")
	}
	if n := x.count(now.Add(tokenLife + 1)); n != 0 {
		t.Errorf("%d have not expired", n)
	}
	check()
	x.used(inUse) // of one that has ended
	x.end(inUse)
	check()
}

// A number is good once, in whatever order they come: against a set that
// remembers them all.
func TestSequenceNumbers(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		var s session
		used := map[uint64]bool{}
		for range 2000 {
			n := 1 + r.Uint64N(900)
			want := sequenceNew
			if used[n] {
				want = sequenceRepeated
			}
			if got := s.use(n); got != want {
				t.Fatalf("seed %d: %d is %d, want %d", seed, n, got, want)
			}
			used[n] = true
		}
		if len(s.gaps) > 900 {
			t.Fatalf("%d gaps", len(s.gaps))
		}
	}
	var s session
	if s.use(0) != sequenceLow || s.proved {
		t.Error("below the offset")
	}
	for n := range uint64(100_000) {
		if s.use(n+1) != sequenceNew || len(s.gaps) != 0 {
			t.Fatalf("%d, counted up", n)
		}
	}
	// Random ones, as the documentation allows: until no more are remembered.
	s = session{}
	for n := range maxGaps {
		if s.use(uint64(n)*7+1_000_000_007) != sequenceNew {
			t.Fatalf("gap %d", n)
		}
	}
	if s.use(5) != sequenceFull || s.use(1_000_000_007) != sequenceRepeated || s.use(1) != sequenceNew {
		t.Error("at the bound")
	}
}

func TestKeysInTurn(t *testing.T) {
	var k keyring
	k.init()
	var tried []int
	for range 13 {
		tried = append(tried, k.which("a", 6))
		k.wrong("a")
	}
	if fmt.Sprint(tried) != "[0 1 0 2 0 3 0 4 0 5 0 1 0]" {
		t.Errorf("tried %v", tried)
	}
	k.right("a", 4)
	for range 3 {
		if k.which("a", 6) != 4 {
			t.Error("the key that was right is not tried")
		}
		k.wrong("a") // by somebody else
	}
	for i := range 3 * maxIdentities {
		k.wrong(fmt.Sprint(i))
	}
	if len(k.known) > maxIdentities {
		t.Errorf("%d identities", len(k.known))
	}
}

func TestPresence(t *testing.T) {
	h := newHouse(t)
	token, key := h.login(1)
	h.one(report(2, token, key, 1, "x").bytes())
	h.at = h.at.Add(onlineFor - time.Second)
	if h.sweep(h.at); h.silent != 0 {
		t.Error("silent too early")
	}
	h.one(report(3, token, key, 2, "x").bytes())
	h.at = h.at.Add(onlineFor - time.Second)
	if h.sweep(h.at); h.silent != 0 {
		t.Error("silent after a report")
	}
	h.at = h.at.Add(time.Second)
	h.sweep(h.at)
	if h.sweep(h.at); h.silent != 1 || len(h.presence.known) != 0 {
		t.Errorf("silent %d times", h.silent)
	}
	if h.counters.Sessions.Load() != 1 {
		t.Errorf("%d sessions", h.counters.Sessions.Load())
	}
}

// FuzzDatagram: whatever comes, and whatever follows it, the house stands, and
// an answer is a CoAP message that is not larger than what answers may be.
func FuzzDatagram(f *testing.F) {
	h := &house{}
	for _, p := range []post{
		h.auth(1, v11), {id: 2, path: "topic" + topic, bearer: "t", seq: make([]byte, 16), payload: make([]byte, 16), block: []byte{0x0a}},
		{typ: 1, id: 3, path: "x", extra: []opt{{15, []byte("token=1")}, {65, nil}}},
	} {
		f.Add(p.bytes(), []byte{})
	}
	ping, _ := hex.DecodeString("40001234")
	f.Add(ping, []byte("40"))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		h := newHouse(t)
		for _, datagram := range [][]byte{first, second, first} {
			for _, b := range h.say(datagram) {
				if len(b) < 4 || b[0]>>6 != 1 || len(b) > 3*maxMessage {
					t.Fatalf("answered %x", b)
				}
				r, err := parse(b)
				if err == nil || r.id < 0 {
					t.Fatalf("%x is answered with a request: %x", datagram, b)
				}
			}
		}
		if len(h.taken) > 0 {
			t.Fatal("a stranger's message was taken")
		}
	})
}
