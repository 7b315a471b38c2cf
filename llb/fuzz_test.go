package llb_test

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// FuzzBytes compiles arbitrary bytes: nothing may panic, and both compilers
// give the same.
func FuzzBytes(f *testing.F) {
	for _, file := range fuzzCorpus(f) {
		f.Add(file.Dockerfile)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 16<<10 {
			return
		}
		agree(t, llbtest.Request{Dockerfile: data, Opts: map[string]string{"platform": "linux/amd64"}})
	})
}

// FuzzGrammar compiles Dockerfiles that are grown from the corpus: its
// instructions in new places, with other flags, variables and stage names,
// built with random options. The program decides every choice.
func FuzzGrammar(f *testing.F) {
	pool := instructionPool(fuzzCorpus(f))
	for i := range 64 {
		f.Add(fmt.Appendf(nil, "seed %d", i))
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		agree(t, grow(program, pool))
	})
}

func agree(t *testing.T, r llbtest.Request) {
	t.Helper()
	upstream := llbtest.Upstream(t.Context(), r)
	diff, _ := compare(t.Context(), r, upstream)
	if diff != "" {
		t.Errorf("%s\n%s", diff, archive(r))
	}
	// The subrequests as well, one a file: they share most of the way.
	h := fnv.New32a()
	_, _ = h.Write(r.Dockerfile)
	c := calls[h.Sum32()%uint32(len(calls))]
	if diff := compareAnswers(t.Context(), r, c.upstream, c.ours); diff != "" {
		t.Errorf("%s: %s\n%s", c.name, diff, archive(r))
	}
}

// archive is a request in the form of a golden case, ready to be checked in.
func archive(r llbtest.Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "-- Dockerfile --\n%s\n-- opts --\n", r.Dockerfile)
	for _, k := range slices.Sorted(maps.Keys(r.Opts)) {
		fmt.Fprintf(&b, "%s=%s\n", k, r.Opts[k])
	}
	if r.OldDaemon {
		b.WriteString("-- old-daemon --\n")
	}
	if r.Ignore != "" {
		fmt.Fprintf(&b, "-- ignore --\n%s\n", r.Ignore)
	}
	return b.String()
}

// fuzzCorpus are our own Dockerfiles, and those of STAGECRAFT_CORPUS.
func fuzzCorpus(t testing.TB) []llbtest.File {
	own, err := llbtest.Corpus(filepath.Join("testdata", "corpus"))
	if err != nil {
		t.Fatal(err)
	}
	return append(own, corpus(t)...)
}

// instructionPool are the instructions of a corpus, as written.
func instructionPool(files []llbtest.File) []string {
	var pool []string
	for _, f := range files {
		tree, err := parser.Parse(strings.NewReader(string(f.Dockerfile)))
		if err != nil {
			continue
		}
		lines := strings.Split(string(f.Dockerfile), "\n")
		for _, n := range tree.AST.Children {
			text := strings.Join(lines[n.StartLine-1:min(n.EndLine, len(lines))], "\n")
			if len(text) < 500 && !strings.EqualFold(n.Value, "from") {
				pool = append(pool, text)
			}
		}
	}
	return pool
}

// grower writes a Dockerfile. Its choices come from the bytes of a program,
// and from their hash where they run out.
type grower struct {
	program []byte
	rand    *rand.Rand
	pool    []string
	out     strings.Builder
	names   []string // stages so far
	wild    bool     // makes mistakes that most parsers notice
	opts    map[string]string
}

func grow(program []byte, pool []string) llbtest.Request {
	h := fnv.New64a()
	_, _ = h.Write(program)
	g := &grower{
		program: program,
		rand:    rand.New(rand.NewPCG(h.Sum64(), 1)),
		pool:    pool,
		opts:    map[string]string{},
	}
	g.wild = g.rand.IntN(4) == 0 // not the first byte: seeds begin alike
	g.file()
	r := llbtest.Request{Dockerfile: []byte(g.spoil(g.out.String())), Opts: g.opts}
	g.options(&r)
	return r
}

// n is a number below limit.
func (g *grower) n(limit int) int {
	if len(g.program) > 0 {
		b := int(g.program[0])
		g.program = g.program[1:]
		if limit <= 256 {
			return b % limit
		}
		return (b<<16 + g.rand.IntN(1<<16)) % limit
	}
	return g.rand.IntN(limit)
}

func (g *grower) percent(p int) bool { return g.n(100) < p }

func (g *grower) one(of ...string) string { return of[g.n(len(of))] }

// or is one of the sane values, or of the odd ones where the file is wild.
func (g *grower) or(odd []string, sane ...string) string {
	if g.wild && g.percent(15) {
		return g.one(odd...)
	}
	return g.one(sane...)
}

func (g *grower) line(format string, args ...any) { fmt.Fprintf(&g.out, format+"\n", args...) }

func (g *grower) file() {
	if g.percent(15) {
		g.line("# %s", g.or([]string{"check=error=true", "escape=x", "check=odd"}, "escape=`", "escape=\\", "syntax=docker/dockerfile:1", "check=skip=all", "check=skip=JSONArgsRecommended;error=false", "check=experimental=all", "unknown=directive"))
	}
	for range g.n(4) {
		g.line("ARG %s", g.argument())
	}
	for range 1 + g.n(5) {
		g.stage()
		for range g.n(8) {
			g.instruction()
		}
	}
}

func (g *grower) argument() string {
	name := g.one(argPool...)
	switch g.n(4) {
	case 0:
		return name
	case 1:
		return name + "=" + g.value() + " " + g.one(argPool...)
	default:
		return name + "=" + g.value()
	}
}

var argPool = []string{"A", "B", "VERSION", "TARGETARCH", "TARGETPLATFORM", "BUILDPLATFORM", "TARGETSTAGE", "PATH", "SOURCE_DATE_EPOCH", "BUILDKIT_SBOM_SCAN_STAGE", "BUILDKIT_SBOM_SCAN_CONTEXT", "HTTP_PROXY", "API_TOKEN"}

func (g *grower) value() string {
	return g.or(
		[]string{"${A:?no}", "${}", "$", "${A", "a b", `"q`, "${VERSION:x}"},
		"1", "alpine", `"q v"`, "'s'", "", "$A", "${B}", "${A:-x}", "${B:+y}", "${A-}", "${VERSION#v}", "${VERSION%%.*}", "${A/1/2}", "${B//x/}",
		`\$A`, "a\\ b", "${A:-${B}}", "linux/arm64", "base", "1700000000", "$TARGETARCH", "${NOPE}", "0", "true", "ü", "${A+$B}", "$A$B", `"$A b"`, "'$A'")
}

func (g *grower) stage() {
	flag := ""
	if g.percent(20) {
		flag = "--platform=" + g.or([]string{"${A}", "nonsense/x/y/z", ""}, "$BUILDPLATFORM", "$TARGETPLATFORM", "linux/arm64", "linux/amd64", "windows/amd64", "linux/arm/v7", "linux", "${A:-linux/amd64}", "linux/${TARGETARCH}") + " "
	}
	as := ""
	if g.percent(70) {
		name := g.or([]string{"0a", "Base", "scratch", "context", "alpine", "base"}, "base", "build", "test", "final", "x1", "release-a", "assets", "a.b", "c_d")
		g.names = append(g.names, name)
		as = g.one(" AS ", " as ", " As ") + name
	}
	g.line("%s %s%s%s", g.one("FROM", "FROM", "FROM", "from"), flag, g.base(), as)
}

func (g *grower) base() string {
	if len(g.names) > 0 && g.percent(45) {
		return g.name()
	}
	return g.or(
		[]string{"example.com/missing", "$A", "Upper", "0", "example.com/obonbuild", "example.com/obbad", "example.com/obstage", "example.com/obtwo", "example.com/obcheck"},
		"alpine", "scratch", "debian:12", "golang:1.22", "example.com/onbuild", "example.com/obcopy", "example.com/obself", "example.com/obenv",
		"example.com/withenv-withdir", "example.com/withuser-entry", "example.com/nopath", "example.com/nolayers-onbuild",
		"example.com/foreign", "example.com/windows", "example.com/mutated", "example.com/nodigest", "alpine:${VERSION:-3}",
		"${B:-busybox}", "example.com/schema1-bash-ports", "example.com/reldir-named", "example.com/noplatform-variant")
}

// name refers to a stage, mostly one that exists.
func (g *grower) name() string {
	earlier := g.names
	if !g.wild && len(earlier) > 0 {
		earlier = earlier[:len(earlier)-1] // not the stage itself
	}
	if len(earlier) == 0 || g.percent(15) {
		return g.or([]string{"final", "later", "0", "2", "7", "-1", "$A", "Bad:Ref"}, "alpine:3", "scratch", "example.com/onbuild", "busybox", "example.com/nolayers", "example.com/obenv", "example.com/obenv-nolayers",
			"example.com/obstage", "example.com/obself", "example.com/obcopy")
	}
	name := earlier[g.n(len(earlier))]
	if g.percent(15) {
		return strings.ToUpper(name)
	}
	return name
}

func (g *grower) instruction() {
	if g.percent(40) {
		g.line("%s", g.pool[g.n(len(g.pool))])
		return
	}
	if g.percent(6) {
		g.out.WriteString(g.one("ONBUILD ", "ONBUILD ", "onbuild "))
	}
	templates := []func(){g.run, g.run, g.copy, g.copy, g.copy, g.add, g.config}
	templates[g.n(len(templates))]()
}

func (g *grower) run() {
	flags := ""
	for range g.n(3) {
		flags += g.or(
			[]string{"--mount=type=odd", "--mount=type=$A", "--mount=type=secret", "--mount=type=ssh,source=y", "--network=odd", "--security=odd", "--device=x,", "--mount=type=tmpfs,target=/t,size=x", "--mount=type=cache,target=/c,sharing=odd"},
			"--mount=target="+g.path(),
			"--mount=type=bind,from="+g.name()+",source="+g.path()+",target="+g.path(),
			"--mount=type=bind,rw,from="+g.name()+",target="+g.path(),
			"--mount=type=cache,target="+g.path(),
			"--mount=type=cache,id=${A},target="+g.path()+",sharing="+g.one("shared", "locked", "private"),
			"--mount=type=cache,target=/c,from="+g.name()+",uid=5,mode=0750",
			"--mount=type=cache,target=/c//d/,from="+g.name()+",source="+g.path(),
			"--mount=type=tmpfs,target="+g.path()+",size="+g.one("1", "10m"),
			"--mount=type=secret,id="+g.one("s", "$A", "a/b")+g.one("", ",required", ",env=S", ",target=t", ",mode=0400,uid=1"),
			"--mount=type=secret"+g.one(",target=/t", ",env=E,id=e", ",src=s"),
			"--mount=type=ssh"+g.one("", ",id=x", ",target=/s,gid=4", ",required=true"),
			"--network="+g.one("none", "host", "default"),
			"--security="+g.one("insecure", "sandbox"),
			"--device="+g.one("v.com/c=d", "v.com/c,required"),
		) + " "
	}
	g.line("RUN %s%s", flags, g.or([]string{"", "<<E cat"}, "true", "echo $A ${B}", `["a", "$A"]`, "<<E\nx $A\nE", "<<-E\n\t#!/bin/x\n\ty\nE", "<<'E'\n#!x $A\nE", "cat <<A <<\"B\"\n1\nA\n2\nB", "a && \\\n  b", `echo "$S" '\n'`, "<<E cat\n$A\nE"))
}

func (g *grower) path() string {
	return g.or([]string{"", "C:\\w", "'s p'", "../x"}, "/", ".", "a", "/a/b", "${A:-d}", "/$B/c", "a*", "/x/", "./y", "a/./b", "/a/./b/*", "x$NOPE", "**/q", "/srv", "a/../b", "//a//b/")
}

func (g *grower) copy() {
	flags := g.fileFlags()
	if g.percent(60) {
		flags += "--from=" + g.name() + " "
	}
	if g.percent(15) {
		flags += g.one("--parents ", "--parents=true ", "--parents=false ")
	}
	g.line("COPY %s%s", flags, g.sources())
}

func (g *grower) fileFlags() string {
	flags := ""
	if g.percent(25) {
		flags += g.one("--link ", "--link=true ", "--link=false ")
	}
	if g.percent(25) {
		flags += g.or([]string{"--chown=app ", "--chown=$A "}, "--chown=1:2 ", "--chown=5 ", "--chown=${A:-7}:8 ")
	}
	if g.percent(25) {
		flags += g.or([]string{"--chmod=9 ", "--chmod= ", "--chmod=$A "}, "--chmod=755 ", "--chmod=u+x ", "--chmod=0 ", "--chmod=${A:-600} ", "--chmod=a=rX,u+w ")
	}
	if g.percent(20) {
		flags += g.or([]string{"--odd=1 ", "--link --link "}, "--exclude=*.md ", "--exclude=$A ", "--exclude=a --exclude=!b ")
	}
	return flags
}

func (g *grower) sources() string {
	switch g.n(8) {
	case 0:
		return `["` + g.path() + `", "` + g.path() + `"]`
	case 1:
		return "<<E " + g.path() + "\nx $A\nE"
	case 2:
		return "<<\"E\" " + g.path() + " <<-F /d/\nx $A\nE\n\ty\nF"
	case 3:
		return g.path() + " " + g.path() + " /d/"
	default:
		return g.path() + " " + g.path()
	}
}

func (g *grower) add() {
	flags := g.fileFlags()
	remote := g.or(
		[]string{"https://github.com/o/r.git?odd=1", "https://github.com/o/r.git?checksum=abc&submodules=0"},
		"https://example.com/a.tgz", "http://example.com/", "https://github.com/o/r.git", "git@github.com:o/r.git#v1:d", "https://github.com/o/r.git?ref=x&keep-git-dir=true",
		"https://github.com/o/r.git?checksum=abcdef0123&submodules=false&subdir=s", "git://h/r", "https://e.com/$A", "ssh://g@h/r.git", "github.com/o/r", "https://github.com/o/r.git?tag=v1", "https://github.com/o/r.git?branch=b")
	if g.percent(30) {
		flags += g.or([]string{"--checksum=$A ", "--checksum=abc "}, "--keep-git-dir ", "--keep-git-dir=true ", "--unpack ", "--unpack=false ")
	}
	switch {
	case g.percent(20):
		g.line("ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d %s%s %s", flags, g.or([]string{remote, "x"}, "https://example.com/a", "http://e.com/b.tar?q"), g.path())
	case g.percent(40):
		g.line("ADD %s%s %s", flags, remote, g.path())
	case g.percent(30):
		g.line("ADD %s%s %s /d/", flags, remote, g.one("x", "https://example.com/b", "https://github.com/o/r2.git"))
	default:
		g.line("ADD %s%s", flags, g.sources())
	}
}

func (g *grower) config() {
	v := g.value()
	if v == "" {
		v = "v"
	}
	g.line("%s", g.or(
		[]string{"ENV", "ENV A", "CMD", "ODD x", "SHELL x", "SHELL []", "EXPOSE", "EXPOSE a", "EXPOSE 3-1", "EXPOSE 70000", "EXPOSE 1-3:4-9", "EXPOSE $A", "STOPSIGNAL x", "STOPSIGNAL $A", "HEALTHCHECK odd", "HEALTHCHECK --timeout=x CMD y", `VOLUME ["", "/x"]`, "USER", "ENV A=x B"},
		"ENV "+g.one(argPool...)+"="+v, "ENV A "+v, "ENV A="+v+" B=$A", "ARG "+g.argument(), "ARG "+g.argument(), "ARG "+g.argument(), "ARG "+g.argument(),
		"LABEL a="+v, `LABEL "a b"=c d=`+v, "LABEL a "+v, "USER "+v, "USER root:"+v,
		"WORKDIR "+g.path(), "WORKDIR "+v, "WORKDIR "+g.path(), "WORKDIR /w/$A",
		"EXPOSE "+g.one("80", "80/tcp 81/UDP", "1-3", "${A:-80}", "1:2", "[::1]:1:2", "1-3:4-6", "1-9:4", "1-2:4-5/udp", "0/SCTP"),
		"VOLUME "+v, `VOLUME ["/a", "/b"]`, "STOPSIGNAL "+g.one("9", "SIGTERM", "hup", "RTMIN+3"),
		`SHELL ["a", "b"]`, "HEALTHCHECK "+g.one("NONE", "CMD x", "--interval=1s --retries=2 CMD [\"a\"]", "--start-interval=1s --start-period=2m CMD z $A"),
		"CMD "+v, `CMD ["a", "$A"]`, "ENTRYPOINT "+v, `ENTRYPOINT ["x"]`, "ENTRYPOINT []", "CMD []", "MAINTAINER "+v, "# a comment", "", "# check=skip=UndefinedVar",
	))
}

// spoil makes small mistakes in a text.
func (g *grower) spoil(text string) string {
	if !g.wild || !g.percent(60) {
		return text
	}
	for range 1 + g.n(3) {
		lines := strings.Split(text, "\n")
		i, k := g.n(len(lines)), g.n(len(lines))
		switch g.n(9) {
		case 0:
			lines = slices.Delete(lines, i, i+1)
		case 1:
			lines = slices.Insert(lines, k, lines[i])
		case 2:
			lines[i], lines[k] = lines[k], lines[i]
		case 3:
			lines[i] += g.one(" \\", "`", " #", "\r", "\t", " ", "<<X")
		case 4:
			at := g.n(len(lines[i]) + 1)
			lines[i] = lines[i][:at] + g.one("$", "{", "}", `"`, "'", "\\", "=", ",", ":", "/", "-", " ", "\x00", "é", "[", "<<", "--") + lines[i][at:]
		case 5:
			lines[i] = strings.ToLower(lines[i])
		case 6:
			words := strings.Split(lines[i], " ")
			words[g.n(len(words))] = g.one(g.value(), g.path(), g.name())
			lines[i] = strings.Join(words, " ")
		case 7:
			return strings.ReplaceAll(text, "\n", "\r\n")
		case 8:
			lines[i] = strings.Replace(lines[i], " ", g.one("  ", "\t", " \\\n ", " \\\n# c\n"), 1)
		}
		text = strings.Join(lines, "\n")
	}
	return text
}

// options are what the client says.
func (g *grower) options(r *llbtest.Request) {
	g.opts["platform"] = g.one("linux/amd64", "linux/amd64", "linux/arm64", both, "linux/arm/v7", "windows/amd64", "darwin/arm64")
	if g.percent(15) {
		delete(g.opts, "platform")
	}
	if g.percent(25) && len(g.names) > 0 {
		g.opts["target"] = g.or([]string{"odd", "0"}, g.names...)
	}
	for range g.n(3) {
		g.opts["build-arg:"+g.one(argPool...)] = g.one("1", "alpine", "", "base", "linux/arm64", "2", "v1.2.3")
		if g.wild {
			g.opts["build-arg:"+g.one(argPool...)] = g.one("a b", "$A", "context", `"`)
		}
	}
	if g.percent(15) {
		g.opts["no-cache"] = g.one("", "base", "base,final")
	}
	if g.percent(10) {
		maps.Copy(g.opts, limits)
	}
	if g.percent(10) {
		g.opts["label:x"] = "y"
	}
	if g.percent(10) {
		g.opts["multi-platform"] = "1"
	}
	if g.percent(15) {
		name := g.one("base", "alpine", "build", "example.com/onbuild", "alpine::linux/arm64", "debian:12")
		g.opts["context:"+name] = g.or([]string{"odd:x", "docker-image://example.com/missing"}, "docker-image://busybox", "docker-image://example.com/onbuild-withdir", "docker-image://example.com/windows", "local:other", "https://example.com/x.tgz", "https://github.com/o/r.git#v1", "docker-image://scratch")
		r.Files = map[string]map[string]string{"other": {".dockerignore": "*.md\n"}}
	}
	if g.percent(10) {
		r.Ignore = g.or([]string{"[\n"}, "*\n", "a\n", "**/x\n!a\n", "a*\nx/\n")
	}
	r.OldDaemon = g.percent(10)
}
