package pgstore_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/outhook/outhook/"
	driver = "github.com/jackc/pgx/"
	inside = module + "store/pgstore/internal/"
)

// rooms are the packages below internal: which others of them each may import, and of this module
// which others. pgx stands for PostgreSQL's driver.
var rooms = map[string]string{
	"batcher":   "",
	"clock":     "",
	"sqltx":     "pgx",
	"record":    "events signing store store/internal/detail",
	"schema":    "pgx sqltx store/internal/page",
	"notify":    "pgx schema sqltx",
	"memory":    "store store/internal/hostport store/internal/order store/internal/schedule",
	"replica":   "clock events memory notify pgx record schema sqltx",
	"ownership": "memory pgx replica sqltx",
	"counts":    "replica sqltx store store/internal/rollup",
	"claims": "memory ownership pgx record replica sqltx store store/internal/claimloop " +
		"store/internal/order store/internal/schedule",
	"publish": "batcher events events/filter memory notify pgx record replica schema sqltx store " +
		"store/internal/unwanted",
	"outcomes": "batcher counts memory pgx record replica sqltx store store/internal/order",
	"history": "counts memory pgx record replica schema sqltx store store/internal/page " +
		"store/internal/rollup store/internal/schedule",
	"catalogue": "pgx record replica sqltx store store/internal/page",
	"importer":  "events memory pgx record replica sqltx store store/internal/order",
	"tenants":   "events memory notify pgx record replica sqltx store store/internal/order",

	"roomtest": "memory notify pgx replica schema sqltx store store/pgstore/pgtest",
}

// TestRoomsKnowWhatTheyMay holds the walls inside the store: what a room is not to know, it does
// not import. memory, record, batcher and clock are pure: no driver, no database.
func TestRoomsKnowWhatTheyMay(t *testing.T) {
	seen := make(map[string]bool)
	err := filepath.WalkDir("internal", func(path string, d fs.DirEntry, err error) error {
		room := filepath.Base(filepath.Dir(path))
		if err == nil && d.IsDir() && (d.Name() == "bench" || d.Name() == "versions") {
			return filepath.SkipDir // programs
		}
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		list, listed := rooms[room]
		if !listed {
			t.Errorf("%s has no list of what it may import: add it to rooms", room)
		}
		seen[room] = true
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if name = shortName(name); name != "" && !slices.Contains(strings.Fields(list), name) {
				t.Errorf("%s imports %s; it may import %q alone", path, name, list)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for room := range rooms {
		if !seen[room] {
			t.Errorf("there is no room %s", room)
		}
	}
}

// shortName returns an import as the lists have it; "" for one that any room may have.
func shortName(name string) string {
	if strings.HasPrefix(name, driver) {
		return "pgx"
	}
	if room, ok := strings.CutPrefix(name, inside); ok {
		return room
	}
	if ours, ok := strings.CutPrefix(name, module); ok {
		return ours
	}
	return ""
}
