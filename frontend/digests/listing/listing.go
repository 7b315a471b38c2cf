// Package listing lists what is in folders, with digests. It runs inside the daemon, as package walk of size does.
package listing

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/stagecraft/stagecraft/frontend/digests"
	"github.com/stagecraft/stagecraft/frontend/size/walk"
)

// Run lists what is mounted below root under the numbers from 0 up to count, and writes each list as JSON into a file
// below out; see [File].
func Run(root string, count int, out string) error {
	for number := range count {
		files, err := list(walk.Mount(root, number))
		if err != nil {
			return err
		}
		data, err := json.Marshal(files)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(out, digests.ListFile(number)), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
