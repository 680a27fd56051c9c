package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime/multipart"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"
)

// upload sends files with what is known of them: one as the body, several as a
// form. Each goes with its SHA256, so that the server refuses what was changed
// on the way.
func (r *rest) upload(g *globals, path string, about [][2]string, files []string) ([]byte, error) {
	var total int64
	sums := make([]string, len(files))
	for i, name := range files {
		sum, size, err := digest(name)
		if err != nil {
			return nil, err
		}
		sums[i] = sum
		total += size
	}
	q := question{method: "POST", path: path, accept: jsonContent}
	bar := &progressBar{w: g.Stderr, total: total, quiet: !isTerminal(g.Stderr), what: filepath.Base(files[0])}
	defer bar.end()
	if len(files) == 1 {
		f, err := os.Open(files[0])
		if err != nil {
			return nil, err
		}
		defer f.Close()
		q.query = pairsOf(append(about, [2]string{"file", filepath.Base(files[0])}, [2]string{"sha256", sums[0]}))
		q.stream, q.length, q.content = io.TeeReader(f, bar), total, "application/octet-stream"
		return r.sent(q)
	}
	bar.what = count(len(files), "file", "files")
	out, in := io.Pipe()
	form := multipart.NewWriter(in)
	done := make(chan struct{})
	go func() {
		defer close(done)
		in.CloseWithError(writeForm(form, bar, about, files, sums))
	}()
	defer func() {
		out.Close() // a server that refuses early reads no further
		<-done
	}()
	q.stream, q.length, q.content = out, -1, form.FormDataContentType()
	return r.sent(q)
}

// sent is the answer to a question that takes as long as it takes.
func (r *rest) sent(q question) ([]byte, error) {
	resp, err := r.send(r.ctx, q)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
}

func writeForm(form *multipart.Writer, bar io.Writer, about [][2]string, files, sums []string) error {
	for _, a := range about {
		if a[1] == "" {
			continue
		}
		if err := form.WriteField(a[0], a[1]); err != nil {
			return err
		}
	}
	for i, name := range files {
		if err := form.WriteField("sha256", sums[i]); err != nil {
			return err
		}
		part, err := form.CreateFormFile("file", filepath.Base(name))
		if err != nil {
			return err
		}
		if err := copyFile(io.MultiWriter(part, bar), name); err != nil {
			return err
		}
	}
	return form.Close()
}

func copyFile(w io.Writer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// digest is the SHA256 and the size of a file.
func digest(name string) (string, int64, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err == nil && n == 0 {
		err = fmt.Errorf("%s is empty", name)
	}
	return hex.EncodeToString(sum.Sum(nil)), n, err
}

// isTerminal reports whether what is written there is seen by a person.
func isTerminal(w io.Writer) bool {
	if s, ok := w.(*shared); ok {
		w = s.w
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// A progressBar shows how much of an upload has gone out, several times a
// second, in one line that it writes again.
type progressBar struct {
	w     io.Writer
	what  string
	total int64
	quiet bool // nobody watches
	now   func() time.Time

	gone  int64
	shown time.Time
	began time.Time
}

// barWidth is how many signs the bar has, barEvery how often it is drawn.
const (
	barWidth = 30
	barEvery = 100 * time.Millisecond
)

// Write counts what went out.
func (b *progressBar) Write(p []byte) (int, error) {
	now := time.Now()
	if b.now != nil {
		now = b.now()
	}
	if b.began.IsZero() {
		b.began = now
	}
	b.gone += int64(len(p))
	if !b.quiet && (now.Sub(b.shown) >= barEvery || b.gone >= b.total) {
		b.shown = now
		fmt.Fprintf(b.w, "\r%s", b.line(now))
	}
	return len(p), nil
}

func (b *progressBar) line(now time.Time) string {
	part := 1.0
	if b.total > 0 {
		part = min(float64(b.gone)/float64(b.total), 1)
	}
	full := int(part * barWidth)
	speed := ""
	if d := now.Sub(b.began).Seconds(); d > 0 {
		speed = "  " + bytesOf(int64(float64(b.gone)/d)) + "/s"
	}
	return fmt.Sprintf("%s [%s%s] %3.0f %% of %s%s ", visible(b.what), strings.Repeat("#", full), strings.Repeat(".", barWidth-full), part*100, bytesOf(b.total), speed)
}

// end leaves the line.
func (b *progressBar) end() {
	if !b.quiet && b.gone > 0 {
		fmt.Fprintln(b.w)
	}
}

// bytesOf writes a number of bytes for people.
func bytesOf(n int64) string {
	switch {
	case n >= 1<<30:
		return strconv.FormatFloat(float64(n)/(1<<30), 'f', 1, 64) + " GiB"
	case n >= 1<<20:
		return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MiB"
	case n >= 1<<10:
		return strconv.FormatFloat(float64(n)/(1<<10), 'f', 1, 64) + " KiB"
	}
	return strconv.FormatInt(n, 10) + " B"
}
