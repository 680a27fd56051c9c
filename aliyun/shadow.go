package aliyun

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/matou-iot/matou/thing"
	"github.com/matou-iot/matou/thing/loose"
)

// The bounds of a shadow [aliyun-device §4.8].
const (
	MaxShadowBytes      = 16 << 10
	MaxShadowDepth      = 5
	MaxShadowAttributes = 128
)

// A ShadowCode is what a device is told about a shadow message that was not
// taken [aliyun-device §4.8].
type ShadowCode int

// The codes.
const (
	ShadowBadJSON        ShadowCode = 400
	ShadowNoMethod       ShadowCode = 401
	ShadowNoState        ShadowCode = 402
	ShadowBadVersion     ShadowCode = 403
	ShadowNoReported     ShadowCode = 404
	ShadowReportedEmpty  ShadowCode = 405
	ShadowUnknownMethod  ShadowCode = 406
	ShadowEmpty          ShadowCode = 407
	ShadowTooMany        ShadowCode = 408
	ShadowVersionTooLow  ShadowCode = 409
	ShadowServerFailed   ShadowCode = 500
	shadowNothing                   = "null" // an attribute that shall be gone; JSON's null means the same
	shadowResetVersion              = -1
	shadowVersionsAtMost            = "a whole number of 64 bits"
)

var shadowTexts = map[ShadowCode]string{
	ShadowBadJSON:       "the message is not JSON, deeper than 5 levels or longer than 16 KB",
	ShadowNoMethod:      "method is missing",
	ShadowNoState:       "state is missing",
	ShadowBadVersion:    "version is not " + shadowVersionsAtMost,
	ShadowNoReported:    "state.reported is missing",
	ShadowReportedEmpty: "state.reported is empty",
	ShadowUnknownMethod: "method is none of update, get and delete",
	ShadowEmpty:         "the shadow is empty",
	ShadowTooMany:       "state.reported has more than 128 attributes",
	ShadowVersionTooLow: "version is not greater than that of the shadow",
	ShadowServerFailed:  "the server failed",
}

// Error is the text that the device is told.
func (c ShadowCode) Error() string {
	if text, ok := shadowTexts[c]; ok {
		return text
	}
	return "shadow error " + strconv.Itoa(int(c))
}

// A ShadowMethod is what a device wants of its shadow.
type ShadowMethod string

// The methods.
const (
	ShadowUpdate ShadowMethod = "update"
	ShadowGet    ShadowMethod = "get"
	ShadowDelete ShadowMethod = "delete"
)

// A ShadowMessage is what a device says to its shadow [aliyun-device §4.8].
type ShadowMessage struct {
	Method       ShadowMethod
	Version      int64            // of update and delete; Reset where it is -1
	Reset        bool             // the message counts whatever its version, and the shadow's begins anew at 0
	Reported     []thing.Argument // update: the attributes
	ClearDesired bool             // update, delete: what applications wanted is done
	Names        []string         // delete: these attributes
	All          bool             // delete: all of them
	Loose        loose.Looseness
}

// ParseShadow reads what a device publishes on /shadow/update. An error is a
// ShadowCode.
func ParseShadow(payload []byte) (ShadowMessage, error) {
	var m ShadowMessage
	if len(payload) > MaxShadowBytes {
		return m, ShadowBadJSON
	}
	strict, l, err := loose.Strictify(payload)
	if err != nil {
		return m, ShadowBadJSON
	}
	var doc struct {
		Method  any             `json:"method"`
		State   json.RawMessage `json:"state"`
		Version json.RawMessage `json:"version"`
	}
	if json.Unmarshal(strict, &doc) != nil {
		return m, ShadowBadJSON
	}
	method, _ := doc.Method.(string)
	m.Loose, m.Method = l, ShadowMethod(method)
	switch {
	case method == "":
		return m, ShadowNoMethod
	case m.Method == ShadowGet:
		return m, nil
	case m.Method != ShadowUpdate && m.Method != ShadowDelete:
		return m, ShadowUnknownMethod
	}
	state, err := thing.ParseArguments(doc.State)
	if err != nil {
		return m, ShadowNoState
	}
	if m.Version, err = shadowVersion(doc.Version); err != nil {
		return m, err
	}
	m.Reset = m.Version == shadowResetVersion
	return m, m.state(state)
}

// shadowVersion reads a version. SDKs send the time in milliseconds: 32 bits
// are not enough. A number with quotes is taken.
func shadowVersion(raw json.RawMessage) (int64, error) {
	text := string(raw)
	if unquoted, err := strconv.Unquote(text); err == nil {
		text = unquoted
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < shadowResetVersion {
		return 0, ShadowBadVersion
	}
	return n, nil
}

// state reads what an update reports or a delete names.
func (m *ShadowMessage) state(state []thing.Argument) error {
	reported, there := argument(state, "reported")
	if desired, ok := argument(state, "desired"); ok && nothing(desired) {
		m.ClearDesired = true
	}
	switch {
	case !there && m.ClearDesired:
		return nil
	case !there:
		return ShadowNoReported
	case nothing(reported) && m.Method == ShadowDelete:
		m.All = true
		return nil
	case reported.Shape != thing.Object:
		return ShadowReportedEmpty
	}
	attributes, err := thing.ParseArguments([]byte(reported.Text))
	switch {
	case err != nil:
		return ShadowBadJSON
	case len(attributes) == 0:
		return ShadowReportedEmpty
	case len(attributes) > MaxShadowAttributes:
		return ShadowTooMany
	case reported.Depth() > MaxShadowDepth:
		return ShadowBadJSON
	}
	if m.Method == ShadowUpdate {
		m.Reported = attributes
		return nil
	}
	for _, a := range attributes {
		if nothing(a.Value) {
			m.Names = append(m.Names, a.ID)
		}
	}
	if len(m.Names) == 0 {
		return ShadowReportedEmpty
	}
	return nil
}

// argument is the last one of a name, as JSON has it.
func argument(args []thing.Argument, name string) (thing.Value, bool) {
	for _, a := range slices.Backward(args) {
		if a.ID == name {
			return a.Value, true
		}
	}
	return thing.Value{}, false
}

// nothing is the text "null", which is what the documentation writes, or null.
func nothing(v thing.Value) bool {
	return v.Shape == thing.Null || v.Shape == thing.String && v.Text == shadowNothing
}

// A ShadowAttribute is one attribute of a shadow and when it was said.
type ShadowAttribute struct {
	Name  string
	Value thing.Value
	At    time.Time
}

// A Shadow is a shadow document.
type Shadow struct {
	Reported, Desired []ShadowAttribute
	Version           int64
}

// AppendShadowDone appends the answer to an update or delete that was taken.
func AppendShadowDone(dst []byte, version int64, now time.Time) []byte {
	dst = append(dst, `{"method":"reply","payload":{"status":"success","version":`...)
	dst = append(strconv.AppendInt(dst, version, 10), '}')
	return appendStamp(dst, now)
}

// AppendShadowError appends the answer to a message that was not taken.
func AppendShadowError(dst []byte, code ShadowCode, text string, now time.Time) []byte {
	dst = append(dst, `{"method":"reply","payload":{"status":"error","content":{"errorcode":"`...)
	dst = append(strconv.AppendInt(dst, int64(code), 10), `","errormessage":`...)
	dst = append(thing.AppendText(dst, text), '}', '}')
	return appendStamp(dst, now)
}

// AppendShadowReply appends the answer to a get.
func AppendShadowReply(dst []byte, s *Shadow, now time.Time) []byte {
	return appendShadow(dst, "reply", s, now)
}

// AppendShadowControl appends what a device is told when an application wants
// its shadow otherwise.
func AppendShadowControl(dst []byte, s *Shadow, now time.Time) []byte {
	return appendShadow(dst, "control", s, now)
}

func appendShadow(dst []byte, method string, s *Shadow, now time.Time) []byte {
	dst = append(append(dst, `{"method":"`...), method...)
	dst = append(dst, `","payload":{"status":"success",`...)
	dst = AppendShadowState(dst, s)
	dst = append(dst, `},"version":`...)
	dst = strconv.AppendInt(dst, s.Version, 10)
	return appendStamp(dst, now)
}

// AppendShadowState appends the members state and metadata of a shadow. A part
// that holds nothing is left out.
func AppendShadowState(dst []byte, s *Shadow) []byte {
	dst = append(dst, `"state":`...)
	dst = s.appendParts(dst, func(dst []byte, a *ShadowAttribute) []byte { return a.Value.AppendJSON(dst) })
	dst = append(dst, `,"metadata":`...)
	return s.appendParts(dst, func(dst []byte, a *ShadowAttribute) []byte {
		dst = append(dst, `{"timestamp":`...)
		return append(strconv.AppendInt(dst, a.At.Unix(), 10), '}')
	})
}

func (s *Shadow) appendParts(dst []byte, say func([]byte, *ShadowAttribute) []byte) []byte {
	dst = append(dst, '{')
	for _, part := range []struct {
		name string
		all  []ShadowAttribute
	}{{"reported", s.Reported}, {"desired", s.Desired}} {
		if len(part.all) == 0 {
			continue
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), part.name...), `":{`...)
		for i := range part.all {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(thing.AppendText(dst, part.all[i].Name), ':')
			dst = say(dst, &part.all[i])
		}
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// appendStamp ends a message of the platform: its time is in seconds.
func appendStamp(dst []byte, now time.Time) []byte {
	dst = append(dst, `,"timestamp":`...)
	return append(strconv.AppendInt(dst, now.Unix(), 10), '}')
}

// ShadowGetTopic is where a device hears from its shadow.
func ShadowGetTopic(pk, dn string) string { return "/shadow/get/" + pk + "/" + dn }
