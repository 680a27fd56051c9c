package probe

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/modem/esp8266"
)

// A WiFi is how a Wi-Fi module stands.
type WiFi struct {
	Mode    string `json:"mode,omitempty"` // station, access point, both, off
	Joined  bool   `json:"joined"`
	SSID    string `json:"ssid,omitempty"`
	BSSID   string `json:"bssid,omitempty"`
	Channel int    `json:"channel,omitempty"`
}

var modes = map[int]string{0: "off", 1: "station", 2: "access point", 3: "both"}

func (p *prober) lookWiFi(ctx context.Context) error {
	w := &WiFi{}
	p.r.WiFi = w
	rows, err := p.rows(ctx, query("+CWMODE"))
	if err != nil {
		return err
	}
	if len(rows) > 0 {
		n, _ := rows[0][0].Int()
		w.Mode = modes[n]
	}
	ap, err := esp8266.AskAccessPoint(ctx, p.host)
	if err != nil && !errors.Is(err, modem.ErrRefused) {
		return err
	}
	if ap != nil {
		w.Joined, w.SSID, w.BSSID, w.Channel = true, ap.SSID, ap.BSSID, ap.Channel
	}
	ip, mac, err := esp8266.AskAddress(ctx, p.host)
	if err != nil && !errors.Is(err, modem.ErrRefused) {
		return err
	}
	p.r.IP, p.r.Module.Serial = ip, mac
	switch {
	case w.Mode == "off":
		p.found(wifiOff)
	case w.Mode == "access point":
		p.found(onlyAccessPoint)
	case !w.Joined:
		p.found(notJoined)
	case ip == "":
		p.found(noAddress)
	}
	if ap != nil && ap.DBm != 0 {
		p.judge(ap.DBm, wifiLevels)
	}
	return p.sntp(ctx)
}

// sntp asks for the time, which only a module that was told a time server has.
func (p *prober) sntp(ctx context.Context) error {
	lines, _, err := p.ask(ctx, query("+CIPSNTPTIME"))
	if err != nil {
		return err
	}
	for _, line := range lines {
		text, found := strings.CutPrefix(line, "+CIPSNTPTIME:")
		if !found {
			continue
		}
		if at, err := time.Parse("Mon Jan _2 15:04:05 2006", strings.TrimSpace(text)); err == nil && at.Year() >= firstYear {
			p.r.Time = at.Format("2006-01-02T15:04:05") // of a zone that it does not tell
		}
	}
	return nil
}
