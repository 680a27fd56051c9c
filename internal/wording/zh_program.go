package wording

var zhProgram = map[string]string{
	"write a program for %s: %w":             "生成 %s 示例程序失败：%v",
	"%w: %q; there are %s":                   "%v：%q，可用：%s",
	"no such target":                         "没有这种目标",
	"there is no %s to write a program with": "生成示例程序缺少%s",
	"product":                                "产品", "device": "设备", "client id": "客户端标识 clientId", "host": "服务器地址",
	"the device has no secret, so it cannot log in: give it one first": "设备没有密钥，无法登录，请先为它设置密钥",
	"port %d is no port": "%d 不是有效的端口",
	"host, client id, user name, password or secret holds a control character, which no source text can say in every language": "服务器地址、clientId、用户名、密码或密钥含有控制字符，无法写入各种语言的源代码",
	"the program %s connects without TLS: leave tls out":                                                                       "示例程序 %s 不使用 TLS 连接，请去掉 tls",
	"the host has %d bytes, and the module takes %d at most":                                                                   "服务器地址有 %d 字节，该模组最多支持 %d 字节",
	"client id, user name or password holds a quotation mark, for which this module has no way to write it":                    "clientId、用户名或密码含有引号，该模组无法表示",
	"the %s of this device cannot be written: %w":                                                                              "无法生成该设备的 %s 报文：%v",
}
