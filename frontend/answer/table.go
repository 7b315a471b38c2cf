package answer

import (
	"strconv"
	"strings"
)

// Width is how many columns of a terminal a text for people may have.
const Width = 100

// Column is a column of a Table.
type Column struct {
	Title string
	// Right sets the cells at the right end. It is for numbers, which are
	// never shortened.
	Right bool
}

// Table is rows of cells below titles.
type Table struct {
	columns []Column
	rows    [][]string
}

// NewTable returns a table without rows. Its titles are shown unless all are
// empty.
func NewTable(columns ...Column) *Table {
	t := &Table{columns: columns}
	titles, shown := make([]string, len(columns)), false
	for i, c := range columns {
		titles[i] = c.Title
		shown = shown || c.Title != ""
	}
	if shown {
		t.rows = append(t.rows, titles)
	}
	return t
}

// Add adds a row. It has at most as many cells as there are columns.
func (t *Table) Add(cells ...string) {
	row := make([]string, len(t.columns))
	for i, cell := range cells {
		row[i] = Clean(cell)
	}
	t.rows = append(t.rows, row)
}

// String returns the table, of which no line has more than Width columns: of
// too wide cells the widest are shortened in the middle.
func (t *Table) String() string {
	widths := t.widths()
	var b strings.Builder
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			cell = Shorten(cell, widths[i])
			if t.columns[i].Right {
				cell = strings.Repeat(" ", widths[i]-Cells(cell)) + cell
			}
			line.WriteString(Pad(cell, widths[i]+between))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// between is the space between two columns.
const between = 2

func (t *Table) widths() []int {
	widths := make([]int, len(t.columns))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], Cells(cell))
		}
	}
	for {
		sum, widest := between*(len(widths)-1), -1
		for i, w := range widths {
			sum += w
			if !t.columns[i].Right && (widest < 0 || w >= widths[widest]) {
				widest = i
			}
		}
		if sum <= Width || widest < 0 || widths[widest] == 0 {
			return widths
		}
		widths[widest]--
	}
}

// Bytes returns a number of bytes for people, in units of 1000 as docker has
// them: 0 B, 96 kB, 0.1 MB, 14.2 MB, 871 MB, 1.24 GB.
func Bytes(n int64) string {
	const kB, MB, GB = 1e3, 1e6, 1e9
	number := func(unit float64, decimals int) string {
		return strconv.FormatFloat(float64(n)/unit, 'f', decimals, 64)
	}
	switch {
	case n < kB:
		return number(1, 0) + " B"
	case n < 99.5*kB:
		return number(kB, 0) + " kB"
	case n < 99.95*MB:
		return number(MB, 1) + " MB"
	case n < 999.5*MB:
		return number(MB, 0) + " MB"
	default:
		return number(GB, 2) + " GB"
	}
}

// Count returns a number for people: 24,042.
func Count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for at := len(digits) - 3; at > 0 && digits[at-1] != '-'; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
