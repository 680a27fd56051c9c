package probe

import (
	"fmt"
	"slices"
)

// How bad a finding is.
const (
	Wrong   = "wrong"   // the module cannot do its work
	Warning = "warning" // it can, and somebody should know
)

// A Finding is something that is wrong, and its remedy.
type Finding struct {
	Code       string `json:"code"`
	Severity   string `json:"severity"`
	Sentence   string `json:"sentence"`
	SentenceZH string `json:"sentenceZh"`
	Advice     string `json:"advice"`
	AdviceZH   string `json:"adviceZh"`
}

// A finding is one before its values are filled in.
type finding struct {
	code, severity       string
	sentence, sentenceZH string
	advice, adviceZH     string
}

// found notes a finding. Values belong to its sentences, of which both have the
// same.
func (p *prober) found(f finding, values ...any) {
	say := func(text string) string {
		if len(values) == 0 {
			return text
		}
		return fmt.Sprintf(text, values...)
	}
	p.r.Findings = append(p.r.Findings, Finding{f.code, f.severity, say(f.sentence), say(f.sentenceZH), f.advice, f.adviceZH})
}

// has reports whether something was found already.
func (p *prober) has(f finding) bool {
	return slices.ContainsFunc(p.r.Findings, func(g Finding) bool { return g.Code == f.code })
}

// What may be wrong with the line.
var (
	silent = finding{"no-answer", Wrong,
		"the module does not answer at any speed, and nothing comes from it",
		"在所有波特率下模块都没有应答,也没有收到任何数据",
		"Check: TX goes to RX and RX to TX (crossed); both sides share their ground; the module has power, 3.3 V with 500 mA for an ESP8266, 3.8 V with 2 A for an LTE module; an ESP8266's EN (CH_PD) is high, an LTE module's PWRKEY was pressed long enough; GPIO0 is high at the start; a module in transparent mode wants +++ between two seconds of silence; one just switched on may need 15 s.",
		"请检查:TX 接 RX、RX 接 TX(交叉);两边共地;供电是否足够(ESP8266 需 3.3 V/500 mA,LTE 模块需 3.8 V/2 A);ESP8266 的 EN(CH_PD)为高电平,LTE 模块的 PWRKEY 按够时间;启动时 GPIO0 为高电平;处于透传模式的模块需要前后各静默一秒的 +++;刚上电的模块可能要等 15 秒。"}
	silentAtOneRate = finding{"no-answer", Wrong,
		"the module does not answer, and nothing comes from it",
		"模块没有应答,也没有收到任何数据",
		"Check that the port is the module's (an LTE module on USB has several, often the third is for AT), that it has power and has started, and that RX and TX are crossed. Over TCP, the adapter's serial side may run at another speed. A module in transparent mode wants +++ between two seconds of silence. Without --baud other speeds are tried.",
		"请检查:端口是否正确(USB 接的 LTE 模块有多个端口,AT 口通常是第三个);是否已供电并启动;RX、TX 是否交叉。经 TCP 连接时,转换器串口一侧的波特率可能不对。处于透传模式的模块需要前后各静默一秒的 +++。不加 --baud 会尝试其他波特率。"}
	loop = finding{"loop", Wrong,
		"only what is sent comes back, at every speed: the line is a loop and no module is on it",
		"在所有波特率下收到的都只是自己发出的数据:线路自环,没有接到模块",
		"Look for a bridge between the adapter's TX and RX, or connect the module.",
		"请检查转换器的 TX 与 RX 是否短接,或模块是否已接上。"}
	quietResults = finding{"no-results", Wrong,
		"what is sent is echoed, but no result follows",
		"有回显,但没有结果码",
		"Type ATQ0 (results were switched off by ATQ1). If it stays so, TX and RX are bridged, or something else than a module echoes.",
		"请输入 ATQ0(ATQ1 关闭了结果码)。如果仍然如此,可能是 TX 与 RX 短接,或对端不是模块。"}
	numericResults = finding{"numeric-results", Wrong,
		"the module answers with numbers instead of words (ATV0), which programs do not understand",
		"模块用数字而不是文字回答(ATV0),程序无法识别",
		"Type ATV1. If it comes back after a restart, type ATV1&W.",
		"请输入 ATV1;如果重启后又变回去,请输入 ATV1&W。"}
	waitsForData = finding{"waits-for-data", Wrong,
		"the module asks for data (>): a command that sends something was left in the middle",
		"模块在等待数据(>):上一条发送类指令没有完成",
		"A cellular module takes Esc, an ESP8266 +++ alone; a restart helps always.",
		"蜂窝模块请发送 Esc,ESP8266 请单独发送 +++;重启总是有效。"}
	busy = finding{"busy", Wrong,
		"the module is busy with a command and takes no other",
		"模块正忙于执行一条指令,不接受新的指令",
		"Wait 30 s and try again; if it stays so, restart the module.",
		"请等待 30 秒再试;如果仍然如此,请重启模块。"}
	noiseAtAllRates = finding{"noise", Wrong,
		"something comes, but makes no sense at any speed",
		"能收到数据,但在所有波特率下都没有意义",
		"Connect the grounds of both sides. Check the levels: 3.3 V or 1.8 V logic, not RS-232. Or it is at a speed that was not tried: name it with --baud.",
		"请连接两边的地线;检查电平是 3.3 V 或 1.8 V 逻辑,而不是 RS-232;也可能使用了没有尝试的波特率:用 --baud 指定。"}
	noiseAtOneRate = finding{"noise", Wrong,
		"something comes, but makes no sense at this speed",
		"能收到数据,但在这个波特率下没有意义",
		"Leave --baud out so that all speeds are tried; over TCP set the speed of the adapter. Then connect the grounds of both sides.",
		"请去掉 --baud 以尝试所有波特率;经 TCP 连接时请设置转换器的波特率;再检查两边是否共地。"}
	bootsForDownload = finding{"download-mode", Wrong,
		"the ESP8266 starts into download mode and waits for new firmware",
		"ESP8266 启动到了下载模式,正在等待烧录固件",
		"Take GPIO0 off ground (leave it open or pull it up; GPIO2 high, GPIO15 low) and restart the module.",
		"请让 GPIO0 离开地(悬空或上拉;GPIO2 为高,GPIO15 为低),然后重启模块。"}
	flashDamaged = finding{"damaged-firmware", Wrong,
		"the boot loader finds no good firmware",
		"引导程序找不到完好的固件",
		"Write the AT firmware again, with the flash size and mode (DIO, QIO) of this board, from address 0.",
		"请按这块板的 Flash 容量和模式(DIO、QIO)从地址 0 重新烧录 AT 固件。"}
	onlyBoots = finding{"restarting", Wrong,
		"the boot loader speaks, but no AT firmware answers",
		"能看到引导程序的输出,但没有 AT 固件应答",
		"If its text comes again and again, the supply is too weak: give it 500 mA and a capacitor of 100 µF. If it comes once, other firmware than AT is on it: write the AT firmware.",
		"如果引导文字反复出现,说明供电不足:请提供 500 mA 并加 100 µF 电容;如果只出现一次,说明烧录的不是 AT 固件:请烧录 AT 固件。"}
	portGone = finding{"port-gone", Wrong,
		"the port vanished while the module was asked",
		"查询过程中端口消失了",
		"Was the adapter or the module unplugged or switched off? Does another program use the port?",
		"转换器或模块是否被拔出或断电?是否有其他程序在使用这个端口?"}
	fellSilent = finding{"fell-silent", Wrong,
		"the module answered at first, and then no more",
		"模块起初有应答,后来没有了",
		"Look at the supply: a module that falls silent when its radio works gets too little current.",
		"请检查供电:射频工作时失去应答的模块多半是电流不足。"}
	restarts = finding{"restarted", Wrong,
		"the module restarted while it was asked",
		"查询过程中模块重启了",
		"Its supply is too weak for the radio (500 mA for an ESP8266, 2 A for an LTE module, with a capacitor close by), or it has only just been switched on: then try again.",
		"供电不足以支持射频(ESP8266 需 500 mA,LTE 模块需 2 A,旁边加电容);如果刚刚上电,请再试一次。"}
	unknownModule = finding{"unknown-module", Warning,
		"something answers AT, and does not say what it is",
		"有设备应答 AT,但没有说明型号",
		"Matou drives Espressif's, Quectel's and Lierda's modules; of others nothing can be said.",
		"码头支持乐鑫、移远和利尔达的模块;其他模块无法判断。"}
)

// What may keep a cellular module off its network.
var (
	radioOff = finding{"radio-off", Wrong,
		"the radio is switched off (AT+CFUN? says %d)",
		"射频已关闭(AT+CFUN? 为 %d)",
		"Type AT+CFUN=1.", "请输入 AT+CFUN=1。"}
	noSIM = finding{"sim-missing", Wrong,
		"there is no SIM card",
		"没有检测到 SIM 卡",
		"Insert it, the right way round, with the module switched off; clean its contacts; an eSIM may need another slot to be chosen.",
		"请断电后按正确方向插卡;清洁触点;使用 eSIM 时可能需要切换卡槽。"}
	badSIM = finding{"sim-not-ready", Wrong,
		"the SIM card is not ready (%s)",
		"SIM 卡未就绪(%s)",
		"Wait 20 s after power-on and try again. A module that says only ERROR tells why after AT+CMEE=1. Try the card in a phone.",
		"上电 20 秒后再试;只回答 ERROR 的模块在 AT+CMEE=1 之后会说明原因;请把卡放到手机里试一下。"}
	wantsPIN = finding{"sim-pin", Wrong,
		"the SIM card wants its PIN",
		"SIM 卡需要 PIN",
		"Type AT+CPIN=\"1234\" with your PIN. After three wrong ones the card is locked.",
		"请输入 AT+CPIN=\"1234\"(换成你的 PIN)。输错三次后卡会被锁。"}
	wantsPUK = finding{"sim-puk", Wrong,
		"the SIM card is locked and wants its PUK",
		"SIM 卡已锁,需要 PUK",
		"Enter the PUK in a phone; the operator knows it.",
		"请在手机里输入 PUK;PUK 可向运营商查询。"}
	denied = finding{"registration-denied", Wrong,
		"the network refuses the SIM card",
		"网络拒绝注册",
		"Ask the operator: is the card activated and paid for, is it bound to another device (IMEI lock), does its plan allow this network (NB-IoT, roaming)?",
		"请向运营商确认:卡是否已激活、是否欠费、是否绑定了别的设备(机卡绑定)、套餐是否允许这种网络(NB-IoT、漫游)。"}
	searching = finding{"searching", Wrong,
		"the module looks for a network and has found none yet",
		"模块正在搜网,还没有找到网络",
		"Wait up to 3 minutes after power-on. Then check the antenna and its plug, and whether the card's operator has coverage on the module's bands here.",
		"上电后最多等待 3 分钟;之后请检查天线和接头,以及运营商在当地是否有模块支持的频段覆盖。"}
	notSearching = finding{"not-registered", Wrong,
		"the module is on no network, and does not look for one",
		"模块没有注册网络,也没有在搜网",
		"Type AT+COPS=0 to let it choose a network. If it stays so, restart it with AT+CFUN=1,1.",
		"请输入 AT+COPS=0 让模块自动选网;如果仍然如此,请用 AT+CFUN=1,1 重启。"}
	roaming = finding{"roaming", Warning,
		"the module is on a network that is not its home",
		"模块处于漫游网络",
		"Is roaming allowed and paid for?",
		"请确认漫游已开通且资费可以接受。"}
	notAttached = finding{"not-attached", Wrong,
		"the module is registered, but not attached to the packet service",
		"模块已注册网络,但没有附着分组域",
		"Type AT+CGATT=1. If it is refused: is the data plan used up, is the APN right?",
		"请输入 AT+CGATT=1;如果被拒绝:流量是否用完,APN 是否正确?"}
	noData = finding{"no-data-connection", Warning,
		"the module is attached and has no address yet",
		"模块已附着,但还没有 IP 地址",
		"Drivers open the data connection themselves; by hand type AT+QIACT=1 or AT+CGACT=1,1. If it fails, the APN is wrong.",
		"驱动程序会自己打开数据连接;手工操作请输入 AT+QIACT=1 或 AT+CGACT=1,1。如果失败,说明 APN 不对。"}
	noTime = finding{"time-not-set", Warning,
		"the module's clock is not set",
		"模块的时钟没有校准",
		"Certificates and signatures with a timestamp need the time. Most networks tell it after AT+CTZU=1 and a restart; else ask a time server (AT+QNTP).",
		"校验证书和带时间戳的签名都需要时间。多数网络在 AT+CTZU=1 并重启后会下发时间;否则请使用时间服务器(AT+QNTP)。"}
)

// What may be wrong with the radio signal, or with Wi-Fi.
var (
	noSignal = finding{"no-signal", Wrong,
		"there is no signal",
		"没有信号",
		"Check the antenna and its plug, and go where a phone of the same operator has a signal.",
		"请检查天线和接头,并到同一运营商的手机有信号的地方再试。"}
	weakSignal = finding{"weak-signal", Warning,
		"the signal is weak: %d dBm",
		"信号弱:%d dBm",
		"Connections will be slow and break. Move the antenna away from metal and towards a window, or the access point closer.",
		"连接会变慢、易断。请让天线远离金属、靠近窗口,或让热点更近。"}
	wifiOff = finding{"wifi-off", Warning,
		"Wi-Fi is switched off (AT+CWMODE? says 0)",
		"Wi-Fi 已关闭(AT+CWMODE? 为 0)",
		"Type AT+CWMODE=1.", "请输入 AT+CWMODE=1。"}
	onlyAccessPoint = finding{"access-point-only", Warning,
		"the module is an access point and joins none",
		"模块处于热点模式,不会连接其他热点",
		"Type AT+CWMODE=1, and then AT+CWJAP=\"name\",\"password\".",
		"请输入 AT+CWMODE=1,再输入 AT+CWJAP=\"名称\",\"密码\"。"}
	notJoined = finding{"wifi-not-joined", Warning,
		"the module has joined no Wi-Fi network",
		"模块没有连接 Wi-Fi",
		"Type AT+CWJAP=\"name\",\"password\". +CWJAP:1 is too slow or too far, 2 a wrong password, 3 no such network (the ESP8266 sees 2.4 GHz only), 4 refused (WPA3 is too new for it).",
		"请输入 AT+CWJAP=\"名称\",\"密码\"。+CWJAP:1 表示超时或太远,2 密码错误,3 找不到(ESP8266 只支持 2.4 GHz),4 被拒绝(不支持 WPA3)。"}
	noAddress = finding{"wifi-no-address", Wrong,
		"the module has joined the network and got no address",
		"模块已连接 Wi-Fi,但没有得到 IP 地址",
		"Is the network's DHCP server at work, and are its addresses used up? AT+CWDHCP? shows whether the module asks for one.",
		"请检查路由器的 DHCP 是否工作、地址是否用完;AT+CWDHCP? 可查看模块是否启用了 DHCP。"}
)
