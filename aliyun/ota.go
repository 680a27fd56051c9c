package aliyun

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/matou-iot/matou/thing"
	"github.com/matou-iot/matou/thing/loose"
)

// DefaultModule is what a module without a name is: the main firmware
// [aliyun-device §4.11].
const DefaultModule = "default"

// MaxVersionBytes bounds the text of a version and of a module's name
// [aliyun-device §4.11].
const MaxVersionBytes = 64

// The faults of what devices say about updates.
var (
	ErrNoVersion   = errors.New("aliyun: params have no version of 1 to 64 characters")
	ErrLongModule  = errors.New("aliyun: the module's name is longer than 64 characters")
	ErrNoStep      = errors.New("aliyun: params have no step from -4 to 100")
	ErrNoFileInfo  = errors.New("aliyun: params have no fileInfo with streamId and fileId")
	ErrNoFileBlock = errors.New("aliyun: params have no fileBlock with size and offset")
)

// An OTAReport is what a device says of one of its modules: which version it
// runs (OTAInform), or how an update goes (OTAProgress).
type OTAReport struct {
	Module  string // DefaultModule where the device names none
	Version string
	Step    int // 0 to 100 per cent; below zero: what failed, see OTAFailure
	Desc    string
}

// A loosely is a scalar that devices write as text or as a number.
type loosely string

func (l *loosely) UnmarshalJSON(raw []byte) error {
	switch raw[0] {
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		*l = loosely(s)
		return err
	case '{', '[', 't', 'f':
		return fmt.Errorf("%.20s is neither a text nor a number", raw)
	case 'n':
		return nil
	}
	*l = loosely(raw)
	return nil
}

// number is l as a whole number from 0 on, -1 for anything else.
func (l loosely) number() int64 {
	n, err := strconv.ParseInt(string(l), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

type otaParams struct {
	Version loosely `json:"version"`
	Module  loosely `json:"module"`
	Step    loosely `json:"step"`
	Desc    loosely `json:"desc"`
}

// paramsInto reads params as JSON into v; they may be a text that holds it.
func (d *Decoder) paramsInto(doc []byte, v any) error {
	params, err := d.envelope(doc, nil)
	if err != nil {
		return err
	}
	if params == nil {
		return ErrNoParams
	}
	l := d.Loose
	strict, _, err := loose.Strictify(d.unquote(params))
	d.Loose = l
	if err != nil {
		return err
	}
	return json.Unmarshal(strict, v)
}

// otaReport reads params of an inform or a progress.
func (d *Decoder) otaReport(doc []byte) (r OTAReport, step loosely, err error) {
	var p otaParams
	if err := d.paramsInto(doc, &p); err != nil {
		return r, "", err
	}
	r = OTAReport{Module: string(p.Module), Version: string(p.Version), Desc: string(p.Desc)}
	if r.Module == "" {
		r.Module = DefaultModule
	}
	if len(r.Module) > MaxVersionBytes {
		return r, "", ErrLongModule
	}
	return r, p.Step, nil
}

// OTAInform reads which version a device runs [aliyun-device §4.11].
func (d *Decoder) OTAInform(doc []byte) (OTAReport, error) {
	r, _, err := d.otaReport(doc)
	if err == nil && (r.Version == "" || len(r.Version) > MaxVersionBytes) {
		err = ErrNoVersion
	}
	return r, err
}

// OTAProgress reads how an update goes [aliyun-device §4.11].
func (d *Decoder) OTAProgress(doc []byte) (OTAReport, error) {
	r, step, err := d.otaReport(doc)
	if err != nil {
		return r, err
	}
	if r.Step, err = strconv.Atoi(string(step)); err != nil || r.Step < -4 || r.Step > 100 {
		return r, ErrNoStep
	}
	return r, nil
}

// OTARequest reads for which module a device asks after an update, and which
// version it says that it runs, "" for none. A request without params is one
// for the default module [aliyun-device §4.11].
func (d *Decoder) OTARequest(doc []byte) (OTAReport, error) {
	r, _, err := d.otaReport(doc)
	if errors.Is(err, ErrNoParams) {
		return OTAReport{Module: DefaultModule}, nil
	}
	if err == nil && len(r.Version) > MaxVersionBytes {
		err = ErrNoVersion
	}
	return r, err
}

// OTAFailure says what a step below zero means, in English and Chinese; ""
// for one that means nothing [aliyun-device §4.11].
func OTAFailure(step int) (sentence, sentenceZH string) {
	switch step {
	case -1:
		return "the upgrade failed", "升级失败"
	case -2:
		return "the download failed", "下载失败"
	case -3:
		return "the verification failed", "校验失败"
	case -4:
		return "writing the flash failed", "烧写失败"
	}
	return "", ""
}

// An OTAFile is one file of an update.
type OTAFile struct {
	Name string
	Size int64
	URL  string // "" for one that is fetched over MQTT
	MD5  string // hexadecimal, lower case
	Sign string // as the update's SignMethod says; "" for none
}

// An OTAUpgrade is what a device is told about an update.
type OTAUpgrade struct {
	Version    string
	Diff       bool
	Files      []OTAFile
	SignMethod string // "Md5" or "SHA256": the forms that all SDKs take
	Module     string // DefaultModule is not written
	Extra      string // a JSON object, "" for none
	StreamID   int64  // of a download over MQTT, else 0
}

// The sign methods in the letters that all SDKs take [aliyun-device §4.11].
const (
	SignMD5    = "Md5"
	SignSHA256 = "SHA256"
)

// AppendOTAData appends the members that describe an update
// [aliyun-device §4.11]. A nil u is no update: an empty object.
func AppendOTAData(dst []byte, u *OTAUpgrade) []byte {
	if u == nil {
		return append(dst, "{}"...)
	}
	text := func(name, value string) {
		dst = append(dst, ',', '"')
		dst = append(append(dst, name...), '"', ':')
		dst = thing.AppendText(dst, value)
	}
	number := func(name string, n int64) {
		dst = append(dst, ',', '"')
		dst = append(append(dst, name...), '"', ':')
		dst = strconv.AppendInt(dst, n, 10)
	}
	start := len(dst)
	diff := int64(0)
	if u.Diff {
		diff = 1
	}
	if len(u.Files) == 1 {
		f := u.Files[0]
		number("size", f.Size)
		text("version", u.Version)
		number("isDiff", diff)
		if u.StreamID != 0 {
			text("dProtocol", "mqtt")
			number("streamId", u.StreamID)
			number("streamFileId", 1)
		} else {
			text("url", f.URL)
		}
		if f.MD5 != "" {
			text("md5", f.MD5)
		}
		text("sign", f.Sign)
		text("signMethod", u.SignMethod)
	} else {
		text("version", u.Version)
		number("isDiff", diff)
		text("signMethod", u.SignMethod)
		dst = append(dst, `,"files":[`...)
		for i, f := range u.Files {
			if i > 0 {
				dst = append(dst, ',')
			}
			at := len(dst)
			number("fileSize", f.Size)
			text("fileUrl", f.URL)
			text("fileName", f.Name)
			text("fileMd5", f.MD5)
			text("fileSign", f.Sign)
			dst[at] = '{'
			dst = append(dst, '}')
		}
		dst = append(dst, ']')
	}
	if u.Module != DefaultModule && u.Module != "" {
		text("module", u.Module)
	}
	if u.Extra != "" {
		dst = append(append(dst, `,"extData":`...), u.Extra...)
	}
	dst[start] = '{'
	return append(dst, '}')
}

// AppendOTAUpgrade appends what the platform pushes, and what it answers to
// the older request: the code is a text, the id a number where the device's
// was one [aliyun-device §4.11].
func AppendOTAUpgrade(dst []byte, id string, u *OTAUpgrade) []byte {
	data := AppendOTAData(nil, u)
	idFirst := holdsID(data)
	dst = append(dst, `{"code":"1000"`...)
	if idFirst {
		dst = appendOTAID(dst, id)
	}
	dst = append(append(dst, `,"data":`...), data...)
	if !idFirst {
		dst = appendOTAID(dst, id)
	}
	return append(dst, `,"message":"success"}`...)
}

func appendOTAID(dst []byte, id string) []byte {
	if n, err := strconv.ParseUint(id, 10, 64); err == nil && strconv.FormatUint(n, 10) == id {
		return append(append(dst, `,"id":`...), id...)
	}
	return appendMember(dst, "id", id)
}

// AppendOTANone appends the answer to the older request where there is no
// update [aliyun-device §4.11].
func AppendOTANone(dst []byte) []byte {
	return append(dst, `{"code":500,"message":"none upgrade operation of the device."}`...)
}

// OTAUpgradeTopic is where a device is told of an update.
func OTAUpgradeTopic(pk, dn string) string { return "/ota/device/upgrade/" + pk + "/" + dn }
