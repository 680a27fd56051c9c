// Package probe looks at a module that nobody knows anything of: at which speed
// it answers, what it is, how far it got onto its network, and what keeps it
// from going further.
//
// It only asks. No setting is changed, nothing is reset, no escape is sent: the
// module is left as it was found, down to its echo.
package probe

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/modem/esp8266"
	"github.com/matou-iot/matou/modem/lierda"
	"github.com/matou-iot/matou/modem/quectel"
)

// Rates are the speeds that modules are met at, the usual ones first. At 74880
// the boot loader of the ESP8266 speaks.
var Rates = []int{115200, 9600, 57600, 38400, 19200, 230400, 460800, 921600, 74880, 4800}

// triesARate is how often AT is asked at each speed. The first may only end a
// line of noise that was sent at the speed before.
const triesARate = 2

// triesAtOneRate is how often AT is asked where the speed is no question.
const triesAtOneRate = 4

// Options say how to look.
type Options struct {
	// Rates are tried one after another. None: the line has no speed, as over
	// TCP.
	Rates []int
	// SetBaud changes the speed of the port.
	SetBaud func(baud int) error
	// Tell is told before each speed is tried; may be nil.
	Tell func(baud int)
	Log  *slog.Logger // nil: discard
}

// The families of modules.
const (
	ESP8266AT = "esp8266-at" // NonOS, 0.x to 1.7
	ESPAT     = "esp-at"     // 2 and later, of all chips
	Quectel   = "quectel"
	Lierda    = "lierda"
	Cellular  = "cellular" // of another maker
	Unknown   = "unknown"  // it answers AT, and tells nothing of itself
)

// A Report is what was found. What the module does not tell is left out.
type Report struct {
	Answers  bool      `json:"answers"`
	Baud     int       `json:"baud,omitempty"` // 0: the line has no speed
	Echo     *bool     `json:"echo,omitempty"`
	Module   *Module   `json:"module,omitempty"`
	SIM      string    `json:"sim,omitempty"` // as +CPIN says it, or "missing"
	Network  *Network  `json:"network,omitempty"`
	WiFi     *WiFi     `json:"wifi,omitempty"`
	Signal   *Signal   `json:"signal,omitempty"`
	IP       string    `json:"ip,omitempty"`
	Time     string    `json:"time,omitempty"` // RFC 3339; without a zone where the module tells none
	MQTT     *MQTT     `json:"mqtt,omitempty"`
	TLS      *bool     `json:"tls,omitempty"` // it can do TLS itself
	Findings []Finding `json:"findings"`
}

// A Module says what answers.
type Module struct {
	Family   string `json:"family"`
	Maker    string `json:"maker,omitempty"`
	Model    string `json:"model,omitempty"`
	Firmware string `json:"firmware,omitempty"`
	Serial   string `json:"serial,omitempty"` // IMEI or MAC address
}

// Healthy reports whether the module answers and nothing is wrong. Warnings do
// not count.
func (r *Report) Healthy() bool {
	return r.Answers && !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity == Wrong })
}

// prober is one look.
type prober struct {
	o    Options
	line *tap
	host *modem.Host
	r    *Report
}

// Run looks at the module at port, which it closes in the end. A module that
// does not answer, or whose port vanishes meanwhile, is a Report too: the only
// errors are those of ctx and of SetBaud.
func Run(ctx context.Context, port io.ReadWriteCloser, o Options) (*Report, error) {
	p := &prober{o: o, line: &tap{ReadWriteCloser: port}, r: &Report{Findings: []Finding{}}}
	p.host = modem.NewHost(p.line, modem.HostOptions{
		// Names and results of both families, for nobody knows yet which it is.
		Dialect: at.V250, Headers: append(at.EspressifHeaders(), at.CellularHeaders()...), LineEnd: "\r\n",
		Unsolicited: func(line string) bool {
			return esp8266.Unsolicited(line) || quectel.Unsolicited(line) || lierda.Unsolicited(line)
		},
		Restarted: func(line string) bool {
			return esp8266.Restarted(line) || quectel.Restarted(line) || lierda.Restarted(line)
		},
		Log: o.Log,
	})
	defer p.host.Close()
	answers, err := p.findRate(ctx)
	if err == nil && answers {
		err = p.look(ctx)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	switch {
	case err == nil:
	case errors.Is(err, modem.ErrGone):
		p.found(portGone)
	case errors.Is(err, modem.ErrSilent):
		p.found(fellSilent)
	case errors.Is(err, modem.ErrRestart):
	default:
		return nil, err
	}
	if p.host.Restarts() > 0 && p.r.Answers {
		p.found(restarts)
	}
	return p.r, nil
}

// look asks everything of a module that answers.
func (p *prober) look(ctx context.Context) error {
	if err := p.identify(ctx); err != nil {
		return err
	}
	switch p.r.Module.Family {
	case Unknown:
		p.found(unknownModule)
		return nil
	case ESP8266AT, ESPAT:
		if err := p.lookWiFi(ctx); err != nil {
			return err
		}
	default:
		if err := p.lookCellular(ctx); err != nil {
			return err
		}
	}
	return p.lookMQTT(ctx)
}

// ask asks a command; ok is false if the module refuses it.
func (p *prober) ask(ctx context.Context, c at.Command) (lines []string, ok bool, err error) {
	answer, err := p.host.Ask(ctx, modem.Request{Command: c})
	if errors.Is(err, modem.ErrRefused) {
		return nil, false, nil
	}
	return answer.Lines, err == nil, err
}

// rows is ask for the parameters of the lines of the command's own name.
func (p *prober) rows(ctx context.Context, c at.Command) ([][]at.Arg, error) {
	rows, err := p.host.Rows(ctx, c, nil)
	if errors.Is(err, modem.ErrRefused) {
		return nil, nil
	}
	return rows, err
}

// execute, query and test are the three forms that ask and change nothing.
func execute(name string) at.Command { return at.Command{Name: name} }
func query(name string) at.Command   { return at.Command{Name: name, Form: at.Query} }
func test(name string) at.Command    { return at.Command{Name: name, Form: at.Test} }

// identify finds out which family answers.
func (p *prober) identify(ctx context.Context) error {
	p.r.Module = &Module{Family: Unknown}
	id, err := esp8266.Identify(ctx, p.host)
	if err != nil && !errors.Is(err, modem.ErrRefused) {
		return err
	}
	if id.Firmware != "" {
		family := ESP8266AT
		if esp8266.Major(id) >= 2 {
			family = ESPAT
		}
		p.r.Module = &Module{family, id.Maker, id.Model, id.Firmware, id.Serial}
		return nil
	}
	lines, ok, err := p.ask(ctx, execute("+CGMI"))
	if err != nil {
		return err
	}
	maker := ""
	if ok && len(lines) > 0 {
		maker = lines[0]
	}
	family, identify := Cellular, modem.IdentifyCellular
	switch {
	case contains(maker, "Quectel"):
		family, identify = Quectel, quectel.Identify
	case contains(maker, "Lierda"):
		family = Lierda
	}
	id, err = identify(ctx, p.host)
	if err != nil && !errors.Is(err, modem.ErrRefused) {
		return err
	}
	if contains(id.Model, "NT26") || contains(id.Model, "NT35") {
		family = Lierda // some call their maker by another name
	}
	if maker == "" && id.Model == "" && id.Firmware == "" {
		return nil
	}
	p.r.Module = &Module{family, maker, id.Model, id.Firmware, id.Serial}
	return nil
}
