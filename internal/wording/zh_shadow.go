package wording

// zhShadow are the sentences of shadow and deviceimage.
var zhShadow = map[string]string{
	"devices of the dialect %s have no shadow; use desired values or set properties": "%s 设备没有设备影子，请使用期望属性值或设置属性",
	"version %d is below 0":                                   "版本 %d 小于 0",
	"an attribute has no name":                                "有属性没有名称",
	"attribute %q: a shadow has at most %d levels":            "属性 %q：设备影子最多嵌套 %d 层",
	"the desired value of %q has version %d, not %d":          "属性 %q 的期望值版本为 %d，而不是 %d，请读取后重试",
	"a device has at most %d desired values":                  "一台设备最多 %d 个期望值",
	"devices of product %q have no image; those of OneNET do": "产品 %q 的设备没有设备镜像，OneNET 设备才有",
}
