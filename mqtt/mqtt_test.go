package mqtt

import (
	"errors"
	"fmt"
	"testing"
)

func TestVersionNames(t *testing.T) {
	for v, want := range map[Version]string{V31: "3.1", V311: "3.1.1", V5: "5.0", 6: "level 6"} {
		if v.String() != want {
			t.Errorf("level %d is %q, want %q", byte(v), v, want)
		}
	}
}

func TestQoSValid(t *testing.T) {
	for q, want := range map[QoS]bool{0: true, 1: true, 2: true, 3: false, 255: false} {
		if q.Valid() != want {
			t.Errorf("[MQTT3-3.3.1-4] QoS %d valid: %v", q, q.Valid())
		}
	}
}

func TestReasonCodeIsAnError(t *testing.T) {
	err := fmt.Errorf("connect: %w", NotAuthorized)
	if !errors.Is(err, NotAuthorized) || errors.Is(err, Banned) {
		t.Errorf("errors.Is does not see the code in %v", err)
	}
	if got := NotAuthorized.Error(); got != "not authorized (0x87)" {
		t.Errorf("named %q", got)
	}
	if got := ReasonCode(0x7F).Error(); got != "reason code 0x7F" {
		t.Errorf("an unknown code is named %q", got)
	}
}

func TestReasonCodeFailsFrom0x80(t *testing.T) { // [MQTT5 §2.4]
	if ReAuthenticate.Failed() || !UnspecifiedError.Failed() {
		t.Error("the border between success and failure is not 0x80")
	}
}
