package aliyun

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/matou-iot/matou/thing"
	"github.com/matou-iot/matou/thing/loose"
)

// The bounds of the platform [aliyun-device §4.16].
const (
	MaxSubDevices = 1500 // of one gateway, bound or online
	MaxTopoAdd    = 30   // sub-devices of one topo/add, topo/delete or sub/register
	MaxBatchLogin = 50   // sub-devices of one batch_login or batch_logout
)

// A SubDevice is a sub-device as its gateway names it, with the signature that
// proves it where there is one. The texts are as they were sent.
type SubDevice struct {
	ProductKey string
	DeviceName string
	ClientID   string // signed whole, with its bars [aliyun-device §4.16]
	Timestamp  string
	Random     string // of a registration by product
	SignMethod string
	Sign       string
	// CleanSession is what a login says of what waits for the sub-device: true
	// or nothing begins anew, false goes on [aliyun-device §2.5, §4.16].
	CleanSession string
	Content      string // what the signature should be made of: all other members in alphabetical order
}

// maxListed bounds what one message may list; the functions' own bounds are
// far below.
const maxListed = 2000

// ErrTooManyListed says that a message lists absurdly many sub-devices.
var ErrTooManyListed = errors.New("aliyun: the message lists more than 2000 sub-devices")

// SubDevices reads the sub-devices of a request: params are one of them, a
// list, or an object with the list as deviceList or proxieds. Params that are
// missing or empty are an empty list [aliyun-device §4.16].
func (d *Decoder) SubDevices(doc []byte) ([]SubDevice, error) {
	params, err := d.envelope(doc, nil)
	if err != nil {
		return nil, err
	}
	if params == nil {
		return nil, nil
	}
	l := d.Loose
	strict, _, err := loose.Strictify(d.unquote(params))
	d.Loose |= l
	if err != nil {
		return nil, err
	}
	if len(strict) > 0 && strict[0] == '[' {
		return subDevices(strict, "")
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(strict, &members) != nil {
		return nil, ErrNoParams
	}
	for _, name := range []string{"deviceList", "proxieds", "subList"} {
		if list, ok := members[name]; ok {
			return subDevices(list, scalarText(member(members, "signmethod")))
		}
	}
	if len(members) == 0 {
		return nil, nil
	}
	return []SubDevice{subDevice(members, "")}, nil
}

// subDevices reads a list; method is that of those who name none.
func subDevices(list []byte, method string) ([]SubDevice, error) {
	var all []map[string]json.RawMessage
	if json.Unmarshal(list, &all) != nil {
		return nil, ErrNoParams
	}
	if len(all) > maxListed {
		return nil, ErrTooManyListed
	}
	subs := make([]SubDevice, len(all))
	for i, members := range all {
		subs[i] = subDevice(members, method)
	}
	return subs, nil
}

func subDevice(members map[string]json.RawMessage, method string) SubDevice {
	text := func(name string) string { return scalarText(member(members, name)) }
	s := SubDevice{
		ProductKey: text("productkey"), DeviceName: text("devicename"), ClientID: text("clientid"), Timestamp: text("timestamp"),
		Random: text("random"), SignMethod: text("signmethod"), Sign: text("sign"), CleanSession: text("cleansession"),
	}
	if s.SignMethod == "" {
		s.SignMethod = method
	}
	var content strings.Builder
	for _, name := range slices.Sorted(maps.Keys(members)) {
		switch strings.ToLower(name) {
		case "sign", "signmethod", "cleansession":
			continue
		}
		content.WriteString(name + scalarText(members[name]))
	}
	s.Content = content.String()
	return s
}

// member finds a member whatever the case of its name: signMethod and
// signmethod are both in the platform's own documents.
func member(members map[string]json.RawMessage, lower string) json.RawMessage {
	for name, v := range members {
		if strings.EqualFold(name, lower) {
			return v
		}
	}
	return nil
}

// scalarText is a text, a number or a boolean as text; "" for anything else.
func scalarText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || raw[0] == '{' || raw[0] == '[' || raw[0] == 'n' {
		return ""
	}
	return string(raw)
}

// method is how the sub-device says it was signed.
func (s *SubDevice) method() (Method, error) { return ParseMethod(strings.TrimSpace(s.SignMethod)) }

// VerifySub reports whether a sub-device's signature is right: over all that
// was sent or, as for a login, over fewer of the usual members.
func VerifySub(s SubDevice, deviceSecret string) bool {
	m, err := s.method()
	if err != nil || deviceSecret == "" || s.Sign == "" {
		return false
	}
	for _, content := range s.contents() {
		if sameHex([]byte(s.Sign), Sign(m, deviceSecret, content)) {
			return true
		}
	}
	return false
}

func (s *SubDevice) contents() []string {
	return append([]string{s.Content}, contents(s.ClientID, s.ProductKey, s.DeviceName, s.Timestamp)...)
}

// VerifyRegistration reports whether a sub-device's registration is signed with
// its product's secret [aliyun-device §3.2].
func VerifyRegistration(s SubDevice, productSecret string) bool {
	m, err := s.method()
	if err != nil || productSecret == "" || s.Random == "" {
		return false
	}
	return sameHex([]byte(s.Sign), Sign(m, productSecret, RegistrationContent(s.ProductKey, s.DeviceName, s.Random)))
}

// AppendSubDevices appends sub-devices as a list of names, in the order of the
// platform's replies.
func AppendSubDevices(dst []byte, subs []SubDevice) []byte {
	dst = append(dst, '[')
	for i := range subs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendSubNames(dst, &subs[i])
	}
	return append(dst, ']')
}

func appendSubNames(dst []byte, s *SubDevice) []byte {
	dst = append(dst, `{"deviceName":`...)
	dst = thing.AppendText(dst, s.DeviceName)
	dst = append(dst, `,"productKey":`...)
	dst = thing.AppendText(dst, s.ProductKey)
	return append(dst, '}')
}

// A RegisteredSub is a sub-device that was registered, with what it is to know.
type RegisteredSub struct {
	SubDevice
	DeviceSecret string
	IotID        string
}

// AppendSubsRegistered appends the data of an answer to sub/register.
func AppendSubsRegistered(dst []byte, all []RegisteredSub) []byte {
	dst = append(dst, '[')
	for i := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		r := &all[i]
		dst = append(dst, `{"iotId":`...)
		dst = thing.AppendText(dst, r.IotID)
		dst = append(dst, `,"productKey":`...)
		dst = thing.AppendText(dst, r.ProductKey)
		dst = append(dst, `,"deviceName":`...)
		dst = thing.AppendText(dst, r.DeviceName)
		dst = append(dst, `,"deviceSecret":`...)
		dst = thing.AppendText(dst, r.DeviceSecret)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// A RefusedSub is a sub-device that was not registered, and why.
type RefusedSub struct {
	SubDevice
	Code int
}

// AppendProxied appends the data of an answer to product_register: what was
// registered and what was not. A failure has no text of its own: SDKs look for
// the first "message" in the whole answer [aliyun-device §5.3].
func AppendProxied(dst []byte, made []RegisteredSub, failed []RefusedSub) []byte {
	dst = append(dst, `{"failures":[`...)
	for i := range failed {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"code":`...)
		dst = strconv.AppendInt(dst, int64(failed[i].Code), 10)
		dst = append(dst, ',')
		dst = append(dst, appendSubNames(nil, &failed[i].SubDevice)[1:]...)
	}
	dst = append(dst, `],"successes":`...)
	return append(AppendSubsRegistered(dst, made), '}')
}

// AppendSessionReply appends the answer to combine/login and its like, which
// have neither method nor version [aliyun-device §4.16]. data is JSON, nil for
// an empty object; an empty id is answered as "0".
func AppendSessionReply(dst []byte, code int, data, id []byte, message string) []byte {
	if len(data) == 0 {
		data = []byte("{}")
	}
	if len(id) == 0 {
		id = []byte("0")
	}
	dst = append(dst, `{"code":`...)
	dst = strconv.AppendInt(dst, int64(code), 10)
	dst = append(append(dst, `,"data":`...), data...)
	dst = appendMember(dst, "id", id)
	dst = appendMember(dst, "message", message)
	return append(dst, '}')
}

// AppendSubError appends what a gateway is told on ExtErrorTopic: that the
// session of a sub-device is over, or never was.
func AppendSubError(dst []byte, id string, code int, message string, s SubDevice) []byte {
	return AppendSessionReply(dst, code, appendSubNames(nil, &s), []byte(id), message)
}

// AppendNotice appends what the platform tells a device of its own accord;
// params are JSON.
func AppendNotice(dst []byte, id, method string, params []byte) []byte {
	dst = append(dst, `{"id":`...)
	dst = thing.AppendText(dst, id)
	dst = append(append(dst, `,"version":"1.0","params":`...), params...)
	dst = appendMember(dst, "method", method)
	return append(dst, '}')
}

// A TopoStatus says how a topology changed [aliyun-device §4.16].
type TopoStatus int

// The statuses of topo/change.
const (
	TopoCreated  TopoStatus = 0
	TopoDeleted  TopoStatus = 1
	TopoEnabled  TopoStatus = 2
	TopoDisabled TopoStatus = 8
)

// AppendTopoChange appends the params of topo/change.
func AppendTopoChange(dst []byte, status TopoStatus, subs []SubDevice) []byte {
	dst = append(dst, `{"status":`...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, `,"subList":[`...)
	for i := range subs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"productKey":`...)
		dst = thing.AppendText(dst, subs[i].ProductKey)
		dst = append(dst, `,"deviceName":`...)
		dst = thing.AppendText(dst, subs[i].DeviceName)
		dst = append(dst, '}')
	}
	return append(dst, "]}"...)
}

// AppendPermit appends the params of gateway/permit: for how many seconds a
// gateway lets new sub-devices in, those of one product or, with "", of all.
func AppendPermit(dst []byte, productKey string, seconds int) []byte {
	dst = append(dst, '{')
	if productKey != "" {
		dst = append(dst, `"productKey":`...)
		dst = thing.AppendText(dst, productKey)
		dst = append(dst, ',')
	}
	dst = append(dst, `"timeout":`...)
	return append(strconv.AppendInt(dst, int64(seconds), 10), '}')
}

// ThingTopic is a topic of a device below thing/: its path is the method with
// slashes for dots.
func ThingTopic(pk, dn, method string) string {
	return sys(pk, dn, strings.ReplaceAll(method, ".", "/"))
}

// ExtErrorTopic is where a gateway is told what became of its sub-devices'
// sessions.
func ExtErrorTopic(pk, dn string) string { return "/ext/error/" + pk + "/" + dn }

// Owner is the part pk/dn of a topic, nil where it has none. It allocates
// nothing.
func Owner(topic []byte) []byte {
	t := ParseTopic(topic)
	if len(t.ProductKey) == 0 || len(t.DeviceName) == 0 {
		return nil
	}
	n := len(t.ProductKey) + 1 + len(t.DeviceName)
	return t.ProductKey[:n:n] // the name follows the key and a slash
}
