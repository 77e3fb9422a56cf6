package dispatcher_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// seen is a request as its bytes came.
type seen struct {
	raw    string
	line   string               // the request line
	names  []string             // of headers, in lower case, one for each line, as they came
	header textproto.MIMEHeader // by canonical name
	body   string
}

// newRaw returns the URL of a plain TCP listener that gives the n-th connection the n-th answer, and the last to all that
// follow; and the requests that it sees, one on each connection, with whatever else came.
func newRaw(t *testing.T, answers ...string) (url string, requests <-chan seen) {
	t.Helper()
	var (
		mu sync.Mutex
		n  int
		ch = make(chan seen, 64)
	)
	return "http://" + listen(t, func(c net.Conn) {
		mu.Lock()
		answer := answers[min(n, len(answers)-1)]
		n++
		mu.Unlock()
		c.SetDeadline(time.Now().Add(patience))
		s, err := takeRequest(c, func(string) string { return answer })
		if err != nil && !errors.Is(err, net.ErrClosed) {
			t.Errorf("raw endpoint: %v", err)
		}
		ch <- s
	}), ch
}

// answerWith is an answer with the status that closes the connection.
func answerWith(status int, headers ...string) string {
	return fmt.Sprintf("HTTP/1.1 %d Status\r\nConnection: close\r\nContent-Length: 0\r\n%s\r\n", status,
		strings.Join(append(headers, ""), "\r\n"))
}

// takeRequest reads a request, answers it by its request line, and reads on until the client closes.
func takeRequest(c net.Conn, answer func(line string) string) (s seen, err error) {
	var raw strings.Builder
	r := bufio.NewReader(io.TeeReader(c, &raw))
	length := 0
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return s, err
		}
		line = strings.TrimSuffix(line, "\r\n")
		if line == "" {
			break
		}
		if s.line == "" {
			s.line, s.header = line, make(textproto.MIMEHeader)
			continue
		}
		name, value, _ := strings.Cut(line, ": ")
		s.names = append(s.names, strings.ToLower(name))
		s.header.Add(name, value)
		if strings.EqualFold(name, "Content-Length") {
			if length, err = strconv.Atoi(value); err != nil {
				return s, err
			}
		}
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return s, err
	}
	if _, err := io.WriteString(c, answer(s.line)); err != nil {
		return s, err
	}
	if c, ok := c.(*net.TCPConn); ok {
		c.CloseWrite()
	}
	rest, err := io.ReadAll(r)
	s.raw, s.body = raw.String(), string(body)+string(rest)
	return s, err
}
