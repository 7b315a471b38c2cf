package images

var debianExpectations = []expectation{
	{
		ref:    "debian:12-slim",
		config: `"Cmd":\["bash"\]`,
		files:  []string{"bin/bash", "usr/bin/apt-get", "usr/share/keyrings/debian-archive-keyring.gpg"},
		run: `apt-get -q update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
			useradd -r -s /bin/false appuser && id appuser && grep -c BEGIN /etc/ssl/certs/ca-certificates.crt`,
		want: `uid=\d+\(appuser\)[^\n]*\n\d{2,}\n$`,
	},
}
