package sandbox

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/stagecraft/stagecraft/integration/tools"
)

var shared struct {
	sync.Mutex
	byName map[string]*Sandbox
	errs   map[string]error
}

// Shared returns the sandbox of this name, which all tests of a test binary have in common; the first
// call starts it with its options. Main closes it. Where the test fails, what the engines logged since
// this call is shown; with parallel tests, that of others is among it.
func Shared(tb testing.TB, name string, opts ...Option) *Sandbox {
	tb.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.byName == nil {
		shared.byName, shared.errs = map[string]*Sandbox{}, map[string]error{}
	}
	// A sandbox that could not start once would make every test wait for the same failure.
	if err := shared.errs[name]; err != nil {
		tb.Fatalf("the shared sandbox %s could not start: %v", name, err)
	}
	s := shared.byName[name]
	if s == nil {
		var err error
		if s, err = Start(tb.Context(), opts...); err != nil {
			shared.errs[name] = err
			tb.Fatalf("starting the shared sandbox %s: %v", name, err)
		}
		shared.byName[name] = s
	}
	before := s.logLengths()
	tb.Cleanup(func() {
		if log := s.logsSince(before); tb.Failed() && log != "" {
			tb.Log(log)
		}
	})
	return s
}

// Main runs a test binary's tests and closes its shared sandboxes; the tests end when what started them ends.
// It returns the exit status:
//
//	func TestMain(m *testing.M) { os.Exit(sandbox.Main(m)) }
func Main(m *testing.M) int {
	tools.EndWithParent()
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	for name, s := range shared.byName {
		if err := s.Close(); err != nil {
			fmt.Fprintf(os.Stderr, "closing the shared sandbox %s: %v\n", name, err)
			code = max(code, 1)
		}
	}
	return code
}
