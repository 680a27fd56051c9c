package gate

import (
	"fmt"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/trace"
)

// ending is what the timeline says of the end of a device's connection. The
// ends of which a device hears nothing, and which come again and again, are
// explained.
func ending(s *dialect.Subject, c *broker.Client, why broker.Cause) trace.Entry {
	e := trace.Entry{Product: s.Product, Device: s.Device, Kind: trace.Disconnect, Sentence: why.String(), SentenceZH: causeZH(why)}
	var d *dialect.Diagnosis
	switch why {
	case broker.TakenOver:
		d = takenOver(s.Session(), c.Origin().Remote.String())
	case broker.KeepAliveOver:
		d = silent(c.KeepAlive())
	default:
		return e
	}
	e.Code, e.Sentence, e.SentenceZH, e.Detail = d.Code, d.Sentence, d.SentenceZH, d
	return e
}

func takenOver(session, addr string) *dialect.Diagnosis {
	return &dialect.Diagnosis{
		Code: "taken-over", Field: "device", Received: "another login as " + session, Expected: "one client at a time for each device",
		Sentence:   fmt.Sprintf("taken over: %s logged in again, and the connection from %s had to make room", session, addr),
		SentenceZH: fmt.Sprintf("被顶替：%s 再次登录，来自 %s 的旧连接被关闭", session, addr),
		Advice:     "if this goes on and on, a second client has the same credentials, such as a desktop tool or another board: the connect entries say from where",
		AdviceZH:   "如果反复出现，说明有另一个客户端（例如桌面工具或另一块板子）使用同一份凭据：connect 记录中有其地址",
	}
}

func silent(keepAlive time.Duration) *dialect.Diagnosis {
	n := int(keepAlive / time.Second)
	limit := float64(n) * 1.5
	return &dialect.Diagnosis{
		Code: "keep-alive-timeout", Field: "keepAlive", Received: fmt.Sprintf("nothing for %g s", limit), Expected: fmt.Sprintf("a packet at least every %d s", n),
		Sentence:   fmt.Sprintf("keep-alive timeout: nothing came for %g s, 1.5 times the keep-alive of %d s", limit, n),
		SentenceZH: fmt.Sprintf("心跳超时：%g 秒内没有收到任何报文，即 keepAlive（%d 秒）的 1.5 倍", limit, n),
		Advice:     "call the MQTT library's loop more often, without long delays in between, so that it sends PINGREQ; or choose a longer keep-alive",
		AdviceZH:   "请更频繁地调用 MQTT 库的循环函数（避免长时间 delay），以便按时发送 PINGREQ；或设置更长的 keepAlive",
	}
}
