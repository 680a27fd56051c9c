package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A deviceRef names a device: PRODUCT/DEVICE.
type deviceRef struct {
	Product string `json:"product"`
	Device  string `json:"device"`
}

func (d deviceRef) String() string { return d.Product + "/" + d.Device }

// UnmarshalText reads PRODUCT/DEVICE.
func (d *deviceRef) UnmarshalText(b []byte) error {
	product, device, _ := strings.Cut(string(b), "/")
	if !isSegment(product) || !isSegment(device) || strings.Contains(device, "/") {
		return fmt.Errorf("%q names no device: write PRODUCT/DEVICE", b)
	}
	d.Product, d.Device = product, device
	return nil
}

// isSegment reports whether a name can stand in a path of its own.
func isSegment(s string) bool { return s != "" && s != "." && s != ".." }

// at is a path of this device.
func (d deviceRef) at(parts ...string) string {
	return at(append([]string{"products", d.Product, "devices", d.Device}, parts...)...)
}

// A segment is the name of a product, service, property or token, as it stands
// in a path.
type segment string

// UnmarshalText reads a segment.
func (s *segment) UnmarshalText(b []byte) error {
	if !isSegment(string(b)) {
		return fmt.Errorf("%q is no name", b)
	}
	*s = segment(b)
	return nil
}

// assignments reads Name=value. A value that is JSON is that, any other is
// text.
func assignments(list []string) (map[string]json.RawMessage, error) {
	out := make(map[string]json.RawMessage, len(list))
	for _, a := range list {
		key, value, ok := strings.Cut(a, "=")
		if !ok || key == "" {
			return nil, usagef("%q sets nothing: write Name=value", a)
		}
		if _, twice := out[key]; twice {
			return nil, usagef("%s is set twice", key)
		}
		out[key] = jsonOrText(value)
	}
	return out, nil
}

func jsonOrText(s string) json.RawMessage {
	if json.Valid([]byte(s)) {
		return json.RawMessage(strings.TrimSpace(s))
	}
	b, _ := json.Marshal(s) // of a string: cannot fail
	return b
}

// tags reads name=value or name.
func tags(list []string) (map[string]string, error) {
	if len(list) == 0 {
		return nil, nil
	}
	out := make(map[string]string, len(list))
	for _, t := range list {
		key, value, _ := strings.Cut(t, "=")
		if key == "" {
			return nil, usagef("--tag %q has no name: write NAME=VALUE", t)
		}
		out[key] = value
	}
	return out, nil
}

// A moment is a point in time as people write it: RFC 3339, a local date with
// or without a time of day, or how long ago.
type moment time.Time

// UnmarshalText reads a moment; how long ago is reckoned from now.
func (m *moment) UnmarshalText(b []byte) error {
	s := string(b)
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		*m = moment(t)
		return nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", "2006-01-02T15:04", time.DateTime, "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			*m = moment(t)
			return nil
		}
	}
	d, err := longSpan(s)
	if err != nil {
		return fmt.Errorf("%q is no point in time: write 2026-01-31, 2026-01-31T08:00, 2026-01-31T00:00:00Z, or 90m or 7d for how long ago", s)
	}
	*m = moment(time.Now().Add(-d))
	return nil
}

// wire is the moment as the API reads it, "" where there is none.
func (m moment) wire() string {
	t := time.Time(m)
	if t.IsZero() {
		return ""
	}
	return wireTime(t)
}

func wireTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }

// maxDays keeps a span within what time.Duration holds.
const maxDays = 100 * 366

// longSpan reads a time.Duration, or a number of days such as 7d.
func longSpan(s string) (time.Duration, error) {
	var days int
	var rest string
	if n, _ := fmt.Sscanf(s, "%d%s", &days, &rest); n == 2 && rest == "d" && days >= 0 && days <= maxDays {
		return time.Duration(days) * 24 * time.Hour, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no length of time: write for instance 90m, 720h or 30d", s)
	}
	return d, nil
}

// sorted returns the names of m in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
