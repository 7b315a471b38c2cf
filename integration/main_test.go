// Package integration tests the frontend from outside: real builds through the real clients and
// engines, with the frontend image that this checkout makes.
package integration

import (
	"os"
	"testing"

	"github.com/stagecraft/stagecraft/integration/sandbox"
)

func TestMain(m *testing.M) { os.Exit(sandbox.Main(m)) }
