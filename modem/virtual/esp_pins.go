package virtual

// espPins are the commands for pins, supply and converter. Nothing is
// connected to them: a pin reads what was written to it.
var espPins = map[string]espCommand{
	"+SYSIOSETCFG":  {set: espPinConfig},
	"+SYSIOGETCFG":  {set: espPinShow},
	"+SYSGPIODIR":   {set: espPinDirection},
	"+SYSGPIOWRITE": {set: espPinWrite},
	"+SYSGPIOREAD":  {set: espPinRead},
	"+SYSADC":       {query: func(c *espCall) result { c.print("+SYSADC:512\r\n"); return espOK }},
	"+RFVDD":        {query: espVDD, set: espAccept, execute: func(*espCall) result { return espOK }},
}

func espPinConfig(c *espCall) result {
	n, ok := c.only([2]int{0, 15}, [2]int{0, 7}, [2]int{0, 1})
	if !ok {
		return espError
	}
	p := &c.e.pins[n[0]]
	p.mode, p.pullUp = n[1], n[2]
	return espOK
}

func espPinShow(c *espCall) result {
	n, ok := c.only([2]int{0, 15})
	if !ok {
		return espError
	}
	p := c.e.pins[n[0]]
	c.printf("+SYSIOGETCFG:%d,%d,%d\r\n", n[0], p.mode, p.pullUp)
	return espOK
}

func espPinDirection(c *espCall) result {
	n, ok := c.only([2]int{0, 15}, [2]int{0, 1})
	if !ok {
		return espError
	}
	c.e.pins[n[0]].dir = n[1]
	return espOK
}

func espPinWrite(c *espCall) result {
	n, ok := c.only([2]int{0, 15}, [2]int{0, 1})
	if !ok || c.e.pins[n[0]].dir != 1 {
		return espError
	}
	c.e.pins[n[0]].level = n[1]
	return espOK
}

func espPinRead(c *espCall) result {
	n, ok := c.only([2]int{0, 15})
	if !ok {
		return espError
	}
	p := c.e.pins[n[0]]
	c.printf("+SYSGPIOREAD:%d,%d,%d\r\n", n[0], p.dir, p.level)
	return espOK
}

func espVDD(c *espCall) result {
	c.print("+RFVDD:3300\r\n")
	return espOK
}
