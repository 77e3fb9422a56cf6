package faults

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// TraceArgs returns the command that records the system calls of a host which concern its files, in
// a form that ReadTrace reads.
//
// What is injected, if anything, is as for InjectArgs, after the name of the call and a colon.
func TraceArgs(log string, inject ...string) []string {
	args := []string{
		"strace", "-f", "-qq", "-xx", "-s", "16777216", "-e", "signal=none", "-o", log, "-e",
		"trace=openat,close,pwrite64,write,fdatasync,fsync,ftruncate,fallocate," +
			"linkat,unlinkat,renameat,renameat2,rename",
	}
	for _, what := range inject {
		args = append(args, "-e", "inject="+what)
	}
	return args
}

// InjectArgs returns the command that has a host's system call fail, or kill it, as strace's inject
// says: "error=EIO:when=3", "signal=KILL:when=7". What was injected is in the log, see Injected.
// Calls are counted by thread. There is no --seccomp-bpf, with which strace 6.1 counts wrongly.
func InjectArgs(log, call, what string) []string {
	return []string{
		"strace", "-f", "-qq", "-s", "200", "-e", "signal=none", "-o", log,
		"-e", "trace=write,fdatasync," + call, "-e", "inject=" + call + ":" + what,
	}
}

// call is a system call: it begins, and later ends. Others may begin and end between the two.
type call struct {
	name    string
	args    []string // a string is decoded
	ended   bool     // this is its end; otherwise its beginning
	outcome int64    // when it has ended; negative for an error
}

// readTrace reads what strace recorded and calls f for each beginning and each end.
func readTrace(r io.Reader, f func(*call) error) error {
	lines := bufio.NewReaderSize(r, 1<<20)
	open := make(map[string]string) // by thread, the beginning of a line that was interrupted
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		thread, line, _ := strings.Cut(strings.TrimSpace(line), " ")
		line = strings.TrimSpace(line)
		begun, cut := strings.CutSuffix(line, " <unfinished ...>")
		if !cut { // strace itself was ended in the middle of the call
			begun, cut = strings.CutSuffix(line, " <detached ...>")
		}
		switch {
		case cut:
			open[thread] = begun
			err = tell(f, begun, false)
		case strings.HasPrefix(line, "<... "):
			_, rest, _ := strings.Cut(line, " resumed>")
			err = tell(f, open[thread]+rest, true)
		// "???" is what is left of a thread that was killed.
		case strings.Contains(line, "(") && !strings.HasPrefix(line, "???"):
			if err = tell(f, line[:max(0, strings.LastIndex(line, " = "))], false); err == nil {
				err = tell(f, line, true)
			}
		}
		if err != nil {
			return err
		}
	}
}

// tell parses a line and hands it on.
func tell(f func(*call) error, line string, ended bool) error {
	c := &call{ended: ended}
	if ended {
		i := strings.LastIndex(line, " = ")
		if i < 0 {
			return fmt.Errorf("faults: trace: no result in %.100q", line)
		}
		word, _, _ := strings.Cut(line[i+3:], " ")
		if word == "?" {
			return nil // it was killed
		}
		n, err := strconv.ParseInt(word, 0, 64)
		if err != nil {
			return fmt.Errorf("faults: trace: %w", err)
		}
		c.outcome, line = n, line[:i]
	}
	name, rest, _ := strings.Cut(strings.TrimSuffix(strings.TrimSpace(line), ")"), "(")
	c.name = name
	for arg := range strings.SplitSeq(rest, ",") { // strings are all hexadecimal: no comma is in one
		text, err := unquote(strings.TrimSpace(arg))
		if err != nil {
			return err
		}
		c.args = append(c.args, text)
	}
	return f(c)
}

// unquote decodes a string, and leaves other arguments as they are.
func unquote(arg string) (string, error) {
	if !strings.HasPrefix(arg, `"`) {
		return arg, nil
	}
	if strings.HasSuffix(arg, "...") {
		return "", fmt.Errorf("faults: trace: a string is cut short")
	}
	b, err := hex.DecodeString(strings.ReplaceAll(strings.Trim(arg, `"`), `\x`, ""))
	return string(b), err
}

// number returns a numeric argument.
func (c *call) number(i int) int64 {
	if i >= len(c.args) {
		return 0
	}
	n, _ := strconv.ParseInt(c.args[i], 0, 64)
	return n
}

func (c *call) text(i int) string {
	if i >= len(c.args) {
		return ""
	}
	return c.args[i]
}
