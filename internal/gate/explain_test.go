package gate_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt/packet"
)

// Whatever one byte of a CONNECT is changed into, its password is not shown.
func TestNoByteOfAConnectGivesThePasswordAway(t *testing.T) {
	h := open(t, nil)
	good := wire(t, "10 2b 0004'MQTT' 04 c2 003c "+login)
	rejected := 0
	for at := range len(good) - len(pumpSecret) {
		for b := range 256 {
			raw := slices.Clone(good)
			raw[at] = byte(b)
			for _, bytes := range [][]byte{raw, raw[1:], append([]byte{0xc0, 0}, raw...)} {
				err := refusedBytes(bytes)
				if err == nil {
					continue
				}
				rejected++
				h.Rejected(fromAfar, bytes, err)
				all, _ := h.strangers.Timeline("", "", trace.Query{Limit: 1})
				doc, err := json.Marshal(all[0])
				if err != nil {
					t.Fatal(err)
				}
				if spelled(string(doc), pumpSecret) || spelled(string(doc), pumpSecret[:9]) {
					t.Fatalf("% x: %s", bytes, doc)
				}
			}
		}
	}
	if rejected < 10_000 {
		t.Errorf("only %d were rejected", rejected)
	}
	h.wantSecret(pumpSecret, registry.ID{})
}

// refusedBytes is why a connection cannot begin with bytes, nil where it can.
func refusedBytes(raw []byte) error {
	h, err := packet.ParseHeader(raw)
	if err != nil {
		return err
	}
	if h.Size+h.Remaining > len(raw) {
		return packet.ErrIncomplete
	}
	if h.Type != packet.TypeConnect {
		return &packet.Error{Packet: h.Type.String(), Clause: "MQTT3-3.1.0-1"}
	}
	return new(packet.Connect).Decode(h, raw[h.Size:h.Size+h.Remaining], 0)
}
