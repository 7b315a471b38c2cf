package review

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// harmless are commands that do not fail, or whose failure means nothing.
var harmless = set("echo printf export set : true umask unset shopt alias trap exit source .")

// lost returns the first command of a text whose failure nobody sees.
func lost(stmts []*syntax.Stmt) string {
	if len(stmts) < 2 {
		return ""
	}
	for _, s := range stmts[:len(stmts)-1] {
		found, stops := "", false
		syntax.Walk(s, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.BinaryCmd:
				return n.Op != syntax.OrStmt // somebody looks at the failure
			case *syntax.CmdSubst, *syntax.FuncDecl:
				return false
			case *syntax.CallExpr:
				if len(n.Args) == 0 {
					return false
				}
				name := word(n.Args[0])
				stops = stops || name == "set" && len(n.Args) > 1 && (exitOption(word(n.Args[1])) || word(n.Args[len(n.Args)-1]) == "errexit")
				if found == "" && !harmless[name] && !strings.HasPrefix(name, "[") && name != "test" {
					found = name
				}
			}
			return true
		})
		if stops {
			return ""
		}
		if found != "" && !s.Background {
			return found
		}
	}
	return ""
}
