package pgstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
)

// attemptRecord is an attempt as a line of a delivery's log has it. Its number is that of the line.
type attemptRecord struct {
	At       time.Time `json:"at"`
	Micros   int64     `json:"us"`
	Status   int       `json:"status,omitempty"`
	Error    string    `json:"error,omitempty"`
	Response []byte    `json:"response,omitempty"`
}

func attemptLine(a *store.Attempt) string {
	line, err := json.Marshal(attemptRecord{a.At.UTC(), a.Duration.Microseconds(), a.Status, plain(a.Error), a.Response})
	if err != nil { // a year that RFC 3339 does not have
		line = []byte("{}")
	}
	return string(line) + "\n"
}

// parseLog is the opposite of attemptLine, for a whole log.
func parseLog(log string) ([]store.Attempt, error) {
	var attempts []store.Attempt
	for line := range strings.Lines(log) {
		var r attemptRecord
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return nil, fmt.Errorf("%w: attempt %d: %v", store.ErrCorrupt, len(attempts)+1, err)
		}
		attempts = append(attempts, store.Attempt{
			Number:   len(attempts) + 1,
			At:       r.At,
			Duration: time.Duration(r.Micros) * time.Microsecond,
			Status:   r.Status,
			Error:    r.Error,
			Response: r.Response,
		})
	}
	return attempts, nil
}

// Attempts implements [store.History].
func (s *Store) Attempts(ctx context.Context, subscriptionID, eventID string) ([]store.Attempt, error) {
	attempts, err := s.attempts(ctx, subscriptionID, eventID)
	if err != nil {
		return nil, fmt.Errorf("pgstore: attempts: %w", err)
	}
	return attempts, nil
}

func (s *Store) attempts(ctx context.Context, subscriptionID, eventID string) ([]store.Attempt, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	var log string
	err := s.readRow(ctx, s.sql.attempts, subscriptionID, eventID)(&log)
	switch {
	case errors.Is(err, pgx.ErrNoRows), state(err) == invalidText:
		return nil, store.ErrNotFound
	case err != nil:
		return nil, err
	}
	return parseLog(log)
}
