package wording

// zhModem are the sentences of modem, its drivers and modem/relay: what a
// module's own MQTT client does not take.
var zhModem = map[string]string{
	"%s: %s cannot be written in a command of the module: %v":                                                                                                 "%s：%s无法写入模组的命令：%v",
	"%s: the module takes %s of up to %d bytes, this one has %d: choose a shorter one":                                                                        "%s：模组的%s最长 %d 字节，此处为 %d 字节，请缩短",
	"login: the module takes a keep-alive of up to %v, this one is %v: choose a shorter one":                                                                  "登录：模组的 keep-alive 最长 %v，此处为 %v，请缩短",
	"login: the module's own MQTT client is not known to do TLS: log in without":                                                                              "登录：模组自带的 MQTT 如何使用 TLS 未知，请不使用 TLS 登录",
	"publish: the module cannot send an empty message: put something into it":                                                                                 "发布：模组不能发送空消息，请填写内容",
	"publish: the module sends messages of up to %d bytes, this one has %d: send less at a time":                                                              "发布：模组一次最多发送 %d 字节，此消息为 %d 字节，请减少每次发送的内容",
	"publish: this firmware cannot send the byte 0x%02X, which is in the message: encode it, in Base64 for instance":                                          "发布：此固件不能发送消息中的字节 0x%02X，请先编码，例如 Base64",
	"the message is longer than the module's MQTT client hands over at once, and was dropped: send less at a time, or speak MQTT over a socket of the module": "消息长度超过模组自带 MQTT 一次能上报的长度，已丢弃：请减少每次下发的内容，或改用模组的 socket（mqtt: socket）",
	"this firmware does not sign for Alibaba Cloud itself (aliauth): log in with the signed user name and password: %w":                                       "此固件不支持自行签名（aliauth），请使用算好的用户名和密码登录：%v",
	"a client identifier": "客户端 ID",
	"a filter":            "订阅的 Topic",
	"a host name":         "服务器域名",
	"a password":          "密码",
	"a topic":             "Topic 名称",
	"a user name":         "用户名",
	"a will":              "遗嘱消息",
	"the topic of a will": "遗嘱 Topic",
	"login":               "登录",
	"publish":             "发布",
	"subscribe":           "订阅",
}
