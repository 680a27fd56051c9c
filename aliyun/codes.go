package aliyun

import "sort"

// A text is what a diagnosis says. Verbs are filled by whoever finds the
// mistake.
type text struct{ sentence, sentenceZH, advice, adviceZH string }

var texts = map[string]text{
	"aliyun-members-unsigned": {
		"the signature covers fewer members than were sent", "签名内容少于实际发送的成员",
		"sign all that is sent but version, sign, resources and signmethod: seq, too", "除 version、sign、resources、signmethod 外，所有已发送的成员（包括 seq）都要参与签名"},
	"aliyun-stray-bytes": {
		"the %s has blanks, quotes, line ends or NULs around it", "%s 前后带有空格、引号、换行或 NUL",
		"trim what you read from a file or a serial line before you use it", "从文件或串口读入的内容，使用前请去除首尾空白"},
	"aliyun-full-width": {
		"the %s holds full-width characters of a Chinese input method: %s should be %s", "%s 中含有全角字符：%s 应为 %s",
		"type it with half-width characters, or copy it as it is", "请切换到半角（英文）输入，或直接复制"},
	"aliyun-username-form": {
		"the user name is not deviceName&productKey", "用户名不是 deviceName&productKey 的形式",
		"join device name and product key with an ampersand, the device first", "用 & 连接设备名称与 ProductKey，设备名称在前"},
	"aliyun-url-encoded": {
		"the %s is URL-encoded; MQTT carries it as it is", "%s 被做了 URL 编码；MQTT 中应原样发送",
		"send the characters themselves, not %26 or %7C", "直接发送字符本身，不要写成 %26 或 %7C"},
	"aliyun-names-swapped": {
		"device name and product key are the wrong way round in the user name", "用户名中设备名称与 ProductKey 的顺序颠倒",
		"the device comes first: deviceName&productKey", "设备名称在前：deviceName&productKey"},
	"aliyun-unknown-product": {
		"there is no product %q here", "这里没有产品 %q",
		"create the product with this key, or correct it", "请以该 ProductKey 创建产品，或更正它"},
	"aliyun-unknown-device": {
		"product %q has no device %q", "产品 %q 下没有设备 %q",
		"create the device first, or correct its name", "请先创建设备，或更正设备名称"},
	"aliyun-device-name-case": {
		"there is no device %q; %q differs in upper and lower case only", "没有设备 %q；%q 仅大小写不同",
		"names are case-sensitive", "设备名称区分大小写"},
	"aliyun-clientid-no-bars": {
		"the client id lacks its part between bars, |securemode=…,signmethod=…|", "clientId 缺少两个竖线之间的部分 |securemode=…,signmethod=…|",
		"the MQTT client id is your own id followed by the parameters between bars", "MQTT 的 clientId 由自定义 id 加上竖线之间的参数组成"},
	"aliyun-clientid-one-bar": {
		"the client id has only one of its two bars", "clientId 只有一个竖线，应有两个",
		"end the client id with a bar; a buffer may have cut it off", "clientId 应以竖线结尾；可能是缓冲区截断了它"},
	"aliyun-escaped-commas": {
		"the client id holds backslashes before its commas", "clientId 的逗号前带有反斜杠",
		"escape commas for the AT command only, not in what is sent", "逗号只需在 AT 指令中转义，实际发送的内容不应包含反斜杠"},
	"aliyun-id2": {
		"securemode=8 (ID²) needs the vendor's own key service", "securemode=8（ID²）需要厂商的密钥服务",
		"sign with the device secret and securemode=2 or 3", "请使用设备密钥签名，并采用 securemode=2 或 3"},
	"aliyun-unknown-method": {
		"the signmethod of the client id is not known", "clientId 中的 signmethod 无法识别",
		"use hmacsha256, hmacsha1 or hmacmd5", "请使用 hmacsha256、hmacsha1 或 hmacmd5"},
	"aliyun-secret-as-password": {
		"the device secret itself was sent as the password", "把设备密钥本身当作密码发送了",
		"the password is an HMAC made with the secret", "密码应为用设备密钥计算的 HMAC"},
	"aliyun-no-password": {
		"no password was sent", "没有发送密码",
		"sign the login: matou sign aliyun shows how", "请对登录参数签名：可用 matou sign aliyun 查看"},
	"aliyun-password-raw": {
		"the password is the raw bytes of the signature", "密码是签名的原始字节",
		"send the signature as hex digits", "请以十六进制文本发送签名"},
	"aliyun-password-base64": {
		"the password is the signature in Base64", "密码是 Base64 编码的签名",
		"Aliyun wants hex digits", "阿里云要求十六进制文本"},
	"aliyun-password-cut": {
		"the password is right but cut off: %d of %d digits came", "密码正确但被截断：共 %[2]d 位，只收到 %[1]d 位",
		"enlarge the buffer that holds the password", "请增大存放密码的缓冲区"},
	"aliyun-password-long": {
		"the password is right but something follows it: %d bytes came, %d are right", "密码正确但后面还有多余内容：收到 %d 字节，应为 %d",
		"send the digits only, without a terminating byte", "只发送这些十六进制字符，不要带结尾字节"},
	"aliyun-password-not-hex": {
		"the password is no hex signature; %d hex digits are expected", "密码不是十六进制签名；应为 %d 位十六进制字符",
		"sign the login: matou sign aliyun shows how", "请对登录参数签名：可用 matou sign aliyun 查看"},
	"aliyun-password-length": {
		"a password of %d digits fits no method; %s has %d", "%d 位的密码不符合任何签名方法；%s 应为 %d 位",
		"a buffer may have cut it off", "可能是缓冲区截断了它"},
	"aliyun-product-secret": {
		"the login is signed with the ProductSecret", "登录使用了 ProductSecret 签名",
		"sign with the device's own DeviceSecret", "请使用该设备自己的 DeviceSecret"},
	"aliyun-previous-secret": {
		"the login is signed with the secret that the device had before it was reset", "登录使用了重置之前的旧密钥签名",
		"put the new secret into the device", "请把新密钥写入设备"},
	"aliyun-secret-case": {
		"the login is signed with the secret in wrong upper or lower case", "签名所用密钥的大小写不对",
		"secrets are case-sensitive: copy it as it is", "密钥区分大小写，请原样复制"},
	"aliyun-secret-stray": {
		"the login is signed with a blank, line end or NUL beside the secret", "签名所用密钥前后带有空格、换行或 NUL",
		"trim the secret before you sign", "签名前请去除密钥首尾空白"},
	"aliyun-secret-decoded": {
		"the secret was decoded from hex or Base64 before it was used", "签名前把密钥按十六进制或 Base64 解码了",
		"use the secret's text itself as the key", "请直接以密钥文本作为密钥"},
	"aliyun-other-clientid": {
		"the signature is made over another client id: %s instead of %q", "签名所用的 clientId 不一致：使用了 %s，应为 %q",
		"sign what stands before the first bar of the client id", "签名时使用 clientId 第一个竖线之前的部分"},
	"aliyun-timestamp-unannounced": {
		"timestamp %s was signed but does not stand in the client id", "时间戳 %s 参与了签名，但 clientId 中没有",
		"put the same timestamp into the client id", "请在 clientId 中写入同一个时间戳"},
	"aliyun-timestamp-mismatch": {
		"timestamp %s was signed, but the client id says %s", "签名使用的时间戳是 %s，而 clientId 中是 %s",
		"use one value in both places", "两处请使用同一个值"},
	"aliyun-content-form": {
		"the signed text has its members in wrong order, with separators, or with names in wrong case", "签名文本的顺序、分隔符或参数名大小写不对",
		"write names and values in alphabetical order with nothing between", "按字母顺序写参数名和值，中间不加任何字符"},
	"aliyun-wrong-method": {
		"the login was signed with %s, but signmethod says %s", "登录实际使用 %s 签名，而 signmethod 为 %s",
		"make both the same", "请使两者一致"},
	"aliyun-key-and-text-swapped": {
		"key and text of the HMAC are swapped", "HMAC 的密钥与文本颠倒",
		"the secret is the key, the parameters are the text", "密钥是 DeviceSecret，文本是参数"},
	"aliyun-plain-hash": {
		"the password is a plain %s, not an HMAC", "密码是普通的 %s 摘要，而不是 HMAC",
		"use the HMAC function with the secret as its key", "请使用 HMAC 函数，以 DeviceSecret 为密钥"},
	"aliyun-register-plain": {
		"a registration over MQTT came without TLS", "通过 MQTT 的动态注册没有使用 TLS",
		"connect with TLS: the answer holds the device's secret", "请使用 TLS 连接：应答中含有设备密钥"},
	"aliyun-register-missing": {
		"the registration lacks %s", "注册请求缺少 %s",
		"send productKey, deviceName, random, signMethod and sign", "请发送 productKey、deviceName、random、signMethod 和 sign"},
	"aliyun-register-body": {
		"the body is no form: %s", "请求体不是 x-www-form-urlencoded 表单",
		"send application/x-www-form-urlencoded: productKey=…&deviceName=…&random=…&sign=…&signMethod=…", "请以 application/x-www-form-urlencoded 发送：productKey=…&deviceName=…&random=…&sign=…&signMethod=…"},
	"aliyun-register-method": {
		"the registration is signed by %q, which is no known method", "注册请求的签名方法 %q 无法识别",
		"use hmacsha256, hmacsha1 or hmacmd5", "请使用 hmacsha256、hmacsha1 或 hmacmd5"},
	"aliyun-register-other-method": {
		"the registration was signed with %s, but %s is announced", "注册请求实际使用 %s 签名，而声明的是 %s",
		"make both the same", "请使两者一致"},
	"aliyun-register-device-secret": {
		"the registration is signed with the DeviceSecret", "注册请求使用了 DeviceSecret 签名",
		"sign with the ProductSecret; a device that has its DeviceSecret need not register", "请使用 ProductSecret 签名；已有 DeviceSecret 的设备无需注册"},
	"aliyun-register-previous-secret": {
		"the registration is signed with the ProductSecret that the product had before it was reset", "注册请求使用了重置之前的 ProductSecret 签名",
		"put the new ProductSecret into the firmware: matou product show --secrets", "请把新的 ProductSecret 写入固件：matou product show --secrets"},
	"aliyun-register-other-text": {
		"the ProductSecret is right, but the text that was signed is not: %s", "ProductSecret 正确，但签名的文本不对：%s",
		"sign deviceName, productKey and random, each name followed by its value, with nothing between and nothing else", "只对 deviceName、productKey、random 签名，参数名后紧跟参数值，中间不加任何字符"},
	"aliyun-register-form": {
		"the signature is right but not written as it has to be: %s came, %d hex digits are right", "签名正确但书写形式不对：收到的是 %s，应为 %d 位十六进制字符",
		"send the signature as hex digits, all of them and nothing else", "请以十六进制文本发送完整的签名，不要有多余内容"},
	"aliyun-register-secret-as-sign": {
		"the ProductSecret itself was sent as the signature", "把 ProductSecret 本身当作签名发送了",
		"the signature is an HMAC made with the ProductSecret; reset the secret, it has been on the wire", "签名应为用 ProductSecret 计算的 HMAC；该密钥已在网络上暴露，请重置"},
	"aliyun-register-wrong-sign": {
		"the signature of the registration fits none of the known mistakes: most likely it is made with the ProductSecret of another product", "注册请求的签名不符合任何已知错误：很可能使用了其他产品的 ProductSecret",
		"copy the ProductSecret of this very product: matou product show --secrets", "请复制该产品自己的 ProductSecret：matou product show --secrets"},
	"aliyun-register-off": {
		"dynamic registration of product %q is switched off", "产品 %q 未开启动态注册",
		"switch it on: matou product registration PRODUCT --on", "请开启：matou product registration PRODUCT --on"},
	"aliyun-register-free-off": {
		"product %q does not register devices that were not made before", "产品 %q 未开启免预注册",
		"switch it on: matou product registration PRODUCT --on --free; or make the device and register with authType=register", "请开启：matou product registration PRODUCT --on --free；或者预先创建设备并使用 authType=register"},
	"aliyun-register-full": {
		"product %q has %d devices, and no more are made by registration", "产品 %q 已有 %d 台设备，不再通过注册创建新设备",
		"raise the bound: matou product registration PRODUCT --max N", "请提高上限：matou product registration PRODUCT --max N"},
	"aliyun-register-unlisted": {
		"the name %q is not on the list of product %q", "设备名称 %q 不在产品 %q 的白名单中",
		"put it there: matou product allow PRODUCT NAME", "请将其加入：matou product allow PRODUCT NAME"},
	"aliyun-register-no-device": {
		"product %q has no device %q, and this way of registering makes none", "产品 %q 下没有设备 %q，且这种注册方式不会创建设备",
		"make the device first: matou device add, or matou batch create", "请先创建设备：matou device add 或 matou batch create"},
	"aliyun-register-name": {
		"no device can have the name %q", "设备名称 %q 不合规范",
		"use 4 to 32 letters, digits and - _ @ . :", "请使用 4 到 32 位字母、数字以及 - _ @ . :"},
	"aliyun-register-disabled": {
		"device %q is disabled", "设备 %q 已被禁用",
		"enable it: matou device enable PRODUCT/DEVICE", "请启用设备：matou device enable PRODUCT/DEVICE"},
	"aliyun-register-activated": {
		"device %q has connected before: its secret is not handed out again", "设备 %q 已激活：不再下发设备密钥",
		"keep the secret in the device; if it is lost, reset the device: matou device reset PRODUCT/DEVICE", "请在设备中保存密钥；若已丢失，请重置设备：matou device reset PRODUCT/DEVICE"},
	"aliyun-register-too-often": {
		"device %q registers more than %d times a minute", "设备 %q 每分钟注册超过 %d 次",
		"disconnect after the answer has come and log in with what it holds: an MQTT library that reconnects by itself registers again and again", "收到应答后请断开，并使用其中的密钥登录：自动重连的 MQTT 库会反复注册"},
	"aliyun-register-again": {
		"device %q has registered %d times and never connected", "设备 %q 已注册 %d 次但从未连接",
		"disconnect after the answer has come, keep the secret and log in with it; switch automatic reconnection off while registering", "收到应答后请断开，保存密钥并用它登录；注册期间请关闭自动重连"},
	"aliyun-register-unavailable": {
		"the registration could not be written down", "注册结果未能保存",
		"see the server's log; the device may try again", "请查看服务器日志；设备可以重试"},
	"aliyun-token-client": {
		"the deviceToken is right, but not with the client id %q", "deviceToken 正确，但 clientId %q 不匹配",
		"use the clientId that came with the deviceToken", "请使用与 deviceToken 一同下发的 clientId"},
	"aliyun-token-previous": {
		"the deviceToken is the one from before the device was registered again or reset", "deviceToken 是设备重新注册或重置之前的",
		"keep the clientId and deviceToken that came last", "请保存最近一次下发的 clientId 和 deviceToken"},
	"aliyun-token-wrong": {
		"the password is neither the device's deviceToken nor a right signature", "密码既不是该设备的 deviceToken，也不是正确的签名",
		"send the deviceToken of /ext/regnwl as it is, with the clientId that came with it", "请原样发送 /ext/regnwl 下发的 deviceToken，并使用同时下发的 clientId"},
	"aliyun-iot-token-expired": {
		"the iotToken expired at %s", "iotToken 已于 %s 过期",
		"ask /auth/devicename for another one before each connection, or at least once in 7 days", "每次连接前（或至少每 7 天）请重新请求 /auth/devicename"},
	"aliyun-iot-token-previous": {
		"the iotToken is from before the device's secret was reset", "iotToken 是设备密钥重置之前的",
		"put the new secret into the device and ask /auth/devicename again", "请把新密钥写入设备，并重新请求 /auth/devicename"},
	"aliyun-iot-token-wrong": {
		"the password is not the iotToken that belongs to this iotId", "密码不是该 iotId 对应的 iotToken",
		"send iotId as the user name and iotToken as the password, both as /auth/devicename gave them", "请原样使用 /auth/devicename 返回的 iotId 作为用户名、iotToken 作为密码"},
	"aliyun-http-body": {
		"the login cannot be read: %s", "登录请求无法解析：请求体不是 JSON 对象",
		"POST one JSON object: clientId, productKey, deviceName, signmethod, sign", "请以 POST 发送一个 JSON 对象：clientId、productKey、deviceName、signmethod、sign"},
	"aliyun-http-missing": {
		"the login lacks %s", "登录请求缺少 %s",
		"send clientId, productKey, deviceName and sign, and signmethod unless it is hmacmd5", "请发送 clientId、productKey、deviceName 和 sign；signmethod 不是 hmacmd5 时也需发送"},
	"aliyun-http-token-expired": {
		"the token expired at %s", "token 已于 %s 过期",
		"POST /auth again and use the token that comes back; one is good for 7 days", "请重新 POST /auth 并使用返回的 token；有效期 7 天"},
	"aliyun-http-token-missing": {
		"the request has no token", "请求中没有 token",
		"send the token of /auth in the header password", "请把 /auth 返回的 token 放在 password 请求头中"},
	"aliyun-http-token-previous": {
		"the token is from before the device's secret was reset", "token 是设备密钥重置之前的",
		"put the new secret into the device and POST /auth again", "请把新密钥写入设备，并重新 POST /auth"},
	"aliyun-http-token-wrong": {
		"the token is none that was handed out here", "token 不是这里签发的",
		"send the token of /auth whole and as it came; a buffer may have cut it off", "请完整原样发送 /auth 返回的 token；可能是缓冲区截断了它"},
	"aliyun-http-topic": {
		"the topic %q cannot be used over HTTP: %s", "主题 %[1]q 不能通过 HTTP 使用：不能为空，也不能含通配符或不合法的字符",
		"POST /topic/ followed by one of the device's own topics, without a query", "请 POST /topic/ 加上设备自己的主题，不要带查询参数"},
	"aliyun-http-too-large": {
		"the message is larger than %d bytes", "消息超过 %d 字节",
		"send less at once, or use MQTT", "请减小单条消息，或改用 MQTT"},
	"aliyun-wrong-secret": {
		"the signature fits none of the known mistakes: most likely it is made with the secret of another device", "签名不符合任何已知错误：很可能使用了其他设备的密钥",
		"copy the secret of this very device", "请复制该设备自己的密钥"},
}

// A CodeInfo describes a code of a Diagnosis.
type CodeInfo struct {
	Code     string `json:"code"`
	Title    string `json:"title"`
	TitleZH  string `json:"titleZh"`
	Advice   string `json:"advice"`
	AdviceZH string `json:"adviceZh"`
}

// Codes lists all codes that diagnoses of this package have, in alphabetical order.
func Codes() []CodeInfo {
	list := make([]CodeInfo, 0, len(texts)+len(subTexts)+len(coapTexts))
	for _, all := range []map[string]text{texts, subTexts, coapTexts} {
		for code, t := range all {
			list = append(list, CodeInfo{code, t.sentence, t.sentenceZH, t.advice, t.adviceZH})
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Code < list[j].Code })
	return list
}
