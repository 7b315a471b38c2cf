package integration

import (
	"os"
	"os/exec"
	"testing"
)

// Each mistake of make mutants can be planted in today's code; whether it is found takes minutes, and is make
// mutants' to tell.
func TestMutantsCanBePlanted(t *testing.T) {
	cmd := exec.Command("bash", "../llb/llbtest/mutants.sh")
	cmd.Env = append(os.Environ(), "ONLY_PLANT=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
