package aliyun

import (
	"errors"
	"fmt"
	"strings"
)

// fill puts args into a sentence; one that has no place for them stays as it is.
func fill(format string, args []any) string {
	if len(args) == 0 || !strings.Contains(format, "%") {
		return format
	}
	return fmt.Sprintf(format, args...)
}

// fillZH is fill of a Chinese sentence, with what is known in Chinese in Chinese.
func fillZH(format string, args []any) string {
	in := make([]any, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case string:
			if zh, known := saidZH[v]; known {
				a = zh
			}
		case error:
			if e, ok := errors.AsType[interface {
				error
				SentenceZH() string
			}](v); ok {
				a = e.SentenceZH()
			}
		}
		in[i] = a
	}
	return fill(format, in)
}

// saidZH are in Chinese what diagnoses call the texts and forms that were
// signed or sent; names of members are the same in both languages.
var saidZH = map[string]string{
	"the whole clientId with its bars": "带竖线的整个 clientId",

	"clientId and the rest":                                      "clientId 与其余参数",
	"clientId and the names, without random":                     "clientId、deviceName、productKey，没有 random",
	"clientId, the names and timestamp, as an ordinary login is": "clientId、deviceName、productKey、timestamp，如同普通登录",
	"random and timestamp":                                       "包含 random 与 timestamp",
	"the names without random":                                   "deviceName、productKey，没有 random",
	"productKey before deviceName":                               "productKey 在 deviceName 之前",
	"random first":                                               "random 在最前",
	"names and values with = and & between":                      "参数名与值之间有 = 和 &",
	"the values without their names":                             "只有参数值，没有参数名",
	"signMethod, too":                                            "还包含 signMethod",

	unannounced:                     "空，即默认的 hmacmd5",
	"raw bytes":                     "原始字节",
	"blanks or line ends around it": "前后带有空格或换行",
}

// rights are what would have been right where a diagnosis cannot say it in the
// device's own words.
var rights = map[string]string{
	"aliyun-register-missing":         "productKey, deviceName, random, signMethod, sign",
	"aliyun-register-device-secret":   "hex of HMAC(ProductSecret, deviceName…productKey…random…)",
	"aliyun-register-previous-secret": "hex of HMAC(ProductSecret, deviceName…productKey…random…), with the present ProductSecret",
	"aliyun-register-secret-as-sign":  "hex of HMAC(ProductSecret, deviceName…productKey…random…)",
	"aliyun-register-wrong-sign":      "hex of HMAC(ProductSecret, deviceName…productKey…random…)",
	"aliyun-register-method":          "hmacmd5, hmacsha1 or hmacsha256",
	"aliyun-register-off":             "a product whose registration is on",
	"aliyun-register-free-off":        "a product whose registration is free, or a device that exists",
	"aliyun-register-full":            "fewer devices than the product's bound",
	"aliyun-register-unlisted":        "a name on the product's list",
	"aliyun-register-no-device":       "a device that exists",
	"aliyun-register-name":            "4 to 32 letters, digits and - _ @ . :",
	"aliyun-register-disabled":        "a device that is enabled",
	"aliyun-register-activated":       "a device that never connected, or was reset",
	"aliyun-register-too-often":       "one registration, then a login",
	"aliyun-register-again":           "one registration, then a login",
	"aliyun-register-unavailable":     "a server that can write",
	"aliyun-token-previous":           "the deviceToken that came last",
	"aliyun-token-wrong":              "the deviceToken of /ext/regnwl",
	"aliyun-iot-token-previous":       "the iotToken of /auth/devicename, of the present secret",
	"aliyun-unknown-product":          "the key of a product",
	"aliyun-unknown-device":           "the name of a device",
	"aliyun-http-topic":               "/topic/sys/{productKey}/{deviceName}/thing/event/property/post",
	"aliyun-http-too-large":           "at most 128 KB",

	"aliyun-coap-malformed":      "a CoAP message",
	"aliyun-coap-path":           "/auth or /topic/…",
	"aliyun-coap-method":         "POST",
	"aliyun-coap-accept":         "50 or 60",
	"aliyun-coap-format":         "50 or 60",
	"aliyun-coap-option":         "2088, 2089, or none that is critical",
	"aliyun-coap-too-large":      "at most 4 KB",
	"aliyun-coap-blocks":         "the block behind the one before",
	"aliyun-coap-body":           `{"productKey":…,"deviceName":…,"clientId":…,"sign":…,"seq":…}`,
	"aliyun-coap-missing":        "productKey, deviceName, clientId, sign, over plain UDP seq",
	"aliyun-coap-token-missing":  "the token of /auth in option 2088",
	"aliyun-coap-token-unknown":  "the token of the last /auth",
	"aliyun-coap-token-road":     "a token of this port",
	"aliyun-coap-token-device":   "the device of the handshake",
	"aliyun-coap-token-previous": "a token of the present secret",
	"aliyun-coap-seq-missing":    "a number in option 2089",
	"aliyun-coap-seq-unreadable": "decimal digits, encrypted with the session's key",
	"aliyun-coap-seq-repeated":   "a number that was not used in this session",
	"aliyun-coap-seq-low":        "the seqOffset of /auth, or more",
	"aliyun-coap-seq-full":       "the number behind the one before",
	"aliyun-coap-cipher":         "AES-128-CBC with the session's key",
	"aliyun-coap-topic":          "/topic/sys/{productKey}/{deviceName}/thing/event/property/post",
	"aliyun-psk-identity":        "devicename|hmacsha256|{productKey}&{deviceName}|{timestamp}",
	"aliyun-psk-failed":          "HMAC(DeviceSecret, id{productKey}&{deviceName}timestamp{timestamp}) in upper-case hex",
}
