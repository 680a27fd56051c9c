package wording

var zhFileUpload = map[string]string{
	"go on with an upload: %w":      "继续上传失败：%v",
	"begin an upload: %w":           "开始上传失败：%v",
	"keep a block of an upload: %w": "保存上传的分片失败：%v",
	"put an upload together: %w":    "合并上传的分片失败：%v",
	"say that a file arrived: %w":   "通知文件已到达失败：%v",
	"product %q has no device %q":   "产品 %q 下没有设备 %q",
	"device %s has no file %q":      "设备 %s 没有文件 %q",
}
