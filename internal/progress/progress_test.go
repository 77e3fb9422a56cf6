package progress

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Elsewhere than in a terminal there is a line now and then, and all that Print says.
func TestLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := New(&out)
		for i := range 70 {
			l.Say("%d of 70", i)
			if i == 40 {
				l.Print("half of it\n")
			}
			<-time.After(time.Second)
		}
		l.Clear()
		if got, want := out.String(), "30 of 70\nhalf of it\n60 of 70\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// In a terminal one line is rewritten, and is gone before anything else is written.
func TestTerminal(t *testing.T) {
	var out bytes.Buffer
	l := newLine(&out, true)
	l.Say("1 of 2")
	l.Say("2 of 2")
	l.Print("a result")
	l.Print("another")
	l.Say("%s", strings.Repeat("ü", 200))
	l.Clear()
	l.Clear()
	want := "\r\x1b[K1 of 2\r\x1b[K2 of 2\r\x1b[Ka result\nanother\n\r\x1b[K" +
		strings.Repeat("ü", 78) + "…\r\x1b[K"
	if got := out.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What another command writes is not behind what was said.
func TestBefore(t *testing.T) {
	var out bytes.Buffer
	l := newLine(&out, true)
	w := l.Before(&out)
	l.Say("running")
	for _, text := range []string{"ok 1\n", "ok 2\n"} {
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := out.String(), "\r\x1b[Krunning\r\x1b[Kok 1\nok 2\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		stop := newLine(&out, true).Watch("N%d", 1)
		<-time.After(2500 * time.Millisecond)
		stop()
		<-time.After(time.Minute)
		if got, want := out.String(), "\r\x1b[KN1, for 1s\r\x1b[KN1, for 2s\r\x1b[K"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestIsTerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	f, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if isTerminal(f) || isTerminal(new(bytes.Buffer)) {
		t.Error("a file or a buffer is taken for a terminal")
	}
	if tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0); err == nil {
		defer tty.Close()
		if !isTerminal(tty) {
			t.Error("a terminal is not known")
		}
		t.Setenv("TERM", "dumb")
		if isTerminal(tty) {
			t.Error("a dumb terminal can't rewrite a line")
		}
	}
}
