package walk

import (
	"os"
	"slices"
	"strings"
)

// A daemon can hold two results of one step, such as a COPY of the same files with other times, which its cache takes
// for the same. What a step made can then stand on one of them while the state below the step, asked for by itself,
// is the other. All files that the two disagree in would count as changed by the step. The folders that an overlay is
// made of tell: those of the state below have to be the last ones of the state with the step.

// standsOn reports whether the filesystem mounted at upper is that at lower with folders on top, as far as a table in
// the format of mountinfo (proc(5)) tells; true where it does not.
func standsOn(mountinfo, lower, upper string) bool {
	below, above := layersOf(mountinfo, lower), layersOf(mountinfo, upper)
	if below == nil || above == nil {
		return true
	}
	return len(above) >= len(below) && slices.Equal(above[len(above)-len(below):], below)
}

// layersOf returns the folders that a mount is made of, the uppermost first: those of an overlay, or the one that is
// bound. Nil: the table does not have it.
func layersOf(mountinfo, point string) []string {
	for line := range strings.Lines(mountinfo) {
		mount, kind, found := strings.Cut(strings.TrimSpace(line), " - ")
		fields, super := strings.Fields(mount), strings.Fields(kind)
		if !found || len(fields) < 6 || len(super) < 3 || fields[4] != point {
			continue
		}
		if super[0] != "overlay" {
			return []string{fields[3]}
		}
		var layers []string
		for option := range strings.SplitSeq(super[2], ",") {
			if dir, ok := strings.CutPrefix(option, "upperdir="); ok {
				layers = append([]string{dir}, layers...)
			}
			if dirs, ok := strings.CutPrefix(option, "lowerdir="); ok {
				layers = append(layers, strings.Split(dirs, ":")...)
			}
		}
		return layers
	}
	return nil
}

// foreign reports whether the upper state of an overlay does not stand on the lower one.
func (d *differ) foreign() bool {
	if !d.overlay || d.lower == "" {
		return false
	}
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	return err == nil && !standsOn(string(mountinfo), d.lower, d.upper)
}
