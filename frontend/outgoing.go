package frontend

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/util/grpcerrors"
	"github.com/stagecraft/stagecraft/frontend/outgoing"
	"github.com/stagecraft/stagecraft/llb/crash"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// outgoingError returns err as the client sees it: what an option is for that
// the daemon is too old for, where a panic was, and text that can be sent and
// shown. opts are the build options. Where the cause is an error of the
// daemon, BuildKit would send the text of that on, without what was wrapped
// around it; the client sees all of the text.
func outgoingError(err error, opts map[string]string) error {
	if err == nil {
		return nil
	}
	err = nameUse(err)
	return &whole{error: err, text: errorText(err, opts)}
}

// maxError is how many bytes of an error's text are sent. A Dockerfile may
// have lines of megabytes, which errors quote.
const maxError = 16 << 10

// errorText returns the text of an error for the client.
func errorText(err error, opts map[string]string) string {
	text := err.Error()
	crashed := new(crash.Error)
	if !errors.As(err, &crashed) {
		return cut(outgoing.Text(text))
	}
	// What panics may quote anything.
	for _, key := range slices.Sorted(maps.Keys(opts)) {
		if value := opts[key]; strings.HasPrefix(key, "build-arg:") && len(value) > 1 {
			text = strings.ReplaceAll(text, value, "$"+strings.TrimPrefix(key, "build-arg:"))
		}
	}
	return cut(outgoing.Text(text)) + "\nThis is a mistake of stagecraft " + Version + ". Please report it with these lines:\n" +
		"  " + strings.ReplaceAll(strings.TrimSpace(crashed.Stack), "\n", "\n  ")
}

// cut leaves out the middle of a long text.
func cut(text string) string {
	if len(text) <= maxError {
		return text
	}
	const half = maxError/2 - 8
	return strings.ToValidUTF8(text[:half], "") + " […] " + strings.ToValidUTF8(text[len(text)-half:], "")
}

// whole is an error with the text that is sent.
type whole struct {
	error
	text string
}

func (e *whole) Error() string { return e.text }
func (e *whole) Unwrap() error { return e.error }

// GRPCStatus returns the status of the cause with the whole text.
func (e *whole) GRPCStatus() *status.Status {
	st, ok := grpcerrors.AsGRPCStatus(e.error)
	if !ok || st == nil {
		st = status.New(grpcerrors.Code(e.error), "")
	}
	p := st.Proto()
	p.Message = e.text
	if codes.Code(p.Code) == codes.OK {
		p.Code = int32(codes.Unknown)
	}
	return status.FromProto(p)
}
