package boltfile

import "runtime/debug"

// Guard runs f and returns its error. A panic of f, and a fault on memory that the file is mapped
// to, become a *CorruptError: bbolt panics when it finds nonsense, and a page that is missing is a
// fault. It guards only what runs on this goroutine. Errors of bbolt that mean so become ErrClosed,
// ErrLocked or a *CorruptError; all others are returned as they are.
//
// f may leave transactions open when it panics, so it must end them by deferred calls.
func Guard(f func() error) (err error) {
	// A fault is fatal unless the goroutine asks for a panic. The setting is put back as it was,
	// because the goroutine is the host's.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = corruptf("%v", p)
		}
	}()
	return translate(f())
}
