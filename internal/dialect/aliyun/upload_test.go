package aliyun

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
)

const fileInit, fileSend, fileCancel = sys + "thing/file/upload/mqtt/init", sys + "thing/file/upload/mqtt/send", sys + "thing/file/upload/mqtt/cancel"

// TestUploads: what devices send and what they are told, byte for byte
// [aliyun-device §4.13].
func TestUploads(t *testing.T) {
	init := `{"id":"1","params":{"fileName":"a.log","fileSize":1024,"conflictStrategy":"append","ficMode":"crc64","ficValue":"0205D7"}}`
	block := func(data string, last bool) string {
		return string(vendor.AppendUploadBlock(nil, "2", vendor.UploadBlock{UploadID: "u1", Offset: 512, Data: []byte(data), Complete: last}))
	}
	bad := []byte(block("abc", false))
	bad[len(bad)-1] ^= 1
	refused := func(cause error) error { return &dialect.Refusal{Cause: cause} }
	for _, tt := range []struct {
		topic, payload, ask string
		result              any
		err                 error
		code                int
		data                string
	}{
		{fileInit, init, "*dialect.FileBegin", dialect.Receiving{ID: "u1"}, nil, 200,
			`{"conflictStrategy":"append","ficMode":"crc64","ficValue":"0205D7","fileName":"a.log","fileSize":1024,"uploadId":"u1"}`},
		{fileInit, init, "*dialect.FileBegin", dialect.Receiving{ID: "u1", Offset: 512, Resumed: true}, nil, 200,
			`{"conflictStrategy":"append","ficMode":"crc64","ficValue":"0205D7","fileName":"a.log","fileSize":1024,"offset":512,"uploadId":"u1"}`},
		{fileInit, init, "*dialect.FileBegin", nil, refused(dialect.ErrFileExists), 78123, `{"fileName":"a.log"}`},
		{fileInit, init, "*dialect.FileBegin", nil, refused(dialect.ErrFileBusy), 429, `{"fileName":"a.log"}`},
		{fileInit, init, "*dialect.FileBegin", nil, refused(dialect.ErrFileQuota), 6760, `{"fileName":"a.log"}`},
		{fileInit, init, "*dialect.FileBegin", nil, refused(dialect.ErrFileLarge), 78117, `{"fileName":"a.log"}`},
		{fileInit, init, "*dialect.FileBegin", nil, fault.NotFound("gone"), 6100, `{"fileName":"a.log"}`},
		{fileInit, init, "*dialect.FileBegin", nil, errors.New("disk"), 500, `{"fileName":"a.log"}`},
		{fileInit, `{"id":"1","params":{"fileName":"a b","fileSize":1024}}`, "", nil, nil, 460, `{"fileName":"a b"}`},
		{fileInit, `{"id":"1","params":{"fileName":"a.log","fileSize":16777217}}`, "", nil, nil, 78117, `{"fileName":"a.log"}`},
		{fileInit, `{"id":"1","params":`, "", nil, nil, 400, `{"fileName":""}`},
		{fileInit, `{"id":"1"}`, "", nil, nil, 460, `{"fileName":""}`},

		{fileSend, block("abc", false), "*dialect.FileWrite", dialect.Received{}, nil, 200, `{"bSize":3,"offset":512,"uploadId":"u1"}`},
		{fileSend, block("abc", true), "*dialect.FileWrite", dialect.Received{Whole: true}, nil, 200, `{"bSize":3,"complete":true,"offset":512,"uploadId":"u1"}`},
		{fileSend, block("abc", true), "*dialect.FileWrite", dialect.Received{Whole: true, Wanted: "AB", Got: 0xab}, nil, 200,
			`{"bSize":3,"complete":true,"ficMode":"crc64","ficValueClient":"AB","ficValueServer":"00000000000000ab","offset":512,"uploadId":"u1"}`},
		{fileSend, block("abc", true), "*dialect.FileWrite", dialect.Received{Wanted: "AC", Got: 0xab}, refused(dialect.ErrFileCheck), 78125,
			`{"bSize":3,"ficMode":"crc64","ficValueClient":"AC","ficValueServer":"00000000000000ab","offset":512,"uploadId":"u1"}`},
		{fileSend, block("abc", false), "*dialect.FileWrite", nil, refused(dialect.ErrFileOffset), 78119, `{"bSize":3,"offset":512,"uploadId":"u1"}`},
		{fileSend, block("abc", false), "*dialect.FileWrite", nil, refused(dialect.ErrFileBlock), 78120, `{"bSize":3,"offset":512,"uploadId":"u1"}`},
		{fileSend, block("abc", false), "*dialect.FileWrite", nil, refused(dialect.ErrFileUnknown), 78122, `{"bSize":3,"offset":512,"uploadId":"u1"}`},
		{fileSend, block("abc", false), "*dialect.FileWrite", nil, refused(dialect.ErrFileFinished), 78124, `{"bSize":3,"offset":512,"uploadId":"u1"}`},
		{fileSend, string(bad), "", nil, nil, 78121, `{"bSize":3,"offset":512,"uploadId":"u1"}`},
		{fileSend, "\x00", "", nil, nil, 400, `{"bSize":0,"offset":0,"uploadId":""}`},

		{fileCancel, `{"id":"3","params":{"uploadId":"u1"}}`, "*dialect.FileCancel", dialect.Done{}, nil, 200, `{"uploadId":"u1"}`},
		{fileCancel, `{"id":"3","params":{"uploadId":"u1"}}`, "*dialect.FileCancel", nil, refused(dialect.ErrFileUnknown), 78122, `{"uploadId":"u1"}`},
		{fileCancel, `{"id":"3","params":{}}`, "", nil, nil, 460, `{"uploadId":""}`},
	} {
		up, got := exchange(tt.topic, tt.payload, tt.result, tt.err)
		ask := ""
		if up.Request != nil {
			ask = fmt.Sprintf("%T", up.Request)
		} else if up.Fault == nil || up.Fault.SentenceZH == "" || up.Fault.Field == "" || up.Fault.Expected == "" || strings.HasSuffix(up.Fault.AdviceZH, "：") {
			t.Errorf("%.80q: the timeline is told %+v", tt.payload, up.Fault)
		}
		if up.Kind != dialect.Asks || ask != tt.ask {
			t.Errorf("%.80q asks %s, not %s", tt.payload, ask, tt.ask)
		}
		message := "success"
		if tt.code == 6100 {
			message = "device not found"
		} else if tt.code != 200 {
			message = vendor.UploadCode(tt.code).Error()
		}
		want := fmt.Sprintf(`%s_reply {"code":%d,"data":%s,"id":"%s","message":"%s","method":"%s","version":"1.0"}`,
			tt.topic, tt.code, tt.data, up.ID, message, method(tt.topic))
		if up.ID == "" {
			want = fmt.Sprintf(`%s_reply {"code":%d,"data":%s,"id":"0","message":"%s","method":"%s","version":"1.0"}`, tt.topic, tt.code, tt.data, message, method(tt.topic))
		}
		if got != want {
			t.Errorf("%.80q\n got %s\nwant %s", tt.payload, got, want)
		}
	}
}

func TestWhatAnUploadSays(t *testing.T) {
	up, _ := exchange(fileInit, `{"id":"1","params":{"fileName":"a.log","fileSize":-1,"conflictStrategy":"reject","ficMode":"crc64","ficValue":"0A","initUid":"k","extraParams":{"ossOwnerType":"device-user"}}}`, dialect.Receiving{ID: "u"}, nil)
	q, _ := up.Request.(*dialect.FileBegin)
	if q == nil || q.Name != "a.log" || q.Size != dialect.UnknownSize || q.Conflict != dialect.Refuse || q.Check != "0A" || q.Key != "k" {
		t.Errorf("%+v", q)
	}
	if len(up.Notes) != 1 || up.Notes[0].Code != "aliyun-upload-bucket" {
		t.Errorf("a bucket of the owner: %+v", up.Notes)
	}
	if _, got := exchange(fileCancel, `{"id":"1","sys":{"ack":0},"params":{"uploadId":"u"}}`, dialect.Done{}, nil); got != "" {
		t.Errorf("who wants no answer is told %s", got)
	}
}
