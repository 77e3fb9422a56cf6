package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/internal/bench/plain"
)

// TestMain lets the test binary be the command's other processes, which know the peers of the tests
// too.
func TestMain(m *testing.M) {
	for _, p := range peers {
		all = append(all, p.key)
	}
	peers = append(peers, badPeers...)
	beChild(os.Args)
	os.Exit(m.Run())
}

// all are the keys of the command's own peers.
var all []string

// badPeers are raw with something wrong.
var badPeers = []peer{
	{key: "forgets", name: "one that forgets", open: bad(func(s *badSystem) { s.forgets = true })},
	{key: "repeats", name: "one that repeats", open: bad(func(s *badSystem) { s.repeats = true })},
	{key: "unsigned", name: "one that forges", open: bad(func(s *badSystem) { s.unsigned = true })},
	{key: "unsettled", name: "never done", open: bad(func(s *badSystem) { s.unsettled = true })},
	{key: "fails", name: "one that fails", open: func(context.Context, *job) (system, error) {
		return nil, fmt.Errorf("it does not open")
	}},
}

// badSystem does something wrong with one event of each work.
type badSystem struct {
	rawSystem
	forgets, repeats, unsigned, unsettled bool
}

// special is that event. Warming up does not get as far, and the receiver verifies its signature.
const special = 320

func bad(set func(*badSystem)) func(context.Context, *job) (system, error) {
	return func(_ context.Context, j *job) (system, error) {
		s := &badSystem{rawSystem: rawSystem{plain.NewClient(), j.hook()}}
		set(s)
		return s, nil
	}
}

func (s *badSystem) publish(ctx context.Context, first, last int) error {
	if first != special {
		return s.rawSystem.publish(ctx, first, last)
	}
	switch {
	case s.forgets:
		return nil
	case s.repeats:
		if err := s.rawSystem.publish(ctx, first, last); err != nil {
			return err
		}
	case s.unsigned:
		body := plain.Body(special, time.Now())
		req, err := plain.NewRequest(ctx, s.url, "another", body)
		if err != nil {
			return err
		}
		req.Header.Set("Webhook-Id", plain.ID(special))
		res, err := s.client.Do(req)
		if err != nil {
			return err
		}
		return res.Body.Close()
	}
	return s.rawSystem.publish(ctx, first, last)
}

func (s *badSystem) pending(context.Context) (int, error) {
	if s.unsettled {
		return 3, nil
	}
	return 0, nil
}

// short runs the command with works of some hundred events, and returns what it prints.
func short(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	var printed, progress bytes.Buffer
	err = command(t.Context(), append([]string{"-short", "-docs", t.TempDir()}, args...), &printed,
		&progress)
	t.Logf("%s", &progress)
	return printed.String(), err
}

// row returns the line of a table that begins with a name, in which a version may stand.
func row(t *testing.T, table, name string) string {
	t.Helper()
	begin, end, _ := strings.Cut(name, ",")
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "| "+begin) && strings.Contains(line, end) {
			return line
		}
	}
	t.Fatalf("the table has no %s:\n%s", name, table)
	return ""
}

// TestShort has every peer whose server is installed do every work once, small: nothing may be
// lost, and all must be recorded as done.
func TestShort(t *testing.T) {
	table, err := short(t, "-only", strings.Join(all, ","))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range all {
		t.Run(key, func(t *testing.T) {
			p, err := find(key)
			if err != nil {
				t.Fatal(err)
			}
			line := row(t, table, p.name)
			if _, missing, ok := strings.Cut(line, "not run: "); ok {
				missing, _, _ = strings.Cut(missing, " |")
				if os.Getenv("OUTHOOK_CI") != "" {
					t.Fatalf("%s, and OUTHOOK_CI is set", missing)
				}
				t.Skip(missing)
			}
			if !strings.HasSuffix(strings.TrimSpace(line), "| 0 | 0 |") || strings.Contains(line, "failed") {
				t.Errorf("got %s", line)
			}
		})
	}
}

// TestWhatGoesWrong checks that the run fails by name when a peer does, and tells the figures of
// the others.
func TestWhatGoesWrong(t *testing.T) {
	for _, tt := range []struct {
		key, want string // of the error; "" for none
		end       string // of the row
	}{
		{"forgets", "of 400 events 1 were lost, 0 badly signed", "| 2 | 0 |"},
		{"repeats", "", "| 0 | 2 |"},
		{"unsigned", "of 400 events 0 were lost, 1 badly signed", "| 0 | 0 |"},
		{"unsettled", "3 were not recorded as done", "| 0 | 0 |"},
		{"fails", "its process", "| 0 | 0 |"},
	} {
		t.Run(tt.key, func(t *testing.T) {
			t.Parallel()
			patience := time.Minute // of what arrives
			if tt.key == "forgets" || tt.key == "unsettled" {
				patience = 2 * time.Second
			}
			table, err := short(t, "-only", tt.key, "-patience", patience.String())
			p, _ := find(tt.key)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) ||
				!strings.Contains(err.Error(), p.name)):
				t.Errorf("got %v, want an error of %s with %q", err, p.name, tt.want)
			}
			if got := strings.TrimSpace(row(t, table, p.name)); !strings.HasSuffix(got, tt.end) {
				t.Errorf("the row is %s, want %s at the end", got, tt.end)
			}
			if !strings.Contains(row(t, table, "raw net/http"), "1.00") {
				t.Errorf("raw's figures are not there:\n%s", table)
			}
		})
	}
}

// TestMissingServer checks that peers are skipped by name when their server is not installed.
func TestMissingServer(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	table, err := short(t, "-only", "asynq,asynqsec")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"asynq, fsync always", "asynq, fsync each second"} {
		if got := row(t, table, name); !strings.Contains(got, "not run: redis-server is not installed") {
			t.Errorf("got %s", got)
		}
	}
}

// TestFlags checks what the command refuses.
func TestFlags(t *testing.T) {
	for _, args := range [][]string{
		{"-only", "river,rivr"}, {"-rounds", "0"}, {"-rate", "0"}, {"-for", "0s"}, {"more"}, {"-x"},
	} {
		var out, progress bytes.Buffer
		if err := command(t.Context(), args, &out, &progress); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
	var out, progress bytes.Buffer
	if err := command(t.Context(), []string{"-list"}, &out, &progress); err != nil {
		t.Fatal(err)
	}
	for _, key := range all {
		if !strings.Contains(out.String(), key+" ") {
			t.Errorf("-list does not name %s", key)
		}
	}
}
