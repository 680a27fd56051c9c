package gate_test

import (
	"errors"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/gate"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/mqtt"
)

func TestADeviceThatLogsInTooOften(t *testing.T) {
	h := open(t, func(o *gate.Options) { o.ConnectRate = 2 })
	login := func(id registry.ID, password string) mqtt.ReasonCode {
		_, err := h.Connect(t.Context(), connect(id.String(), password), fromAfar)
		if err == nil {
			return mqtt.Success
		}
		r, ok := errors.AsType[*broker.Refusal](err)
		if !ok {
			t.Fatal(err)
		}
		return r.Reason
	}
	const slow = mqtt.ConnectionRateExceeded
	for i, step := range []struct {
		after    time.Duration
		id       registry.ID
		password string
		want     mqtt.ReasonCode
	}{
		{0, pump, guess, mqtt.BadUserNameOrPassword}, // who guesses uses up nobody's turns
		{0, pump, guess, mqtt.BadUserNameOrPassword},
		{0, pump, guess, mqtt.BadUserNameOrPassword},
		{0, pump, pumpSecret, mqtt.Success}, // two at once
		{0, pump, pumpSecret, mqtt.Success},
		{0, pump, pumpSecret, slow},
		{0, probe, pumpSecret, mqtt.Success}, // another device has its own turns
		{499 * time.Millisecond, pump, pumpSecret, slow},
		{time.Millisecond, pump, pumpSecret, mqtt.Success}, // half a second for one more
		{0, pump, pumpSecret, slow},
		{time.Hour, pump, pumpSecret, mqtt.Success},
		{0, pump, pumpSecret, mqtt.Success},
		{0, pump, pumpSecret, slow},
	} {
		h.now = h.now.Add(step.after)
		if got := login(step.id, step.password); got != step.want {
			t.Errorf("step %d: %v, want %v", i, got, step.want)
		}
	}
	if e := story(h.timeline, pump); e[len(e)-1].Code != "connect-rate" || e[len(e)-1].SentenceZH == "" {
		t.Errorf("the timeline ends with %+v", e[len(e)-1])
	}
	h.SetConnectRate(0)
	for range 100 {
		if got := login(pump, pumpSecret); got != mqtt.Success {
			t.Fatalf("without a limit: %v", got)
		}
	}
}
