package aliyun

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestFileRequestsAreRead(t *testing.T) {
	var d Decoder
	for _, tt := range []struct {
		name, in string
		want     FileRequest
		err      error
	}{
		{"of the documentation", `{"id":"123","version":"1.0","params":{"fileToken":"1bb8","fileInfo":{"streamId":1397345,"fileId":1},"fileBlock":{"size":256,"offset":512}}}`,
			FileRequest{"1bb8", 1397345, 1, 256, 512}, nil},
		{"numbers as texts", `{"id":"123","params":{"fileInfo":{"streamId":"7","fileId":"1"},"fileBlock":{"size":"256","offset":"0"}}}`, FileRequest{"", 7, 1, 256, 0}, nil},
		{"no file", `{"id":"1","params":{"fileBlock":{"size":256,"offset":0}}}`, FileRequest{}, ErrNoFileInfo},
		{"a file of words", `{"id":"1","params":{"fileInfo":{"streamId":"x","fileId":1},"fileBlock":{"size":256,"offset":0}}}`, FileRequest{}, ErrNoFileInfo},
		{"no block", `{"id":"1","params":{"fileInfo":{"streamId":1,"fileId":1}}}`, FileRequest{}, ErrNoFileBlock},
		{"an offset below zero", `{"id":"1","params":{"fileInfo":{"streamId":1,"fileId":1},"fileBlock":{"size":256,"offset":-1}}}`, FileRequest{}, ErrNoFileBlock},
		{"an offset beyond all numbers", `{"id":"1","params":{"fileInfo":{"streamId":1,"fileId":1},"fileBlock":{"size":256,"offset":99999999999999999999}}}`, FileRequest{}, ErrNoFileBlock},
	} {
		got, err := d.FileDownload([]byte(tt.in))
		if !errors.Is(err, tt.err) || err == nil && got != tt.want {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
}

func TestFileBlockBytes(t *testing.T) {
	head := `{"id":"123","code":200,"data":{"bSize":9,"bOffset":256,"fileLength":432945,"fileToken":"1bb8"}}`
	want := string([]byte{0, byte(len(head))}) + head + "123456789" + "\x3D\xBB" // the check value of CRC-16/ARC is BB3D
	if got := string(AppendFileBlock(nil, "123", []byte("123456789"), 256, 432945, "1bb8")); got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	if got, want := string(AppendFileBlock([]byte("x"), "", nil, 0, 0, "")), "x\x00\x43"+`{"id":"0","code":200,"data":{"bSize":0,"bOffset":0,"fileLength":0}}`+"\x00\x00"; got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	if got, want := string(AppendFileError(nil, "123", 460, "request parameter error")), "\x00\x3b"+`{"id":"123","code":460,"message":"request parameter error"}`; got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	if got, want := string(AppendFileError(nil, strings.Repeat("1", 1<<16), 500, "")), "\x00\x15"+`{"id":"0","code":460}`; got != want {
		t.Errorf("an id longer than a header can be: %q", got)
	}
}

func FuzzFileDownload(f *testing.F) {
	f.Add([]byte(`{"id":"123","version":"1.0","params":{"fileToken":"1bb8","fileInfo":{"streamId":1397345,"fileId":1},"fileBlock":{"size":256,"offset":512}}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var d Decoder
		q, err := d.FileDownload(doc)
		if err == nil && (q.StreamID < 0 || q.FileID < 0 || q.Size < 0 || q.Offset < 0) {
			t.Errorf("%q: %+v", doc, q)
		}
		// The answer to any id is a frame that can be read.
		frame := AppendFileBlock(nil, string(d.ID), doc, 1, 2, q.Token)
		n := int(binary.BigEndian.Uint16(frame))
		if len(frame) < n+2 || !json.Valid(frame[2:2+n]) {
			t.Errorf("id %q makes the frame %q", d.ID, frame)
		}
	})
}
