package recording

import (
	"bytes"
	"regexp"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// secretMember finds members of JSON whose values let somebody in: secrets
// that a cloud hands out, signatures and tokens of sub-devices.
var secretMember = regexp.MustCompile(`(?i)\b(?:device_?secret|product_?secret|device_?token|access_?key|access_?token|password|secret|sign|token)["']?\s*:\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)')`)

// tokenSign finds the signature in a OneNET token: the rest of that says who
// logs in and until when, and lets nobody in.
var tokenSign = regexp.MustCompile(`(?:^|&)res=.*&sign=([^&]*)$`)

// secretPart is what of a password is secret.
func secretPart(password []byte) (from, to int) {
	if m := tokenSign.FindSubmatchIndex(password); m != nil {
		return m[2], m[3]
	}
	return 0, len(password)
}

// Redact overwrites with * what of a packet is a secret: the password of a
// CONNECT, broken ones too (of a OneNET token only its signature), and the values of JSON members that are called
// like one. Lengths stay. It returns b itself where there is nothing to hide,
// and a copy otherwise.
func Redact(b []byte, v mqtt.Version) (out []byte, redacted bool) {
	out = b
	hide := func(from, to int) {
		from, to = max(0, from), min(to, len(b))
		if from >= to {
			return
		}
		if !redacted {
			out, redacted = bytes.Clone(b), true
		}
		for i := from; i < to; i++ {
			out[i] = '*'
		}
	}
	if len(b) > 0 && packet.Type(b[0]>>4) == packet.TypePublish {
		for _, m := range secretMember.FindAllSubmatchIndex(b, -1) {
			hide(m[2], m[3])
			hide(m[4], m[5])
		}
		return out, redacted
	}
	for _, p := range packet.Explain(b, v).Packets {
		for _, f := range p.Fields {
			if f.Name == "password" || f.Name == "authentication data" {
				from, to := secretPart(b[f.Offset : f.Offset+f.Length])
				hide(f.Offset+from, f.Offset+to)
			}
		}
	}
	return out, redacted
}
