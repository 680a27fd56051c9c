package wording

var zhEnroll = map[string]string{
	"the note is longer than %d bytes":                                              "备注过长，最多 %d 字节",
	"product %q has a batch %q already":                                             "产品 %q 已有批次 %q",
	"%d of %d devices cannot be made, and none was; the first: %w":                  "%[2]d 台设备中有 %[1]d 台无法创建，因此全部未创建；第一个原因：%[3]v",
	"give names, or a count and a prefix, not both":                                 "请填写设备名称列表，或填写数量和前缀，不能同时填写",
	"a batch has at most %d devices: make several":                                  "一个批次最多 %d 台设备，请分多个批次创建",
	"say how many devices: 1 to %d":                                                 "请填写设备数量，1 到 %d",
	"a prefix has at most %d characters, so that names stay within the vendor's 32": "前缀最多 %d 个字符，以保证 DeviceName 不超过厂商规定的 32 个字符",
	"product %q has no batch %q":                                                    "产品 %q 没有批次 %q",
	"batch %q has %d devices: disable it, or delete them first":                     "批次 %q 下有 %d 台设备，请先删除设备，或将批次禁用",
	"a list has at most %d names; this one has %d":                                  "名单最多 %d 个名称，这里有 %d 个",
	"give 1 to %d names at once":                                                    "一次请填写 1 到 %d 个名称",
	"%q is no name of a device":                                                     "%q 不是合法的 DeviceName",
	"device %q never registered":                                                    "设备 %q 从未动态注册",
}
