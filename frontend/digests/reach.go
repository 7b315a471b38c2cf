package digests

import (
	"cmp"
	"slices"
)

// reach adds to each change what runs again because of it.
func (r *Report) reach() {
	for i := range r.Changed {
		c := &r.Changed[i]
		slices.Sort(c.steps)
		c.Step = c.steps[0]
		c.Follows, c.Maybe = r.following(c.steps)
	}
	slices.SortStableFunc(r.Changed, func(a, b Change) int { return cmp.Compare(a.Step, b.Step) })
}

// following returns which steps run again with those that changed, the first of which it leaves out, and which may be
// found by the content of the files that they take. Bases run nothing; what stands on them does.
func (r *Report) following(changed []int) (follows, maybe []int) {
	const surely, perhaps = 2, 1
	state := make([]int, len(r.Steps))
	for i := range r.Steps { // each comes after those that it is made from
		if slices.Contains(changed, i) {
			state[i] = surely
		}
		for _, on := range r.Steps[i].On {
			state[i] = max(state[i], state[on])
		}
		for _, from := range r.Steps[i].Copies {
			if state[from] > 0 {
				state[i] = max(state[i], perhaps)
			}
		}
		switch {
		case i == changed[0]:
		case state[i] == surely:
			follows = append(follows, i)
		case state[i] == perhaps:
			maybe = append(maybe, i)
		}
	}
	return follows, maybe
}
