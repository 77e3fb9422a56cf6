// Command versions runs the tests of pgstore in their long versions on each major version of
// PostgreSQL that is supported: the oldest, a middle one and the newest.
//
//	go run ./internal/versions                  # in store/pgstore; about an hour a version
//	go run ./internal/versions -run TestStore   # only these tests
//	go run ./internal/versions -short           # the short versions of the tests
//	go run ./internal/versions -on 13           # only one version
//	go run ./internal/versions -v               # each test as it runs
//
// It finds the servers in /usr/lib/postgresql, where Debian has them, and in the folders that
// OUTHOOK_TEST_POSTGRES_BIN names, separated as those of PATH are. It fails if a test does, and at
// the end if a version is not installed, which it names.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"

	"github.com/outhook/outhook/internal/progress"
	"github.com/outhook/outhook/store/pgstore/pgtest"
)

// supported are the major versions that the tests must pass on.
var supported = []int{13, 15, 18}

var (
	only  = flag.String("run", "", "only tests whose names match, as go test has it")
	short = flag.Bool("short", false, "the short versions of the tests")
	on    = flag.Int("on", 0, "only this version, such as 13")
	each  = flag.Bool("v", false, "say each test as it runs")
)

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "versions:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	installed, err := pgtest.Installed(ctx)
	if err != nil {
		return err
	}
	if *on != 0 {
		if !slices.Contains(supported, *on) {
			return fmt.Errorf("-on has %d; give one of %v", *on, supported)
		}
		supported = []int{*on}
	}
	for n, version := range supported {
		i := slices.IndexFunc(installed, func(p pgtest.Installation) bool { return p.Major == version })
		if i < 0 {
			err = errors.Join(err, fmt.Errorf("PostgreSQL %d is not installed; install the package "+
				"postgresql-%[1]d, or name the folder of its initdb in %s", version, pgtest.EnvBin))
			continue
		}
		fmt.Printf("== PostgreSQL %d, in %s\n", version, installed[i].Bin)
		line := progress.New(os.Stderr)
		stop := line.Watch("PostgreSQL %d, %d of %d", version, n+1, len(supported))
		failed := test(ctx, installed[i].Bin, line)
		stop()
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("PostgreSQL %d: %w", version, failed))
		}
	}
	return err
}

// test runs the tests on the servers of a folder. The packages of the rooms have no long versions.
func test(ctx context.Context, bin string, line *progress.Line) (err error) {
	for _, packages := range []string{".", "./internal/..."} {
		cmd := exec.CommandContext(ctx, "go", "test", "-timeout", "4h", "-count", "1", "-run", *only,
			fmt.Sprintf("-v=%t", *each), packages)
		cmd.Env = append(os.Environ(), pgtest.EnvBin+"="+bin, "OUTHOOK_TEST_POSTGRES=")
		if !*short {
			cmd.Env = append(cmd.Env, "OUTHOOK_LONG=1")
		}
		cmd.Stdout, cmd.Stderr = line.Before(os.Stdout), line.Before(os.Stderr)
		err = errors.Join(err, cmd.Run())
	}
	return err
}
