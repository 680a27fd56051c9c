package aliyun

import "testing"

// The RULE mapping of aliyun-device §2.6, by the login that a device sends.
func TestReturnCodes(t *testing.T) {
	const ds = "Zk3Qw8ErT5yUiOp1AsDf7GhJkLzXcV2b"
	good := Sign(HMACSHA256, ds, "clientIdlampdeviceNamelamp01productKeya1NightLamp")
	for _, tt := range []struct {
		name, clientID, username, password string
		code                               string
		want                               byte
	}{
		{"no bars", "lamp", "lamp01&a1NightLamp", good, "aliyun-clientid-no-bars", 2},
		{"one bar", "lamp|securemode=3,signmethod=hmacsha256", "lamp01&a1NightLamp", good[:63] + "0", "aliyun-clientid-one-bar", 2},
		{"escaped commas", `lamp|securemode=3\,signmethod=hmacsha256|`, "lamp01&a1NightLamp", good[:63] + "0", "aliyun-escaped-commas", 2},
		{"unknown method", "lamp|securemode=3,signmethod=sha512|", "lamp01&a1NightLamp", good, "aliyun-unknown-method", 2},
		{"client id URL-encoded", "lamp%7Csecuremode=3,signmethod=hmacsha256%7C", "lamp01&a1NightLamp", good, "aliyun-url-encoded", 2},
		{"user name URL-encoded", "lamp|securemode=3,signmethod=hmacsha256|", "lamp01%26a1NightLamp", good, "aliyun-url-encoded", 4},
		{"ID²", "lamp|securemode=8,signmethod=hmacsha256|", "lamp01&a1NightLamp", good[:63] + "0", "aliyun-id2", 5},
		{"wrong secret", "lamp|securemode=3,signmethod=hmacsha256|", "lamp01&a1NightLamp", Sign(HMACSHA256, "other", "x"), "aliyun-wrong-secret", 4},
		{"user name without ampersand", "lamp|securemode=3,signmethod=hmacsha256|", "lamp01", good, "aliyun-username-form", 4},
	} {
		d := Diagnose(Sent{ClientID: tt.clientID, Username: tt.username, Password: []byte(tt.password)}, Known{DeviceSecret: ds})
		if d == nil || d.Code != tt.code || d.ReturnCode() != tt.want {
			t.Errorf("%s: %+v", tt.name, d)
		}
	}
}
