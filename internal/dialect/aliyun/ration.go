package aliyun

import "github.com/matou-iot/matou/internal/dialect"

// shadowRation is how often a device may turn to its shadow [aliyun-device §4.8].
// Nothing is written of other requests of devices; logins of sub-devices and
// connections have bounds of their own.
var shadowRation = dialect.Ration{What: "requests to the shadow", WhatZH: "影子请求", PerSecond: 20}

// Ration is how often a device may make a request.
func (Dialect) Ration(r dialect.Request) dialect.Ration {
	switch r.(type) {
	case *dialect.ShadowUpdate, *dialect.ShadowDelete, *dialect.ShadowGet:
		return shadowRation
	}
	return dialect.Ration{}
}
