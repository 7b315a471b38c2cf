package flatten

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/tonistiigi/go-csvvalue"
)

// instruction is the text of an instruction taken apart.
type instruction struct {
	raw     string
	escape  rune
	logical []byte // in one line, as BuildKit's parser joins it
	at      []int  // for each byte of logical its place in raw
	keyword word
	flags   []word
	// rest is what follows the flags, and words are its words.
	rest  word
	words []word
}

// word is a part of an instruction, with its place in raw.
type word struct {
	text       string // without the quotes and escapes of a flag
	start, end int
}

// edit replaces a part of raw.
type edit struct {
	start, end int
	text       string
}

// takeApart finds the flags and the words of an instruction. It goes by the
// rules of BuildKit's line parser: continuation lines, comments between them,
// quotes in flags.
func takeApart(raw string, escape rune) *instruction {
	in := &instruction{raw: raw, escape: escape}
	in.join()
	pos := in.skipSpace(0)
	end := pos
	for end < len(in.logical) && !isSpace(in.logical[end]) {
		end++
	}
	in.keyword = in.word(pos, end, "")
	pos = in.takeFlags(in.skipSpace(end))
	in.rest = in.word(pos, len(in.logical), "")
	for pos < len(in.logical) {
		end := pos
		for end < len(in.logical) && !isSpace(in.logical[end]) {
			end++
		}
		in.words = append(in.words, in.word(pos, end, ""))
		pos = in.skipSpace(end)
	}
	return in
}

// join makes one line of the lines that belong together.
func (in *instruction) join() {
	escape := regexp.QuoteMeta(string(in.escape))
	continued := regexp.MustCompile(`([^` + escape + `])` + escape + `[ \t]*$|^` + escape + `[ \t]*$`)
	offset := 0
	for i, line := range strings.SplitAfter(in.raw, "\n") {
		start := offset
		offset += len(line)
		text := strings.TrimRight(line, "\r\n")
		trimmed := strings.TrimLeftFunc(text, unicode.IsSpace)
		if i > 0 && (trimmed == "" || trimmed[0] == '#') {
			continue
		}
		more := false
		if m := continued.FindStringSubmatchIndex(text); m != nil {
			more = true
			if m[2] >= 0 {
				text = text[:m[3]]
			} else {
				text = text[:m[0]]
			}
		}
		for j := range len(text) {
			in.logical = append(in.logical, text[j])
			in.at = append(in.at, start+j)
		}
		if !more {
			return
		}
	}
}

func isSpace(b byte) bool { return unicode.IsSpace(rune(b)) }

func (in *instruction) skipSpace(pos int) int {
	for pos < len(in.logical) && isSpace(in.logical[pos]) {
		pos++
	}
	return pos
}

// word returns the part from start to end of the joined line.
func (in *instruction) word(start, end int, text string) word {
	if text == "" {
		text = string(in.logical[start:end])
	}
	switch {
	case start < end:
		return word{text, in.at[start], in.at[end-1] + 1}
	case start < len(in.at):
		return word{text, in.at[start], in.at[start]}
	case len(in.at) > 0:
		return word{text, in.at[len(in.at)-1] + 1, in.at[len(in.at)-1] + 1}
	}
	return word{text: text}
}

// takeFlags returns where the flags end.
func (in *instruction) takeFlags(pos int) int {
	for strings.HasPrefix(string(in.logical[pos:]), "--") {
		start := pos
		var text strings.Builder
		quote := byte(0)
		for ; pos < len(in.logical); pos++ {
			c := in.logical[pos]
			switch {
			case quote == 0 && isSpace(c):
			case quote == 0 && (c == '\'' || c == '"'):
				quote = c
				continue
			case quote != 0 && c == quote:
				quote = 0
				continue
			case rune(c) == in.escape:
				if pos++; pos < len(in.logical) {
					text.WriteByte(in.logical[pos])
				}
				continue
			default:
				text.WriteByte(c)
				continue
			}
			break
		}
		if text.String() == "--" {
			return in.skipSpace(pos)
		}
		pos = min(pos, len(in.logical))
		in.flags = append(in.flags, in.word(start, pos, text.String()))
		pos = in.skipSpace(pos)
	}
	return pos
}

// flag returns the flags of a name, without the dashes.
func (in *instruction) flag(name string) []word {
	var found []word
	for _, f := range in.flags {
		if key, _, _ := strings.Cut(strings.TrimPrefix(f.text, "--"), "="); key == name {
			found = append(found, f)
		}
	}
	return found
}

// value returns what a flag is set to.
func (w word) value() string {
	_, value, _ := strings.Cut(w.text, "=")
	return value
}

// isJSON reports whether the words are written as a JSON array.
func (in *instruction) isJSON() bool { return strings.HasPrefix(in.rest.text, "[") }

// without removes a word and the space after it.
func (in *instruction) without(w word) edit {
	end := w.end
	for end < len(in.raw) && (in.raw[end] == ' ' || in.raw[end] == '\t') {
		end++
	}
	return edit{w.start, end, ""}
}

// insert puts text after the keyword.
func (in *instruction) insert(text string) edit {
	pos := in.rest.start
	if len(in.flags) > 0 {
		pos = in.flags[0].start
	}
	return edit{pos, pos, text + " "}
}

// apply returns raw with some edits.
func (in *instruction) apply(edits []edit) string {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Or(a.start-b.start, a.end-b.end) })
	var text strings.Builder
	pos := 0
	for _, e := range edits {
		text.WriteString(in.raw[pos:e.start] + e.text)
		pos = e.end
	}
	return text.String() + in.raw[pos:]
}

// quotedFlag writes a flag such that the parser reads this text.
func quotedFlag(text string, escape rune) string {
	if !strings.ContainsAny(text, " \t'\"\\`") {
		return text
	}
	return text[:2] + `"` + strings.NewReplacer(string(escape), string(escape)+string(escape), `"`, string(escape)+`"`).Replace(text[2:]) + `"`
}

// mountFields returns the fields of a --mount.
func mountFields(flag word) []string {
	fields, err := csvvalue.Fields(flag.value(), nil)
	if err != nil {
		return nil
	}
	return fields
}

// mountField returns the value of a field; keys have no case.
func mountField(fields []string, keys ...string) string {
	for _, f := range fields {
		key, value, _ := strings.Cut(f, "=")
		if slices.Contains(keys, strings.ToLower(key)) {
			return value
		}
	}
	return ""
}

// withFrom returns a --mount whose from= is another.
func withFrom(flag word, from string, escape rune) string {
	fields := slices.Clone(mountFields(flag))
	i := slices.IndexFunc(fields, func(f string) bool {
		key, _, _ := strings.Cut(f, "=")
		return strings.EqualFold(key, "from")
	})
	if i < 0 {
		fields = append(fields, "")
		i = len(fields) - 1
	}
	fields[i] = "from=" + from
	for i, f := range fields {
		if strings.ContainsAny(f, `",`) {
			fields[i] = `"` + strings.ReplaceAll(f, `"`, `""`) + `"`
		}
	}
	return quotedFlag("--mount="+strings.Join(fields, ","), escape)
}
