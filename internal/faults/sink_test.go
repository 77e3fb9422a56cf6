package faults_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// sink is what has come out somewhere.
type sink struct {
	mu    sync.Mutex
	parts []string
}

func (s *sink) add(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts = append(s.parts, fmt.Sprintf(format, args...))
}

// Write implements io.Writer, for a log.
func (s *sink) Write(p []byte) (int, error) {
	s.add("%s", p)
	return len(p), nil
}

func (s *sink) contains(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.parts {
		if strings.Contains(p, text) {
			return true
		}
	}
	return false
}

// await waits until a text has come out.
func (s *sink) await(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !s.contains(text); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come within %v", text, patience)
		}
	}
}

func (s *sink) wantNo(t *testing.T, canary string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.parts {
		if strings.Contains(p, canary) {
			t.Errorf("%s is in %.300q", canary, p)
		}
	}
}
