package crash

import (
	"errors"
	"strings"
	"testing"
)

//go:noinline
func index(list []string, at int) string { return list[at] }

//go:noinline
func nested(secret string, depth int) string {
	if depth == 0 {
		return index([]string{secret}, 7)
	}
	return nested(secret, depth-1)
}

// The stack of a panic begins where it was, tells functions and lines, no
// values, and is not too long to be read.
func TestGuard(t *testing.T) {
	_, err := Guard(func() (string, error) { return nested("hunter2", 100), nil })
	var crashed *Error
	if !errors.As(err, &crashed) {
		t.Fatalf("no crash: %v", err)
	}
	if want := "runtime error: index out of range [7] with length 1"; err.Error() != want {
		t.Errorf("it says %q, want %q", err, want)
	}
	lines := strings.Split(strings.TrimSuffix(crashed.Stack, "\n"), "\n")
	if !strings.HasPrefix(lines[0], "llb/crash.index (crash_test.go:") || !strings.HasPrefix(lines[1], "llb/crash.nested (crash_test.go:") {
		t.Errorf("it begins with %q", lines[:2])
	}
	if len(lines) != depth || strings.Contains(crashed.Stack, "hunter2") || strings.Contains(crashed.Stack, "0x") || strings.Contains(crashed.Stack, "/crash_test.go") {
		t.Errorf("%d lines:\n%s", len(lines), crashed.Stack)
	}
}

func TestGuardWithoutPanic(t *testing.T) {
	if v, err := Guard(func() (int, error) { return 3, nil }); v != 3 || err != nil {
		t.Errorf("%d, %v", v, err)
	}
	failed := errors.New("failed")
	if _, err := Guard(func() (int, error) { return 0, failed }); err != failed {
		t.Errorf("%v, want %v", err, failed)
	}
}

// A panic in a deferred function, while another panic is under way, hides
// neither where the first one was nor that there was one.
func TestGuardTwoPanics(t *testing.T) {
	_, err := Guard(func() (string, error) {
		defer panic("the second")
		return nested("", 0), nil
	})
	var crashed *Error
	if !errors.As(err, &crashed) || !strings.Contains(crashed.Stack, "llb/crash.index (") {
		t.Errorf("%v:\n%s", err, crashed.Stack)
	}
}
