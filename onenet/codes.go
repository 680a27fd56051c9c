package onenet

import (
	"maps"
	"slices"
)

// A text is what a diagnosis says. Verbs are filled by whoever finds the
// mistake; a title stands for a sentence that has some.
type text struct {
	sentence, sentenceZH string
	advice, adviceZH     string
	title, titleZH       string
}

const (
	makeToken   = "make a token: matou sign onenet shows how"
	makeTokenZH = "请生成 token：可用 matou sign onenet 查看"
	signAgain   = "sign et, method, res and version in this order, a line feed (0x0A) between, none at the end"
	signAgainZH = "按 et、method、res、version 的顺序签名，之间用换行符（0x0A）连接，末尾不加"
)

var texts = map[string]text{
	// The password as a whole.
	"onenet-no-password": {
		"no password was sent", "没有发送密码",
		makeToken, makeTokenZH, "", ""},
	"onenet-key-as-password": {
		"a key was sent as the password; the password is a token that is made with it", "把密钥本身当作密码发送了；密码应为用密钥生成的 token",
		makeToken, makeTokenZH, "", ""},
	"onenet-hex-password": {
		"the password is a digest of %d hex digits, as Aliyun wants it; OneNET wants a token", "密码是 %d 位十六进制摘要（阿里云的形式）；OneNET 要求 token",
		makeToken, makeTokenZH, "the password is a hex digest instead of a token", "密码是十六进制摘要而不是 token"},
	"onenet-no-token": {
		"the password is no token: it has none of version=, res=, et=, method=, sign=", "密码不是 token：其中没有 version=、res=、et=、method=、sign=",
		makeToken, makeTokenZH, "", ""},
	"onenet-token-encoded": {
		"the token was URL-encoded as a whole", "整个 token 被做了 URL 编码",
		"encode the values only, not the = and & between them", "只对各个值编码，不要编码参数之间的 = 和 &", "", ""},
	"onenet-html-escaped": {
		"the token holds &amp; where & belongs: it was copied out of HTML", "token 中的 & 变成了 &amp;：可能是从网页源码中复制的",
		"copy the token as plain text", "请以纯文本复制 token", "", ""},
	"onenet-full-width": {
		"the %[1]s holds full-width characters of a Chinese input method: %[3]s should be %[4]s", "%[2]s 中含有全角字符：%[3]s 应为 %[4]s",
		"type it with half-width characters, or copy it as it is", "请切换到半角（英文）输入，或直接复制",
		"a field holds full-width characters of a Chinese input method", "字段中含有全角字符"},
	"onenet-token-separator": {
		"the parts of the token are not joined by &", "token 的各部分没有用 & 连接",
		"write version=…&res=…&et=…&method=…&sign=…", "请写成 version=…&res=…&et=…&method=…&sign=…", "", ""},
	"onenet-percent-escaped": {
		"the token holds %% where one % belongs", "token 中出现了 %%，应为单个 %",
		"double percent signs only in the format of printf, not in text that is passed as an argument", "只在 printf 的格式串中才需要写两个百分号", "", ""},
	"onenet-backslash-escaped": {
		`the token holds escapes such as \u002B as text`, `token 中含有 \u002B 之类未还原的转义`,
		"write %2B, %2F and %3D in the token", "token 中请使用 %2B、%2F、%3D", "", ""},
	"onenet-stray-bytes": {
		"the %[1]s has blanks, quotes, line ends or NULs around or inside it", "%[2]s 前后或中间带有空格、引号、换行或 NUL",
		"trim what you read from a file or a serial line before you use it", "从文件或串口读入的内容，使用前请去除首尾空白",
		"a field has blanks, quotes, line ends or NULs around it", "字段前后带有空格、引号、换行或 NUL"},
	"onenet-token-cut": {
		"the token is cut off: only %d bytes came", "token 被截断：只收到 %d 字节",
		"enlarge the buffer (128 bytes are too few for sha256), or use the AT command that takes the length first", "请增大缓冲区（sha256 的 token 超过 128 字节），或使用先给出长度的 AT 指令",
		"the token is cut off", "token 被截断"},
	"onenet-token-part": {
		"the token has no %s", "token 缺少 %s",
		"a token has version, res, et, method and sign", "token 由 version、res、et、method、sign 组成",
		"a part of the token is missing", "token 缺少某个参数"},
	"onenet-part-twice": {
		"the token has %s twice", "token 中 %s 出现了两次",
		"write each part once", "每个参数只写一次", "a part of the token stands twice", "token 中某个参数重复"},

	// Its expiry and method.
	"onenet-et-number": {
		"et is %q, which is no whole number", "et 为 %q，不是整数",
		"et is the expiry in Unix seconds, digits only", "et 为到期时间，单位为 Unix 秒，只含数字", "et is no whole number", "et 不是整数"},
	"onenet-clock-unset": {
		"et is %s: the clock was not set when the token was made, or et is a duration instead of a time", "et 为 %s：生成 token 时设备时钟尚未校准，或把有效时长当成了到期时间",
		"get the time first (SNTP or the module's clock), or make the token elsewhere with an et years ahead", "请先对时（SNTP 或模组时钟），或在别处生成有效期为数年的 token",
		"et lies before the platform existed: the clock was not set", "et 早于平台诞生：时钟尚未校准"},
	"onenet-token-expired": {
		"the token expired on %s", "token 已于 %s 过期",
		"make a new token with a later et; those of tutorials expired long ago", "请用更晚的 et 重新生成；教程里的 token 早已过期", "the token has expired", "token 已过期"},
	"onenet-unknown-method": {
		"method %q is not known", "method %q 无法识别",
		"use md5, sha1 or sha256, without hmac before it", "请使用 md5、sha1 或 sha256，不要加 hmac 前缀", "the method is not known", "method 无法识别"},

	// Its resource, and the names of the login.
	"onenet-res-double-encoded": {
		"res was URL-encoded twice", "res 被 URL 编码了两次",
		"encode it once: / becomes %2F", "只编码一次：/ 变为 %2F", "", ""},
	"onenet-res-form": {
		"res is neither products/{product id}/devices/{device name} nor products/{product id}", "res 不是 products/{产品ID}/devices/{设备名称} 或 products/{产品ID} 的形式",
		"write it as shown, without a slash at either end", "请按该格式填写，首尾不加斜杠", "", ""},
	"onenet-user-token": {
		"the token's res begins with %s: that is a token for the HTTP API, not for a device", "token 的 res 以 %s 开头：这是 HTTP API 的 token，不能用于设备",
		"make one for products/{product id}/devices/{device name} with the device's key", "请用设备密钥为 products/{产品ID}/devices/{设备名称} 生成 token",
		"the token is one for the HTTP API", "token 是用于 HTTP API 的"},
	"onenet-names-swapped": {
		"product id and device name are in each other's places", "产品 ID 与设备名称的位置颠倒",
		"the client id is the device's name, the user name is the product id, res is products/{product id}/devices/{device name}", "clientId 填设备名称，用户名填产品 ID，res 为 products/{产品ID}/devices/{设备名称}", "", ""},
	"onenet-username": {
		"the user name %q is not the product id %q", "用户名 %q 不是产品 ID %q",
		"the user name has to be the product id and nothing else", "用户名必须是产品 ID 本身", "the user name is not the product id", "用户名不是产品 ID"},
	"onenet-product-case": {
		"product id %q should be %q: upper and lower case count", "产品 ID %q 应为 %q：区分大小写",
		"copy the product id as it is", "请原样复制产品 ID", "the product id is in wrong upper or lower case", "产品 ID 的大小写不对"},
	"onenet-res-product": {
		"the token is made for product %q, but the login is for %q", "token 是为产品 %q 生成的，而登录的产品是 %q",
		"use one product id in both places", "两处请使用同一个产品 ID", "res names another product", "res 中是另一个产品"},
	"onenet-res-device": {
		"the token is made for device %q, but the login is for %q", "token 是为设备 %q 生成的，而登录的设备是 %q",
		"use one device name in both places", "两处请使用同一个设备名称", "res names another device", "res 中是另一个设备"},
	"onenet-client-id": {
		"the client id %q is not the device's name %q", "clientId %q 不是设备名称 %q",
		"the client id has to be the device's name; desktop tools invent one, replace it", "clientId 必须是设备名称；桌面工具会随机生成，请改掉", "the client id is not the device's name", "clientId 不是设备名称"},
	"onenet-client-id-joined": {
		"the client id %q holds more than the device's name %q", "clientId %q 中除设备名称 %q 外还有其他内容",
		"the client id is the device's name alone, without product id and separators", "clientId 只填设备名称，不要加产品 ID 和分隔符", "the client id holds more than the device's name", "clientId 中除设备名称外还有其他内容"},
	"onenet-client-id-number": {
		"the client id %q looks like a device id; it has to be the device's name %q", "clientId %q 像是设备 ID；应填设备名称 %q",
		"the old platform used the device id, this one uses the name", "旧平台使用设备 ID，新平台使用设备名称", "the client id is a device id instead of the name", "clientId 填了设备 ID 而不是设备名称"},
	"onenet-unknown-product": {
		"there is no product %q here", "这里没有产品 %q",
		"the user name is the product id: create the product, or correct it", "用户名应为产品 ID：请先创建产品，或更正它", "there is no such product", "没有这个产品"},
	"onenet-unknown-device": {
		"product %q has no device %q", "产品 %q 下没有设备 %q",
		"create the device first, or correct its name", "请先创建设备，或更正设备名称", "there is no such device", "没有这个设备"},
	"onenet-device-name-case": {
		"device name %q should be %q: upper and lower case count", "设备名称 %q 应为 %q：区分大小写",
		"copy the name as it is", "请原样复制设备名称", "the device's name is in wrong upper or lower case", "设备名称的大小写不对"},

	// How the signature was written and carried.
	"onenet-plus-lost": {
		"a plus sign of the signature became a blank on its way", "签名中的加号在传输中变成了空格",
		"encode + as %2B", "请把 + 编码为 %2B", "", ""},
	"onenet-sign-double-encoded": {
		"the signature was URL-encoded twice", "签名被 URL 编码了两次",
		"encode it once: %2B, not %252B", "只编码一次：应为 %2B 而不是 %252B", "", ""},
	"onenet-sign-url-safe": {
		"the signature is in the URL-safe alphabet, with - and _", "签名使用了 URL 安全的 Base64 字母表（- 与 _）",
		"use the ordinary Base64 alphabet with + and /, then URL-encode", "请使用普通 Base64（+ 与 /），再做 URL 编码", "", ""},
	"onenet-sign-hex": {
		"the signature is in hex instead of Base64", "签名是十六进制，应为 Base64",
		"encode the raw bytes of the HMAC in Base64", "请对 HMAC 的原始字节做 Base64", "", ""},
	"onenet-hex-signed": {
		"the hex text of the HMAC was encoded in Base64", "对 HMAC 的十六进制文本做了 Base64",
		"encode its raw bytes in Base64: take digest(), not hexdigest()", "应对原始字节做 Base64：使用 digest() 而不是 hexdigest()", "", ""},
	"onenet-sign-not-base64": {
		"the signature is no Base64", "签名不是 Base64",
		"encode the raw bytes of the HMAC in Base64, then URL-encode", "请对 HMAC 的原始字节做 Base64，再做 URL 编码", "", ""},
	"onenet-sign-length": {
		"the signature has %d bytes; %d are right for %s", "签名为 %d 字节；%[3]s 应为 %[2]d 字节",
		"encode the raw bytes of the HMAC, no more and no fewer", "请对 HMAC 的原始字节编码，不多也不少", "the signature has the wrong length", "签名长度不对"},

	// What it was made with and of.
	"onenet-key-not-decoded": {
		"the key was used as text; it has to be Base64-decoded first", "直接使用了密钥文本；应先做 Base64 解码",
		"decode the key, then use its bytes as the key of the HMAC", "先解码密钥，再以所得字节作为 HMAC 的密钥", "", ""},
	"onenet-key-decoded-twice": {
		"the key was decoded once too often, or used as hex text", "密钥被多解码了一次，或被写成了十六进制文本",
		"Base64-decode the key once and use its bytes as they are", "密钥只做一次 Base64 解码，直接使用所得字节", "", ""},
	"onenet-device-key-for-product": {
		"res is the product's, but the token is signed with the device's key", "res 是产品级的，却用设备密钥签名",
		"with the device's key use products/{product id}/devices/{device name}; products/{product id} needs the product's key", "使用设备密钥时 res 应为 products/{产品ID}/devices/{设备名称}；products/{产品ID} 需要产品密钥", "", ""},
	"onenet-previous-key": {
		"the token is signed with the key from before it was regenerated", "token 使用了重新生成之前的旧密钥",
		"make a token with the new key", "请用新密钥生成 token", "", ""},
	"onenet-key-case": {
		"the token is signed with the key in wrong upper or lower case", "签名所用密钥的大小写不对",
		"copy the key as it is", "请原样复制密钥", "", ""},
	"onenet-res-signed-encoded": {
		"the URL-encoded res was signed", "签名时使用了 URL 编码后的 res",
		"sign res with plain slashes; encode it only in the token", "签名时使用未编码的 res，只在 token 中编码", "", ""},
	"onenet-no-separators": {
		"the values were signed without line feeds between them", "签名时各个值之间没有换行符",
		signAgain, signAgainZH, "", ""},
	"onenet-literal-newline": {
		`the values were joined by the two characters \n instead of a line feed`, `各个值之间用的是 \n 这两个字符，而不是换行符`,
		`use byte 0x0A; in a shell or a single-quoted text "\n" stays two characters`, `请使用字节 0x0A；在 shell 或单引号文本中 "\n" 不会变成换行`, "", ""},
	"onenet-separator": {
		"the values were not joined by single line feeds, or something follows the last", "各个值之间没有用单个换行符连接，或末尾有多余字符",
		signAgain, signAgainZH, "", ""},
	"onenet-order": {
		"the values were signed in the wrong order", "签名时各个值的顺序不对",
		signAgain, signAgainZH, "", ""},
	"onenet-names-signed": {
		"the names of the values were signed along with them", "签名时带上了参数名",
		signAgain, signAgainZH, "", ""},
	"onenet-method-case": {
		"method was signed in other letters than the token has", "签名时 method 的大小写与 token 中不同",
		"use the same text in both places", "两处请使用相同的文本", "", ""},
	"onenet-other-res": {
		"res %q was signed, but the token has %q", "签名所用的 res 是 %q，而 token 中是 %q",
		"use the same res in both places", "两处请使用相同的 res",
		"another res was signed than the token has", "签名所用的 res 与 token 中的不同"},
	"onenet-other-et": {
		"et %s was signed, but the token has %s: seconds against milliseconds", "签名所用的 et 是 %s，而 token 中是 %s：秒与毫秒混用",
		"use the same seconds in both places", "两处请使用相同的秒数",
		"et was signed in other units than the token has: seconds against milliseconds", "签名所用的 et 与 token 中的单位不同（秒与毫秒）"},
	"onenet-other-version": {
		"version %q was signed, but the token has %q", "签名所用的 version 是 %q，而 token 中是 %q",
		"use 2018-10-31 in both places", "两处都使用 2018-10-31",
		"another version was signed than the token has", "签名所用的 version 与 token 中的不同"},
	"onenet-wrong-method": {
		"the token was signed with %s, but method says %s", "token 实际使用 %s 签名，而 method 写的是 %s",
		"make both the same", "请使两者一致", "method is not the one that was used", "method 与实际使用的不一致"},
	"onenet-plain-hash": {
		"the signature is a plain %s, not an HMAC", "签名是普通的 %s 摘要，而不是 HMAC",
		"use the HMAC function with the decoded key", "请使用 HMAC 函数，以解码后的密钥为密钥", "the signature is a plain hash, not an HMAC", "签名是普通摘要，而不是 HMAC"},
	"onenet-key-and-text-swapped": {
		"key and text of the HMAC are swapped", "HMAC 的密钥与文本颠倒",
		"the decoded key is the key, the values are the text", "解码后的密钥是密钥，各个值是文本", "", ""},
	"onenet-wrong-key": {
		"the signature fits none of the known mistakes: most likely it is made with another key", "签名不符合任何已知错误：很可能使用了其他密钥",
		"copy the key of this very device (or its product's), and make the token anew", "请复制该设备自己的（或其产品的）密钥，重新生成 token", "", ""},
	"onenet-no-key": {
		"the login is right as far as it shows without the key", "在不知道密钥的情况下，看不出登录有什么错误",
		"give the key, and the signature can be checked", "提供密钥后即可校验签名", "", ""},

	// The CONNECT around it.
	"onenet-protocol-level": {
		"OneNET takes MQTT 3.1.1 only, not %s", "OneNET 只支持 MQTT 3.1.1，不支持 %s",
		"set the protocol version to 3.1.1; Quectel modules start with 3.1: AT+QMTCFG=\"version\",0,4", "请把协议版本设为 3.1.1；移远模组默认为 3.1：AT+QMTCFG=\"version\",0,4", "the protocol is not MQTT 3.1.1", "协议不是 MQTT 3.1.1"},
	"onenet-keep-alive": {
		"a keep-alive of %d s is outside 10 to 1800", "keepAlive 为 %d 秒，超出 10 到 1800 的范围",
		"use 60 to 300", "建议 60 到 300", "the keep-alive is outside 10 to 1800 s", "keepAlive 超出 10 到 1800 秒的范围"},
	"onenet-clean-session": {
		"clean session is 0, and OneNET wants 1", "clean session 为 0，而 OneNET 要求为 1",
		"set clean session to 1", "请把 clean session 设为 1", "", ""},
	"onenet-will": {
		"OneNET takes no will", "OneNET 不支持遗嘱消息",
		"leave the will out", "请去掉遗嘱", "", ""},

	// A sub-device's token, in a request of its gateway.
	"onenet-sub-no-token": {
		"the sub-device comes without sasToken: nothing proves that the gateway knows its key", "子设备缺少 sasToken：无法证明网关持有其密钥",
		"add sasToken: a token for products/{product id}/devices/{device name} of the sub-device, made with its own key", "请填写 sasToken：用子设备自己的密钥、按子设备的 products/{产品ID}/devices/{设备名称} 生成", "", ""},
	"onenet-sub-gateway-key": {
		"sasToken is signed with the gateway's key", "sasToken 使用了网关的密钥签名",
		"sign it with the key of the sub-device or of its product", "请使用子设备或其产品的密钥签名", "", ""},

	// What is accepted and worth a word.
	"onenet-et-milliseconds": {
		"et is in milliseconds, so the token will never expire", "et 的单位是毫秒，因此 token 永不过期",
		"write Unix seconds", "请使用 Unix 秒", "", ""},
	"onenet-token-ends-soon": {
		"the token ends on %s; the device cannot log in after that", "token 将于 %s 到期，之后设备将无法登录",
		"make one with an et years ahead, or make them on the device", "请生成有效期更长的 token，或在设备上生成", "the token ends in less than 30 days", "token 将在 30 天内到期"},
	"onenet-trailing-bytes": {
		"a line end, blank or NUL follows the token", "token 后面带有换行、空格或 NUL",
		"send the token without it", "发送时请去掉", "", ""},
	"onenet-not-encoded": {
		"%s is not URL-encoded; that is tolerated", "%s 没有做 URL 编码；可以容忍",
		"encode + as %2B, / as %2F and = as %3D", "请把 + / = 分别编码为 %2B %2F %3D", "a value of the token is not URL-encoded", "token 中有值没有做 URL 编码"},
}

// A CodeInfo describes a code of a Diagnosis.
type CodeInfo struct {
	Code     string `json:"code"`
	Title    string `json:"title"`
	TitleZH  string `json:"titleZh"`
	Advice   string `json:"advice"`
	AdviceZH string `json:"adviceZh"`
}

// Codes lists all codes that Diagnose and Hints give, in alphabetical order.
func Codes() []CodeInfo {
	list := make([]CodeInfo, 0, len(texts))
	for _, code := range slices.Sorted(maps.Keys(texts)) {
		t := texts[code]
		list = append(list, CodeInfo{code, first(t.title, t.sentence), first(t.titleZH, t.sentenceZH), t.advice, t.adviceZH})
	}
	return list
}
