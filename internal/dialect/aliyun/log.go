package aliyun

import (
	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
)

// logGet reads the question whether to post the log [aliyun-device §4.15].
func logGet(r *reading) dialect.Request {
	if _, ok := r.alink(); !ok {
		return nil
	}
	return &dialect.LogGet{}
}

func logMode(r *dialect.LogGet, m dialect.LogMode, err error) []dialect.Downlink {
	return tell(r.Asked(), vendor.AppendLogMode(nil, m.On), err)
}

// logPost reads lines of the device's log.
func logPost(r *reading) dialect.Request {
	params, ok := r.alink()
	if !ok {
		return nil
	}
	lines, more, err := vendor.ParseLog(params)
	if err != nil {
		return r.decline(badParams(err, params, `[{"utcTime":"2020-08-31T06:07:35.123+0000","logLevel":"ERROR","module":"…","code":"…","logContent":"…"}]`), codeBadParams, textBadParams)
	}
	ask := &dialect.LogPost{More: more, Lines: make([]dialect.LogLine, len(lines))}
	for i, l := range lines {
		ask.Lines[i] = dialect.LogLine{Time: l.Time, Level: l.Level, Module: l.Module, Code: l.Code, Trace: l.Trace, Content: l.Content}
	}
	return ask
}

// TellLog says whether to post the log.
func (Dialect) TellLog(c dialect.Claim, id string, m dialect.LogMode) []dialect.Downlink {
	return []dialect.Downlink{{
		Topic: vendor.LogPushTopic(c.Product, c.Device), Payload: vendor.AppendLogPush(nil, id, m.On),
	}}
}
