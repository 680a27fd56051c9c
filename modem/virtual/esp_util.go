package virtual

import (
	"fmt"
	"strings"
	"time"
)

// espUtilities ask the network for names, distances and the time.
var espUtilities = map[string]espCommand{
	"+PING":        {set: espPing},
	"+CIPDOMAIN":   {set: espDomain},
	"+CIPDNS_CUR":  {query: espDNSQuery, set: espDNSSet, only: onlyV1},
	"+CIPDNS_DEF":  {query: espDNSQuery, set: espDNSSet, only: onlyV1},
	"+CIPDNS":      {query: espDNSQuery, set: espDNSSet, only: onlyV2},
	"+CIPSNTPCFG":  {query: espSNTPQuery, set: espSNTPSet},
	"+CIPSNTPTIME": {query: espTime},
	"+CIPALIVE":    {query: espKept("%s:%d\r\n", 0), only: onlyV1},
	"+CIUPDATE":    {execute: espUpdate, set: espUpdate},
}

const (
	pingTimeout = time.Second
	sntpAnswer  = 400 * time.Millisecond
)

// espPing measures what the real one cannot hide: whether a name is found. The
// distance is made up, since no program may ping without rights.
func espPing(c *espCall) result {
	host, ok := c.text(c.e.maxHost())
	if !ok || host == "" || !c.ended() {
		return espError
	}
	if c.e.status != gotIP {
		return espError
	}
	_, _, err, ok := c.lookup(host, 0)
	if !ok || err != nil {
		return espError
	}
	if c.strikes(faultRefused) {
		if !c.sleep(pingTimeout) {
			return espSilent
		}
		if c.e.v2 {
			c.print("+PING:TIMEOUT\r\n")
		} else {
			c.print("+timeout\r\n")
		}
		return espError
	}
	took := 8 + c.chance.IntN(12)
	if !c.sleep(time.Duration(took) * time.Millisecond) {
		return espSilent
	}
	if c.e.v2 {
		c.printf("+PING:%d\r\n", took)
	} else {
		c.printf("+%d\r\n", took)
	}
	return espOK
}

func espDomain(c *espCall) result {
	host, ok := c.text(c.e.maxHost())
	if !ok || host == "" {
		return espError
	}
	if c.e.v2 {
		if _, ok = c.optional(1, 3, 1); !ok { // which addresses are preferred
			return espError
		}
	}
	if !c.ended() {
		return espError
	}
	if c.e.status != gotIP {
		return c.noName()
	}
	ip, _, err, ok := c.lookup(host, 0)
	switch {
	case !ok:
		return espSilent
	case err != nil:
		return c.noName()
	case c.e.v2:
		c.printf("+CIPDOMAIN:\"%s\"\r\n", ip)
	default:
		c.printf("+CIPDOMAIN:%s\r\n", ip)
	}
	return espOK
}

func (c *espCall) noName() result {
	if c.e.v2 {
		return espError
	}
	return c.refuse("DNS Fail")
}

func espDNSQuery(c *espCall) result {
	servers := c.e.flash.dns
	if len(servers) == 0 {
		servers = []string{espLease.gateway}
	}
	if c.e.v2 {
		enabled := 0
		if len(c.e.flash.dns) > 0 {
			enabled = 1
		}
		c.printf("+CIPDNS:%d,\"%s\"\r\n", enabled, strings.Join(servers, `","`))
		return espOK
	}
	for _, s := range servers {
		c.printf("%s:%s\r\n", c.name, s)
	}
	return espOK
}

// espDNSSet stores name servers. Names are found by the machine all the same.
func espDNSSet(c *espCall) result {
	on, ok := c.number(0, 1)
	if !ok {
		return espError
	}
	var servers []string
	most := 2
	if c.e.v2 {
		most = 3
	}
	for i := 1; c.args.More(); i++ {
		if i > most {
			return c.fail(errCount)
		}
		text, ok := c.text(15)
		switch {
		case !ok && !c.e.v2:
			return c.refuse(fmt.Sprintf("IP%d ERROR", i))
		case !ok:
			return espError
		case !validIP(text) && !c.e.v2:
			return c.refuse(fmt.Sprintf("IP%d invalid", i))
		case !validIP(text):
			return c.fail(errInvalid)
		}
		servers = append(servers, text)
	}
	if on == 0 {
		servers = nil
	}
	c.e.flash.dns = servers
	return espOK
}

// espSNTP is the clock.
type espSNTP struct {
	sntp    bool
	zone    int
	servers []string
	synced  bool
	asking  bool
}

func espSNTPQuery(c *espCall) result {
	e := c.e
	if !e.sntp {
		c.print("+CIPSNTPCFG:0\r\n")
		return espOK
	}
	c.printf("+CIPSNTPCFG:1,%d,\"%s\"\r\n", e.zone, strings.Join(e.servers, `","`))
	return espOK
}

func espSNTPSet(c *espCall) result {
	e := c.e
	on, ok := c.number(0, 1)
	if !ok {
		return espError
	}
	zone, ok := c.optional(-11, 13, e.zone)
	if !ok {
		return espError
	}
	var servers []string
	for c.args.More() {
		name, ok := c.text(64)
		if !ok || name == "" || len(servers) == 3 {
			return espError
		}
		servers = append(servers, name)
	}
	e.sntp, e.zone = on == 1, zone
	if len(servers) > 0 {
		e.servers = servers
	}
	e.startSNTP(c.life)
	return espOK
}

// startSNTP asks for the time, as long as nobody answered.
func (e *esp) startSNTP(l *life) {
	if !e.sntp || e.synced || e.asking || e.status != gotIP {
		return
	}
	e.asking = true
	l.task(func() {
		defer func() { e.asking = false }()
		for e.sntp && e.status == gotIP {
			if !l.sleep(sntpAnswer) {
				return
			}
			if !e.fault(faultNoTime) {
				e.synced = true
				if e.v2 {
					l.print("+TIME_UPDATED\r\n")
				}
				return
			}
			if !l.sleep(15 * time.Second) {
				return
			}
		}
	})
}

// espTime shows asctime, without a line end in AT 1.x.
func espTime(c *espCall) result {
	e := c.e
	now := e.clock(c.life)
	if e.synced {
		now = now.UTC().Add(time.Duration(e.zone) * time.Hour)
	}
	c.printf("+CIPSNTPTIME:%s", now.Format("Mon Jan 02 15:04:05 2006"))
	if e.v2 {
		c.print("\r\n")
	}
	return espOK
}

// espUpdate is the update over the air: the server has nothing newer.
func espUpdate(c *espCall) result {
	if c.e.status != gotIP {
		return espError
	}
	c.print("+CIPUPDATE:1\r\n")
	if !c.sleep(time.Second) {
		return espSilent
	}
	return espError
}
