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
	return d.post(ctx, func(id string) (client.Message, error) { return d.speech.Report(id, r) })
}

// Event tells that something happened and waits for the cloud's reply, as
// Report does. A zero time is when it arrives.
func (d *Device) Event(ctx context.Context, event string, output Values, at time.Time) error {
	return d.post(ctx, func(id string) (client.Message, error) {
		return d.speech.Event(id, event, readings(output), at)
	})
}

// post says something that the cloud only takes or refuses.
func (d *Device) post(ctx context.Context, say func(id string) (client.Message, error)) error {
	if d.o.ReplyTimeout < 0 || !d.speech.Replies() {
		return d.tell(ctx, say)
	}
	h, err := d.ask(ctx, say)
	if err != nil {
		return err
	}
	return h.Rejected()
}

func (d *Device) nextID() string { return strconv.FormatUint(uint64(d.ids.Add(1)), 10) }

// tell says something and waits until the message is acknowledged.
func (d *Device) tell(ctx context.Context, say func(id string) (client.Message, error)) error {
	m, err := say(d.nextID())
	if err != nil {
		return err
	}
	if err := d.await(ctx); err != nil {
		return err
	}
	return d.client.Publish(ctx, m)
}

// await waits for the subscriptions: a reply to a topic that is not subscribed
// would be lost.
func (d *Device) await(ctx context.Context) error {
	select {
	case <-d.ready:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ask says something and waits for the reply.
func (d *Device) ask(ctx context.Context, say func(id string) (client.Message, error)) (Heard, error) {
	id := d.nextID()
	m, err := say(id)
	if err != nil {
		return Heard{}, err
	}
	if err := d.await(ctx); err != nil {
		return Heard{}, err
	}
	reply := make(chan Heard, 1)
	d.mu.Lock()
	d.replies[id] = reply
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		delete(d.replies, id)
		d.mu.Unlock()
	}()
	if err := d.client.Publish(ctx, m); err != nil {
		return Heard{}, err
	}
	patience := d.o.ReplyTimeout
	if patience < 0 {
		patience = DefaultReplyTimeout
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case h := <-reply:
		return h, nil
	case <-late.C:
		return Heard{}, ErrNoReply
	case <-ctx.Done():
		return Heard{}, ctx.Err()
	}
}
