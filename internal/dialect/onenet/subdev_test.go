package onenet

import (
	"errors"
	"fmt"
	"testing"

	"github.com/matou-iot/matou/internal/dialect"
	vendor "github.com/matou-iot/matou/onenet"
)

// readAs reads a message of a product of data streams for a device.
func readAs(c dialect.Claim, topic, payload string, mode dialect.Strictness) *dialect.Uplink {
	up := &dialect.Uplink{Others: others{}}
	Dialect{streams: true}.Uplink(c, []byte(topic), []byte(payload), model, mode, up)
	return up
}

// TestSubDevicesOfTheFirstGeneration [onenet §4.4]: logins and logouts, whose
// answers are empty.
func TestSubDevicesOfTheFirstGeneration(t *testing.T) {
	for _, tt := range []struct {
		path   string
		err    error
		answer string
	}{
		{"login", nil, "$subdev/p2/d2/login/accepted "},
		{"login", &dialect.Refusal{Cause: dialect.SubNotBound}, "$subdev/p2/d2/login/rejected "},
		{"logout", nil, "$subdev/p2/d2/logout/accepted "},
		{"logout", errors.New("disk"), "$subdev/p2/d2/logout/rejected "},
	} {
		for _, mode := range []dialect.Strictness{dialect.Lenient, dialect.Strict} {
			up := readAs(tv, "$subdev/p2/d2/"+tt.path, "", mode)
			if up.Kind != dialect.Asks || up.Request == nil || up.Fault != nil || up.Close {
				t.Fatalf("%s: %+v", tt.path, up)
			}
			if l, ok := up.Request.(*dialect.SubLogin); ok && l.Most != map[dialect.Strictness]int{dialect.Strict: vendor.MaxSubdevs}[mode] {
				t.Errorf("at most %d", l.Most)
			}
			got := ""
			for _, d := range (Dialect{streams: true}).Answer(up.Request, nil, tt.err) {
				got += d.Topic + " " + string(d.Payload)
			}
			if got != tt.answer {
				t.Errorf("%s: %q, want %q", tt.path, got, tt.answer)
			}
		}
	}
}

// TestSubDeviceOfTheFirstGenerationSpeaks on topics of its own, whose answers
// are there, too.
func TestSubDeviceOfTheFirstGenerationSpeaks(t *testing.T) {
	up := readAs(sub, "$subdev/p2/d2/dp/post/json", `{"id":1,"dp":{"t":[{"v":30}]}}`, dialect.Strict)
	if told(up) != "t=30" || len(up.Answers) != 1 || up.Answers[0].Topic != "$subdev/p2/d2/dp/post/json/accepted" || string(up.Answers[0].Payload) != `{"id":1}` {
		t.Errorf("%s %+v", told(up), up)
	}
	up = readAs(sub, "$subdev/p2/d2/cmd/response/7", "done", dialect.Strict)
	r, ok := up.Request.(*dialect.Response)
	if !ok || r.Command != "7" || string(r.Payload) != "done" || r.Claim != sub {
		t.Fatalf("%+v", up.Request)
	}
	if got := (Dialect{streams: true}).Answer(r, dialect.Done{}, nil); len(got) != 1 || got[0].Topic != "$subdev/p2/d2/cmd/response/7/accepted" || len(got[0].Payload) != 0 {
		t.Errorf("%+v", got)
	}
	if got := (Dialect{streams: true}).Answer(r, dialect.Done{}, dialect.ErrResponseUnasked); len(got) != 1 || string(got[0].Payload) != `{"err_code":113,"err_msg":"command not found or already responded"}` {
		t.Errorf("%+v", got)
	}
}

// TestWhomAGatewayMaySpeakFor: for others the connection ends where the product
// is strict, for sub-devices that are not logged in it does not.
func TestWhomAGatewayMaySpeakFor(t *testing.T) {
	for _, tt := range []struct {
		as     dialect.Claim
		topic  string
		closes bool
	}{
		{tv, "$subdev/p2/d2/dp/post/json", false}, // bound, not logged in
		{tv, "$subdev/p2/d9/dp/post/json", true},  // no sub-device of it
		{tv, "$subdev/p2/d2/image/update", true},  // images are not supported
		{sub, "$subdev/p2/d2/image/update", true},
		{tv, "$subdev/p2", true},
	} {
		for _, mode := range []dialect.Strictness{dialect.Lenient, dialect.Strict} {
			up := readAs(tt.as, tt.topic, `{"id":1,"dp":{"t":[{"v":30}]}}`, mode)
			if up.Kind != dialect.Forbidden || up.Fault == nil || up.Close != (tt.closes && mode == dialect.Strict) || len(up.Report) > 0 {
				t.Errorf("%s, %v: %+v", tt.topic, mode, up)
			}
		}
	}
	d := Dialect{streams: true}
	if string(d.Owner([]byte("$subdev/p2/d2/#"))) != "p2/d2" || d.Owner([]byte("$subdev/p2/d2/login")) != nil {
		t.Error("whose topics")
	}
	if got := d.LoginTopic(tv, sub); got != "$subdev/p2/d2/login" {
		t.Errorf("logs in on %s", got)
	}
	if got := (Dialect{}).LoginTopic(tv, sub); got != sys+"thing/sub/login" {
		t.Errorf("logs in on %s", got)
	}
	if code, why := d.MaySubscribe(tv, "$subdev/p2/d2/#", 1, dialect.Lenient); code != 0x87 || why == nil {
		t.Errorf("another's topics are granted: %v", code)
	}
	if code, why := d.MaySubscribe(sub, "$subdev/p2/d2/#", 1, dialect.Strict); code != 0 || why != nil {
		t.Errorf("its own are not: %v %+v", code, why)
	}
	if code, why := (Dialect{}).MaySubscribe(sub, "$subdev/p2/d2/cmd/#", 1, dialect.Strict); code != 0x87 || why == nil || why.Code != "onenet-data-model" {
		t.Errorf("a product with a thing model: %v %+v", code, why)
	}
}

// TestNoticesOfTheFirstGeneration are empty, and of those that are out only.
func TestNoticesOfTheFirstGeneration(t *testing.T) {
	for kind, want := range map[dialect.NoticeKind]string{
		dialect.SubsDisabled: "[{$subdev/p2/d2/logout/notify []}]", dialect.SubsDeleted: "[{$subdev/p2/d2/logout/notify []}]",
		dialect.SubsRemoved: "[{$subdev/p2/d2/logout/notify []}]", dialect.SessionOver: "[{$subdev/p2/d2/logout/notify []}]",
		dialect.SubsAdded: "[]", dialect.SubsEnabled: "[]", dialect.AskToAdd: "[]",
	} {
		type plain struct {
			Topic   string
			Payload []byte
		}
		got := []plain{}
		for _, d := range (Dialect{streams: true}).Notify(&dialect.Notice{Kind: kind, Gateway: tv, Subs: []dialect.Claim{sub}}) {
			got = append(got, plain{d.Topic, d.Payload})
		}
		if s := fmt.Sprint(got); s != want {
			t.Errorf("%d: %s, want %s", kind, s, want)
		}
	}
}
