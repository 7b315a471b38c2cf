package images

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// pythonWheels are the Debian packages that python:3.12-slim offers as wheels.
var pythonWheels = []string{
	"python3-flask", "python3-werkzeug", "python3-jinja2", "python3-click", "python3-itsdangerous", "python3-markupsafe",
	"python3-gunicorn", "python3-psycopg2",
	"python3-requests", "python3-urllib3", "python3-idna", "python3-certifi", "python3-chardet", "python3-charset-normalizer", "python3-six",
	"python3-sqlalchemy", "python3-greenlet",
	"python3-pytest", "python3-attr", "python3-iniconfig", "python3-more-itertools", "python3-packaging", "python3-pluggy", "python3-py",
}

func pythonLayer(m machine, debian *layer) *layer {
	return &layer{
		name:   "python",
		below:  []*layer{debian},
		inputs: []string{recipe("python.sh"), recipe("wheels.py"), fmt.Sprint(pythonWheels)},
		make: func(ctx context.Context, s *site) error {
			if err := s.files(map[string]string{"wheels.py": recipe("wheels.py")}); err != nil {
				return err
			}
			err := s.apt(ctx, m, s.root, "", recipe("python.sh"), pythonWheels...)
			return errors.Join(err, os.Remove(filepath.Join(s.root, "wheels.py")))
		},
	}
}

var pythonConfig = v1.Config{
	Env: []string{"PATH=/usr/local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"},
	Cmd: []string{"python3"},
}
