package dialect

import "time"

// A Rationed is a dialect whose vendor says how often a device may ask for a
// function, beside what it may say at all.
type Rationed interface {
	// Ration is that of a request, the zero Ration where nothing is written of it.
	Ration(r Request) Ration
}

// A Ration is how many requests of a kind a device may make in a second.
type Ration struct {
	What, WhatZH string // the requests that count together
	PerSecond    int
}

// Asked counts what a device asks in one second. It belongs to the goroutine
// of the connection, and holds as many numbers as its vendor has rations.
type Asked struct {
	second int64
	counts map[string]int // by What
}

// Count takes one request into account and returns how many of its kind came
// in this second.
func (a *Asked) Count(r Ration, now time.Time) int {
	if s := now.Unix(); s != a.second || a.counts == nil {
		a.second, a.counts = s, make(map[string]int, 1)
	}
	a.counts[r.What]++
	return a.counts[r.What]
}
