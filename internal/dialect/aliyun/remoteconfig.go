package aliyun

import (
	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
)

// configGet reads a request for the remote configuration [aliyun-device
// §4.10]. There is one scope and one type; what the device names is not asked.
func configGet(r *reading) dialect.Request {
	if _, ok := r.alink(); !ok {
		return nil
	}
	return &dialect.ConfigGet{}
}

func configGot(r *dialect.ConfigGet, f dialect.ConfigFile, err error) []dialect.Downlink {
	return tell(r.Asked(), vendor.AppendConfigFile(nil, vendor.ConfigFile(f)), err)
}

// configTaken reads the answer to a configuration that was pushed.
func configTaken(r *reading) dialect.Request {
	r.reply("")
	if r.up.Fault != nil {
		return nil
	}
	return &dialect.ConfigTaken{Reply: r.up.Reply}
}

// TellConfig says that there is another configuration.
func (Dialect) TellConfig(c dialect.Claim, id string, f dialect.ConfigFile) []dialect.Downlink {
	return []dialect.Downlink{{
		Topic: vendor.ConfigPushTopic(c.Product, c.Device), Payload: vendor.AppendConfigPush(nil, id, vendor.ConfigFile(f)),
	}}
}
