package wording_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/thing"
)

func TestChinese(t *testing.T) {
	_, noTSL := aliyun.ImportTSL([]byte(`{}`))
	_, badTSL := aliyun.ImportTSL([]byte(`{"properties":[{"identifier":"A","accessMode":"x","dataType":{"type":"int"}}]}`))
	_, noHex := packet.ParseHex("1g")
	noProduct := fault.NotFound("there is no product %q", "p")
	for _, tt := range []struct {
		name   string
		err    error
		en, zh string
	}{
		{"a fault", noProduct, `there is no product "p"`, `产品 "p" 不存在`},
		{"words in another order", fault.Invalid("%d of %d devices cannot be made; none was", 1, 2), "1 of 2 devices cannot be made; none was", "2 台设备中有 1 台无法创建，因此全部未创建"},
		{"a fault in a field", fault.In("key", noProduct), `there is no product "p"`, `产品 "p" 不存在`},
		{"a problem of a value", fault.Invalid("%w", &thing.Problem{Fault: thing.NotWritable, Path: "A"}), `"A" is read-only: the device reports it, nobody sets it`, `"A" 是只读属性，只能由设备上报，不能下发`},
		{"ours in ours", fault.Invalid("the model cannot be read: %v", badTSL), `the model cannot be read: aliyun: properties[0] "A": accessMode "x" is none of r, rw, w`, `物模型无法读取：properties[0] "A"：accessMode "x" 无法识别，可用：r、rw、w`},
		{"of errors.New", noTSL, "aliyun: this is no TSL: it has neither properties nor events nor services", "其中没有 properties、events 或 services，不是物模型 TSL"},
		{"a type that says what it was made of", mqtt.ValidTopicName("a/+"), "mqtt: topic name invalid [MQTT3-4.7.1-1]: a topic name holds no wildcard, neither + nor #", "Topic 不合法 [MQTT3-4.7.1-1]：发布的 Topic 不能含通配符 + 和 #"},
		{"hex", noHex, `hex at offset 1: 'g' is not a hexadecimal digit`, `十六进制文本的偏移 1 处：'g' 不是十六进制数字`},
		{"another's in ours", fault.Unavailable("the data could not be stored: %w", io.ErrUnexpectedEOF), "the data could not be stored: unexpected EOF", "数据未能保存：unexpected EOF"},
		{"ours in another's", fmt.Errorf("lamp.yaml: %w", noProduct), `lamp.yaml: there is no product "p"`, `lamp.yaml: 产品 "p" 不存在`},
		{"several", errors.Join(noProduct, io.EOF), "there is no product \"p\"\nEOF", "产品 \"p\" 不存在\nEOF"},
		{"of two", wording.InBoth("no", "不"), "no", "不"},
		{"nobody's", io.EOF, "EOF", "EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.err == nil || tt.err.Error() != tt.en || wording.Chinese(tt.err) != tt.zh {
				t.Errorf("%v\n%s", tt.err, wording.Chinese(tt.err))
			}
		})
	}
	if wording.Chinese(nil) != "" {
		t.Error("nothing says something")
	}
}

func TestErrorsAreStillThemselves(t *testing.T) {
	err := wording.Errorf("go on: %w, %w", io.EOF, fault.NotFound("there is no product %q", "p"))
	if !errors.Is(err, io.EOF) || fault.KindOf(err) != fault.KindNotFound {
		t.Error(err)
	}
	if err := fault.Unavailable("the data could not be stored: %w", io.EOF); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	if fault.SentenceZH(io.EOF) != "服务器内部错误" || strings.Contains(fault.Sentence(io.EOF), "EOF") {
		t.Error("a foreign error is told to outsiders")
	}
}

// TestFilesInChinese: what Go's own packages say of a file that somebody named.
func TestFilesInChinese(t *testing.T) {
	missing := func() error { _, err := os.Open("none.yaml"); return err }()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, twice := net.Listen("tcp", taken.Addr().String())
	_, quotes := csv.NewReader(strings.NewReader("name\na\"b")).ReadAll()
	_, fields := csv.NewReader(strings.NewReader("a,b\nc")).ReadAll()
	var v any
	var m struct {
		Protocol string `json:"protocol"`
	}
	strict := json.NewDecoder(strings.NewReader(`{"step":1}`))
	strict.DisallowUnknownFields()
	for err, want := range map[error]string{
		twice:                            "无法监听 " + taken.Addr().String() + "：端口已被占用",
		os.Symlink("here", "none/there"): "无法创建链接 none/there：没有这个文件或目录",
		missing:                          "无法打开 none.yaml：没有这个文件或目录",
		wording.Errorf("%s: %w", "f.csv", quotes): "f.csv：第 2 行第 2 列的引号位置不对或没有闭合",
		fields:                                        "第 2 行的列数与首行不同",
		json.Unmarshal([]byte("{"), &v):               "JSON 不完整",
		json.Unmarshal([]byte(`{"a" 1}`), &v):         "不是有效的 JSON（第 6 字节）",
		strict.Decode(&m):                             `无法识别的成员 "step"`,
		json.Unmarshal([]byte(`{"protocol":1}`), &m):  "成员 protocol 的类型不对，收到的是数字",
		json.Unmarshal([]byte(`{"protocol":[]}`), &m): "成员 protocol 的类型不对，收到的是数组",
		json.Unmarshal([]byte(`true`), &m):            "JSON 的类型不对，收到的是布尔值（第 4 字节）",
	} {
		if got := wording.Chinese(err); got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
}
