package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/outhook/outhook/internal/bench/receiver"
	"github.com/outhook/outhook/internal/realservers"
)

// TestMain lets the test binary be the receiver's process, as the command is.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == receiver.Arg {
		exit(receiver.Serve(os.Stdin, os.Stdout))
	}
	if len(os.Args) == 2 && os.Args[1] == hostileArg {
		exit(realservers.ServeHostile(os.Stdin, os.Stdout))
	}
	if isScenario(os.Args) {
		serveScenario(os.Args)
	}
	os.Exit(m.Run())
}

// TestDraw draws the pictures, of small works.
func TestDraw(t *testing.T) {
	folder := t.TempDir()
	var out, progress bytes.Buffer
	args := []string{"-short", "-dir", t.TempDir(), "-draw", folder}
	if err := run(t.Context(), args, &out, &progress); err != nil {
		t.Fatalf("%v\n%s", err, &progress)
	}
	for name, want := range map[string]string{
		"event": "the outcome waits for others", "latency": "raw: p50", "growth": "3,000 subscriptions",
	} {
		svg, err := os.ReadFile(filepath.Join(folder, name+".svg"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(svg, []byte(want)) {
			t.Errorf("%s does not say %q:\n%s", name, want, svg)
		}
	}
}

// TestShort runs the works once, small: nothing may be lost or doubled. Of those that the tests of
// packages outcomes and realservers run too, it runs one.
func TestShort(t *testing.T) {
	var out, progress bytes.Buffer
	args := []string{"-short", "-only", "N,disk,P1,P11", "-dir", t.TempDir()}
	if err := run(t.Context(), args, &out, &progress); err != nil {
		t.Fatalf("%v\n%s", err, &progress)
	}
	for _, name := range []string{"N1 ", "N2 ", "N3 ", "N4 ", "N5 ", "N6 ", "N7 ", "N8 ", "N9 ",
		"N10 ", "N11 ", "N16 ", "N17 ", "N18 ", "disk ",
		"P1 ", "P11 "} {
		if !bytes.Contains(out.Bytes(), []byte("| "+name)) {
			t.Errorf("the table has no %s:\n%s", name, &out)
		}
	}
}
