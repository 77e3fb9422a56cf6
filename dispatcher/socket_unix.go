//go:build unix

package dispatcher

import "syscall"

// tellsSilence says that silent can tell.
const tellsSilence = true

// silent reports whether a socket is open and nothing has come over it. It does not wait.
func silent(socket syscall.RawConn) bool {
	var b [1]byte // what is read here is lost: then the connection is not used any more
	n, err := 0, error(nil)
	failed := socket.Read(func(fd uintptr) bool {
		n, err = syscall.Read(int(fd), b[:])
		return true
	})
	return failed == nil && n < 0 && err == syscall.EAGAIN
}
