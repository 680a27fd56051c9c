package packet

import (
	"slices"

	"github.com/matou-iot/matou/mqtt"
)

// A work is a packet on the bench: its bytes, which repairs change, and where
// in the input each of them came from, so that what is found in the repaired
// packet can be shown in the bytes that were sent.
type work struct {
	b       []byte // the packet, and before its length is settled all that follows
	from    []int  // offset in the input of each byte of b; -1: not in the input
	size    int    // bytes of b that are the packet, once settled
	surplus []span // of the input, not of b: bytes that belong to nothing
	faults  []Fault
	v       mqtt.Version
}

func newWork(in []byte, off int, v mqtt.Version) *work {
	w := &work{b: slices.Clone(in[off:]), from: make([]int, len(in)-off), v: v}
	for i := range w.from {
		w.from[i] = off + i
	}
	w.size = len(w.b)
	return w
}

// packet is what is on the bench.
func (w *work) packet() []byte { return w.b[:w.size] }

// insert puts new bytes before b[at].
func (w *work) insert(at int, p ...byte) {
	w.b = slices.Insert(w.b, at, p...)
	w.from = slices.Insert(w.from, at, slices.Repeat([]int{-1}, len(p))...)
	w.size += len(p)
}

// remove takes n bytes out and says what they were.
func (w *work) remove(at, n int, meaning phrase) {
	if i, j := w.origin(at, at+n); j > i {
		w.surplus = append(w.surplus, span{"surplus", i, j, meaning})
	}
	w.drop(at, n)
}

func (w *work) drop(at, n int) {
	w.b = slices.Delete(w.b, at, at+n)
	w.from = slices.Delete(w.from, at, at+n)
	w.size -= n
}

// headerSize is the size of the fixed header of what is on the bench.
func (w *work) headerSize() int {
	_, size, _ := readLength(w.b[min(1, len(w.b)):])
	return 1 + size
}

// setLength writes the remaining length n over the old bytes of it.
func (w *work) setLength(old, n int) {
	enc := appendVarint(nil, n)
	if len(enc) > old {
		w.insert(1+old, slices.Repeat([]byte{0}, len(enc)-old)...)
	}
	if len(enc) < old {
		w.drop(1+len(enc), old-len(enc))
	}
	copy(w.b[1:], enc)
	w.size = 1 + len(enc) + n
}

// resize makes the remaining length fit what is on the bench.
func (w *work) resize() {
	h := w.headerSize()
	w.setLength(h-1, w.size-h)
}

// origin is the run of input bytes that b[from:to] came from; where none did,
// an empty one at the place they are missing.
func (w *work) origin(from, to int) (i, j int) {
	i = -1
	for _, at := range w.from[from:to] {
		if at < 0 {
			continue
		}
		if i < 0 {
			i = at
		}
		j = at + 1
	}
	if i >= 0 {
		return i, j
	}
	for _, at := range w.from[to:] {
		if at >= 0 {
			return at, at
		}
	}
	return w.consumed(), w.consumed()
}

// consumed is the offset in the input behind all that this packet used.
func (w *work) consumed() (end int) {
	for _, at := range w.from[:min(w.size, len(w.from))] {
		end = max(end, at+1)
	}
	for _, s := range w.surplus {
		end = max(end, s.to)
	}
	return end
}

// fault notes a fault at b[at]. Its repaired bytes come later, when all
// repairs are done.
func (w *work) fault(code string, at int, say words) {
	i := w.consumed()
	if at < len(w.from) {
		i, _ = w.origin(at, at+1)
	}
	w.faults = append(w.faults, Fault{Offset: i, Code: code, What: say.what, Fix: say.fix, WhatZH: say.whatZH, FixZH: say.fixZH})
}

// has reports whether a fault was noted.
func (w *work) has(code string) bool {
	return slices.ContainsFunc(w.faults, func(f Fault) bool { return f.Code == code })
}

// decodes reports whether b is exactly one packet of version v.
func decodes(b []byte, v mqtt.Version) bool { return decodeError(b, v) == nil }

func decodeError(b []byte, v mqtt.Version) error {
	h, err := ParseHeader(b)
	if err != nil {
		return err
	}
	_, err = Decode(h, b[h.Size:], v)
	return err
}
