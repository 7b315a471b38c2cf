package llbtest

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Order says which image the daemon answers about first. Of several mistakes
// in references docker/dockerfile reports the one that it hears of first, for
// it asks for all images at once.
type Order struct {
	// First is the image that is answered about at once; empty for none.
	First string
	// Wait is how long the others take, 0 for no time.
	Wait time.Duration
}

func (o Order) wait(ctx context.Context, ref string) error {
	if o.Wait == 0 || ref == o.First {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(o.Wait):
		return nil
	}
}

// Orders returns the request with the daemon's answers in every order that matters
// to which mistake docker/dockerfile reports: each image first, and what needs
// no answer before all images. The waits become longer, for a busy machine.
func Orders(ctx context.Context, r Request) []Request {
	first := append([]string{""}, r.images(ctx)...)
	var all []Request
	for _, wait := range []time.Duration{10 * time.Millisecond, 100 * time.Millisecond, time.Second} {
		for _, ref := range first {
			r.Order = Order{First: ref, Wait: wait}
			all = append(all, r)
		}
	}
	return all
}

// images returns those that docker/dockerfile asks for, though one is missing.
func (r *Request) images(ctx context.Context) []string {
	asked := *r
	asked.Order = Order{First: "none", Wait: 10 * time.Millisecond}
	f, err := asked.open(ctx)
	if err != nil {
		return nil
	}
	var refs []string
	for _, p := range f.platforms() {
		func() {
			defer func() { _ = recover() }() // a panic is an outcome, which is compared elsewhere
			var b Build
			_ = f.upstream(ctx, p, &b)
		}()
		for _, lookup := range f.gateway.Lookups() {
			ref, _, _ := strings.Cut(lookup, " ")
			refs = append(refs, ref)
		}
	}
	slices.Sort(refs)
	return slices.Compact(refs)
}
