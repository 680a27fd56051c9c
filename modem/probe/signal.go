package probe

// A Signal is the strength of the radio signal.
type Signal struct {
	DBm       int    `json:"dBm,omitempty"` // 0: none
	Judgement string `json:"judgement"`     // excellent, good, fair, weak, none
}

// levels are the least strengths of excellent, good and fair signals.
type levels [3]int

var (
	cellularLevels = levels{-70, -85, -100} // as +CSQ counts them
	wifiLevels     = levels{-55, -67, -78}
)

func (l levels) judge(dBm int) string {
	for i, word := range [...]string{"excellent", "good", "fair"} {
		if dBm >= l[i] {
			return word
		}
	}
	return "weak"
}

// judge notes a strength; 0 is none.
func (p *prober) judge(dBm int, l levels) {
	if dBm == 0 {
		p.r.Signal = &Signal{Judgement: "none"}
		p.found(noSignal)
		return
	}
	s := &Signal{dBm, l.judge(dBm)}
	p.r.Signal = s
	if s.Judgement == "weak" {
		p.found(weakSignal, dBm)
	}
}
