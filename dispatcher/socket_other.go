//go:build !unix

package dispatcher

import "syscall"

// tellsSilence says that silent can't tell: then net/http carries all requests.
const tellsSilence = false

func silent(syscall.RawConn) bool { return false }
