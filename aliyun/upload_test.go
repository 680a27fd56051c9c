package aliyun

import (
	"bytes"
	"encoding/json"
	"errors"
	"hash/crc64"
	"reflect"
	"strings"
	"testing"
)

func TestUploadsAreAsked(t *testing.T) {
	var d Decoder
	whole := UploadInit{FileName: "a.log", FileSize: 1024, Conflict: Overwrite, FicMode: CRC64Mode, FicValue: "0205D7"}
	for _, tt := range []struct {
		name, in string
		want     UploadInit
		code     UploadCode // 0: taken
	}{
		{"of the documentation", `{"id":"123456","params":{"fileName":"a.log","fileSize":1024,"conflictStrategy":"append","ficMode":"crc64","ficValue":"0205d7aabbccddee","initUid":"ab1","extraParams":{"ossOwnerType":"iot-platform","serviceId":"s","fileTag":{"k":"v"}}}}`,
			UploadInit{"a.log", 1024, AppendTo, CRC64Mode, "0205d7aabbccddee", "ab1", "iot-platform"}, 0},
		{"C SDK 4.x without a digest", `{"id":"1","params":{"fileName":"a.log","fileSize":-1,"conflictStrategy":"overwrite","initUid":"1647861235012"}}`,
			UploadInit{"a.log", UnknownSize, Overwrite, "", "", "1647861235012", ""}, 0},
		{"no strategy, a number as text, a short check", `{"id":"1","params":{"fileName":"a.log","fileSize":"1024","ficMode":"CRC64","ficValue":"0205D7"}}`, whole, 0},
		{"a check of zeros is none", `{"id":"1","params":{"fileName":"a.log","fileSize":1,"ficMode":"crc64","ficValue":"\u0000\u0000"}}`, UploadInit{FileName: "a.log", FileSize: 1, Conflict: Overwrite}, 0},
		{"a name that leaves its place", `{"id":"1","params":{"fileName":"../a","fileSize":1}}`, UploadInit{FileName: "../a", FileSize: 1, Conflict: Overwrite}, UploadBadParams},
		{"a name that begins with a dot", `{"id":"1","params":{"fileName":".a","fileSize":1}}`, UploadInit{FileName: ".a", FileSize: 1, Conflict: Overwrite}, UploadBadParams},
		{"a name of 101 bytes", `{"id":"1","params":{"fileName":"` + strings.Repeat("a", 101) + `","fileSize":1}}`, UploadInit{FileName: strings.Repeat("a", 101), FileSize: 1, Conflict: Overwrite}, UploadBadParams},
		{"no size", `{"id":"1","params":{"fileName":"a.log"}}`, UploadInit{FileName: "a.log", FileSize: UnknownSize, Conflict: Overwrite}, UploadBadParams},
		{"a size of nothing", `{"id":"1","params":{"fileName":"a.log","fileSize":0}}`, UploadInit{FileName: "a.log", Conflict: Overwrite}, UploadBadParams},
		{"17 MB", `{"id":"1","params":{"fileName":"a.log","fileSize":16777217}}`, UploadInit{FileName: "a.log", FileSize: 16777217, Conflict: Overwrite}, UploadTooLarge},
		{"another strategy", `{"id":"1","params":{"fileName":"a.log","fileSize":1,"conflictStrategy":"merge"}}`, UploadInit{FileName: "a.log", FileSize: 1, Conflict: "merge"}, UploadBadParams},
		{"another check", `{"id":"1","params":{"fileName":"a.log","fileSize":1,"ficMode":"md5","ficValue":"00"}}`, UploadInit{FileName: "a.log", FileSize: 1, Conflict: Overwrite, FicMode: "md5", FicValue: "00"}, UploadBadParams},
		{"a check that is no number", `{"id":"1","params":{"fileName":"a.log","fileSize":1,"ficMode":"crc64","ficValue":"xyz"}}`, UploadInit{FileName: "a.log", FileSize: 1, Conflict: Overwrite, FicMode: "crc64", FicValue: "xyz"}, UploadBadParams},
	} {
		got, err := d.UploadInit([]byte(tt.in))
		code, _ := IsUploadError(err)
		if got != tt.want || code != tt.code || (err == nil) != (tt.code == 0) {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
	if _, err := d.UploadInit([]byte(`{"id":"1"}`)); !errors.Is(err, ErrNoParams) {
		t.Errorf("without params: %v", err)
	}
}

// header makes a frame of any header and any bytes behind it.
func header(head, rest string) []byte { return append(appendFrame(nil, []byte(head)), rest...) }

func TestBlocksOfUploadsAreRead(t *testing.T) {
	var d Decoder
	const head = `{"id":"2","params":{"uploadId":"u1","offset":256,"bSize":9,"isComplete":true}}`
	for _, tt := range []struct {
		name  string
		frame []byte
		want  UploadBlock
		code  UploadCode
	}{
		{"CRC-16 with its low byte first", header(head, "123456789\x3D\xBB"), UploadBlock{"u1", 256, 9, true, []byte("123456789")}, 0},
		{"no bytes, which ends a file of unknown size", header(`{"id":"2","params":{"uploadId":"u1","offset":"1","bSize":0,"isComplete":"true"}}`, "\x00\x00"), UploadBlock{"u1", 1, 0, true, []byte{}}, 0},
		{"CRC with its high byte first", header(head, "123456789\xBB\x3D"), UploadBlock{"u1", 256, 9, true, []byte("123456789")}, UploadBlockCRC},
		{"cut off", header(head, "1234567"), UploadBlock{"u1", 256, 9, true, nil}, UploadBadParams},
		{"no CRC", header(head, "123456789"), UploadBlock{"u1", 256, 9, true, nil}, UploadBadParams},
		{"more than 128 KB", header(`{"id":"2","params":{"uploadId":"u1","offset":0,"bSize":131073}}`, strings.Repeat("a", 131075)), UploadBlock{"u1", 0, 131073, false, nil}, UploadBlockLarge},
		{"no offset", header(`{"id":"2","params":{"uploadId":"u1","bSize":0}}`, "\x00\x00"), UploadBlock{"u1", -1, 0, false, nil}, UploadBadParams},
		{"no upload", header(`{"id":"2","params":{"offset":0,"bSize":0}}`, "\x00\x00"), UploadBlock{"", 0, 0, false, nil}, UploadBadParams},
		{"JSON without its length", []byte(head), UploadBlock{}, UploadBadPayload},
		{"nothing", nil, UploadBlock{}, UploadBadPayload},
	} {
		got, err := d.UploadSend(tt.frame)
		code, _ := IsUploadError(err)
		if !reflect.DeepEqual(got, tt.want) || code != tt.code || (err == nil) != (tt.code == 0) {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
	b := UploadBlock{UploadID: "u1", Offset: 256, Size: 9, Complete: true, Data: []byte("123456789")}
	if got := AppendUploadBlock(nil, "2", b); !bytes.Equal(got, header(head, "123456789\x3D\xBB")) {
		t.Errorf("a device sends %q", got)
	}
}

func TestAnswersToUploads(t *testing.T) {
	q := UploadInit{FileName: "a.log", FileSize: 1024, Conflict: AppendTo, FicMode: CRC64Mode, FicValue: "AB"}
	b := UploadBlock{UploadID: "u1", Offset: 512, Size: 512}
	for _, tt := range []struct{ got, want string }{
		{string(AppendUploadInit(nil, q, "u1", 512)), `{"conflictStrategy":"append","ficMode":"crc64","ficValue":"AB","fileName":"a.log","fileSize":1024,"offset":512,"uploadId":"u1"}`},
		{string(AppendUploadInit(nil, UploadInit{FileName: "a", FileSize: -1, Conflict: Overwrite}, "u1", -1)), `{"conflictStrategy":"overwrite","fileName":"a","fileSize":-1,"uploadId":"u1"}`},
		{string(AppendUploadInit(nil, q, "", 0)), `{"fileName":"a.log"}`},
		{string(AppendUploadSend(nil, b, UploadResult{})), `{"bSize":512,"offset":512,"uploadId":"u1"}`},
		{string(AppendUploadSend(nil, b, UploadResult{Complete: true, Client: "AB", Server: FormatCRC64(0xab)})),
			`{"bSize":512,"complete":true,"ficMode":"crc64","ficValueClient":"AB","ficValueServer":"00000000000000ab","offset":512,"uploadId":"u1"}`},
		{string(AppendUploadSend(nil, UploadBlock{Offset: -1, Size: -1}, UploadResult{})), `{"bSize":0,"offset":0,"uploadId":""}`},
		{string(AppendUploadCancel(nil, "u1")), `{"uploadId":"u1"}`},
	} {
		if tt.got != tt.want {
			t.Errorf("\n got %s\nwant %s", tt.got, tt.want)
		}
	}
}

// The check value of CRC-64 by ECMA-182, reflected, is known; the second entry
// of the table is that of the C SDK's upload_crc64.c.
func TestTheCheckOfWholeFiles(t *testing.T) {
	if sum := crc64.Checksum([]byte("123456789"), CRC64); sum != 0x995DC9BBDF1939FA || CRC64[1] != 0xb32e4cbe03a75f6f {
		t.Errorf("%x, %x", sum, CRC64[1])
	}
}

func FuzzUpload(f *testing.F) {
	f.Add(AppendUploadBlock(nil, "1", UploadBlock{UploadID: "u1", Offset: 3, Data: []byte("abc"), Complete: true}))
	f.Add([]byte(`{"id":"1","params":{"fileName":"a.log","fileSize":-1,"conflictStrategy":"overwrite","ficMode":"crc64","ficValue":"00","initUid":"1"}}`))
	f.Add([]byte(`{"id":"1","params":{"uploadId":"u1"}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var d, again Decoder
		b, err := d.UploadSend(doc)
		if data := AppendUploadSend(nil, b, UploadResult{}); !json.Valid(data) {
			t.Errorf("%q is answered %q", doc, data)
		}
		if err == nil {
			if b.Offset < 0 || b.Size != int64(len(b.Data)) || b.Size > MaxFileBlock || b.UploadID == "" {
				t.Errorf("%q: %+v", doc, b)
			}
			second, err := again.UploadSend(AppendUploadBlock(nil, "1", b))
			if err != nil || second.UploadID != b.UploadID || second.Offset != b.Offset || !bytes.Equal(second.Data, b.Data) || second.Complete != b.Complete {
				t.Errorf("%q: %+v became %+v, %v", doc, b, second, err)
			}
		}
		q, err := d.UploadInit(doc)
		if data := AppendUploadInit(nil, q, "", -1); !json.Valid(data) {
			t.Errorf("%q is answered %q", doc, data)
		}
		if err == nil && (!validFileName(q.FileName) || q.FileSize == 0 || q.FileSize < UnknownSize || q.FileSize > MaxUploadBytes || (q.FicMode == "") != (q.FicValue == "")) {
			t.Errorf("%q: %+v", doc, q)
		}
		if id, err := d.UploadCancel(doc); err == nil && id == "" {
			t.Errorf("%q cancels nothing", doc)
		}
	})
}
