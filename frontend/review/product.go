package review

import (
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// product reports whether the target is an image that is made to be run, and
// not a tool of its developers or a base of other images.
func (s *Subject) product() bool { return s.Runs() && !s.developing() }

// Runs reports whether the target is made to be run: somebody gave it a program
// or a port, here or in a base image that is a service. Others are exported
// files, or bases of other images.
func (s *Subject) Runs() bool {
	for _, step := range s.Target.InChain() {
		switch c := step.Command.(type) {
		case *instructions.CmdCommand:
			if len(c.CmdLine) > 0 {
				return true
			}
		case *instructions.EntrypointCommand:
			if len(c.CmdLine) > 0 {
				return true
			}
		case *instructions.ExposeCommand, *instructions.HealthCheckCommand:
			return true
		}
	}
	img, ok := parseImage(s.Target.RootImage())
	return ok && img.official() && services[img.name]
}

// services are official images that come with the program that they run.
var services = set(`caddy elasticsearch haproxy httpd jetty kong mariadb memcached mongo mysql nats nginx phpmyadmin postgres rabbitmq redis
	registry tomcat tomee traefik varnish vault websphere-liberty open-liberty wordpress`)

// developing reports whether the target is there to develop, to build or to
// test with: its own name or the file's says so, or what it starts.
func (s *Subject) developing() bool {
	file := path.Base(s.Files.Source(0).Name())
	if slices.ContainsFunc([]string{s.Target.Name, file}, isDeveloping) {
		return true
	}
	for _, step := range s.Target.InChain() {
		switch c := step.Command.(type) {
		case *instructions.OnbuildCommand:
			return true
		case *instructions.LabelCommand:
			// A frontend of BuildKit runs in its sandbox, and nowhere else.
			if slices.ContainsFunc(c.Labels, func(kv instructions.KeyValuePair) bool { return strings.HasPrefix(kv.Key, "moby.buildkit.frontend") }) {
				return true
			}
		case *instructions.RunCommand:
			if !step.OnBuild && step.Stage == s.Target && slices.ContainsFunc(step.Commands(), func(c command) bool { return c.tests() }) {
				return true
			}
		case *instructions.EntrypointCommand:
			if startsDeveloping(c.CmdLine) {
				return true
			}
		case *instructions.CmdCommand:
			if startsDeveloping(c.CmdLine) {
				return true
			}
		}
	}
	return false
}

// isDeveloping reports whether a name has a word for development in it.
func isDeveloping(name string) bool {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune("-_./", r) })
	return slices.ContainsFunc(words, func(w string) bool {
		return isTestWord(w) || developing[w]
	})
}

var developing = set(`dev develop development devcontainer debug builder build ci sdk tools local make bench`)

// startsDeveloping reports whether an image starts a shell, or something that
// builds or tests.
func startsDeveloping(line []string) bool {
	if len(line) == 1 {
		line = strings.Fields(line[0])
	}
	if len(line) == 0 || line[0] == "" {
		return false
	}
	sc := &script{sets: map[string]bool{}}
	sc.call(line) // with what a shell executes by -c
	c := sc.commands[0]
	if isShell(c.name) && (len(c.args) == 0 || len(c.args) == 1 && slices.Contains([]string{"-l", "-i", "--login"}, c.args[0])) {
		return true
	}
	return isDeveloping(line[0]) || slices.ContainsFunc(sc.commands, func(c command) bool {
		return c.tests() || c.compiles() || slices.Contains([]string{"make", "sleep", "tail", "fish"}, c.name)
	})
}
