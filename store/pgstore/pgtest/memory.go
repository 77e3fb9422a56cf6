package pgtest

import (
	"os"
	"syscall"
)

// memoryFolder is where Linux keeps files in memory.
const memoryFolder = "/dev/shm"

// makeDir makes the folder of a cluster: in memory, if that is asked for and there is room for one
// that a test fills, and else among temporary files.
func makeDir(inMemory bool) (string, error) {
	const room = 2 << 30
	var fs syscall.Statfs_t
	if inMemory && syscall.Statfs(memoryFolder, &fs) == nil && fs.Bavail*uint64(fs.Bsize) >= room {
		return os.MkdirTemp(memoryFolder, "outhook-postgres-")
	}
	return os.MkdirTemp("", "outhook-postgres-")
}
