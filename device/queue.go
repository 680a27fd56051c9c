package device

import (
	"context"
	"time"
)

// DefaultQueue is how many reports wait to be sent, where Options say nothing.
const DefaultQueue = 100

// Post puts values into the queue of reports and returns at once. The queue is
// sent in order, each report when the one before it was answered, also those
// that were posted while the device was away: these carry the time they were
// posted at. It holds Options.Queue reports; when it is full the oldest is
// dropped, and Dropped counts it. It lives in memory only.
func (d *Device) Post(v Values) { d.PostReadings(readings(v)...) }

// PostReadings is Post with an order and with times.
func (d *Device) PostReadings(r ...Reading) {
	if len(r) == 0 {
		return
	}
	away := !d.client.Connected()
	d.mu.Lock()
	defer d.mu.Unlock()
	if away || len(d.queue) > 0 {
		now := time.Now()
		for i := range r {
			if r[i].Time.IsZero() {
				r[i].Time = now
			}
		}
	}
	if d.last != nil {
		for _, x := range r {
			d.last[x.ID] = x.Value
		}
	}
	if len(d.queue) >= d.o.Queue {
		d.queue = d.queue[:copy(d.queue, d.queue[1:])]
		d.dropped++
	}
	d.queue = append(d.queue, r)
	select {
	case d.posted <- struct{}{}:
	default:
	}
}

// Dropped counts the reports that a full queue has lost.
func (d *Device) Dropped() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dropped
}

// Waiting counts the reports in the queue; one that is being sent is none.
func (d *Device) Waiting() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.queue)
}

// send empties the queue until ctx ends.
func (d *Device) send(ctx context.Context) {
	for {
		r := d.next()
		if r == nil {
			select {
			case <-d.posted:
				continue
			case <-ctx.Done():
				return
			}
		}
		began := time.Now()
		err := d.ReportReadings(ctx, r...)
		if ctx.Err() != nil {
			return
		}
		if d.o.OnReport != nil {
			d.o.OnReport(r, time.Since(began), err)
		}
		if err != nil {
			d.o.Log.Warn("device could not report", "err", err)
		}
	}
}

func (d *Device) next() []Reading {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queue) == 0 {
		return nil
	}
	r := d.queue[0]
	d.queue = d.queue[:copy(d.queue, d.queue[1:])]
	return r
}
