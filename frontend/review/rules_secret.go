package review

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/stagecraft/stagecraft/llb/plan"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// secretRules are about secrets that whoever has the image can read.
var secretRules = []Rule{
	{
		ID:       "SecretInImage",
		Practice: "No secret ends in the image",
		Why:      "Whoever can pull the image can read the file, even if a later instruction deletes it.",
		Mend:     "Use it in a RUN with --mount=type=secret, or give it to the container when it runs.",
		Silent:   []string{"SecretsUsedInArgOrEnv"},
		Check:    secretsInImage,
	},
}

func secretsInImage(s *Subject) []Finding {
	var found []Finding
	for _, step := range s.shipped() {
		if op := step.copyOf(); op != nil {
			for _, src := range op.Sources {
				f, ok := src.(*plan.Files)
				if ok && f.From == stage.None && secretFile(f.Path) {
					found = append(found, step.at(fmt.Sprintf("%s is copied into the shipped image", strings.TrimPrefix(f.Path, "/"))))
				}
			}
		}
		for _, secret := range step.secrets() {
			for _, c := range step.Commands() {
				if to := c.keeps(secret); to != "" && !step.mountsOver(to) && !step.removesAgain(to) {
					found = append(found, step.at(fmt.Sprintf("the secret is written to %s, in the shipped image", to)).pointing(to))
				}
			}
		}
	}
	return found
}

var secretName = regexp.MustCompile(`^(` + strings.Join([]string{
	`\.env(\.(local|prod|production|secret))?`,
	`id_(rsa|dsa|ecdsa|ed25519)`,
	`\.npmrc|\.yarnrc|\.pypirc|\.netrc|_netrc|\.git-credentials|\.dockercfg|\.pgpass|kubeconfig`,
	`\.aws|\.ssh|\.gnupg`,
	`.*\.(p12|pfx|jks|keystore|kdbx|key)`,
	`(.*[-_.])?(private|server|tls|ssl|priv)[-_.]?key(\.pem)?`,
}, "|") + `)$`)

// publicFile matches keys that packages are signed with, and samples.
var publicFile = regexp.MustCompile(`pub|gpg|pgp|asc|example|sample|repo|archive|signing`)

// secretFile reports whether a file is a secret by its name. Public keys and
// examples are none.
func secretFile(p string) bool {
	name := path.Base(p)
	return secretName.MatchString(name) && !publicFile.MatchString(name)
}

// secrets returns the paths and the variables of a RUN's secrets.
func (step *Step) secrets() []string {
	run, ok := step.Op.(*plan.Run)
	if !ok {
		return nil
	}
	var all []string
	for _, secret := range run.Secrets {
		if secret.Target != nil {
			all = append(all, *secret.Target)
		}
		if secret.Env != nil {
			all = append(all, "$"+*secret.Env, "${"+*secret.Env+"}")
		}
	}
	return all
}

// keeps returns the file that a command writes a secret to, empty where it
// writes none.
func (c *command) keeps(secret string) string {
	mentions := slices.ContainsFunc(c.args, func(a string) bool { return strings.Contains(a, secret) })
	if !mentions {
		return ""
	}
	switch c.name {
	case "cp", "install", "ln", "mv":
		if rest := c.operands(); len(rest) > 1 && c.name != "ln" && !strings.Contains(rest[len(rest)-1], secret) {
			return rest[len(rest)-1]
		}
	case "cat", "echo", "printf", "envsubst", "sed", "tr", "base64", "tee":
		for _, to := range c.writes {
			if !strings.HasPrefix(to, "/dev/") && !strings.HasPrefix(to, "&") {
				return to
			}
		}
	}
	return ""
}

// removesAgain reports whether a RUN deletes a file that it wrote.
func (step *Step) removesAgain(file string) bool {
	return slices.ContainsFunc(step.Commands(), func(c command) bool {
		return (c.name == "rm" || c.name == "shred") && slices.ContainsFunc(c.args, func(a string) bool { return a == file || strings.HasPrefix(file, a+"/") })
	}) || strings.HasPrefix(file, "/tmp/") && step.mountsOver("/tmp")
}
