package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

type deviceFileCmd struct {
	List   fileListCmd   `cmd:"" help:"List the files that a device uploaded."`
	Get    fileGetCmd    `cmd:"" help:"Download a file."`
	Remove fileRemoveCmd `cmd:"" help:"Delete a file."`
}

// A deviceFile is one as the API shows it.
type deviceFile struct {
	Name      string    `json:"name"`
	Size      int64     `json:"size"`
	SHA256    string    `json:"sha256"`
	CRC64     string    `json:"crc64"`
	ArrivedAt time.Time `json:"arrivedAt"`
}

type fileListCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	limitFlags
	apiFlags
}

func (*fileListCmd) Help() string {
	return `Examples:
  matou device file list a1NightLamp/lamp01
  matou device file list a1NightLamp/lamp01 --limit 0 --json`
}

func (c *fileListCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	p, err := r.list(c.Device.at("files"), nil, c.Limit)
	if err != nil {
		return err
	}
	header := []string{"NAME", "SIZE", "ARRIVED", "SHA256"}
	return printPage(g, r, p, "no files", header, func(f *deviceFile) []string {
		return []string{f.Name, bytesOf(f.Size), seconds(f.ArrivedAt), f.SHA256}
	})
}

type fileGetCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	Name   segment   `arg:"" help:"Name of the file."`
	Output string    `short:"o" help:"Where to write it, - for standard output; left out, a file of its name here." placeholder:"FILE"`
	Force  bool      `help:"Write over a file that is there."`
	apiFlags
}

func (*fileGetCmd) Help() string {
	return `The file is written whole or not at all, and only if it has the SHA256 that the
server says.

Examples:
  matou device file get a1NightLamp/lamp01 a.log
  matou device file get a1NightLamp/lamp01 a.log -o - | grep error
  matou device file get a1NightLamp/lamp01 a.log -o /tmp/a.log --force --json`
}

func (c *fileGetCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	var f deviceFile
	if err := r.call("GET", c.Device.at("files", string(c.Name)), nil, nil, &f); err != nil {
		return err
	}
	if c.Output == "-" {
		return r.fetchFile(c.Device, &f, g.Stdout)
	}
	to := c.Output
	if to == "" {
		to = filepath.Base(f.Name)
	}
	if _, err := os.Lstat(to); err == nil && !c.Force {
		return fmt.Errorf("%s is there already; name another with -o, or write over it with --force", to)
	}
	if err := c.write(r, &f, to); err != nil {
		return err
	}
	out := struct {
		deviceFile
		File string `json:"file"`
	}{f, to}
	return g.emit(out, func(w io.Writer) { fmt.Fprintf(w, "%s, %s\n", visible(to), bytesOf(f.Size)) })
}

// write fetches beside the place where the file shall be, and moves it there
// when it is whole.
func (c *fileGetCmd) write(r *rest, f *deviceFile, to string) error {
	part, err := os.CreateTemp(filepath.Dir(to), "."+filepath.Base(to)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(part.Name())
	err = r.fetchFile(c.Device, f, part)
	if err = errors.Join(err, part.Close()); err != nil {
		return err
	}
	return os.Rename(part.Name(), to)
}

// fetchFile writes a file as it comes, and fails where another one came.
func (r *rest) fetchFile(of deviceRef, f *deviceFile, w io.Writer) error {
	resp, err := r.send(r.ctx, question{method: "GET", path: of.at("files", f.Name, "content")})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(w, sum), resp.Body); err != nil {
		return fmt.Errorf("download %s: %w", f.Name, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); !strings.EqualFold(got, f.SHA256) {
		return fmt.Errorf("%s came with the SHA256 %s, not %s: it was replaced or changed on the way; try again", f.Name, got, f.SHA256)
	}
	return nil
}

type fileRemoveCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	Name   segment   `arg:"" help:"Name of the file."`
	yesFlag
	apiFlags
}

func (*fileRemoveCmd) Help() string {
	return `Examples:
  matou device file remove a1NightLamp/lamp01 a.log
  matou device file remove a1NightLamp/lamp01 a.log --yes --json`
}

func (c *fileRemoveCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	what := "Delete the file " + string(c.Name) + " of " + c.Device.String()
	return r.remove(g, c.yesFlag, what, c.Device.at("files", string(c.Name)), nil, removed{Product: c.Device.Product, Device: c.Device.Device, File: string(c.Name)})
}
