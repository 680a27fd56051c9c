package coapgate

import (
	"net/netip"
	"sync"
	"time"

	"github.com/plgd-dev/go-coap/v3/message/codes"
)

// A block says which part of a payload a message has [RFC 7959].
type block struct {
	number int
	more   bool
	size   int
	raw    []byte // as it was sent; it comes back with the answer
}

// The bounds of payloads that have not come whole yet. At maxTransfers the
// oldest is given up: its next block is answered 4.08, and the device begins
// again.
const (
	maxTransfers  = 512
	transferPause = 60 * time.Second // between two blocks
)

// transfers are payloads of which blocks have come.
type transfers struct {
	mu    sync.Mutex
	known map[transferKey]*transfer
}

type transferKey struct {
	connection uint64
	from       netip.AddrPort
	path       string
}

type transfer struct {
	at   time.Time // of the last block
	body []byte
	size int // of its blocks
}

func (t *transfers) init() { t.known = make(map[transferKey]*transfer) }

// add joins a block to what has come before. whole is the payload when it was
// the last one.
func (t *transfers) add(k transferKey, b *block, payload []byte, most int, now time.Time) (whole []byte, code codes.Code) {
	t.mu.Lock()
	defer t.mu.Unlock()
	have := t.known[k]
	if have != nil && now.Sub(have.at) > transferPause {
		delete(t.known, k)
		have = nil
	}
	if b.number == 0 {
		delete(t.known, k)
		have = &transfer{size: b.size}
	}
	switch {
	case have == nil, b.size != have.size, b.number != len(have.body)/have.size, b.more && len(payload) != b.size, len(payload) > b.size:
		delete(t.known, k)
		return nil, codes.RequestEntityIncomplete
	case len(have.body)+len(payload) > most:
		delete(t.known, k)
		return nil, codes.RequestEntityTooLarge
	}
	have.at, have.body = now, append(have.body, payload...)
	if !b.more {
		delete(t.known, k)
		return have.body, codes.Content
	}
	if _, known := t.known[k]; !known && len(t.known) >= maxTransfers {
		t.dropOldest(now)
	}
	t.known[k] = have
	return nil, codes.Continue
}

// dropOldest gives up the one that has waited longest, and all that wait in
// vain.
func (t *transfers) dropOldest(now time.Time) {
	var oldest transferKey
	at := now.Add(time.Hour)
	for k, have := range t.known {
		if now.Sub(have.at) > transferPause {
			delete(t.known, k)
		} else if have.at.Before(at) {
			oldest, at = k, have.at
		}
	}
	if len(t.known) >= maxTransfers {
		delete(t.known, oldest)
	}
}

// maxSent is the greatest payload on the wire: encrypted, a message grows by up
// to a block of the cipher.
const maxSent = maxMessage + 16

// gather answers a request, or asks for the rest of it.
func (x *conversation) gather() answer {
	switch {
	case x.block == nil || x.block.number == 0 && !x.block.more:
		a := x.whole()
		if x.block != nil {
			a.block = x.block.raw
		}
		return a
	case !x.secure() && len(x.path) > 0 && x.path[0] == "topic" && x.sessions.find(x.session, x.Now()) == nil:
		return x.handle() // to be refused: nothing is kept of a stranger's report
	}
	whole, code := x.transfers.add(transferKey{x.number, x.from.Remote, join(x.path)}, x.block, x.payload, maxSent, x.Now())
	var a answer
	switch code {
	case codes.Content:
		x.payload = whole
		a = x.whole()
	case codes.RequestEntityTooLarge:
		a = x.refuse(code, "aliyun-coap-too-large", "payload", "", maxMessage)
	case codes.RequestEntityIncomplete:
		a = x.refuse(code, "aliyun-coap-blocks", "block", "", x.block.number)
	default:
		a = refusal(code)
	}
	a.block = x.block.raw
	return a
}

func (x *conversation) whole() answer {
	if len(x.payload) > maxSent {
		return x.refuse(codes.RequestEntityTooLarge, "aliyun-coap-too-large", "payload", "", maxMessage)
	}
	return x.handle()
}
