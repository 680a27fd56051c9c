package virtual

import (
	"time"

	"github.com/matou-iot/matou/modem/virtual/radio"
)

// A cellular is a module of the 3GPP family: V.250 on the line, 27.007 below,
// a vendor's commands on top. What tells one kind from another is its
// cellKind.
type cellular struct {
	*Module
	kind  *cellKind
	flash cellFlash
	cellRAM
	ec20 *ec20RAM  // of an EC20
	nt   *nt35eRAM // of an NT35E
}

// A cellKind is what differs between modules of the family.
type cellKind struct {
	identity    cellIdentity
	tables      []cellTable // the first that knows a name counts
	raw         []string    // commands that read their line to its end: see rawCommand
	mqtt        string      // how the names of its MQTT commands begin
	bareAddress bool        // AT+CGPADDR shows addresses without quotes
	start       func(c *cellular, l *life)
	// changed says what the air side did, in the module's own words.
	changed func(c *cellular, l *life, what radio.Change)
	// cut tells of connections that the network took away.
	cut func(c *cellular, l *life)
}

// A cellIdentity is who a module says it is.
type cellIdentity struct {
	maker    string
	model    string
	revision string
	imei     string
	imsi     string
	iccid    string
}

// cellFlash is what a reset does not change.
type cellFlash struct {
	baud     int
	stored   *cellProfile // by AT&W
	contexts map[int]pdpContext
	files    map[string][]byte
}

// A cellProfile is what AT&W keeps.
type cellProfile struct {
	echo, verbose, quiet bool
	cmee                 int
	registration         [3]int
}

// cellRAM is what a reset clears.
type cellRAM struct {
	cellLine
	awake     bool
	radio     radio.Radio
	radioAt   func() // stops the timer of the radio
	function  int    // AT+CFUN
	cmee      int
	reports   [3]int // of CREG, CGREG, CEREG: what their first parameter set
	active    map[int]bool
	initstate int            // AT+QINISTAT
	kept      map[string]int // settings that are only kept, by name
}

// factory is how a module leaves the factory.
func (c *cellular) factory() {
	c.flash = cellFlash{
		baud:     115200,
		contexts: map[int]pdpContext{1: {kind: "IP", apn: "CMNET"}},
		files:    make(map[string][]byte),
	}
	if c.opts.Baud > 0 {
		c.flash.baud = c.opts.Baud
	}
}

// boot starts the firmware: deaf until it says RDY.
func (c *cellular) boot(l *life) {
	p := c.flash.stored
	if p == nil {
		p = &cellProfile{echo: true, verbose: true, cmee: 1}
	}
	c.cellRAM = cellRAM{
		cellLine: cellLine{echo: p.echo, verbose: p.verbose, quiet: p.quiet},
		radioAt:  func() {},
		function: 1,
		cmee:     p.cmee,
		reports:  p.registration,
		active:   make(map[int]bool),
		kept:     make(map[string]int),
	}
	if c.opts.Baud > 0 {
		c.uart.pace(c.flash.baud)
	}
	c.radio.PowerOn(time.Now(), c.conditions(), false)
	c.kind.start(c, l)
	l.task(func() { c.speak(l) })
	c.watchRadio(l)
}

// wake ends the boot: from now on the module listens.
func (c *cellular) wake(l *life) {
	c.awake = true
	c.frame(l, "RDY")
}

// faulted brings a fault that has begun or ended into force.
func (c *cellular) faulted(l *life, name string) {
	if name == faultLinkLost {
		c.cutAll(l)
		return
	}
	for _, change := range c.radio.Set(c.conditions(), c.airTime(l)) {
		c.airChanged(l, change)
	}
	c.watchRadio(l)
}

// The faults that cellular modules know beside the common ones.
const (
	faultNoSIM  = "sim-missing"
	faultDenied = "registration-denied"
	faultRoam   = "roaming"
	faultWeak   = "weak-signal"
)

var cellFaults = append([]FaultKind{
	{faultNoSIM, "no SIM card in the slot", "没有插 SIM 卡", "", nil},
	{faultDenied, "the network refuses to register the module", "网络拒绝注册", "", nil},
	{faultRoam, "the network is another country's", "处于漫游网络", "", nil},
	{faultWeak, "a signal of VALUE, 0 to 31, instead of 27", "信号强度为 VALUE(0 到 31),而不是 27", "5", checkSignal},
}, commonFaults...)
