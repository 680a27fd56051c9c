package aliyun

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
)

var _ dialect.Gateways = Dialect{}

// topoAdd and its like read what gateways ask about their sub-devices
// [aliyun-device §4.16].
func topoAdd(r *reading) dialect.Request {
	if subs, ok := r.subs(1, vendor.MaxTopoAdd, true); ok {
		return &dialect.TopoAdd{Subs: subs}
	}
	return nil
}

func topoDelete(r *reading) dialect.Request {
	if subs, ok := r.subs(1, vendor.MaxTopoAdd, false); ok {
		return &dialect.TopoDelete{Subs: subs}
	}
	return nil
}

func topoGet(r *reading) dialect.Request {
	if _, ok := r.alink(); ok {
		return &dialect.TopoGet{}
	}
	return nil
}

func subsFound(r *reading) dialect.Request {
	if subs, ok := r.subs(1, vendor.MaxSubDevices, false); ok {
		return &dialect.SubsFound{Subs: subs}
	}
	return nil
}

func subRegister(r *reading) dialect.Request {
	if subs, ok := r.subs(1, vendor.MaxTopoAdd, false); ok {
		return &dialect.SubRegister{Subs: subs}
	}
	return nil
}

func subUnregister(r *reading) dialect.Request {
	if subs, ok := r.subs(1, vendor.MaxTopoAdd, false); ok {
		return &dialect.SubUnregister{Subs: subs}
	}
	return nil
}

func proxyRegister(r *reading) dialect.Request {
	subs, ok := r.subs(1, vendor.MaxTopoAdd, true)
	if !ok {
		return nil
	}
	for i := range subs {
		subs[i].Registration = true
	}
	return &dialect.ProxyRegister{Subs: subs}
}

func subLogin(r *reading) dialect.Request {
	if subs, ok := r.subs(1, 1, true); ok {
		return &dialect.SubLogin{Subs: keepSessions(subs)}
	}
	return nil
}

func subBatchLogin(r *reading) dialect.Request {
	if subs, ok := r.subs(1, vendor.MaxBatchLogin, true); ok {
		return &dialect.SubLogin{Subs: keepSessions(subs), Batch: true}
	}
	return nil
}

// keepSessions reads which logins go on with what waits for their sub-devices.
// Those that say nothing begin anew.
func keepSessions(subs []dialect.SubDevice) []dialect.SubDevice {
	for i := range subs {
		if s, ok := subs[i].Proof.(*vendor.SubDevice); ok {
			subs[i].KeepSession = strings.EqualFold(s.CleanSession, "false") || s.CleanSession == "0"
		}
	}
	return subs
}

func subLogout(r *reading) dialect.Request {
	if subs, ok := r.subs(1, 1, false); ok {
		return &dialect.SubLogout{Subs: subs}
	}
	return nil
}

func subBatchLogout(r *reading) dialect.Request {
	if subs, ok := r.subs(1, vendor.MaxBatchLogin, false); ok {
		return &dialect.SubLogout{Subs: subs, Batch: true}
	}
	return nil
}

// subs reads the sub-devices of a request, at least and at most so many. What
// cannot be read is answered and refused.
func (r *reading) subs(least, most int, proved bool) ([]dialect.SubDevice, bool) {
	found, err := r.decoder.SubDevices(r.payload)
	r.noAnswer = r.decoder.NoAck
	var why *dialect.Diagnosis
	switch {
	case err != nil:
		why = badMessage(err)
	case len(found) < least:
		why = badSubs("params", "no sub-device", `[{"deviceName":"…","productKey":"…"}]`,
			"the request names no sub-device", "请求中没有子设备")
	case len(found) > most:
		why = badSubs("params", fmt.Sprint(len(found)), fmt.Sprintf("at most %d", most),
			fmt.Sprintf("the request names %d sub-devices, more than %d", len(found), most),
			fmt.Sprintf("请求中有 %d 个子设备，超过 %d 个", len(found), most))
	}
	subs := make([]dialect.SubDevice, len(found))
	for i := range found {
		s := &found[i]
		if why == nil && (s.ProductKey == "" || s.DeviceName == "") {
			why = badSubs("params", s.ProductKey+"/"+s.DeviceName, "productKey and deviceName",
				"a sub-device lacks its productKey or deviceName", "子设备缺少 productKey 或 deviceName")
		}
		subs[i] = dialect.SubDevice{Claim: dialect.Claim{Product: s.ProductKey, Device: s.DeviceName}, ClientID: s.ClientID}
		if proved {
			subs[i].Proof = s
		}
	}
	r.remember()
	if why == nil {
		return subs, true
	}
	r.up.Fault = why
	if !r.noAnswer {
		r.up.Answers = append(r.up.Answers, answerTo(string(r.topic), r.up.ID, codeBadParams, nil, textBadParams)...)
	}
	return nil, false
}

func badSubs(field, received, expected, sentence, zh string) *dialect.Diagnosis {
	return &dialect.Diagnosis{
		Code: "aliyun-bad-params", Field: field, Received: cut(received), Expected: expected,
		Sentence: sentence, SentenceZH: zh,
		Advice: "write params as " + expected, AdviceZH: "params 应写为 " + expected,
	}
}

// answerTo answers on the topic of a request: below /ext/session without
// method and version [aliyun-device §4.16].
func answerTo(topic, id string, code int, data []byte, text string) []dialect.Downlink {
	var payload []byte
	if strings.HasPrefix(topic, "/ext/") {
		payload = vendor.AppendSessionReply(nil, code, data, []byte(id), text)
	} else {
		payload = vendor.AppendReply(nil, code, data, []byte(id), text, method(topic))
	}
	return []dialect.Downlink{{Topic: topic + "_reply", Payload: payload}}
}

// topoBound answers with the sub-devices' names, as newer devices want it and older
// ones do not mind [aliyun-device §4.16].
func topoBound[R dialect.Request](r R, all []dialect.Claim, err error) []dialect.Downlink {
	return subsTold(r.Asked(), vendor.AppendSubDevices(nil, subNames(all)), err)
}

func foundNoted(r *dialect.SubsFound, _ dialect.Done, err error) []dialect.Downlink {
	return subsTold(r.Asked(), nil, err)
}

// loggedIn and loggedOut answer a single login with one pair of names.
func loggedIn(r *dialect.SubLogin, all []dialect.Claim, err error) []dialect.Downlink {
	return sessionTold(r.Asked(), all, r.Batch, err)
}

func loggedOut(r *dialect.SubLogout, all []dialect.Claim, err error) []dialect.Downlink {
	return sessionTold(r.Asked(), all, r.Batch, err)
}

func sessionTold(a *dialect.Ask, all []dialect.Claim, batch bool, err error) []dialect.Downlink {
	data := vendor.AppendSubDevices(nil, subNames(all))
	if !batch && len(all) == 1 {
		data = data[1 : len(data)-1]
	}
	return subsTold(a, data, err)
}

func registered(r *dialect.SubRegister, all []dialect.Registered, err error) []dialect.Downlink {
	downlinks := subsTold(r.Asked(), vendor.AppendSubsRegistered(nil, registeredSubs(all, false)), err)
	downlinks[0].Shown = subsTold(r.Asked(), vendor.AppendSubsRegistered(nil, registeredSubs(all, true)), err)[0].Payload
	return downlinks
}

func proxied(r *dialect.ProxyRegister, all dialect.Registrations, err error) []dialect.Downlink {
	var failed []vendor.RefusedSub
	for _, f := range all.Failed {
		code, _ := subFailure(f.Why, false)
		failed = append(failed, vendor.RefusedSub{SubDevice: subName(f.Claim), Code: code})
	}
	downlinks := subsTold(r.Asked(), vendor.AppendProxied(nil, registeredSubs(all.Made, false), failed), err)
	downlinks[0].Shown = subsTold(r.Asked(), vendor.AppendProxied(nil, registeredSubs(all.Made, true), failed), err)[0].Payload
	return downlinks
}

// registeredSubs are registered devices for the wire; hidden ones for the timeline.
func registeredSubs(all []dialect.Registered, hidden bool) []vendor.RegisteredSub {
	made := make([]vendor.RegisteredSub, len(all))
	for i, d := range all {
		made[i] = vendor.RegisteredSub{SubDevice: subName(d.Claim), DeviceSecret: d.Secret, IotID: d.Session()}
		if hidden {
			made[i].DeviceSecret = "…"
		}
	}
	return made
}

func subName(c dialect.Claim) vendor.SubDevice {
	return vendor.SubDevice{ProductKey: c.Product, DeviceName: c.Device}
}

func subNames(all []dialect.Claim) []vendor.SubDevice {
	subs := make([]vendor.SubDevice, len(all))
	for i, c := range all {
		subs[i] = subName(c)
	}
	return subs
}

// subsTold answers a request about sub-devices with data, or says why not.
func subsTold(a *dialect.Ask, data []byte, err error) []dialect.Downlink {
	if err != nil {
		code, text := subFailure(err, strings.HasPrefix(a.Topic, "/ext/"))
		return answerTo(a.Topic, a.ID, code, nil, text)
	}
	return answerTo(a.Topic, a.ID, codeDone, data, textDone)
}

// A subAnswer is what the platform says of a fault [aliyun-device §4.16, §5.10].
type subAnswer struct {
	code int
	text string
}

var subAnswers = map[dialect.SubFault]subAnswer{
	dialect.SubNoGateway:       {400, "request error"},
	dialect.SubItself:          {6402, "topo relation cannot add by self"},
	dialect.SubUnknownProduct:  {6250, "product not found"},
	dialect.SubUnknown:         {6100, "device not found"},
	dialect.SubUnfit:           {400, "request error"},
	dialect.SubUnproved:        {401, "request auth error"},
	dialect.SubDisabled:        {6204, "device forbidden"},
	dialect.SubDeleted:         {521, "device deleted"},
	dialect.SubTooMany:         {6400, "too many subdevices under gateway"},
	dialect.SubTooManyOnline:   {428, "too many subdevices under gateway"},
	dialect.SubNotBound:        {6401, "topo relation not exist"},
	dialect.SubElsewhere:       {6619, "device is bound to another gateway"},
	dialect.SubTakenOver:       {427, "device connect in elsewhere"},
	dialect.SubNoSession:       {520, "device no session"},
	dialect.SubTooOften:        {429, "rate limit, too many subDeviceOnline msg in one minute"},
	dialect.SubActivated:       {6289, "device is already activated"},
	dialect.SubRegistrationOff: {6288, "dynamic registration is not enabled"},
	dialect.SubBadName:         {6280, "devicename not meet specs"},
}

// sessionAnswers are those that are others below /ext/session and on
// /ext/error.
var sessionAnswers = map[dialect.SubFault]subAnswer{
	dialect.SubUnproved: {6287, "invalid sign"},
	dialect.SubDisabled: {522, "device forbidden"},
}

// subFailure is what the platform says of an error; session says that it is
// about a session.
func subFailure(err error, session bool) (code int, text string) {
	if f, ok := errors.AsType[dialect.SubFault](err); ok {
		a, known := sessionAnswers[f]
		if !session || !known {
			a, known = subAnswers[f]
		}
		if known {
			return a.code, a.text
		}
	}
	if fault.KindOf(err) == fault.KindExhausted {
		return 429, "too many requests"
	}
	return codeServer, textServer
}

// Owner finds the names in a topic: a gateway publishes on its sub-devices' own
// topics [aliyun-device §4.4].
func (Dialect) Owner(topic []byte) []byte { return vendor.Owner(topic) }

// MustLogin: the platform hears nobody without a session.
func (Dialect) MustLogin() bool { return true }

// LoginTopic is where a gateway logs a sub-device in.
func (Dialect) LoginTopic(gateway, _ dialect.Claim) string {
	return "/ext/session/" + gateway.Session() + "/combine/login"
}

// Acknowledges: a gateway answers disable, enable and delete on the topics of
// the sub-device [aliyun-device §4.15].
func (Dialect) Acknowledges(topic []byte) bool {
	if !bytes.HasPrefix(topic, []byte("/sys/")) || bytes.Count(topic, []byte("/")) != 5 {
		return false
	}
	for _, end := range []string{"/thing/disable_reply", "/thing/enable_reply", "/thing/delete_reply"} {
		if bytes.HasSuffix(topic, []byte(end)) {
			return true
		}
	}
	return false
}

// Prove checks a sub-device's signature.
func (Dialect) Prove(s *dialect.SubDevice, k, gateway dialect.Secrets, _ time.Time) *dialect.Diagnosis {
	sub, ok := s.Proof.(*vendor.SubDevice)
	if !ok {
		return nil
	}
	var found *vendor.Diagnosis
	if s.Registration {
		found = vendor.DiagnoseRegistration(vendor.Registration{
			ProductKey: sub.ProductKey, DeviceName: sub.DeviceName, Random: sub.Random, SignMethod: sub.SignMethod, Sign: sub.Sign, HTTP: true,
		}, vendor.RegistrationKnown{ProductSecret: k.Product, PreviousProductSecret: k.PreviousProduct, DeviceSecret: k.Device})
	} else {
		found = vendor.DiagnoseSub(*sub, vendor.KnownSub{
			DeviceSecret: k.Device, PreviousSecret: k.PreviousDevice, ProductSecret: k.Product, GatewaySecret: gateway.Device,
		})
	}
	if found == nil {
		return nil
	}
	return &dialect.Diagnosis{
		Code: found.Code, Field: found.Field, Received: found.Received, Expected: found.Expected, Sentence: found.Sentence,
		SentenceZH: found.SentenceZH, Advice: found.Advice, AdviceZH: found.AdviceZH, StringToSign: found.StringToSign,
	}
}

// Through changes nothing: a gateway hears its sub-devices' own topics.
func (Dialect) Through(_ dialect.Claim, d dialect.Downlink) (dialect.Downlink, bool) { return d, true }

// topoStatuses are what topo/change says.
var topoStatuses = map[dialect.NoticeKind]vendor.TopoStatus{
	dialect.SubsAdded: vendor.TopoCreated, dialect.SubsRemoved: vendor.TopoDeleted, dialect.SubsDeleted: vendor.TopoDeleted,
	dialect.SubsEnabled: vendor.TopoEnabled, dialect.SubsDisabled: vendor.TopoDisabled,
}

// subMethods are what is said on the topics of the sub-devices themselves.
var subMethods = map[dialect.NoticeKind]string{
	dialect.SubsEnabled: "thing.enable", dialect.SubsDisabled: "thing.disable", dialect.SubsDeleted: "thing.delete",
}

// Notify says what a gateway is told [aliyun-device §4.15, §4.16].
func (Dialect) Notify(n *dialect.Notice) (all []dialect.Downlink) {
	say := func(to dialect.Claim, method string, params []byte) {
		all = append(all, dialect.Downlink{
			Topic: vendor.ThingTopic(to.Product, to.Device, method), Payload: vendor.AppendNotice(nil, n.ID, method, params),
		})
	}
	switch n.Kind {
	case dialect.AskToAdd:
		say(n.Gateway, "thing.topo.add.notify", vendor.AppendSubDevices(nil, subNames(n.Subs)))
	case dialect.Permit:
		say(n.Gateway, "thing.gateway.permit", vendor.AppendPermit(nil, n.Product, n.Seconds))
	case dialect.SessionOver:
		why, known := sessionAnswers[n.Why]
		if !known {
			why = subAnswers[n.Why]
		}
		if n.Why == dialect.SubNoSession {
			why.text = "device session error"
		}
		for _, sub := range n.Subs {
			all = append(all, dialect.Downlink{
				Topic:   vendor.ExtErrorTopic(n.Gateway.Product, n.Gateway.Device),
				Payload: vendor.AppendSubError(nil, n.ID, why.code, why.text, subName(sub)),
			})
		}
	}
	if m, ok := subMethods[n.Kind]; ok {
		for _, sub := range n.Subs {
			say(sub, m, []byte("{}"))
		}
	}
	if status, ok := topoStatuses[n.Kind]; ok {
		say(n.Gateway, "thing.topo.change", vendor.AppendTopoChange(nil, status, subNames(n.Subs)))
	}
	return all
}
