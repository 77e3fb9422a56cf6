package nettest

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

// Request is a request as its bytes came.
type Request struct {
	Raw    string
	Line   string               // the request line
	Names  []string             // of headers, in lower case, one for each line, as they came
	Header textproto.MIMEHeader // by canonical name
	Body   string
}

// NewRaw returns the URL of a plain TCP listener that gives the n-th connection the n-th answer,
// and the last to all that follow. Requests gets what it reads, one request for each connection,
// with all else that came.
func NewRaw(t *testing.T, answers ...string) (url string, requests <-chan Request) {
	t.Helper()
	var (
		mu sync.Mutex
		n  int
		ch = make(chan Request, 64)
	)
	return "http://" + Listen(t, func(c net.Conn) {
		mu.Lock()
		answer := answers[min(n, len(answers)-1)]
		n++
		mu.Unlock()
		c.SetDeadline(time.Now().Add(Patience))
		s, err := TakeRequest(c, func(string) string { return answer })
		if err != nil && !errors.Is(err, net.ErrClosed) {
			t.Errorf("raw endpoint: %v", err)
		}
		ch <- s
	}), ch
}

// AnswerWith is an answer with the status that closes its connection.
func AnswerWith(status int, headers ...string) string {
	return fmt.Sprintf(
		"HTTP/1.1 %d Status\r\nConnection: close\r\nContent-Length: 0\r\n%s\r\n",
		status,
		strings.Join(append(headers, ""), "\r\n"),
	)
}

// TakeRequest reads a request, answers it by its request line, and reads on until the client
// closes.
func TakeRequest(c net.Conn, answer func(line string) string) (s Request, err error) {
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
		if s.Line == "" {
			s.Line, s.Header = line, make(textproto.MIMEHeader)
			continue
		}
		name, value, _ := strings.Cut(line, ": ")
		s.Names = append(s.Names, strings.ToLower(name))
		s.Header.Add(name, value)
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
	if _, err := io.WriteString(c, answer(s.Line)); err != nil {
		return s, err
	}
	if c, ok := c.(*net.TCPConn); ok {
		c.CloseWrite()
	}
	rest, err := io.ReadAll(r)
	s.Raw, s.Body = raw.String(), string(body)+string(rest)
	return s, err
}
