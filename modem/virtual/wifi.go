package virtual

import (
	"slices"
	"strings"

	"github.com/matou-iot/matou/internal/wording"
)

// An AccessPoint is a Wi-Fi network in reach.
type AccessPoint struct {
	SSID     string
	Password string // empty: open
	BSSID    string // empty: made from the name
	Channel  int    // 0: 6
	RSSI     int    // dBm; 0: -55
}

// ParseAccessPoint reads SSID=PASSWORD; without a password the network is open.
func ParseAccessPoint(text string) (AccessPoint, error) {
	ssid, password, _ := strings.Cut(text, "=")
	switch {
	case ssid == "":
		return AccessPoint{}, wording.Errorf("Wi-Fi %q has no name: write SSID=PASSWORD", text)
	case len(ssid) > 32:
		return AccessPoint{}, wording.Errorf("Wi-Fi name %q is longer than 32 bytes", ssid)
	case password != "" && (len(password) < 8 || len(password) > 64):
		return AccessPoint{}, wording.Errorf("password of Wi-Fi %q has %d characters: WPA2 wants 8 to 63, or none for an open network", ssid, len(password))
	}
	return AccessPoint{SSID: ssid, Password: password}, nil
}

// complete fills in what was left out.
func (a AccessPoint) complete() AccessPoint {
	if a.BSSID == "" {
		a.BSSID = "a0:b1:c2:d3:e4:f5"
	}
	if a.Channel == 0 {
		a.Channel = 6
	}
	if a.RSSI == 0 {
		a.RSSI = -55
	}
	return a
}

// sortByRSSI puts the strongest first.
func sortByRSSI(list []AccessPoint) {
	slices.SortStableFunc(list, func(a, b AccessPoint) int { return b.RSSI - a.RSSI })
}
