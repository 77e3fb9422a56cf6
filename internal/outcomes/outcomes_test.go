package outcomes_test

import (
	"path/filepath"
	"testing"

	"github.com/outhook/outhook/internal/outcomes"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
	"github.com/outhook/outhook/store/memstore"
)

// Each scenario, in its short form, keeps its bounds on each store.
func TestOutcomes(t *testing.T) {
	for _, s := range outcomes.All() {
		t.Run(s.Name+" "+s.Situation, func(t *testing.T) {
			t.Parallel()
			t.Run("memstore", func(t *testing.T) {
				t.Parallel()
				check(t, s, func(*testing.T) store.Store { return memstore.New() })
			})
			t.Run("boltstore", func(t *testing.T) {
				if testing.Short() {
					t.Skip("the same rules on another store")
				}
				t.Parallel() // a commit waits for the disk
				path := filepath.Join(t.TempDir(), "outhook.db")
				check(t, s, func(t *testing.T) store.Store {
					b, err := boltstore.Open(path, nil)
					if err != nil {
						t.Fatal(err)
					}
					return b
				})
			})
		})
	}
}

func check(t *testing.T, s outcomes.Scenario, open func(*testing.T) store.Store) {
	for _, f := range s.Run(t, open, outcomes.Form{Short: true}) {
		t.Logf("%s: %.3g%s", f.Measure, f.Value, f.Unit)
		if !f.Reached() {
			t.Errorf("%s: %s is %.3g%s, out of its bound %.3g",
				s.Name, f.Measure, f.Value, f.Unit, f.Bound)
		}
	}
}
