package aliyun

import (
	"encoding/json"
	"strings"
	"time"
)

// MaxLogLines is how many lines of one thing/log/post are read.
const MaxLogLines = 200

// A LogLine is one line of a device's own log [aliyun-device §4.15].
type LogLine struct {
	Time    time.Time // zero where it is missing or cannot be read
	Level   string    // FATAL, ERROR, WARN, INFO, DEBUG, or what the device says instead
	Module  string
	Code    string
	Trace   string // traceContext
	Content string
}

// ParseLog reads the params of thing/log/post; more says how many lines stand
// beyond the first MaxLogLines.
func ParseLog(params []byte) (lines []LogLine, more int, err error) {
	var list []struct {
		UTCTime      anyText `json:"utcTime"`
		LogLevel     anyText `json:"logLevel"`
		Module       anyText `json:"module"`
		Code         anyText `json:"code"`
		TraceContext anyText `json:"traceContext"`
		LogContent   anyText `json:"logContent"`
	}
	if json.Unmarshal(params, &list) != nil || list == nil {
		return nil, 0, ErrBadParams
	}
	if len(list) > MaxLogLines {
		list, more = list[:MaxLogLines], len(list)-MaxLogLines
	}
	for _, l := range list {
		lines = append(lines, LogLine{
			Time: logTime(string(l.UTCTime)), Level: strings.ToUpper(string(l.LogLevel)), Module: string(l.Module),
			Code: string(l.Code), Trace: string(l.TraceContext), Content: string(l.LogContent),
		})
	}
	return lines, more, nil
}

// An anyText is a JSON text, or any other value as it is written.
type anyText string

func (t *anyText) UnmarshalJSON(raw []byte) error {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		s = string(raw)
	}
	*t = anyText(s)
	return nil
}

// logTime reads 2020-08-31T06:07:35.123+0000.
func logTime(s string) time.Time {
	for _, form := range []string{"2006-01-02T15:04:05.999999999-0700", time.RFC3339Nano} {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// AppendLogMode appends whether a device shall post its log: the data of the
// answer to thing/config/log/get.
func AppendLogMode(dst []byte, on bool) []byte {
	mode := byte('0')
	if on {
		mode = '1'
	}
	dst = append(dst, `{"getType":"content","content":{"mode":`...)
	return append(append(dst, mode), '}', '}')
}

// AppendLogPush appends what the platform sends on thing/config/log/push.
func AppendLogPush(dst []byte, id string, on bool) []byte {
	return appendOrder(dst, id, AppendLogMode(nil, on), "thing.config.log.push")
}

// LogPushTopic is where a device hears whether it shall post its log.
func LogPushTopic(pk, dn string) string { return sys(pk, dn, "thing/config/log/push") }
