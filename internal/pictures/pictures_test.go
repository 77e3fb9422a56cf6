package pictures

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	docs    = "../../docs"
	maxSize = 40 << 10 // bytes of a picture
)

// TestPictures checks that each picture is small, well-formed, can be read on a dark page and by
// those who can't see it, and is shown by a document with the command that draws it.
func TestPictures(t *testing.T) {
	files, err := filepath.Glob(docs + "/pictures/*.svg")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 5 {
		t.Errorf("there are %d pictures, want 5 at least", len(files))
	}
	pages, err := filepath.Glob(docs + "/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, page := range pages {
		text.WriteString(read(t, page))
	}
	for _, file := range files {
		svg := read(t, file)
		if len(svg) > maxSize {
			t.Errorf("%s has %d bytes, want at most %d", file, len(svg), maxSize)
		}
		for _, want := range []string{"<title id=", "<desc id=", "prefers-color-scheme:dark"} {
			if !strings.Contains(svg, want) {
				t.Errorf("%s has no %s", file, want)
			}
		}
		for d := xml.NewDecoder(strings.NewReader(svg)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
		}
		shown := "](pictures/" + filepath.Base(file) + ")"
		_, below, ok := strings.Cut(text.String(), shown)
		if !ok {
			t.Errorf("no document shows %s", file)
		} else if next := below[:min(len(below), 400)]; !strings.Contains(next, "`go run") &&
			!strings.Contains(next, "`go test") {
			t.Errorf("below %s no document says which command draws it", file)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
