package script

import "fmt"

// A Kind is what a script did wrong.
type Kind string

// The kinds, each with the vendor's code [aliyun-device §5.9].
const (
	Missing     Kind = "script-missing"          // 6200
	NoResult    Kind = "script-no-result"        // 6201
	NotJSON     Kind = "script-not-json"         // 6207
	Empty       Kind = "script-empty"            // 26001
	Exception   Kind = "script-exception"        // 26002
	Syntax      Kind = "script-syntax"           // 26002
	OutOfTime   Kind = "script-out-of-time"      // 26002
	OutOfMemory Kind = "script-out-of-memory"    // 26002
	NoFunction  Kind = "script-function-missing" // 26006
	WrongResult Kind = "script-wrong-result"     // 26007
	TooLarge    Kind = "script-too-large"        // 26007
	Throttled   Kind = "script-throttled"        // 26010
)

type words struct {
	code                           int
	sentence, zh, advice, adviceZH string
}

var kinds = map[Kind]words{
	Missing: {6200, "the product has no script for the bytes of its devices", "产品没有数据解析脚本",
		"upload one: matou product script set PRODUCT FILE", "请上传脚本：matou product script set PRODUCT FILE"},
	NoResult: {6201, "the script returned nothing", "脚本返回空结果",
		"return the message that the bytes stand for", "请返回与数据对应的消息"},
	NotJSON: {6207, "the script returned a text that is no JSON object", "脚本返回的文本不是 JSON 对象",
		"return an object, or the JSON of one", "请返回对象或其 JSON 文本"},
	Empty: {26001, "the script is empty", "脚本内容为空",
		"write the functions rawDataToProtocol and protocolToRawData", "请编写 rawDataToProtocol 和 protocolToRawData 函数"},
	Exception: {26002, "the script threw an exception", "脚本执行异常",
		"try it with the same bytes: matou product script test", "请用相同的数据试运行：matou product script test"},
	Syntax: {26002, "the script cannot be compiled", "脚本无法编译",
		"mend it at the place that is named", "请修改所指位置的代码"},
	OutOfTime: {26002, "the script took more than 100 ms of processor time", "脚本运行超过 100 毫秒",
		"look for a loop that does not end", "请检查是否有不会结束的循环"},
	OutOfMemory: {26002, "the script took more memory than it may", "脚本占用的内存超过限制",
		"look for an array or text that grows for ever, or whose length comes from the device", "请检查是否有无限增长的数组或文本，或由设备数据决定长度的分配"},
	NoFunction: {26006, "the script lacks a function that is needed", "脚本缺少所需的函数",
		"write the function", "请编写该函数"},
	WrongResult: {26007, "the script returned something of the wrong type", "脚本返回值类型不正确",
		"rawDataToProtocol and transformPayload return an object, protocolToRawData an array of bytes", "rawDataToProtocol 与 transformPayload 应返回对象，protocolToRawData 应返回字节数组"},
	TooLarge: {26007, "a message of the script is larger than 256 KB", "脚本的输入或输出超过 256 KB",
		"split the message", "请拆分消息"},
	Throttled: {26010, "the script is not run now", "脚本被限流，暂不运行",
		"make it faster, or mend what makes it reach its limits; a new script is run at once", "请优化脚本或修复触发限制的问题；上传新脚本后立即恢复"},
}

// An Error is what a script did wrong.
type Error struct {
	Kind    Kind   `json:"kind"`
	Message string `json:"message,omitempty"` // the engine's own, or what it is about
	Line    int    `json:"line,omitempty"`    // counted from 1; 0 where it has no place
	Column  int    `json:"column,omitempty"`
}

// Error says it in one sentence.
func (e *Error) Error() string { return e.say(kinds[e.Kind].sentence, ": ", " (line %d, column %d)") }

// SentenceZH says it in Chinese.
func (e *Error) SentenceZH() string {
	return e.say(kinds[e.Kind].zh, "：", "（第 %d 行第 %d 列）")
}

func (e *Error) say(sentence, colon, place string) string {
	if e.Message != "" {
		sentence += colon + e.Message
	}
	if e.Line > 0 {
		sentence += fmt.Sprintf(place, e.Line, e.Column)
	}
	return sentence
}

// Code is the vendor's.
func (e *Error) Code() int { return kinds[e.Kind].code }

// Advice says what to do.
func (e *Error) Advice() (en, zh string) { return kinds[e.Kind].advice, kinds[e.Kind].adviceZH }
