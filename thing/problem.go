package thing

import "fmt"

// A Problem says why a value is not what its model asks for. The zero value
// of Fault is no problem. Dialects turn it into their vendor's code and text.
type Problem struct {
	Fault    Mistake `json:"fault"`
	Path     string  `json:"path"`           // where: "Power", "Pos.lat", "Log[3]"
	Want     string  `json:"want,omitempty"` // what would be right, for people: "int32 0 to 100"
	WantZH   string  `json:"-"`              // the same in Chinese
	Got      string  `json:"got,omitempty"`  // what came, shortened: "\"hot\""
	Hint     string  `json:"hint,omitempty"` // e.g. the nearest identifier: "CurrentTemperature"
	Expected Kind    `json:"-"`              // the kind the model asks for, where there is one
}

// A Mistake classifies a Problem.
type Mistake byte

// The mistakes.
const (
	NoMistake   Mistake = iota
	Unknown             // identifier not in the model
	WrongType           // shape cannot be the type
	OutOfRange          // below Min or above Max
	OffStep             // not a multiple of Step; never more than a note
	NotListed           // enum or bool value without label
	TooLong             // text, array or bitmap over its bound
	Missing             // a required parameter is not there
	NotWritable         // a set for a read-only property
	BadTime             // time is not a time, or far in the future
)

// Error is a sentence such as `"Power": 120 is outside int32 0 to 100`.
func (p *Problem) Error() string {
	switch p.Fault {
	case Unknown:
		if p.Hint != "" {
			return fmt.Sprintf("%q is not in the model; %q is", p.Path, p.Hint)
		}
		if p.Want != "" {
			return fmt.Sprintf("%q is not in the model, which has %s", p.Path, p.Want)
		}
		return fmt.Sprintf("%q is not in the model", p.Path)
	case WrongType:
		return fmt.Sprintf("%q: %s is not of type %s", p.Path, p.Got, p.Want)
	case OutOfRange:
		return fmt.Sprintf("%q: %s is outside %s", p.Path, p.Got, p.Want)
	case OffStep:
		return fmt.Sprintf("%q: %s is between the steps of %s", p.Path, p.Got, p.Want)
	case NotListed:
		return fmt.Sprintf("%q: %s is not among %s", p.Path, p.Got, p.Want)
	case TooLong:
		return fmt.Sprintf("%q: %s is longer than %s", p.Path, p.Got, p.Want)
	case Missing:
		return fmt.Sprintf("%q is missing; it should be %s", p.Path, p.Want)
	case NotWritable:
		return fmt.Sprintf("%q is read-only: the device reports it, nobody sets it", p.Path)
	case BadTime:
		return fmt.Sprintf("%q: the time %s is not %s", p.Path, p.Got, p.Want)
	}
	return fmt.Sprintf("%q is as it should be", p.Path)
}

// SentenceZH is the sentence in Chinese.
func (p *Problem) SentenceZH() string {
	want := p.WantZH
	if want == "" {
		want = p.Want
	}
	switch p.Fault {
	case Unknown:
		if p.Hint != "" {
			return fmt.Sprintf("物模型中没有 %q，是否应为 %q？", p.Path, p.Hint)
		}
		if want != "" {
			return fmt.Sprintf("物模型中没有 %q，%s", p.Path, want)
		}
		return fmt.Sprintf("物模型中没有 %q", p.Path)
	case WrongType:
		return fmt.Sprintf("%q：%s 的类型不是 %s", p.Path, p.Got, want)
	case OutOfRange:
		return fmt.Sprintf("%q：%s 超出范围 %s", p.Path, p.Got, want)
	case OffStep:
		return fmt.Sprintf("%q：%s 不符合步长 %s", p.Path, p.Got, want)
	case NotListed:
		return fmt.Sprintf("%q：%s 不在可选值之内：%s", p.Path, p.Got, want)
	case TooLong:
		return fmt.Sprintf("%q：%s 超过长度限制 %s", p.Path, p.Got, want)
	case Missing:
		return fmt.Sprintf("缺少 %q，应为 %s", p.Path, want)
	case NotWritable:
		return fmt.Sprintf("%q 是只读属性，只能由设备上报，不能下发", p.Path)
	case BadTime:
		return fmt.Sprintf("%q：时间 %s 应为%s", p.Path, p.Got, want)
	}
	return fmt.Sprintf("%q 没有问题", p.Path)
}
