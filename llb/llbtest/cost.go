package llbtest

import (
	"context"
	"fmt"
	"runtime"
	"syscall"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	compiler "github.com/stagecraft/stagecraft/llb"
)

// Cost is what a compilation takes. CPU is the time of all threads, so that
// what else the machine does counts little.
type Cost struct {
	CPU           time.Duration
	Bytes, Allocs float64
}

// Compiler compiles a request, from the text to the bytes of the definition.
// What both compilers share, the client's options and reading the file, is
// done before and not measured.
type Compiler func(ctx context.Context, r Request) (run func() error, err error)

// CompileUpstream is docker/dockerfile's compiler.
func CompileUpstream(ctx context.Context, r Request) (func() error, error) {
	f, err := r.open(ctx)
	if err != nil {
		return nil, err
	}
	p := f.platforms()[0]
	return func() error {
		res, err := dockerfile2llb.Dockerfile2LLB(ctx, f.source.Data, f.convertOpt(p))
		if err == nil {
			_, err = marshal(ctx, res.State)
		}
		return err
	}, nil
}

// CompileOurs is this repository's compiler.
func CompileOurs(ctx context.Context, r Request) (func() error, error) {
	f, err := r.open(ctx)
	if err != nil {
		return nil, err
	}
	p := f.platforms()[0]
	return func() error {
		res, err := compiler.Compile(ctx, f.request(p))
		if err == nil {
			_, err = marshal(ctx, res.State)
		}
		return err
	}, nil
}

// Measure returns the cost of one of some compilations of a request. A panic
// is an error: there are files on which upstream's compiler has one.
func Measure(ctx context.Context, compile Compiler, r Request, times int) (c Cost, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	run, err := compile(ctx, r)
	if err != nil {
		return Cost{}, err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began, err := cpuTime()
	for i := 0; err == nil && i < times; i++ {
		err = run()
	}
	if err != nil {
		return Cost{}, err
	}
	ended, err := cpuTime()
	runtime.ReadMemStats(&after)
	n := float64(times)
	return Cost{
		CPU:    (ended - began) / time.Duration(times),
		Bytes:  float64(after.TotalAlloc-before.TotalAlloc) / n,
		Allocs: float64(after.Mallocs-before.Mallocs) / n,
	}, err
}

// cpuTime returns what this process has used so far.
func cpuTime() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
