package broker_test

import (
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
)

// TestServerUnsubscribes: filters that stopped being a session's to hear are
// taken away, those beside them stay.
func TestServerUnsubscribes(t *testing.T) {
	h := serve(t, broker.Options{})
	p := h.connected("a")
	for _, filter := range []string{"x/1", "x/+/2", "y/1"} {
		p.subscribe(filter, mqtt.AtMostOnce)
	}
	gone := func(filter string) bool { return strings.HasPrefix(filter, "x/") }
	if n := h.Unsubscribe("a", gone); n != 2 {
		t.Errorf("%d filters", n)
	}
	if n := h.Unsubscribe("a", gone) + h.Unsubscribe("nobody", gone); n != 0 {
		t.Errorf("%d filters a second time", n)
	}
	for topic, want := range map[string]int{"x/1": 0, "x/a/2": 0, "y/1": 1} {
		if n := h.Publish(broker.Message{Topic: topic, Payload: []byte("hi")}); n != want {
			t.Errorf("%s went to %d", topic, n)
		}
	}
	p.want("30 07 00 03 'y/1' 'hi'")
}
