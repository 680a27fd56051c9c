package aliyun

import (
	"encoding/json"
	"strconv"
	"time"
)

// ParseNTP returns the deviceSendTime of an NTP request as JSON: a number or a
// text of digits, nil where there is none to be found [aliyun-device §4.5].
func ParseNTP(payload []byte) []byte {
	var q struct {
		Sent json.RawMessage `json:"deviceSendTime"`
	}
	if json.Unmarshal(payload, &q) != nil || !digits(q.Sent) {
		return nil
	}
	return q.Sent
}

// digits reports whether raw is a whole number, with quotes or without.
func digits(raw []byte) bool {
	if len(raw) > 2 && raw[0] == '"' && raw[len(raw)-1] == '"' {
		raw = raw[1 : len(raw)-1]
	}
	if len(raw) == 0 || len(raw) > 20 {
		return false
	}
	for _, b := range raw {
		if b < '0' || b > '9' {
			return false
		}
	}
	return true
}

// AppendNTP appends the answer to an NTP request: times in milliseconds, in
// the type in which the device wrote its own; "0" where it wrote none.
func AppendNTP(dst, sent []byte, received, answered time.Time) []byte {
	if len(sent) == 0 {
		sent = []byte(`"0"`)
	}
	quote := ""
	if sent[0] == '"' {
		quote = `"`
	}
	millis := func(t time.Time) string { return quote + strconv.FormatInt(t.UnixMilli(), 10) + quote }
	dst = append(append(dst, `{"deviceSendTime":`...), sent...)
	dst = append(append(dst, `,"serverRecvTime":`...), millis(received)...)
	dst = append(append(dst, `,"serverSendTime":`...), millis(answered)...)
	return append(dst, '}')
}
