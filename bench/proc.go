package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// clockTicks are the ticks a second in which the kernel tells user programs
// CPU times: 100 on every platform that Go runs on [proc(5)].
const clockTicks = 100

// cpuSeconds is the CPU time that a process has used, user and system, threads
// that have ended included.
func cpuSeconds(pid int) (float64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	ticks, err := parseStat(raw)
	return float64(ticks) / clockTicks, err
}

// parseStat reads utime+stime, the 14th and 15th field [proc(5)]. The second
// is the program's name in brackets, which may hold blanks and brackets itself.
func parseStat(raw []byte) (ticks uint64, err error) {
	const utime, stime = 14 - 3, 15 - 3 // counted behind the name
	end := bytes.LastIndexByte(raw, ')')
	if end < 0 {
		return 0, errors.New("/proc stat: no program name")
	}
	fields := strings.Fields(string(raw[end+1:]))
	if len(fields) <= stime {
		return 0, errors.New("/proc stat: too short")
	}
	for _, f := range fields[utime : stime+1] {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc stat: %w", err)
		}
		ticks += n
	}
	return ticks, nil
}

// A memory is what a process holds, in KiB.
type memory struct {
	RSS int64 `json:"rssKiB"` // resident
	PSS int64 `json:"pssKiB"` // resident, what is shared with other processes by its share
}

// memoryOf reads /proc/PID/smaps_rollup.
func memoryOf(pid int) (memory, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return memory{}, err
	}
	return parseRollup(raw)
}

func parseRollup(raw []byte) (m memory, err error) {
	found := 0
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) != 3 || f[2] != "kB" {
			continue
		}
		var to *int64
		switch f[0] {
		case "Rss:":
			to = &m.RSS
		case "Pss:":
			to = &m.PSS
		default:
			continue
		}
		if *to, err = strconv.ParseInt(f[1], 10, 64); err != nil {
			return memory{}, fmt.Errorf("smaps_rollup: %w", err)
		}
		found++
	}
	if found != 2 {
		return memory{}, errors.New("smaps_rollup: Rss and Pss are not both there")
	}
	return m, nil
}

// cpuModel finds the processor's name in /proc/cpuinfo.
func cpuModel(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// totalMemory finds the machine's memory in /proc/meminfo, in KiB, 0 if it is
// not there.
func totalMemory(meminfo string) int64 {
	for line := range strings.Lines(meminfo) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "MemTotal:" {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n
		}
	}
	return 0
}
