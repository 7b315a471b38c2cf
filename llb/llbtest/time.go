package llbtest

import (
	"context"
	"fmt"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	compiler "github.com/stagecraft/stagecraft/llb"
)

// Time compiles a request with both compilers, from the text to the bytes of
// the definition, and says how long each took. What both share (the client's
// options, reading the file) is not counted. A panic is an error: there are
// files in the corpus on which upstream's compiler has one.
func Time(ctx context.Context, r Request) (upstream, ours time.Duration, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	f, err := r.open(ctx)
	if err != nil {
		return 0, 0, err
	}
	p := f.platforms()[0]

	start := time.Now()
	up, err := dockerfile2llb.Dockerfile2LLB(ctx, f.source.Data, f.convertOpt(p))
	if err == nil {
		_, err = marshal(ctx, up.State)
	}
	if err != nil {
		return 0, 0, err
	}
	upstream = time.Since(start)

	start = time.Now()
	res, err := compiler.Compile(ctx, f.request(p))
	if err == nil {
		_, err = marshal(ctx, res.State)
	}
	return upstream, time.Since(start), err
}
