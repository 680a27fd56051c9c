package packet

import (
	"encoding/json"
	"testing"

	"github.com/matou-iot/matou/mqtt"
)

// FuzzExplain: whatever the bytes, Explain answers within its limits, stays
// inside the input, and what it calls corrected is a packet. What Decode
// accepts has no fault but those that no decoder can see.
func FuzzExplain(f *testing.F) {
	for _, s := range fuzzSeeds {
		b := wire(f, s)
		whole := append(appendVarint(b[:1:1], len(b)-1), b[1:]...)
		f.Add(whole, byte(0))
		f.Add(b, byte(4))
		f.Add(whole[1:], byte(5))
		f.Add(append(whole, "\r\n"...), byte(0))
	}
	f.Add([]byte("10 0f 00 04"), byte(0))
	f.Add([]byte("AT+CIPSEND=2\r\n"), byte(0))
	f.Fuzz(func(t *testing.T, b []byte, level byte) {
		checkExplanation(t, b, mqtt.Version(level))
	})
}

func checkExplanation(t *testing.T, b []byte, v mqtt.Version) {
	t.Helper()
	x := Explain(b, v)
	fields, next := 0, 0
	for _, a := range x.Packets {
		if a.Offset != next || a.Length < 0 || a.Summary == "" || len(a.Faults) > 2*maxRepairs {
			t.Fatalf("%x: packet %+v, want it at %d", b, a, next)
		}
		next = a.Offset + a.Length
		fields += len(a.Fields)
		checkFields(t, b, a)
		checkFaults(t, b, a)
	}
	if next+x.Skipped != len(b) {
		t.Errorf("%x: explained %d and skipped %d bytes of %d", b, next, x.Skipped, len(b))
	}
	if fields > maxExplainedFields || len(x.Packets) > maxExplainedPackets {
		t.Errorf("%d fields in %d packets", fields, len(x.Packets))
	}
	if _, err := json.Marshal(x); err != nil {
		t.Error(err)
	}
	_, _ = x.String(), x.StringZH()
	if h, err := ParseHeader(b); err == nil && knownVersion(v) && h.Type != TypeConnect && decodes(b, v) {
		for _, fault := range x.Packets[0].Faults {
			if fault.Code != FaultIdentifierAtQoS0 && fault.Code != FaultIdentifierMissing {
				t.Errorf("%x: a good packet has the fault %+v", b, fault)
			}
		}
	}
}

func checkFields(t *testing.T, b []byte, a Annotated) {
	t.Helper()
	at := a.Offset
	for _, f := range a.Fields {
		if f.Offset < at || f.Length < 0 || f.Offset+f.Length > a.Offset+a.Length || f.Name == "" || f.NameZH == "" || (f.Meaning == "") != (f.MeaningZH == "") {
			t.Fatalf("%x: field %+v of %+v", b, f, a)
		}
		at = f.Offset + f.Length
		if string(f.Bytes) != string(b[f.Offset:at][:min(f.Length, maxFieldBytes)]) {
			t.Errorf("%x: field %+v shows other bytes", b, f)
		}
		if len(f.Meaning) > maxMeaning*4+32 {
			t.Errorf("%x: a meaning of %d bytes", b, len(f.Meaning))
		}
	}
}

func checkFaults(t *testing.T, b []byte, a Annotated) {
	t.Helper()
	for _, f := range a.Faults {
		if f.Offset < a.Offset || f.Offset > a.Offset+a.Length || f.Code == "" || f.What == "" || f.Fix == "" || f.WhatZH == "" || f.FixZH == "" {
			t.Errorf("%x: fault %+v", b, f)
		}
		if f.Corrected == nil || f.Code == FaultHexText {
			continue
		}
		if !decodes(f.Corrected, mqtt.V311) && !decodes(f.Corrected, mqtt.V5) && !decodes(f.Corrected, mqtt.V31) {
			t.Errorf("%x: corrected to %x, which does not decode", b, []byte(f.Corrected))
		}
	}
}
