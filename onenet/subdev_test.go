package onenet

import "testing"

// TestSubdevTopics [onenet §4.4].
func TestSubdevTopics(t *testing.T) {
	for _, tt := range []struct {
		topic string
		kind  Kind
		owner string
	}{
		{"$subdev/238322/s1/login", SubdevLogin, ""},
		{"$subdev/238322/s1/logout", SubdevLogout, ""},
		{"$subdev/238322/s1/dp/post/json", DataPoint, "238322/s1"},
		{"$subdev/238322/s1/cmd/response/7", Command, "238322/s1"},
		{"$subdev/238322/s1/login/accepted", Unknown, "238322/s1"},
		{"$subdev/238322/s1/#", Unknown, "238322/s1"},
		{"$subdev/238322/s1/image/update", Unknown, "238322/s1"}, // images are not supported
		{"$subdev/238322/s1/thing/property/post", Unknown, "238322/s1"},
		{"$subdev/238322/s1", NotOurs, ""},
		{"$subdev//s1/login", NotOurs, ""},
		{"$sys/238322/s1/login", Unknown, ""}, // without $subdev no login
		{"$sys/238322/s1/dp/post/json", DataPoint, ""},
	} {
		got := ParseTopicName(tt.topic)
		if got.Kind != tt.kind || got.Kind != NotOurs && got.Sub != (tt.topic[:5] == "$subd") || string(SubdevOwner([]byte(tt.topic))) != tt.owner {
			t.Errorf("%s: %+v of %q", tt.topic, got, SubdevOwner([]byte(tt.topic)))
		}
	}
	for filter, want := range map[string]bool{
		"$subdev/p/d/#": true, "$subdev/p/d/cmd/request/+": true, "$subdev/p/d/login/+": true, "$subdev/p/d/logout/notify": true,
		"$subdev/p/d/dp/post/json/accepted": true, "$subdev/p/d/image/#": false, "$subdev/p/d/thing/#": false, "$subdev/p/+/cmd/#": false,
		"$subdev/p/e/#": false, "$subdev/#": false,
	} {
		if MayUse(filter, "p", "d") != want {
			t.Errorf("%s: %v", filter, !want)
		}
	}
	if FamilyOf("$subdev/p/d/cmd/#") != Command || FamilyOf("$subdev/p/d/login/+") != SubdevLogin || FamilyOf("$subdev/p/d/#") != NotOurs {
		t.Error("families")
	}
	if !SubdevLogin.Streams() || !SubdevLogout.Streams() || !SubdevLogin.Up() || SubdevLogin.Thing() || OTA.Streams() {
		t.Error("logins belong to products of data streams")
	}
	topic, payload, ok := ThroughGateway("238322", "gw", "$sys/238322/s1/cmd/request/7", []byte("on"))
	if !ok || topic != "$subdev/238322/s1/cmd/request/7" || string(payload) != "on" {
		t.Errorf("%s %s %v", topic, payload, ok)
	}
	if _, _, ok := ThroughGateway("238322", "gw", "$sys/238322/s1/image/update/delta", nil); ok {
		t.Error("an image goes through a gateway")
	}
	topicBytes := []byte("$subdev/238322/s1/dp/post/json")
	if n := testing.AllocsPerRun(100, func() { SubdevOwner(topicBytes) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
