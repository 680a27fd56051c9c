package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/matou-iot/matou/internal/refusal"
)

type refusalCmd struct {
	List refusalListCmd `cmd:"" help:"List the codes by which Matou says why."`
	Show refusalShowCmd `cmd:"" help:"Explain a code."`
}

type refusalListCmd struct {
	Text string `arg:"" optional:"" help:"Only codes with this in them or in their titles."`
	Kind string `enum:",refusal,value,fault,note" default:"" help:"Only codes of this kind: refusal, value, fault or note." placeholder:"KIND"`
}

func (*refusalListCmd) Help() string {
	return `Needs no server.

Examples:
  matou refusal list
  matou refusal list token
  matou refusal list --kind value --lang zh`
}

func (c *refusalListCmd) Run(g *globals) error {
	pages := []refusal.Page{}
	text := strings.ToLower(c.Text)
	for _, p := range refusal.Pages() {
		if (c.Kind == "" || p.Kind == c.Kind) && strings.Contains(strings.ToLower(p.Code+"\n"+p.Title+"\n"+p.TitleZH), text) {
			pages = append(pages, p)
		}
	}
	if len(pages) == 0 && !g.JSON {
		fmt.Fprintln(g.Stderr, "no such codes")
	}
	out := struct {
		Items []refusal.Page `json:"items"`
	}{pages}
	return g.emit(out, func(w io.Writer) {
		t := table{{"CODE", "KIND", "MEANING"}}
		for _, p := range pages {
			t.add(p.Code, p.Kind, choose(g.chinese(), p.Title, p.TitleZH))
		}
		if len(pages) > 0 {
			t.print(w)
		}
	})
}

type refusalShowCmd struct {
	Code string `arg:"" help:"Code, as a timeline entry or the doctor names it."`
}

func (*refusalShowCmd) Help() string {
	return `Needs no server.

Examples:
  matou refusal show aliyun-wrong-secret
  matou refusal show value-unknown --lang zh
  matou refusal show onenet-token-cut --json`
}

func (c *refusalShowCmd) Run(g *globals) error {
	p, ok := refusal.Find(c.Code)
	if !ok {
		return fmt.Errorf("there is no code %q: 'matou refusal list' prints all", c.Code)
	}
	return g.emit(p, func(w io.Writer) { printRefusal(w, &p, g.chinese()) })
}

func printRefusal(w io.Writer, p *refusal.Page, chinese bool) {
	words := []string{"On the side of the device", "Usual causes", "What to do", "Example"}
	if chinese {
		words = []string{"设备端现象", "常见原因", "处理方法", "示例"}
	}
	fmt.Fprintf(w, "%s (%s)\n%s\n", p.Code, p.Path, choose(chinese, p.Title, p.TitleZH))
	for i, text := range []string{
		strings.ReplaceAll(choose(chinese, p.Device, p.DeviceZH), "`", ""), choose(chinese, p.Cause, p.CauseZH), choose(chinese, p.Advice, p.AdviceZH), p.Example,
	} {
		fmt.Fprintf(w, "\n%s\n  %s\n", words[i], text)
	}
}

func choose(chinese bool, en, zh string) string {
	if chinese && zh != "" {
		return zh
	}
	return en
}
