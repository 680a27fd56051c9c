package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestFullDiskAcknowledgesNothing fills the disk under a running server: what
// cannot be kept is not acknowledged, what was acknowledged is there, and with
// room again all goes on without a restart or with one.
func TestFullDiskAcknowledgesNothing(t *testing.T) {
	t.Run("with a reserve", func(t *testing.T) { fullDisk(t, 16<<20) })
	t.Run("to the last byte", func(t *testing.T) { fullDisk(t, 0) })
}

func fullDisk(t *testing.T, reserve int) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=96m"); err != nil {
		t.Skipf("SKIPPED: a small disk cannot be mounted (%v); run as root to tell this story", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("MATOU_DISK_RESERVE", strconv.Itoa(reserve))
	data := filepath.Join(disk, "data")
	m := start(t, data)
	m.lamp()
	w := m.loginAliyun(lampProduct, lampName, lampSecret)
	post := func(w *wire, i int) {
		w.Write(publish1(uint16(i%60000+1), "/sys/"+lampProduct+"/"+lampName+"/thing/event/property/post",
			fmt.Sprintf(`{"id":"%d","params":{"CurrentTemperature":%d}}`, i, i%80)))
	}
	post(w, 1)
	if !puback(w, 2) {
		t.Fatal("a disk with room: not acknowledged")
	}
	ballast := filepath.Join(disk, "ballast")
	fill(t, ballast)

	acknowledged := 1
	full := false
	for i := 2; i < 200 && !full; i++ { // preallocated room takes some more
		post(w, i)
		if puback(w, uint16(i+1)) {
			acknowledged++
		} else {
			full = true
		}
	}
	if !full {
		t.Fatalf("%d messages were acknowledged on a full disk", acknowledged)
	}
	if status, _ := m.call("GET", "/status", nil); status != 200 {
		t.Errorf("the API of a server with a full disk answers %d", status)
	}
	os.Remove(ballast)
	m.await("the disk with room to take messages again", func() bool {
		w := m.loginAliyun(lampProduct, lampName, lampSecret)
		defer w.Close()
		post(w, 500)
		return puback(w, 501)
	})
	acknowledged++
	m.await("all acknowledged values in history", func() bool {
		return len(m.history(lampProduct, lampName, "CurrentTemperature")) >= acknowledged
	})
	m.kill()
	again := start(t, data)
	if got := again.history(lampProduct, lampName, "CurrentTemperature"); len(got) < acknowledged {
		t.Errorf("%d of %d acknowledged values after a restart", len(got), acknowledged)
	}
}

// fill takes all room that is left.
func fill(t *testing.T, file string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for {
			if _, err := f.Write([]byte(strings.Repeat("x", size))); err != nil {
				break
			}
		}
	}
	if _, err := f.Write([]byte(strconv.Itoa(1))); err == nil {
		t.Fatal("the disk is not full")
	}
}
