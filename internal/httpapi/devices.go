package httpapi

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/gate"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/topology"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A device is one as people see it.
type device struct {
	registry.Device
	State   registry.State `json:"state"`
	Gateway *registry.ID   `json:"gateway,omitempty" doc:"Of a sub-device: the gateway that has it; with one device only"`
	Since   time.Time      `json:"since,omitzero" doc:"Since when it is in this state"`
	Secret  string         `json:"secret,omitempty" doc:"Only when it was just made, or asked for with secrets=true"`
}

// A DevicePath names a device.
type DevicePath struct {
	Product string `path:"product" doc:"ProductKey or product id"`
	Device  string `path:"device" doc:"DeviceName"`
}

func (p DevicePath) id() registry.ID { return registry.ID{Product: p.Product, Device: p.Device} }

func (a *api) viewDevice(ctx context.Context, d *registry.Device, secrets bool) (device, error) {
	items, err := a.viewDevices(ctx, []registry.Device{*d}, secrets)
	if err != nil {
		return device{}, err
	}
	return items[0], nil
}

func (a *api) viewDevices(ctx context.Context, found []registry.Device, secrets bool) ([]device, error) {
	statuses, err := a.Registry.Statuses(ctx, found)
	if err != nil {
		return nil, err
	}
	items := make([]device, len(found))
	for i := range found {
		items[i] = device{Device: found[i], State: statuses[i].State, Since: statuses[i].Since}
		if secrets {
			items[i].Secret = found[i].Secret
		}
	}
	return items, nil
}

// A DeviceFilter says which devices.
type DeviceFilter struct {
	Paging
	SecretsAsked
	Text  string `query:"text" doc:"In name or nickname"`
	Tag   string `query:"tag" doc:"A tag's name, or name=value"`
	State string `query:"state" doc:"INACTIVE, ONLINE, OFFLINE or DISABLED"`
	Batch string `query:"batch" doc:"Only devices made with this batch"`
}

func (f *DeviceFilter) query(product string) (registry.DeviceQuery, error) {
	q := registry.DeviceQuery{Product: product, Text: f.Text, Tag: f.Tag, Batch: f.Batch, Limit: f.Limit, After: f.After}
	if f.State == "" {
		return q, nil
	}
	q.State = new(registry.State)
	if err := q.State.UnmarshalText([]byte(f.State)); err != nil {
		return q, fault.In("state", fault.Invalid("%v", err))
	}
	return q, nil
}

func (a *api) findDevices(ctx context.Context, product string, f *DeviceFilter) (list[device], error) {
	if err := f.check(ctx); err != nil {
		return list[device]{}, err
	}
	q, err := f.query(product)
	if err != nil {
		return list[device]{}, err
	}
	found, next, err := a.Registry.Devices(ctx, q)
	if err != nil {
		return list[device]{}, err
	}
	items, err := a.viewDevices(ctx, found, f.Secrets)
	return page(items, next), err
}

type listAllDevicesInput struct {
	DeviceFilter
	Product string `query:"product"`
}

func (a *api) listAllDevices(ctx context.Context, in *listAllDevicesInput) (list[device], error) {
	return a.findDevices(ctx, in.Product, &in.DeviceFilter)
}

type listDevicesInput struct {
	ProductPath
	DeviceFilter
}

func (a *api) listDevices(ctx context.Context, in *listDevicesInput) (list[device], error) {
	if _, err := a.Registry.Product(ctx, in.Product); err != nil {
		return list[device]{}, err
	}
	return a.findDevices(ctx, in.Product, &in.DeviceFilter)
}

// newDevice is what somebody says of a device to be made.
type newDevice struct {
	Name     string            `json:"name,omitempty" doc:"DeviceName; one is made where it is empty"`
	Secret   string            `json:"secret,omitempty" doc:"DeviceSecret or key; one is made where it is empty"`
	Nickname string            `json:"nickname,omitempty"`
	Tags     map[string]string `json:"tags,omitempty"`
}

func (n *newDevice) device(product string) registry.Device {
	return registry.Device{Product: product, Name: n.Name, Secret: n.Secret, Nickname: n.Nickname, Tags: n.Tags}
}

type createDeviceInput struct {
	ProductPath
	Body newDevice
}

func (a *api) createDevice(ctx context.Context, in *createDeviceInput) (device, error) {
	d, err := a.Registry.CreateDevice(ctx, in.Body.device(in.Product))
	if err != nil {
		return device{}, err
	}
	return a.viewDevice(ctx, &d, true)
}

type createDevicesInput struct {
	ProductPath
	Body struct {
		Devices []newDevice `json:"devices" minItems:"1" maxItems:"10000"`
	}
}

func (a *api) createDevices(ctx context.Context, in *createDevicesInput) (list[device], error) {
	all := make([]registry.Device, len(in.Body.Devices))
	for i := range in.Body.Devices {
		all[i] = in.Body.Devices[i].device(in.Product)
	}
	made, err := a.makeDevices(ctx, in.Product, all)
	if err != nil {
		return list[device]{}, err
	}
	items, err := a.viewDevices(ctx, made, true)
	return page(items, ""), err
}

func (a *api) makeDevices(ctx context.Context, product string, all []registry.Device) ([]registry.Device, error) {
	made, bad, err := a.Registry.CreateDevices(ctx, product, all)
	if len(bad) > 0 {
		return nil, rowProblem(bad, fault.Invalid("%d of %d devices cannot be made; none was", len(bad), len(all)))
	}
	return made, err
}

type showDeviceInput struct {
	DevicePath
	SecretsAsked
}

func (a *api) showDevice(ctx context.Context, in *showDeviceInput) (device, error) {
	if err := in.check(ctx); err != nil {
		return device{}, err
	}
	d, err := a.Registry.Device(ctx, in.id())
	if err != nil {
		return device{}, err
	}
	v, err := a.viewDevice(ctx, d, in.Secrets)
	if err != nil {
		return device{}, err
	}
	gateway, err := a.Registry.Gateway(ctx, d.ID())
	if err == nil && gateway != (registry.ID{}) {
		v.Gateway = &gateway
	}
	return v, err
}

type changeDeviceInput struct {
	DevicePath
	Body struct {
		Nickname *string            `json:"nickname,omitempty"`
		Enabled  *bool              `json:"enabled,omitempty" doc:"false refuses the device and ends its connection"`
		Tags     *map[string]string `json:"tags,omitempty" doc:"All tags; those left out are removed"`
	}
}

func (a *api) changeDevice(ctx context.Context, in *changeDeviceInput) (device, error) {
	d, err := a.Registry.UpdateDevice(ctx, in.id(), func(d *registry.Device) error {
		assign(&d.Nickname, in.Body.Nickname)
		assign(&d.Enabled, in.Body.Enabled)
		assign(&d.Tags, in.Body.Tags)
		return nil
	})
	if err != nil {
		return device{}, err
	}
	return a.viewDevice(ctx, &d, false)
}

func (a *api) deleteDevice(ctx context.Context, in *DevicePath) error {
	return a.Registry.DeleteDevice(ctx, in.id())
}

type resetDeviceSecretInput struct {
	DevicePath
	Body secretBody
}

func (a *api) resetDeviceSecret(ctx context.Context, in *resetDeviceSecretInput) (device, error) {
	d, err := a.Registry.ResetSecret(ctx, in.id(), in.Body.Secret)
	if err != nil {
		return device{}, err
	}
	return a.viewDevice(ctx, &d, true)
}

func (a *api) deviceStatus(ctx context.Context, in *DevicePath) (registry.Status, error) {
	s, err := a.Registry.Status(ctx, in.id())
	if s.OfflineReason != "" {
		s.ReasonZH = topology.ReasonZH(s.OfflineReason)
		if s.ReasonZH == s.OfflineReason {
			s.ReasonZH = gate.ReasonZH(s.OfflineReason)
		}
	}
	return s, err
}

// CredentialsInput says how a device shall log in.
type CredentialsInput struct {
	DevicePath
	Host      string `query:"host" doc:"Where the device connects; left out, what the configuration says"`
	Port      int    `query:"port" minimum:"0" maximum:"65535"`
	TLS       bool   `query:"tls"`
	Method    string `query:"method" doc:"Only this sign method"`
	ClientID  string `query:"clientId" doc:"Aliyun: the free part of the client id"`
	Timestamp string `query:"timestamp" doc:"Aliyun: a timestamp to be signed, too"`
	Expiry    int64  `query:"expiry" doc:"OneNET: the token's et, seconds since 1970; left out, a year from now"`
	KeepAlive uint16 `query:"keepAlive" default:"60" doc:"Seconds, for the CONNECT packet"`
}

// A loginWithPacket is what a device needs, ready to paste.
type loginWithPacket struct {
	dialect.Credentials
	Connect string `json:"connect" doc:"The whole CONNECT packet in hex"`
	Length  int    `json:"length" doc:"Its bytes: the number that AT+CIPSEND wants"`
}

func (a *api) deviceCredentials(ctx context.Context, in *CredentialsInput) (list[loginWithPacket], error) {
	_, _, all, err := a.logins(ctx, in)
	if err != nil {
		return list[loginWithPacket]{}, err
	}
	items := make([]loginWithPacket, 0, len(all))
	for _, c := range all {
		items = append(items, withPacket(c, in.KeepAlive))
	}
	return page(items, ""), nil
}

// logins are the ways in which a device can log in, at least one.
func (a *api) logins(ctx context.Context, in *CredentialsInput) (p *registry.Product, d *registry.Device, all []dialect.Credentials, err error) {
	if d, err = a.Registry.Device(ctx, in.id()); err != nil {
		return nil, d, nil, err
	}
	if p, err = a.Registry.Product(ctx, in.Product); err != nil {
		return nil, d, nil, err
	}
	speaks, ok := a.Dialects.ByName(p.Dialect)
	if !ok {
		return nil, d, nil, fault.Unavailable("the dialect %s of product %s is not part of this build", p.Dialect, p.Key)
	}
	made, err := speaks.Credentials(dialect.Claim{Product: p.Key, Device: d.Name}, dialect.Secrets{Device: d.Secret, Product: p.Secret}, a.credentialOptions(in))
	if err != nil {
		return nil, d, nil, fault.Invalid("%v", err)
	}
	for _, c := range made {
		if in.Method == "" || in.Method == c.Method {
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return nil, d, nil, fault.In("method", fault.Invalid("method %q is none of this dialect", in.Method))
	}
	return p, d, all, nil
}

func (a *api) credentialOptions(in *CredentialsInput) dialect.CredentialOptions {
	o := dialect.CredentialOptions{
		Host: in.Host, Port: in.Port, TLS: in.TLS, ClientID: in.ClientID, Timestamp: in.Timestamp, Now: time.Now(),
	}
	if o.Host == "" {
		o.Host = a.PublicHost
	}
	if o.Port == 0 {
		o.Port = a.PublicPort
	}
	if in.Expiry > 0 {
		o.Expiry = time.Unix(in.Expiry, 0)
	}
	return o
}

func withPacket(c dialect.Credentials, keepAlive uint16) loginWithPacket {
	connect := packet.Connect{
		Version: mqtt.V311, CleanStart: true, KeepAlive: keepAlive, ClientID: c.ClientID,
		HasUsername: true, Username: c.Username, HasPassword: true, Password: []byte(c.Password),
	}
	b, err := connect.Append(nil, mqtt.V311)
	if err != nil { // a name that fits no packet: the rest is still of use
		return loginWithPacket{Credentials: c}
	}
	return loginWithPacket{c, hex.EncodeToString(b), len(b)}
}
