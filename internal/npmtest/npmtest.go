// Package npmtest installs programs of Node for a test.
package npmtest

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// unreachable matches what npm says when it can't reach its registry.
var unreachable = regexp.MustCompile(
	`ENOTFOUND|ECONN|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|EPROTO|CERT|ERR_SOCKET|\bE[45]\d\d\b|network`,
)

// Install runs npm with args in a folder, and returns the path of node. No script of what it
// installs is run. Without node or npm the test is skipped, and fails in CI, which must have them.
// A registry that can't be reached from here skips it there too, as it is no tool that somebody
// could install.
func Install(t *testing.T, dir string, args ...string) (node string) {
	t.Helper()
	npm, node := tool(t, "npm"), tool(t, "node")
	cmd := exec.CommandContext(t.Context(), npm,
		append(args, "--ignore-scripts", "--no-audit", "--no-fund")...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		if inCI() && !unreachable.Match(out) {
			t.Fatalf("npm %v, and OUTHOOK_CI is set: %v\n%s", args, err, out)
		}
		t.Skipf("npm %v: %v\n%s", args, err, out)
	}
	return node
}

// Node returns the path of node. Without it the test is skipped, and fails in CI.
func Node(t *testing.T) string {
	t.Helper()
	return tool(t, "node")
}

// tool returns the path of a program.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
	case inCI():
		t.Fatalf("%s is not installed, and OUTHOOK_CI is set", name)
	default:
		t.Skipf("%s is not installed", name)
	}
	return path
}

func inCI() bool { return os.Getenv("OUTHOOK_CI") != "" }
