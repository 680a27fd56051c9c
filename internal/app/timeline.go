package app

import (
	"context"

	"github.com/matou-iot/matou/internal/trace"
)

// A timeline is that of the devices, and for identities that do not exist that
// of the strangers.
type timeline struct {
	*trace.Recorder
	strangers *trace.Recorder
}

// Timeline returns the entries of a device or stranger.
func (t *timeline) Timeline(product, device string, q trace.Query) ([]trace.Entry, uint64) {
	if found, next := t.Recorder.Timeline(product, device, q); len(found) > 0 {
		return found, next
	}
	return t.strangers.Timeline(product, device, q)
}

// Watch follows a device.
func (t *timeline) Watch(ctx context.Context, product, device string) <-chan trace.Entry {
	return t.Recorder.Watch(ctx, product, device)
}
