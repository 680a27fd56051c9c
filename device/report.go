package device

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/matou-iot/matou/mqtt/client"
)

// ErrNoReply says that the message arrived at the cloud and its reply did not
// come back in time.
var ErrNoReply = errors.New("device: the cloud did not reply in time")

// A Rejected is the cloud's reply to a report or event that it did not take,
// or not as a whole.
type Rejected struct {
	Code    int    // the vendor's; 200 where only some values were not taken
	Message string // the vendor's
	Data    string // compact JSON: with Aliyun the identifiers and what is wrong with each
}

func (r *Rejected) Error() string {
	s := fmt.Sprintf("device: the cloud replied with code %d", r.Code)
	if r.Message != "" {
		s += " (" + r.Message + ")"
	}
	if r.Data != "" {
		s += ": " + r.Data
	}
	return s
}

// Report posts property values and waits for the cloud's reply. The error is
// a *Rejected, ErrNoReply, or why the message could not be sent; while the
// device is away, Report waits until ctx ends.
func (d *Device) Report(ctx context.Context, v Values) error {
	return d.ReportReadings(ctx, readings(v)...)
}

// readings puts values in the order of their identifiers.
func readings(v Values) (out []Reading) {
	for _, id := range slices.Sorted(maps.Keys(v)) {
		out = append(out, Reading{ID: id, Value: v[id]})
	}
	return out
}

// ReportReadings is Report with an order and with times.
func (d *Device) ReportReadings(ctx context.Context, r ...Reading) error {
	return d.post(ctx, func(id string) (client.Message, error) { return d.speech.report(id, r) })
}

// Event tells that something happened and waits for the cloud's reply, as
// Report does. A zero time is when it arrives.
func (d *Device) Event(ctx context.Context, event string, output Values, at time.Time) error {
	return d.post(ctx, func(id string) (client.Message, error) {
		return d.speech.event(id, event, readings(output), at)
	})
}

func (d *Device) post(ctx context.Context, say func(id string) (client.Message, error)) error {
	id := strconv.FormatUint(uint64(d.ids.Add(1)), 10)
	m, err := say(id)
	if err != nil {
		return err
	}
	select {
	case <-d.ready: // a reply to a topic not subscribed would be lost
	case <-ctx.Done():
		return ctx.Err()
	}
	if d.o.ReplyTimeout < 0 {
		return d.client.Publish(ctx, m)
	}
	reply := make(chan heard, 1)
	d.mu.Lock()
	d.replies[id] = reply
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		delete(d.replies, id)
		d.mu.Unlock()
	}()
	if err := d.client.Publish(ctx, m); err != nil {
		return err
	}
	late := time.NewTimer(d.o.ReplyTimeout)
	defer late.Stop()
	select {
	case h := <-reply:
		return h.rejected()
	case <-late.C:
		return ErrNoReply
	case <-ctx.Done():
		return ctx.Err()
	}
}
