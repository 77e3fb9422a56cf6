//go:build !unix

package h1

import "syscall"

// Supported reports whether a Transport works on this system: it must be able to tell whether an
// idle connection is still open.
const Supported = false

func quiescent(syscall.RawConn, *look) bool { return false }
