package onenet

import (
	"testing"

	"github.com/matou-iot/matou/internal/dialect"
)

func TestUpgradeWakesTheDevice(t *testing.T) {
	c := dialect.Claim{Product: "VRqhDHF2wL", Device: "my_tv"}
	got := Dialect{}.Upgrade(c, &dialect.Upgrade{Task: 123})
	if len(got) != 1 || got[0].Topic != "$sys/VRqhDHF2wL/my_tv/ota/inform" || string(got[0].Payload) != `{"id":"123","version":"1.0","params":{}}` {
		t.Errorf("%q", got)
	}
	var up dialect.Uplink
	topic := "$sys/VRqhDHF2wL/my_tv/ota/inform_reply"
	Dialect{}.Uplink(c, []byte(topic), []byte(`{"id":"123","code":200}`), model, dialect.Lenient, &up)
	if r, ok := up.Request.(*dialect.UpgradeHeard); !ok || r.ID != "123" || r.Claim != c || len(up.Answers) != 0 {
		t.Errorf("%+v", up)
	}
	Dialect{}.Uplink(c, []byte(topic), []byte(`thanks`), model, dialect.Lenient, &up)
	if up.Request != nil || up.Fault == nil || up.Fault.Code != "onenet-bad-message" {
		t.Errorf("%+v", up)
	}
}
