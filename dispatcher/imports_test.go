package dispatcher_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/outhook/outhook"

// TestImportsPointOneWay holds the layers of doc.go, and keeps each heavy dependency to the one
// package that is built on it. Tests may import what they like.
func TestImportsPointOneWay(t *testing.T) {
	layers := []string{"events signing", "store", "dispatcher", "httpapi", "examples"}
	layer := make(map[string]int)
	for i, names := range layers {
		for name := range strings.FieldsSeq(names) {
			layer[name] = i
		}
	}
	owners := map[string][]string{ // a name that ends in a slash stands for all below it
		"go.etcd.io/bbolt": {
			"store/boltstore", "store/boltstore/internal/boltfile",
			"store/boltstore/internal/buckets", "store/boltstore/internal/txn",
			"store/boltstore/internal/txn/txntest", "store/boltstore/internal/scan",
			"store/boltstore/internal/database", "signing/boltseen", "examples/",
		},
		"github.com/jackc/pgx":        {}, // in modules of their own alone
		"github.com/cenkalti/backoff": {"dispatcher/"},
		"golang.org/x/sync":           {"dispatcher/"},
		"golang.org/x/time":           {"dispatcher/"},
	}
	seen := 0
	walk(t, func(dir, imported string) {
		seen++
		from, _, _ := strings.Cut(dir, "/")
		if to, ok := strings.CutPrefix(imported, module+"/"); ok {
			to, _, _ = strings.Cut(to, "/")
			fromLayer, known := layer[from]
			toLayer, alsoKnown := layer[to]
			if !known || !alsoKnown {
				return
			}
			if fromLayer < toLayer || fromLayer == toLayer && from != to {
				t.Errorf("%s imports %s: imports point from %v to the left", dir, imported, layers)
			}
		}
		for dependency, owner := range owners {
			if from == "internal" {
				break // tools, which no host links in
			}
			owns := func(o string) bool {
				return dir == o || strings.HasSuffix(o, "/") && strings.HasPrefix(dir+"/", o)
			}
			if strings.HasPrefix(imported, dependency) && !slices.ContainsFunc(owner, owns) {
				t.Errorf("%s imports %s, which is for %v alone", dir, imported, owner)
			}
		}
	})
	if seen < 50 {
		t.Errorf("only %d imports were seen; is the test looking at the right folder?", seen)
	}
}

// rooms are the packages inside dispatcher, httpapi, its console, and store, and the stores that
// are not to know another store; each with those of this module that it may import. Those of
// pgstore are in a test of its module.
var rooms = map[string][]string{
	"dispatcher/internal/actor":   {},
	"dispatcher/internal/backoff": {},
	"dispatcher/internal/check": {
		"dispatcher/internal/netguard", "dispatcher/internal/send", "events", "events/cloudevents",
		"events/filter", "signing", "store",
	},
	"dispatcher/internal/clientpool": {"dispatcher/internal/h1"},
	"dispatcher/internal/content":    {"events", "events/cloudevents", "events/filter", "store"},
	"dispatcher/internal/engine":     {"dispatcher/internal/send", "events", "store"},
	"dispatcher/internal/erase": {
		"dispatcher/internal/actor", "dispatcher/internal/engine", "events", "store",
	},
	"dispatcher/internal/h1":       {},
	"dispatcher/internal/missed":   {"dispatcher/internal/send", "events", "store"},
	"dispatcher/internal/netguard": {},
	"dispatcher/internal/notify":   {},
	"dispatcher/internal/observe": {
		"dispatcher/internal/actor", "dispatcher/internal/notify", "dispatcher/internal/pull",
		"dispatcher/internal/registry", "dispatcher/internal/tracing", "events", "store",
	},
	"dispatcher/internal/ping": {
		"dispatcher/internal/actor", "dispatcher/internal/check", "dispatcher/internal/quota",
		"dispatcher/internal/replay", "dispatcher/internal/send", "dispatcher/internal/slots",
		"dispatcher/internal/verify", "events", "store",
	},
	"dispatcher/internal/publish": {
		"dispatcher/internal/check", "dispatcher/internal/quota", "dispatcher/internal/tracing",
		"events", "store",
	},
	"dispatcher/internal/pull":  {"dispatcher/internal/send", "events", "store"},
	"dispatcher/internal/quota": {"dispatcher/internal/rates", "events", "store"},
	"dispatcher/internal/rates": {},
	"dispatcher/internal/registry": {
		"dispatcher/internal/actor", "dispatcher/internal/check", "dispatcher/internal/engine",
		"dispatcher/internal/quota", "dispatcher/internal/verify", "store",
	},
	"dispatcher/internal/replay": {
		"dispatcher/internal/actor", "dispatcher/internal/check", "dispatcher/internal/quota",
		"events", "store",
	},
	"dispatcher/internal/rotation": {"events", "signing", "store"},
	"dispatcher/internal/send": {
		"dispatcher/internal/clientpool", "dispatcher/internal/content", "dispatcher/internal/h1",
		"dispatcher/internal/netguard", "dispatcher/internal/transport", "events",
		"events/cloudevents", "signing", "store",
	},
	"dispatcher/internal/transport": {
		"dispatcher/internal/clientpool", "dispatcher/internal/h1", "dispatcher/internal/netguard",
	},
	"dispatcher/internal/tryout":  {"events", "events/filter", "store"},
	"dispatcher/internal/slots":   {},
	"dispatcher/internal/verify":  {"dispatcher/internal/send", "events", "signing", "store"},
	"dispatcher/internal/tracing": {"events"},
	"dispatcher/internal/nettest": {},

	"httpapi/internal/apitest": {"store"},
	"httpapi/internal/ask":     {"dispatcher", "events", "signing", "store"},
	"httpapi/internal/openapi": {"dispatcher", "events", "httpapi/internal/wire"},
	"httpapi/internal/wire":    {"dispatcher", "events", "signing", "store"},

	"store/boltstore/internal/boltfile":    {},
	"store/boltstore/internal/groupcommit": {},
	"store/boltstore/internal/pending": {
		"store", "store/boltstore/internal/record", "store/internal/order",
		"store/internal/schedule",
	},
	"store/boltstore/internal/effect": {
		"store", "store/boltstore/internal/pending", "store/boltstore/internal/record",
		"store/internal/rollup",
	},
	"store/boltstore/internal/buckets": {
		"events", "store", "store/boltstore/internal/boltfile", "store/boltstore/internal/effect",
		"store/boltstore/internal/pending", "store/boltstore/internal/record",
		"store/internal/asking", "store/internal/page", "store/internal/rollup",
		"store/internal/schedule",
	},
	"store/boltstore/internal/txn": {
		"store", "store/boltstore/internal/buckets", "store/boltstore/internal/effect",
		"store/boltstore/internal/pending", "store/boltstore/internal/record",
		"store/internal/asking", "store/internal/order", "store/internal/page",
		"store/internal/schedule",
	},
	"store/boltstore/internal/txn/txntest": {
		"events", "store", "store/boltstore/internal/buckets", "store/boltstore/internal/effect",
		"store/boltstore/internal/pending", "store/boltstore/internal/record",
		"store/boltstore/internal/txn",
	},
	"store/boltstore/internal/scan": {
		"store", "store/boltstore/internal/boltfile", "store/boltstore/internal/buckets",
		"store/boltstore/internal/pending", "store/boltstore/internal/record",
		"store/boltstore/internal/txn", "store/internal/order", "store/internal/page",
		"store/internal/schedule",
	},
	"store/boltstore/internal/memory": {
		"store", "store/boltstore/internal/buckets", "store/boltstore/internal/effect",
		"store/boltstore/internal/pending", "store/boltstore/internal/record",
		"store/boltstore/internal/scan", "store/boltstore/internal/txn", "store/internal/hostport",
		"store/internal/order", "store/internal/rollup", "store/internal/schedule",
	},
	"store/boltstore/internal/database": {
		"store", "store/boltstore/internal/boltfile", "store/boltstore/internal/buckets",
		"store/boltstore/internal/effect", "store/boltstore/internal/groupcommit",
		"store/boltstore/internal/memory", "store/boltstore/internal/record",
		"store/boltstore/internal/scan", "store/boltstore/internal/txn", "store/internal/page",
		"store/internal/rollup",
	},
	"store/boltstore/internal/claims": {
		"store", "store/boltstore/internal/database", "store/boltstore/internal/memory",
		"store/boltstore/internal/pending", "store/boltstore/internal/record",
		"store/boltstore/internal/txn", "store/internal/claimloop", "store/internal/hostport",
		"store/internal/order", "store/internal/schedule",
	},
	"store/boltstore/internal/listing": {
		"store", "store/boltstore/internal/boltfile", "store/boltstore/internal/buckets",
		"store/boltstore/internal/database", "store/boltstore/internal/memory",
		"store/boltstore/internal/record", "store/boltstore/internal/scan",
		"store/boltstore/internal/txn", "store/internal/page",
	},
	"store/boltstore/internal/erase": {
		"store", "store/boltstore/internal/buckets", "store/boltstore/internal/database",
		"store/boltstore/internal/listing", "store/boltstore/internal/txn", "store/internal/page",
	},
	"store/boltstore/internal/tenants": {
		"events", "store", "store/boltstore/internal/buckets", "store/boltstore/internal/database",
		"store/boltstore/internal/effect", "store/boltstore/internal/erase",
		"store/boltstore/internal/listing", "store/boltstore/internal/pending",
		"store/boltstore/internal/record", "store/boltstore/internal/scan",
		"store/boltstore/internal/txn", "store/internal/order", "store/internal/page",
		"store/internal/schedule",
	},
	"store/boltstore/internal/record": {
		"events", "signing", "store", "store/internal/detail", "store/internal/rollup",
	},

	"httpapi/console": {
		"dispatcher", "events", "httpapi/console/internal/asset", "httpapi/console/internal/flash",
		"httpapi/console/internal/form", "httpapi/console/internal/link",
		"httpapi/console/internal/read", "httpapi/console/internal/show",
		"httpapi/console/internal/text", "signing", "store",
	},
	"httpapi/console/internal/asset": {},
	"httpapi/console/internal/flash": {
		"dispatcher", "httpapi/console/internal/link", "httpapi/console/internal/show",
		"httpapi/console/internal/text", "signing", "store",
	},
	"httpapi/console/internal/form": {
		"dispatcher", "events", "httpapi/console/internal/show", "httpapi/console/internal/text",
		"httpapi/internal/ask", "store",
	},
	"httpapi/console/internal/link": {},
	"httpapi/console/internal/read": {
		"dispatcher", "events", "httpapi/console/internal/show", "httpapi/console/internal/text",
		"store",
	},
	"httpapi/console/internal/show": {
		"dispatcher", "events", "httpapi/console/internal/text", "store",
	},
	"httpapi/console/internal/text": {},

	"store/shards": {
		"events", "store", "store/internal/page", "store/shards/internal/calls",
		"store/shards/internal/claims", "store/shards/internal/listing",
		"store/shards/internal/recorder",
	},
	"store/shards/internal/calls": {"events", "store"},
	"store/shards/internal/claims": {
		"store", "store/internal/hostport", "store/shards/internal/calls",
	},
	"store/shards/internal/listing": {
		"events", "store", "store/internal/page", "store/shards/internal/calls",
	},
	"store/shards/internal/recorder": {"store", "store/shards/internal/calls"},

	"store/internal/asking":            {"events", "events/filter"},
	"store/internal/asking/askingtest": {"events", "store", "store/internal/asking"},
	"store/internal/claimloop":         {"store", "store/internal/schedule"},
	"store/internal/detail":            {"store"},
	"store/internal/hostport":          {},
	"store/internal/order":             {},
	"store/internal/page":              {"events", "store"},
	"store/internal/rollup":            {"store"},
	"store/internal/schedule": {
		"store", "store/internal/order", "store/internal/schedule/internal/account",
		"store/internal/schedule/internal/heap", "store/internal/schedule/internal/implicit",
		"store/internal/schedule/internal/timed",
	},
	"store/internal/schedule/internal/account":  {},
	"store/internal/schedule/internal/heap":     {},
	"store/internal/schedule/internal/implicit": {},
	"store/internal/schedule/internal/timed":    {"store/internal/schedule/internal/heap"},
	"store/internal/unwanted":                   {},
	"store/memstore": {
		"events", "store", "store/internal/asking", "store/internal/hostport",
		"store/internal/order", "store/internal/page", "store/internal/rollup",
		"store/internal/schedule", "store/internal/unwanted",
	},
	"store/sealed": {"signing", "store", "store/internal/detail"},

	"store/storetest/internal/broken": {
		"events", "store", "store/memstore", "store/storetest/internal/check",
		"store/storetest/internal/compare",
	},
	"store/storetest/internal/check": {"events", "signing", "store", "store/internal/detail"},
	"store/storetest/internal/compare": {
		"events", "signing", "store", "store/internal/rollup", "store/memstore",
		"store/storetest/internal/check", "store/storetest/internal/rules/calls",
	},
	"store/storetest/internal/rules/calls":         onlyCheck,
	"store/storetest/internal/rules/history":       onlyCheck,
	"store/storetest/internal/rules/listing":       onlyCheck,
	"store/storetest/internal/rules/liveness":      onlyCheck,
	"store/storetest/internal/rules/outcomes":      onlyCheck,
	"store/storetest/internal/rules/published":     onlyCheck,
	"store/storetest/internal/rules/queue":         onlyCheck,
	"store/storetest/internal/rules/subscriptions": onlyCheck,
}

// onlyCheck is what the rules of the contract may import: they know neither a store nor each other.
var onlyCheck = []string{"events", "signing", "store", "store/storetest/internal/check"}

// TestRoomsKnowWhatTheyMay holds the walls of rooms: what a room is not to know, it does not
// import.
func TestRoomsKnowWhatTheyMay(t *testing.T) {
	seen := make(map[string]bool)
	walk(t, func(dir, imported string) {
		allowed, listed := rooms[dir]
		top, _, _ := strings.Cut(dir, "/")
		inside := strings.Contains(dir, "/internal/") && top != "internal" && top != "examples"
		if !listed && !inside {
			return
		}
		if !listed {
			t.Errorf("%s has no list of what it may import: add it to rooms", dir)
			return
		}
		seen[dir] = true
		if to, ours := strings.CutPrefix(imported, module+"/"); ours && !slices.Contains(allowed, to) {
			t.Errorf("%s imports %s; of this module it may import %q alone", dir, to, allowed)
		}
	})
	for dir := range rooms {
		if _, err := os.Stat(filepath.Join("..", dir)); err != nil {
			t.Errorf("%s is in rooms, and is not there", dir)
		}
		if !seen[dir] && len(rooms[dir]) > 0 {
			t.Errorf("%s imports nothing", dir)
		}
	}
}

// pure are the rooms that do no I/O, take no lock and have no clock of their own: they can be
// tested by what they return alone, and called under any lock and in any transaction. What is in
// them, such as an internal folder, is as pure.
var pure = []string{
	"dispatcher/internal/backoff", "dispatcher/internal/content",
	"httpapi/console/internal/link", "httpapi/console/internal/text",
	"store/boltstore/internal/effect", "store/boltstore/internal/memory",
	"store/boltstore/internal/pending", "store/boltstore/internal/record",
	"store/internal/detail", "store/internal/order", "store/internal/schedule",
}

// impure are the packages that a pure room does not import, and the functions of package time that
// it does not call.
var impure = []string{
	"context", "database/sql", "io/fs", "log/slog", "net", "net/http", "os", "os/exec", "sync",
	"sync/atomic", "syscall", "testing",
	"time.After", "time.AfterFunc", "time.NewTicker", "time.NewTimer", "time.Now", "time.Since",
	"time.Sleep", "time.Tick", "time.Until",
}

// mayHTTP says why a pure room imports a package that others may not.
var mayHTTP = map[string]string{
	"dispatcher/internal/content net/http": "http.Header, which is a map",
}

// TestPureRooms holds the rooms that are called pure to that.
func TestPureRooms(t *testing.T) {
	seen := 0
	for _, room := range pure {
		files(t, filepath.Join("..", room), parser.SkipObjectResolution, func(_ string, f *ast.File) {
			seen++
			for _, spec := range f.Imports {
				imported, _ := strconv.Unquote(spec.Path.Value)
				if slices.Contains(impure, imported) && mayHTTP[room+" "+imported] == "" {
					t.Errorf("%s is pure and imports %s", room, imported)
				}
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if call, ok := n.(*ast.SelectorExpr); ok {
					of, _ := call.X.(*ast.Ident)
					if of != nil && slices.Contains(impure, of.Name+"."+call.Sel.Name) {
						t.Errorf("%s is pure and uses %s.%s", room, of.Name, call.Sel.Name)
					}
				}
				return true
			})
		})
	}
	if seen < 2*len(pure) {
		t.Errorf("only %d files of pure rooms were seen; is the test looking at the right folder?", seen)
	}
}

// TestSigningStandsAlone keeps package signing, which receivers import without the rest, free of
// everything but the standard library.
func TestSigningStandsAlone(t *testing.T) {
	seen := 0
	walk(t, func(dir, imported string) {
		if dir != "signing" {
			return
		}
		seen++
		if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") {
			t.Errorf("signing imports %s; it may import the standard library alone", imported)
		}
	})
	if seen == 0 {
		t.Error("signing imports nothing, or is not there")
	}
}

// walk calls f for every import of every file that is no test, with its folder below the module's
// root.
func walk(t *testing.T, f func(dir, imported string)) {
	t.Helper()
	files(t, "..", parser.ImportsOnly, func(dir string, file *ast.File) {
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			f(dir, imported)
		}
	})
}

// files calls f for every file of the module below a folder that is no test, with its folder below
// the module's root.
func files(t *testing.T, below string, mode parser.Mode, f func(dir string, file *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(below, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != below {
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
				return filepath.SkipDir // a module of its own, with its own dependencies
			}
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") ||
			strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, mode)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel("..", filepath.Dir(path))
		if err != nil {
			return err
		}
		f(filepath.ToSlash(dir), file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
