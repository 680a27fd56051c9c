package virtual

import (
	"sync/atomic"
	"time"
)

// esp8266 is Espressif's module with the AT firmware of the NonOS SDK (0.x to
// 1.7) or ESP-AT (2.x).
var esp8266 = &Model{
	Name:  "esp8266",
	Title: "Espressif ESP8266",
	WiFi:  true,
	Firmwares: []Firmware{
		{"1.7.4.0", "the usual one: ESP-01S, SDK 3.0.4", "最常见:ESP-01S,SDK 3.0.4"},
		{"1.7.6.0", "the last of its line, SDK 3.0.6", "1.x 的最后一版,SDK 3.0.6"},
		{"1.6.2.0", "SDK 2.2.1", "SDK 2.2.1"},
		{"1.4.0.0", "SDK 2.1.0", "SDK 2.1.0"},
		{"1.3.0.0", "SDK 2.0.0: echoes two carriage returns", "SDK 2.0.0:回显两个回车"},
		{"2.2.0.0", "ESP-AT: MQTT inside the module, other forms", "ESP-AT:模块内置 MQTT,格式不同"},
	},
	Quirks: []Quirk{
		{"double-cr", "echoes AT\\r\\r\\n, as versions up to 1.3 do", "回显 AT\\r\\r\\n,1.3 及更早版本如此"},
		{"boot-text", "shows the boot loader's text that a real one sends at 74880 baud", "显示真实模块以 74880 波特输出的引导文字"},
		{"boot-noise", "shows that text as the noise that it is at another speed", "把引导文字显示成其他波特率下的乱码"},
		{"no-auto-join", "does not join the stored network after a start", "上电后不自动连接已保存的热点"},
		{"typed-escape", "takes a +++ that is typed by hand, one second around it", "接受手工键入的 +++(前后各静默一秒)"},
		{"strict-commas", "ESP-AT: refuses a bare comma inside quotes, as some versions do", "ESP-AT:引号内未转义的逗号报错,部分版本如此"},
	},
	Faults: append([]FaultKind{
		{faultWrongPassword, "the access point refuses every password", "热点拒绝一切密码", "", nil},
		{faultNoDHCP, "the access point gives no address", "热点不分配地址", "", nil},
	}, commonFaults...),
	make: func(m *Module) personality { return newESP(m) },
}

// The faults of Wi-Fi modules.
const (
	faultWrongPassword = "wrong-password"
	faultNoDHCP        = "dhcp-timeout"
)

// An esp is an ESP8266.
type esp struct {
	*Module
	v2    bool // ESP-AT
	table map[string]espCommand
	flash espFlash
	espRAM

	// mqttCause is the Seq of the line that caused what the MQTT client writes:
	// the one that connected, or that waits for an answer. The client of a life
	// that is over may still say good-bye.
	mqttCause atomic.Uint64
}

// espFlash is what a reset does not change.
type espFlash struct {
	mode      int
	station   *espCredentials
	autoJoin  bool
	ap        espAP
	dhcp      int // bit 0 the access point's, bit 1 the station's
	hostname  string
	stationIP espAddress // static; empty: by DHCP
	apIP      espAddress
	mac       [2]string // station, access point
	dns       []string
	serial    espSerial
	sysmsg    int
	country   string
	trans     *espTarget // where to connect after a start
	store     bool       // ESP-AT: sets are kept in flash
}

// espRAM is what a reset clears.
type espRAM struct {
	espLine
	espWiFi
	espLinks
	espSNTP
	mqtt   *espMQTT
	serial espSerial
	sysmsg int
	syslog bool
	cause  uint64         // event of the last command line
	pins   [16]espPin     // GPIOs
	auto   map[string]int // settings that are only kept: name to value
}

type espPin struct{ mode, pullUp, dir, level int }

func newESP(m *Module) *esp {
	e := &esp{Module: m, v2: m.opts.Firmware[0] == '2', table: espTable}
	e.factory()
	return e
}

// factory is what AT+RESTORE leaves.
func (e *esp) factory() {
	e.flash = espFlash{
		mode:     2, // the SDK's default
		autoJoin: true,
		ap:       espAP{ssid: "ESP_010203", channel: 1, ecn: 0, max: 4},
		dhcp:     3,
		hostname: "ESP_010203",
		apIP:     espAddress{"192.168.4.1", "192.168.4.1", "255.255.255.0"},
		mac:      [2]string{"5c:cf:7f:01:02:03", "5e:cf:7f:01:02:03"},
		serial:   espSerial{baud: 115200, data: 8, stop: 1},
		country:  "CN",
		store:    true,
	}
	if e.v2 {
		e.flash.mode = 1
	}
	if e.opts.Baud > 0 {
		e.flash.serial.baud = e.opts.Baud
	}
}

// What a start takes [reference: RST to ready].
const (
	bootTime   = 350 * time.Millisecond
	bootTimeV2 = 700 * time.Millisecond
)

// romText is what the ROM and the boot loader print.
const romText = "\r\n ets Jan  8 2013,rst cause:2, boot mode:(3,6)\r\n\r\n" +
	"load 0x40100000, len 1856, room 16 \r\ntail 0\r\nchksum 0x63\r\n" +
	"load 0x3ffe8000, len 776, room 8 \r\ntail 0\r\nchksum 0x02\r\n" +
	"load 0x3ffe8310, len 552, room 8 \r\ntail 0\r\nchksum 0x79\r\ncsum 0x79\r\n\r\n" +
	"2nd boot version : 1.5\r\n  SPI Speed      : 40MHz\r\n  SPI Mode       : DIO\r\n" +
	"  SPI Flash Size & Map: 8Mbit(512KB+512KB)\r\njump to run user1 @ 1000\r\n\r\n"

// boot starts the firmware: deaf until it is ready.
func (e *esp) boot(l *life) {
	e.espRAM = espRAM{serial: e.flash.serial, sysmsg: e.flash.sysmsg, auto: make(map[string]int)}
	e.espLine = espLine{echo: true, state: deaf}
	e.espWiFi = espWiFi{mode: e.flash.mode, autoJoin: e.flash.autoJoin, lapMask: lapMask(e.opts.Firmware)}
	e.espLinks = espLinks{maxConn: 5, idle: 180, sslSize: 2048}
	e.espSNTP = espSNTP{servers: []string{"cn.ntp.org.cn", "ntp.sjtu.edu.cn", "us.pool.ntp.org"}}
	e.mqtt = newESPMQTT()
	if e.opts.Baud > 0 {
		e.uart.pace(e.serial.baud)
	}
	switch {
	case e.quirks["boot-text"]:
		l.print(romText)
	case e.quirks["boot-noise"]:
		l.print(noise(romText))
	}
	takes := bootTime
	if e.v2 {
		takes = bootTimeV2
	}
	l.after(takes, func() {
		e.state = idle
		l.print("\r\nready\r\n")
		l.task(func() { e.stationLoop(l) })
		if e.flash.station != nil && e.autoJoin && e.isStation() && !e.quirks["no-auto-join"] {
			e.want = e.flash.station
		}
		if e.flash.trans != nil {
			l.task(func() { e.resumeTransparent(l) })
		}
	})
}

// noise is text as it looks at the wrong speed: bytes of no meaning, always
// the same ones.
func noise(text string) string {
	b := make([]byte, 0, len(text))
	for i := range len(text) {
		if c := text[i]*167 + byte(i)*31; c != '\n' && c != '\r' {
			b = append(b, c|0x80)
		}
	}
	return string(b)
}

// faulted brings a fault that has begun or ended into force.
func (e *esp) faulted(l *life, name string) {
	switch name {
	case faultNoSignal:
		if e.fault(name) && e.status == gotIP {
			e.dropWiFi(l, noAP)
		}
		e.retry()
	case faultWrongPassword, faultNoDHCP:
		e.retry()
	case faultLinkLost:
		for _, k := range e.links {
			if k != nil {
				e.lost(l, k, "the fault link-lost")
			}
		}
		e.mqtt.cut()
	}
}
