// Package crash makes errors of panics, so that none ends the process and
// each can be reported. A goroutine that is not guarded ends everything when
// it panics, whoever recovers elsewhere: each one in llb and frontend defers
// [Recover], or runs what it is for in [Guard].
package crash

import (
	"fmt"
	"path"
	"runtime"
	"strings"
)

// Error is a panic.
type Error struct {
	// Value is what the panic said. It may be about anything, such as values
	// of the Dockerfile.
	Value string
	// Stack is where it was, innermost call first, a line each: functions,
	// files and lines of source, but no values and no paths of a machine.
	Stack string
}

func (e *Error) Error() string { return e.Value }

// Recover makes an error of a panic in the function that defers it.
func Recover(err *error) {
	if r := recover(); r != nil {
		*err = &Error{Value: fmt.Sprint(r), Stack: stack()}
	}
}

// Guard returns what f returns, and an error where it panics.
func Guard[T any](f func() (T, error)) (_ T, err error) {
	defer Recover(&err)
	return f()
}

// depth is how many calls of a stack are told.
const depth = 20

// stack returns the calls that led to the panic that is being recovered from.
func stack() string {
	pcs := make([]uintptr, 200)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
	var calls []string
	panicked := false
	for {
		frame, more := frames.Next()
		switch {
		case frame.Function == "runtime.gopanic":
			// Of a panic while another one was under way, the first counts.
			panicked, calls = true, nil
		case panicked && !(len(calls) == 0 && strings.HasPrefix(frame.Function, "runtime.")):
			function := strings.TrimPrefix(frame.Function, "github.com/stagecraft/stagecraft/")
			calls = append(calls, fmt.Sprintf("%s (%s:%d)\n", function, path.Base(frame.File), frame.Line))
		}
		if !more {
			break
		}
	}
	return strings.Join(calls[:min(len(calls), depth)], "")
}
