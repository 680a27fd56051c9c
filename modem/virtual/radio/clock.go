package radio

import (
	"fmt"
	"time"
)

// unset is where the clock of a Quectel module begins: the first day of GPS.
var unset = time.Date(1980, 1, 6, 0, 0, 0, 0, time.UTC)

// zone is where the network is: eight hours east, 32 quarters.
const zone = 8 * time.Hour

// A Clock is the module's clock. Until somebody sets it, it counts from 1980.
type Clock struct {
	power  time.Time
	set    bool
	offset time.Duration // of what it shows, against the time that goes in
}

// Set makes the clock show at when it is now.
func (c *Clock) Set(at, now time.Time) { c.set, c.offset = true, at.Sub(now) }

// IsSet reports whether somebody set the clock.
func (c *Clock) IsSet() bool { return c.set }

// Time is what the clock shows, in UTC.
func (c *Clock) Time(now time.Time) time.Time {
	if !c.set {
		return unset.Add(now.Sub(c.power))
	}
	return now.Add(c.offset).UTC()
}

// CCLK is the time as AT+CCLK? has it: local time and its zone in quarters of
// an hour [27.007 §8.15].
func (c *Clock) CCLK(now time.Time) string {
	return c.local(now).Format("06/01/02,15:04:05") + c.quarters()
}

// QNTP is the time as AT+QNTP has it: with four digits of the year.
func (c *Clock) QNTP(now time.Time) string {
	return c.local(now).Format("2006/01/02,15:04:05") + c.quarters()
}

// Greenwich is the time there, with this place's difference behind it, as
// AT+QLTS=1 shows it.
func (c *Clock) Greenwich(now time.Time) string {
	return c.Time(now).Format("2006/01/02,15:04:05") + c.quarters()
}

func (c *Clock) local(now time.Time) time.Time {
	if !c.set {
		return c.Time(now)
	}
	return c.Time(now).Add(zone)
}

func (c *Clock) quarters() string {
	if !c.set {
		return "+00"
	}
	return fmt.Sprintf("%+03d", int(zone/(15*time.Minute)))
}

// ParseCCLK reads what AT+CCLK="25/01/15,14:15:27+32" sets.
func ParseCCLK(s string) (time.Time, error) {
	if len(s) != len("yy/MM/dd,hh:mm:ss+zz") {
		return time.Time{}, fmt.Errorf("radio: %q is no time like 25/01/15,14:15:27+32", s)
	}
	at, err := time.Parse("06/01/02,15:04:05", s[:17])
	if err != nil {
		return time.Time{}, fmt.Errorf("radio: %q is no time like 25/01/15,14:15:27+32", s)
	}
	sign, quarters := s[17], 0
	for _, d := range s[18:] {
		if d < '0' || d > '9' {
			return time.Time{}, fmt.Errorf("radio: %q: the zone is two digits of quarters of an hour", s)
		}
		quarters = quarters*10 + int(d-'0')
	}
	if quarters > 56 || sign != '+' && sign != '-' {
		return time.Time{}, fmt.Errorf("radio: %q: the zone is -48 to +56 quarters of an hour", s)
	}
	if sign == '-' {
		quarters = -quarters
	}
	return at.Add(-time.Duration(quarters) * 15 * time.Minute), nil
}
