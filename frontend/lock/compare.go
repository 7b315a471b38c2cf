package lock

import (
	"strings"

	"github.com/stagecraft/stagecraft/frontend/answer"
)

// Report says what moved since a lock was written.
type Report struct {
	Version int `json:"version"`
	// Moved have another digest now, New are not in the lock, and Gone are in
	// the lock and no longer needed.
	Moved []Change `json:"moved"`
	New   []Change `json:"new"`
	Gone  []Change `json:"gone"`
}

// Change is a source that is not as the lock has it.
type Change struct {
	Ref    string   `json:"ref"`
	Before string   `json:"before,omitempty"`
	After  string   `json:"after,omitempty"`
	UsedBy []string `json:"usedBy,omitempty"`
}

// Compare compares a lock with what the build would be made from now.
func Compare(locked, now *Document) *Report {
	r := &Report{Version: Version, Moved: []Change{}, New: []Change{}, Gone: []Change{}}
	for _, s := range now.Sources {
		old, ok := locked.find(s.identifier())
		switch {
		case !ok:
			r.New = append(r.New, Change{Ref: s.Ref, After: s.Digest, UsedBy: s.UsedBy})
		case old.Digest != s.Digest:
			r.Moved = append(r.Moved, Change{Ref: s.Ref, Before: old.Digest, After: s.Digest, UsedBy: s.UsedBy})
		}
	}
	for _, s := range locked.Sources {
		if _, ok := now.find(s.identifier()); !ok {
			r.Gone = append(r.Gone, Change{Ref: s.Ref, Before: s.Digest, UsedBy: s.UsedBy})
		}
	}
	return r
}

// Same reports whether a build would be made from what the lock has. What is
// no longer needed does no harm.
func (r *Report) Same() bool { return len(r.Moved) == 0 && len(r.New) == 0 }

// Text returns the report for people. file is the name of the lock.
func (r *Report) Text(file string) string {
	if r.Same() && len(r.Gone) == 0 {
		return "everything is as in " + file + "\n"
	}
	table := answer.NewTable(answer.Column{}, answer.Column{}, answer.Column{})
	for _, list := range [][]Change{r.Moved, r.New, r.Gone} {
		for _, c := range list {
			s := Source{Ref: c.Ref}
			change := short(c.Before) + " -> " + short(c.After)
			switch {
			case c.Before == "":
				change = "not in " + file
			case c.After == "":
				change = "no longer needed"
			}
			table.Add(s.Name(), change, strings.Join(c.UsedBy, " "))
		}
	}
	return table.String() + "\nTo take this over: " + strings.ReplaceAll(command, FileName, file) + "\n"
}

// short returns the beginning of a digest or a commit.
func short(digest string) string {
	algorithm, hex, ok := strings.Cut(digest, ":")
	if !ok {
		return digest[:min(len(digest), 12)]
	}
	return algorithm + ":" + hex[:min(len(hex), 12)]
}
