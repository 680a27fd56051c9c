package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// v1Sent is the login of vector V1 [aliyun-device §2.10] as it is sent.
var v1Sent = []string{"--client-id", "12345|securemode=3,signmethod=hmacsha1,timestamp=789|", "--username", "device&pk"}

// tvSent is the login of OneNET's vectors with a token [onenet §2.4].
func tvSent(token string) []string {
	return []string{"--client-id", "my_tv", "--username", "VRqhDHF2wL", "--password", token}
}

const (
	tvKey  = "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw="
	v1SHA1 = "fafd82a3d602b37fb0fa8b7892f24a477f851a14"
	v1MD5  = "14b198324fe55e1d3c88f2e705e201ee"
)

func TestDoctorNamesTheMistake(t *testing.T) {
	for _, tt := range []struct {
		name string
		line string
		more []string
		code int
		want finding // Code, Field, Expected and RightLogin where they are set
	}{
		{"Aliyun: right login", "doctor aliyun --device-secret secret --password " + v1SHA1, v1Sent, 0, finding{OK: true}},
		{"Aliyun: announced sha1, signed md5 [aliyun-device §10 row 3]", "doctor aliyun --device-secret secret --password " + v1MD5, v1Sent, 1,
			finding{Code: "aliyun-wrong-method", Field: "clientId", Expected: "signmethod=hmacmd5",
				RightLogin: &right{"12345|securemode=3,signmethod=hmacsha1,timestamp=789|", "device&pk", v1SHA1}}},
		{"Aliyun: ProductSecret used [row 2]", "doctor aliyun --device-secret other --product-secret secret --password " + v1SHA1, v1Sent, 1,
			finding{Code: "aliyun-product-secret", Field: "password"}},
		{"Aliyun: another product than meant", "doctor aliyun --device-secret x --product-key a1 --password " + v1SHA1, v1Sent, 1,
			finding{Code: "aliyun-unknown-product"}},
		{"Aliyun: another device than meant", "doctor aliyun --device-secret x --device-name lamp --password " + v1SHA1, v1Sent, 1,
			finding{Code: "aliyun-unknown-device"}},
		{"OneNET: right token [onenet §2.4]", "doctor onenet --key " + tvKey, tvSent(tvToken), 0, finding{OK: true}},
		{"OneNET: right token of the product", "doctor onenet --key EnW4T71eIE55xOIQMN6pFMKuqel5T5HTzsGJRPiDhlM= --product-key-secret " + tvKey, tvSent(tvToken), 0, finding{OK: true}},
		{"OneNET: the captured token has expired [onenet §2.5]", "doctor onenet --key " + tvKey + " --packet " + captured, nil, 1,
			finding{Code: "onenet-token-expired", Field: "et", Received: "1661245031"}},
		{"OneNET: another key", "doctor onenet --key EnW4T71eIE55xOIQMN6pFMKuqel5T5HTzsGJRPiDhlM=", tvSent(tvToken), 1, finding{Code: "onenet-wrong-key"}},
		{"OneNET: another device than meant", "doctor onenet --device-name other --key EnW4T71eIE55xOIQMN6pFMKuqel5T5HTzsGJRPiDhlM=", tvSent(tvToken), 1,
			finding{Code: "onenet-unknown-device"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := matou(t.Context(), "", tt.line+" --json", tt.more...)
			if code != tt.code || stderr != "" {
				t.Errorf("exit %d, stderr %q, want %d", code, stderr, tt.code)
			}
			var got finding
			if err := json.Unmarshal([]byte(stdout), &got); err != nil {
				t.Fatalf("%v: %s", err, stdout)
			}
			w := tt.want
			if got.OK != w.OK || got.Code != w.Code || w.Field != "" && got.Field != w.Field || w.Expected != "" && got.Expected != w.Expected {
				t.Errorf("found %+v, want %+v", got, w)
			}
			if w.RightLogin != nil && (got.RightLogin == nil || *got.RightLogin != *w.RightLogin) {
				t.Errorf("right login %+v, want %+v", got.RightLogin, w.RightLogin)
			}
			if got.Sentence == "" || got.SentenceZH == "" || got.Sentence == got.SentenceZH {
				t.Errorf("not said in both languages: %q, %q", got.Sentence, got.SentenceZH)
			}
		})
	}
}

func TestDoctorSpeaksTheLanguageOfTheUser(t *testing.T) {
	ask := func(flags string) string {
		_, stdout, _ := matou(t.Context(), "", "doctor aliyun --device-secret secret --password "+v1SHA1+" "+flags, v1Sent...)
		return stdout
	}
	t.Setenv("LC_ALL", "")
	t.Setenv("LC_MESSAGES", "")
	for _, tt := range []struct{ lang, flags, want string }{
		{"en_US.UTF-8", "", rightLogin.Sentence},
		{"zh_CN.UTF-8", "", rightLogin.SentenceZH},
		{"zh_CN.UTF-8", "--lang en", rightLogin.Sentence},
		{"", "--lang zh", rightLogin.SentenceZH},
		{"", "", rightLogin.Sentence},
	} {
		t.Setenv("LANG", tt.lang)
		if got := ask(tt.flags); !strings.HasPrefix(got, tt.want+"\n") {
			t.Errorf("LANG=%s %s: %q, want %q", tt.lang, tt.flags, got, tt.want)
		}
	}
}

func TestDoctorTellsAMistakeReadably(t *testing.T) {
	_, stdout, _ := matou(t.Context(), "", "doctor aliyun --lang en --device-secret secret --password "+v1MD5, v1Sent...)
	for _, want := range []string{
		"signed with hmacmd5", "received          signmethod=hmacsha1", "expected          signmethod=hmacmd5",
		"signed text       clientId12345deviceNamedeviceproductKeypktimestamp789", "right user name   device&pk", "right password    " + v1SHA1,
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("does not say %q:\n%s", want, stdout)
		}
	}
}

// The timestamp need not be signed [aliyun-device §2.2]: the login is right, and
// who wonders is told so.
func TestDoctorOfATimestampThatIsNotSigned(t *testing.T) {
	const v1bSHA1 = "3504e4df7ce4766d30f796ee973c9ce7fc5425cb"
	for lang, note := range map[string]string{"en": "the timestamp in the client id is not signed", "zh": "timestamp 没有参与签名"} {
		line := "doctor aliyun --device-secret secret --lang " + lang + " --password "
		code, stdout, _ := matou(t.Context(), "", line+v1bSHA1, v1Sent...)
		if code != 0 || !strings.Contains(stdout, note) || !strings.Contains(stdout, "clientId12345deviceNamedeviceproductKeypk\n") {
			t.Errorf("exit %d, %q", code, stdout)
		}
		if _, stdout, _ := matou(t.Context(), "", line+v1SHA1, v1Sent...); strings.Contains(stdout, note) || !strings.Contains(stdout, "productKeypktimestamp789\n") {
			t.Errorf("%q", stdout)
		}
	}
}

func TestDoctorReadsAPacket(t *testing.T) {
	_, hex, _ := matou(t.Context(), "", "packet build connect --method hmacsha1", v1...)
	if code, stdout, stderr := matou(t.Context(), hex, "doctor aliyun --lang en --device-secret secret --packet -"); code != 0 || !strings.HasPrefix(stdout, rightLogin.Sentence+"\n") {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
	broken := strings.TrimSpace(hex)[2:] // the first byte is missing, as in many tutorials
	code, stdout, stderr := matou(t.Context(), "", "doctor aliyun --device-secret secret --packet "+broken)
	if code != 1 || !strings.Contains(stderr, "not one whole CONNECT") || !strings.Contains(stdout, "10 ") {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
}

func TestDoctorUsage(t *testing.T) {
	for _, tt := range []struct{ name, line, says string }{
		{"nothing sent", "doctor aliyun --device-secret s", "nothing was sent"},
		{"no secret", "doctor aliyun --username u", "--device-secret"},
		{"packet and field", "doctor aliyun --device-secret s --packet c000 --username u", "--username and --packet"},
		{"packet is no hex", "doctor aliyun --device-secret s --packet xyz", "--packet: hex at offset 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if code, _, stderr := matou(t.Context(), "", tt.line); code != 2 || !strings.Contains(stderr, tt.says) {
				t.Errorf("exit %d, %q, want 2 and %q", code, stderr, tt.says)
			}
		})
	}
}
