package digests

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/patternmatcher"
)

// ListFile returns the name of the list of a numbered folder; see package listing.
func ListFile(number int) string { return strconv.Itoa(number) + ".json" }

// MaxFiles is how many files a step shows; of more, folders are shown.
const MaxFiles = 5000

// Selection is a part of a folder.
type Selection struct {
	// Path may have wildcards, as COPY has them. A folder is all that is in it.
	Path string
	// Include are patterns below Path, nil for everything, and Excludes what is left out.
	Include, Excludes []string
}

// Of returns the files of a folder that are selected, in the order of their paths.
func (s Selection) Of(files []File) ([]File, error) {
	excludes, err := patternmatcher.New(s.Excludes)
	if err != nil {
		return nil, err
	}
	patterns := s.Include
	if patterns == nil {
		patterns = []string{""}
	}
	var selected []File
	for _, f := range files {
		for _, p := range patterns {
			rest, ok := below(path.Join("/", s.Path, p), f.Path)
			if !ok {
				continue
			}
			if len(s.Excludes) > 0 {
				out, err := excludes.MatchesOrParentMatches(cmp.Or(rest, path.Base(f.Path)))
				if err != nil {
					return nil, err
				}
				if out {
					continue
				}
			}
			selected = append(selected, f)
			break
		}
	}
	return selected, nil
}

// below matches a path or one of the folders that it is in, and returns the rest.
func below(pattern, name string) (rest string, ok bool) {
	want, have := components(pattern), components(name)
	if len(have) < len(want) {
		return "", false
	}
	for i, w := range want {
		if match, err := path.Match(w, have[i]); err != nil || !match && w != have[i] {
			return "", false
		}
	}
	return strings.Join(have[len(want):], "/"), true
}

func components(p string) []string {
	return strings.FieldsFunc(path.Clean("/"+p), func(r rune) bool { return r == '/' })
}

// Fold returns the files of a step, or where there are too many the folders that they are in, each with a digest of
// all that is in it.
func Fold(files []File) (_ []File, folded bool) {
	if len(files) <= MaxFiles {
		return files, false
	}
	return folders(files), true
}

// folders returns the entries of the root, each folder with all that is in it.
func folders(files []File) []File {
	groups := map[string][]File{}
	for _, f := range files {
		top := components(f.Path)[0]
		groups["/"+top] = append(groups["/"+top], f)
	}
	var list []File
	for name, in := range groups {
		if len(in) == 1 {
			list = append(list, in[0])
			continue
		}
		list = append(list, File{Path: name + "/", Mode: "d", Digest: digest(in)})
	}
	slices.SortFunc(list, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return list
}
