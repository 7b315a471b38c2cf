package frontend_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/grpcerrors"
	digest "github.com/opencontainers/go-digest"
	"github.com/stagecraft/stagecraft/frontend"
	"github.com/stagecraft/stagecraft/llb/llbtest"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// terminal is a client that shows all that it is told.
type terminal struct {
	*llbtest.Gateway
	mu    sync.Mutex
	shown []string
}

func (c *terminal) show(texts ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shown = append(c.shown, texts...)
}

func (c *terminal) Warn(_ context.Context, _ digest.Digest, msg string, opts client.WarnOpts) error {
	c.show(msg, opts.URL, opts.SourceInfo.GetFilename(), string(opts.SourceInfo.GetData()))
	for _, line := range opts.Detail {
		c.show(string(line))
	}
	return nil
}

// build builds or asks, and returns what a client shows of what comes back. Of
// answers, it knows some that it prints from their JSON.
func (c *terminal) build(t *testing.T) []string {
	t.Helper()
	res, err := frontend.Build(t.Context(), c)
	if err != nil {
		sent := grpcerrors.ToGRPC(t.Context(), err)
		st, _ := status.FromError(sent)
		if _, err := proto.Marshal(st.Proto()); err != nil {
			t.Errorf("the error cannot be sent: %v", err)
		}
		c.show(err.Error(), st.Message())
		for _, src := range errdefs.Sources(err) {
			c.show(src.Info.Filename, string(src.Info.Data))
		}
		return c.shown
	}
	c.show(string(res.Metadata["result.txt"]), string(res.Metadata["frontend.result.inlinemessage"]))
	if ask := c.Opts["requestid"]; ask != "" && ask != "frontend.convertllb" {
		c.show(string(res.Metadata["result.json"]))
		if !strings.Contains(ask, "graph") {
			var answer any
			if err := json.Unmarshal(res.Metadata["result.json"], &answer); err != nil {
				t.Error(err)
			}
			c.show(texts(answer)...)
		}
	}
	return c.shown
}

// texts are the strings in a JSON value.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, e := range v {
			list = append(list, texts(e)...)
		}
		return list
	case map[string]any:
		return texts(slices.Collect(maps.Values(v)))
	default:
		return nil
	}
}

var asks = []string{"", "frontend.graph", "frontend.graph.mermaid", "frontend.graph.dot", "frontend.graph.svg", "frontend.outline", "frontend.targets", "frontend.lint", "frontend.convertllb"}

func hostileTerminal(ask, dockerfile string, opts map[string]string) *terminal {
	g := &llbtest.Gateway{
		Opts:  map[string]string{"filename": "Dockerfile"},
		Files: map[string]map[string]string{"dockerfile": {"Dockerfile": dockerfile, "part": "RUN \x1b[31m \xe9\n"}},
	}
	maps.Copy(g.Opts, opts)
	if ask != "" {
		g.Opts["requestid"] = ask
	}
	return &terminal{Gateway: g}
}

// Whatever is in a Dockerfile, what a client shows of it can be sent, is
// UTF-8, and does not steer a terminal.
func TestTextsCanBeShown(t *testing.T) {
	pieces := []string{
		"FROM", "FROM", "alpine", "busybox AS a", "scratch", "COPY", "--from=", "RUN", "ENV", "ARG", "LABEL", "a", "A=", "$A", "${A", "/x", "\n", "\n", "\n", " ", " ", " ",
		"#", "# check=", "skip=all", "# syntax", "# escape=", "<<EOF", "EOF", "INCLUDE ./part", "UNSET", "EXPOSE", "--mount=type=", "WORKDIR", "USER", "ADD https://", "MAINTAINER", "AS",
		"\x1b[31m", "\x1b]0;title\x07", "\xff", "\xe9", "\x00", "\r", "\r\n", "\u009b", "\u202e", "\x7f", "\\\n", "`", "\"", "[", "\ufeff",
	}
	r := rand.New(rand.NewSource(2))
	errs := 0
	for range 1500 {
		var b strings.Builder
		for range 2 + r.Intn(25) {
			b.WriteString(pieces[r.Intn(len(pieces))])
		}
		dockerfile := b.String()
		if r.Intn(2) == 0 {
			dockerfile = "FROM alpine AS one\nRUN x\nFROM alpine\n" + dockerfile
		}
		ask := asks[r.Intn(len(asks))]
		c := hostileTerminal(ask, dockerfile, map[string]string{"build-arg:A": "\x1b[32m", "target": []string{"", "one", "\x1b"}[r.Intn(3)]})
		for _, text := range c.build(t) {
			steers := func(c rune) bool { return unicode.Is(unicode.Cc, c) && c != '\n' && c != '\t' }
			// Ends of lines in code frames are those of the file.
			if text := strings.ReplaceAll(text, "\r\n", "\n"); !utf8.ValidString(text) || strings.IndexFunc(text, steers) >= 0 || strings.Contains(text, "\u202e") {
				t.Errorf("%s of %q shows %q", ask, dockerfile, text)
			}
		}
		if len(c.shown) > 1 {
			errs++
		}
	}
	if errs < 500 {
		t.Errorf("only %d were shown anything but an answer", errs)
	}
}

// A password in a URL, wherever it may come from, is never shown.
func TestPasswordsAreNotShown(t *testing.T) {
	const url = "https://lucy:hunter2@example.com/"
	for _, dockerfile := range []string{
		"FROM alpine AS Odd\nADD " + url + "x.tgz /\n",
		"FROM alpine AS Odd\nADD " + url + "r.git?nonsense=1 /\n",
		"FROM alpine AS Odd\nADD --checksum=sha256:x " + url + "r.git#main /\n",
		"FROM alpine AS Odd\nADD " + url + "unreachable /\n",
		"ARG SOURCE=" + url + "\nFROM $SOURCE\n",
		"FROM " + url + "r.git\n",
		"FROM scratch AS Odd\nCOPY --from=" + url + " / /\n",
		"FROM scratch AS Odd\nFROM --context=named ./part\nFROM " + url + "\n",
		"FROM scratch AS Odd\n# " + url + "\nARG A=" + url + "\nENV A=" + url + "\nLABEL A\n",
		"FROM named\nRUN --mount=type=" + url + " x\n",
		"# " + url + " stage\nFROM scratch AS Odd\nADD --keep-git-dir=x " + url + "\nNONSENSE " + url + "\n",
		"FROM alpine\nINCLUDE " + url + "\n",
		"FROM scratch\nARG HTTP_PROXY\nEXPOSE $HTTP_PROXY\n",
	} {
		for _, ask := range asks {
			shown := 0
			for _, epoch := range []string{"", "named", "context"} {
				opts := map[string]string{"build-arg:STAGECRAFT_SUMMARY": "1", "build-arg:HTTP_PROXY": url, "build-arg:A": url, "context:named": url + "r.git", "context:other": url + "unreachable"}
				if epoch != "" {
					opts["build-arg:SOURCE_DATE_EPOCH"] = epoch
				}
				c := hostileTerminal(ask, dockerfile, opts)
				for _, text := range c.build(t) {
					shown += len(text)
					if strings.Contains(text, "hunter2") || strings.Contains(text, "lucy") {
						t.Errorf("%s of %q shows %q", ask, dockerfile, text)
					}
				}
			}
			if shown == 0 && ask != "" && ask != "frontend.convertllb" {
				t.Errorf("%s of %q shows nothing", ask, dockerfile)
			}
		}
	}
}

// A mistake in a Dockerfile of nearly as many bytes as BuildKit reads is shown.
func TestErrorInLongFile(t *testing.T) {
	c := hostileTerminal("", "FROM alpine\n"+strings.Repeat("# a comment that is not short\n", 500_000)+"NONSENSE\n", nil)
	_, err := frontend.Build(t.Context(), c)
	st, _ := status.FromError(grpcerrors.ToGRPC(t.Context(), err))
	if size := proto.Size(st.Proto()); size > 4<<20 {
		t.Errorf("the error has %d bytes", size)
	}
	sources := errdefs.Sources(err)
	if len(sources) != 1 {
		t.Fatalf("%d sources: %v", len(sources), err)
	}
	lines := strings.Split(string(sources[0].Info.Data), "\n")
	if at := sources[0].Ranges[0].Start.Line; at != 500_002 || lines[at-1] != "NONSENSE" || lines[at-2] == "" {
		t.Errorf("line %d of %d", at, len(lines))
	}
}

// A document is what it is: a Dockerfile with a masked password would build
// something else, and a lock would not know its URL.
func TestDocumentsAreNotMasked(t *testing.T) {
	const url = "https://me:hunter2@example.com/x.tgz"
	for _, ask := range []string{"frontend.flatten", "frontend.lock"} {
		c := hostileTerminal(ask, "FROM alpine\nADD "+url+" /\n", nil)
		res, err := frontend.Build(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"result.txt", "result.json"} {
			if text := string(res.Metadata[key]); !strings.Contains(text, url) {
				t.Errorf("%s of %s lacks %s:\n%s", key, ask, url, text)
			}
		}
	}
}

// A very long line is quoted in part.
func TestLongErrorsAreCut(t *testing.T) {
	c := hostileTerminal("", "FROM alpine\n"+strings.Repeat("é", 30000)+"END\n", nil)
	_, err := frontend.Build(t.Context(), c)
	text := fmt.Sprint(err)
	if len(text) > 20000 || !utf8.ValidString(text) || !strings.HasPrefix(text, "dockerfile parse error on line 2: unknown instruction: éé") || !strings.HasSuffix(text, "END") {
		t.Errorf("%d bytes: %.100q", len(text), text)
	}
}
