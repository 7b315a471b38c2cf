// Command stagecraft-frontend is the program in the frontend image. BuildKit
// starts it and speaks the gateway protocol on its standard input and output.
// As a step of --call=size or --call=digests it looks at filesystems instead.
package main

import (
	"flag"
	"fmt"
	"os"
	"strconv"

	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	"github.com/moby/buildkit/util/appcontext"
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto" // a codec that copies less
	"github.com/stagecraft/stagecraft/frontend"
	"github.com/stagecraft/stagecraft/frontend/digests/listing"
	"github.com/stagecraft/stagecraft/frontend/size/measure"
	"github.com/stagecraft/stagecraft/frontend/size/walk"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == measure.ListArgument {
		count, err := strconv.Atoi(os.Args[2])
		if err == nil {
			err = listing.Run(walk.Root, count, walk.Out)
		}
		end(err)
		return
	}
	if len(os.Args) == 3 && os.Args[1] == measure.Argument {
		end(walk.Run(os.Args[2], walk.Places{Root: walk.Root, Below: walk.Below, Out: walk.Out}))
		return
	}
	version := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *version {
		fmt.Printf("stagecraft-frontend %s\n", frontend.Version)
		return
	}
	end(grpcclient.RunFromEnvironment(appcontext.Context(), frontend.Build))
}

// end says why the program failed, if it did, and ends it.
func end(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "stagecraft-frontend: %v\n", err)
		os.Exit(1)
	}
}
