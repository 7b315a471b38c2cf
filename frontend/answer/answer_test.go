package answer

import (
	"fmt"
	"strings"
	"testing"
)

// A report that Bake could not merge, or whose version a program would not
// find first, is no answer.
func TestNew(t *testing.T) {
	type nested struct {
		Error string `json:"error"`
	}
	for name, tt := range map[string]struct {
		report any
		ok     bool
	}{
		"version first": {struct {
			Version int      `json:"version"`
			List    []nested `json:"list"`
		}{1, []nested{{"nested is fine"}}}, true},
		"version later": {struct {
			Target  string `json:"target"`
			Version int    `json:"version"`
		}{}, false},
		"no version": {nested{}, false},
		"error": {struct {
			Version int `json:"version"`
			nested
		}{}, false},
		"a list":         {[]int{1}, false},
		"empty":          {struct{}{}, false},
		"not marshaling": {func() {}, false},
	} {
		if a, err := New(tt.report, "text\n"); (err == nil) != tt.ok {
			t.Errorf("%s: %v, %s", name, err, a.JSON)
		}
	}
}

func TestMetadata(t *testing.T) {
	for status, want := range map[Status]string{None: "", Judge(true): "0", Judge(false): "1"} {
		a := Answer{JSON: []byte("{}"), Text: "text\n", Version: Version, Status: status}
		meta, err := a.Metadata()
		if err != nil {
			t.Fatal(err)
		}
		back := Of(meta)
		if string(back.JSON) != "{}" || back.Text != a.Text || back.Version != Version || back.Status != status {
			t.Errorf("%+v becomes %+v", a, back)
		}
		if got := string(meta["result.statuscode"]); got != want {
			t.Errorf("%v: exit status %q, want %q", status, got, want)
		}
	}
	if meta, err := (Answer{Text: strings.Repeat("x", Limit+1)}).Metadata(); err == nil || !strings.Contains(err.Error(), "15.7 MB") {
		t.Errorf("too long: %v, %v", meta, err)
	}
}

// Fit gives the longest lists that half of the longest, and half again, leads
// to, and an error of the report at once.
func TestFit(t *testing.T) {
	line := strings.Repeat("x", 1<<20)
	for longest, want := range map[int]int{0: 0, 3: 3, 15: 15, 16: 8, 100: 12} {
		asked := -1
		a, err := Fit(longest, func(limit int) (Answer, error) {
			asked = limit
			return Answer{Text: strings.Repeat(line, limit)}, nil
		})
		if err != nil || asked != want || len(a.Text) != want<<20 {
			t.Errorf("%d lines: %d are left, want %d (%v)", longest, asked, want, err)
		}
	}
	if _, err := Fit(10, func(int) (Answer, error) { return Answer{}, fmt.Errorf("no report") }); err == nil {
		t.Error("an error got lost")
	}
}

func TestTable(t *testing.T) {
	table := NewTable(Column{Title: "PATH"}, Column{Title: "BYTES", Right: true}, Column{Title: "FROM"})
	table.Add("/bin/a", "2.4 MB", "base")
	table.Add("/資料\n", "0 B")
	want := "PATH     BYTES  FROM\n" +
		"/bin/a  2.4 MB  base\n" +
		"/資料      0 B\n"
	if got := table.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// Whatever is in a table, its lines fit, and numbers are whole.
func TestTableFits(t *testing.T) {
	table := NewTable(Column{}, Column{Right: true}, Column{})
	table.Add(strings.Repeat("/very/long", 30), "12,345", "資料"+strings.Repeat("x", 200))
	table.Add("\x1b[31mred", "1", "y")
	got := table.String()
	for line := range strings.Lines(got) {
		if n := Cells(strings.TrimSuffix(line, "\n")); n > Width {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if !strings.Contains(got, " 12,345 ") || strings.Contains(got, "\x1b") || strings.Count(got, "\n") != 2 {
		t.Errorf("got\n%s", got)
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1 kB", 95_600: "96 kB", 99_499: "99 kB", 99_500: "0.1 MB", 2_449_000: "2.4 MB",
		99_949_999: "99.9 MB", 99_950_000: "100 MB", 871_400_000: "871 MB", 999_500_000: "1.00 GB", 12_345_678_901: "12.35 GB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("%d bytes: %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 24042: "24,042", -123: "-123", -1234567: "-1,234,567"} {
		if got := Count(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
