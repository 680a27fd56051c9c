package wording

// zhRecording are the sentences of recording and trace.
var zhRecording = map[string]string{
	"no MQTT in it": "其中没有 MQTT",
	"%d bytes are more than the %d that are read": "文件有 %d 字节，最多读取 %d 字节",
	"%w: it is empty": "%v：文件是空的",
	"%w: bytes that begin no packet, and no text (they begin % x)":                                      "%v：既不是 MQTT 报文，也不是文本（开头为 % x）",
	"a text of %d bytes is more than the %d that are read":                                              "文本有 %d 字节，最多读取 %d 字节",
	"%w: %d frames, and none belongs to a TCP connection that carried something":                        "%v：共 %d 帧，没有携带数据的 TCP 连接",
	"%w: connections %s; `matou packet capture` records a device in clear and speaks TLS to its broker": "%v：连接经 TLS 或 WebSocket（%s）；可用 matou packet capture 录制明文，它与服务器之间仍使用 TLS",
	"%w: connections %s":                                             "%v：其中的连接 %s",
	"%q is neither device nor broker":                                "%q 应为 device 或 broker",
	"%w: a text of %d lines without one that is hex from end to end": "%v：共 %d 行文本，没有一行是完整的十六进制",
	"%w: the module makes the packets itself (%s), so the line does not carry them; `matou packet capture` between module and broker records them": "%v：报文由模组自身生成（%s），串口上看不到；请在模组与服务器之间用 matou packet capture 录制",
	"%w: %d command lines to a module, and no AT+CIPSEND among them whose data is all there":                                                       "%v：共 %d 行模组命令，其中没有数据完整的 AT+CIPSEND",
	"line %d: %w":                       "第 %d 行：%v",
	"read %s: %w":                       "读取 %s 失败：%v",
	"not a pcap or pcapng file":         "不是 pcap 或 pcapng 文件",
	"unknown kind %q of timeline entry": "时间线条目类型 %q 无法识别",
}
