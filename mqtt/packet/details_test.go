package packet

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// decodeSources is the text of the decoders.
func decodeSources(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "fault.go" {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, body, _ := strings.Cut(string(text), "package packet\n")
		all.WriteString(body)
	}
	return all.String()
}

// decodeDetails are the last arguments of all calls of fail and malformed, and
// of all Error literals that a peer is told of.
func decodeDetails(source string) (details []string) {
	for _, part := range strings.Split(source, "\nfunc ")[1:] {
		f, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc "+part, parser.SkipObjectResolution)
		if f == nil || err != nil && len(f.Decls) == 0 {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok && (s.Sel.Name == "fail" || s.Sel.Name == "malformed") {
					details = append(details, literal(n.Args[len(n.Args)-1])...)
				}
			case *ast.CompositeLit:
				if id, ok := n.Type.(*ast.Ident); ok && id.Name == "Error" && len(n.Elts) == 4 {
					details = append(details, literal(n.Elts[2])...)
				}
			}
			return true
		})
	}
	return details
}

// literal is the string that an expression begins with, nothing for a variable.
func literal(e ast.Expr) []string {
	if sum, ok := e.(*ast.BinaryExpr); ok {
		return literal(sum.X)
	}
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		return nil
	}
	s, _ := strconv.Unquote(lit.Value)
	return []string{s}
}
