package packet

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/matou-iot/matou/mqtt"
)

// A packet as a person who reads Chinese sees it.
func TestExplanationInChinese(t *testing.T) {
	got := Explain(mustHex(t, `10 15 00 04 4d 51 54 54 04 c2 00 3c 00 03 61 62 63 00 01 75 00 01 70 30 05 00 01 74 7b 7d 20 02 00 04`), 0).StringZH()
	want := `CONNECT MQTT 3.1.1，客户端标识符 abc，用户名 u，保活 60 秒
     0  10                        报文类型与标志：CONNECT，标志位 0000
     1  15                        剩余长度：其后还有 21 字节
     2  00 04                     协议名长度：4 字节
     4  4d 51 54 54               协议名：MQTT
     8  04                        协议级别：MQTT 3.1.1
     9  c2                        连接标志：有用户名，有密码，清除会话
    10  00 3c                     保活时间：60 秒
    12  00 03                     客户端标识符长度：3 字节
    14  61 62 63                  客户端标识符：abc
    17  00 01                     用户名长度：1 字节
    19  75                        用户名：u
    20  00 01                     密码长度：1 字节
    22  70                        密码：p
PUBLISH，QoS 0，主题 t，负载 2 字节
`
	if !strings.HasPrefix(got, want) {
		t.Errorf("rendered\n%s\nwant it to begin with\n%s", got, want)
	}
	if want := "CONNACK：拒绝：用户名或密码错误\n"; !strings.Contains(got, want) {
		t.Errorf("rendered\n%s\nwithout %q", got, want)
	}
}

func TestFaultInChinese(t *testing.T) {
	got := Explain(mustHex(t, `80 06 00 01 00 01 61 00`), 0).StringZH()
	want := `SUBSCRIBE a，QoS 0；SUBSCRIBE 报文的第一个字节必须是 82
     0  80                        报文类型与标志：SUBSCRIBE，标志位 0010（若为 82）
     1  06                        剩余长度：其后还有 6 字节
     2  00 01                     报文标识符：1
     4  00 01                     主题过滤器长度：1 字节
     6  61                        主题过滤器：a
     7  00                        订阅选项：QoS 0
     !  偏移 0：SUBSCRIBE 报文的第一个字节必须是 82
        改为 82
     =  82 06 00 01 00 01 61 00
`
	if got != want {
		t.Errorf("rendered\n%s\nwant\n%s", got, want)
	}
}

// shared are the fields whose meaning is what a device wrote, or a number.
var shared = []string{
	"protocol name", "protocol level", "client identifier", "user name", "password", "will topic", "will payload", "packet identifier",
	"topic name", "topic filter", "payload", "property length", "unknown property", "user property name", "user property value", "bytes",
}

// Every field that the explanation of any packet has is there in Chinese.
func TestEveryFieldIsTranslated(t *testing.T) {
	for _, seed := range fuzzSeeds {
		b := wire(t, seed)
		for _, v := range []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5} {
			for _, a := range Explain(b, v).Packets {
				for _, f := range a.Fields {
					if !hasHan(f.NameZH) && f.Name != "maximum QoS" {
						t.Errorf("%s: the field %q has no Chinese name", seed, f.Name)
					}
					property := slices.ContainsFunc(propertyForms[:], func(p struct {
						name    string
						section string
						in      carriers
					}) bool {
						return p.name == f.Name
					})
					if words := strings.ContainsFunc(strings.ReplaceAll(f.Meaning, "QoS", ""), unicode.IsLower); words && !hasHan(f.MeaningZH) && !property && !slices.Contains(shared, f.Name) {
						t.Errorf("%s: %s: %q has no Chinese", seed, f.Name, f.Meaning)
					}
				}
			}
		}
	}
}

func TestEveryNameIsTranslated(t *testing.T) {
	for _, p := range propertyForms {
		if p.name != "" && fieldsZH[p.name] == "" {
			t.Errorf("the property %q has no Chinese name", p.name)
		}
	}
	for _, codes := range reasonCodes {
		for i := range len(codes) {
			if !hasHan(reasonsZH[mqtt.ReasonCode(codes[i])]) {
				t.Errorf("reason code %02x has no Chinese name", codes[i])
			}
		}
	}
	if got := reason(0xFE); got != (phrase{"reason code 0xFE", "原因码（0xFE）"}) {
		t.Errorf("an unknown reason code is %+v", got)
	}
}

func hasHan(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}
