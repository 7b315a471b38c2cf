package sandbox

import (
	"slices"
	"testing"
)

func TestReadQuestions(t *testing.T) {
	dir := t.TempDir()
	if err := writeFiles(dir, map[string]string{"README.md": `# units

    docker run --rm -p 3000:3000 units
    curl 'http://localhost:3000/convert?value=5&from=km&to=mi'
    curl http://localhost:3000/units

Do not curl http://localhost:3000/ at home.
`}); err != nil {
		t.Fatal(err)
	}
	if got, want := ReadQuestions(dir), []string{"/convert?value=5&from=km&to=mi", "/units"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := ReadQuestions(t.TempDir()); got != nil {
		t.Errorf("without a README there are %q", got)
	}
}
