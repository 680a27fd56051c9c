package wording

var zhBench = map[string]string{
	"fleets are switched off on this server: bench.fleetDevices is 0":                                         "本服务器已关闭设备群模拟：bench.fleetDevices 为 0",
	"%d devices are more than %d, which is what bench.fleetDevices allows; matou fleet run has no such bound": "共 %d 台设备，超过 bench.fleetDevices 允许的 %d 台；命令 matou fleet run 没有此限制",
	"%v is longer than %v; matou fleet run has no such bound":                                                 "时长 %v 超过上限 %v；命令 matou fleet run 没有此限制",
	"%.0f reports a second are more than %d: report less often, or take fewer devices":                        "每秒 %.0f 次上报，超过上限 %d 次，请降低上报频率或减少设备",
	"devices %s… of product %s are at work in fleet %s: end it, or take another prefix":                       "产品 %[2]s 下名称以 %[1]s 开头的设备正在设备群 %[3]s 中运行，请先结束它，或换一个前缀",
	"%d devices in all fleets would be more than %d: end a fleet, or take fewer":                              "所有设备群将共有 %d 台设备，超过 %d 台，请先结束一个设备群，或减少设备",
	"there is no fleet %s": "设备群 %s 不存在",
	"product %s has no thing model with properties: there is nothing to simulate":                      "产品 %s 的物模型没有属性，无法模拟",
	"device %s is simulated already":                                                                   "设备 %s 已在模拟中",
	"%d devices are simulated, and no more are allowed: end one of them":                               "已有 %d 台模拟设备，达到上限，请先结束一台",
	"device %s is not simulated":                                                                       "设备 %s 没有在模拟",
	"device %s has no property %s":                                                                     "设备 %s 没有属性 %s",
	"%d modules are at work, and no more are allowed: end one of them":                                 "已有 %d 个虚拟模组在运行，达到上限，请先结束一个",
	"no module %s is at work: it was ended, or was idle for %v":                                        "没有运行中的虚拟模组 %s：已被结束，或空闲超过 %v",
	"another terminal is attached to this module":                                                      "已有另一个终端连接到该模组",
	"product %s speaks %s, not %s: name another product":                                               "产品 %s 使用 %s 协议，而不是 %s，请换一个产品",
	"product %s has no thing model with properties: say what its devices report, by values or a model": "产品 %s 的物模型没有属性，请用 values 或 model 说明设备上报的内容",
}
