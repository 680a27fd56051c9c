package aliyun

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc64"
	"strconv"
	"strings"

	"github.com/matou-iot/matou/thing"
)

// The bounds of a file that a device uploads [aliyun-device §4.13].
const (
	MaxUploadBytes = 16 << 20
	MaxUploadName  = 100
)

// An UploadCode is the platform's code of an upload that does not go on, as
// the C SDK 4.x lists them in aiot_mqtt_upload_api.h.
type UploadCode int

// The codes of uploads [aliyun-device §4.13, §5.10].
const (
	UploadBadPayload  UploadCode = 400
	UploadThrottled   UploadCode = 429
	UploadBadParams   UploadCode = 460
	UploadFailed      UploadCode = 500
	UploadQuota       UploadCode = 6760
	UploadTooLarge    UploadCode = 78117 // the file
	UploadBlockLarge  UploadCode = 78118
	UploadOffset      UploadCode = 78119
	UploadBlockSmall  UploadCode = 78120
	UploadBlockCRC    UploadCode = 78121 // the C SDK sends the block again
	UploadUnknown     UploadCode = 78122
	UploadExists      UploadCode = 78123
	UploadFinished    UploadCode = 78124 // the C SDK is content
	UploadWrongDigest UploadCode = 78125
)

var uploadTexts = map[UploadCode]string{
	UploadBadPayload: "request error", UploadThrottled: "too many requests", UploadBadParams: "request parameter error", UploadFailed: "server error",
	UploadQuota: "storage quota exceeded", UploadTooLarge: "file size exceeds the limit", UploadBlockLarge: "block size exceeds the limit",
	UploadOffset: "offset does not match the uploaded size", UploadBlockSmall: "block size is below the limit", UploadBlockCRC: "block crc check failed",
	UploadUnknown: "upload task not exist", UploadExists: "file already exists", UploadFinished: "upload task finished", UploadWrongDigest: "file integrity check failed",
}

// Error is the message that goes with the code.
func (c UploadCode) Error() string { return uploadTexts[c] }

// An UploadFault is what is wrong with a request of an upload: a member, what
// came and what would be right.
type UploadFault struct {
	Code           UploadCode // what the device is told
	Field          string
	Received, Want string
	WantZH         string // Want in Chinese
}

func (f *UploadFault) Error() string {
	return fmt.Sprintf("aliyun: %s: %s is %s, not %s", f.Code.Error(), f.Field, f.Received, f.Want)
}

// Unwrap returns the code.
func (f *UploadFault) Unwrap() error { return f.Code }

// What becomes of a file of the same name.
const (
	Overwrite = "overwrite" // it goes
	AppendTo  = "append"    // one that is not whole yet is gone on with
	Reject    = "reject"    // it stays
)

// InOwnBucket is the OSSOwner of a file that shall go to a bucket of the
// device's owner.
const InOwnBucket = "device-user"

// CRC64Mode is the one way of checking a whole file: CRC-64 by ECMA-182,
// reflected, as hex digits.
const CRC64Mode = "crc64"

// UnknownSize is the size of a file whose end its last block says.
const UnknownSize = -1

// An UploadInit asks to upload a file [aliyun-device §4.13].
type UploadInit struct {
	FileName string
	FileSize int64  // UnknownSize: its last block says so
	Conflict string // Overwrite, AppendTo or Reject
	FicMode  string // CRC64Mode or ""
	FicValue string // as it was written
	InitUID  string // the same in a request that is sent again
	OSSOwner string // InOwnBucket or otherwise
}

type uploadParams struct {
	FileName loosely  `json:"fileName"`
	FileSize *loosely `json:"fileSize"`
	Conflict loosely  `json:"conflictStrategy"`
	FicMode  loosely  `json:"ficMode"`
	FicValue loosely  `json:"ficValue"`
	InitUID  loosely  `json:"initUid"`
	Extra    struct {
		Owner loosely `json:"ossOwnerType"`
	} `json:"extraParams"`
}

// maxInitUID bounds what a device may call a request.
const maxInitUID = 128

// UploadInit reads a request to upload a file. What could be read comes with
// an error, too: the answer names the file.
func (d *Decoder) UploadInit(doc []byte) (q UploadInit, err error) {
	var p uploadParams
	if err := d.paramsInto(doc, &p); err != nil {
		return q, err
	}
	q = UploadInit{
		FileName: string(p.FileName), FileSize: UnknownSize, Conflict: strings.ToLower(string(p.Conflict)),
		FicMode: strings.ToLower(string(p.FicMode)), FicValue: string(p.FicValue), InitUID: string(p.InitUID), OSSOwner: string(p.Extra.Owner),
	}
	if q.Conflict == "" {
		q.Conflict = Overwrite
	}
	size := "nothing"
	if p.FileSize != nil {
		size = string(*p.FileSize)
		q.FileSize, err = strconv.ParseInt(size, 10, 64)
	}
	switch {
	case !validFileName(q.FileName):
		return q, uploadFault("fileName", q.FileName, "1 to 100 letters, digits, _ or . that begin with a letter or digit", "1 到 100 个字母、数字、_ 或 .，以字母或数字开头")
	case p.FileSize == nil || err != nil || q.FileSize == 0 || q.FileSize < UnknownSize:
		return q, uploadFault("fileSize", size, "a number of bytes, or -1", "字节数，或 -1")
	case q.FileSize > MaxUploadBytes:
		return q, &UploadFault{UploadTooLarge, "params.fileSize", size, "at most 16777216", "最多 16777216"}
	case q.Conflict != Overwrite && q.Conflict != AppendTo && q.Conflict != Reject:
		return q, uploadFault("conflictStrategy", q.Conflict, "overwrite, append or reject", "overwrite、append 或 reject")
	case len(q.InitUID) > maxInitUID:
		return q, uploadFault("initUid", q.InitUID, "at most 128 bytes", "最多 128 字节")
	}
	return q, checkFic(&q)
}

// checkFic judges how the whole file is to be checked. A mode without a value
// asks for nothing, as the Python SDK writes it.
func checkFic(q *UploadInit) error {
	if strings.Trim(q.FicValue, "\x00 ") == "" {
		q.FicMode, q.FicValue = "", ""
		return nil
	}
	if q.FicMode != CRC64Mode {
		return uploadFault("ficMode", q.FicMode, CRC64Mode, CRC64Mode)
	}
	if _, ok := ParseCRC64(q.FicValue); !ok {
		return uploadFault("ficValue", q.FicValue, "16 hex digits", "16 位十六进制数字")
	}
	return nil
}

func uploadFault(member, received, want, wantZH string) error {
	const most = 256
	if len(received) > most {
		received = strings.ToValidUTF8(received[:most], "") + "…"
	}
	return &UploadFault{UploadBadParams, "params." + member, received, want, wantZH}
}

func validFileName(s string) bool {
	if s == "" || len(s) > MaxUploadName {
		return false
	}
	for i, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case (c == '_' || c == '.') && i > 0:
		default:
			return false
		}
	}
	return true
}

// CRC64 is the table of the check of whole files: that of the C SDK
// (upload_crc64.c) is the one of ECMA-182.
var CRC64 = crc64.MakeTable(crc64.ECMA)

// ParseCRC64 reads the check of a whole file; letters may be of any case, and
// zeros in front may be missing.
func ParseCRC64(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 16, 64)
	return n, err == nil && len(s) <= 16
}

// FormatCRC64 writes the check of a whole file.
func FormatCRC64(sum uint64) string { return fmt.Sprintf("%016x", sum) }

// An UploadBlock is a part of a file on its way up [aliyun-device §4.13].
type UploadBlock struct {
	UploadID string
	Offset   int64
	Size     int64 // as it was written
	Complete bool  // it is the last one of a file of unknown size
	Data     []byte
}

// UploadSend reads a block: a header of JSON behind its length, the bytes, and
// the CRC-16 of the bytes with its low byte first. What could be read comes
// with an error, too: SDKs take an answer to be theirs by id, offset and size.
func (d *Decoder) UploadSend(frame []byte) (b UploadBlock, err error) {
	d.ID = nil
	if len(frame) < 2 {
		return b, &UploadFault{UploadBadPayload, "payload", strconv.Itoa(len(frame)) + " bytes", "a header behind its length of two bytes", "两字节长度与其后的头部"}
	}
	n := int(binary.BigEndian.Uint16(frame))
	rest := frame[2:]
	if n > len(rest) {
		return b, &UploadFault{UploadBadPayload, "payload", fmt.Sprintf("a header of %d bytes in %d", n, len(rest)), "the length of the header, high byte first", "头部长度，高字节在前"}
	}
	var p struct {
		ID       loosely         `json:"uploadId"`
		Offset   loosely         `json:"offset"`
		Size     loosely         `json:"bSize"`
		Complete json.RawMessage `json:"isComplete"`
	}
	if err := d.paramsInto(rest[:n], &p); err != nil {
		return b, err
	}
	b = UploadBlock{UploadID: string(p.ID), Offset: p.Offset.number(), Size: p.Size.number(), Complete: truth(p.Complete)}
	switch rest = rest[n:]; {
	case b.UploadID == "" || len(b.UploadID) > maxInitUID:
		return b, uploadFault("uploadId", b.UploadID, "that of the answer to init", "init 应答中的 uploadId")
	case b.Offset < 0:
		return b, uploadFault("offset", string(p.Offset), "where the block begins in the file", "分片在文件中的起始位置")
	case b.Size < 0:
		return b, uploadFault("bSize", string(p.Size), "how many bytes the block has", "分片的字节数")
	case b.Size > MaxFileBlock:
		return b, &UploadFault{UploadBlockLarge, "params.bSize", string(p.Size), "at most 131072", "最多 131072"}
	case int64(len(rest)) != b.Size+2:
		return b, &UploadFault{UploadBadParams, "params.bSize", string(p.Size), fmt.Sprintf("%d, the bytes between the header and the two of the CRC", len(rest)-2), fmt.Sprintf("%d，即头部与末尾两字节 CRC 之间的字节数", len(rest)-2)}
	}
	b.Data = rest[:b.Size]
	if is, said := CRC16(b.Data), binary.LittleEndian.Uint16(rest[b.Size:]); is != said {
		return b, &UploadFault{UploadBlockCRC, "payload", fmt.Sprintf("a CRC of %04X", said), fmt.Sprintf("%04X, the low byte first", is), fmt.Sprintf("%04X，低字节在前", is)}
	}
	return b, nil
}

// truth reads true, "true", 1 and "1".
func truth(raw []byte) bool {
	switch strings.Trim(string(raw), `"`) {
	case "true", "1":
		return true
	}
	return false
}

// UploadCancel reads which upload shall end.
func (d *Decoder) UploadCancel(doc []byte) (id string, err error) {
	var p struct {
		ID loosely `json:"uploadId"`
	}
	if err := d.paramsInto(doc, &p); err != nil {
		return "", err
	}
	if id = string(p.ID); id == "" || len(id) > maxInitUID {
		err = uploadFault("uploadId", id, "that of the answer to init", "init 应答中的 uploadId")
	}
	return id, err
}

// IsUploadError reports whether err is what a device is told with a code of
// its own.
func IsUploadError(err error) (UploadCode, bool) { return errors.AsType[UploadCode](err) }

// AppendUploadInit appends the data of the answer to init. Without an id the
// upload was refused: the C SDK wants the name of the file all the same. An
// offset below 0 is left out: nothing is there to be gone on with.
func AppendUploadInit(dst []byte, q UploadInit, id string, offset int64) []byte {
	dst = append(dst, '{')
	if id != "" {
		dst = append(appendText(dst, "conflictStrategy", q.Conflict), ',')
		if q.FicMode != "" {
			dst = append(appendText(append(appendText(dst, "ficMode", q.FicMode), ','), "ficValue", q.FicValue), ',')
		}
	}
	dst = appendText(dst, "fileName", q.FileName)
	if id != "" {
		dst = appendNumber(dst, "fileSize", q.FileSize)
		if offset >= 0 {
			dst = appendNumber(dst, "offset", offset)
		}
		dst = appendMember(dst, "uploadId", id)
	}
	return append(dst, '}')
}

// An UploadResult is how far a file is after a block.
type UploadResult struct {
	Complete bool
	Client   string // the check that the device said; "" for none
	Server   string // the check as it is
}

// AppendUploadSend appends the data of the answer to a block. Offset and size
// are those of the block: by them the C SDK takes the answer to be its own.
func AppendUploadSend(dst []byte, b UploadBlock, r UploadResult) []byte {
	dst = appendNumber(append(dst, '{'), "bSize", max(b.Size, 0))
	if r.Complete {
		dst = append(dst, `,"complete":true`...)
	}
	if r.Client != "" {
		dst = appendMember(dst, "ficMode", CRC64Mode)
		dst = appendMember(dst, "ficValueClient", r.Client)
		dst = appendMember(dst, "ficValueServer", r.Server)
	}
	dst = appendNumber(dst, "offset", max(b.Offset, 0))
	return append(appendMember(dst, "uploadId", b.UploadID), '}')
}

// AppendUploadCancel appends the data of the answer to a cancellation.
func AppendUploadCancel(dst []byte, id string) []byte {
	return append(appendText(append(dst, '{'), "uploadId", id), '}')
}

// appendText appends a member that is the first.
func appendText(dst []byte, name, value string) []byte {
	dst = append(append(append(dst, '"'), name...), `":`...)
	return thing.AppendText(dst, value)
}

func appendNumber(dst []byte, name string, n int64) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(append(append(dst, '"'), name...), `":`...)
	return strconv.AppendInt(dst, n, 10)
}

// AppendUploadBlock appends a block as a device sends it.
func AppendUploadBlock(dst []byte, id string, b UploadBlock) []byte {
	head := append(appendText([]byte{'{'}, "id", id), `,"params":{`...)
	head = appendText(head, "uploadId", b.UploadID)
	head = appendNumber(head, "offset", b.Offset)
	head = appendNumber(head, "bSize", int64(len(b.Data)))
	head = append(strconv.AppendBool(append(head, `,"isComplete":`...), b.Complete), "}}"...)
	dst = append(appendFrame(dst, head), b.Data...)
	return binary.LittleEndian.AppendUint16(dst, CRC16(b.Data))
}
