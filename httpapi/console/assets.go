package console

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

//go:embed assets/console.css assets/console.js
var assetFiles embed.FS

// asset is a file that is the same for everybody.
type asset struct {
	contentType string
	plain       []byte
	zipped      []byte // nil if it is not worth it
	version     string // of its content, for its URL
}

// assets returns the files of a console with these options, by their names.
func (o *Options) assets() map[string]*asset {
	read := func(name string) []byte {
		text, err := assetFiles.ReadFile("assets/" + name)
		if err != nil {
			panic("console: an embedded file is missing: " + err.Error())
		}
		return text
	}
	css := read("console.css")
	if o.Accent != "" { // an inline style is against the policy
		css = append(css, ":root{--accent:"+o.Accent+";--on-accent:"+textOn(o.Accent)+"}"...)
	}
	all := map[string]*asset{
		"console.css": newAsset("text/css; charset=utf-8", css, true),
		"console.js":  newAsset("text/javascript; charset=utf-8", read("console.js"), true),
	}
	if len(o.Logo) > 0 {
		all["logo"] = newAsset(imageType(o.Logo), o.Logo, false)
	}
	return all
}

func newAsset(contentType string, plain []byte, zip bool) *asset {
	sum := sha256.Sum256(plain)
	a := &asset{contentType: contentType, plain: plain, version: hex.EncodeToString(sum[:6])}
	if zip {
		var buf bytes.Buffer
		w, _ := gzip.NewWriterLevel(&buf, gzip.BestCompression) // its error is of the level
		w.Write(plain)                                          // to memory
		w.Close()
		a.zipped = buf.Bytes()
	}
	return a
}

// serve sends the asset. It may be kept for a year: the URL has its version.
func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "This file takes GET.", http.StatusMethodNotAllowed)
		return
	}
	h.Set("Content-Type", a.contentType)
	// An SVG that is opened by itself is a document: it runs nothing and loads nothing.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	if r.URL.Query().Get("v") == a.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body := a.plain
	if a.zipped != nil {
		h.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			body = a.zipped
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}

// imageType returns the type of an image by its first bytes; empty if it is none.
func imageType(image []byte) string {
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
