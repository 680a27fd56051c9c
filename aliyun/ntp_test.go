package aliyun

import (
	"testing"
	"time"
)

func TestNTPAnswersInTheTypeOfTheRequest(t *testing.T) {
	received, answered := time.UnixMilli(1571724098110), time.UnixMilli(1571724098115)
	for _, tt := range []struct{ in, want string }{
		{`{"deviceSendTime":"1571724098000"}`, `{"deviceSendTime":"1571724098000","serverRecvTime":"1571724098110","serverSendTime":"1571724098115"}`},
		{`{"deviceSendTime":1571724098000}`, `{"deviceSendTime":1571724098000,"serverRecvTime":1571724098110,"serverSendTime":1571724098115}`},
		{`{}`, `{"deviceSendTime":"0","serverRecvTime":"1571724098110","serverSendTime":"1571724098115"}`},
		{`what time is it`, `{"deviceSendTime":"0","serverRecvTime":"1571724098110","serverSendTime":"1571724098115"}`},
		{`{"deviceSendTime":{"a":1}}`, `{"deviceSendTime":"0","serverRecvTime":"1571724098110","serverSendTime":"1571724098115"}`},
		{`{"deviceSendTime":"1\",\"x\":\"2"}`, `{"deviceSendTime":"0","serverRecvTime":"1571724098110","serverSendTime":"1571724098115"}`},
	} {
		if got := string(AppendNTP(nil, ParseNTP([]byte(tt.in)), received, answered)); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.in, got, tt.want)
		}
	}
}
