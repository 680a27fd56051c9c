package aliyun

import (
	"reflect"

	"github.com/matou-iot/matou/internal/dialect"
)

// requests are what devices ask of the platform, by the function of the topic
// [aliyun-device §4.4]. A reader returns nil, with a fault and perhaps an
// answer in r.up, for what it cannot read. Topic, id and device are filled in
// behind it.
var requests = map[string]func(r *reading) dialect.Request{
	"ext/ntp/request": clock,

	"ota/device/inform":      upgradeInform,
	"ota/device/progress":    upgradeProgress,
	"ota/device/request":     upgradeRequest,
	"thing/ota/firmware/get": upgradeGet,
	"thing/file/download":    fileDownload,
}

// answers say what requests are told, by their type.
var answers = map[reflect.Type]func(r dialect.Request, result any, err error) []dialect.Downlink{
	reflect.TypeFor[*dialect.Clock](): answer(clockAnswer),

	reflect.TypeFor[*dialect.UpgradeQuery](): answer(upgradeGetAnswer),
	reflect.TypeFor[*dialect.FileRead]():     answer(fileDownloadAnswer),
}

// answer makes an entry of answers of a function for one type of request and
// of result. A failure comes with the zero result.
func answer[R dialect.Request, A any](say func(r R, result A, err error) []dialect.Downlink) func(dialect.Request, any, error) []dialect.Downlink {
	return func(r dialect.Request, result any, err error) []dialect.Downlink {
		a, _ := result.(A)
		return say(r.(R), a, err)
	}
}
