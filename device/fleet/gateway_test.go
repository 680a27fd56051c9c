package fleet

import (
	"strings"
	"testing"
)

const house = `
seed: 2
duration: 900ms
ramp: 100ms
groups:
  - {name: gate, dialect: aliyun, product: a1Gate, count: 2, secret: s, report: {every: 200ms}, values: {v: {value: 1}}}
  - {name: meter, dialect: aliyun, product: a1Meter, gateway: gate, count: 10, secret: s, report: {every: 100ms}, values: {v: {value: 1}}}
  - {name: hub, dialect: onenet, product: Hub, count: 2, secret: KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=, report: {every: 200ms}, values: {v: {value: 1}}}
  - {name: therm, dialect: onenet, product: Therm, gateway: hub, count: 10, secret: KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=, report: {every: 100ms}, values: {v: {value: 1}}}
reconnect: {min: 10ms, max: 50ms}
expect: {connected: 100%, answered: 100%, lost: 0, rejected: 0, refused: 0}
`

// TestSubDevicesOnTheirGateways has 20 devices on the connections of 4.
func TestSubDevicesOnTheirGateways(t *testing.T) {
	c := newCloud(t)
	r := c.run(house)
	if !r.OK() || r.Devices != 24 || r.Connected != 24 || r.Came != 24 || c.connects != 4 || c.logins != 20 {
		t.Errorf("%d connections, %d logins\n%+v", c.connects, c.logins, r)
	}
}

// TestSubDevicesGoAndComeWithTheirGateways breaks all connections: sub-devices
// log in again, and nothing that they measured meanwhile is lost.
func TestSubDevicesGoAndComeWithTheirGateways(t *testing.T) {
	c := newCloud(t)
	r := c.run(strings.Replace(house, "expect:", "storms: [{at: 400ms, away: 100ms}]\nexpect:", 1))
	if !r.OK() || r.Cut == 0 || r.Returns < r.Cut || int64(c.connects) != 4+r.Cut || c.logins < 20 {
		t.Errorf("%d connections, %d logins\n%+v", c.connects, c.logins, r)
	}
}

// TestSubDeviceThatIsRefused has a cloud that does not take some in: their
// gateways and the others go on.
func TestSubDeviceThatIsRefused(t *testing.T) {
	c := newCloud(t)
	c.reply = func(topic string, n int) string {
		if strings.HasSuffix(topic, "/combine/login") {
			return `"code":429,"message":"rate limit, too many subDeviceOnline msg in one minute","data":{}`
		}
		return `"code":200,"data":{}`
	}
	r := c.run(strings.Replace(house, "ramp: 100ms", "drain: 2s", 1))
	if r.OK() || r.Connected != 14 || r.Failed < 10 || len(r.Causes) != 1 || r.Causes[0].Group != "meter" ||
		!strings.HasPrefix(r.Causes[0].Why, "its gateway's cloud said 429 rate limit") {
		t.Errorf("%+v", r)
		for _, cause := range r.Causes {
			t.Logf("%+v", cause)
		}
	}
}

// TestCommandForASubDevice is answered on the gateway's connection.
func TestCommandForASubDevice(t *testing.T) {
	c := newCloud(t)
	c.after = func(n int) (string, string) {
		if n == 40 {
			return "$sys/Hub/hub-000001/thing/sub/property/set", `{"id":"77","version":"1.0","params":{"productID":"Therm","deviceName":"therm-000001","params":{"v":9}}}`
		}
		return "", ""
	}
	only := strings.Replace(house[:strings.Index(house, "  - {name: gate")]+house[strings.Index(house, "  - {name: hub"):], "product: Hub, count: 2", "product: Hub, count: 1", 1)
	r := c.run(only)
	if r.CommandsTaken != 1 || r.CommandsAnswered != 1 || !strings.Contains(strings.Join(c.payloads, "\n"), `{"id":"77","code":200,"msg":"success"}`) {
		t.Errorf("%+v", r)
	}
}
