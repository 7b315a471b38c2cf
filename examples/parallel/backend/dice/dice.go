// Package dice reads expressions such as 3d6 and rolls them.
package dice

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Limits keep one request from asking for unbounded work.
const (
	maxCount = 100
	maxSides = 1000
)

// Roll throws the dice of expr, "COUNTdSIDES", and returns each result.
func Roll(expr string) ([]int, error) {
	left, right, ok := strings.Cut(expr, "d")
	count, errCount := strconv.Atoi(left)
	sides, errSides := strconv.Atoi(right)
	if !ok || errCount != nil || errSides != nil || count < 1 || sides < 2 || count > maxCount || sides > maxSides {
		return nil, fmt.Errorf("%q: want dice such as 2d6, at most %dd%d", expr, maxCount, maxSides)
	}
	rolls := make([]int, count)
	for i := range rolls {
		rolls[i] = 1 + rand.IntN(sides)
	}
	return rolls, nil
}
