package onenet

import (
	"errors"
	"testing"
)

func TestOTAAnswerBytes(t *testing.T) {
	e := OTAEnvelope{RequestID: "0123456789abcdef0123456789abcdef"}
	older := e
	older.Older = true
	task := string(AppendOTATask(nil, OTATask{Target: "v3.0", ID: 1317438, Size: 8260, MD5: "93230c3bde425a9d7984a594ac55ea1e", Status: 1}))
	for _, tt := range []struct{ got, want string }{
		{string(e.Append(nil, OTASuccess, "")), `{"code":0,"msg":"succ","request_id":"0123456789abcdef0123456789abcdef"}`},
		{string(e.Append(nil, OTAFinished, "")), `{"code":20,"msg":"task finish","request_id":"0123456789abcdef0123456789abcdef"}`},
		{string(e.Append(nil, OTASuccess, `{"status":5}`)), `{"code":0,"msg":"succ","request_id":"0123456789abcdef0123456789abcdef","data":{"status":5}}`},
		{string(older.Append(nil, OTANoTask, "")), `{"errno":11,"error":"no task","request_id":"0123456789abcdef0123456789abcdef"}`},
		{task, `{"target":"v3.0","tid":1317438,"size":8260,"md5":"93230c3bde425a9d7984a594ac55ea1e","status":1,"type":1}`},
		{string(AppendOTATask(nil, OTATask{Diff: true, Status: 3})), `{"target":"","tid":0,"size":0,"md5":"","status":3,"type":2}`},
	} {
		if tt.got != tt.want {
			t.Errorf("\n got %s\nwant %s", tt.got, tt.want)
		}
	}
}

func TestOTABodies(t *testing.T) {
	if v, err := ParseOTAVersions([]byte(`{"s_version":"V1.0","f_version":"V2.0"}`)); err != nil || v != (OTAVersions{"V1.0", "V2.0"}) {
		t.Error(v, err)
	}
	for _, bad := range []string{``, `{}`, `[]`, `{"s_version":1}`} {
		if _, err := ParseOTAVersions([]byte(bad)); !errors.Is(err, ErrOTA) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, tt := range []struct {
		body string
		want OTAStep
		err  error
	}{
		{`{"step":10}`, OTAStep{Percent: 10}, nil},
		{`{"step":"10"}`, OTAStep{Percent: 10}, nil},
		{`{"step":100}`, OTAStep{Percent: 100}, nil},
		{`{"step":101}`, OTAStep{Percent: 100}, nil},
		{`{"step":201}`, OTAStep{Done: true}, nil},
		{`{"step":205}`, OTAStep{Code: "205", Why: "the upgrade failed: the MD5 differs", WhyZH: "升级失败：MD5 校验失败"}, nil},
		{`{"step":106}`, OTAStep{Code: "106", Why: "the download failed: bad signal", WhyZH: "下载失败：信号不良"}, nil},
		{`{"step":150}`, OTAStep{}, ErrOTA},
		{`{"step":-1}`, OTAStep{}, ErrOTA},
		{`{"step":1.5}`, OTAStep{}, ErrOTA},
		{`{}`, OTAStep{}, ErrOTA},
		{`step=1`, OTAStep{}, ErrOTA},
	} {
		if got, err := ParseOTAStep([]byte(tt.body)); got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: %+v, %v", tt.body, got, err)
		}
	}
}

func TestOTARanges(t *testing.T) {
	for _, tt := range []struct {
		text     string
		from, to int64
	}{
		{"0-511", 0, 512}, {"bytes=0-511", 0, 512}, {"bytes = 0 - 511", 0, 512}, {"2-", 2, 1000}, {"-100", 900, 1000}, {"-5000", 0, 1000},
		{"990-5000", 990, 1000}, {"2000-3000", 1000, 1000}, {"", 0, 1000}, {"-", 0, 1000}, {"lines=1-2", 0, 1000}, {"9-3", 0, 1000}, {"bytes=0-1,5-6", 0, 1000},
	} {
		if from, to := ParseOTARange(tt.text, 1000); from != tt.from || to != tt.to {
			t.Errorf("%q: %d to %d, want %d to %d", tt.text, from, to, tt.from, tt.to)
		}
	}
}

func FuzzOTARange(f *testing.F) {
	f.Add("bytes=0-511", int64(1000))
	f.Add("-9223372036854775808", int64(0))
	f.Fuzz(func(t *testing.T, text string, size int64) {
		if size < 0 {
			return
		}
		if from, to := ParseOTARange(text, size); from < 0 || to < from || to > size {
			t.Errorf("%q of %d: %d to %d", text, size, from, to)
		}
	})
}

func FuzzOTABodies(f *testing.F) {
	f.Add([]byte(`{"step":10}`))
	f.Add([]byte(`{"s_version":"V1.0","f_version":"V2.0"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if s, err := ParseOTAStep(body); err == nil && (s.Percent < 0 || s.Percent > 100) {
			t.Errorf("%q: %+v", body, s)
		}
		if v, err := ParseOTAVersions(body); err == nil && v == (OTAVersions{}) {
			t.Errorf("%q says nothing and is taken", body)
		}
	})
}
