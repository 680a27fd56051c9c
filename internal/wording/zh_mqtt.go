package wording

var zhMQTT = map[string]string{
	"mqtt: %s [%s]: %s":                               "%s [%s]：%s",
	"topic name invalid":                              "Topic 不合法",
	"topic filter invalid":                            "Topic 过滤器不合法",
	"a topic name holds no wildcard, neither + nor #": "发布的 Topic 不能含通配符 + 和 #",
	"a shared subscription is $share/NAME/FILTER, the name neither empty nor with a wildcard": "共享订阅的格式为 $share/名称/过滤器，名称非空且不含通配符",
	"it is empty, but at least one character is needed":                                       "不能为空",
	"it is longer than 65535 bytes":                                                           "超过 65535 字节",
	"it is not UTF-8":                                                                         "不是 UTF-8 文本",
	"it holds the null character":                                                             "含有空字符 U+0000",
	"it has more than 200 levels":                                                             "超过 200 级",
	"# stands alone in the last level, nowhere else":                                          "# 只能独占最后一级",
	"+ stands alone in its level":                                                             "+ 必须独占一级",
	"mqtt: bad %s [%s]":                                                                       "%s 报文不符合 MQTT 规范 [%s]",
	"mqtt: bad %s [%s]: %s":                                                                   "%s 报文不符合 MQTT 规范 [%s]：%s",
	"hex at offset %d: %w":                                                                    "十六进制文本的偏移 %d 处：%v",
	"no digits":                                                                               "没有十六进制数字",
	"%q is not a hexadecimal digit":                                                           "%q 不是十六进制数字",
	"digits are missing":                                                                      "缺少十六进制数字",
	"1 digit, but a byte has two":                                                             "只有 1 个数字，每个字节需要两位",
	"%d digits, but a byte has two":                                                           "连写了 %d 个数字，每个字节需要两位",
}
