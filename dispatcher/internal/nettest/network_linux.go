package nettest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// InOwnNetwork is InChild, with a network and mounts that are the child's own.
func InOwnNetwork(t *testing.T, env ...string) bool {
	t.Helper()
	const mark = "OUTHOOK_TEST_CHILD"
	if os.Getenv(mark) == t.Name() {
		if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
			t.Skipf("cannot have mounts of its own: %v", err)
		}
		loopbackUp(t)
		return true
	}
	cmd := exec.CommandContext(
		t.Context(),
		os.Args[0],
		"-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$",
		"-test.count=1",
		"-test.v",
	)
	cmd.Env = append(os.Environ(), append(env, mark+"="+t.Name())...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Skipf("cannot have a network of its own: %v", err)
	}
	err := cmd.Wait()
	switch {
	case err == nil && strings.Contains(out.String(), "--- SKIP: "+t.Name()):
		t.Skip(out.String())
	case err != nil || !strings.Contains(out.String(), "--- PASS: "+t.Name()):
		t.Errorf("in a process of its own: %v\n%s", err, out.String())
	}
	return false
}

// loopbackUp brings the loopback interface up.
func loopbackUp(t *testing.T) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		t.Skipf("cannot have a socket: %v", err)
	}
	defer syscall.Close(fd)
	request := struct { // struct ifreq
		name  [16]byte
		flags uint16
		_     [22]byte
	}{name: [16]byte{'l', 'o'}, flags: syscall.IFF_UP}
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS,
		uintptr(unsafe.Pointer(&request))); errno != 0 {
		t.Skipf("cannot bring the loopback interface up: %v", errno)
	}
}

// ReplaceFile has this process see a file with another content.
func ReplaceFile(t *testing.T, path, content string) {
	t.Helper()
	mine := filepath.Join(t.TempDir(), filepath.Base(path))
	if err := os.WriteFile(mine, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount(mine, path, "", syscall.MS_BIND, ""); err != nil {
		t.Skipf("cannot replace %s: %v", path, err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(path, syscall.MNT_DETACH) })
}
