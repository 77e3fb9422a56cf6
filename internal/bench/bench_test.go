package main

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/outhook/outhook/internal/realservers"
)

// TestMain lets the test binary be the receiver's process, as the command is.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == receiverArg {
		exit(receive(os.Stdin, os.Stdout))
	}
	if len(os.Args) == 2 && os.Args[1] == hostileArg {
		exit(realservers.ServeHostile(os.Stdin, os.Stdout))
	}
	if isScenario(os.Args) {
		serveScenario(os.Args)
	}
	os.Exit(m.Run())
}

// TestShort runs every work once, small: nothing may be lost or doubled.
func TestShort(t *testing.T) {
	var out, progress bytes.Buffer
	if err := run(t.Context(), []string{"-short", "-dir", t.TempDir()}, &out, &progress); err != nil {
		t.Fatalf("%v\n%s", err, &progress)
	}
	for _, name := range []string{"N1 ", "N2 ", "N3 ", "N4 ", "N5 ", "N6 ", "N7 ", "N8 ", "N9 ",
		"N10 ", "N11 ", "N16 ", "N17 ", "disk ",
		"P1 ", "P2 ", "P3 ", "P4 ", "P5 ", "P6 ", "P7 ", "P8 ", "P9 ", "P11 ", "P12 "} {
		if !bytes.Contains(out.Bytes(), []byte("| "+name)) {
			t.Errorf("the table has no %s:\n%s", name, &out)
		}
	}
}

func TestLedger(t *testing.T) {
	for _, test := range []struct {
		name   string
		events []int // of path 0, which expects 0 and 1
		want   report
	}{
		{"all", []int{1, 0}, report{Arrived: 2}},
		{"one missing", []int{1}, report{Arrived: 1, Missing: 1}},
		{"one doubled", []int{0, 1, 0}, report{Arrived: 2, Doubled: 1}},
		{"one never sent", []int{0, 1, 2}, report{Arrived: 2, Strangers: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLedger(expectation{Paths: 1, Events: 2})
			for _, event := range test.events {
				l.note(0, event, time.Now(), true)
			}
			got := l.result()
			if got.Arrived != test.want.Arrived || got.Missing != test.want.Missing ||
				got.Doubled != test.want.Doubled || got.Strangers != test.want.Strangers {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if (got.err() == nil) != (test.name == "all") {
				t.Errorf("got error %v", got.err())
			}
		})
	}
}
