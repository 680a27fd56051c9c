package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// talk is a sample in one line, while it runs.
func (s *sample) talk() string {
	head := fmt.Sprintf("%-14s round %d  %-10s", s.Scenario, s.Round, s.Peer)
	if s.Error != "" {
		return head + "FAILED: " + s.Error
	}
	var b strings.Builder
	b.WriteString(head)
	for _, m := range slices.Sorted(maps.Keys(s.Values)) {
		fmt.Fprintf(&b, " %s %s", m, figure(s.Values[m]))
	}
	fmt.Fprintf(&b, "  (server %.2f s, generator %.2f s CPU, %d MiB", s.ServerCPU, s.GeneratorCPU, s.Memory.PSS>>10)
	if s.Lost != 0 {
		fmt.Fprintf(&b, ", %d lost", s.Lost)
	}
	return b.String() + ")"
}

// figure writes a number with as many digits as it is exact to.
func figure(x float64) string {
	switch a := math.Abs(x); {
	case math.IsNaN(x):
		return "–"
	case a >= 10_000:
		return group(int64(math.Round(x/100)) * 100)
	case a >= 1000:
		return group(int64(math.Round(x)))
	case a >= 100:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case a >= 10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}

// group writes thousands apart.
func group(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// bound writes a budget or stretch goal.
func (l line) bound(x float64) string {
	sign := "≤ "
	if l.AtLeast {
		sign = "≥ "
	}
	text := strconv.FormatFloat(x, 'f', -1, 64)
	if x >= 1000 {
		text = group(int64(x))
	}
	if l.Absolute {
		return sign + text + " " + l.Unit
	}
	return sign + text
}

// ratio writes a peer's ratio to the yardstick.
func (l line) ratio(peer string) string {
	s, ok := l.Ratios[peer]
	if !ok {
		return "–"
	}
	return figure(s.Median)
}

// value writes a peer's own figure.
func (l line) value(peer string) string {
	s, ok := l.Peers[peer]
	if !ok {
		return "–"
	}
	return figure(s.Median)
}

// score is what the budget is compared with.
func (l line) score() string {
	s, ok := l.judged()
	switch {
	case !ok:
		return "–"
	case l.Absolute:
		return figure(s.Median) + " " + l.Unit
	}
	return figure(s.Median)
}

// writeTable prints the report for people.
func (r *report) writeTable(w io.Writer) {
	fmt.Fprintf(w, "\n%s, %d cores, %s, %s; %d rounds, %v\n\n", r.Machine.CPU, r.Machine.Cores, r.Machine.Kernel, r.Machine.Go, r.Rounds, r.Took.Round(time.Second))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "WORK\tUNIT\t%s\tSCORE\tBUDGET\tSTRETCH\tVERDICT\n", strings.ToUpper(strings.Join(r.Peers, "\t")))
	for _, l := range r.Lines {
		fmt.Fprintf(t, "%s\t%s", l.Title, l.Unit)
		for _, p := range r.Peers {
			fmt.Fprintf(t, "\t%s", l.value(p))
		}
		fmt.Fprintf(t, "\t%s\t%s\t%s\t%s\n", l.score(), l.bound(l.Budget), l.bound(l.Stretch), l.Verdict)
	}
	t.Flush()
	for _, p := range slices.Sorted(maps.Keys(r.Skipped)) {
		fmt.Fprintf(w, "\n*** SKIPPED: %s: %s\n", p, r.Skipped[p])
	}
	if len(r.Faults) > 0 {
		fmt.Fprintln(w)
	}
	for _, f := range r.Faults {
		fmt.Fprintf(w, "FAILED: %s\n", f)
	}
}

// The files of a report.
const (
	reportText    = "report.md"
	reportPicture = "report.svg"
)

// writeFiles writes text and picture into dir.
func (r *report) writeFiles(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, reportText), []byte(r.markdown()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, reportPicture), []byte(r.svg()), 0o644)
}

// markdown is the report as a page.
func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Matou and its peers, measured side by side\n\n")
	fmt.Fprintf(&b, "This page is written by `make bench`; [bench/README.md](../../bench/README.md) says what is measured and how.\n\n")
	fmt.Fprintf(&b, "![ratios to Mosquitto](%s)\n\n", reportPicture)
	r.writeVerdicts(&b)
	r.writeFigures(&b)
	r.writeConditions(&b)
	r.writeFaults(&b)
	return b.String()
}

// writeVerdicts is the table of budgets.
func (r *report) writeVerdicts(b *strings.Builder) {
	fmt.Fprintf(b, "## Matou against its budgets\n\nRatios are to %s in the same round, median (least–most) of %d rounds, of pairs and jobs twice as many; less is better unless a bound says ≥.\n\n", yardstick, r.Rounds)
	fmt.Fprintf(b, "| work | Matou | budget | stretch | |\n|---|---|---|---|---|\n")
	for _, l := range r.Lines {
		spread := ""
		if s, ok := l.judged(); ok && s.Rounds > 1 {
			spread = fmt.Sprintf(" (%s–%s)", figure(s.Least), figure(s.Most))
		}
		fmt.Fprintf(b, "| %s | **%s**%s | %s | %s | %s |\n", l.Title, l.score(), spread, l.bound(l.Budget), l.bound(l.Stretch), l.Verdict)
	}
	b.WriteByte('\n')
}

// writeFigures is the table of what was measured, all peers.
func (r *report) writeFigures(b *strings.Builder) {
	fmt.Fprintf(b, "## All figures\n\nMedians; in brackets the ratio to %s.\n\n| work | unit |", yardstick)
	for _, p := range r.Peers {
		fmt.Fprintf(b, " %s |", p)
	}
	fmt.Fprintf(b, "\n|---|---|%s\n", strings.Repeat("---|", len(r.Peers)))
	for _, l := range r.Lines {
		fmt.Fprintf(b, "| %s | %s |", l.Title, l.Unit)
		for _, p := range r.Peers {
			if _, ok := l.Ratios[p]; ok {
				fmt.Fprintf(b, " %s (%s) |", l.value(p), l.ratio(p))
			} else {
				fmt.Fprintf(b, " %s |", l.value(p))
			}
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
}

// writeConditions says where, with what and how.
func (r *report) writeConditions(b *strings.Builder) {
	m := r.Machine
	kind := "full run"
	if r.Quick {
		kind = "quick run: too short to judge by"
	}
	fmt.Fprintf(b, "## Conditions\n\n- %s, %d cores, %s MiB, %s, %s; generator and server share the cores, over loopback.\n", m.CPU, m.Cores, group(m.MemoryMiB), m.Kernel, m.Go)
	fmt.Fprintf(b, "- %s, %s, %d rounds, took %v.\n", r.Started.Format("2006-01-02 15:04 MST"), kind, r.Rounds, r.Took)
	fmt.Fprintf(b, "- Command: `%s`\n", r.Command)
	for _, k := range slices.Sorted(maps.Keys(r.Settings)) {
		fmt.Fprintf(b, "- %s: %s\n", k, r.Settings[k])
	}
	fmt.Fprintf(b, "\n| peer | version |\n|---|---|\n")
	for _, p := range r.Peers {
		fmt.Fprintf(b, "| %s | %s |\n", p, r.Versions[p])
	}
	for _, p := range slices.Sorted(maps.Keys(r.Skipped)) {
		fmt.Fprintf(b, "| %s | skipped: %s |\n", p, r.Skipped[p])
	}
	b.WriteByte('\n')
}

// writeFaults says what failed: such a round counts for nothing.
func (r *report) writeFaults(b *strings.Builder) {
	fmt.Fprintf(b, "## What failed\n\n")
	if len(r.Faults) == 0 {
		fmt.Fprintf(b, "Nothing: every message of QoS 1 was delivered once, in order, and acknowledged.\n")
		return
	}
	for _, f := range r.Faults {
		first, _, _ := strings.Cut(f, "\n")
		fmt.Fprintf(b, "- %s\n", first)
	}
}
