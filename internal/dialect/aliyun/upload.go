package aliyun

import (
	"errors"
	"slices"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
)

// uploadInit reads a request to upload a file [aliyun-device §4.13].
func uploadInit(r *reading) dialect.Request {
	q, err := r.decoder.UploadInit(r.payload)
	if !r.uploadReady(err, vendor.AppendUploadInit(nil, q, "", 0)) {
		return nil
	}
	if q.OSSOwner == vendor.InOwnBucket {
		r.up.Notes = append(r.up.Notes, dialect.Note{
			Code:       "aliyun-upload-bucket",
			Sentence:   "the file is kept here: there is no bucket of the device's owner",
			SentenceZH: "文件保存在本平台：没有设备所属用户的 OSS 存储空间",
		})
	}
	return &dialect.FileBegin{
		Name: q.FileName, Size: q.FileSize, Conflict: dialect.Conflict(slices.Index(strategies, q.Conflict)), Check: q.FicValue, Key: q.InitUID,
	}
}

// strategies are the vendor's words for a Conflict.
var strategies = []string{dialect.Replace: vendor.Overwrite, dialect.Continue: vendor.AppendTo, dialect.Refuse: vendor.Reject}

// uploadSend reads a block.
func uploadSend(r *reading) dialect.Request {
	b, err := r.decoder.UploadSend(r.payload)
	if !r.uploadReady(err, vendor.AppendUploadSend(nil, b, vendor.UploadResult{})) {
		return nil
	}
	return &dialect.FileWrite{Upload: b.UploadID, Offset: b.Offset, Data: b.Data, Last: b.Complete}
}

// uploadCancel reads which upload shall end.
func uploadCancel(r *reading) dialect.Request {
	id, err := r.decoder.UploadCancel(r.payload)
	if !r.uploadReady(err, vendor.AppendUploadCancel(nil, id)) {
		return nil
	}
	return &dialect.FileCancel{Upload: id}
}

// uploadReady takes note of a request of an upload. One that is wrong is
// answered with a code of uploads, and with data as other answers have it.
func (r *reading) uploadReady(err error, data []byte) bool {
	r.remember()
	r.noAnswer = r.decoder.NoAck
	if err == nil {
		return true
	}
	code, known := vendor.IsUploadError(err)
	why := badUpload(err)
	if !known {
		code, why = vendor.UploadBadParams, badMessage(err)
		if !errors.Is(err, vendor.ErrNoParams) {
			code = vendor.UploadBadPayload
		}
	}
	r.up.Fault = why
	if !r.noAnswer {
		r.answer(int(code), data, code.Error(), method(string(r.topic)))
	}
	return false
}

func badUpload(err error) *dialect.Diagnosis {
	f, ok := errors.AsType[*vendor.UploadFault](err)
	if !ok {
		return nil
	}
	d := &dialect.Diagnosis{
		Code: "aliyun-upload-request", Field: f.Field, Received: f.Received, Expected: f.Want,
		Sentence: "the request of an upload is refused: " + f.Field + " is not right", SentenceZH: "文件上传请求被拒绝：" + f.Field + " 不正确",
		Advice: "send " + f.Want, AdviceZH: "应为：" + f.WantZH,
	}
	switch f.Code {
	case vendor.UploadBlockCRC:
		d.Code = "aliyun-upload-crc"
		d.Sentence, d.SentenceZH = "the CRC-16 at the end of the block is not that of its bytes", "分片末尾的 CRC-16 与分片内容不符"
		d.Advice, d.AdviceZH = "make CRC-16/ARC of the bytes alone, without the header, and send the low byte first", "仅对分片字节计算 CRC-16/ARC（不含头部），低字节在前发送"
	case vendor.UploadTooLarge, vendor.UploadBlockLarge:
		d.Code = "aliyun-upload-size"
		d.Sentence, d.SentenceZH = f.Field+" is above the limit of the platform", f.Field+" 超过平台上限"
		d.Advice, d.AdviceZH = "a file has at most 16 MB, a block 256 to 131072 bytes", "单个文件不超过 16 MB，分片为 256 到 131072 字节"
	}
	return d
}

// uploadCodes are what the platform says of errors.
var uploadCodes = map[error]vendor.UploadCode{
	dialect.ErrFileExists: vendor.UploadExists, dialect.ErrFileLarge: vendor.UploadTooLarge, dialect.ErrFileEmpty: vendor.UploadBadParams,
	dialect.ErrFileQuota: vendor.UploadQuota, dialect.ErrFileBusy: vendor.UploadThrottled, dialect.ErrFileUnknown: vendor.UploadUnknown,
	dialect.ErrFileFinished: vendor.UploadFinished, dialect.ErrFileOffset: vendor.UploadOffset, dialect.ErrFileBlock: vendor.UploadBlockSmall,
	dialect.ErrFileBeyond: vendor.UploadBadParams, dialect.ErrFileCheck: vendor.UploadWrongDigest,
}

// uploadSays answers with data, and with the code of the error.
func uploadSays(a *dialect.Ask, data []byte, err error) []dialect.Downlink {
	if err == nil {
		return reply(a, codeDone, data, textDone)
	}
	if fault.KindOf(err) == fault.KindNotFound {
		return reply(a, codeNoDevice, data, "device not found")
	}
	code := vendor.UploadFailed
	for cause, c := range uploadCodes {
		if errors.Is(err, cause) {
			code = c
		}
	}
	return reply(a, int(code), data, code.Error())
}

func uploadBegun(r *dialect.FileBegin, got dialect.Receiving, err error) []dialect.Downlink {
	q := vendor.UploadInit{FileName: r.Name, FileSize: r.Size, Conflict: strategies[r.Conflict], FicValue: r.Check}
	if r.Check != "" {
		q.FicMode = vendor.CRC64Mode
	}
	if err != nil {
		got.ID = ""
	}
	offset := int64(-1)
	if got.Resumed {
		offset = got.Offset
	}
	return uploadSays(r.Asked(), vendor.AppendUploadInit(nil, q, got.ID, offset), err)
}

func uploadSent(r *dialect.FileWrite, got dialect.Received, err error) []dialect.Downlink {
	b := vendor.UploadBlock{UploadID: r.Upload, Offset: r.Offset, Size: int64(len(r.Data))}
	result := vendor.UploadResult{Complete: got.Whole && err == nil, Client: got.Wanted}
	if got.Wanted != "" {
		result.Server = vendor.FormatCRC64(got.Got)
	}
	return uploadSays(r.Asked(), vendor.AppendUploadSend(nil, b, result), err)
}

func uploadCancelled(r *dialect.FileCancel, _ dialect.Done, err error) []dialect.Downlink {
	return uploadSays(r.Asked(), vendor.AppendUploadCancel(nil, r.Upload), err)
}
