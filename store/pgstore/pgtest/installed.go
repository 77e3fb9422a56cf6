package pgtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// EnvBin is the variable that names folders of PostgreSQL's programs, separated as those of PATH
// are. Start takes the first.
const EnvBin = "OUTHOOK_TEST_POSTGRES_BIN"

// Installation is an installed version of PostgreSQL.
type Installation struct {
	Major int
	Bin   string // the folder of its programs
}

// Installed returns what is installed: first what EnvBin names, in that order, then what is in PATH
// and in /usr/lib/postgresql, the newest first. It returns an error if a folder of EnvBin has no
// initdb that runs.
func Installed(ctx context.Context) (all []Installation, err error) {
	for _, bin := range filepath.SplitList(os.Getenv(EnvBin)) {
		major, err := majorOf(ctx, bin)
		if err != nil {
			return nil, fmt.Errorf("pgtest: %s: %w", EnvBin, err)
		}
		all = append(all, Installation{major, bin})
	}
	var found []Installation
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is right
	if path, err := exec.LookPath("initdb"); err == nil {
		bins = append(bins, filepath.Dir(path))
	}
	for _, bin := range bins {
		// Some versions are there without their servers.
		if major, err := majorOf(ctx, bin); err == nil {
			found = append(found, Installation{major, bin})
		}
	}
	slices.SortStableFunc(found, func(a, b Installation) int { return b.Major - a.Major })
	return append(all, found...), nil
}

// majorOf returns the version of the initdb in a folder.
func majorOf(ctx context.Context, bin string) (int, error) {
	initdb := filepath.Join(bin, "initdb")
	out, err := exec.CommandContext(ctx, initdb, "--version").Output()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", initdb, err)
	}
	// "initdb (PostgreSQL) 15.14 (Debian …)", or "19beta1" in place of the number.
	_, version, _ := strings.Cut(string(out), ") ")
	end := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' })
	major, err := strconv.Atoi(version[:max(end, 0)])
	if err != nil {
		return 0, fmt.Errorf("%s: its version is %q", initdb, out)
	}
	return major, nil
}

// binaries returns the folder of the programs that Start takes.
func binaries(ctx context.Context) (string, error) {
	all, err := Installed(ctx)
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", ErrNotInstalled
	}
	return all[0].Bin, nil
}
