package images

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

func TestSlotsGoToTheMostUrgent(t *testing.T) {
	s := newSlots(1)
	if err := s.acquire(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	waiting := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.waiting)
	}
	turns := make(chan int)
	wait := func(ctx context.Context, urgency int) {
		before := waiting()
		go func() {
			if err := s.acquire(ctx, urgency); err != nil {
				turns <- -1
				return
			}
			turns <- urgency
		}()
		for waiting() == before {
			time.Sleep(time.Millisecond)
		}
	}
	gone, leave := context.WithCancelCause(t.Context())
	wait(gone, 9)
	for _, urgency := range []int{1, 3, 2, 3} {
		wait(t.Context(), urgency)
	}
	leave(errors.New("left"))
	if got := <-turns; got != -1 {
		t.Errorf("one who left got its turn: %d", got)
	}
	var got []int
	for range 4 {
		s.release()
		got = append(got, <-turns)
	}
	if want := []int{3, 3, 2, 1}; !slices.Equal(got, want) {
		t.Errorf("the turns were %d, want %d", got, want)
	}
	s.release()
	if s.free != 1 {
		t.Errorf("%d slots are free, want 1", s.free)
	}
	if err := s.acquire(gone, 0); err != nil {
		t.Errorf("a free slot was not given: %v", err)
	}
}

func TestUrgencyCountsWhatStandsOnALayer(t *testing.T) {
	debian := &layer{name: "debian"}
	busybox := &layer{name: "busybox", uses: []*layer{debian}}
	alpine := &layer{name: "alpine", uses: []*layer{debian, busybox}}
	node := &layer{name: "node", below: []*layer{alpine}}
	apart := &layer{name: "apart", uses: []*layer{debian}}
	rank([]standIn{{layers: []*layer{alpine, node}}, {layers: []*layer{alpine, apart}}})
	for l, want := range map[*layer]int{debian: 4, busybox: 2, alpine: 1, node: 0, apart: 0} {
		if l.urgency != want {
			t.Errorf("%s has %d, want %d", l.name, l.urgency, want)
		}
	}
}
