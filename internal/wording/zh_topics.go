package wording

var zhTopics = map[string]string{
	"product %q has %d topic classes; that is the most":                                     "产品 %q 已有 %d 个 Topic 类，达到上限",
	"product %q has not declared the topic %q":                                              "产品 %q 没有定义 Topic %q",
	"topic %q: levels are of letters, digits and _; a whole level may be +, the last one #": "Topic %q 不合法：每级只能包含字母、数字和下划线，整级可用 +，最后一级可用 #",
	"the permission is publish, subscribe or both":                                          "权限应为发布、订阅或发布和订阅（publish、subscribe、both）",
	"topic %q has wildcards: devices may only subscribe to it":                              "Topic %q 含通配符，只能设为订阅",
	"topic %q is too long: with product and device it has more than %d bytes":               "Topic %q 过长：含产品和设备在内最多 %d 字节",
	"topic %q is too deep: with product and device it has more than %d slashes":             "Topic %q 层级过多：含产品和设备在内最多 %d 个斜杠",
}
