package httpapi

import (
	"strconv"
	"time"

	"github.com/matou-iot/matou/internal/fault"
)

// A list is one page of things.
type list[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next,omitempty" doc:"Pass it as after to get the next page; absent on the last one"`
}

// page makes a list; it is never null in JSON.
func page[T any](items []T, next string) list[T] {
	if items == nil {
		items = []T{}
	}
	return list[T]{items, next}
}

// Paging is what every list takes.
type Paging struct {
	Limit int    `query:"limit" minimum:"0" doc:"Items at the most"`
	After string `query:"after" doc:"The next of the page before"`
}

// A Span is a part of time, and the order of what is in it.
type Span struct {
	From  time.Time `query:"from" doc:"Included"`
	To    time.Time `query:"to" doc:"Not included"`
	Order string    `query:"order" enum:"asc,desc" default:"desc" doc:"desc: newest first"`
}

func (s Span) descending() bool { return s.Order != "asc" }

// wait reads how long a caller is willing to wait.
func wait(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, fault.In("wait", fault.Invalid("%q is no duration: write for instance 5s", text))
	case d < 0 || d > time.Minute:
		return 0, fault.In("wait", fault.Invalid("wait %s is not from 0s to 1m", text))
	}
	return d, nil
}

func rowLocation(row int) string { return "body.devices[" + strconv.Itoa(row) + "]" }
