package wording

var zhScript = map[string]string{
	"the script is no UTF-8 text":                  "脚本不是 UTF-8 文本",
	"the script has none of the functions %s":      "脚本中没有以下任何一个函数：%s",
	"product %q has no script":                     "产品 %q 没有数据解析脚本",
	"%q is no function of a script: use one of %s": "%q 不是脚本函数，可用：%s",
	"a message has at most %d bytes":               "一条消息最多 %d 字节",
}
