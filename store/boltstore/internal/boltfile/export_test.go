package boltfile

// For tests of what only some file systems and machines come to.
var RenameIfFree = renameIfFree

// LockWait is lockWait.
const LockWait = lockWait
