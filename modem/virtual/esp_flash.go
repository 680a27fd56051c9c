package virtual

import "fmt"

// An espFlashText is an espFlash as text.
type espFlashText struct {
	Mode      int             `json:"mode"`
	Station   *espStationText `json:"station,omitempty"`
	AutoJoin  bool            `json:"autoJoin"`
	AP        espAPText       `json:"accessPoint"`
	DHCP      int             `json:"dhcp"`
	Hostname  string          `json:"hostname"`
	StationIP [3]string       `json:"stationAddress"` // static: address, gateway, mask
	APIP      [3]string       `json:"accessPointAddress"`
	MAC       [2]string       `json:"mac"`
	DNS       []string        `json:"dns,omitempty"`
	Serial    [5]int          `json:"uart"` // as AT+UART_DEF takes it
	SysMsg    int             `json:"sysmsg"`
	Country   string          `json:"country"`
	Trans     *espTransText   `json:"transparentLink,omitempty"`
	Store     bool            `json:"store"`
}

type espStationText struct {
	SSID     string `json:"ssid"`
	Password string `json:"password"`
	BSSID    string `json:"bssid,omitempty"`
	PCI      int    `json:"pci,omitempty"`
}

type espAPText struct {
	SSID     string `json:"ssid"`
	Password string `json:"password,omitempty"`
	Channel  int    `json:"channel"`
	ECN      int    `json:"ecn"`
	Max      int    `json:"max"`
	Hidden   int    `json:"hidden"`
}

type espTransText struct {
	Host  string `json:"host"`
	Kind  string `json:"kind"`
	Port  int    `json:"port"`
	Local int    `json:"local,omitempty"`
}

// inFlash is the flash as text.
func (e *esp) inFlash() any {
	f := &e.flash
	t := espFlashText{
		Mode: f.mode, AutoJoin: f.autoJoin, AP: espAPText{f.ap.ssid, f.ap.password, f.ap.channel, f.ap.ecn, f.ap.max, f.ap.hidden},
		DHCP: f.dhcp, Hostname: f.hostname, StationIP: f.stationIP.text(), APIP: f.apIP.text(), MAC: f.mac, DNS: f.dns,
		Serial: [5]int{f.serial.baud, f.serial.data, f.serial.stop, f.serial.parity, f.serial.flow},
		SysMsg: f.sysmsg, Country: f.country, Store: f.store,
	}
	if s := f.station; s != nil {
		t.Station = &espStationText{s.ssid, s.password, s.bssid, s.pci}
	}
	if to := f.trans; to != nil {
		t.Trans = &espTransText{to.host, to.kind, to.port, to.local}
	}
	return t
}

func (a espAddress) text() [3]string { return [3]string{a.ip, a.gateway, a.mask} }

// fromFlash is inFlash the other way round. AT 1.x and ESP-AT lay their flash out
// differently: an update from one to the other erases it.
func (e *esp) fromFlash(firmware string, content []byte) error {
	if v2 := firmware != "" && firmware[0] == '2'; v2 != e.v2 {
		return fmt.Errorf("it is of firmware %s, and an update to %s erases it: each needs a file of its own", firmware, e.opts.Firmware)
	}
	var t espFlashText
	if err := decodeFlash(content, &t); err != nil {
		return err
	}
	s := espSerial{t.Serial[0], t.Serial[1], t.Serial[2], t.Serial[3], t.Serial[4]}
	if t.Mode < 0 || t.Mode > 3 || s.baud < 80 || s.baud > maxESPBaud {
		return fmt.Errorf("mode %d at %d baud is none that a module can have", t.Mode, s.baud)
	}
	e.flash = espFlash{
		mode: t.Mode, autoJoin: t.AutoJoin, ap: espAP{t.AP.SSID, t.AP.Password, t.AP.Channel, t.AP.ECN, t.AP.Max, t.AP.Hidden},
		dhcp: t.DHCP, hostname: t.Hostname, stationIP: espAddress{t.StationIP[0], t.StationIP[1], t.StationIP[2]},
		apIP: espAddress{t.APIP[0], t.APIP[1], t.APIP[2]}, mac: t.MAC, dns: t.DNS, serial: s,
		sysmsg: t.SysMsg, country: t.Country, store: t.Store,
	}
	if p := t.Station; p != nil {
		e.flash.station = &espCredentials{p.SSID, p.Password, p.BSSID, p.PCI}
	}
	if to := t.Trans; to != nil {
		e.flash.trans = &espTarget{to.Host, to.Kind, to.Port, to.Local}
	}
	return nil
}
