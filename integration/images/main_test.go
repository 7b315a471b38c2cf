package images

import (
	"os"
	"testing"

	"github.com/stagecraft/stagecraft/integration/tools"
)

// TestMain has the tests end when what started them ends.
func TestMain(m *testing.M) {
	tools.EndWithParent()
	os.Exit(m.Run())
}
