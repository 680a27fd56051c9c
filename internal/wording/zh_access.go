package wording

var zhAccess = map[string]string{
	"too many failed sign-ins; try again in %d seconds":                           "登录失败次数过多，请在 %d 秒后重试",
	"the session has ended: sign in again":                                        "会话已结束，请重新登录",
	"a password has at least %d characters":                                       "密码至少 %d 个字符",
	"a password has at most %d bytes":                                             "密码最多 %d 字节",
	"too many passwords are being checked: %w":                                    "正在校验的密码过多，请稍后重试：%v",
	"name or password is not right":                                               "用户名或密码不正确",
	"name the token in 1 to %d characters, so that people know whose it is":       "请填写令牌用途，1 到 %d 个字符，以便识别",
	"the token would have expired at once":                                        "令牌的过期时间早于当前时间",
	"there are %d access tokens, the most there may be: delete some":              "已有 %d 个访问令牌，达到上限，请先删除一些",
	"there is no access token %q":                                                 "访问令牌 %q 不存在",
	"the access token %q expired on %s":                                           "访问令牌 %q 已于 %s 过期",
	"sign in, or send an access token as Authorization: Bearer mt_…":              "请先登录，或在请求头 Authorization: Bearer mt_… 中携带访问令牌",
	"name %q: begin with a letter or digit; up to 64 letters, digits and . _ @ -": "用户名 %q 不合法：以字母或数字开头，最多 64 个字符，可含字母、数字和 . _ @ -",
	"there are %d operators, the most there may be":                               "已有 %d 个用户，达到上限",
	"the old password is not right":                                               "当前密码不正确",
	"%s is the last administrator: make another one first":                        "%s 是最后一个管理员，请先添加另一个管理员",
	"role %q is none of administrator, operator, viewer":                          "角色 %q 无法识别，可用 administrator、operator 或 viewer",
	"there is no operator %q":                                                     "用户 %q 不存在",
	"there is an operator %q already":                                             "用户 %q 已存在",
	"there is such an access token already":                                       "该访问令牌已存在",
}
