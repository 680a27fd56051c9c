package wording

var zhTopology = map[string]string{
	"a time from 1 to %d seconds is right":                 "时间应在 1 到 %d 秒之间",
	"the dialect %s has no such message for gateways":      "%s 协议没有这种网关消息",
	"the registration of %s could not be written down: %w": "%s 的注册未能保存：%v",
	"remember a sub-device's session: %w":                  "保存子设备的会话失败：%v",
	"keep the first login of a sub-device: %w":             "保存子设备的首次登录失败：%v",
}
