package aliyun

import (
	"errors"
	"strconv"
	"strings"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
)

// upgradeInform reads which version a device runs; nothing answers it
// [aliyun-device §4.11].
func upgradeInform(r *reading) dialect.Request {
	said, err := r.decoder.OTAInform(r.payload)
	if r.remember(); err != nil {
		r.up.Fault = badUpgrade(err)
		return nil
	}
	return &dialect.VersionReport{Module: said.Module, Version: said.Version}
}

// upgradeProgress reads how an update goes; nothing answers it.
func upgradeProgress(r *reading) dialect.Request {
	said, err := r.decoder.OTAProgress(r.payload)
	if r.remember(); err != nil {
		r.up.Fault = badUpgrade(err)
		return nil
	}
	p := &dialect.UpgradeProgress{Module: said.Module, Percent: max(said.Step, 0), Desc: said.Desc, DescZH: said.Desc}
	if said.Step < 0 {
		p.Code = strconv.Itoa(said.Step)
		p.Desc, p.DescZH = vendor.OTAFailure(said.Step)
		if said.Desc != "" { // what the device adds to the meaning of its step
			p.Desc, p.DescZH = p.Desc+": "+said.Desc, p.DescZH+"："+said.Desc
		}
	}
	return p
}

const firmwareGetMethod = "thing.ota.firmware.get"

// upgradeGet reads a request for an update.
func upgradeGet(r *reading) dialect.Request {
	said, err := r.decoder.OTARequest(r.payload)
	if r.remember(); err != nil {
		r.up.Fault = badUpgrade(err)
		r.answer(460, nil, "request parameter error", firmwareGetMethod)
		return nil
	}
	return &dialect.UpgradeQuery{Ask: dialect.Ask{NoAnswer: r.decoder.NoAck}, Module: said.Module, Version: said.Version}
}

// upgradeRequest reads the older form, which is answered on its own topic.
func upgradeRequest(r *reading) dialect.Request {
	said, err := r.decoder.OTARequest(r.payload)
	if r.remember(); err != nil {
		r.up.Fault = badUpgrade(err)
		r.up.Answers = append(r.up.Answers, dialect.Downlink{Topic: string(r.topic), Payload: vendor.AppendOTANone(nil)})
		return nil
	}
	return &dialect.UpgradeQuery{Module: said.Module, Version: said.Version}
}

func upgradeGetAnswer(q *dialect.UpgradeQuery, u *dialect.Upgrade, err error) []dialect.Downlink {
	if strings.HasPrefix(q.Topic, "/ota/") {
		payload := vendor.AppendOTANone(nil)
		if u != nil && err == nil {
			payload = vendor.AppendOTAUpgrade(nil, q.ID, update(u))
		}
		return []dialect.Downlink{{Topic: q.Topic, Payload: payload}}
	}
	code, message := 200, "success"
	var data *vendor.OTAUpgrade
	switch {
	case err != nil:
		code, message = 500, "server error"
	case u != nil:
		data = update(u)
	}
	return []dialect.Downlink{{
		Topic: q.Topic + "_reply", Payload: vendor.AppendReply(nil, code, vendor.AppendOTAData(nil, data), []byte(q.ID), message, firmwareGetMethod),
	}}
}

// Upgrade says an update [aliyun-device §4.11].
func (Dialect) Upgrade(c dialect.Claim, u *dialect.Upgrade) []dialect.Downlink {
	return []dialect.Downlink{{
		Topic: vendor.OTAUpgradeTopic(c.Product, c.Device), Payload: vendor.AppendOTAUpgrade(nil, strconv.FormatInt(u.Task, 10), update(u)),
	}}
}

// update is u in the vendor's words. The MD5 is there with either method: the
// older C SDK demands it.
func update(u *dialect.Upgrade) *vendor.OTAUpgrade {
	out := &vendor.OTAUpgrade{Version: u.Version, Diff: u.Diff, SignMethod: vendor.SignMD5, Module: u.Module, Extra: u.Extra}
	if u.Method == dialect.SHA256 {
		out.SignMethod = vendor.SignSHA256
	}
	if u.OverMQTT {
		out.StreamID = u.Task
	}
	for _, f := range u.Files {
		sign := f.MD5
		if u.Method == dialect.SHA256 {
			sign = f.SHA256
		}
		out.Files = append(out.Files, vendor.OTAFile{Name: f.Name, Size: f.Size, URL: f.URL, MD5: f.MD5, Sign: sign})
	}
	return out
}

// fileDownload reads a request for a block of a file [aliyun-device §4.12].
func fileDownload(r *reading) dialect.Request {
	q, err := r.decoder.FileDownload(r.payload)
	r.remember()
	if err == nil && (q.Size == 0 || q.Size > vendor.MaxFileBlock) { // smaller than the least may be the last
		err = errBlockSize
	}
	if err != nil {
		r.up.Fault = badFileRead(err)
		r.up.Answers = append(r.up.Answers, dialect.Downlink{
			Topic: string(r.topic) + "_reply", Payload: vendor.AppendFileError(nil, r.up.ID, 460, "request parameter error"),
		})
		return nil
	}
	return &dialect.FileRead{Stream: q.StreamID, File: q.FileID, Token: q.Token, Offset: q.Offset, Size: q.Size}
}

var errBlockSize = errors.New("the block's size is not from 1 to 131072 bytes")

var fileReadTexts = map[error]string{
	vendor.ErrNoFileInfo:  "params 中没有带 streamId 与 fileId 的 fileInfo",
	vendor.ErrNoFileBlock: "params 中没有带 size 与 offset 的 fileBlock",
	errBlockSize:          "分片大小不在 1 到 131072 字节之内",
}

func fileDownloadAnswer(q *dialect.FileRead, b dialect.Block, err error) []dialect.Downlink {
	d := dialect.Downlink{Topic: q.Topic + "_reply"}
	switch fault.KindOf(err) {
	case "":
		d.Payload = vendor.AppendFileBlock(nil, q.ID, b.Data, b.Offset, b.Length, b.Token)
	case fault.KindNotFound:
		d.Payload = vendor.AppendFileError(nil, q.ID, 404, "file not found")
	case fault.KindInvalid, fault.KindConflict:
		d.Payload = vendor.AppendFileError(nil, q.ID, 460, "request parameter error")
	case fault.KindExhausted:
		d.Payload = vendor.AppendFileError(nil, q.ID, 429, "too many requests")
	default:
		d.Payload = vendor.AppendFileError(nil, q.ID, 500, "server error")
	}
	return []dialect.Downlink{d}
}

// badUpgrade says what is wrong with what a device said about an update.
func badUpgrade(err error) *dialect.Diagnosis {
	d := &dialect.Diagnosis{Received: err.Error()}
	switch {
	case errors.Is(err, vendor.ErrNoVersion):
		d.Code, d.Field, d.Expected = "aliyun-ota-version", "params.version", "1 to 64 letters, digits, . - or _"
		d.Sentence, d.SentenceZH = "the message does not say which version runs", "消息中没有有效的版本号"
		d.Advice, d.AdviceZH = `report {"id":"1","params":{"version":"1.0.0"}}`, `请上报 {"id":"1","params":{"version":"1.0.0"}}`
	case errors.Is(err, vendor.ErrLongModule):
		d.Code, d.Field, d.Expected = "aliyun-ota-module", "params.module", "1 to 64 letters, digits, . - or _"
		d.Sentence, d.SentenceZH = "the name of the module is longer than 64 characters", "模块名超过 64 个字符"
		d.Advice, d.AdviceZH = "leave it out for the main firmware", "主固件可不填写模块名"
	case errors.Is(err, vendor.ErrNoStep):
		d.Code, d.Field, d.Expected = "aliyun-ota-step", "params.step", `"1" to "100", or "-1" to "-4"`
		d.Sentence, d.SentenceZH = "the message does not say how far the update is", "消息中没有有效的升级进度"
		d.Advice, d.AdviceZH = `report {"id":"1","params":{"step":"50","desc":""}}`, `请上报 {"id":"1","params":{"step":"50","desc":""}}`
	default:
		return badMessage(err)
	}
	return d
}

// badFileRead says what is wrong with a request for a block.
func badFileRead(err error) *dialect.Diagnosis {
	if !errors.Is(err, vendor.ErrNoFileInfo) && !errors.Is(err, vendor.ErrNoFileBlock) && !errors.Is(err, errBlockSize) {
		return badMessage(err)
	}
	return &dialect.Diagnosis{
		Code: "aliyun-file-request", Field: "params", Received: dialect.Cause(err),
		Expected: `{"fileInfo":{"streamId":…,"fileId":1},"fileBlock":{"size":256…131072,"offset":…}}`,
		Sentence: "the request does not name a block of a file: " + dialect.Cause(err), SentenceZH: "请求没有指明有效的文件分片：" + dialect.CauseZH(err, fileReadTexts),
		Advice: "take streamId and streamFileId from the notice of the update", AdviceZH: "streamId 与 streamFileId 请取自升级通知",
	}
}
