package onenet

import (
	"reflect"

	"github.com/matou-iot/matou/internal/dialect"
	vendor "github.com/matou-iot/matou/onenet"
)

// requests are what devices ask of the platform, by the path of the topic
// [onenet §3.2]. A reader returns nil, with a fault and perhaps an answer in
// r.up, for what it cannot read. Topic, id and device are filled in behind it.
var requests = map[string]func(r *reading) dialect.Request{
	"thing/property/desired/get":    desiredGet,
	"thing/property/desired/delete": desiredDelete,
	"ota/inform_reply":              upgradeHeard,
	vendor.SubTopoAdd:               topoAdd,
	vendor.SubTopoDelete:            topoDelete,
	vendor.SubTopoGet:               topoGet,
	vendor.SubLogin:                 subLogin,
	vendor.SubLogout:                subLogout,
}

// answers say what requests are told, by their type.
var answers = map[reflect.Type]func(r dialect.Request, result any, err error) []dialect.Downlink{
	reflect.TypeFor[*dialect.DesiredGet]():    answer(desiredGot),
	reflect.TypeFor[*dialect.DesiredDelete](): answer(desiredDeleted),

	reflect.TypeFor[*dialect.Response]():    answer(responded),
	reflect.TypeFor[*dialect.ImageUpdate](): answer(imageUpdated),
	reflect.TypeFor[*dialect.ImageGet]():    answer(imageGot),
	reflect.TypeFor[*dialect.TopoAdd]():     answer(subTold[*dialect.TopoAdd]),
	reflect.TypeFor[*dialect.TopoDelete]():  answer(subTold[*dialect.TopoDelete]),
	reflect.TypeFor[*dialect.TopoGet]():     answer(topoTold),
	reflect.TypeFor[*dialect.SubLogin]():    answer(subTold[*dialect.SubLogin]),
	reflect.TypeFor[*dialect.SubLogout]():   answer(subTold[*dialect.SubLogout]),
}

// answer makes an entry of answers of a function for one type of request and
// of result. A failure comes with the zero result.
func answer[R dialect.Request, A any](say func(r R, result A, err error) []dialect.Downlink) func(dialect.Request, any, error) []dialect.Downlink {
	return func(r dialect.Request, result any, err error) []dialect.Downlink {
		a, _ := result.(A)
		return say(r.(R), a, err)
	}
}

// Answer says what a request is told.
func (Dialect) Answer(r dialect.Request, result any, err error) []dialect.Downlink {
	say, ok := answers[reflect.TypeOf(r)]
	if !ok || r.Asked().NoAnswer {
		return nil
	}
	return say(r, result, err)
}
