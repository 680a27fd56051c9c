package main

import (
	"net/url"
	"time"
)

type auditCmd struct {
	Who     string `help:"Only what this operator or token did." placeholder:"NAME"`
	Object  string `help:"Only paths that begin so, such as /api/v1/products/a1NightLamp." placeholder:"PATH"`
	Refused bool   `help:"Only what was refused or failed." xor:"outcome"`
	Done    bool   `help:"Only what was done." xor:"outcome"`
	Since   string `help:"Only what is no older, such as 24h or 7d." placeholder:"TIME"`
	limitFlags
	apiFlags
}

func (*auditCmd) Help() string {
	return `Prints the audit log, the newest first: every request that changed something, and
every one that was refused. It needs the role administrator. Secrets are not in it.

Examples:
  matou audit
  matou audit --who admin --since 24h
  matou audit --refused --json`
}

// An audited is an entry of the audit log as the API shows it.
type audited struct {
	At       time.Time `json:"at"`
	Who      string    `json:"who"`
	From     string    `json:"from"`
	Method   string    `json:"method"`
	Object   string    `json:"object"`
	Subject  string    `json:"subject"`
	Done     bool      `json:"done"`
	Code     string    `json:"code"`
	Detail   string    `json:"detail"`
	DetailZH string    `json:"detailZh"`
}

func (e *audited) outcome(chinese bool) string {
	switch {
	case !e.Done && e.Detail != "":
		return e.Code + ": " + choose(chinese && e.DetailZH != "", e.Detail, e.DetailZH)
	case !e.Done:
		return e.Code
	case e.Subject != "":
		return "done: " + e.Subject
	}
	return "done"
}

func (c *auditCmd) Run(g *globals) error {
	q := url.Values{}
	for name, value := range map[string]string{"who": c.Who, "object": c.Object} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if c.Refused {
		q.Set("outcome", "refused")
	}
	if c.Done {
		q.Set("outcome", "done")
	}
	if c.Since != "" {
		d, err := longSpan(c.Since)
		if err != nil {
			return usagef("--since: %w", err)
		}
		q.Set("from", time.Now().Add(-d).UTC().Format(time.RFC3339))
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	p, err := r.list(at("audit"), q, c.Limit)
	if err != nil {
		return err
	}
	return printPage(g, r, p, "nothing was changed", []string{"AT", "WHO", "FROM", "METHOD", "OBJECT", "OUTCOME"}, func(e *audited) []string {
		return []string{seconds(e.At), e.Who, e.From, e.Method, e.Object, e.outcome(g.chinese())}
	})
}
