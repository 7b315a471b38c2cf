package flatten_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// TestGenerated flattens builds of several files that nobody wrote: names that
// collide, ARGs of the same name, forward references, includes, contexts and
// escape characters in all combinations. The flattened file is the same build
// for docker/dockerfile, or what is wrong with the original is wrong already.
func TestGenerated(t *testing.T) {
	n := 1500
	if testing.Short() {
		n = 200
	}
	flat := 0
	for seed := range n {
		r := generate(rand.New(rand.NewPCG(uint64(seed), 1)))
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			_, err := law(t, r)
			switch {
			case err == nil:
				flat++
			case !errors.As(err, new(errNotOurs)) && !generatedRefusal.MatchString(err.Error()):
				t.Errorf("%v\n%s", err, describe(r))
			}
			if t.Failed() {
				t.Log(describe(r))
			}
		})
	}
	t.Logf("%d of %d are flattened", flat, n)
	if flat < n/3 {
		t.Errorf("only %d of %d generated builds are builds", flat, n)
	}
}

// generatedRefusal is what docker/dockerfile can have no words for in builds
// that have no UNSET and no --no-cache.
var generatedRefusal = regexp.MustCompile(`this stage needs itself|a trigger of |its triggers would be lost|has no name that|has the same name`)

func describe(r llbtest.Request) string {
	text := string(r.Dockerfile)
	for name, f := range r.Beside {
		text += "-- " + name + " --\n" + f
	}
	return text + fmt.Sprint(r.Opts)
}

type generator struct {
	*rand.Rand
	files map[string]string
}

// names are few, so that they collide.
var (
	stageNames = []string{"build", "test", "alpine", "svc-build", "tools", ""}
	argNames   = []string{"VERSION", "TAG", "FLAVOUR", "TARGETARCH", "TARGETSTAGE"}
	fileNames  = []string{"svc/Dockerfile", "svc/tools.Dockerfile", "lib/Dockerfile"}
)

func generate(rnd *rand.Rand) llbtest.Request {
	g := &generator{rnd, map[string]string{}}
	// Later files are there for earlier ones.
	for i := len(fileNames) - 1; i >= 0; i-- {
		g.files[fileNames[i]] = g.file(fileNames[i+1:], i+1)
	}
	g.files["svc/steps"] = g.pick("", "# escape=`\n") + "ENV INCLUDED=1\nRUN included $VERSION\n"
	opts := map[string]string{"platform": "linux/amd64"}
	if g.IntN(3) == 0 {
		opts["build-arg:"+g.pick(argNames...)] = g.pick("given", "9")
	}
	return llbtest.Request{Dockerfile: []byte(g.file(fileNames, 0)), Beside: g.files, InContext: g.files, Opts: opts}
}

func (g *generator) pick(list ...string) string { return list[g.IntN(len(list))] }

// file is a Dockerfile that may refer to others.
func (g *generator) file(others []string, depth int) string {
	var b strings.Builder
	escape := "\\"
	if g.IntN(4) == 0 {
		escape = "`"
		b.WriteString("# escape=`\n")
	}
	if g.IntN(4) == 0 {
		b.WriteString("# check=skip=all\n")
	}
	for range g.IntN(3) {
		name := g.pick(argNames[:3]...)
		fmt.Fprintf(&b, "ARG %s%s\n", name, g.pick("", "=1", "=2", "=$VERSION-x", "='a b'", "=${TAG:-t}"))
	}
	stages := 1 + g.IntN(4)
	for i := range stages {
		fmt.Fprintf(&b, "\n# stage %d of file %d\n", i, depth)
		base := g.pick("alpine", "busybox", "scratch", "alpine:${TAG:-3}", "--platform=$BUILDPLATFORM alpine", "build", "tools")
		if len(others) > 0 && g.IntN(3) == 0 {
			base = g.pick("", "", "--context=./svc ", "--context=named ") + "/" + g.pick(others...)
		}
		name := g.pick(stageNames...)
		if name != "" {
			name = " AS " + name
		}
		fmt.Fprintf(&b, "FROM %s%s\n", base, name)
		for range g.IntN(5) {
			b.WriteString(g.instruction(others, escape))
		}
	}
	return b.String()
}

func (g *generator) instruction(others []string, escape string) string {
	ref := g.pick("build", "tools", "test", "svc-build", "alpine", "busybox", "0", "1", "2", "${NONE:-build}", "build$NOTHING-")
	if len(others) > 0 && g.IntN(2) == 0 {
		ref = "/" + g.pick(others...) + g.pick("", "", "#build", "#test")
	}
	switch g.IntN(12) {
	case 0, 1:
		return fmt.Sprintf("COPY --from=%s %s/a /b\n", ref, g.pick("", "--link ", "--chmod=644 "+escape+"\n  "))
	case 2:
		if strings.ContainsAny(ref[:1], "0123456789") {
			ref = "busybox"
		}
		return fmt.Sprintf("RUN --mount=%s,target=/m "+escape+"\n    # a comment\n  --mount=type=cache,target=/c x\n", g.pick("from="+ref, `"from=`+ref+`"`, "type=bind,from="+ref+",source=/s"))
	case 3:
		return fmt.Sprintf("ARG %s%s\n", g.pick(argNames...), g.pick("", "", "=3", "=$TAG-y"))
	case 4:
		return fmt.Sprintf("RUN echo $VERSION %s\n  \"$TAG\" \\$X `y`z\n", escape)
	case 5:
		return g.pick("COPY a b /x/\n", "COPY --if-exists a /x\n", "ADD https://example.com/f /f\n", "COPY --if-exists=false a /x\n")
	case 6:
		return "COPY <<ONE /x/\n$VERSION \\$X `\nONE\n"
	case 7:
		return fmt.Sprintf("ENV E=\"%s$X\" F='$Y' G=a%s b\n", escape, escape)
	case 8:
		return "RUN --mount=target=/src make\n"
	case 9:
		return g.pick("INCLUDE /svc/steps\n", "RUN <<EOT\nCOPY --from=build\nEOT\n", "LABEL a=$VERSION\n")
	case 10:
		return g.pick("ONBUILD RUN trigger\n", "WORKDIR /w/$TAG\n", "ONBUILD COPY --from=build /a /b\n")
	default:
		return g.pick("USER 1:$VERSION\n", "EXPOSE 80\n", "CMD [\"a\", \"b\"]\n", "ENTRYPOINT run $X\n")
	}
}
