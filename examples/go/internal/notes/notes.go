// Package notes renders a set of Markdown pages and serves them over HTTP.
package notes

import (
	"bytes"
	"crypto/x509"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"sort"
	"strings"

	"github.com/yuin/goldmark"
)

// The pages travel inside the binary: the final image has no other file of ours.
//
//go:embed pages/*.md
var embedded embed.FS

// Pages returns the pages that were compiled into the program.
func Pages() (fs.FS, error) {
	return fs.Sub(embedded, "pages")
}

// Note is one rendered page.
type Note struct {
	Slug  string        // file name without its extension, used in the URL
	Title string        // first level-one heading, or the slug
	HTML  template.HTML // goldmark escapes raw HTML, so this is safe to embed
}

// Load renders every .md file at the top of fsys, sorted by slug.
func Load(fsys fs.FS) ([]Note, error) {
	names, err := fs.Glob(fsys, "*.md")
	if err != nil {
		return nil, err
	}
	sort.Strings(names)
	notes := make([]Note, 0, len(names))
	for _, name := range names {
		source, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		var html bytes.Buffer
		if err := goldmark.Convert(source, &html); err != nil {
			return nil, fmt.Errorf("render %s: %w", name, err)
		}
		slug := strings.TrimSuffix(path.Base(name), ".md")
		notes = append(notes, Note{Slug: slug, Title: title(source, slug), HTML: template.HTML(html.String())})
	}
	return notes, nil
}

func title(source []byte, fallback string) string {
	for _, line := range strings.Split(string(source), "\n") {
		if rest, ok := strings.CutPrefix(line, "# "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return fallback
}

var layout = template.Must(template.New("layout").Parse(`<!doctype html>
<title>{{.Title}}</title>
{{.Body}}
`))

var index = template.Must(template.New("index").Parse(
	`<h1>Notes</h1><ul>{{range .}}<li><a href="/notes/{{.Slug}}">{{.Title}}</a></li>{{end}}</ul>`))

// Handler answers GET / (the index), /notes/SLUG and /healthz.
func Handler(notes []Note) http.Handler {
	bySlug := make(map[string]Note, len(notes))
	for _, n := range notes {
		bySlug[n.Slug] = n
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		var body strings.Builder
		if err := index.Execute(&body, notes); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		page(w, "Notes", template.HTML(body.String()))
	})
	mux.HandleFunc("GET /notes/{slug}", func(w http.ResponseWriter, r *http.Request) {
		n, ok := bySlug[r.PathValue("slug")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		page(w, n.Title, n.HTML)
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{
			"status":   "ok",
			"notes":    len(notes),
			"tlsRoots": tlsRoots(),
		})
	})
	return mux
}

// tlsRoots tells whether outgoing HTTPS can work at all. An image from scratch
// has no certificate authorities unless its Dockerfile copies them.
func tlsRoots() bool {
	pool, err := x509.SystemCertPool()
	return err == nil && !pool.Equal(x509.NewCertPool())
}

func page(w http.ResponseWriter, title string, body template.HTML) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	layout.Execute(w, struct {
		Title string
		Body  template.HTML
	}{title, body})
}
