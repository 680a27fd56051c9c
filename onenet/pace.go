package onenet

import "time"

// What the platform's broker lets one device do within RateWindow; once more
// closes its connection and bans it for BanTime [onenet §1.5].
const (
	RateWindow       = 5 * time.Second
	BanTime          = 5 * time.Minute
	RateConnects     = 10
	RateAtMostOnce   = 300 // messages of QoS 0
	RateAtLeastOnce  = 100 // messages of QoS 1
	RateUnsubscribes = 10
	RatePings        = 10
	RateFilters      = 15
	MaxSubscriptions = 15 // of one device at a time
)
