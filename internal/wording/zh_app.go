package wording

var zhApp = map[string]string{
	"the disk of %s has %d MiB free, less than the reserve of %d MiB (disk.reserve): make room": "%s 所在磁盘剩余 %d MiB，低于预留的 %d MiB（disk.reserve），请清理空间",
}
