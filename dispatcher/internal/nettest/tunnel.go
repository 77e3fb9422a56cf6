package nettest

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
)

// Tunnel serves a proxy that takes CONNECT alone, and returns its address.
func Tunnel(t *testing.T) string {
	t.Helper()
	return Listen(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		up, err := net.Dial("tcp", req.RequestURI)
		if err != nil {
			return
		}
		defer up.Close()
		io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		go func() {
			io.Copy(up, r)
			up.(*net.TCPConn).CloseWrite()
		}()
		io.Copy(c, up)
	})
}
