package images

import (
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// nginxFiles are configured as in the image of Docker Hub: one server on port 80, logs to the
// container's own output, and scripts that run before the server.
var nginxFiles = map[string]string{
	"etc/nginx/nginx.conf": `user nginx;
worker_processes auto;
pid /run/nginx.pid;

events {
    worker_connections 1024;
}

http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log /var/log/nginx/access.log;
    error_log /var/log/nginx/error.log notice;
    sendfile on;
    keepalive_timeout 65;
    include /etc/nginx/conf.d/*.conf;
}
`,
	"etc/nginx/conf.d/default.conf": `server {
    listen 80;
    server_name localhost;

    location / {
        root /usr/share/nginx/html;
        index index.html index.htm;
    }
}
`,
	"usr/share/nginx/html/index.html": "<!DOCTYPE html>\n<title>nginx</title>\n<h1>nginx is running</h1>\n",
	"docker-entrypoint.sh": `#!/bin/sh
set -e
# Scripts of the image that prepare the server, in the order of their names.
if [ "$1" = nginx ]; then
	for script in /docker-entrypoint.d/*.sh; do
		if [ -x "$script" ]; then "$script"; fi
	done
fi
exec "$@"
`,
}

func nginxLayer(m machine, debian, alpine *layer) *layer {
	return &layer{
		name:   "nginx",
		below:  []*layer{alpine},
		uses:   []*layer{debian},
		inputs: []string{recipe("nginx.sh"), fmt.Sprint(nginxFiles)},
		make: func(ctx context.Context, s *site) error {
			scratch, err := s.scratchDebian(ctx, debian)
			if err != nil {
				return err
			}
			if err := s.apt(ctx, m, scratch, s.root, recipe("nginx.sh")); err != nil {
				return err
			}
			return s.files(nginxFiles)
		},
	}
}

var nginxConfig = v1.Config{
	Env:          []string{pathOfAlpine},
	Entrypoint:   []string{"/docker-entrypoint.sh"},
	Cmd:          []string{"nginx", "-g", "daemon off;"},
	ExposedPorts: map[string]struct{}{"80/tcp": {}},
	StopSignal:   "SIGQUIT",
}
