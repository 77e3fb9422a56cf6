package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// What a server costs, by what the kernel says of its processes. Where there is no /proc, nothing.

// tick is the unit of the times in /proc/PID/stat. Linux has it so on every processor that Go has.
const tick = 10 * time.Millisecond

// The fields of /proc/PID/stat after the command, counted from the state.
const (
	fieldParent    = 1
	fieldTimes     = 11 // in user mode and in the kernel, and both of the children that have ended
	fieldTimesEnds = 15
)

// serverCPU returns what a process and its descendants have used of the processors.
func serverCPU(root int) (total time.Duration) {
	for _, pid := range tree(root) {
		fields := stat(pid)
		if len(fields) < fieldTimesEnds {
			continue // it has ended
		}
		for _, text := range fields[fieldTimes:fieldTimesEnds] {
			n, _ := strconv.ParseInt(string(text), 10, 64) // the kernel's own number
			total += time.Duration(n) * tick
		}
	}
	return total
}

// serverMemory returns the anonymous memory of a process and its descendants, in bytes.
func serverMemory(root int) (total uint64) {
	for _, pid := range tree(root) {
		text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
		if err != nil {
			continue // it has ended
		}
		for line := range bytes.Lines(text) {
			if rest, ok := bytes.CutPrefix(line, []byte("RssAnon:")); ok {
				n, _ := strconv.ParseUint(string(bytes.Fields(rest)[0]), 10, 64)
				total += n << 10
			}
		}
	}
	return total
}

// tree returns a process and its descendants; nothing for 0.
func tree(root int) []int {
	if root == 0 {
		return nil
	}
	children := make(map[int][]int)
	names, _ := filepath.Glob("/proc/[0-9]*") // the pattern is right
	for _, name := range names {
		pid, err := strconv.Atoi(filepath.Base(name))
		if err != nil {
			continue
		}
		if fields := stat(pid); len(fields) > fieldParent {
			parent, _ := strconv.Atoi(string(fields[fieldParent]))
			children[parent] = append(children[parent], pid)
		}
	}
	all := []int{root}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// stat returns the fields of /proc/PID/stat after the command, which may have blanks.
func stat(pid int) [][]byte {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil
	}
	return bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
}
