// Package floors holds the house rule: which room may import which.
package floors

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/matou-iot/matou/"

// floors is the house, ground floor first: a room imports only rooms on floors
// below its own, and rooms inside itself. A word names a room and all below it.
var floors = []string{
	"internal/wording",
	"thing mqtt at console",
	"aliyun onenet",
	"modem internal/fault internal/record internal/recording internal/refusal internal/trace internal/yamldoc",
	"device internal/replay internal/tap internal/program internal/registry internal/history internal/access internal/audit internal/dialect internal/broker internal/feed internal/devicehttp internal/script internal/topics internal/content",
	"internal/ota internal/enroll internal/shadow internal/remoteconfig internal/remotelog internal/deviceimage internal/fileupload",
	"internal/gate internal/ingest internal/layers internal/command internal/topology internal/store internal/bench",
	"internal/httpapi internal/httpgate internal/coapgate",
	"internal/app",
	"cmd bench test",
}

// standardOnly are the rooms that strangers import: nothing but the standard
// library comes with them.
var standardOnly = "thing mqtt at aliyun onenet console"

// inside are the orders that hold inside one room: the left may import the right.
var inside = map[string][]string{
	"mqtt":         {"mqtt"},
	"mqtt/packet":  {"mqtt"},
	"mqtt/session": {"mqtt", "mqtt/packet"},
	"mqtt/client":  {"mqtt", "mqtt/packet", "mqtt/session"},
	"thing/loose":  {"thing"},
}

type pkg struct {
	ImportPath string
	Imports    []string
	Module     *struct{ Path string }
	Standard   bool
}

func TestFloors(t *testing.T) {
	for _, p := range list(t, "-e", module+"...") {
		from := strings.TrimPrefix(p.ImportPath, module)
		if p.ImportPath == strings.TrimSuffix(module, "/") || from == "internal/floors" {
			continue
		}
		floor, room := place(from)
		if floor < 0 {
			t.Errorf("%s stands on no floor: add it to the rule", from)
			continue
		}
		for _, imp := range p.Imports {
			if !strings.HasPrefix(imp, module) {
				if under(from, standardOnly) && strings.Contains(strings.Split(imp, "/")[0], ".") {
					t.Errorf("%s imports %s: strangers get the standard library only", from, imp)
				}
				continue
			}
			to := strings.TrimPrefix(imp, module)
			toFloor, toRoom := place(to)
			switch {
			case toFloor < floor:
			case toRoom == room:
				if allowed, ok := inside[from]; ok && !contains(allowed, to) {
					t.Errorf("%s imports %s: inside %s it may import only %v", from, to, room, allowed)
				}
			default:
				t.Errorf("%s (floor %d) imports %s (floor %d): a room imports only rooms below it", from, floor, to, toFloor)
			}
		}
	}
}

// place finds the floor and room that a package belongs to, -1 for none.
func place(path string) (floor int, room string) {
	for i, line := range floors {
		for _, r := range strings.Fields(line) {
			if path == r || strings.HasPrefix(path, r+"/") {
				return i, r
			}
		}
	}
	return -1, ""
}

func under(path, rooms string) bool {
	for _, r := range strings.Fields(rooms) {
		if path == r || strings.HasPrefix(path, r+"/") {
			return true
		}
	}
	return false
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Standard"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var pkgs []pkg
	dec := json.NewDecoder(bytes.NewReader(out))
	for dec.More() {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
	if len(pkgs) < 5 {
		t.Fatalf("go list found %d packages: the rule was not tested", len(pkgs))
	}
	return pkgs
}
