package usage

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
)

// Profile begins to profile this process until stop is called, unless folder is empty. The profiles
// are name.cpu, and .allocs, .mutex and .block, which are of the process so far.
func Profile(folder, name string) (stop func() error, err error) {
	if folder == "" {
		return func() error { return nil }, nil
	}
	name = filepath.Join(folder, name)
	f, err := os.Create(name + ".cpu")
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	runtime.SetMutexProfileFraction(10)
	runtime.SetBlockProfileRate(10_000) // nanoseconds
	return func() error {
		pprof.StopCPUProfile()
		runtime.SetMutexProfileFraction(0)
		runtime.SetBlockProfileRate(0)
		errs := []error{f.Close()}
		for _, kind := range []string{"allocs", "mutex", "block"} {
			errs = append(errs, writeProfile(name+"."+kind, kind))
		}
		return errors.Join(errs...)
	}, nil
}

func writeProfile(path, kind string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup(kind).WriteTo(f, 0), f.Close())
}
