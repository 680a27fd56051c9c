package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// The picture's measures, in pixels.
const (
	svgWidth    = 1000
	svgLabels   = 20  // where a work's title begins
	svgLeft     = 60  // where the smallest ratio is
	svgRight    = 930 // where the greatest is
	svgTop      = 96
	svgBar      = 12
	svgBarGap   = 3
	svgTitle    = 20
	svgGroupGap = 16
	svgFoot     = 44
)

// The axis is logarithmic, from leastRatio to mostRatio; what is beyond ends at
// the edge and says so in figures.
const (
	leastRatio = 0.03
	mostRatio  = 50
)

// colours are the peers' bars.
var colours = map[string]string{"matou": "#0b6bcb", "engine": "#7db7ee", "mochi": "#c9a227", "nats": "#5aa469", "mosquitto": "#888888"}

// svg is the picture: for each work that has a ratio, a bar a peer from the
// yardstick's 1 to its ratio, and the budget as a line.
func (r *report) svg() string {
	var lines []line
	height := svgTop
	for _, l := range r.Lines {
		if n := len(r.barsOf(l)); n > 0 {
			lines = append(lines, l)
			height += svgTitle + n*(svgBar+svgBarGap) + svgGroupGap
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="Ratios to Mosquitto">`+"\n",
		svgWidth, height+svgFoot, svgWidth, height+svgFoot)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", svgWidth, height+svgFoot)
	text(&b, svgLabels, 28, `font-size="18" font-weight="600"`, "Cost against Mosquitto (= 1), less is better")
	text(&b, svgLabels, 48, `fill="#555"`, fmt.Sprintf("median of %d rounds in the same run · %s, %d cores · logarithmic", r.Rounds, r.Machine.CPU, r.Machine.Cores))
	r.legend(&b)
	axis(&b, height)
	y := svgTop
	for _, l := range lines {
		y = r.group(&b, l, y)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// barsOf are the peers that have a bar in a line; rates have none, as more is
// better there.
func (r *report) barsOf(l line) (names []string) {
	if l.AtLeast {
		return nil
	}
	for _, p := range r.Peers {
		if _, ok := l.Ratios[p]; ok {
			names = append(names, p)
		}
	}
	return names
}

// legend explains colours and budget.
func (r *report) legend(b *strings.Builder) {
	x := svgLabels
	for _, p := range r.Peers {
		if p == yardstick {
			continue
		}
		fmt.Fprintf(b, `<rect x="%d" y="62" width="12" height="12" fill="%s"/>`, x, colours[p])
		text(b, x+17, 72, "", p)
		x += 40 + 8*len(p)
	}
	fmt.Fprintf(b, `<line x1="%d" y1="60" x2="%d" y2="76" stroke="#d1242f" stroke-width="3"/>`, x+4, x+4)
	text(b, x+13, 72, "", "Matou's budget")
}

// axis draws the lines of round ratios down to y.
func axis(b *strings.Builder, y int) {
	for _, v := range []float64{0.03, 0.1, 0.3, 1, 3, 10, 30} {
		stroke, width := "#e4e4e4", 1
		if v == 1 {
			stroke, width = "#888888", 2
		}
		fmt.Fprintf(b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="%s" stroke-width="%d"/>`+"\n", position(v), svgTop-8, position(v), y, stroke, width)
		text(b, int(position(v)), y+16, `fill="#555" text-anchor="middle"`, fmt.Sprint(v))
	}
}

// group draws the bars of one work and returns where the next begins.
func (r *report) group(b *strings.Builder, l line, y int) int {
	title := l.Title
	if l.Absolute { // its budget is a value: as a ratio it would change with the yardstick
		title += fmt.Sprintf(" (Matou %s, budget %s)", l.score(), l.bound(l.Budget))
	}
	text(b, svgLabels, y+13, `font-weight="600"`, title)
	y += svgTitle
	top := y
	for _, p := range r.barsOf(l) {
		ratio := l.Ratios[p].Median
		from, to := position(1), position(ratio)
		fmt.Fprintf(b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`, min(from, to), y, max(1, math.Abs(to-from)), svgBar, colours[p])
		if to >= from {
			text(b, int(to)+4, y+10, `font-size="10"`, figure(ratio))
		} else {
			text(b, int(to)-4, y+10, `font-size="10" text-anchor="end"`, figure(ratio))
		}
		y += svgBar + svgBarGap
	}
	if !l.Absolute {
		x := position(l.Budget)
		fmt.Fprintf(b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#d1242f" stroke-width="3"/>`+"\n", x, top-2, x, y)
	}
	return y + svgGroupGap
}

// position is where a ratio is on the axis.
func position(ratio float64) float64 {
	ratio = min(max(ratio, leastRatio), mostRatio)
	share := math.Log(ratio/leastRatio) / math.Log(mostRatio/leastRatio)
	return svgLeft + share*(svgRight-svgLeft)
}

func text(b *strings.Builder, x, y int, attributes, s string) {
	if attributes != "" {
		attributes = " " + attributes
	}
	fmt.Fprintf(b, `<text x="%d" y="%d"%s>%s</text>`+"\n", x, y, attributes, html.EscapeString(s))
}
