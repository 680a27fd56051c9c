package esp8266

import (
	"context"
	"strings"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
)

// An AccessPoint is the one that a module has joined.
type AccessPoint struct {
	SSID    string
	BSSID   string
	Channel int
	DBm     int // 0: not told
}

// AskAccessPoint asks which access point the module has joined; nil: none
// [ESP8266 AT 1.7 §4.2].
func AskAccessPoint(ctx context.Context, h *modem.Host) (*AccessPoint, error) {
	answer, err := h.Ask(ctx, modem.Request{Command: at.Command{Name: "+CWJAP", Form: at.Query}})
	if err != nil {
		return nil, err
	}
	for _, line := range answer.Lines {
		params, found := cut(line, "+CWJAP", "+CWJAP_CUR")
		if !found {
			continue
		}
		ap := &AccessPoint{SSID: ssid(params)}
		if _, rest, found := cutLast(params, `","`); found {
			if args, err := at.Espressif.Args(`"` + rest); err == nil && len(args) > 2 {
				ap.BSSID = args[0].Text
				ap.Channel, _ = args[1].Int()
				ap.DBm, _ = args[2].Int()
			}
		}
		return ap, nil
	}
	return nil, nil
}

// ssid reads the name that an answer begins with. Firmware writes a quote in it
// as it is: the name ends before the address, which is the last thing between
// quotes.
func ssid(params string) string {
	if name, err := at.Espressif.Params(params).Next(); err == nil {
		return name.Text
	}
	name, _, _ := cutLast(params, `","`)
	return strings.TrimPrefix(name, `"`)
}

func cutLast(text, sep string) (before, after string, found bool) {
	i := strings.LastIndex(text, sep)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(sep):], true
}

// AskAddress asks for the address that the module has as a station, empty if
// it has none, and for its MAC address [ESP8266 AT 1.7 §4.5].
func AskAddress(ctx context.Context, h *modem.Host) (ip, mac string, err error) {
	answer, err := h.Ask(ctx, modem.Request{Command: at.Command{Name: "+CIFSR"}})
	if err != nil {
		return "", "", err
	}
	for _, line := range answer.Lines {
		params, found := strings.CutPrefix(line, "+CIFSR:")
		if !found {
			continue
		}
		args, err := at.Espressif.Args(params)
		if err != nil || len(args) != 2 {
			continue
		}
		switch args[0].Text {
		case "STAIP":
			if ip = args[1].Text; ip == "0.0.0.0" {
				ip = ""
			}
		case "STAMAC":
			mac = args[1].Text
		}
	}
	return ip, mac, nil
}
