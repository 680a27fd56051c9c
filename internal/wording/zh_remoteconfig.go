package wording

// zhRemoteConfig are the sentences of remoteconfig and remotelog.
var zhRemoteConfig = map[string]string{
	"devices of the dialect %s have no remote log":                            "%s 设备不支持日志上报",
	"devices of the dialect %s know no remote configuration":                  "%s 设备不支持远程配置",
	"the configuration has %d bytes, more than %d":                            "配置有 %d 字节，超过上限 %d 字节",
	"the configuration is not JSON: devices expect a JSON file":               "配置不是合法的 JSON，设备需要 JSON 文件",
	"product %q has no remote configuration":                                  "产品 %q 没有远程配置",
	"product %q has no version %d of its configuration; the last %d are kept": "产品 %q 没有版本为 %d 的配置，只保留最近 %d 个版本",
}
