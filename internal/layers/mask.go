package layers

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
)

// A Mask hides the secrets of a device and of its product, whatever the device
// put them into: stars in their place keep lengths and offsets.
type Mask struct{ secrets []string }

// minSecret is the length from which a secret is masked: a shorter one would
// be found everywhere.
const minSecret = 4

// Mask makes the mask of a device. One that does not exist has its product's.
func (s *Service) Mask(ctx context.Context, id registry.ID) (*Mask, error) {
	return MaskOf(ctx, s.Registry, id)
}

// MaskOf makes the mask of a device.
func MaskOf(ctx context.Context, r *registry.Registry, id registry.ID) (*Mask, error) {
	m := &Mask{}
	switch p, err := r.Product(ctx, id.Product); {
	case err == nil:
		m.add(p.Secret, p.PreviousSecret)
	case fault.KindOf(err) != fault.KindNotFound:
		return nil, err
	}
	switch d, err := r.Device(ctx, id); {
	case err == nil:
		m.add(d.Secret, d.PreviousSecret)
	case fault.KindOf(err) != fault.KindNotFound:
		return nil, err
	}
	slices.SortFunc(m.secrets, func(a, b string) int { return len(b) - len(a) }) // one may be part of another
	return m, nil
}

func (m *Mask) add(secrets ...string) {
	for _, s := range secrets {
		if len(s) < minSecret {
			continue
		}
		escaped, _ := json.Marshal(s)
		for _, spelled := range []string{
			s, string(escaped[1 : len(escaped)-1]), hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s))),
			base64.StdEncoding.EncodeToString([]byte(s)),
		} {
			if !slices.Contains(m.secrets, spelled) {
				m.secrets = append(m.secrets, spelled)
			}
		}
	}
}

// Bytes returns b without secrets; b itself where it has none.
func (m *Mask) Bytes(b []byte) []byte {
	for _, s := range m.secrets {
		if bytes.Contains(b, []byte(s)) {
			b = bytes.ReplaceAll(b, []byte(s), bytes.Repeat([]byte("*"), len(s)))
		}
	}
	return b
}

// Text returns a text without secrets.
func (m *Mask) Text(t string) string { return string(m.Bytes([]byte(t))) }

// Entry returns an entry without secrets.
func (m *Mask) Entry(e trace.Entry) trace.Entry {
	e.Payload, e.Packet = m.Bytes(e.Payload), m.Bytes(e.Packet)
	e.Topic, e.Sentence, e.SentenceZH = m.Text(e.Topic), m.Text(e.Sentence), m.Text(e.SentenceZH)
	if detail, ok := e.Detail.(json.RawMessage); ok {
		e.Detail = json.RawMessage(m.Bytes(detail))
	}
	return e
}
