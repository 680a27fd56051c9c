package aliyun

import (
	"strings"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
)

// clock reads an NTP request.
func clock(r *reading) dialect.Request {
	return &dialect.Clock{Sent: string(vendor.ParseNTP(r.payload))}
}

// clockAnswer answers whatever was sent: firmware waits for it at boot.
func clockAnswer(r *dialect.Clock, t dialect.Time, _ error) []dialect.Downlink {
	return []dialect.Downlink{{
		Topic:   strings.TrimSuffix(r.Topic, "request") + "response",
		Payload: vendor.AppendNTP(nil, []byte(r.Sent), t.Received, t.Answered),
	}}
}
