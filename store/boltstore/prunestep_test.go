package boltstore

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
)

// TestStepOvertaken has a step of Prune end when another has ended the round and a third has begun
// the next.
func TestStepOvertaken(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "hooks.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	r := store.Retention{Delivered: 1, Failed: 1}
	step := func() *memory.PlannedWalk {
		t.Helper()
		w := s.pruner.plannedWalk(r)
		if err := s.db.Read(context.Background(), w.Read); err != nil {
			t.Fatal(err)
		}
		return w
	}
	slow, quick := step(), step()
	s.db.Memory.EndWalk(quick)
	s.db.Lock()
	s.db.Memory.Apply(&effect.DeliveryChanged{Change: pending.Change{
		ID: pending.ID{Num: 1, Seq: 7}, Delivered: true, FinishedAt: 1,
	}})
	s.db.Unlock()
	next := s.pruner.plannedWalk(r)
	s.db.Memory.EndWalk(slow)
	if len(next.Stretches) != 1 || len(s.db.Memory.Maintenance.Stretches) != 1 {
		t.Errorf("the next round is %v, and after the slow step %v, want one stretch", next.Round,
			s.db.Memory.Maintenance.Stretches)
	}
	if err := s.db.Read(context.Background(), next.Read); err != nil {
		t.Fatal(err)
	}
	if more := s.db.Memory.EndWalk(next); more ||
		len(s.db.Memory.Maintenance.Stretches) != 0 {
		t.Errorf("after the round: more is %v, the round is %v", more,
			s.db.Memory.Maintenance.Stretches)
	}
}
