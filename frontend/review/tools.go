package review

import (
	"slices"
	"strings"
)

// What programs do, as far as their names and arguments tell.

// tests reports whether a command tests or checks what is built.
func (c *command) tests() bool {
	switch {
	case testers[c.name]:
		return !c.has("--version", "version", "--help") && c.verb() != "install"
	case runners[c.name]:
		return slices.ContainsFunc(c.operands(), isTestWord)
	}
	switch c.name {
	case "go", "xx-go":
		return c.verb() == "vet" || c.verb() == "test" && !c.has("-run=^$", "-c")
	case "cargo", "xx-cargo":
		return slices.Contains([]string{"test", "clippy", "nextest"}, c.verb()) || c.verb() == "fmt" && c.has("--check")
	case "npm", "yarn", "pnpm", "bun":
		script := c.verb()
		if rest := c.operands(); (script == "run" || script == "run-script") && len(rest) > 1 {
			script = rest[1]
		}
		return script == "t" || isTestWord(script)
	case "python", "python3":
		return slices.ContainsFunc(c.args, func(a string) bool { return a == "unittest" || a == "pytest" })
	case "gofmt":
		return c.has("-l", "-d")
	}
	return false
}

// testers are programs that do nothing but test or check, and runners those
// that do it when they are told to.
var (
	testers = set(`pytest tox nox ctest rspec phpunit pest jest vitest mocha karma playwright bats gotestsum golangci-lint staticcheck
		govulncheck shellcheck hadolint yamllint eslint flake8 ruff mypy pylint rubocop htmltest`)
	runners = set(`mvn mvnw gradle gradlew make ninja just task rake bazel dotnet mix sbt swift flutter dart deno zig stack cabal composer`)
)

// isTestWord reports whether a target or a script is a test by its name.
func isTestWord(name string) bool {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune("-_:./", r) })
	return slices.ContainsFunc(words, func(w string) bool {
		return slices.Contains([]string{"test", "tests", "lint", "check", "checks", "verify", "validate", "vet", "spec", "e2e"}, w)
	})
}

// compiles reports whether a command makes a program from source, for which it
// needs tools that the program does not need to run.
func (c *command) compiles() bool {
	switch c.name {
	case "go", "xx-go":
		return c.verb() == "build" || c.verb() == "install"
	case "cargo", "xx-cargo":
		return c.verb() == "build" || c.verb() == "install"
	case "mvn", "mvnw":
		return c.hasVerb("package", "install", "verify", "compile")
	case "gradle", "gradlew":
		return slices.ContainsFunc(c.operands(), func(a string) bool {
			a = strings.ToLower(a[strings.LastIndex(a, ":")+1:])
			return strings.Contains(a, "build") || strings.Contains(a, "jar") || strings.Contains(a, "install") || strings.Contains(a, "assemble")
		})
	case "dotnet":
		return c.verb() == "build" || c.verb() == "publish"
	case "npm", "yarn", "pnpm", "bun":
		rest := c.operands()
		return len(rest) > 0 && (rest[0] == "build" && c.name != "npm" || len(rest) > 1 && rest[0] == "run" && strings.HasPrefix(rest[1], "build"))
	case "gcc", "g++", "cc", "c++", "clang", "clang++", "rustc", "ghc", "javac", "tsc":
		return slices.ContainsFunc(c.args, func(a string) bool { return a == "-o" || a == "-c" || a == "-d" }) || c.name == "tsc"
	case "make", "ninja":
		return !c.has("clean", "--version", "distclean") && !slices.ContainsFunc(c.operands(), isTestWord)
	case "cmake":
		return c.has("--build")
	case "configure":
		return true
	case "stack", "cabal", "swift", "zig", "crystal":
		return c.verb() == "build"
	case "mix":
		return c.verb() == "release" || c.verb() == "compile"
	}
	return false
}

func (c *command) hasVerb(verbs ...string) bool {
	return slices.ContainsFunc(c.operands(), func(a string) bool { return slices.Contains(verbs, a) })
}

// packages returns what a command installs with the package manager of a
// distribution; ok reports whether it does.
func (c *command) packages() (names []string, ok bool) {
	rest, at := c.operands(), -1
	switch c.name {
	case "apk", "xx-apk":
		at = slices.Index(rest, "add")
	case "apt-get", "apt", "xx-apt-get", "xx-apt", "yum", "dnf", "microdnf", "tdnf", "zypper":
		at = slices.Index(rest, "install")
	}
	if at < 0 {
		return nil, false
	}
	return rest[at+1:], true
}

// removes reports whether a command takes packages away again.
func (c *command) removes() bool {
	switch c.name {
	case "apt-get", "apt":
		return c.hasVerb("purge", "remove", "autoremove")
	case "apk":
		return c.hasVerb("del")
	case "yum", "dnf", "microdnf", "tdnf", "zypper":
		return c.hasVerb("remove", "erase", "autoremove")
	}
	return false
}

// compilers are the packages of which a running program needs none.
var compilers = set(`gcc g++ c++ clang build-essential build-base musl-dev libc-dev libc6-dev glibc-devel gcc-c++ golang go golang-go
	rust rustc cargo maven gradle openjdk-8-jdk openjdk-11-jdk openjdk-17-jdk openjdk-21-jdk default-jdk openjdk8 openjdk11 openjdk17 openjdk21`)

// toolchains are images that are made to compile, by the last element of their
// name.
var toolchains = set(`golang rust maven gradle gcc haskell sbt buildpack-deps`)

// slims are images whose plain variants have a compiler, and whose slim and
// alpine ones have none.
var slims = set(`node python ruby perl pypy`)

// toolchain reports whether an image carries compilers that a program made
// with it does not need.
func (i image) toolchain() bool {
	switch {
	case i.name == "sdk":
		return strings.Contains(i.repository, "/dotnet/")
	case i.name == "openjdk" || i.name == "eclipse-temurin":
		return i.official() && !strings.Contains(i.tag, "jre")
	case i.official():
		return toolchains[i.name]
	}
	return false
}

// plainVariant reports whether an image is the variant with a compiler of one
// that comes without, too.
func (i image) plainVariant() bool {
	return i.official() && slims[i.name] && !strings.Contains(i.tag, "slim") && !strings.Contains(i.tag, "alpine") && !strings.Contains(i.tag, "windows")
}
