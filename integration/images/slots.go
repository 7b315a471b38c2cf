package images

import (
	"context"
	"slices"
	"sync"
)

// slots bounds how many layers are made at once. Of those that wait, the one goes first that most others
// wait for: BusyBox takes a minute to compile and Alpine's images stand on it, while nothing stands on
// Debian for another architecture.
type slots struct {
	mu      sync.Mutex
	free    int
	waiting []*waiter // in the order in which they came
}

type waiter struct {
	urgency int
	turn    chan struct{} // closed when the slot is its
}

func newSlots(n int) *slots { return &slots{free: n} }

// acquire waits for a slot, or until ctx ends, whose cause it then returns.
func (s *slots) acquire(ctx context.Context, urgency int) error {
	s.mu.Lock()
	if s.free > 0 {
		s.free--
		s.mu.Unlock()
		return nil
	}
	w := &waiter{urgency, make(chan struct{})}
	s.waiting = append(s.waiting, w)
	s.mu.Unlock()
	select {
	case <-w.turn:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	at := slices.Index(s.waiting, w)
	if at >= 0 {
		s.waiting = slices.Delete(s.waiting, at, at+1)
	}
	s.mu.Unlock()
	if at < 0 { // its turn came at the same time
		s.release()
	}
	return context.Cause(ctx)
}

// release gives the slot to the most urgent who waits, among equals to who came first.
func (s *slots) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		s.free++
		return
	}
	next := 0
	for i, w := range s.waiting {
		if w.urgency > s.waiting[next].urgency {
			next = i
		}
	}
	close(s.waiting[next].turn)
	s.waiting = slices.Delete(s.waiting, next, next+1)
}
