package diagram

import (
	"cmp"
	"slices"

	"github.com/stagecraft/stagecraft/frontend/view"
)

// maxParallel is how many IDs the sets of tracks may have together. Sets are
// divided again and again, so that a graph of n nodes can have n*n of them.
const maxParallel = 50_000

// findParallel groups what runs at the same time. A set of stages falls apart
// into tracks where no stage of one has to do with a stage of another, and a
// track into further such sets. Where stages are too entangled for that, the
// stages of one layer are a set, a track each.
//
// Two stages have to do with each other where one waits for the other,
// directly or not. It is not known of any two: what it takes follows from the
// direct edges alone, in linear time for each level of sets.
func (g *Graph) findParallel() {
	g.Parallel = [][][]string{}
	p := newParallel(g)
	p.divide(p.running())
}

// parallel is the order in which the stages that run wait for each other.
type parallel struct {
	graph *Graph
	// needs are the running nodes that a node waits for directly, users those
	// that wait for it, once each.
	needs, users [][]int
	// position is in an order in which each node stands after what it needs.
	position []int
	// set is the number of the set that a node is in at present, and sets how
	// many there have been.
	set  []int
	sets int
	// part is the number of the part of that set which a node is in.
	part []int
	// open, first and last belong to a sweep: how much of what a node needs is
	// after the place, and whether the node is among its firsts and lasts.
	open        []int
	first, last []bool
	size        int // of the IDs listed
}

func newParallel(g *Graph) *parallel {
	n := len(g.Nodes)
	return &parallel{
		graph: g,
		needs: make([][]int, n), users: make([][]int, n),
		position: unknowns(n),
		set:      make([]int, n), part: make([]int, n),
		open: make([]int, n), first: make([]bool, n), last: make([]bool, n),
	}
}

// running returns the nodes that run, in the order of the file. It connects and
// sorts them.
func (p *parallel) running() []int {
	var nodes []int
	for n := range p.graph.Nodes {
		if p.graph.Nodes[n].runs() {
			nodes = append(nodes, n)
			p.connect(n)
		}
	}
	p.sort(nodes)
	return nodes
}

func (p *parallel) connect(n int) {
	p.graph.lookup().Needs(n, func(e *view.Edge, to int) {
		if !view.Waits(e) || e.Circular || !p.graph.Nodes[to].runs() || len(p.users[to]) > 0 && p.users[to][len(p.users[to])-1] == n {
			return
		}
		p.needs[n] = append(p.needs[n], to)
		p.users[to] = append(p.users[to], n)
	})
}

// sort gives the nodes their positions.
func (p *parallel) sort(nodes []int) {
	next := 0
	var visit func(n int)
	visit = func(n int) {
		if p.position[n] != unknown {
			return
		}
		p.position[n] = 0 // in the works: there is no circle
		for _, to := range p.needs[n] {
			visit(to)
		}
		p.position[n] = next
		next++
	}
	for _, n := range nodes {
		visit(n)
	}
}

// divide adds the sets of tracks inside a set, which has the order of the
// file.
func (p *parallel) divide(set []int) {
	for _, part := range p.serial(set) {
		if len(part) == 1 {
			continue
		}
		tracks := p.tracks(part)
		if len(tracks) > 1 {
			p.add(tracks)
			for _, track := range tracks {
				p.divide(track)
			}
			continue
		}
		for _, layer := range p.byLayer(part) {
			p.add(layer)
		}
	}
}

// enter makes a set the present one of its nodes, and returns its number.
func (p *parallel) enter(set []int) int {
	p.sets++
	for _, n := range set {
		p.set[n] = p.sets
	}
	return p.sets
}

// serial divides a sorted set where everything after a place waits for
// everything before it. Between two such places, stages hang together by
// running at the same time as another one. It is enough to look at direct
// edges: what comes first after such a place needs each of what comes last
// before it, and there is nothing between them.
func (p *parallel) serial(set []int) [][]int {
	number := p.enter(set)
	sorted := slices.SortedFunc(slices.Values(set), func(a, b int) int { return cmp.Compare(p.position[a], p.position[b]) })
	w := &sweep{parallel: p, number: number}
	for _, n := range set {
		p.open[n], p.last[n], p.first[n] = 0, false, false
		w.within(p.needs[n], func(int) { p.open[n]++ })
		if p.open[n] == 0 {
			w.addFirst(n)
		}
	}
	parts := 0
	for _, n := range sorted {
		w.pass(n)
		p.part[n] = parts
		if w.between == w.firsts*w.lasts {
			parts++
		}
	}
	return group(set, parts, p.part)
}

// sweep is a place in the sorted nodes of a set, on its way to the end.
type sweep struct {
	*parallel
	number int
	// firsts counts the nodes after the place that need nothing after it,
	// lasts those before it that nothing before it needs, and between the
	// edges from the ones to the others.
	firsts, lasts, between int
}

// within calls a function with those of a list that are in the set.
func (w *sweep) within(list []int, f func(n int)) {
	for _, n := range list {
		if w.set[n] == w.number {
			f(n)
		}
	}
}

func (w *sweep) addFirst(n int) {
	w.first[n] = true
	w.firsts++
	w.within(w.needs[n], func(need int) {
		if w.last[need] {
			w.between++
		}
	})
}

// pass moves the place past a node.
func (w *sweep) pass(n int) {
	w.within(w.needs[n], func(need int) {
		if !w.last[need] {
			return
		}
		w.last[need] = false
		w.lasts--
		w.within(w.users[need], func(user int) {
			if w.first[user] {
				w.between--
			}
		})
	})
	w.first[n] = false
	w.firsts--
	w.last[n] = true
	w.lasts++
	w.within(w.users[n], func(user int) {
		if w.open[user]--; w.open[user] == 0 {
			w.addFirst(user)
		}
	})
}

// tracks returns the parts of a set that edges hold together.
func (p *parallel) tracks(set []int) [][]int {
	number := p.enter(set)
	for _, n := range set {
		p.part[n] = unknown
	}
	tracks := 0
	for _, start := range set {
		if p.part[start] != unknown {
			continue
		}
		p.part[start] = tracks
		for todo := []int{start}; len(todo) > 0; {
			n := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			for _, list := range [][]int{p.needs[n], p.users[n]} {
				for _, other := range list {
					if p.set[other] == number && p.part[other] == unknown {
						p.part[other] = tracks
						todo = append(todo, other)
					}
				}
			}
		}
		tracks++
	}
	return group(set, tracks, p.part)
}

// byLayer returns the layers of a set that have more than one node, each as a set
// of tracks.
func (p *parallel) byLayer(set []int) [][][]int {
	last := 0
	for _, n := range set {
		last = max(last, p.graph.Nodes[n].Layer)
	}
	layers := make([][][]int, last+1)
	for _, n := range set {
		l := p.graph.Nodes[n].Layer
		layers[l] = append(layers[l], []int{n})
	}
	return slices.DeleteFunc(layers, func(l [][]int) bool { return len(l) < 2 })
}

// group collects the nodes of a set by a number below n. Groups, and what is
// in them, keep the order of the set.
func group(set []int, n int, of []int) [][]int {
	index := unknowns(n)
	var groups [][]int
	for _, node := range set {
		i := of[node]
		if index[i] == unknown {
			index[i] = len(groups)
			groups = append(groups, nil)
		}
		groups[index[i]] = append(groups[index[i]], node)
	}
	return groups
}

// add lists a set of tracks, or counts it where the list is long enough.
func (p *parallel) add(tracks [][]int) {
	size := 0
	for _, t := range tracks {
		size += len(t)
	}
	if p.size += size; p.size > maxParallel && len(p.graph.Parallel) > 0 {
		p.graph.ParallelLeftOut++
		return
	}
	ids := make([][]string, len(tracks))
	for i, track := range tracks {
		for _, n := range track {
			ids[i] = append(ids[i], p.graph.Nodes[n].ID)
		}
	}
	p.graph.Parallel = append(p.graph.Parallel, ids)
}
