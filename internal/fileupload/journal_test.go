package fileupload

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func aJournal(t testing.TB) *journal {
	t.Helper()
	path := filepath.Join(t.TempDir(), "u1")
	j, err := begin(path, head{ID: "u1", Product: "p", Device: "d", Name: "a.log", Size: -1, BegunAt: time.UnixMilli(7).UTC()})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func wholeOf(t *testing.T, j *journal) []byte {
	t.Helper()
	b, err := j.open()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	all, err := io.ReadAll(b)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestWhatACrashCutsOff: whatever length the file has after a crash, the blocks
// that are whole are there, and the next one comes behind them.
func TestWhatACrashCutsOff(t *testing.T) {
	j := aJournal(t)
	blocks := [][]byte{bytes.Repeat([]byte("a"), 300), bytes.Repeat([]byte("b"), 256), []byte("end")}
	ends := []int64{j.end}
	for _, b := range blocks {
		if err := j.add(b); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, j.end)
	}
	file, err := os.ReadFile(j.path)
	if err != nil || int64(len(file)) != j.end || j.size != 559 {
		t.Fatalf("%d bytes, %+v, %v", len(file), j, err)
	}
	for n := range len(file) {
		if n%7 > 0 && n+20 < len(file) {
			continue // some of them, and all around the last frame
		}
		if err := os.WriteFile(j.path, append(file[:n:n], "rubbish"...), 0o600); err != nil {
			t.Fatal(err)
		}
		h, headErr := headOf(j.path)
		again, err := resume(j.path)
		if int64(n) < ends[0] {
			if err == nil || headErr == nil {
				t.Fatalf("a head of %d bytes was read", n)
			}
			continue
		}
		if err != nil || headErr != nil || h.Name != "a.log" || !h.BegunAt.Equal(time.UnixMilli(7)) {
			t.Fatalf("%d bytes: %+v, %v", n, h, err)
		}
		var want []byte
		for i, b := range blocks {
			if ends[i+1] <= int64(n) {
				want = append(want, b...)
			}
		}
		if got := wholeOf(t, again); !bytes.Equal(got, want) || again.size != int64(len(want)) {
			t.Fatalf("of %d bytes came %q, not %q", n, got, want)
		}
		if err := again.add([]byte("next")); err != nil {
			t.Fatal(err)
		}
		if third, err := resume(j.path); err != nil || !bytes.Equal(wholeOf(t, third), append(want, "next"...)) {
			t.Fatalf("behind %d bytes: %v", n, err)
		}
	}
}

func TestTheLastBlockOnceMore(t *testing.T) {
	j := aJournal(t)
	for _, b := range []string{"first", "second"} {
		if err := j.add([]byte(b)); err != nil {
			t.Fatal(err)
		}
	}
	j.forgetLast()
	j.forgetLast() // there is no second one to forget
	if j.size != 5 {
		t.Errorf("%d bytes", j.size)
	}
	if err := j.add([]byte("2nd")); err != nil || string(wholeOf(t, j)) != "first2nd" {
		t.Errorf("%v", err)
	}
	if again, err := resume(j.path); err != nil || string(wholeOf(t, again)) != "first2nd" {
		t.Errorf("after a restart: %v", err)
	}
}

func FuzzJournal(f *testing.F) {
	j := aJournal(f)
	if err := j.add([]byte("block")); err != nil {
		f.Fatal(err)
	}
	file, err := os.ReadFile(j.path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Add(file[:len(file)-1])
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, file []byte) {
		path := filepath.Join(t.TempDir(), "u")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := resume(path)
		if err != nil {
			return
		}
		if j.end > int64(len(file)) || int64(len(wholeOf(t, j))) != j.size {
			t.Errorf("%x: %+v", file, j)
		}
	})
}
