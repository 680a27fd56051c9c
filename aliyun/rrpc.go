package aliyun

import "github.com/matou-iot/matou/thing"

// RRPCTopic is where the platform asks a device something that it answers at
// once. id is decimal digits. topic is the custom one to ask on, or that of a
// system function, "" for the usual one; only devices that said so with ext in
// their client id can be asked on another [aliyun-device §4.6].
func RRPCTopic(pk, dn, id, topic string) string {
	if topic == "" {
		return sys(pk, dn, "rrpc/request/"+id)
	}
	return "/ext/rrpc/" + id + topic
}

// TakesRRPC reports whether a device says in its client id that it can be asked
// on custom topics: bit 0 of ext [aliyun-device §2.3].
func (c ClientID) TakesRRPC() bool {
	ext := c.Parameters["ext"]
	return ext != "" && (ext[len(ext)-1]-'0')&1 == 1
}

// BroadcastTopic is where the platform tells something to the subscribers among
// a product's devices [aliyun-device §4.7].
func BroadcastTopic(pk, path string) string { return "/broadcast/" + pk + "/" + path }

// BroadcastRequestTopic is where it tells each device that is online.
func BroadcastRequestTopic(pk, dn, id string) string { return sys(pk, dn, "broadcast/request/"+id) }

// RawUpTopic is where a device sends bytes of its own [aliyun-device §5.9].
func RawUpTopic(pk, dn string) string { return sys(pk, dn, "thing/model/up_raw") }

// RawDownTopic is where it is sent some.
func RawDownTopic(pk, dn string) string { return sys(pk, dn, "thing/model/down_raw") }

// PropertyGetTopic is where a device is asked for properties.
func PropertyGetTopic(pk, dn string) string { return sys(pk, dn, "thing/service/property/get") }

// AppendPropertyGet appends what the platform sends to ask a device for
// properties [aliyun-device §5.4].
func AppendPropertyGet(dst []byte, id string, properties []string) []byte {
	dst = append(dst, `{"method":"thing.service.property.get","id":"`...)
	dst = append(dst, id...)
	dst = append(dst, `","params":[`...)
	for i, p := range properties {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = thing.AppendText(dst, p)
	}
	return append(dst, `],"version":"1.0.0"}`...)
}

// MethodTopic is the topic that a message of a device stands for by its method:
// "thing.event.property.post" is posted there [aliyun-device §5.1]. It is ""
// where no topic has such a method.
func MethodTopic(pk, dn, method string) string {
	if len(method) < len("thing.x") || method[:len("thing.")] != "thing." {
		return ""
	}
	path := []byte(method)
	for i, c := range path {
		switch {
		case c == '.':
			path[i] = '/'
		case c < '!' || c > '~' || c == '/' || c == '+' || c == '#' || c == '?':
			return ""
		}
	}
	return sys(pk, dn, string(path))
}
