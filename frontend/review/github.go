package review

import (
	"fmt"
	"strings"
)

// GitHub returns the report as workflow commands, which GitHub Actions shows as
// annotations of the lines that they name.
func (r *Report) GitHub() string {
	out := &strings.Builder{}
	for i := range r.Findings {
		f := &r.Findings[i]
		properties := "file=" + property(f.File)
		if f.Line > 0 {
			properties += fmt.Sprintf(",line=%d,endLine=%d", f.Line, f.EndLine)
		}
		rule := ruleOf(f.Rule)
		message := f.Message + "\n" + rule.Why + "\n" + rule.Mend
		fmt.Fprintf(out, "::warning %s,title=%s::%s\n", properties, property(f.Rule+": "+f.Practice), data.Replace(message))
	}
	return out.String()
}

// data escapes a message of a workflow command.
var data = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")

// property escapes the value of a property.
func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(data.Replace(s))
}
