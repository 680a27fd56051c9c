package test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentsNameTestsThatExist keeps the tables of docs/ honest.
func TestDocumentsNameTestsThatExist(t *testing.T) {
	known, in := map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		raw, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(raw, -1) {
			known[string(m[1])] = true
			in[filepath.ToSlash(filepath.Dir(path))+" "+string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	docs, err := filepath.Glob("../docs/*.md")
	if err != nil || len(docs) == 0 {
		t.Fatal(docs, err)
	}
	for _, doc := range docs {
		raw, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(string(raw), -1) {
			if !known[name] {
				t.Errorf("%s names %s, which does not exist", doc, name)
			}
		}
		// `folder` TestOne, TestTwo; `another` TestThree
		for _, m := range regexp.MustCompile("`([\\w/]+)` ((?:Test[A-Z]\\w+(?:, )?)+)").FindAllStringSubmatch(string(raw), -1) {
			for _, name := range strings.Split(strings.Trim(m[2], ", "), ", ") {
				if known[name] && !in["../"+m[1]+" "+name] {
					t.Errorf("%s looks for %s in %s, where it is not", doc, name, m[1])
				}
			}
		}
	}
}
