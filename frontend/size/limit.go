package size

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/frontend/answer"
)

var units = map[string]float64{
	"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
	"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40,
}

// ParseLimit reads a number of bytes as people write it: 20MB, 1.5 GB, 300000.
func ParseLimit(text string) (int64, error) {
	number := strings.TrimSpace(text)
	end := len(number) - len(strings.TrimLeft(number, "0123456789."))
	unit, known := units[strings.ToUpper(strings.TrimSpace(number[end:]))]
	value, err := strconv.ParseFloat(number[:end], 64)
	if err != nil || !known || value*unit > 1<<62 {
		return 0, errors.Errorf("%q is not a size; write a number of bytes with a unit, for example 20MB", text)
	}
	return int64(value * unit), nil
}

// Judge compares the target with the most that it may have, and reports whether it keeps to it.
func (r *Report) Judge(limit int64) bool {
	r.Limit = &Limit{Bytes: limit, Over: max(0, r.Total.Bytes-limit)}
	order := make([]int, len(r.Origins))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(r.Origins[b].Bytes, r.Origins[a].Bytes) })
	left := r.Limit.Over
	for _, i := range order {
		if left <= 0 {
			break
		}
		r.Limit.Remove = append(r.Limit.Remove, i)
		left -= r.Origins[i].Bytes
	}
	return r.Limit.Over == 0
}

func (r *Report) judgement() string {
	l := r.Limit
	if l.Over == 0 {
		return fmt.Sprintf("Within the limit of %s.\n", answer.Bytes(l.Bytes))
	}
	text := fmt.Sprintf("Over the limit of %s by %s. The largest parts, of which that much would have to go:\n", answer.Bytes(l.Bytes), answer.Bytes(l.Over))
	t := answer.NewTable(answer.Column{}, answer.Column{Right: true}, answer.Column{})
	for _, i := range l.Remove {
		o := r.Origins[i]
		t.Add("  "+o.Label(), answer.Bytes(o.Bytes), "line "+r.line(o.File, o.Line))
	}
	return text + t.String()
}
