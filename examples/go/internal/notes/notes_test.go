package notes

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func get(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
	return rec.Code, rec.Body.String()
}

func TestHandler(t *testing.T) {
	loaded, err := Load(fstest.MapFS{
		"tea.md":   {Data: []byte("# Tea\n\nSteep for *four* minutes.\n")},
		"plain.md": {Data: []byte("No heading <script>alert(1)</script>\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	h := Handler(loaded)

	code, body := get(t, h, "/notes/tea")
	if code != http.StatusOK || !strings.Contains(body, "<em>four</em>") {
		t.Errorf("GET /notes/tea: %d\n%s", code, body)
	}
	if _, body := get(t, h, "/notes/plain"); strings.Contains(body, "<script>") {
		t.Errorf("raw HTML of a note reached the page:\n%s", body)
	}
	if _, body := get(t, h, "/"); !strings.Contains(body, `<a href="/notes/plain">plain</a>`) {
		t.Errorf("index lacks the note without a heading:\n%s", body)
	}
	if code, _ := get(t, h, "/notes/coffee"); code != http.StatusNotFound {
		t.Errorf("GET of an unknown note: %d, want 404", code)
	}
}

func TestEmbeddedPages(t *testing.T) {
	fsys, err := Pages()
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	if len(loaded) == 0 {
		t.Fatal("no page was compiled in")
	}
	for _, n := range loaded {
		if n.Title == n.Slug {
			t.Errorf("page %s has no heading", n.Slug)
		}
	}
}
