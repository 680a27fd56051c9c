package gate

import (
	"context"
	"fmt"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
)

// lookAbroad notes that a login names a product that speaks another dialect
// than the login. The first such reading counts, unless one names a device
// that exists.
func (g *Gate) lookAbroad(ctx context.Context, a *applicant, d dialect.Dialect, c dialect.Claim, p *registry.Product) error {
	_, err := g.Registry.Device(ctx, registry.ID{Product: c.Product, Device: c.Device})
	if err != nil && fault.KindOf(err) != fault.KindNotFound {
		return err
	}
	known := err == nil
	if a.product != nil || a.foreign != nil && (a.abroad || !known) {
		return nil
	}
	a.dialect, a.claim, a.foreign, a.abroad = d, c, p, known
	return nil
}

// shapes is how the user name of each dialect looks.
var shapes = map[string]string{
	"aliyun": "deviceName&productKey", "onenet": "the product id, with the device's name as client id and a token as password", "mqtt": "product/device",
}

// names are what people call the dialects.
var names = map[string]string{"aliyun": "Aliyun", "onenet": "OneNET", "mqtt": "MQTT"}

// otherDialect is the diagnosis of a login in the form of one dialect to a
// product of another.
func otherDialect(a *applicant) *dialect.Diagnosis {
	theirs, ours := names[a.dialect.Name()], names[a.foreign.Dialect]
	key := a.foreign.Key
	return &dialect.Diagnosis{
		Code: "wrong-dialect", Field: "username", Received: a.login.Username, Expected: shapes[a.foreign.Dialect],
		Sentence:   fmt.Sprintf("product %q speaks %s, and the login has the form of %s", key, ours, theirs),
		SentenceZH: fmt.Sprintf("产品 %q 使用 %s 协议，而登录信息是 %s 的形式", key, ours, theirs),
		Advice:     fmt.Sprintf("log in as %s devices do, or make a product of dialect %s and put the device there", ours, a.dialect.Name()),
		AdviceZH:   fmt.Sprintf("请按 %s 的方式登录，或新建一个 %s 协议的产品并在其中创建该设备", ours, theirs),
	}
}
