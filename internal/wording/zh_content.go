package wording

var zhContent = map[string]string{
	"file %s is empty": "文件 %s 是空的",
	"what came of %s has the MD5 %s, not %s: it was changed on the way, or the digest is of another file":    "收到的 %s 的 MD5 为 %s，而不是 %s：文件在传输中被改动，或摘要属于另一个文件",
	"what came of %s has the SHA256 %s, not %s: it was changed on the way, or the digest is of another file": "收到的 %s 的 SHA256 为 %s，而不是 %s：文件在传输中被改动，或摘要属于另一个文件",
	"the file was cut short: %d of %d bytes came; send it again":                                             "文件不完整：收到 %d 字节，应为 %d 字节，请重新上传",
	"the file was cut short after %d bytes; send it again":                                                   "文件在 %d 字节后中断，请重新上传",
	"the upload broke off after %d bytes; send it again: %w":                                                 "上传在 %d 字节后中断，请重新上传：%v",

	"the file was deleted": "文件已被删除",
}
