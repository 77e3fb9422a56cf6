package dispatcher

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"strings"
	"syscall"

	"github.com/outhook/outhook/dispatcher/internal/h1"
	"github.com/outhook/outhook/dispatcher/internal/netguard"
)

// Class is the kind of failure that an attempt ended in: the first word of store.Attempt.Error, before a colon.
type Class string

const (
	ClassBlockedAddress Class = "blocked_address" // the host's address is one that deliveries must not go to
	ClassDNS            Class = "dns"             // the host's name did not resolve
	ClassConnect        Class = "connect"         // no connection, or it broke before an answer
	ClassTLS            Class = "tls"             // the handshake failed, or the certificate is not good
	ClassTimeout        Class = "timeout"         // no answer in time
	ClassHTTPStatus     Class = "http_status"     // an answer that is not success
	ClassResponse       Class = "response"        // something that is not an HTTP answer, or one past a limit
	ClassCanceled       Class = "canceled"        // cut off by the sender, as it was stopping
)

// ErrorClass returns the class of a store.Attempt.Error or store.Delivery.LastError; "" when it has none.
func ErrorClass(text string) Class {
	word, _, _ := strings.Cut(text, ":")
	switch c := Class(word); c {
	case ClassBlockedAddress, ClassDNS, ClassConnect, ClassTLS, ClassTimeout, ClassHTTPStatus, ClassResponse, ClassCanceled:
		return c
	}
	return ""
}

// errStatus is the error of an answer whose status is none that HTTP knows.
var errStatus = errors.New("dispatcher: the status is below 100")

// describe puts an error of the transport into words that are fit for the endpoint's owner: never an address that was
// resolved, never the URL, never the raw error.
func describe(err error) string {
	class, words := classify(err)
	return string(class) + ": " + words
}

func classify(err error) (Class, string) {
	var dns *net.DNSError
	switch {
	case errors.Is(err, netguard.ErrBlocked):
		return ClassBlockedAddress, "the host's address is one that deliveries must not go to"
	case errors.Is(err, errPanic):
		return ClassConnect, "the sender failed while sending"
	case errors.Is(err, errHost), errors.Is(err, errBody):
		return ClassConnect, "the sender could not make the request"
	case errors.Is(err, errURL):
		return ClassConnect, "the URL is not one that can be posted to"
	case errors.Is(err, errProxy):
		return ClassConnect, "the sender's proxy refuses the endpoint"
	case errors.As(err, &dns) && dns.IsNotFound:
		return ClassDNS, "the host's name does not resolve"
	case errors.As(err, &dns):
		return ClassDNS, "the host's name could not be looked up"
	case errors.Is(err, context.Canceled):
		return ClassCanceled, "cut off, as the sender was stopping"
	case isTimeout(err):
		return ClassTimeout, "no answer in time"
	}
	if words := tlsTrouble(err); words != "" {
		return ClassTLS, words
	}
	if err == h1.ErrHeader || beginsWith(err, "net/http: invalid header") {
		return ClassConnect, "a header is not one that can be sent"
	}
	if isMalformed(err) {
		return ClassResponse, "not a proper HTTP answer"
	}
	return ClassConnect, connectionTrouble(err)
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &timeout) && timeout.Timeout()
}

// tlsTrouble says what is wrong with a handshake or a certificate; "" when err has nothing to do with TLS.
func tlsTrouble(err error) string {
	var (
		cert   *tls.CertificateVerificationError
		record tls.RecordHeaderError
		alert  *net.OpError
	)
	switch {
	case errors.As(err, &cert):
		return "the certificate is not good: " + certificateTrouble(cert.Err)
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return "the endpoint does not speak TLS"
	case errors.As(err, &alert) && alert.Op == "remote error":
		return "the endpoint refused the handshake"
	case errors.Is(err, errHandshake), beginsWith(err, "tls: ", "x509: "): // the latter through a proxy
		return "the handshake failed"
	}
	return ""
}

func certificateTrouble(err error) string {
	var (
		host      x509.HostnameError
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &host):
		return "it is for another host"
	case errors.As(err, &authority):
		return "nobody who is trusted has signed it"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "it has expired, or is not valid yet"
	}
	return "it does not verify"
}

// isMalformed reports whether err says that what was answered is not HTTP, or past a limit.
func isMalformed(err error) bool {
	var (
		header textproto.ProtocolError
		stream streamError
	)
	if errors.As(err, &stream) {
		return stream.Cause == nil || stream.Cause.Error() != "received from peer"
	}
	return errors.Is(err, errStatus) || errors.Is(err, h1.ErrLargeHeader) || errors.As(err, &header) ||
		beginsWith(err, "malformed ", "bad Content-Length", "unsupported transfer encoding", "too many transfer encodings",
			"http: message cannot contain", "net/http: server response headers exceeded",
			"connection error: ", "http2: response header list", "http2: frame too large")
}

// streamError has the shape of net/http's error for a stream of HTTP/2 that was reset, by the endpoint or by us because it
// does not obey the protocol. net/http lets errors.As fill whatever has this shape.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (streamError) Error() string { return "stream error" }

// connectionTrouble says what became of a connection.
func connectionTrouble(err error) string {
	var (
		dial   *net.OpError
		stream streamError
	)
	switch {
	case errors.As(err, &stream):
		return "the endpoint reset the request"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "the host is unreachable"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed before an answer"
	case errors.As(err, &dial) && dial.Op == "dial":
		return "no connection"
	}
	return "the connection broke before an answer"
}

// beginsWith reports whether the innermost error in err begins with one of the texts: that is how to tell apart the
// errors for which net/http and crypto/tls have no type. What an endpoint sent may stand in an error's text, but never
// at its beginning.
func beginsWith(err error, texts ...string) bool {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	for _, text := range texts {
		if strings.HasPrefix(err.Error(), text) {
			return true
		}
	}
	return false
}
