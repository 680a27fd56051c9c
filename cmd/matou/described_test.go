package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matou-iot/matou/device/fleet"
	"github.com/matou-iot/matou/device/virtual"
)

// What --print writes runs from a file of its own, as the documentation does
// it: the thing models that it names ship with the program.
func TestPrintedExamplesRun(t *testing.T) {
	dir := t.TempDir()
	matou := func(args ...string) (string, string, int) {
		var out, errs bytes.Buffer
		code := run(context.Background(), args, strings.NewReader(""), &out, &errs)
		return out.String(), errs.String(), code
	}
	for noun, names := range map[string][]string{"device": virtual.Examples.Names(), "fleet": fleet.Examples.Names()} {
		for _, name := range names {
			text, _, code := matou(noun, "run", "--example", name, "--print")
			file := filepath.Join(dir, noun+"-"+name+".yaml")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil || code != 0 {
				t.Fatal(err, code)
			}
			if _, errs, code := matou(noun, "run", file, "--check"); code != 0 {
				t.Errorf("%s run of the printed %s: exit %d: %s", noun, name, code, errs)
			}
			from, err := readDescribed("", file, "", virtual.Examples, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := from.open("nobody-has-it.json"); !os.IsNotExist(err) {
				t.Errorf("a file that nobody has: %v", err)
			}
		}
	}
	// The model that --create makes the product with.
	file := filepath.Join(dir, "device-night-light.yaml")
	from, err := readDescribed("", file, "", virtual.Examples, nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := virtual.Read(file, from.text, from.open, nil)
	if err != nil {
		t.Fatal(err)
	}
	if model, err := d.ModelText(); err != nil || !bytes.Contains(model, []byte("NightLightSwitch")) {
		t.Errorf("model %q, %v", model, err)
	}
	// A file beside the description wins over the one that ships.
	mine := filepath.Join(dir, "night-light.tsl.json")
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if model, err := d.ModelText(); err != nil || string(model) != "mine" {
		t.Errorf("model %q, %v", model, err)
	}
}

// Whoever confuses the two kinds of descriptions is told so.
func TestDescriptionsOfTheOtherKind(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ noun, example, other, says string }{
		{"device", "night-light", "fleet", "describes a single device: run it with 'matou device run "},
		{"fleet", "soak", "device", "describes a fleet: run it with 'matou fleet run "},
	} {
		var text, out, errs bytes.Buffer
		if code := run(context.Background(), []string{tt.noun, "run", "--example", tt.example, "--print"}, strings.NewReader(""), &text, &errs); code != 0 {
			t.Fatal(errs.String())
		}
		file := filepath.Join(dir, tt.noun+".yaml")
		if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if code := run(context.Background(), []string{tt.other, "run", file}, strings.NewReader(""), &out, &errs); code != 2 || !strings.Contains(errs.String(), tt.says) {
			t.Errorf("exit %d: %s", code, errs.String())
		}
	}
}
