package integration

import (
	"bytes"
	"context"
	"image"
	"image/color"
	_ "image/png"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stagecraft/stagecraft/integration/sandbox"
	"github.com/stagecraft/stagecraft/integration/tools"
)

// inBrowser opens the example web in Chromium. Its index.html has no text: what the page shows is made
// by the script that the builder stage bundled.
func inBrowser(t *testing.T, r exampleRun) {
	if err := tools.Debian(t.Context(), "chromium", "fonts-dejavu-core"); err != nil {
		t.Fatal(err)
	}
	url := forward(t, r.container, "127.0.0.1:8080")
	page := chromium(t, "--dump-dom", url)
	for _, want := range []string{
		`<h1>Word count</h1>`, `<dt>Words</dt><dd>23</dd>`, `<dt>Sentences</dt><dd>3</dd>`, `<dt>Paragraphs</dt><dd>2</dd>`,
	} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("the page lacks %s:\n%s", want, page)
		}
	}
	// The answer of the server, that nothing but the script has changed.
	if !regexp.MustCompile(`<script type="module"[^>]* src="/assets/index-`).Match(page) {
		t.Errorf("the page does not load the bundle:\n%s", page)
	}

	file := filepath.Join(t.TempDir(), "page.png")
	if dir := os.Getenv("STAGECRAFT_SCREENSHOTS"); dir != "" {
		file = filepath.Join(dir, "web.png")
	}
	chromium(t, "--screenshot="+file, "--window-size=900,700", url)
	checkScreenshot(t, file)
}

// forward makes a port of the container's network reachable for the browser, and returns its URL.
func forward(t *testing.T, c *sandbox.Container, address string) string {
	t.Helper()
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", address },
		Transport: &http.Transport{DialContext: c.Dial, DisableKeepAlives: true},
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}

// chromium runs the browser with a profile of its own and returns its standard output.
func chromium(t *testing.T, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "chromium", append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		// It would look for updates and for Google's hosts.
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		// Time enough for the script, whatever else the machine is doing.
		"--virtual-time-budget=5000",
		"--user-data-dir=" + t.TempDir(),
	}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("chromium: %v\n%s", err, stderr.Bytes())
	}
	return stdout.Bytes()
}

// checkScreenshot looks for the colours of the page's style sheet, and for text on them: edges of
// letters have many shades.
func checkScreenshot(t *testing.T, file string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picture, _, err := image.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	colors := map[color.RGBA]int{}
	for y := picture.Bounds().Min.Y; y < picture.Bounds().Max.Y; y++ {
		for x := picture.Bounds().Min.X; x < picture.Bounds().Max.X; x++ {
			colors[color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA)]++
		}
	}
	for what, c := range map[string]color.RGBA{
		"background": {0xf3, 0xf6, 0xf9, 0xff}, "tiles": {0x1f, 0x5f, 0x8b, 0xff}, "text area": {0xff, 0xff, 0xff, 0xff},
	} {
		if colors[c] < 5000 {
			t.Errorf("the screenshot has %d pixels of the %s' colour %v", colors[c], what, c)
		}
	}
	if len(colors) < 30 {
		t.Errorf("the screenshot has %d colours: there seems to be no text", len(colors))
	}
}
