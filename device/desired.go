package device

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/thing"
)

// ErrNoDesired says that a protocol knows no desired values: plain MQTT.
var ErrNoDesired = errors.New("device: this protocol has no desired values")

// A Desired is a value that somebody wants a property to have, said while the
// device may have been away. Its version says which saying it was.
type Desired struct {
	Value   thing.Value
	Version int64
}

// Desired asks which values are desired of the properties and waits for the
// reply, as Report does. Properties of which nothing is desired are left out.
func (d *Device) Desired(ctx context.Context, properties ...string) (map[string]Desired, error) {
	h, err := d.ask(ctx, func(id string) (client.Message, error) { return d.speech.AskDesired(id, properties) })
	if err != nil {
		return nil, err
	}
	if h.Code != codeSuccess {
		return nil, h.Rejected()
	}
	return readDesired(h.Data)
}

func readDesired(data string) (map[string]Desired, error) {
	if data == "" {
		return nil, nil
	}
	var all map[string]struct {
		Value   json.RawMessage `json:"value"`
		Version int64           `json:"version"`
	}
	if err := json.Unmarshal([]byte(data), &all); err != nil {
		return nil, fmt.Errorf("device: desired values that the cloud sent: %w", err)
	}
	out := make(map[string]Desired, len(all))
	for id, x := range all {
		v, err := thing.ParseValue(x.Value)
		if err != nil {
			return nil, fmt.Errorf("device: desired value of %s: %w", id, err)
		}
		out[id] = Desired{v, x.Version}
	}
	return out, nil
}

// ForgetDesired says that desired values were carried out, by the version of
// each: one that was said again meanwhile stays.
func (d *Device) ForgetDesired(ctx context.Context, versions map[string]int64) error {
	h, err := d.ask(ctx, func(id string) (client.Message, error) { return d.speech.ForgetDesired(id, versions) })
	if err == nil && h.Code != codeSuccess {
		err = h.Rejected()
	}
	return err
}

// obey carries out, after each connection, what was desired meanwhile.
func (d *Device) obey(ctx context.Context) {
	for {
		select {
		case <-d.came:
		case <-ctx.Done():
			return
		}
		if err := d.obeyOnce(ctx); err != nil && ctx.Err() == nil {
			d.o.Log.Warn("device could not do what is desired", "err", err)
		}
	}
}

func (d *Device) obeyOnce(ctx context.Context) error {
	wanted, err := d.Desired(ctx, d.o.Desired...)
	if err != nil || len(wanted) == 0 {
		return err
	}
	p, versions := make(Params, len(wanted)), make(map[string]int64, len(wanted))
	for id, x := range wanted {
		p[id], versions[id] = x.Value, x.Version
	}
	if err := d.onSet(ctx, p); err != nil {
		return err
	}
	return d.ForgetDesired(ctx, versions)
}
