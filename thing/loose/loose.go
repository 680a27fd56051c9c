// Package loose reads JSON as devices write it. It takes what JSON is, and the
// liberties that vendors' real back ends take as well: single quotes, bare
// names, a comma too many, a NUL at the end [aliyun-device §9]. It says which
// of them it met, and refuses what points to a real fault, such as a missing
// brace (a buffer was too small) or nan (a sensor failed).
//
// It reads in one pass and allocates nothing for numbers, names and plain
// strings. It is no validator for anything but devices' messages: use
// encoding/json elsewhere.
package loose

import (
	"fmt"
	"strings"
)

// Looseness is the set of liberties that a document takes; 0 is strict JSON.
type Looseness uint16

// The liberties.
const (
	SingleQuotes  Looseness = 1 << iota // 'text'
	BareKeys                            // {temp:1}
	BareStrings                         // {"mode":auto}
	ExtraCommas                         // [1,,2,]
	LeadingPlus                         // +1
	LeadingZeros                        // 007
	TrailingBytes                       // NUL or other control bytes behind the document
	RawControl                          // a control byte inside a string
	LoosePoint                          // .5 or 5.
	NotUTF8                             // a string of another encoding, GBK most often
)

var names = [...]string{
	"single quotes", "keys without quotes", "strings without quotes", "extra commas", "leading plus",
	"leading zeros", "bytes behind the end", "control characters in a string", "a number that begins or ends with its point",
	"text that is not UTF-8 (GBK?), whose characters are lost",
}

var namesZH = [len(names)]string{
	"单引号", "名称没有引号", "字符串没有引号", "多余的逗号", "数字前有加号",
	"数字前有多余的零", "结尾之后还有字节", "字符串中有控制字符", "数字以小数点开头或结尾",
	"文本不是 UTF-8（可能是 GBK），其中的字符已丢失",
}

// String lists the liberties for people.
func (l Looseness) String() string {
	var s []string
	for i, name := range names {
		if l&(1<<i) != 0 {
			s = append(s, name)
		}
	}
	return strings.Join(s, ", ")
}

// StringZH is String in Chinese.
func (l Looseness) StringZH() string {
	var s []string
	for i, name := range namesZH {
		if l&(1<<i) != 0 {
			s = append(s, name)
		}
	}
	return strings.Join(s, "、")
}

// MaxDepth bounds the nesting of objects and arrays; deeper is an error.
const MaxDepth = 32

// An Error says where and why reading stopped.
type Error struct {
	Offset int    // byte of the document
	What   string // what is wrong
	Hint   string // what usually causes it, "" where nothing does
}

func (e *Error) Error() string {
	s := fmt.Sprintf("byte %d: %s", e.Offset, e.What)
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// A Token is what Next met.
type Token byte

// The tokens. After Bad comes only Bad, after EOF only EOF.
const (
	Bad Token = iota
	EOF
	BeginObject
	EndObject
	BeginArray
	EndArray
	Key
	Str
	Num
	True
	False
	Nil
)
