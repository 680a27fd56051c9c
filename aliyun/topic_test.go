package aliyun

import (
	"fmt"
	"testing"
)

func TestParseTopic(t *testing.T) {
	for topic, want := range map[string]string{
		"/sys/pk/dn/thing/event/property/post":                       "5 pk dn  ",
		"/sys/pk/dn/thing/event/property/post?_rid=1700000000000123": "5 pk dn  _rid=1700000000000123",
		"/sys/pk/dn/thing/event/SensorFault/post":                    "6 pk dn SensorFault ",
		"/sys/pk/dn/thing/event/blk:Fault/post":                      "6 pk dn blk:Fault ",
		"/sys/pk/dn/thing/service/property/set":                      "7 pk dn  ",
		"/sys/pk/dn/thing/service/property/set_reply":                "8 pk dn  ",
		"/sys/pk/dn/thing/service/Blink":                             "9 pk dn Blink ",
		"/sys/pk/dn/thing/service/Blink_reply":                       "10 pk dn Blink ",
		"/sys/pk/dn/thing/event/property/history/post":               "12 pk dn  ",
		"/sys/pk/dn/thing/config/push_reply":                         "11 pk dn  ",
		"/ext/ntp/pk/dn/request":                                     "12 pk dn  ",
		"/ota/device/inform/pk/dn":                                   "12 pk dn  ",
		"/shadow/update/pk/dn":                                       "12 pk dn  ",
		"/pk/dn/user/update":                                         "3 pk dn  ",
		"/pk/dn/get":                                                 "3 pk dn  ",
		"/broadcast/pk/all":                                          "4 pk   ",
		"/sys/post":                                                  "0    ",
		"sys/pk/dn/thing":                                            "0    ",
		"":                                                           "0    ",
		"/":                                                          "0    ",
	} {
		got := ParseTopic([]byte(topic))
		kind := got.Kind
		shift := 2 // the expectations above count kinds from Custom = 3
		if kind == NotOurs {
			shift = 0
		}
		if s := fmt.Sprintf("%d %s %s %s %s", int(kind)+shift, got.ProductKey, got.DeviceName, got.Name, got.Query); s != want {
			t.Errorf("%s: %q, want %q", topic, s, want)
		}
	}
}

func TestParseTopicDoesNotAllocate(t *testing.T) {
	topic := []byte("/sys/a1NightLamp/lamp01/thing/event/property/post")
	if n := testing.AllocsPerRun(100, func() { ParseTopic(topic) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestMayUse(t *testing.T) {
	for filter, want := range map[string]bool{
		"/sys/pk/dn/thing/service/property/set": true,
		"/sys/pk/dn/thing/event/+/post_reply":   true,
		"/sys/pk/dn/thing/#":                    true,
		"sys/pk/dn/thing/service/property/set":  true, // no leading slash [aliyun-device §9 row 14]
		"/sys/+/+/thing/#":                      false,
		"/sys/#":                                false,
		"/sys/pk/other/thing/#":                 false,
		"/pk/dn/user/get":                       true,
		"/pk/dn/#":                              true,
		"/pk/other/user/get":                    false,
		"/broadcast/pk/news":                    true,
		"/broadcast/other/news":                 false,
		"/ext/ntp/pk/dn/response":               true,
		"/ext/rrpc/+/pk/dn/user/get":            true,
		"/ext/rrpc/#":                           true,
		"/ext/session/pk/dn/combine/+":          true,
		"/ext/ntp/pk/other/response":            false,
		"/ext/register":                         true,
		"/ext/regnwl":                           true,
		"/ext/register/x":                       false,
		"/ota/device/upgrade/pk/dn":             true,
		"/ota/device/upgrade/pk/other":          false,
		"/shadow/get/pk/dn":                     true,
		"#":                                     false,
		"+/+/+":                                 false,
	} {
		if got := MayUse(filter, "pk", "dn"); got != want {
			t.Errorf("%s: %v", filter, got)
		}
	}
}

func FuzzParseTopic(f *testing.F) {
	f.Add("/sys/pk/dn/thing/event/property/post?x")
	f.Add("/ext/rrpc/1/sys/pk/dn/x")
	f.Fuzz(func(t *testing.T, topic string) {
		got := ParseTopic([]byte(topic))
		if got.Kind == PropertyPost && (len(got.ProductKey) == 0 || len(got.DeviceName) == 0) {
			t.Errorf("%q belongs to nobody", topic)
		}
		MayUse(topic, "pk", "dn")
		Nearest(topic, "pk", "dn")
	})
}
