package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Freeze stops all processes of the server where they are, as a machine that hangs: connections
// stay open, and nothing is answered. It works on Linux only.
func (s *Server) Freeze() error { return s.signal(syscall.SIGSTOP) }

// Thaw lets them go on.
func (s *Server) Thaw() error { return s.signal(syscall.SIGCONT) }

// Kill ends all processes of the server at once, as a machine that loses its power: nothing is
// written or said any more. It returns when they have ended; Start starts it again. It works on
// Linux only.
func (s *Server) Kill(ctx context.Context) error {
	postmaster, err := s.postmaster()
	if err != nil {
		return err
	}
	// Stopped first, so that it starts no other that would not be found.
	if err := syscall.Kill(postmaster, syscall.SIGSTOP); err != nil {
		return fmt.Errorf("pgtest: kill: %w", err)
	}
	pids := append(children(postmaster), postmaster)
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("pgtest: kill: %w", err)
		}
	}
	// While one of them has the shared memory, the server does not start again.
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for slices.ContainsFunc(pids, isRunning) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("pgtest: kill: %w", ctx.Err())
		}
	}
	// Where nobody waits for orphans their numbers stay in use, and the file would say that the
	// server still runs.
	return os.Remove(filepath.Join(s.data(), "postmaster.pid"))
}

// postmaster returns the process that is the parent of all others.
func (s *Server) postmaster() (pid int, err error) {
	text, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return 0, fmt.Errorf("pgtest: %w", err)
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	if pid, err = strconv.Atoi(string(first)); err != nil {
		return 0, fmt.Errorf("pgtest: postmaster.pid: %w", err)
	}
	return pid, nil
}

func (s *Server) signal(sig syscall.Signal) error {
	postmaster, err := s.postmaster()
	if err != nil {
		return err
	}
	// The postmaster first, so that it starts no other.
	errs := []error{syscall.Kill(postmaster, sig)}
	for _, pid := range children(postmaster) {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// children returns the processes that have this parent.
func children(parent int) (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is right
	for _, name := range stats {
		if _, ppid := readStat(name); ppid != strconv.Itoa(parent) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// isRunning reports whether a process has not ended. One that nobody has waited for has.
func isRunning(pid int) bool {
	state, _ := readStat(fmt.Sprintf("/proc/%d/stat", pid))
	return state != "" && state != "Z" && state != "X"
}

// readStat returns the state of a process and its parent; empty if it is gone.
func readStat(name string) (state, parent string) {
	text, err := os.ReadFile(name)
	if err != nil {
		return "", ""
	}
	// "pid (command) state ppid …"; a command may have spaces and parentheses.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 2 {
		return "", ""
	}
	return fields[0], fields[1]
}
