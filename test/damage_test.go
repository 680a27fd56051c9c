package test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What can become of a file.
func cutShort(b []byte) []byte { return b[:max(0, len(b)-60)] }
func emptied([]byte) []byte    { return nil }
func garbage([]byte) []byte    { return []byte(strings.Repeat("garbage ", 64)) }

func scratched(b []byte) []byte {
	for i := len(b) / 2; i < min(len(b)/2+16, len(b)); i++ {
		b[i] ^= 0x5a
	}
	return b
}

// TestDamagedFiles damages each file of a killed server's data: what is whole
// is kept, and what is not is said with the file's name and the remedy, without
// a panic.
func TestDamagedFiles(t *testing.T) {
	const stopped, killed = 30, 40 // values when the server was stopped, and when it was killed
	data := filepath.Join(t.TempDir(), "data")
	m := start(t, data)
	m.lamp()
	m.postMany(1, stopped)
	m.stop()
	m = start(t, data)
	m.postMany(stopped+1, killed)
	m.kill()

	for _, tt := range []struct {
		file   string // below data
		damage func([]byte) []byte
		values int      // in history at least, where the server starts; 0: it must not
		says   []string // in its log or its error
	}{
		{"feed/jetstream/$G/streams/MATOU_FEED/msgs/1.blk", cutShort, killed - 1, []string{"feed"}},
		{"feed/jetstream/$G/streams/MATOU_FEED/msgs/1.blk", scratched, stopped, []string{"feed"}},
		{"feed/jetstream/$G/streams/MATOU_FEED/msgs/1.blk", emptied, stopped, []string{"feed"}},
		{"feed/jetstream/$G/streams/MATOU_FEED/msgs/index.db", garbage, killed, nil},
		{"feed/jetstream/$G/streams/MATOU_FEED/msgs/index.db", emptied, killed, nil},
		{"feed/jetstream/$G/streams/MATOU_FEED/meta.inf", garbage, killed, nil},
		{"history/*.sst", scratched, 0, []string{"corruption", ".sst", "restore", "backup"}},
		{"history/*.sst", cutShort, 0, []string{".sst", "restore", "backup"}},
		{"history/*.log", garbage, stopped, nil},
		{"history/MANIFEST-*", garbage, 0, []string{"MANIFEST", "restore", "backup"}},
		{"registry.db", emptied, 0, []string{"registry.db is empty", "backup"}},
		{"registry.db", garbage, 0, []string{"registry.db", "not a database"}},
		{"registry.db", torn, 0, []string{"registry.db", "malformed", "backup"}},
		{"secret.key", cutShort, 0, []string{"secret.key", "backup"}},
		{"local.token", garbage, killed, nil},
		{"run.json", garbage, killed, nil},
		{"tls/server.key", emptied, 0, []string{"server.key"}},
		{"tls/ca.pem", garbage, 0, []string{"ca.pem"}},
	} {
		t.Run(strings.ReplaceAll(tt.file, "/", "_"), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			clone(t, data, dir)
			spoil(t, filepath.Join(dir, tt.file), tt.damage)
			m := launch(t, dir)
			if tt.values == 0 {
				m.awaitRefusal()
			} else {
				m.awaitReady()
				m.await("what is whole to be in history", func() bool {
					return len(m.history(lampProduct, lampName, "CurrentTemperature")) >= tt.values
				})
				m.postMany(killed+1, killed+1) // and it goes on
				m.await("a new value in history", func() bool {
					return slices.Contains(m.history(lampProduct, lampName, "CurrentTemperature"), fmt.Sprint(killed+1))
				})
			}
			for _, word := range tt.says {
				m.await("the word "+word, func() bool { return strings.Contains(m.stderr.String(), word) })
			}
			if strings.Contains(m.stderr.String(), "goroutine ") {
				t.Errorf("a panic:\n%.2000s", m.stderr)
			}
		})
	}
}

// torn overwrites the pages of a database behind the first.
func torn(b []byte) []byte {
	for i := 4096; i < len(b); i += 4096 {
		copy(b[i:], strings.Repeat("torn", 64))
	}
	return b
}

// TestFeedThatIsGone removes the feed of a server that was stopped in order:
// history knows all of it and keeps what comes now, though the feed counts anew.
func TestFeedThatIsGone(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	m := start(t, data)
	m.lamp()
	m.postMany(1, 30)
	m.stop()
	if err := os.RemoveAll(filepath.Join(data, "feed")); err != nil {
		t.Fatal(err)
	}
	m = start(t, data)
	m.postMany(31, 32)
	m.await("old and new values", func() bool { return len(m.history(lampProduct, lampName, "CurrentTemperature")) == 32 })
	if !strings.Contains(m.stderr.String(), "the feed has lost records") {
		t.Errorf("nothing was said:\n%s", m.stderr)
	}
}

// postMany posts values from first to last, each acknowledged, and waits until
// history has them.
func (m *matou) postMany(first, last int) {
	m.t.Helper()
	w := m.loginAliyun(lampProduct, lampName, lampSecret)
	defer w.Close()
	for i := first; i <= last; i++ {
		w.Write(publish1(uint16(i), "/sys/"+lampProduct+"/"+lampName+"/thing/event/property/post",
			fmt.Sprintf(`{"id":"%d","params":{"CurrentTemperature":%d}}`, i, i)))
		if !puback(w, uint16(i)) {
			m.t.Fatalf("value %d was not acknowledged", i)
		}
	}
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", fmt.Sprint(last))
}

// awaitRefusal waits for a server that does not start.
func (m *matou) awaitRefusal() {
	m.t.Helper()
	m.await("the server to refuse to start", func() bool {
		select {
		case err := <-m.exited:
			if err == nil {
				m.t.Error("it ended without an error")
			}
			m.cmd = nil
			return true
		default:
			return false
		}
	})
}

// clone copies a data directory with the modes of its files.
func clone(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	for _, private := range []string{"secret.key", "tls/ca.key", "tls/server.key"} {
		if err := os.Chmod(filepath.Join(to, private), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// spoil damages the newest file that matches a pattern.
func spoil(t *testing.T, pattern string, damage func([]byte) []byte) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no file %s: %v", pattern, err)
	}
	file := slices.Max(files)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, damage(raw), 0o600); err != nil {
		t.Fatal(err)
	}
}
