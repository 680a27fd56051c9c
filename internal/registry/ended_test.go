package registry_test

import (
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/registry"
)

// TestTheEndOfAnotherWayIsNoEnd: a device that has come by another way is not
// offline because the one before has ended.
func TestTheEndOfAnotherWayIsNoEnd(t *testing.T) {
	w := newTopology(t, registry.Product{})
	s, at := w.subs[0], time.Unix(1_700_000_000, 0)
	old, way := registry.Way{Addr: "1", ClientID: "c", Protocol: "MQTT"}, registry.Way{Addr: "2", ClientID: "c", Protocol: "through gateway g"}
	for _, way := range []registry.Way{old, way} {
		w.WentOnline(s, at, way.Addr, way.ClientID, way.Protocol)
	}
	state := func() registry.State {
		t.Helper()
		status, err := w.Status(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		return status.State
	}
	if w.Ended(s, old, at, "lost") || state() != registry.Online {
		t.Errorf("the end of the old way made it %s", state())
	}
	if !w.Ended(s, way, at, "lost") || state() != registry.Offline {
		t.Errorf("after its end it is %s", state())
	}
	if w.Ended(s, way, at, "lost again") {
		t.Error("it ended twice")
	}
}
