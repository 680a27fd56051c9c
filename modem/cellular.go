package modem

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/matou-iot/matou/at"
)

// What may keep a cellular module off the network.
var (
	ErrSIM       = errors.New("no usable SIM card: is it inserted, the right way round?")
	ErrPIN       = errors.New("the SIM card wants its PIN")
	ErrNoNetwork = errors.New("the module finds no network: check antenna, coverage and bands")
	ErrDenied    = errors.New("the network refuses the SIM card: is it activated, paid for, bound to another device?")
)

// How long a cellular module may take, and how often it is asked.
const (
	simTime     = 20 * time.Second // a SIM card is busy after power-on
	networkTime = 3 * time.Minute  // a first search of all bands
	deniedTime  = 30 * time.Second // networks change their minds
	askAgain    = 2 * time.Second
)

// Rows asks a command and returns the parameters of each line that begins with
// its name and a colon. Lines that look unsolicited belong to the answer if
// belongs, which may be nil, says so.
func (h *Host) Rows(ctx context.Context, c at.Command, belongs func([]at.Arg) bool) ([][]at.Arg, error) {
	prefix := c.Name + ":"
	read := func(line string) ([]at.Arg, bool) {
		args, ok := Fields(line, prefix)
		return args, ok && len(args) > 0 && (belongs == nil || belongs(args))
	}
	answer, err := h.Ask(ctx, Request{Command: c, Claims: func(line string) bool { _, ok := read(line); return ok }})
	var rows [][]at.Arg
	for _, line := range answer.Lines {
		if args, ok := read(line); ok {
			rows = append(rows, args)
		}
	}
	return rows, err
}

// SIMState asks once what the SIM card wants [27.007 §8.3]: "READY", "SIM PIN",
// "SIM PUK" … The error is ErrSIM if there is no card; other refusals mean that
// it is not ready yet.
func SIMState(ctx context.Context, h *Host) (string, error) {
	rows, err := h.Rows(ctx, at.Command{Name: "+CPIN", Form: at.Query}, nil)
	if e, ok := errors.AsType[*Error](err); ok && errors.Is(err, ErrRefused) && missing(e.Got) {
		return "", fmt.Errorf("%w (%w)", ErrSIM, err)
	}
	if err != nil || len(rows) == 0 {
		return "", err
	}
	return rows[0][0].Text, nil
}

// WaitSIM waits until the SIM card is ready, and unlocks it with pin if that
// is given.
func WaitSIM(ctx context.Context, h *Host, pin string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, simTime, ErrSIM)
	defer cancel()
	for {
		state, err := SIMState(ctx, h)
		if err != nil && (errors.Is(err, ErrSIM) || !errors.Is(err, ErrRefused)) {
			return err
		}
		switch state {
		case "READY":
			return nil
		case "SIM PIN":
			if err := unlock(ctx, h, pin); err != nil {
				return err
			}
			pin = "" // once: the third wrong one locks the card
			continue
		case "SIM PUK":
			return fmt.Errorf("%w, and is locked: it wants its PUK, which a phone can enter", ErrPIN)
		}
		if err := pause(ctx, askAgain); err != nil {
			return err
		}
	}
}

func unlock(ctx context.Context, h *Host, pin string) error {
	if pin == "" {
		return ErrPIN
	}
	c, err := at.V250.Set("+CPIN", at.Str(pin))
	if err != nil {
		return err
	}
	if _, err := h.Ask(ctx, Request{Command: c}); err != nil {
		return fmt.Errorf("%w, and not this one: %w", ErrPIN, err)
	}
	return nil
}

// missing reports whether a refusal says that there is no card: others mean
// that it is not ready yet [27.007 §9.2].
func missing(result string) bool {
	return strings.HasSuffix(result, ": 10") || strings.HasSuffix(result, ": SIM not inserted")
}

// WaitNetwork waits until the module is registered, at home or roaming. It
// asks with each of the given commands, of +CEREG, +CGREG and +CREG those that
// the module has [27.007 §7.2, §10.1.20].
func WaitNetwork(ctx context.Context, h *Host, commands ...string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, networkTime, ErrNoNetwork)
	defer cancel()
	var denied time.Time
	for {
		refused := false
		for _, name := range commands {
			state, err := Registration(ctx, h, name)
			if err != nil {
				return err
			}
			switch state {
			case 1, 5:
				return nil
			case 3:
				refused = true
			}
		}
		switch {
		case !refused:
			denied = time.Time{}
		case denied.IsZero():
			denied = time.Now()
		case time.Since(denied) >= deniedTime:
			return ErrDenied
		}
		if err := pause(ctx, askAgain); err != nil {
			return err
		}
	}
}

// Registration asks one of these commands for the state; -1 if the module does
// not know it. An answer has the reporting mode before the state, an event has not.
func Registration(ctx context.Context, h *Host, name string) (state int, err error) {
	rows, err := h.Rows(ctx, at.Command{Name: name, Form: at.Query}, func(args []at.Arg) bool {
		return len(args) > 1 && args[0].Kind == at.Number && args[1].Kind == at.Number
	})
	if errors.Is(err, ErrRefused) {
		return -1, nil
	}
	if err != nil || len(rows) == 0 {
		return -1, err
	}
	state, _ = rows[0][1].Int()
	return state, nil
}

// SignalQuality asks +CSQ [27.007 §8.5].
func SignalQuality(ctx context.Context, h *Host) (dBm int, err error) {
	rows, err := h.Rows(ctx, at.Command{Name: "+CSQ"}, nil)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	level, ok := rows[0][0].Int()
	if !ok || level < 0 || level > 31 {
		return 0, nil // 99: not known
	}
	return -113 + 2*level, nil
}

// IdentifyCellular asks for model, revision and IMEI [27.007 §5.2 to §5.4].
// What the module does not tell is left empty.
func IdentifyCellular(ctx context.Context, h *Host) (id Identity, err error) {
	for _, ask := range []struct {
		name string
		into *string
	}{{"+CGMM", &id.Model}, {"+CGMR", &id.Firmware}} {
		answer, err := h.Ask(ctx, Request{Command: at.Command{Name: ask.name}})
		if err != nil && !errors.Is(err, ErrRefused) {
			return id, err
		}
		if err == nil && len(answer.Lines) > 0 {
			*ask.into = strings.TrimSpace(answer.Lines[0])
		}
	}
	c, err := at.V250.Set("+CGSN", at.Num(1))
	if err != nil {
		return id, err
	}
	answer, err := h.Ask(ctx, Request{Command: c})
	if err != nil && !errors.Is(err, ErrRefused) {
		return id, err
	}
	for _, line := range answer.Lines {
		if rest, found := strings.CutPrefix(line, "+CGSN:"); found {
			id.Serial = strings.Trim(rest, ` "`)
		}
	}
	return id, nil
}
