// Command stagecraft-frontend is the program in the frontend image. BuildKit
// starts it and speaks the gateway protocol on its standard input and output.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	"github.com/moby/buildkit/util/appcontext"
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto" // a codec that copies less
	"github.com/stagecraft/stagecraft/frontend"
)

func main() {
	version := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *version {
		fmt.Printf("stagecraft-frontend %s\n", frontend.Version)
		return
	}
	if err := grpcclient.RunFromEnvironment(appcontext.Context(), frontend.Build); err != nil {
		fmt.Fprintf(os.Stderr, "stagecraft-frontend: %v\n", err)
		os.Exit(1)
	}
}
