package pgstore_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/outhook/outhook/internal/outcomes"
	"github.com/outhook/outhook/store"
)

// envFigures names a file for what TestOutcomes measures, a line of JSON for each figure. With it
// the scenarios run whole, one after another.
const envFigures = "OUTHOOK_FIGURES"

// TestOutcomes checks that the scenarios that need no fake time keep their bounds. The short form
// runs them beside one another and allows for that.
func TestOutcomes(t *testing.T) {
	leaveToFull(t)
	form := outcomes.Form{Short: !long && os.Getenv(envFigures) == "", RealTime: true}
	for _, s := range outcomes.All() {
		if !s.Has(form) {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			if form.Short {
				t.Parallel()
			}
			figures := s.Run(t, func(t *testing.T) store.Store { return newStore(t) }, form)
			for _, f := range figures {
				t.Logf("%s: %.3g%s", f.Measure, f.Value, f.Unit)
				if !f.Reached() {
					t.Errorf("%s is %.3g%s, out of its bound %.3g", f.Measure, f.Value, f.Unit, f.Bound)
				}
			}
			writeFigures(t, figures)
		})
	}
}

// writeFigures adds the figures to the file that the environment names.
func writeFigures(t *testing.T, figures []outcomes.Figure) {
	t.Helper()
	path := os.Getenv(envFigures)
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	to := json.NewEncoder(f)
	for i := range figures {
		if err := to.Encode(figures[i]); err != nil {
			t.Fatal(err)
		}
	}
}
