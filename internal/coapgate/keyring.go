package coapgate

import (
	"sync"
)

// maxIdentities bounds what is remembered of pre-shared keys.
const maxIdentities = 16_384

// keyring remembers which of the keys that a device may have made of its secret
// is the one: a handshake shows of one only. Beyond maxIdentities it begins
// anew: the likeliest is tried first.
type keyring struct {
	mu    sync.Mutex
	known map[string]trial // by identity
}

type trial struct {
	failures int
	proved   int // 1 + the key that was right, 0 for none
}

func (k *keyring) init() { k.known = make(map[string]trial) }

// which is the key to try now, of n. A key that was right stays the one: who
// knows an identity and no secret could else spoil the turn of who does. As long
// as none was, every other turn is the likeliest's.
func (k *keyring) which(identity string, n int) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	t := k.known[identity]
	switch {
	case t.proved > 0:
		return t.proved - 1
	case t.failures%2 == 0:
		return 0
	}
	return 1 + t.failures/2%(n-1)
}

// right and wrong note how a handshake ended.
func (k *keyring) right(identity string, which int) { k.note(identity, trial{proved: which + 1}) }

func (k *keyring) wrong(identity string) {
	k.mu.Lock()
	t := k.known[identity]
	k.mu.Unlock()
	t.failures++
	k.note(identity, t)
}

func (k *keyring) note(identity string, t trial) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, known := k.known[identity]; !known && len(k.known) >= maxIdentities {
		clear(k.known)
	}
	k.known[identity] = t
}
