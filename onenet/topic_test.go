package onenet

import (
	"strings"
	"testing"
)

func TestParseTopic(t *testing.T) {
	for _, tt := range []struct {
		topic string
		kind  Kind
		name  string
		up    bool
	}{
		{"$sys/VRqhDHF2wL/my_tv/thing/property/post", PropertyPost, "", true},
		{"$sys/VRqhDHF2wL/my_tv/thing/property/post/reply", PropertyPostReply, "", false},
		{"$sys/VRqhDHF2wL/my_tv/thing/property/set", PropertySet, "", false},
		{"$sys/VRqhDHF2wL/my_tv/thing/property/set_reply", PropertySetReply, "", true},
		{"$sys/VRqhDHF2wL/my_tv/thing/property/get", PropertyGet, "", false},
		{"$sys/VRqhDHF2wL/my_tv/thing/property/get_reply", PropertyGetReply, "", true},
		{"$sys/VRqhDHF2wL/my_tv/thing/event/post", EventPost, "", true},
		{"$sys/VRqhDHF2wL/my_tv/thing/event/post/reply", EventPostReply, "", false},
		{"$sys/VRqhDHF2wL/my_tv/thing/service/turn/invoke", ServiceInvoke, "turn", false},
		{"$sys/VRqhDHF2wL/my_tv/thing/service/$SyncGetFile/invoke_reply", ServiceInvokeReply, "$SyncGetFile", true},
		{"$sys/VRqhDHF2wL/my_tv/thing/property/desired/get", Desired, "", true},
		{"$sys/VRqhDHF2wL/my_tv/thing/pack/post", Pack, "", true},
		{"$sys/VRqhDHF2wL/my_tv/thing/history/post", Pack, "", true},
		{"$sys/VRqhDHF2wL/my_tv/thing/sub/topo/add", SubDevice, "", true},
		{"$sys/VRqhDHF2wL/my_tv/ota/inform_reply", OTA, "", true},
		{"$sys/VRqhDHF2wL/my_tv/custome/up", Raw, "", true},
		{"$sys/238322/d1/dp/post/json", DataPoint, "", true},
		{"$sys/238322/d1/cmd/response/7", Command, "", true},
		{"$sys/238322/d1/image/update", Image, "", true},
		{"$sys/VRqhDHF2wL/my_tv/thing/service/turn/call", Unknown, "", false},
		{"$sys/VRqhDHF2wL/my_tv/thing/service//invoke", Unknown, "", false},
		{"$sys/VRqhDHF2wL/my_tv/thing/service/a/b/invoke", Unknown, "", false},
		{"$sys/VRqhDHF2wL/my_tv/thing/property/set/reply", Unknown, "", false},
		{"$sys/VRqhDHF2wL/my_tv/", Unknown, "", false},
		{"$sys/VRqhDHF2wL/my_tv", NotOurs, "", false},
		{"$sys//my_tv/thing/property/post", NotOurs, "", false},
		{"$sys/VRqhDHF2wL//thing/property/post", NotOurs, "", false},
		{"/sys/VRqhDHF2wL/my_tv/thing/property/post", NotOurs, "", false},
		{"$SYS/VRqhDHF2wL/my_tv/thing/property/post", NotOurs, "", false},
		{"$sys", NotOurs, "", false},
		{"", NotOurs, "", false},
	} {
		t.Run(tt.topic, func(t *testing.T) {
			got := ParseTopic([]byte(tt.topic))
			if got.Kind != tt.kind || string(got.Name) != tt.name || got.Kind.Up() != tt.up {
				t.Errorf("kind %d, name %q, up %v; want %d, %q, %v", got.Kind, got.Name, got.Kind.Up(), tt.kind, tt.name, tt.up)
			}
			if n := ParseTopicName(tt.topic); n.Kind != got.Kind || n.Name != string(got.Name) || n.Device != string(got.Device) || n.ProductID != string(got.ProductID) || n.Path != string(got.Path) {
				t.Errorf("as a string it is %+v", n)
			}
			if got.Kind == NotOurs {
				return
			}
			if back := sysPrefix + string(got.ProductID) + "/" + string(got.Device) + "/" + string(got.Path); back != tt.topic {
				t.Errorf("the parts make %q", back)
			}
		})
	}
}

func TestParseTopicAllocatesNothing(t *testing.T) {
	posts := []byte("$sys/VRqhDHF2wL/my_tv/thing/property/post")
	invoke := []byte("$sys/VRqhDHF2wL/my_tv/thing/service/turn/invoke_reply")
	other := "$sys/VRqhDHF2wL/my_tv/image/update"
	n := testing.AllocsPerRun(100, func() {
		if ParseTopic(posts).Kind != PropertyPost || ParseTopic(invoke).Kind != ServiceInvokeReply || ParseTopicName(other).Kind != Image {
			t.Fatal("wrong kind")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTopics(t *testing.T) {
	for got, want := range map[string]string{
		PropertyPostTopic("p", "d"):    "$sys/p/d/thing/property/post",
		PropertySetTopic("p", "d"):     "$sys/p/d/thing/property/set",
		EventPostTopic("p", "d"):       "$sys/p/d/thing/event/post",
		ServiceTopic("p", "d", "turn"): "$sys/p/d/thing/service/turn/invoke",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestAppendReplyTopic(t *testing.T) {
	for _, tt := range []struct{ topic, want string }{
		{"$sys/p/d/thing/property/post", "$sys/p/d/thing/property/post/reply"},
		{"$sys/p/d/thing/event/post", "$sys/p/d/thing/event/post/reply"},
		{"$sys/p/d/thing/property/set", "$sys/p/d/thing/property/set_reply"},
		{"$sys/p/d/thing/property/get", "$sys/p/d/thing/property/get_reply"},
		{"$sys/p/d/thing/service/turn/invoke", "$sys/p/d/thing/service/turn/invoke_reply"},
		{"$sys/p/d/thing/property/set_reply", ""},
		{"t/1", ""},
		{"$sys/VRqhDHF2wL/my_tv/thing/property/desired/get", "$sys/VRqhDHF2wL/my_tv/thing/property/desired/get/reply"},
		{"$sys/VRqhDHF2wL/my_tv/thing/property/desired/get/reply", ""},
	} {
		got, ok := AppendReplyTopic([]byte("x"), []byte(tt.topic))
		if string(got) != "x"+tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %s, %v; want %s", tt.topic, got, ok, tt.want)
		}
	}
}

func TestMayUse(t *testing.T) {
	for _, tt := range []struct {
		filter string
		want   bool
		family Kind
	}{
		{"$sys/p/d/#", true, NotOurs},
		{"$sys/p/d/+/property/set", true, NotOurs},
		{"$sys/p/d/thing/#", true, PropertyPost},
		{"$sys/p/d/thing/property/set", true, PropertyPost},
		{"$sys/p/d/thing/service/+/invoke", true, PropertyPost},
		{"$sys/p/d/cmd/#", true, Command},
		{"$sys/p/d/image/#", true, Image},
		{"$sys/p/d/dp/post/json/+", true, DataPoint},
		{"$sys/p/d/ota/#", true, OTA},
		{"$sys/p/d/custome/down/+", true, Raw},
		{"$sys/p/d", false, NotOurs},
		{"$sys/p/d/", false, NotOurs},
		{"$sys/p/d/mine/#", false, NotOurs},
		{"$sys/p/d2/thing/#", false, PropertyPost},
		{"$sys/p/d2/#", false, NotOurs},
		{"$sys/p/+/thing/#", false, PropertyPost},
		{"$sys/+/d/thing/#", false, PropertyPost},
		{"$sys/p/#", false, NotOurs},
		{"$sys/#", false, NotOurs},
		{"#", false, NotOurs},
		{"/sys/p/d/thing/#", false, NotOurs},
	} {
		if got := MayUse(tt.filter, "p", "d"); got != tt.want {
			t.Errorf("%s: %v", tt.filter, got)
		}
		if got := FamilyOf(tt.filter); got != tt.family {
			t.Errorf("%s: family %d, want %d", tt.filter, got, tt.family)
		}
	}
	if MayUse("$sys///thing/#", "", "") {
		t.Error("nobody may use $sys///thing/#")
	}
	if !Command.Streams() || PropertyPost.Streams() || !PropertyPost.Thing() || Command.Thing() || OTA.Thing() {
		t.Error("the families are mixed up")
	}
}

func TestCheckTopic(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		filter, ok bool
	}{
		{"a service of the system", "$sys/p/d/thing/service/$SyncGetFile/invoke", false, true},
		{"eight levels", "a/b/c/d/e/f/g/h", false, true},
		{"nine levels [onenet §1.5]", "a/b/c/d/e/f/g/h/i", false, false},
		{"another character", "$sys/p/d/thing/温度", false, false},
		{"a wildcard in a topic", "$sys/p/d/#", false, false},
		{"a wildcard in a filter", "$sys/p/d/+/#", true, true},
		{"a long filter", strings.Repeat("a", MaxFilterBytes+1), true, false},
	} {
		if err := CheckTopic(tt.text, tt.filter); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestNearest(t *testing.T) {
	const post, setReply = "$sys/p/d/thing/property/post", "$sys/p/d/thing/property/set_reply"
	for _, tt := range []struct{ name, topic, want string }{
		{"a right topic needs no suggestion", post, ""},
		{"missing $sys [onenet §10 row 20]", "p/d/thing/property/post", post},
		{"missing $", "sys/p/d/thing/property/post", post},
		{"a slash first", "/$sys/p/d/thing/property/post", post},
		{"$SYS in capitals", "$SYS/p/d/thing/property/post", post},
		{"another device's name", "$sys/p/d2/thing/property/post", post},
		{"names the wrong way round", "$sys/d/p/thing/property/post", post},
		{"only the path", "thing/property/post", post},
		{"property/post", "$sys/p/d/property/post", post},
		{"set/reply for set_reply", "$sys/p/d/thing/property/set/reply", setReply},
		{"post_reply for post/reply", "$sys/p/d/thing/property/post_reply", post + "/reply"},
		{"get/reply for get_reply", "$sys/p/d/thing/property/get/reply", "$sys/p/d/thing/property/get_reply"},
		{"Aliyun's post", "/sys/p/d/thing/event/property/post", post},
		{"Aliyun's set", "/sys/p/d/thing/service/property/set", "$sys/p/d/thing/property/set"},
		{"Aliyun's set_reply", "/sys/p/d/thing/service/property/set_reply", setReply},
		{"Aliyun's event", "/sys/p/d/thing/event/alarm/post", "$sys/p/d/thing/event/post"},
		{"Aliyun's service", "/sys/p/d/thing/service/turn", "$sys/p/d/thing/service/turn/invoke"},
		{"Aliyun's service reply", "/sys/p/d/thing/service/turn_reply", "$sys/p/d/thing/service/turn/invoke_reply"},
		{"invoke/reply for invoke_reply", "$sys/p/d/thing/service/turn/invoke/reply", "$sys/p/d/thing/service/turn/invoke_reply"},
		{"a slip of the finger", "$sys/p/d/thing/proprety/post", post},
		{"capitals", "$sys/p/d/Thing/Property/Post", post},
		{"a line end behind it", post + "\r\n", post},
		{"something else altogether", "home/kitchen/light", ""},
		{"far too long", strings.Repeat("x", 1000), ""},
	} {
		if got := Nearest(tt.topic, "p", "d"); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func FuzzParseTopic(f *testing.F) {
	for _, s := range []string{"$sys/VRqhDHF2wL/my_tv/thing/property/post", "$sys/p/d/thing/service/x/invoke", "$sys//", "$sys/a/b/", "$subdev/p/d/dp/post/json", "$subdev/p/d/login", "/sys/p/d/thing/event/alarm/post"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, topic string) {
		p := ParseTopic([]byte(topic))
		make := sys
		if p.Sub {
			make = SubdevTopic
		}
		if owner := SubdevOwner([]byte(topic)); owner != nil && string(owner) != string(p.ProductID)+"/"+string(p.Device) {
			t.Errorf("%q is of %q", topic, owner)
		}
		if p.Kind != NotOurs && make(string(p.ProductID), string(p.Device), string(p.Path)) != topic {
			t.Errorf("%q became %+v", topic, p)
		}
		if n := Nearest(topic, "p", "d"); n != "" {
			if k := ParseTopicName(n).Kind; k == NotOurs || k == Unknown {
				t.Errorf("%q: suggested %q, which is no topic", topic, n)
			}
		}
	})
}
