package aliyun

import (
	"strconv"

	"github.com/matou-iot/matou/thing"
)

// MaxConfigBytes bounds a remote configuration [aliyun-device §4.10].
const MaxConfigBytes = 64 << 10

// A ConfigFile is where a device finds its remote configuration.
type ConfigFile struct {
	ID     string
	Size   int
	SHA256 string // hex
	URL    string
}

// AppendConfigFile appends the six members that SDKs want [aliyun-device
// §4.10]: the data of the answer to thing/config/get.
func AppendConfigFile(dst []byte, f ConfigFile) []byte {
	dst = append(dst, `{"configId":`...)
	dst = thing.AppendText(dst, f.ID)
	dst = append(dst, `,"configSize":`...)
	dst = strconv.AppendInt(dst, int64(f.Size), 10)
	dst = append(dst, `,"sign":`...)
	dst = thing.AppendText(dst, f.SHA256)
	dst = append(dst, `,"signMethod":"Sha256","url":`...)
	dst = thing.AppendText(dst, f.URL)
	return append(dst, `,"getType":"file"}`...)
}

// AppendConfigPush appends what the platform sends on thing/config/push.
func AppendConfigPush(dst []byte, id string, f ConfigFile) []byte {
	return appendOrder(dst, id, AppendConfigFile(nil, f), "thing.config.push")
}

// appendOrder appends a message of the platform in the order of the
// documentation's samples.
func appendOrder(dst []byte, id string, params []byte, method string) []byte {
	dst = append(append(dst, `{"id":"`...), id...)
	dst = append(append(dst, `","version":"1.0","params":`...), params...)
	dst = append(append(dst, `,"method":"`...), method...)
	return append(dst, `"}`...)
}

// ConfigPushTopic is where a device hears of a new configuration.
func ConfigPushTopic(pk, dn string) string { return sys(pk, dn, "thing/config/push") }
