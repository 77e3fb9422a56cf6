package nettest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// InChild runs the test that calls it in a process of its own with additions to the environment,
// and reports whether this is that process: if not, the test is over.
func InChild(t *testing.T, env ...string) bool {
	t.Helper()
	const mark = "OUTHOOK_TEST_CHILD"
	if os.Getenv(mark) == t.Name() {
		return true
	}
	cmd := exec.CommandContext(
		t.Context(),
		os.Args[0],
		"-test.run=^"+t.Name()+"$",
		"-test.count=1",
		"-test.v",
	)
	cmd.Env = append(os.Environ(), append(env, mark+"="+t.Name())...)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("in a process of its own: %v\n%s", err, out)
	}
	return false
}
