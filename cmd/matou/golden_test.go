package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// outcome is what a command left behind, as golden files keep it.
func outcome(args []string, stdin string) string {
	var stdout, stderr bytes.Buffer
	code := run(context.Background(), args, strings.NewReader(stdin), &stdout, &stderr)
	return fmt.Sprintf("$ matou %s\n-- stdout --\n%s-- stderr --\n%s-- exit --\n%d\n", quoted(args), stdout.String(), stderr.String(), code)
}

func quoted(args []string) string {
	var out []string
	for _, a := range args {
		if a == "" || strings.ContainsAny(a, " |&'\"{}$#\n") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		out = append(out, a)
	}
	return strings.Join(out, " ")
}

// golden compares got with a file of testdata, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// The identities of the worked vectors: Aliyun V1 and V2 [aliyun-device §2.10]
// and OneNET's [onenet §2.4].
var (
	v1       = []string{"--product-key", "pk", "--device-name", "device", "--device-secret", "secret", "--client-id", "12345", "--timestamp", "789"}
	lamp     = []string{"--product-key", "a1NightLamp", "--device-name", "lamp01", "--device-secret", "Zk3Qw8ErT5yUiOp1AsDf7GhJkLzXcV2b"}
	tv       = []string{"--product-id", "VRqhDHF2wL", "--device-name", "my_tv", "--key", "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=", "--et", "1893456000"}
	tvToken  = "version=2018-10-31&res=products%2FVRqhDHF2wL%2Fdevices%2Fmy_tv&et=1893456000&method=sha1&sign=fDfXBcMmuy1xrSMDu5C1CLAxmCo%3D"
	captured = "10980100044d51545404c2003c00056d795f7476000a5652716844484632774c007976657273696f6e3d323031382d31302d3331267265733d70726f64756374732532465652716844484632774c253246646576696365732532466d795f74762665743d31363631323435303331266d6574686f643d6d6435267369676e3d7934694450753659703834464f377378706364635351253344253344"
)

// with joins words and flags into one command line.
func with(words string, flags ...[]string) []string {
	out := strings.Fields(words)
	for _, f := range flags {
		out = append(out, f...)
	}
	return out
}

func TestGolden(t *testing.T) {
	for _, tt := range []struct {
		name  string
		args  []string
		stdin string
	}{
		{"sign-aliyun-v1", with("sign aliyun --method hmacsha1 --show-string", v1), ""},
		{"sign-aliyun-md5-json", with("sign aliyun --method hmacmd5 --json --host iot.example.com", v1), ""},
		{"sign-aliyun-default-tls", with("sign aliyun --secure-mode 2", lamp), ""},
		{"sign-aliyun-missing", with("sign aliyun --product-key pk"), ""},
		{"sign-aliyun-bad-method", with("sign aliyun --method md5", lamp), ""},
		{"sign-onenet-sha1", with("sign onenet --show-string", tv), ""},
		{"sign-onenet-product-md5-json", with("sign onenet --method md5 --res products/VRqhDHF2wL --json --port 8883", tv), ""},
		{"packet-build-connect-onenet", with("packet build connect --method sha1", tv), ""},

		{"packet-explain-ping", with("packet explain c000"), ""},
		{"packet-explain-captured-connect", with("packet explain " + captured), ""},
		{"packet-explain-captured-connect-zh", with("packet explain --lang zh " + captured), ""},
		{"packet-explain-broken-zh", with("packet explain --lang zh -"), "{0xC0, 0x01}"},
		{"packet-explain-json", with("packet explain --json --version 3.1.1 d000"), ""},
		{"packet-explain-broken", with("packet explain -"), "{0xC0, 0x01}"},
		{"packet-explain-file", with("packet explain testdata/publish.bin"), ""},
		{"packet-capture-bad-to", with("packet capture --to 127.0.0.1:x"), ""},
		{"packet-explain-neither", with("packet explain xyz"), ""},
		{"packet-explain-nothing", with("packet explain"), ""},

		{"packet-build-connect", with("packet build connect -i lamp"), ""},
		{"packet-build-connect-c", with("packet build connect -i lamp -u u -P p --keep-alive 120 --no-clean --version 3.1 --form c"), ""},
		{"packet-build-connect-aliyun", with("packet build connect --form at", lamp), ""},
		{"packet-build-connect-password-alone", with("packet build connect -P p"), ""},
		{"packet-build-connect-signed-twice", with("packet build connect -u me", lamp), ""},
		{"packet-build-connect-two-vendors", with("packet build connect --product-id p", lamp), ""},
		{"packet-build-connect-long-keep-alive", with("packet build connect --keep-alive 24h"), ""},
		{"packet-build-publish", with("packet build publish -t t/1 -m hi"), ""},
		{"packet-build-publish-v5-json", with("packet build publish -t t/1 -f - -q 1 --id 7 -r --dup --version 5 --user-property unit=C --expiry 60 --content-type text/plain --response-topic r --json"), "21.5"},
		{"packet-build-publish-v5-flag", with("packet build publish -t t/1 -m hi --expiry 60s"), ""},
		{"packet-build-publish-wildcard", with("packet build publish -t t/# -m hi"), ""},
		{"packet-build-subscribe", with("packet build subscribe -t a/# -t b -q 1 --id 2 --form at"), ""},
		{"packet-build-subscribe-bad", with("packet build subscribe -t a/#/b"), ""},
		{"packet-build-ping", with("packet build ping --form at"), ""},
		{"packet-build-disconnect", with("packet build disconnect --form c"), ""},
		{"packet-build-bad-form", with("packet build ping --form xml"), ""},

		{"pub-no-topic", with("pub"), ""},
		{"pub-no-message", with("pub t/1"), ""},
		{"pub-two-messages", with("pub t/1 -m a -f b"), ""},
		{"pub-bad-url", with("pub --url http://host t/1 hi"), ""},
		{"pub-url-and-port", with("pub --url mqtt://host --port 1 t/1 hi"), ""},
		{"pub-bad-qos", with("pub t/1 hi -q 3"), ""},
		{"pub-missing-cafile", with("pub --cafile testdata/none.pem t/1 hi"), ""},
		{"pub-empty-cafile", with("pub --cafile testdata/publish.bin t/1 hi"), ""},
		{"pub-will-without-topic", with("pub t/1 hi --will-payload x"), ""},
		{"pub-signed-and-password", with("pub t/1 hi -u me", lamp), ""},
		{"pub-bad-user-property", with("pub t/1 hi --version 5 --user-property unit"), ""},
		{"sub-no-filter", with("sub"), ""},
		{"sub-bad-filter", with("sub a/#/b"), ""},
		{"sub-bad-timeout", with("sub a -W soon"), ""},
		{"sub-session-without-id", with("sub a -c"), ""},

		{"refusal-list", with("refusal list aliyun-token --lang en"), ""},
		{"refusal-list-zh", with("refusal list --kind value --lang zh"), ""},
		{"refusal-list-none", with("refusal list nothing-like-it"), ""},
		{"refusal-show", with("refusal show aliyun-clientid-no-bars --lang en"), ""},
		{"refusal-show-zh", with("refusal show onenet-keep-alive --lang zh"), ""},
		{"refusal-show-json", with("refusal show aliyun-shadow-version --json"), ""},
		{"refusal-show-unknown", with("refusal show nothing-like-it"), ""},

		{"unknown-command", with("fly"), ""},
		{"unknown-flag", with("version --fast"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			golden(t, tt.name, outcome(tt.args, tt.stdin))
		})
	}
}

// TestEveryCommandHasExamples asks each command for its help.
func TestEveryCommandHasExamples(t *testing.T) {
	for _, words := range []string{
		"version", "pub", "sub", "sign aliyun", "sign onenet", "doctor aliyun", "doctor onenet", "packet explain",
		"packet build connect", "packet build publish", "packet build subscribe", "packet build ping", "packet build disconnect",
	} {
		got := outcome(with(words+" --help"), "")
		if !strings.Contains(got, "Examples:") || !strings.Contains(got, "matou "+words) || !strings.HasSuffix(got, "-- exit --\n0\n") {
			t.Errorf("matou %s --help has no examples:\n%s", words, got)
		}
	}
}

func TestBadKeyIsNamed(t *testing.T) {
	for _, words := range []string{"sign onenet", "packet build connect", "pub t hi"} {
		got := outcome(with(words+" --product-id p --device-name d --key !"), "")
		if !strings.Contains(got, "matou: --key: ") || !strings.HasSuffix(got, "-- exit --\n2\n") {
			t.Errorf("%s", got)
		}
	}
}
