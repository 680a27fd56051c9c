package aliyun

import "testing"

func TestTopicsOfQuestions(t *testing.T) {
	for topic, want := range map[string]struct {
		kind Kind
		name string
		dn   string
	}{
		"/sys/pk/dn/rrpc/request/889455942124347392":       {RRPCRequest, "889455942124347392", "dn"},
		"/sys/pk/dn/rrpc/response/889455942124347392":      {RRPCResponse, "889455942124347392", "dn"},
		"/ext/rrpc/889455942124347392/pk/dn/user/get":      {RRPCResponse, "889455942124347392", "dn"},
		"/ext/rrpc/7/sys/pk/dn/thing/service/Blink":        {RRPCResponse, "7", "dn"},
		"/ext/rrpc/7/sys/pk/dn/thing/model/down_raw_reply": {RRPCResponse, "7", "dn"},
		"/ext/rrpc/7/pk/dn/sys/x":                          {RRPCResponse, "7", "dn"},
		"/ext/rrpc/7":                                      {Other, "", ""},
		"/sys/pk/dn/rrpc/response":                         {Other, "", "dn"},
		"/sys/pk/dn/rrpc/response/":                        {Other, "", "dn"},
		"/sys/pk/dn/rrpc/response/7/8":                     {Other, "", "dn"},
		"/sys/pk/dn/thing/model/up_raw":                    {UpRaw, "", "dn"},
		"/sys/pk/dn/thing/model/up_raw_reply":              {Reply, "", "dn"},
		"/sys/pk/dn/thing/model/down_raw":                  {DownRaw, "", "dn"},
		"/sys/pk/dn/thing/model/down_raw_reply":            {DownRawReply, "", "dn"},
		"/sys/pk/dn/thing/service/property/get":            {PropertyGet, "", "dn"},
		"/sys/pk/dn/thing/service/property/get_reply":      {PropertyGetReply, "", "dn"},
		"/sys/pk/dn/broadcast/request/7":                   {BroadcastRequest, "7", "dn"},
		"/sys/pk/dn/thing/model/config/push_reply":         {Reply, "", "dn"},
		"/sys/pk/dn/thing/model/up_raw?_rid=1":             {UpRaw, "", "dn"},
		"/sys/pk/dn/thing/event/property/pack/post":        {Other, "", "dn"},
	} {
		got := ParseTopic([]byte(topic))
		if got.Kind != want.kind || string(got.Name) != want.name || string(got.DeviceName) != want.dn {
			t.Errorf("%s: %d %q %q", topic, got.Kind, got.Name, got.DeviceName)
		}
	}
}

func TestQuestionsAsBytes(t *testing.T) {
	for got, want := range map[string]string{
		RRPCTopic("pk", "dn", "889455942124347392", ""):                             "/sys/pk/dn/rrpc/request/889455942124347392",
		RRPCTopic("pk", "dn", "889455942124347392", "/pk/dn/user/get"):              "/ext/rrpc/889455942124347392/pk/dn/user/get", // [aliyun-device §4.6]
		BroadcastTopic("pk", "all/x"):                                               "/broadcast/pk/all/x",
		BroadcastRequestTopic("pk", "dn", "7"):                                      "/sys/pk/dn/broadcast/request/7",
		PropertyGetTopic("pk", "dn"):                                                "/sys/pk/dn/thing/service/property/get",
		RawUpTopic("pk", "dn"):                                                      "/sys/pk/dn/thing/model/up_raw",
		RawDownTopic("pk", "dn"):                                                    "/sys/pk/dn/thing/model/down_raw",
		string(AppendPropertyGet(nil, "7", []string{"CurrentTemperature", "a\"b"})): `{"method":"thing.service.property.get","id":"7","params":["CurrentTemperature","a\"b"],"version":"1.0.0"}`,
		MethodTopic("pk", "dn", "thing.event.property.post"):                        "/sys/pk/dn/thing/event/property/post",
		MethodTopic("pk", "dn", "thing.event.blk:fault.post"):                       "/sys/pk/dn/thing/event/blk:fault/post",
		MethodTopic("pk", "dn", "thing.x/../../other"):                              "",
		MethodTopic("pk", "dn", "thing.event.#"):                                    "",
		MethodTopic("pk", "dn", "shadow.update"):                                    "",
		MethodTopic("pk", "dn", ""):                                                 "",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestExtOfClientID(t *testing.T) {
	for id, want := range map[string]bool{
		"x|securemode=3,signmethod=hmacsha1,ext=1|": true, "x|ext=3,securemode=3|": true, "x|ext=2,securemode=3|": false,
		"x|ext=0,securemode=3|": false, "x|securemode=3|": false, "x|ext=|": false, "x": false,
	} {
		c, err := ParseClientID(id)
		if err != nil || c.TakesRRPC() != want {
			t.Errorf("%s: %v, %v", id, c.TakesRRPC(), err)
		}
	}
}

func TestFiltersOfQuestions(t *testing.T) {
	for filter, want := range map[string]bool{
		"/ext/rrpc/#": true, "/ext/rrpc/+/#": true, "/ext/rrpc/+/pk/dn/user/get": true, "/ext/rrpc/+/pk/#": true, "/ext/rrpc/+/sys/pk/dn/thing/service/+": true,
		"/ext/rrpc/+/pk/other/user/get": false, "/ext/rrpc/+/other/dn/user/get": false, "/ext/rrpc/+/sys/pk/other/thing/#": false, "/ext/rrpc/+/+/+/#": false, "/ext/rrpc/+": false,
		"/sys/pk/dn/rrpc/request/+": true,
	} {
		if MayUse(filter, "pk", "dn") != want {
			t.Errorf("%s: %v", filter, !want)
		}
	}
}
