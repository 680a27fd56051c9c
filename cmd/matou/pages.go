package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
)

// limitFlags bound a list.
type limitFlags struct {
	Limit int `help:"Items at the most; 0: all." default:"100" placeholder:"N"`
}

// maxPage is how many items one request asks for.
const maxPage = 1000

// A page is a list as the API gives it, or several of them joined. Items stay
// as they came, so that --json shows all there is.
type page struct {
	Items []json.RawMessage `json:"items"`
	Next  string            `json:"next,omitempty"`
}

// list follows the cursor of a list until limit items are there.
func (r *rest) list(path string, query url.Values, limit int) (page, error) {
	if limit < 0 {
		return page{}, usagef("--limit %d is below 0", limit)
	}
	all := page{Items: []json.RawMessage{}}
	q := url.Values{}
	for name, values := range query {
		q[name] = values
	}
	for {
		n := maxPage
		if limit > 0 {
			n = min(n, limit-len(all.Items))
		}
		q.Set("limit", strconv.Itoa(n))
		var one page
		if err := r.call("GET", path, q, nil, &one); err != nil {
			return page{}, err
		}
		all.Items = append(all.Items, one.Items...)
		all.Next = one.Next
		if one.Next == "" || limit > 0 && len(all.Items) >= limit {
			return all, nil
		}
		if one.Next == q.Get("after") {
			return page{}, fmt.Errorf("%s does not answer as Matou does: a list that does not end", r.base)
		}
		q.Set("after", one.Next)
	}
}

// each reads the items of a page.
func each[T any](r *rest, items []json.RawMessage) ([]T, error) {
	out := make([]T, len(items))
	for i, raw := range items {
		if err := r.read(raw, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// printPage shows a list: as it came with --json, otherwise as a table with a
// row an item. none is said where it is empty.
func printPage[T any](g *globals, r *rest, p page, none string, header []string, row func(*T) []string) error {
	items, err := each[T](r, p.Items)
	if err != nil {
		return err
	}
	if !g.JSON {
		defer p.talk(g, none)
	}
	return g.emit(p, func(w io.Writer) {
		if len(items) == 0 {
			return
		}
		t := table{header}
		for i := range items {
			t.add(row(&items[i])...)
		}
		t.print(w)
	})
}

// talk says what a table cannot.
func (p *page) talk(g *globals, none string) {
	switch {
	case p.Next != "":
		fmt.Fprintln(g.Stderr, "there are more: --limit 0 shows all")
	case len(p.Items) == 0:
		fmt.Fprintln(g.Stderr, none)
	}
}

// printable is a thing that people can read.
type printable[T any] interface {
	*T
	print(w io.Writer)
}

// printOne asks for one thing and shows it: as it came with --json.
func printOne[T any, P printable[T]](g *globals, r *rest, method, path string, query url.Values, in any) error {
	var raw json.RawMessage
	if err := r.call(method, path, query, in, &raw); err != nil {
		return err
	}
	return printRaw[T, P](g, r, raw)
}

func printRaw[T any, P printable[T]](g *globals, r *rest, raw json.RawMessage) error {
	var v T
	if err := r.read(raw, &v); err != nil {
		return err
	}
	return g.emit(raw, P(&v).print)
}
