package topology

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/thing"
)

func (s *Service) nextID() string { return strconv.FormatInt(s.last.Add(1), 10) }

// refuse makes the error of a request: a diagnosis for people and a fault for
// the device. The dialect's name goes before the code later.
func refuse(f dialect.SubFault, code, field string, sub dialect.Claim, expected, sentence, zh, advice, adviceZH string) error {
	return &dialect.Refusal{Cause: f, Diagnosis: dialect.Diagnosis{
		Code: "sub-" + code, Field: field, Received: sub.Session(), Expected: expected,
		Sentence: sentence, SentenceZH: zh, Advice: advice, AdviceZH: adviceZH,
	}}
}

// asking checks that a request is the gateway's own.
func asking(r dialect.Request) (*dialect.Subject, registry.ID, error) {
	a := r.Asked()
	if a.By == nil {
		return nil, registry.ID{}, refuse(dialect.SubNoGateway, "no-connection", "topic", a.Claim, "a request over MQTT",
			"a gateway carries sub-devices on its MQTT connection, and this request came without one", "网关只能在 MQTT 连接上代理子设备，该请求不是通过 MQTT 连接发送的",
			"connect with MQTT", "请使用 MQTT 接入")
	}
	if a.By.Claim != a.Claim {
		return nil, registry.ID{}, refuse(dialect.SubNoGateway, "asks-for-itself", "topic", a.Claim, "the gateway's own names in the topic",
			"sub-device "+a.Claim.Session()+" cannot have sub-devices", "子设备 "+a.Claim.Session()+" 不能再带子设备",
			"write the gateway's product key and name into the topic", "主题中应填写网关的 ProductKey 与名称")
	}
	return a.By, id(a.Claim), nil
}

// A candidate is a sub-device that a request names, looked up.
type candidate struct {
	dialect.SubDevice
	product *registry.Product
	device  *registry.Device
}

func (s *Service) lookUp(ctx context.Context, sub dialect.SubDevice) (c candidate, err error) {
	c.SubDevice = sub
	if c.product, err = s.Registry.Product(ctx, sub.Product); fault.KindOf(err) == fault.KindNotFound {
		return c, refuse(dialect.SubUnknownProduct, "unknown-product", "productKey", sub.Claim, "the key of a product",
			fmt.Sprintf("there is no product %q here", sub.Product), fmt.Sprintf("这里没有产品 %q", sub.Product),
			"create the product with this key, or correct it", "请以该 ProductKey 创建产品，或更正它")
	} else if err != nil {
		return c, err
	}
	if c.device, err = s.Registry.Device(ctx, id(sub.Claim)); fault.KindOf(err) == fault.KindNotFound {
		return c, refuse(dialect.SubUnknown, "unknown-device", "deviceName", sub.Claim, "the name of a device",
			fmt.Sprintf("product %q has no device %q", sub.Product, sub.Device), fmt.Sprintf("产品 %q 下没有设备 %q", sub.Product, sub.Device),
			"create the device first, or correct its name", "请先创建设备，或更正设备名称")
	}
	return c, err
}

// prove checks the proof that comes with a sub-device.
func (s *Service) prove(ctx context.Context, by *dialect.Subject, c *candidate) error {
	g, ok := by.Dialect.(dialect.Gateways)
	if !ok || c.product.Dialect != by.Dialect.Name() {
		return refuse(dialect.SubUnfit, "other-dialect", "productKey", c.Claim, "a device of the gateway's own dialect",
			fmt.Sprintf("sub-device %s does not speak as its gateway does", c.Session()), fmt.Sprintf("子设备 %s 与网关使用的协议不同", c.Session()),
			"give the sub-device a product of the same dialect", "请把子设备放到同一协议的产品中")
	}
	own, err := s.Registry.Device(ctx, id(by.Claim))
	if err != nil {
		return err
	}
	product, err := s.Registry.Product(ctx, by.Product)
	if err != nil {
		return err
	}
	k := dialect.Secrets{
		Device: c.device.Secret, PreviousDevice: c.device.PreviousSecret, Product: c.product.Secret, PreviousProduct: c.product.PreviousSecret,
	}
	why := g.Prove(&c.SubDevice, k, dialect.Secrets{Device: own.Secret, Product: product.Secret}, s.Now())
	if why == nil {
		return nil
	}
	d := *why
	d.Code = strings.TrimPrefix(d.Code, by.Dialect.Name()+"-")
	d.Sentence, d.SentenceZH = c.Session()+": "+d.Sentence, c.Session()+"："+d.SentenceZH
	return &dialect.Refusal{Diagnosis: d, Cause: dialect.SubUnproved}
}

func (c *candidate) enabled() error {
	if c.device.Enabled {
		return nil
	}
	return refuse(dialect.SubDisabled, "disabled", "deviceName", c.Claim, "an enabled device",
		fmt.Sprintf("sub-device %s is disabled", c.Session()), fmt.Sprintf("子设备 %s 已被禁用", c.Session()),
		"enable it: matou device enable "+c.Session(), "启用设备：matou device enable "+c.Session())
}

// rules are the registry's rules as faults and codes.
var rules = map[registry.TopologyRule]struct {
	fault  dialect.SubFault
	code   string
	advice string
	zh     string
}{
	registry.AddsItself:     {dialect.SubItself, "itself", "name the sub-device, not the gateway", "请填写子设备，而不是网关自己"},
	registry.NoGateway:      {dialect.SubNoGateway, "no-gateway", "set the product's node type to gateway: matou product set PRODUCT --node-type gateway", "请把产品的节点类型设为网关：matou product set PRODUCT --node-type gateway"},
	registry.NoSubDevice:    {dialect.SubUnfit, "no-sub-device", "a gateway connects by itself", "网关应自行接入"},
	registry.OtherDialect:   {dialect.SubUnfit, "other-dialect", "give the sub-device a product of the same dialect", "请把子设备放到同一协议的产品中"},
	registry.BoundElsewhere: {dialect.SubElsewhere, "bound-elsewhere", "remove it from the other gateway first: matou device sub remove", "请先从另一个网关移除：matou device sub remove"},
	registry.TooManySubs:    {dialect.SubTooMany, "too-many", "remove sub-devices that are gone, or use another gateway", "请移除不用的子设备，或使用另一个网关"},
	registry.NotBound:       {dialect.SubNotBound, "not-bound", "add it first with topo/add, or: matou device sub add GATEWAY SUB", "请先用 topo/add 添加，或：matou device sub add GATEWAY SUB"},
}

// ruled makes a refusal of what the registry says.
func ruled(err error, gateway dialect.Claim) error {
	e, ok := errors.AsType[*registry.TopologyError](err)
	if !ok {
		return err
	}
	r := rules[e.Rule]
	sub := claim(e.Sub)
	if e.Sub == (registry.ID{}) {
		sub = gateway
	}
	return refuse(r.fault, r.code, "deviceName", sub, "a device that may be a sub-device of "+gateway.Session(), e.Error(), e.SentenceZH, r.advice, r.zh)
}

// Add serves a TopoAdd: all of them or none. With a lenient product a
// sub-device of another gateway comes over, for its signature proves that
// whoever asks has it.
func (s *Service) Add(ctx context.Context, r *dialect.TopoAdd) ([]dialect.Claim, error) {
	by, own, err := asking(r)
	if err != nil {
		return nil, err
	}
	var ids []registry.ID
	for _, sub := range r.Subs {
		c, err := s.lookUp(ctx, sub)
		if err == nil {
			err = c.enabled()
		}
		if err == nil && c.Claim != by.Claim {
			err = s.prove(ctx, by, &c)
		}
		if err != nil {
			return nil, unknownIs(dialect.SubUnknown, err)
		}
		ids = append(ids, id(sub.Claim))
	}
	if err := s.bind(ctx, own, ids, by.Mode != dialect.Strict); err != nil {
		return nil, ruled(err, by.Claim)
	}
	s.noteNoGateway(ctx, by)
	return named(r.Subs), nil
}

// unknownIs says of an unknown product what is said of an unknown device, where
// a function has no word for products [aliyun-device §4.16].
func unknownIs(f dialect.SubFault, err error) error {
	if why, ok := errors.AsType[*dialect.Refusal](err); ok && why.Cause == dialect.SubUnknownProduct {
		why.Cause = f
	}
	return err
}

// bind makes the relations; gateways that lose a sub-device are told.
func (s *Service) bind(ctx context.Context, own registry.ID, ids []registry.ID, move bool) error {
	lost := make(map[registry.ID][]dialect.Claim)
	for _, sub := range ids {
		old, err := s.Registry.Gateway(ctx, sub)
		if err != nil {
			return err
		}
		if old != own && old != (registry.ID{}) {
			lost[old] = append(lost[old], claim(sub))
		}
	}
	if err := s.Registry.Bind(ctx, own, ids, move); err != nil {
		return err
	}
	for old, subs := range lost {
		s.lost(claim(old), subs, "gateway "+own.String()+hasItNow, dialect.SubNotBound)
	}
	return nil
}

// lost ends what a gateway has of devices that are no longer its own, and tells
// it.
func (s *Service) lost(gateway dialect.Claim, subs []dialect.Claim, reason string, tell dialect.SubFault) {
	for _, sub := range subs {
		s.end(sub, nil, reason, tell)
		s.forget(gateway, sub)
	}
	if _, err := s.push(gateway, &dialect.Notice{Kind: dialect.SubsRemoved, Subs: subs}); err != nil {
		s.Log.Debug("gateway not told", "gateway", gateway.Session(), "error", err)
	}
}

func named(subs []dialect.SubDevice) []dialect.Claim {
	all := make([]dialect.Claim, len(subs))
	for i := range subs {
		all[i] = subs[i].Claim
	}
	return all
}

func ids(subs []dialect.SubDevice) []registry.ID {
	all := make([]registry.ID, len(subs))
	for i := range subs {
		all[i] = id(subs[i].Claim)
	}
	return all
}

// noteNoGateway says that the platform would mind.
func (s *Service) noteNoGateway(ctx context.Context, by *dialect.Subject) {
	p, err := s.Registry.Product(ctx, by.Product)
	if err != nil || p.NodeType == registry.GatewayNode {
		return
	}
	s.Trace.Record(trace.Entry{
		Product: by.Product, Device: by.Device, Kind: trace.Note, Code: by.Dialect.Name() + "-sub-no-gateway",
		Sentence:   "product " + by.Product + " is no gateway; the platform lets only gateways have sub-devices",
		SentenceZH: "产品 " + by.Product + " 的节点类型不是网关；平台只允许网关添加子设备",
	})
}

// Delete serves a TopoDelete: all of them or none. The relation is the
// gateway's own to end; a proof is asked for by strict products only.
func (s *Service) Delete(ctx context.Context, r *dialect.TopoDelete) ([]dialect.Claim, error) {
	by, own, err := asking(r)
	if err != nil {
		return nil, err
	}
	for _, sub := range r.Subs {
		c, err := s.lookUp(ctx, sub)
		if err == nil && by.Mode == dialect.Strict {
			err = s.prove(ctx, by, &c)
		}
		if err != nil {
			return nil, unknownIs(dialect.SubUnknown, err)
		}
	}
	all := named(r.Subs)
	return all, s.release(ctx, by, own, all, "removed by its gateway")
}

// release ends relations at the gateway's own wish.
func (s *Service) release(ctx context.Context, by *dialect.Subject, own registry.ID, subs []dialect.Claim, reason string) error {
	ids := make([]registry.ID, len(subs))
	for i, sub := range subs {
		ids[i] = id(sub)
	}
	if err := s.Registry.Unbind(ctx, own, ids); err != nil {
		return ruled(err, by.Claim)
	}
	for _, sub := range subs {
		s.end(sub, nil, reason, 0)
		s.forget(by.Claim, sub)
	}
	return nil
}

// Get serves a TopoGet.
func (s *Service) Get(ctx context.Context, r *dialect.TopoGet) ([]dialect.Claim, error) {
	_, own, err := asking(r)
	if err != nil {
		return nil, err
	}
	bindings, err := s.Registry.AllSubs(ctx, own)
	all := make([]dialect.Claim, len(bindings))
	for i, b := range bindings {
		all[i] = claim(b.Sub)
	}
	return all, err
}

// Find serves a SubsFound.
func (s *Service) Find(ctx context.Context, r *dialect.SubsFound) (dialect.Done, error) {
	_, own, err := asking(r)
	if err != nil {
		return dialect.Done{}, err
	}
	ids := make([]registry.ID, len(r.Subs))
	for i, sub := range r.Subs {
		p, err := s.Registry.Product(ctx, sub.Product)
		switch {
		case fault.KindOf(err) == fault.KindNotFound:
			_, err := s.lookUp(ctx, sub)
			return dialect.Done{}, err
		case err != nil:
			return dialect.Done{}, err
		}
		if err := registry.CheckName(p, sub.Device); err != nil {
			return dialect.Done{}, refuse(dialect.SubBadName, "bad-name", "deviceName", sub.Claim, "a device name",
				fault.Sentence(err), fault.SentenceZH(err), "correct the name", "请更正设备名称")
		}
		ids[i] = id(sub.Claim)
	}
	return dialect.Done{}, s.Registry.FoundSubs(ctx, own, ids)
}

// Register serves a SubRegister. Of several, those before one that is refused
// are registered: asked again they are told the same.
func (s *Service) Register(ctx context.Context, r *dialect.SubRegister) ([]dialect.Registered, error) {
	by, own, err := asking(r)
	if err != nil {
		return nil, err
	}
	var all []dialect.Registered
	for _, sub := range r.Subs {
		c, err := s.lookUp(ctx, sub)
		if err != nil {
			return nil, err
		}
		made, err := s.register(ctx, by, own, &c)
		if err != nil {
			return nil, err
		}
		all = append(all, made)
	}
	return all, nil
}

// register tells a gateway the secret of a device that never connected, or that
// is its own already [aliyun-device §3.5].
func (s *Service) register(ctx context.Context, by *dialect.Subject, own registry.ID, c *candidate) (dialect.Registered, error) {
	has, err := s.Registry.Gateway(ctx, id(c.Claim))
	switch {
	case err != nil:
		return dialect.Registered{}, err
	case has == own:
		return dialect.Registered{Claim: c.Claim, Secret: c.device.Secret}, c.enabled()
	case has != registry.ID{}:
		return dialect.Registered{}, refuse(dialect.SubElsewhere, "bound-elsewhere", "deviceName", c.Claim, "a device that no other gateway has",
			fmt.Sprintf("device %s is a sub-device of gateway %s already", c.Session(), has), fmt.Sprintf("设备 %s 已属于网关 %s", c.Session(), has),
			"remove it from the other gateway first: matou device sub remove", "请先从另一个网关移除：matou device sub remove")
	}
	made, err := s.Enroll.Enroll(ctx, &dialect.Registration{Claim: c.Claim, Road: "gateway", Addr: by.Session()})
	if err != nil {
		return dialect.Registered{}, notEnrolled(c.Claim, err)
	}
	return *made, nil
}

// enrolments are the reasons of package enroll as faults and texts.
var enrolments = map[error]struct {
	fault    dialect.SubFault
	code     string
	zh       string
	advice   string
	adviceZH string
}{
	dialect.ErrRegistrationOff:       {dialect.SubRegistrationOff, "registration-off", "产品未开启动态注册", "switch the product's registration on", "请开启该产品的动态注册"},
	dialect.ErrRegistrationUnlisted:  {dialect.SubUnknown, "unlisted", "设备名称不在产品的允许列表中", "put the name on the product's list", "请把名称加入产品的允许列表"},
	dialect.ErrRegistrationNoDevice:  {dialect.SubUnknown, "unknown-device", "设备不存在", "create the device first", "请先创建设备"},
	dialect.ErrRegistrationName:      {dialect.SubBadName, "bad-name", "设备名称不符合要求", "correct the name", "请更正设备名称"},
	dialect.ErrRegistrationDisabled:  {dialect.SubDisabled, "disabled", "设备已被禁用", "enable the device", "请启用设备"},
	dialect.ErrRegistrationActivated: {dialect.SubActivated, "activated", "设备已激活，不再下发密钥", "reset its registration, or delete and make it again", "请重置其注册，或删除后重新创建设备"},
	dialect.ErrRegistrationTooOften:  {dialect.SubTooOften, "too-often", "设备注册过于频繁", "wait between attempts", "请在重试之间加入等待"},
}

func notEnrolled(c dialect.Claim, err error) error {
	for why, e := range enrolments {
		if errors.Is(err, why) {
			return refuse(e.fault, e.code, "deviceName", c, "a device that may register", c.Session()+": "+why.Error(), c.Session()+"："+e.zh, e.advice, e.adviceZH)
		}
	}
	return fault.Unavailable("the registration of %s could not be written down: %w", c.Session(), err)
}

// Unregister serves a SubUnregister: the relation ends. The device stays, for
// only an operator may delete what it said.
func (s *Service) Unregister(ctx context.Context, r *dialect.SubUnregister) ([]dialect.Claim, error) {
	by, own, err := asking(r)
	if err != nil {
		return nil, err
	}
	all := named(r.Subs)
	return all, s.release(ctx, by, own, all, "unregistered by its gateway")
}

// ProxyRegister serves a ProxyRegister, each device by itself.
func (s *Service) ProxyRegister(ctx context.Context, r *dialect.ProxyRegister) (all dialect.Registrations, err error) {
	by, own, err := asking(r)
	if err != nil {
		return all, err
	}
	for _, sub := range r.Subs {
		c, err := s.lookUp(ctx, sub)
		if err == nil {
			err = s.prove(ctx, by, &c)
		}
		var made dialect.Registered
		if err == nil {
			made, err = s.register(ctx, by, own, &c)
		}
		if why, ok := errors.AsType[*dialect.Refusal](err); ok {
			s.Trace.Record(trace.Entry{
				Product: by.Product, Device: by.Device, Kind: trace.Fault, Code: by.Dialect.Name() + "-" + why.Code,
				Sentence: why.Sentence, SentenceZH: why.SentenceZH, Detail: &why.Diagnosis,
			})
			all.Failed = append(all.Failed, dialect.NotRegistered{Claim: sub.Claim, Why: err})
			continue
		}
		if err != nil {
			return dialect.Registrations{}, err
		}
		all.Made = append(all.Made, made)
	}
	return all, nil
}

// Login serves a SubLogin: all of them or none.
func (s *Service) Login(ctx context.Context, r *dialect.SubLogin) ([]dialect.Claim, error) {
	by, own, err := asking(r)
	if err != nil {
		return nil, err
	}
	candidates := make([]candidate, len(r.Subs))
	fresh := 0
	for i, sub := range r.Subs {
		if candidates[i], err = s.admissible(ctx, by, own, sub); err != nil {
			return nil, unknownIs(dialect.SubUnknown, err)
		}
		if by.Subs.Find([]byte(sub.Session())) == nil {
			fresh++
		}
	}
	most := MaxOnline
	if r.Most > 0 {
		most = r.Most
	}
	if n := by.Subs.Len(); n+fresh > most {
		return nil, refuse(dialect.SubTooManyOnline, "too-many-online", "deviceName", r.Subs[len(r.Subs)-1].Claim, fmt.Sprintf("at most %d", most),
			fmt.Sprintf("gateway %s carries %d sub-devices; %d are the most", by.Session(), n, most), fmt.Sprintf("网关 %s 已有 %d 个子设备在线，上限为 %d", by.Session(), n, most),
			"log out those that are gone, or use another gateway", "请让不用的子设备下线，或使用另一个网关")
	}
	status, err := s.Registry.Status(ctx, own)
	if err != nil {
		return nil, err
	}
	for i := range r.Subs {
		if err := s.remember(ctx, &r.Subs[i]); err != nil {
			return nil, fault.Unavailable("remember a sub-device's session: %w", err)
		}
	}
	if err := s.Registry.Activate(ctx, s.Now(), ids(r.Subs)...); err != nil {
		return nil, fault.Unavailable("keep the first login of a sub-device: %w", err)
	}
	if s.Store != nil {
		r.After = func() { s.catchUp(by, r.Subs) }
	}
	for i := range candidates {
		c := &candidates[i]
		speaks := by.Dialect
		if d, ok := s.Dialects.ByName(c.product.Dialect); ok {
			speaks = dialect.Choose(d, c.product.DataModel.String())
		}
		s.begin(by, &dialect.Subject{Claim: c.Claim, Dialect: speaks, Mode: mode(c.product.Strictness)}, c.ClientID, status.LastAddr)
	}
	return named(r.Subs), nil
}

// admissible checks all that one sub-device's login needs.
func (s *Service) admissible(ctx context.Context, by *dialect.Subject, own registry.ID, sub dialect.SubDevice) (candidate, error) {
	c, err := s.lookUp(ctx, sub)
	if err == nil {
		err = c.enabled()
	}
	if err == nil {
		err = ruled(s.Registry.Bound(ctx, own, id(sub.Claim)), by.Claim)
	}
	if err == nil {
		err = s.prove(ctx, by, &c)
	}
	if err == nil {
		err = s.rate(c.Claim, c.product.Strictness)
	}
	return c, err
}

func mode(st registry.Strictness) dialect.Strictness {
	switch st {
	case registry.Strict:
		return dialect.Strict
	case registry.Open:
		return dialect.Open
	}
	return dialect.Lenient
}

// rate counts the logins of a sub-device.
func (s *Service) rate(c dialect.Claim, strictness registry.Strictness) error {
	most := LoginRate
	if strictness == registry.Strict {
		most = strictLoginRate
	}
	now := s.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rated[c]
	if now.Sub(r.since) >= time.Minute {
		r = rating{since: now}
	}
	if r.n++; r.n > most {
		return refuse(dialect.SubTooOften, "too-often", "deviceName", c, fmt.Sprintf("at most %d logins a minute", most),
			fmt.Sprintf("sub-device %s logs in more than %d times a minute", c.Session(), most), fmt.Sprintf("子设备 %s 每分钟登录超过 %d 次", c.Session(), most),
			"wait between attempts", "请在重试之间加入等待")
	}
	if len(s.rated) >= maxRated {
		clear(s.rated)
	}
	s.rated[c] = r
	return nil
}

// Logout serves a SubLogout: all of them or none.
func (s *Service) Logout(_ context.Context, r *dialect.SubLogout) ([]dialect.Claim, error) {
	by, _, err := asking(r)
	if err != nil {
		return nil, err
	}
	g, ok := by.Dialect.(dialect.Gateways)
	for _, sub := range r.Subs {
		if by.Subs.Find([]byte(sub.Session())) == nil && ok && g.MustLogin() {
			return nil, refuse(dialect.SubNoSession, "no-session", "deviceName", sub.Claim, "a sub-device that is logged in",
				fmt.Sprintf("sub-device %s is not logged in through this gateway", sub.Session()), fmt.Sprintf("子设备 %s 没有通过该网关上线", sub.Session()),
				"log it in first", "请先让子设备上线")
		}
	}
	for _, sub := range r.Subs {
		s.end(sub.Claim, by, "logged out", 0)
	}
	return named(r.Subs), nil
}

// Has reports whether a device is a sub-device of the gateway, and how strict
// its product is.
func (s *Service) Has(gateway, sub dialect.Claim) (dialect.Strictness, bool) {
	ctx := context.Background()
	if s.Registry.Bound(ctx, id(gateway), id(sub)) != nil {
		return 0, false
	}
	p, err := s.Registry.Product(ctx, sub.Product)
	if err != nil {
		return 0, false
	}
	return mode(p.Strictness), true
}

// Model returns the model of a sub-device that its gateway may report for.
func (s *Service) Model(by, sub dialect.Claim) (*thing.Model, *dialect.Diagnosis) {
	ctx := context.Background()
	c, err := s.lookUp(ctx, dialect.SubDevice{Claim: sub})
	if err == nil {
		err = c.enabled()
	}
	if err == nil {
		err = ruled(s.Registry.Bound(ctx, id(by), id(sub)), by)
	}
	if err == nil {
		return c.product.Model, nil
	}
	name := ""
	if p, err := s.Registry.Product(ctx, by.Product); err == nil {
		name = p.Dialect + "-"
	}
	if why, ok := errors.AsType[*dialect.Refusal](err); ok {
		d := why.Diagnosis
		d.Code = name + d.Code
		return nil, &d
	}
	s.Log.Error("sub-device of a report", "gateway", by.Session(), "sub", sub.Session(), "error", err)
	return nil, &dialect.Diagnosis{
		Code: "unavailable", Field: "identity", Received: sub.Session(), Expected: "a sub-device of " + by.Session(),
		Sentence: "the sub-device cannot be looked up now", SentenceZH: "暂时无法查询该子设备", Advice: "send it again", AdviceZH: "请重发",
	}
}

// Stranger says why a gateway may not use a sub-device's topic, and tells it:
// its SDK logs the sub-device in again then [aliyun-device §4.16].
func (s *Service) Stranger(by *dialect.Subject, owner dialect.Claim) (*dialect.Diagnosis, []dialect.Downlink) {
	g, ok := by.Dialect.(dialect.Gateways)
	if !ok {
		return nil, nil
	}
	ctx := context.Background()
	err := s.ownership(ctx, by, owner)
	if why, ok := errors.AsType[*dialect.Refusal](err); ok {
		d := why.Diagnosis
		d.Code = by.Dialect.Name() + "-" + d.Code
		fault, _ := errors.AsType[dialect.SubFault](err)
		return &d, g.Notify(&dialect.Notice{Kind: dialect.SessionOver, ID: s.nextID(), Gateway: by.Claim, Subs: []dialect.Claim{owner}, Why: fault})
	}
	return nil, nil
}

// ownership says what keeps a gateway from speaking for a device; nothing where
// it is no gateway of any.
func (s *Service) ownership(ctx context.Context, by *dialect.Subject, owner dialect.Claim) error {
	c, err := s.lookUp(ctx, dialect.SubDevice{Claim: owner})
	if err == nil {
		err = ruled(s.Registry.Bound(ctx, id(by.Claim), id(owner)), by.Claim)
	}
	if err != nil {
		n, countErr := s.Registry.CountSubs(ctx, id(by.Claim))
		p, productErr := s.Registry.Product(ctx, by.Product)
		if countErr != nil || productErr != nil || n == 0 && p.NodeType != registry.GatewayNode {
			return nil
		}
		if c.device == nil {
			if why, ok := errors.AsType[*dialect.Refusal](err); ok {
				why.Cause = dialect.SubDeleted
			}
		}
		return err
	}
	if err := c.enabled(); err != nil {
		return err
	}
	login := ""
	if g, ok := by.Dialect.(dialect.Gateways); ok {
		login = g.LoginTopic(by.Claim, owner)
	}
	return refuse(dialect.SubNoSession, "no-session", "topic", owner, "a sub-device that is logged in",
		fmt.Sprintf("sub-device %s is not logged in; its message was dropped", owner.Session()), fmt.Sprintf("子设备 %s 尚未上线，消息已丢弃", owner.Session()),
		"log it in first: "+login, "请先上线："+login)
}
