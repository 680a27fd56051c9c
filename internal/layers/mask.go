package layers

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
)

// A Mask hides the secrets of a device and of its product, whatever the device
// put them into: stars in their place keep lengths and offsets. Those of the
// devices that it speaks for, and of the gateway that speaks for it, are hidden
// as well.
type Mask struct {
	known map[string]bool
	// secrets by their first bytes: a text is looked through once, however many
	// sub-devices a gateway has.
	secrets map[[minSecret]byte][]string
}

// minSecret is the length from which a secret is masked: a shorter one would
// be found everywhere.
const minSecret = 4

// Mask makes the mask of a device. One that does not exist has its product's.
// What is bound to a gateway is looked up once a second.
func (s *Service) Mask(ctx context.Context, id registry.ID) (*Mask, error) {
	generation, now := s.generation.Load(), time.Now()
	s.mu.Lock()
	kept, there := s.masks[id]
	s.mu.Unlock()
	if there && kept.generation == generation && now.Sub(kept.at) < maskLife {
		return kept.mask, nil
	}
	m, err := MaskOf(ctx, s.Registry, id)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.masks == nil || len(s.masks) >= maxMasks {
		s.masks = make(map[registry.ID]keptMask)
	}
	s.masks[id] = keptMask{m, generation, now}
	return m, nil
}

// A keptMask is good until a device changes, and for maskLife.
type keptMask struct {
	mask       *Mask
	generation int64
	at         time.Time
}

const (
	maskLife = time.Second
	maxMasks = 64
)

// MaskOf makes the mask of a device.
func MaskOf(ctx context.Context, r *registry.Registry, id registry.ID) (*Mask, error) {
	m := &Mask{known: make(map[string]bool), secrets: make(map[[minSecret]byte][]string)}
	if err := m.addDevice(ctx, r, id); err != nil {
		return nil, err
	}
	gateway, err := r.Gateway(ctx, id)
	if err != nil && fault.KindOf(err) != fault.KindNotFound {
		return nil, err
	}
	if gateway != (registry.ID{}) {
		if err := m.addDevice(ctx, r, gateway); err != nil {
			return nil, err
		}
	}
	subs, err := r.AllSubs(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, b := range subs {
		if err := m.addDevice(ctx, r, b.Sub); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// addDevice adds the secrets of a device and of its product, of those that
// exist.
func (m *Mask) addDevice(ctx context.Context, r *registry.Registry, id registry.ID) error {
	switch p, err := r.Product(ctx, id.Product); {
	case err == nil:
		m.add(p.Secret, p.PreviousSecret)
	case fault.KindOf(err) != fault.KindNotFound:
		return err
	}
	switch d, err := r.Device(ctx, id); {
	case err == nil:
		m.add(d.Secret, d.PreviousSecret)
	case fault.KindOf(err) != fault.KindNotFound:
		return err
	}
	return nil
}

func (m *Mask) add(secrets ...string) {
	for _, s := range secrets {
		if len(s) < minSecret || m.known[s] {
			continue
		}
		escaped, _ := json.Marshal(s)
		for _, spelled := range []string{
			s, string(escaped[1 : len(escaped)-1]), hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s))),
			base64.StdEncoding.EncodeToString([]byte(s)),
		} {
			if m.known[spelled] {
				continue
			}
			m.known[spelled] = true
			first := [minSecret]byte([]byte(spelled))
			m.secrets[first] = append(m.secrets[first], spelled)
		}
	}
}

// Bytes returns b without secrets; b itself where it has none. Of secrets that
// overlap all is hidden.
func (m *Mask) Bytes(b []byte) []byte {
	out := b
	for i := 0; i+minSecret <= len(b); i++ {
		for _, s := range m.secrets[[minSecret]byte(b[i:])] {
			if len(b)-i < len(s) || string(b[i:i+len(s)]) != s {
				continue
			}
			if &out[0] == &b[0] {
				out = bytes.Clone(b)
			}
			for j := range len(s) {
				out[i+j] = '*'
			}
		}
	}
	return out
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
