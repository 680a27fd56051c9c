package loose

import "fmt"

// SentenceZH is Error in Chinese.
func (e *Error) SentenceZH() string {
	s := fmt.Sprintf("第 %d 字节：%s", e.Offset, chinese(e.What))
	if e.Hint != "" {
		s += "（" + chinese(e.Hint) + "）"
	}
	return s
}

func chinese(text string) string {
	if zh := inChinese[text]; zh != "" {
		return zh
	}
	return text
}

// inChinese holds every text of fail; a test finds those that are missing.
var inChinese = map[string]string{
	"a number too large to keep":                                               "数字太大，无法保存",
	"a byte order mark before the document":                                    "文档前有字节序标记（BOM）",
	"save the text as UTF-8 without a mark":                                    "请保存为不带 BOM 的 UTF-8",
	"something follows the end of the document":                                "JSON 结束之后还有内容",
	"a colon is missing behind the name":                                       "名称后面缺少冒号",
	"a comma or a closing bracket is missing":                                  "缺少逗号或右括号",
	"quotes inside a text must be escaped":                                     "字符串内的引号必须转义",
	"the document is empty":                                                    "内容为空",
	"the document ends too early":                                              "JSON 没有写完就结束了",
	truncated:                                                                  "消息被截断：缓冲区或声明的长度太小",
	"a closing bracket without its opening one":                                "右括号没有对应的左括号",
	"objects and arrays are nested too deeply":                                 "对象或数组嵌套太深",
	"a name is expected here":                                                  "此处应为名称",
	"a curly quote where a straight one belongs":                               "应为半角直引号，此处是弯引号",
	"chats and word processors change quotes: type them in the program itself": "聊天软件和文字处理软件会替换引号，请直接在程序中输入",
	"a full-width character where one of ASCII belongs":                        "应为半角字符，此处是全角字符",
	"switch the input method to English punctuation":                           "请切换到英文标点输入",
	"a value is missing":                                                       "缺少值",
	"a variable may have been empty when the text was put together":            "拼接文本时某个变量可能为空",
	"a value is expected here":                                                 "此处应为值",
	"a text has no closing quote":                                              "字符串缺少右引号",
	`\u without four hex digits`:                                               `\u 后面不是四位十六进制数字`,
	"an unknown escape in a text":                                              "字符串中有无法识别的转义",
	`a backslash is written \\`:                                                `反斜杠应写作 \\`,
	"an exponent without digits":                                               "指数部分没有数字",
	"a number with something behind it":                                        "数字后面紧跟其他字符",
	"a text needs quotes":                                                      "字符串需要加引号",
	"infinity or nan is no JSON":                                               "infinity 或 nan 不是 JSON",
	"nan or infinity is no JSON":                                               "nan 或 infinity 不是 JSON",
	sensorFailed:                                                               "传感器读取失败，或除数为零",
	"a sign or point without a number":                                         "正负号或小数点后面没有数字",
	"this is no JSON":                                                          "这不是 JSON",
	"the payload is plain text":                                                "消息内容是纯文本",
	"a word that is not UTF-8":                                                 "有一个词不是 UTF-8",
	"text must be UTF-8, not GBK":                                              "文本必须使用 UTF-8，而不是 GBK",
}
