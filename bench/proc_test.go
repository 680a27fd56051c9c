package main

import (
	"os"
	"runtime"
	"testing"
)

func TestParseStat(t *testing.T) {
	for _, tt := range []struct {
		name, raw string
		want      uint64
		fails     bool
	}{
		{"utime and stime", "42 (matou) S 1 42 42 0 -1 4194560 900 0 3 0 1234 766 5 6 20 0 9 0 100 200 300", 2000, false},
		{"a name with blanks and brackets", "42 (a) S (b) S 1 42 42 0 -1 4194560 900 0 3 0 7 8 5 6 20 0", 15, false},
		{"cut off", "42 (matou) S 1 42 42 0 -1 4194560 900 0 3 0 1234", 0, true},
		{"no name", "42 matou S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15", 0, true},
		{"no number", "42 (matou) S 1 42 42 0 -1 4194560 900 0 3 0 x 766 5 6", 0, true},
		{"nothing", "", 0, true},
	} {
		got, err := parseStat([]byte(tt.raw))
		if got != tt.want && !tt.fails || (err != nil) != tt.fails {
			t.Errorf("%s: %d, %v, want %d, fails %v", tt.name, got, err, tt.want, tt.fails)
		}
	}
}

const rollup = `55d0c0000000-7ffd00000000 ---p 00000000 00:00 0                          [rollup]
Rss:               61244 kB
Pss:               60011 kB
Pss_Dirty:         40000 kB
Shared_Clean:       1234 kB
`

func TestParseRollup(t *testing.T) {
	got, err := parseRollup([]byte(rollup))
	if want := (memory{RSS: 61244, PSS: 60011}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	for name, raw := range map[string]string{
		"nothing": "", "no Pss": "Rss: 1 kB\n", "no number": "Rss: x kB\nPss: 1 kB\n", "no unit": "Rss: 1\nPss: 1\n",
	} {
		if _, err := parseRollup([]byte(raw)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestMachine(t *testing.T) {
	if got := cpuModel("processor\t: 0\nmodel name\t: Fast: 3 GHz\nmodel name\t: other\n"); got != "Fast: 3 GHz" {
		t.Errorf("cpuModel = %q", got)
	}
	if got := cpuModel(""); got != "unknown processor" {
		t.Errorf("cpuModel of nothing = %q", got)
	}
	if got := totalMemory("MemFree: 5 kB\nMemTotal:       24683644 kB\n"); got != 24683644 {
		t.Errorf("totalMemory = %d", got)
	}
	if got := totalMemory("MemFree: 5 kB\n"); got != 0 {
		t.Errorf("totalMemory of nothing = %d", got)
	}
}

func TestOwnProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: there is no /proc here")
	}
	first, err := cpuSeconds(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ { // CPU time passes while we work
		now, err := cpuSeconds(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if now < first {
			t.Fatalf("CPU time went back from %v to %v", first, now)
		}
		if now > first {
			break
		}
	}
	m, err := memoryOf(os.Getpid())
	if err != nil || m.RSS < 1000 || m.PSS <= 0 || m.PSS > m.RSS {
		t.Errorf("memory %+v, %v", m, err)
	}
}
