package dice

import "testing"

func TestRoll(t *testing.T) {
	rolls, err := Roll("50d4")
	if err != nil {
		t.Fatal(err)
	}
	if len(rolls) != 50 {
		t.Errorf("%d rolls, want 50", len(rolls))
	}
	for _, r := range rolls {
		if r < 1 || r > 4 {
			t.Errorf("a die of four sides showed %d", r)
		}
	}
}

func TestRollRefuses(t *testing.T) {
	for _, expr := range []string{"", "d6", "2d", "2x6", "0d6", "-1d6", "1d1", "101d6", "1d1001"} {
		if rolls, err := Roll(expr); err == nil {
			t.Errorf("Roll(%q) = %v, want an error", expr, rolls)
		}
	}
}
