package size

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/stagecraft/stagecraft/frontend/answer"
)

// Summary is what a build says at its end: its schema is docs/schemas/summary.json.
type Summary struct {
	Version   int               `json:"version"`
	Platforms []PlatformSummary `json:"platforms"`
}

// PlatformSummary is the summary for one platform.
type PlatformSummary struct {
	Target   string `json:"target"`
	Platform string `json:"platform"`
	Total    Amount `json:"total"`
	// Origins are what files are from, the largest first: all that is from a stage, an image or a context together.
	Origins []SummaryOrigin `json:"origins"`
	// Gates are the stages that had to succeed, and did.
	Gates []string `json:"gates"`
	// Saved is how many bytes less the target has than one stage with everything would.
	Saved int64 `json:"saved"`
}

// SummaryOrigin is what came from one place.
type SummaryOrigin struct {
	Kind Kind   `json:"kind"`
	From string `json:"from,omitempty"`
	Amount
}

// NewSummary returns the summary of the reports of a build, one for each platform, with the gates that passed.
func NewSummary(reports []*Report) *Summary {
	s := &Summary{Version: SchemaVersion, Platforms: []PlatformSummary{}}
	for _, r := range reports {
		s.Platforms = append(s.Platforms, r.summary())
	}
	return s
}

func (r *Report) summary() PlatformSummary {
	p := PlatformSummary{
		Target:   r.Target,
		Platform: r.Platform,
		Total:    r.Total,
		Origins:  []SummaryOrigin{},
		Gates:    []string{},
		Saved:    max(0, r.Union.Bytes-r.Total.Bytes),
	}
	at := map[SummaryOrigin]int{}
	for _, o := range r.Origins {
		key := SummaryOrigin{Kind: o.Kind, From: o.From}
		i, ok := at[key]
		if !ok {
			i = len(p.Origins)
			at[key] = i
			p.Origins = append(p.Origins, key)
		}
		p.Origins[i].Add(o.Amount)
	}
	p.Origins = slices.DeleteFunc(p.Origins, func(o SummaryOrigin) bool { return o.Files == 0 })
	slices.SortStableFunc(p.Origins, func(a, b SummaryOrigin) int { return cmp.Compare(b.Bytes, a.Bytes) })
	for _, s := range r.Stages {
		if len(s.GateOf) > 0 && s.Amount != nil {
			p.Gates = append(p.Gates, s.Name)
		}
	}
	return p
}

// shownOrigins is how many origins the text names.
const shownOrigins = 4

// Text returns three lines, on the first of the platforms.
func (s *Summary) Text() string {
	if len(s.Platforms) == 0 {
		return ""
	}
	p := s.Platforms[0]
	// As many origins as there is room for.
	size := p.size(shownOrigins, len(s.Platforms)-1)
	for n := shownOrigins - 1; n > 0 && answer.Cells(size) > answer.Width; n-- {
		size = p.size(n, len(s.Platforms)-1)
	}
	gates := "No gates."
	if len(p.Gates) > 0 {
		gates = "Gates passed: " + strings.Join(p.Gates, ", ")
	}
	saving := "Nothing is saved by stages: the image has what they have."
	if p.Saved > 0 {
		saving = fmt.Sprintf("Saved %s: one stage with everything would carry %s.", answer.Bytes(p.Saved), answer.Bytes(p.Total.Bytes+p.Saved))
	}
	lines := []string{size, gates, saving}
	for i, line := range lines {
		lines[i] = answer.Shorten(answer.Clean(line), answer.Width)
	}
	return strings.Join(lines, "\n")
}

// size returns the line on the size, with a number of origins.
func (p *PlatformSummary) size(shown, morePlatforms int) string {
	line := fmt.Sprintf("%s for %s: %s in %s", p.Target, p.Platform, answer.Bytes(p.Total.Bytes), files(p.Total.Files))
	var parts []string
	var rest int64
	for i, o := range p.Origins {
		if i < shown {
			parts = append(parts, o.words()+" "+answer.Bytes(o.Bytes))
		} else {
			rest += o.Bytes
		}
	}
	if rest > 0 {
		parts = append(parts, "other "+answer.Bytes(rest))
	}
	if len(parts) > 0 {
		line += " (" + strings.Join(parts, ", ") + ")"
	}
	if morePlatforms > 0 {
		line += fmt.Sprintf(", and %d more in --metadata-file", morePlatforms)
	}
	return answer.Clean(line)
}

// words returns an origin in a few words.
func (o *SummaryOrigin) words() string {
	switch o.Kind {
	case KindBase:
		return "base"
	case KindContext:
		if o.From != "" {
			return "context " + o.From
		}
		return "build context"
	case KindRun:
		return "RUN"
	case KindAdd:
		return "ADD"
	case KindCopy:
		return o.From
	default:
		return "other"
	}
}
