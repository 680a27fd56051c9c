package test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryTopic says and hears something on every topic that the vendors'
// devices have (testdata/topics), and docs/compatibility.md lists each of them.
// A line begins with
//
//	house  lamp, gateway, thing or streams: whose device it is
//	>      a message of the device at QoS 0: topic, a blank, payload
//	<      the next that it is sent, byte for byte
//	=      and nothing else comes before the answer to a PINGREQ
//	?      a filter that it subscribes to, and the code of the SUBACK
//	!      what people do over REST: method, path, body; @ is the device's path, % the product's
//	!&     the same, while the device goes on: it has to answer
//
// A text in quotes is one as in Go. What Matou chooses stands as <id>, <ms>,
// <s>, <hex> or <word>; $id is the last <id>.
func TestEveryTopic(t *testing.T) {
	for _, file := range topicFiles(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file.name), ".txt"), func(t *testing.T) {
			s := &stage{t: t}
			for n, line := range file.lines {
				s.n = n + 1
				verb, rest, _ := strings.Cut(line, " ")
				s.play(verb, rest)
			}
			s.settle()
		})
	}
}

type topicFile struct {
	name  string
	lines []string
}

func topicFiles(t *testing.T) (all []topicFile) {
	t.Helper()
	names, err := filepath.Glob("testdata/topics/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, topicFile{name, strings.Split(string(raw), "\n")})
	}
	return all
}

// A stage is where a file is played.
type stage struct {
	t               *testing.T
	n               int // of the line
	m               *matou
	w               *wire
	product, device string
	id              string
	people          chan error // of !&, nil while there is none
}

func (s *stage) play(verb, rest string) {
	s.t.Helper()
	switch verb {
	case "", "#":
	case "house":
		s.enter(rest)
	case ">":
		topic, payload := s.message(rest)
		s.w.Write(publish(topic, payload))
	case "<":
		topic, payload := s.message(rest)
		on, got := s.w.message()
		pattern := chosen.ReplaceAllStringFunc(regexp.QuoteMeta(topic+" "+payload), func(p string) string { return choices[p] })
		found := regexp.MustCompile("(?s)^" + pattern + "$").FindStringSubmatch(on + " " + got)
		if found == nil {
			s.t.Fatalf("line %d\ntold %s %q\nwant %s %q", s.n, on, got, topic, payload)
		}
		if len(found) > 1 {
			s.id = found[1]
		}
	case "=":
		s.w.Write([]byte{0xc0, 0})
		if got := s.w.next(); got != "\xd0\x00" {
			s.t.Fatalf("line %d: %q comes, too", s.n, got)
		}
	case "?":
		filter, code, _ := strings.Cut(rest, " ")
		s.w.Write(frame(0x82, "\x00\x07"+str(filter)+"\x01"))
		if first, body := s.w.packet(); first != 0x90 || fmt.Sprintf("%02x", body[2:]) != code {
			s.t.Fatalf("line %d: %02x % x", s.n, first, body)
		}
	case "!", "!&":
		s.settle()
		method, path, _ := strings.Cut(rest, " ")
		path, body, _ := strings.Cut(path, " ")
		at := "/products/" + s.product
		path = strings.NewReplacer("@", at+"/devices/"+s.device, "%", at).Replace(path)
		do := func() error {
			if status, raw := s.m.call(method, path, []byte(s.filled(body))); status >= 300 {
				return fmt.Errorf("%s %s: %d %s", method, path, status, raw)
			}
			return nil
		}
		s.people = make(chan error, 1)
		go func() { s.people <- do() }()
		if verb == "!" {
			s.settle()
		}
	default:
		s.t.Fatalf("line %d: %q is no verb", s.n, verb)
	}
}

// settle waits for what people do.
func (s *stage) settle() {
	s.t.Helper()
	if s.people == nil {
		return
	}
	if err := <-s.people; err != nil {
		s.t.Fatalf("line %d: %v", s.n, err)
	}
	s.people = nil
}

// enter makes the house of a file and logs its device in.
func (s *stage) enter(house string) {
	s.t.Helper()
	switch house {
	case "lamp":
		s.m = start(s.t, s.t.TempDir())
		s.m.lamp()
		s.product, s.device = lampProduct, lampName
		id, user, pass := aliyunLogin(lampProduct, lampName, lampSecret)
		id = strings.TrimSuffix(id, "|") + ",ext=1|" // it understands /ext/rrpc
		s.w = s.m.dial()
		s.w.Write(connect(id, user, pass, 60, true))
		s.w.expect("20 02 00 00")
	case "gateway":
		s.m = gatewayHouse(s.t, 2)
		s.product, s.device = gatewayPK, "gate1"
		s.w = s.m.loginAliyun(gatewayPK, "gate1", gatewaySecret)
	case "thing", "streams":
		s.m = start(s.t, s.t.TempDir())
		s.product, s.device = sensorProduct, sensorName
		model := object{"key": sensorProduct, "dialect": "onenet", "nodeType": "gateway"}
		if house == "streams" {
			model = object{"key": sensorProduct, "dialect": "onenet", "dataModel": "streams"}
		}
		must[object](s.m, "POST", "/products", model)
		if house == "thing" {
			must[object](s.m, "PUT", "/products/"+sensorProduct+"/model?format=onenet", []byte(everyTopicModel))
		}
		s.m.add(sensorProduct, sensorName, sensorKey)
		s.w = s.m.dial()
		s.w.Write(connect(sensorName, sensorProduct, onenetToken(sensorProduct, sensorName, sensorKey, 1_893_456_000), 60, true))
		s.w.expect("20 02 00 00")
	default:
		s.t.Fatalf("line %d: there is no house %q", s.n, house)
	}
}

// everyTopicModel has something of each kind.
const everyTopicModel = `{"properties":[{"identifier":"wendu","name":"温度","functionType":"u","accessMode":"rw","functionMode":"property","dataType":{"type":"float","specs":{"min":"-40","max":"100"}}}],
 "events":[{"identifier":"alarm","name":"a","functionType":"u","functionMode":"event","eventType":"alert","outputData":[{"identifier":"smoke","name":"s","dataType":{"type":"int32","specs":{"min":"0","max":"1"}}}]}],
 "services":[{"identifier":"reset","name":"r","functionType":"u","functionMode":"service","callType":"a","input":[{"identifier":"delay","name":"d","dataType":{"type":"int32","specs":{"min":"0","max":"60"}}}],"output":[{"identifier":"done","name":"o","dataType":{"type":"bool","specs":{"true":"y","false":"n"}}}]}]}`

// message is topic and payload, with what is known filled in.
func (s *stage) message(text string) (topic, payload string) {
	s.t.Helper()
	topic, payload, _ = strings.Cut(s.filled(text), " ")
	if strings.HasPrefix(payload, `"`) {
		payload = unquoted(s.t, s.n, payload)
	}
	return topic, payload
}

// filled puts in what a file cannot know: ids, and signatures and tokens of
// sub-devices, which other tests make byte by byte.
func (s *stage) filled(text string) string {
	return strings.NewReplacer("$id", s.id, "$sub_1", subParams("sub_1", subSecret("sub_1")), "$sub_2", subParams("sub_2", subSecret("sub_2")),
		"$port", s.m.port, "$token", onenetToken("SubPr0duct", "s1", sensorKey, 1_893_456_000)).Replace(text)
}

var (
	chosen  = regexp.MustCompile(`<(id|ms|s|hex|word)>`)
	choices = map[string]string{"<id>": `(\d+)`, "<ms>": `\d{13}`, "<s>": `\d{10}`, "<hex>": `[0-9a-f]+`, "<word>": `[A-Za-z0-9_-]+`}
)

// TestCompatibilityListsEveryTopic: what TestEveryTopic says and hears stands
// in the lists of docs/compatibility.md, and what stands there with its name is
// said or heard in it.
func TestCompatibilityListsEveryTopic(t *testing.T) {
	raw, err := os.ReadFile("../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		topic string
		verbs string // that show it
		is    *regexp.Regexp
		shown bool
	}
	var rows []row
	_, lists, _ := strings.Cut(string(raw), "\n## Every topic\n")
	for line := range strings.Lines(lists) {
		cells := strings.Split(line, "|")
		if len(cells) < 5 || !strings.Contains(line, "TestEveryTopic") {
			continue
		}
		verbs := map[string]string{"up": ">", "down": "<", "both": "><", "subscribed": "?"}[strings.TrimSpace(cells[2])]
		if verbs == "" {
			t.Errorf("%q is no direction in %s", cells[2], line)
		}
		for _, topic := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
			pattern := regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(regexp.QuoteMeta(topic[1]), `[^/ ]+`)
			pattern = strings.ReplaceAll(pattern, "…", ".+")
			rows = append(rows, row{topic[1], verbs, regexp.MustCompile("^" + pattern + "$"), false})
		}
	}
	if len(rows) < 100 {
		t.Fatalf("%d topics are listed", len(rows))
	}
	for _, file := range topicFiles(t) {
		for n, line := range file.lines {
			verb, rest, _ := strings.Cut(line, " ")
			topic, _, _ := strings.Cut(rest, " ")
			if !slices.Contains([]string{">", "<", "?"}, verb) {
				continue
			}
			topic, _, _ = strings.Cut(topic, "?_")
			found := false
			for i := range rows {
				if strings.Contains(rows[i].verbs, verb) && rows[i].is.MatchString(topic) {
					rows[i].shown, found = true, true
				}
			}
			if !found {
				t.Errorf("%s line %d: docs/compatibility.md does not list %s %s", file.name, n+1, verb, topic)
			}
		}
	}
	for _, r := range rows {
		if !r.shown {
			t.Errorf("docs/compatibility.md lists %s, and nothing says or hears it", r.topic)
		}
	}
}
