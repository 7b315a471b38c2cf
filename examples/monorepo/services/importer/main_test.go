package main

import (
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	stations := map[string][]departure{}
	if err := read(strings.NewReader("# a comment\nHarbour,08:10,Hill\n"), stations); err != nil {
		t.Fatal(err)
	}
	if got := stations["Harbour"]; len(got) != 1 || got[0] != (departure{"08:10", "Hill"}) {
		t.Errorf("got %v", got)
	}
	err := read(strings.NewReader("Harbour,25:10,Hill\n"), stations)
	if err == nil || err.Error() != `line 1: "25:10" is no time of day` {
		t.Errorf("got %v", err)
	}
}
