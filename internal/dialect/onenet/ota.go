package onenet

import (
	"strconv"

	"github.com/matou-iot/matou/internal/dialect"
	vendor "github.com/matou-iot/matou/onenet"
)

// Upgrade wakes a device, which then asks over HTTP what there is. params are
// there although they are empty, or the C SDK stays silent [onenet §3.2].
func (Dialect) Upgrade(c dialect.Claim, u *dialect.Upgrade) []dialect.Downlink {
	return []dialect.Downlink{{
		Topic: vendor.OTAInformTopic(c.Product, c.Device), Payload: vendor.AppendRequest(nil, strconv.FormatInt(u.Task, 10), nil),
	}}
}

// upgradeHeard reads a device's word that it was woken.
func upgradeHeard(r *reading) dialect.Request {
	if _, err := r.decoder.Reply(r.payload); err != nil {
		r.up.Fault = badMessage(err)
		return nil
	}
	r.remember()
	return &dialect.UpgradeHeard{}
}
