package aliyun

// signSub is what to do about most mistakes in a sub-device's signature.
const (
	signSub   = "sign clientId, deviceName, productKey and timestamp as they stand in the message, names and values joined, with the sub-device's own DeviceSecret"
	signSubZH = "用子设备自己的 DeviceSecret，对消息中的 clientId、deviceName、productKey、timestamp（名与值依次相连）签名"
)

// subTexts are what DiagnoseSub says.
var subTexts = map[string]text{
	"aliyun-sub-no-sign": {
		"the sub-device comes without sign: nothing proves that the gateway knows its secret", "子设备缺少 sign：无法证明网关持有其密钥",
		signSub, signSubZH},
	"aliyun-sub-unknown-method": {
		"the sub-device's signMethod is not known", "子设备的 signMethod 无法识别",
		"use hmacSha256, hmacSha1 or hmacMd5, in any letter case", "请使用 hmacSha256、hmacSha1 或 hmacMd5，大小写不限"},
	"aliyun-sub-gateway-secret": {
		"the sub-device is signed with the gateway's secret", "子设备的签名使用了网关的密钥",
		"sign with the sub-device's own DeviceSecret", "请使用子设备自己的 DeviceSecret 签名"},
	"aliyun-sub-product-secret": {
		"the sub-device is signed with its ProductSecret", "子设备的签名使用了 ProductSecret",
		"sign with the sub-device's own DeviceSecret", "请使用子设备自己的 DeviceSecret 签名"},
	"aliyun-sub-previous-secret": {
		"the sub-device is signed with the secret that it had before it was reset", "子设备的签名使用了重置之前的旧密钥",
		"give the gateway the sub-device's new secret", "请把子设备的新密钥配置到网关"},
	"aliyun-sub-secret-as-password": {
		"the sub-device's secret itself was sent as sign", "把子设备的密钥本身当作 sign 发送了",
		"sign is an HMAC made with the secret; reset the secret, it has been on the wire", "sign 应为用密钥计算的 HMAC；密钥已在网络上泄露，请重置"},
	"aliyun-sub-secret-case": {
		"the sub-device is signed with its secret in wrong upper or lower case", "子设备签名所用密钥的大小写不对",
		"secrets are case-sensitive: copy it as it is", "密钥区分大小写，请原样复制"},
	"aliyun-sub-secret-stray": {
		"the sub-device is signed with a blank, line end or NUL beside its secret", "子设备签名所用密钥前后带有空格、换行或 NUL",
		"trim the secret before you sign", "签名前请去除密钥首尾空白"},
	"aliyun-sub-secret-decoded": {
		"the sub-device's secret was decoded from hex or Base64 before it was used", "签名前把子设备的密钥按十六进制或 Base64 解码了",
		"use the secret's text itself as the key", "请直接以密钥文本作为密钥"},
	"aliyun-sub-password-raw": {
		"sign is the raw bytes of the signature", "sign 是签名的原始字节",
		"write the signature as hex digits", "请以十六进制文本填写 sign"},
	"aliyun-sub-password-base64": {
		"sign is the signature in Base64", "sign 是 Base64 编码的签名",
		"Aliyun wants hex digits", "阿里云要求十六进制文本"},
	"aliyun-sub-password-cut": {
		"sign is right but cut off", "sign 正确但被截断",
		"enlarge the buffer that holds it", "请增大存放 sign 的缓冲区"},
	"aliyun-sub-password-long": {
		"sign is right but something follows it", "sign 正确但后面还有多余内容",
		"write the digits only, without a terminating byte", "只填写这些十六进制字符，不要带结尾字节"},
	"aliyun-sub-password-not-hex": {
		"sign is no hex text", "sign 不是十六进制文本",
		signSub, signSubZH},
	"aliyun-sub-password-length": {
		"sign has a length that fits no method: 32, 40 or 64 digits are right", "sign 的长度不符合任何签名方法：应为 32、40 或 64 位",
		"a buffer may have cut it off", "可能是缓冲区截断了它"},
	"aliyun-sub-url-encoded": {
		"sign is URL-encoded; JSON carries it as it is", "sign 被做了 URL 编码；JSON 中应原样填写",
		"write the digits themselves", "请直接填写十六进制字符"},
	"aliyun-sub-stray-bytes": {
		"a member of the sub-device has blanks, quotes, line ends or NULs around it", "子设备的某个成员前后带有空格、引号、换行或 NUL",
		"trim what you read from a file or a serial line before you use it", "从文件或串口读入的内容，使用前请去除首尾空白"},
	"aliyun-sub-clientid-bars": {
		"the signature is made over the part of clientId before its bar; for a sub-device the whole clientId is signed, bars included", "签名只用了 clientId 竖线之前的部分；子设备应对完整的 clientId（含竖线）签名",
		"sign the clientId as it stands in the message", "请对消息中的 clientId 原样签名"},
	"aliyun-sub-other-clientid": {
		"the signature is made over another clientId than the one in the message", "签名所用的 clientId 与消息中的不一致",
		"sign the clientId as it stands in the message", "请对消息中的 clientId 原样签名"},
	"aliyun-sub-timestamp-unannounced": {
		"a timestamp was signed but does not stand in the message", "时间戳参与了签名，但消息中没有",
		"put the same timestamp into the message", "请在消息中写入同一个时间戳"},
	"aliyun-sub-timestamp-mismatch": {
		"another timestamp was signed than the one in the message", "签名使用的时间戳与消息中的不一致",
		"use one value in both places", "两处请使用同一个值"},
	"aliyun-sub-content-form": {
		"the signed text has its members in wrong order, with separators, or with names in wrong case", "签名文本的顺序、分隔符或参数名大小写不对",
		signSub, signSubZH},
	"aliyun-sub-wrong-method": {
		"the signature was made by another method than signMethod says", "签名方法与 signMethod 不一致",
		"make both the same", "请使两者一致"},
	"aliyun-sub-key-and-text-swapped": {
		"key and text of the HMAC are swapped", "HMAC 的密钥与文本颠倒",
		"the secret is the key, the members are the text", "密钥是 DeviceSecret，文本是各成员"},
	"aliyun-sub-plain-hash": {
		"sign is a plain digest, not an HMAC", "sign 是普通摘要，而不是 HMAC",
		"use the HMAC function with the secret as its key", "请使用 HMAC 函数，以 DeviceSecret 为密钥"},
	"aliyun-sub-wrong-secret": {
		"the signature fits none of the known mistakes: most likely it is made with the secret of another device", "签名不符合任何已知错误：很可能使用了其他设备的密钥",
		"copy the secret of this very sub-device", "请复制该子设备自己的密钥"},
}
