package main

import (
	"strings"
	"testing"
)

// TestColumnsAreStraight: a Chinese character takes two columns of a terminal,
// and what stands on another none.
func TestColumnsAreStraight(t *testing.T) {
	rows := table{
		{"NAME", "NICKNAME", "NOTE"},
		{"lamp01", "客厅的灯", "一"},
		{"lamp02", "lamp, full\uff0cwidth", ""},
		{"lamp03", "cafe\u0301 ✓", "é"},
		{"灯", "😀", "x"},
		{"only"},
		{"a\tb", "\x1b[31mred", "escaped"},
	}
	var b strings.Builder
	rows.print(&b)
	want := strings.Join([]string{
		`NAME     NICKNAME            NOTE`,
		`lamp01   客厅的灯            一`,
		`lamp02   lamp, full，width`,
		"lamp03   cafe\u0301 ✓              é",
		`灯       😀                  x`,
		`only`,
		`a\tb     \x1b[31mred         escaped`,
	}, "\n") + "\n"
	if got := b.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
