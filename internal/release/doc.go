// Command release makes a release of all modules of the repository: one commit, and a tag for each.
//
//	go run ./internal/release -dry-run v0.2.0      # checks, and says what it would do
//	go run ./internal/release v0.2.0               # commits and tags, and says what to push
//	go run ./internal/release -proxy /tmp/p v0.2.0 # writes the tagged modules as a GOPROXY
//
// Nothing is pushed. It refuses unless the tree is clean, dispatcher.Version and CHANGELOG.md name
// the version, and none of its tags exists. If a step fails, the tree and the branch are as before.
//
// # What a release is
//
// A nested module is released with the root, at the same version and commit, under a tag that
// begins with its folder: v0.2.0, store/pgstore/v0.2.0, and so on. It requires
// the root at exactly that version. For a host that requirement is all there is, because Go ignores
// the replace directives of a dependency; in this repository the directives stay, so that a change
// of the root is seen by the nested modules at once. The modules that are not released, such as the
// examples, get the same requirements: with v0.2.0 required by one module, the others must not ask
// for less.
//
// The root's hash stands in no go.sum here. A host's go command takes it from the checksum database
// into the host's own go.sum and never reads that of a dependency; and for a module that is
// replaced by a folder, go mod tidy removes it again. -proxy prints the hashes, which the database
// must show once the tags are public.
package main
