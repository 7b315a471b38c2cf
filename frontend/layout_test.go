package frontend

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// What answers are made by is pure: it asks neither the daemon nor the
// client, and knows nothing of the protocol. Only the packages named here do.
func TestPurePackages(t *testing.T) {
	asking := map[string]bool{".": true, "gateway": true, "cmd/stagecraft-frontend": true}
	forbidden := []string{
		"github.com/stagecraft/stagecraft/frontend",
		"github.com/stagecraft/stagecraft/frontend/gateway",
		"github.com/moby/buildkit/frontend/gateway",
		"github.com/moby/buildkit/frontend/dockerui",
		"google.golang.org/grpc",
	}
	pure := map[string]int{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		dir := filepath.ToSlash(filepath.Dir(path))
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || asking[dir] {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pure[dir]++
		for _, imported := range f.Imports {
			name, err := strconv.Unquote(imported.Path.Value)
			if err != nil {
				return err
			}
			for _, no := range forbidden {
				if name == no || no != forbidden[0] && strings.HasPrefix(name, no+"/") {
					t.Errorf("%s imports %s", path, name)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"answer", "diagram", "docker", "outgoing", "review", "size", "view"} {
		if pure[name] == 0 {
			t.Errorf("there is no package %s", name)
		}
	}
}

// Whatever runs at the same time in the compiler and the frontend is guarded:
// a panic in a goroutine that is not ends the process.
func TestGoroutinesAreGuarded(t *testing.T) {
	found := 0
	for _, root := range []string{".", filepath.Join("..", "llb")} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "llbtest") {
				return err
			}
			started, guards, err := goroutines(path)
			found += started
			if started > guards {
				t.Errorf("%s starts %d goroutines, and guards %d: see package crash", path, started, guards)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 5 {
		t.Errorf("only %d goroutines were found", found)
	}
}

// goroutines counts the calls in a file that run a function in another
// goroutine, and those that guard one.
func goroutines(path string) (started, guards int, _ error) {
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return 0, 0, err
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			started++
		case *ast.CallExpr:
			name := called(n.Fun)
			switch {
			case strings.HasSuffix(name, ".Go") && len(n.Args) == 1 && isFunc(n.Args[0]),
				strings.HasSuffix(name, ".Do") && len(n.Args) == 3,
				name == "b.EachPlatform", name == "r.UI.Build":
				started++
			case name == "guarded", name == "crash.Guard", name == "crash.Recover":
				guards++
			}
		}
		return true
	})
	return started, guards, nil
}

func isFunc(e ast.Expr) bool {
	_, ok := e.(*ast.FuncLit)
	return ok
}

// called is a function as the source calls it.
func called(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return called(e.X) + "." + e.Sel.Name
	default:
		return ""
	}
}
