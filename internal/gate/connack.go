package gate

import (
	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// answerOf is what a refused device is told: the vendor's return code to one
// of 3.x, the same in other words to one of 5.0.
func answerOf(d *dialect.Diagnosis) *broker.Refusal {
	r := &broker.Refusal{Reason: mqtt.BadUserNameOrPassword, ReasonString: d.Sentence, Silent: d.Silent}
	switch {
	case d.Code == tooOften: // the password is right: a 3.x device has to hear something else
		r.Reason = mqtt.ConnectionRateExceeded
	case d.Connack != 0 && d.Connack != packet.ReturnCode(r.Reason):
		r.Reason, r.ReturnCode = packet.ReasonOf(d.Connack), d.Connack
	}
	return r
}

// returnCode is the byte of the CONNACK, 0 where there is none.
func returnCode(r *broker.Refusal) int {
	switch {
	case r.Silent:
		return 0
	case r.ReturnCode != 0:
		return int(r.ReturnCode)
	}
	return int(packet.ReturnCode(r.Reason))
}
