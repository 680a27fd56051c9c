package virtual

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/matou-iot/matou/modem/virtual/radio"
)

// A pdpContext is a way into the packet network.
type pdpContext struct {
	kind           string // IP, IPV6, IPV4V6
	apn, user, key string
	auth           int
}

// pdpAddress is the address that the network gives.
const pdpAddress = "10.20.30.40"

// Where the module is.
const (
	areaCode = "1A2B"
	cellID   = "0C3D4E5F"
	eutran   = 7
	operator = "CHINA MOBILE"
)

// networkCommands are about card, signal, registration and packet contexts
// [27.007 §7, §8, §10].
var networkCommands = cellTable{
	"+CPIN": {query: func(t *cellTurn) cellResult {
		r, ok := t.card()
		if ok {
			t.say("+CPIN: READY")
		}
		return r
	}, test: accept},
	"+CSQ": {execute: func(t *cellTurn) cellResult { t.say(fmt.Sprintf("+CSQ: %d,99", t.radio.Signal())); return cellOK },
		testText: "+CSQ: (0-31,99),(0-7,99)"},
	"+CREG":    registration("+CREG", 0, 2),
	"+CGREG":   registration("+CGREG", 1, 2),
	"+CEREG":   registration("+CEREG", 2, 2),
	"+CGATT":   {query: (*cellTurn).attached, set: (*cellTurn).attach, testText: "+CGATT: (0,1)"},
	"+COPS":    {query: (*cellTurn).operator, set: (*cellTurn).chooseOperator, test: (*cellTurn).searchOperators},
	"+CGDCONT": {query: (*cellTurn).contexts, set: (*cellTurn).defineContext, testText: `+CGDCONT: (1-24),"IP",,,(0-2),(0-4),(0-1),(0-1)`},
	"+CGACT":   {query: (*cellTurn).activeContexts, set: (*cellTurn).activate, testText: "+CGACT: (0,1)"},
	"+CGPADDR": {set: (*cellTurn).address, execute: (*cellTurn).address, testText: "+CGPADDR: (1)"},
}

// registration is one of the three commands that tell of it.
func registration(name string, place, most int) cellCommand {
	return cellCommand{
		testText: fmt.Sprintf("%s: (0-%d)", name, most),
		query: func(t *cellTurn) cellResult {
			t.say(fmt.Sprintf("%s: %d,%s", name, t.reports[place], t.place(t.reports[place])))
			return cellOK
		},
		set: func(t *cellTurn) cellResult {
			n := t.number(0, most)
			if !t.end() {
				return cme(50)
			}
			t.reports[place] = n
			return cellOK
		},
	}
}

// place is the registration as a report of kind n shows it.
func (c *cellular) place(n int) string {
	stat := c.radio.Registration()
	if n < 2 || !stat.Registered() {
		return fmt.Sprint(int(stat))
	}
	return fmt.Sprintf(`%d,"%s","%s",%d`, int(stat), areaCode, cellID, eutran)
}

// reportRegistration says the registration in the three ways that were asked
// for.
func (c *cellular) reportRegistration() {
	for i, name := range []string{"+CREG", "+CGREG", "+CEREG"} {
		if c.reports[i] > 0 {
			c.urc(name + ": " + c.place(c.reports[i]))
		}
	}
}

func (t *cellTurn) attached() cellResult {
	t.say(fmt.Sprintf("+CGATT: %d", number(t.served())))
	return cellOK
}

func (t *cellTurn) attach() cellResult {
	n := t.number(0, 1)
	switch {
	case !t.end():
		return cme(50)
	case n == 1 && !t.served():
		return cme(30)
	case n == 0:
		t.cutAll(t.l)
	}
	return cellOK
}

func (t *cellTurn) operator() cellResult {
	if !t.served() {
		t.say("+COPS: 0")
		return cellOK
	}
	format := t.keptOr("+COPS", 0)
	name := operator
	if format == 2 {
		name = t.kind.identity.imsi[:5]
	}
	t.say(fmt.Sprintf(`+COPS: 0,%d,"%s",%d`, format, name, eutran))
	return cellOK
}

// chooseOperator takes the automatic choice and the format of names.
func (t *cellTurn) chooseOperator() cellResult {
	mode := t.number(0, 4)
	format := t.numberOr(t.keptOr("+COPS", 0), 0, 2)
	t.textOr("", 64)
	t.numberOr(eutran, 0, 9)
	if !t.end() {
		return cme(50)
	}
	if mode == 3 {
		t.kept["+COPS"] = format
	}
	return cellOK
}

func (t *cellTurn) searchOperators() cellResult {
	if !t.l.sleep(searchOperatorsTime) {
		return cellSilent
	}
	if t.radio.Signal() == radio.NoSignal {
		return cme(30)
	}
	t.say(fmt.Sprintf(`+COPS: (2,"%s","CMCC","46000",%d),(1,"CHN-UNICOM","UNICOM","46001",%d),,(0-4),(0-2)`, operator, eutran, eutran))
	return cellOK
}

const searchOperatorsTime = 20_000_000_000 // 20 s: as many as real ones take at least

func (t *cellTurn) contexts() cellResult {
	for _, id := range slices.Sorted(maps.Keys(t.flash.contexts)) {
		p := t.flash.contexts[id]
		t.say(fmt.Sprintf(`+CGDCONT: %d,"%s","%s","0.0.0.0",0,0,0,0`, id, p.kind, p.apn))
	}
	return cellOK
}

// maxContexts is how many packet contexts there are.
const maxContexts = 16

func (t *cellTurn) defineContext() cellResult {
	id := t.number(1, maxContexts)
	if t.end() {
		delete(t.flash.contexts, id)
		return cellOK
	}
	p := t.flash.contexts[id]
	p.kind = strings.ToUpper(t.text(0, 16))
	if p.kind != "IP" && p.kind != "IPV6" && p.kind != "IPV4V6" && p.kind != "PPP" {
		return cme(50)
	}
	p.apn = t.textOr("", 100)
	for range 8 { // address and compression, of no consequence here
		t.textOr("", 64)
	}
	if !t.end() {
		return cme(50)
	}
	t.flash.contexts[id] = p
	return cellOK
}

func (t *cellTurn) activeContexts() cellResult {
	for _, id := range slices.Sorted(maps.Keys(t.flash.contexts)) {
		t.say(fmt.Sprintf("+CGACT: %d,%d", id, number(t.isActive(id))))
	}
	return cellOK
}

// isActive reports whether a context is in use. The network activates the
// first one by itself, as LTE does.
func (c *cellular) isActive(id int) bool {
	return c.served() && (c.active[id] || id == 1)
}

func (t *cellTurn) activate() cellResult {
	on := t.number(0, 1)
	id := t.numberOr(1, 1, maxContexts)
	switch _, known := t.flash.contexts[id]; {
	case !t.end():
		return cme(50)
	case !known:
		return cme(21)
	case on == 1 && !t.served():
		return cme(30)
	}
	t.active[id] = on == 1
	return cellOK
}

func (t *cellTurn) address() cellResult {
	ids := slices.Sorted(maps.Keys(t.flash.contexts))
	if t.cmd.Params != "" {
		ids = nil
		for t.more() {
			ids = append(ids, t.number(1, maxContexts))
		}
	}
	if !t.end() {
		return cme(50)
	}
	for _, id := range ids {
		address := "0.0.0.0"
		if t.isActive(id) {
			address = pdpAddress
		}
		t.say(fmt.Sprintf(`+CGPADDR: %d,%s`, id, t.kind.quoteAddress(address)))
	}
	return cellOK
}

// quoteAddress writes an address as the kind does: NB modules without quotes.
func (k *cellKind) quoteAddress(address string) string {
	if k.bareAddress {
		return address
	}
	return `"` + address + `"`
}
