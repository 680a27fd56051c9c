package packet

import (
	"fmt"
	"strings"

	"github.com/matou-iot/matou/mqtt"
)

// A phrase is what is said of bytes, in both languages.
type phrase struct{ en, zh string }

// plain is a phrase that both languages share: a number, a name, a text of the
// device.
func plain(text string) phrase { return phrase{text, text} }

// add appends another phrase.
func (p phrase) add(q phrase) phrase { return phrase{p.en + q.en, p.zh + q.zh} }

// addf appends words with values that both languages share.
func (p phrase) addf(en, zh string, values ...any) phrase {
	return p.add(phrase{fmt.Sprintf(en, values...), fmt.Sprintf(zh, values...)})
}

// joined is phrases as a list.
func joined(all []phrase) phrase {
	var en, zh []string
	for _, p := range all {
		en, zh = append(en, p.en), append(zh, p.zh)
	}
	return phrase{strings.Join(en, ", "), strings.Join(zh, "，")}
}

// bytesOf says a number of bytes.
func bytesOf(n int) phrase { return phrase{count(n, "byte"), fmt.Sprintf("%d 字节", n)} }

// fieldsZH are the names of fields in Chinese. That of a length is made of the
// name of what it counts.
var fieldsZH = map[string]string{
	"packet type and flags": "报文类型与标志", "remaining length": "剩余长度", "surplus": "多余的字节", "bytes": "字节",
	"protocol name": "协议名", "protocol level": "协议级别", "connect flags": "连接标志", "keep alive": "保活时间",
	"client identifier": "客户端标识符", "user name": "用户名", "password": "密码",
	"will topic": "遗嘱主题", "will payload": "遗嘱消息", "acknowledge flags": "连接确认标志",
	"return code": "返回码", "reason code": "原因码", "packet identifier": "报文标识符",
	"topic name": "主题名", "topic filter": "主题过滤器", "subscription options": "订阅选项", "payload": "负载",
	"property length": "属性长度", "properties": "属性", "property": "属性", "unknown property": "未知属性",
	"user property name": "用户属性名", "user property value": "用户属性值", "string": "字符串",

	"payload format indicator": "负载格式指示", "message expiry interval": "消息过期间隔", "content type": "内容类型",
	"response topic": "响应主题", "correlation data": "对比数据", "subscription identifier": "订阅标识符",
	"session expiry interval": "会话过期间隔", "assigned client identifier": "分配的客户端标识符", "server keep alive": "服务端保活时间",
	"authentication method": "认证方法", "authentication data": "认证数据", "request problem information": "请求问题信息",
	"will delay interval": "遗嘱延时间隔", "request response information": "请求响应信息", "response information": "响应信息",
	"server reference": "服务端参考", "reason string": "原因字符串", "receive maximum": "接收最大值",
	"topic alias maximum": "主题别名最大值", "topic alias": "主题别名", "maximum QoS": "最大 QoS", "retain available": "保留可用",
	"user property": "用户属性", "maximum packet size": "最大报文长度", "wildcard subscription available": "通配符订阅可用",
	"subscription identifier available": "订阅标识符可用", "shared subscription available": "共享订阅可用",
}

// nameZH is a field's name in Chinese.
func nameZH(name string) string {
	if zh := fieldsZH[name]; zh != "" {
		return zh
	}
	if counted, ok := strings.CutSuffix(name, " length"); ok && fieldsZH[counted] != "" {
		return fieldsZH[counted] + "长度"
	}
	return name
}

// reason names a reason code in both languages.
func reason(c mqtt.ReasonCode) phrase {
	zh := reasonsZH[c]
	if zh == "" {
		zh = "原因码"
	}
	return phrase{c.Error(), fmt.Sprintf("%s（0x%02X）", zh, byte(c))}
}

// ReasonZH is a reason code in Chinese, as its Error is in English.
func ReasonZH(c mqtt.ReasonCode) string { return reason(c).zh }

// reasonsZH are the reason codes of 5.0 in Chinese [MQTT5 table 2-6].
var reasonsZH = map[mqtt.ReasonCode]string{
	mqtt.Success:                             "成功",
	mqtt.GrantedQoS1:                         "授予 QoS 1",
	mqtt.GrantedQoS2:                         "授予 QoS 2",
	mqtt.DisconnectWithWill:                  "断开并发布遗嘱消息",
	mqtt.NoMatchingSubscribers:               "没有匹配的订阅者",
	mqtt.NoSubscriptionExisted:               "订阅不存在",
	mqtt.ContinueAuthentication:              "继续认证",
	mqtt.ReAuthenticate:                      "重新认证",
	mqtt.UnspecifiedError:                    "未指明的错误",
	mqtt.MalformedPacket:                     "报文格式错误",
	mqtt.ProtocolError:                       "协议错误",
	mqtt.ImplementationSpecificError:         "实现特定的错误",
	mqtt.UnsupportedProtocolVersion:          "不支持的协议版本",
	mqtt.ClientIdentifierNotValid:            "客户端标识符无效",
	mqtt.BadUserNameOrPassword:               "用户名或密码错误",
	mqtt.NotAuthorized:                       "未授权",
	mqtt.ServerUnavailable:                   "服务端不可用",
	mqtt.ServerBusy:                          "服务端繁忙",
	mqtt.Banned:                              "禁止接入",
	mqtt.ServerShuttingDown:                  "服务端正在关闭",
	mqtt.BadAuthenticationMethod:             "认证方法无效",
	mqtt.KeepAliveTimeout:                    "保活超时",
	mqtt.SessionTakenOver:                    "会话被接管",
	mqtt.TopicFilterInvalid:                  "主题过滤器无效",
	mqtt.TopicNameInvalid:                    "主题名无效",
	mqtt.PacketIdentifierInUse:               "报文标识符已被占用",
	mqtt.PacketIdentifierNotFound:            "报文标识符不存在",
	mqtt.ReceiveMaximumExceeded:              "超出接收最大值",
	mqtt.TopicAliasInvalid:                   "主题别名无效",
	mqtt.PacketTooLarge:                      "报文过长",
	mqtt.MessageRateTooHigh:                  "消息频率过高",
	mqtt.QuotaExceeded:                       "超出配额",
	mqtt.AdministrativeAction:                "管理员操作",
	mqtt.PayloadFormatInvalid:                "负载格式无效",
	mqtt.RetainNotSupported:                  "不支持保留消息",
	mqtt.QoSNotSupported:                     "不支持该 QoS",
	mqtt.UseAnotherServer:                    "请使用其他服务端",
	mqtt.ServerMoved:                         "服务端已迁移",
	mqtt.SharedSubscriptionsNotSupported:     "不支持共享订阅",
	mqtt.ConnectionRateExceeded:              "连接频率过高",
	mqtt.MaximumConnectTime:                  "超出最大连接时间",
	mqtt.SubscriptionIdentifiersNotSupported: "不支持订阅标识符",
	mqtt.WildcardSubscriptionsNotSupported:   "不支持通配符订阅",
}
