package plain

import (
	"fmt"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
)

// Diagnose names the mistake in a refused login.
func (d Dialect) Diagnose(l *dialect.Login, k dialect.Secrets, known dialect.Known, mode dialect.Strictness, now time.Time) *dialect.Diagnosis {
	claims := d.Claim(l)
	if len(claims) == 0 {
		return &dialect.Diagnosis{
			Code: "mqtt-username-form", Field: "username", Received: l.Username, Expected: "product/device",
			Sentence:   "the user name is not of the form product/device",
			SentenceZH: "用户名应为“产品/设备名”的形式",
			Advice:     "join the product's key and the device's name with a slash",
			AdviceZH:   "用斜杠连接产品标识与设备名称",
		}
	}
	c := claims[0]
	switch {
	case known != nil && !known.KnowsProduct(c.Product):
		return &dialect.Diagnosis{
			Code: "mqtt-unknown-product", Field: "username", Received: c.Product, Expected: "the key of a product",
			Sentence:   fmt.Sprintf("there is no product %q here", c.Product),
			SentenceZH: fmt.Sprintf("这里没有产品 %q", c.Product),
			Advice:     "create the product first, or correct its key", AdviceZH: "请先创建产品，或更正产品标识",
		}
	case known != nil && !known.KnowsDevice(c.Product, c.Device):
		return &dialect.Diagnosis{
			Code: "mqtt-unknown-device", Field: "username", Received: c.Device, Expected: "the name of a device",
			Sentence:   fmt.Sprintf("product %q has no device %q", c.Product, c.Device),
			SentenceZH: fmt.Sprintf("产品 %q 下没有设备 %q", c.Product, c.Device),
			Advice:     "create the device first, or correct its name", AdviceZH: "请先创建设备，或更正设备名称",
		}
	case d.Verify(l, c, k, mode, now).OK:
		return nil
	}
	return passwordMistake(string(l.Password), k)
}

func passwordMistake(sent string, k dialect.Secrets) *dialect.Diagnosis {
	g := &dialect.Diagnosis{
		Code: "mqtt-wrong-password", Field: "password", Received: fmt.Sprintf("%d bytes", len(sent)),
		Expected:   "the device's secret",
		Sentence:   "the password is not the device's secret",
		SentenceZH: "密码与设备密钥不符",
		Advice:     "copy the secret from the device's page", AdviceZH: "请从设备页面复制密钥",
	}
	switch {
	case sent == "":
		g.Code, g.Sentence, g.SentenceZH = "mqtt-no-password", "no password was sent", "没有发送密码"
	case strings.TrimSpace(sent) == k.Device:
		g.Code = "mqtt-password-blanks"
		g.Sentence = "the password has blanks or line ends around the secret"
		g.SentenceZH = "密码前后带有空格或换行"
	case k.PreviousDevice != "" && sent == k.PreviousDevice:
		g.Code = "mqtt-previous-secret"
		g.Sentence = "the password is the device's previous secret, which was reset"
		g.SentenceZH = "密码是重置之前的旧密钥"
	case strings.EqualFold(sent, k.Device):
		g.Code = "mqtt-password-case"
		g.Sentence = "the password differs from the secret in upper and lower case"
		g.SentenceZH = "密码与密钥仅大小写不同"
	}
	return g
}

func forbidden(c dialect.Claim, topic string, mode dialect.Strictness) *dialect.Diagnosis {
	want := c.Product + "/…"
	if mode == dialect.Strict {
		want = c.Session() + "/…"
	}
	return &dialect.Diagnosis{
		Code: "mqtt-topic-forbidden", Field: "topic", Received: topic, Expected: want,
		Sentence:   fmt.Sprintf("the device may only use topics below %s", want),
		SentenceZH: fmt.Sprintf("设备只能使用 %s 之下的主题", want),
		Advice:     "put the product's key first", AdviceZH: "主题应以产品标识开头",
	}
}
