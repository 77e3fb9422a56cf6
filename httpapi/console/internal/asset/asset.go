// Package asset has the files of a console that are the same for everybody: its style sheet, its
// script and the host's logo. The URL of each has a version of its content, so that a browser may
// keep it for a year.
package asset

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"math"
	"net/http"
	"strconv"
	"strings"
)

//go:embed console.css console.js
var files embed.FS

// File is a file with its type. It is safe for concurrent use.
type File struct {
	contentType string
	plain       []byte
	zipped      []byte // nil if it is not worth it
	version     string // of its content
}

// Files returns the files of a console by their names. accent is a color such as "#0b5fff", or
// empty for that of the style sheet; logo is an image, or empty for none.
func Files(accent string, logo []byte) map[string]*File {
	read := func(name string) []byte {
		text, err := files.ReadFile(name)
		if err != nil {
			panic("console: an embedded file is missing: " + err.Error())
		}
		return text
	}
	css := read("console.css")
	if accent != "" { // an inline style is against the policy
		css = append(css, ":root{--accent:"+accent+";--on-accent:"+textOn(accent)+"}"...)
	}
	all := map[string]*File{
		"console.css": newFile("text/css; charset=utf-8", css, true),
		"console.js":  newFile("text/javascript; charset=utf-8", read("console.js"), true),
	}
	if len(logo) > 0 {
		all["logo"] = newFile(ImageType(logo), logo, false)
	}
	return all
}

func newFile(contentType string, plain []byte, zip bool) *File {
	sum := sha256.Sum256(plain)
	f := &File{contentType: contentType, plain: plain, version: hex.EncodeToString(sum[:6])}
	if zip {
		var buf bytes.Buffer
		w, _ := gzip.NewWriterLevel(&buf, gzip.BestCompression) // its error is of the level
		w.Write(plain)                                          // to memory
		w.Close()
		f.zipped = buf.Bytes()
	}
	return f
}

// ServeHTTP sends the file. It may be kept for a year: the URL has its version.
func (f *File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "This file takes GET.", http.StatusMethodNotAllowed)
		return
	}
	h.Set("Content-Type", f.contentType)
	// An SVG that is opened by itself is a document: it runs nothing and loads nothing.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	if r.URL.Query().Get("v") == f.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body := f.plain
	if f.zipped != nil {
		h.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			body = f.zipped
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}

// URL returns the URL of the file under its name, which changes with its content.
func (f *File) URL(name string) string { return name + "?v=" + f.version }

// ImageType returns the type of an image by its first bytes; empty if it is none.
func ImageType(image []byte) string {
	text := bytes.TrimSpace(image)
	if bytes.HasPrefix(text, []byte("<svg")) || bytes.HasPrefix(text, []byte("<?xml")) {
		return "image/svg+xml"
	}
	switch t := http.DetectContentType(image); t {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return t
	}
	return ""
}

// textOn returns the color of text on a background: black or white, whichever has the higher
// contrast by WCAG 2.2. The lower of the two is never chosen, so it is 4.5:1 at least.
func textOn(background string) string {
	luminance := func(hex string) float64 {
		n, _ := strconv.ParseUint(hex, 16, 8)
		c := float64(n) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	l := 0.2126*luminance(background[1:3]) + 0.7152*luminance(background[3:5]) +
		0.0722*luminance(background[5:7])
	if 1.05/(l+0.05) >= (l+0.05)/0.05 {
		return "#fff"
	}
	return "#000"
}
