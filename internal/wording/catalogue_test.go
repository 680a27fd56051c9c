package wording

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// said is what the source says: a format, and where.
type said struct{ format, where string }

// TestEverySentenceHasItsChinese walks the source: what fault's constructors,
// Errorf and Term are given has to be in the catalogue with the same verbs, and
// nothing else.
func TestEverySentenceHasItsChinese(t *testing.T) {
	source := read(t)
	all := source.sentences()
	if len(all) < 300 {
		t.Fatalf("%d sentences were found: the rule was not tested", len(all))
	}
	for _, place := range source.unread {
		t.Errorf("%s: the format is not written there: give a constant, so that it can have its Chinese", place)
	}
	used := make(map[string]bool)
	for _, s := range all {
		used[s.format] = true
		zh, ok := catalogue()[s.format]
		switch {
		case !ok && words(s.format):
			t.Errorf("%s: add the Chinese of %q to internal/wording/%s", s.where, s.format, fileOf(s.where))
		case ok && !words(s.format):
			t.Errorf("%s: %q has only verbs and needs no Chinese", s.where, s.format)
		}
		if ok && !slices.Equal(verbs(s.format), verbs(zh)) {
			t.Errorf("%s: %q has the verbs %v, its Chinese %q has %v", s.where, s.format, verbs(s.format), zh, verbs(zh))
		}
	}
	for room, sentences := range rooms {
		for format := range sentences {
			if !used[format] && !source.plain[format] {
				t.Errorf("zh_%s.go: nobody says %q any more: delete it", room, format)
			}
		}
	}
}

// TestNoSentenceStandsTwice: which of two Chinese sentences is said would be
// chance.
func TestNoSentenceStandsTwice(t *testing.T) {
	in := make(map[string]string)
	for room, sentences := range rooms {
		for format, zh := range sentences {
			if other, ok := in[format]; ok {
				t.Errorf("%q stands in zh_%s.go and in zh_%s.go: keep it in zh_several.go", format, room, other)
			}
			in[format] = room
			if zh == "" || !strings.ContainsFunc(zh, func(r rune) bool { return r >= 0x3000 }) {
				t.Errorf("zh_%s.go: %q is no Chinese", room, zh)
			}
		}
	}
}

// fileOf proposes where the Chinese of a sentence belongs.
func fileOf(where string) string {
	parts := strings.Split(filepath.ToSlash(where), "/")
	return "zh_" + strings.TrimSuffix(parts[max(0, len(parts)-2)], ".go") + ".go, or where its neighbours are"
}

var verb = regexp.MustCompile(`%(\[\d+\])?([-+# 0]*[\d.]*)([a-zA-Z%])`)

// verbs are those of a format, each behind the number of its argument.
func verbs(format string) []string {
	var all []string
	next := 1
	for _, m := range verb.FindAllStringSubmatch(format, -1) {
		if m[3] == "%" {
			continue
		}
		if m[1] != "" {
			next, _ = strconv.Atoi(strings.Trim(m[1], "[]"))
		}
		kind := m[3]
		if kind == "w" {
			kind = "v"
		}
		all = append(all, strconv.Itoa(next)+":"+m[2]+kind)
		next++
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// words reports whether a format says something beside its arguments.
func words(format string) bool {
	return strings.ContainsFunc(verb.ReplaceAllString(format, ""), func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' })
}

// A sayer is a function that is given a format: by its name, within a folder or,
// where others can call it, anywhere.
type sayer struct{ folder, name string }

type source struct {
	files  map[string]*ast.File
	set    *token.FileSet
	plain  map[string]bool // all texts: what errors.New says, and words that are chosen elsewhere
	unread []string
	sayers map[sayer]int // which argument is the format
}

// read parses what is not a test.
func read(t *testing.T) *source {
	s := &source{files: make(map[string]*ast.File), set: token.NewFileSet(), plain: make(map[string]bool), sayers: map[sayer]int{
		{"", "wording.Errorf"}: 0, {"", "wording.Term"}: 0,
	}}
	for _, kind := range []string{"Invalid", "NotFound", "Conflict", "Unauthorized", "Forbidden", "Exhausted", "Timeout", "Unavailable"} {
		s.sayers[sayer{"", "fault." + kind}] = 0
	}
	const root = "../.."
	for _, room := range []string{"aliyun", "at", "cmd", "device", "internal", "modem", "mqtt", "onenet", "thing"} {
		err := filepath.WalkDir(filepath.Join(root, room), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			name, _ := filepath.Rel(root, path)
			s.files[filepath.ToSlash(name)], err = parser.ParseFile(s.set, path, nil, parser.SkipObjectResolution)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// sentences finds the formats. A function that hands its own parameter on as
// one is a sayer too, so that it looks until it finds no more of them.
func (s *source) sentences() []said {
	for {
		known := len(s.sayers)
		var all []said
		s.unread = nil
		for name, file := range s.files {
			folder := filepath.ToSlash(filepath.Dir(name))
			if folder == "internal/fault" || folder == "internal/wording" {
				continue
			}
			all = append(all, s.inFile(folder, name, file)...)
		}
		if len(s.sayers) == known {
			return all
		}
	}
}

// A function is one that is being read, with the names of its parameters.
type function struct {
	node   ast.Node
	name   string
	public bool
	params []string
}

func (s *source) inFile(folder, name string, file *ast.File) []said {
	var all []said
	var around []function
	ast.PreorderStack(file, nil, func(n ast.Node, stack []ast.Node) bool {
		for len(around) > 0 && !slices.Contains(stack, around[len(around)-1].node) {
			around = around[:len(around)-1]
		}
		switch n := n.(type) {
		case *ast.FuncDecl:
			around = append(around, function{n, n.Name.Name, n.Name.IsExported() && n.Recv != nil, params(n.Type)})
		case *ast.FuncLit:
			f := function{node: n, params: params(n.Type)}
			if a, ok := stack[len(stack)-1].(*ast.AssignStmt); ok && len(a.Lhs) == 1 {
				if id, ok := a.Lhs[0].(*ast.Ident); ok {
					f.name = id.Name
				}
			}
			around = append(around, f)
		case *ast.BasicLit:
			if text, ok := constant(n); ok {
				s.plain[text] = true
			}
		case *ast.CallExpr:
			i, ok := s.format(folder, called(n))
			if !ok || i >= len(n.Args) {
				return true
			}
			where := name + ":" + strconv.Itoa(s.set.Position(n.Pos()).Line)
			if format, ok := constant(n.Args[i]); ok {
				all = append(all, said{format, where})
			} else if called(n) != "wording.Term" && !s.handsOn(folder, n.Args[i], around) {
				s.unread = append(s.unread, where)
			}
		}
		return true
	})
	return all
}

// handsOn finds the function whose parameter a format is, and remembers it.
func (s *source) handsOn(folder string, format ast.Expr, around []function) bool {
	id, ok := format.(*ast.Ident)
	if !ok {
		return false
	}
	for _, f := range slices.Backward(around) {
		if i := slices.Index(f.params, id.Name); i >= 0 {
			if f.name == "" {
				return true // it is handed to somebody who calls it by another name
			}
			if f.public {
				s.sayers[sayer{"", f.name}] = i
			}
			s.sayers[sayer{folder, f.name}] = i
			return true
		}
	}
	return false
}

// format says which argument of a call is a format.
func (s *source) format(folder, name string) (int, bool) {
	if i, ok := s.sayers[sayer{"", name}]; ok {
		return i, true
	}
	_, method, _ := strings.Cut(name, ".")
	if i, ok := s.sayers[sayer{"", method}]; ok && method != "" {
		return i, true
	}
	for _, n := range []string{name, method} {
		if i, ok := s.sayers[sayer{folder, n}]; ok && n != "" {
			return i, true
		}
	}
	return 0, false
}

// called is pkg.Name, .Name for a method of something longer, or Name.
func called(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			return x.Name + "." + f.Sel.Name
		}
		return "." + f.Sel.Name
	}
	return ""
}

func params(t *ast.FuncType) []string {
	var all []string
	for _, f := range t.Params.List {
		if len(f.Names) == 0 {
			all = append(all, "")
		}
		for _, n := range f.Names {
			all = append(all, n.Name)
		}
	}
	return all
}

// constant reads a text, also one that is put together with +.
func constant(x ast.Expr) (string, bool) {
	switch x := x.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(x.Value)
		return text, err == nil && x.Kind == token.STRING
	case *ast.BinaryExpr:
		left, ok := constant(x.X)
		right, also := constant(x.Y)
		return left + right, ok && also
	case *ast.ParenExpr:
		return constant(x.X)
	}
	return "", false
}
