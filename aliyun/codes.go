package aliyun

import "sort"

// A text is what a diagnosis says. Verbs are filled by whoever finds the
// mistake.
type text struct{ sentence, sentenceZH, advice, adviceZH string }

var texts = map[string]text{
	"aliyun-stray-bytes": {
		"the %s has blanks, quotes, line ends or NULs around it", "%s 前后带有空格、引号、换行或 NUL",
		"trim what you read from a file or a serial line before you use it", "从文件或串口读入的内容，使用前请去除首尾空白"},
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
		"the login was signed with %s, but signmethod says %s", "登录实际使用 %s 签名，而 signmethod 写的是 %s",
		"make both the same", "请使两者一致"},
	"aliyun-key-and-text-swapped": {
		"key and text of the HMAC are swapped", "HMAC 的密钥与文本颠倒",
		"the secret is the key, the parameters are the text", "密钥是 DeviceSecret，文本是参数"},
	"aliyun-plain-hash": {
		"the password is a plain %s, not an HMAC", "密码是普通的 %s 摘要，而不是 HMAC",
		"use the HMAC function with the secret as its key", "请使用 HMAC 函数，以 DeviceSecret 为密钥"},
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

// Codes lists all codes that Diagnose gives, in alphabetical order.
func Codes() []CodeInfo {
	list := make([]CodeInfo, 0, len(texts))
	for code, t := range texts {
		list = append(list, CodeInfo{code, t.sentence, t.sentenceZH, t.advice, t.adviceZH})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Code < list[j].Code })
	return list
}
