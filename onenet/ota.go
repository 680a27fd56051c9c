package onenet

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/matou-iot/matou/thing"
)

// OTAInformTopic is where a device is woken for an upgrade; it asks for the
// rest over HTTP [onenet §3.2, §6.5].
func OTAInformTopic(pid, dev string) string { return sys(pid, dev, "ota/inform") }

// The modules of a device: its MCU's firmware, which is meant where nobody
// says otherwise, and that of its communication module [onenet §6.5].
const (
	OTAMCU    = "default"
	OTAModule = "fota"
)

// OTAType reads the type of a check: 1 the module's firmware, 2 the MCU's
// [onenet §6.5].
func OTAType(text string) (module string, ok bool) {
	switch text {
	case "1":
		return OTAModule, true
	case "2":
		return OTAMCU, true
	}
	return "", false
}

// The codes of the OTA endpoints [onenet §6.5].
const (
	OTASuccess    = 0
	OTANoDevice   = 1
	OTABadRequest = 2
	OTABadToken   = 4
	OTAInternal   = 7
	OTANoTask     = 11
	OTAExpired    = 12
	OTAFinished   = 20
)

var otaMessages = map[int]string{
	OTASuccess: "succ", OTANoDevice: "device not exist", OTABadRequest: "invalid parameter", OTABadToken: "token not match", OTAInternal: "internal error",
	OTANoTask: "no task", OTAExpired: "token expired", OTAFinished: "task finish",
}

// An OTAEnvelope is how the answer of an OTA endpoint is wrapped.
type OTAEnvelope struct {
	RequestID string // 32 hexadecimal digits
	Older     bool   // the endpoints of studio-ota: errno in place of code
}

// Append appends an answer; data is JSON, "" for none [onenet §6.5].
func (e OTAEnvelope) Append(dst []byte, code int, data string) []byte {
	name, message := `{"code":`, `,"msg":`
	if e.Older {
		name, message = `{"errno":`, `,"error":`
	}
	dst = strconv.AppendInt(append(dst, name...), int64(code), 10)
	dst = thing.AppendText(append(dst, message...), otaMessages[code])
	dst = thing.AppendText(append(dst, `,"request_id":`...), e.RequestID)
	if data != "" {
		dst = append(append(dst, `,"data":`...), data...)
	}
	return append(dst, '}')
}

// An OTATask is an upgrade as a check tells it.
type OTATask struct {
	Target string
	ID     int64
	Size   int64
	MD5    string
	Status int // 1 waiting, 2 downloading, 3 upgrading, 4 done, 5 failed, 6 cancelled
	Diff   bool
}

// AppendOTATask appends the data of a check [onenet §6.5].
func AppendOTATask(dst []byte, t OTATask) []byte {
	kind := int64(1)
	if t.Diff {
		kind = 2
	}
	dst = thing.AppendText(append(dst, `{"target":`...), t.Target)
	dst = strconv.AppendInt(append(dst, `,"tid":`...), t.ID, 10)
	dst = strconv.AppendInt(append(dst, `,"size":`...), t.Size, 10)
	dst = thing.AppendText(append(dst, `,"md5":`...), t.MD5)
	dst = strconv.AppendInt(append(dst, `,"status":`...), int64(t.Status), 10)
	dst = strconv.AppendInt(append(dst, `,"type":`...), kind, 10)
	return append(dst, '}')
}

// OTAVersions are the versions that a device runs, "" where it names none.
type OTAVersions struct{ MCU, Module string }

// ErrOTA is of a body that an OTA endpoint cannot read.
var ErrOTA = errors.New("onenet: the body is not what the endpoint takes")

// ParseOTAVersions reads the body of a version report [onenet §6.5].
func ParseOTAVersions(body []byte) (OTAVersions, error) {
	var v struct {
		S string `json:"s_version"`
		F string `json:"f_version"`
	}
	if json.Unmarshal(body, &v) != nil || v.S == "" && v.F == "" {
		return OTAVersions{}, ErrOTA
	}
	return OTAVersions{v.S, v.F}, nil
}

// An OTAStep is what a device says of an upgrade.
type OTAStep struct {
	Percent int
	Done    bool   // the new version runs
	Code    string // of a failure, "" while it goes well
	Why     string
	WhyZH   string
}

// otaFailures are the steps that are failures [onenet §6.5].
var otaFailures = map[int][2]string{
	102: {"the download failed: no space", "下载失败：空间不足"},
	103: {"the download failed: out of memory", "下载失败：内存不足"},
	104: {"the download failed: time-out", "下载失败：超时"},
	105: {"the download failed: battery too low", "下载失败：电量不足"},
	106: {"the download failed: bad signal", "下载失败：信号不良"},
	107: {"the download failed", "下载失败：未知原因"},
	202: {"the upgrade failed: battery too low", "升级失败：电量不足"},
	203: {"the upgrade failed: out of memory", "升级失败：内存不足"},
	204: {"the upgrade failed: the version does not fit", "升级失败：版本不符"},
	205: {"the upgrade failed: the MD5 differs", "升级失败：MD5 校验失败"},
	206: {"the upgrade failed", "升级失败：未知原因"},
	207: {"the upgrade failed: too many attempts", "升级失败：达到最大重试次数"},
	208: {"the upgrade has expired", "升级任务已过期"},
}

// ParseOTAStep reads the body of a status report [onenet §6.5].
func ParseOTAStep(body []byte) (OTAStep, error) {
	var v struct {
		Step *json.Number `json:"step"`
	}
	if json.Unmarshal(body, &v) != nil || v.Step == nil {
		return OTAStep{}, ErrOTA
	}
	n, err := strconv.Atoi(v.Step.String())
	why, failed := otaFailures[n]
	switch {
	case err != nil:
		return OTAStep{}, ErrOTA
	case n >= 0 && n <= 100:
		return OTAStep{Percent: n}, nil
	case n == 101:
		return OTAStep{Percent: 100}, nil
	case n == 201:
		return OTAStep{Done: true}, nil
	case failed:
		return OTAStep{Code: strconv.Itoa(n), Why: why[0], WhyZH: why[1]}, nil
	}
	return OTAStep{}, ErrOTA
}

// ParseOTARange reads the Range of a download: "0-99", "bytes=0-99", "2-",
// "-100". What cannot be read is the whole file, and what is out of range is
// clamped [onenet §6.5]. The part is [from, to).
func ParseOTARange(text string, size int64) (from, to int64) {
	text = strings.TrimPrefix(strings.ReplaceAll(text, " ", ""), "bytes=")
	first, last, ok := strings.Cut(text, "-")
	a, errA := strconv.ParseInt(first, 10, 64)
	b, errB := strconv.ParseInt(last, 10, 64)
	switch {
	case !ok, first == "" && last == "", first != "" && (errA != nil || a < 0), last != "" && (errB != nil || b < 0):
		return 0, size
	case first == "":
		return max(size-b, 0), size
	case last == "":
		return min(a, size), size
	case b < a:
		return 0, size
	}
	return min(a, size), min(b, size-1) + 1
}
