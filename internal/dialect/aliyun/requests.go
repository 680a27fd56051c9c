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

	"thing/event/property/batch/post":   batchPost,
	"thing/event/property/history/post": historyPost,
	"thing/event/property/pack/post":    packPost,

	"ota/device/inform":             upgradeInform,
	"ota/device/progress":           upgradeProgress,
	"ota/device/request":            upgradeRequest,
	"thing/ota/firmware/get":        upgradeGet,
	"thing/file/download":           fileDownload,
	"thing/file/upload/mqtt/init":   uploadInit,
	"thing/file/upload/mqtt/send":   uploadSend,
	"thing/file/upload/mqtt/cancel": uploadCancel,
	"shadow/update":                 shadow,
	"thing/property/desired/get":    desiredGet,
	"thing/property/desired/delete": desiredDelete,
	"thing/deviceinfo/update":       tagsUpdate,
	"thing/deviceinfo/delete":       tagsDelete,
	"thing/config/get":              configGet,
	"thing/config/push_reply":       configTaken,
	"thing/config/log/get":          logGet,
	"thing/log/post":                logPost,
	"thing/config/log/post":         logPost, // an SDK's word for it
	"thing/dsltemplate/get":         modelGet,
	"thing/dynamicTsl/get":          modelGet,
	"thing/reset":                   reset,
	"thing/lan/prefix/get":          lanGet,
	"_thing/diag/post":              network,
	"thing/awss/enrollee/match":     granted,
	"thing/awss/enrollee/found":     granted,
	"thing/awss/enrollee/checkin":   granted,
	"thing/cipher/get":              granted,
	"thing/status/update":           module,

	"thing/topo/add":                            topoAdd,
	"thing/topo/delete":                         topoDelete,
	"thing/topo/get":                            topoGet,
	"thing/list/found":                          subsFound,
	"thing/sub/register":                        subRegister,
	"thing/sub/unregister":                      subUnregister,
	"thing/proxy/provisioning/product_register": proxyRegister,
	"ext/session/combine/login":                 subLogin,
	"ext/session/combine/batch_login":           subBatchLogin,
	"ext/session/combine/logout":                subLogout,
	"ext/session/combine/batch_logout":          subBatchLogout,
}

// answers say what requests are told, by their type.
var answers = map[reflect.Type]func(r dialect.Request, result any, err error) []dialect.Downlink{
	reflect.TypeFor[*dialect.Clock](): answer(clockAnswer),

	reflect.TypeFor[*dialect.UpgradeQuery]():  answer(upgradeGetAnswer),
	reflect.TypeFor[*dialect.FileRead]():      answer(fileDownloadAnswer),
	reflect.TypeFor[*dialect.FileBegin]():     answer(uploadBegun),
	reflect.TypeFor[*dialect.FileWrite]():     answer(uploadSent),
	reflect.TypeFor[*dialect.FileCancel]():    answer(uploadCancelled),
	reflect.TypeFor[*dialect.ShadowUpdate]():  answer(shadowUpdated),
	reflect.TypeFor[*dialect.ShadowDelete]():  answer(shadowDeleted),
	reflect.TypeFor[*dialect.ShadowGet]():     answer(shadowGot),
	reflect.TypeFor[*dialect.DesiredGet]():    answer(desiredGot),
	reflect.TypeFor[*dialect.DesiredDelete](): answer(outcome[*dialect.DesiredDelete]),
	reflect.TypeFor[*dialect.TagsUpdate]():    answer(outcome[*dialect.TagsUpdate]),
	reflect.TypeFor[*dialect.TagsDelete]():    answer(outcome[*dialect.TagsDelete]),
	reflect.TypeFor[*dialect.ConfigGet]():     answer(configGot),
	reflect.TypeFor[*dialect.LogGet]():        answer(logMode),
	reflect.TypeFor[*dialect.LogPost]():       answer(outcome[*dialect.LogPost]),
	reflect.TypeFor[*dialect.ModelGet]():      answer(modelGot),
	reflect.TypeFor[*dialect.Reset]():         answer(outcome[*dialect.Reset]),
	reflect.TypeFor[*dialect.LANGet]():        answer(lanKey),
	reflect.TypeFor[*dialect.NetworkReport](): answer(outcome[*dialect.NetworkReport]),

	reflect.TypeFor[*dialect.TopoAdd]():       answer(topoBound[*dialect.TopoAdd]),
	reflect.TypeFor[*dialect.TopoDelete]():    answer(topoBound[*dialect.TopoDelete]),
	reflect.TypeFor[*dialect.TopoGet]():       answer(topoBound[*dialect.TopoGet]),
	reflect.TypeFor[*dialect.SubsFound]():     answer(foundNoted),
	reflect.TypeFor[*dialect.SubRegister]():   answer(registered),
	reflect.TypeFor[*dialect.SubUnregister](): answer(topoBound[*dialect.SubUnregister]),
	reflect.TypeFor[*dialect.ProxyRegister](): answer(proxied),
	reflect.TypeFor[*dialect.SubLogin]():      answer(loggedIn),
	reflect.TypeFor[*dialect.SubLogout]():     answer(loggedOut),
}

// answer makes an entry of answers of a function for one type of request and
// of result. A failure comes with the zero result.
func answer[R dialect.Request, A any](say func(r R, result A, err error) []dialect.Downlink) func(dialect.Request, any, error) []dialect.Downlink {
	return func(r dialect.Request, result any, err error) []dialect.Downlink {
		a, _ := result.(A)
		return say(r.(R), a, err)
	}
}
