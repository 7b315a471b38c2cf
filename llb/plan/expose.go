package plan

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/pkg/errors"
)

// expose records ports. One word may expand to several, and one port to a
// range of them.
func (e *stageEval) expose(c *instructions.ExposeCommand) error {
	var words []string
	for _, p := range c.Ports {
		expanded, err := e.lex.ProcessWords(p, &e.env)
		if err != nil {
			return err
		}
		words = append(words, expanded...)
	}
	c.Ports = words

	var ports []string
	for _, w := range words {
		spec, err := parsePort(w)
		if spec.wellFormed {
			e.checkPort(spec, w, c)
		}
		if err != nil {
			return err
		}
		ports = append(ports, spec.expand()...)
	}
	config := &e.out.Image.Config
	if config.ExposedPorts == nil {
		config.ExposedPorts = map[string]struct{}{}
	}
	for _, p := range ports {
		config.ExposedPorts[p] = struct{}{}
	}
	e.commit(fmt.Sprintf("EXPOSE %v", ports), false)
	return nil
}

// checkPort reports what EXPOSE accepts for historical reasons.
func (e *stageEval) checkPort(spec portSpec, word string, c *instructions.ExposeCommand) {
	if spec.proto != strings.ToLower(spec.proto) {
		e.lint.Run(&linter.RuleExposeProtoCasing, c.Location(), linter.RuleExposeProtoCasing.Format(word))
	}
	if spec.ip != "" || spec.host != "" {
		e.lint.Run(&linter.RuleExposeInvalidFormat, c.Location(), linter.RuleExposeInvalidFormat.Format(word))
	}
}

// portSpec is an EXPOSE word in parts: [[ip:]host:]container[/proto], where
// host and container may be ranges. Host and ip mean nothing in an image.
type portSpec struct {
	ip, host, proto string
	first, last     int
	// wellFormed says that the word has the parts it should have; their
	// values may still be wrong.
	wellFormed bool
}

func (s portSpec) expand() []string {
	var ports []string
	for p := s.first; p <= s.last; p++ {
		ports = append(ports, strconv.Itoa(p)+"/"+strings.ToLower(s.proto))
	}
	return ports
}

func parsePort(word string) (portSpec, error) {
	var s portSpec
	container := word
	if i := strings.LastIndex(word, ":"); i >= 0 {
		s.host, container = word[:i], word[i+1:]
		if i := strings.LastIndex(s.host, ":"); i >= 0 {
			s.ip, s.host = s.host[:i], s.host[i+1:]
		}
	}
	container, s.proto, _ = strings.Cut(container, "/")
	if container == "" {
		return s, errors.Errorf("invalid port: %q: no port specified", word)
	}
	switch strings.ToLower(s.proto) {
	case "":
		s.proto = "tcp"
	case "tcp", "udp", "sctp":
	default:
		return s, errors.Errorf("invalid port: %q: invalid proto: %s", word, s.proto)
	}
	s.wellFormed = true
	if err := checkIP(s.ip); err != nil {
		return s, err
	}
	var err error
	if s.first, s.last, err = portRange(container); err != nil {
		return s, errors.Errorf("invalid containerPort: %s", container)
	}
	if s.host == "" {
		return s, nil
	}
	first, last, err := portRange(s.host)
	if err != nil {
		return s, errors.Errorf("invalid hostPort: %s", s.host)
	}
	// A range on the host alone is one to choose from.
	if s.first != s.last && s.last-s.first != last-first {
		return s, errors.Errorf("invalid ranges specified for container and host Ports: %s and %s", container, s.host)
	}
	return s, nil
}

func checkIP(ip string) error {
	if ip == "" {
		return nil
	}
	if ip[0] == '[' {
		bare, _, err := net.SplitHostPort(ip + ":")
		if err != nil {
			return errors.Wrapf(err, "invalid IP address %v", ip)
		}
		if ip = bare; ip == "" {
			return nil
		}
	}
	if net.ParseIP(ip) == nil {
		return errors.Errorf("invalid IP address: %s", ip)
	}
	return nil
}

// portRange reads "80" or "8000-8010".
func portRange(s string) (first, last int, err error) {
	from, to, isRange := strings.Cut(s, "-")
	if first, err = portNumber(from); err != nil || !isRange {
		return first, first, err
	}
	if last, err = portNumber(to); err == nil && last < first {
		err = errors.Errorf("invalid port range: %s", s)
	}
	return first, last, err
}

func portNumber(s string) (int, error) {
	n, err := strconv.ParseInt(s, 10, 0)
	if err == nil && (n < 0 || n > 65535) {
		err = errors.New("value out of range (0–65535)")
	}
	return int(n), err
}
