package gate

import "github.com/matou-iot/matou/internal/broker"

// causesZH says in Chinese why a connection ended.
var causesZH = map[broker.Cause]string{
	broker.Disconnected:  "设备主动断开",
	broker.Lost:          "网络连接中断",
	broker.KeepAliveOver: "心跳超时",
	broker.TakenOver:     "同一设备在别处登录，旧连接被关闭",
	broker.Faulted:       "报文不符合协议",
	broker.RulesClosed:   "违反产品规则，连接被关闭（原因见前一条记录）",
	broker.TooSlow:       "设备读取过慢",
	broker.NotKept:       "消息未能保存",
	broker.Kicked:        "被管理员断开",
	broker.ServerDown:    "服务器停止",
	broker.LifetimeOver:  "连接时限已到",
}

// ReasonZH is in Chinese why a device is offline, and what is no reason of a
// connection's end as it is.
func ReasonZH(reason string) string {
	for cause, zh := range causesZH {
		if cause.String() == reason {
			return zh
		}
	}
	for _, r := range []struct{ en, zh string }{{loggedOut, loggedOutZH}, {notHeard, notHeardZH}} {
		if r.en == reason {
			return r.zh
		}
	}
	return reason
}
