package quectel

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
)

// pdp is the data connection that the driver uses, of the module's sixteen.
const pdp = 1

// Join waits for the SIM card and the network, and opens the data connection.
func (m *Module) Join(ctx context.Context) error {
	return m.ready.Ensure(ctx, m.goOnline)
}

// goOnline is Join for a module that is set up.
func (m *Module) goOnline(ctx context.Context) error {
	if m.online.Load() {
		return nil
	}
	if err := modem.WaitSIM(ctx, m.host, m.o.PIN); err != nil {
		return err
	}
	if err := modem.WaitNetwork(ctx, m.host, "+CEREG", "+CGREG", "+CREG"); err != nil {
		return err
	}
	if err := m.activate(ctx); err != nil {
		return err
	}
	m.online.Store(true)
	return nil
}

// activate opens the data connection, unless it is open.
func (m *Module) activate(ctx context.Context) error {
	active, err := m.active(ctx)
	if active || err != nil {
		return err
	}
	if m.o.APN != "" {
		auth := 0
		if m.o.User != "" {
			auth = 1 // PAP
		}
		err := m.host.Set(ctx, "+QICSGP", at.Num(pdp), at.Num(1), at.Str(m.o.APN), at.Str(m.o.User), at.Str(m.o.Password), at.Num(auth))
		if err != nil {
			return err
		}
	}
	err = m.host.SetFor(ctx, activateTime, "+QIACT", at.Num(pdp))
	if errors.Is(err, modem.ErrRefused) {
		// Half open since an earlier loss: close it and try once more.
		m.host.SetFor(ctx, activateTime, "+QIDEACT", at.Num(pdp))
		err = m.host.SetFor(ctx, activateTime, "+QIACT", at.Num(pdp))
	}
	if errors.Is(err, modem.ErrRefused) {
		return fmt.Errorf("the network gives no data connection: is the APN %q right, the data plan used up? (%w)", m.o.APN, err)
	}
	return err
}

// active asks whether the data connection is open: +QIACT: 1,1,1,"10.0.0.1".
func (m *Module) active(ctx context.Context) (bool, error) {
	answer, err := m.host.Ask(ctx, modem.Request{Command: at.Command{Name: "+QIACT", Form: at.Query}})
	if err != nil && !errors.Is(err, modem.ErrRefused) {
		return false, err
	}
	for _, line := range answer.Lines {
		if n := modem.Numbers(line, "+QIACT:"); len(n) > 1 && n[0] == pdp && n[1] == 1 && !strings.Contains(line, `"0.0.0.0"`) {
			return true, nil
		}
	}
	return false, nil
}
