package onenet

import (
	"errors"
	"fmt"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	vendor "github.com/matou-iot/matou/onenet"
	"github.com/matou-iot/matou/thing"
)

var _ dialect.Gateways = Dialect{}

// topoAdd and its like read what gateways ask about a sub-device
// [onenet §3.3].
func topoAdd(r *reading) dialect.Request {
	if s, ok := r.sub(true); ok {
		return &dialect.TopoAdd{Subs: s}
	}
	return nil
}

func topoDelete(r *reading) dialect.Request {
	if s, ok := r.sub(true); ok {
		return &dialect.TopoDelete{Subs: s}
	}
	return nil
}

func topoGet(r *reading) dialect.Request {
	if !r.understood(r.decoder.Ask(r.payload)) {
		return nil
	}
	return &dialect.TopoGet{}
}

func subLogin(r *reading) dialect.Request {
	if s, ok := r.sub(false); ok {
		return &dialect.SubLogin{Subs: s}
	}
	return nil
}

func subLogout(r *reading) dialect.Request {
	if s, ok := r.sub(false); ok {
		return &dialect.SubLogout{Subs: s}
	}
	return nil
}

// sub reads the sub-device that a request is about; what cannot be read is
// answered and refused.
func (r *reading) sub(proved bool) ([]dialect.SubDevice, bool) {
	found, err := r.decoder.Sub(r.payload)
	if !r.understood(err) {
		return nil, false
	}
	if found.ProductID == "" || found.DeviceName == "" {
		r.refuseAll(&dialect.Diagnosis{
			Code: "onenet-bad-params", Field: "params", Received: cut(found.ProductID+"/"+found.DeviceName, maxShown), Expected: `{"productID":"…","deviceName":"…"}`,
			Sentence: "the sub-device lacks its productID or deviceName", SentenceZH: "子设备缺少 productID 或 deviceName",
			Advice: "write both, in exactly this spelling", AdviceZH: "请按此拼写填写两者",
		}, vendor.ParamsMissing, "params missing")
		return nil, false
	}
	s := dialect.SubDevice{Claim: dialect.Claim{Product: found.ProductID, Device: found.DeviceName}, ClientID: found.DeviceName}
	if proved {
		s.Proof = found
	}
	return []dialect.SubDevice{s}, true
}

// subReply reads a gateway's answer for a sub-device. Which sub-device is known
// by the id alone: the C SDK answers even on another topic [onenet §3.3].
func (r *reading) subReply(kind dialect.Kind) {
	r.up.Kind = kind
	data, service, _, err := r.decoder.SubReply(r.payload)
	if err != nil {
		r.up.Fault = badMessage(err)
		return
	}
	r.remember()
	code := r.decoder.Code
	r.up.Reply = dialect.Reply{
		ID: r.up.ID, ByID: true, Relayed: true, Service: service, Code: code, OK: code == vendor.Success, Message: string(r.decoder.Message), Data: data,
	}
}

// subDevice reads what a gateway publishes below thing/sub; false for what only
// the platform may.
func (r *reading) subDevice(path string) bool {
	switch path {
	case vendor.SubPropertySetAck:
		r.subReply(dialect.SetReply)
	case vendor.SubPropertyGetAck:
		r.subReply(dialect.GetReply)
	case vendor.SubServiceAck:
		r.subReply(dialect.InvokeReply)
	case vendor.SubTopoChanged, vendor.SubTopoResult:
		r.up.Kind = dialect.Unimplemented // it says that it has heard; nothing follows
	default:
		return false
	}
	return true
}

// subTold answers a request about a sub-device.
func subTold[R dialect.Request](r R, _ []dialect.Claim, err error) []dialect.Downlink {
	a := r.Asked()
	switch {
	case onSubdev(a):
		return subdevTold(a, err)
	case err != nil:
		return subRefused(a, err)
	}
	return reply(a, vendor.AppendReply(nil, []byte(a.ID), vendor.Success, "success"))
}

func topoTold(r *dialect.TopoGet, all []dialect.Claim, err error) []dialect.Downlink {
	if err != nil {
		return subRefused(r.Asked(), err)
	}
	return reply(r.Asked(), vendor.AppendReplyData(nil, []byte(r.ID), vendor.Success, "success", vendor.AppendSubs(nil, subNames(all))))
}

func subNames(all []dialect.Claim) []vendor.Sub {
	subs := make([]vendor.Sub, len(all))
	for i, c := range all {
		subs[i] = vendor.Sub{ProductID: c.Product, DeviceName: c.Device}
	}
	return subs
}

// subRefused tells why not. The platform's table of codes was never published,
// so these are ours [onenet §3.4].
func subRefused(a *dialect.Ask, err error) []dialect.Downlink {
	f, ok := errors.AsType[dialect.SubFault](err)
	if !ok {
		return failed(a, err)
	}
	code := vendor.NotYourSub
	if f == dialect.SubTooMany || f == dialect.SubTooManyOnline || f == dialect.SubTooOften {
		code = vendor.LimitExceeded
	}
	return reply(a, vendor.AppendReply(nil, []byte(a.ID), code, f.Error()))
}

// Owner: gateways write nobody's names but their own into topics, but for those
// of the first generation.
func (Dialect) Owner(topic []byte) []byte { return vendor.SubdevOwner(topic) }

// MustLogin: to log in is optional [onenet §3.3], but for the first generation.
func (d Dialect) MustLogin() bool { return d.streams }

// LoginTopic is where a gateway logs a sub-device in.
func (d Dialect) LoginTopic(gateway, sub dialect.Claim) string {
	if d.streams {
		return vendor.SubdevTopic(sub.Product, sub.Device, vendor.SubdevLoginPath)
	}
	return vendor.SubTopic(gateway.Product, gateway.Device, vendor.SubLogin)
}

// Acknowledges: topics of sub-devices are those of their gateway.
func (Dialect) Acknowledges([]byte) bool { return false }

// Prove checks a sub-device's token.
func (Dialect) Prove(s *dialect.SubDevice, k, gateway dialect.Secrets, now time.Time) *dialect.Diagnosis {
	sub, ok := s.Proof.(vendor.Sub)
	if !ok {
		return nil
	}
	return diagnosis(vendor.DiagnoseSub(sub, keys(k), keys(gateway), now))
}

// Through puts what a sub-device is told into what its gateway is told.
func (Dialect) Through(gateway dialect.Claim, d dialect.Downlink) (dialect.Downlink, bool) {
	topic, payload, ok := vendor.ThroughGateway(gateway.Product, gateway.Device, d.Topic, d.Payload)
	return dialect.Downlink{Topic: topic, Payload: payload}, ok
}

// Notify says that the topology is another now: all of it, whatever changed
// [onenet §3.3]. The platform tells gateways nothing else of its own accord.
func (d Dialect) Notify(n *dialect.Notice) []dialect.Downlink {
	if d.streams {
		return subdevNotices(n)
	}
	switch n.Kind {
	case dialect.SubsAdded, dialect.SubsRemoved, dialect.SubsDeleted:
		return []dialect.Downlink{{
			Topic:   vendor.SubTopic(n.Gateway.Product, n.Gateway.Device, vendor.SubTopoChange),
			Payload: vendor.AppendTopoChange(nil, n.ID, subNames(n.All)),
		}}
	}
	return nil
}

// pack reads a report of the device and, for a gateway, of sub-devices of it.
// One value that does not fit refuses them all, as in other reports.
func (r *reading) pack(c dialect.Claim) {
	r.up.Kind = dialect.PropertyPost
	parts, err := r.decoder.Pack(r.payload)
	if !r.understood(err) {
		return
	}
	if why := r.tooMany(parts); why != nil {
		r.refuseAll(why, vendor.LimitExceeded, "limit exceeded")
		return
	}
	gateway := r.model
	for i := range parts {
		p := &parts[i]
		who := dialect.Claim{Product: p.ProductID, Device: p.DeviceName}
		if !p.Names || who == c {
			r.part(p)
			continue
		}
		sub, why := r.modelOf(c, who)
		if why != nil {
			r.refuseAll(why, vendor.NotYourSub, "not a sub-device of this gateway:"+cut(who.Session(), maxShown))
			break
		}
		report, events := r.up.Report, r.up.Events
		r.model, r.up.Report, r.up.Events = sub, nil, nil
		r.part(p)
		r.up.Parts = append(r.up.Parts, dialect.Part{Claim: who, Report: r.up.Report, Events: r.up.Events})
		r.model, r.up.Report, r.up.Events = gateway, report, events
	}
	if r.up.Fault == nil {
		r.settle()
	}
	if r.up.RefusedAll {
		r.up.Report, r.up.Events, r.up.Parts = r.up.Report[:0], r.up.Events[:0], r.up.Parts[:0]
	}
}

// part reads what a report says of one device.
func (r *reading) part(p *vendor.Part) {
	for _, v := range p.Properties {
		r.property([]byte(v.ID), v.Value, v.At)
	}
	r.happened(p.Events)
}

// modelOf asks whether the device may report for another one.
func (r *reading) modelOf(c, sub dialect.Claim) (*thing.Model, *dialect.Diagnosis) {
	if r.up.Others == nil {
		return nil, notYours(c, sub)
	}
	return r.up.Others.Model(c, sub)
}

// tooMany finds a report of more devices or points than may be
// [onenet §3.2]; only strict products are held to that.
func (r *reading) tooMany(parts []vendor.Part) *dialect.Diagnosis {
	if !r.strict {
		return nil
	}
	devices, points, values := len(parts), 0, 0
	for i := range parts {
		of := make(map[string]int) // values of a property or event
		for j := range parts[i].Properties {
			of[parts[i].Properties[j].ID]++
		}
		for j := range parts[i].Events {
			of[parts[i].Events[j].ID]++
		}
		points = max(points, len(of))
		for _, n := range of {
			values = max(values, n)
		}
	}
	if devices <= vendor.MaxPackDevices+1 && points <= vendor.MaxPackPoints && values <= vendor.MaxPackPoints {
		return nil
	}
	return &dialect.Diagnosis{
		Code: "onenet-pack-limit", Field: "params", Received: fmt.Sprintf("%d devices, up to %d properties and events of one, up to %d values of each", devices, points, values),
		Expected:   fmt.Sprintf("at most %d sub-devices, %d properties and events of one, %[2]d values of each", vendor.MaxPackDevices, vendor.MaxPackPoints),
		Sentence:   fmt.Sprintf("the report is of %d devices, with up to %d properties and events of one and %d values of each, more than the platform takes at once", devices, points, values),
		SentenceZH: fmt.Sprintf("该消息含 %d 个设备，单个设备最多 %d 个功能点，单个功能点最多 %d 个值，超过平台上限", devices, points, values),
		Advice:     "send several reports", AdviceZH: "请分多条上报",
	}
}

func notYours(c, sub dialect.Claim) *dialect.Diagnosis {
	return &dialect.Diagnosis{
		Code: "onenet-sub-not-bound", Field: "identity", Received: cut(sub.Session(), maxShown), Expected: "a sub-device of " + c.Session(),
		Sentence:   fmt.Sprintf("device %s is no sub-device of %s", cut(sub.Session(), maxShown), c.Session()),
		SentenceZH: fmt.Sprintf("设备 %s 不是 %s 的子设备", cut(sub.Session(), maxShown), c.Session()),
		Advice:     "bind it first with thing/sub/topo/add", AdviceZH: "请先用 thing/sub/topo/add 绑定",
	}
}
