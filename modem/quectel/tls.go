package quectel

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
)

// tlsContext is the one that the driver uses, of the module's six [EC20 SSL].
const tlsContext = 1

// uploadTime is how long a file may take: 64 KiB at 9600 baud.
const uploadTime = 80 * time.Second

// secure says how the module's TLS works: every version, the name of the peer
// told, and its certificates checked where there are Roots. It is said before
// each connection, for a restart forgets it.
func (m *Module) secure(ctx context.Context) error {
	level := 0 // nothing is checked
	if len(m.o.Roots) > 0 {
		level = 1
		name, err := m.upload(ctx, m.o.Roots)
		if err == nil {
			err = m.secureSet(ctx, "cacert", at.Str(name))
		}
		if err != nil {
			return fmt.Errorf("certificates of the authorities: %w", err)
		}
	}
	const all = 4
	if err := m.secureSet(ctx, "sslversion", at.Num(all)); err != nil {
		return err
	}
	if err := m.secureSet(ctx, "seclevel", at.Num(level)); err != nil {
		return err
	}
	// Its clock may be unset. Older firmware knows neither this nor the name.
	for _, name := range []string{"ignorelocaltime", "sni"} {
		if err := m.secureSet(ctx, name, at.Num(1)); err != nil && !errors.Is(err, modem.ErrRefused) {
			return err
		}
	}
	return nil
}

func (m *Module) secureSet(ctx context.Context, name string, value at.Arg) error {
	return m.host.Set(ctx, "+QSSLCFG", at.Str(name), at.Num(tlsContext), value)
}

// upload puts a file on the module under a name of its own, unless it is there
// already: flash wears out [EC20 FILE].
func (m *Module) upload(ctx context.Context, text []byte) (name string, err error) {
	sum := sha256.Sum256(text)
	name = fmt.Sprintf("matou-%x.pem", sum[:6])
	list, err := at.V250.Set("+QFLST", at.Str(name))
	if err != nil {
		return "", err
	}
	rows, err := m.host.Rows(ctx, list, nil)
	if err != nil && !errors.Is(err, modem.ErrRefused) {
		return "", err
	}
	for _, row := range rows {
		if len(row) > 1 && row[0].Text == name && row[1] == at.Num(len(text)) {
			return name, nil
		}
	}
	m.host.Try(ctx, "+QFDEL", at.Str(name)) // what an interrupted upload left
	const idle = 10                         // seconds without a byte that the module waits
	c, err := at.V250.Set("+QFUPL", at.Str(name), at.Num(len(text)), at.Num(idle))
	if err != nil {
		return "", err
	}
	_, err = m.host.Ask(ctx, modem.Request{Command: c, Payload: text, Asks: "CONNECT", Timeout: uploadTime})
	return name, err
}
