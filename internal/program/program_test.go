package program

import (
	"bytes"
	"errors"
	"flag"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/thing"
)

var update = flag.Bool("update", false, "write the golden programs anew")

func bound(f float64) *float64 { return &f }

// lampModel is the night light's: every kind of property that programs know,
// and some that they do not.
var lampModel = (&thing.Model{Properties: []thing.Property{
	{ID: "CurrentTemperature", Name: "当前温度", Type: thing.DataType{Kind: thing.Float, Min: bound(-40), Max: bound(85), Step: bound(0.1), Unit: "°C"}},
	{ID: "NightLightSwitch", Name: "夜灯开关", Access: thing.ReadWrite, Type: thing.DataType{Kind: thing.Bool}},
	{ID: "light:Level", Name: "level", Access: thing.ReadWrite, Type: thing.DataType{Kind: thing.Int32, Min: bound(0), Max: bound(10), Step: bound(2)}},
	{ID: "Mode", Name: "mode", Type: thing.DataType{Kind: thing.Enum, Labels: []thing.Label{{Value: 3, Text: "auto"}}}},
	{ID: "Note", Name: "a note */ of\nthe // person \\", Type: thing.DataType{Kind: thing.Text, Length: 20}},
	{ID: "Target", Name: "write only", Access: thing.WriteOnly, Type: thing.DataType{Kind: thing.Double, Step: bound(0.001)}},
	{ID: "Position", Name: "where", Type: thing.DataType{Kind: thing.Struct}},
}}).Index()

var plans = map[string]Plan{
	"aliyun": {
		Dialect: "aliyun", Product: "a1NightLamp", Device: "lamp01", Secret: "Zk3Qw8ErT5yUiOp1AsDf7GhJkLzXcV2b",
		ClientID: "a1NightLamp.lamp01|securemode=3,signmethod=hmacsha256|", Username: "lamp01&a1NightLamp",
		Password: "53e2bb1a2c2e2c3b0e6b8d1c0d8b7c0f53e2bb1a2c2e2c3b0e6b8d1c0d8b7c0f", Host: "192.168.1.10", Port: 1883, Model: lampModel,
	},
	"onenet": {
		Dialect: "onenet", Product: "VRqhDHF2wL", Device: "my_tv", Secret: "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=", ClientID: "my_tv", Username: "VRqhDHF2wL",
		Password: "version=2018-10-31&res=products%2FVRqhDHF2wL%2Fdevices%2Fmy_tv&et=1661245031&method=md5&sign=y4iDPu6Yp84FO7sxpcdcSQ%3D%3D",
		Host:     "127.0.0.1", Port: 1883, Model: lampModel,
	},
	"mqtt": {Dialect: "mqtt", Product: "house", Device: "door", Secret: "s3cret", ClientID: "house.door", Username: "house/door", Password: "s3cret", Host: "localhost", Port: 11883},
}

func program(t *testing.T, target string, p Plan) string {
	t.Helper()
	got, err := Write(target, p)
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != target || got.File == "" || got.Title == "" || got.TitleZH == "" {
		t.Errorf("%+v", got.Target)
	}
	return got.Text
}

func TestGoldenPrograms(t *testing.T) {
	for _, target := range Targets() {
		t.Run(target.Name, func(t *testing.T) {
			got := program(t, target.Name, plans["aliyun"])
			file := filepath.Join("testdata", target.File)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s differs from %s; look at it with -update and git diff", target.Name, file)
			}
		})
	}
}

func TestEveryProgramSaysWhatToChange(t *testing.T) {
	for dialect, p := range plans {
		for _, target := range Names() {
			text := program(t, target, p)
			for _, want := range []string{"Change 需要修改", p.Host} {
				if !strings.Contains(text, want) {
					t.Errorf("%s for %s does not say %q", target, dialect, want)
				}
			}
			head := strings.SplitN(text, "\n\n", 2)[0]
			if local(p.Host) != strings.Contains(text, "a device needs its address in your network") {
				t.Errorf("%s for %s: %s", target, dialect, head)
			}
			if dialect == "onenet" && target != "go" && !strings.Contains(text, "2022-08-23") {
				t.Errorf("%s for %s does not say when the token ends", target, dialect)
			}
			if !utf8.ValidString(text) || strings.Contains(text, "[[") || strings.Contains(text, "]]") || strings.Contains(text, "<no value>") || !strings.HasSuffix(text, "\n") {
				t.Errorf("%s for %s:\n%s", target, dialect, text)
			}
		}
	}
}

// A sketch over TLS holds the authority, or says that it has to be put in.
func TestSketchOverTLS(t *testing.T) {
	p := plans["aliyun"]
	p.TLS, p.Port = true, 8883
	for authority, want := range map[string]string{
		"": "R\"PEM(\n-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n)PEM\"",
		"-----BEGIN CERTIFICATE-----\nTWF0b3U=\n-----END CERTIFICATE-----\n": "R\"PEM(\n-----BEGIN CERTIFICATE-----\nTWF0b3U=\n-----END CERTIFICATE-----\n)PEM\"",
	} {
		p.Authority = authority
		text := program(t, "arduino", p)
		if !strings.Contains(text, want) || (authority == "") != strings.Contains(text, "the authority of the server's certificate") {
			t.Errorf("%s", text)
		}
	}
	if text := program(t, "arduino", plans["aliyun"]); strings.Contains(text, "PEM") || strings.Contains(text, "Secure") {
		t.Errorf("without TLS:\n%s", text)
	}
}

// The packets of seed 002, byte for byte, with its token.
func TestSeed002(t *testing.T) {
	p := plans["onenet"]
	p.Model = (&thing.Model{Properties: []thing.Property{{ID: "wendu", Type: thing.DataType{Kind: thing.Float}}}}).Index()
	text := program(t, "at", p)
	for _, want := range []string{
		"AT+CIPSEND=155\n10980100044d51545404c2003c00056d795f7476000a5652716844484632774c007976657273696f6e3d323031382d31302d3331267265733d70726f64756374732532465652716844484632774c253246646576696365732532466d795f74762665743d31363631323435303331266d6574686f643d6d6435267369676e3d7934694450753659703834464f377378706364635351253344253344\n",
		"AT+CIPSEND=47\n822d00010028247379732f5652716844484632774c2f6d795f74762f7468696e672f70726f70657274792f73657400\n",
		`{"id":"1","version":"1.0","params":{"wendu":{"value":21.5}}}`,
		"AT+CIPSEND=2\ne000\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

var (
	hexLine = regexp.MustCompile(`(?m)^AT\+CIPSEND=(\d+)\n([0-9a-f]+)$`)
	counted = regexp.MustCompile(`(?m)^(?:AT\+MQTTLONG\w+=0,(\d+)|AT\+MQTTPUBRAW=0,".*?",(\d+),0,0|AT\+QMTPUBEX=0,0,0,0,".*?",(\d+))\n(.*)$`)
	inline  = regexp.MustCompile(`(?m)^AT\+LMQTTPUB=0,0,0,0,".*?",(\d+),"(.*)"$`)
)

func TestLengthsAreRight(t *testing.T) {
	for dialect, p := range plans {
		for target, want := range map[string]int{"at": 5, "at-mqtt": 4, "at-ec20": 1, "at-nt35e": 1} {
			text, n := program(t, target, p), 0
			check := func(digits, data string, size int) {
				n++
				if digits != strconv.Itoa(size) {
					t.Errorf("%s for %s announces %s bytes for %s", target, dialect, digits, data)
				}
			}
			for _, m := range hexLine.FindAllStringSubmatch(text, -1) {
				check(m[1], m[2], len(m[2])/2)
				b, err := packet.ParseHex(m[2])
				if err != nil {
					t.Fatal(err)
				}
				if x := packet.Explain(b, 0); len(x.Packets) != 1 || len(x.Packets[0].Faults) > 0 {
					t.Errorf("%s for %s: %s", target, dialect, x)
				}
			}
			for _, m := range counted.FindAllStringSubmatch(text, -1) {
				check(m[1]+m[2]+m[3], m[4], len(m[4]))
			}
			for _, m := range inline.FindAllStringSubmatch(text, -1) {
				check(m[1], m[2], len(m[2]))
			}
			if n != want {
				t.Errorf("%s for %s has %d texts with a length:\n%s", target, dialect, n, text)
			}
		}
	}
}

// awkward is a device whose strings end comments and literals wherever they
// can.
var awkward = Plan{
	Dialect: "mqtt", Product: `a"b\c`, Device: "门 */ ??/ 1", Secret: `p"w'\ %s ??= */ {{x}} 密`, ClientID: `x", y\`, Username: `u"/'`,
	Password: `p"w'\ %s ??= */ {{x}} 密`, Host: "192.168.1.10", Port: 1883, Model: lampModel,
}

// Each program is read by a compiler of its language, whatever the device is
// called. What needs headers of a board is compiled in test/.
func TestProgramsAreWhatTheirLanguageReads(t *testing.T) {
	dir := t.TempDir()
	all := map[string]Plan{"awkward": awkward}
	for d, p := range plans {
		all[d] = p
	}
	for name, p := range all {
		if formatted, err := format.Source([]byte(program(t, "go", p))); err != nil {
			t.Errorf("go for %s: %v", name, err)
		} else if len(formatted) == 0 {
			t.Errorf("go for %s is empty", name)
		}
		for _, tool := range []struct {
			target, file, program string
			args                  []string
		}{
			{"c", "c.c", "cc", []string{"-std=c99", "-Wall", "-Wextra", "-Wno-unused", "-Werror", "-fsyntax-only"}},
			{"python", "p.py", "python3", []string{"-c", "import ast, sys; ast.parse(open(sys.argv[1], encoding='utf-8').read())"}},
			{"micropython", "m.py", "python3", []string{"-c", "import ast, sys; ast.parse(open(sys.argv[1], encoding='utf-8').read())"}},
			{"node", "n.js", "node", []string{"--check"}},
		} {
			t.Run(name+"/"+tool.target, func(t *testing.T) {
				if _, err := exec.LookPath(tool.program); err != nil {
					t.Skipf("SKIPPED: %s is not installed", tool.program)
				}
				file := filepath.Join(dir, tool.file)
				if err := os.WriteFile(file, []byte(program(t, tool.target, p)), 0o600); err != nil {
					t.Fatal(err)
				}
				if out, err := exec.Command(tool.program, append(tool.args, file)...).CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
	}
}

// What the C compiler makes of the awkward strings is what they were.
func TestCReadsTheRightBytes(t *testing.T) {
	if _, err := exec.LookPath("cc"); err != nil {
		t.Skip("SKIPPED: cc is not installed")
	}
	dir := t.TempDir()
	source := program(t, "c", awkward) + `
#include <stdio.h>
int main(void) {
    fwrite(mqtt_connect, 1, sizeof mqtt_connect, stdout);
    fwrite(mqtt_publish, 1, sizeof mqtt_publish, stdout);
    return 0;
}
`
	file, bin := filepath.Join(dir, "main.c"), filepath.Join(dir, "main")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cc", "-o", bin, file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(bin).Output()
	if err != nil {
		t.Fatal(err)
	}
	v, err := newView(awkward)
	if err != nil {
		t.Fatal(err)
	}
	if want := append(bytes.Clone(v.Packet("connect").Bytes), v.Packet("publish").Bytes...); !bytes.Equal(out, want) {
		t.Errorf("\n got %x\nwant %x", out, want)
	}
}

func TestWhatCannotBeWritten(t *testing.T) {
	change := func(f func(*Plan)) Plan {
		p := plans["mqtt"]
		f(&p)
		return p
	}
	for _, tt := range []struct {
		name, target string
		plan         Plan
		says         string
	}{
		{"no such target", "cobol", plans["mqtt"], "there are at, at-mqtt"},
		{"no secret", "c", change(func(p *Plan) { p.Password = "" }), "has no secret"},
		{"no host", "c", change(func(p *Plan) { p.Host = "" }), "no host"},
		{"no port", "c", change(func(p *Plan) { p.Port = 0 }), "port 0"},
		{"a line end in the password", "c", change(func(p *Plan) { p.Password = "a\nb" }), "control character"},
		{"a host too long for the module", "at", change(func(p *Plan) { p.Host = strings.Repeat("h", 65) }), "64 at most"},
		{"quotes in an AT parameter", "at-ec20", change(func(p *Plan) { p.Password = `a"b` }), "quotation mark"},
		{"TLS that the module is not known to do", "at-nt35e", change(func(p *Plan) { p.TLS = true }), "connects without TLS"},
		{"a password too long for MQTT", "python", change(func(p *Plan) { p.Password = strings.Repeat("p", 65536) }), "CONNECT"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Write(tt.target, tt.plan)
			if err == nil || !strings.Contains(err.Error(), tt.says) || errors.Is(err, ErrTarget) != (tt.target == "cobol") {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestSamplesFitTheirTypes(t *testing.T) {
	for _, tt := range []struct {
		t    thing.DataType
		want string
	}{
		{thing.DataType{Kind: thing.Float}, "21.5"},
		{thing.DataType{Kind: thing.Float, Min: bound(-40), Max: bound(100), Step: bound(0.1)}, "21.5"},
		{thing.DataType{Kind: thing.Float, Min: bound(0), Max: bound(1), Step: bound(0.01)}, "0.50"},
		{thing.DataType{Kind: thing.Double, Min: bound(100)}, "100.0"},
		{thing.DataType{Kind: thing.Double, Max: bound(-5)}, "-5.0"},
		{thing.DataType{Kind: thing.Int32, Min: bound(0), Max: bound(10), Step: bound(3)}, "3"},
		{thing.DataType{Kind: thing.Int32, Min: bound(0), Max: bound(1)}, "0"},
		{thing.DataType{Kind: thing.Int64, Min: bound(1e15)}, "1000000000000000"},
		{thing.DataType{Kind: thing.Enum, Labels: []thing.Label{{Value: 7}}}, "7"},
		{thing.DataType{Kind: thing.Bool}, "true"},
	} {
		v := &view{Plan: Plan{Dialect: "mqtt"}}
		m, ok := v.member(&thing.Property{ID: "x", Type: tt.t})
		if !ok || m.Sample != tt.want {
			t.Errorf("%s: %q", &tt.t, m.Sample)
		}
		value, err := thing.ParseValue([]byte(m.Sample))
		if err != nil {
			t.Fatal(err)
		}
		if _, problem, ok := tt.t.Check("x", value, thing.Rules{}); !ok || problem.Fault != 0 && problem.Fault != thing.OffStep {
			t.Errorf("%s: %s is %v", &tt.t, m.Sample, &problem)
		}
	}
	for _, tt := range [][2]string{{"21.5", "215"}, {"-5.0", "-50"}, {"0.05", "5"}, {"0.00", "0"}, {"7", "7"}} {
		if got := scaled(member{Sample: tt[0]}); got != tt[1] {
			t.Errorf("%s without its point is %s", tt[0], got)
		}
	}
}

func FuzzWrite(f *testing.F) {
	f.Add("a1NightLamp", "lamp01", "c|x|", "u", `p"w\`, "host", "Temperature", "name")
	f.Add(`a"b\`, "*/", "??/", "\u2028", "]]", "h", "a:b", "[[")
	f.Fuzz(func(t *testing.T, product, device, id, user, password, host, property, name string) {
		model := (&thing.Model{Properties: []thing.Property{{ID: property, Name: name, Access: thing.ReadWrite, Type: thing.DataType{Kind: thing.Text}}}}).Index()
		p := Plan{Dialect: "mqtt", Product: product, Device: device, Secret: password, ClientID: id, Username: user, Password: password, Host: host, Port: 1, Model: model}
		got, err := Write("go", p)
		if err != nil {
			return
		}
		if !utf8.ValidString(product + device + id + user + password + host + property + name) {
			return
		}
		if _, err := format.Source([]byte(got.Text)); err != nil {
			t.Errorf("%v\n%s", err, got.Text)
		}
	})
}
