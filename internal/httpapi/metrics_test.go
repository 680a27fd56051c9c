package httpapi_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/access"
)

// TestEachLimitHasItsFigure: the names stand in docs/operating.md, and people's
// alerts go by them.
func TestEachLimitHasItsFigure(t *testing.T) {
	h := newHouse(t)
	_, text := h.do(access.Viewer, "GET", "/metrics", nil)
	for name, values := range map[string]string{
		"matou_mqtt_connections_shed_total|reason":      "connections connections_per_address connect_rate_per_address",
		"matou_mqtt_connections_rejected_total|reason":  "timeout packet tls proxy_header",
		"matou_mqtt_connects_total|outcome":             "admitted refused",
		"matou_mqtt_protocol_errors_total|reason":       "packet_too_large topic_name_invalid topic_alias_invalid receive_maximum_exceeded other",
		"matou_mqtt_subscriptions_refused_total|reason": "quota_exceeded topic_filter_invalid other",
		"matou_mqtt_messages_dropped_total|reason":      "slow queue_full expired too_large retained_full throttled",
		"matou_file_uploads_ended_total|outcome":        "arrived cancelled forgotten",
		"matou_mqtt_disconnects_total|cause":            "client lost keep_alive taken_over protocol_error rules slow not_kept administrator shutdown",
	} {
		name, label, _ := strings.Cut(name, "|")
		for value := range strings.FieldsSeq(values) {
			if line := name + "{" + label + `="` + value + `"} `; !strings.Contains(text, line) {
				t.Errorf("no %s", line)
			}
		}
	}
	for _, name := range []string{"connects_throttled_total", "sessions_expired_total", "sessions_dropped_total"} {
		if !strings.Contains(text, "matou_mqtt_"+name+" ") {
			t.Errorf("no matou_mqtt_%s", name)
		}
	}
	for _, name := range []string{"uploads", "uploads_begun_total", "requests_refused_total", "bytes_received_total"} {
		if !strings.Contains(text, "\nmatou_file_"+name+" 0\n") {
			t.Errorf("no matou_file_%s", name)
		}
	}
	// Prometheus' own rules for names: counters end with _total, gauges do not.
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (matou_\S+) (\S+)$`).FindAllStringSubmatch(text, -1) {
		if total := strings.HasSuffix(m[1], "_total"); total != (m[2] == "counter") || m[1] != strings.ToLower(m[1]) {
			t.Errorf("%s is a %s", m[1], m[2])
		}
	}
}
