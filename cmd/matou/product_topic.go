package main

import "io"

type productTopicCmd struct {
	List   productTopicListCmd   `cmd:"" help:"List the classes of custom topics of a product."`
	Add    productTopicAddCmd    `cmd:"" help:"Declare a class of custom topics, or change it."`
	Remove productTopicRemoveCmd `cmd:"" help:"Delete a class of custom topics."`
}

// A topicClass is one as the API shows it.
type topicClass struct {
	Path       string `json:"path"`
	Permission string `json:"permission"`
	Desc       string `json:"desc"`
	Usual      bool   `json:"usual"`
}

func (t *topicClass) print(w io.Writer) {
	fields(w, "path", t.Path, "devices may", t.Permission, "description", t.Desc)
}

type productTopicListCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	apiFlags
}

func (*productTopicListCmd) Help() string {
	return `Paths stand behind product and device: user/update is /a1NightLamp/lamp01/user/update.

Examples:
  matou product topic list a1NightLamp
  matou product topic list a1NightLamp --json`
}

func (c *productTopicListCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	p, err := r.list(at("products", string(c.Product), "topics"), nil, 0)
	if err != nil {
		return err
	}
	return printPage(g, r, p, "no topics", []string{"PATH", "DEVICES MAY", "DESCRIPTION"}, func(t *topicClass) []string {
		if t.Usual && t.Desc == "" {
			t.Desc = "(every product has it)"
		}
		return []string{t.Path, t.Permission, t.Desc}
	})
}

type productTopicAddCmd struct {
	Product    segment `arg:"" help:"Key of the product."`
	Path       string  `arg:"" help:"Path of the topic, such as user/alarm."`
	Permission string  `arg:"" enum:"publish,subscribe,both" help:"What devices may do: publish, subscribe or both."`
	Desc       string  `help:"Description." placeholder:"TEXT"`
	apiFlags
}

func (*productTopicAddCmd) Help() string {
	return `Strict products refuse what is not declared, others only note it. A path that
devices subscribe to may have + and # for whole levels.

Examples:
  matou product topic add a1NightLamp user/alarm publish
  matou product topic add a1NightLamp 'user/cmd/+' subscribe --desc "commands by name"`
}

func (c *productTopicAddCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	in := struct {
		Path       string `json:"path"`
		Permission string `json:"permission"`
		Desc       string `json:"desc,omitempty"`
	}{c.Path, c.Permission, c.Desc}
	return printOne[topicClass](g, r, "POST", at("products", string(c.Product), "topics"), nil, in)
}

type productTopicRemoveCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	Path    string  `arg:"" help:"Path of the topic, as it was declared."`
	yesFlag
	apiFlags
}

func (*productTopicRemoveCmd) Help() string {
	return `Examples:
  matou product topic remove a1NightLamp user/alarm --yes`
}

func (c *productTopicRemoveCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	return r.remove(g, c.yesFlag, "Delete the topic "+c.Path+" of the product "+string(c.Product), at("products", string(c.Product), "topics"), query("path", c.Path), removed{Product: string(c.Product)})
}
