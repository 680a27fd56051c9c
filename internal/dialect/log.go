package dialect

import "time"

// A LogGet asks whether the device shall post its log. Its result is a LogMode.
type LogGet struct{ Ask }

// A LogMode is whether a device shall post its log.
type LogMode struct{ On bool }

// A LogPost brings lines of a device's own log. Its result is Done.
type LogPost struct {
	Ask
	Lines []LogLine
	More  int // lines that came and were not read: there is a bound
}

// A LogLine is one line of a device's own log.
type LogLine struct {
	Time    time.Time `json:"time,omitzero"`
	Level   string    `json:"level"`
	Module  string    `json:"module,omitempty"`
	Code    string    `json:"code,omitempty"`
	Trace   string    `json:"trace,omitempty"`
	Content string    `json:"content"`
}

// A LogTeller is a dialect that tells a device whether to post its log.
type LogTeller interface {
	TellLog(c Claim, id string, mode LogMode) []Downlink
}
