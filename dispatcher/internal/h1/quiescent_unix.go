//go:build unix

package h1

import "syscall"

// Supported reports whether a Transport works on this system: it must be able to tell whether an
// idle connection is still open.
const Supported = true

// quiescent reports whether a socket is open and nothing has come over it. It never waits. A byte
// that it reads is lost; then the connection must not be used again anyway.
func quiescent(socket syscall.RawConn) bool {
	var b [1]byte
	n, err := 0, error(nil)
	failed := socket.Read(func(fd uintptr) bool {
		n, err = syscall.Read(int(fd), b[:])
		return true // done, whatever it was: false would wait until the socket is readable
	})
	return failed == nil && n < 0 && err == syscall.EAGAIN
}
