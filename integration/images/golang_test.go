package images

var golangExpectations = []expectation{
	{
		ref:    "golang:1.22-alpine",
		config: `"WorkingDir":"/go"`,
		env:    []string{"GOPATH=/go", "GOTOOLCHAIN=local"},
		files:  []string{"usr/local/go/bin/go", "usr/local/go/src/go.mod", "go/src", "etc/ssl/certs/ca-certificates.crt"},
		run:    goBuild,
		want:   `^go version go1\.22\.\d+ linux/\w+\nbuilt with go1\.22\.\d+\n$`,
	},
	{
		ref:    "golang:alpine", // differs from the other only in its version
		config: `"WorkingDir":"/go"`,
		env:    []string{"GOPATH=/go", "GOTOOLCHAIN=local"},
		files:  []string{"usr/local/go/bin/go", "usr/local/go/pkg/tool/linux_amd64/compile", "usr/local/go/src/go.mod", "go/bin/", "etc/ssl/certs/ca-certificates.crt"},
	},
}

// goBuild downloads a module over the network and builds with it what needs few of Go's own packages.
const goBuild = `go version
mkdir /app && cd /app
printf 'module app\ngo 1.22\nrequire golang.org/x/exp v0.0.0-20240119083558-1b970713d09a\n' > go.mod
printf 'package main\nimport ("runtime"; "golang.org/x/exp/constraints")\nfunc id[T constraints.Integer](t T) T { return t }\nfunc main() { print("built with ", runtime.Version()[:id(len(runtime.Version()))], "\\n") }\n' > main.go
go mod tidy 2> /dev/null
go mod download
CGO_ENABLED=0 GOOS=linux GOARCH=amd64 go build -ldflags="-w -s" -o /app/server .
./server 2>&1`
