package test

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The console in a real browser, on a Matou with its demo. A story is a script
// in test/console that node's own runner plays: what a visitor clicks and reads.

// console starts Matou with its demo and the password of its first start.
func console(t *testing.T) (m *matou, password string) {
	t.Helper()
	need(t, "node")
	need(t, "chromium")
	if _, err := os.Stat(filepath.Join("console", "node_modules", "playwright-core")); err != nil {
		t.Skip("SKIPPED: playwright-core is missing from test/console/node_modules; run test/prepare")
	}
	m = start(t, t.TempDir(), "--demo")
	m.await("the first password", func() bool { return firstPassword.MatchString(m.stdout.String()) })
	if !strings.Contains(m.page("/"), `id="root"`) {
		t.Skip("SKIPPED: this binary was built without its console; run make build where npm is")
	}
	m.await("the simulated devices' values", func() bool { return strings.Contains(m.stdout.String(), "温度 wendu") })
	return m, firstPassword.FindStringSubmatch(m.stdout.String())[1]
}

var firstPassword = regexp.MustCompile(`password 密码 +(\S+)`)

// page is what the console answers at a path.
func (m *matou) page(path string) string {
	m.t.Helper()
	resp, err := http.Get(m.api + path)
	if err != nil {
		m.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(raw)
}

func TestConsole(t *testing.T) {
	stories, err := filepath.Glob("console/*.story.mjs")
	if err != nil || len(stories) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, story := range stories {
		name := filepath.Base(story)
		t.Run(strings.TrimSuffix(name, ".story.mjs"), func(t *testing.T) {
			t.Parallel() // they wait more than they work, each on a Matou of its own
			m, password := console(t)
			m.browse(t, password, "--test", "--test-reporter=spec", name)
		})
	}
}

// TestScreenshots takes the pictures of docs/screenshots, for make screenshots.
func TestScreenshots(t *testing.T) {
	if os.Getenv("MATOU_SCREENSHOTS") == "" {
		t.Skip("make screenshots takes them")
	}
	m, password := console(t)
	m.browse(t, password, "screenshots.mjs")
}

// browse has node run a script of test/console.
func (m *matou) browse(t *testing.T, password string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", args...)
	cmd.Dir = "console"
	cmd.Env = append(os.Environ(), "MATOU_CONSOLE="+m.api, "MATOU_PASSWORD="+password, "MATOU_TOKEN="+m.token, "MATOU_DEVICE="+m.device)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}
