package onenet

import "sort"

// A text is what a diagnosis says. Verbs are filled by whoever finds the
// mistake.
type text struct{ sentence, sentenceZH, advice, adviceZH string }

var texts = map[string]text{
	"onenet-protocol-level":      {"OneNET takes MQTT 3.1.1 only, not %s", "OneNET 只支持 MQTT 3.1.1，不支持 %s", "set the module's protocol version to 3.1.1", "请把模组的协议版本设为 3.1.1"},
	"onenet-keep-alive":          {"a keep-alive of %d s is outside 10 to 1800", "keepAlive 为 %d 秒，超出 10 到 1800 的范围", "use 60 to 300", "建议 60 到 300"},
	"onenet-clean-session":       {"OneNET wants a clean session", "OneNET 要求 clean session 为 1", "set clean session to 1", "请把 clean session 设为 1"},
	"onenet-will":                {"OneNET takes no will", "OneNET 不支持遗嘱消息", "leave the will out", "请去掉遗嘱"},
	"onenet-no-password":         {"no password was sent", "没有发送密码", "make a token: matou sign onenet shows how", "请生成 token：可用 matou sign onenet 查看"},
	"onenet-key-as-password":     {"the key itself was sent as the password", "把密钥本身当作密码发送了", "make a token with the key: matou sign onenet shows how", "请用密钥生成 token：可用 matou sign onenet 查看"},
	"onenet-stray-bytes":         {"the %s has blanks, quotes, line ends or NULs around it", "%s 前后带有空格、引号、换行或 NUL", "trim what you read before you use it", "使用前请去除首尾空白"},
	"onenet-names-swapped":       {"product id and device name are in each other's places", "产品 ID 与设备名称的位置颠倒", "the client id is the device's name, the user name is the product id", "clientId 填设备名称，用户名填产品 ID"},
	"onenet-quotes":              {"the token stands between quotes", "token 被引号包住了", "send it without quotes", "请去掉引号"},
	"onenet-no-token":            {"the password is no token", "密码不是 token", "make one: matou sign onenet shows how", "请生成 token：可用 matou sign onenet 查看"},
	"onenet-token-encoded":       {"the token was URL-encoded as a whole", "整个 token 被做了 URL 编码", "encode the values only, not = and &", "只对各个值编码，不要编码 = 和 &"},
	"onenet-token-cut":           {"the token is cut off after %d bytes", "token 被截断，只有 %d 字节", "enlarge the buffer, or use the long form of the AT command", "请增大缓冲区，或使用 AT 指令的长格式"},
	"onenet-token-part":          {"the token has no %s", "token 缺少 %s", "a token has version, res, et, method and sign", "token 由 version、res、et、method、sign 组成"},
	"onenet-et-number":           {"et is %q, which is no number", "et 为 %q，不是数字", "et is the expiry in Unix seconds", "et 为到期时间，单位为 Unix 秒"},
	"onenet-clock-unset":         {"et is %s: the device's clock was not set when it made the token", "et 为 %s：生成 token 时设备时钟尚未校准", "get the time first, or make the token elsewhere", "请先对时，或在别处生成 token"},
	"onenet-token-expired":       {"the token expired on %s", "token 已于 %s 过期", "make a new one with a later et", "请用更晚的 et 重新生成"},
	"onenet-res-double-encoded":  {"res was URL-encoded twice", "res 被 URL 编码了两次", "encode it once", "只编码一次"},
	"onenet-res-form":            {"res is not products/{product id}/devices/{device name}", "res 不是 products/{产品ID}/devices/{设备名称} 的形式", "write it as shown", "请按该格式填写"},
	"onenet-res-product":         {"res speaks of product %q, the user name of %q", "res 中的产品是 %q，而用户名是 %q", "use one product id in both places", "两处请使用同一个产品 ID"},
	"onenet-client-id":           {"the client id %q is not the device's name %q", "clientId %q 不是设备名称 %q", "the client id has to be the device's name and nothing else", "clientId 必须是设备名称本身"},
	"onenet-unknown-product":     {"there is no product %q here", "这里没有产品 %q", "the user name is the product id: create the product, or correct it", "用户名应为产品 ID：请先创建产品，或更正它"},
	"onenet-unknown-device":      {"product %q has no device %q", "产品 %q 下没有设备 %q", "create the device first, or correct its name", "请先创建设备，或更正设备名称"},
	"onenet-device-name-case":    {"there is no device %q; %q differs in upper and lower case only", "没有设备 %q；%q 仅大小写不同", "names are case-sensitive", "设备名称区分大小写"},
	"onenet-previous-key":        {"the token is signed with the key from before it was regenerated", "token 使用了重新生成之前的旧密钥", "make a token with the new key", "请用新密钥生成 token"},
	"onenet-key-case":            {"the token is signed with the key in wrong upper or lower case", "签名所用密钥的大小写不对", "copy the key as it is", "请原样复制密钥"},
	"onenet-plus-lost":           {"a plus sign of the signature became a blank", "签名中的加号变成了空格", "encode + as %2B", "请把 + 编码为 %2B"},
	"onenet-sign-double-encoded": {"the signature was URL-encoded twice", "签名被 URL 编码了两次", "encode it once; in a C string %% prints one percent sign", "只编码一次；C 字符串中 %% 输出一个百分号"},
	"onenet-sign-hex":            {"the signature is in hex instead of Base64", "签名是十六进制，应为 Base64", "encode the raw bytes of the HMAC in Base64", "请对 HMAC 的原始字节做 Base64"},
	"onenet-sign-not-base64":     {"the signature is no Base64", "签名不是 Base64", "encode the raw bytes of the HMAC in Base64, then URL-encode", "请对 HMAC 的原始字节做 Base64，再做 URL 编码"},
	"onenet-key-not-decoded":     {"the key was used as text; it has to be Base64-decoded first", "直接使用了密钥文本；应先做 Base64 解码", "decode the key before the HMAC", "计算 HMAC 前请先解码密钥"},
	"onenet-res-signed-encoded":  {"the URL-encoded res was signed", "签名时使用了 URL 编码后的 res", "sign res as it is, encode it only in the token", "签名时使用未编码的 res，只在 token 中编码"},
	"onenet-separator":           {"the values were not joined by single line feeds", "各个值之间没有用单个换行符连接", `join them with byte 0x0A, none at the end; in most languages "\n"`, "请用字节 0x0A 连接，末尾不加"},
	"onenet-order":               {"the values were signed in the wrong order, or with their names", "签名时各个值的顺序不对，或带上了参数名", "the order is et, method, res, version, values only", "顺序为 et、method、res、version，只签值"},
	"onenet-hex-signed":          {"the hex text of the HMAC was Base64-encoded", "对 HMAC 的十六进制文本做了 Base64", "encode its raw bytes", "应对原始字节做 Base64"},
	"onenet-method-case":         {"method was signed in other letters than the token has", "签名时 method 的大小写与 token 中不同", "use the same text in both places", "两处请使用相同的文本"},
	"onenet-unknown-method":      {"method %q is not known", "method %q 无法识别", "use md5, sha1 or sha256", "请使用 md5、sha1 或 sha256"},
	"onenet-wrong-method":        {"the token was signed with %s, but method says %s", "token 实际使用 %s 签名，而 method 写的是 %s", "make both the same", "请使两者一致"},
	"onenet-wrong-key":           {"the signature fits none of the known mistakes: most likely it is made with another device's key", "签名不符合任何已知错误：很可能使用了其他设备的密钥", "copy the key of this very device", "请复制该设备自己的密钥"},
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
