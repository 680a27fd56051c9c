package onenet

import "strings"

// Nearest suggests the topic that somebody meant who used a wrong one, "" where
// the topic is right or nothing is near [onenet §10 row 20].
func Nearest(topic, pid, dev string) string {
	if len(topic) > maxNearest {
		return ""
	}
	if t := ParseTopicName(topic); t.Kind != NotOurs && t.Kind != Unknown && t.ProductID == pid && t.Device == dev {
		return ""
	}
	path := rewrite(pathOf(topic, pid, dev))
	if k, _ := classify(path); k != Unknown {
		return sys(pid, dev, path)
	}
	best, least := "", maxSlips+1
	for _, known := range paths {
		if d := distance(known, strings.ToLower(path), least); d < least {
			best, least = known, d
		}
	}
	if best == "" {
		return ""
	}
	return sys(pid, dev, best)
}

const (
	maxNearest = 256 // bytes of a topic for which a suggestion is worth looking for
	maxSlips   = 4   // letters that may differ
)

// paths are what devices use most.
var paths = [...]string{
	"thing/property/post", "thing/property/set_reply", "thing/property/set", "thing/property/get_reply", "thing/property/get",
	"thing/event/post", "thing/property/post/reply", "thing/event/post/reply", "thing/property/desired/get",
	"thing/property/desired/delete", "thing/pack/post", "thing/history/post", "ota/inform_reply", "dp/post/json",
}

// pathOf is what stands behind the names in a topic, whatever names those are
// and whatever stands before them.
func pathOf(topic, pid, dev string) string {
	topic = strings.Trim(topic, "/ \r\n\x00")
	levels := strings.Split(topic, "/")
	if first := strings.TrimLeft(strings.ToLower(levels[0]), "$"); first == "sys" || first == "sy" {
		levels = levels[1:]
	}
	for i, l := range levels {
		switch strings.ToLower(l) {
		case "thing", "dp", "cmd", "image", "ota", "custome":
			return strings.Join(levels[i:], "/")
		}
	}
	for len(levels) > 1 && (levels[0] == pid || levels[0] == dev) {
		levels = levels[1:]
	}
	if len(levels) > 0 && (levels[0] == "property" || levels[0] == "event" || levels[0] == "service") {
		return "thing/" + strings.Join(levels, "/")
	}
	return strings.Join(levels, "/")
}

// rewrite turns other clouds' paths and confused replies into OneNET's.
func rewrite(path string) string {
	switch path {
	case "thing/event/property/post": // Aliyun's
		return "thing/property/post"
	case "thing/event/property/post_reply", "thing/property/post_reply":
		return "thing/property/post/reply"
	case "thing/service/property/set":
		return "thing/property/set"
	case "thing/service/property/set_reply", "thing/property/set/reply", "thing/service/property/set/reply":
		return "thing/property/set_reply"
	case "thing/property/get/reply":
		return "thing/property/get_reply"
	case "thing/event/post_reply":
		return "thing/event/post/reply"
	}
	if rest, ok := strings.CutPrefix(path, servicePath); ok {
		name, tail, _ := strings.Cut(rest, "/")
		switch tail {
		case "invoke/reply", "reply":
			return servicePath + name + "/invoke_reply"
		case "":
			if base, reply := strings.CutSuffix(name, "_reply"); reply {
				return servicePath + base + "/invoke_reply"
			}
			return servicePath + name + "/invoke"
		}
	}
	if rest, ok := strings.CutPrefix(path, "thing/event/"); ok && strings.HasSuffix(rest, "/post") {
		return "thing/event/post" // Aliyun names the event in the topic
	}
	return path
}

// distance counts inserted, deleted and changed bytes, and gives up at limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	prev, cur := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range len(a) {
		cur[0] = i + 1
		for j := range len(b) {
			change := prev[j]
			if a[i] != b[j] {
				change++
			}
			cur[j+1] = min(change, prev[j+1]+1, cur[j]+1)
		}
		prev, cur = cur, prev
	}
	return min(prev[len(b)], limit)
}
