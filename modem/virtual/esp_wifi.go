package virtual

import (
	"fmt"
	"strings"
	"time"
)

var espWiFiCommands = map[string]espCommand{
	"+CWMODE":        {test: espModeTest, query: espModeQuery, set: espModeSet},
	"+CWJAP":         {query: espJoinQuery, set: espJoin},
	"+CWJAPTO":       {query: espJoinTimeoutQuery, set: espJoinTimeoutSet, only: onlyV1},
	"+CWLAP":         {set: espList, execute: espList},
	"+CWLAPOPT":      {set: espListOptions},
	"+CWQAP":         {test: func(*espCall) result { return espOK }, execute: espLeave},
	"+CWAUTOCONN":    {query: espAutoQuery, set: espSwitch(espJoins)},
	"+CWSTATE":       {query: espStateQuery, only: onlyV2},
	"+CWRECONNCFG":   {query: espKept2("%s:%d,%d\r\n"), set: espReconnect, only: onlyV2},
	"+WPS":           {set: espKeep(0, 1), execute: func(*espCall) result { return espError }},
	"+CWSTARTSMART":  {set: espKeep(1, 4), execute: func(*espCall) result { return espOK }},
	"+CWSTOPSMART":   {execute: func(*espCall) result { return espOK }},
	"+CWCOUNTRY_CUR": {query: espCountryQuery, set: espCountrySet, only: onlyV1},
	"+CWCOUNTRY_DEF": {query: espCountryQuery, set: espCountrySet, only: onlyV1},
	"+CWCOUNTRY":     {query: espCountryQuery, set: espCountrySet, only: onlyV2},
}

// An espStatus is the SDK's status of the station; it is the number that a
// join fails with.
type espStatus int

const (
	noStation   espStatus = iota
	connecting            // 1
	badPassword           // 2
	noAP                  // 3
	notJoined             // 4
	gotIP                 // 5
)

type espCredentials struct {
	ssid, password, bssid string
	pci                   int
}

// espWiFi is the station.
type espWiFi struct {
	mode     int
	autoJoin bool
	want     *espCredentials // where the station belongs; nil: nowhere
	turn     int             // counts changes of mind, so that an attempt knows it is out of date
	status   espStatus
	linked   bool        // associated, and said so
	at       AccessPoint // where it is
	joinTime int         // seconds a join may take; 0: 15
	lapSort  int
	lapMask  int
}

// What joining takes.
const (
	associate    = 1800 * time.Millisecond
	dhcp         = 900 * time.Millisecond
	rejoin       = 2 * time.Second
	dhcpPatience = 10 * time.Second
	scan         = 2500 * time.Millisecond
)

func (e *esp) isStation() bool { return e.mode&1 != 0 }
func (e *esp) isAP() bool      { return e.mode&2 != 0 }

// quiet says that Wi-Fi changes are not told: transparent mode is set.
func (e *esp) quiet() bool { return e.cipMode == 1 && (!e.v2 || e.sysmsg&msgWiFi == 0) }

func (e *esp) tellWiFi(l *life, text string) {
	if !e.quiet() {
		l.print(text)
	}
}

// retry makes the station try again at once.
func (e *esp) retry() { e.turn++ }

// stationLoop is the SDK at work beside the commands: it joins where the
// station belongs, and tries for ever.
func (e *esp) stationLoop(l *life) {
	for {
		if !l.await(func() bool { return e.want != nil && e.status != gotIP && e.isStation() }) {
			return
		}
		turn := e.turn
		if e.status != badPassword && e.status != noAP { // what the last try found out holds until the next one has
			e.status = connecting
		}
		if !l.sleep(associate) {
			return
		}
		if e.turn == turn {
			if !e.attempt(l, turn) {
				return
			}
		}
		if e.turn != turn || e.status == gotIP {
			continue
		}
		again := false
		stop := l.after(rejoin, func() { again = true })
		ok := l.await(func() bool { return again || e.turn != turn })
		stop()
		if !ok {
			return
		}
	}
}

// attempt joins once. It returns false when the life is over.
func (e *esp) attempt(l *life, turn int) bool {
	ap, status := e.find(e.want)
	if status != gotIP {
		e.status = status
		return true
	}
	e.at, e.linked = ap, true
	e.tellWiFi(l, "WIFI CONNECTED\r\n")
	if e.fault(faultNoDHCP) {
		if !l.sleep(dhcpPatience) {
			return false
		}
		if e.turn == turn {
			e.tellWiFi(l, "DHCP TIMEOUT\r\n")
			e.linked, e.status = false, notJoined
		}
		return true
	}
	if !l.sleep(dhcp) {
		return false
	}
	if e.turn != turn || e.want == nil {
		return true
	}
	e.status = gotIP
	e.cipStatus = 2
	e.tellWiFi(l, "WIFI GOT IP\r\n")
	e.startSNTP(l)
	return true
}

// find looks for the network, as the air is now.
func (e *esp) find(want *espCredentials) (AccessPoint, espStatus) {
	if want == nil {
		return AccessPoint{}, noStation
	}
	if e.fault(faultNoSignal) {
		return AccessPoint{}, noAP
	}
	if e.strikes(faultWrongPassword) {
		return AccessPoint{}, badPassword
	}
	if len(e.opts.AccessPoints) == 0 {
		return AccessPoint{SSID: want.ssid}.complete(), gotIP
	}
	for _, ap := range e.opts.AccessPoints {
		ap = ap.complete()
		if ap.SSID != want.ssid || want.bssid != "" && !strings.EqualFold(want.bssid, ap.BSSID) {
			continue
		}
		if ap.Password != "" && ap.Password != want.password {
			return AccessPoint{}, badPassword
		}
		return ap, gotIP
	}
	return AccessPoint{}, noAP
}

// dropWiFi ends the association, and with it every connection.
func (e *esp) dropWiFi(l *life, status espStatus) {
	if !e.linked {
		e.status = status
		return
	}
	e.status, e.linked = status, false
	e.cipStatus = 5
	e.tellWiFi(l, "WIFI DISCONNECT\r\n")
	e.dropLinks(l)
	e.mqtt.cut()
}

func espModeTest(c *espCall) result {
	if c.e.v2 {
		c.print("+CWMODE:(0-3)\r\n")
	} else {
		c.printf("%s:(1-3)\r\n", c.name)
	}
	return espOK
}

func espModeQuery(c *espCall) result {
	mode := c.e.mode
	if c.stored() {
		mode = c.e.flash.mode
	}
	c.printf("%s:%d\r\n", c.name, mode)
	return espOK
}

func espModeSet(c *espCall) result {
	low := 1
	if c.e.v2 {
		low = 0
	}
	mode, ok := c.number(low, 3)
	if !ok {
		return espError
	}
	if c.e.v2 {
		if _, ok := c.optional(0, 1, 1); !ok {
			return espError
		}
	}
	if !c.ended() {
		return espError
	}
	c.e.mode = mode
	if !c.e.isStation() {
		c.e.retry()
		c.e.dropWiFi(c.life, noStation)
	}
	if c.stores() {
		c.e.flash.mode = mode
	}
	return espOK
}

// espJoin is AT+CWJAP: it looks once a second what has become of it.
func espJoin(c *espCall) result {
	e := c.e
	if !e.isStation() {
		return espError
	}
	want, timeout, ok := c.credentials()
	if !ok {
		return espError
	}
	e.retry()
	e.dropWiFi(c.life, connecting)
	e.status, e.want = connecting, want
	if c.stores() {
		e.flash.station = want
	}
	for range timeout {
		if !c.sleep(time.Second) {
			return espSilent
		}
		if e.status == gotIP {
			return espOK
		}
		// ESP-AT does not wait for what cannot come.
		if e.v2 && (e.status == badPassword || e.status == noAP) {
			break
		}
	}
	c.printf("+CWJAP:%d\r\n", e.status)
	c.notJoined(want.ssid)
	if e.v2 {
		return espError
	}
	return espFail
}

// credentials reads the parameters of AT+CWJAP.
func (c *espCall) credentials() (want *espCredentials, timeout int, ok bool) {
	want, timeout = &espCredentials{}, c.e.joinTimeout()
	if want.ssid, ok = c.text(32); !ok || want.ssid == "" {
		return nil, 0, false
	}
	if want.password, ok = c.text(64); !ok {
		return nil, 0, false
	}
	if c.args.More() {
		if want.bssid, ok = c.text(17); !ok {
			return nil, 0, false
		}
	}
	if want.pci, ok = c.optional(0, 1, 0); !ok {
		return nil, 0, false
	}
	if c.e.v2 {
		for _, bounds := range [][2]int{{0, 7200}, {1, 100}, {0, 1}} { // reconnect, listen interval, scan mode
			if _, ok = c.optional(bounds[0], bounds[1], 0); !ok {
				return nil, 0, false
			}
		}
		if timeout, ok = c.optional(3, 600, timeout); !ok {
			return nil, 0, false
		}
		if _, ok = c.optional(0, 3, 0); !ok { // protected management frames
			return nil, 0, false
		}
	}
	return want, timeout, c.ended()
}

func (e *esp) joinTimeout() int {
	if e.joinTime > 0 {
		return e.joinTime
	}
	return 15
}

func espJoinQuery(c *espCall) result {
	e := c.e
	if e.status != gotIP {
		if !e.v2 {
			c.print("No AP\r\n")
		}
		return espOK
	}
	c.printf("%s:\"%s\",\"%s\",%d,%d", c.name, e.at.SSID, e.at.BSSID, e.at.Channel, e.at.RSSI)
	switch {
	case e.v2:
		c.printf(",%d,0,0,0,0", e.want.pci)
	case e.opts.Firmware >= "1.7":
		c.printf(",%d", e.want.pci)
	}
	c.print("\r\n")
	return espOK
}

func espJoinTimeoutQuery(c *espCall) result {
	c.printf("+CWJAPTO:%d\r\n", c.e.joinTimeout())
	return espOK
}

func espJoinTimeoutSet(c *espCall) result {
	n, ok := c.only([2]int{3, 600})
	if !ok {
		return espError
	}
	c.e.joinTime = n[0]
	return espOK
}

// lapMask is which fields of AT+CWLAP a version prints by itself.
func lapMask(firmware string) int {
	if firmware < "1.7" {
		return 0x7f
	}
	return 0x7ff
}

func espListOptions(c *espCall) result {
	sort, ok := c.number(0, 1)
	if !ok {
		return espError
	}
	a := c.next()
	mask, ok := a.number()
	if !ok && c.e.v2 && strings.HasPrefix(a.Text, "0x") { // ESP-AT takes hex
		_, err := fmt.Sscanf(a.Text, "0x%x", &mask)
		ok = err == nil
	}
	if !ok || mask < 0 || mask > 0x7ff && !c.e.v2 {
		return c.fail(errInvalid)
	}
	if c.e.v2 { // signal and authentication filters
		if _, ok = c.optional(-100, 40, -100); !ok {
			return espError
		}
		if _, ok = c.optional(0, 0xffff, 0xffff); !ok {
			return espError
		}
	}
	if !c.ended() {
		return espError
	}
	c.e.lapSort, c.e.lapMask = sort, mask
	return espOK
}

// espList is AT+CWLAP, for one network or all.
func espList(c *espCall) result {
	e := c.e
	if !e.isStation() {
		return espError
	}
	var ssid, mac string
	var channel int
	if c.args.More() {
		var ok bool
		if ssid, ok = c.text(32); !ok {
			return espError
		}
		if mac, ok = c.text(17); !ok {
			return espError
		}
		if channel, ok = c.optional(0, 14, 0); !ok || !e.v2 && !c.ended() {
			return espError
		}
	}
	if !c.sleep(scan) {
		return espSilent
	}
	for _, ap := range e.reach() {
		if ssid != "" && ap.SSID != ssid || mac != "" && !strings.EqualFold(ap.BSSID, mac) || channel != 0 && ap.Channel != channel {
			continue
		}
		c.printf("+CWLAP:(%s)\r\n", ap.fields(e.lapMask))
	}
	return espOK
}

// reach is what a scan finds, strongest first if so asked.
func (e *esp) reach() []AccessPoint {
	if e.fault(faultNoSignal) {
		return nil
	}
	list := e.opts.AccessPoints
	if len(list) == 0 {
		list = []AccessPoint{{SSID: "matou", Password: "12345678"}}
		if e.status == gotIP && e.at.SSID != "matou" {
			list = append(list, AccessPoint{SSID: e.at.SSID, Password: "12345678", RSSI: -60})
		}
	}
	out := make([]AccessPoint, len(list))
	for i, ap := range list {
		out[i] = ap.complete()
	}
	if e.lapSort == 1 {
		sortByRSSI(out)
	}
	return out
}

// fields writes those that the mask wants.
func (a AccessPoint) fields(mask int) string {
	ecn, cipher := 0, 0
	if a.Password != "" {
		ecn, cipher = 3, 4
	}
	all := []string{
		fmt.Sprint(ecn), `"` + a.SSID + `"`, fmt.Sprint(a.RSSI), `"` + a.BSSID + `"`, fmt.Sprint(a.Channel),
		"-12", "0", fmt.Sprint(cipher), fmt.Sprint(cipher), "7", "1",
	}
	var some []string
	for i, f := range all {
		if mask&(1<<i) != 0 {
			some = append(some, f)
		}
	}
	return strings.Join(some, ",")
}

// espLeave is AT+CWQAP: OK comes first.
func espLeave(c *espCall) result {
	e := c.e
	e.retry()
	e.want = nil
	c.after(20*time.Millisecond, func() { e.dropWiFi(c.life, noStation) })
	return espOK
}

// espAutoQuery shows AT+CWAUTOCONN. AT 1.x forgets the line end.
func espAutoQuery(c *espCall) result {
	done := espSwitched("+CWAUTOCONN:%d", espJoins)(c)
	if c.e.v2 {
		c.print("\r\n")
	}
	return done
}

// espStateQuery is ESP-AT's AT+CWSTATE?: 0 never joined, 1 no address yet, 2
// joined, 3 joining, 4 left.
func espStateQuery(c *espCall) result {
	e := c.e
	state, ssid := 0, ""
	switch {
	case e.status == gotIP:
		state, ssid = 2, e.at.SSID
	case e.linked:
		state, ssid = 1, e.at.SSID
	case e.want != nil:
		state, ssid = 3, e.want.ssid
	case e.at.SSID != "":
		state, ssid = 4, e.at.SSID
	}
	c.printf("+CWSTATE:%d,\"%s\"\r\n", state, ssid)
	return espOK
}

func espReconnect(c *espCall) result {
	n, ok := c.only([2]int{0, 7200}, [2]int{0, 1000})
	if !ok {
		return espError
	}
	c.e.auto[c.name], c.e.auto[c.name+"/2"] = n[0], n[1]
	return espOK
}

func espKept2(format string) espHandler {
	return func(c *espCall) result {
		c.printf(format, c.name, c.e.auto[c.name], c.e.auto[c.name+"/2"])
		return espOK
	}
}

func espCountryQuery(c *espCall) result {
	c.printf("%s:0,\"%s\",1,13\r\n", c.name, c.e.flash.country)
	return espOK
}

func espCountrySet(c *espCall) result {
	if _, ok := c.number(0, 1); !ok {
		return espError
	}
	code, ok := c.text(3)
	if !ok || code == "" {
		return espError
	}
	if _, ok = c.number(1, 14); !ok {
		return espError
	}
	if _, ok = c.number(1, 14); !ok || !c.ended() {
		return espError
	}
	c.e.flash.country = code
	return espOK
}
