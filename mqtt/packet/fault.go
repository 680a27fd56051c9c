package packet

import (
	"errors"
	"fmt"
	"strings"
)

// The codes of a Fault.
const (
	FaultEmpty             = "empty"              // no bytes at all
	FaultHexText           = "hex-text"           // hexadecimal digits sent as text
	FaultTLS               = "tls"                // a TLS handshake
	FaultNotMQTT           = "not-mqtt"           // text, or bytes that begin no packet
	FaultTypeMissing       = "type-missing"       // a CONNECT without its first byte
	FaultLengthMissing     = "length-missing"     // a CONNECT without its remaining length
	FaultHeaderCutOff      = "header-cut-off"     // the fixed header ends too soon
	FaultFlags             = "flags"              // the lower half of the first byte
	FaultLengthOneByte     = "length-one-byte"    // a remaining length of 128 or more in one byte
	FaultLengthFiveBytes   = "length-five-bytes"  // a remaining length without end
	FaultLengthTooShort    = "length-too-short"   // more bytes follow than announced
	FaultLengthTooLong     = "length-too-long"    // fewer bytes follow than announced
	FaultCutOff            = "cut-off"            // fewer bytes follow, and no length would fit
	FaultLineEnd           = "line-end"           // CR, LF or NUL behind the packet
	FaultProtocolName      = "protocol-name"      // "mqtt" for "MQTT"
	FaultProtocolLevel     = "protocol-level"     // MQTT with level 3, MQIsdp with level 4
	FaultReservedFlag      = "reserved-flag"      // the lowest connect flag
	FaultConnectFlags      = "connect-flags"      // flags that do not say what follows
	FaultStringTooLong     = "string-too-long"    // a string length runs past the end
	FaultStringTooShort    = "string-too-short"   // bytes are left behind the last string
	FaultOptionsMissing    = "options-missing"    // a topic filter without its QoS
	FaultQoS3              = "qos3"               // QoS 3
	FaultDupAtQoS0         = "dup-at-qos0"        // DUP in a QoS 0 PUBLISH
	FaultIdentifierZero    = "identifier-zero"    // packet identifier 0
	FaultIdentifierAtQoS0  = "identifier-at-qos0" // a packet identifier in a QoS 0 PUBLISH
	FaultIdentifierMissing = "identifier-missing" // none in a QoS 1 PUBLISH
	FaultMalformed         = "malformed"          // anything else that Decode refuses
)

// words say a fault in both languages.
type words struct{ what, fix, whatZH, fixZH string }

var (
	sayEmpty = words{"there are no bytes", "paste or send a packet",
		"没有任何字节", "请粘贴或发送一个报文"}
	sayHexText = words{"these are hexadecimal digits sent as text", "switch the terminal to hex sending, or convert the digits to bytes first",
		"发送的是十六进制字符的文本，而不是字节本身", "请勾选串口或网络助手的“十六进制发送”，或先把字符转换成字节"}
	sayTLS = words{"this is a TLS handshake, not MQTT", "connect to the TLS port (8883), or switch TLS off in the client",
		"这是 TLS 握手，不是 MQTT 报文", "请连接 TLS 端口（8883），或在客户端关闭 TLS"}
	sayText = words{"this is text, not MQTT", "send the bytes of a packet; AT commands and JSON belong elsewhere",
		"这是普通文本，不是 MQTT 报文", "请发送 MQTT 报文的字节；AT 指令和 JSON 不能直接发给服务器"}
	sayNoPacket = words{"no packet begins with these bytes", "look for a wrong length in the packet before them",
		"这些字节不是任何报文的开头", "请检查前一个报文的长度字段"}
	sayTypeMissing = words{"the first byte of the CONNECT is missing", "put 10 in front",
		"CONNECT 报文缺少第一个字节（固定报头 10）", "在最前面加上 10"}
	sayStartMissing = words{"the fixed header of the CONNECT is missing", "put 10 and the remaining length in front",
		"CONNECT 报文缺少固定报头", "在最前面加上 10 和剩余长度"}
	sayLengthMissing = words{"the remaining length of the CONNECT is missing", "write the number of bytes that follow behind 10",
		"CONNECT 报文缺少剩余长度", "在 10 之后写上其后字节的个数"}
	sayHeaderCutOff = words{"the packet ends inside its fixed header", "a packet has a first byte and a remaining length of one to four bytes",
		"报文在固定报头中间就结束了", "每个报文都有首字节和一到四个字节的剩余长度"}
	sayFiveBytes = words{"the remaining length does not end within four bytes", "only the last byte of it is below 80",
		"剩余长度超过了四个字节", "剩余长度只有最后一个字节小于 80（十六进制）"}
	sayLineEnd = words{"line ends or null bytes stand behind the packet", "send exactly the packet: give AT+CIPSEND its length, and switch off “send new line”",
		"报文末尾多了回车、换行或空字符", "只发送报文本身：AT+CIPSEND 的长度要等于报文长度，并取消“发送新行”"}
	sayReservedFlag = words{"the lowest connect flag is reserved and must be 0", "clear the lowest bit of the connect flags",
		"连接标志的最低位是保留位，必须为 0", "把连接标志的最低位清零"}
	sayWillFlags = words{"the connect flags describe a will that does not exist", "clear will QoS and will retain, or give a will; will QoS is at most 2",
		"连接标志中的遗嘱设置无效", "没有遗嘱时遗嘱 QoS 和遗嘱保留必须为 0；遗嘱 QoS 最大为 2"}
	sayOptionsMissing = words{"the last topic filter has no QoS behind it", "append 00, 01 or 02",
		"最后一个主题过滤器后面缺少 QoS 字节", "在末尾加上 00、01 或 02"}
	sayQoS3 = words{"QoS 3 does not exist", "use 0, 1 or 2; most clouds take 0 and 1",
		"QoS 3 不存在", "请使用 0、1 或 2；多数云平台只支持 0 和 1"}
	sayDupAtQoS0 = words{"DUP is set in a QoS 0 PUBLISH, which is never repeated", "clear DUP: 30",
		"QoS 0 的 PUBLISH 不能设置 DUP 标志", "清除 DUP 标志：30"}
	sayIdentifierZero = words{"the packet identifier is 0", "use 1 to 65535",
		"报文标识符不能为 0", "请使用 1 到 65535"}
	sayIdentifierAtQoS0 = words{"a packet identifier stands between topic and payload, but a QoS 0 PUBLISH has none", "leave the two bytes out and count again: the remaining length becomes 2 less",
		"QoS 0 的 PUBLISH 没有报文标识符，主题后面多了两个字节", "去掉这两个字节，剩余长度也要减 2"}
	sayIdentifierMissing = words{"the packet identifier is missing: QoS 1 and 2 need one between topic and payload", "insert two bytes, for instance 00 01, or publish with QoS 0",
		"缺少报文标识符：QoS 1 和 2 的 PUBLISH 在主题和负载之间必须有两个字节的标识符", "插入两个字节，例如 00 01，或改用 QoS 0"}
)

func sayFlags(t Type) words {
	first := byte(t)<<4 | wantFlags(t)
	return words{
		fmt.Sprintf("the first byte of a %v is always %02x", t, first), fmt.Sprintf("write %02x", first),
		fmt.Sprintf("%v 报文的第一个字节必须是 %02x", t, first), fmt.Sprintf("改为 %02x", first),
	}
}

func sayOneByte(old byte, n int) words {
	right := fmt.Sprintf("% x", appendVarint(nil, n))
	w := words{
		fmt.Sprintf("the remaining length is written as one byte %02x, but from 128 on it takes two or more", old),
		fmt.Sprintf("%d bytes follow: write %s", n, right),
		fmt.Sprintf("剩余长度只写了一个字节 %02x，但大于 127 的长度要用两个或更多字节", old),
		fmt.Sprintf("其后共有 %d 个字节，应写成 %s", n, right),
	}
	if int(old) != n {
		w.what += fmt.Sprintf(", and %d is not what follows", old)
		w.whatZH += fmt.Sprintf("，而且 %d 与实际长度不符", old)
	}
	return w
}

func sayLength(said, there int) words {
	right := fmt.Sprintf("% x", appendVarint(nil, there))
	w := words{
		fmt.Sprintf("the remaining length says %d, but %s", said, follow(there)), "write " + right,
		fmt.Sprintf("剩余长度写的是 %d，但其后有 %d 个字节", said, there), "应写成 " + right,
	}
	if said > there {
		w.fix = fmt.Sprintf("write %s, or send the missing %s", right, count(said-there, "byte"))
		w.fixZH = fmt.Sprintf("应写成 %s，或补发缺少的 %d 个字节", right, said-there)
	}
	return w
}

func follow(n int) string {
	if n == 1 {
		return "1 byte follows"
	}
	return fmt.Sprintf("%d bytes follow", n)
}

func sayCutOff(said, there int) words {
	return words{
		fmt.Sprintf("the packet is cut off: it announces %d bytes, %d are there", said, there),
		"send the rest; if the client never does, its buffer is too small",
		fmt.Sprintf("报文不完整：应有 %d 个字节，只有 %d 个", said, there),
		"请发送剩余部分；如果总是缺少，说明客户端缓冲区太小",
	}
}

// stringZH is the name of a string in the middle of Chinese words.
func stringZH(name string) string {
	if zh := nameZH(name); zh != name {
		return zh
	}
	return " " + name + " "
}

func sayString(name string, said, there int) words {
	return words{
		fmt.Sprintf("the length of the %s says %d, but %s", name, said, follow(there)), fmt.Sprintf("count the bytes of the %s again and write %04x, or what they are", name, there),
		fmt.Sprintf("%s的长度写的是 %d，但其后只有 %d 个字节", stringZH(name), said, there), fmt.Sprintf("重新数一下%s的字节数，改为 %04x 或实际长度", stringZH(name), there),
	}
}

func sayStringFixed(name string, said, right int) words {
	return words{
		fmt.Sprintf("the length of the %s says %d, but it has %d bytes", name, said, right), fmt.Sprintf("write %04x", right),
		fmt.Sprintf("%s的长度写的是 %d，实际是 %d 个字节", stringZH(name), said, right), fmt.Sprintf("改为 %04x", right),
	}
}

func sayLevel(name string, level, right byte) words {
	return words{
		fmt.Sprintf("protocol name %s does not go with level %d", name, level), fmt.Sprintf("write level %02x", right),
		fmt.Sprintf("协议名 %s 与协议级别 %d 不匹配", name, level), fmt.Sprintf("协议级别改为 %02x", right),
	}
}

var sayName = words{"the protocol name is MQTT in capital letters", "write 4d 51 54 54",
	"协议名必须是大写的 MQTT", "改为 4d 51 54 54"}

func sayConnectFlags(old, right byte) words {
	return words{
		fmt.Sprintf("the connect flags %02x do not say which of user name and password follow", old), fmt.Sprintf("write %02x", right),
		fmt.Sprintf("连接标志 %02x 与后面的用户名、密码不一致", old), fmt.Sprintf("改为 %02x", right),
	}
}

// sayMalformed puts what Decode says into words.
func sayMalformed(err error) words {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return sayHeaderCutOff
	}
	detail, name, _ := strings.Cut(e.Detail, ": ")
	zh := detailsZH[detail]
	if name != "" {
		zh += "：" + name
	}
	return words{
		e.Detail, fmt.Sprintf("see [%s] for a %s", e.Clause, e.Packet),
		zh, fmt.Sprintf("参见规范 [%s]（%s）", e.Clause, e.Packet),
	}
}

// detailsZH are the details of decoding errors in Chinese.
var detailsZH = map[string]string{
	"control packet type 0 is reserved":                            "报文类型 0 是保留的",
	"control packet type 15 is reserved before 5.0":                "报文类型 15 只用于 MQTT 5.0",
	"the remaining length has more than four bytes":                "剩余长度超过四个字节",
	"the flags of the first byte are not the ones this packet has": "首字节的标志位不正确",
	"the remaining length is not the number of bytes that follow":  "剩余长度与实际字节数不符",
	"the remaining length is written in more bytes than needed":    "剩余长度使用了多余的字节",
	"a field runs past the end of the packet":                      "某个字段超出了报文末尾",
	"bytes follow the last field":                                  "最后一个字段之后还有多余的字节",
	"a variable byte integer has more bytes than needed":           "变长整数使用了多余的字节",
	"a variable byte integer has more than four bytes":             "变长整数超过四个字节",
	"a string is not UTF-8":                                        "字符串不是合法的 UTF-8",
	"a string holds the null character":                            "字符串中含有空字符 U+0000",
	"a topic name holds a wildcard":                                "主题名中不能含有通配符",
	"the packet identifier is 0":                                   "报文标识符不能为 0",
	"MQIsdp has level 3 only":                                      "MQIsdp 只对应协议级别 3",
	"MQTT has levels 4 and 5 only":                                 "MQTT 只对应协议级别 4 和 5",
	"the protocol name is neither MQTT nor MQIsdp":                 "协议名既不是 MQTT 也不是 MQIsdp",
	"the reserved connect flag is set":                             "连接标志的保留位被置位",
	"a will QoS without a will":                                    "没有遗嘱却设置了遗嘱 QoS",
	"a retained will without a will":                               "没有遗嘱却设置了遗嘱保留",
	"will QoS 3 does not exist":                                    "遗嘱 QoS 3 不存在",
	"a password without a user name":                               "有密码却没有用户名",
	"the client identifier is empty":                               "客户端标识符为空",
	"the will topic is empty":                                      "遗嘱主题为空",
	"a reserved bit of the acknowledge flags is set":               "连接确认标志的保留位被置位",
	"session present in a refusal":                                 "拒绝连接时会话存在标志必须为 0",
	"the return code is reserved":                                  "返回码是保留值",
	"QoS 3 does not exist":                                         "QoS 3 不存在",
	"DUP is set at QoS 0":                                          "QoS 0 不能设置 DUP",
	"the topic name is empty":                                      "主题名为空",
	"no topic filter":                                              "没有主题过滤器",
	"more than 8192 topic filters":                                 "主题过滤器超过 8192 个",
	"the requested QoS is not 0, 1 or 2":                           "请求的 QoS 不是 0、1 或 2",
	"a reserved bit of the subscription options is set":            "订阅选项的保留位被置位",
	"retain handling 3 does not exist":                             "保留消息处理方式 3 不存在",
	"no local in a shared subscription":                            "共享订阅不能设置 No Local",
	"no reason code":                                               "没有原因码",
	"more than 8192 reason codes":                                  "原因码超过 8192 个",
	"this packet does not have that reason code":                   "该报文没有这个原因码",
	"this packet does not have that return code":                   "该报文没有这个返回码",
	"authentication data without an authentication method":         "有认证数据却没有认证方法",
	"a property identifier does not exist":                         "属性标识符不存在",
	"this packet does not carry the property":                      "该报文不能携带此属性",
	"a property comes twice":                                       "属性重复",
	"a property has a value that it cannot have":                   "属性值超出范围",
	"the response topic holds a wildcard":                          "响应主题中不能含有通配符",
	"more than 1024 subscription identifiers":                      "订阅标识符超过 1024 个",
	"more than 1024 user properties":                               "用户属性超过 1024 个",
}
