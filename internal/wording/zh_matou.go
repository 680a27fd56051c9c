package wording

// zhMatou are the sentences of the command line about the API it cannot reach
// or sign in at.
var zhMatou = map[string]string{
	"%s describes a %s: run it with '%s %s'": "%s 描述的是%s，请用“%s %s”运行",
	"single device":                          "单台设备",
	"fleet":                                  "设备群",
	"--count %d is below 0":                  "--count %d 小于 0",
	"%q is neither hex (%v) nor a file":      "%q 既不是十六进制（%v），也不是文件",
	"%q is neither hex nor a file":           "%q 既不是十六进制，也不是文件",
	"--junit: %w":                            "--junit：%v",
	"--example %s: there are %s":             "--example %s：可用 %s",
	"--product and --csv are for a scenario with one group: this one has %d":             "--product 和 --csv 用于只有一个分组的场景，此场景有 %d 个分组",
	"--remove is about devices that are made with --api: name it, or leave --remove out": "--remove 用于通过 --api 创建的设备：请填写 --api，或去掉 --remove",
	"name a file or an example: %s, or --example with one of %s":                         "请指定文件或示例：%s，或 --example，可用：%s",
	"none was given":                     "没有提供",
	"none was given, and there is no %s": "没有提供，也没有文件 %s",
	"none was given, and %w":             "没有提供，且 %v",
	"none was given, and %s is empty":    "没有提供，且文件 %s 为空",
	"No access token: %w.\nGive one with --token or MATOU_TOKEN, or name the data directory of a Matou on this machine with --data":     "缺少访问令牌：%v。\n请用 --token 或 MATOU_TOKEN 提供，或用 --data 指定本机 Matou 的数据目录",
	"The access token was not accepted. Give another with --token or MATOU_TOKEN, or name the data directory of this Matou with --data": "访问令牌未被接受。请用 --token 或 MATOU_TOKEN 提供另一个，或用 --data 指定该 Matou 的数据目录",
	"no answer at %s: %w\nIs Matou running? Start it with `matou serve`, or name it with --server, or its data directory with --data":   "%s 没有应答：%v\nMatou 是否在运行？请用 matou serve 启动，或用 --server 指定地址，或用 --data 指定数据目录",
	"no answer from %s in time": "%s 没有在规定时间内应答",
	"no answer from %s: %w":     "%s 没有应答：%v",
	"Who forgot it says --reset, on the machine that Matou runs on": "忘记密码时，请在运行 Matou 的机器上使用 --reset",
}
