package probe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/matou-iot/matou/modem"
)

// A Network is how far a cellular module got.
type Network struct {
	Registration string `json:"registration"` // home, roaming, searching, denied, none, unknown
	Operator     string `json:"operator,omitempty"`
	Technology   string `json:"technology,omitempty"` // GSM, LTE …
	Attached     *bool  `json:"attached,omitempty"`   // to the packet service
	APN          string `json:"apn,omitempty"`
}

// registrations are the states of +CEREG and its like [27.007 §7.2].
var registrations = map[int]string{0: "none", 1: "home", 2: "searching", 3: "denied", 4: "unknown", 5: "roaming"}

// technologies are those of +COPS [27.007 §7.3].
var technologies = map[int]string{
	0: "GSM", 1: "GSM", 2: "UMTS", 3: "GSM/EDGE", 4: "UMTS/HSDPA", 5: "UMTS/HSUPA", 6: "UMTS/HSPA",
	7: "LTE", 8: "GSM (EC-GSM-IoT)", 9: "NB-IoT", 10: "LTE", 11: "NR", 12: "NR", 13: "LTE/NR",
}

// lookCellular asks in the order in which a module gets onto a network, so that
// the first finding is the cause of those that follow.
func (p *prober) lookCellular(ctx context.Context) error {
	for _, step := range []func(context.Context) error{p.radio, p.card, p.signal, p.registration, p.data, p.clock} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// radio asks whether the radio is switched on [27.007 §8.2].
func (p *prober) radio(ctx context.Context) error {
	rows, err := p.rows(ctx, query("+CFUN"))
	if err != nil || len(rows) == 0 {
		return err
	}
	if n, ok := rows[0][0].Int(); ok && (n == 0 || n == 4) {
		p.found(radioOff, n)
	}
	return nil
}

func (p *prober) card(ctx context.Context) error {
	state, err := modem.SIMState(ctx, p.host)
	switch {
	case errors.Is(err, modem.ErrSIM) || state == "NOT INSERTED":
		p.r.SIM = "missing"
		p.found(noSIM)
	case errors.Is(err, modem.ErrRefused):
		e, _ := errors.AsType[*modem.Error](err)
		p.r.SIM = "not ready"
		p.found(badSIM, e.Got)
	case err != nil:
		return err
	case state == "":
	default:
		p.r.SIM = state
		if known, ok := map[string]finding{"READY": {}, "SIM PIN": wantsPIN, "SIM PUK": wantsPUK}[state]; !ok {
			p.found(badSIM, state)
		} else if known.code != "" {
			p.found(known)
		}
	}
	return nil
}

// registration takes the best that one of the three networks says.
func (p *prober) registration(ctx context.Context) error {
	best := -1
	rank := map[int]int{4: 1, 0: 2, 2: 3, 3: 4, 5: 5, 1: 6}
	for _, name := range []string{"+CEREG", "+CGREG", "+CREG"} {
		state, err := modem.Registration(ctx, p.host, name)
		if err != nil {
			return err
		}
		if rank[state] > rank[best] {
			best = state
		}
	}
	if best < 0 {
		return nil
	}
	n := &Network{Registration: registrations[best]}
	p.r.Network = n
	rows, err := p.rows(ctx, query("+COPS"))
	if err != nil {
		return err
	}
	if len(rows) > 0 && len(rows[0]) > 2 {
		n.Operator = rows[0][2].Text
		if len(rows[0]) > 3 {
			if act, ok := rows[0][3].Int(); ok {
				n.Technology = technologies[act]
			}
		}
	}
	if p.r.SIM != "READY" && p.r.SIM != "" || p.has(radioOff) || p.has(noSignal) {
		return nil // which is why
	}
	switch best {
	case 3:
		p.found(denied)
	case 0:
		p.found(notSearching)
	case 2, 4:
		p.found(searching)
	case 5:
		p.found(roaming)
	}
	return nil
}

func (p *prober) signal(ctx context.Context) error {
	dBm, err := modem.SignalQuality(ctx, p.host)
	if err != nil && !errors.Is(err, modem.ErrRefused) {
		return err
	}
	if err != nil || p.has(radioOff) {
		return nil
	}
	p.judge(dBm, cellularLevels)
	return nil
}

// data asks for the packet service, its APN and address.
func (p *prober) data(ctx context.Context) error {
	n := p.r.Network
	rows, err := p.rows(ctx, query("+CGATT"))
	if err != nil {
		return err
	}
	if len(rows) > 0 && n != nil {
		state, _ := rows[0][0].Int()
		attached := state == 1
		n.Attached = &attached
		if !attached && (n.Registration == "home" || n.Registration == "roaming") {
			p.found(notAttached)
		}
	}
	if rows, err = p.rows(ctx, query("+CGDCONT")); err != nil {
		return err
	}
	if len(rows) > 0 && len(rows[0]) > 2 && n != nil {
		n.APN = rows[0][2].Text
	}
	if rows, err = p.rows(ctx, execute("+CGPADDR")); err != nil {
		return err
	}
	for _, row := range rows {
		if len(row) > 1 && row[1].Text != "" && row[1].Text != "0.0.0.0" && p.r.IP == "" {
			p.r.IP = row[1].Text
		}
	}
	if n != nil && n.Attached != nil && *n.Attached && p.r.IP == "" {
		p.found(noData)
	}
	return nil
}

// clock asks for the time [27.007 §8.15]. Modules that were never told begin in
// 1970, 1980 or 2004.
func (p *prober) clock(ctx context.Context) error {
	rows, err := p.rows(ctx, query("+CCLK"))
	if err != nil || len(rows) == 0 {
		return err
	}
	at, err := parseClock(rows[0][0].Text)
	switch {
	case err != nil || at.Year() < firstYear || at.Year() >= 2070:
		p.found(noTime)
	default:
		p.r.Time = at.Format(time.RFC3339)
	}
	return nil
}

// firstYear is one in which no clock stands that was ever set.
const firstYear = 2020

// parseClock reads "yy/MM/dd,hh:mm:ss±zz", the zone in quarters of an hour and
// often left out.
func parseClock(text string) (time.Time, error) {
	const layout = "06/01/02,15:04:05"
	if len(text) <= len(layout) {
		return time.Parse(layout, text)
	}
	var sign byte
	var quarters int
	if _, err := fmt.Sscanf(text[len(layout):], "%c%d", &sign, &quarters); err != nil || sign != '+' && sign != '-' || quarters > 96 {
		return time.Time{}, fmt.Errorf("zone %q", text[len(layout):])
	}
	if sign == '-' {
		quarters = -quarters
	}
	return time.ParseInLocation(layout, text[:len(layout)], time.FixedZone("", quarters*15*60))
}

// contains looks for a word in whatever case.
func contains(text, word string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(word))
}
