package virtual

import (
	"net"
	"strings"
)

// espAddresses are the commands for the module's own addresses and names.
var espAddresses = map[string]espCommand{
	"+CIFSR":       {test: func(*espCall) result { return espOK }, set: espShowAddresses, execute: espShowAddresses},
	"+CIPSTA":      {query: espStationIPQuery, set: espStationIPSet},
	"+CIPAP":       {query: espAPIPQuery, set: espAPIPSet},
	"+CIPSTAMAC":   {query: espMACQuery(0), set: espMACSet(0)},
	"+CIPAPMAC":    {query: espMACQuery(1), set: espMACSet(1)},
	"+CWSAP":       {query: espAPQuery, set: espAPSet},
	"+CWLIF":       {execute: func(*espCall) result { return espOK }}, // nobody is on our access point
	"+CWDHCP":      {query: espDHCPQuery, set: espDHCPSet},
	"+CWDHCPS_CUR": {query: espLeaseQuery, set: espAccept, only: onlyV1},
	"+CWDHCPS_DEF": {query: espLeaseQuery, set: espAccept, only: onlyV1},
	"+CWHOSTNAME":  {query: espHostnameQuery, set: espHostnameSet},
	"+MDNS":        {set: espAccept},
}

type espAddress struct{ ip, gateway, mask string }

type espAP struct {
	ssid, password            string
	channel, ecn, max, hidden int
}

// What a home's router gives.
var espLease = espAddress{"192.168.1.23", "192.168.1.1", "255.255.255.0"}

// stationAddress is the station's address now.
func (e *esp) stationAddress() espAddress {
	switch {
	case e.status != gotIP:
		return espAddress{"0.0.0.0", "0.0.0.0", "0.0.0.0"}
	case e.flash.stationIP.ip != "":
		return e.flash.stationIP
	}
	return espLease
}

func espShowAddresses(c *espCall) result {
	e := c.e
	if e.isAP() {
		c.printf("+CIFSR:APIP,\"%s\"\r\n+CIFSR:APMAC,\"%s\"\r\n", e.flash.apIP.ip, e.flash.mac[1])
	}
	if e.isStation() {
		c.printf("+CIFSR:STAIP,\"%s\"\r\n+CIFSR:STAMAC,\"%s\"\r\n", e.stationAddress().ip, e.flash.mac[0])
	}
	return espOK
}

func espStationIPQuery(c *espCall) result { return c.address(c.e.stationAddress()) }
func espAPIPQuery(c *espCall) result      { return c.address(c.e.flash.apIP) }

func (c *espCall) address(a espAddress) result {
	c.printf("%s:ip:\"%s\"\r\n", c.name, a.ip)
	c.printf("%s:gateway:\"%s\"\r\n", c.name, a.gateway)
	c.printf("%s:netmask:\"%s\"\r\n", c.name, a.mask)
	return espOK
}

func espStationIPSet(c *espCall) result {
	if !c.e.isStation() || !c.readAddress(&c.e.flash.stationIP) {
		return espError
	}
	c.e.flash.dhcp &^= 2
	return espOK
}

func espAPIPSet(c *espCall) result {
	if !c.e.isAP() || !c.readAddress(&c.e.flash.apIP) {
		return espError
	}
	c.e.flash.dhcp &^= 1
	return espOK
}

// readAddress reads an address with, or without, gateway and mask.
func (c *espCall) readAddress(to *espAddress) bool {
	a := espAddress{gateway: espLease.gateway, mask: espLease.mask}
	for i, part := range []*string{&a.ip, &a.gateway, &a.mask} {
		if i == 1 && !c.args.More() {
			break
		}
		text, ok := c.text(15)
		if !ok || net.ParseIP(text).To4() == nil {
			return false
		}
		*part = text
	}
	if !c.ended() {
		return false
	}
	*to = a
	return true
}

func espMACQuery(which int) espHandler {
	return func(c *espCall) result {
		c.printf("%s:\"%s\"\r\n", c.name, c.e.flash.mac[which])
		return espOK
	}
}

func espMACSet(which int) espHandler {
	return func(c *espCall) result {
		text, ok := c.text(17)
		mac, err := net.ParseMAC(text)
		// A group address cannot be one's own.
		if !ok || !c.ended() || err != nil || len(mac) != 6 || mac[0]&1 != 0 {
			return c.fail(errInvalid)
		}
		c.e.flash.mac[which] = strings.ToLower(mac.String())
		return espOK
	}
}

func espAPQuery(c *espCall) result {
	if !c.e.isAP() && c.e.v2 {
		return espError
	}
	a := c.e.flash.ap
	c.printf("%s:\"%s\",\"%s\",%d,%d,%d,%d\r\n", c.name, a.ssid, a.password, a.channel, a.ecn, a.max, a.hidden)
	return espOK
}

func espAPSet(c *espCall) result {
	if !c.e.isAP() {
		return espError
	}
	a := espAP{max: 4}
	var ok bool
	if a.ssid, ok = c.text(32); !ok || a.ssid == "" {
		return espError
	}
	if a.password, ok = c.text(64); !ok {
		return espError
	}
	if a.channel, ok = c.number(1, 14); !ok {
		return espError
	}
	if a.ecn, ok = c.number(0, 4); !ok || a.ecn == 1 || a.ecn > 0 && len(a.password) < 8 {
		return espError
	}
	if a.max, ok = c.optional(1, 8, 4); !ok {
		return espError
	}
	if a.hidden, ok = c.optional(0, 1, 0); !ok || !c.ended() {
		return espError
	}
	c.e.flash.ap = a
	return espOK
}

// espDHCPQuery: bit 0 is the access point's server, bit 1 the station's
// client.
func espDHCPQuery(c *espCall) result {
	c.printf("%s:%d", c.name, c.e.flash.dhcp)
	if c.e.v2 {
		c.print("\r\n")
	}
	return espOK
}

// espDHCPSet is <mode>,<enable>, where modes are numbered differently: AT 1.x
// 0 access point, 1 station, 2 both; ESP-AT enables first, then a bit mask.
func espDHCPSet(c *espCall) result {
	n, ok := c.only([2]int{0, 2}, [2]int{0, 3})
	if !ok {
		return espError
	}
	mode, on, bits := n[0], n[1], 0
	if c.e.v2 {
		mode, on = n[1], n[0]
		bits = mode&1<<1 | mode>>1&1 // ESP-AT: bit 0 station, bit 1 access point
	} else {
		bits = []int{1, 2, 3}[mode]
	}
	if on > 1 || bits == 0 {
		return c.fail(errInvalid)
	}
	if on == 1 {
		c.e.flash.dhcp |= bits
		if bits&2 != 0 {
			c.e.flash.stationIP = espAddress{}
		}
	} else {
		c.e.flash.dhcp &^= bits
	}
	return espOK
}

func espLeaseQuery(c *espCall) result {
	c.printf("%s:120,192.168.4.2,192.168.4.101", c.name)
	return espOK
}

func espHostnameQuery(c *espCall) result {
	c.printf("+CWHOSTNAME:%s\r\n", c.e.flash.hostname)
	return espOK
}

func espHostnameSet(c *espCall) result {
	name, ok := c.text(32)
	if !ok || name == "" || !c.ended() || !c.e.isStation() {
		return espError
	}
	c.e.flash.hostname = name
	return espOK
}
