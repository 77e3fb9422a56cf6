//go:build unix

package h1

import "syscall"

// Supported reports whether a Transport works on this system: it must be able to tell whether an
// idle connection is still open.
const Supported = true

// quiescent reports whether a socket is open and nothing has come over it. It never waits, and the
// connection's deadline, which may be one of long ago, does not matter. A byte that it reads is
// lost; then the connection must not be used again anyway.
func quiescent(socket syscall.RawConn, l *look) bool {
	if l.read == nil {
		l.read = func(fd uintptr) { l.n, l.err = syscall.Read(int(fd), l.b[:]) }
	}
	// Not RawConn.Read, which fails once the deadline of the last exchange has passed. The socket
	// does not block, and nobody else reads from it.
	failed := socket.Control(l.read)
	return failed == nil && l.n < 0 && l.err == syscall.EAGAIN
}
