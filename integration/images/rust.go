package images

import (
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// rustCrates are the Debian packages whose crates rust:1.76 offers in place of crates.io.
var rustCrates = []string{
	"librust-tiny-http-dev", "librust-ascii-dev", "librust-chunked-transfer-dev", "librust-httpdate-dev", "librust-log-dev", "librust-cfg-if-dev",
	"librust-serde-dev", "librust-serde-derive-dev", "librust-serde-json-dev", "librust-itoa-dev", "librust-ryu-dev",
	"librust-proc-macro2-dev", "librust-quote-dev", "librust-syn-dev", "librust-unicode-ident-dev",
	"librust-anyhow-dev",
}

func rustLayer(m machine, debian *layer) *layer {
	return &layer{
		name:   "rust",
		below:  []*layer{debian},
		inputs: []string{recipe("rust.sh"), fmt.Sprint(rustCrates)},
		make: func(ctx context.Context, s *site) error {
			return s.apt(ctx, m, s.root, "", recipe("rust.sh"), rustCrates...)
		},
	}
}

var rustConfig = v1.Config{
	Env: []string{
		"PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"RUSTUP_HOME=/usr/local/rustup", "CARGO_HOME=/usr/local/cargo",
	},
	Cmd: []string{"bash"},
}
