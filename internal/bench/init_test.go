package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestImportsAreCheap holds every package of the library, which this command all imports, to little
// memory before main begins. What a package makes then stays, and each garbage collection of a host
// looks at it, whether or not the host uses it: templates that were parsed so cost deliveries one
// part in twenty.
func TestImportsAreCheap(t *testing.T) {
	const most = 64 << 10 // bytes of one package
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^$")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	var trace bytes.Buffer
	cmd.Stderr = &trace
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	packages := 0
	for lines := bufio.NewScanner(&trace); lines.Scan(); {
		// init internal/bytealg @0.008 ms, 0 ms clock, 0 bytes, 0 allocs
		var name string
		var at, clock float64
		var size, allocs int
		_, err := fmt.Sscanf(lines.Text(), "init %s @%f ms, %f ms clock, %d bytes, %d allocs",
			&name, &at, &clock, &size, &allocs)
		if err != nil || !strings.HasPrefix(name, "github.com/outhook/outhook/") {
			continue
		}
		packages++
		if size > most {
			t.Errorf("%s makes %d bytes in %d pieces when it is imported, want at most %d",
				name, size, allocs, most)
		}
	}
	if packages == 0 {
		t.Fatalf("no package of the library was traced:\n%s", &trace)
	}
}
