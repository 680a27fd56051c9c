package virtual

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/matou-iot/matou/modem/virtual/radio"
)

func checkSignal(v string) *Mistake {
	if n, err := strconv.Atoi(v); err != nil || n < 0 || n > 31 {
		return &Mistake{fmt.Sprintf("%q is no signal from 0 to 31", v), fmt.Sprintf("%q 不是 0 到 31 之间的信号强度", v)}
	}
	return nil
}

// conditions are how things stand out there by the faults in force.
func (c *cellular) conditions() radio.Conditions {
	w := radio.Usual
	w.SIMMissing, w.Denied, w.Abroad, w.NoTime = c.fault(faultNoSIM), c.fault(faultDenied), c.fault(faultRoam), c.fault(faultNoTime)
	if c.fault(faultWeak) {
		w.Signal, _ = strconv.Atoi(c.faults[faultWeak].Value)
	}
	if c.fault(faultNoSignal) {
		w.Signal = radio.NoSignal
	}
	return w
}

// airTime is the time as the air side counts it: the module's own.
func (c *cellular) airTime(l *life) time.Time { return l.born.Add(l.uptime()) }

// watchRadio lets the air side do what is due, when it is.
func (c *cellular) watchRadio(l *life) {
	c.radioAt()
	next := c.radio.Next()
	if next.IsZero() {
		return
	}
	c.radioAt = l.after(max(0, next.Sub(c.airTime(l))), func() {
		for _, change := range c.radio.Tick(next) {
			c.airChanged(l, change)
		}
		c.watchRadio(l)
	})
}

// airChanged says what happened, and cuts what cannot live without a network.
func (c *cellular) airChanged(l *life, change radio.Change) {
	if change == radio.TimeSet {
		c.radio.Clock().Set(c.opts.Now(), c.airTime(l))
	}
	c.kind.changed(c, l, change)
	if change == radio.RegistrationChanged && !c.radio.Registration().Registered() {
		c.cutAll(l)
	}
}

// cutAll takes all connections away, as a network that has gone does.
func (c *cellular) cutAll(l *life) {
	clear(c.active)
	c.kind.cut(c, l)
}

var errNoService = errors.New("the network does not serve the module")

// served reports whether data can be sent: see errNoService.
func (c *cellular) served() bool { return c.radio.Registration().Registered() }
