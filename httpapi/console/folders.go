package console

import (
	"slices"
	"sync"
)

// folders are those in which a console that was not told where it is mounted has shown a page to
// somebody who may see it: a router passes it no others, so each is a mount. It is safe for
// concurrent use.
type folders struct {
	mu  sync.Mutex
	all []string // at most maxFolders
}

// maxFolders is how many folders are remembered. A mount has one, with each prefix that a router
// before it does not remove.
const maxFolders = 16

// add remembers a folder.
func (f *folders) add(folder string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.all) < maxFolders && !slices.Contains(f.all, folder) {
		f.all = append(f.all, folder)
	}
}

// has reports whether a folder was added.
func (f *folders) has(folder string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.all, folder)
}
