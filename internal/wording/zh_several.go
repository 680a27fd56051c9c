package wording

// zhSeveral are the sentences of several rooms.
var zhSeveral = map[string]string{
	"there is no product %q":                                             "产品 %q 不存在",
	"product %q speaks the unknown dialect %q":                           "产品 %q 的协议 %q 无法识别",
	"%q is no cursor: take it from the page before":                      "%q 不是有效的翻页游标，请使用上一页返回的 next",
	"name at least one property":                                         "请至少填写一个属性",
	"name at least one attribute":                                        "请至少填写一个属性",
	"name at least one device":                                           "请至少填写一台设备",
	"the server is stopping":                                             "服务器正在停止，请稍后重试",
	"the description is longer than %d characters":                       "描述过长，最多 %d 个字符",
	"the timeout is from %v to %v":                                       "超时时间应在 %v 到 %v 之间",
	"%d bytes are more than %d":                                          "共 %d 字节，超过上限 %d 字节",
	"from lies not before to":                                            "开始时间 from 须早于结束时间 to",
	"there is no such access token":                                      "访问令牌不存在",
	"this server has no port for devices":                                "本服务器没有开放设备接入端口",
	"the script has %d bytes, more than %d":                              "脚本有 %d 字节，超过上限 %d 字节",
	"this needs the role %s; %s has the role %s":                         "需要 %s 权限，%s 的角色是 %s",
	"%q is no length of time: write for instance 5s":                     "%q 不是有效的时长，请按 5s 的格式填写",
	"%q is no length of time: write for instance 10s":                    "%q 不是有效的时长，请按 10s 的格式填写",
	"%q is no duration: write for instance 5s":                           "%q 不是有效的时长，请按 5s 的格式填写",
	"this is a %s: give the certificate, and keep its key in the device": "这是 %s，请提供证书，私钥应留在设备中",
}
