package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/registry"
)

// A NetworkStore keeps what devices report of their networks, among the devices
// that it keeps; see package ingest.
type NetworkStore interface {
	registry.Store
	SaveNetwork(ctx context.Context, id registry.ID, n registry.Network) error
	Network(ctx context.Context, id registry.ID) (registry.Network, error)
}

// Networks is the contract of a NetworkStore. open returns an empty store that
// lives as long as its test.
func Networks(t *testing.T, open func(t *testing.T) NetworkStore) {
	s := open(t)
	withDevices(t, s)
	none := func(id registry.ID) {
		t.Helper()
		if n, err := s.Network(t.Context(), id); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%v has %s, %v", id, n.Report, err)
		}
	}
	none(subOne)
	for i, report := range []string{`{"p":{"wifi":{"rssi":-57}}}`, `{"p":[]}`} { // the last one counts
		at := registryTime.Add(time.Duration(i) * time.Minute)
		noError(t, s.SaveNetwork(t.Context(), subOne, registry.Network{At: at, Report: json.RawMessage(report)}))
		n, err := s.Network(t.Context(), subOne)
		if err != nil || string(n.Report) != report || !n.At.Equal(at) {
			t.Errorf("%s of %v, %v", n.Report, n.At, err)
		}
	}
	none(subTwo)
	nobody := registry.ID{Product: "p", Device: "nobody"}
	noError(t, s.SaveNetwork(t.Context(), nobody, registry.Network{At: registryTime, Report: json.RawMessage(`{}`)}))
	none(nobody)
	noError(t, deleteDevice(t, s, subOne))
	none(subOne)
}
