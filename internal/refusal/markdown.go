package refusal

import (
	"fmt"
	"strings"
)

//go:generate go test -run TestPagesAreInTheDocumentation -update

// Markdown is the page as it is in the documentation, both languages.
func (p *Page) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s.\n\n%s。\n\n", p.Code, mark(p.Title), mark(p.TitleZH))
	b.WriteString("## English\n")
	section(&b, "On the side of the device", p.Device)
	section(&b, "Usual causes", p.Cause)
	section(&b, "What to do", stop(p.Advice, "."))
	section(&b, "Example", "```\n"+p.Example+"\n```")
	b.WriteString("\n## 中文\n")
	section(&b, "设备端现象", p.DeviceZH)
	section(&b, "常见原因", p.CauseZH)
	section(&b, "处理方法", stop(p.AdviceZH, "。"))
	section(&b, "示例", "```\n"+p.Example+"\n```")
	b.WriteString("\n[All codes / 全部代码](README.md)\n")
	return b.String()
}

func section(b *strings.Builder, title, text string) {
	if !strings.HasPrefix(text, "```") {
		text = mark(text)
	}
	fmt.Fprintf(b, "\n### %s\n\n%s\n", title, text)
}

// stop ends a sentence.
func stop(s, end string) string { return strings.TrimSuffix(s, end) + end }

// mark keeps Markdown from taking a text for markup.
func mark(s string) string {
	var b strings.Builder
	code := false
	for _, r := range s {
		switch {
		case r == '`':
			code = !code
		case !code && strings.ContainsRune("<>*_|\\$", r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// kinds are the parts of the index.
var kinds = []struct{ kind, title string }{
	{"refusal", "Refused / 被拒绝"}, {"value", "Values / 值"}, {"fault", "Faults / 故障"}, {"note", "Notes / 提示"},
}

// Index is the list of all pages.
func Index() string {
	var b strings.Builder
	b.WriteString("# Refusals\n\nEach refusal, rejected value and note has a stable code and a page. `matou refusal show CODE` prints it, `GET /api/v1/refusals/CODE` has it as JSON; both work without internet.\n\n" +
		"每个拒绝、被拒绝的值和提示都有固定的代码和说明页。`matou refusal show CODE` 可打印说明，`GET /api/v1/refusals/CODE` 返回 JSON；两者均无需联网。\n\n" +
		"The code of a request carries the name of the device's dialect in front (`aliyun-shadow-version`); its page is that of the code without it.\n\n" +
		"请求类代码前带有设备协议的名称（如 `aliyun-shadow-version`），说明页以去掉前缀的代码命名。\n")
	for _, k := range kinds {
		fmt.Fprintf(&b, "\n## %s\n\n| code | meaning | 含义 |\n|---|---|---|\n", k.title)
		for _, p := range all() {
			if p.Kind == k.kind {
				fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s |\n", p.Code, p.Code, mark(p.Title), mark(p.TitleZH))
			}
		}
	}
	return b.String()
}
