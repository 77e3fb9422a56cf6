// Command seeded breaks the code in known ways, one at a time, and shows that the tests notice
// each.
//
//	go run ./internal/faults/seeded                    # all; up to an hour on two cores
//	go run ./internal/faults/seeded -run clock         # those whose name matches
//	go run ./internal/faults/seeded -log /tmp/seeds    # writes results there, and skips what it has
//	go run ./internal/faults/seeded -n                 # only shows each change, as a diff
//
// For each seed it prints a line with the test that noticed, and it fails if one went unnoticed.
// The standard error has which one it is at. The tree is never written to: changed files reach the
// compiler as an overlay. Before a test counts, it must pass without the seed. go test checks only
// that each seed applies, parses and names a test.
//
// # Writing a seed
//
// A seed is a paragraph in seeds.txt:
//
//	seed the clock goes back at a restart
//	in startClock
//	- max(wall().UnixNano(), floor)
//	+ wall().UnixNano()
//	test store/boltstore FaultClock
//
// "in" names a declaration: a function, Type.Method, or a package's type, variable or constant. It
// says nothing of the file or the package, so a seed survives a move. Where several declarations
// have the name and the code, a folder before it says which: "in store/boltstore newStore" is
// anywhere at or under that folder.
//
// "-" is code of it and "+" what replaces it. Code is compared token by token: white space, line
// breaks and comments are free, and it need not be a whole statement. It must occur once; take more
// of what surrounds it if it does not. "-all" replaces each occurrence, of which there must be one
// at least. $x in "-" stands for any tokens with balanced brackets, as few as will do, and means
// the same in "+". To insert, repeat in "+" what "-" has; to delete, leave "+" out. A "-" after a
// "+" begins a further change of the same declaration, and a further "in" one of another. "import
// path" after "in" adds an import to the file. Imports that are no longer used are dropped.
//
// In place of a declaration "in" may name SQL files: "in store/pgstore *.sql", "in claim.sql".
//
// "test" is what -run of go test takes; one of the tests must fail. The packages are those that
// have such a test, at or under the folder before it, if there is one. "race" in its place runs
// them under the race detector.
package main
