package aliyun

import (
	"strings"
	"testing"
)

// The worked vectors of [aliyun-device §2.10].
func TestVectors(t *testing.T) {
	const ds = "Zk3Qw8ErT5yUiOp1AsDf7GhJkLzXcV2b"
	for _, tt := range []struct {
		name, content, secret string
		sums                  map[Method]string
	}{
		{"V1", Content("12345", "pk", "device", "789"), "secret", map[Method]string{
			HMACSHA1: "FAFD82A3D602B37FB0FA8B7892F24A477F851A14", HMACMD5: "14b198324fe55e1d3c88f2e705e201ee", HMACSHA256: "6074a46a91b1ebb2cc4ea42790ad0e80202c9843859fc292e57c4eb19fad9e57"}},
		{"V1b", Content("12345", "pk", "device", ""), "secret", map[Method]string{
			HMACMD5: "2ce7304ec0ddd548eb1492d65ac0b334", HMACSHA1: "3504e4df7ce4766d30f796ee973c9ce7fc5425cb", HMACSHA256: "c8cb3dcb7159682438e5fd9a9c34f398e41bb8edb6f222795e307bafee151090"}},
		{"V1c", Content("", "pk", "device", ""), "secret", map[Method]string{
			HMACMD5: "c07c9fa9be69010bcfaaf59322258cc2", HMACSHA1: "ef1338106ebf173868958116f51797c8b9149855", HMACSHA256: "4e4fa898ea37565cb40779e7e48196c21a58565cf6c84eeffcd400c63633e7c8"}},
		{"V1d", Content("", "pk", "device", "789"), "secret", map[Method]string{
			HMACMD5: "eb2142b767837403c9a42deb2dc6b3cb", HMACSHA1: "8df5ca1bf11f2c9e427750f4967c85442496f68f", HMACSHA256: "df9f81c119373aab3e594e85db97c1d4aadacf4e8f345792bc4ab7eb50c4165d"}},
		{"V2", Content("a1NightLamp.lamp01", "a1NightLamp", "lamp01", "2524608000000"), ds, map[Method]string{
			HMACSHA256: "3559E57CB8F76F7AC5C301A012E708768D0C2BB024CD6F396F2DE2F59A2E4D23"}},
		{"V3", Content("lamp01", "a1NightLamp", "lamp01", ""), ds, map[Method]string{
			HMACSHA1: "497b68d01a90d98c7ca4dd738eef3aa4d1b9f517", HMACMD5: "4e5df4f4e15f08623fcca884bba12614", HMACSHA256: "7b512dec5b07347a4ea3980c04b8ab2ab2660ac8b576aca66d18c0169590c864"}},
		{"V3, names only", Content("", "a1NightLamp", "lamp01", ""), ds, map[Method]string{HMACSHA1: "567539a7e6ed2166b043cbe7f57c51b4b1a059ab"}},
		{"V4", Content("a1NightLamp.lamp01", "a1NightLamp", "lamp01", "32472115200"), ds, map[Method]string{HMACMD5: "2bee8727d6c005586b84f39df1597f72"}},
		{"V5", Content("a1NightLamp&lamp01", "a1NightLamp", "lamp01", "1700000000000"), ds, map[Method]string{HMACSHA1: "0b234d91b39ef8c66a0b13b289a8f0095abe2eac"}},
	} {
		for m, want := range tt.sums {
			if got := Sign(m, tt.secret, tt.content); !strings.EqualFold(got, want) {
				t.Errorf("%s %s: %s, want %s", tt.name, m, got, want)
			}
		}
	}
}

func TestVerifyTakesWhatDevicesSend(t *testing.T) {
	const secret = "secret"
	for name, s := range map[string]Sent{
		"documented, upper case":                           {ClientID: "12345|securemode=3,signmethod=hmacsha1,timestamp=789|", Username: "device&pk", Password: []byte("FAFD82A3D602B37FB0FA8B7892F24A477F851A14")},
		"lower case":                                       {ClientID: "12345|securemode=3,signmethod=hmacsha1,timestamp=789|", Username: "device&pk", Password: []byte("fafd82a3d602b37fb0fa8b7892f24a477f851a14")},
		"announced timestamp not signed":                   {ClientID: "12345|securemode=3,signmethod=hmacsha1,timestamp=789|", Username: "device&pk", Password: []byte("3504e4df7ce4766d30f796ee973c9ce7fc5425cb")},
		"names only":                                       {ClientID: "12345|securemode=3,signmethod=hmacsha1,timestamp=789|", Username: "device&pk", Password: []byte("ef1338106ebf173868958116f51797c8b9149855")},
		"without client id":                                {ClientID: "12345|securemode=3,signmethod=hmacsha1,timestamp=789|", Username: "device&pk", Password: []byte("8df5ca1bf11f2c9e427750f4967c85442496f68f")},
		"no signmethod means hmacmd5":                      {ClientID: "12345|securemode=3,timestamp=789|", Username: "device&pk", Password: []byte("14b198324fe55e1d3c88f2e705e201ee")},
		"a bar inside the list [aliyun-device §2.2]":       {ClientID: "12345|securemode=3,signmethod=hmacsha1,timestamp=789,lan=JS|Ali,_v=1.2.8|", Username: "device&pk", Password: []byte("fafd82a3d602b37fb0fa8b7892f24a477f851a14")},
		"an empty last element, as C4 [aliyun-device §12]": {ClientID: "12345|timestamp=789,_ss=1,_v=sdk-c-4.2.0,securemode=2,signmethod=hmacsha1,ext=3,|", Username: "device&pk", Password: []byte("fafd82a3d602b37fb0fa8b7892f24a477f851a14")},
		"blanks before the names, as the Node SDK of 2018": {ClientID: "12345|securemode=3,\n        signmethod=hmacsha1,\n        timestamp=789|", Username: "device&pk", Password: []byte("fafd82a3d602b37fb0fa8b7892f24a477f851a14")},
		"method in capitals":                               {ClientID: "12345|securemode=3,signmethod=HmacSHA1,timestamp=789|", Username: "device&pk", Password: []byte("fafd82a3d602b37fb0fa8b7892f24a477f851a14")},
	} {
		if _, ok := Verify(s, secret); !ok {
			t.Errorf("%s: refused", name)
		}
		if d := Diagnose(s, Known{DeviceSecret: secret}); d != nil {
			t.Errorf("%s: a mistake is named in a right login: %s", name, d.Code)
		}
	}
}

func TestUsernameIsSplitAtTheLastAmpersand(t *testing.T) {
	pk, dn, err := ParseUsername("a.b:c@d-e&f&pk")
	if pk != "pk" || dn != "a.b:c@d-e&f" || err != nil {
		t.Errorf("%q %q %v", pk, dn, err)
	}
	for _, bad := range []string{"", "device", "&pk", "device&"} {
		if _, _, err := ParseUsername(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func FuzzParseClientID(f *testing.F) {
	f.Add("a|b=c,d|")
	f.Add("x|securemode=3,signmethod=hmacsha1,timestamp=1,lan=JS|Ali,_v=1.2.8|")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseClientID(s)
		if err != nil {
			return
		}
		if strings.Contains(id.Base, "|") || !strings.HasPrefix(s, id.Base) || len(id.Parameters) > maxParameters {
			t.Errorf("%q became %+v", s, id)
		}
	})
}
